//! `metadata.managedFields`: from entries to managers and back, and the rules around a write or an apply. Models
//! `managedfields/internal` (one function for each of its managers).

use super::managers::{Apply, Conflicts, Id, Managers, Owned, Reset};
use super::path::{self, Element, Set};
use super::schema::{self, built_in};
use super::walk::Typed;
use api::KindRef;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    FieldsV1, ManagedFieldsEntry, ObjectMeta, Status, StatusCause, StatusDetails,
};
use meta::{ApiError, Time};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Managers, and when each last changed something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managed {
    pub fields: Managers,
    pub times: BTreeMap<Id, Time>,
}

/// Who makes a request, as `managedFields` name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// From `fieldManager`, or the user agent's first part.
    pub manager: Arc<str>,
    pub subresource: &'static str,
    /// The kind as the request names it, where that is another form of the one that is stored: fields are owned by its names.
    pub form: Option<KindRef>,
}

/// An object's kind with what its paths need.
#[derive(Clone, Copy, Debug)]
pub struct Kinded {
    pub kind: KindRef,
    pub typed: Typed<'static>,
}

/// Models `DefaultMaxUpdateManagers`.
const UPDATE_MANAGERS_MAX: usize = 10;
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Nobody owns these. Models `stripMetaManager`.
const STRIPPED: &[&[&str]] = &[
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "creationTimestamp"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
    &["metadata", "clusterName"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
];

/// Models the strategies' `GetResetFields`.
fn reset(kind: KindRef, subresource: &str) -> Reset {
    let has_status = kind.subresource("status").is_some();
    match (subresource, kind.kind) {
        ("status", "Deployment") => &[&["spec"], &["metadata", "labels"]],
        ("status", "Pod") => &[&["spec"], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]],
        ("status", _) => &[&["spec"]],
        _ if has_status => &[&["status"]],
        _ => &[],
    }
}

impl Kinded {
    pub fn of(kind: KindRef) -> Self {
        if let Some(custom) = kind.custom {
            let typed = schema::of_custom(custom);
            return Kinded { kind, typed };
        }
        let schema = built_in();
        let of = schema.get(&schema::type_name(kind.group, kind.version, kind.kind));
        Kinded { kind, typed: Typed { schema, of } }
    }

    /// An object of the kind in which nothing is set.
    pub fn zero(&self) -> Value {
        self.typed.schema.zero(self.typed.of)
    }

    fn id(&self, by: &By, applies: bool) -> Id {
        let name = if by.manager.is_empty() { "unknown".into() } else { by.manager.clone() };
        let version = if applies { "".into() } else { self.version() };
        Id { name, applies, version, subresource: by.subresource.into() }
    }

    fn version(&self) -> Arc<str> {
        self.kind.api_version().into()
    }

    /// After a write that is no apply.
    pub fn update(&self, managed: &mut Managed, by: &By, old: &Value, new: &Value, now: Time) {
        // Who works under a name of his own for now: only what this very write changed counts for the time.
        let own = self.id(by, false);
        let current = Id { name: "current-operation".into(), ..own.clone() };
        let (old, new) = (without_managed(old), without_managed(new));
        let reset = reset(self.kind, by.subresource);
        self.typed.update(&old, &new, &mut managed.fields, &current, &self.version(), reset);
        strip(&mut managed.fields);
        if let Some(changed) = managed.fields.remove(&current) {
            let before = managed.fields.remove(&own).map(|o| o.set).unwrap_or_default();
            let set = before.union(&changed.set);
            managed.fields.insert(own.clone(), Owned { set, ..changed });
            managed.times.insert(own, second(now));
        }
        cap(managed);
        managed.forget();
    }

    /// An apply: the object that comes of it. `live` is without `managedFields`.
    ///
    /// # Errors
    /// What stands in the way of it, conflicts among others.
    pub fn apply(
        &self,
        managed: &mut Managed,
        by: &By,
        live: &Value,
        config: &Value,
        force: bool,
        now: Time,
    ) -> Result<Value, ApiError> {
        self.check(config)?;
        if managed.fields.is_empty() {
            let before = By { manager: "before-first-apply".into(), ..by.clone() };
            self.update(managed, &before, &self.zero(), live, now);
        }
        let id = self.id(by, true);
        let reset = reset(self.kind, by.subresource);
        let version = self.version();
        let request = |force| Apply { id: &id, version: &version, config, force, reset };
        let mut fields = managed.fields.clone();
        let mut result = self.typed.apply(&request(force), live, &mut fields);
        if let (Err(conflicts), "kubectl") = (&result, &*by.manager)
            && let Some(allowed) = self.last_applied(live)
        {
            let left: Conflicts = conflicts.iter().filter(|(_, p)| !allowed.has(p)).cloned().collect();
            if left.is_empty() {
                fields = managed.fields.clone();
                result = self.typed.apply(&request(true), live, &mut fields);
            } else {
                result = Err(left);
            }
        }
        let new = result.map_err(|c| conflict_error(&c))?;
        strip(&mut fields);
        managed.fields = fields;
        if new.is_some() || !managed.times.contains_key(&id) {
            managed.times.insert(id, second(now));
        }
        managed.forget();
        let mut new = new.unwrap_or_else(|| live.clone());
        if &*by.manager == "kubectl" {
            update_last_applied(&mut new, config);
        }
        Ok(new)
    }

