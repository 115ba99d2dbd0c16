//! For what a pod names and is not there: other names, or the thing itself.

use super::super::Case;
use super::super::references::Missing;
use super::{Idea, NEAR_MAX, apply, call, edit, path};
use crate::yaml::to_yaml;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret};
use kubelet::sim::catalogue;
use protocol::ObjectId;
use protocol::debug::Document;
use serde_json::{Value, json};
use trace::note;

/// Another name that is there, or the thing itself.
pub fn absent(case: &Case, missing: &Missing) -> Vec<Idea> {
    let mut all = Vec::new();
    let Missing { kind, name, there, keys } = missing;
    if !there {
        for other in near(&names_of(case, kind), name) {
            let note = note!("remedy.use-other", kind = kind, name = &other);
            all.extend(edit(case, note, reference_path(kind), &|spec| {
                rename(spec, kind, name, &other).then(|| (name.as_str().into(), other.as_str().into()))
            }));
        }
        let document = new_object(case, missing);
        let note = note!("remedy.create", kind = kind, name = name);
        all.push(Idea { note, edit: None, commands: vec![apply(&document)], documents: vec![document] });
        return all;
    }
    let field = if *kind == "ConfigMap" { "data" } else { "stringData" };
    let data: serde_json::Map<String, Value> = keys.iter().map(|k| (k.clone(), "example".into())).collect();
    let id = ObjectId {
        api_version: "v1".into(),
        kind: (*kind).into(),
        namespace: case.namespace().into(),
        name: name.clone(),
    };
    let list = keys.iter().cloned().collect::<Vec<_>>().join(", ");
    let body = json!({ field: data }).to_string();
    let note = note!("remedy.add-keys", kind = kind, name = name, keys = list);
    all.push(Idea::of(note, vec![call("PATCH", path(&id, true), "application/merge-patch+json", body)]));
    all
}

/// Where a pod names such a thing, as far as a path can say.
fn reference_path(kind: &str) -> &'static str {
    match kind {
        "ConfigMap" => "containers[].env, volumes[].configMap",
        "Secret" => "containers[].env, volumes[].secret",
        _ => "volumes[].persistentVolumeClaim.claimName",
    }
}

fn names_of(case: &Case, kind: &str) -> Vec<String> {
    let (view, ns) = (case.cluster.view(), case.namespace());
    let name = |m: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta| m.name.clone();
    match kind {
        "ConfigMap" => view.list_in::<ConfigMap>(ns).filter_map(|o| name(&o.metadata)).collect(),
        "Secret" => view.list_in::<Secret>(ns).filter_map(|o| name(&o.metadata)).collect(),
        _ => view.list_in::<PersistentVolumeClaim>(ns).filter_map(|o| name(&o.metadata)).collect(),
    }
}

/// Those that may be meant: nearest first.
fn near(names: &[String], wanted: &str) -> Vec<String> {
    let far = (wanted.len() / 3).clamp(1, 4);
    let mut near: Vec<(usize, &String)> = names.iter().map(|n| (catalogue::distance(n, wanted), n)).collect();
    near.retain(|(d, _)| (1..=far).contains(d));
    near.sort();
    near.into_iter().take(NEAR_MAX).map(|(_, n)| n.clone()).collect()
}

/// Wherever the spec names `old`, it names `new`; whether it does anywhere.
fn rename(v: &mut Value, kind: &str, old: &str, new: &str) -> bool {
    let (holders, fields): (&[&str], &[&str]) = match kind {
        "ConfigMap" => (&["configMapRef", "configMapKeyRef", "configMap"], &["name"]),
        "Secret" => (&["secretRef", "secretKeyRef", "secret"], &["name", "secretName"]),
        _ => (&["persistentVolumeClaim"], &["claimName"]),
    };
    match v {
        // All of them, not up to the first.
        Value::Array(items) => {
            items.iter_mut().filter_map(|item| rename(item, kind, old, new).then_some(())).count() > 0
        }
        Value::Object(map) => map.iter_mut().fold(false, |done, (key, value)| {
            let mut here = false;
            if holders.contains(&key.as_str()) {
                for field in fields {
                    if let Some(name) = value.get_mut(*field).filter(|n| *n == old) {
                        *name = new.into();
                        here = true;
                    }
                }
            }
            rename(value, kind, old, new) || here || done
        }),
        _ => false,
    }
}

fn new_object(case: &Case, missing: &Missing) -> Document {
    let Missing { kind, name, keys, .. } = missing;
    let data: serde_json::Map<String, Value> = keys.iter().map(|k| (k.clone(), "example".into())).collect();
    let meta = json!({"name": name, "namespace": case.namespace()});
    let v = match *kind {
        "ConfigMap" => json!({"apiVersion": "v1", "kind": kind, "metadata": meta, "data": data}),
        "Secret" => json!({"apiVersion": "v1", "kind": kind, "metadata": meta, "stringData": data}),
        _ => json!({"apiVersion": "v1", "kind": kind, "metadata": meta, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
    };
    let object = ObjectId {
        api_version: "v1".into(),
        kind: (*kind).into(),
        namespace: case.namespace().into(),
        name: name.clone(),
    };
    Document { object, yaml: to_yaml(&v), replace: false }
}
