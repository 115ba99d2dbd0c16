//! kube-proxy as a component. Models `pkg/proxy/iptables/proxier.go` `syncProxyRules`, without the kernel.

use crate::table::{Endpoint, Rule, Table, rules};
use api::{ObjectExt, Registered};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use meta::{Key, Rng, Time, User};
use reconcile::{Change, Component, Cx, Gauge, Interest, Reply, Step, WorkQueue};
use std::any::Any;
use std::collections::BTreeMap;
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
    table: Table,
    /// Which endpoint a client with `ClientIP` affinity goes to: (Service, port, client) to (endpoint, until).
    sticky: BTreeMap<(Key, u16, String), (Endpoint, Time)>,
    rng: Rng,
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
            table: Table::default(),
            sticky: BTreeMap::new(),
            rng: Rng::new(seed),
        }
    }

    /// The listing the page shows.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Where a connection to a cluster IP (or a Service as `namespace/name`) and port may end.
    pub fn resolve(&self, ip_or_service: &str, port: u16) -> Vec<Endpoint> {
        let rule = self.table.find(ip_or_service, port);
        rule.map(|r| r.usable(None).into_iter().cloned().collect()).unwrap_or_default()
    }

    /// The same for a node port. A Local external policy leaves only the endpoints of that node.
    pub fn resolve_node_port(&self, node: &str, port: u16) -> Vec<Endpoint> {
        let Some(rule) = self.table.find_node_port(port) else { return Vec::new() };
        let all = rule.usable(None).into_iter();
        all.filter(|e| !rule.external_local || e.node == node).cloned().collect()
    }

    /// The one endpoint that a new connection gets, session affinity respected. `client`: its address, and its node
    /// where that is known.
    pub fn pick(
        &mut self,
        now: Time,
        client: (&str, Option<&str>),
        ip_or_service: &str,
        port: u16,
    ) -> Option<Endpoint> {
        let rule = self.table.find(ip_or_service, port)?.clone();
        self.pick_of(now, client, rule)
    }

    /// The same for a connection to a node port that comes from outside.
    pub fn pick_for_node_port(&mut self, now: Time, address: &str, port: u16) -> Option<Endpoint> {
        let rule = Rule { internal_local: false, ..self.table.find_node_port(port)?.clone() };
        self.pick_of(now, (address, None), rule)
    }

    fn pick_of(&mut self, now: Time, client: (&str, Option<&str>), rule: Rule) -> Option<Endpoint> {
        let (address, node) = client;
        let port = rule.port;
        let usable = rule.usable(node);
        let sticky = (rule.service.clone(), port, address.to_string());
        if let Some((e, until)) = self.sticky.get(&sticky)
            && rule.affinity_seconds.is_some()
            && *until > now
            && usable.contains(&e)
        {
            return Some(e.clone());
        }
        let n = self.rng.below(u32::try_from(usable.len()).ok()?);
        let chosen = (*usable.get(n as usize)?).clone();
        if let Some(s) = rule.affinity_seconds {
            let until = now + meta::Duration::from_secs(u64::try_from(s).unwrap_or(0));
            self.sticky.insert(sticky, (chosen.clone(), until));
        }
        Some(chosen)
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
        let mut stale: Vec<Key> = self.table.rules().map(|r| r.service.clone()).collect();
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
            if self.table.of(&key) == new {
                continue;
            }
            let usable = new.first().map_or(0, |r| r.usable(None).len());
            let n = if new.is_empty() {
                note!("proxy.removed", service = &key)
            } else {
                note!("proxy.rules", service = &key, ports = &new.len(), endpoints = &usable)
            };
            self.table.set(&key, new);
            self.sticky.retain(|(s, _, _), _| *s != key);
            return Some(Step { item: key.as_str().into(), cause, notes: vec![n], ..Default::default() });
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

    fn put(p: &mut KubeProxy, view: &mut View, o: Obj) {
        let (kind, key) = (o.kind(), o.key());
        view.apply(kind, &key, None, Some(&o), 1);
        let change = Change { kind, key, old: None, new: Some(o), revision: 1, cause: 0 };
        p.observe(&Cx { now: Time(0), view, recording: false }, &change);
        while p.step(&Cx { now: Time(0), view, recording: false }).is_some() {}
    }

    fn slice(endpoints: serde_json::Value) -> Obj {
        let s: EndpointSlice = serde_json::from_value(serde_json::json!({
            "metadata": { "name": "web-1", "namespace": "default", "labels": { SERVICE_NAME: "web" } },
            "addressType": "IPv4", "ports": [{ "name": "", "port": 8080, "protocol": "TCP" }], "endpoints": endpoints,
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

    fn ips(list: &[Endpoint]) -> Vec<&str> {
        list.iter().map(|e| e.ip.as_str()).collect()
    }

    #[test]
    fn ready_endpoints_get_traffic_and_terminating_ones_only_when_there_is_no_other() {
        let (mut p, mut view) = (KubeProxy::default(), View::new());
        put(&mut p, &mut view, service(serde_json::json!({})));
        put(
            &mut p,
            &mut view,
            slice(serde_json::json!([
                { "addresses": ["10.244.1.2"], "conditions": { "ready": true }, "nodeName": "a" },
                { "addresses": ["10.244.2.2"], "conditions": { "ready": false, "serving": true, "terminating": true } },
                { "addresses": ["10.244.2.3"], "conditions": { "ready": false } },
            ])),
        );
        assert_eq!(ips(&p.resolve("10.96.0.7", 80)), ["10.244.1.2"]);
        assert_eq!(ips(&p.resolve("default/web", 80)), ["10.244.1.2"]);
        assert_eq!(ips(&p.resolve_node_port("b", 30080)), ["10.244.1.2"]);
        assert!(p.resolve("10.96.0.7", 81).is_empty());
        put(
            &mut p,
            &mut view,
            slice(serde_json::json!([
                { "addresses": ["10.244.2.2"], "conditions": { "ready": false, "serving": true, "terminating": true } },
            ])),
        );
        assert_eq!(ips(&p.resolve("10.96.0.7", 80)), ["10.244.2.2"]);
    }

    #[test]
    fn policies_and_affinity_bind_clients() {
        let (mut p, mut view) = (KubeProxy::default(), View::new());
        let extra = serde_json::json!({ "internalTrafficPolicy": "Local", "externalTrafficPolicy": "Local", "sessionAffinity": "ClientIP" });
        put(&mut p, &mut view, service(extra));
        put(
            &mut p,
            &mut view,
            slice(serde_json::json!([
                { "addresses": ["10.244.1.2"], "nodeName": "a" }, { "addresses": ["10.244.1.3"], "nodeName": "a" },
                { "addresses": ["10.244.2.2"], "nodeName": "b" },
            ])),
        );
        assert_eq!(ips(&p.resolve_node_port("b", 30080)), ["10.244.2.2"]);
        let first = p.pick(Time(0), ("10.244.1.9", Some("a")), "10.96.0.7", 80).unwrap();
        assert_eq!(first.node, "a");
        for _ in 0..10 {
            assert_eq!(p.pick(Time(5), ("10.244.1.9", Some("a")), "10.96.0.7", 80).as_ref(), Some(&first));
        }
        assert_eq!(p.pick(Time(0), ("x", Some("c")), "10.96.0.7", 80), None);
    }
}
