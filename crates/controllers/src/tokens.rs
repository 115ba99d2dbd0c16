//! serviceaccount-token-controller: fills Secrets of type `kubernetes.io/service-account-token` with a token of the account
//! that they name, and deletes those whose account is gone. Models `pkg/controller/serviceaccount/tokens_controller.go`.

use crate::root_ca_publisher::{CA_SOURCE, root_ca};
use api::{ObjectExt, Registered};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use meta::{Key, User};
use pki::TokenKey;
use reconcile::{Change, Controller, Cx, Intent, Outcome, Tolerate, Watch};
use serde_json::json;
use std::collections::BTreeMap;
use trace::note;

const TYPE: &str = "kubernetes.io/service-account-token";
const ACCOUNT: &str = "kubernetes.io/service-account.name";
const ACCOUNT_UID: &str = "kubernetes.io/service-account.uid";

/// What `--service-account-private-key-file` holds.
#[derive(Clone, Default)]
pub struct Tokens {
    /// `None`: it has not been told.
    key: Option<TokenKey>,
}

impl Tokens {
    pub fn new(key: TokenKey) -> Self {
        Tokens { key: Some(key) }
    }
}

fn annotation<'a>(s: &'a Secret, key: &str) -> &'a str {
    s.metadata.annotations.as_ref().and_then(|a| a.get(key)).map_or("", String::as_str)
}

fn is_token(s: &Secret) -> bool {
    s.type_.as_deref() == Some(TYPE)
}

fn secret_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    if change.new.as_ref().and_then(|o| o.downcast::<Secret>()).is_some_and(is_token) {
        keys.push(change.key.clone());
    }
}

/// The Secrets of an account that has come or gone.
fn account_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let uid = |o: &Option<api::Obj>| o.as_ref().map(|o| o.uid().to_string());
    if uid(&change.old) == uid(&change.new) {
        return;
    }
    let all = cx.view.list_in::<Secret>(change.key.namespace());
    let of = all.filter(|s| is_token(s) && annotation(s, ACCOUNT) == change.key.name());
    keys.extend(of.map(|s| crate::owner::key_of(&s.metadata)));
}

/// The certificate authority has become known.
fn authority_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    if change.key.as_str() == CA_SOURCE {
        keys.extend(cx.view.list::<Secret>().filter(|s| is_token(s)).map(|s| crate::owner::key_of(&s.metadata)));
    }
}

impl Controller for Tokens {
    const NAME: &'static str = "serviceaccount-token-controller";

    fn user() -> User {
        User::new("system:kube-controller-manager", &["system:authenticated"])
    }

    fn watches() -> Vec<Watch> {
        vec![
            Watch { kind: Secret::KIND_REF, keys: secret_changed },
            Watch { kind: ServiceAccount::KIND_REF, keys: account_changed },
            Watch { kind: ConfigMap::KIND_REF, keys: authority_changed },
        ]
    }

    fn anew(&self) -> Self {
        self.clone()
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(secret) = cx.view.get::<Secret>(key).filter(|s| is_token(s)) else { return out };
        if secret.metadata.deletion_timestamp.is_some() {
            return out;
        }
        let name = annotation(secret, ACCOUNT);
        let account = cx.view.get::<ServiceAccount>(&Key::new(key.namespace(), name)).filter(|a| {
            let uid = annotation(secret, ACCOUNT_UID);
            uid.is_empty() || a.metadata.uid.as_deref() == Some(uid)
        });
        let Some(account) = account else {
            out.note(note!("serviceaccount.no-account", secret = key.as_str(), account = name));
            out.push(Intent::delete(secret).tolerate(Tolerate::NotFound));
            return out;
        };
        if let Some(new) = self.filled(cx, secret, account) {
            out.note(note!("serviceaccount.token", secret = key.as_str(), account = name));
            out.push(Intent::update(new));
        }
        out
    }
}

