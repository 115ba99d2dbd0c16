//! PUT, and the second half of PATCH. Models `rest.BeforeUpdate` and `registry.Store.Update`.

use crate::fields::managed::Managed;
use crate::request::{Request, RequestVerb};
use crate::server::{Cx, Plan, Reply};
use crate::stored::Stored;
use crate::{admission, authz, decode, keys, objectmeta, owners, service};
use api::kinds::certificatesigningrequest as csr;
use api::kinds::pod;
use api::validate::meta::{validate_meta_update, validate_own_finalizers};
use api::{KindRef, Object, ObjectExt};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{ApiError, FieldError, Path};
use std::collections::BTreeMap;
use store::{Compare, Entry, Op, Txn};

type Map = Option<BTreeMap<String, String>>;

pub(crate) fn update(cx: &mut Cx<'_>, mut req: Request) -> Result<Plan, ApiError> {
    let kind = req.kind;
    let mut object = decode::object(cx, &mut req)?;
    let twice = objectmeta::dedup_owners(&mut *object);
    objectmeta::warn_of_owners(&twice, "", &mut cx.warnings);
    objectmeta::match_namespace(&mut *object, &req.namespace, kind)?;
    match_name(&*object, &req.name)?;
    let Some(old) = cx.object(kind, &req.namespace, &req.name).cloned() else {
        if creates_on_update(kind) && req.subresource.is_empty() {
            return create_instead(cx, &req, object);
        }
        return Err(ApiError::not_found(kind.group, kind.plural, &req.name));
    };
    replace(cx, &req, object, &old)
}

fn create_instead(cx: &mut Cx<'_>, req: &Request, object: Box<dyn Object>) -> Result<Plan, ApiError> {
    if object.meta().uid.as_deref().is_some_and(|u| !u.is_empty()) {
        let key = keys::of_parts(req.kind, &req.namespace, &req.name);
        return Err(uid_conflict(req.kind, &req.name, &key, object.uid(), ""));
    }
    super::create::create_object(cx, req, object, None)
}

/// Models `checkName`.
pub(crate) fn match_name(object: &dyn Object, name: &str) -> Result<(), ApiError> {
    match object.name() {
        "" => Err(ApiError::bad_request("name must be provided")),
        n if n == name => Ok(()),
        n => Err(ApiError::bad_request(format!(
            "the name of the object ({n}) does not match the name on the URL ({name})"
        ))),
    }
}

/// `AllowCreateOnUpdate` of the strategies.
fn creates_on_update(kind: KindRef) -> bool {
    matches!(
        (kind.group, kind.kind),
        ("coordination.k8s.io", "Lease") | ("" | "events.k8s.io", "Event") | ("", "Service")
    )
}

/// `AllowUnconditionalUpdate` of the strategies.
fn unconditional(kind: KindRef) -> bool {
    kind.custom.is_none()
        && !matches!(
            (kind.group, kind.kind),
            ("coordination.k8s.io", "Lease")
                | ("policy", "PodDisruptionBudget")
                | ("apiregistration.k8s.io", "APIService")
                | ("apiextensions.k8s.io", "CustomResourceDefinition")
        )
}

/// Writes `object` in place of `old`: the whole object, its status, or a namespace's finalizers.
pub(crate) fn replace(
    cx: &mut Cx<'_>,
    req: &Request,
    object: Box<dyn Object>,
    old: &Entry<Stored>,
) -> Result<Plan, ApiError> {
    replace_as(cx, req, object, old, None)
}

