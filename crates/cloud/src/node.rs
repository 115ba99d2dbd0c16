//! cloud-node-controller: gives a new node what only the cloud knows and lifts the taint it was registered with. Models
//! `k8s.io/cloud-provider/controllers/node`.

use crate::UNINITIALIZED;
use crate::provider::{Answer, Call, InstanceRef, Metadata, Reply};
use crate::runner::{Controller, Plan, Seen};
use api::{KindRef, Registered};
use k8s_openapi::api::core::v1::{Node, NodeAddress, NodeStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Duration, Key};
use reconcile::{Change, Cx, EventType, Intent};
use serde_json::json;
use std::collections::BTreeMap;

/// `--node-status-update-frequency`
const STATUS_PERIOD: Duration = Duration::from_secs(300);
/// The pass over all nodes; no node has this name.
const STATUS: &str = "nodes:status";

/// The old label that decides, and the one that follows it.
const LABELS: [(&str, &str); 3] = [
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"),
];

#[derive(Clone, Default)]
pub struct CloudNode {
    /// The nodes that the pass under way asked about.
    asked: Vec<Key>,
}

pub fn reference(node: &Node) -> InstanceRef {
    InstanceRef {
        node: node.metadata.name.clone().unwrap_or_default(),
        provider_id: node.spec.as_ref().and_then(|s| s.provider_id.clone()).unwrap_or_default(),
    }
}

pub fn has_taint(node: &Node, key: &str) -> bool {
    node.spec.as_ref().is_some_and(|s| s.taints.iter().flatten().any(|t| t.key == key))
}

impl Controller for CloudNode {
    fn name(&self) -> &'static str {
        "cloud-node-controller"
    }
    fn account(&self) -> &'static str {
        "node-controller"
    }
    fn event_source(&self) -> &'static str {
        "cloud-node-controller"
    }
    fn kinds(&self) -> Vec<KindRef> {
        vec![Node::KIND_REF]
    }
    fn initial(&self) -> Vec<Key> {
        vec![STATUS.into()]
    }
    fn observe(&mut self, _cx: &Cx, change: &Change) -> Seen {
        let node: Option<&Node> = change.new.as_ref().and_then(|o| o.as_any().downcast_ref());
        let concerns = node.is_some_and(|n| has_taint(n, UNINITIALIZED) || labels_to_update(n).is_some());
        Seen { keys: concerns.then(|| change.key.clone()).into_iter().collect(), ..Seen::default() }
    }
    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Plan {
        let mut plan = Plan::default();
        if key.as_str() == STATUS {
            let initialized = cx.view.list::<Node>().filter(|n| !has_taint(n, UNINITIALIZED));
            let all: Vec<InstanceRef> = initialized.map(reference).collect();
            self.asked = all.iter().map(|i| Key::from(i.node.as_str())).collect();
            plan.requeue_after = Some(STATUS_PERIOD);
            plan.calls = all.into_iter().map(Call::InstanceMetadata).collect();
            return plan;
        }
        let Some(node) = cx.view.get::<Node>(key) else { return plan };
        if has_taint(node, UNINITIALIZED) {
            plan.calls.push(Call::InstanceMetadata(reference(node)));
        } else if let Some(labels) = labels_to_update(node) {
            plan.intents.push(Intent::patch(
                Node::KIND_REF,
                key.clone(),
                "",
                json!({ "metadata": { "labels": labels } }),
            ));
        }
        plan
    }
    fn answered(&mut self, cx: &Cx, key: &Key, answers: Vec<Reply>, _took: Duration) -> Plan {
        let mut plan = Plan::default();
        if key.as_str() == STATUS {
            for (key, answer) in std::mem::take(&mut self.asked).iter().zip(answers) {
                if let (Some(node), Ok(Answer::Metadata(m))) = (cx.view.get::<Node>(key), answer) {
                    plan.intents.extend(addresses(node, &m));
                }
            }
            plan.requeue_after = Some(STATUS_PERIOD);
            return plan;
        }
        let Some(node) = cx.view.get::<Node>(key).filter(|n| has_taint(n, UNINITIALIZED)) else { return plan };
        match answers.into_iter().next() {
            Some(Ok(Answer::Metadata(m))) => {
                plan.intents.push(Intent::update(initialized(node, &m)));
                plan.intents.extend(addresses(node, &m));
                plan.intents.push(Intent::event(node, EventType::Normal, "Synced", "Node synced successfully"));
            }
            _ => plan.failed = true,
        }
        plan
    }
    fn fresh(&self) -> Box<dyn Controller> {
        Box::<CloudNode>::default()
    }
    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

/// Models `reconcileNodeLabels`.
fn labels_to_update(node: &Node) -> Option<BTreeMap<&'static str, String>> {
    let labels = node.metadata.labels.as_ref()?;
    let stale = |(primary, secondary): &(&'static str, &'static str)| {
        let value = labels.get(*primary)?;
        (labels.get(*secondary) != Some(value)).then(|| (*secondary, value.clone()))
    };
    let update: BTreeMap<&str, String> = LABELS.iter().filter_map(stale).collect();
    (!update.is_empty()).then_some(update)
}

/// Models `getNodeModifiersFromCloudProvider`.
fn initialized(node: &Node, m: &Metadata) -> Node {
    let mut n = node.clone();
    let spec = n.spec.get_or_insert_default();
    if spec.provider_id.as_deref().unwrap_or("").is_empty() {
        spec.provider_id = Some(m.provider_id.clone());
    }
    if let Some(taints) = &mut spec.taints {
        taints.retain(|t| t.key != UNINITIALIZED);
    }
    spec.taints = spec.taints.take().filter(|t| !t.is_empty());
    let labels = n.metadata.labels.get_or_insert_default();
    for (value, (old, new)) in [&m.zone, &m.region, &m.instance_type].into_iter().zip(LABELS) {
        if !value.is_empty() {
            labels.insert(old.into(), value.clone());
            labels.insert(new.into(), value.clone());
        }
    }
    for (k, v) in m.additional_labels.iter().filter(|(k, _)| !is_kubernetes_namespace(k)) {
        labels.entry(k.clone()).or_insert_with(|| v.clone());
    }
    n
}

/// `(^|\.)(kubernetes|k8s)\.io/`: not the cloud's to use.
fn is_kubernetes_namespace(label: &str) -> bool {
    let Some((prefix, _)) = label.split_once('/') else { return false };
    ["kubernetes.io", "k8s.io"].iter().any(|d| prefix == *d || prefix.ends_with(&format!(".{d}")))
}

/// Models `updateNodeAddress`.
fn addresses(node: &Node, m: &Metadata) -> Option<Intent> {
    if m.addresses.is_empty() {
        return None;
    }
    let old = node.status.as_ref().and_then(|s| s.addresses.as_deref()).unwrap_or_default();
    let mut new = m.addresses.clone();
    if !new.iter().any(|a| a.type_ == "Hostname") {
        new.extend(old.iter().filter(|a| a.type_ == "Hostname").cloned());
    }
    let by_type: BTreeMap<&str, &str> = old.iter().map(|a| (a.type_.as_str(), a.address.as_str())).collect();
    let differs = |a: &NodeAddress| by_type.get(a.type_.as_str()) != Some(&a.address.as_str());
    if old.len() == new.len() && !new.iter().any(differs) {
        return None;
    }
    let metadata =
        ObjectMeta { name: node.metadata.name.clone(), uid: node.metadata.uid.clone(), ..Default::default() };
    let status = NodeStatus { addresses: Some(new), ..Default::default() };
    Some(Intent::patch_status(Node { metadata, spec: None, status: Some(status) }))
}
