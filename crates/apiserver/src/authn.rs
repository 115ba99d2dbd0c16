//! Who makes a request: by client certificate (which the host has verified), by token, or nobody in particular; and whom
//! they act as. Models `k8s.io/apiserver/pkg/authentication/request` and `endpoints/filters/impersonation`.

pub(crate) mod account;

use crate::authz::Attributes;
use crate::server::ApiServer;
use crate::stored::Stored;
use meta::{ApiError, Time, User};
use store::Store;

pub const AUTHENTICATED: &str = "system:authenticated";
pub const UNAUTHENTICATED: &str = "system:unauthenticated";
const ANONYMOUS: &str = "system:anonymous";

/// Where the keys are that tokens are verified with.
pub const KEYS_PATH: &str = "/openid/v1/jwks";
pub const ISSUER_PATH: &str = "/.well-known/openid-configuration";

/// What came with a request to say who makes it.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// From a client certificate: name and organizations.
    pub certified: Option<User>,
    /// `Authorization: Bearer …`, or all of the header when it is of another kind.
    pub authorization: Option<String>,
    pub impersonate: Impersonate,
}

/// `Impersonate-User`, `-Group`, `-Uid` and `-Extra-*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impersonate {
    pub user: String,
    pub groups: Vec<String>,
    pub uid: String,
    /// Keys in lower case, percent-decoded.
    pub extra: Vec<(String, String)>,
}

pub fn anonymous() -> User {
    User::new(ANONYMOUS, &[UNAUTHENTICATED])
}

fn unauthorized() -> ApiError {
    ApiError::new(401, "Unauthorized", "Unauthorized")
}

/// The keys and names of service account tokens.
#[derive(Clone, Debug)]
pub struct Authenticator {
    pub(crate) key: pki::TokenKey,
}

impl Authenticator {
    pub fn new(secret: &[u8; 32]) -> Self {
        Authenticator { key: pki::TokenKey::new(secret) }
    }

    /// `/.well-known/openid-configuration`: where whoever trusts the issuer finds its keys. `host`: the API server's.
    /// Models `pkg/serviceaccount/openidmetadata.go`.
    pub fn issuer(&self, host: &str) -> serde_json::Value {
        serde_json::json!({
            "issuer": account::ISSUER,
            "jwks_uri": format!("https://{host}{KEYS_PATH}"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    }
    /// What signs the tokens.
    pub fn token_key(&self) -> &pki::TokenKey {
        &self.key
    }
    /// What is at [`KEYS_PATH`].
    pub fn key_set(&self) -> serde_json::Value {
        self.key.key_set()
    }

    /// The owner of a token and the audiences of it that were wanted; what is wrong with it otherwise. Empty `wanted`: the
    /// API server's own.
    pub(crate) fn token(
        &self,
        store: &Store<Stored>,
        now: Time,
        token: &str,
        wanted: &[String],
    ) -> Result<(User, Vec<String>), String> {
        account::verify(&self.key, store, now, token, wanted)
    }
}

impl ApiServer {
    /// Who the request is to be answered for.
    ///
    /// # Errors
    /// 401 for a token that is not good, 403 for acting as somebody whom one may not act as.
    pub fn identify(&mut self, store: &Store<Stored>, now: Time, c: &Credentials) -> Result<User, ApiError> {
        let user = match (&c.certified, &c.authorization) {
            (Some(user), _) => user.clone(),
            (None, Some(header)) => {
                let token = header.split_once(' ').filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
                let token = token.map(|(_, t)| t.trim()).ok_or_else(unauthorized)?;
                self.authn().token(store, now, token, &[]).map_err(|_| unauthorized())?.0
            }
            (None, None) => anonymous(),
        };
        self.impersonate(store, user, &c.impersonate)
    }

    /// Models `WithImpersonation`: each part of the other identity is a permission of its own.
    pub fn impersonate(&self, store: &Store<Stored>, user: User, other: &Impersonate) -> Result<User, ApiError> {
        if *other == Impersonate::default() {
            return Ok(user);
        }
        if other.user.is_empty() {
            let what = format!("requested {} without impersonating a user", describe(other));
            return Err(ApiError::bad_request(what));
        }
        let account = other.user.strip_prefix("system:serviceaccount:").and_then(|r| r.split_once(':'));
        let mut groups = other.groups.clone();
        match account {
            Some((namespace, name)) => {
                self.may_act(store, &user, ("", "serviceaccounts", ""), namespace, name)?;
                if groups.is_empty() {
                    groups = account::groups(namespace);
                }
            }
            None => self.may_act(store, &user, ("", "users", ""), "", &other.user)?,
        }
        for group in &other.groups {
            self.may_act(store, &user, ("", "groups", ""), "", group)?;
        }
        let mut acting = User::new(&other.user, &[]);
        for (key, value) in &other.extra {
            self.may_act(store, &user, ("authentication.k8s.io", "userextras", key), "", value)?;
            acting.extra.entry(key.clone()).or_default().push(value.clone());
        }
        if !other.uid.is_empty() {
            self.may_act(store, &user, ("authentication.k8s.io", "uids", ""), "", &other.uid)?;
            acting.uid.clone_from(&other.uid);
        }
        let has = |g: &str| groups.iter().any(|have| have == g);
        let missing = match other.user == ANONYMOUS {
            true => (!has(UNAUTHENTICATED)).then_some(UNAUTHENTICATED),
            false => (!has(AUTHENTICATED) && !has(UNAUTHENTICATED)).then_some(AUTHENTICATED),
        };
        groups.extend(missing.map(String::from));
        acting.groups = groups;
        Ok(acting)
    }

    fn may_act(
        &self,
        store: &Store<Stored>,
        user: &User,
        (group, resource, subresource): (&str, &str, &str),
        namespace: &str,
        name: &str,
    ) -> Result<(), ApiError> {
        let a = Attributes {
            user,
            verb: "impersonate",
            group,
            resource,
            subresource,
            namespace,
            name,
            field_selector: "",
            path: None,
        };
        let verdict = self.authz().authorize(store, &a);
        if verdict.allowed { Ok(()) } else { Err(a.forbidden(&verdict.reason)) }
    }
}

/// As Go prints the object references that upstream makes of the headers.
fn describe(other: &Impersonate) -> String {
    let reference =
        |kind: &str, name: &str, version: &str, field: &str| format!("{{{kind}  {name}  {version}  {field}}}");
    let version = "authentication.k8s.io/v1";
    let groups = other.groups.iter().map(|g| reference("Group", g, "", ""));
    let extra = other.extra.iter().map(|(k, v)| reference("UserExtra", v, version, k));
    let uid = (!other.uid.is_empty()).then(|| reference("UID", &other.uid, version, ""));
    format!("[{}]", groups.chain(extra).chain(uid).collect::<Vec<_>>().join(" "))
}
