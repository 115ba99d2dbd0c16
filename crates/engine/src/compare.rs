//! What differs between two clusters that were one: objects field by field, and what was decided about pods.

use crate::rows::object_id;
use api::{Obj, ObjectExt};
use cluster::Cluster;
use protocol::{Comparison, DecisionChange, ObjectChange};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use trace::What;

const OBJECTS_MAX: usize = 300;
const FIELDS_MAX: usize = 40;
const DECISIONS_MAX: usize = 300;
/// Characters of a value.
const VALUE_MAX: usize = 120;
/// Kinds of which every cluster writes others all the time.
const NOISE: [&str; 2] = ["Event", "Lease"];
/// Fields that differ with every write, or say again what others do.
const NOISY: [&str; 5] = [
    "metadata.resourceVersion",
    "metadata.uid",
    "metadata.managedFields",
    "metadata.generation",
    "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration",
];

/// `seq` is the trace entry up to which both are the same.
pub fn compare(here: &Cluster, there: &Cluster, seq: u64) -> Comparison {
    let mut out = Comparison { here: here.now().as_micros(), there: there.now().as_micros(), ..Comparison::default() };
    let (mine, theirs) = (objects(here), objects(there));
    for (key, a) in &mine {
        match theirs.get(key) {
            None => push(&mut out, change(a, "here", Vec::new())),
            Some(b) if Arc::ptr_eq(a, b) => out.same += 1,
            Some(b) => {
                let mut fields = Vec::new();
                differences("", &a.to_value(), &b.to_value(), &mut fields);
                match fields.is_empty() {
                    true => out.same += 1,
                    false => push(&mut out, change(a, "changed", fields)),
                }
            }
        }
    }
    for (_, b) in theirs.iter().filter(|(key, _)| !mine.contains_key(*key)) {
        push(&mut out, change(b, "there", Vec::new()));
    }
    let (mine, theirs) = (decisions(here, seq), decisions(there, seq));
    for pod in mine.keys().chain(theirs.keys().filter(|pod| !mine.contains_key(*pod))) {
        let (here, there) = (mine.get(pod).cloned(), theirs.get(pod).cloned());
        if here == there {
            continue;
        }
        if out.decisions.len() == DECISIONS_MAX {
            out.more.1 += 1;
        } else {
            out.decisions.push(DecisionChange { namespace: pod.0.clone(), name: pod.1.clone(), here, there });
        }
    }
    out
}

/// By kind and key.
fn objects(c: &Cluster) -> BTreeMap<(usize, meta::Key), &Obj> {
    let view = c.view();
    let kinds = view.kinds().iter().filter(|k| !NOISE.contains(&k.kind));
    kinds.flat_map(|k| view.list_obj(k).map(move |o| ((api::kinds::index(k), o.key()), o))).collect()
}

fn push(out: &mut Comparison, change: ObjectChange) {
    if out.objects.len() == OBJECTS_MAX {
        out.more.0 += 1;
    } else {
        out.objects.push(change);
    }
}

fn change(o: &Obj, what: &str, mut fields: Vec<(String, String, String)>) -> ObjectChange {
    let more = fields.len().saturating_sub(FIELDS_MAX);
    fields.truncate(FIELDS_MAX);
    ObjectChange { id: object_id(&**o), what: what.into(), fields, more }
}

/// The last decision about each pod after `seq`.
fn decisions(c: &Cluster, seq: u64) -> BTreeMap<(String, String), String> {
    let cycles = c.trace().since(seq).filter_map(|e| match &e.what {
        What::Cycle { cycle } => Some(cycle.outcome()),
        _ => None,
    });
    cycles.map(|c| ((c.pod.namespace.clone(), c.pod.name.clone()), c.node.clone().unwrap_or_default())).collect()
}

/// Times of conditions, heartbeats and probes differ wherever one ran for longer.
fn is_noise(path: &str, a: &Value, b: &Value) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    NOISY.contains(&path)
        || last == "resourceVersion"
        || ((last.ends_with("Time") || last.ends_with("Timestamp") || last.ends_with("At"))
            && (a.is_string() || a.is_null())
            && (b.is_string() || b.is_null()))
}

