//! garbage-collector-controller: what nobody owns any more goes. Models `pkg/controller/garbagecollector`.
//!
//! Items are objects of any kind: `RESOURCE.GROUP/NAMESPACE/NAME`, after `UID@` of an owner that was seen to go.

#[cfg(test)]
mod tests;

use crate::owner::{set_owners, without};
use api::{KINDS, KindRef, Object, ObjectExt};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use meta::errors::group_resource;
use meta::{Key, User};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Propagation, Tolerate, View, Watch, Write};
use serde_json::json;
use trace::note;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

#[derive(Clone, Default)]
pub struct GarbageCollector;

fn has_finalizer(o: &dyn Object, name: &str) -> bool {
    o.meta().finalizers.iter().flatten().any(|f| f == name)
}

/// Terminating, and gone only after its dependents.
fn waits_for_dependents(o: &dyn Object) -> bool {
    o.is_terminating() && has_finalizer(o, FOREGROUND)
}

fn item(o: &dyn Object) -> Key {
    let k = o.kind();
    Key::from(format!("{}/{}", group_resource(k.group, k.plural), o.key()).as_str())
}

/// A dependent of an object that is gone. The object's kind may be gone with it before this is looked at, and an unknown
/// kind is no reason to delete anything: so the item says it. Models `absentOwnerCache`.
fn item_without(owner: &dyn Object, dependent: &dyn Object) -> Key {
    if owner.kind().custom.is_none() {
        return item(dependent);
    }
    Key::from(format!("{}@{}", owner.uid(), item(dependent)).as_str())
}

fn object_of<'a>(view: &'a View, item: &str) -> Option<&'a api::Obj> {
    let (resource, key) = item.split_once('/')?;
    let kind: KindRef =
        KINDS.iter().copied().chain(view.kinds().custom()).find(|k| group_resource(k.group, k.plural) == resource)?;
    view.get_obj(kind, &key.into())
}

/// What an owner reference leads to.
enum Owner<'a> {
    There(&'a dyn Object),
    Absent,
    /// A kind this cluster does not know: never a reason to delete anything.
    Unknown,
}

fn owner<'a>(view: &'a View, dependent: &dyn Object, r: &OwnerReference) -> Owner<'a> {
    let Some(kind) = view.kinds().by_api_version(&r.api_version, &r.kind) else { return Owner::Unknown };
    let namespace = if kind.namespaced() { dependent.namespace() } else { "" };
    match view.get_obj(kind, &Key::new(namespace, &r.name)) {
        Some(o) if o.uid() == r.uid => Owner::There(o.as_ref()),
        _ => Owner::Absent,
    }
}

fn owners(o: &dyn Object) -> &[OwnerReference] {
    o.meta().owner_references.as_deref().unwrap_or_default()
}

/// Models the graph builder: which items a change gives work.
fn changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let Some(o) = change.object() else { return };
    let mut add = |k: Key| {
        if !keys.contains(&k) {
            keys.push(k);
        }
    };
    let mut push = |o: &dyn Object| add(item(o));
    for r in owners(o.as_ref()) {
        match owner(cx.view, o.as_ref(), r) {
            // A blocking dependent that is gone or has let go may be the last one its owner waits for.
            Owner::There(owner) if waits_for_dependents(owner) => {
                push(owner);
                if change.new.is_some() {
                    push(o.as_ref());
                }
            }
            Owner::Absent if change.new.is_some() => push(o.as_ref()),
            _ => {}
        }
    }
    if let Some(old) = &change.old
        && change.new.as_ref().is_some_and(|new| owners(new.as_ref()) != owners(old.as_ref()))
    {
        for r in owners(old.as_ref()) {
            if let Owner::There(owner) = owner(cx.view, old.as_ref(), r)
                && waits_for_dependents(owner)
            {
                push(owner);
            }
        }
    }
    let gone = change.new.is_none();
    if !gone && o.is_terminating() && (has_finalizer(o.as_ref(), FOREGROUND) || has_finalizer(o.as_ref(), ORPHAN)) {
        push(o.as_ref());
    }
    if gone || waits_for_dependents(o.as_ref()) {
        for d in cx.view.dependents(o.uid()) {
            add(if gone { item_without(o.as_ref(), d.as_ref()) } else { item(d.as_ref()) });
        }
    }
}

/// Events have no owners and are too many: upstream ignores them too.
fn is_watched(kind: KindRef) -> bool {
    kind.kind != "Event" && kind.alias.is_none()
}

impl Controller for GarbageCollector {
    const NAME: &'static str = "garbage-collector-controller";
    const CUSTOM: Option<fn(&Cx, &Change, &mut Vec<Key>)> = Some(changed);

    fn user() -> User {
        User::controller("generic-garbage-collector")
    }

