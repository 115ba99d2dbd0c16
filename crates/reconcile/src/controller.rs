//! A controller: `reconcile(view, key) -> intents`, and the runner that makes a component of it.

use crate::component::{Change, Component, Cx, Gauge, Interest, Reply, Step};
use crate::intent::Intent;
use crate::queue::WorkQueue;
use api::KindRef;
use meta::{Duration, Key, Time, User};
use std::any::Any;
use std::sync::Arc;
use trace::{Note, Seq};

/// One watched kind and which keys a change of it queues (an informer's event handler).
#[derive(Clone, Copy)]
pub struct Watch {
    pub kind: KindRef,
    pub keys: fn(&Cx, &Change, &mut Vec<Key>),
}

/// What a sync of upstream's controllers takes in a cluster where requests are answered at once.
const BASE_COST: Duration = Duration::from_millis(1);
/// Claiming, counting and comparing one more pod.
const COST_PER_OBJECT_MICROS: u64 = 10;

/// What one reconcile wants. Delays leave as `requeue_after`.
#[derive(Debug, Default)]
pub struct Outcome {
    pub intents: Vec<Intent>,
    pub notes: Vec<Note>,
    pub requeue_after: Option<Duration>,
    /// Other items that need a look.
    pub enqueue: Vec<Key>,
    /// What the reconcile takes; zero is what any turn takes.
    pub cost: Duration,
}

impl Outcome {
    pub fn done() -> Self {
        Self::default()
    }
    /// A reconcile that looked at so many objects takes that much longer. So changes that come meanwhile are seen
    /// together, as they are in a real cluster, and a controller of many objects is not called for each of them.
    pub fn looked_at(&mut self, objects: usize) {
        self.cost = BASE_COST + Duration::from_micros(COST_PER_OBJECT_MICROS * objects as u64);
    }
    pub fn push(&mut self, i: Intent) {
        self.intents.push(i);
    }
    pub fn note(&mut self, n: Note) {
        self.notes.push(n);
    }
    /// The earliest of several wishes wins.
    pub fn requeue(&mut self, after: Duration) {
        self.requeue_after = Some(self.requeue_after.map_or(after, |r| r.min(after)));
    }
}

/// State kept between reconciles must be rebuildable: it is lost when the process restarts (`Default`).
pub trait Controller: Clone + Default + Send + Sync + 'static {
    /// Upstream's canonical name: `deployment-controller`.
    const NAME: &'static str;
    const PROCESS: &'static str = "kube-controller-manager";
    /// `source.component` of its Events.
    const EVENT_SOURCE: &'static str = Self::NAME;

    /// Upstream runs each controller as its own service account in kube-system.
    fn user() -> User {
        User::controller(Self::NAME)
    }
    /// It when its process starts anew: all but what the process is told on its command line is forgotten.
    #[must_use]
    fn anew(&self) -> Self {
        Self::default()
    }
    fn watches() -> Vec<Watch>;
    /// Which keys a change of any custom resource queues; `None`: they are not watched.
    const CUSTOM: Option<fn(&Cx, &Change, &mut Vec<Key>)> = None;
    /// Keys to queue when the process starts, beyond those its watches give for every existing object.
    fn initial(_cx: &Cx) -> Vec<Key> {
        Vec::new()
    }
    /// How long what a change queues waits for further changes.
    fn batch(_change: &Change) -> Duration {
        Duration::ZERO
    }
    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome;
    /// The replies to that reconcile's intents, ending with the one that stopped them. A refusal has the key
    /// queued again anyway; a controller that reports refusals in a status takes them from here.
    fn settled(&mut self, _cx: &Cx, _key: &Key, _replies: &[Reply]) {}
}

/// Runs a [`Controller`] as a [`Component`] with a rate-limited work queue.
#[derive(Clone)]
pub struct Runner<C> {
    name: Arc<str>,
    user: User,
    watches: Vec<Watch>,
    controller: C,
    queue: WorkQueue<Key>,
    /// The item whose intents are being carried out.
    current: Option<(Key, Option<Duration>, Vec<Key>)>,
    scratch: Vec<Key>,
}

