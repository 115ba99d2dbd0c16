//! What a controller of the cloud is, and the component that runs one.

use crate::PROCESS;
use crate::provider::{Call, Reply as CloudReply};
use api::{KindRef, ObjectExt};
use k8s_openapi::api::core::v1::ObjectReference;
use meta::{Duration, Key, Time, User};
use reconcile::{Change, Component, Cx, EventType, Gauge, Intent, Interest, Reply, Step, Tolerate, WorkQueue, Write};
use std::any::Any;
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

/// One item at a time: the next is taken when the calls of the last are answered, as by upstream's one worker.
pub trait Controller: Send {
    fn name(&self) -> &'static str;
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
    flight: Option<Flight>,
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
            flight: self.flight.clone(),
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
            flight: None,
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
        if let Some(f) = &mut self.flight {
            f.answers = Some((answers, at));
        }
    }

    fn next(&mut self, cx: &Cx) -> Option<(Key, Seq, Plan)> {
        match self.flight.take() {
            Some(Flight { key, cause, began, answers: Some((answers, at)) }) if at <= cx.now => {
                let refusals: Vec<Note> = (answers.iter().filter_map(|a| a.as_ref().err()))
                    .map(|e| note!("cloud.refused", error = &e.message))
                    .collect();
                let mut plan = self.controller.answered(cx, &key, answers, at.since(began));
                plan.notes.splice(0..0, refusals);
                Some((key, cause, plan))
            }
            Some(flight) => {
                self.flight = Some(flight);
                None
            }
            None => {
                let (key, cause) = self.queue.pop(cx.now)?;
                let plan = self.controller.reconcile(cx, &key);
                Some((key, cause, plan))
            }
        }
    }
}

impl Component for Runner {
    fn name(&self) -> &Arc<str> {
        &self.name
    }
    fn process(&self) -> &str {
        PROCESS
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
        match &self.flight {
            Some(f) => f.answers.as_ref().map(|(_, at)| *at),
            None => self.queue.ready_at(),
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
            self.flight = Some(Flight { key: s.key, cause: seq, began: cx.now, answers: None });
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
