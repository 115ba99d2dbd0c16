//! Resources that are changed while a pod runs. Models `pkg/kubelet/allocation` and `doPodResizeAction` of
//! `pkg/kubelet/kuberuntime`.

use super::resources::{Resources, limits, pod_requests, requests};
use super::{PodWorker, Role, SyncCx};
use crate::node;
use crate::runtime::RuntimeCommand;
use k8s_openapi::api::core::v1::{Container, Pod};
use meta::{Duration, Quantity};
use std::borrow::Cow;
use trace::note;

/// How soon a resize that found no room is tried again.
const RETRY: Duration = Duration::from_secs(30);
/// What can be changed in place.
const RESIZABLE: [&str; 2] = ["cpu", "memory"];

/// Main containers and sidecars.
fn resizable(pod: &mut Pod) -> impl Iterator<Item = &mut Container> {
    pod.spec.iter_mut().flat_map(|s| {
        let sidecars = s.init_containers.iter_mut().flatten();
        s.containers.iter_mut().chain(sidecars.filter(|c| c.restart_policy.as_deref() == Some("Always")))
    })
}

impl PodWorker {
    /// Gives the containers what they ask for.
    pub(super) fn allocate(&mut self, pod: &Pod) {
        let mut pod = pod.clone();
        self.allocated = resizable(&mut pod).map(|c| (c.name.clone(), c.resources.take())).collect();
    }

    /// The pod as if it asked for what it has been given.
    pub fn given<'p>(&self, pod: &'p Pod) -> Cow<'p, Pod> {
        if !self.wants_more(pod) {
            return Cow::Borrowed(pod);
        }
        let mut pod = pod.clone();
        for c in resizable(&mut pod) {
            if let Some(r) = self.allocated.get(&c.name) {
                c.resources.clone_from(r);
            }
        }
        Cow::Owned(pod)
    }

    /// Whether the pod asks for other resources than it has been given.
    pub fn wants_more(&self, pod: &Pod) -> bool {
        let init = pod.spec.iter().flat_map(|s| s.init_containers.iter().flatten());
        let mut all = pod.spec.iter().flat_map(|s| &s.containers).chain(init);
        all.any(|c| self.allocated.get(&c.name).is_some_and(|r| *r != c.resources))
    }

    /// Changes what the containers have to what they ask for now, if the node has it. `used` is what its other pods have.
    pub fn resize(&mut self, pod: &Pod, used: &Resources, cx: &mut SyncCx) {
        if !self.admitted || self.terminating.is_some() || !self.wants_more(pod) {
            self.resize_pending = None;
            return;
        }
        let Some(spec) = &pod.spec else { return };
        let wanted = pod_requests(spec);
        let allocatable = node::allocatable(cx.config);
        let numbers = |name: &str| {
            let n = |q: Quantity| if name == "cpu" { q.milli_value() } else { q.value() };
            let have = allocatable.get(name).map_or(Quantity::ZERO, Quantity::of);
            let of = |list: &Resources| n(list.get(name).copied().unwrap_or_default());
            (of(&wanted), of(used), n(have))
        };
        self.resize_pending = None;
        for name in ["memory", "cpu"] {
            let (wanted, _, have) = numbers(name);
            if wanted > have && self.resize_pending.is_none() {
                let text = format!("Node didn't have enough capacity: {name}, requested: {wanted}, capacity: {have}");
                self.resize_pending = Some(("Infeasible", text));
            }
        }
        for name in RESIZABLE {
            let (wanted, used, have) = numbers(name);
            if used + wanted > have && self.resize_pending.is_none() {
                let text = format!(
                    "Node didn't have enough resource: {name}, requested: {wanted}, used: {used}, capacity: {have}"
                );
                self.resize_pending = Some(("Deferred", text));
                cx.wake_at(cx.now + RETRY);
            }
        }
        if let Some((reason, why)) = &self.resize_pending {
            cx.note(note!("kubelet.resize-pending", pod = &self.key, reason = reason, why = why));
            return;
        }
        let before = self.given(pod).into_owned();
        for c in 0..self.containers.len() {
            self.change(c, &before, pod, cx);
        }
        self.allocate(pod);
        cx.note(note!("kubelet.resized", pod = &self.key));
    }

    /// One container: its limits change under it, or it starts anew where its policy says so.
    fn change(&mut self, c: usize, before: &Pod, pod: &Pod, cx: &mut SyncCx) {
        let (Some(old), Some(spec)) = (&before.spec, &pod.spec) else { return };
        let state = &self.containers[c];
        let (Some(old), Some(new)) = (state.spec(old), state.spec(spec)) else { return };
        if !matches!(state.role, Role::Main | Role::Sidecar) || old.resources == new.resources || !state.is_alive() {
            return;
        }
        let differs = |name: &str| {
            let at = |list: Resources| list.get(name).copied();
            at(requests(&old)) != at(requests(&new)) || at(limits(&old)) != at(limits(&new))
        };
        let policies = new.resize_policy.as_deref().unwrap_or_default();
        let anew = policies.iter().any(|p| p.restart_policy == "RestartContainer" && differs(&p.resource_name));
        if anew {
            let message = format!("Container {} resize requires restart", state.name);
            self.stop(c, super::sync::spec_grace(spec), &message, pod, spec, cx);
            return;
        }
        let limits = limits(&new);
        let id = self.container_id(c, state.run.as_ref().map_or(0, |r| r.attempt));
        cx.runtime.command(
            cx.now,
            RuntimeCommand::UpdateResources {
                id,
                cpu_limit_milli: limits.get("cpu").map(|q| q.milli_value()),
                memory_limit_bytes: limits.get("memory").map(|q| q.value()),
            },
        );
    }
}
