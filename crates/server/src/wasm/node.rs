//! The container runtime of one wasm node: carries out its kubelet's commands.

use super::cgroup::Limits;
use super::container::{Container, Exit, Spec};
use super::engine::{Engine, Program, ProgramKind};
use super::host::{Caller, Network};
use super::image::{ImageRecord, Images, full_name};
use super::logbook::Logbook;
use super::logs::LINES_WAITING_MAX;
use crate::webhooks::Guests;
use crate::world::Handle;
use http_body_util::{BodyExt, Empty, Limited};
use kubelet::runtime::{
    ContainerId, ContainerSpec, ExitReason, Handler, ImageInfo, ProbeOutcome, RuntimeCommand, RuntimeEvent,
};
use meta::{Duration, Time};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// RuntimeClass name (and handler) of these pods.
pub const RUNTIME_CLASS: &str = "wasmtime";

/// `maxRespBodyLength` of `pkg/probe/http`.
const PROBE_BODY_BYTES_MAX: usize = 10 << 10;

/// What all wasm nodes of a server share.
#[derive(Clone)]
pub struct Shared {
    pub engine: Engine,
    pub images: Images,
    pub network: Arc<dyn Network>,
    pub handle: Handle,
    pub tokio: tokio::runtime::Handle,
    /// Compiled components by digest.
    pub programs: Arc<Mutex<BTreeMap<String, Program>>>,
    /// Those that webhooks can lead to.
    pub running: Guests,
}

/// A container and what it needs to be found by.
struct Running {
    container: Arc<Container>,
    pod_ip: String,
}

pub struct WasmNode {
    name: String,
    shared: Shared,
    /// Images this node has pulled, by full name.
    pulled: BTreeMap<String, ImageRecord>,
    running: BTreeMap<ContainerId, Running>,
    pub logs: Logbook,
    /// When the containers' usage was last looked at.
    counted: Time,
}

/// How often it is.
const COUNT_EVERY: Duration = Duration::from_secs(1);

impl WasmNode {
    pub fn new(name: &str, shared: Shared) -> Self {
        let (pulled, running) = (BTreeMap::new(), BTreeMap::new());
        WasmNode { name: name.into(), shared, pulled, running, logs: Logbook::default(), counted: Time(0) }
    }

    /// Power is lost: every guest ends at once and the disk is empty when it comes back.
    pub fn reset(&mut self) {
        for lost in self.running.values() {
            self.shared.running.remove(&lost.pod_ip, &lost.container);
        }
        *self = WasmNode::new(&self.name, self.shared.clone());
    }

    pub fn command(&mut self, now: Time, command: RuntimeCommand) {
        match command {
            RuntimeCommand::PullImage { pull, image, .. } => self.pull(pull, image),
            RuntimeCommand::RunContainer(spec) => self.run(now, *spec),
            // A component keeps the files it was started with.
            RuntimeCommand::UpdateMounts { .. } => {}
            // A guest's limits are set when it starts; the new ones hold from its next start on.
            RuntimeCommand::UpdateResources { .. } => {}
            RuntimeCommand::StopContainer { id, .. } => {
                if let Some(r) = self.running.get(&id) {
                    r.container.stop();
                }
            }
            RuntimeCommand::RemovePod { pod_uid } => {
                self.running.retain(|id, _| id.pod_uid != pod_uid);
                self.logs.remove_pod(&pod_uid);
            }
            RuntimeCommand::Probe { probe, id, handler, timeout } => self.probe(probe, &id, handler, timeout),
        }
    }

