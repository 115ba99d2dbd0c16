//! The container runtime as messages, shaped like CRI (`k8s.io/cri-api`): commands go in, events come out
//! when polled. The simulated runtime lives behind it, and so can a real one outside the core.

use crate::pod::token::FileData;
use crate::sim::catalogue;
use crate::sim::fs::Tree as DiskTree;
use crate::sim::net::{Answer, ApiWrite, Call, NetError, Server};
use meta::{Duration, Time};
use network::Resolver;
use reconcile::Meter;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One run of one container of one pod. `attempt` counts restarts, from 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContainerId {
    pub pod_uid: Arc<str>,
    pub container: Arc<str>,
    pub attempt: u32,
}

/// Where a mount's content comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum MountSource {
    /// Files by their path below the mount: a ConfigMap, Secret or downward API volume.
    Files(BTreeMap<String, FileData>),
    /// An `emptyDir` (or anything else that starts empty), shared by the pod's containers under its volume's name.
    Shared(String),
    /// A directory of the node, by path; the same for every pod on it.
    Host(String),
    /// A disk that is attached to the node, by its ID, or a directory on it: `ID/dir`.
    Disk(String),
}

/// Where nothing fits any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Full {
    /// The node's own disk: what containers write, `emptyDir`s, directories of the node, images.
    pub node: bool,
    /// Directories of the node, which are volumes.
    pub dirs: BTreeSet<String>,
    /// Attached disks, by their IDs.
    pub disks: BTreeSet<String>,
}

/// What a directory of the node holds: texts by path.
pub type ManifestFiles = BTreeMap<String, Arc<Vec<u8>>>;

/// The files of a disk.
pub type DiskContent = DiskTree;

#[derive(Clone, Debug, PartialEq)]
pub struct Mount {
    /// Absolute, without a trailing slash.
    pub path: String,
    pub read_only: bool,
    pub source: MountSource,
    pub modes: FileModes,
}

/// How the kubelet has laid out the files of a volume that it writes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileModes {
    /// All of the volume, rather than a part of it by `subPath`: it is exchanged as a whole.
    pub whole: bool,
    /// On a file system in memory.
    pub memory: bool,
    pub default: u32,
    /// Of files that have their own, by path.
    pub own: BTreeMap<String, u32>,
}

/// Everything needed to create and start a container.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerSpec {
    pub id: ContainerId,
    pub namespace: String,
    pub pod: String,
    pub hostname: String,
    /// With the domain of its `subdomain`; empty without one.
    pub fqdn: String,
    pub host_network: bool,
    pub node: String,
    /// As the pod names it.
    pub image: String,
    /// Empty: the image's entrypoint.
    pub command: Vec<String>,
    /// Empty: the image's command, when `command` is empty too.
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    pub working_dir: String,
    pub mounts: Vec<Mount>,
    /// `None`: no limit.
    pub cpu_limit_milli: Option<i64>,
    pub memory_limit_bytes: Option<i64>,
    pub pod_ip: String,
    /// `/etc/resolv.conf`
    pub resolver: Resolver,
    /// `hostAliases`: an address and its names.
    pub host_aliases: Vec<(String, Vec<String>)>,
    /// `containerPort` numbers.
    pub ports: Vec<u16>,
    pub termination_message_path: String,
    /// Empty: the default runtime.
    pub runtime_class: String,
    /// The first process's standard input stays open, until the first client has gone with `stdin_once`.
    pub stdin: bool,
    pub stdin_once: bool,
    pub tty: bool,
    pub identity: Identity,
    pub read_only_root: bool,
    /// `hostUsers: false`: the node's ID that the pod's root has. `None`: it is the node's root.
    pub first_host_id: Option<u32>,
    pub processes: Processes,
}

/// Whose processes a container's processes see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Processes {
    /// Only their own.
    #[default]
    Own,
    /// Those of the pod (`shareProcessNamespace`), of which the sandbox's is the first.
    Pod,
    /// Those of another container, too (`targetContainerName`).
    Of(String),
}

