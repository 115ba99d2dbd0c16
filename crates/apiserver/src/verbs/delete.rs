//! DELETE. Models `rest.BeforeDelete`, `registry.Store.Delete` and, for namespaces,
//! `pkg/registry/core/namespace/storage.REST.Delete`.

use crate::http::query::check_dry_run;
use crate::request::{Body, Request};
use crate::response::{Response, success};
use crate::server::{Cx, Plan, Reply};
use crate::stored::Stored;
use crate::{admission, decode, keys};
use api::kinds::customresourcedefinition;
use api::{KindRef, Object, ObjectExt};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{DeleteOptions, StatusDetails};
use meta::{ApiError, Duration, FieldError, Path, Time};
use store::{Compare, Entry, Op, Txn};

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

pub(crate) fn delete(cx: &mut Cx<'_>, mut req: Request) -> Result<Plan, ApiError> {
    let options = options(cx, &mut req)?;
    let key = keys::of_parts(req.kind, &req.namespace, &req.name);
    admission::check_delete(req.kind, &req.name)?;
    let store = cx.store;
    let entry = store.get_ref(&key).ok_or_else(|| ApiError::not_found(req.kind.group, req.kind.plural, &req.name))?;
    admission::node_restriction::delete(&req, &*entry.value.0)?;
    admission::validate_delete(cx, &req, &*entry.value.0)?;
    let compare = Compare::ModRevision(key.clone(), entry.mod_revision);
    let mut plan = delete_one(cx.now, key, entry, &options, compare)?;
    let gone = plan.txns.iter().flat_map(|t| &t.ops).any(|op| matches!(op, Op::Delete { .. }));
    if !gone && options.orphan_dependents == Some(false) {
        plan.code = 202;
    }
    Ok(plan)
}

/// Every match is deleted on its own, as by a DELETE each; the answer lists them.
pub(crate) fn delete_collection(cx: &mut Cx<'_>, mut req: Request) -> Result<Plan, ApiError> {
    let options = options(cx, &mut req)?;
    let found = super::list::collect(cx, &req)?;
    let mut txns = Vec::new();
    for (key, entry) in &found.entries {
        admission::check_delete(req.kind, entry.value.0.name())?;
        admission::node_restriction::delete(&req, &*entry.value.0)?;
        admission::validate_delete(cx, &req, &*entry.value.0)?;
        let compare = Compare::ModRevision(key.clone(), entry.mod_revision);
        txns.extend(delete_one(cx.now, key.clone(), entry, &options, compare)?.txns);
    }
    Ok(Plan { txns, ..Plan::read(found.into_response(req.kind, cx.seen)) })
}

/// Models `pkg/registry/batch/job/storage`.
const JOB_WARNING: &str = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to \
                           remove them or set propagationPolicy=Orphan to suppress this warning";

fn options(cx: &mut Cx<'_>, req: &mut Request) -> Result<DeleteOptions, ApiError> {
    let options = decode::delete_options(req)?;
    let says_how = options.propagation_policy.is_some() || options.orphan_dependents.is_some();
    if req.kind.group == "batch" && req.kind.plural == "jobs" && !says_how {
        cx.warnings.push(JOB_WARNING.into());
    }
    cx.dry_run |= options.dry_run.as_ref().is_some_and(|d| !d.is_empty());
    let mut errors = Vec::new();
    if options.propagation_policy.is_some() && options.orphan_dependents.is_some() {
        let why = "orphanDependents and deletionPropagation cannot be both set";
        let mut e = FieldError::invalid(&Path::new("propagationPolicy"), "", why);
        e.value = format!("{:?}", options.propagation_policy.as_deref().unwrap_or(""));
        errors.push(e);
    }
    let policy = options.propagation_policy.as_deref();
    if let Some(p) = policy.filter(|p| !matches!(*p, "Orphan" | "Background" | "Foreground")) {
        let e = FieldError::not_supported(
            &Path::new("propagationPolicy"),
            p,
            &["Foreground", "Background", "Orphan", "nil"],
        );
        errors.push(e);
    }
    let dry_run: Vec<&str> = options.dry_run.iter().flatten().map(String::as_str).collect();
    errors.extend(check_dry_run(&dry_run));
    if !errors.is_empty() {
        return Err(ApiError::invalid("meta.k8s.io", "DeleteOptions", "", &errors));
    }
    // Admission looks at them.
    req.body = Body::DeleteOptions(Box::new(options.clone()));
    Ok(options)
}

