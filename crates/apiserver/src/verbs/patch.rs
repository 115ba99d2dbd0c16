//! PATCH. Models `apiserver/pkg/endpoints/handlers/patch.go`.

use super::update::{match_name, replace};
use crate::request::{Body, PatchType, Request};
use crate::server::{Cx, Plan};
use crate::{decode, objectmeta, patch};
use api::Object;
use meta::ApiError;

pub(crate) fn patch(cx: &mut Cx<'_>, mut req: Request, how: PatchType) -> Result<Plan, ApiError> {
    let kind = req.kind;
    if let (Body::Object(_), PatchType::Merge, "status") = (&req.body, how, req.subresource) {
        let object = decode::object(cx, &mut req)?;
        return patch_status(cx, &req, object);
    }
    if how == PatchType::Apply {
        return super::apply::apply(cx, req);
    }
    let body = decode::patch_body(&mut req, how, &mut cx.warnings)?;
    let old = cx.object(kind, &req.namespace, &req.name).cloned();
    let old = old.ok_or_else(|| ApiError::not_found(kind.group, kind.plural, &req.name))?;
    // Who owns what is worked out only for a patch that is about it.
    let before = if patch::names_managed_fields(&body) { old.value.full() } else { old.value.0.clone() };
    let patched = patch::apply(how, decode::in_form(req.options.form, before).to_value(), &body, kind.kind)?;
    // A strategic merge patch is quoted as it came, as Go prints a map; the others as what they made of the object.
    let quoted = (how == PatchType::Strategic).then(|| meta::strategic::go_text(&body));
    let mut object = decode::patched(cx, &req, patched, quoted)?;
    objectmeta::match_namespace(&mut *object, &req.namespace, kind)?;
    match_name(&*object, &req.name)?;
    replace(cx, &req, object, &old)
}

/// The status in a typed body, as components inside the process send it: no JSON tree is made.
fn patch_status(cx: &mut Cx<'_>, req: &Request, mut object: Box<dyn Object>) -> Result<Plan, ApiError> {
    let kind = req.kind;
    let old = cx.object(kind, &req.namespace, &req.name).cloned();
    let old = old.ok_or_else(|| ApiError::not_found(kind.group, kind.plural, &req.name))?;
    let before = &*old.value.0;
    let uid = object.meta_mut().uid.take().filter(|u| !u.is_empty());
    *object.meta_mut() = before.meta().clone();
    if uid.is_some() {
        object.meta_mut().uid = uid;
    }
    if !(kind.merge_status)(&mut *object, before) {
        return Err(ApiError::internal(format!("{} has no typed status patch", kind.kind)));
    }
    replace(cx, req, object, &old)
}
