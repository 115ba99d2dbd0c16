//! Who owns what: controller references, adoption and release. Models `pkg/controller/controller_ref_manager.go`.

use api::object::controller_of;
use api::{KindRef, Object, ObjectExt, Registered};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use meta::Key;
use meta::labels::Selector;
use reconcile::{Intent, Tolerate, View};
use serde_json::json;

/// Models `metav1.NewControllerRef`.
pub fn controller_reference(o: &dyn Object) -> OwnerReference {
    OwnerReference {
        api_version: o.kind().api_version(),
        kind: o.kind().kind.into(),
        name: o.name().into(),
        uid: o.uid().into(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

pub fn key_of(m: &ObjectMeta) -> Key {
    Key::new(m.namespace.as_deref().unwrap_or(""), m.name.as_deref().unwrap_or(""))
}

/// The controller an object names, if it exists with the same UID. Models `resolveControllerRef`.
pub fn controller_key<T: Registered>(view: &View, m: &ObjectMeta) -> Option<Key> {
    let r = controller_of(m).filter(|r| r.kind == T::KIND_REF.kind)?;
    let key = Key::new(m.namespace.as_deref().unwrap_or(""), &r.name);
    let owner = view.get_obj(T::KIND_REF, &key)?;
    (owner.uid() == r.uid).then_some(key)
}

/// What a controller makes of the objects that it owns or could own.
pub struct Claim<'a, T> {
    pub owned: Vec<&'a T>,
    pub adopt: Vec<&'a T>,
    pub release: Vec<&'a T>,
}

/// Sorts the objects of the controller's namespace into owned, to adopt (an orphan that the selector matches)
/// and to release (owned, but the selector does not match any more).
pub fn claim<'a, T: Registered>(
    view: &'a View,
    controller: &dyn Object,
    selector: &Selector,
    keep: impl Fn(&T) -> bool,
) -> Claim<'a, T> {
    let mut c = Claim { owned: Vec::new(), adopt: Vec::new(), release: Vec::new() };
    let matches = |o: &T| selector.matches(o.metadata().labels.as_ref());
    for o in view.controlled_by::<T>(controller.uid()) {
        if o.metadata().namespace.as_deref().unwrap_or("") != controller.namespace() || !keep(o) {
            continue;
        }
        if matches(o) {
            c.owned.push(o);
        } else if !controller.is_terminating() {
            c.release.push(o);
        }
    }
    if controller.is_terminating() {
        return c;
    }
    for o in view.orphans_in::<T>(controller.namespace()) {
        if o.metadata().deletion_timestamp.is_none() && matches(o) && keep(o) {
            c.adopt.push(o);
        }
    }
    c
}

impl<'a, T: Registered> Claim<'a, T> {
    /// The patches that make the claim true. An object that is gone meanwhile needs none.
    pub fn intents(&self, controller: &dyn Object) -> Vec<Intent> {
        let mut out = Vec::new();
        for o in &self.release {
            let m = o.metadata();
            out.push(set_owners(*o, without(m, |r| r.uid == controller.uid())).tolerate(Tolerate::NotFound));
        }
        for o in &self.adopt {
            let mut owners = o.metadata().owner_references.clone().unwrap_or_default();
            owners.push(controller_reference(controller));
            out.push(set_owners(*o, owners));
        }
        out
    }
    /// Everything that is the controller's once the patches are through.
    pub fn claimed(&self) -> Vec<&'a T> {
        self.owned.iter().chain(&self.adopt).copied().collect()
    }
}

/// The owner references except those that `drop` picks.
pub fn without(m: &ObjectMeta, drop: impl Fn(&OwnerReference) -> bool) -> Vec<OwnerReference> {
    m.owner_references.iter().flatten().filter(|r| !drop(r)).cloned().collect()
}

/// Replaces the owner references of exactly this object: UID and version are preconditions.
pub fn set_owners(o: &dyn Object, owners: Vec<OwnerReference>) -> Intent {
    let owners = if owners.is_empty() { serde_json::Value::Null } else { json!(owners) };
    let mut metadata = json!({ "uid": o.uid(), "ownerReferences": owners });
    if let Some(rv) = &o.meta().resource_version {
        metadata["resourceVersion"] = rv.as_str().into();
    }
    Intent::patch(o.kind(), o.key(), "", json!({ "metadata": metadata }))
}

/// Queues the controllers of kind `T` that a change of one of their objects concerns: the old and the new
/// controller, or, for an orphan, every one whose selector matches.
pub fn controllers_concerned<T: Registered>(
    view: &View,
    old: Option<&dyn Object>,
    new: Option<&dyn Object>,
    selector_of: impl Fn(&T) -> Selector,
    keys: &mut Vec<Key>,
) {
    let mut push = |k: Key| {
        if !keys.contains(&k) {
            keys.push(k);
        }
    };
    for m in [old, new].into_iter().flatten().map(Object::meta) {
        if let Some(k) = controller_key::<T>(view, m) {
            push(k);
        }
    }
    let Some(orphan) = new.filter(|o| o.controller_ref().is_none()) else { return };
    for c in view.list_in::<T>(orphan.namespace()) {
        if selector_of(c).matches(orphan.meta().labels.as_ref()) {
            push(key_of(c.metadata()));
        }
    }
}

/// An optional count as upstream writes it: zero is left out.
pub fn nonzero(n: i32) -> Option<i32> {
    (n != 0).then_some(n)
}

pub fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// A watch whose changes queue the changed object itself.
pub fn watch_self(kind: KindRef) -> reconcile::Watch {
    reconcile::Watch { kind, keys: |_, change, keys| keys.push(change.key.clone()) }
}
