//! Stopping containers: preStop, SIGTERM, grace, SIGKILL, and the pod's end. Models `killContainer` of
//! `pkg/kubelet/kuberuntime` and `SyncTerminatingPod`/`SyncTerminatedPod`.

use super::{PodWorker, Role, Stage, Stopping, SyncCx, events};
use crate::pod::probes;
use crate::runtime::RuntimeCommand;
use k8s_openapi::api::core::v1::{Container, LifecycleHandler, Pod, PodSpec};
use meta::Duration;
use reconcile::EventType::Normal;
use std::borrow::Cow;
use trace::note;

/// `minimumGracePeriodInSeconds`: what is left for SIGTERM after a preStop hook that used all the time.
const MINIMUM_GRACE: Duration = Duration::from_secs(2);

impl PodWorker {
    /// Stops one container; `message` empty means the ordinary `Stopping container x`.
    pub fn stop(&mut self, c: usize, grace: Duration, message: &str, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) {
        if self.containers[c].stopping.is_some() || !self.containers[c].is_alive() {
            return;
        }
        let text = match message {
            "" => format!("Stopping container {}", self.containers[c].name),
            m => m.to_string(),
        };
        events::container(cx, self, pod, c, Normal, "Killing", text);
        cx.note(note!("kubelet.stop", container = &self.containers[c].name, grace = &grace.go_string()));
        self.containers[c].probes.clear();
        self.containers[c].stopping =
            Some(Stopping { since: cx.now, grace, hook: None, hook_until: None, signalled: false });
        let container = self.containers[c].spec(spec).map(Cow::into_owned);
        let pre_stop = container.as_ref().and_then(|c| c.lifecycle.as_ref()?.pre_stop.clone());
        if let (Some(container), Some(hook), true) = (container, pre_stop, grace > Duration::ZERO) {
            let (hook_id, until) = match &hook.sleep {
                Some(s) => (None, cx.now + super::sync::seconds_of(s.seconds).min(grace)),
                None => (self.run_hook(c, &container, &hook, grace, cx), cx.now + grace),
            };
            if (hook_id.is_some() || hook.sleep.is_some())
                && let Some(s) = &mut self.containers[c].stopping
            {
                s.hook = hook_id;
                s.hook_until = Some(until);
                cx.wake_at(until);
                return;
            }
        }
        self.signal(c, cx);
    }

    /// Runs a lifecycle handler; `None` for one that has nothing to ask of the runtime.
    pub fn run_hook(
        &mut self,
        c: usize,
        container: &Container,
        hook: &LifecycleHandler,
        timeout: Duration,
        cx: &mut SyncCx,
    ) -> Option<u64> {
        let handler = probes::hook_handler(hook, container, &self.ip)?;
        let attempt = self.containers[c].run.as_ref()?.attempt;
        let probe = cx.requests.open(&self.uid);
        let id = self.container_id(c, attempt);
        cx.runtime.command(cx.now, RuntimeCommand::Probe { probe, id, handler, timeout });
        Some(probe)
    }

    pub fn hook_done(&mut self, c: usize, cx: &mut SyncCx) {
        if let Some(s) = &mut self.containers[c].stopping {
            s.hook = None;
            s.hook_until = None;
        }
        self.signal(c, cx);
    }

    /// SIGTERM, with what the hook left of the grace period.
    fn signal(&mut self, c: usize, cx: &mut SyncCx) {
        let Some(s) = &mut self.containers[c].stopping else { return };
        if s.signalled {
            return;
        }
        s.signalled = true;
        let spent = cx.now.since(s.since);
        let left = Duration(s.grace.0.saturating_sub(spent.0));
        // A grace period of zero means: at once.
        let grace = if s.grace == Duration::ZERO { left } else { left.max(MINIMUM_GRACE) };
        let Some(attempt) = self.containers[c].run.as_ref().map(|r| r.attempt) else { return };
        let id = self.container_id(c, attempt);
        cx.runtime.command(cx.now, RuntimeCommand::StopContainer { id, grace });
    }

    /// Hooks whose time is over.
    fn check_hooks(&mut self, cx: &mut SyncCx) {
        for c in 0..self.containers.len() {
            let until = self.containers[c].stopping.as_ref().and_then(|s| s.hook_until);
            match until {
                Some(at) if at <= cx.now => self.hook_done(c, cx),
                Some(at) => cx.wake_at(at),
                None => {}
            }
        }
    }

    /// The whole pod is to end: main and init containers at once, sidecars after them in reverse order.
    pub fn stop_all(&mut self, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) {
        let grace = self.terminating.unwrap_or_default();
        for state in &mut self.containers {
            state.anew = false;
            if matches!(state.stage, Stage::Pulling { .. }) {
                state.stage = Stage::Idle;
            }
        }
        self.check_hooks(cx);
        for c in 0..self.containers.len() {
            if self.containers[c].role != Role::Sidecar {
                self.stop(c, grace, "", pod, spec, cx);
            }
        }
        if self.containers.iter().any(|c| c.role != Role::Sidecar && c.is_alive()) {
            return;
        }
        for c in (0..self.containers.len()).rev() {
            if self.containers[c].is_alive() {
                self.stop(c, grace, "", pod, spec, cx);
                return;
            }
        }
    }

    /// Stops under way outside a pod's end (a failed liveness probe's).
    pub fn continue_stops(&mut self, cx: &mut SyncCx) {
        self.check_hooks(cx);
    }
}
