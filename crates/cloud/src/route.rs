//! route-controller: a route in the cloud for every node's pod addresses. Models
//! `k8s.io/cloud-provider/controllers/route`.

use crate::provider::{Answer, Call, Reply, Route};
use crate::runner::{Controller, Plan, Seen};
use api::KindRef;
use k8s_openapi::api::core::v1::{Node, NodeCondition, NodeStatus, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Duration, Key, Time};
use reconcile::{Change, Cx, EventType, Intent, Tolerate, Write};
use std::collections::{BTreeMap, BTreeSet};

/// `--route-reconciliation-period`
const PERIOD: Duration = Duration::from_secs(10);
const SYNC: &str = "nodes:routes";
const UNAVAILABLE: &str = "NetworkUnavailable";

/// A route under way.
#[derive(Clone)]
struct Wanted {
    node: String,
    uid: String,
    cidr: String,
}

#[derive(Clone, Default)]
pub struct RouteController {
    /// The routes have been listed; what the calls under way do, in their order (`None`: a deletion).
    listed: bool,
    under_way: Vec<Option<Wanted>>,
}

impl Controller for RouteController {
    fn name(&self) -> &'static str {
        "route-controller"
    }
    fn account(&self) -> &'static str {
        "route-controller"
    }
    fn event_source(&self) -> &'static str {
        "route_controller"
    }
    fn kinds(&self) -> Vec<KindRef> {
        Vec::new()
    }
    fn initial(&self) -> Vec<Key> {
        vec![SYNC.into()]
    }
    fn observe(&mut self, _cx: &Cx, _change: &Change) -> Seen {
        Seen::default()
    }
    fn reconcile(&mut self, _cx: &Cx, _key: &Key) -> Plan {
        self.listed = false;
        Plan { calls: vec![Call::ListRoutes], requeue_after: Some(PERIOD), ..Plan::default() }
    }
    fn answered(&mut self, cx: &Cx, _key: &Key, answers: Vec<Reply>, took: Duration) -> Plan {
        let mut plan = Plan { requeue_after: Some(PERIOD), ..Plan::default() };
        let mut failed = BTreeSet::new();
        if self.listed {
            for (wanted, answer) in std::mem::take(&mut self.under_way).into_iter().zip(answers) {
                if let (Some(w), Err(e)) = (wanted, answer) {
                    plan.intents.push(event(&w, took, &e.message));
                    failed.insert(w.node);
                }
            }
        } else {
            let Some(Ok(Answer::Routes(routes))) = answers.into_iter().next() else { return plan };
            self.listed = true;
            plan.calls = self.compare(cx, &routes);
            if !plan.calls.is_empty() {
                return plan;
            }
        }
        for node in cx.view.list::<Node>().filter(|n| !pod_cidrs(n).is_empty()) {
            let created = !failed.contains(node.metadata.name.as_deref().unwrap_or(""));
            plan.intents.extend(network_condition(node, created, cx.now));
        }
        plan
    }
    fn fresh(&self) -> Box<dyn Controller> {
        Box::<RouteController>::default()
    }
    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl RouteController {
    /// Models `reconcile`: deletions first, then what is missing.
    fn compare(&mut self, cx: &Cx, routes: &[Route]) -> Vec<Call> {
        let mut wanted: BTreeMap<(&str, &str), &Node> = BTreeMap::new();
        for node in cx.view.list::<Node>() {
            let name = node.metadata.name.as_deref().unwrap_or("");
            wanted.extend(pod_cidrs(node).iter().map(|cidr| ((name, cidr.as_str()), node)));
        }
        let mut calls = Vec::new();
        self.under_way.clear();
        for r in routes.iter().filter(|r| is_ours(&r.destination_cidr)) {
            let known = wanted.contains_key(&(r.target_node.as_str(), r.destination_cidr.as_str()));
            if r.blackhole || !known {
                calls.push(Call::DeleteRoute { name: r.name.clone() });
                self.under_way.push(None);
            }
        }
        let have: BTreeSet<(&str, &str)> =
            routes.iter().map(|r| (r.target_node.as_str(), r.destination_cidr.as_str())).collect();
        for ((name, cidr), node) in wanted.into_iter().filter(|(k, _)| !have.contains(k)) {
            let uid = node.metadata.uid.clone().unwrap_or_default();
            calls.push(Call::CreateRoute {
                name_hint: uid.clone(),
                target_node: name.into(),
                destination_cidr: cidr.into(),
            });
            self.under_way.push(Some(Wanted { node: name.into(), uid, cidr: cidr.into() }));
        }
        calls
    }
}

fn pod_cidrs(node: &Node) -> &[String] {
    node.spec.as_ref().and_then(|s| s.pod_cidrs.as_deref()).unwrap_or_default()
}

/// Models `isResponsibleForRoute` for the cluster CIDR of node-ipam, 10.128.0.0/9.
fn is_ours(cidr: &str) -> bool {
    let mut parts = cidr.split('.');
    parts.next() == Some("10") && parts.next().and_then(|p| p.parse::<u8>().ok()).is_some_and(|p| p >= 128)
}

fn event(w: &Wanted, took: Duration, error: &str) -> Intent {
    let regarding = ObjectReference {
        kind: Some("Node".into()),
        name: Some(w.node.clone()),
        uid: Some(w.node.clone()),
        ..Default::default()
    };
    let message =
        format!("Could not create route {} {} for node {} after {}: {error}", w.uid, w.cidr, w.node, took.go_string());
    let write =
        Write::Event { regarding, event_type: EventType::Warning, reason: "FailedToCreateRoute".into(), message };
    Intent { write, tolerate: Tolerate::Anything, announce: None }
}

/// Models `updateNetworkingCondition`.
fn network_condition(node: &Node, created: bool, now: Time) -> Option<Intent> {
    let status = if created { "False" } else { "True" };
    let mut all = node.status.as_ref().and_then(|s| s.conditions.clone()).unwrap_or_default();
    if all.iter().any(|c| c.type_ == UNAVAILABLE && c.status == status) {
        return None;
    }
    let (reason, message) = if created {
        ("RouteCreated", "RouteController created a route")
    } else {
        ("NoRouteCreated", "RouteController failed to create a route")
    };
    let new = NodeCondition {
        type_: UNAVAILABLE.into(),
        status: status.into(),
        reason: Some(reason.into()),
        message: Some(message.into()),
        last_transition_time: Some(now.to_k8s()),
        last_heartbeat_time: Some(now.to_k8s()),
    };
    match all.iter_mut().find(|c| c.type_ == UNAVAILABLE) {
        Some(c) => *c = new,
        None => all.insert(0, new),
    }
    let metadata =
        ObjectMeta { name: node.metadata.name.clone(), uid: node.metadata.uid.clone(), ..Default::default() };
    let status = NodeStatus { conditions: Some(all), ..Default::default() };
    Some(Intent::patch_status(Node { metadata, spec: None, status: Some(status) }).tolerate(Tolerate::Anything))
}
