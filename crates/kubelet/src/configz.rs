//! The configuration that a kubelet runs with. Models what `/configz` shows: a KubeletConfiguration as kubeadm writes it, with
//! the defaults of `pkg/kubelet/apis/config/v1beta1`.

use crate::{Kubelet, NodeConfig, node};
use serde_json::{Map, Value};

/// Upstream's defaults and kubeadm's values. Nothing in it contradicts what simulated nodes do (a machine has no system logs to
/// show); what they do depends on the fields that [`in_use`] adds.
const DEFAULTS: &str = include_str!("configz.json");

/// A node's `/var/lib/kubelet/config.yaml`, which kubeadm copies from its ConfigMap `kubelet-config`. What it leaves to the
/// kubelet's defaults is zero.
pub const FILE: &str = include_str!("kubelet-config.yaml");

/// What a machine's own settings say.
fn in_use(config: &NodeConfig) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("maxPods".into(), config.capacity.pods.into());
    fields.insert("nodeStatusUpdateFrequency".into(), node::STATUS_UPDATE_PERIOD.go_string().into());
    fields.insert("nodeStatusReportFrequency".into(), node::STATUS_REPORT_PERIOD.go_string().into());
    if !config.taints.is_empty() {
        fields.insert("registerWithTaints".into(), serde_json::to_value(&config.taints).unwrap_or_default());
    }
    if let Value::Object(eviction) = config.eviction.fields() {
        fields.extend(eviction);
    }
    fields
}

impl Kubelet {
    /// The KubeletConfiguration in use, but for what names the cluster's DNS.
    pub fn configuration(&self) -> Map<String, Value> {
        let mut fields: Map<String, Value> = serde_json::from_str(DEFAULTS).unwrap_or_default();
        fields.extend(in_use(self.config()));
        fields
    }
}
