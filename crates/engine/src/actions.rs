//! Commands that change the cluster. The same function serves a live page and a replayed session.

use crate::debugger::Debugger;
use crate::{apply, terminal};
use apiserver::authn::Impersonate;
use cluster::{Cluster, HttpOutcome};
use k8s_openapi::api::core::v1::Pod;
use kubelet::{Capacity, NodeConfig, SimRuntime};
use meta::{Quantity, User};
use protocol::debug::Debug;
use protocol::{ApiCall, ApiReply, Command, Fault, Reply, Terminal};

/// What a simulated machine has unless it is said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSize {
    pub cpu: String,
    pub memory: String,
    pub pods: String,
}

impl Default for NodeSize {
    fn default() -> Self {
        NodeSize { cpu: "4".into(), memory: "8Gi".into(), pods: "110".into() }
    }
}

impl NodeSize {
    /// # Errors
    /// The first quantity that cannot be read, with its name.
    pub fn capacity(&self) -> Result<Capacity, String> {
        let read = |name: &str, text: &str| match Quantity::parse(text) {
            Err(e) => Err(format!("{name} {text:?}: {e}")),
            Ok(q) if q.is_negative() || q.is_zero() => Err(format!("{name} {text:?}: must be greater than zero")),
            Ok(q) => Ok(q),
        };
        Ok(Capacity {
            cpu: read("cpu", &self.cpu)?,
            memory: read("memory", &self.memory)?,
            pods: read("pods", &self.pods)?.value(),
            ..Default::default()
        })
    }
}

/// Switches on one more simulated machine and gives its name.
///
/// # Errors
/// The size cannot be read.
pub fn add_sim_node(cluster: &mut Cluster, size: &NodeSize) -> Result<String, String> {
    let capacity = size.capacity()?;
    let name = cluster.next_node_name();
    let seed = cluster.fork_seed();
    // 172.18.0.2 is the API server's; machines follow it in the order of their numbers.
    let n = name.rsplit('-').next().and_then(|n| n.parse::<u32>().ok()).unwrap_or(0) + 2;
    let internal_ip = format!("172.{}.{}.{}", 18 + (n >> 16), (n >> 8) & 0xff, n & 0xff);
    let config = NodeConfig { name: name.clone(), capacity, internal_ip, seed, ..Default::default() };
    cluster.add_machine(config, Box::new(SimRuntime::new(seed, 1)))?;
    Ok(name)
}

/// Carries out a command that changes the cluster, or asks the debugger; `None` when it is neither.
pub fn act_with(cluster: &mut Cluster, debugger: &mut Debugger, command: &Command) -> Option<Reply> {
    let reply = match command {
        Command::Debug { id, debug } => Some(Reply::Debug { id: *id, answer: debugger.ask(cluster, debug.clone()) }),
        command => act(cluster, command),
    };
    debugger.sync(cluster);
    reply
}

/// Carries out a command that changes the cluster; `None` when it is not one.
pub fn act(cluster: &mut Cluster, command: &Command) -> Option<Reply> {
    let Command::As { identity, command } = command else { return act_as(cluster, &User::admin(), command) };
    let other = Impersonate { user: identity.user.clone(), groups: identity.groups.clone(), ..Impersonate::default() };
    match cluster.api().impersonate(cluster.store(), User::admin(), &other) {
        Ok(user) => act_as(cluster, &user, command),
        Err(e) => Some(refused(command, e.message())),
    }
}

/// The answer to a command that nobody carries out.
pub(crate) fn refused(command: &Command, why: &str) -> Reply {
    match command {
        Command::As { command, .. } => refused(command, why),
        Command::Apply { id, .. } => {
            let error = protocol::Diagnostic { message: why.into(), ..Default::default() };
            Reply::Apply { id: *id, result: protocol::ApplyResult { errors: vec![error], ..Default::default() } }
        }
        _ => Reply::Refused { message: why.into() },
    }
}

