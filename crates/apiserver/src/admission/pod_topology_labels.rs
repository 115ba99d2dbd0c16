//! PodTopologyLabels: a pod learns the zone and region of its node as labels. Models
//! `plugin/pkg/admission/podtopologylabels`.

use crate::server::Cx;
use api::Registered;
use k8s_openapi::api::core::v1::{Node, Pod};

const LABELS: [&str; 2] = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"];

/// None of a node that is not known.
pub(crate) fn of_node(cx: &Cx<'_>, name: &str) -> Vec<(String, String)> {
    let entry = cx.object(Node::KIND_REF, "", name);
    let labels = entry.and_then(|e| e.value.0.meta().labels.as_ref());
    let found = LABELS.iter().filter_map(|l| Some((l.to_string(), labels?.get(*l)?.clone())));
    found.collect()
}

/// A pod created on its node.
pub(super) fn admit(cx: &Cx<'_>, pod: &mut Pod) {
    let node = pod.spec.as_ref().and_then(|s| s.node_name.clone()).unwrap_or_default();
    if node.is_empty() {
        return;
    }
    let labels = of_node(cx, &node);
    if !labels.is_empty() {
        pod.metadata.labels.get_or_insert_default().extend(labels);
    }
}
