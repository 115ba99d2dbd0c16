//! kube-proxy as a component. Models `pkg/proxy/iptables/proxier.go` `syncProxyRules`, without the kernel.

use crate::balance::Balancer;
use crate::table::rules;
use api::{ObjectExt, Registered};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use meta::{Key, Time, User};
use reconcile::services::{Rule, Spot};
use reconcile::{Change, Component, Cx, Gauge, Interest, Reply, Step, WorkQueue};
use std::any::Any;
use std::sync::Arc;
use trace::{Seq, note};

/// The process's name, and its only component's.
pub const PROCESS: &str = "kube-proxy";
const SERVICE_NAME: &str = "kubernetes.io/service-name";

#[derive(Clone)]
pub struct KubeProxy {
    name: Arc<str>,
    user: User,
    queue: WorkQueue<Key>,
    /// Rules that were made and are not in the kernels yet.
    made: Vec<(Key, Vec<Rule>)>,
    /// For what comes from outside, and from wasm guests.
    pub balancer: Balancer,
}

impl Default for KubeProxy {
    fn default() -> Self {
        Self::new(1)
    }
}

impl KubeProxy {
    /// `seed`: of the endpoint choice, which upstream leaves to the kernel's random numbers.
    pub fn new(seed: u64) -> Self {
        KubeProxy {
            name: PROCESS.into(),
            user: User::component("kube-proxy"),
            queue: WorkQueue::default(),
            made: Vec::new(),
            balancer: Balancer::new(seed),
        }
    }

    /// The rules that the last turn made, for whoever carries them into the kernels.
    pub fn take_made(&mut self) -> Vec<(Key, Vec<Rule>)> {
        std::mem::take(&mut self.made)
    }
}

/// The Service a change is about.
fn service_of(change: &Change) -> Option<Key> {
    let obj = change.object()?;
    if change.kind == Service::KIND_REF {
        return Some(change.key.clone());
    }
    let name = obj.meta().labels.as_ref()?.get(SERVICE_NAME)?;
    Some(Key::new(obj.namespace(), name))
}