/// Why a command was not carried out; `None`: it was.
pub(crate) fn refusal(reply: Option<&Reply>) -> Option<String> {
    match reply {
        Some(Reply::Apply { result, .. }) if !result.errors.is_empty() => {
            let lines = result.errors.iter().map(|e| format!("{}:{}:{}: {}", e.file, e.line, e.column, e.message));
            Some(lines.collect::<Vec<_>>().join("\n"))
        }
        Some(Reply::Api(r)) if r.code >= 300 => {
            let status: Option<serde_json::Value> = serde_json::from_str(&r.body).ok();
            let message = status.as_ref().and_then(|s| s["message"].as_str()).unwrap_or(&r.body);
            Some(format!("{}: {message}", r.code))
        }
        Some(Reply::Done { error, .. }) => error.clone(),
        Some(Reply::Refused { message }) => Some(message.clone()),
        Some(_) => None,
        None => Some("nobody carries this out".into()),
    }
}

fn act_as(cluster: &mut Cluster, user: &User, command: &Command) -> Option<Reply> {
    let missing = |what: &str, name: &str| Some(format!("{what} {name:?} not found"));
    let (id, error) = match command {
        Command::Apply { id, mode, files } => {
            return Some(Reply::Apply { id: *id, result: apply::run_as(cluster, user, *mode, files) });
        }
        Command::Api(call) => return Some(Reply::Api(api_call(cluster, user, call))),
        Command::Together { id, commands } => {
            let run = |c: &mut Cluster| commands.iter().find_map(|command| refusal(act_as(c, user, command).as_ref()));
            // What would be refused is not begun.
            (*id, run(&mut cluster.clone()).or_else(|| run(cluster)))
        }
        Command::Terminal { id, terminal } => {
            return Some(Reply::Terminal { id: *id, output: terminal::act(cluster, user, terminal) });
        }
        Command::Follow { id, follow } => {
            let (journey, error) = match crate::follow::send(cluster, follow) {
                Ok(journey) => (crate::follow::shown(&journey), None),
                Err(why) => (protocol::Journey::default(), Some(why)),
            };
            return Some(Reply::Journey { id: *id, journey, error });
        }
        Command::AddNode { id, cpu, memory, pods } => {
            let size = NodeSize { cpu: cpu.clone(), memory: memory.clone(), pods: pods.clone() };
            (*id, add_sim_node(cluster, &size).err())
        }
        Command::Cordon { id, node, on } => (*id, cluster.cordon(node, *on).err().map(|e| e.to_string())),
        Command::Drain { id, node } => (*id, cluster.drain(node).err().map(|e| e.to_string())),
        Command::KillNode { id, node } => {
            (*id, if cluster.kill_machine(node) { None } else { missing("running machine", node) })
        }
        Command::ReviveNode { id, node } => {
            (*id, if cluster.revive_machine(node) { None } else { missing("stopped machine", node) })
        }
        Command::RemoveNode { id, node } => (*id, cluster.remove_node(node).err().map(|e| e.to_string())),
        Command::SetProcess { id, process, running } => {
            (*id, if cluster.set_process(process, *running) { None } else { missing("process", process) })
        }
        Command::Cloud { id, order } => (*id, crate::cloud::act(cluster, order).err()),
        Command::Fault { id, fault } => (*id, inject(cluster, fault).err()),
        _ => return None,
    };
    Some(Reply::Done { id, error })
}

/// Makes something go wrong, or mends it.
///
/// # Errors
/// There is nothing of this name that it could happen to, or it has happened already.
pub fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<(), String> {
    let (done, what, name) = match fault {
        Fault::CrashProcess { process } => (cluster.crash_process(process), "running process", process),
        Fault::PauseProcess { process, on } => {
            let what = if *on { "running process" } else { "paused process" };
            (cluster.pause_process(process, *on), what, process)
        }
        Fault::SlowProcess { process, times } => (cluster.slow_process(process, *times), "process", process),
        Fault::CutLink { node, on } => {
            let what = if *on { "connected machine" } else { "machine that is cut off" };
            (cluster.cut_link(node, *on), what, node)
        }
        Fault::FillDisk { node, on } => {
            let what = if *on { "machine with room on its disk" } else { "machine whose disk is full" };
            (cluster.fill_disk(node, *on), what, node)
        }
        Fault::FillVolume { claim, on } => {
            let what = if *on { "bound claim with room on its volume" } else { "claim whose volume is full" };
            (cluster.fill_volume(claim, *on), what, claim)
        }
        Fault::BlockImage { image, on } => return cluster.block_image(image, *on),
    };
    if done { Ok(()) } else { Err(format!("{what} {name:?} not found")) }
}

