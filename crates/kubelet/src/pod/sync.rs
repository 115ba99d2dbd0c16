//! One turn of a pod's worker. Models `SyncPod` of `pkg/kubelet/kubelet.go` and `computePodActions` of
//! `pkg/kubelet/kuberuntime/kuberuntime_manager.go`.

use super::admit::Admitted;
use super::{
    ContainerState, Exit, Hook, PodWorker, Role, Stage, SyncCx, Verdict, admit, devices, events, exit_reason,
    persistent, plugins, volumes,
};
use crate::runtime::{ProbeOutcome, RuntimeEvent};
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use meta::{Duration, Time};
use reconcile::EventType::{Normal, Warning};
use std::borrow::Cow;
use trace::note;

/// How long the kubelet takes to notice that a container ended (the pod lifecycle event generator's period).
pub(super) const RELIST: Duration = Duration::from_secs(1);
/// How soon a volume that could not be set up is tried again: at first, and at most, doubling between. Models
/// `pkg/volume/util/operationexecutor`'s `exponentialbackoff`.
const MOUNT_RETRY: Duration = Duration::from_millis(500);
const MOUNT_RETRY_MAX: Duration = Duration::from_secs(122);
/// When a pod is looked at again that changed nothing: the kubelet's `syncFrequency`.
const RESYNC: Duration = Duration::from_secs(60);
/// A postStart hook has no time limit of its own.
const POST_START_MAX: Duration = Duration::from_secs(365 * 86_400);
/// Creating a sandbox: this long at least, and up to as much again.
const SANDBOX_MILLIS: u32 = 250;

impl PodWorker {
    pub fn sync(&mut self, pod: &Pod, used: &Admitted, inbox: Vec<RuntimeEvent>, cx: &mut SyncCx) {
        let Some(spec) = &pod.spec else { return };
        self.accept_ephemeral(spec);
        for e in inbox {
            self.take_event(e, pod, spec, cx);
        }
        self.follow_images(spec);
        if !self.admitted && self.verdict.is_none() && !self.admission(pod, used, cx) {
            return;
        }
        self.check_deadline(pod, spec, cx);
        if self.terminating.is_none() {
            if let Some(d) = self.deletion_grace(pod, spec) {
                self.terminating = Some(d);
            } else if let Some(v) = &self.verdict {
                self.terminating = Some(v.grace.unwrap_or_else(|| spec_grace(spec)));
            }
        } else if let (Some(d), Some(old)) = (self.deletion_grace(pod, spec), self.terminating) {
            // A second delete may shorten the grace period, never lengthen it.
            self.terminating = Some(old.min(d));
        }
        if self.terminating.is_some() {
            self.stop_all(pod, spec, cx);
            return;
        }
        if self.ready_to_start(pod, spec, cx) {
            self.end_sleeps(spec, cx);
            self.replace_changed(pod, spec, cx);
            self.advance(pod, spec, cx);
            self.run_probes(pod, spec, cx);
            self.remount(pod, spec, cx);
            self.expand_volumes(pod, cx);
            self.end_resize(pod, cx);
        }
    }

    fn deletion_grace(&self, pod: &Pod, spec: &PodSpec) -> Option<Duration> {
        if self.deleted {
            // The object is gone (a forced deletion): as little as possible.
            return Some(Duration::from_secs(2));
        }
        pod.metadata.deletion_timestamp.as_ref()?;
        let seconds = pod.metadata.deletion_grace_period_seconds;
        Some(seconds.map_or_else(|| spec_grace(spec), seconds_of))
    }

    /// Whether the pod goes on; a refused one is Failed for good.
    fn admission(&mut self, pod: &Pod, used: &Admitted, cx: &mut SyncCx) -> bool {
        if self.started_at == Time(0) {
            self.started_at = cx.now;
        }
        if pod.metadata.deletion_timestamp.is_some() {
            self.admitted = true;
            return true;
        }
        if let Some(v) = admit::admit(cx, pod, used) {
            events::pod(cx, pod, Warning, &v.reason, v.message.clone());
            cx.note(note!("kubelet.pod-rejected", pod = &self.key, reason = &v.reason, why = &v.message));
            let message = format!("Pod was rejected: {}", v.message);
            self.verdict = Some(Verdict::new(&v.reason, message));
            return false;
        }
        self.admitted = true;
        self.allocate(pod);
        cx.note(note!("kubelet.pod-admitted", pod = &self.key, node = &cx.config.name));
        true
    }

