//! The whole cluster as one deterministic machine: a store, an API server, components that take turns on
//! a virtual clock, and a trace of all of it. No I/O: a host feeds requests and time in and takes
//! responses and watch events out.

pub mod aggregation;
pub mod bootstrap;
mod callees;
mod checkpoint;
pub mod clouds;
mod component_metrics;
mod components;
pub mod control_plane;
pub mod elections;
pub mod errand;
pub mod exchange;
pub mod faults;
pub mod follow;
pub mod full;
pub mod hold;
pub mod http;
pub mod idle;
mod ingress;
pub mod intents;
mod kubelet_http;
pub mod machines;
pub mod metrics;
pub mod net;
pub mod nodeops;
pub mod recorder;
pub mod requests;
pub mod routes;
pub mod sessions;
mod shared;
pub mod slots;
mod telemetry;
pub mod trial;
pub mod turn;
pub mod waiting;

use api::ObjectExt;
use apiserver::{Answer, ApiCx, ApiServer, Callees, Request, Stored};
use meta::{Duration, Key, Reserve, Rng, Time};
use reconcile::{Change, Cx, View};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Backend, Store};
use trace::{Seq, Trace, What};

pub use cloud;
pub use hold::Held;
pub use http::HttpOutcome;
pub use machines::{Machine, Power};
pub use sessions::SessionId;
pub use slots::{Lamp, Slot};
pub use trial::Trial;
pub use turn::{Turn, Woken};

/// How long a watch event travels from the API server to a component.
pub const WATCH_LATENCY: Duration = Duration::from_millis(1);
/// What a turn takes when the component does not say.
pub const STEP_COST: Duration = Duration::from_millis(1);
#[derive(Clone, Debug)]
pub struct Config {
    pub seed: u64,
    /// Where the virtual clock starts.
    pub start: Time,
    /// Notes and full scheduling cycles are recorded.
    pub recording: bool,
    /// The trace's running hash is kept: two runs can be compared.
    pub hashing: bool,
    /// Trace entries kept.
    pub keep_entries: usize,
    /// The store's history is compacted to half when it grows past this many events. Each holds a version of its object:
    /// a few kilobytes.
    pub keep_history: usize,
    /// `KubeSchedulerConfiguration`; `None` is upstream's default.
    pub scheduler: Option<serde_json::Value>,
    /// What the keys for service account tokens and certificates are made of; `None`: of the seed, which anybody can know.
    pub service_account_secret: Option<[u8; 32]>,
    /// The cloud the machines are in; `None`: they are somebody's own.
    pub cloud: Option<cloud::Settings>,
    /// The control plane is a node of its own ([`control_plane`]).
    pub control_plane_node: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            seed: 1,
            start: Time::SIMULATION_START,
            recording: true,
            hashing: true,
            keep_entries: 200_000,
            keep_history: 40_000,
            scheduler: None,
            service_account_secret: None,
            cloud: None,
            control_plane_node: false,
        }
    }
}

/// Cloning is cheap (shared structure) but for the components' own state: a checkpoint or a branch.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) config: Config,
    pub(crate) now: Time,
    pub(crate) turns: u64,
    pub(crate) reserve: Reserve,
    pub(crate) store: Store<Stored>,
    pub(crate) api: ApiServer,
    pub(crate) authority: Arc<pki::Authority>,
    pub(crate) rng: Rng,
    pub(crate) election_rng: Rng,
    pub(crate) view: View,
    pub(crate) trace: Trace,
    pub(crate) slots: Vec<Slot>,
    pub(crate) by_name: BTreeMap<Arc<str>, usize>,
    pub(crate) routes: routes::Routes,
    /// Scratch for [`routes::Routes::of`].
    watchers: Vec<usize>,
    pub(crate) wakes: slots::Wakes,
    pub(crate) recorder: recorder::Recorder,
    pub(crate) machines: BTreeMap<String, Machine>,
    /// Every machine of a lower number than this exists: where the search for a free name begins.
    pub(crate) node_numbers_from: u32,
    pub(crate) idle: idle::Quiet,
    /// Store events the host has not taken yet.
    pub(crate) outbox: Vec<store::Event<Stored>>,
    pub(crate) outbox_on: bool,
    /// Processes that panicked since the host last asked: name and message.
    pub(crate) crashes: Vec<(String, String)>,
    pub(crate) lanes: Lanes,
    pub(crate) hold: hold::Hold,
    pub(crate) scheduler_text: Option<String>,
    pub(crate) cloud: Option<cloud::ToyCloud>,
    /// What is on the cloud's disks that no machine has.
    pub(crate) disks: BTreeMap<String, kubelet::runtime::DiskContent>,
    /// Nodes whose own disk is full, and claims whose volume is.
    pub(crate) full_disks: BTreeSet<String>,
    pub(crate) full_volumes: BTreeSet<String>,
    /// Images that no registry gives: see [`Cluster::blocked_images`].
    pub(crate) blocked: Arc<BTreeSet<String>>,
    /// Who calls webhooks; `None`: nobody, as in a tab.
    pub(crate) webhook_caller: Option<Arc<dyn apiserver::Caller>>,
    pub(crate) waiting: waiting::Waiting,
    /// How often the API server was asked what.
    pub(crate) requests: telemetry::Counts,
    /// When the API server looks whether it lacks something of its own; `None`: nothing went.
    own_due: Option<Time>,
}