    fn watches() -> Vec<Watch> {
        KINDS.iter().copied().filter(|k| is_watched(k)).map(|kind| Watch { kind, keys: changed }).collect()
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let (gone, item) = key.as_str().split_once('@').unwrap_or(("", key.as_str()));
        let Some(o) = object_of(cx.view, item) else { return out };
        let o = o.as_ref();
        if o.is_terminating() && has_finalizer(o, ORPHAN) {
            orphan_dependents(cx, o, &mut out);
            return out;
        }
        if waits_for_dependents(o) && finish_foreground(cx, o, &mut out) {
            return out;
        }
        attempt_to_delete(cx, o, gone, &mut out);
        out
    }
}

fn remove_finalizer(o: &dyn Object, name: &str) -> Intent {
    let rest: Vec<&String> = o.meta().finalizers.iter().flatten().filter(|f| *f != name).collect();
    let mut metadata = json!({ "uid": o.uid(), "finalizers": rest });
    if let Some(rv) = &o.meta().resource_version {
        metadata["resourceVersion"] = rv.as_str().into();
    }
    Intent::patch(o.kind(), o.key(), "", json!({ "metadata": metadata })).tolerate(Tolerate::NotFound)
}

/// `--cascade=orphan`: the dependents lose the reference, then the owner goes.
fn orphan_dependents(cx: &Cx, o: &dyn Object, out: &mut Outcome) {
    let mut n = 0;
    for d in cx.view.dependents(o.uid()) {
        let rest = without(d.meta(), |r| r.uid == o.uid());
        out.push(set_owners(d.as_ref(), rest).tolerate(Tolerate::NotFound));
        n += 1;
    }
    if cx.recording {
        out.note(note!("gc.orphan", kind = o.kind().kind, name = o.name(), dependents = n));
    }
    out.push(remove_finalizer(o, ORPHAN));
}

/// `--cascade=foreground`: once no blocking dependent is left, the owner may go. True when it may.
fn finish_foreground(cx: &Cx, o: &dyn Object, out: &mut Outcome) -> bool {
    let blocks =
        |d: &api::Obj| owners(d.as_ref()).iter().any(|r| r.uid == o.uid() && r.block_owner_deletion == Some(true));
    let blocking = cx.view.dependents(o.uid()).filter(|d| blocks(d)).count();
    if cx.recording {
        out.note(note!("gc.foreground", kind = o.kind().kind, name = o.name(), blocking = blocking));
    }
    if blocking == 0 {
        out.push(remove_finalizer(o, FOREGROUND));
    }
    blocking == 0
}

/// Models `attemptToDeleteItem`. `gone`: the UID of an owner that was seen to go, if it is about one.
fn attempt_to_delete(cx: &Cx, o: &dyn Object, gone: &str, out: &mut Outcome) {
    if o.is_terminating() || owners(o).is_empty() {
        return;
    }
    let (mut solid, mut absent, mut waiting) = (0, Vec::new(), Vec::new());
    for r in owners(o) {
        match owner(cx.view, o, r) {
            Owner::Absent => absent.push(r),
            Owner::Unknown if r.uid == gone => absent.push(r),
            Owner::There(owner) if waits_for_dependents(owner) => waiting.push(r),
            _ => solid += 1,
        }
    }
    if absent.is_empty() && waiting.is_empty() {
        return;
    }
    if solid > 0 {
        let lost: Vec<&str> = absent.iter().chain(&waiting).map(|r| r.uid.as_str()).collect();
        if cx.recording {
            out.note(note!("gc.drop-references", kind = o.kind().kind, name = o.name(), count = lost.len()));
        }
        out.push(set_owners(o, without(o.meta(), |r| lost.contains(&r.uid.as_str()))).tolerate(Tolerate::NotFound));
        return;
    }
    let mut dependents = cx.view.dependents(o.uid()).peekable();
    let policy = if !waiting.is_empty() && dependents.peek().is_some() {
        // A ring of objects that wait for each other is broken here, as upstream does.
        for d in dependents.filter(|d| waits_for_dependents(d.as_ref())) {
            let mut refs = owners(d.as_ref()).to_vec();
            refs.iter_mut().filter(|r| r.uid == o.uid()).for_each(|r| r.block_owner_deletion = Some(false));
            out.push(set_owners(d.as_ref(), refs).tolerate(Tolerate::NotFound));
        }
        Propagation::Foreground
    } else if has_finalizer(o, ORPHAN) {
        Propagation::Orphan
    } else if has_finalizer(o, FOREGROUND) {
        Propagation::Foreground
    } else {
        Propagation::Background
    };
    if cx.recording {
        let (owner, code) = match (absent.first(), waiting.first()) {
            (Some(r), _) => (r, "absent"),
            (None, Some(r)) => (r, "waiting"),
            (None, None) => return,
        };
        out.note(note!(
            "gc.delete",
            kind = o.kind().kind,
            name = o.name(),
            owner_kind = &owner.kind,
            owner = &owner.name,
            why = code,
        ));
    }
    let mut delete = Intent::delete(o);
    if let Write::Delete { propagation, .. } = &mut delete.write {
        *propagation = Some(policy);
    }
    out.push(delete);
}
