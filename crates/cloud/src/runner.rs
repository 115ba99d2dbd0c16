//! What a controller of the cloud is, and the component that runs one.

use crate::PROCESS;
use crate::provider::{Call, Reply as CloudReply};
use api::{KindRef, ObjectExt};
use k8s_openapi::api::core::v1::ObjectReference;
use meta::{Duration, Key, Time, User};
use reconcile::{Change, Component, Cx, EventType, Gauge, Intent, Interest, Reply, Step, Tolerate, WorkQueue, Write};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use trace::{Note, Seq, note};

/// What a controller wants next for the item at hand.
#[derive(Debug, Default)]
pub struct Plan {
    pub intents: Vec<Intent>,
    pub notes: Vec<Note>,
    /// Made together once the intents have gone through; [`Controller::answered`] gets all their answers.
    pub calls: Vec<Call>,
    pub requeue_after: Option<Duration>,
    /// Other items that need a look.
    pub enqueue: Vec<Key>,
    /// The item failed: it comes again, later every time.
    pub failed: bool,
}

/// What a change means to a controller.
#[derive(Debug, Default)]
pub struct Seen {
    pub keys: Vec<Key>,
    /// Events that upstream's handlers record.
    pub remarks: Vec<Remark>,
}

/// An event to be recorded with the next step.
#[derive(Clone, Debug)]
pub struct Remark {
    pub regarding: ObjectReference,
    pub reason: &'static str,
    pub message: String,
    pub warning: bool,
}

impl Remark {
    fn intent(self) -> Intent {
        let event_type = if self.warning { EventType::Warning } else { EventType::Normal };
        let Remark { regarding, reason, message, .. } = self;
        let write = Write::Event { regarding, event_type, reason: reason.into(), message };
        Intent { write, tolerate: Tolerate::Anything, announce: None }
    }
}

/// One item at a time for each worker: the next is taken when the calls of the last are answered.
pub trait Controller: Send + Sync {
    fn name(&self) -> &'static str;
    fn process(&self) -> &'static str {
        PROCESS
    }
    /// How many items may wait for answers.
    fn workers(&self) -> usize {
        1
    }
    /// The service account in kube-system that its client has (`ClientName`).
    fn account(&self) -> &'static str;
    fn event_source(&self) -> &'static str;
    fn kinds(&self) -> Vec<KindRef>;
    /// Keys to queue when the process starts, beyond those that existing objects give.
    fn initial(&self) -> Vec<Key>;
    /// The first and the longest delay of an item that fails.
    fn back_off(&self) -> (Duration, Duration) {
        (Duration::from_millis(5), Duration::from_secs(1000))
    }
    fn observe(&mut self, cx: &Cx, change: &Change) -> Seen;
    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Plan;
    /// The answers to the plan's calls, in their order, and how long they took.
    fn answered(&mut self, cx: &Cx, key: &Key, answers: Vec<CloudReply>, took: Duration) -> Plan;
    /// The API server refused an intent of the plan.
    fn refused(&mut self, _cx: &Cx, _key: &Key, _error: &meta::ApiError) -> Vec<Remark> {
        Vec::new()
    }
    /// The controller as it is when its process starts.
    fn fresh(&self) -> Box<dyn Controller>;
    fn clone_box(&self) -> Box<dyn Controller>;
}

/// Calls under way.
#[derive(Clone)]
struct Flight {
    key: Key,
    /// The step that made them.
    cause: Seq,
    began: Time,
    /// With the moment they arrive; `None` until the cloud has taken the calls.
    answers: Option<(Vec<CloudReply>, Time)>,
}

/// A plan whose intents are being carried out.
#[derive(Clone)]
struct Settling {
    key: Key,
    calls: Vec<Call>,
    requeue_after: Option<Duration>,
    enqueue: Vec<Key>,
    failed: bool,
}

pub struct Runner {
    name: Arc<str>,
    user: User,
    controller: Box<dyn Controller>,
    queue: WorkQueue<Key>,
    settling: Option<Settling>,
    flights: Vec<Flight>,
    /// Items that came again while their calls are under way, and who put them there.
    again: BTreeMap<Key, Seq>,
    outbox: Vec<Call>,
    remarks: Vec<Remark>,
}

impl Clone for Runner {
    fn clone(&self) -> Self {
        Runner {
            name: self.name.clone(),
            user: self.user.clone(),
            controller: self.controller.clone_box(),
            queue: self.queue.clone(),
            settling: self.settling.clone(),
            flights: self.flights.clone(),
            again: self.again.clone(),
            outbox: self.outbox.clone(),
            remarks: self.remarks.clone(),
        }
    }
}

impl Runner {
    pub fn new(controller: Box<dyn Controller>) -> Self {
        let (base, max) = controller.back_off();
        Runner {
            name: controller.name().into(),
            user: User::controller(controller.account()),
            controller,
            queue: WorkQueue::with_delays(base, max),
            settling: None,
            flights: Vec::new(),
            again: BTreeMap::new(),
            outbox: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// The calls that the last step wants made; [`Runner::deliver`] brings their answers.
    pub fn take_calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.outbox)
    }