/// Actors of the trace that are not components.
#[derive(Clone)]
pub(crate) struct Lanes {
    pub you: Arc<str>,
    pub apiserver: Arc<str>,
}

impl Cluster {
    /// A control plane without nodes.
    ///
    /// # Errors
    /// The scheduler's configuration is refused, with the field's path.
    pub fn new(config: Config) -> Result<Self, String> {
        let mut rng = Rng::new(config.seed);
        let scheduling = match &config.scheduler {
            Some(v) => scheduler::Config::parse(v)
                .map_err(|errors| meta::field::aggregate(errors.iter().map(ToString::to_string)))?,
            None => scheduler::Config::default(),
        };
        let scheduler = scheduler::Scheduler::new(scheduling, rng.fork())?;
        let service_account_secret = config.service_account_secret.unwrap_or_else(|| {
            let mut secret = [0; 32];
            secret[..8].copy_from_slice(&config.seed.to_le_bytes());
            secret
        });
        let authority = Arc::new(pki::Authority::new(&service_account_secret, config.start)?);
        let mut cluster = Cluster {
            authority: authority.clone(),
            now: config.start,
            turns: 0,
            reserve: Reserve::default(),
            store: Store::new(),
            api: ApiServer::new(apiserver::Config { service_account_secret, ..Default::default() }),
            rng,
            election_rng: elections::rng(config.seed),
            view: View::new(),
            trace: Trace::new(config.keep_entries, config.hashing),
            slots: Vec::new(),
            by_name: BTreeMap::new(),
            routes: routes::Routes::default(),
            watchers: Vec::new(),
            wakes: slots::Wakes::default(),
            recorder: recorder::Recorder::default(),
            machines: BTreeMap::new(),
            node_numbers_from: 1,
            idle: idle::Quiet::new(config.start),
            outbox: Vec::new(),
            outbox_on: false,
            crashes: Vec::new(),
            lanes: Lanes { you: "you".into(), apiserver: "kube-apiserver".into() },
            hold: hold::Hold::default(),
            scheduler_text: None,
            cloud: None,
            disks: BTreeMap::new(),
            full_disks: BTreeSet::new(),
            full_volumes: BTreeSet::new(),
            blocked: Arc::default(),
            webhook_caller: None,
            waiting: waiting::Waiting::default(),
            requests: telemetry::Counts::new(),
            own_due: None,
            config,
        };
        cluster.bootstrap();
        cluster.add_component(Box::new(scheduler));
        let tokens = pki::TokenKey::new(&service_account_secret);
        for c in controllers::all(authority, tokens) {
            cluster.add_component(c);
        }
        let seed = cluster.rng.next_u64();
        cluster.add_component(Box::new(network::KubeProxy::new(seed)));
        cluster.add_component(Box::new(network::IngressController::default()));
        cluster.view.gateway.listening = true;
        cluster.add_component(Box::new(metrics::MetricsServer::default()));
        cluster.serve_metrics(true);
        if let Some(settings) = cluster.config.cloud.clone() {
            cluster.start_cloud(settings);
        }
        match cluster.config.control_plane_node {
            true => cluster.add_control_plane()?,
            false => cluster.hold_elections(),
        }
        Ok(cluster)
    }

    pub fn now(&self) -> Time {
        self.now
    }
    /// Calls of components since the cluster began: with the inputs, this is its whole history.
    pub fn turns(&self) -> u64 {
        self.turns
    }
    /// Moves the clock forward without taking turns; what is due by then is late, not lost.
    pub fn set_clock(&mut self, t: Time) {
        if !self.is_held() {
            self.now = self.now.max(t);
        }
    }
    /// A seed for a part of the cluster (a machine), drawn from the cluster's generator.
    pub fn fork_seed(&mut self) -> u64 {
        self.rng.next_u64()
    }
    pub fn start_time(&self) -> Time {
        self.config.start
    }
    pub fn revision(&self) -> u64 {
        self.store.revision()
    }
    pub fn view(&self) -> &View {
        &self.view
    }
    pub fn trace(&self) -> &Trace {
        &self.trace
    }
    pub fn store(&self) -> &Store<Stored> {
        &self.store
    }
    pub fn api(&self) -> &ApiServer {
        &self.api
    }
    /// Who signs the cluster's certificates.
    pub fn authority(&self) -> &pki::Authority {
        &self.authority
    }
    pub fn recording(&self) -> bool {
        self.config.recording
    }

