//! service-controller: load balancers for Services of type LoadBalancer. Models
//! `k8s.io/cloud-provider/controllers/service`.

mod changes;

use crate::node::reference;
use crate::provider::{Answer, Call, InstanceRef, Listener, Reply, Wanted, load_balancer_name};
use crate::runner::{Controller, Plan, Remark, Seen};
use api::{KindRef, Registered};
use k8s_openapi::api::core::v1::{LoadBalancerStatus, Node, Service};
use meta::{ApiError, Duration, Key};
use reconcile::intent::reference as object_reference;
use reconcile::{Change, Cx, EventType, Intent, Tolerate};
use serde_json::json;
use std::collections::BTreeMap;

pub const CLEANUP_FINALIZER: &str = "service.kubernetes.io/load-balancer-cleanup";
const EXCLUDE_LABEL: &str = "node.kubernetes.io/exclude-from-external-load-balancers";
const TO_BE_DELETED_TAINT: &str = "ToBeDeletedByClusterAutoscaler";
/// The item for changes of the set of nodes; no Service has this key.
const NODES: &str = "nodes:hosts";
const NODE_NAMES_MAX: usize = 20;

#[derive(Clone, Default)]
enum Phase {
    #[default]
    Idle,
    /// Is there a load balancer to delete?
    Checking,
    Deleting,
    /// Of a Service that went without its finalizer.
    DeletingGone(Box<Service>),
    Ensuring,
    /// New hosts for these Services.
    Updating(Vec<(Key, Vec<InstanceRef>)>),
}

#[derive(Clone, Default)]
pub struct ServiceController {
    /// Services that have or want a load balancer, as they were last synced.
    cache: BTreeMap<Key, Service>,
    hosts: BTreeMap<Key, Vec<InstanceRef>>,
    phase: Phase,
}

fn wants(s: &Service) -> bool {
    s.spec.as_ref().is_some_and(|s| s.type_.as_deref() == Some("LoadBalancer") && s.load_balancer_class.is_none())
}

fn has_finalizer(s: &Service) -> bool {
    s.metadata.finalizers.iter().flatten().any(|f| f == CLEANUP_FINALIZER)
}

fn needs_cleanup(s: &Service) -> bool {
    let is_type = s.spec.as_ref().is_some_and(|s| s.type_.as_deref() == Some("LoadBalancer"));
    has_finalizer(s) && (s.metadata.deletion_timestamp.is_some() || !is_type)
}

/// Models `stableNodeSetPredicates`.
fn is_host(n: &Node) -> bool {
    let excluded = n.metadata.labels.as_ref().and_then(|l| l.get(EXCLUDE_LABEL));
    n.metadata.deletion_timestamp.is_none()
        && excluded.is_none_or(|v| matches!(v.as_str(), "0" | "f" | "F" | "false" | "FALSE" | "False"))
        && !crate::node::has_taint(n, TO_BE_DELETED_TAINT)
}

fn hosts(cx: &Cx) -> Vec<InstanceRef> {
    cx.view.list::<Node>().filter(|n| is_host(n)).map(reference).collect()
}

fn lb_name(s: &Service) -> String {
    load_balancer_name(s.metadata.uid.as_deref().unwrap_or(""))
}

fn normal(s: &Service, reason: &str, message: &str) -> Intent {
    Intent::event(s, EventType::Normal, reason, message)
}

fn no_hosts(s: &Service) -> Intent {
    let message = "There are no available nodes for LoadBalancer";
    Intent::event(s, EventType::Warning, "UnAvailableLoadBalancer", message)
}

fn key_of(s: &Service) -> Key {
    Key::new(s.metadata.namespace.as_deref().unwrap_or(""), s.metadata.name.as_deref().unwrap_or(""))
}

/// Models `PatchService`: by way of the status, which is what the controller may write.
fn patch(s: &Service, patch: serde_json::Value) -> Intent {
    Intent::patch(Service::KIND_REF, key_of(s), "status", patch)
}

fn add_finalizer(s: &Service) -> Intent {
    let mut all = s.metadata.finalizers.clone().unwrap_or_default();
    all.push(CLEANUP_FINALIZER.into());
    patch(s, json!({ "metadata": { "finalizers": all } }))
}

/// Takes the finalizer and the address away. Upstream writes twice; the API server may refuse the first alone, because
/// only a Service of type LoadBalancer has an address.
fn clean_up(s: &Service) -> Option<Intent> {
    let mut all = s.metadata.finalizers.clone().unwrap_or_default();
    all.retain(|f| f != CLEANUP_FINALIZER);
    let finalizers = if all.is_empty() { serde_json::Value::Null } else { json!(all) };
    let none = json!({ "loadBalancer": { "ingress": null } });
    let needed = has_finalizer(s) || !addresses(s.status.as_ref().and_then(|s| s.load_balancer.as_ref())).is_empty();
    let patch = || patch(s, json!({ "metadata": { "finalizers": finalizers }, "status": none }));
    needed.then(|| patch().tolerate(Tolerate::NotFound))
}

