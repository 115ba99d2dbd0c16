//! Probes and hooks against the simulated containers. Models `pkg/probe/{exec,http,tcp,grpc}`.

use super::catalogue::Http;
use super::machine::{Fds, Input, Output, SIGKILL, State};
use super::net::{NetError, Said, Server};
use super::parts::Part;
use super::{Containers, SimRuntime, answer, programs, server};
use crate::runtime::{ContainerId, Handler, ProbeOutcome};
use k8s_openapi::api::core::v1::Node;
use meta::{Duration, Key, Time};

/// As `pkg/probe/util.go` has it.
const USER_AGENT: &str = "kube-probe/1.35";
/// A network probe's round trip.
const ROUND_TRIP: Duration = Duration::from_millis(2);

/// A probe under way.
#[derive(Clone, Debug)]
pub struct Pending {
    pub probe: u64,
    pub id: ContainerId,
    what: What,
    until: Time,
}

#[derive(Clone, Debug)]
enum What {
    /// A command in the container: its process and the pipe with its output.
    Exec { pid: u32, pipe: u32, command: Vec<String>, timeout: Duration },
    /// Already known; told a round trip later.
    Answer(ProbeOutcome),
}

impl Pending {
    pub fn due_at(&self, containers: &Containers) -> Option<Time> {
        match &self.what {
            What::Answer(_) => Some(self.until),
            What::Exec { pid, .. } => {
                let m = containers.get(&self.id).and_then(|c| c.machine.as_ref());
                let done = m.is_none_or(|m| {
                    m.exit.is_some() || m.procs.get(pid).is_none_or(|p| matches!(p.state, State::Done(_)))
                });
                Some(if done { Time(0) } else { self.until })
            }
        }
    }
}

impl SimRuntime {
    pub(super) fn begin_probe(&mut self, now: Time, probe: u64, id: ContainerId, handler: Handler, timeout: Duration) {
        let (what, until) = match handler {
            Handler::Exec { command } => self.begin_exec(now, &id, command, timeout),
            network => {
                let (outcome, at) = self.ask(now, &id, &network, timeout);
                (What::Answer(outcome), at)
            }
        };
        self.probes.push(Pending { probe, id, what, until });
    }

    fn begin_exec(&mut self, now: Time, id: &ContainerId, command: Vec<String>, timeout: Duration) -> (What, Time) {
        let machine = super::machine(&mut self.containers, id).filter(|m| m.exit.is_none());
        let Some(m) = machine else {
            return (What::Answer(ProbeOutcome::Error("container not running".into())), now + ROUND_TRIP);
        };
        let first = command.first().cloned().unwrap_or_default();
        if !programs::exists(m.image, &first) {
            let why = programs::missing(&first);
            let message = format!(
                "rpc error: code = Internal desc = failed to exec in container: failed to start exec: OCI runtime exec \
                 failed: exec failed: unable to start container process: {why}: unknown"
            );
            return (What::Answer(ProbeOutcome::Error(message)), now + ROUND_TRIP);
        }
        let pipe = m.pipe();
        let fds = Fds { stdin: Input::Null, stdout: Output::Pipe(pipe), stderr: Output::Pipe(pipe) };
        let pid = m.exec(command.clone(), fds, false, now);
        self.advance(id, now);
        (What::Exec { pid, pipe, command, timeout }, now + timeout)
    }

