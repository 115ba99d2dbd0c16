//! NamespaceLifecycle: nothing is created in a namespace that is missing or on its way out, and three
//! namespaces cannot be deleted. Models `apiserver/pkg/admission/plugin/namespace/lifecycle`.

use crate::server::Cx;
use api::{KindRef, Object, ObjectExt};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::StatusCause;
use meta::ApiError;

const IMMORTAL: &[&str] = &["default", "kube-system", "kube-public"];

pub(super) fn check_create(cx: &Cx<'_>, kind: KindRef, o: &dyn Object) -> Result<(), ApiError> {
    if !kind.namespaced() {
        return Ok(());
    }
    let namespace = o.namespace();
    let entry = cx.object(<Namespace as api::Registered>::KIND_REF, "", namespace);
    let Some(entry) = entry else { return Err(ApiError::not_found("", "namespaces", namespace)) };
    if !entry.value.0.is_terminating() {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let mut e = super::forbidden(o, &why);
    e.0.details.get_or_insert_default().causes.get_or_insert_default().push(StatusCause {
        reason: Some("NamespaceTerminating".into()),
        message: Some(format!("namespace {namespace} is being terminated")),
        field: Some("metadata.namespace".into()),
    });
    Err(e)
}

pub(super) fn check_delete(kind: KindRef, name: &str) -> Result<(), ApiError> {
    if kind.group.is_empty() && kind.kind == "Namespace" && IMMORTAL.contains(&name) {
        return Err(ApiError::forbidden("", "namespaces", name, "this namespace may not be deleted"));
    }
    Ok(())
}