    fn check(&self, config: &Value) -> Result<(), ApiError> {
        let text = |p: &str| config.pointer(p).and_then(Value::as_str).unwrap_or("");
        let (version, kind) = (text("/apiVersion"), text("/kind"));
        if version != self.kind.api_version() || kind != self.kind.kind {
            let gvk = if version.is_empty() { format!("/, Kind={kind}") } else { go_gvk(version, kind) };
            return Err(ApiError::bad_request(format!("invalid object type: {gvk}")));
        }
        if config.pointer("/metadata/managedFields").is_some_and(|m| !m.is_null()) {
            return Err(ApiError::bad_request("metadata.managedFields must be nil"));
        }
        self.typed.check_config(config).map_err(|e| {
            let unknown = |t: &str| if t.is_empty() { String::new() } else { t.to_string() };
            let (namespace, name) = (unknown(text("/metadata/namespace")), unknown(text("/metadata/name")));
            // No Status of upstream's, so it becomes a bare 500.
            let object = format!("{namespace}/{name}; {}", go_gvk(version, kind));
            ApiError::new(500, "", format!("failed to create typed patch object ({object}): {e}"))
        })
    }

    /// What client-side apply wrote last and still is so: `kubectl apply --server-side` may take it over. Models
    /// `allowedConflictsFromLastApplied`.
    fn last_applied(&self, live: &Value) -> Option<Set> {
        let text = live.get("metadata")?.get("annotations")?.get(LAST_APPLIED)?.as_str()?;
        let last: Value = serde_json::from_str(text).ok()?;
        if last.get("apiVersion").and_then(Value::as_str) != Some(&self.kind.api_version()) {
            return None;
        }
        self.typed.validate(&last, false).ok()?;
        let changes = self.typed.compare(&last, live);
        let set = self.typed.fields(&last);
        Some(set.difference(&changes.modified).difference(&changes.added).difference(&changes.removed))
    }
}

fn go_gvk(version: &str, kind: &str) -> String {
    match version.split_once('/') {
        Some(_) => format!("{version}, Kind={kind}"),
        None => format!("/{version}, Kind={kind}"),
    }
}

/// Models `lastAppliedUpdater`.
fn update_last_applied(object: &mut Value, config: &Value) {
    let annotation = object.pointer_mut("/metadata/annotations").and_then(|a| a.get_mut(LAST_APPLIED));
    let Some(annotation) = annotation.filter(|a| a.as_str().is_some_and(|t| !t.is_empty())) else { return };
    let mut config = config.clone();
    if let Some(a) = config.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        a.remove(LAST_APPLIED);
    }
    *annotation = format!("{config}\n").into();
}

fn without_managed(v: &Value) -> std::borrow::Cow<'_, Value> {
    if v.pointer("/metadata/managedFields").is_none() {
        return std::borrow::Cow::Borrowed(v);
    }
    let mut v = v.clone();
    if let Some(m) = v.get_mut("metadata").and_then(Value::as_object_mut) {
        m.remove("managedFields");
    }
    std::borrow::Cow::Owned(v)
}

/// As JSON has it.
fn second(t: Time) -> Time {
    Time(t.as_micros() / 1_000_000 * 1_000_000)
}

fn strip(managers: &mut Managers) {
    let mut never = Set::default();
    for p in STRIPPED {
        never.insert(&p.iter().map(|f| Element::Field((*f).into())).collect::<Vec<_>>());
    }
    managers.retain(|_, owned| {
        owned.set = owned.set.difference(&never);
        !owned.set.is_empty()
    });
}

/// Not more than so many writers: the oldest become one. Models `capManagersManager`.
fn cap(managed: &mut Managed) {
    let mut writers: Vec<Id> = managed.fields.keys().filter(|id| !id.applies).cloned().collect();
    let mut left = writers.len();
    if left <= UPDATE_MANAGERS_MAX {
        return;
    }
    writers.sort_by_key(|id| (managed.times.get(id).copied().map_or(0, Time::as_micros), id.clone()));
    let mut first: BTreeMap<Arc<str>, Id> = BTreeMap::new();
    for id in writers {
        if left <= UPDATE_MANAGERS_MAX {
            break;
        }
        let Some(owned) = managed.fields.get(&id).cloned() else { continue };
        let Some(other) = first.get(&owned.version).cloned() else {
            first.insert(owned.version.clone(), id);
            continue;
        };
        let bucket = Id {
            name: "ancient-changes".into(),
            applies: false,
            version: owned.version.clone(),
            subresource: "".into(),
        };
        if !managed.fields.contains_key(&bucket)
            && let Some(o) = managed.fields.remove(&other)
        {
            managed.fields.insert(bucket.clone(), o);
        }
        if let Some(b) = managed.fields.get_mut(&bucket) {
            b.set = std::mem::take(&mut b.set).union(&owned.set);
        }
        managed.fields.remove(&id);
        left -= 1;
        if let Some(t) = managed.times.get(&id).copied() {
            managed.times.insert(bucket, t);
        }
    }
}

