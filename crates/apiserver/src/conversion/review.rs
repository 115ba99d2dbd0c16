//! ConversionReview: the question, and what may be an answer to it. Models `getConvertedObjectsFromResponse`,
//! `validateConvertedObject` and `restoreObjectMeta` of `webhook_converter.go`.

use api::decode::syntax;
use api::validate::labels::validate_labels;
use api::validate::meta::validate_annotations;
use meta::Path;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) fn question(review: &str, uid: &str, to: &str, objects: &[Value]) -> Vec<u8> {
    let request = json!({"uid": uid, "desiredAPIVersion": to, "objects": objects});
    let review = json!({"kind": "ConversionReview", "apiVersion": format!("apiextensions.k8s.io/{review}"),
        "request": request});
    review.to_string().into_bytes()
}

fn text(v: &Value) -> &str {
    v.as_str().unwrap_or_default()
}

/// # Errors
/// Why the answer is none, or the webhook's own words.
pub(super) fn converted(body: &[u8], version: &str, uid: &str) -> Result<Vec<Value>, String> {
    let broken = |e| format!("couldn't get version/kind; json parse error: {}", syntax::words(body, &e));
    let mut review: Value = serde_json::from_slice(body).map_err(broken)?;
    // Of v1beta1 neither the kind nor the UID is looked at.
    let strict = version == "v1";
    let (group, kind) = (text(&review["apiVersion"]), text(&review["kind"]));
    if strict && (group, kind) != ("apiextensions.k8s.io/v1", "ConversionReview") {
        let group = if group.is_empty() { "/" } else { group };
        return Err(format!(
            "expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got {group}, Kind={kind}"
        ));
    }
    let Some(response) = review.get_mut("response").filter(|r| !r.is_null()) else {
        return Err("no response provided".into());
    };
    if strict && text(&response["uid"]) != uid {
        return Err(format!("expected response.uid={uid:?}, got {:?}", text(&response["uid"])));
    }
    let (status, message) = (text(&response["result"]["status"]), text(&response["result"]["message"]));
    if status != "Success" {
        let unsaid = || format!("response.result.status was '{status}', not 'Success'");
        return Err(if message.is_empty() { unsaid() } else { message.into() });
    }
    match response["convertedObjects"].take() {
        Value::Array(objects) => Ok(objects),
        _ => Ok(Vec::new()),
    }
}

/// A converted object with the original's metadata, but for labels and annotations. `at`: which of several it is, from 0;
/// upstream says it from 1.
///
/// # Errors
/// What is wrong with it.
pub(super) fn checked(original: &Value, mut tree: Value, to: &str, at: Option<usize>) -> Result<Value, String> {
    let (head, object, metadata) = match at {
        None => {
            let object = "returned invalid object";
            (format!("{object} at index 0"), object.to_string(), "returned invalid metadata".to_string())
        }
        Some(i) => {
            let i = i + 1;
            let object = format!("returned invalid converted object at index {i}");
            (object.clone(), object, format!("returned invalid metadata in object at index {i}"))
        }
    };
    if text(&tree["apiVersion"]) != to {
        return Err(format!("{head}: invalid groupVersion (expected {to}, received {})", text(&tree["apiVersion"])));
    }
    if tree["kind"] != original["kind"] {
        let (e, a) = (text(&original["kind"]), text(&tree["kind"]));
        return Err(format!("{head}: invalid kind (expected {e}, received {a})"));
    }
    for (field, name) in [("name", "name"), ("namespace", "namespace"), ("uid", "UID")] {
        let (e, a) = (text(&original["metadata"][field]), text(&tree["metadata"][field]));
        if e != a {
            return Err(format!("{object}: must have the same {name}: {e} != {a}"));
        }
    }
    restore(&original["metadata"], &mut tree).map_err(|why| format!("{metadata}: {why}"))?;
    Ok(tree)
}

fn restore(original: &Value, tree: &mut Value) -> Result<(), String> {
    let said = match tree.get("metadata") {
        None => return Err("missing metadata in converted object".into()),
        Some(Value::Object(said)) => said.clone(),
        Some(other) => {
            return Err(format!("invalid metadata of type {} in converted object", meta::go::type_of(other)));
        }
    };
    let mut restored = original.as_object().cloned().unwrap_or_default();
    for field in ["labels", "annotations"] {
        match said.get(field) {
            None | Some(Value::Null) => drop(restored.remove(field)),
            Some(Value::Object(pairs)) => {
                check_pairs(field, pairs)?;
                restored.insert(field.into(), Value::Object(pairs.clone()));
            }
            Some(other) => {
                return Err(format!(
                    "invalid metadata.{field} of type {} in converted object",
                    meta::go::type_of(other)
                ));
            }
        }
    }
    tree["metadata"] = Value::Object(restored);
    Ok(())
}

fn check_pairs(field: &str, pairs: &Map<String, Value>) -> Result<(), String> {
    let mut strings = BTreeMap::new();
    for (k, v) in pairs {
        let Value::String(v) = v else {
            let kind = meta::go::type_of(v);
            return Err(format!("metadata.{field}[{k}] must be a string, but is {kind} in converted object"));
        };
        strings.insert(k.clone(), v.clone());
    }
    let at = Path::new("metadata");
    let errors = match field {
        "labels" => validate_labels(&at.child("labels"), Some(&strings)),
        _ => validate_annotations(&at.child("annotation"), Some(&strings)),
    };
    if errors.is_empty() { Ok(()) } else { Err(meta::field::aggregate(errors.iter().map(ToString::to_string))) }
}
