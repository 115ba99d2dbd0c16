//! A kubelet with the smallest API server that answers it, and virtual time.

mod changed;
mod features;
mod finding;
mod interfaces;
mod languages;
mod lifecycle;
mod nodes;
mod owners;
mod pressure;
mod probing;
mod redis;
mod scripts;
mod servers;
mod sessions;
mod showing;
mod statics;
mod text;
mod times;
mod tools;
mod usage;

use crate::{Capacity, Kubelet, NodeConfig, SimRuntime};
use api::{KindRef, Obj, ObjectExt, Registered};
use k8s_openapi::api::core::v1::{Node, Pod};
use meta::{Key, Time};
use reconcile::{Change, Component, Cx, Reply, View, Write};
use std::sync::Arc;

pub struct World {
    pub view: View,
    pub kubelet: Kubelet,
    pub now: Time,
    pub log: Vec<String>,
    revision: u64,
}

pub const START: Time = Time::SIMULATION_START;

fn merge(target: &mut serde_json::Value, patch: &serde_json::Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = serde_json::json!({});
    }
    let Some(target) = target.as_object_mut() else { return };
    for (k, v) in patch {
        if v.is_null() {
            target.remove(k);
        } else {
            merge(target.entry(k.clone()).or_insert(serde_json::Value::Null), v);
        }
    }
}

impl World {
    /// One node, `node-1`, ready and with a pod range.
    pub fn new() -> Self {
        let config = NodeConfig { capacity: Capacity::default(), ..NodeConfig::default() };
        let kubelet = Kubelet::new(config, Box::new(SimRuntime::new(7, 1)));
        let mut w = World { view: View::new(), kubelet, now: START, log: Vec::new(), revision: 0 };
        w.kubelet.start(&Cx { now: w.now, view: &w.view, recording: true });
        w.run(2);
        let mut node = w.view.get::<Node>(&Key::new("", "node-1")).unwrap().clone();
        node.spec.get_or_insert_default().pod_cidr = Some("10.244.1.0/24".into());
        w.put(Arc::new(node));
        w
    }

    fn say(&mut self, line: String) {
        let ms = self.now.since(START).as_millis();
        self.log.push(format!("{}.{}s {line}", ms / 1000, ms % 1000 / 100));
    }

    pub fn put(&mut self, new: Obj) {
        let (kind, key) = (new.kind(), new.key());
        self.change(kind, key, Some(new));
    }

    fn change(&mut self, kind: KindRef, key: Key, new: Option<Obj>) {
        self.revision += 1;
        let old = self.view.get_obj(kind, &key).cloned();
        let new = new.map(|n| {
            let mut o = n.clone_object();
            o.meta_mut().resource_version = Some(self.revision.to_string());
            if o.meta().uid.is_none() {
                o.meta_mut().uid = Some(format!("uid-{}", key.name()));
            }
            Arc::from(o)
        });
        self.view.apply(kind, &key, old.as_ref(), new.as_ref(), self.revision);
        let change = Change { kind, key, old, new, revision: self.revision, cause: 1 };
        let interesting = kind == Node::KIND_REF
            || change
                .object()
                .and_then(|o| o.downcast::<Pod>())
                .is_some_and(|p| p.spec.as_ref().is_some_and(|s| s.node_name.as_deref() == Some("node-1")));
        if interesting {
            self.kubelet.observe(&Cx { now: self.now, view: &self.view, recording: true }, &change);
        }
    }

    /// A pod from JSON, bound to the node.
    pub fn pod(&mut self, name: &str, spec: serde_json::Value) {
        let mut pod = serde_json::json!({
            "metadata": { "name": name, "namespace": "default", "uid": format!("uid-{name}"), "generation": 1 },
            "spec": spec,
        });
        pod["spec"]["nodeName"] = "node-1".into();
        let pod: Pod = serde_json::from_value(pod).unwrap();
        self.put(Arc::new(pod));
    }

    pub fn get(&self, name: &str) -> Option<&Pod> {
        self.view.get::<Pod>(&Key::new("default", name))
    }

    /// Without the kubelet's doing.
    pub fn change_pod(&mut self, name: &str, new: Option<Obj>) {
        self.change(Pod::KIND_REF, Key::new("default", name), new);
    }

    /// As `kubectl delete` does: the grace period starts.
    pub fn delete(&mut self, name: &str, grace: i64) {
        let mut pod = self.get(name).unwrap().clone();
        pod.metadata.deletion_timestamp = Some(self.now.to_k8s());
        pod.metadata.deletion_grace_period_seconds = Some(grace);
        self.put(Arc::new(pod));
    }

