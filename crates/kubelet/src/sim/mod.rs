//! The simulated container runtime: images of the catalogue, processes over virtual time, a tiny network.
//! Deterministic: the same commands at the same times give the same events and logs.

pub mod catalogue;
mod echo;
pub mod fs;
mod fs_rights;
mod host;
mod httpbin;
mod links;
pub mod logs;
pub mod machine;
pub mod neighbours;
pub mod net;
mod nginx;
pub mod owners;
pub mod parts;
mod probe;
pub(super) mod procfs;
pub mod programs;
pub mod redis;
mod requests;
mod server;
mod session;
pub mod shell;
mod talks;
pub mod terminal;

use crate::pod::container_hash;
use crate::pod::images::ImageRef;
use crate::runtime::{
    ContainerId, ContainerRecord, ContainerSpec, ContainerStats, DiskContent, ExitReason, Full, HostEntry, ImageInfo,
    LogOptions, ManifestFiles, PodStats, ProbeOutcome, Runtime, RuntimeCommand, RuntimeEvent, SessionInput,
    SessionOutput, SessionSpec,
};
use catalogue::Missing;
use fs::Volumes;
use machine::{Machine, MachineExit, SIGTERM, World};
use meta::{Duration, Rng, Time};
use net::{Answer, ApiWrite, Call, Sent, Served, Server};
use network::Balancer;
use parts::Part;
use probe::Pending;
use reconcile::{Meter, View};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Creating and starting a container.
const START_MILLIS: u32 = 120;
/// A registry's answer that there is no such image.
const REFUSAL_MILLIS: u32 = 900;

#[derive(Clone)]
struct Pull {
    pull: u64,
    image: String,
    user: String,
    /// Set when it has begun: pulls run one after another, as with `serializeImagePulls`.
    ends: Option<(Time, Duration)>,
}

/// One container of the node.
#[derive(Clone)]
pub struct Container {
    spec: Arc<ContainerSpec>,
    /// When it is to run; `None` once it does.
    starts_at: Option<Time>,
    started_at: Time,
    machine: Option<Machine>,
    kill_at: Option<Time>,
    /// Its `Exited` or `StartFailed`, when it has ended.
    exited: Option<RuntimeEvent>,
}

impl Container {
    /// It is held back.
    fn waits(&self) -> bool {
        self.starts_at.is_none() && self.machine.is_none() && self.exited.is_none()
    }
    fn next_at(&self) -> Option<Time> {
        if self.exited.is_some() {
            return None;
        }
        let run = self.machine.as_ref().and_then(|m| if m.exit.is_some() { Some(Time(0)) } else { m.next_at() });
        [self.starts_at, self.kill_at, run].into_iter().flatten().min()
    }
}

/// Each shared with a copy of the runtime until it changes: a checkpoint costs what differs.
pub(crate) type Containers = BTreeMap<ContainerId, Arc<Container>>;

#[derive(Clone)]
pub struct SimRuntime {
    rng: Rng,
    speed: u32,
    pulled: BTreeMap<String, ImageInfo>,
    pulls: VecDeque<Pull>,
    blocked: Arc<BTreeSet<String>>,
    containers: Containers,
    volumes: Volumes,
    probes: Vec<Pending>,
    sessions: session::Sessions,
    parts: parts::Parts,
    /// Containers whose meters may have moved since they were told.
    metered: BTreeSet<ContainerId>,
    /// What its processes want of other nodes.
    calls: Vec<Call>,
    /// Answers to calls that waited here.
    late: Vec<redis::Late>,
    writes: Vec<ApiWrite>,
    /// The node's manifest directory as it was seen last, and whether the kubelet has yet to hear of it.
    manifests: (ManifestFiles, bool),
    /// What the node's kernel keeps of connections to Services.
    pub balancer: Balancer,
    /// The cluster, while the kubelet takes its turn.
    view: Option<View>,
    events: Vec<RuntimeEvent>,
    /// When anything happens next; kept because it is asked for far more often than it changes.
    next: Option<Time>,
}

/// The container's machine, to be changed.
fn machine<'a>(containers: &'a mut Containers, id: &ContainerId) -> Option<&'a mut Machine> {
    Arc::make_mut(containers.get_mut(id)?).machine.as_mut()
}