/// The same; an apply says itself who owns what now.
pub(crate) fn replace_as(
    cx: &mut Cx<'_>,
    req: &Request,
    mut object: Box<dyn Object>,
    old: &Entry<Stored>,
    applied: Option<Managed>,
) -> Result<Plan, ApiError> {
    let kind = req.kind;
    let owners = owners::Change::new(req, &mut *object, &old.value, applied);
    let before = &*old.value.0;
    let key = keys::of_parts(kind, &req.namespace, &req.name);
    // A patch has no preconditions: a wrong UID of its is an immutable field's.
    if let Some(uid) = object.meta().uid.as_deref().filter(|u| !u.is_empty())
        && req.verb == RequestVerb::Update
        && uid != before.uid()
    {
        return Err(uid_conflict(kind, &req.name, &key, uid, before.uid()));
    }
    match object.meta().resource_version.as_deref() {
        None | Some("" | "0") if !unconditional(kind) => {
            let path = Path::new("metadata").child("resourceVersion");
            let e = FieldError::invalid(&path, 0, "must be specified for an update");
            // Upstream says the resource here, not the kind.
            return Err(ApiError::invalid(kind.group, kind.plural, &req.name, &[e]));
        }
        None | Some("" | "0") => {}
        Some(v) => match v.parse::<u64>() {
            Ok(v) if v == old.mod_revision => {}
            Ok(_) => return Err(ApiError::modified(kind.group, kind.plural, &req.name)),
            Err(_) => {
                let path = Path::new("metadata").child("resourceVersion");
                let e = FieldError::invalid(&path, v, format!("strconv.ParseUint: parsing {v:?}: invalid syntax"));
                return Err(ApiError::invalid(kind.group, kind.kind, &req.name, &[e]));
            }
        },
    }
    // A patch and admission may have said them twice, too.
    let twice = objectmeta::dedup_owners(&mut *object);
    objectmeta::warn_of_owners(&twice, " after mutating admission happens", &mut cx.warnings);
    (kind.default)(&mut *object);
    objectmeta::keep_system_fields(&mut *object, before.meta());
    admission::node_restriction::update(req, &*object, before)?;
    let asked = owners::asked(kind, req.subresource, &*object);
    // Of a Scale admission has seen the Scale.
    if !matches!(req.subresource, "" | "scale") {
        admission::mutate_subresource(cx, req, &mut object, before)?;
    }
    match req.subresource {
        "status" => {
            (kind.prepare_status)(&mut *object, before);
            stamp_request(cx, &mut *object, before, |_, _| {});
        }
        "approval" => stamp_request(cx, &mut *object, before, csr::keep_all_but_conditions),
        "finalize" => only_finalizers(&mut *object, before),
        "ephemeralcontainers" => only_of_pod(&mut *object, before, pod::keep_all_but_ephemeral),
        "resize" => only_of_pod(&mut *object, before, pod::keep_all_but_resources),
        _ => {
            authz::escalation::check(cx, req, &*object, Some(before))?;
            if req.subresource.is_empty() {
                admission::mutate_update(cx, req, &mut object, before)?;
            }
            (kind.prepare_update)(&mut *object, before);
            let counted = || metadata_counts(kind, object.meta(), before.meta());
            if kind.has_generation && (counted() || !same_besides_meta(&mut *object, before)) {
                object.meta_mut().generation = Some(before.meta().generation.unwrap_or(0) + 1);
            }
            if kind.kind == "Service" && kind.group.is_empty() {
                service::allocate(cx, &mut *object)?;
            }
        }
    }
    objectmeta::normalize(object.meta_mut());
    object.meta_mut().resource_version.clone_from(&before.meta().resource_version);
    let mut errors = validate_meta_update(object.meta(), before.meta(), &Path::new("metadata"));
    errors.extend(validate_own_finalizers(kind, object.meta(), &Path::new("metadata")));
    errors.extend(match req.subresource {
        "status" => (kind.validate_status)(&*object, before),
        "finalize" => Vec::new(),
        "approval" => match (object.downcast(), before.downcast()) {
            (Some(new), Some(old)) => csr::validate_approval(new, old),
            _ => Vec::new(),
        },
        "ephemeralcontainers" => match (object.downcast::<Pod>(), before.downcast::<Pod>()) {
            (Some(new), Some(old)) => pod::validate_ephemeral(new, old),
            _ => Vec::new(),
        },
        "resize" => match (object.downcast::<Pod>(), before.downcast::<Pod>()) {
            (Some(new), Some(old)) => pod::validate_resize(new, old),
            _ => Vec::new(),
        },
        _ => (kind.validate_update)(&*object, before),
    });
    if !errors.is_empty() {
        return Err(ApiError::invalid(kind.group, kind.kind, &req.name, &errors));
    }
    let mut txns = match req.subresource {
        "" | "ephemeralcontainers" | "resize" => admission::validate_update(cx, req, &*object, before)?,
        "status" | "approval" => {
            admission::validate_subresource(cx, req, &*object, before)?;
            Vec::new()
        }
        _ => Vec::new(),
    };
    if req.subresource.is_empty() && warns_on_update(&*object, before) {
        let mut warnings = (kind.warnings)(&*object);
        if kind.kind == "CustomResourceDefinition" {
            // Formats that were there before are not worth another word.
            let said = (kind.warnings)(before);
            warnings.retain(|w| !said.contains(w));
        }
        cx.warnings.extend(warnings);
    }
    let compare = Compare::ModRevision(key.clone(), old.mod_revision);
    if deletable_now(&*object, before) {
        let plan = Plan::object(&old.value.changed(object));
        return Ok(Plan { txns: vec![Txn { compares: vec![compare], ops: vec![Op::Delete { key }] }], ..plan });
    }
    let same = object.equals(before);
    if same && !owners.matters() {
        return Ok(Plan::object(&old.value));
    }
    let ledger = owners.after(cx, req, &old.value.0, asked.filter(|_| !same), same);
    let put = Op::Put { key, value: Stored::new(object, ledger), lease: old.lease };
    txns.push(Txn { compares: vec![compare], ops: vec![put] });
    Ok(Plan { code: 200, txns, reply: Reply::Written })
}

