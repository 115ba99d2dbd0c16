//! The three ways to patch. Each takes the object as a tree and gives the patched tree.

use crate::request::PatchType;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::StatusDetails;
use meta::ApiError;
use meta::strategic::strategic_merge;
use serde_json::Value;

/// Applies a patch to an object of the kind called `kind` (`Pod`).
pub fn apply(how: PatchType, mut object: Value, patch: &Value, kind: &str) -> Result<Value, ApiError> {
    match how {
        PatchType::Json => {
            let count = operations(patch)?.len();
            if count > MAX_OPERATIONS {
                let why = format!("The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {count}");
                return Err(ApiError::new(413, "RequestEntityTooLarge", why));
            }
            // What an operation lacks is found out when it is carried out.
            let ops: json_patch::Patch = serde_json::from_value(patch.clone()).map_err(|_| unprocessable())?;
            json_patch::patch(&mut object, &ops).map_err(|_| unprocessable())?;
            Ok(object)
        }
        PatchType::Merge => {
            if !patch.is_object() {
                return Err(undecodable(patch, "value of type map[string]interface {}"));
            }
            json_patch::merge(&mut object, patch);
            Ok(object)
        }
        PatchType::Strategic => strategic_merge(object, patch, kind),
        // Not a patch of a tree: `crate::verbs::apply`.
        PatchType::Apply => Err(ApiError::internal("an apply is no patch")),
    }
}

/// The operations of a JSON patch, whatever they say. Models `jsonPatcher.applyJSPatch`.
fn operations(patch: &Value) -> Result<&[Value], ApiError> {
    let none: &[Value] = &[];
    let all = match patch {
        Value::Null => none,
        Value::Array(all) => all,
        other => return Err(undecodable(other, "value of type []handlers.jsonPatchOp")),
    };
    for op in all.iter().filter(|op| !op.is_null()) {
        if !op.is_object() {
            return Err(undecodable(op, "value of type handlers.jsonPatchOp"));
        }
        for field in ["op", "path", "from"] {
            if let Some(found) = op.get(field).filter(|v| !v.is_string() && !v.is_null()) {
                return Err(undecodable(found, &format!("struct field jsonPatchOp.{field} of type string")));
            }
        }
    }
    Ok(all)
}

/// Models what `encoding/json` says, and `patch.go` of it.
fn undecodable(found: &Value, go: &str) -> ApiError {
    let kind = meta::go::json_kind(found);
    ApiError::bad_request(format!("error decoding patch: json: cannot unmarshal {kind} into Go {go}"))
}

/// Whether a patch is about `metadata.managedFields`, or about all of the metadata.
pub(crate) fn names_managed_fields(patch: &Value) -> bool {
    match patch {
        Value::Array(ops) => ops.iter().any(|op| {
            let of = |key| op.get(key).and_then(Value::as_str).unwrap_or("-");
            let about = |p: &str| p.starts_with("/metadata/managedFields") || matches!(p, "/metadata" | "");
            about(of("path")) || about(of("from"))
        }),
        other => other.pointer("/metadata/managedFields").is_some(),
    }
}

/// Upstream says no more than this: neither which operation nor why. Models `errors.NewGenericServerResponse` for 422.
fn unprocessable() -> ApiError {
    let mut e = ApiError::new(422, "Invalid", "the server rejected our request due to an error in our request");
    e.0.details = Some(StatusDetails::default());
    e
}

/// Models `maxJSONPatchOperations`.
const MAX_OPERATIONS: usize = 10_000;