impl SimRuntime {
    /// `speed`: how many times faster than real the node's work runs (pulls, starts, servers); scripts' own
    /// `sleep`s too.
    pub fn new(seed: u64, speed: u32) -> Self {
        SimRuntime {
            rng: Rng::new(seed),
            speed: speed.max(1),
            pulled: BTreeMap::new(),
            pulls: VecDeque::new(),
            blocked: Arc::default(),
            containers: BTreeMap::new(),
            volumes: Volumes::new(),
            probes: Vec::new(),
            sessions: session::Sessions::default(),
            parts: parts::Parts::default(),
            metered: BTreeSet::new(),
            calls: Vec::new(),
            late: Vec::new(),
            writes: Vec::new(),
            manifests: Default::default(),
            balancer: Balancer::new(!seed),
            view: None,
            events: Vec::new(),
            next: None,
        }
    }

    /// Whether a pod of the node accepts connections at a port.
    pub fn listens(&self, ip: &str, port: u16, now: Time) -> bool {
        server::connect(&self.containers, None, ip, port, now).is_ok()
    }

    /// The container that listens at a port of a pod, and the program.
    pub fn listener(&self, ip: &str, port: u16, now: Time) -> Option<(String, String)> {
        server::listener(&self.containers, ip, port, now)
    }

