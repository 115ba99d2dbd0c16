//! All controllers at work on one small cluster: an API server in a few lines, kubelets that obey at once, and a
//! scheduler that takes turns. Here it shows whether the controllers come to rest, and in the right place.

mod server;
mod tests;

use api::{Obj, ObjectExt};
use meta::{Key, Time};
use reconcile::{Change, Component, Cx, View, Write};
use serde_json::{Value, json};
use server::Server;
use std::sync::Arc;

/// More steps than this without time passing is a loop.
const MAX_STEPS: usize = 5_000;

pub struct Cluster {
    pub server: Server,
    components: Vec<Box<dyn Component>>,
    /// Nodes whose kubelets answer.
    pub kubelets: Vec<&'static str>,
    next_node: usize,
    /// Requests that changed something, except Events.
    pub writes: usize,
    pub events: Vec<String>,
}

impl Cluster {
    pub fn new(objects: impl IntoIterator<Item = Value>) -> Self {
        let mut c = Cluster {
            server: Server::default(),
            components: crate::all(
                Arc::new(pki::Authority::new(&[0; 32], Time::SIMULATION_START).expect("an authority")),
                pki::TokenKey::new(&[0; 32]),
            ),
            kubelets: vec!["node-1", "node-2", "node-3"],
            next_node: 0,
            writes: 0,
            events: Vec::new(),
        };
        for n in c.kubelets.clone() {
            c.create(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": n},
                            "status": {"conditions": [{"type": "Ready", "status": "True"}]}}));
        }
        for o in objects {
            c.create(o);
        }
        let Cluster { server, components, .. } = &mut c;
        let cx = Cx { now: server.now, view: &server.view, recording: true };
        components.iter_mut().for_each(|p| p.start(&cx));
        server.changes.clear();
        c
    }

    pub fn create(&mut self, value: Value) {
        let kind = api::by_api_version(value["apiVersion"].as_str().expect("v"), value["kind"].as_str().expect("k"))
            .expect("a kind");
        let object = kind.from_value(value).expect("valid");
        self.request(&Write::Create(object));
    }

    pub fn patch(&mut self, kind: (&str, &str), key: &str, subresource: &'static str, patch: Value) {
        let kind = api::by_api_version(kind.0, kind.1).expect("a kind");
        self.request(&Write::Patch { kind, key: key.into(), subresource, patch });
    }

    pub fn delete(&mut self, kind: (&str, &str), key: &str, propagation: reconcile::Propagation) {
        let kind = api::by_api_version(kind.0, kind.1).expect("a kind");
        let propagation = Some(propagation);
        self.request(&Write::Delete { kind, key: key.into(), uid: None, grace_seconds: None, propagation });
    }

    fn request(&mut self, w: &Write) {
        self.server.handle(w).expect("accepted");
        self.deliver();
    }

    pub fn view(&self) -> &View {
        &self.server.view
    }

    /// `(api version, kind)` to JSON, in key order.
    pub fn list(&self, api_version: &str, kind: &str) -> Vec<Value> {
        let kind = api::by_api_version(api_version, kind).expect("a kind");
        self.view().list_obj(kind).map(|o| o.to_value()).collect()
    }

    fn deliver(&mut self) {
        let Cluster { server, components, .. } = self;
        for change in std::mem::take(&mut server.changes) {
            let cx = Cx { now: server.now, view: &server.view, recording: true };
            components.iter_mut().for_each(|c| c.observe(&cx, &change));
        }
    }

    fn step(&mut self) -> bool {
        let now = self.server.now;
        let Some(i) = self.components.iter().position(|c| c.ready_at().is_some_and(|t| t <= now)) else { return false };
        let cx = Cx { now, view: &self.server.view, recording: true };
        let Some(step) = self.components[i].step(&cx) else { return true };
        let mut replies = Vec::new();
        for intent in &step.intents {
            if let Write::Event { reason, message, .. } = &intent.write {
                self.events.push(format!("{reason}: {message}"));
                replies.push(Ok(None));
                continue;
            }
            let before = self.server.revision;
            let answer = self.server.handle(&intent.write);
            self.writes += usize::from(self.server.revision != before);
            if let Some(Write::Event { reason, message, .. }) = intent.announce.as_ref().and_then(|a| a.event(&answer))
            {
                self.events.push(format!("{reason}: {message}"));
            }
            let reply = match answer {
                Err(e) if intent.tolerate.allows(&e) => Ok(None),
                other => other,
            };
            let refused = reply.is_err();
            replies.push(reply);
            if refused {
                break;
            }
        }
        self.deliver();
        let cx = Cx { now, view: &self.server.view, recording: true };
        self.components[i].settled(&cx, &replies, 0);
        true
    }

    /// Binds, starts and ends pods, and renews leases. Whether anything happened.
    fn kubelets_act(&mut self) -> bool {
        let pods: Vec<Obj> = self.view().list_obj(api::by_api_version("v1", "Pod").expect("Pod")).cloned().collect();
        let mut acted = false;
        for p in pods {
            let v = p.to_value();
            let node = v["spec"]["nodeName"].as_str().unwrap_or("").to_string();
            let alive = self.kubelets.contains(&node.as_str());
            if node.is_empty() {
                let node = self.kubelets[self.next_node % self.kubelets.len()];
                self.next_node += 1;
                self.patch(("v1", "Pod"), p.key().as_str(), "", json!({"spec": {"nodeName": node}}));
            } else if p.is_terminating() && alive {
                self.server.remove(&p);
                self.deliver();
            } else if v["status"]["phase"].is_null() && alive {
                let ip = format!("10.244.0.{}", self.server.revision % 250);
                let ready =
                    json!([{"type": "Ready", "status": "True", "lastTransitionTime": self.server.now.rfc3339()}]);
                let status = json!({"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": ready});
                self.patch(("v1", "Pod"), p.key().as_str(), "status", json!({"status": status}));
            } else {
                continue;
            }
            acted = true;
        }
        acted
    }

    fn renew_leases(&mut self) {
        for n in self.kubelets.clone() {
            let key = Key::new("kube-node-lease", n);
            let kind = api::by_api_version("coordination.k8s.io/v1", "Lease").expect("Lease");
            let renew = json!({"renewTime": self.server.now.rfc3339().replace('Z', ".000000Z")});
            if self.view().get_obj(kind, &key).is_some() {
                self.request(&Write::Patch { kind, key, subresource: "", patch: json!({"spec": renew}) });
            } else {
                self.create(json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": renew,
                                   "metadata": {"name": n, "namespace": "kube-node-lease"}}));
            }
        }
    }

    /// Lets `secs` seconds go by.
    pub fn run(&mut self, secs: u64) {
        let end = Time(self.server.now.0 + secs * 1_000_000);
        loop {
            let mut steps = 0;
            while self.step() || self.kubelets_act() {
                steps += 1;
                assert!(steps < MAX_STEPS, "the controllers do not come to rest");
            }
            let next = self.components.iter().filter_map(|c| c.ready_at()).min();
            let Some(next) = next.filter(|t| *t <= end) else { break };
            if next.0 / 10_000_000 != self.server.now.0 / 10_000_000 {
                self.server.now = next;
                self.renew_leases();
            }
            self.server.now = next;
        }
        self.server.now = end;
    }
}

/// For the server: what changed, to be delivered.
fn change(old: Option<Obj>, new: Option<Obj>, revision: u64) -> Option<Change> {
    let o = new.as_ref().or(old.as_ref())?;
    Some(Change { kind: o.kind(), key: o.key(), old: old.clone(), new: new.clone(), revision, cause: 0 })
}
