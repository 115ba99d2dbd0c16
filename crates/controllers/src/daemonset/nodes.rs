//! Which nodes get a pod, and the pod they get. Models `NodeShouldRunDaemonPod` and `pkg/controller/daemon/util`.

use super::{GENERATION_LABEL, REVISION_LABEL, controller_reference, name, template_generation};
use crate::pods;
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Node, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, Taint, Toleration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Time;

const NODE_NAME_FIELD: &str = "metadata.name";

/// Key and effect of what every daemon pod tolerates.
const TOLERATED: &[(&str, &str)] = &[
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];
/// Pods on the host's network are there before the pods' network is.
const NETWORK_UNAVAILABLE: (&str, &str) = ("node.kubernetes.io/network-unavailable", "NoSchedule");

fn tolerations(spec: &PodSpec) -> Vec<Toleration> {
    let mut list = spec.tolerations.clone().unwrap_or_default();
    let network = [NETWORK_UNAVAILABLE];
    let network: &[(&str, &str)] = if spec.host_network == Some(true) { &network } else { &[] };
    for (key, effect) in TOLERATED.iter().chain(network) {
        let new = Toleration {
            key: Some((*key).into()),
            operator: Some("Exists".into()),
            effect: Some((*effect).into()),
            ..Default::default()
        };
        let same = |t: &&mut Toleration| {
            (&t.key, &t.effect, &t.operator) == (&new.key, &new.effect, &new.operator) && t.value.is_none()
        };
        match list.iter_mut().find(same) {
            Some(t) => *t = new,
            None => list.push(new),
        }
    }
    list
}

/// Whether a new pod is to run there, and whether one that is there may stay.
pub fn should_run(ds: &DaemonSet, node: &Node) -> (bool, bool) {
    let Some(spec) = ds.spec.as_ref().and_then(|s| s.template.spec.as_ref()) else { return (false, false) };
    let node_name = name(&node.metadata);
    let wanted = spec.node_name.as_deref().unwrap_or("");
    let labels = node.metadata.labels.clone().unwrap_or_default();
    if !(wanted.is_empty() || wanted == node_name) || !api::nodes::matches(spec, &labels, node_name) {
        return (false, false);
    }
    let tolerations = tolerations(spec);
    let taints: &[Taint] = node.spec.as_ref().and_then(|s| s.taints.as_deref()).unwrap_or_default();
    let untolerated = |effects: &[&str]| {
        let tolerated = |t: &Taint| tolerations.iter().any(|x| api::nodes::tolerates(x, t));
        taints.iter().any(|t| effects.contains(&t.effect.as_str()) && !tolerated(t))
    };
    if untolerated(&["NoSchedule", "NoExecute"]) {
        return (false, !untolerated(&["NoExecute"]));
    }
    (true, true)
}

/// The node that a pod runs on, or is meant for. Models `GetTargetNodeName`.
pub fn target(pod: &Pod) -> &str {
    let on = pods::node_name(pod);
    if !on.is_empty() {
        return on;
    }
    let affinity = pod.spec.as_ref().and_then(|s| s.affinity.as_ref()?.node_affinity.as_ref());
    let required = affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    let terms = required.map_or(&[][..], |r| &r.node_selector_terms);
    let fields = terms.iter().flat_map(|t| t.match_fields.iter().flatten());
    let named = fields.filter(|f| f.key == NODE_NAME_FIELD && f.operator == "In");
    named.filter_map(|f| f.values.as_ref()?.first()).next().map_or("", String::as_str)
}

/// Those with a node first, then the oldest. Models `podByCreationTimestampAndPhase`.
pub fn oldest_first(pod: &Pod) -> (bool, Option<Time>, String) {
    let created = pod.metadata.creation_timestamp.as_ref().map(Time::from_k8s);
    (pods::node_name(pod).is_empty(), created, name(&pod.metadata).to_string())
}

/// Models `CreatePodTemplate` and `ReplaceDaemonSetPodNodeNameNodeAffinity`.
pub fn new_pod(ds: &DaemonSet, hash: &str, node: &str) -> Pod {
    let template = ds.spec.as_ref().map(|s| s.template.clone()).unwrap_or_default();
    let m = template.metadata.unwrap_or_default();
    let mut labels = m.labels.unwrap_or_default();
    let generation = template_generation(ds);
    if generation > 0 {
        labels.insert(GENERATION_LABEL.into(), generation.to_string());
    }
    if !hash.is_empty() {
        labels.insert(REVISION_LABEL.into(), hash.into());
    }
    let mut spec = template.spec.unwrap_or_default();
    spec.tolerations = Some(tolerations(&spec));
    let is_node =
        NodeSelectorRequirement { key: NODE_NAME_FIELD.into(), operator: "In".into(), values: Some(vec![node.into()]) };
    let affinity = spec.affinity.get_or_insert_default().node_affinity.get_or_insert_default();
    let required = affinity.required_during_scheduling_ignored_during_execution.get_or_insert_default();
    if required.node_selector_terms.is_empty() {
        required.node_selector_terms.push(NodeSelectorTerm::default());
    }
    for term in &mut required.node_selector_terms {
        term.match_fields = Some(vec![is_node.clone()]);
    }
    Pod {
        metadata: ObjectMeta {
            namespace: ds.metadata.namespace.clone(),
            generate_name: Some(format!("{}-", name(&ds.metadata))),
            labels: Some(labels),
            annotations: m.annotations,
            finalizers: m.finalizers,
            owner_references: Some(vec![controller_reference(ds)]),
            ..Default::default()
        },
        spec: Some(spec),
        status: None,
    }
}
