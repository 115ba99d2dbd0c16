//! An API server's refusal, taken back to the places in the manifest it is about.

use crate::kinds::edit_distance;
use crate::locate::{locate, locate_key, locate_where};
use crate::{Document, Position, Problem};
use meta::ApiError;
use serde_json::Value;

/// One problem for each cause: invalid fields, `unknown field "spec.foo"`, `cannot unmarshal string into ...`; the
/// refusal as a whole, at the document's first line, where it names no field.
pub fn refusals(document: &Document, error: &ApiError) -> Vec<Problem> {
    let message = error.message();
    let mut problems = Vec::new();
    for cause in error.0.details.iter().flat_map(|d| d.causes.iter().flatten()) {
        let field = cause.field.as_deref().unwrap_or("");
        if field.is_empty() {
            continue;
        }
        let said = cause.message.as_deref().unwrap_or(message);
        let hint = match cause.reason.as_deref() {
            Some("FieldValueRequired") => "required",
            Some("FieldValueTypeInvalid") => "wrong-type",
            _ if said.contains("immutable") || said.contains("may not change") => "immutable",
            _ => "invalid",
        };
        problems.push(problem(document, locate(document, field), field, hint, format!("{field}: {said}")));
    }
    if problems.is_empty() {
        problems.extend(strict(document, message));
    }
    if problems.is_empty() {
        problems.extend(wrong_type(document, message));
    }
    if problems.is_empty() {
        let hint = if error.is_not_found() { "not-found" } else { "invalid" };
        let field = field_meant(error);
        let at = if field.is_empty() { document.places.value } else { locate(document, field) };
        problems.push(problem(document, at, field, hint, message.into()));
    }
    for p in &mut problems {
        p.kubectl = message.into();
    }
    problems
}

/// The field that a refusal without one is about.
fn field_meant(error: &ApiError) -> &'static str {
    let kind = error.0.details.as_ref().and_then(|d| d.kind.as_deref());
    let message = error.message();
    if error.is_not_found() && kind == Some("namespaces") {
        "metadata.namespace"
    } else if message.contains("error looking up service account ") {
        "spec.serviceAccountName"
    } else if message.contains("illegal base64 data") {
        "data"
    } else {
        ""
    }
}

fn problem(document: &Document, at: Position, path: &str, hint: &'static str, message: String) -> Problem {
    Problem::new(&document.file, at, hint, message).at_path(path)
}

/// Models the list in `strict decoding error: unknown field "spec.a", duplicate field "spec.b"`.
fn strict(document: &Document, message: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (words, hint) in [("unknown field \"", "unknown-field"), ("duplicate field \"", "duplicate-key")] {
        for part in message.split(words).skip(1) {
            let Some((path, _)) = part.split_once('"') else { continue };
            let text = format!("{words}{path}\"");
            let suggestion = if hint == "unknown-field" { nearest_field(path) } else { None };
            problems.push(problem(document, locate_key(document, path), path, hint, text).meant(suggestion));
        }
    }
    problems
}

/// The fields that manifests use most, for slips of the pen in them.
fn nearest_field(path: &str) -> Option<String> {
    const FIELDS: &[&str] = &[
        "annotations",
        "args",
        "command",
        "configMap",
        "containerPort",
        "containers",
        "cpu",
        "data",
        "env",
        "envFrom",
        "image",
        "imagePullPolicy",
        "initContainers",
        "key",
        "labels",
        "limits",
        "livenessProbe",
        "matchLabels",
        "memory",
        "metadata",
        "mountPath",
        "name",
        "namespace",
        "nodeSelector",
        "operator",
        "port",
        "ports",
        "protocol",
        "readinessProbe",
        "replicas",
        "requests",
        "resources",
        "restartPolicy",
        "selector",
        "serviceAccountName",
        "spec",
        "startupProbe",
        "strategy",
        "targetPort",
        "template",
        "tolerations",
        "type",
        "value",
        "volumeMounts",
        "volumes",
    ];
    let name = path.rsplit(['.', ']']).next().unwrap_or(path);
    let best = FIELDS.iter().map(|f| (edit_distance(&name.to_ascii_lowercase(), &f.to_ascii_lowercase()), *f)).min()?;
    (best.0 <= 2 && best.1 != name).then(|| best.1.to_string())
}

/// Models `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`.
fn wrong_type(document: &Document, message: &str) -> Option<Problem> {
    let (_, rest) = message.split_once("cannot unmarshal ")?;
    let (found, rest) = rest.split_once(" into Go struct field ")?;
    let path = rest.split(' ').next()?;
    // The first part is the struct's name.
    let path = path.split_once('.').map_or(path, |(_, p)| p);
    let is_it = |value: &Value| match found.split(' ').next().unwrap_or("") {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "bool" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    let at = locate_where(document, path, &is_it);
    let text = message.find("json: cannot unmarshal").map_or(message, |i| &message[i..]);
    Some(problem(document, at, path, "wrong-type", text.into()))
}