impl<C: Controller> Default for Runner<C> {
    fn default() -> Self {
        Self::new(C::default())
    }
}

impl<C: Controller> Runner<C> {
    pub fn new(controller: C) -> Self {
        Runner {
            name: C::NAME.into(),
            user: C::user(),
            watches: C::watches(),
            controller,
            queue: WorkQueue::default(),
            current: None,
            scratch: Vec::new(),
        }
    }
}

impl<C: Controller> Runner<C> {
    /// For the host, which has something for the controller that is in no view.
    pub fn controller_mut(&mut self) -> &mut C {
        &mut self.controller
    }
    /// An item has to be looked at.
    pub fn queue(&mut self, key: Key) {
        self.queue.add(key, 0);
    }
}

impl<C: Controller> Component for Runner<C> {
    fn name(&self) -> &Arc<str> {
        &self.name
    }
    fn process(&self) -> &str {
        C::PROCESS
    }
    fn user(&self) -> &User {
        &self.user
    }
    fn event_source(&self) -> (String, String) {
        (C::EVENT_SOURCE.into(), String::new())
    }
    fn interests(&self) -> Vec<Interest> {
        let custom = C::CUSTOM.map(|_| Interest::Custom);
        self.watches.iter().map(|w| Interest::Kind(w.kind)).chain(custom).collect()
    }
    fn start(&mut self, cx: &Cx) {
        *self = Self::new(self.controller.anew());
        let custom = cx.view.kinds().custom().filter(|_| C::CUSTOM.is_some());
        for kind in C::watches().into_iter().map(|w| w.kind).chain(custom) {
            for o in cx.view.list_obj(kind) {
                use api::ObjectExt;
                let change = Change {
                    kind,
                    key: o.key(),
                    old: None,
                    new: Some(o.clone()),
                    revision: cx.view.revision(),
                    cause: 0,
                };
                self.observe(cx, &change);
            }
        }
        for key in C::initial(cx) {
            self.queue.add(key, 0);
        }
    }
    fn observe(&mut self, cx: &Cx, change: &Change) {
        let mut keys = std::mem::take(&mut self.scratch);
        for w in self.watches.iter().filter(|w| w.kind == change.kind) {
            (w.keys)(cx, change, &mut keys);
        }
        if let (Some(of), true) = (C::CUSTOM, change.kind.custom.is_some()) {
            of(cx, change, &mut keys);
        }
        let batch = C::batch(change);
        for key in keys.drain(..) {
            if batch == Duration::ZERO {
                self.queue.add(key, change.cause);
            } else {
                self.queue.add_at(key, cx.now + batch, change.cause);
            }
        }
        self.scratch = keys;
    }
    fn ready_at(&self) -> Option<Time> {
        self.queue.ready_at()
    }
    fn step(&mut self, cx: &Cx) -> Option<Step> {
        let (key, cause) = self.queue.pop(cx.now)?;
        let out = self.controller.reconcile(cx, &key);
        let item = key.as_str().to_string();
        self.current = Some((key, out.requeue_after, out.enqueue));
        Some(Step { item, cause, notes: out.notes, intents: out.intents, cost: out.cost, ..Default::default() })
    }
    fn settled(&mut self, cx: &Cx, replies: &[Reply], seq: Seq) {
        let Some((key, requeue, others)) = self.current.take() else { return };
        self.controller.settled(cx, &key, replies);
        for other in others {
            self.queue.add(other, seq);
        }
        if replies.last().is_some_and(Result::is_err) {
            self.queue.add_rate_limited(key, cx.now, seq);
            return;
        }
        self.queue.forget(&key);
        if let Some(d) = requeue {
            self.queue.add_at(key, cx.now + d, seq);
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