fn addresses(l: Option<&LoadBalancerStatus>) -> Vec<(Option<&str>, Option<&str>)> {
    let all = l.into_iter().flat_map(|l| l.ingress.iter().flatten());
    all.map(|i| (i.ip.as_deref(), i.hostname.as_deref())).collect()
}

fn patch_status(s: &Service, new: &LoadBalancerStatus) -> Option<Intent> {
    let old = s.status.as_ref().and_then(|s| s.load_balancer.as_ref());
    if addresses(old) == addresses(Some(new)) {
        return None;
    }
    let status = json!({ "loadBalancer": { "ingress": new.ingress } });
    Some(patch(s, json!({ "status": status })).tolerate(Tolerate::NotFound))
}

impl Controller for ServiceController {
    fn name(&self) -> &'static str {
        "service-controller"
    }
    fn account(&self) -> &'static str {
        "service-controller"
    }
    fn event_source(&self) -> &'static str {
        "service-controller"
    }
    fn kinds(&self) -> Vec<KindRef> {
        vec![Service::KIND_REF, Node::KIND_REF]
    }
    fn initial(&self) -> Vec<Key> {
        Vec::new()
    }
    /// `minRetryDelay` and `maxRetryDelay`.
    fn back_off(&self) -> (Duration, Duration) {
        (Duration::from_secs(5), Duration::from_secs(300))
    }
    fn observe(&mut self, _cx: &Cx, change: &Change) -> Seen {
        if change.kind == Node::KIND_REF {
            let keys = changes::hosts_change(change).then(|| NODES.into()).into_iter().collect();
            return Seen { keys, ..Seen::default() };
        }
        fn service(o: &Option<api::Obj>) -> Option<&Service> {
            o.as_ref()?.as_any().downcast_ref()
        }
        let mut seen = Seen::default();
        let concerns = match (service(&change.old), service(&change.new)) {
            (None, Some(new)) => wants(new) || needs_cleanup(new),
            (Some(old), Some(new)) => changes::needs_update(old, new, &mut seen.remarks) || needs_cleanup(new),
            // A Service deleted with its finalizer was cleaned up before; one without comes from the cache.
            (Some(_), None) => self.cache.contains_key(&change.key),
            (None, None) => false,
        };
        seen.keys.extend(concerns.then(|| change.key.clone()));
        seen
    }
    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Plan {
        if key.as_str() == NODES {
            return self.sync_nodes(cx);
        }
        let mut plan = Plan::default();
        let service = cx.view.get::<Service>(key);
        if let Some(old) = self.cache.get(key).filter(|old| service.is_none_or(|s| s.metadata.uid != old.metadata.uid))
        {
            // Gone, and perhaps there is another of its name, which comes next.
            plan.intents.push(normal(old, "DeletingLoadBalancer", "Deleting load balancer"));
            plan.calls.push(Call::EnsureLoadBalancerDeleted { name: lb_name(old) });
            self.phase = Phase::DeletingGone(Box::new(old.clone()));
            return plan;
        }
        let Some(s) = service else { return plan };
        self.cache.insert(key.clone(), s.clone());
        if !wants(s) || needs_cleanup(s) {
            self.phase = Phase::Checking;
            plan.calls.push(Call::GetLoadBalancer { name: lb_name(s) });
            return plan;
        }
        plan.intents.push(normal(s, "EnsuringLoadBalancer", "Ensuring load balancer"));
        if !has_finalizer(s) {
            plan.intents.push(add_finalizer(s));
        }
        let hosts = hosts(cx);
        if hosts.is_empty() {
            plan.intents.push(no_hosts(s));
        }
        self.hosts.insert(key.clone(), hosts.clone());
        self.phase = Phase::Ensuring;
        plan.calls.push(Call::EnsureLoadBalancer(wanted(key, s, hosts)));
        plan
    }
    fn answered(&mut self, cx: &Cx, key: &Key, answers: Vec<Reply>, _took: Duration) -> Plan {
        let phase = std::mem::take(&mut self.phase);
        if let Phase::Updating(updates) = phase {
            return self.updated(cx, updates, answers);
        }
        let mut plan = Plan::default();
        let Some(answer) = answers.into_iter().next() else { return plan };
        if let Phase::DeletingGone(old) = phase {
            match answer {
                Ok(_) => {
                    plan.intents.push(normal(&old, "DeletedLoadBalancer", "Deleted load balancer"));
                    self.cache.remove(key);
                    self.hosts.remove(key);
                    plan.enqueue.push(key.clone());
                }
                Err(e) => {
                    let message = format!("Error deleting load balancer: {e}");
                    plan.intents.push(Intent::event(&*old, EventType::Warning, "DeleteLoadBalancerFailed", message));
                    plan.failed = true;
                }
            }
            return plan;
        }
        // What it is by now; a Service that went meanwhile comes again by its deletion.
        let Some(s) = cx.view.get::<Service>(key) else { return plan };
        let mut fail = |why: String| {
            let message = format!("Error syncing load balancer: {why}");
            plan.intents.push(Intent::event(s, EventType::Warning, "SyncLoadBalancerFailed", message));
            plan.failed = true;
        };
        match (phase, answer) {
            (Phase::Checking, Err(e)) => fail(format!("failed to check if load balancer exists before cleanup: {e}")),
            (Phase::Checking, Ok(Answer::LoadBalancer(Some(_)))) => {
                plan.intents.push(normal(s, "DeletingLoadBalancer", "Deleting load balancer"));
                plan.calls.push(Call::EnsureLoadBalancerDeleted { name: lb_name(s) });
                self.phase = Phase::Deleting;
            }
            (Phase::Deleting, Err(e)) => fail(format!("failed to delete load balancer: {e}")),
            (Phase::Checking | Phase::Deleting, Ok(_)) => {
                plan.intents.extend(clean_up(s));
                plan.intents.push(normal(s, "DeletedLoadBalancer", "Deleted load balancer"));
                self.cache.remove(key);
                self.hosts.remove(key);
            }
            (Phase::Ensuring, Err(e)) => fail(format!("failed to ensure load balancer: {e}")),
            (Phase::Ensuring, Ok(Answer::LoadBalancer(Some(status)))) => {
                plan.intents.push(normal(s, "EnsuredLoadBalancer", "Ensured load balancer"));
                plan.intents.extend(patch_status(s, &status));
            }
            (Phase::Ensuring, Ok(_)) => fail("service status returned by EnsureLoadBalancer is nil".into()),
            (Phase::Idle | Phase::DeletingGone(_) | Phase::Updating(_), _) => {}
        }
        plan
    }
    fn refused(&mut self, cx: &Cx, key: &Key, error: &ApiError) -> Vec<Remark> {
        let what = match std::mem::take(&mut self.phase) {
            Phase::Ensuring => "failed to add load balancer cleanup finalizer",
            _ => "failed to update load balancer status",
        };
        let Some(s) = cx.view.get::<Service>(key) else { return Vec::new() };
        let message = format!("Error syncing load balancer: {what}: {}", error.message());
        vec![Remark { regarding: object_reference(s), reason: "SyncLoadBalancerFailed", message, warning: true }]
    }
    fn fresh(&self) -> Box<dyn Controller> {
        Box::<ServiceController>::default()
    }
    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

