//! Objects as the stage draws them.

use api::ObjectExt;
use cluster::machines::kubelet_name;
use cluster::{Cluster, Lamp, Power, Slot};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::{Key, Quantity, Time};
use protocol::{ComponentView, NodeView, ObjectId, PodState, PodView};
use std::collections::BTreeMap;

/// A cell of the kind's table, as text.
pub fn cell(o: &dyn api::Object, column: &str, now: Time) -> String {
    let kind = o.kind();
    let Some(i) = kind.columns.iter().position(|c| c.name == column) else { return String::new() };
    (kind.cells)(o, now).get(i).map(text).unwrap_or_default()
}

pub fn text(v: &serde_json::Value) -> String {
    v.as_str().map_or_else(|| v.to_string(), Into::into)
}

pub fn object_id(o: &dyn api::Object) -> ObjectId {
    ObjectId {
        api_version: o.kind().api_version(),
        kind: o.kind().kind.into(),
        namespace: o.namespace().into(),
        name: o.name().into(),
    }
}

/// Milli-CPU and bytes that a pod's containers request together.
fn requests(pod: &Pod) -> (i64, i64) {
    let r = api::pods::requests(pod);
    let get = |name: &str| r.get(name).copied().unwrap_or(Quantity::ZERO);
    (get("cpu").milli_value(), get("memory").value())
}

/// The controller at the top of the chain: `Deployment/web`.
fn top_owner(cluster: &Cluster, pod: &Pod) -> String {
    let Some(r) = api::object::controller_of(&pod.metadata) else {
        return format!("Pod/{}", pod.metadata.name.as_deref().unwrap_or(""));
    };
    // A ReplicaSet's Deployment, a Job's CronJob.
    let key = Key::new(pod.metadata.namespace.as_deref().unwrap_or(""), &r.name);
    let owner = api::by_api_version(&r.api_version, &r.kind).and_then(|kind| cluster.view().get_obj(kind, &key));
    if let Some(above) = owner.and_then(|o| o.controller_ref()) {
        return format!("{}/{}", above.kind, above.name);
    }
    format!("{}/{}", r.kind, r.name)
}

fn pod_state(pod: &Pod, status: &str) -> PodState {
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or("Pending");
    let bound = pod.spec.as_ref().and_then(|s| s.node_name.as_deref()).is_some_and(|n| !n.is_empty());
    let reason = status.strip_prefix("Init:").unwrap_or(status);
    if pod.metadata.deletion_timestamp.is_some() {
        return PodState::Terminating;
    }
    match phase {
        "Succeeded" => PodState::Succeeded,
        "Failed" => PodState::Failed,
        _ if reason.ends_with("BackOff") || reason.starts_with("Err") || reason.ends_with("Error") => PodState::BackOff,
        _ if reason == "InvalidImageName" || reason == "OOMKilled" || reason == "Completed" => PodState::BackOff,
        _ if !bound
            && pod.spec.as_ref().is_some_and(|s| s.scheduling_gates.as_ref().is_some_and(|g| !g.is_empty())) =>
        {
            PodState::Gated
        }
        _ if !bound => PodState::Pending,
        "Running" if api::pods::is_ready(pod) => PodState::Ready,
        "Running" => PodState::Running,
        _ => PodState::Creating,
    }
}

pub fn pod(cluster: &Cluster, pod: &Pod) -> PodView {
    let status = cell(pod, "Status", cluster.now());
    let spec = pod.spec.as_ref();
    let st = pod.status.as_ref();
    let containers = st.and_then(|s| s.container_statuses.as_deref()).unwrap_or_default();
    let (cpu, memory) = requests(pod);
    let unscheduled = st
        .and_then(|s| s.conditions.as_ref())
        .into_iter()
        .flatten()
        .find(|c| c.type_ == "PodScheduled" && c.status == "False");
    PodView {
        namespace: pod.metadata.namespace.clone().unwrap_or_default(),
        name: pod.metadata.name.clone().unwrap_or_default(),
        node: spec.and_then(|s| s.node_name.clone()).unwrap_or_default(),
        state: pod_state(pod, &status),
        owner: top_owner(cluster, pod),
        ready: containers.iter().filter(|c| c.ready).count() as u32,
        containers: spec.map_or(0, |s| s.containers.len()) as u32,
        restarts: containers.iter().map(|c| u32::try_from(c.restart_count).unwrap_or(0)).sum(),
        cpu,
        memory,
        ip: st.and_then(|s| s.pod_ip.clone()).unwrap_or_default(),
        runtime_class: spec.and_then(|s| s.runtime_class_name.clone()).unwrap_or_default(),
        created: pod.metadata.creation_timestamp.as_ref().map_or(0, |t| Time::from_k8s(t).as_micros()),
        message: unscheduled.and_then(|c| c.message.clone()).unwrap_or_default(),
        status,
    }
}

