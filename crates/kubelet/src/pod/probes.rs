//! Liveness, readiness and startup probes. Models `pkg/kubelet/prober`.

use super::sync::{named_port, seconds_of, spec_grace};
use super::{PodWorker, Role, Stage, SyncCx, events};
use crate::runtime::{Handler, ProbeOutcome, RuntimeCommand};
use k8s_openapi::api::core::v1::{Container, LifecycleHandler, Pod, PodSpec, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::{Duration, Time};
use reconcile::EventType::Warning;
use std::borrow::Cow;
use trace::note;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    Startup,
    Liveness,
    Readiness,
}

impl ProbeKind {
    pub fn as_str(self) -> &'static str {
        match self {
            ProbeKind::Startup => "Startup",
            ProbeKind::Liveness => "Liveness",
            ProbeKind::Readiness => "Readiness",
        }
    }
    fn spec(self, c: &Container) -> Option<&Probe> {
        match self {
            ProbeKind::Startup => c.startup_probe.as_ref(),
            ProbeKind::Liveness => c.liveness_probe.as_ref(),
            ProbeKind::Readiness => c.readiness_probe.as_ref(),
        }
    }
}

/// One probe of one running container.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeWorker {
    pub kind: ProbeKind,
    pub next_at: Time,
    /// The probe under way.
    pub request: Option<u64>,
    /// The last outcome and how many times in a row it came.
    pub last_ok: bool,
    pub run: i32,
    /// What counts, after thresholds. Readiness starts unready, liveness alive, startup not started.
    pub passing: bool,
}

fn seconds(n: Option<i32>, default: i64, least: i64) -> Duration {
    seconds_of(i64::from(n.unwrap_or(0)).max(0)).max(if n.is_none() { seconds_of(default) } else { seconds_of(least) })
}

impl PodWorker {
    /// Called when a container has started.
    pub fn start_probes(&mut self, c: usize, container: &Container, now: Time) {
        let state = &mut self.containers[c];
        let started_at = state.run.as_ref().map_or(now, |r| r.started_at);
        state.probes = [ProbeKind::Startup, ProbeKind::Liveness, ProbeKind::Readiness]
            .into_iter()
            .filter_map(|kind| {
                let p = kind.spec(container)?;
                let next_at = started_at + seconds(p.initial_delay_seconds, 0, 0);
                let passing = kind == ProbeKind::Liveness;
                Some(ProbeWorker { kind, next_at, request: None, last_ok: false, run: 0, passing })
            })
            .collect();
        self.judge(c);
    }

    /// Called for the containers that a restarted kubelet finds running.
    pub fn resume_probes(&mut self, spec: &PodSpec, now: Time) {
        for c in 0..self.containers.len() {
            if self.containers[c].stage == Stage::Running
                && let Some(container) = self.containers[c].spec(spec)
            {
                self.start_probes(c, &container, now);
            }
        }
    }

    /// `started` and `ready` from the probes' results. Models `UpdatePodStatus` of the prober manager.
    fn judge(&mut self, c: usize) {
        let state = &mut self.containers[c];
        let result = |kind| state.probes.iter().find(|p: &&ProbeWorker| p.kind == kind).is_none_or(|p| p.passing);
        let running = state.is_up();
        state.started = running && result(ProbeKind::Startup);
        // An init container that is no sidecar is ready when it has ended well.
        let counts = state.role != Role::Init;
        state.ready = counts && state.started && result(ProbeKind::Readiness) && state.stopping.is_none();
    }

    /// Sends the probes that are due.
    pub fn run_probes(&mut self, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) {
        self.continue_stops(cx);
        for c in 0..self.containers.len() {
            if !self.containers[c].is_up() || self.containers[c].stopping.is_some() {
                continue;
            }
            let Some(container) = self.containers[c].spec(spec).map(Cow::into_owned) else { continue };
            let attempt = self.containers[c].run.as_ref().map_or(0, |r| r.attempt);
            let id = self.container_id(c, attempt);
            let started = self.containers[c].started;
            for i in 0..self.containers[c].probes.len() {
                let p = &self.containers[c].probes[i];
                // The startup probe runs until it has passed, the others only afterwards.
                if p.request.is_some() || (p.kind == ProbeKind::Startup) == started {
                    continue;
                }
                let Some(probe_spec) = p.kind.spec(&container) else { continue };
                if p.next_at > cx.now {
                    cx.wake_at(p.next_at);
                    continue;
                }
                let handler = probe_handler(probe_spec, &container, &self.ip);
                let timeout = seconds(probe_spec.timeout_seconds, 1, 1);
                let period = seconds(probe_spec.period_seconds, 10, 1);
                let p = &mut self.containers[c].probes[i];
                while p.next_at <= cx.now {
                    p.next_at += period;
                }
                let next = p.next_at;
                cx.wake_at(next);
                match handler {
                    Ok(handler) => {
                        let probe = cx.requests.open(&self.uid);
                        p.request = Some(probe);
                        let id = id.clone();
                        cx.runtime.command(cx.now, RuntimeCommand::Probe { probe, id, handler, timeout });
                    }
                    Err(why) => {
                        let kind = self.containers[c].probes[i].kind.as_str();
                        let message = format!("{kind} probe errored and resulted in unknown state: {why}");
                        events::container(cx, self, pod, c, Warning, "Unhealthy", message);
                    }
                }
            }
        }
    }

