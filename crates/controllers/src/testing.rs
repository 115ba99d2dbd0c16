//! Tests of a controller: objects in, readable intents out.

use api::{Obj, ObjectExt};
use meta::{Key, Time};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Reply, View, Write};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// 2026-01-01T00:00:00Z plus `secs`.
pub fn at(secs: u64) -> Time {
    Time::from_secs(1_767_225_600 + secs)
}

pub fn rfc3339(secs: u64) -> String {
    at(secs).rfc3339()
}

/// A cluster as one controller sees it.
pub struct World<C> {
    pub view: View,
    pub controller: C,
    pub now: Time,
    revision: u64,
}

impl<C: Controller> Default for World<C> {
    fn default() -> Self {
        World { view: View::new(), controller: C::default(), now: at(0), revision: 0 }
    }
}

impl<C: Controller> World<C> {
    pub fn new(objects: impl IntoIterator<Item = Value>) -> Self {
        let mut w = Self::default();
        for o in objects {
            w.put(o);
        }
        w
    }

    /// Adds or replaces an object; the keys that the change queues.
    pub fn put(&mut self, value: Value) -> Vec<Key> {
        let kind = self
            .view
            .kinds()
            .by_api_version(value["apiVersion"].as_str().expect("apiVersion"), value["kind"].as_str().expect("kind"))
            .expect("a registered kind");
        let object: Obj = kind.from_value(value).expect("a valid object").into();
        self.change(object.kind(), object.key(), Some(object))
    }

    pub fn delete(&mut self, api_version: &str, kind: &str, key: &str) -> Vec<Key> {
        let kind = self.view.kinds().by_api_version(api_version, kind).expect("a registered kind");
        self.change(kind, key.into(), None)
    }

    fn change(&mut self, kind: api::KindRef, key: Key, new: Option<Obj>) -> Vec<Key> {
        self.revision += 1;
        let old = self.view.get_obj(kind, &key).cloned();
        self.view.apply(kind, &key, old.as_ref(), new.as_ref(), self.revision);
        let cx = Cx { now: self.now, view: &self.view, recording: true };
        let change = Change { kind, key, old, new, revision: self.revision, cause: 0 };
        let mut keys = Vec::new();
        for w in C::watches().iter().filter(|w| w.kind == kind) {
            (w.keys)(&cx, &change, &mut keys);
        }
        if let (Some(of), true) = (C::CUSTOM, kind.custom.is_some()) {
            of(&cx, &change, &mut keys);
        }
        keys
    }

    pub fn outcome(&mut self, key: &str) -> Outcome {
        let cx = Cx { now: self.now, view: &self.view, recording: true };
        self.controller.reconcile(&cx, &key.into())
    }

    /// One reconcile in short: what is done to which object, and the status that is written.
    pub fn acts(&mut self, key: &str) -> String {
        let out = self.outcome(key);
        let mut text = String::new();
        for i in &out.intents {
            let _ = match &i.write {
                Write::Create(o) => writeln!(text, "create {} {}", o.kind().plural, o.key()),
                Write::Update(o) => writeln!(text, "update {} {}", o.kind().plural, o.key()),
                Write::Delete { kind, key, .. } => writeln!(text, "delete {} {key}", kind.plural),
                _ => writeln!(text, "{}", line(i)),
            };
        }
        if let Some(d) = out.requeue_after {
            let _ = writeln!(text, "requeue after {d:?}");
        }
        text
    }

    /// Tells the controller how its intents went.
    pub fn settle(&mut self, key: &str, replies: &[Reply]) {
        let cx = Cx { now: self.now, view: &self.view, recording: true };
        self.controller.settled(&cx, &key.into(), replies);
    }

    /// One reconcile as text: notes, intents, delay.
    pub fn run(&mut self, key: &str) -> String {
        let out = self.outcome(key);
        let mut text = String::new();
        for n in &out.notes {
            let args: Vec<String> = n.args.iter().map(|(k, v)| format!("{k}={v}")).collect();
            let _ = writeln!(text, "# {} {}", n.code, args.join(" "));
        }
        for i in &out.intents {
            let _ = writeln!(text, "{}", line(i));
        }
        if let Some(d) = out.requeue_after {
            let _ = writeln!(text, "requeue after {d:?}");
        }
        text
    }
}

/// An intent in one line: of whole objects only what matters to a reader.
fn line(i: &Intent) -> String {
    match &i.write {
        Write::UpdateStatus(o) => {
            let v = o.to_value();
            let annotations = v["metadata"].get("annotations").map_or(String::new(), |a| format!(" {a}"));
            format!("update-status {} {}{annotations} {}", o.kind().plural, o.key(), v["status"])
        }
        Write::Update(o) => {
            let mut v = o.to_value();
            if let Some(m) = v.as_object_mut() {
                m.remove("status");
                m.remove("kind");
                m.remove("apiVersion");
            }
            format!("update {} {} {v}", o.kind().plural, o.key())
        }
        _ => format!("{i:?}"),
    }
}

/// Merges `over` into `base`, objects key by key.
pub fn merged(mut base: Value, over: Value) -> Value {
    merge(&mut base, over);
    base
}

fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(b), Value::Object(o)) => {
            for (k, v) in o {
                merge(b.entry(k).or_insert(Value::Null), v);
            }
        }
        (b, o) => *b = o,
    }
}

/// A pod in `default` with UID `uid-NAME`, controlled by `owner` (kind, name) with UID `uid-OWNER` if given.
pub fn pod(name: &str, owner: Option<(&str, &str)>, over: Value) -> Value {
    let mut base = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "default", "uid": format!("uid-{name}"), "labels": {"app": "web"},
            "creationTimestamp": rfc3339(0),
        },
        "spec": {"containers": [{"name": "c", "image": "nginx"}], "nodeName": "node-1"},
        "status": {"phase": "Running"},
    });
    if let Some((kind, owner)) = owner {
        base["metadata"]["ownerReferences"] = json!([controller_ref(kind, owner)]);
    }
    merged(base, over)
}

pub fn controller_ref(kind: &str, name: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": format!("uid-{name}"),
           "controller": true, "blockOwnerDeletion": true})
}

/// A pod status that has been ready since `secs`.
pub fn ready_since(secs: u64) -> Value {
    json!({"status": {"phase": "Running", "conditions": [
        {"type": "Ready", "status": "True", "lastTransitionTime": rfc3339(secs)}]}})
}

/// A ReplicaSet in `default` selecting `app: web`.
pub fn replicaset(name: &str, replicas: i32, over: Value) -> Value {
    merged(
        json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}"), "generation": 1},
            "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}},
                             "spec": {"containers": [{"name": "c", "image": "nginx"}]}},
            },
        }),
        over,
    )
}
