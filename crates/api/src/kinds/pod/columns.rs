//! The pod table. Models `printPod` of `pkg/printers/internalversion/printers.go`.

use crate::pods;
use crate::registration::{Cell, Column};
use crate::table::{self, NONE};
use crate::validate::text;
use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod, PodSpec, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time as ApiTime;
use meta::Time;

pub const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::new("Ready", "string", 0).describe("The aggregate readiness state of this pod for accepting traffic."),
    Column::new("Status", "string", 0).describe("The aggregate status of the containers in this pod."),
    Column::new("Restarts", "string", 0).describe(
        "The number of times the containers in this pod have been restarted and when the last container in this pod \
         has restarted.",
    ),
    Column::AGE,
    Column::new("IP", "string", 1).describe(
        "podIP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated.",
    ),
    Column::new("Node", "string", 1).describe(
        "NodeName indicates in which node this pod is scheduled. If empty, this pod is a candidate for scheduling by \
         the scheduler defined in schedulerName. Once this field is set, the kubelet for this node becomes responsible \
         for the lifecycle of this pod. This field should not be used to express a desire for the pod to be scheduled \
         on a specific node. https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename",
    ),
    Column::new("Nominated Node", "string", 1).describe(
        "nominatedNodeName is set only when this pod preempts other pods on the node, but it cannot be scheduled right \
         away as preemption victims receive their graceful termination periods. This field does not guarantee that the \
         pod will be scheduled on this node. Scheduler may decide to place the pod elsewhere if other nodes become \
         available sooner. Scheduler may also decide to give the resources on this node to a higher priority pod that \
         is created after preemption. As a result, this field may be different than PodSpec.nodeName when the pod is \
         scheduled.",
    ),
    Column::new("Readiness Gates", "string", 1).describe(
        "If specified, all readiness gates will be evaluated for pod readiness. A pod is ready when all its containers \
         are ready AND all conditions specified in the readiness gates have status equal to \"True\" More info: \
         https://git.k8s.io/enhancements/keps/sig-network/580-pod-readiness-gates",
    ),
];

/// How often containers restarted, and when last.
#[derive(Clone, Copy, Default)]
struct Restarts<'a> {
    count: i64,
    last: Option<&'a ApiTime>,
}

impl<'a> Restarts<'a> {
    fn add(&mut self, c: &'a ContainerStatus) {
        self.count += i64::from(c.restart_count);
        let ended = c.last_state.as_ref().and_then(|s| s.terminated.as_ref()).and_then(|t| t.finished_at.as_ref());
        if let Some(t) = ended
            && self.last.is_none_or(|l| l.0 < t.0)
        {
            self.last = Some(t);
        }
    }
    fn text(self, now: Time) -> String {
        match self.last {
            Some(t) if self.count != 0 => format!("{} ({} ago)", self.count, table::since(Some(t), now)),
            _ => self.count.to_string(),
        }
    }
}

/// What READY, STATUS and RESTARTS say.
struct Summary<'a> {
    ready: usize,
    total: usize,
    reason: String,
    restarts: Restarts<'a>,
}

/// `Error`, `Signal:9` or `ExitCode:1`.
fn termination(state: &ContainerState) -> Option<String> {
    let t = state.terminated.as_ref()?;
    let reason = text(&t.reason);
    Some(if !reason.is_empty() {
        reason.to_string()
    } else if let Some(signal) = t.signal.filter(|s| *s != 0) {
        format!("Signal:{signal}")
    } else {
        format!("ExitCode:{}", t.exit_code)
    })
}

fn waiting(state: &ContainerState) -> &str {
    state.waiting.as_ref().map_or("", |w| text(&w.reason))
}

fn condition_true(status: &PodStatus, kind: &str) -> bool {
    status.conditions.iter().flatten().any(|c| c.type_ == kind && c.status == "True")
}

