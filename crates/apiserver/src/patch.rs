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
            let ops: json_patch::Patch = serde_json::from_value(patch.clone())
                .map_err(|e| ApiError::bad_request(format!("error decoding patch: {e}")))?;
            if ops.0.len() > MAX_OPERATIONS {
                let why =
                    format!("The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}", ops.0.len());
                return Err(ApiError::new(413, "RequestEntityTooLarge", why));
            }
            json_patch::patch(&mut object, &ops).map_err(|_| unprocessable())?;
            Ok(object)
        }
        PatchType::Merge => {
            json_patch::merge(&mut object, patch);
            Ok(object)
        }
        PatchType::Strategic => strategic_merge(object, patch, kind),
        // Not a patch of a tree: `crate::verbs::apply`.
        PatchType::Apply => Err(ApiError::internal("an apply is no patch")),
    }
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
