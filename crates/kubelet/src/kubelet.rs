//! The kubelet as a component: its queue, its pods' workers, its node's status and lease.
//! Models `pkg/kubelet/kubelet.go`.

use crate::config::{CsiPlugin, NodeConfig};
use crate::csi;
use crate::eviction::Manager;
use crate::node;
use crate::pod::admit::Admitted;
use crate::pod::status::{Surroundings, patch};
use crate::pod::volumes;
use crate::pod::{Addresses, Exit, PodWorker, Requests, Role, Run, Stage, SyncCx, exit_reason};
use crate::pod::{attachable, expand};
use crate::runtime::{Runtime, RuntimeCommand, RuntimeEvent};
use crate::statics::Manifests;
use api::{Obj, Object, ObjectExt, Registered, references};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Node, PersistentVolumeClaim, Pod, Secret};
use meta::{Duration, Key, Rng, Time, User};
use reconcile::{Change, Component, Cx, EventType, Gauge, Intent, Interest, Reply, Step, Tolerate, WorkQueue, Write};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use trace::{Seq, note};

mod mirrors;
mod pressure;

/// Until the container network is up, in milliseconds at speed 1.
const NETWORK_READY_MILLIS: u64 = 500;
/// What could not be written is tried again at least so often. Upstream posts statuses every 10 s (`syncPeriod`), renews
/// leases every 10 s.
const RETRY_MAX: Duration = Duration::from_secs(10);
/// The first of these retries, as for any queue.
const RETRY_FIRST: Duration = Duration::from_millis(5);
/// Within so much a running pod is synced anyway: `syncFrequency` and half as much jitter.
const RESYNC_MILLIS: u32 = 90_000;

/// Watched by kubelets whose volumes can grow.
pub const CLAIMS: Interest = Interest::Kind(PersistentVolumeClaim::KIND_REF);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Node,
    Lease,
    /// Whether the node has enough of everything.
    Pressure,
    /// By UID.
    Pod(Arc<str>),
    /// A mirror pod that may be one of nothing.
    Mirror(Key),
}

#[derive(Clone)]
struct Worker {
    pod: Obj,
    state: PodWorker,
    inbox: Vec<RuntimeEvent>,
    /// A file of the node says that it runs.
    is_static: bool,
}

pub struct Kubelet {
    name: Arc<str>,
    process: String,
    user: User,
    config: Arc<NodeConfig>,
    runtime: Box<dyn Runtime>,
    queue: WorkQueue<Item>,
    /// Each shared with a copy of the kubelet until it changes: a checkpoint costs what differs.
    pods: BTreeMap<Arc<str>, Arc<Worker>>,
    /// What the manifest directory of the node's own disk says.
    written: Manifests,
    /// The mirror pods of the node as they are at the API server.
    mirrors: BTreeMap<Key, Obj>,
    requests: Requests,
    addresses: Addresses,
    rng: Rng,
    registered: bool,
    /// Whether the node was unschedulable when it was last said.
    cordoned: bool,
    ready: bool,
    lease: Option<Obj>,
    /// When the node's conditions were last reported.
    reported: Time,
    /// See [`Kubelet::volumes_in_use`]; as of the newest change.
    in_use: BTreeSet<String>,
    eviction: Manager,
    /// The item whose intents are being carried out, and when it wants to be looked at again.
    current: Option<(Item, Option<Time>)>,
}

impl Clone for Kubelet {
    fn clone(&self) -> Self {
        Kubelet {
            name: self.name.clone(),
            process: self.process.clone(),
            user: self.user.clone(),
            config: self.config.clone(),
            runtime: self.runtime.clone_box(),
            queue: self.queue.clone(),
            pods: self.pods.clone(),
            written: self.written.clone(),
            mirrors: self.mirrors.clone(),
            requests: self.requests.clone(),
            addresses: self.addresses.clone(),
            rng: self.rng.clone(),
            registered: self.registered,
            cordoned: self.cordoned,
            ready: self.ready,
            lease: self.lease.clone(),
            reported: self.reported,
            in_use: self.in_use.clone(),
            eviction: self.eviction.clone(),
            current: self.current.clone(),
        }
    }
}

