//! Just enough of an API server for tests: no validation, no admission, no defaults.

use super::change;
use crate::testing::at;
use api::{KindRef, Obj, Object, ObjectExt};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::StatusCause;
use meta::{ApiError, Key, Time};
use reconcile::{Change, Propagation, Reply, View, Write};
use serde_json::{Value, json};

pub struct Server {
    pub view: View,
    pub now: Time,
    pub revision: u64,
    pub changes: Vec<Change>,
}

impl Default for Server {
    fn default() -> Self {
        Server { view: View::new(), now: at(0), revision: 0, changes: Vec::new() }
    }
}

fn merge(base: &mut Value, patch: &Value) {
    match (base, patch) {
        (Value::Object(b), Value::Object(p)) => {
            for (k, v) in p {
                if v.is_null() {
                    b.remove(k);
                } else {
                    merge(b.entry(k.clone()).or_insert(Value::Null), v);
                }
            }
        }
        (b, Value::Object(p)) => {
            *b = json!({});
            merge(b, &Value::Object(p.clone()));
        }
        (b, p) => *b = p.clone(),
    }
}

impl Server {
    fn get(&self, kind: KindRef, key: &Key) -> Result<Obj, ApiError> {
        let found = self.view.get_obj(kind, key).cloned();
        found.ok_or_else(|| ApiError::not_found(kind.group, kind.plural, key.name()))
    }

    fn put(&mut self, kind: KindRef, key: Key, mut value: Value) -> Reply {
        let old = self.view.get_obj(kind, &key).cloned();
        if let Some(o) = &old {
            let was = o.to_value();
            if was == value {
                return Ok(Some(o.clone()));
            }
            if was["spec"] != value["spec"] && kind.kind != "Pod" {
                value["metadata"]["generation"] = json!(was["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
            }
        }
        self.revision += 1;
        value["metadata"]["resourceVersion"] = self.revision.to_string().into();
        let terminating = !value["metadata"]["deletionTimestamp"].is_null();
        let held = value["metadata"]["finalizers"].as_array().is_some_and(|f| !f.is_empty())
            || value["spec"]["finalizers"].as_array().is_some_and(|f| !f.is_empty());
        // A pod's end is its kubelet's business.
        let new: Option<Obj> = if terminating && !held && kind.kind != "Pod" {
            None
        } else {
            Some(kind.from_value(value).expect("valid").into())
        };
        self.view.apply(kind, &key, old.as_ref(), new.as_ref(), self.revision);
        self.changes.extend(change(old, new.clone(), self.revision));
        Ok(new)
    }

    pub fn remove(&mut self, o: &Obj) {
        self.revision += 1;
        self.view.apply(o.kind(), &o.key(), Some(o), None, self.revision);
        self.changes.extend(change(Some(o.clone()), None, self.revision));
    }

    /// The stored object, if the writer's precondition holds.
    fn current(&self, o: &dyn Object) -> Result<Obj, ApiError> {
        let (kind, stored) = (o.kind(), self.get(o.kind(), &o.key())?);
        let rv = &o.meta().resource_version;
        if rv.is_some() && *rv != stored.meta().resource_version {
            return Err(ApiError::modified(kind.group, kind.plural, o.name()));
        }
        Ok(stored)
    }

    /// A namespace on its way out takes nothing new. Models the NamespaceLifecycle admission plugin.
    fn admit(&self, o: &dyn Object, name: &str) -> Result<(), ApiError> {
        let namespace = self.view.get::<Namespace>(&Key::new("", o.namespace()));
        if namespace.is_none_or(|n| n.metadata.deletion_timestamp.is_none()) {
            return Ok(());
        }
        let why = "because it is being terminated";
        let mut e = ApiError::forbidden(o.kind().group, o.kind().plural, name, why);
        let cause = StatusCause { reason: Some("NamespaceTerminating".into()), ..Default::default() };
        e.0.details.get_or_insert_default().causes = Some(vec![cause]);
        Err(e)
    }

    pub fn handle(&mut self, w: &Write) -> Reply {
        match w {
            Write::Create(o) => {
                let mut v = o.to_value();
                if let Some(prefix) = v["metadata"]["generateName"].as_str() {
                    v["metadata"]["name"] = format!("{prefix}{:05}", self.revision).into();
                }
                let key = Key::new(o.namespace(), v["metadata"]["name"].as_str().expect("a name"));
                if self.view.get_obj(o.kind(), &key).is_some() {
                    return Err(ApiError::already_exists(o.kind().group, o.kind().plural, key.name()));
                }
                self.admit(o.as_ref(), key.name())?;
                v["metadata"]["uid"] = format!("uid-{}-{}", o.kind().plural, self.revision).into();
                v["metadata"]["creationTimestamp"] = self.now.rfc3339().into();
                v["metadata"]["generation"] = 1.into();
                self.put(o.kind(), key, v)
            }
            Write::Update(o) => {
                let stored = self.current(o.as_ref())?.to_value();
                let mut v = o.to_value();
                v["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"].clone();
                if let (Some(v), Some(status)) = (v.as_object_mut(), stored.get("status")) {
                    v.insert("status".into(), status.clone());
                }
                self.put(o.kind(), o.key(), v)
            }
            Write::UpdateStatus(o) => {
                let mut v = self.current(o.as_ref())?.to_value();
                let new = o.to_value();
                v["status"] = new["status"].clone();
                if let Some(a) = new["metadata"].get("annotations") {
                    v["metadata"]["annotations"] = a.clone();
                }
                self.put(o.kind(), o.key(), v)
            }
            Write::Finalize(o) => {
                let mut v = self.current(o.as_ref())?.to_value();
                v["spec"]["finalizers"] = o.to_value()["spec"]["finalizers"].clone();
                self.put(o.kind(), o.key(), v)
            }
            Write::PatchStatus(o) => {
                let mut v = self.current(o.as_ref())?.to_value();
                merge(&mut v["status"], &o.to_value()["status"]);
                self.put(o.kind(), o.key(), v)
            }
            Write::Scale { kind, key, replicas } => {
                let mut v = self.get(kind, key)?.to_value();
                v["spec"]["replicas"] = (*replicas).into();
                self.put(kind, key.clone(), v)
            }
            Write::Patch { kind, key, patch, .. } => {
                let mut v = self.get(kind, key)?.to_value();
                let rv = &patch["metadata"]["resourceVersion"];
                if !rv.is_null() && *rv != v["metadata"]["resourceVersion"] {
                    return Err(ApiError::modified(kind.group, kind.plural, key.name()));
                }
                merge(&mut v, patch);
                self.put(kind, key.clone(), v)
            }
            Write::Delete { kind, key, uid, grace_seconds, propagation } => {
                let o = self.get(kind, key)?;
                if uid.as_deref().is_some_and(|u| u != o.uid()) {
                    return Err(ApiError::conflict(kind.group, kind.plural, key.name(), "uid"));
                }
                if *grace_seconds == Some(0) {
                    self.remove(&o);
                    return Ok(Some(o));
                }
                let mut v = o.to_value();
                v["metadata"]["deletionTimestamp"] = self.now.rfc3339().into();
                let add = match propagation {
                    Some(Propagation::Foreground) => Some("foregroundDeletion"),
                    Some(Propagation::Orphan) => Some("orphan"),
                    _ => None,
                };
                if let Some(f) = add {
                    let mut list = v["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
                    list.push(f.into());
                    v["metadata"]["finalizers"] = list.into();
                }
                self.put(kind, key.clone(), v)
            }
            Write::Bind { .. } | Write::Event { .. } => Ok(None),
        }
    }
}