    /// Models `pkg/kubelet/active_deadline.go`.
    fn check_deadline(&mut self, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) {
        let Some(seconds) = spec.active_deadline_seconds else { return };
        if self.verdict.is_some() || self.terminating.is_some() || self.phase_is_final(spec) {
            return;
        }
        let end = self.started_at + seconds_of(seconds);
        if cx.now < end {
            cx.wake_at(end);
            return;
        }
        let message = "Pod was active on the node longer than the specified deadline";
        events::pod(cx, pod, Normal, "DeadlineExceeded", message);
        cx.note(note!("kubelet.deadline-exceeded", pod = &self.key, seconds = &seconds));
        self.verdict = Some(Verdict::new("DeadlineExceeded", message));
    }

    /// Volumes and sandbox: what every container of the pod needs first.
    fn ready_to_start(&mut self, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) -> bool {
        if self.sandbox_ready {
            return true;
        }
        if cx.now < self.mount_at {
            cx.wake_at(self.mount_at);
            return false;
        }
        if !self.has_disks(pod, cx) {
            return false;
        }
        if let Err((volume, why)) = volumes::check(pod, cx) {
            let message = persistent::failed_mount(&volume, &why);
            events::pod(cx, pod, Warning, "FailedMount", message);
            cx.note(note!("kubelet.volume-missing", pod = &self.key, volume = &volume, why = &why));
            let longer = Duration((self.mount_delay.0 * 2).min(MOUNT_RETRY_MAX.0));
            self.mount_delay = longer.max(MOUNT_RETRY);
            self.mount_at = cx.now + self.mount_delay;
            cx.wake_at(self.mount_at);
            return false;
        }
        if self.sandbox_at.is_none() {
            plugins::make_host_paths(pod, cx);
        }
        if self.sandbox_at.is_none()
            && let Err(why) = devices::prepare(pod, cx)
        {
            let message = format!("Failed to prepare dynamic resources: prepare dynamic resources: {why}");
            events::pod(cx, pod, Warning, "FailedPrepareDynamicResources", message);
            cx.note(note!("kubelet.devices-missing", pod = &self.key, why = &why));
            self.mount_at = cx.now + RESYNC;
            cx.wake_at(self.mount_at);
            return false;
        }
        if let Some(at) = self.sandbox_at {
            if cx.now < at {
                cx.wake_at(at);
                return false;
            }
            self.sandbox_ready = true;
            cx.note(note!("kubelet.sandbox-ready", pod = &self.key, ip = &self.ip));
            return true;
        }
        if spec.host_network == Some(true) {
            self.ip = cx.config.internal_ip.clone();
        } else if self.ip.is_empty() {
            let cidr = cx.node.and_then(|n| n.spec.as_ref()?.pod_cidr.clone()).filter(|c| !c.is_empty());
            let Some(ip) = cidr.and_then(|c| cx.addresses.take(&c, &self.uid)) else {
                if self.noted != "cidr" {
                    self.noted = "cidr";
                    cx.note(note!("kubelet.waiting-for-pod-cidr", pod = &self.key, node = &cx.config.name));
                }
                // The node's change to come wakes the pod up; this is for a range that is full.
                cx.wake_at(cx.now + RELIST);
                return false;
            };
            self.ip = ip;
        }
        let millis = u64::from(SANDBOX_MILLIS + cx.rng.below(SANDBOX_MILLIS)) / u64::from(cx.config.speed.max(1));
        let at = cx.now + Duration::from_millis(millis.max(1));
        self.sandbox_at = Some(at);
        cx.wake_at(at);
        false
    }