fn differences(path: &str, a: &Value, b: &Value, out: &mut Vec<(String, String, String)>) {
    if a == b || is_noise(path, a, b) {
        return;
    }
    let at = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let none = Value::Null;
            for name in x.keys().chain(y.keys().filter(|n| !x.contains_key(*n))) {
                differences(&at(name), x.get(name).unwrap_or(&none), y.get(name).unwrap_or(&none), out);
            }
        }
        (Value::Array(x), Value::Array(y)) => {
            let none = Value::Null;
            let at = |label: &str| format!("{path}[{label}]");
            match (by_name(x), by_name(y)) {
                // Conditions and containers are known by their names, whatever their places.
                (Some(x), Some(y)) => {
                    let mine = |name: &str| x.iter().find(|(n, _)| *n == name).map_or(&none, |(_, v)| *v);
                    let theirs = |name: &str| y.iter().find(|(n, _)| *n == name).map_or(&none, |(_, v)| *v);
                    let only_there = y.iter().filter(|(n, _)| !x.iter().any(|(m, _)| m == n));
                    for (name, _) in x.iter().chain(only_there) {
                        differences(&at(name), mine(name), theirs(name), out);
                    }
                }
                _ => {
                    for i in 0..x.len().max(y.len()) {
                        let (mine, theirs) = (x.get(i).unwrap_or(&none), y.get(i).unwrap_or(&none));
                        differences(&at(&i.to_string()), mine, theirs, out);
                    }
                }
            }
        }
        _ => out.push((path.into(), shown(a), shown(b))),
    }
}

/// Elements with names, when all have one of their own.
fn by_name(list: &[Value]) -> Option<Vec<(&str, &Value)>> {
    let mut all: Vec<(&str, &Value)> = Vec::new();
    for v in list {
        let name = v.get("name").or_else(|| v.get("type"))?.as_str()?;
        if all.iter().any(|(n, _)| *n == name) {
            return None;
        }
        all.push((name, v));
    }
    Some(all)
}

fn shown(v: &Value) -> String {
    let text = match v {
        Value::Null => String::new(),
        Value::String(s) => s.clone(),
        v => v.to_string(),
    };
    match text.char_indices().nth(VALUE_MAX) {
        Some((i, _)) => format!("{}…", &text[..i]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_told_by_name_and_what_differs_with_every_write_is_left_out() {
        let a = json!({"metadata": {"resourceVersion": "1", "name": "a"}, "spec": {"replicas": 1,
            "containers": [{"name": "c", "image": "nginx"}]}, "status": {"startTime": "2026-01-01T00:00:00Z"}});
        let b = json!({"metadata": {"resourceVersion": "2", "name": "a"}, "spec": {"replicas": 2,
            "containers": [{"name": "c", "image": "redis"}]}, "status": {"startTime": "2026-01-01T00:00:01Z"}});
        let mut out = Vec::new();
        differences("", &a, &b, &mut out);
        out.sort();
        let told: Vec<String> = out.iter().map(|(p, a, b)| format!("{p}: {a} -> {b}")).collect();
        assert_eq!(told, ["spec.containers[c].image: nginx -> redis", "spec.replicas: 1 -> 2"]);
    }

    #[test]
    fn elements_are_known_by_their_names_whatever_their_places() {
        let list = |words: &[(&str, &str)]| -> Value {
            words.iter().map(|(name, status)| json!({"type": name, "status": status})).collect()
        };
        let told = |a: Value, b: Value| {
            let mut out = Vec::new();
            differences("c", &a, &b, &mut out);
            out.iter().map(|(p, a, b)| format!("{p}: {a} -> {b}")).collect::<Vec<_>>()
        };
        let (a, b) = (list(&[("Ready", "True"), ("Old", "True")]), list(&[("Old", "True"), ("Ready", "False")]));
        assert_eq!(told(a, b), ["c[Ready].status: True -> False"]);
        let only = told(list(&[]), list(&[("New", "True")]));
        assert_eq!(only, [r#"c[New]:  -> {"status":"True","type":"New"}"#]);
        assert_eq!(
            told(json!([{"name": "a"}, {"name": "a"}]), json!([{"name": "a"}, {"name": "b"}])),
            ["c[1].name: a -> b"]
        );
    }
}