    /// An HTTP request to one of the node's pods.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn http(&mut self, asked: &Server, now: Time) -> Result<Served, net::NetError> {
        self.volumes.now = now;
        let served = server::http(&self.containers, None, &self.volumes, asked, now)?;
        self.serve(Sent::new(asked.clone(), now, &served));
        self.update_next();
        Ok(served)
    }

    /// A server of the node's that asked another one hands its answer on.
    pub fn handed_on(&mut self, asked: &Server, answered: (u16, usize), now: Time) {
        server::handed_on(&mut self.containers, &mut self.volumes, asked, answered, now);
    }

    /// Has the container work that the request is for.
    fn serve(&mut self, sent: Sent) {
        self.metered.extend(server::serve(&mut self.containers, &mut self.volumes, &sent));
    }

    fn millis(&mut self, least: u32, spread: u32) -> Duration {
        let ms = u64::from(least + self.rng.below(spread)) / u64::from(self.speed);
        Duration::from_millis(ms.max(1))
    }

    /// Begins the next pull of the queue when none is under way.
    fn begin_pull(&mut self, now: Time) {
        let Some(p) = self.pulls.front() else { return };
        if p.ends.is_some() {
            return;
        }
        let image = p.image.clone();
        let known = ImageRef::parse(&image).ok().filter(|_| catalogue::blocked(&self.blocked, &image).is_none());
        let known = known.map(|r| (catalogue::find(&r), r.full()));
        let took = match known {
            Some((Ok(_), full)) if self.pulled.contains_key(&full) => self.millis(300, 300),
            Some((Ok(i), _)) => {
                // 25 to 50 MB a second, after a moment of talk with the registry.
                let rate = 25 + self.rng.below(25);
                self.millis(400 + i.size_mb * 1_000 / rate, 300)
            }
            _ => self.millis(REFUSAL_MILLIS, 400),
        };
        if let Some(p) = self.pulls.front_mut() {
            p.ends = Some((now + took, took));
        }
    }

    fn finish_pulls(&mut self, now: Time) {
        while let Some((at, took)) = self.pulls.front().and_then(|p| p.ends).filter(|(at, _)| *at <= now) {
            if let Some(p) = self.pulls.pop_front() {
                let event = self.pull_result(&p, took);
                self.events.push(event);
            }
            self.begin_pull(at);
        }
    }

    fn pull_result(&mut self, p: &Pull, took: Duration) -> RuntimeEvent {
        let (pull, image) = (p.pull, p.image.as_str());
        let failed = |message: String| RuntimeEvent::ImagePullFailed { pull, message, reason: String::new() };
        let Ok(r) = ImageRef::parse(image) else { return failed("invalid reference format".into()) };
        if let Some(why) = catalogue::blocked(&self.blocked, image) {
            return failed(why);
        }
        if catalogue::is_private(&r) && p.user.is_empty() {
            return failed(catalogue::pull_error(&r, Missing::Credentials));
        }
        match catalogue::find(&r) {
            Err(why) => failed(catalogue::pull_error(&r, why)),
            Ok(_) if self.volumes.full.node && !self.pulled.contains_key(&r.full()) => {
                let digest = container_hash(&r.full(), "sha256", 0);
                failed(format!(
                    "failed to pull and unpack image {:?}: failed to copy: write \
                     /var/lib/containerd/io.containerd.content.v1.content/ingest/{}/data: no space left on device",
                    r.full(),
                    &digest[..16]
                ))
            }
            Ok(found) => {
                let full = r.full();
                let digest = container_hash(&full, "sha256", 0);
                let mut sized = Rng::new(full.bytes().fold(7, |h, b| h * 31 % 1_000_003 + u64::from(b)));
                let size_bytes = u64::from(found.size_mb) * 1_000_000 + u64::from(sized.below(900_000));
                let image_id = format!("{}@sha256:{digest}", r.name());
                let names = vec![image_id.clone(), full.clone()];
                self.pulled.insert(full, ImageInfo { names, image_id: image_id.clone(), size_bytes });
                RuntimeEvent::ImagePulled { pull, image_id, size_bytes, took }
            }
        }
    }

    /// Starts, runs, and ends one container as far as `now`.
    fn advance(&mut self, id: &ContainerId, now: Time) {
        let Some(mut shared) = self.containers.remove(id) else { return };
        let c = Arc::make_mut(&mut shared);
        if let Some(at) = c.starts_at.filter(|at| *at <= now) {
            c.starts_at = None;
            if self.parts.of(c) != Some(Part::Held) {
                self.boot(c, at);
            }
        }
        let kill = c.kill_at.filter(|at| *at <= now);
        let mut sent = Vec::new();
        let mut signals = Vec::new();
        let mut written = Vec::new();
        if let Some(m) = &mut c.machine {
            m.fs.neighbours = neighbours::roots(m, &self.containers);
            let mut world = World {
                volumes: &mut self.volumes,
                peers: &self.containers,
                view: self.view.as_ref(),
                balancer: &mut self.balancer,
                speed: self.speed,
                sent: Vec::new(),
                calls: Vec::new(),
                signals: Vec::new(),
                late: Vec::new(),
                writes: Vec::new(),
            };
            m.run(kill.unwrap_or(now), &mut world);
            written = neighbours::written(m, world.peers);
            sent = world.sent;
            self.calls.append(&mut world.calls);
            self.late.append(&mut world.late);
            signals = world.signals;
            self.writes.append(&mut world.writes);
            if let (Some(at), None) = (kill, m.exit) {
                m.exit = Some(MachineExit { at, code: 137, signal: None, oom: false });
            }
        }
        let exit = c.machine.as_ref().and_then(|m| m.exit);
        if let (Some(exit), None) = (exit, &c.exited) {
            if let Some(m) = &mut c.machine {
                self.late.append(&mut redis::process::hang_up(m));
                self.calls.append(&mut m.last_calls());
            }
            let event = self.exited(c, exit);
            c.exited = Some(event.clone());
            self.events.push(event);
            self.parts.note(c, false);
        }
        self.containers.insert(id.clone(), shared);
        self.metered.insert(id.clone());
        for (id, own) in written {
            if let Some(m) = machine(&mut self.containers, &id) {
                m.fs.own = own;
            }
        }
        for request in sent {
            self.serve(request);
        }
        for (id, pid, signal) in signals {
            if let Some(m) = machine(&mut self.containers, &id) {
                m.signal(pid, signal, now);
            }
        }
        self.carry_talks(now);
    }

    fn boot(&mut self, c: &mut Container, at: Time) {
        let failed = |message: String| RuntimeEvent::StartFailed { id: c.spec.id.clone(), at, message, exit_code: 128 };
        let image = ImageRef::parse(&c.spec.image).map_err(|_| Missing::Repository).and_then(|r| catalogue::find(&r));
        let result = match image {
            Err(_) => Err(format!("failed to get image from containerd {:?}: image not found", c.spec.image)),
            Ok(image) => {
                let mut m = Machine::new(c.spec.clone(), image, self.rng.next_u64(), at);
                neighbours::settle(&mut m, &mut self.containers);
                m.boot(at).map(|()| m)
            }
        };
        let event = match result {
            Ok(m) => {
                c.machine = Some(m);
                c.started_at = at;
                self.parts.note(c, true);
                RuntimeEvent::Started { id: c.spec.id.clone(), at }
            }
            Err(message) => {
                let e = failed(message);
                c.exited = Some(e.clone());
                e
            }
        };
        self.events.push(event);
    }

    fn exited(&self, c: &mut Container, exit: MachineExit) -> RuntimeEvent {
        let (mut message, mut log_tail) = (String::new(), String::new());
        if let Some(m) = &mut c.machine {
            if let Ok(data) = m.fs.read(&c.spec.termination_message_path, &self.volumes) {
                message = String::from_utf8_lossy(&data[..data.len().min(4096)]).into_owned();
            }
            log_tail = m.log.tail();
            // Only the log outlives the processes.
            m.procs.clear();
            m.pipes.clear();
            m.fs = fs::Fs::default();
        }
        let reason = match (exit.oom, exit.code) {
            (true, _) => ExitReason::OomKilled,
            (_, 0) => ExitReason::Completed,
            _ => ExitReason::Error,
        };
        RuntimeEvent::Exited {
            id: c.spec.id.clone(),
            at: exit.at,
            code: exit.code,
            reason,
            signal: exit.signal,
            message,
            log_tail,
        }
    }

    fn stop(&mut self, now: Time, id: &ContainerId, grace: Duration) {
        self.advance(id, now);
        let Some(c) = self.containers.get_mut(id).map(Arc::make_mut) else { return };
        if c.exited.is_some() {
            return;
        }
        let at = now + grace;
        self.metered.insert(id.clone());
        c.kill_at = Some(c.kill_at.map_or(at, |k| k.min(at)));
        let frozen = self.parts.of(c) == Some(Part::Frozen);
        match &mut c.machine {
            // What stands still hears no signal.
            Some(_) if frozen => {}
            Some(m) => {
                m.signal(m.first, SIGTERM, now);
            }
            // Not started yet: it never will be.
            None => c.kill_at = Some(now),
        }
        if c.machine.is_none() {
            c.starts_at = None;
            let exit = MachineExit { at: now, code: 137, signal: None, oom: false };
            if let Some(mut shared) = self.containers.remove(id) {
                let c = Arc::make_mut(&mut shared);
                let event = self.exited(c, exit);
                c.exited = Some(event.clone());
                self.events.push(event);
                self.containers.insert(id.clone(), shared);
            }
        }
    }

    fn update_next(&mut self) {
        let pulls = self.pulls.front().and_then(|p| p.ends).map(|(at, _)| at);
        let probes = self.probes.iter().filter_map(|p| p.due_at(&self.containers)).min();
        let run = self.containers.values().filter_map(|c| c.next_at()).min();
        let manifests = host::manifests(&self.volumes);
        if manifests != self.manifests.0 {
            self.manifests = (manifests, true);
        }
        let now = (!self.events.is_empty() || self.manifests.1).then_some(Time(0));
        self.next = [pulls, probes, run, now].into_iter().flatten().min();
    }
}