/// Whose processes they are: root's, unless it is said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    pub uid: i64,
    pub gid: i64,
    /// Sorted, with `gid`.
    pub groups: Vec<i64>,
    /// The group that the pod's volumes belong to.
    pub fs_group: Option<i64>,
    /// What its processes may come to do at most, as bits of `linux/capability.h`.
    pub capabilities: u64,
    pub no_new_privileges: bool,
}

/// What `exec` and `attach` ask for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionSpec {
    /// `None`: the container's own first process.
    pub command: Option<Vec<String>>,
    pub stdin: bool,
    pub tty: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SessionInput {
    Data(Vec<u8>),
    End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    Exited(i32),
    /// It could not be started: the runtime's words.
    Failed(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContainerStats {
    pub memory_bytes: u64,
    /// What it wrote beside its volumes, its log included.
    pub disk_bytes: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodStats {
    pub containers: BTreeMap<Arc<str>, ContainerStats>,
    /// Bytes in the volumes that the pod's containers share.
    pub volumes: BTreeMap<String, u64>,
}

/// What came out since it was asked last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionOutput {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub end: Option<SessionEnd>,
}

/// What a probe or a lifecycle hook does.
#[derive(Clone, Debug, PartialEq)]
pub enum Handler {
    Exec { command: Vec<String> },
    HttpGet { scheme: String, host: String, port: u16, path: String, headers: Vec<(String, String)> },
    TcpSocket { host: String, port: u16 },
    Grpc { port: u16, service: String },
}

#[derive(Clone, Debug, PartialEq)]
pub enum RuntimeCommand {
    /// Answered by `ImagePulled` or `ImagePullFailed` with the same `pull`.
    /// `user` is whom the pod's secrets name to the image's registry; empty: nobody.
    PullImage { pull: u64, image: String, user: String },
    /// Answered by `Started` or `StartFailed`, and later `Exited`.
    RunContainer(Box<ContainerSpec>),
    /// New content for mounts of files (ConfigMaps, Secrets, the downward API); the others stay as they are.
    UpdateMounts { id: ContainerId, mounts: Vec<Mount> },
    /// New limits for a container that runs.
    UpdateResources { id: ContainerId, cpu_limit_milli: Option<i64>, memory_limit_bytes: Option<i64> },
    /// SIGTERM now, SIGKILL after `grace`; `Exited` follows.
    StopContainer { id: ContainerId, grace: Duration },
    /// Removes what is left of a pod: containers (killed at once if they run), logs, shared volumes.
    RemovePod { pod_uid: Arc<str> },
    /// Answered by `ProbeResult` with the same `probe`, within `timeout`.
    Probe { probe: u64, id: ContainerId, handler: Handler, timeout: Duration },
}

/// Why a container ended, as the runtime says. Models the `reason` of CRI's ContainerStatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
    Completed,
    Error,
    OomKilled,
}

impl ExitReason {
    pub fn as_str(self) -> &'static str {
        match self {
            ExitReason::Completed => "Completed",
            ExitReason::Error => "Error",
            ExitReason::OomKilled => "OOMKilled",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum ProbeOutcome {
    Success,
    /// The output, as the event shows it.
    Failure(String),
    /// The probe itself could not be carried out.
    Error(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum RuntimeEvent {
    ImagePulled {
        pull: u64,
        /// `docker.io/library/nginx@sha256:...`
        image_id: String,
        size_bytes: u64,
        /// Without the time spent waiting for other pulls.
        took: Duration,
    },
    ImagePullFailed {
        pull: u64,
        /// The runtime's own words.
        message: String,
        /// `SignatureValidationFailed`, `RegistryUnavailable` or empty for an ordinary failure.
        reason: String,
    },
    Started {
        id: ContainerId,
        at: Time,
    },
    StartFailed {
        id: ContainerId,
        at: Time,
        message: String,
        /// 127 for a command that does not exist, 128 otherwise, as containerd sets it.
        exit_code: i32,
    },
    Exited {
        id: ContainerId,
        at: Time,
        code: i32,
        reason: ExitReason,
        signal: Option<i32>,
        /// What the container wrote to its termination message path.
        message: String,
        /// The end of the log, for `terminationMessagePolicy: FallbackToLogsOnError`.
        log_tail: String,
    },
    ProbeResult {
        probe: u64,
        outcome: ProbeOutcome,
    },
}

/// An image present on the node.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageInfo {
    /// Tag and digest forms.
    pub names: Vec<String>,
    pub image_id: String,
    pub size_bytes: u64,
}

/// Models `PodLogOptions`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogOptions {
    /// The run before the present one.
    pub previous: bool,
    pub tail_lines: Option<usize>,
    pub since: Option<Time>,
    /// RFC 3339 with nanoseconds before each line.
    pub timestamps: bool,
    pub limit_bytes: Option<usize>,
}

/// A container the runtime still knows; what a restarted kubelet finds.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerRecord {
    pub id: ContainerId,
    pub image: String,
    pub started_at: Time,
    /// The `Exited` event, when it has ended.
    pub exited: Option<RuntimeEvent>,
    /// `None`: the runtime does not say.
    pub identity: Option<Identity>,
}

/// What a path of a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostEntry {
    Directory,
    File,
    Socket,
    CharDevice,
    BlockDevice,
}

pub trait Runtime: Send + Sync {
    /// Name and version: (`kubottle-sim`, `0.1.0`).
    fn version(&self) -> (String, String);
    /// The cluster as the node's programs find it over the network, for the time of one turn. A runtime whose network is
    /// real has no use for it.
    fn look(&mut self, _view: Option<reconcile::View>) {}
    /// Pulls of these images fail from now on: full references, or repositories with all their tags.
    fn block_images(&mut self, blocked: Arc<BTreeSet<String>>);
    /// From now on nothing fits there.
    fn fill(&mut self, _full: Full) {}
    /// Whether anything fits on the node's own disk.
    fn disk_is_full(&self) -> bool {
        false
    }
    fn command(&mut self, now: Time, command: RuntimeCommand);
    /// When `poll` will have something to do.
    fn next_at(&self) -> Option<Time>;
    /// Carries everything up to `now` out; events in the order they happened.
    fn poll(&mut self, now: Time, out: &mut Vec<RuntimeEvent>);
    /// The log of a container's present (or previous) run.
    ///
    /// # Errors
    /// The words kubectl shows when there is none.
    fn logs(&self, pod_uid: &str, container: &str, options: &LogOptions) -> Result<Vec<u8>, String>;
    /// Models CRI `ImageStatus`: whether the image is on the node.
    fn image(&self, image: &str) -> Option<ImageInfo>;
    fn images(&self) -> Vec<ImageInfo>;
    /// Whether an image says what to run when the pod does not.
    fn image_has_command(&self, _image: &str) -> bool {
        true
    }
    /// The user that an image's processes have; 0 is root.
    fn image_user(&self, _image: &str) -> i64 {
        0
    }
    /// What a file of a volume that the pod's containers share holds. A real kubelet looks into the volume's directory.
    fn volume_file(&self, _pod_uid: &str, _volume: &str, _path: &str) -> Option<Vec<u8>> {
        None
    }
    /// Whether [`Runtime::host_entry`] knows: one outside the core has a disk that the core does not see.
    fn sees_host(&self) -> bool {
        false
    }
    /// What is at a path of the node's own disk. A real kubelet looks there itself.
    fn host_entry(&self, _path: &str) -> Option<HostEntry> {
        None
    }
    /// Makes a directory or an empty file there, with what lies on the way.
    fn make_host_entry(&mut self, _path: &str, _entry: HostEntry) {}
    /// The files of the node's manifest directory, by path. A real kubelet watches the directory.
    fn manifest_files(&self) -> ManifestFiles {
        ManifestFiles::new()
    }
    /// Whether they have changed since the last call.
    fn manifest_files_changed(&mut self) -> bool {
        false
    }
    /// Models CRI `ListContainers`.
    fn containers(&self) -> Vec<ContainerRecord>;
    /// Opens `exec` or `attach`; its number is for the next three. Models CRI `Exec` and `Attach`.
    ///
    /// # Errors
    /// There is no such running container.
    fn open_session(&mut self, now: Time, pod_uid: &str, container: &str, spec: SessionSpec) -> Result<u64, String>;
    fn session_input(&mut self, _now: Time, _session: u64, _input: SessionInput) {}
    /// `None`: there is no such session.
    fn session_output(&mut self, _session: u64) -> Option<SessionOutput> {
        None
    }
    fn close_session(&mut self, _now: Time, _session: u64) {}
    /// The meters of containers that moved since the last call; `None`: it has ended.
    fn take_usage(&mut self) -> Vec<(ContainerId, Option<Meter>)> {
        Vec::new()
    }
    /// What pods take up now, by UID: those that have containers or volumes. Models the kubelet's summary of CRI's stats.
    fn stats(&self) -> BTreeMap<Arc<str>, PodStats> {
        BTreeMap::new()
    }
    /// Frees the disk from images that no container uses.
    fn remove_unused_images(&mut self) {}
    /// What its containers want of other nodes, since the last call.
    fn take_calls(&mut self) -> Vec<Call> {
        Vec::new()
    }
    /// A disk is attached that has this on it.
    fn put_disk(&mut self, _disk: &str, _content: DiskContent) {}
    /// A disk is detached: what is on it. `None`: there is nothing.
    fn take_disk(&mut self, _disk: &str) -> Option<DiskContent> {
        None
    }
    /// What programs write to the API server since the last call.
    fn take_writes(&mut self) -> Vec<ApiWrite> {
        Vec::new()
    }
    /// Somebody on another node calls.
    fn called(&mut self, _now: Time, _server: &Server, _http: bool) -> Answer {
        Err(NetError::Refused)
    }
    /// Somebody on `node` says something else than HTTP. `None`: the answer comes later, by [`Runtime::take_late`].
    fn talked(&mut self, _now: Time, _node: &str, _call: &Call) -> Option<Answer> {
        Some(Err(NetError::Refused))
    }
    /// Answers to calls that waited here: the node that they go to, and the call.
    fn take_late(&mut self) -> Vec<(String, Call, Answer)> {
        Vec::new()
    }
    /// The answer to one of [`Runtime::take_calls`].
    fn answered(&mut self, _now: Time, _call: &Call, _answer: Answer) {}
    fn clone_box(&self) -> Box<dyn Runtime>;
    fn as_any(&self) -> &dyn std::any::Any;
    fn as_any_mut(&mut self) -> &mut dyn std::any::Any;
}

/// A runtime outside the core: commands wait in an outbox for the host, which pushes events back. Logs stay with the
/// host.
#[derive(Clone, Debug, Default)]
pub struct ExternalRuntime {
    name: String,
    version: String,
    outbox: Vec<RuntimeCommand>,
    inbox: Vec<RuntimeEvent>,
    images: Vec<ImageInfo>,
    blocked: Arc<BTreeSet<String>>,
    containers: BTreeMap<ContainerId, ContainerRecord>,
    usage: BTreeMap<ContainerId, Counted>,
    metered: BTreeSet<ContainerId>,
}

/// A container's meter, and what its host said last.
#[derive(Clone, Debug)]
struct Counted {
    meter: Meter,
    at: Time,
    cpu: Duration,
}

impl ExternalRuntime {
    pub fn new(name: &str, version: &str) -> Self {
        ExternalRuntime { name: name.into(), version: version.into(), ..Default::default() }
    }
    pub fn take_commands(&mut self) -> Vec<RuntimeCommand> {
        std::mem::take(&mut self.outbox)
    }
    pub fn push(&mut self, event: RuntimeEvent) {
        match &event {
            RuntimeEvent::Started { id, at } => {
                if let Some(c) = self.containers.get_mut(id) {
                    c.started_at = *at;
                }
            }
            RuntimeEvent::Exited { id, .. } | RuntimeEvent::StartFailed { id, .. } => {
                if let Some(c) = self.containers.get_mut(id) {
                    c.exited = Some(event.clone());
                }
                self.usage.remove(id);
                self.metered.insert(id.clone());
            }
            _ => {}
        }
        self.inbox.push(event);
    }
    /// What a container has used since its start: processor time, and the memory it has now.
    pub fn set_usage(&mut self, now: Time, id: &ContainerId, cpu: Duration, memory_bytes: u64) {
        let Some(started) = self.containers.get(id).filter(|c| c.exited.is_none()).map(|c| c.started_at) else {
            return;
        };
        let new = || Counted { meter: Meter::new(started), at: started, cpu: Duration::ZERO };
        let c = self.usage.entry(id.clone()).or_insert_with(new);
        c.meter.spend(c.at, now, cpu.0.saturating_sub(c.cpu.0));
        c.meter.memory_bytes = memory_bytes;
        (c.at, c.cpu) = (now, cpu);
        self.metered.insert(id.clone());
    }
    /// The images the host has; replaces what was said before.
    pub fn set_images(&mut self, images: Vec<ImageInfo>) {
        self.images = images;
    }
}

impl Runtime for ExternalRuntime {
    fn version(&self) -> (String, String) {
        (self.name.clone(), self.version.clone())
    }
    fn block_images(&mut self, blocked: Arc<BTreeSet<String>>) {
        self.blocked = blocked;
    }
    fn command(&mut self, now: Time, command: RuntimeCommand) {
        match &command {
            RuntimeCommand::PullImage { pull, image, .. } => {
                if let Some(message) = catalogue::blocked(&self.blocked, image) {
                    let reason = String::new();
                    return self.inbox.push(RuntimeEvent::ImagePullFailed { pull: *pull, message, reason });
                }
            }
            RuntimeCommand::RunContainer(spec) => {
                let record = ContainerRecord {
                    id: spec.id.clone(),
                    image: spec.image.clone(),
                    started_at: now,
                    exited: None,
                    identity: Some(spec.identity.clone()),
                };
                self.containers.insert(spec.id.clone(), record);
            }
            RuntimeCommand::RemovePod { pod_uid } => {
                self.metered.extend(self.containers.keys().filter(|id| id.pod_uid == *pod_uid).cloned());
                self.containers.retain(|id, _| id.pod_uid != *pod_uid);
                self.usage.retain(|id, _| id.pod_uid != *pod_uid);
            }
            _ => {}
        }
        self.outbox.push(command);
    }
    fn next_at(&self) -> Option<Time> {
        (!self.inbox.is_empty()).then_some(Time(0))
    }
    fn poll(&mut self, _now: Time, out: &mut Vec<RuntimeEvent>) {
        out.append(&mut self.inbox);
    }
    fn logs(&self, _: &str, _: &str, _: &LogOptions) -> Result<Vec<u8>, String> {
        Err("the logs of this container are kept by the host".into())
    }
    fn image(&self, image: &str) -> Option<ImageInfo> {
        self.images.iter().find(|i| i.names.iter().any(|n| n == image)).cloned()
    }
    fn images(&self) -> Vec<ImageInfo> {
        self.images.clone()
    }
    fn containers(&self) -> Vec<ContainerRecord> {
        self.containers.values().cloned().collect()
    }
    fn take_usage(&mut self) -> Vec<(ContainerId, Option<Meter>)> {
        let moved = std::mem::take(&mut self.metered);
        moved.into_iter().map(|id| (self.usage.get(&id).map(|c| c.meter.clone()), id)).map(|(m, id)| (id, m)).collect()
    }
    fn stats(&self) -> BTreeMap<Arc<str>, PodStats> {
        let mut out: BTreeMap<Arc<str>, PodStats> = BTreeMap::new();
        for (id, counted) in &self.usage {
            let stats = ContainerStats { memory_bytes: counted.meter.memory_bytes, disk_bytes: 0 };
            out.entry(id.pod_uid.clone()).or_default().containers.insert(id.container.clone(), stats);
        }
        out
    }
    fn open_session(&mut self, _: Time, _: &str, _: &str, _: SessionSpec) -> Result<u64, String> {
        Err(format!("{} containers run one WebAssembly program and no commands beside it", self.name))
    }
    fn clone_box(&self) -> Box<dyn Runtime> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
    fn as_any_mut(&mut self) -> &mut dyn std::any::Any {
        self
    }
}
