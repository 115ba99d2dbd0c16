//! The kubelet's pod conditions. Models `pkg/kubelet/status/generate.go`.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodCondition, PodSpec};
use meta::Time;

pub struct Input<'a> {
    pub pod: &'a Pod,
    pub spec: &'a PodSpec,
    pub phase: &'a str,
    pub init: &'a [ContainerStatus],
    pub main: &'a [ContainerStatus],
    pub sandbox_ready: bool,
    /// Why the node ended the pod.
    pub disrupted: Option<&'a str>,
    /// Reason and message.
    pub resize_pending: Option<(&'static str, &'a str)>,
    /// The generation that its containers are being given the resources of.
    pub resizing: Option<Option<i64>>,
    pub now: Time,
}

const RESIZE_PENDING: &str = "PodResizePending";
const RESIZING: &str = "PodResizeInProgress";
const OURS: [&str; 5] = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

fn is_sidecar(spec: &PodSpec, name: &str) -> bool {
    let init = spec.init_containers.iter().flatten();
    init.into_iter().any(|c| c.name == name && c.restart_policy.as_deref() == Some("Always"))
}

/// Go prints a slice of strings as `[a b]`.
fn list(names: &[&str]) -> String {
    format!("[{}]", names.join(" "))
}

/// Status, reason and message.
type Verdict = (bool, &'static str, String);

fn initialized(i: &Input) -> Verdict {
    if i.phase == "Succeeded" {
        return (true, "PodCompleted", String::new());
    }
    if i.main.iter().any(|s| s.started == Some(true) || has_run(s)) {
        return (true, "", String::new());
    }
    let waiting: Vec<&str> = i
        .init
        .iter()
        .filter(|s| if is_sidecar(i.spec, &s.name) { s.started != Some(true) } else { !s.ready })
        .map(|s| s.name.as_str())
        .collect();
    if waiting.is_empty() {
        return (true, "", String::new());
    }
    (false, "ContainersNotInitialized", format!("containers with incomplete status: {}", list(&waiting)))
}

fn has_run(s: &ContainerStatus) -> bool {
    let ran = |st: &Option<k8s_openapi::api::core::v1::ContainerState>| {
        st.as_ref().is_some_and(|st| st.running.is_some() || st.terminated.is_some())
    };
    ran(&s.state) || ran(&s.last_state)
}

fn containers_ready(i: &Input) -> Verdict {
    match i.phase {
        "Succeeded" => return (false, "PodCompleted", String::new()),
        "Failed" => return (false, "PodFailed", String::new()),
        _ => {}
    }
    let sidecars = i.init.iter().filter(|s| is_sidecar(i.spec, &s.name));
    // In the order of the spec, not of the statuses.
    let main = i.spec.containers.iter().filter_map(|c| i.main.iter().find(|s| s.name == c.name));
    let unready: Vec<&str> = sidecars.chain(main).filter(|s| !s.ready).map(|s| s.name.as_str()).collect();
    if unready.is_empty() {
        return (true, "", String::new());
    }
    (false, "ContainersNotReady", format!("containers with unready status: {}", list(&unready)))
}

fn ready(i: &Input, containers: &Verdict) -> Verdict {
    if !containers.0 {
        return containers.clone();
    }
    let have = i.pod.status.as_ref().and_then(|s| s.conditions.as_deref()).unwrap_or_default();
    let mut why = Vec::new();
    for gate in i.spec.readiness_gates.iter().flatten() {
        let name = &gate.condition_type;
        match have.iter().find(|c| c.type_ == *name) {
            None => why.push(format!("corresponding condition of pod readiness gate {name:?} does not exist.")),
            Some(c) if c.status != "True" => {
                why.push(format!("the status of pod readiness gate {name:?} is not \"True\", but {}", c.status));
            }
            Some(_) => {}
        }
    }
    if why.is_empty() { (true, "", String::new()) } else { (false, "ReadinessGatesNotReady", why.join(", ")) }
}

fn is_resize(c: &PodCondition) -> bool {
    c.type_ == RESIZE_PENDING || c.type_ == RESIZING
}

/// All conditions: others' first as they are, then the kubelet's in upstream's order.
pub fn generate(i: &Input) -> Vec<PodCondition> {
    let before = i.pod.status.as_ref().and_then(|s| s.conditions.as_deref()).unwrap_or_default();
    let containers = containers_ready(i);
    let verdicts = [
        (i.sandbox_ready, "", String::new()),
        initialized(i),
        ready(i, &containers),
        containers,
        (true, "", String::new()),
    ];
    let mut out: Vec<PodCondition> =
        before.iter().filter(|c| !OURS.contains(&c.type_.as_str()) && !is_resize(c)).cloned().collect();
    let since = |name: &str| {
        let same = before.iter().find(|c| c.type_ == name);
        same.and_then(|c| c.last_transition_time.clone()).or_else(|| Some(i.now.to_k8s()))
    };
    if let Some((reason, message)) = i.resize_pending {
        out.push(PodCondition {
            type_: RESIZE_PENDING.into(),
            status: "True".into(),
            reason: Some(reason.into()),
            message: Some(message.into()),
            observed_generation: i.pod.metadata.generation,
            last_transition_time: since(RESIZE_PENDING),
            ..Default::default()
        });
    }
    if let Some(generation) = i.resizing {
        out.push(PodCondition {
            type_: RESIZING.into(),
            status: "True".into(),
            observed_generation: generation,
            last_transition_time: since(RESIZING),
            ..Default::default()
        });
    }
    if let Some(message) = i.disrupted
        && !out.iter().any(|c| c.type_ == "DisruptionTarget")
    {
        out.push(PodCondition {
            type_: "DisruptionTarget".into(),
            status: "True".into(),
            reason: Some("TerminationByKubelet".into()),
            message: Some(message.into()),
            observed_generation: i.pod.metadata.generation,
            last_transition_time: Some(i.now.to_k8s()),
            ..Default::default()
        });
    }
    for (name, (status, reason, message)) in OURS.into_iter().zip(verdicts) {
        let status = if status { "True" } else { "False" };
        let same = before.iter().find(|c| c.type_ == name && c.status == status);
        let since = same.and_then(|c| c.last_transition_time.clone()).or_else(|| Some(i.now.to_k8s()));
        out.push(PodCondition {
            type_: name.into(),
            status: status.into(),
            reason: (!reason.is_empty()).then(|| reason.into()),
            message: (!message.is_empty()).then_some(message),
            observed_generation: i.pod.metadata.generation,
            last_transition_time: since,
            ..Default::default()
        });
    }
    out
}