    /// The answers, in the calls' order, and when the last of them arrives.
    pub fn deliver(&mut self, answers: Vec<CloudReply>, at: Time) {
        if let Some(f) = self.flights.iter_mut().find(|f| f.answers.is_none()) {
            f.answers = Some((answers, at));
        }
    }

    fn next(&mut self, cx: &Cx) -> Option<(Key, Seq, Plan)> {
        if let Some(i) = self.landing().filter(|(at, _)| *at <= cx.now).map(|(_, i)| i) {
            let Flight { key, cause, began, answers } = self.flights.remove(i);
            let (answers, at) = answers.unwrap_or((Vec::new(), cx.now));
            let refusals: Vec<Note> = (answers.iter().filter_map(|a| a.as_ref().err()))
                .map(|e| note!("cloud.refused", error = &e.message))
                .collect();
            if let Some(seq) = self.again.remove(&key) {
                self.queue.add(key.clone(), seq);
            }
            let mut plan = self.controller.answered(cx, &key, answers, at.since(began));
            plan.notes.splice(0..0, refusals);
            return Some((key, cause, plan));
        }
        if self.flights.len() >= self.controller.workers() {
            return None;
        }
        loop {
            let (key, cause) = self.queue.pop(cx.now)?;
            if self.flights.iter().any(|f| f.key == key) {
                self.again.insert(key, cause);
                continue;
            }
            let plan = self.controller.reconcile(cx, &key);
            return Some((key, cause, plan));
        }
    }

    /// The first flight whose answers come, and when.
    fn landing(&self) -> Option<(Time, usize)> {
        let at = |(i, f): (usize, &Flight)| f.answers.as_ref().map(|(_, at)| (*at, i));
        self.flights.iter().enumerate().filter_map(at).min()
    }
}

impl Component for Runner {
    fn name(&self) -> &Arc<str> {
        &self.name
    }
    fn process(&self) -> &str {
        self.controller.process()
    }
    fn user(&self) -> &User {
        &self.user
    }
    fn event_source(&self) -> (String, String) {
        (self.controller.event_source().into(), String::new())
    }
    fn interests(&self) -> Vec<Interest> {
        self.controller.kinds().into_iter().map(Interest::Kind).collect()
    }
    fn start(&mut self, cx: &Cx) {
        *self = Runner::new(self.controller.fresh());
        for kind in self.controller.kinds() {
            for o in cx.view.list_obj(kind) {
                let new = Some(o.clone());
                let change = Change { kind, key: o.key(), old: None, new, revision: cx.view.revision(), cause: 0 };
                self.observe(cx, &change);
            }
        }
        for key in self.controller.initial() {
            self.queue.add(key, 0);
        }
    }
    fn observe(&mut self, cx: &Cx, change: &Change) {
        let seen = self.controller.observe(cx, change);
        self.remarks.extend(seen.remarks);
        for key in seen.keys {
            self.queue.add(key, change.cause);
        }
    }
    fn ready_at(&self) -> Option<Time> {
        let landing = self.landing().map(|(at, _)| at);
        if self.flights.len() >= self.controller.workers() {
            return landing;
        }
        match (landing, self.queue.ready_at()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
    fn step(&mut self, cx: &Cx) -> Option<Step> {
        let (key, cause, plan) = self.next(cx)?;
        let Plan { intents, mut notes, calls, requeue_after, enqueue, failed } = plan;
        if cx.recording {
            notes.extend(calls.iter().map(|c| note!("cloud.call", call = c.name(), target = c.target())));
        }
        let item = key.as_str().to_string();
        let remarks = std::mem::take(&mut self.remarks);
        self.settling = Some(Settling { key, calls, requeue_after, enqueue, failed });
        let intents = remarks.into_iter().map(Remark::intent).chain(intents).collect();
        Some(Step { item, cause, notes, intents, ..Default::default() })
    }
    fn settled(&mut self, cx: &Cx, replies: &[Reply], seq: Seq) {
        let Some(s) = self.settling.take() else { return };
        if let Some(Err(e)) = replies.last() {
            let more = self.controller.refused(cx, &s.key, e);
            self.remarks.extend(more);
            self.queue.add_rate_limited(s.key, cx.now, seq);
            return;
        }
        for key in s.enqueue {
            self.queue.add(key, seq);
        }
        if !s.calls.is_empty() {
            self.outbox = s.calls;
            self.flights.push(Flight { key: s.key, cause: seq, began: cx.now, answers: None });
            return;
        }
        if s.failed {
            self.queue.add_rate_limited(s.key, cx.now, seq);
            return;
        }
        self.queue.forget(&s.key);
        if let Some(d) = s.requeue_after {
            self.queue.add_at(s.key, cx.now + d, seq);
        }
    }
    fn gauge(&self, _now: Time) -> Gauge {
        Gauge { queued: self.queue.len(), delayed: self.queue.delayed_len() }
    }
    fn clone_box(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}
