//! What the tokens of service accounts say. Models `Claims` of `pkg/serviceaccount/claims.go`.

use serde_json::{Value, json};

/// `--service-account-issuer`; it is the only audience of the API server, too.
pub const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
/// What the kubelet asks for in every pod (`WarnOnlyBoundTokenExpirationSeconds`); it gets more, as clients of old cannot
/// read a token anew.
const POD_SECONDS: u64 = 3607;
const POD_SECONDS_EXTENDED: u64 = 365 * 24 * 3600;

/// An object by name and UID.
pub type Named<'a> = (&'a str, &'a str);

/// Moments are seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Claims<'a> {
    pub namespace: &'a str,
    pub account: Named<'a>,
    /// What the token ends with, under its claim's name.
    pub bound: &'a [(&'static str, Named<'a>)],
    pub id: &'a str,
    pub audiences: &'a [String],
    pub issued: u64,
    /// How long it was asked for.
    pub seconds: u64,
}

impl Claims<'_> {
    pub fn value(&self) -> Value {
        let reference = |(name, uid): Named<'_>| match uid {
            "" => json!({"name": name}),
            uid => json!({"name": name, "uid": uid}),
        };
        let mut private = json!({"namespace": self.namespace, "serviceaccount": reference(self.account)});
        for (what, named) in self.bound {
            private[*what] = reference(*named);
        }
        let of_pod = self.bound.iter().any(|(what, _)| *what == "pod");
        let extended = of_pod && self.seconds == POD_SECONDS && self.audiences == [ISSUER];
        if extended {
            private["warnafter"] = (self.issued + self.seconds).into();
        }
        json!({
            "aud": self.audiences,
            "exp": self.issued + if extended { POD_SECONDS_EXTENDED } else { self.seconds },
            "iat": self.issued,
            "iss": ISSUER,
            "jti": self.id,
            "kubernetes.io": private,
            "nbf": self.issued,
            "sub": format!("system:serviceaccount:{}:{}", self.namespace, self.account.0),
        })
    }
}
