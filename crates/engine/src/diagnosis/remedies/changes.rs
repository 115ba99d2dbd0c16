//! Changes that touch nothing else, and are refused when what they change is not any more what was looked at.

use super::super::Case;
use super::{call, delete, path};
use api::ObjectExt;
use protocol::debug::Document;
use protocol::{Command, ObjectId};
use serde_json::{Map, Value, json};

const JSON_PATCH: &str = "application/json-patch+json";

fn send(id: &ObjectId, operations: Vec<Value>) -> Command {
    call("PATCH", path(id, true), JSON_PATCH, Value::Array(operations).to_string())
}

/// Makes the pod spec at `at` of the object what `after` is.
pub fn patch(id: &ObjectId, at: &str, before: &Value, after: &Value) -> Command {
    let mut operations = Vec::new();
    let (none, empty) = (Value::Null, Map::new());
    let (old, new) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let fields = old.keys().chain(new.keys().filter(|k| !old.contains_key(*k)));
    for field in fields.filter(|f| old.get(*f) != new.get(*f)) {
        let at = format!("{at}/{field}");
        let (x, y) = (old.get(field).unwrap_or(&none), new.get(field).unwrap_or(&none));
        match (x.as_array(), y.as_array()) {
            // Containers and volumes: the others are nobody's business.
            (Some(xs), Some(ys)) if xs.len() == ys.len() => {
                for (i, (x, y)) in xs.iter().zip(ys).enumerate().filter(|(_, (x, y))| x != y) {
                    operations.push(json!({"op": "test", "path": format!("{at}/{i}"), "value": x}));
                    operations.push(json!({"op": "replace", "path": format!("{at}/{i}"), "value": y}));
                }
            }
            _ if x.is_null() => operations.push(json!({"op": "add", "path": at, "value": y})),
            _ => {
                operations.push(json!({"op": "test", "path": at, "value": x}));
                operations.push(match y.is_null() {
                    true => json!({"op": "remove", "path": at}),
                    false => json!({"op": "replace", "path": at, "value": y}),
                });
            }
        }
    }
    // That a field is still absent cannot be tested: then all of the spec has to be the same.
    if operations.iter().any(|o| o["op"] == "add") {
        operations.insert(0, json!({"op": "test", "path": at, "value": before}));
    }
    send(id, operations)
}

/// Changes nothing. It is refused unless the object is the same one, with the same spec.
pub fn unchanged(id: &ObjectId, object: &Value) -> Command {
    let test = |at: &str| Some(json!({"op": "test", "path": at, "value": object.pointer(at)?}));
    send(id, ["/metadata/uid", "/metadata/labels", "/spec"].into_iter().filter_map(test).collect())
}

/// The Job of a CronJob is made anew, from the template as the document has it; it stays the CronJob's. Models `kubectl
/// create job --from`.
pub fn run_again(case: &Case, document: &Document) -> Option<Vec<Command>> {
    let owner = (case.pod as &dyn api::Object).controller_ref().filter(|r| r.kind == "Job")?;
    let kind = case.cluster.view().kinds().by_api_version(&owner.api_version, &owner.kind)?;
    let old = case.cluster.object(kind, &meta::Key::new(case.namespace(), &owner.name))?;
    let id = crate::rows::object_id(&*old);
    let old = old.to_value();
    let cron: Value = serde_saphyr::from_str(&document.yaml).ok()?;
    let template = &cron["spec"]["jobTemplate"];
    let mut metadata = json!({"name": id.name, "namespace": id.namespace});
    for (field, value) in [
        ("labels", &template["metadata"]["labels"]),
        ("annotations", &old["metadata"]["annotations"]),
        ("ownerReferences", &old["metadata"]["ownerReferences"]),
    ] {
        if !value.is_null() {
            metadata[field] = value.clone();
        }
    }
    let job = json!({"apiVersion": id.api_version, "kind": id.kind, "metadata": metadata, "spec": template["spec"]});
    let make = call("POST", path(&id, false), "application/json", job.to_string());
    Some(vec![delete(&id), make])
}
