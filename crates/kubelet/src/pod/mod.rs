//! A pod's worker: what the kubelet knows about one pod, and the steps that bring it to what its spec says.
//! Models `pkg/kubelet/pod_workers.go` and `pkg/kubelet/kuberuntime`.

pub mod admit;
mod attached;
pub mod backoff;
mod changed;
pub mod conditions;
mod credentials;
mod devices;
pub mod env;
mod env_file;
pub mod events;
pub mod expand;
mod hostname;
mod image_volumes;
pub mod images;
mod persistent;
mod plugins;
pub mod probes;
mod pull;
mod resize;
pub mod resources;
mod security;
pub mod start;
pub mod status;
pub mod stop;
pub mod sync;
pub mod token;
mod unlocated;
pub mod volumes;

pub use attached::attachable;

use crate::config::NodeConfig;
use crate::eviction::Pressure;
use crate::runtime::{ContainerId, ExitReason, Identity, Runtime};
use backoff::Backoff;
use k8s_openapi::api::core::v1::{
    Container, EphemeralContainer, LinuxContainerUser, Node, Pod, PodSpec, ResourceRequirements,
};
use meta::{Duration, Key, Rng, Time};
use probes::ProbeWorker;
use reconcile::{Intent, View};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use trace::{Note, Seq};

/// What a sync may use and what it wants.
pub struct SyncCx<'a> {
    pub now: Time,
    pub view: &'a View,
    pub config: &'a NodeConfig,
    pub node: Option<&'a Node>,
    pub runtime: &'a mut dyn Runtime,
    pub rng: &'a mut Rng,
    pub requests: &'a mut Requests,
    pub addresses: &'a mut Addresses,
    /// What the node is short of.
    pub pressure: &'a BTreeSet<Pressure>,
    pub intents: Vec<Intent>,
    pub notes: Vec<Note>,
    pub wake: Option<Time>,
}

impl SyncCx<'_> {
    /// Asks for another sync not later than `at`.
    pub fn wake_at(&mut self, at: Time) {
        self.wake = Some(self.wake.map_or(at, |w| w.min(at)));
    }
    pub fn note(&mut self, n: Note) {
        self.notes.push(n);
    }
}

/// Pulls and probes under way: their numbers, and the pod each is for.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    next: u64,
    owners: BTreeMap<u64, Arc<str>>,
}

impl Requests {
    pub fn open(&mut self, pod_uid: &Arc<str>) -> u64 {
        self.next += 1;
        self.owners.insert(self.next, pod_uid.clone());
        self.next
    }
    pub fn close(&mut self, request: u64) -> Option<Arc<str>> {
        self.owners.remove(&request)
    }
    pub fn forget(&mut self, pod_uid: &str) {
        self.owners.retain(|_, uid| **uid != *pod_uid);
    }
}

/// Pod addresses of the node's range. Models the `host-local` IPAM plugin: the next free one after the last.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    last: u32,
    used: BTreeMap<u32, Arc<str>>,
}

impl Addresses {
    /// The network's and the gateway's addresses (`.0`, `.1`) and the broadcast address are never given out.
    pub fn take(&mut self, cidr: &str, pod_uid: &Arc<str>) -> Option<String> {
        let (base, size) = parse_cidr(cidr)?;
        let usable = size.checked_sub(3)?;
        for step in 1..=usable {
            let offset = 2 + (self.last.saturating_sub(1) + step - 1) % usable;
            let ip = base.wrapping_add(offset);
            if !self.used.contains_key(&ip) {
                self.last = offset;
                self.used.insert(ip, pod_uid.clone());
                return Some(std::net::Ipv4Addr::from(ip).to_string());
            }
        }
        None
    }
    pub fn mark(&mut self, ip: &str, pod_uid: &Arc<str>) {
        if let Ok(ip) = ip.parse::<std::net::Ipv4Addr>() {
            self.used.insert(u32::from(ip), pod_uid.clone());
        }
    }
    pub fn release(&mut self, pod_uid: &str) {
        self.used.retain(|_, uid| **uid != *pod_uid);
    }
}

