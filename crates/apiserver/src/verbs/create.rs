//! POST. Models `apiserver/pkg/registry/rest.BeforeCreate` and `registry.Store.Create`.

use crate::decode;
use crate::fields::ledger::Ledger;
use crate::fields::managed::Managed;
use crate::request::Request;
use crate::server::{Cx, Plan, Reply};
use crate::stored::Stored;
use crate::{admission, authz, devices, keys, objectmeta, owners, service};
use api::kinds::certificatesigningrequest;
use api::kinds::pod::apparmor;
use api::validate::meta::{validate_meta, validate_own_finalizers};
use api::{KindRef, Object, ObjectExt, Registered};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use meta::{ApiError, Path, names};
use store::{Compare, Op, Txn};

/// Models `maxNameGenerationCreateAttempts`.
const NAME_ATTEMPTS: usize = 8;

pub(crate) fn create(cx: &mut Cx<'_>, mut req: Request) -> Result<Plan, ApiError> {
    let mut object = decode::object(cx, &mut req)?;
    let twice = objectmeta::dedup_owners(&mut *object);
    objectmeta::warn_of_owners(&twice, "", &mut cx.warnings);
    create_object(cx, &req, object, None)
}

/// The rest of a create, shared with updates of kinds that a PUT may create, and with applies, which say themselves
/// who owns what.
pub(crate) fn create_object(
    cx: &mut Cx<'_>,
    req: &Request,
    mut object: Box<dyn Object>,
    applied: Option<Managed>,
) -> Result<Plan, ApiError> {
    let kind = req.kind;
    if kind.namespaced() && req.namespace.is_empty() && object.namespace().is_empty() {
        return Err(ApiError::bad_request("an empty namespace may not be set during creation"));
    }
    refuse_while_terminating(cx, kind)?;
    objectmeta::match_namespace(&mut *object, &req.namespace, kind)?;
    // Models storage.ErrResourceVersionSetOnCreate, which has no reason and so becomes a bare 500.
    if object.meta().resource_version.as_deref().is_some_and(|v| !v.is_empty() && v != "0") {
        return Err(ApiError::new(500, "", "resourceVersion should not be set on objects to be created"));
    }
    (kind.default)(&mut *object);
    let given = object.meta_mut().managed_fields.take();
    let ledger = match applied {
        Some(managed) => Ledger::of(managed),
        None => owners::created(cx, req, &*object, given),
    };
    authz::escalation::check(cx, req, &*object, None)?;
    admission::mutate_create(cx, req, &mut object)?;
    objectmeta::fill_system_fields(&mut *object, cx.now, cx.rng);
    let key = choose_name(cx, kind, &mut *object);
    if let Some(pod) = object.as_any_mut().downcast_mut() {
        cx.warnings.extend(apparmor::sync(pod));
    }
    (kind.prepare_create)(&mut *object);
    if let Some(csr) = object.as_any_mut().downcast_mut() {
        certificatesigningrequest::identify(csr, &req.user);
    }
    if kind.has_generation {
        object.meta_mut().generation = Some(1);
    }
    if kind.kind == "Service" && kind.group.is_empty() {
        service::allocate(cx, &mut *object)?;
    }
    let mut errors = validate_meta(object.meta(), kind.scope, kind.name_rule, &Path::new("metadata"));
    errors.extend(validate_own_finalizers(kind, object.meta(), &Path::new("metadata")));
    errors.extend(devices::check_admin_access(cx, object.namespace(), &*object));
    errors.extend((kind.validate_create)(&*object));
    if !errors.is_empty() {
        return Err(ApiError::invalid(kind.group, kind.kind, object.name(), &errors));
    }
    let mut txns = admission::validate_create(cx, req, &*object)?;
    cx.warnings.extend((kind.warnings)(&*object));
    if let Some(old) = cx.store.get_ref(&key) {
        let mut e = ApiError::already_exists(kind.group, kind.plural, object.name());
        if object.meta().generate_name.as_deref().is_some_and(|g| !g.is_empty()) {
            // Models errors.NewGenerateNameConflict, said whether or not the name was generated.
            e.0.message =
                e.0.message.map(|m| format!("{m}, the server was not able to generate a unique name for the object"));
            e.0.details.get_or_insert_default().retry_after_seconds = Some(1);
        }
        if old.value.0.is_terminating() {
            e.0.message = e.0.message.map(|m| format!("object is being deleted: {m}"));
        }
        return Err(e);
    }
    let put = Op::Put { key: key.clone(), value: Stored::new(object, ledger), lease: None };
    txns.push(Txn { compares: vec![Compare::ModRevision(key, 0)], ops: vec![put] });
    Ok(Plan { code: 201, txns, reply: Reply::Written })
}

/// A definition that is being deleted takes no more objects.
fn refuse_while_terminating(cx: &Cx<'_>, kind: KindRef) -> Result<(), ApiError> {
    let definition = kind.custom.and_then(|c| cx.object(CustomResourceDefinition::KIND_REF, "", &c.name));
    if definition.is_none_or(|d| !d.value.0.is_terminating()) {
        return Ok(());
    }
    let mut e = ApiError::method_not_supported(kind.group, kind.plural, "create");
    e.0.message = Some("create not allowed while custom resource definition is terminating".into());
    Err(e)
}

/// `generateName` becomes a name; when the name is taken another one is tried.
fn choose_name(cx: &mut Cx<'_>, kind: KindRef, object: &mut dyn Object) -> store::types::Key {
    let base = object.meta().generate_name.clone().filter(|g| !g.is_empty());
    let (Some(base), true) = (base, object.name().is_empty()) else {
        return keys::of_parts(kind, object.namespace(), object.name());
    };
    let mut attempt = 0;
    loop {
        let name = names::generate_name(cx.rng, &base);
        let key = keys::of_parts(kind, object.namespace(), &name);
        attempt += 1;
        if attempt >= NAME_ATTEMPTS || cx.store.get_ref(&key).is_none() {
            object.meta_mut().name = Some(name);
            return key;
        }
    }
}
