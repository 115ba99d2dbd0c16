//! The smaller generators.

use super::{metadata, name};
use crate::client::Request;
use crate::cx::Cx;
use crate::error::Error;
use crate::print::Printer;
use serde_json::{Map, Value, json};

pub(super) fn namespace(cx: &Cx<'_, '_>) -> Result<Value, Error> {
    let name = name(cx)?;
    Ok(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "spec": {}, "status": {}}))
}

pub(super) fn serviceaccount(cx: &Cx<'_, '_>) -> Result<Value, Error> {
    let name = name(cx)?;
    Ok(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(cx, &name, true)}))
}

pub(super) fn quota(cx: &Cx<'_, '_>) -> Result<Value, Error> {
    let name = name(cx)?;
    let (mut hard, mut spec) = (Map::new(), json!({}));
    for part in cx.flags.string("hard").split(',').filter(|p| !p.is_empty()) {
        let parts: Vec<&str> = part.split('=').collect();
        let [resource, amount] = parts.as_slice() else {
            return Err(Error::text(format!("Invalid argument syntax {part}, expected <resource>=<value>")));
        };
        let amount = meta::Quantity::parse(amount).map_err(|_| {
            Error::text("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
        })?;
        hard.insert((*resource).into(), amount.to_string().into());
    }
    if !hard.is_empty() {
        spec["hard"] = Value::Object(hard);
    }
    let scopes = cx.flags.string("scopes");
    if !scopes.is_empty() {
        let list: Vec<&str> = scopes.split(',').collect();
        if list.iter().any(|s| s.is_empty()) {
            return Err(Error::text("invalid resource quota scope \"\""));
        }
        spec["scopes"] = json!(list);
    }
    Ok(json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata(cx, &name, true), "spec": spec, "status": {},
    }))
}

pub(super) fn pdb(cx: &Cx<'_, '_>) -> Result<Value, Error> {
    let name = name(cx)?;
    let f = |n: &str| cx.flags.string(n).to_string();
    let (min, max, selector) = (f("min-available"), f("max-unavailable"), f("selector"));
    if selector.is_empty() {
        return Err(Error::text("a selector must be specified"));
    }
    if min.is_empty() && max.is_empty() {
        return Err(Error::text("one of min-available or max-unavailable must be specified"));
    }
    if !min.is_empty() && !max.is_empty() {
        return Err(Error::text("min-available and max-unavailable cannot be both specified"));
    }
    let amount = |text: &str, what: &str| {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        if let Some(n) = text.parse::<i64>().ok().filter(|_| digits) {
            return Ok(json!(n));
        }
        let percent = text.strip_suffix('%').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        if percent { Ok(json!(text)) } else { Err(Error::text(format!("invalid format specified for {what}"))) }
    };
    let mut spec = json!({"selector": label_selector(&selector)?});
    if !min.is_empty() {
        spec["minAvailable"] = amount(&min, "min-available")?;
    }
    if !max.is_empty() {
        spec["maxUnavailable"] = amount(&max, "max-unavailable")?;
    }
    Ok(json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata(cx, &name, true), "spec": spec,
        "status": {"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0},
    }))
}

/// Models `metav1.ParseToLabelSelector`.
pub(crate) fn label_selector(text: &str) -> Result<Value, Error> {
    let list = meta::labels::Selector::parse_operators(text)
        .map_err(|e| Error::text(format!("couldn't parse the selector string {text:?}: {e}")))?;
    let (mut labels, mut expressions) = (Map::new(), Vec::new());
    for (sign, r) in list {
        let operator = match (sign.as_str(), r.values.as_slice()) {
            ("=" | "==", [v]) => {
                labels.insert(r.key.clone(), v.clone().into());
                continue;
            }
            ("in", _) => "In",
            ("notin", _) => "NotIn",
            ("exists", _) => "Exists",
            ("!", _) => "DoesNotExist",
            (">", _) => return Err(Error::text("\"gt\" isn't supported in label selectors")),
            ("<", _) => return Err(Error::text("\"lt\" isn't supported in label selectors")),
            (other, _) => return Err(Error::text(format!("{other:?} is not a valid label selector operator"))),
        };
        let mut e = json!({"key": r.key, "operator": operator});
        if !r.values.is_empty() {
            e["values"] = json!(r.values);
        }
        expressions.push(e);
    }
    let mut out = json!({});
    if !labels.is_empty() {
        out["matchLabels"] = Value::Object(labels);
    }
    if !expressions.is_empty() {
        out["matchExpressions"] = json!(expressions);
    }
    Ok(out)
}

pub(super) fn priorityclass(cx: &Cx<'_, '_>) -> Result<Value, Error> {
    let name = name(cx)?;
    let mut o = json!({
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
        "preemptionPolicy": cx.flags.string("preemption-policy"), "value": cx.flags.int("value"),
    });
    if cx.flags.bool("global-default") {
        o["globalDefault"] = true.into();
    }
    if !cx.flags.string("description").is_empty() {
        o["description"] = cx.flags.string("description").into();
    }
    Ok(o)
}

pub(super) async fn token(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let name = name(cx)?;
    let f = |n: &str| cx.flags.string(n).to_string();
    let (kind, bound, uid) = (f("bound-object-kind"), f("bound-object-name"), f("bound-object-uid"));
    let duration = cx.flags.duration("duration");
    if duration < 0 {
        return Err(Error::text("--duration must be greater than or equal to 0"));
    }
    if duration % 1_000_000 != 0 {
        return Err(Error::text("--duration cannot be expressed in units less than seconds"));
    }
    if kind.is_empty() && !bound.is_empty() {
        return Err(Error::text("--bound-object-name can only be set if --bound-object-kind is provided"));
    }
    if kind.is_empty() && !uid.is_empty() {
        return Err(Error::text("--bound-object-uid can only be set if --bound-object-kind is provided"));
    }
    let mut spec = json!({"audiences": Value::Null, "expirationSeconds": Value::Null, "boundObjectRef": Value::Null});
    let audiences = cx.flags.list("audience");
    if !audiences.is_empty() {
        spec["audiences"] = json!(audiences);
    }
    if duration > 0 {
        spec["expirationSeconds"] = (duration / 1_000_000).into();
    }
    if !kind.is_empty() {
        if !matches!(kind.as_str(), "Node" | "Pod" | "Secret") {
            return Err(Error::text("supported --bound-object-kind values are Node, Pod, Secret"));
        }
        if bound.is_empty() {
            return Err(Error::text("--bound-object-name is required if --bound-object-kind is provided"));
        }
        spec["boundObjectRef"] = json!({"kind": kind, "apiVersion": "v1", "name": bound, "uid": uid});
    }
    let body = json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {}, "spec": spec});
    let path = format!("/api/v1/namespaces/{}/serviceaccounts/{name}/token", cx.namespace());
    let r = Request::new("POST", path).header("Accept", "application/json").json(&body);
    let answer = cx.send(r).await.map_err(|e| match e {
        Error::Status(_) => Error::text(format!("failed to create token: {}", e.go())),
        e => e,
    })?;
    match Printer::of(cx, false)?.map(Printer::typed) {
        Some(mut p) => {
            let text = p.print(&answer, false)?;
            cx.out(&text);
        }
        None => {
            let token = answer["status"]["token"].as_str().unwrap_or("").to_string();
            if token.is_empty() {
                return Err(Error::text("failed to create token: no token in server response"));
            }
            cx.out(&format!("{token}\n"));
        }
    }
    Ok(())
}
