//! AdmissionReview: the question and what may be an answer to it. Models
//! `apiserver/pkg/admission/plugin/webhook/{request,errors}`.

use super::super::policy::{self, Asked};
use crate::server::Cx;
use api::decode::syntax;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhook;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use meta::ApiError;
use serde_json::{Value, json};

/// The version that the API server speaks with the webhook: the first of its list that it knows.
pub(super) fn version(hook: &MutatingWebhook) -> &'static str {
    let v1beta1 = hook.admission_review_versions.iter().find(|v| matches!(v.as_str(), "v1" | "v1beta1"));
    if v1beta1.is_some_and(|v| v == "v1beta1") { "v1beta1" } else { "v1" }
}

/// Models `CreateAdmissionObjects`.
pub(super) fn question(cx: &Cx<'_>, asked: &Asked<'_>, version: &str, uid: &str) -> Vec<u8> {
    let mut request = policy::request(asked, cx);
    request["uid"] = uid.into();
    request["object"] = asked.new_tree();
    request["oldObject"] = asked.old_tree();
    // As Go leaves out what is empty.
    if let Some(fields) = request.as_object_mut() {
        let empty = ["subResource", "requestSubResource", "name", "namespace"];
        fields.retain(|name, value| !(empty.contains(&name.as_str()) && *value == ""));
        if let Some(user) = fields.get_mut("userInfo").and_then(Value::as_object_mut) {
            user.retain(|_, v| !(*v == "" || v.is_null() || *v == json!({}) || *v == json!([])));
        }
    }
    let review =
        json!({"kind": "AdmissionReview", "apiVersion": format!("admission.k8s.io/{version}"), "request": request});
    review.to_string().into_bytes()
}

/// What a webhook wants.
pub(super) struct Verdict {
    pub allowed: bool,
    /// A JSON patch; empty: none.
    pub patch: Vec<u8>,
    pub patch_type: String,
    pub result: Option<Status>,
    pub warnings: Vec<String>,
}

/// Models `VerifyAdmissionResponse`.
///
/// # Errors
/// Why the answer is none.
pub(super) fn verdict(body: &[u8], version: &str, uid: &str, mutating: bool) -> Result<Verdict, String> {
    let broken = |e| format!("couldn't get version/kind; json parse error: {}", syntax::words(body, &e));
    let review: Value = serde_json::from_slice(body).map_err(broken)?;
    let response = &review["response"];
    if response.is_null() {
        return Err("webhook response was absent".into());
    }
    let text = |v: &Value| v.as_str().unwrap_or_default().to_string();
    if version == "v1" && text(&response["uid"]) != uid {
        return Err(format!("expected response.uid={uid:?}, got {:?}", text(&response["uid"])));
    }
    let got = (text(&review["apiVersion"]), text(&review["kind"]));
    let expected = format!("admission.k8s.io/{version}");
    // Of v1beta1 a review without its own name passes.
    let unnamed = version == "v1beta1" && got == (String::new(), String::new());
    if !unnamed && got != (expected.clone(), "AdmissionReview".into()) {
        let (version, kind) = got;
        let version = if version.is_empty() { "/".into() } else { version };
        return Err(format!(
            "expected webhook response of {expected}, Kind=AdmissionReview, got {version}, Kind={kind}"
        ));
    }
    let encoded = text(&response["patch"]);
    let patch = STANDARD.decode(&encoded).map_err(|e| format!("illegal base64 data in response.patch: {e}"))?;
    let patch_type = response["patchType"].as_str();
    if version == "v1" {
        let wrong = match (mutating, patch.is_empty(), patch_type) {
            (true, false, None) => Some("webhook returned response.patch but not response.patchType"),
            (true, true, Some(_)) => Some("webhook returned response.patchType but not response.patch"),
            (true, false, Some("")) => Some("webhook returned invalid response.patchType of \"\""),
            (false, false, _) => Some("validating webhook may not return response.patch"),
            (false, true, Some(_)) => Some("validating webhook may not return response.patchType"),
            _ => None,
        };
        if let Some(why) = wrong {
            return Err(why.into());
        }
    }
    let warnings = response["warnings"].as_array().into_iter().flatten().map(text).collect();
    Ok(Verdict {
        allowed: response["allowed"] == true,
        patch: if mutating { patch } else { Vec::new() },
        patch_type: patch_type.unwrap_or("JSONPatch").into(),
        result: serde_json::from_value(response["status"].clone()).ok(),
        warnings,
    })
}

/// Models `ToStatusErr`.
pub(super) fn denied(hook: &str, result: Option<Status>) -> ApiError {
    let mut status = result.unwrap_or_default();
    if status.code.is_none_or(|c| c < 400) {
        status.code = Some(400);
    }
    if status.status.as_deref().is_none_or(|s| matches!(s, "" | "Success")) {
        status.status = Some("Failure".into());
    }
    let why = [&status.message, &status.reason].into_iter().flatten().find(|s| !s.is_empty());
    let head = format!("admission webhook {hook:?} denied the request");
    status.message = Some(why.map_or_else(|| format!("{head} without explanation"), |why| format!("{head}: {why}")));
    ApiError(Box::new(status))
}