pub fn node(cluster: &Cluster, node: &Node) -> NodeView {
    let name = node.metadata.name.clone().unwrap_or_default();
    let spec = node.spec.as_ref();
    let ready = node
        .status
        .as_ref()
        .and_then(|s| s.conditions.as_ref())
        .into_iter()
        .flatten()
        .find(|c| c.type_ == "Ready")
        .map_or("Unknown", |c| match c.status.as_str() {
            "True" => "Ready",
            "False" => "NotReady",
            _ => "Unknown",
        });
    let allocatable = node.status.as_ref().and_then(|s| s.allocatable.as_ref());
    let get = |r: &str| quantity(allocatable, r);
    let labels = node.metadata.labels.as_ref();
    let label = |k: &str| labels.and_then(|l| l.get(k)).cloned().unwrap_or_default();
    let (mut cpu_requested, mut memory_requested, mut pods_running) = (0, 0, 0);
    for p in cluster.view().pods_on_node(&name).filter(|p| !api::pods::is_terminal(p)) {
        let (c, m) = requests(p);
        cpu_requested += c;
        memory_requested += m;
        pods_running += 1;
    }
    NodeView {
        status: ready.into(),
        unschedulable: spec.and_then(|s| s.unschedulable) == Some(true),
        powered: cluster.machine(&name).is_some_and(|m| m.power == Power::On),
        kubelet_running: cluster.lamp(&kubelet_name(&name)) == Some(Lamp::Running),
        cut: cluster.is_cut(&name),
        full: cluster.is_full(&name),
        taints: spec
            .and_then(|s| s.taints.as_ref())
            .into_iter()
            .flatten()
            .map(|t| match t.value.as_deref() {
                Some(v) if !v.is_empty() => format!("{}={v}:{}", t.key, t.effect),
                _ => format!("{}:{}", t.key, t.effect),
            })
            .collect(),
        zone: label("topology.kubernetes.io/zone"),
        arch: label("kubernetes.io/arch"),
        cpu: get("cpu").milli_value(),
        memory: get("memory").value(),
        pods: get("pods").value(),
        cpu_requested,
        memory_requested,
        pods_running,
        name,
    }
}

fn quantity(list: Option<&BTreeMap<String, ApiQuantity>>, name: &str) -> Quantity {
    list.and_then(|l| l.get(name)).map_or(Quantity::ZERO, Quantity::of)
}

pub fn component(cluster: &Cluster, slot: &Slot) -> ComponentView {
    let gauge = cluster.gauge(slot);
    ComponentView {
        name: slot.component.name().to_string(),
        process: slot.process.to_string(),
        lamp: match slot.lamp {
            Lamp::Running | Lamp::Standby if cluster.stands_by(&slot.process) => protocol::Lamp::Standby,
            Lamp::Standby => protocol::Lamp::Standby,
            Lamp::Running => protocol::Lamp::Running,
            Lamp::Stopped => protocol::Lamp::Stopped,
            Lamp::Crashed => protocol::Lamp::Crashed,
            Lamp::Paused => protocol::Lamp::Paused,
        },
        slow: slot.slow,
        queued: gauge.queued,
        delayed: gauge.delayed,
        steps: slot.steps,
        doing: slot.doing.clone(),
        doing_seq: slot.doing_seq,
    }
}
