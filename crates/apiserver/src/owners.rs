//! What a request does to the record of who owns which fields. Models `managedfields.FieldManager` as the handlers of
//! creates and updates call it.

use crate::fields::ledger::{Ledger, Noted};
use crate::fields::managed::{self, By, Managed};
use crate::request::Request;
use crate::server::Cx;
use crate::stored::Stored;
use api::{KindRef, Obj, Object};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) fn by(req: &Request) -> By {
    let form = req.options.form.filter(|f| f.alias.is_some());
    By { manager: req.options.field_manager.as_str().into(), subresource: req.subresource, form }
}

/// Kinds that are stored as they were asked for: neither admission nor the registry adds to them.
const PLAIN: &[&str] = &["EndpointSlice", "Event", "Lease", "ReplicaSet"];

/// A new object's record. What admission and the registry add to it belongs to nobody, so it is noted as it was asked for.
pub(crate) fn created(
    cx: &Cx<'_>,
    req: &Request,
    object: &dyn Object,
    given: Option<Vec<ManagedFieldsEntry>>,
) -> Ledger {
    if let Some(managed) = given.and_then(|g| Managed::decode(&g).ok()).filter(|m| !m.fields.is_empty()) {
        return Ledger::of(managed);
    }
    let asked = (!PLAIN.contains(&req.kind.kind)).then(|| cx.server.asked().shared(object));
    Ledger::noted(Noted { by: by(req), now: cx.now, inside: cx.inside, asked, old: None })
}

/// The newest objects that were asked for. A ReplicaSet asks for the same pod again and again: one copy serves all.
#[derive(Debug, Default)]
pub(crate) struct Asked(Mutex<VecDeque<Obj>>);

/// As many ReplicaSets as create pods side by side.
const ASKED_MAX: usize = 8;

impl Asked {
    fn shared(&self, object: &dyn Object) -> Obj {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = newest.iter().find(|o| o.equals(object)) {
            return same.clone();
        }
        let copy: Obj = Arc::from(object.clone_object());
        newest.truncate(ASKED_MAX - 1);
        newest.push_front(copy.clone());
        copy
    }
}

/// A changed object as it was asked for, when the registry may add to it.
pub(crate) fn asked(kind: KindRef, subresource: &str, object: &dyn Object) -> Option<Obj> {
    let adds = subresource.is_empty() && kind.group.is_empty() && kind.kind == "Service";
    adds.then(|| Arc::from(object.clone_object()))
}

/// How the record of an object that is there changes.
pub(crate) enum Change {
    /// By what the write changes.
    Write(Ledger),
    /// The writer says who owned what before this write.
    Given(Ledger),
    /// An apply has worked it out.
    Applied(Managed, bool),
}

impl Change {
    /// Takes `managedFields` out of the new object. Models `decodeLiveOrNew`.
    pub fn new(req: &Request, object: &mut dyn Object, old: &Stored, applied: Option<Managed>) -> Change {
        let reset = managed::is_reset(object.meta());
        let given = object.meta_mut().managed_fields.take();
        if let Some(managed) = applied {
            let changed = !managed.same_fields(&old.1.managed(&*old.0));
            return Change::Applied(managed, changed);
        }
        let Some(given) = given.filter(|_| req.subresource.is_empty()) else { return Change::Write(old.1.clone()) };
        if reset {
            return if old.1.is_empty() { Change::Write(old.1.clone()) } else { Change::Given(Ledger::default()) };
        }
        match Managed::decode(&given).ok().filter(|m| !m.fields.is_empty()) {
            Some(managed) if managed != *old.1.managed(&*old.0) => Change::Given(Ledger::of(managed)),
            _ => Change::Write(old.1.clone()),
        }
    }

    /// Whether the record changes though the object does not.
    pub fn matters(&self) -> bool {
        match self {
            Change::Write(_) => false,
            Change::Given(_) => true,
            Change::Applied(_, changed) => *changed,
        }
    }

    /// `same`: the object itself did not change.
    pub fn after(self, cx: &Cx<'_>, req: &Request, old: &Obj, asked: Option<Obj>, same: bool) -> Ledger {
        match self {
            Change::Applied(managed, _) => Ledger::of(managed),
            Change::Given(ledger) | Change::Write(ledger) if same => ledger,
            Change::Given(ledger) | Change::Write(ledger) => {
                let old = Some((old, &ledger));
                Ledger::noted(Noted { by: by(req), now: cx.now, inside: cx.inside, asked, old })
            }
        }
    }
}
