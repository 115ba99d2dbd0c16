//! A component: a part of the cluster that takes turns.

use crate::intent::Intent;
use crate::view::View;
use api::{KindRef, Obj};
use meta::{ApiError, Duration, Key, Time, User};
use std::any::Any;
use std::sync::Arc;
use trace::{Note, Recorded, Seq};

/// What a component is given with every call. There is no other clock and no other world.
pub struct Cx<'a> {
    pub now: Time,
    pub view: &'a View,
    /// Whether anybody looks: when false, notes and full cycle records may be left out.
    pub recording: bool,
}

/// A watch event with the trace entry of the request that made it.
#[derive(Clone, Debug)]
pub struct Change {
    pub kind: KindRef,
    pub key: Key,
    pub old: Option<Obj>,
    /// `None`: deleted.
    pub new: Option<Obj>,
    pub revision: u64,
    pub cause: Seq,
}

impl Change {
    /// The object, or what it was before it was deleted.
    pub fn object(&self) -> Option<&Obj> {
        self.new.as_ref().or(self.old.as_ref())
    }
}

/// What a component watches; the cluster delivers nothing else to it.
#[derive(Clone, Debug)]
pub enum Interest {
    Kind(KindRef),
    /// Every kind that a CustomResourceDefinition makes.
    Custom,
    /// `spec.nodeName=NAME`, as a kubelet watches.
    PodsOnNode(Arc<str>),
    Object(KindRef, Key),
}

/// One turn: one item of the queue.
#[derive(Debug, Default)]
pub struct Step {
    /// What was taken: `default/web`.
    pub item: String,
    /// The entry that put it into the queue.
    pub cause: Seq,
    pub notes: Vec<Note>,
    /// The scheduler's decision, when this turn was one and recording is on.
    pub cycle: Option<Recorded>,
    /// Carried out in order; the first refusal that is not tolerated stops the rest.
    pub intents: Vec<Intent>,
    /// Virtual time the turn takes; zero means the cluster's default.
    pub cost: Duration,
}

/// The API server's answer to one intent: the object written, if there is one. A tolerated refusal is `Ok(None)`.
pub type Reply = Result<Option<Obj>, ApiError>;

/// What the page shows on a component's lamp.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gauge {
    pub queued: usize,
    /// Items that wait for a later time (back-off, delays).
    pub delayed: usize,
}

/// The cluster calls `start` when the process starts (after a crash too: in-memory state is gone, the view is
/// relisted), `observe` for every change of interest, `step` when `ready_at` has come, and `settled` with the
/// replies to that step's intents before it is asked for another step.
pub trait Component: Any + Send + Sync {
    /// The lane in the timeline: `deployment-controller`, `kubelet/node-1`.
    fn name(&self) -> &Arc<str>;
    /// The process that is started and stopped as one: `kube-controller-manager`.
    fn process(&self) -> &str;
    fn user(&self) -> &User;
    /// `source.component` and `source.host` of Events: (`kubelet`, `node-1`).
    fn event_source(&self) -> (String, String);
    fn interests(&self) -> Vec<Interest>;
    fn start(&mut self, cx: &Cx);
    fn observe(&mut self, cx: &Cx, change: &Change);
    /// The earliest moment at which `step` has something to do; `None`: idle until something changes.
    fn ready_at(&self) -> Option<Time>;
    /// Takes one item; `None` when there was nothing after all.
    fn step(&mut self, cx: &Cx) -> Option<Step>;
    /// Replies in the order of the intents, ending with the one that stopped them; `seq` is the step's entry.
    fn settled(&mut self, cx: &Cx, replies: &[Reply], seq: Seq);
    fn gauge(&self, now: Time) -> Gauge;
    fn clone_box(&self) -> Box<dyn Component>;
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}
