//! PATCH. Models `apiserver/pkg/endpoints/handlers/patch.go`.

use super::update::{match_name, replace};
use crate::request::{FieldValidation, PatchType, Request};
use crate::server::{Cx, Plan};
use crate::{decode, objectmeta, patch};
use api::{Object, ObjectExt};
use k8s_openapi::api::core::v1::Pod;
use meta::ApiError;
use serde_json::Value;

pub(crate) fn patch(cx: &mut Cx<'_>, mut req: Request, how: PatchType) -> Result<Plan, ApiError> {
    let kind = req.kind;
    let body = decode::patch_body(&mut req, how)?;
    let old = cx.object(kind, &req.namespace, &req.name).cloned();
    let old = old.ok_or_else(|| ApiError::not_found(kind.group, kind.plural, &req.name))?;
    if let Some(object) = short_way(&req, how, &body, &*old.value.0) {
        return replace(cx, &req, object, &old);
    }
    let patched = patch::apply(how, old.value.0.to_value(), &body, kind.kind)?;
    // A strategic merge patch is quoted as it came, as Go prints a map; the others as what they made of the object.
    let quoted = (how == PatchType::Strategic).then(|| patch::go_text(&body));
    let mut object = decode::patched(cx, &req, patched, quoted)?;
    objectmeta::match_namespace(&mut *object, &req.namespace, kind)?;
    match_name(&*object, &req.name)?;
    replace(cx, &req, object, &old)
}

/// A kubelet's report without a JSON tree in between, when there is nothing to refuse or to warn about.
fn short_way(req: &Request, how: PatchType, body: &Value, old: &dyn Object) -> Option<Box<dyn Object>> {
    let silent = req.options.field_validation == FieldValidation::Ignore;
    if how != PatchType::Merge || req.subresource != "status" || !silent {
        return None;
    }
    Some(Box::new(patch::pod_status::merge(old.downcast::<Pod>()?, body)?))
}