fn wanted(key: &Key, s: &Service, hosts: Vec<InstanceRef>) -> Wanted {
    let spec = s.spec.clone().unwrap_or_default();
    let listener = |p: k8s_openapi::api::core::v1::ServicePort| Listener {
        protocol: p.protocol.unwrap_or_else(|| "TCP".into()),
        port: p.port,
        node_port: p.node_port.unwrap_or(0),
    };
    Wanted {
        name: lb_name(s),
        service: key.clone(),
        ports: spec.ports.unwrap_or_default().into_iter().map(listener).collect(),
        hosts,
        address: spec.load_balancer_ip.unwrap_or_default(),
        source_ranges: spec.load_balancer_source_ranges.unwrap_or_default(),
    }
}

impl ServiceController {
    /// Models `syncNodes` and `nodeSyncService`.
    fn sync_nodes(&mut self, cx: &Cx) -> Plan {
        let mut plan = Plan::default();
        let new = hosts(cx);
        let mut updates = Vec::new();
        for (key, s) in self.cache.iter().filter(|(_, s)| wants(s) && s.metadata.deletion_timestamp.is_none()) {
            if self.hosts.insert(key.clone(), new.clone()).is_some_and(|old| old == new) {
                continue;
            }
            plan.calls.push(Call::UpdateLoadBalancer { name: lb_name(s), hosts: new.clone() });
            updates.push((key.clone(), new.clone()));
        }
        self.phase = Phase::Updating(updates);
        plan
    }

    /// Models `lockedUpdateLoadBalancerHosts`.
    fn updated(&mut self, cx: &Cx, updates: Vec<(Key, Vec<InstanceRef>)>, answers: Vec<Reply>) -> Plan {
        let mut plan = Plan::default();
        for ((key, hosts), answer) in updates.into_iter().zip(answers) {
            let Some(s) = cx.view.get::<Service>(&key) else { continue };
            match answer {
                Ok(_) if hosts.is_empty() => plan.intents.push(no_hosts(s)),
                Ok(_) => {
                    plan.intents.push(normal(s, "UpdatedLoadBalancer", "Updated load balancer with new hosts"));
                }
                Err(e) if e.not_found => {}
                Err(e) => {
                    let message = format!(
                        "Error updating load balancer with new hosts {} [node names limited, total number of nodes: \
                         {}], error: {e}",
                        loggable(&hosts),
                        hosts.len()
                    );
                    plan.intents.push(Intent::event(s, EventType::Warning, "UpdateLoadBalancerFailed", message));
                    plan.enqueue.push(key);
                }
            }
        }
        plan
    }
}

/// Models `loggableNodeNames`.
fn loggable(hosts: &[InstanceRef]) -> String {
    let mut names: Vec<String> = hosts.iter().take(NODE_NAMES_MAX).map(|h| h.node.clone()).collect();
    names.sort();
    if hosts.len() > NODE_NAMES_MAX {
        names.push(format!("<{} more>", hosts.len() - NODE_NAMES_MAX));
    }
    format!("[{}]", names.join(" "))
}