    /// From now on store events are kept for [`Cluster::take_events`]; a host with watches wants them.
    pub fn keep_events(&mut self) {
        self.outbox_on = true;
    }
    /// Store events since the last call, in order.
    pub fn take_events(&mut self) -> Vec<store::Event<Stored>> {
        std::mem::take(&mut self.outbox)
    }
    /// Processes that panicked since the last call, with the panic's message. They have been restarted.
    pub fn take_crashes(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.crashes)
    }

    /// A request of the person at the keyboard.
    pub fn request(&mut self, req: Request) -> Answer {
        let you = self.lanes.you.clone();
        self.execute(&you, 0, req).0
    }

    /// Notes an action that is not an API request; what follows can name it as cause.
    pub(crate) fn action(&mut self, action: &str, target: &str) -> Seq {
        self.release();
        let what = What::Action { action: action.into(), target: target.into() };
        let you = self.lanes.you.clone();
        self.trace.push(self.now, 0, &you, what)
    }

    /// Lets the API server handle a request, records it, and delivers what changed.
    pub(crate) fn execute(&mut self, actor: &Arc<str>, cause: Seq, req: Request) -> (Answer, Seq) {
        self.execute_on(actor, cause, req, None)
    }

    /// The same for a request that does not wait for webhooks: where one has not answered yet, nothing has happened
    /// ([`apiserver::WAITS`]).
    pub(crate) fn execute_on(
        &mut self,
        actor: &Arc<str>,
        cause: Seq,
        req: Request,
        errand: Option<&errand::Errand>,
    ) -> (Answer, Seq) {
        self.reserve.top_up();
        let writes = intents::writes(&req);
        if writes && Arc::ptr_eq(actor, &self.lanes.you) {
            // A cycle that somebody looks at has begun before this request: it ends first.
            self.release();
        }
        let entry = (writes && self.trace.is_on()).then(|| intents::Summary::of(&req));
        let accounts_come = self.accounts_come();
        let asked = telemetry::asked(&req);
        // Connections are admitted, too.
        let admitted = writes || matches!(req.subresource, "exec" | "attach" | "portforward" | "proxy");
        let mut callees =
            if admitted || req.kind.custom.is_some() { self.callees(Some(req.kind)) } else { Callees::default() };
        let errand = errand.filter(|e| callees.caller.is_some() && !e.is_hopeless() && self.has_webhooks(req.kind));
        let mut own = errand.map(|e| e.begin(self.now, || self.rng.fork()));
        if let Some(errand) = errand {
            callees.caller = Some(Arc::new(errand.clone()));
        }
        let (now, rng) = match &mut own {
            Some((begun, rng)) => (*begun, rng),
            None => (self.now, &mut self.rng),
        };
        let mut cx = ApiCx { now, store: &mut self.store, rng, accounts_come, callees: &callees };
        let answer = self.api.handle(&mut cx, req);
        if answer.code == apiserver::WAITS {
            return (answer, 0);
        }
        telemetry::count(&mut self.requests, asked, answer.code);
        if !writes {
            return (answer, 0);
        }
        let seq = match entry {
            Some(entry) => self.trace.push(self.now, cause, actor, entry.finish(&answer)),
            None => self.trace.skip(),
        };
        self.deliver(&answer.events, seq);
        if self.store.log_len() > self.config.keep_history {
            let middle = self.store.revision() - (self.store.revision() - self.store.compacted_revision()) / 2;
            // The revision lies between the oldest kept and the newest, so this cannot be refused.
            let _ = self.store.compact(middle);
        }
        (answer, seq)
    }

    /// Deletes what was written under a lease that has run out: Events, after an hour.
    pub(crate) fn expire_leases(&mut self) {
        if self.store.next_expiry().is_some_and(|t| t <= self.now.as_micros()) {
            let gone = self.store.expire_leases(self.now.as_micros());
            self.deliver(&gone, 0);
        }
    }

    /// Brings committed events to the view and to every running component that watches them.
    fn deliver(&mut self, events: &[store::Event<Stored>], cause: Seq) {
        let mut watchers = std::mem::take(&mut self.watchers);
        for e in events {
            let Some(object) = e.new.as_ref().or(e.old.as_ref()).map(|x| &x.value.0) else { continue };
            let change = Change {
                kind: object.kind(),
                key: object.key(),
                old: e.old.as_ref().map(|x| x.value.0.clone()),
                new: e.new.as_ref().map(|x| x.value.0.clone()),
                revision: e.revision,
                cause,
            };
            self.view.apply(change.kind, &change.key, change.old.as_ref(), change.new.as_ref(), e.revision);
            self.idle.observe(self.now, &change);
            self.note_own(&change);
            self.follow_metrics(&change);
            if self.outbox_on {
                self.outbox.push(e.clone());
            }
            let cx = Cx { now: self.now, view: &self.view, recording: self.config.recording };
            self.routes.of(&change, &mut watchers);
            for &i in &watchers {
                self.hold.changed(i);
                let slot = &mut self.slots[i];
                if slot.lamp == Lamp::Running && slot.stale.is_none() {
                    slot.component.observe(&cx, &change);
                    self.wakes.schedule(i, slot, self.now + WATCH_LATENCY);
                }
            }
        }
        self.watchers = watchers;
    }

    /// The present object as the API server would return it.
    pub fn object(&self, kind: api::KindRef, key: &Key) -> Option<api::Obj> {
        self.view.get_obj(kind, key).cloned()
    }
}