impl Managed {
    /// # Errors
    /// What makes the entries unusable.
    pub fn decode(entries: &[ManagedFieldsEntry]) -> Result<Managed, String> {
        let mut out = Managed::default();
        let some = |t: &Option<String>| t.clone().unwrap_or_default();
        for (i, e) in entries.iter().enumerate() {
            let applies = match e.operation.as_deref() {
                Some("Apply") => true,
                Some("Update") => false,
                _ => return Err("operation must be `Apply` or `Update`".into()),
            };
            let version: Arc<str> = some(&e.api_version).into();
            if version.is_empty() {
                return Err("apiVersion must not be empty".into());
            }
            match some(&e.fields_type).as_str() {
                "FieldsV1" => {}
                "" => return Err(format!("missing fieldsType in managed fields entry {i}")),
                t => return Err(format!("invalid fieldsType {t:?} in managed fields entry {i}")),
            }
            let set = e.fields_v1.as_ref().map_or_else(|| Ok(Set::default()), |f| Set::from_json(&f.0))?;
            let id = Id {
                name: some(&e.manager).into(),
                applies,
                version: if applies { "".into() } else { version.clone() },
                subresource: some(&e.subresource).into(),
            };
            if let Some(t) = &e.time {
                out.times.insert(id.clone(), Time::from_k8s(t));
            }
            out.fields.insert(id, Owned { set, version });
        }
        Ok(out)
    }

    /// Appliers first, then by time, as upstream sorts them.
    pub fn encode(&self) -> Option<Vec<ManagedFieldsEntry>> {
        let entry = |(id, owned): (&Id, &Owned)| ManagedFieldsEntry {
            api_version: Some(owned.version.to_string()),
            fields_type: Some("FieldsV1".into()),
            fields_v1: Some(FieldsV1(owned.set.to_json())),
            manager: Some(id.name.to_string()),
            operation: Some(if id.applies { "Apply" } else { "Update" }.into()),
            subresource: Some(id.subresource.to_string()).filter(|s| !s.is_empty()),
            time: self.times.get(id).map(|t| t.to_k8s()),
        };
        let mut entries: Vec<ManagedFieldsEntry> = self.fields.iter().map(entry).collect();
        let seconds = |e: &ManagedFieldsEntry| e.time.as_ref().map_or(0, |t| Time::from_k8s(t).as_micros());
        entries.sort_by(|a, b| {
            let key = |e: &ManagedFieldsEntry| {
                (e.operation.clone(), seconds(e), e.manager.clone(), e.api_version.clone(), e.subresource.clone())
            };
            key(a).cmp(&key(b))
        });
        (!entries.is_empty()).then_some(entries)
    }

    /// Times of those who own nothing any more.
    fn forget(&mut self) {
        let fields = &self.fields;
        self.times.retain(|id, _| fields.contains_key(id));
    }

    /// Whether both say the same but for the times: what is written only for those is not written.
    pub fn same_fields(&self, other: &Managed) -> bool {
        self.fields == other.fields
    }
}

/// Whether the entries ask for what was recorded to be forgotten. Models `isResetManagedFields`.
pub fn is_reset(meta: &ObjectMeta) -> bool {
    match meta.managed_fields.as_deref() {
        Some([]) => true,
        Some([one]) => *one == ManagedFieldsEntry::default(),
        _ => false,
    }
}

/// Models `NewConflictError`.
fn conflict_error(conflicts: &Conflicts) -> ApiError {
    let message = match conflicts.as_slice() {
        [(id, p)] => format!("Apply failed with 1 conflict: conflict with {}: {}", shown(id), path::text(p)),
        many => {
            let mut by: BTreeMap<&Id, String> = BTreeMap::new();
            for (id, p) in many {
                let text = by.entry(id).or_insert_with(|| format!("conflicts with {}:", shown(id)));
                text.push_str(&format!("\n- {}", path::text(p)));
            }
            let lines: Vec<String> = by.into_values().collect();
            format!("Apply failed with {} conflicts: {}", many.len(), lines.join("\n"))
        }
    };
    let cause = |(id, p): &(Id, path::Path)| StatusCause {
        reason: Some("FieldManagerConflict".into()),
        message: Some(format!("conflict with {}", shown(id))),
        field: Some(path::text(p)),
    };
    let details = StatusDetails { causes: Some(conflicts.iter().map(cause).collect()), ..StatusDetails::default() };
    let mut e = ApiError::new(409, "Conflict", message);
    *e.0 = Status { details: Some(details), ..(*e.0).clone() };
    e
}

/// `"kubectl-edit" using apps/v1`. Models `printManager`.
fn shown(id: &Id) -> String {
    let mut text = format!("{:?}", id.name);
    if !id.subresource.is_empty() {
        text.push_str(&format!(" with subresource {:?}", id.subresource));
    }
    if !id.applies {
        text.push_str(&format!(" using {}", id.version));
    }
    text
}
