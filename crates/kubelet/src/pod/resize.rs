//! Resources that are changed while a pod runs. Models `pkg/kubelet/allocation` and `doPodResizeAction` of
//! `pkg/kubelet/kuberuntime`.

use super::resources::{Resources, limits, pod_requests, requests};
use super::sync::RELIST;
use super::{PodWorker, Role, SyncCx, events};
use crate::node;
use crate::runtime::RuntimeCommand;
use k8s_openapi::api::core::v1::{Container, Pod};
use meta::{Duration, Quantity, Time};
use reconcile::EventType::{Normal, Warning};
use std::borrow::Cow;
use trace::note;

/// How soon a resize that found no room is tried again.
const RETRY: Duration = Duration::from_secs(30);
/// What can be changed in place.
const RESIZABLE: [&str; 2] = ["cpu", "memory"];

/// A resize that has been decided on.
#[derive(Clone, Debug)]
pub struct Resizing {
    pub generation: Option<i64>,
    since: Time,
}

fn quoted(s: &str) -> String {
    serde_json::Value::from(s).to_string()
}

/// What the events of a resize tell. Models `podResourceSummary` of `pkg/kubelet/events`; the order is its fields'.
fn summary(pod: &Pod, generation: Option<i64>, error: &str) -> String {
    let asked = |c: &Container| {
        let resources = c.resources.as_ref().and_then(|r| serde_json::to_string(r).ok()).unwrap_or_else(|| "{}".into());
        format!(r#"{{"name":{},"resources":{resources}}}"#, quoted(&c.name))
    };
    let spec = pod.spec.as_ref();
    let mut out = String::from("{");
    let init = spec.and_then(|s| s.init_containers.as_deref()).unwrap_or_default();
    for (name, list) in [("initContainers", init), ("containers", spec.map_or(&[][..], |s| &s.containers))] {
        if !list.is_empty() {
            let list: Vec<String> = list.iter().map(asked).collect();
            out.push_str(&format!("\"{name}\":[{}],", list.join(",")));
        }
    }
    out.push_str(&format!("\"generation\":{}", generation.unwrap_or(0)));
    if !error.is_empty() {
        out.push_str(&format!(",\"error\":{}", quoted(error)));
    }
    out + "}"
}

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
        let before = self.resize_pending.take();
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
            let told = (self.resize_pending.clone(), pod.metadata.generation);
            if told != (before, self.resize_told) {
                let text = format!("Pod resize {reason}: {}", summary(pod, pod.metadata.generation, why));
                events::pod(cx, pod, Warning, &format!("Resize{reason}"), text);
            }
            self.resize_told = told.1;
            return;
        }
        let text = format!("Pod resize started: {}", summary(pod, pod.metadata.generation, ""));
        events::pod(cx, pod, Normal, "ResizeStarted", text);
        let before = self.given(pod).into_owned();
        for c in 0..self.containers.len() {
            self.change(c, &before, pod, cx);
        }
        self.allocate(pod);
        let generation = pod.metadata.generation;
        self.resizing = Some(Resizing { generation, since: cx.now });
        cx.note(note!("kubelet.resized", pod = &self.key));
    }

    /// The containers have what they were to have: the runtime is asked about that with the next look at what runs.
    pub(super) fn end_resize(&mut self, pod: &Pod, cx: &mut SyncCx) {
        let Some(Resizing { generation, since }) = self.resizing else { return };
        if cx.now < since + RELIST {
            cx.wake_at(since + RELIST);
        } else if !self.containers.iter().any(|c| c.anew) {
            self.resizing = None;
            let text = format!("Pod resize completed: {}", summary(pod, generation, ""));
            events::pod(cx, pod, Normal, "ResizeCompleted", text);
        }
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
            self.containers[c].anew = true;
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