    /// A probe's result. Models `worker.doProbe`.
    pub fn on_probe(
        &mut self,
        c: usize,
        request: u64,
        outcome: ProbeOutcome,
        pod: &Pod,
        spec: &PodSpec,
        cx: &mut SyncCx,
    ) {
        let Some(container) = self.containers[c].spec(spec).map(Cow::into_owned) else { return };
        let state = &mut self.containers[c];
        let name = state.name.clone();
        let Some(p) = state.probes.iter_mut().find(|p| p.request == Some(request)) else { return };
        p.request = None;
        let kind = p.kind;
        let Some(probe) = kind.spec(&container) else { return };
        let (ok, text) = match &outcome {
            ProbeOutcome::Success => (true, String::new()),
            ProbeOutcome::Failure(out) => (false, format!("{} probe failed: {out}", kind.as_str())),
            ProbeOutcome::Error(why) => {
                (false, format!("{} probe errored and resulted in unknown state: {why}", kind.as_str()))
            }
        };
        let p = match self.containers[c].probes.iter_mut().find(|p| p.kind == kind) {
            Some(p) => p,
            None => return,
        };
        if p.run > 0 && p.last_ok == ok {
            p.run += 1;
        } else {
            p.last_ok = ok;
            p.run = 1;
        }
        let threshold = if ok { probe.success_threshold } else { probe.failure_threshold };
        let threshold = threshold.unwrap_or(if ok { 1 } else { 3 }).max(1);
        let (run, was) = (p.run, p.passing);
        if !ok {
            events::container(cx, self, pod, c, Warning, "Unhealthy", text);
            let what = kind.as_str();
            cx.note(note!(
                "kubelet.probe-failed",
                container = &name,
                probe = &what,
                times = &run,
                threshold = &threshold
            ));
        }
        // An error of the probe itself is neither success nor failure.
        if run < threshold || matches!(outcome, ProbeOutcome::Error(_)) {
            return;
        }
        if let Some(p) = self.containers[c].probes.iter_mut().find(|p| p.kind == kind) {
            p.passing = ok;
        }
        if ok && !was {
            cx.note(note!("kubelet.probe-passed", container = &name, probe = &kind.as_str()));
            if kind == ProbeKind::Startup {
                // Readiness is asked at once when the container has started.
                for p in &mut self.containers[c].probes {
                    if p.kind == ProbeKind::Readiness {
                        p.next_at = p.next_at.min(cx.now);
                    }
                }
            }
        }
        self.judge(c);
        if !ok && kind != ProbeKind::Readiness {
            let what = kind.as_str().to_lowercase();
            let grace = probe.termination_grace_period_seconds.map_or_else(|| spec_grace(spec), seconds_of);
            let again = container.restart_policy.as_deref().or(spec.restart_policy.as_deref()) != Some("Never");
            let message = match self.containers[c].role {
                Role::Sidecar => format!("Init container {name} failed {what} probe"),
                _ if again => format!("Container {name} failed {what} probe, will be restarted"),
                _ => format!("Container {name} failed {what} probe"),
            };
            cx.note(note!("kubelet.probe-restart", container = &name, probe = &kind.as_str()));
            self.stop(c, grace, &message, pod, spec, cx);
        }
    }
}

fn port(p: &IntOrString, c: &Container) -> Result<u16, String> {
    let n = match p {
        IntOrString::Int(n) => *n,
        IntOrString::String(s) => {
            let found = named_port(c, s).or_else(|| s.parse().ok());
            found.ok_or_else(|| format!("port {s:?} not found"))?
        }
    };
    u16::try_from(n).ok().filter(|n| *n > 0).ok_or_else(|| format!("invalid port number: {n}"))
}

fn http(h: &k8s_openapi::api::core::v1::HTTPGetAction, c: &Container, ip: &str) -> Result<Handler, String> {
    let path = h.path.clone().unwrap_or_default();
    Ok(Handler::HttpGet {
        scheme: h.scheme.as_deref().unwrap_or("HTTP").to_lowercase(),
        host: h.host.clone().filter(|h| !h.is_empty()).unwrap_or_else(|| ip.into()),
        port: port(&h.port, c)?,
        path: if path.starts_with('/') { path } else { format!("/{path}") },
        headers: h.http_headers.iter().flatten().map(|h| (h.name.clone(), h.value.clone())).collect(),
    })
}

fn probe_handler(p: &Probe, c: &Container, ip: &str) -> Result<Handler, String> {
    if let Some(e) = &p.exec {
        return Ok(Handler::Exec { command: e.command.clone().unwrap_or_default() });
    }
    if let Some(h) = &p.http_get {
        return http(h, c, ip);
    }
    if let Some(t) = &p.tcp_socket {
        let host = t.host.clone().filter(|h| !h.is_empty()).unwrap_or_else(|| ip.into());
        return Ok(Handler::TcpSocket { host, port: port(&t.port, c)? });
    }
    if let Some(g) = &p.grpc {
        let service = g.service.clone().unwrap_or_default();
        return Ok(Handler::Grpc { port: u16::try_from(g.port).unwrap_or(0), service });
    }
    Err("missing probe handler".into())
}

/// What a lifecycle hook asks of the runtime; a `sleep` asks nothing.
pub fn hook_handler(h: &LifecycleHandler, c: &Container, ip: &str) -> Option<Handler> {
    if let Some(e) = &h.exec {
        return Some(Handler::Exec { command: e.command.clone().unwrap_or_default() });
    }
    http(h.http_get.as_ref()?, c, ip).ok()
}
