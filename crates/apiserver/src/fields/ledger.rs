//! An object's ownership record, kept beside it. Working it out costs more than most writes of components do, and hardly
//! anybody reads it: so a write only notes who made it and what was there before (a pointer), and the rest is done when
//! somebody asks, once.
//!
//! Consecutive writes of one component count as one. That differs from upstream only where a component changes a field and
//! changes it back, with nobody in between.

use super::managed::{By, Kinded, Managed};
use crate::decode;
use api::{Obj, Object};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use meta::Time;
use std::sync::{Arc, OnceLock};

#[derive(Clone, Debug, Default)]
pub struct Ledger(Option<Arc<State>>);

#[derive(Debug, Default)]
struct State {
    base: Arc<Managed>,
    writes: Vec<Write>,
    worked_out: OnceLock<Arc<Managed>>,
}

#[derive(Clone, Debug)]
struct Write {
    by: By,
    time: Time,
    /// `None`: it was created. Of a write to a pod's status, without the spec.
    before: Option<Obj>,
    /// `None`: what is there now. Like `before`.
    after: Option<Obj>,
    /// Whether later writes by the same may be counted to this one.
    joins: bool,
}

/// A record is worked out when it has so many writes, lest it hold on to too many old objects.
const WRITES_MAX: usize = 6;

/// A write that is to be noted.
pub struct Noted<'a> {
    pub by: By,
    pub now: Time,
    /// By a component inside the process.
    pub inside: bool,
    /// What was asked for, when it is not what gets stored: admission adds what nobody owns.
    pub asked: Option<Obj>,
    /// What was stored, and its record; `None`: it is created.
    pub old: Option<(&'a Obj, &'a Ledger)>,
}

impl Ledger {
    pub fn of(managed: Managed) -> Ledger {
        Ledger(Some(Arc::new(State { base: Arc::new(managed), ..State::default() })))
    }

    /// The record after a write.
    pub fn noted(w: Noted<'_>) -> Ledger {
        let Some((old, ledger)) = w.old else {
            let write = Write { by: w.by, time: w.now, before: None, after: w.asked, joins: false };
            return Ledger(Some(Arc::new(State { writes: vec![write], ..State::default() })));
        };
        // What nobody has recorded from the start nobody records later, but for an apply.
        let Some(state) = &ledger.0 else { return Ledger::default() };
        let mut writes = state.writes.clone();
        if let Some(last) = writes.last_mut() {
            if w.inside && last.joins && last.after.is_none() && last.by == w.by && w.asked.is_none() {
                last.time = w.now;
                return Ledger(Some(Arc::new(State { base: state.base.clone(), writes, ..State::default() })));
            }
            last.after.get_or_insert_with(|| held(old, &last.by));
        }
        let before = writes.last().and_then(|last| last.after.clone()).filter(|after| Arc::ptr_eq(after, old));
        let before = before.unwrap_or_else(|| held(old, &w.by));
        let write = Write { by: w.by, time: w.now, before: Some(before), joins: w.inside, after: w.asked };
        let state = match state.worked_out.get() {
            Some(managed) => State { base: managed.clone(), writes: vec![write], ..State::default() },
            None if writes.len() >= WRITES_MAX => {
                State { base: ledger.managed(&**old), writes: vec![write], ..State::default() }
            }
            None => {
                writes.push(write);
                State { base: state.base.clone(), writes, ..State::default() }
            }
        };
        Ledger(Some(Arc::new(state)))
    }

    /// The record after a change that nobody owns: a binding, a deletion.
    #[must_use]
    pub fn unnoted(&self, old: &Obj) -> Ledger {
        let Some(state) = &self.0 else { return Ledger::default() };
        if state.writes.last().is_none_or(|w| w.after.is_some()) {
            return self.clone();
        }
        let mut writes = state.writes.clone();
        if let Some(last) = writes.last_mut() {
            last.after = Some(held(old, &last.by));
        }
        let state = State { base: state.base.clone(), writes, worked_out: state.worked_out.clone() };
        Ledger(Some(Arc::new(state)))
    }

    /// Who owns what of `object`, whose record this is.
    pub fn managed(&self, object: &dyn Object) -> Arc<Managed> {
        let Some(state) = &self.0 else { return Arc::default() };
        state.worked_out.get_or_init(|| state.work_out(object)).clone()
    }

    /// Whether anything is recorded.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub fn entries(&self, object: &dyn Object) -> Option<Vec<ManagedFieldsEntry>> {
        self.managed(object).encode()
    }
}

/// What a write by `by` has to keep of an object. A pod's spec is most of it, there are many pods, and their kubelets
/// write status.
fn held(object: &Obj, by: &By) -> Obj {
    match object.as_any().downcast_ref::<Pod>() {
        Some(pod) if by.subresource == STATUS => {
            Arc::new(Pod { metadata: pod.metadata.clone(), status: pod.status.clone(), spec: None })
        }
        _ => object.clone(),
    }
}

const STATUS: &str = "status";

impl State {
    fn work_out(&self, object: &dyn Object) -> Arc<Managed> {
        if self.writes.is_empty() {
            return self.base.clone();
        }
        let kinded = Kinded::of(object.kind());
        let mut managed = (*self.base).clone();
        for w in &self.writes {
            // Of what nobody owns anything of any more, nothing is recorded until the next apply.
            if w.before.is_some() && managed.fields.is_empty() {
                continue;
            }
            let kinded = w.by.form.map_or(kinded, Kinded::of);
            let value = |o: &dyn Object| match w.by.form {
                Some(form) => decode::in_form(Some(form), o.clone_object().into()).to_value(),
                None => o.to_value(),
            };
            let mut before = w.before.as_ref().map_or_else(|| kinded.zero(), |o| value(&**o));
            let mut after = w.after.as_ref().map_or_else(|| value(object), |o| value(&**o));
            if w.by.subresource == STATUS {
                for side in [&mut before, &mut after] {
                    side.as_object_mut().map(|o| o.remove("spec"));
                }
            }
            kinded.update(&mut managed, &w.by, &before, &after, w.time);
        }
        Arc::new(managed)
    }
}