impl Component for KubeProxy {
    fn name(&self) -> &Arc<str> {
        &self.name
    }
    fn process(&self) -> &str {
        PROCESS
    }
    fn user(&self) -> &User {
        &self.user
    }
    fn event_source(&self) -> (String, String) {
        ("kube-proxy".into(), String::new())
    }
    fn interests(&self) -> Vec<Interest> {
        vec![Interest::Kind(Service::KIND_REF), Interest::Kind(EndpointSlice::KIND_REF)]
    }
    fn start(&mut self, cx: &Cx) {
        // The kernel's rules outlive the process; they are recomputed and replaced.
        self.queue.clear();
        let mut stale: Vec<Key> = cx.view.services.rules().map(|r| r.service.clone()).collect();
        stale.extend(cx.view.list_obj(Service::KIND_REF).map(|o| o.key()));
        for key in stale {
            self.queue.add(key, 0);
        }
    }
    fn observe(&mut self, _cx: &Cx, change: &Change) {
        if let Some(key) = service_of(change) {
            self.queue.add(key, change.cause);
        }
    }
    fn ready_at(&self) -> Option<Time> {
        self.queue.ready_at()
    }
    fn step(&mut self, cx: &Cx) -> Option<Step> {
        while let Some((key, cause)) = self.queue.pop(cx.now) {
            let new = match cx.view.get::<Service>(&key) {
                Some(s) => {
                    let slices = cx.view.list_in::<EndpointSlice>(key.namespace()).filter(|e| {
                        e.metadata.labels.as_ref().and_then(|l| l.get(SERVICE_NAME)).is_some_and(|n| n == key.name())
                    });
                    rules(&key, s, slices)
                }
                None => Vec::new(),
            };
            if cx.view.services.of(&key) == new {
                continue;
            }
            let usable = new.first().map_or(0, |r| r.usable(Spot::default()).0.len());
            let n = if new.is_empty() {
                note!("proxy.removed", service = &key)
            } else {
                note!("proxy.rules", service = &key, ports = &new.len(), endpoints = &usable)
            };
            let item = key.as_str().into();
            self.made.push((key, new));
            return Some(Step { item, cause, notes: vec![n], ..Default::default() });
        }
        None
    }
    fn settled(&mut self, _cx: &Cx, _replies: &[Reply], _seq: Seq) {}
    fn gauge(&self, _now: Time) -> Gauge {
        Gauge { queued: self.queue.len(), delayed: self.queue.delayed_len() }
    }
    fn clone_box(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::Obj;
    use reconcile::View;

    /// The object is there, and kube-proxy has seen to it; whether there was anything to do.
    fn put(p: &mut KubeProxy, view: &mut View, o: Obj) -> bool {
        let (kind, key) = (o.kind(), o.key());
        let old = view.get_obj(kind, &key).cloned();
        view.apply(kind, &key, old.as_ref(), Some(&o), 1);
        let change = Change { kind, key, old, new: Some(o), revision: 1, cause: 0 };
        p.observe(&Cx { now: Time(0), view, recording: false }, &change);
        let mut worked = false;
        while p.step(&Cx { now: Time(0), view, recording: false }).is_some() {
            worked = true;
            p.take_made().into_iter().for_each(|(key, rules)| view.services.set(&key, rules));
        }
        worked
    }

    fn slice(ready: bool) -> Obj {
        let s: EndpointSlice = serde_json::from_value(serde_json::json!({
            "metadata": { "name": "web-1", "namespace": "default", "labels": { SERVICE_NAME: "web" } },
            "addressType": "IPv4", "ports": [{ "name": "", "port": 8080, "protocol": "TCP" }],
            "endpoints": [{ "addresses": ["10.244.1.2"], "conditions": { "ready": ready }, "nodeName": "a",
                            "hints": { "forZones": [{ "name": "x" }] } }],
        }))
        .unwrap();
        Arc::new(s)
    }

    fn service(extra: serde_json::Value) -> Obj {
        let mut v = serde_json::json!({
            "metadata": { "name": "web", "namespace": "default" },
            "spec": { "clusterIP": "10.96.0.7", "ports": [{ "port": 80, "targetPort": 8080, "nodePort": 30080 }] },
        });
        for (k, x) in extra.as_object().into_iter().flatten() {
            v["spec"][k] = x.clone();
        }
        Arc::new(serde_json::from_value::<Service>(v).unwrap())
    }

    #[test]
    fn services_and_slices_become_rules() {
        let (mut p, mut view) = (KubeProxy::default(), View::new());
        let policies = serde_json::json!({ "internalTrafficPolicy": "Local", "sessionAffinity": "ClientIP" });
        assert!(put(&mut p, &mut view, service(policies.clone())));
        let rule = view.services.find("10.96.0.7", 80).unwrap();
        assert!(rule.endpoints.is_empty() && rule.internal_local && !rule.external_local);
        assert_eq!((rule.node_port, rule.affinity_seconds), (30080, Some(10_800)));
        assert!(put(&mut p, &mut view, slice(true)));
        let endpoint = &view.services.find_node_port(30080).unwrap().endpoints[0];
        assert_eq!((endpoint.ip.as_str(), endpoint.port, endpoint.node.as_str()), ("10.244.1.2", 8080, "a"));
        assert!(endpoint.ready && endpoint.zones == ["x"]);
        assert!(!put(&mut p, &mut view, slice(true)), "nothing is new");
        put(&mut p, &mut view, slice(false));
        assert!(!view.services.find("10.96.0.7", 80).unwrap().endpoints[0].ready);
        let external = serde_json::json!({ "type": "ExternalName", "externalName": "x.example.com" });
        put(&mut p, &mut view, service(external));
        assert!(view.services.with_ip("10.96.0.7").is_none());
    }
}