impl Tokens {
    /// The Secret with what it lacks. Models `generateTokenIfNeeded`.
    fn filled(&self, cx: &Cx, secret: &Secret, account: &ServiceAccount) -> Option<Secret> {
        let authority = root_ca(cx.view).into_bytes();
        let namespace = account.metadata.namespace.clone().unwrap_or_default();
        let have =
            |key: &str| secret.data.as_ref().and_then(|d| d.get(key)).map(|v| v.0.as_slice()).unwrap_or_default();
        let needs_authority = !authority.is_empty() && have("ca.crt") != authority;
        let (needs_namespace, needs_token) = (have("namespace").is_empty(), have("token").is_empty());
        if !needs_authority && !needs_namespace && !needs_token {
            return None;
        }
        let key = self.key.as_ref()?;
        let mut new = secret.clone();
        let data: &mut BTreeMap<String, ByteString> = new.data.get_or_insert_default();
        if needs_authority {
            data.insert("ca.crt".into(), ByteString(authority));
        }
        if needs_namespace {
            data.insert("namespace".into(), ByteString(namespace.clone().into_bytes()));
        }
        let (name, uid) = (account.metadata.name.clone().unwrap_or_default(), account.metadata.uid.clone());
        if needs_token {
            // Models `legacyClaims`.
            let claims = json!({
                "iss": "kubernetes/serviceaccount",
                "kubernetes.io/serviceaccount/namespace": namespace,
                "kubernetes.io/serviceaccount/secret.name": secret.metadata.name,
                "kubernetes.io/serviceaccount/service-account.name": name,
                "kubernetes.io/serviceaccount/service-account.uid": uid,
                "sub": format!("system:serviceaccount:{namespace}:{name}"),
            });
            data.insert("token".into(), ByteString(key.sign(&claims).into_bytes()));
        }
        let annotations = new.metadata.annotations.get_or_insert_default();
        annotations.insert(ACCOUNT.into(), name);
        annotations.insert(ACCOUNT_UID.into(), uid.unwrap_or_default());
        Some(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reconcile::{View, Write};
    use serde_json::Value;

    fn view(objects: &[Value]) -> View {
        let mut view = View::new();
        for o in objects {
            let kind = view.kinds().by_api_version("v1", o["kind"].as_str().unwrap()).unwrap();
            let o: api::Obj = kind.from_value(o.clone()).unwrap().into();
            view.apply(kind, &o.key(), None, Some(&o), 1);
        }
        view
    }

    #[test]
    fn a_secret_gets_the_token_of_its_account_and_goes_with_it() {
        let account =
            json!({"kind": "ServiceAccount", "metadata": {"name": "robot", "namespace": "default", "uid": "u1"}});
        let secret = json!({"kind": "Secret", "type": TYPE, "metadata": {"name": "s", "namespace": "default",
                            "annotations": {ACCOUNT: "robot"}}});
        let key = TokenKey::new(&[1; 32]);
        let mut c = Tokens::new(key.clone());
        let mut run = |objects: &[Value]| {
            let view = view(objects);
            c.reconcile(&Cx { now: meta::Time::SIMULATION_START, view: &view, recording: true }, &"default/s".into())
        };
        let mut out = run(&[account.clone(), secret.clone()]);
        let Write::Update(new) = out.intents.remove(0).write else { panic!("an update") };
        let new = new.to_value();
        assert_eq!(new["metadata"]["annotations"][ACCOUNT_UID], "u1");
        let made: Secret = serde_json::from_value(new.clone()).unwrap();
        let token = String::from_utf8(made.data.unwrap()["token"].0.clone()).unwrap();
        let claims = key.verify(&token).unwrap();
        assert_eq!(claims["sub"], "system:serviceaccount:default:robot");
        assert_eq!(claims["kubernetes.io/serviceaccount/secret.name"], "s");
        assert_eq!(run(&[account.clone(), new.clone()]).intents.len(), 0, "it has all it needs");
        let other =
            json!({"kind": "ServiceAccount", "metadata": {"name": "robot", "namespace": "default", "uid": "u2"}});
        assert!(matches!(run(&[other, new]).intents[0].write, Write::Delete { .. }), "another account of that name");
        assert!(matches!(run(&[secret]).intents[0].write, Write::Delete { .. }));
    }
}
