//! The three-way merge of client-side apply: what the user wrote last time, what they write now, what is live.
//! Models `k8s.io/kubectl/pkg/cmd/apply/patcher.go`.

use api::KindRef;
use serde_json::{Map, Value};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Writes the object itself, as compact JSON without this annotation, into its annotation.
pub fn annotate(o: &mut Value) {
    if let Some(a) = o.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        a.remove(LAST_APPLIED);
    }
    let text = format!("{o}\n");
    if let Some(m) = o.get_mut("metadata").and_then(Value::as_object_mut) {
        let a = m.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
        if let Some(a) = a.as_object_mut() {
            a.insert(LAST_APPLIED.into(), text.into());
        }
    }
}

/// The strategic merge patch that brings `live` to `wanted`, deleting what was applied last time and is not wanted any
/// more. What others set stays.
pub fn patch(kind: KindRef, live: &Value, wanted: &Value) -> Value {
    let last = live.pointer(&format!("/metadata/annotations/{}", LAST_APPLIED.replace('/', "~1")));
    let last: Value = last.and_then(Value::as_str).and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
    let mut patch = wanted.clone();
    delete_missing(&mut patch, &last, &mut Vec::new(), kind);
    patch
}

/// Adds `null` for map keys, and `$patch: delete` for items of merged lists, that `last` has and `patch` has not.
fn delete_missing(patch: &mut Value, last: &Value, path: &mut Vec<String>, kind: KindRef) {
    match (patch, last) {
        (Value::Object(p), Value::Object(l)) => {
            for (k, v) in l {
                match p.get_mut(k) {
                    Some(inner) => {
                        path.push(k.clone());
                        delete_missing(inner, v, path, kind);
                        path.pop();
                    }
                    // The annotation is not part of what the user wrote.
                    None if k != LAST_APPLIED => {
                        p.insert(k.clone(), Value::Null);
                    }
                    None => {}
                }
            }
        }
        (Value::Array(p), Value::Array(l)) => {
            let Some(key) = meta::strategic::merge_key(kind.kind, path) else { return };
            for item in l {
                let Some(id) = item.get(key) else { continue };
                match p.iter_mut().find(|i| i.get(key) == Some(id)) {
                    Some(mine) => delete_missing(mine, item, path, kind),
                    None => {
                        let mut gone = Map::new();
                        gone.insert("$patch".into(), "delete".into());
                        gone.insert(key.into(), id.clone());
                        p.push(Value::Object(gone));
                    }
                }
            }
        }
        _ => {}
    }
}
