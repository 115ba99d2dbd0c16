//! The Node object as its kubelet writes it. Models `pkg/kubelet/kubelet_node_status.go`,
//! `pkg/kubelet/nodestatus/setters.go` and the node lease controller of `component-helpers`.

use crate::config::NodeConfig;
use crate::eviction::{Pressure, Signal};
use crate::runtime::ImageInfo;
use api::kinds::status_fields::StatusFields;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::{
    ContainerImage, DaemonEndpoint, Node, NodeAddress, NodeCondition, NodeDaemonEndpoints, NodeSpec, NodeStatus,
    NodeSystemInfo, ObjectReference,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use meta::{Duration, Quantity, Rng, Time};
use reconcile::{EventType, Intent, Tolerate, Write};
use std::collections::{BTreeMap, BTreeSet};

pub const LEASE_NAMESPACE: &str = "kube-node-lease";
/// `nodeLeaseDurationSeconds`; a quarter of it is the renewal period.
const LEASE_DURATION_SECONDS: i32 = 40;
pub const LEASE_RENEW_PERIOD: Duration = Duration::from_secs(10);
/// `nodeStatusReportFrequency`
pub const STATUS_REPORT_PERIOD: Duration = Duration::from_secs(300);
/// `nodeStatusUpdateFrequency`
pub const STATUS_UPDATE_PERIOD: Duration = Duration::from_secs(10);
/// `nodeStatusMaxImages`
const MAX_IMAGES: usize = 50;

const NETWORK_NOT_READY: &str = "container runtime network not ready: NetworkReady=false \
     reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized";

/// The labels a kubelet gives its node, with the configured ones over them.
pub fn labels(c: &NodeConfig) -> BTreeMap<String, String> {
    let mut l: BTreeMap<String, String> = [
        ("beta.kubernetes.io/arch", &c.arch),
        ("beta.kubernetes.io/os", &c.os),
        ("kubernetes.io/arch", &c.arch),
        ("kubernetes.io/hostname", &c.name),
        ("kubernetes.io/os", &c.os),
    ]
    .into_iter()
    .map(|(k, v)| (k.to_string(), v.clone()))
    .collect();
    if !c.zone.is_empty() {
        let region = c.zone.trim_end_matches(|ch: char| ch.is_ascii_lowercase()).trim_end_matches('-');
        l.insert("topology.kubernetes.io/zone".into(), c.zone.clone());
        l.insert("topology.kubernetes.io/region".into(), if region.is_empty() { &c.zone } else { region }.into());
    }
    l.extend(c.labels.clone());
    l
}

pub fn capacity(c: &NodeConfig) -> BTreeMap<String, ApiQuantity> {
    let mut m = BTreeMap::from([
        ("cpu".into(), c.capacity.cpu.to_api()),
        ("ephemeral-storage".into(), c.capacity.ephemeral_storage.to_api()),
        ("hugepages-1Gi".into(), Quantity::ZERO.to_api()),
        ("hugepages-2Mi".into(), Quantity::ZERO.to_api()),
        ("memory".into(), c.capacity.memory.to_api()),
        ("pods".into(), Quantity::from_value(c.capacity.pods).to_api()),
    ]);
    m.extend(c.capacity.extended.iter().map(|(k, v)| (k.clone(), v.to_api())));
    m
}

/// Capacity less the hard eviction thresholds (`memory.available<100Mi`, `nodefs.available<10%` unless configured).
pub fn allocatable(c: &NodeConfig) -> BTreeMap<String, ApiQuantity> {
    let mut m = capacity(c);
    let reserved = |signal, capacity: Quantity| {
        let kept = c.eviction.reserved(signal, u64::try_from(capacity.value()).unwrap_or(0));
        i64::try_from(kept).unwrap_or(i64::MAX)
    };
    let memory_reserved = reserved(Signal::MemoryAvailable, c.capacity.memory);
    let memory = (c.capacity.memory - Quantity::from_bytes(memory_reserved)).max(Quantity::ZERO);
    let storage = c.capacity.ephemeral_storage.value();
    let storage_reserved = reserved(Signal::NodeFsAvailable, c.capacity.ephemeral_storage);
    m.insert("memory".into(), memory.to_api());
    m.insert("ephemeral-storage".into(), Quantity::from_value(storage - storage_reserved).to_api());
    m
}

/// Extended resources that somebody else has said the node has: they stay, and all of them may be used. Models what
/// `nodestatus.MachineInfo` leaves alone.
pub fn advertised(c: &NodeConfig, node: Option<&Node>) -> BTreeMap<String, ApiQuantity> {
    let said = node.and_then(|n| n.status.as_ref()?.capacity.as_ref()).into_iter().flatten();
    said.filter(|(k, _)| is_foreign(c, k)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn is_foreign(c: &NodeConfig, resource: &str) -> bool {
    api::nodes::is_extended_resource(resource) && !c.capacity.extended.contains_key(resource)
}

/// Whether the node may give all that it is said to have.
pub fn gives_advertised(c: &NodeConfig, node: &Node) -> bool {
    let given = node.status.as_ref().and_then(|s| s.allocatable.as_ref()).into_iter().flatten();
    given.filter(|(k, _)| is_foreign(c, k)).eq(&advertised(c, Some(node)))
}

fn condition(kind: &str, status: bool, reason: &str, message: &str) -> NodeCondition {
    NodeCondition {
        type_: kind.into(),
        status: if status { "True" } else { "False" }.into(),
        reason: Some(reason.into()),
        message: Some(message.into()),
        ..Default::default()
    }
}

/// The kubelet's four conditions; transition times are kept while the status stays the same.
fn conditions(ready: bool, short: &BTreeSet<Pressure>, now: Time, before: &[NodeCondition]) -> Vec<NodeCondition> {
    let ready = if ready {
        condition("Ready", true, "KubeletReady", "kubelet is posting ready status")
    } else {
        condition("Ready", false, "KubeletNotReady", NETWORK_NOT_READY)
    };
    let memory = if short.contains(&Pressure::Memory) {
        condition("MemoryPressure", true, "KubeletHasInsufficientMemory", "kubelet has insufficient memory available")
    } else {
        condition("MemoryPressure", false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available")
    };
    let disk = if short.contains(&Pressure::Disk) {
        condition("DiskPressure", true, "KubeletHasDiskPressure", "kubelet has disk pressure")
    } else {
        condition("DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure")
    };
    let pids = if short.contains(&Pressure::Pid) {
        condition("PIDPressure", true, "KubeletHasInsufficientPID", "kubelet has insufficient PID available")
    } else {
        condition("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available")
    };
    let mut ours = vec![memory, disk, pids, ready];
    for c in &mut ours {
        let same = before.iter().find(|b| b.type_ == c.type_ && b.status == c.status);
        c.last_heartbeat_time = Some(now.to_k8s());
        c.last_transition_time = same.and_then(|b| b.last_transition_time.clone()).or_else(|| Some(now.to_k8s()));
    }
    // Others' conditions (NetworkUnavailable) come first and stay as they are.
    let others = before.iter().filter(|b| !ours.iter().any(|o| o.type_ == b.type_)).cloned();
    others.chain(ours.clone()).collect()
}

pub struct StatusInput<'a> {
    pub config: &'a NodeConfig,
    pub runtime_version: (String, String),
    pub images: Vec<ImageInfo>,
    pub ready: bool,
    pub short: &'a BTreeSet<Pressure>,
    pub now: Time,
}

pub fn status(input: StatusInput, existing: Option<&Node>) -> NodeStatus {
    let c = input.config;
    let mut ids = Rng::new(c.seed ^ 0x6e6f_6465);
    let mut images = input.images;
    images.sort_by(|a, b| b.size_bytes.cmp(&a.size_bytes).then_with(|| a.image_id.cmp(&b.image_id)));
    images.truncate(MAX_IMAGES);
    let before = existing.and_then(|n| n.status.as_ref()?.conditions.as_deref()).unwrap_or_default();
    let address = |kind: &str, a: &str| NodeAddress { type_: kind.into(), address: a.into() };
    let (runtime, version) = input.runtime_version;
    let advertised = advertised(c, existing);
    let (mut capacity, mut allocatable) = (capacity(c), allocatable(c));
    capacity.extend(advertised.clone());
    allocatable.extend(advertised);
    NodeStatus {
        addresses: if c.external_cloud {
            // They wait for cloud-node-controller, and stay what it made them.
            existing.and_then(|n| n.status.as_ref()?.addresses.clone())
        } else {
            Some(vec![address("InternalIP", &c.internal_ip), address("Hostname", &c.name)])
        },
        capacity: Some(capacity),
        allocatable: Some(allocatable),
        conditions: Some(conditions(input.ready, input.short, input.now, before)),
        daemon_endpoints: Some(NodeDaemonEndpoints { kubelet_endpoint: Some(DaemonEndpoint { port: 10250 }) }),
        images: (!images.is_empty()).then(|| {
            images
                .into_iter()
                .map(|i| ContainerImage { names: Some(i.names), size_bytes: i64::try_from(i.size_bytes).ok() })
                .collect()
        }),
        node_info: Some(NodeSystemInfo {
            architecture: c.arch.clone(),
            boot_id: ids.uuid(),
            container_runtime_version: format!("{runtime}://{version}"),
            kernel_version: "6.12.0-kubottle".into(),
            // Deprecated upstream and empty since v1.33.
            kube_proxy_version: String::new(),
            kubelet_version: c.kubelet_version.clone(),
            machine_id: ids.uuid().replace('-', ""),
            operating_system: c.os.clone(),
            os_image: "Kubottle simulated Linux".into(),
            system_uuid: ids.uuid(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// What a kubelet posts when its node does not exist yet.
pub fn new_node(config: &NodeConfig, status: NodeStatus) -> Node {
    let annotations = [("volumes.kubernetes.io/controller-managed-attach-detach".to_string(), "true".to_string())];
    Node {
        metadata: ObjectMeta {
            name: Some(config.name.clone()),
            labels: Some(labels(config)),
            annotations: Some(annotations.into()),
            ..Default::default()
        },
        spec: Some(NodeSpec {
            taints: (!config.taints.is_empty()).then(|| config.taints.clone()),
            ..Default::default()
        }),
        status: Some(status),
    }
}

/// The top-level fields of `status` that differ from what the API server has; `None` when nothing does.
/// Heartbeat times alone make a difference only when `heartbeat` is set.
pub fn status_patch(new: &NodeStatus, existing: &Node, heartbeat: bool) -> Option<Node> {
    let none = NodeStatus::default();
    let old = existing.status.as_ref().unwrap_or(&none);
    let mut changed = new.changed_from(old);
    if !heartbeat && same_but_heartbeat(new.conditions.as_deref(), old.conditions.as_deref()) {
        changed.conditions = None;
    }
    let metadata = ObjectMeta { name: existing.metadata.name.clone(), ..Default::default() };
    (changed != none).then_some(Node { metadata, spec: None, status: Some(changed) })
}

fn same_but_heartbeat(a: Option<&[NodeCondition]>, b: Option<&[NodeCondition]>) -> bool {
    let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            let NodeCondition { type_, status, reason, message, last_transition_time, last_heartbeat_time: _ } = a;
            *type_ == b.type_
                && *status == b.status
                && *reason == b.reason
                && *message == b.message
                && *last_transition_time == b.last_transition_time
        })
}

/// Node events name the node as its UID, as upstream's `nodeRef` does.
pub fn event(node: &str, event_type: EventType, reason: &str, message: String) -> Intent {
    let regarding = ObjectReference {
        kind: Some("Node".into()),
        name: Some(node.into()),
        uid: Some(node.into()),
        ..Default::default()
    };
    Intent {
        write: Write::Event { regarding, event_type, reason: reason.into(), message },
        tolerate: Tolerate::Anything,
        announce: None,
    }
}

/// Conditions that say what a node has enough of, and the reasons of the Events about them: there is enough, there is not.
const PRESSURES: [(&str, &str, &str); 3] = [
    ("MemoryPressure", "NodeHasSufficientMemory", "NodeHasInsufficientMemory"),
    ("DiskPressure", "NodeHasNoDiskPressure", "NodeHasDiskPressure"),
    ("PIDPressure", "NodeHasSufficientPID", "NodeHasInsufficientPID"),
];

/// Events about those of these conditions whose status will be another one than before.
pub fn pressure_events(node: &str, short: &BTreeSet<Pressure>, before: impl Fn(&str) -> Option<bool>) -> Vec<Intent> {
    let mut out = Vec::new();
    for (kind, enough, not) in PRESSURES {
        let wanted = short.iter().any(|p| p.condition() == kind);
        if before(kind) != Some(wanted) {
            out.push(status_event(node, if wanted { not } else { enough }));
        }
    }
    out
}

pub fn is_cordoned(node: &Node) -> bool {
    node.spec.as_ref().and_then(|s| s.unschedulable) == Some(true)
}

/// `Node node-1 status is now: NodeReady`
pub fn status_event(node: &str, reason: &str) -> Intent {
    event(node, EventType::Normal, reason, format!("Node {node} status is now: {reason}"))
}

pub fn new_lease(node: &Node, now: Time) -> Lease {
    let name = node.metadata.name.clone().unwrap_or_default();
    let owner = OwnerReference {
        api_version: "v1".into(),
        kind: "Node".into(),
        name: name.clone(),
        uid: node.metadata.uid.clone().unwrap_or_default(),
        ..Default::default()
    };
    Lease {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            namespace: Some(LEASE_NAMESPACE.into()),
            owner_references: Some(vec![owner]),
            ..Default::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(name),
            lease_duration_seconds: Some(LEASE_DURATION_SECONDS),
            renew_time: Some(now.to_k8s_micro()),
            ..Default::default()
        }),
    }
}

pub fn renewed(lease: &Lease, now: Time) -> Lease {
    let mut l = lease.clone();
    l.spec.get_or_insert_default().renew_time = Some(now.to_k8s_micro());
    l
}