impl Kubelet {
    pub fn new(config: NodeConfig, runtime: Box<dyn Runtime>) -> Self {
        Kubelet {
            name: format!("kubelet/{}", config.name).into(),
            process: format!("kubelet/{}", config.name),
            user: User::node(&config.name),
            rng: Rng::new(config.seed),
            config: Arc::new(config),
            runtime,
            queue: WorkQueue::with_delays(RETRY_FIRST, RETRY_MAX),
            pods: BTreeMap::new(),
            written: Manifests::new(),
            mirrors: BTreeMap::new(),
            requests: Requests::default(),
            addresses: Addresses::default(),
            registered: false,
            cordoned: false,
            ready: false,
            lease: None,
            reported: Time(0),
            in_use: BTreeSet::new(),
            eviction: Manager::default(),
            current: None,
        }
    }
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }
    /// As if it had been restarted with `--cloud-provider=external`.
    pub fn use_external_cloud(&mut self, plugin: CsiPlugin) {
        let config = Arc::make_mut(&mut self.config);
        config.external_cloud = true;
        config.csi = vec![plugin];
        self.queue.add(Item::Node, 0);
    }
    pub fn runtime(&self) -> &dyn Runtime {
        &*self.runtime
    }
    pub fn runtime_mut(&mut self) -> &mut dyn Runtime {
        &mut *self.runtime
    }

    fn node_key(&self) -> Key {
        Key::new("", &self.config.name)
    }

    /// Takes a pod of this node in, or its change.
    fn accept(&mut self, obj: &Obj, cause: Seq) {
        let Some(pod) = obj.downcast::<Pod>() else { return };
        if references::is_mirror(pod) {
            return self.mirror_changed(obj.key(), Some(obj.clone()), cause);
        }
        let uid: Arc<str> = obj.uid().into();
        match self.pods.get_mut(&uid).map(Arc::make_mut) {
            Some(w) => {
                let metadata = |o: &Obj| (o.meta().labels.clone(), o.meta().annotations.clone());
                if volumes::shows_metadata(pod) && metadata(&w.pod) != metadata(obj) {
                    w.state.remount_at = Some(Time(0));
                }
                w.pod = obj.clone();
                w.state.sent = None;
            }
            None => {
                let state = PodWorker::new(pod, uid.clone(), obj.key());
                let worker = Worker { pod: obj.clone(), state, inbox: Vec::new(), is_static: false };
                self.pods.insert(uid.clone(), Arc::new(worker));
            }
        }
        self.queue.add(Item::Pod(uid), cause);
    }

    /// Running pods see new content with their next regular sync. Models `syncFrequency` with the workers' jitter.
    fn shown_object_changed(&mut self, cx: &Cx, change: &Change) {
        if change.new.is_none() {
            return;
        }
        for (uid, w) in &mut self.pods {
            let shows = w.state.key.namespace() == change.key.namespace()
                && w.pod.downcast::<Pod>().is_some_and(|p| volumes::shows(p, change.kind.kind, change.key.name()));
            let soon = cx.now + Duration::from_millis(u64::from(RESYNC_MILLIS));
            if shows && w.state.remount_at.is_none_or(|at| at > soon) {
                let wait = u64::from(self.rng.below(RESYNC_MILLIS)) / u64::from(self.config.speed.max(1));
                let at = cx.now + Duration::from_millis(wait);
                Arc::make_mut(w).state.remount_at = Some(at);
                self.queue.add_at(Item::Pod(uid.clone()), at, change.cause);
            }
        }
    }

    fn take_turn(&mut self, cx: &Cx) -> Option<Step> {
        self.poll(cx.now);
        // Turns that change nothing are not worth a line in the trace.
        while let Some((item, cause)) = self.queue.pop(cx.now) {
            let (name, intents, notes, wake) = match &item {
                Item::Node => {
                    let (intents, notes, wake) = self.sync_node(cx);
                    (format!("node/{}", self.config.name), intents, notes, wake)
                }
                Item::Lease => {
                    let (intents, wake) = self.sync_lease(cx);
                    (format!("lease/{}", self.config.name), intents, Vec::new(), wake)
                }
                Item::Pressure => {
                    let (intents, notes, wake) = self.sync_pressure(cx);
                    (format!("pressure/{}", self.config.name), intents, notes, wake)
                }
                Item::Pod(uid) => self.sync_pod(cx, uid),
                Item::Mirror(key) => (key.as_str().to_string(), self.sync_mirror(key), Vec::new(), None),
            };
            if intents.is_empty() && notes.is_empty() {
                if let Some(at) = wake {
                    self.queue.add_at(item, at, cause);
                }
                continue;
            }
            self.current = Some((item, wake));
            return Some(Step { item: name, cause, notes, intents, ..Default::default() });
        }
        None
    }

    /// Hands what the runtime has to say to the workers.
    fn poll(&mut self, now: Time) {
        if self.runtime.next_at().is_none_or(|t| t > now) {
            return;
        }
        let mut events = Vec::new();
        self.runtime.poll(now, &mut events);
        if self.runtime.manifest_files_changed() {
            self.read_manifest_files();
            self.load_manifests(now);
        }
        self.look_at_usage(now);
        for e in events {
            let uid = match &e {
                RuntimeEvent::Started { id, .. }
                | RuntimeEvent::StartFailed { id, .. }
                | RuntimeEvent::Exited { id, .. } => Some(id.pod_uid.clone()),
                RuntimeEvent::ImagePulled { pull, .. } | RuntimeEvent::ImagePullFailed { pull, .. } => {
                    self.requests.close(*pull)
                }
                RuntimeEvent::ProbeResult { probe, .. } => self.requests.close(*probe),
            };
            if matches!(e, RuntimeEvent::ImagePulled { .. }) {
                self.queue.add_at(Item::Node, now + node::STATUS_UPDATE_PERIOD, 0);
            }
            if let Some(w) = uid.and_then(|uid| self.pods.get_mut(&uid)).map(Arc::make_mut) {
                w.inbox.push(e);
                self.queue.add(Item::Pod(w.state.uid.clone()), w.state.cause);
            }
        }
    }

    /// What the admitted pods that still run have of the node, without `except`.
    fn used(&self, except: &str) -> Admitted {
        let mut total = Admitted::default();
        for (uid, w) in &self.pods {
            let Some(pod) = w.pod.downcast::<Pod>().map(|p| w.state.given(p)) else { continue };
            let Some(spec) = &pod.spec else { continue };
            if **uid == *except || !w.state.admitted || w.state.has_ended(spec) {
                continue;
            }
            total.add(spec);
        }
        total
    }

    /// The volumes that pods use, or will: those must stay attached.
    fn volumes_in_use(&self, cx: &Cx) -> BTreeSet<String> {
        let mut out = BTreeSet::new();
        for w in self.pods.values() {
            let Some(pod) = w.pod.downcast::<Pod>() else { continue };
            let Some(spec) = &pod.spec else { continue };
            let refused = w.state.verdict.is_some() && !w.state.admitted;
            if !refused && !w.state.has_ended(spec) && !already_over(pod, &w.state) {
                out.extend(attachable(pod, cx.view).into_iter().map(|(_, unique)| unique));
            }
        }
        out
    }

    fn sync_pod(&mut self, cx: &Cx, uid: &Arc<str>) -> (String, Vec<Intent>, Vec<trace::Note>, Option<Time>) {
        if self.waits_for_another(uid) {
            return Default::default();
        }
        let used = match self.pods.get(uid) {
            Some(w) if !w.state.admitted || w.pod.downcast::<Pod>().is_some_and(|p| w.state.wants_more(p)) => {
                self.used(uid)
            }
            _ => Admitted::default(),
        };
        let Some(worker) = self.pods.get_mut(uid).map(Arc::make_mut) else { return Default::default() };
        let (object, is_static) = (worker.pod.clone(), worker.is_static);
        let Some(wanted) = object.downcast::<Pod>() else { return Default::default() };
        let item = worker.state.key.as_str().to_string();
        let inbox = std::mem::take(&mut worker.inbox);
        let key = Key::new("", &self.config.name);
        let mut scx = SyncCx {
            now: cx.now,
            view: cx.view,
            config: &self.config,
            node: cx.view.get::<Node>(&key),
            runtime: &mut *self.runtime,
            rng: &mut self.rng,
            requests: &mut self.requests,
            addresses: &mut self.addresses,
            pressure: self.eviction.conditions(),
            intents: Vec::new(),
            notes: Vec::new(),
            wake: None,
        };
        let w = &mut worker.state;
        w.resize(wanted, &used.requests, &mut scx);
        let given = w.given(wanted);
        let pod = &*given;
        if already_over(pod, w) {
            // It ended before this kubelet started; only its deletion is left to do.
            w.terminating = Some(Duration::ZERO);
        } else {
            w.sync(pod, &used, inbox, &mut scx);
        }
        let (mut intents, mut notes, wake) = (scx.intents, scx.notes, scx.wake);
        let settled = w.is_quiet() && w.terminating.is_some();
        let deleting = pod.metadata.deletion_timestamp.is_some();
        let ended = settled || (w.verdict.is_some() && !w.admitted);
        let gone = (w.deleted || (is_static && deleting)) && ended;
        let mirror = self.mirrors.get(&w.key).filter(|_| is_static);
        if !w.deleted && !already_over(pod, w) && !w.is_replacing() {
            let (runtime, _) = self.runtime.version();
            let around = Surroundings { now: cx.now, host_ip: &self.config.internal_ip, runtime: &runtime };
            let status = w.status(pod, &around);
            let known = if is_static { mirrors::shown(wanted, mirror) } else { Some(pod) };
            let patch = known.filter(|_| w.sent.as_deref() != Some(&status)).and_then(|known| patch(&status, known));
            if is_static && let Some(pod) = mirrors::with_status(wanted, status.clone()) {
                worker.pod = pod;
            }
            if let Some(patch) = patch {
                notes.push(note!("kubelet.status", pod = &w.key, phase = &status.phase.as_deref().unwrap_or(""),));
                w.sent = Some(Arc::new(status));
                intents.push(Intent::patch_status(patch).tolerate(Tolerate::NotFound));
            }
        }
        if is_static && !deleting {
            intents.extend(mirrors::reconcile(&w.key, wanted, mirror, cx.view.get::<Node>(&key)));
        }
        if deleting && ended && !is_static && !w.deleted && !w.delete_sent {
            w.delete_sent = true;
            notes.push(note!("kubelet.pod-deleted", pod = &w.key));
            intents.push(Intent {
                write: Write::Delete {
                    kind: Pod::KIND_REF,
                    key: w.key.clone(),
                    uid: Some(uid.to_string()),
                    grace_seconds: Some(0),
                    propagation: None,
                },
                tolerate: Tolerate::NotFound,
                announce: None,
            });
        }
        if gone {
            self.runtime.command(cx.now, RuntimeCommand::RemovePod { pod_uid: uid.clone() });
            self.addresses.release(uid);
            self.requests.forget(uid);
            if let Some(w) = self.pods.remove(uid).filter(|w| w.is_static) {
                self.static_pod_ended(&w.state.key, cx.now);
            }
        }
        if !self.config.csi.is_empty() && volumes::has_claims(pod) {
            let in_use = self.volumes_in_use(cx);
            if in_use != self.in_use {
                self.in_use = in_use;
                self.queue.add(Item::Node, 0);
            }
        }
        (item, intents, notes, wake)
    }

    fn sync_node(&mut self, cx: &Cx) -> (Vec<Intent>, Vec<trace::Note>, Option<Time>) {
        let existing = cx.view.get::<Node>(&self.node_key());
        let name = &self.config.name;
        let mut intents = Vec::new();
        let mut notes = Vec::new();
        let first = !self.registered;
        if existing.is_none() && self.ready {
            // Deleted while the kubelet runs: upstream registers again only when it is restarted.
            return (intents, notes, None);
        }
        self.ready |= existing.is_some();
        let images = self.runtime.images();
        let input = node::StatusInput {
            config: &self.config,
            runtime_version: self.runtime.version(),
            images,
            ready: self.ready,
            short: self.eviction.conditions(),
            now: cx.now,
        };
        let status = node::status(input, existing);
        match existing {
            None => {
                intents.push(Intent::create(node::new_node(&self.config, status)).tolerate(Tolerate::AlreadyExists));
                notes.push(note!("kubelet.node-registered", node = &name));
            }
            Some(node) => {
                if first {
                    let have = node.metadata.labels.clone().unwrap_or_default();
                    let missing: BTreeMap<_, _> =
                        node::labels(&self.config).into_iter().filter(|(k, v)| have.get(k) != Some(v)).collect();
                    if !missing.is_empty() {
                        let patch = serde_json::json!({ "metadata": { "labels": missing } });
                        intents.push(Intent::patch(Node::KIND_REF, self.node_key(), "", patch));
                    }
                }
                if self.ready {
                    intents.extend(csi::register(&self.config, node, cx));
                }
                let used: Vec<&String> = self.in_use.iter().collect();
                let said = node.status.iter().flat_map(|s| s.volumes_in_use.iter().flatten());
                if !said.eq(used.iter().copied()) {
                    let used = (!used.is_empty()).then_some(used);
                    let patch = serde_json::json!({ "status": { "volumesInUse": used } });
                    intents.push(Intent::patch(Node::KIND_REF, self.node_key(), "status", patch));
                }
                let heartbeat = first || cx.now.since(self.reported) >= node::STATUS_REPORT_PERIOD;
                if let Some(patch) = node::status_patch(&status, node, heartbeat) {
                    intents.push(Intent::patch_status(patch));
                    if heartbeat {
                        self.reported = cx.now;
                    }
                    notes.push(note!("kubelet.node-status", node = &name, ready = &self.ready));
                }
            }
        }
        if first {
            intents.push(node::event(name, EventType::Normal, "Starting", "Starting kubelet.".into()));
            intents.extend(node::pressure_events(name, self.eviction.conditions(), |_| None));
            let message = "Updated Node Allocatable limit across pods".to_string();
            intents.push(node::event(name, EventType::Normal, "NodeAllocatableEnforced", message));
            self.registered = true;
            self.queue.add_at(Item::Lease, cx.now, 0);
        }
        if let Some(node) = existing.filter(|_| self.ready) {
            if !first {
                // The node controller may have written these over.
                let before = |kind: &str| match condition(node, kind) {
                    Some("True") => Some(true),
                    Some("False") => Some(false),
                    _ => None,
                };
                intents.extend(node::pressure_events(name, self.eviction.conditions(), before));
            }
            if condition(node, "Ready") != Some("True") {
                intents.push(node::status_event(name, "NodeReady"));
            }
            if node::is_cordoned(node) != self.cordoned {
                self.cordoned = !self.cordoned;
                let reason = if self.cordoned { "NodeNotSchedulable" } else { "NodeSchedulable" };
                intents.push(node::status_event(name, reason));
            }
        }
        let next = if self.ready {
            cx.now + node::STATUS_REPORT_PERIOD
        } else {
            cx.now + Duration::from_millis((NETWORK_READY_MILLIS / u64::from(self.config.speed.max(1))).max(1))
        };
        (intents, notes, Some(next))
    }

    fn sync_lease(&mut self, cx: &Cx) -> (Vec<Intent>, Option<Time>) {
        let Some(node) = cx.view.get::<Node>(&self.node_key()) else {
            return (Vec::new(), Some(cx.now + Duration::from_secs(1)));
        };
        let key = Key::new(node::LEASE_NAMESPACE, &self.config.name);
        let known = self.lease.as_ref().and_then(|o| o.downcast::<Lease>()).or_else(|| cx.view.get::<Lease>(&key));
        let intent = match known {
            Some(l) => Intent::update(node::renewed(l, cx.now)),
            None => Intent::create(node::new_lease(node, cx.now)).tolerate(Tolerate::AlreadyExists),
        };
        (vec![intent], Some(cx.now + node::LEASE_RENEW_PERIOD))
    }

    /// What a restarted kubelet learns from the runtime about a pod it finds bound to its node.
    fn recover(&mut self) {
        let mut last: BTreeMap<(Arc<str>, Arc<str>), Vec<crate::runtime::ContainerRecord>> = BTreeMap::new();
        for r in self.runtime.containers() {
            last.entry((r.id.pod_uid.clone(), r.id.container.clone())).or_default().push(r);
        }
        let mut orphans = Vec::new();
        for ((uid, container), mut records) in last {
            let Some(w) = self.pods.get_mut(&uid).map(Arc::make_mut) else {
                orphans.push(uid);
                continue;
            };
            let status = w.pod.downcast::<Pod>().and_then(|p| p.status.as_ref());
            let state = &mut w.state;
            state.admitted = true;
            state.sandbox_ready = true;
            state.ip = status.and_then(|s| s.pod_ip.clone()).unwrap_or_default();
            if let Some(t) = status.and_then(|s| s.start_time.as_ref()) {
                state.started_at = Time::from_k8s(t);
            }
            self.addresses.mark(&state.ip, &uid);
            let Some(c) = state.index_of(&container) else { continue };
            let listed = status.map(|s| s.container_statuses.iter().chain(&s.init_container_statuses).flatten());
            let image_id = listed.into_iter().flatten().find(|s| *s.name == *container).map(|s| s.image_id.clone());
            records.sort_by_key(|r| r.id.attempt);
            let run = |r: &crate::runtime::ContainerRecord| Run {
                attempt: r.id.attempt,
                image: r.image.clone(),
                image_id: image_id.clone().unwrap_or_default(),
                started_at: r.started_at,
                exit: r.exited.as_ref().and_then(exit_of),
                user: r.identity.as_ref().map(crate::pod::linux_user),
            };
            let mut newest = records.iter().rev();
            let c = &mut state.containers[c];
            c.run = newest.next().map(run);
            c.previous = newest.next().map(run);
            let running = c.run.as_ref().is_some_and(|r| r.exit.is_none());
            c.stage = if running { Stage::Running } else { Stage::Exited };
            state.initialized |= c.role == Role::Main;
        }
        for uid in orphans {
            self.runtime.command(Time(0), RuntimeCommand::RemovePod { pod_uid: uid });
        }
    }
}

