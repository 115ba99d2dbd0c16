//! Whether the node takes a pod that was bound to it. Models `pkg/kubelet/lifecycle/predicate.go` and the eviction manager's
//! `Admit`.

use super::resources::{Resources, pod_requests};
use super::{SyncCx, Verdict};
use crate::eviction::{self, Pressure};
use crate::node;
use k8s_openapi::api::core::v1::{Pod, PodSpec, Taint};
use meta::Quantity;

/// What the admitted pods that still run have of the node.
#[derive(Clone, Debug, Default)]
pub struct Admitted {
    pub requests: Resources,
    pub pods: i64,
    ports: Vec<HostPort>,
}

impl Admitted {
    pub fn add(&mut self, spec: &PodSpec) {
        self.pods += 1;
        for (name, amount) in pod_requests(spec) {
            *self.requests.entry(name).or_default() += amount;
        }
        self.ports.extend(host_ports(spec));
    }
}

/// A port of the node: address, protocol, number.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HostPort(String, String, i32);

impl HostPort {
    fn conflicts(&self, other: &HostPort) -> bool {
        const ANY: &str = "0.0.0.0";
        let ip = self.0 == other.0 || self.0 == ANY || other.0 == ANY;
        ip && (&self.1, self.2) == (&other.1, other.2)
    }
}

fn host_ports(spec: &PodSpec) -> impl Iterator<Item = HostPort> {
    let sidecars = spec.init_containers.iter().flatten().filter(|c| api::pods::is_restartable_init(c));
    spec.containers.iter().chain(sidecars).flat_map(|c| c.ports.iter().flatten()).filter_map(|p| {
        let or = |o: &Option<String>, other: &str| o.clone().filter(|s| !s.is_empty()).unwrap_or_else(|| other.into());
        let port = p.host_port.filter(|n| *n > 0)?;
        Some(HostPort(or(&p.host_ip, "0.0.0.0"), or(&p.protocol, "TCP"), port))
    })
}

/// `used`: by the pods already admitted.
pub fn admit(cx: &SyncCx, pod: &Pod, used: &Admitted) -> Option<Verdict> {
    let spec = pod.spec.as_ref()?;
    if let Some(v) = under_pressure(cx, pod, spec).or_else(|| forbidden_sysctl(spec)).or_else(|| other_os(pod, spec)) {
        return Some(v);
    }
    let mut allocatable = node::allocatable(cx.config);
    allocatable.extend(node::advertised(cx.config, cx.node));
    let capacity = |name: &str| allocatable.get(name).map_or(Quantity::ZERO, Quantity::of);
    if used.pods + 1 > cx.config.capacity.pods {
        return Some(out_of("pods", 1, used.pods, cx.config.capacity.pods));
    }
    for (name, wanted) in pod_requests(spec) {
        if wanted.is_zero() {
            continue;
        }
        let (have, taken) = (capacity(&name), used.requests.get(&name).copied().unwrap_or_default());
        if taken + wanted > have {
            let n = |q: Quantity| if name == "cpu" { q.milli_value() } else { q.value() };
            return Some(out_of(&name, n(wanted), n(taken), n(have)));
        }
    }
    let labels = cx.node.and_then(|n| n.metadata.labels.clone()).unwrap_or_else(|| node::labels(cx.config));
    if !api::nodes::matches(spec, &labels, &cx.config.name) {
        return Some(failed("NodeAffinity", "node(s) didn't match Pod's node affinity/selector"));
    }
    if host_ports(spec).any(|p| used.ports.iter().any(|taken| p.conflicts(taken))) {
        return Some(failed("NodePorts", "node(s) didn't have free ports for the requested pod ports"));
    }
    let mut taints = cx.node.into_iter().flat_map(|n| n.spec.iter().flat_map(|s| s.taints.iter().flatten()));
    if taints.any(|t| t.effect == "NoExecute" && !tolerates(spec, t)) {
        return Some(failed("TaintToleration", "node(s) had taints that the pod didn't tolerate"));
    }
    None
}