fn parse_cidr(cidr: &str) -> Option<(u32, u32)> {
    let (ip, bits) = cidr.split_once('/')?;
    let bits: u32 = bits.parse().ok().filter(|b| (1..=30).contains(b))?;
    let size = 1u32 << (32 - bits);
    let ip: std::net::Ipv4Addr = ip.parse().ok()?;
    Some((u32::from(ip) & !(size - 1), size))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Init,
    /// A restartable init container.
    Sidecar,
    Main,
    /// Added to a running pod: `kubectl debug`.
    Ephemeral,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Not created (or not again yet).
    Idle,
    Pulling {
        pull: u64,
        since: Time,
    },
    /// Given to the runtime; it has not said that it runs yet.
    Starting,
    Running,
    Exited,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Exit {
    pub at: Time,
    pub code: i32,
    pub signal: Option<i32>,
    pub reason: String,
    pub message: String,
}

/// One created container (CRI's view of it).
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub attempt: u32,
    /// What the spec called its image.
    pub image: String,
    pub image_id: String,
    pub started_at: Time,
    pub exit: Option<Exit>,
    /// Whom its first process began as.
    pub user: Option<LinuxContainerUser>,
}

/// A first process's user, as a container's status shows it. Models containerd's `toCRIContainerUser`.
pub fn linux_user(who: &Identity) -> LinuxContainerUser {
    let groups = if who.groups.is_empty() { vec![who.gid] } else { who.groups.clone() };
    LinuxContainerUser { uid: who.uid, gid: who.gid, supplemental_groups: Some(groups) }
}

/// A stop under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Stopping {
    pub since: Time,
    pub grace: Duration,
    /// The preStop hook's request, while it runs.
    pub hook: Option<u64>,
    /// When a `sleep` hook ends, or the hook's patience does.
    pub hook_until: Option<Time>,
    pub signalled: bool,
}

/// A hook under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    Request(u64),
    Sleep(Time),
}

#[derive(Clone, Debug)]
pub struct ContainerState {
    pub name: Arc<str>,
    pub role: Role,
    /// Its position in `spec.initContainers` or `spec.containers`.
    pub index: usize,
    pub stage: Stage,
    /// Why it waits: reason and message of `state.waiting`.
    pub waiting: Option<(String, String)>,
    /// What the spec calls its image; what is known of failures is about that one.
    pub image: String,
    pub image_id: String,
    pub run: Option<Run>,
    pub previous: Option<Run>,
    pub crash_backoff: Backoff,
    pub pull_backoff: Backoff,
    /// The last pull's failure, repeated while backing off.
    pub pull_error: String,
    /// Before then nothing is tried (a failed sync's retry).
    pub retry_at: Time,
    pub started: bool,
    pub ready: bool,
    pub probes: Vec<ProbeWorker>,
    /// The postStart hook, while it runs: its request, or when a `sleep` ends.
    pub post_start: Option<Hook>,
    pub stopping: Option<Stopping>,
    /// It is stopped to be started anew at once, whatever its restart policy says.
    pub anew: bool,
}

impl ContainerState {
    fn new(name: &str, image: &Option<String>, role: Role, index: usize) -> Self {
        ContainerState {
            name: name.into(),
            role,
            index,
            stage: Stage::Idle,
            waiting: None,
            image: image.clone().unwrap_or_default(),
            image_id: String::new(),
            run: None,
            previous: None,
            crash_backoff: Backoff::default(),
            pull_backoff: Backoff::default(),
            pull_error: String::new(),
            retry_at: Time(0),
            started: false,
            ready: false,
            probes: Vec::new(),
            post_start: None,
            stopping: None,
            anew: false,
        }
    }
    pub fn spec<'p>(&self, pod: &'p PodSpec) -> Option<Cow<'p, Container>> {
        match self.role {
            Role::Main => pod.containers.get(self.index).map(Cow::Borrowed),
            Role::Ephemeral => pod.ephemeral_containers.as_ref()?.get(self.index).map(|e| Cow::Owned(ephemeral(e))),
            Role::Init | Role::Sidecar => pod.init_containers.as_ref()?.get(self.index).map(Cow::Borrowed),
        }
    }
    /// It runs, and its postStart hook has ended: only then it counts as running.
    pub fn is_up(&self) -> bool {
        self.stage == Stage::Running && self.post_start.is_none()
    }
    /// It has ended and will not be started again.
    pub fn is_over(&self, spec: &PodSpec) -> bool {
        let Some(code) = self.exit_code() else { return false };
        match self.role {
            Role::Init if code == 0 => true,
            Role::Ephemeral => true,
            _ if self.anew => false,
            _ => self.spec(spec).is_none_or(|c| !api::pods::should_restart(&c, spec, code)),
        }
    }
    pub fn is_alive(&self) -> bool {
        matches!(self.stage, Stage::Starting | Stage::Running)
    }
    pub fn exit_code(&self) -> Option<i32> {
        if self.stage != Stage::Exited {
            return None;
        }
        self.run.as_ref()?.exit.as_ref().map(|e| e.code)
    }
    /// The attempt a new run gets.
    pub fn next_attempt(&self) -> u32 {
        self.run.as_ref().map_or(0, |r| r.attempt + 1)
    }
}

