//! Admission in the order of `pkg/kubeapiserver/options/plugins.go` `AllOrderedPlugins`; one file each.

mod authorizer;
mod certificates;
mod default_ingress_class;
mod default_toleration_seconds;
mod limit_ranger;
mod namespace_lifecycle;
pub mod node_restriction;
mod pod_security;
pub(crate) mod pod_topology_labels;
pub(crate) mod policy;
mod priority;
mod resource_quota;
mod runtime_class;
mod service_account;
mod storage;
mod taint_nodes_by_condition;
pub(crate) mod webhooks;

use crate::request::Request;
use crate::server::Cx;
use crate::stored::Stored;
use api::kinds::priorityclass;
use api::{KindRef, Object, ObjectExt, Registered};
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use meta::ApiError;
use store::Txn;
use webhooks::Subject;

/// Changes and refuses what is about to be created.
pub(crate) fn mutate_create(cx: &mut Cx<'_>, req: &Request, o: &mut Box<dyn Object>) -> Result<(), ApiError> {
    with_webhooks(cx, (req, "CREATE"), o, None, &|cx, o| mutate_created(cx, req, o))
}

type Own<'a> = dyn Fn(&mut Cx<'_>, &mut dyn Object) -> Result<(), ApiError> + 'a;

/// The server's own plugins, then webhooks; and once more when these have changed something. Models `admission.reinvoker`.
fn with_webhooks(
    cx: &mut Cx<'_>,
    what: (&Request, &'static str),
    o: &mut Box<dyn Object>,
    old: Option<&dyn Object>,
    own: &Own<'_>,
) -> Result<(), ApiError> {
    own(cx, &mut **o)?;
    let mut rounds = webhooks::Rounds::default();
    if !webhooks::mutate(cx, what, Subject::Object(&mut *o), (old, None), &mut rounds)? {
        return Ok(());
    }
    let before = o.clone_object();
    own(cx, &mut **o)?;
    rounds.again(!o.equals(&*before));
    webhooks::mutate(cx, what, Subject::Object(o), (old, None), &mut rounds).map(|_| ())
}

fn mutate_created(cx: &mut Cx<'_>, req: &Request, o: &mut dyn Object) -> Result<(), ApiError> {
    namespace_lifecycle::check_create(cx, req.kind, o)?;
    if let Some(pod) = o.as_any_mut().downcast_mut::<Pod>() {
        limit_ranger::admit(cx, pod);
        service_account::admit(cx, pod)?;
        node_restriction::create(cx, req, pod)?;
        priority::admit(cx, pod)?;
        default_toleration_seconds::admit(pod);
        runtime_class::admit(cx, pod)?;
        pod_topology_labels::admit(cx, pod);
        return Ok(());
    }
    node_restriction::create(cx, req, o)?;
    if let Some(node) = o.as_any_mut().downcast_mut::<Node>() {
        taint_nodes_by_condition::admit(node);
    } else if let Some(class) = o.as_any().downcast_ref::<PriorityClass>() {
        priority::validate(cx, class, true)?;
    } else if let Some(claim) = o.as_any_mut().downcast_mut::<PersistentVolumeClaim>() {
        storage::admit_claim(cx, claim);
    } else if let Some(volume) = o.as_any_mut().downcast_mut::<PersistentVolume>() {
        storage::admit_volume(volume);
    } else if let Some(ingress) = o.as_any_mut().downcast_mut::<Ingress>() {
        default_ingress_class::admit(cx, ingress);
    }
    Ok(())
}

/// Refuses what passed all other checks: the last word before a create is committed. The answer is what is written with it.
pub(crate) fn validate_create(cx: &mut Cx<'_>, req: &Request, o: &dyn Object) -> Result<Vec<Txn<Stored>>, ApiError> {
    if o.kind() == Pod::KIND_REF || o.kind() == PersistentVolumeClaim::KIND_REF {
        limit_ranger::validate(cx, o)?;
    } else if let Some(csr) = o.downcast::<CertificateSigningRequest>() {
        certificates::check_subject(csr)?;
    }
    pod_security::validate(cx, o, None)?;
    last_word(cx, &policy::Asked { req, operation: "CREATE", new: Some(o), old: None, body: None, old_body: None })?;
    resource_quota::charge(cx, o, None)
}

/// The same for an update of the resource itself.
pub(crate) fn validate_update(
    cx: &mut Cx<'_>,
    req: &Request,
    o: &dyn Object,
    old: &dyn Object,
) -> Result<Vec<Txn<Stored>>, ApiError> {
    if o.kind() == PersistentVolumeClaim::KIND_REF && !old.is_terminating() {
        limit_ranger::validate(cx, o)?;
    }
    pod_security::validate(cx, o, Some(old))?;
    last_word(
        cx,
        &policy::Asked { req, operation: "UPDATE", new: Some(o), old: Some(old), body: None, old_body: None },
    )?;
    resource_quota::charge(cx, o, Some(old))
}

/// The same for updates of `/status` and `/approval`.
pub(crate) fn validate_subresource(
    cx: &mut Cx<'_>,
    req: &Request,
    o: &dyn Object,
    old: &dyn Object,
) -> Result<(), ApiError> {
    last_word(
        cx,
        &policy::Asked { req, operation: "UPDATE", new: Some(o), old: Some(old), body: None, old_body: None },
    )?;
    let (Some(new), Some(old)) = (o.downcast::<CertificateSigningRequest>(), old.downcast()) else { return Ok(()) };
    match req.subresource {
        "approval" => certificates::check_approval(cx, req, old),
        _ => certificates::check_signing(cx, req, new, old),
    }
}

/// The same for updates of the resource itself.
pub(crate) fn mutate_update(
    cx: &mut Cx<'_>,
    req: &Request,
    o: &mut Box<dyn Object>,
    old: &dyn Object,
) -> Result<(), ApiError> {
    with_webhooks(cx, (req, "UPDATE"), o, Some(old), &|cx, o| mutate_updated(cx, o, old))
}

fn mutate_updated(cx: &mut Cx<'_>, o: &mut dyn Object, old: &dyn Object) -> Result<(), ApiError> {
    if let Some(pod) = o.as_any_mut().downcast_mut::<Pod>()
        && let Some(old) = old.as_any().downcast_ref::<Pod>()
    {
        priority::keep(pod, old);
        default_toleration_seconds::admit(pod);
    } else if let Some(class) = o.as_any().downcast_ref::<PriorityClass>() {
        priority::validate(cx, class, false)?;
    } else if let Some(claim) = o.as_any().downcast_ref::<PersistentVolumeClaim>()
        && let Some(old) = old.as_any().downcast_ref::<PersistentVolumeClaim>()
    {
        storage::check_resize(cx, claim, old)?;
    }
    Ok(())
}

/// The last word before a delete.
pub(crate) fn validate_delete(cx: &mut Cx<'_>, req: &Request, old: &dyn Object) -> Result<(), ApiError> {
    webhooks::mutate(cx, (req, "DELETE"), Subject::Nothing, (Some(old), None), &mut webhooks::Rounds::default())?;
    last_word(cx, &policy::Asked { req, operation: "DELETE", new: None, old: Some(old), body: None, old_body: None })
}

/// Changes what is about to be written to a subresource: the server's own plugins leave those alone.
pub(crate) fn mutate_subresource(
    cx: &mut Cx<'_>,
    req: &Request,
    o: &mut Box<dyn Object>,
    old: &dyn Object,
) -> Result<(), ApiError> {
    with_webhooks(cx, (req, "UPDATE"), o, Some(old), &|_, _| Ok(()))
}

/// Whether anybody has a word about writes beside the server itself.
pub(crate) fn anybody_asks(cx: &Cx<'_>) -> bool {
    !policy::stored::<ValidatingAdmissionPolicyBinding>(cx, "").is_empty()
        || !policy::stored::<MutatingWebhookConfiguration>(cx, "").is_empty()
        || !policy::stored::<ValidatingWebhookConfiguration>(cx, "").is_empty()
}

/// Changes and judges what is not stored: an Eviction or a Binding that is posted to a pod, a Scale, or what a connection is
/// about.
pub(crate) fn admit_body(
    cx: &mut Cx<'_>,
    req: &Request,
    operation: &'static str,
    body: &mut serde_json::Value,
    old: Option<&serde_json::Value>,
) -> Result<(), ApiError> {
    let mut rounds = webhooks::Rounds::default();
    if webhooks::mutate(cx, (req, operation), Subject::Body(body), (None, old), &mut rounds)? {
        rounds.again(false);
        webhooks::mutate(cx, (req, operation), Subject::Body(body), (None, old), &mut rounds)?;
    }
    last_word(cx, &policy::Asked { req, operation, new: None, old: None, body: Some(body), old_body: old })
}

/// Policies and webhooks that refuse, or not.
fn last_word(cx: &mut Cx<'_>, asked: &policy::Asked<'_>) -> Result<(), ApiError> {
    policy::check(cx, asked)?;
    webhooks::validate(cx, asked)
}

pub(crate) fn check_delete(kind: KindRef, name: &str) -> Result<(), ApiError> {
    if kind == PriorityClass::KIND_REF && priorityclass::SYSTEM.iter().any(|(system, ..)| *system == name) {
        let why = "this is a system priority class and cannot be deleted";
        return Err(ApiError::forbidden(kind.group, kind.plural, name, why));
    }
    namespace_lifecycle::check_delete(kind, name)
}

/// The name a refusal mentions: before a name is generated, its prefix.
fn name_of(o: &dyn Object) -> &str {
    let m = o.meta();
    m.name.as_deref().filter(|n| !n.is_empty()).or(m.generate_name.as_deref()).unwrap_or("")
}

/// Models `admission.NewForbidden`.
fn forbidden(o: &dyn Object, why: &str) -> ApiError {
    ApiError::forbidden(o.kind().group, o.kind().plural, name_of(o), why)
}