    /// The processor time and the memory of every guest; nothing when that was asked a moment ago.
    pub fn usage(&mut self, now: Time) -> Vec<(ContainerId, Duration, u64)> {
        if now.since(self.counted) < COUNT_EVERY {
            return Vec::new();
        }
        self.counted = now;
        let one = |(id, r): (&ContainerId, &Running)| {
            let (cpu, memory) = r.container.usage();
            (id.clone(), Duration(u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX)), memory)
        };
        self.running.iter().map(one).collect()
    }

    /// The HTTP component that listens on a pod's address.
    pub fn server(&self, pod_ip: &str) -> Option<Arc<Container>> {
        let http = |r: &&Running| r.pod_ip == pod_ip && r.container.kind() == ProgramKind::Http;
        self.running.values().find(http).map(|r| r.container.clone())
    }

    pub fn images(&self) -> Vec<ImageInfo> {
        let info = |(name, r): (&String, &ImageRecord)| ImageInfo {
            names: vec![name.clone(), image_id(name, r)],
            image_id: image_id(name, r),
            size_bytes: r.size_bytes,
        };
        self.pulled.iter().map(info).collect()
    }

    fn report(&self, event: RuntimeEvent) {
        self.shared.handle.runtime_event(&self.name, event);
    }

    fn pull(&mut self, pull: u64, image: String) {
        let (shared, node) = (self.shared.clone(), self.name.clone());
        let began = Instant::now();
        self.shared.tokio.spawn_blocking(move || {
            let event = match compile(&shared, &image) {
                Ok((name, record)) => {
                    let took = Duration::from_micros(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
                    let (image_id, size_bytes) = (image_id(&name, &record), record.size_bytes);
                    shared.handle.tell({
                        let node = node.clone();
                        move |w| w.wasm_image(&node, name, record)
                    });
                    RuntimeEvent::ImagePulled { pull, image_id, size_bytes, took }
                }
                Err(e) => RuntimeEvent::ImagePullFailed { pull, message: format!("{e:#}"), reason: String::new() },
            };
            shared.handle.runtime_event(&node, event);
        });
    }

    pub fn add_image(&mut self, name: String, record: ImageRecord) {
        self.pulled.insert(name, record);
    }

    fn run(&mut self, now: Time, spec: ContainerSpec) {
        let id = spec.id.clone();
        let program = match self.program(&spec) {
            Ok(program) => program,
            Err(message) => return self.report(RuntimeEvent::StartFailed { id, at: now, message, exit_code: 128 }),
        };
        let positive = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
        let limits =
            Limits { memory_bytes: positive(spec.memory_limit_bytes), cpu_milli: positive(spec.cpu_limit_milli) };
        let args = argv(&spec);
        let caller = Caller { namespace: spec.namespace, ip: spec.pod_ip.clone(), node: spec.node };
        let wanted = Spec { caller, args, env: spec.env, limits };
        let guard = self.shared.tokio.enter();
        let (container, mut lines, mut exit) =
            Container::start(&self.shared.engine, program, wanted, self.shared.network.clone());
        drop(guard);
        if container.kind() == ProgramKind::Http {
            self.shared.running.add(&spec.pod_ip, container.clone());
        }
        self.running.insert(id.clone(), Running { container, pod_ip: spec.pod_ip });
        self.logs.open(&id);
        self.report(RuntimeEvent::Started { id: id.clone(), at: now });
        let (handle, node) = (self.shared.handle.clone(), self.name.clone());
        self.shared.tokio.spawn(async move {
            let (mut batch, mut open) = (Vec::new(), true);
            let exit = loop {
                let exit = tokio::select! {
                    biased;
                    n = lines.recv_many(&mut batch, 256), if open => {
                        open = n > 0;
                        None
                    }
                    exit = &mut exit => Some(exit),
                };
                while exit.is_some() && batch.len() < LINES_WAITING_MAX {
                    match lines.try_recv() {
                        Ok(line) => batch.push(line),
                        Err(_) => break,
                    }
                }
                let (node, id, batch) = (node.clone(), id.clone(), std::mem::take(&mut batch));
                // Waiting for the answer is what holds a guest back that prints faster than its log is written.
                let _ = handle.ask(move |w| w.wasm_output(&node, &id, batch)).await;
                if let Some(exit) = exit {
                    // A sender is dropped without an exit only when the whole container is.
                    break exit.unwrap_or(Exit { code: 137, reason: "Error" });
                }
            };
            handle.tell(move |w| w.wasm_exited(&node, id, &exit));
        });
    }

    /// The log lines of a run, and then its end.
    pub fn output(&mut self, now: Time, id: &ContainerId, lines: Vec<super::logs::Line>) {
        for (_, line) in lines {
            self.logs.push(id, now, line);
        }
    }

    pub fn exited(&mut self, now: Time, id: ContainerId, exit: &Exit) -> RuntimeEvent {
        if let Some(gone) = self.running.remove(&id) {
            self.shared.running.remove(&gone.pod_ip, &gone.container);
        }
        let reason = match exit.reason {
            "OOMKilled" => ExitReason::OomKilled,
            "Completed" => ExitReason::Completed,
            _ => ExitReason::Error,
        };
        let log_tail = self.logs.tail(&id);
        RuntimeEvent::Exited { id, at: now, code: exit.code, reason, signal: None, message: String::new(), log_tail }
    }

    fn program(&self, spec: &ContainerSpec) -> Result<Program, String> {
        if spec.runtime_class != RUNTIME_CLASS {
            return Err(format!(
                "failed to create containerd task: this node runs WebAssembly only: set runtimeClassName: {RUNTIME_CLASS}"
            ));
        }
        if !spec.mounts.iter().all(|m| is_standard(&m.path)) {
            return Err("failed to create containerd task: volumes are not available to WebAssembly guests".into());
        }
        let name = full_name(&spec.image).map_err(|e| e.to_string())?;
        let record = self.pulled.get(&name).ok_or_else(|| format!("image {name:?}: not found"))?;
        let programs = self.shared.programs.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        programs.get(&record.digest).cloned().ok_or_else(|| format!("image {name:?}: not found"))
    }

    fn probe(&self, probe: u64, id: &ContainerId, handler: Handler, timeout: Duration) {
        let container = self.running.get(id).map(|r| r.container.clone());
        let (handle, node) = (self.shared.handle.clone(), self.name.clone());
        self.shared.tokio.spawn(async move {
            let limit = std::time::Duration::from_micros(timeout.as_micros());
            let outcome = match tokio::time::timeout(limit, carry_out(container, handler)).await {
                Ok(outcome) => outcome,
                Err(_) => ProbeOutcome::Failure("context deadline exceeded".into()),
            };
            handle.runtime_event(&node, RuntimeEvent::ProbeResult { probe, outcome });
        });
    }
}