/// A definition goes when its objects have gone. Models `customresourcedefinition.REST.Delete`.
fn terminating_definition(d: &CustomResourceDefinition, now: Time) -> Box<dyn Object> {
    let mut d = d.clone();
    d.metadata.deletion_timestamp = Some(now.to_k8s());
    d.metadata.deletion_grace_period_seconds = Some(0);
    let finalizers = d.metadata.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|f| f == customresourcedefinition::CLEANUP) {
        finalizers.push(customresourcedefinition::CLEANUP.into());
    }
    let message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    customresourcedefinition::set_condition(&mut d, "Terminating", "True", "InstanceDeletionPending", message, now);
    Box::new(d)
}

/// What a delete does to the object before (or instead of) its removal.
enum Grace {
    /// The kind knows no grace, or it has passed: remove, or wait for finalizers.
    Over,
    /// Being deleted already, and not to be hastened.
    Pending,
    /// Marked for deletion after so many seconds; 0 removes it as soon as it is marked.
    Mark { seconds: i64, at: Time },
}

pub(crate) fn delete_one(
    now: Time,
    key: store::types::Key,
    entry: &Entry<Stored>,
    options: &DeleteOptions,
    compare: Compare,
) -> Result<Plan, ApiError> {
    let old = &entry.value.0;
    let kind = old.kind();
    if let Some(ns) = old.downcast::<Namespace>() {
        check_namespace_preconditions(ns, options)?;
        let waits = ns.spec.as_ref().and_then(|s| s.finalizers.as_ref()).is_some_and(|f| !f.is_empty());
        if !old.is_terminating() {
            let put = Op::Put { key, value: entry.value.changed(terminating(ns, options, now)), lease: entry.lease };
            return Ok(Plan::write(200, Txn { compares: vec![compare], ops: vec![put] }));
        }
        if waits {
            return Ok(Plan::object(&entry.value));
        }
    }
    check_preconditions(&**old, options)?;
    if let Some(d) = old.downcast::<CustomResourceDefinition>().filter(|_| !old.is_terminating()) {
        let put = Op::Put { key, value: entry.value.changed(terminating_definition(d, now)), lease: entry.lease };
        return Ok(Plan::write(200, Txn { compares: vec![compare], ops: vec![put] }));
    }
    let grace = grace(&**old, options, now);
    if matches!(grace, Grace::Pending) {
        return Ok(Plan::object(&entry.value));
    }
    let finalizers = finalizers_for(&**old, options);
    let was = old.meta().finalizers.as_deref().unwrap_or_default();
    let pending = !finalizers.is_empty();
    if matches!(grace, Grace::Over) && !pending {
        // Also when the options took the last finalizer away.
        let reply = gone(&entry.value);
        return Ok(Plan {
            txns: vec![Txn { compares: vec![compare], ops: vec![Op::Delete { key }] }],
            code: 200,
            reply,
        });
    }
    let mut new = old.clone_object();
    if was != finalizers.as_slice() {
        new.meta_mut().finalizers = Some(finalizers).filter(|f| !f.is_empty());
    }
    let seconds = match grace {
        Grace::Mark { seconds, at } => {
            mark(&mut *new, seconds, at);
            seconds
        }
        _ => {
            // Models `markAsDeleting`: only finalizers keep it.
            let at = old.meta().deletion_timestamp.as_ref().map_or(now, |t| Time::from_k8s(t).min(now));
            mark(&mut *new, 0, at);
            0
        }
    };
    if new.equals(&**old) {
        return Ok(Plan::object(&entry.value));
    }
    let put = Op::Put { key: key.clone(), value: entry.value.changed(new), lease: entry.lease };
    let mut plan = Plan::write(200, Txn { compares: vec![compare], ops: vec![put] });
    if seconds == 0 && !pending {
        plan.txns.push(Txn { compares: vec![Compare::Exists(key.clone())], ops: vec![Op::Delete { key }] });
        if !returns_deleted(kind) {
            plan.reply = gone(&entry.value);
        }
    }
    Ok(plan)
}