/// Whether replaying a session must repeat the command.
pub fn is_input(command: &Command) -> bool {
    match command {
        Command::As { command, .. } => is_input(command),
        Command::Together { commands, .. } => commands.iter().any(is_input),
        Command::Apply { mode, .. } => *mode != protocol::ApplyMode::DryRun,
        // A request that is passed on to a pod is seen there.
        Command::Api(call) => call.method != "GET" || call.path.contains("/proxy"),
        Command::Terminal { terminal, .. } => !matches!(terminal, Terminal::Read { .. }),
        Command::AddNode { .. }
        | Command::Cordon { .. }
        | Command::Drain { .. }
        | Command::KillNode { .. }
        | Command::ReviveNode { .. }
        | Command::RemoveNode { .. }
        | Command::SetProcess { .. }
        | Command::Cloud { .. }
        | Command::Fault { .. }
        | Command::Follow { .. }
        | Command::Debug { debug: Debug::SetConfig { .. }, .. } => true,
        _ => false,
    }
}

fn api_call(cluster: &mut Cluster, user: &User, call: &ApiCall) -> ApiReply {
    let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
    let request = apiserver::http::HttpRequest {
        method: &call.method,
        path,
        query,
        accept: &call.accept,
        content_type: &call.content_type,
        user_agent: "kubottle",
        user: user.clone(),
        body: call.body.clone().into_bytes(),
    };
    let answer = |code, content_type: &str, body: &[u8]| ApiReply {
        warnings: Vec::new(),
        id: call.id,
        code,
        content_type: content_type.into(),
        body: String::from_utf8_lossy(body).into_owned(),
    };
    match cluster.http(request) {
        HttpOutcome::Response(r) => ApiReply { warnings: r.warnings, ..answer(r.code, r.content_type, &r.body) },
        HttpOutcome::Logs(request) => match cluster.pod_log(&request) {
            Ok(log) => answer(200, "text/plain", &log),
            Err(e) => answer(e.code(), "text/plain", e.message().as_bytes()),
        },
        HttpOutcome::Proxy(target) => match proxied(cluster, &target) {
            Ok(r) => answer(r.status, "text/plain", r.body.as_bytes()),
            Err(e) => answer(503, "application/json", &serde_json::to_vec(&*e.0).unwrap_or_default()),
        },
        _ => answer(501, "text/plain", b"this request needs a connection that stays open; use kubectl for it"),
    }
}

/// What a simulated pod answers through the API server's proxy.
fn proxied(cluster: &mut Cluster, target: &apiserver::ProxyTarget) -> Result<network::Response, meta::ApiError> {
    let refused =
        |why: String| meta::ApiError::new(503, "ServiceUnavailable", format!("error trying to reach service: {why}"));
    let pod = cluster.view().get::<Pod>(&target.key).filter(|_| target.kind.kind == "Pod");
    let pod = pod.ok_or_else(|| refused("only pods are reached this way".into()))?;
    let node = pod.spec.as_ref().and_then(|s| s.node_name.clone()).unwrap_or_default();
    let ip = pod.status.as_ref().and_then(|s| s.pod_ip.clone()).unwrap_or_default();
    let declared = pod.spec.iter().flat_map(|s| &s.containers).flat_map(|c| c.ports.iter().flatten());
    let first = declared.filter_map(|p| u16::try_from(p.container_port).ok()).next();
    let port = target.port.parse().ok().or(first).unwrap_or(80);
    let (path, from) = (target.path.clone(), network::policy::CONTROL_PLANE_ADDRESS.into());
    let asked = network::Server { ip: ip.clone(), port, path, from, ..network::Server::default() };
    let answer = cluster.pod_http(&node, &asked);
    answer.map_err(|e| refused(format!("dial tcp {ip}:{port}: connect: {e:?}")))
}