/// The service account's token is mounted into every pod; a guest without files does not miss it.
fn is_standard(path: &str) -> bool {
    path == "/var/run/secrets/kubernetes.io/serviceaccount" || path == "/etc/hosts" || path == "/dev/termination-log"
}

/// `command` replaces the program's name; without it that is the image's last part, as with `wasmtime run`.
fn argv(spec: &ContainerSpec) -> Vec<String> {
    let mut argv = spec.command.clone();
    if argv.is_empty() {
        let last = spec.image.rsplit('/').next().unwrap_or("");
        argv.push(last.split([':', '@']).next().unwrap_or("").into());
    }
    argv.extend(spec.args.iter().cloned());
    argv
}

fn image_id(name: &str, record: &ImageRecord) -> String {
    let repository = name.rsplit_once(':').map_or(name, |(r, _)| r);
    format!("{repository}@{}", record.digest)
}

/// Finds and compiles an image; errors are worded as containerd's.
fn compile(shared: &Shared, image: &str) -> anyhow::Result<(String, ImageRecord)> {
    let name = full_name(image)?;
    let failed = |why: String| {
        anyhow::anyhow!("rpc error: code = NotFound desc = failed to pull and unpack image {name:?}: {why}")
    };
    let Some(record) = shared.images.find(&name)? else {
        return Err(failed(format!(
            "no match for platform in manifest: not found (wasm nodes run local components: kubottle image load {image} FILE)"
        )));
    };
    let known = |p: &BTreeMap<String, Program>| p.contains_key(&record.digest);
    if !known(&shared.programs.lock().unwrap_or_else(std::sync::PoisonError::into_inner)) {
        let bytes = shared.images.read(&record).map_err(|e| failed(format!("{e:#}")))?;
        // Compiled outside the lock: it takes a while.
        let program = shared.engine.program(&bytes).map_err(|e| failed(format!("{e:#}")))?;
        let mut programs = shared.programs.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        programs.insert(record.digest.clone(), program);
    }
    Ok((name, record))
}

/// Models `pkg/probe`: what the kubelet's prober says about an answer.
async fn carry_out(container: Option<Arc<Container>>, handler: Handler) -> ProbeOutcome {
    let Some(container) = container else { return ProbeOutcome::Failure("container is not running".into()) };
    match handler {
        Handler::HttpGet { scheme, host, port, path, headers } => {
            let url = format!("{}://{host}:{port}{path}", scheme.to_lowercase());
            let mut request = http::Request::get(&url).header("host", format!("{host}:{port}"));
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let body = Empty::new().map_err(|e| match e {}).boxed_unsync();
            match request.body(body) {
                Err(e) => ProbeOutcome::Error(e.to_string()),
                Ok(_) if container.kind() != ProgramKind::Http => {
                    ProbeOutcome::Failure(format!("Get {url:?}: dial tcp {host}:{port}: connect: connection refused"))
                }
                Ok(request) => match container.handle(request).await {
                    Err(_) => ProbeOutcome::Failure(format!("Get {url:?}: EOF")),
                    Ok(r) => {
                        let status = r.status().as_u16();
                        // Read, not dropped: a guest takes a body that nobody reads for a broken connection.
                        let _ = Limited::new(r.into_body(), PROBE_BODY_BYTES_MAX).collect().await;
                        if (200..400).contains(&status) {
                            ProbeOutcome::Success
                        } else {
                            ProbeOutcome::Failure(format!("HTTP probe failed with statuscode: {status}"))
                        }
                    }
                },
            }
        }
        Handler::TcpSocket { .. } if container.kind() == ProgramKind::Http => ProbeOutcome::Success,
        Handler::TcpSocket { host, port } => {
            ProbeOutcome::Failure(format!("dial tcp {host}:{port}: connect: connection refused"))
        }
        Handler::Grpc { port, .. } => ProbeOutcome::Failure(format!("failed to connect service at port {port}")),
        Handler::Exec { .. } => ProbeOutcome::Error("exec is not possible in a WebAssembly guest".into()),
    }
}
