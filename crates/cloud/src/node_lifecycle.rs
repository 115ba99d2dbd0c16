//! cloud-node-lifecycle-controller: deletes nodes whose instance is gone, and taints those whose instance was shut down.
//! Models `k8s.io/cloud-provider/controllers/nodelifecycle`.

use crate::node::{has_taint, reference};
use crate::provider::{Answer, Call, InstanceRef, Reply};
use crate::runner::{Controller, Plan, Seen};
use crate::{SHUTDOWN, UNINITIALIZED};
use api::{KindRef, Registered};
use k8s_openapi::api::core::v1::{Node, ObjectReference, Taint};
use meta::{Duration, Key, Time};
use reconcile::{Change, Cx, EventType, Intent, Tolerate, Write};
use serde_json::json;

/// `--node-monitor-period`
const PERIOD: Duration = Duration::from_secs(5);
/// What a node gets that has just registered.
const UNINITIALIZED_DELAY: Duration = Duration::from_secs(60);
const MONITOR: &str = "nodes:instances";

#[derive(Clone, Default)]
pub struct CloudNodeLifecycle {
    /// Whom the calls under way are about, and whether they ask for a shutdown.
    asked: Vec<InstanceRef>,
    shutdown: bool,
}

impl Controller for CloudNodeLifecycle {
    fn name(&self) -> &'static str {
        "cloud-node-lifecycle-controller"
    }
    fn account(&self) -> &'static str {
        "node-controller"
    }
    fn event_source(&self) -> &'static str {
        "cloud-node-lifecycle-controller"
    }
    fn kinds(&self) -> Vec<KindRef> {
        Vec::new()
    }
    fn initial(&self) -> Vec<Key> {
        vec![MONITOR.into()]
    }
    fn observe(&mut self, _cx: &Cx, _change: &Change) -> Seen {
        Seen::default()
    }
    fn reconcile(&mut self, cx: &Cx, _key: &Key) -> Plan {
        let mut plan = Plan { requeue_after: Some(PERIOD), ..Plan::default() };
        self.asked.clear();
        self.shutdown = false;
        for node in cx.view.list::<Node>() {
            if is_ready(node) {
                if has_taint(node, SHUTDOWN) {
                    plan.intents.push(without_shutdown(node).tolerate(Tolerate::Anything));
                }
            } else if !is_awaited(node, cx.now) {
                self.asked.push(reference(node));
            }
        }
        plan.calls = self.asked.iter().cloned().map(Call::InstanceExists).collect();
        plan
    }
    fn answered(&mut self, cx: &Cx, _key: &Key, answers: Vec<Reply>, _took: Duration) -> Plan {
        let mut plan = Plan { requeue_after: Some(PERIOD), ..Plan::default() };
        let asked = std::mem::take(&mut self.asked);
        for (instance, answer) in asked.into_iter().zip(answers) {
            let Some(node) = cx.view.get::<Node>(&Key::from(instance.node.as_str())) else { continue };
            match answer {
                Ok(Answer::Yes(true)) if self.shutdown && !has_taint(node, SHUTDOWN) => {
                    plan.intents.push(with_shutdown(node).tolerate(Tolerate::Anything));
                }
                Ok(Answer::Yes(true)) if !self.shutdown => self.asked.push(instance),
                Ok(Answer::Yes(false)) if !self.shutdown => plan.intents.extend(delete(node, &instance.node)),
                // Asked again in the next pass.
                _ => {}
            }
        }
        self.shutdown = !self.asked.is_empty();
        plan.calls = self.asked.iter().cloned().map(Call::InstanceShutdown).collect();
        plan
    }
    fn fresh(&self) -> Box<dyn Controller> {
        Box::<CloudNodeLifecycle>::default()
    }
    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

fn is_ready(node: &Node) -> bool {
    let mut all = node.status.iter().flat_map(|s| s.conditions.iter().flatten());
    all.any(|c| c.type_ == "Ready" && c.status == "True")
}

/// A new node that the cloud may not know yet.
fn is_awaited(node: &Node, now: Time) -> bool {
    let created = node.metadata.creation_timestamp.as_ref().map_or(Time(0), Time::from_k8s);
    reference(node).provider_id.is_empty() && has_taint(node, UNINITIALIZED) && now.since(created) < UNINITIALIZED_DELAY
}

fn taints(node: &Node) -> Vec<Taint> {
    node.spec.as_ref().and_then(|s| s.taints.clone()).unwrap_or_default()
}

fn set_taints(node: &Node, taints: &[Taint]) -> Intent {
    let key = Key::from(node.metadata.name.as_deref().unwrap_or(""));
    let value = if taints.is_empty() { serde_json::Value::Null } else { json!(taints) };
    let metadata = json!({ "resourceVersion": node.metadata.resource_version });
    Intent::patch(Node::KIND_REF, key, "", json!({ "metadata": metadata, "spec": { "taints": value } }))
}

fn with_shutdown(node: &Node) -> Intent {
    let mut all = taints(node);
    all.push(Taint { key: SHUTDOWN.into(), effect: "NoSchedule".into(), ..Default::default() });
    set_taints(node, &all)
}

fn without_shutdown(node: &Node) -> Intent {
    let mut all = taints(node);
    all.retain(|t| t.key != SHUTDOWN);
    set_taints(node, &all)
}

fn delete(node: &Node, name: &str) -> [Intent; 2] {
    let regarding = ObjectReference {
        kind: Some("Node".into()),
        name: Some(name.into()),
        uid: node.metadata.uid.clone(),
        ..Default::default()
    };
    let event = Write::Event {
        regarding,
        event_type: EventType::Normal,
        reason: "DeletingNode".into(),
        message: format!("Deleting node {name} because it does not exist in the cloud provider"),
    };
    let event = Intent { write: event, tolerate: Tolerate::Anything, announce: None };
    let failed = format!("Failed deleting node {name}: {{error}}");
    [event, Intent::delete(node).tolerate(Tolerate::Anything).on_failure(node, "DeletingNodeFailed", failed)]
}
