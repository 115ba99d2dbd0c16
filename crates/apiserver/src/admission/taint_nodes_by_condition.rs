//! TaintNodesByCondition: a new node takes no pods until it has said that it is ready. Models
//! `plugin/pkg/admission/nodetaint`.

use k8s_openapi::api::core::v1::{Node, Taint};

pub(super) fn admit(node: &mut Node) {
    let taint = Taint {
        key: "node.kubernetes.io/not-ready".into(),
        effect: "NoSchedule".into(),
        time_added: None,
        value: None,
    };
    let taints = node.spec.get_or_insert_default().taints.get_or_insert_default();
    if !taints.iter().any(|t| t.key == taint.key && t.effect == taint.effect) {
        taints.push(taint);
    }
}