    /// A network probe's outcome, and when it is known.
    fn ask(&mut self, now: Time, id: &ContainerId, handler: &Handler, timeout: Duration) -> (ProbeOutcome, Time) {
        let mut known = now + ROUND_TRIP;
        let dial = |host: &str, port: u16, e: NetError| match e {
            NetError::Refused => format!("dial tcp {host}:{port}: connect: connection refused"),
            NetError::NoSuchHost => format!("dial tcp: lookup {host}: no such host"),
            _ => format!("dial tcp {host}:{port}: i/o timeout"),
        };
        let outcome = match handler {
            Handler::Exec { .. } => ProbeOutcome::Error("missing probe handler".into()),
            Handler::TcpSocket { host, port } => match server::connect(&self.containers, None, host, *port, now) {
                Ok(()) => ProbeOutcome::Success,
                Err(e) => ProbeOutcome::Failure(dial(host, *port, e)),
            },
            Handler::Grpc { port, .. } if self.serves_grpc(id, *port, now) => ProbeOutcome::Success,
            Handler::Grpc { port, .. } => ProbeOutcome::Failure(format!(
                "timeout: failed to connect service \":{port}\" within {}: context deadline exceeded",
                timeout.go_string()
            )),
            Handler::HttpGet { scheme, host, port, path, headers } => {
                let asked = self.probe_request(id, host, *port, path, headers);
                let url = match (scheme.as_str(), port) {
                    ("http", 80) | ("https", 443) => format!("{scheme}://{host}{path}"),
                    _ => format!("{scheme}://{host}:{port}{path}"),
                };
                let get = |why: String| ProbeOutcome::Failure(format!("Get {url:?}: {why}"));
                let late = || get("context deadline exceeded (Client.Timeout exceeded while awaiting headers)".into());
                match self.containers.get(id).and_then(|c| self.parts.of(c)) {
                    Some(Part::Frozen) => return (late(), now + timeout),
                    Some(_) => return (ProbeOutcome::Success, known),
                    None => {}
                }
                let answer = self.http(&asked, now);
                if let Ok(served) = &answer {
                    // A server that has much to do answers late.
                    known = known.max(served.done);
                }
                match answer.map(|served| served.response) {
                    Ok(_) if known.since(now) > timeout => {
                        known = now + timeout;
                        late()
                    }
                    Ok(_) if scheme == "https" && !server::speaks_tls(&self.containers, host, *port, now) => {
                        get("http: server gave HTTP response to HTTPS client".into())
                    }
                    Ok(r) if (200..400).contains(&r.status) => ProbeOutcome::Success,
                    Ok(r) => ProbeOutcome::Failure(format!("HTTP probe failed with statuscode: {}", r.status)),
                    Err(NetError::NotHttp) => get("EOF".into()),
                    Err(NetError::Unreachable) => late(),
                    Err(e) => get(dial(host, *port, e)),
                }
            }
        };
        (outcome, known)
    }

    /// What an HTTP probe sends. Models `pkg/probe/http/request.go`; it comes by the bridge of the node's pods.
    fn probe_request(
        &self,
        id: &ContainerId,
        host: &str,
        port: u16,
        path: &str,
        headers: &[(String, String)],
    ) -> Server {
        let mut said = Said { headers: headers.to_vec(), ..Said::default() };
        said.default_header("User-Agent", USER_AGENT);
        said.default_header("Accept", "*/*");
        said.default_header("Connection", "close");
        let set = said.headers.iter().position(|(k, _)| k.eq_ignore_ascii_case("host"));
        let node = self.containers.get(id).map(|c| Key::from(c.spec.node.as_str()));
        let node = self.view.as_ref().zip(node).and_then(|(view, key)| view.get::<Node>(&key));
        Server {
            ip: host.into(),
            port,
            path: path.into(),
            from: node.and_then(network::bridge).unwrap_or_default(),
            host: set.map_or_else(|| format!("{host}:{port}"), |n| said.headers.remove(n).1),
            said,
            ..Server::default()
        }
    }

    /// Whether the container listens there and speaks the gRPC health protocol.
    fn serves_grpc(&self, id: &ContainerId, port: u16, now: Time) -> bool {
        let machine = self.containers.get(id).and_then(|c| c.machine.as_ref());
        machine.is_some_and(|m| {
            let mut open = m.listeners().filter(|(p, _, _, since)| *p == port && *since <= now);
            open.any(|(_, server, _, _)| server.http == Http::Grpc || matches!(server.program, "etcd" | "/agnhost"))
        })
    }

    pub(super) fn finish_probes(&mut self, now: Time) {
        let mut still = Vec::new();
        for p in std::mem::take(&mut self.probes) {
            if p.due_at(&self.containers).is_none_or(|t| t > now) {
                still.push(p);
                continue;
            }
            let outcome = match p.what {
                What::Answer(outcome) => outcome,
                What::Exec { pid, pipe, command, timeout } => {
                    self.exec_outcome(&p.id, pid, pipe, &command, timeout, now)
                }
            };
            self.events.push(answer(p.probe, outcome));
        }
        self.probes = still;
    }

    fn exec_outcome(
        &mut self,
        id: &ContainerId,
        pid: u32,
        pipe: u32,
        command: &[String],
        timeout: Duration,
        now: Time,
    ) -> ProbeOutcome {
        let Some(m) = super::machine(&mut self.containers, id).filter(|m| m.exit.is_none()) else {
            return ProbeOutcome::Error("container not running".into());
        };
        let output = m.pipes.remove(&pipe).unwrap_or_default();
        let output = String::from_utf8_lossy(&output[..output.len().min(10 << 10)]).into_owned();
        match m.reap(pid) {
            Some(0) => ProbeOutcome::Success,
            Some(_) => ProbeOutcome::Failure(output),
            None => {
                m.signal(pid, SIGKILL, now);
                m.reap(pid);
                let text = command.join(" ");
                ProbeOutcome::Failure(format!("command timed out: {text:?} timed out after {}", timeout.go_string()))
            }
        }
    }
}
