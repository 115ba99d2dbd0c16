//! Tokens of service accounts: what they say, and when they are good no more. Models `pkg/serviceaccount/claims.go`.

use crate::keys;
use crate::stored::Stored;
use api::{Obj, ObjectExt, Registered};
use k8s_openapi::api::core::v1::{Node, Pod, Secret, ServiceAccount};
use meta::{Duration, Time, User};
pub(crate) use pki::ISSUER;
use pki::{Claims, TokenKey};
use serde_json::Value;
use store::Store;

/// Who has signed the tokens in Secrets, which do not end.
const LEGACY_ISSUER: &str = "kubernetes/serviceaccount";
/// Clocks may differ by so much: `jwt.DefaultLeeway`.
const LEEWAY: Duration = Duration::from_secs(60);

/// Models `serviceaccount.MakeGroupNames`.
pub(crate) fn groups(namespace: &str) -> Vec<String> {
    vec!["system:serviceaccounts".into(), format!("system:serviceaccounts:{namespace}")]
}

/// What a token is bound to: it ends with that.
pub(crate) enum Bound<'a> {
    Nothing,
    Pod { pod: &'a Pod, node: Option<(String, String)> },
    Secret(&'a Secret),
    Node(&'a Node),
}

/// What a token says; `seconds`: how long it was asked for.
pub(crate) fn claims(
    account: &ServiceAccount,
    bound: &Bound<'_>,
    id: &str,
    audiences: &[String],
    now: Time,
    seconds: u64,
) -> Value {
    fn named(o: &dyn api::Object) -> (&str, &str) {
        (o.name(), o.uid())
    }
    let bound = match bound {
        Bound::Nothing => Vec::new(),
        Bound::Pod { pod, node } => {
            let node = node.iter().map(|(name, uid)| ("node", (name.as_str(), uid.as_str())));
            [("pod", named(*pod))].into_iter().chain(node).collect()
        }
        Bound::Secret(secret) => vec![("secret", named(*secret))],
        Bound::Node(node) => vec![("node", named(*node))],
    };
    let o: &dyn api::Object = account;
    let (namespace, account, issued) = (o.namespace(), named(o), now.as_secs());
    Claims { namespace, account, bound: &bound, id, audiences, issued, seconds }.value()
}

/// Models `jwtTokenAuthenticator.AuthenticateToken` and `validator.Validate`.
pub(super) fn verify(
    key: &TokenKey,
    store: &Store<Stored>,
    now: Time,
    token: &str,
    wanted: &[String],
) -> Result<(User, Vec<String>), String> {
    let invalid = |why: &str| match why {
        "" => "invalid bearer token".to_string(),
        why => format!("[invalid bearer token, {why}]"),
    };
    let claims = key.verify(token).map_err(|e| invalid(&e))?;
    if claims["iss"] == LEGACY_ISSUER {
        return check_legacy(store, now, &claims, token, wanted).map_err(|e| invalid(&e));
    }
    check(store, now, &claims, wanted).map_err(|e| invalid(&e))
}

/// Models `legacyValidator.Validate`: the token is good as long as its Secret holds it.
fn check_legacy(
    store: &Store<Stored>,
    now: Time,
    claims: &Value,
    token: &str,
    wanted: &[String],
) -> Result<(User, Vec<String>), String> {
    let text = |name: &str| claims[format!("kubernetes.io/serviceaccount/{name}")].as_str().unwrap_or("");
    let own = ISSUER.to_string();
    if !wanted.is_empty() && !wanted.contains(&own) {
        let list = crate::authz::rules::go_list;
        let why = format!("token audiences {} is invalid for the target audiences {}", list(&[own]), list(wanted));
        return Err(why);
    }
    let (namespace, name) = (text("namespace"), text("service-account.name"));
    let (uid, secret) = (text("service-account.uid"), text("secret.name"));
    for (what, value) in
        [("namespace", namespace), ("secretName", secret), ("serviceAccountName", name), ("serviceAccountUID", uid)]
    {
        if value.is_empty() {
            return Err(format!("{what} claim is missing"));
        }
    }
    let user = format!("system:serviceaccount:{namespace}:{name}");
    if claims["sub"] != user {
        return Err("sub claim is invalid".into());
    }
    let over = || "Token has been invalidated".to_string();
    let found = store.get_ref(&keys::of_parts(Secret::KIND_REF, namespace, secret)).ok_or_else(over)?;
    let found = found.value.0.downcast::<Secret>().ok_or_else(over)?;
    if found.metadata.deletion_timestamp.as_ref().map(Time::from_k8s).is_some_and(|t| t + LEEWAY < now) {
        return Err(over());
    }
    if found.data.as_ref().and_then(|d| d.get("token")).is_none_or(|t| t.0 != token.as_bytes()) {
        return Err("Token does not match server's copy".into());
    }
    let account = store.get_ref(&keys::of_parts(ServiceAccount::KIND_REF, namespace, name));
    let account = &account.ok_or_else(|| format!("serviceaccounts {name:?} not found"))?.value.0;
    if account.uid() != uid {
        return Err(format!("ServiceAccount UID ({}) does not match claim ({uid})", account.uid()));
    }
    let mut user = User { name: user, uid: uid.into(), groups: groups(namespace), ..User::default() };
    user.groups.push(super::AUTHENTICATED.into());
    Ok((user, vec![ISSUER.into()]))
}

fn check(store: &Store<Stored>, now: Time, claims: &Value, wanted: &[String]) -> Result<(User, Vec<String>), String> {
    let text = |pointer: &str| claims.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    let own = [ISSUER.to_string()];
    let wanted = if wanted.is_empty() { &own } else { wanted };
    let audiences: Vec<String> =
        claims["aud"].as_array().into_iter().flatten().filter_map(|a| Some(a.as_str()?.to_string())).collect();
    let common: Vec<String> = audiences.iter().filter(|a| wanted.contains(a)).cloned().collect();
    if common.is_empty() {
        let list = crate::authz::rules::go_list;
        return Err(format!(
            "token audiences {} is invalid for the target audiences {}",
            list(&audiences),
            list(wanted)
        ));
    }
    let at = |claim: &str| Time::from_secs(claims[claim].as_u64().unwrap_or(0));
    if now > at("exp") + LEEWAY {
        return Err("service account token has expired".into());
    }
    if now + LEEWAY < at("nbf") {
        return Err("service account token is not valid yet".into());
    }
    let namespace = text("/kubernetes.io/namespace");
    let name = text("/kubernetes.io/serviceaccount/name");
    let uid = text("/kubernetes.io/serviceaccount/uid");
    let get = |kind, namespace: &str, name: &str| -> Option<&Obj> {
        store.get_ref(&keys::of_parts(kind, namespace, name)).map(|e| &e.value.0)
    };
    let gone = |o: &Obj| {
        let at = o.meta().deletion_timestamp.as_ref().map(Time::from_k8s);
        at.is_some_and(|t| t + LEEWAY < now)
    };
    let account = get(ServiceAccount::KIND_REF, namespace, name);
    let account = account.ok_or_else(|| format!("serviceaccounts {name:?} not found"))?;
    if account.uid() != uid {
        return Err(format!("service account UID ({}) does not match claim ({uid})", account.uid()));
    }
    if gone(account) {
        return Err(format!("service account {namespace}/{name} has been deleted"));
    }
    let bound = |what: &str, kind, namespace: &str| -> Result<Option<(String, String)>, String> {
        let (name, uid) = (text(&format!("/kubernetes.io/{what}/name")), text(&format!("/kubernetes.io/{what}/uid")));
        if name.is_empty() {
            return Ok(None);
        }
        let over = || "service account token has been invalidated".to_string();
        let found = get(kind, namespace, name).ok_or_else(over)?;
        if found.uid() != uid {
            let label = found.kind().kind;
            let (is, said) = (found.uid(), what);
            return Err(format!("{label} UID ({is}) does not match service account {said} ref claim ({uid})"));
        }
        if gone(found) { Err(over()) } else { Ok(Some((name.into(), uid.into()))) }
    };
    bound("secret", Secret::KIND_REF, namespace)?;
    let pod = bound("pod", Pod::KIND_REF, namespace)?;
    let node = match pod {
        // Of a pod's token the node is told, not checked.
        Some(_) => {
            let name = text("/kubernetes.io/node/name");
            (!name.is_empty()).then(|| (name.to_string(), text("/kubernetes.io/node/uid").to_string()))
        }
        None => bound("node", Node::KIND_REF, "")?,
    };
    let mut user = User { name: text("/sub").into(), uid: uid.into(), groups: groups(namespace), ..User::default() };
    user.groups.push(super::AUTHENTICATED.into());
    let mut extra = |key: &str, value: String| {
        if !value.is_empty() {
            user.extra.insert(format!("authentication.kubernetes.io/{key}"), vec![value]);
        }
    };
    let id = text("/jti");
    extra("credential-id", if id.is_empty() { String::new() } else { format!("JTI={id}") });
    for (what, found) in [("pod", pod), ("node", node)] {
        let (name, uid) = found.unwrap_or_default();
        extra(&format!("{what}-name"), name);
        extra(&format!("{what}-uid"), uid);
    }
    Ok((user, common))
}