impl Runtime for SimRuntime {
    fn version(&self) -> (String, String) {
        ("kubottle-sim".into(), "0.1.0".into())
    }

    fn look(&mut self, view: Option<View>) {
        self.view = view;
    }

    fn fill(&mut self, full: Full) {
        self.volumes.full = Arc::new(full);
    }
    fn disk_is_full(&self) -> bool {
        self.volumes.full.node
    }
    fn block_images(&mut self, blocked: Arc<BTreeSet<String>>) {
        self.blocked = blocked;
    }

    fn command(&mut self, now: Time, command: RuntimeCommand) {
        match command {
            RuntimeCommand::PullImage { pull, image, user } => {
                self.pulls.push_back(Pull { pull, image, user, ends: None });
                self.begin_pull(now);
            }
            RuntimeCommand::RunContainer(spec) => {
                let at = now + self.millis(START_MILLIS, START_MILLIS);
                let spec = Arc::new(*spec);
                // One finished run is kept for `logs --previous`.
                if let Some(old) = spec.id.attempt.checked_sub(2) {
                    self.containers.remove(&ContainerId { attempt: old, ..spec.id.clone() });
                }
                let c = Container {
                    spec: spec.clone(),
                    starts_at: Some(at),
                    started_at: at,
                    machine: None,
                    kill_at: None,
                    exited: None,
                };
                self.containers.insert(spec.id.clone(), Arc::new(c));
            }
            RuntimeCommand::UpdateMounts { id, mounts } => {
                self.advance(&id, now);
                if let Some(m) = machine(&mut self.containers, &id) {
                    m.fs.remount(mounts, now);
                }
            }
            RuntimeCommand::UpdateResources { id, cpu_limit_milli, memory_limit_bytes } => {
                self.advance(&id, now);
                if let Some(m) = machine(&mut self.containers, &id) {
                    let spec = Arc::make_mut(&mut m.spec);
                    spec.cpu_limit_milli = cpu_limit_milli;
                    spec.memory_limit_bytes = memory_limit_bytes;
                }
            }
            RuntimeCommand::StopContainer { id, grace } => self.stop(now, &id, grace),
            RuntimeCommand::RemovePod { pod_uid } => {
                self.metered.extend(self.containers.keys().filter(|id| id.pod_uid == pod_uid).cloned());
                self.containers.retain(|id, _| id.pod_uid != pod_uid);
                let prefix = format!("{pod_uid}/");
                self.volumes.retain(|name, _| !name.starts_with(&prefix));
                self.probes.retain(|p| p.id.pod_uid != pod_uid);
            }
            RuntimeCommand::Probe { probe, id, handler, timeout } => {
                self.advance(&id, now);
                self.begin_probe(now, probe, id, handler, timeout);
            }
        }
        self.update_next();
    }