/// Metadata whose change counts as one of the wish: a Deployment hands its annotations on to its ReplicaSets, and an
/// EndpointSlice's labels say what it is for.
fn metadata_counts(kind: KindRef, new: &ObjectMeta, old: &ObjectMeta) -> bool {
    let same = |a: &Map, b: &Map| a.iter().flatten().eq(b.iter().flatten());
    match (kind.group, kind.kind) {
        ("apps", "Deployment") => !same(&new.annotations, &old.annotations),
        ("discovery.k8s.io", "EndpointSlice") => !same(&new.labels, &old.labels),
        _ => false,
    }
}

/// Models `WarningsOnUpdate` of the strategies: people seldom update pods, templates warn when they may have changed,
/// and what was warned of before is not warned of again.
fn warns_on_update(new: &dyn Object, old: &dyn Object) -> bool {
    let kind = new.kind();
    match (kind.group, kind.kind) {
        ("", "Pod") | ("networking.k8s.io", "Ingress") => false,
        ("apps", _) => new.meta().generation != old.meta().generation,
        ("", "ServiceAccount") => (kind.warnings)(old).is_empty(),
        _ => true,
    }
}

/// Whether spec (and all else but metadata; status was kept from the old object) is as it was.
fn same_besides_meta(new: &mut dyn Object, old: &dyn Object) -> bool {
    let mine = std::mem::replace(new.meta_mut(), old.meta().clone());
    let same = new.equals(old);
    *new.meta_mut() = mine;
    same
}

/// `PUT namespaces/x/finalize` changes `spec.finalizers` and nothing else.
fn only_finalizers(object: &mut dyn Object, old: &dyn Object) {
    let (Some(new), Some(old)) = (object.as_any_mut().downcast_mut::<Namespace>(), old.downcast::<Namespace>()) else {
        return;
    };
    let finalizers = new.spec.take().and_then(|s| s.finalizers);
    let meta = new.metadata.resource_version.take();
    *new = old.clone();
    new.metadata.resource_version = meta;
    new.spec.get_or_insert_default().finalizers = finalizers.filter(|f| !f.is_empty());
}

/// `pods/x/ephemeralcontainers` and `pods/x/resize` change what they are for and nothing else.
fn only_of_pod(object: &mut dyn Object, old: &dyn Object, keep: fn(&mut Pod, &Pod)) {
    if let (Some(new), Some(old)) = (object.as_any_mut().downcast_mut::<Pod>(), old.downcast::<Pod>()) {
        keep(new, old);
        if new.spec != old.spec {
            new.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
    }
}

/// What is said of a request for a certificate bears the time at which it is said.
fn stamp_request(
    cx: &Cx<'_>,
    object: &mut dyn Object,
    old: &dyn Object,
    keep: fn(&mut CertificateSigningRequest, &CertificateSigningRequest),
) {
    if let (Some(new), Some(old)) = (object.as_any_mut().downcast_mut(), old.downcast()) {
        csr::stamp_conditions(new, old, cx.now);
        keep(new, old);
    }
}

/// An object marked for deletion goes when its last finalizer does. Models `ShouldDeleteDuringUpdate`.
fn deletable_now(new: &dyn Object, old: &dyn Object) -> bool {
    if new.meta().finalizers.as_ref().is_some_and(|f| !f.is_empty()) {
        return false;
    }
    if let Some(ns) = new.downcast::<Namespace>() {
        let kept = ns.spec.as_ref().and_then(|s| s.finalizers.as_ref()).is_some_and(|f| !f.is_empty());
        return old.is_terminating() && !kept;
    }
    old.is_terminating() && old.meta().deletion_grace_period_seconds.unwrap_or(0) == 0
}

/// Models `storage.NewInvalidObjError` as `InterpretUpdateError` wraps it.
pub(crate) fn uid_conflict(kind: KindRef, name: &str, key: &str, wanted: &str, found: &str) -> ApiError {
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: \
         Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
    );
    ApiError::conflict(kind.group, kind.plural, name, &why)
}