    /// Runs for so many seconds.
    pub fn run(&mut self, seconds: u64) {
        let end = self.now + meta::Duration::from_secs(seconds);
        let mut steps = 0;
        while let Some(at) = self.kubelet.ready_at().filter(|t| *t <= end) {
            self.now = self.now.max(at);
            steps += 1;
            assert!(steps < 20_000, "the kubelet does not come to rest");
            let cx = Cx { now: self.now, view: &self.view, recording: true };
            let Some(step) = self.kubelet.step(&cx) else { continue };
            let mut replies: Vec<Reply> = Vec::new();
            for i in step.intents {
                replies.push(Ok(self.carry_out(i.write)));
            }
            let cx = Cx { now: self.now, view: &self.view, recording: true };
            self.kubelet.settled(&cx, &replies, 1);
        }
        self.now = end;
    }

    fn carry_out(&mut self, write: Write) -> Option<Obj> {
        match write {
            Write::Create(o) | Write::Update(o) | Write::UpdateStatus(o) => {
                let (kind, key) = (o.kind(), o.key());
                self.put(Arc::from(o));
                self.view.get_obj(kind, &key).cloned()
            }
            Write::PatchStatus(o) => {
                let (kind, key) = (o.kind(), o.key());
                let mut patch = serde_json::json!({ "status": o.to_value()["status"] });
                // Fields of the status are said whole: what is not in them any more goes.
                let old = self.view.get_obj(kind, &key).map(|o| o.to_value()["status"].clone()).unwrap_or_default();
                for (field, new) in patch["status"].as_object_mut().into_iter().flatten() {
                    if let (Some(new), Some(old)) = (new.as_object_mut(), old[&**field].as_object()) {
                        old.keys().for_each(|k| _ = new.entry(k.as_str()).or_insert(serde_json::Value::Null));
                    }
                }
                self.carry_out(Write::Patch { kind, key, subresource: "status", patch })
            }
            Write::Patch { kind, key, patch, .. } => {
                let mut value = self.view.get_obj(kind, &key)?.to_value();
                merge(&mut value, &patch);
                let new: Obj = Arc::from(kind.from_value(value).unwrap());
                if let Some(p) = new.downcast::<Pod>() {
                    let text = format!("status {}: {}", key.name(), summary(p));
                    self.say(text);
                }
                self.put(new);
                self.view.get_obj(kind, &key).cloned()
            }
            Write::Delete { kind, key, grace_seconds, .. } => {
                self.say(format!("delete {} {} grace={grace_seconds:?}", kind.plural, key.name()));
                self.change(kind, key, None);
                None
            }
            Write::Event { regarding, event_type, reason, message } => {
                let name = regarding.name.unwrap_or_default();
                self.say(format!("{event_type:?} {reason} {name}: {message}"));
                None
            }
            Write::Bind { .. } | Write::Scale { .. } | Write::Finalize(_) => None,
        }
    }

    pub fn take_log(&mut self) -> String {
        let mut text = std::mem::take(&mut self.log).join("\n");
        text.push('\n');
        text
    }

    pub fn logs(&self, pod: &str, container: &str) -> String {
        let out = self.kubelet.runtime().logs(&format!("uid-{pod}"), container, &crate::LogOptions::default());
        String::from_utf8_lossy(&out.unwrap_or_else(|e| e.into_bytes())).into_owned()
    }
}

/// Phase, ready condition, and each container's state.
pub fn summary(p: &Pod) -> String {
    let Some(s) = &p.status else { return "none".into() };
    let mut out = s.phase.clone().unwrap_or_default();
    if let Some(r) = &s.reason {
        out.push_str(&format!(" reason={r}"));
    }
    let ready = s.conditions.iter().flatten().find(|c| c.type_ == "Ready");
    if let Some(r) = ready {
        out.push_str(&format!(" Ready={}", r.status));
    }
    for c in s.init_container_statuses.iter().chain(&s.container_statuses).flatten() {
        let st = c.state.clone().unwrap_or_default();
        let text = if let Some(w) = st.waiting {
            w.reason.unwrap_or_default()
        } else if let Some(t) = st.terminated {
            format!("{}({})", t.reason.unwrap_or_default(), t.exit_code)
        } else {
            "running".into()
        };
        out.push_str(&format!(" {}:{text}", c.name));
        if c.restart_count > 0 {
            out.push_str(&format!(" x{}", c.restart_count));
        }
    }
    out
}