fn terminating(ns: &Namespace, options: &DeleteOptions, now: Time) -> Box<dyn Object> {
    let mut ns = ns.clone();
    let finalizers = namespace_finalizers(ns.metadata.finalizers.take().unwrap_or_default(), options);
    ns.metadata.finalizers = Some(finalizers).filter(|f| !f.is_empty());
    ns.metadata.deletion_timestamp = Some(now.to_k8s());
    ns.status.get_or_insert_default().phase = Some("Terminating".into());
    Box::new(ns)
}

/// Models `shouldHaveOrphanFinalizer` and `shouldHaveDeleteDependentsFinalizer`.
fn namespace_finalizers(mut list: Vec<String>, options: &DeleteOptions) -> Vec<String> {
    let policy = options.propagation_policy.as_deref();
    for (name, by_orphan, by_policy) in [(ORPHAN, true, "Orphan"), (FOREGROUND, false, "Foreground")] {
        let has = list.iter().any(|f| f == name);
        let should = match (options.orphan_dependents, policy) {
            (Some(orphan), _) => orphan == by_orphan,
            (None, Some(policy)) => policy == by_policy,
            (None, None) => has,
        };
        if has && !should {
            list.retain(|f| f != name);
        } else if should && !has {
            list.push(name.into());
        }
    }
    list
}

fn check_namespace_preconditions(ns: &Namespace, options: &DeleteOptions) -> Result<(), ApiError> {
    let Some(p) = &options.preconditions else { return Ok(()) };
    let name = ns.metadata.name.as_deref().unwrap_or("");
    for (what, wanted, found) in
        [("UID", &p.uid, &ns.metadata.uid), ("ResourceVersion", &p.resource_version, &ns.metadata.resource_version)]
    {
        if let Some(wanted) = wanted.as_ref().filter(|w| Some(*w) != found.as_ref()) {
            let found = found.as_deref().unwrap_or("");
            let why = format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}");
            return Err(ApiError::conflict("", "namespaces", name, &why));
        }
    }
    Ok(())
}

/// The first mark counts as a change of the wish, so the generation moves.
fn mark(o: &mut dyn Object, seconds: i64, at: Time) {
    let meta = o.meta_mut();
    if meta.deletion_timestamp.is_none()
        && let Some(g) = meta.generation.filter(|g| *g > 0)
    {
        meta.generation = Some(g + 1);
    }
    meta.deletion_timestamp = Some(at.to_k8s());
    meta.deletion_grace_period_seconds = Some(seconds);
}

fn check_preconditions(old: &dyn Object, options: &DeleteOptions) -> Result<(), ApiError> {
    let Some(p) = &options.preconditions else { return Ok(()) };
    let kind = old.kind();
    // Upstream says the kind here, not the resource.
    let conflict = |why: String| Err(ApiError::conflict(kind.group, kind.kind, old.name(), &why));
    if let Some(uid) = p.uid.as_deref()
        && uid != old.uid()
    {
        return conflict(format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            old.uid()
        ));
    }
    let version = old.meta().resource_version.as_deref().unwrap_or("");
    if let Some(rv) = p.resource_version.as_deref()
        && rv != version
    {
        return conflict(format!(
            "the ResourceVersion in the precondition ({rv}) does not match the ResourceVersion in record ({version}). The object might have been modified"
        ));
    }
    Ok(())
}