/// An ephemeral container as the ordinary one that it is to the runtime.
fn ephemeral(e: &EphemeralContainer) -> Container {
    Container {
        name: e.name.clone(),
        image: e.image.clone(),
        command: e.command.clone(),
        args: e.args.clone(),
        working_dir: e.working_dir.clone(),
        env: e.env.clone(),
        env_from: e.env_from.clone(),
        volume_mounts: e.volume_mounts.clone(),
        termination_message_path: e.termination_message_path.clone(),
        termination_message_policy: e.termination_message_policy.clone(),
        image_pull_policy: e.image_pull_policy.clone(),
        security_context: e.security_context.clone(),
        stdin: e.stdin,
        stdin_once: e.stdin_once,
        tty: e.tty,
        ..Default::default()
    }
}

/// Why the kubelet itself ends a pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub reason: String,
    pub message: String,
    /// How long its containers have, when that is not the pod's to say.
    pub grace: Option<Duration>,
    /// The pod says that it is the node that ended it (`DisruptionTarget`).
    pub disrupted: bool,
}

impl Verdict {
    pub fn new(reason: &str, message: impl Into<String>) -> Self {
        Verdict { reason: reason.into(), message: message.into(), grace: None, disrupted: false }
    }
}

#[derive(Clone, Debug)]
pub struct PodWorker {
    pub uid: Arc<str>,
    pub key: Key,
    pub admitted: bool,
    /// Set when admission refused the pod, or its deadline passed: the pod's end is Failed with this reason.
    pub verdict: Option<Verdict>,
    pub started_at: Time,
    /// What each container has been given of what it asks for, which may be changed while it runs.
    allocated: BTreeMap<String, Option<ResourceRequirements>>,
    /// Why it has not been given what it asks for: reason and message.
    resize_pending: Option<(&'static str, String)>,
    /// The generation of the pod that this was said about.
    resize_told: Option<i64>,
    /// The resize that its containers are being given.
    resizing: Option<resize::Resizing>,
    pub ip: String,
    /// When volumes that could not be set up are tried again, and how long that waits.
    pub mount_at: Time,
    pub mount_delay: Duration,
    /// Since when it waits for volumes to be attached, or when it last complained.
    waits_since: Option<Time>,
    /// When changed ConfigMaps, Secrets, labels or annotations reach the files of running containers.
    pub remount_at: Option<Time>,
    /// When the sandbox under way is ready.
    pub sandbox_at: Option<Time>,
    pub sandbox_ready: bool,
    pub containers: Vec<ContainerState>,
    /// By volume.
    image_volumes: BTreeMap<String, image_volumes::VolumeImage>,
    /// Main containers were started once: the pod stays initialized.
    pub initialized: bool,
    /// The pod is being stopped for good, and its containers have this long.
    pub terminating: Option<Duration>,
    /// The API object is gone.
    pub deleted: bool,
    /// Final delete sent.
    pub delete_sent: bool,
    /// The status last written, until the write is seen or refused.
    pub sent: Option<Arc<k8s_openapi::api::core::v1::PodStatus>>,
    /// The step that last did something for this pod: the cause of what its containers do.
    pub cause: Seq,
    pub noted: &'static str,
}

impl PodWorker {
    pub fn new(pod: &Pod, uid: Arc<str>, key: Key) -> Self {
        let mut containers = Vec::new();
        if let Some(spec) = &pod.spec {
            for (i, c) in spec.init_containers.iter().flatten().enumerate() {
                let role = if c.restart_policy.as_deref() == Some("Always") { Role::Sidecar } else { Role::Init };
                containers.push(ContainerState::new(&c.name, &c.image, role, i));
            }
            let main = spec.containers.iter().enumerate();
            containers.extend(main.map(|(i, c)| ContainerState::new(&c.name, &c.image, Role::Main, i)));
        }
        let mut worker = PodWorker {
            uid,
            key,
            admitted: false,
            verdict: None,
            started_at: Time(0),
            allocated: BTreeMap::new(),
            resize_pending: None,
            resize_told: None,
            resizing: None,
            ip: String::new(),
            mount_at: Time(0),
            mount_delay: Duration::ZERO,
            waits_since: None,
            remount_at: None,
            sandbox_at: None,
            sandbox_ready: false,
            containers,
            image_volumes: BTreeMap::new(),
            initialized: false,
            terminating: None,
            deleted: false,
            delete_sent: false,
            sent: None,
            cause: 0,
            noted: "",
        };
        if let Some(spec) = &pod.spec {
            worker.accept_ephemeral(spec);
        }
        worker
    }