    fn next_at(&self) -> Option<Time> {
        self.next
    }

    fn poll(&mut self, now: Time, out: &mut Vec<RuntimeEvent>) {
        if self.next.is_none_or(|t| t > now) {
            return;
        }
        self.finish_pulls(now);
        let due: Vec<ContainerId> = self
            .containers
            .iter()
            .filter(|(_, c)| c.next_at().is_some_and(|t| t <= now))
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            self.advance(&id, now);
        }
        self.serve_sessions();
        self.finish_probes(now);
        out.append(&mut self.events);
        self.update_next();
    }

    fn logs(&self, pod_uid: &str, container: &str, o: &LogOptions) -> Result<Vec<u8>, String> {
        let runs = self.containers.iter().filter(|(id, _)| *id.pod_uid == *pod_uid && *id.container == *container);
        let mut newest = runs.map(|(_, c)| c).rev();
        let run = if o.previous { newest.nth(1) } else { newest.next() };
        match run {
            Some(c) => Ok(c.machine.as_ref().map(|m| m.log.read(o)).unwrap_or_default()),
            None if o.previous => Err(format!("previous terminated container {container:?} not found")),
            None => Err(format!("container {container:?} is waiting to start: ContainerCreating")),
        }
    }

    fn open_session(&mut self, now: Time, pod_uid: &str, container: &str, spec: SessionSpec) -> Result<u64, String> {
        let session = self.open(now, pod_uid, container, spec);
        self.update_next();
        session
    }
    fn session_input(&mut self, now: Time, session: u64, input: SessionInput) {
        self.input(now, session, input);
        self.serve_sessions();
        self.update_next();
    }
    fn session_output(&mut self, session: u64) -> Option<SessionOutput> {
        self.output(session)
    }
    fn close_session(&mut self, now: Time, session: u64) {
        self.close(now, session);
        self.update_next();
    }

    fn take_usage(&mut self) -> Vec<(ContainerId, Option<Meter>)> {
        let newest = |id: &ContainerId| {
            let first = ContainerId { attempt: 0, ..id.clone() };
            let last = ContainerId { attempt: u32::MAX, ..id.clone() };
            self.containers.range(first..=last).next_back().map(|(_, c)| c)
        };
        let meter = |c: &Arc<Container>| c.machine.as_ref().filter(|_| c.exited.is_none()).map(|m| m.meter.clone());
        let moved = std::mem::take(&mut self.metered);
        moved.into_iter().map(|id| (newest(&id).and_then(meter), id)).map(|(m, id)| (id, m)).collect()
    }
    fn stats(&self) -> BTreeMap<Arc<str>, PodStats> {
        let mut out: BTreeMap<Arc<str>, PodStats> = BTreeMap::new();
        // A newer run comes after the older ones.
        for (id, c) in &self.containers {
            let Some(m) = &c.machine else { continue };
            let memory_bytes = if c.exited.is_none() { m.meter.memory_bytes } else { 0 };
            let stats = ContainerStats { memory_bytes, disk_bytes: m.fs.own_bytes() + m.log.bytes() };
            out.entry(id.pod_uid.clone()).or_default().containers.insert(id.container.clone(), stats);
        }
        // Attached disks are not the node's.
        for (name, tree) in self.volumes.iter().filter(|(name, _)| !name.starts_with(fs::DISK)) {
            // The node's own directories belong to nobody.
            let (uid, volume) = name.split_once('/').unwrap_or(("", name));
            out.entry(uid.into()).or_default().volumes.insert(volume.into(), fs::bytes(tree));
        }
        out
    }
    fn remove_unused_images(&mut self) {
        let used = self.containers.values().filter(|c| c.exited.is_none());
        let used: BTreeSet<String> =
            used.filter_map(|c| ImageRef::parse(&c.spec.image).ok()).map(|r| r.full()).collect();
        self.pulled.retain(|full, _| used.contains(full));
    }
    fn take_writes(&mut self) -> Vec<ApiWrite> {
        std::mem::take(&mut self.writes)
    }
    fn take_calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.calls)
    }
    fn talked(&mut self, now: Time, node: &str, call: &Call) -> Option<Answer> {
        let answer = self.talk(now, redis::Back { node: node.into(), call: call.clone() });
        self.carry_talks(now);
        self.update_next();
        answer
    }
    fn take_late(&mut self) -> Vec<(String, Call, Answer)> {
        std::mem::take(&mut self.late).into_iter().map(|(back, answer)| (back.node, back.call, answer)).collect()
    }
    fn put_disk(&mut self, disk: &str, content: DiskContent) {
        self.volumes.links |= content.values().any(|e| matches!(e, fs::Entry::Link(_)));
        self.volumes.insert(fs::disk(disk), content);
    }
    fn take_disk(&mut self, disk: &str) -> Option<DiskContent> {
        self.volumes.remove(&fs::disk(disk))
    }
    fn called(&mut self, now: Time, server: &Server, http: bool) -> Answer {
        match http {
            true => self.http(server, now).map(Some),
            false => server::connect(&self.containers, None, &server.ip, server.port, now).map(|()| None),
        }
    }
    fn answered(&mut self, now: Time, call: &Call, answer: Answer) {
        let own = |response| Some(Served { response, work: Duration::ZERO, done: now });
        let answer = call.server.answer(answer, own);
        if let Some(m) = machine(&mut self.containers, &call.id) {
            m.hear(call.pid, call.talk.as_ref().map_or(0, |t| t.connection), answer, now);
        }
        self.update_next();
    }

    fn image(&self, image: &str) -> Option<ImageInfo> {
        self.pulled.get(&ImageRef::parse(image).ok()?.full()).cloned()
    }
    fn image_has_command(&self, image: &str) -> bool {
        let image = ImageRef::parse(image).ok().and_then(|r| catalogue::find(&r).ok());
        image.is_none_or(|i| !i.entrypoint.is_empty() || !i.cmd.is_empty())
    }
    fn image_user(&self, image: &str) -> i64 {
        ImageRef::parse(image).map_or(0, |r| catalogue::user(&r))
    }
    fn images(&self) -> Vec<ImageInfo> {
        self.pulled.values().cloned().collect()
    }
    fn volume_file(&self, pod_uid: &str, volume: &str, path: &str) -> Option<Vec<u8>> {
        match self.volumes.get(&format!("{pod_uid}/{volume}"))?.get(path.trim_start_matches('/'))? {
            fs::Entry::File(data) => Some(data.to_vec()),
            _ => None,
        }
    }
    fn sees_host(&self) -> bool {
        true
    }
    fn manifest_files(&self) -> ManifestFiles {
        self.manifests.0.clone()
    }
    fn manifest_files_changed(&mut self) -> bool {
        let changed = std::mem::take(&mut self.manifests.1);
        if changed {
            self.update_next();
        }
        changed
    }
    fn host_entry(&self, path: &str) -> Option<HostEntry> {
        host::entry(path, &self.volumes)
    }
    fn make_host_entry(&mut self, path: &str, entry: HostEntry) {
        host::make(path, entry, &mut self.volumes);
    }
    fn containers(&self) -> Vec<ContainerRecord> {
        let record = |c: &Arc<Container>| ContainerRecord {
            id: c.spec.id.clone(),
            image: c.spec.image.clone(),
            started_at: c.started_at,
            exited: c.exited.clone(),
            identity: Some(c.spec.identity.clone()),
        };
        self.containers.values().map(record).collect()
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

/// An exec that has ended or a request that got its answer.
fn answer(probe: u64, outcome: ProbeOutcome) -> RuntimeEvent {
    RuntimeEvent::ProbeResult { probe, outcome }
}