/// Models `rest.BeforeDelete` with the pod strategy's `CheckGracefulDelete`.
fn grace(old: &dyn Object, options: &DeleteOptions, now: Time) -> Grace {
    let pod = old.downcast::<Pod>();
    let default = (old.kind().default_grace_seconds)(old);
    if default.is_none() && pod.is_none() {
        return Grace::Over;
    }
    let meta = old.meta();
    if let Some(since) = &meta.deletion_timestamp {
        let granted = match meta.deletion_grace_period_seconds {
            None | Some(0) => return Grace::Over,
            Some(s) => s,
        };
        // Only a shorter period is taken.
        return match options.grace_period_seconds.map(|s| if s < 0 { 1 } else { s }) {
            Some(s) if s < granted => {
                let at = Time::from_k8s(since) - seconds(granted) + seconds(s);
                // What would have ended before now ends now.
                if at < now { Grace::Mark { seconds: s.min(1), at: now } } else { Grace::Mark { seconds: s, at } }
            }
            _ => Grace::Pending,
        };
    }
    let spec = pod.and_then(|p| p.spec.as_ref());
    let own = default.or_else(|| spec.and_then(|s| s.termination_grace_period_seconds)).unwrap_or(0);
    let mut period = options.grace_period_seconds.unwrap_or(own);
    if let Some(pod) = pod {
        let bound = spec.and_then(|s| s.node_name.as_deref()).is_some_and(|n| !n.is_empty());
        let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref());
        if !bound || matches!(phase, Some("Failed" | "Succeeded")) {
            period = 0;
        }
    }
    // Negative values are taken as one second.
    let period = if period < 0 { 1 } else { period };
    Grace::Mark { seconds: period, at: now + seconds(period) }
}

fn seconds(s: i64) -> Duration {
    Duration::from_micros(u64::try_from(s).unwrap_or(0).saturating_mul(1_000_000))
}

/// Models `deletionFinalizersForGarbageCollection`.
fn finalizers_for(old: &dyn Object, options: &DeleteOptions) -> Vec<String> {
    let was = old.meta().finalizers.as_deref().unwrap_or_default();
    let has = |f: &str| was.iter().any(|w| w == f);
    let collected = !matches!((old.kind().group, old.kind().kind), ("" | "events.k8s.io", "Event"));
    let (orphan, foreground) = match (options.orphan_dependents, options.propagation_policy.as_deref()) {
        _ if !collected => (false, false),
        (Some(orphan), _) => (orphan, false),
        (None, Some("Orphan")) => (true, false),
        (None, Some("Foreground")) => (false, true),
        (None, Some(_)) => (false, false),
        (None, None) if has(ORPHAN) || has(FOREGROUND) => (has(ORPHAN), !has(ORPHAN)),
        (None, None) => (old.kind().orphans_by_default, false),
    };
    if (orphan, foreground) == (has(ORPHAN), has(FOREGROUND)) {
        return was.to_vec();
    }
    let mut new: Vec<String> = was.iter().filter(|f| !matches!(f.as_str(), ORPHAN | FOREGROUND)).cloned().collect();
    if orphan {
        new.push(ORPHAN.into());
    }
    if foreground {
        new.push(FOREGROUND.into());
    }
    new
}

/// `ReturnDeletedObject` of the registries.
fn returns_deleted(kind: KindRef) -> bool {
    kind.group.is_empty() && matches!(kind.kind, "Namespace" | "Pod" | "Service" | "ServiceAccount")
}

fn gone(stored: &Stored) -> Reply {
    let old = &stored.0;
    let kind = old.kind();
    if returns_deleted(kind) {
        return Reply::Stored(stored.clone());
    }
    let mut status = success();
    status.details = Some(StatusDetails {
        name: old.meta().name.clone(),
        group: (!kind.group.is_empty()).then(|| kind.group.into()),
        kind: Some(kind.plural.into()),
        uid: old.meta().uid.clone(),
        ..StatusDetails::default()
    });
    Reply::Fixed(Response::Status(Box::new(status)))
}