/// Sysctls of a namespace of the pod's own: those that have an effect on it alone. Models
/// `pkg/kubelet/sysctl/safe_sysctls.go`.
const SAFE_SYSCTLS: [(&str, &str); 12] = [
    ("kernel.shm_rmid_forced", "ipc"),
    ("net.ipv4.ip_local_port_range", "net"),
    ("net.ipv4.tcp_syncookies", "net"),
    ("net.ipv4.ping_group_range", "net"),
    ("net.ipv4.ip_unprivileged_port_start", "net"),
    ("net.ipv4.ip_local_reserved_ports", "net"),
    ("net.ipv4.tcp_keepalive_time", "net"),
    ("net.ipv4.tcp_fin_timeout", "net"),
    ("net.ipv4.tcp_keepalive_intvl", "net"),
    ("net.ipv4.tcp_keepalive_probes", "net"),
    ("net.ipv4.tcp_rmem", "net"),
    ("net.ipv4.tcp_wmem", "net"),
];

/// Models `pkg/kubelet/sysctl/allowlist.go`; no unsafe ones are allowed.
fn forbidden_sysctl(spec: &PodSpec) -> Option<Verdict> {
    let asked = spec.security_context.as_ref()?.sysctls.iter().flatten();
    asked.into_iter().find_map(|s| {
        let name = s.name.replace('/', ".");
        let why = match SAFE_SYSCTLS.iter().find(|(safe, _)| *safe == name) {
            None => format!("{name:?} not allowlisted"),
            Some((_, "ipc")) if spec.host_ipc == Some(true) => format!("{name:?} not allowed with host ipc enabled"),
            Some((_, "net")) if spec.host_network == Some(true) => {
                format!("{name:?} not allowed with host net enabled")
            }
            Some(_) => return None,
        };
        Some(Verdict::new("SysctlForbidden", format!("forbidden sysctl: {why}")))
    })
}

/// All nodes run Linux.
fn other_os(pod: &Pod, spec: &PodSpec) -> Option<Verdict> {
    const OS: &str = "linux";
    let label = pod.metadata.labels.as_ref().and_then(|l| l.get("kubernetes.io/os"));
    if label.is_some_and(|os| os != OS) {
        let why = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label";
        return Some(Verdict::new("PodOSSelectorNodeLabelDoesNotMatch", why.to_string()));
    }
    let is_other = spec.os.as_ref().is_some_and(|os| os.name != OS);
    let why = "Failed to admit pod as the OS field doesn't match node OS";
    is_other.then(|| Verdict::new("PodOSNotSupported", why.to_string()))
}

fn failed(predicate: &str, why: &str) -> Verdict {
    Verdict::new(predicate, format!("Predicate {predicate} failed: {why}"))
}

fn out_of(resource: &str, requested: i64, used: i64, capacity: i64) -> Verdict {
    let message = format!(
        "Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, capacity: {capacity}"
    );
    Verdict::new(&format!("OutOf{resource}"), message)
}

/// A node that is short of memory takes no pods that ask for nothing, one that is short of disk takes none.
fn under_pressure(cx: &SyncCx, pod: &Pod, spec: &PodSpec) -> Option<Verdict> {
    if cx.pressure.is_empty() || eviction::is_critical(pod) {
        return None;
    }
    if cx.pressure.iter().eq(&[Pressure::Memory]) {
        let taint = Taint {
            key: "node.kubernetes.io/memory-pressure".into(),
            effect: "NoSchedule".into(),
            ..Default::default()
        };
        if api::pods::qos_class(pod) != "BestEffort" || tolerates(spec, &taint) {
            return None;
        }
    }
    let names: Vec<&str> = cx.pressure.iter().map(|p| p.condition()).collect();
    Some(Verdict::new(eviction::REASON, format!("The node had condition: [{}]. ", names.join(" "))))
}

/// Models `TolerationsTolerateTaint`.
fn tolerates(spec: &PodSpec, taint: &Taint) -> bool {
    spec.tolerations.iter().flatten().any(|t| api::nodes::tolerates(t, taint))
}
