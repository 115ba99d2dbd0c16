//! `/scale`: a Deployment's or ReplicaSet's number of replicas as `autoscaling/v1` Scale. Models
//! `pkg/registry/apps/deployment/storage.ScaleREST`.

use super::update::replace;
use crate::request::{Body, PatchType, Request, RequestVerb};
use crate::response::Response;
use crate::server::{Cx, Plan, Reply};
use crate::{admission, decode, patch};
use api::{KindRef, Object, ObjectExt};
use meta::{ApiError, FieldError, Path};
use serde_json::{Value, json};

pub(crate) fn scale(cx: &mut Cx<'_>, mut req: Request) -> Result<Plan, ApiError> {
    let kind = req.kind;
    let Some(functions) = kind.scale else { return Err(super::no_such_resource()) };
    let old = cx.object(kind, &req.namespace, &req.name).cloned();
    let old = old.ok_or_else(|| ApiError::not_found(kind.group, kind.plural, &req.name))?;
    // Its paths are those of the version that is asked for.
    let shown = decode::in_form(cx.seen.form, old.value.0.clone());
    let current = scale_of(&*shown);
    let mut wanted = match req.verb {
        RequestVerb::Get => return Ok(Plan::read(Response::Json(to_json(&*shown)))),
        RequestVerb::Update => decode::value(&mut req)?,
        RequestVerb::Patch(PatchType::Apply) => return apply(cx, req),
        RequestVerb::Patch(how) => {
            let body = decode::patch_body(&mut req, how, &mut cx.warnings)?;
            patch::apply(how, current.clone(), &body, "Scale")?
        }
        _ => return Err(ApiError::method_not_supported(kind.group, kind.plural, req.verb.as_str())),
    };
    check(&wanted, &req)?;
    if admission::anybody_asks(cx) {
        for (field, value) in [("apiVersion", "autoscaling/v1"), ("kind", "Scale")] {
            wanted[field] = value.into();
        }
        admission::admit_body(cx, &req, "UPDATE", &mut wanted, Some(&current))?;
    }
    let replicas = replicas(&wanted)?.unwrap_or(0);
    let path = Path::new("spec").child("replicas");
    if replicas < 0 {
        let e = FieldError::invalid(&path, replicas, "must be greater than or equal to 0");
        return Err(ApiError::invalid("autoscaling", "Scale", &req.name, &[e]));
    }
    let mut new = shown.clone_object();
    (functions.set_replicas)(&mut *new, replicas);
    let version = wanted.pointer("/metadata/resourceVersion").and_then(Value::as_str).filter(|v| !v.is_empty());
    if matches!(req.verb, RequestVerb::Update) {
        // A Scale without a version is of the object as it is, also where the object itself may not go without.
        if version.is_some() || kind.custom.is_none() {
            new.meta_mut().resource_version = version.map(Into::into);
        }
        if let Some(uid) = wanted.pointer("/metadata/uid").and_then(Value::as_str).filter(|u| !u.is_empty()) {
            new.meta_mut().uid = Some(uid.into());
        }
    } else if let Some(v) = version {
        new.meta_mut().resource_version = Some(v.into());
    }
    Ok(answer(replace(cx, &req, new, &old)?, cx.seen.form))
}

/// With the Scale of the object that was written.
fn answer(plan: Plan, form: Option<KindRef>) -> Plan {
    let reply = match plan.reply {
        Reply::Written => Reply::Derived(to_json),
        Reply::Stored(o) => Reply::Fixed(Response::Json(to_json(&*decode::in_form(form, o.0)))),
        other => other,
    };
    Plan { reply, ..plan }
}

/// An apply owns the object's number of replicas, under the subresource's name.
fn apply(cx: &mut Cx<'_>, mut req: Request) -> Result<Plan, ApiError> {
    let config = decode::patch_body(&mut req, PatchType::Apply, &mut cx.warnings)?;
    check(&config, &req)?;
    let mut wanted = json!({
        "apiVersion": req.kind.api_version(),
        "kind": req.kind.kind,
        "metadata": { "name": req.name, "namespace": req.namespace },
        "spec": {},
    });
    if let Some(n) = replicas(&config)? {
        wanted["spec"]["replicas"] = n.into();
    }
    req.body = Body::Json(wanted);
    Ok(answer(super::apply::apply(cx, req)?, cx.seen.form))
}

fn replicas(scale: &Value) -> Result<Option<i32>, ApiError> {
    let Some(n) = scale.pointer("/spec/replicas") else { return Ok(None) };
    let n = n.as_i64().and_then(|n| i32::try_from(n).ok());
    n.map(Some).ok_or_else(|| ApiError::bad_request("spec.replicas must be an integer"))
}

fn check(wanted: &Value, req: &Request) -> Result<(), ApiError> {
    let text = |pointer: &str| wanted.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    // Who does not say what it is means a Scale; an apply says it.
    let may_omit = req.verb == RequestVerb::Update;
    let is = |at: &str, wanted: &str| text(at) == wanted || (may_omit && text(at).is_empty());
    if !is("/apiVersion", "autoscaling/v1") || !is("/kind", "Scale") {
        return Err(ApiError::bad_request(format!(
            "the API version in the data ({}) does not match the expected API version (autoscaling/v1)",
            text("/apiVersion")
        )));
    }
    let name = text("/metadata/name");
    if !name.is_empty() && name != req.name {
        return Err(ApiError::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            req.name
        )));
    }
    Ok(())
}

fn to_json(o: &dyn Object) -> Vec<u8> {
    serde_json::to_vec(&scale_of(o)).unwrap_or_default()
}

fn scale_of(o: &dyn Object) -> Value {
    let Some(f) = o.kind().scale else { return Value::Null };
    let m = o.meta();
    let mut status = json!({ "replicas": (f.status_replicas)(o) });
    let selector = (f.selector)(o);
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    let mut metadata = json!({
        "name": o.name(),
        "namespace": o.namespace(),
        "uid": m.uid,
        "resourceVersion": m.resource_version,
    });
    if let Some(t) = &m.creation_timestamp {
        metadata["creationTimestamp"] = serde_json::to_value(t).unwrap_or_default();
    }
    json!({
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": metadata,
        "spec": { "replicas": (f.replicas)(o) },
        "status": status,
    })
}