    /// Takes the ephemeral containers in that the pod was given since.
    pub fn accept_ephemeral(&mut self, spec: &PodSpec) {
        let known = self.containers.iter().filter(|c| c.role == Role::Ephemeral).count();
        for (i, e) in spec.ephemeral_containers.iter().flatten().enumerate().skip(known) {
            self.containers.push(ContainerState::new(&e.name, &e.image, Role::Ephemeral, i));
        }
    }

    pub fn container_id(&self, c: usize, attempt: u32) -> ContainerId {
        ContainerId { pod_uid: self.uid.clone(), container: self.containers[c].name.clone(), attempt }
    }
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.containers.iter().position(|c| *c.name == *name)
    }
    /// Nothing of the pod runs or is about to.
    pub fn is_quiet(&self) -> bool {
        self.containers.iter().all(|c| !c.is_alive())
    }

    /// Takes a `Started` event in.
    pub fn on_started(&mut self, c: usize, attempt: u32, at: Time) {
        let c = &mut self.containers[c];
        if c.stage == Stage::Starting
            && let Some(r) = c.run.as_mut().filter(|r| r.attempt == attempt)
        {
            r.started_at = at;
            c.stage = Stage::Running;
            c.waiting = None;
        }
    }

    /// Takes an `Exited` event in.
    pub fn on_exited(&mut self, c: usize, attempt: u32, exit: Exit) {
        let c = &mut self.containers[c];
        if let Some(r) = c.run.as_mut().filter(|r| r.attempt == attempt) {
            r.exit = Some(exit);
            c.stage = Stage::Exited;
            c.waiting = None;
            c.started = false;
            c.ready = false;
            c.probes.clear();
            c.post_start = None;
            c.stopping = None;
            self.forget_image_volumes();
        }
    }
}

/// containerd's identifiers are 64 hexadecimal digits; ours derive from what they name, so that a restarted
/// kubelet finds the same ones.
pub fn container_hash(pod_uid: &str, container: &str, attempt: u32) -> String {
    let mut h: u64 = 0xcbf2_9ce4_8422_2325;
    for b in pod_uid.bytes().chain([b'/']).chain(container.bytes()).chain(attempt.to_le_bytes()) {
        h = (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut rng = Rng::new(h);
    (0..4).map(|_| format!("{:016x}", rng.next_u64())).collect()
}

/// `name_namespace(uid)`. Models `pkg/kubelet/util/format.Pod`.
pub fn pod_desc(key: &Key, uid: &str) -> String {
    format!("{}_{}({uid})", key.name(), key.namespace())
}

/// The words for an exit that the runtime gave no better ones for.
pub fn exit_reason(reason: ExitReason) -> String {
    reason.as_str().into()
}