/// The status of a node's condition.
fn condition<'a>(node: &'a Node, kind: &str) -> Option<&'a str> {
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|c| c.type_ == kind).map(|c| c.status.as_str())
}

fn exit_of(e: &RuntimeEvent) -> Option<Exit> {
    match e {
        RuntimeEvent::Exited { at, code, reason, signal, message, .. } => {
            Some(Exit { at: *at, code: *code, signal: *signal, reason: exit_reason(*reason), message: message.clone() })
        }
        RuntimeEvent::StartFailed { at, message, exit_code, .. } => Some(Exit {
            at: *at,
            code: *exit_code,
            signal: None,
            reason: "StartError".into(),
            message: message.clone(),
        }),
        _ => None,
    }
}

/// A finished pod that this kubelet never ran (it was restarted since).
fn already_over(pod: &Pod, w: &PodWorker) -> bool {
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed")) && !w.admitted && w.verdict.is_none()
}

impl Component for Kubelet {
    fn name(&self) -> &Arc<str> {
        &self.name
    }
    fn process(&self) -> &str {
        &self.process
    }
    fn user(&self) -> &User {
        &self.user
    }
    fn event_source(&self) -> (String, String) {
        ("kubelet".into(), self.config.name.clone())
    }
    fn interests(&self) -> Vec<Interest> {
        let node = self.config.name.as_str();
        let mut all = vec![
            Interest::PodsOnNode(node.into()),
            Interest::Object(Node::KIND_REF, self.node_key()),
            Interest::Kind(ConfigMap::KIND_REF),
            Interest::Kind(Secret::KIND_REF),
        ];
        if !self.config.csi.is_empty() {
            all.push(CLAIMS);
        }
        all
    }
    fn start(&mut self, cx: &Cx) {
        self.queue.clear();
        self.pods.clear();
        self.mirrors.clear();
        self.requests = Requests::default();
        self.addresses = Addresses::default();
        self.registered = false;
        self.ready = false;
        self.lease = None;
        self.eviction = Manager::default();
        self.current = None;
        let config = self.config.clone();
        for pod in cx.view.pods_on_node(&config.name) {
            let key = (pod as &dyn Object).key();
            if let Some(obj) = cx.view.get_obj(Pod::KIND_REF, &key).cloned() {
                self.accept(&obj, 0);
            }
        }
        self.read_manifest_files();
        self.load_manifests(cx.now);
        self.recover();
        for w in self.pods.values_mut().map(Arc::make_mut) {
            let Some(spec) = w.pod.downcast::<Pod>().and_then(|p| p.spec.clone()) else { continue };
            w.state.resume_probes(&spec, cx.now);
        }
        self.in_use = self.volumes_in_use(cx);
        self.queue.add(Item::Node, 0);
        self.look_at_usage(cx.now);
    }
    fn observe(&mut self, cx: &Cx, change: &Change) {
        if change.kind == ConfigMap::KIND_REF || change.kind == Secret::KIND_REF {
            return self.shown_object_changed(cx, change);
        }
        if change.kind == PersistentVolumeClaim::KIND_REF {
            let claim = change.new.as_ref().and_then(|o| o.downcast::<PersistentVolumeClaim>());
            if claim.is_some_and(expand::is_pending) {
                let of_it = |w: &&Arc<Worker>| {
                    w.state.key.namespace() == change.key.namespace()
                        && w.pod.downcast::<Pod>().is_some_and(|p| expand::uses(p, change.key.name()))
                };
                let uids: Vec<Arc<str>> = self.pods.values().filter(of_it).map(|w| w.state.uid.clone()).collect();
                for uid in uids {
                    self.queue.add(Item::Pod(uid), change.cause);
                }
            }
            return;
        }
        if change.kind == Node::KIND_REF {
            // What somebody has written over or added is put right with the next regular update.
            let node = change.new.as_ref().and_then(|o| o.downcast::<Node>());
            if node.is_some_and(|n| {
                condition(n, "Ready") == Some("Unknown")
                    || node::is_cordoned(n) != self.cordoned
                    || !node::gives_advertised(&self.config, n)
            }) {
                self.queue.add_at(Item::Node, cx.now + node::STATUS_UPDATE_PERIOD, change.cause);
            }
            // The pod range arrives with the node: pods may be waiting for it.
            let waiting = self.pods.values().filter(|w| !w.state.sandbox_ready).map(|w| w.state.uid.clone());
            for uid in waiting.collect::<Vec<_>>() {
                self.queue.add(Item::Pod(uid), change.cause);
            }
            return;
        }
        match (&change.new, &change.old) {
            (Some(obj), _) => self.accept(obj, change.cause),
            (None, Some(obj)) if obj.downcast::<Pod>().is_some_and(references::is_mirror) => {
                self.mirror_changed(obj.key(), None, change.cause);
            }
            (None, Some(obj)) => {
                let uid: Arc<str> = obj.uid().into();
                if let Some(w) = self.pods.get_mut(&uid).map(Arc::make_mut) {
                    w.state.deleted = true;
                    self.queue.add(Item::Pod(uid), change.cause);
                }
            }
            (None, None) => {}
        }
    }
    fn ready_at(&self) -> Option<Time> {
        match (self.queue.ready_at(), self.runtime.next_at()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
    fn step(&mut self, cx: &Cx) -> Option<Step> {
        self.runtime.look(Some(cx.view.clone()));
        let step = self.take_turn(cx);
        // An old view that is kept makes every change to the new one a copy.
        self.runtime.look(None);
        step
    }
    fn settled(&mut self, cx: &Cx, replies: &[Reply], seq: Seq) {
        let Some((item, wake)) = self.current.take() else { return };
        let failed = replies.last().is_some_and(Result::is_err);
        match &item {
            Item::Pod(uid) => {
                if let Some(w) = self.pods.get_mut(uid).map(Arc::make_mut) {
                    w.state.cause = seq;
                    if failed {
                        w.state.sent = None;
                        w.state.delete_sent = false;
                    }
                } else {
                    return;
                }
            }
            Item::Lease if failed => self.lease = None,
            Item::Lease => {
                self.lease = replies.iter().rev().find_map(|r| r.as_ref().ok().cloned().flatten());
            }
            Item::Node | Item::Pressure | Item::Mirror(_) => {}
        }
        if failed {
            self.queue.add_rate_limited(item, cx.now, seq);
            return;
        }
        self.queue.forget(&item);
        if let Some(at) = wake {
            self.queue.add_at(item, at, seq);
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