    /// Starts what may start now: init containers in order, then the main containers, one at a time.
    fn advance(&mut self, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) {
        if self.phase_is_final(spec) {
            self.finish(pod, spec, cx);
            return;
        }
        self.start_ephemeral(pod, spec, cx);
        for c in 0..self.containers.len() {
            let (role, stage) = (self.containers[c].role, self.containers[c].stage);
            match stage {
                _ if role == Role::Ephemeral => continue,
                Stage::Pulling { .. } | Stage::Starting => return,
                Stage::Running => match role {
                    Role::Init => return,
                    // Nothing else is started while a postStart hook runs.
                    _ if self.containers[c].post_start.is_some() => return,
                    Role::Sidecar if !self.containers[c].started && !self.initialized => return,
                    _ => continue,
                },
                Stage::Exited | Stage::Idle => {}
            }
            let code = self.containers[c].exit_code();
            match role {
                Role::Init if code == Some(0) || (self.initialized && code.is_none()) => continue,
                Role::Init if self.containers[c].is_over(spec) => return,
                Role::Main if self.containers[c].is_over(spec) => continue,
                _ => {}
            }
            self.try_start(c, pod, spec, cx);
            let again = self.containers[c].stage;
            if role != Role::Main || matches!(again, Stage::Pulling { .. } | Stage::Starting) {
                return;
            }
        }
    }

    /// Those start whatever the others do, and once only. Models `EphemeralContainersToStart`.
    fn start_ephemeral(&mut self, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) {
        for c in 0..self.containers.len() {
            let state = &self.containers[c];
            if state.role == Role::Ephemeral && state.stage == Stage::Idle && state.run.is_none() {
                self.try_start(c, pod, spec, cx);
            }
        }
    }

    /// Main containers have ended for good: sidecars are stopped in reverse order.
    fn finish(&mut self, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) {
        for c in (0..self.containers.len()).rev() {
            if matches!(self.containers[c].role, Role::Sidecar | Role::Ephemeral) && self.containers[c].is_alive() {
                self.stop(c, spec_grace(spec), "", pod, spec, cx);
                return;
            }
        }
    }

    /// Nothing of the pod runs, nor will.
    pub fn has_ended(&self, spec: &PodSpec) -> bool {
        self.is_quiet() && (self.terminating.is_some() || self.phase_is_final(spec))
    }

    /// Nothing of the pod will be started again.
    pub fn phase_is_final(&self, spec: &PodSpec) -> bool {
        let failed = |c: &ContainerState| c.role == Role::Init && c.exit_code() != Some(0) && c.is_over(spec);
        if !self.initialized && self.containers.iter().any(failed) {
            return true;
        }
        let mut main = self.containers.iter().filter(|c| c.role == Role::Main).peekable();
        main.peek().is_some() && main.all(|c| c.is_over(spec))
    }

    fn take_event(&mut self, e: RuntimeEvent, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) {
        match e {
            RuntimeEvent::ImagePulled { pull, image_id, size_bytes, took } => {
                if let Some((c, since)) = self.pulling(pull) {
                    self.on_pulled(c, since, Ok((image_id, size_bytes, took)), pod, spec, cx);
                } else {
                    self.volume_pulled(pull, Ok((size_bytes, took)), pod, spec, cx);
                }
            }
            RuntimeEvent::ImagePullFailed { pull, message, reason } => {
                if let Some((c, since)) = self.pulling(pull) {
                    self.on_pulled(c, since, Err((message, reason)), pod, spec, cx);
                } else {
                    self.volume_pulled(pull, Err((message, reason)), pod, spec, cx);
                }
            }
            RuntimeEvent::Started { id, at } => {
                let Some(c) = self.index_of(&id.container) else { return };
                self.on_started(c, id.attempt, at);
                if self.containers[c].stage == Stage::Running {
                    self.running(c, pod, spec, cx);
                }
            }
            RuntimeEvent::StartFailed { id, at, message, exit_code } => {
                if let Some(c) = self.index_of(&id.container) {
                    self.on_start_failed(c, at, message, exit_code, pod, cx);
                }
            }
            RuntimeEvent::Exited { id, at, code, reason, signal, message, log_tail } => {
                let Some(c) = self.index_of(&id.container) else { return };
                let fallback = self.containers[c].spec(spec).and_then(|s| s.termination_message_policy.clone());
                let message = match fallback.as_deref() {
                    Some("FallbackToLogsOnError") if message.is_empty() && code != 0 => log_tail,
                    _ => message,
                };
                let reason = exit_reason(reason);
                cx.note(note!("kubelet.container-exited", container = &id.container, code = &code, reason = &reason));
                self.on_exited(c, id.attempt, Exit { at, code, signal, reason, message });
                // One step ends a container and starts it anew; other ends are found.
                let noticed = if self.containers[c].anew { cx.now } else { cx.now + RELIST };
                self.containers[c].retry_at = noticed;
                cx.wake_at(noticed);
            }
            RuntimeEvent::ProbeResult { probe, outcome } => self.take_answer(probe, outcome, pod, spec, cx),
        }
    }