fn summarize<'a>(pod: &'a Pod, spec: &'a PodSpec, status: &'a PodStatus) -> Summary<'a> {
    let init = spec.init_containers.as_deref().unwrap_or_default();
    let total = spec.containers.len() + init.iter().filter(|c| pods::is_restartable_init(c)).count();
    let mut reason = text(if text(&status.reason).is_empty() { &status.phase } else { &status.reason }).to_string();
    let gated = |c: &&k8s_openapi::api::core::v1::PodCondition| {
        c.type_ == "PodScheduled" && c.reason.as_deref() == Some("SchedulingGated")
    };
    if status.conditions.iter().flatten().any(|c| gated(&c)) {
        reason = "SchedulingGated".into();
    }

    let none = ContainerState::default();
    let (mut ready, mut initializing) = (0, false);
    let (mut restarts, mut sidecar_restarts) = (Restarts::default(), Restarts::default());
    for (i, c) in status.init_container_statuses.iter().flatten().enumerate() {
        let state = c.state.as_ref().unwrap_or(&none);
        let sidecar = init.iter().any(|s| s.name == c.name && pods::is_restartable_init(s));
        restarts.add(c);
        if sidecar {
            sidecar_restarts.add(c);
        }
        if state.terminated.as_ref().is_some_and(|t| t.exit_code == 0) {
            continue;
        }
        if sidecar && c.started == Some(true) {
            ready += usize::from(c.ready);
            continue;
        }
        reason = match (termination(state), waiting(state)) {
            (Some(why), _) => format!("Init:{why}"),
            (None, "" | "PodInitializing") => format!("Init:{i}/{}", init.len()),
            (None, why) => format!("Init:{why}"),
        };
        initializing = true;
        break;
    }

    if !initializing || condition_true(status, "Initialized") {
        restarts = sidecar_restarts;
        let mut running = false;
        for c in status.container_statuses.iter().flatten().rev() {
            restarts.add(c);
            let state = c.state.as_ref().unwrap_or(&none);
            if !waiting(state).is_empty() {
                reason = waiting(state).into();
            } else if let Some(why) = termination(state) {
                reason = why;
            } else if c.ready && state.running.is_some() {
                running = true;
                ready += 1;
            }
        }
        if reason == "Completed" && running {
            reason = if condition_true(status, "Ready") { "Running" } else { "NotReady" }.into();
        }
    }

    if pod.metadata.deletion_timestamp.is_some() {
        if text(&status.reason) == "NodeLost" {
            reason = "Unknown".into();
        } else if !pods::is_terminal(pod) {
            reason = "Terminating".into();
        }
    }
    Summary { ready, total, reason, restarts }
}

pub fn cells(pod: &Pod, now: Time) -> Vec<Cell> {
    let (no_spec, no_status) = (PodSpec::default(), PodStatus::default());
    let spec = pod.spec.as_ref().unwrap_or(&no_spec);
    let status = pod.status.as_ref().unwrap_or(&no_status);
    let s = summarize(pod, spec, status);
    let ip = status.pod_ips.iter().flatten().next().map_or(text(&status.pod_ip), |p| &p.ip);
    vec![
        table::name(&pod.metadata),
        format!("{}/{}", s.ready, s.total).into(),
        s.reason.into(),
        s.restarts.text(now).into(),
        table::age(&pod.metadata, now),
        table::or_none(ip),
        table::or_none(text(&spec.node_name)),
        table::or_none(text(&status.nominated_node_name)),
        readiness_gates(spec, status).into(),
    ]
}

fn readiness_gates(spec: &PodSpec, status: &PodStatus) -> String {
    let gates = spec.readiness_gates.as_deref().unwrap_or_default();
    if gates.is_empty() {
        return NONE.into();
    }
    let open = gates.iter().filter(|g| condition_true(status, &g.condition_type)).count();
    format!("{open}/{}", gates.len())
}

/// The STATUS cell alone: `Running`, `Init:0/1`, `CrashLoopBackOff`...
pub fn status_text(pod: &Pod) -> String {
    let (no_spec, no_status) = (PodSpec::default(), PodStatus::default());
    summarize(pod, pod.spec.as_ref().unwrap_or(&no_spec), pod.status.as_ref().unwrap_or(&no_status)).reason
}
