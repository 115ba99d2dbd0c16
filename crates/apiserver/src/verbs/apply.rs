//! PATCH with an apply configuration. Models `applyPatcher` of `apiserver/pkg/endpoints/handlers/patch.go`.

use super::create::create_object;
use super::update::{match_name, replace_as, uid_conflict};
use crate::fields::managed::{Kinded, Managed};
use crate::request::{PatchType, Request};
use crate::server::{Cx, Plan};
use crate::{decode, keys, objectmeta, owners};
use api::{Object, ObjectExt};
use meta::ApiError;
use serde_json::{Value, json};

pub(crate) fn apply(cx: &mut Cx<'_>, mut req: Request) -> Result<Plan, ApiError> {
    let kind = req.kind;
    let config = decode::patch_body(&mut req, PatchType::Apply, &mut cx.warnings)?;
    let (kinded, by, force) =
        (Kinded::of(req.options.form.unwrap_or(kind)), owners::by(&req), req.options.force.unwrap_or(false));
    let Some(old) = cx.object(kind, &req.namespace, &req.name).cloned() else {
        if !req.subresource.is_empty() {
            return Err(ApiError::not_found(kind.group, kind.plural, &req.name));
        }
        let nothing = json!({ "apiVersion": kinded.kind.api_version(), "kind": kind.kind });
        let mut managed = Managed::default();
        let new = kinded.apply(&mut managed, &by, &nothing, &config, force, cx.now)?;
        let object = object(cx, &req, new)?;
        if !object.uid().is_empty() {
            let key = keys::of_parts(kind, &req.namespace, &req.name);
            return Err(uid_conflict(kind, &req.name, &key, object.uid(), ""));
        }
        return create_object(cx, &req, object, Some(managed));
    };
    let mut managed = (*old.value.1.managed(&*old.value.0)).clone();
    let live = decode::in_form(req.options.form, old.value.0.clone()).to_value();
    let new = kinded.apply(&mut managed, &by, &live, &config, force, cx.now)?;
    let object = object(cx, &req, new)?;
    replace_as(cx, &req, object, &old, Some(managed))
}

fn object(cx: &mut Cx<'_>, req: &Request, new: Value) -> Result<Box<dyn Object>, ApiError> {
    let mut object = decode::patched(cx, req, new, None)?;
    objectmeta::match_namespace(&mut *object, &req.namespace, req.kind)?;
    match_name(&*object, &req.name)?;
    Ok(object)
}