    fn pulling(&self, pull: u64) -> Option<(usize, Time)> {
        self.containers.iter().enumerate().find_map(|(i, c)| match c.stage {
            Stage::Pulling { pull: p, since } if p == pull => Some((i, since)),
            _ => None,
        })
    }

    /// A container has just started: its event, its probes, its postStart hook.
    fn running(&mut self, c: usize, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) {
        self.containers[c].anew = false;
        events::container(cx, self, pod, c, Normal, "Started", "Container started");
        let attempt = self.containers[c].run.as_ref().map_or(0, |r| r.attempt);
        cx.note(note!("kubelet.container-started", container = &self.containers[c].name, attempt = &attempt));
        let Some(container) = self.containers[c].spec(spec).map(Cow::into_owned) else { return };
        if let Some(hook) = container.lifecycle.as_ref().and_then(|l| l.post_start.as_ref()) {
            self.containers[c].post_start = match &hook.sleep {
                Some(s) => Some(Hook::Sleep(cx.now + seconds_of(s.seconds))),
                None => self.run_hook(c, &container, hook, POST_START_MAX, cx).map(Hook::Request),
            };
        }
        if let Some(Hook::Sleep(until)) = self.containers[c].post_start {
            cx.wake_at(until);
        }
        if self.containers[c].post_start.is_none() {
            self.start_probes(c, &container, cx.now);
        }
    }

    /// postStart hooks that only sleep end by themselves.
    fn end_sleeps(&mut self, spec: &PodSpec, cx: &mut SyncCx) {
        for c in 0..self.containers.len() {
            match self.containers[c].post_start {
                Some(Hook::Sleep(until)) if until <= cx.now => self.post_start_done(c, spec, cx),
                Some(Hook::Sleep(until)) => cx.wake_at(until),
                _ => {}
            }
        }
    }

    fn post_start_done(&mut self, c: usize, spec: &PodSpec, cx: &SyncCx) {
        self.containers[c].post_start = None;
        if let Some(container) = self.containers[c].spec(spec).map(Cow::into_owned) {
            self.start_probes(c, &container, cx.now);
        }
    }

    /// The runtime answers a probe or a hook.
    fn take_answer(&mut self, request: u64, outcome: ProbeOutcome, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) {
        for c in 0..self.containers.len() {
            let state = &mut self.containers[c];
            if state.post_start == Some(Hook::Request(request)) {
                if outcome == ProbeOutcome::Success {
                    self.post_start_done(c, spec, cx);
                } else {
                    events::container(cx, self, pod, c, Warning, "FailedPostStartHook", "PostStartHook failed");
                    self.stop(c, spec_grace(spec), "FailedPostStartHook", pod, spec, cx);
                }
                return;
            }
            if state.stopping.as_ref().is_some_and(|s| s.hook == Some(request)) {
                if outcome != ProbeOutcome::Success {
                    events::container(cx, self, pod, c, Warning, "FailedPreStopHook", "PreStopHook failed");
                }
                self.hook_done(c, cx);
                return;
            }
            if state.probes.iter().any(|p| p.request == Some(request)) {
                self.on_probe(c, request, outcome, pod, spec, cx);
                return;
            }
        }
    }
}

pub fn seconds_of(n: i64) -> Duration {
    Duration::from_secs(u64::try_from(n).unwrap_or(0).min(1 << 40))
}

/// `terminationGracePeriodSeconds`
pub fn spec_grace(spec: &PodSpec) -> Duration {
    seconds_of(spec.termination_grace_period_seconds.unwrap_or(30))
}

/// The number of a container's port by its name.
pub fn named_port(c: &Container, name: &str) -> Option<i32> {
    c.ports.iter().flatten().find(|p| p.name.as_deref() == Some(name)).map(|p| p.container_port)
}
