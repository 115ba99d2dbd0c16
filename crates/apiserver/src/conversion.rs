//! Custom resources that a webhook brings from one version to another. Models
//! `apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go` as far as it refuses: objects are not sent, so
//! what is stored in another version than the one that is asked for can neither be read nor written.

use crate::admission::webhooks::call::{Outcome, ask};
use crate::admission::webhooks::waits;
use crate::keys;
use crate::request::{Request, RequestVerb};
use crate::server::Cx;
use api::kinds::customresourcedefinition::conversion::client;
use api::{ObjectExt, Registered};
use k8s_openapi::api::admissionregistration::v1::MutatingWebhook;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use meta::ApiError;
use store::Backend;

/// Seconds.
const TIMEOUT: i32 = 30;

/// # Errors
/// An object would have to be converted, and nobody does it.
pub(crate) fn check(cx: &Cx<'_>, req: &Request) -> Result<(), ApiError> {
    let Some(custom) = req.kind.custom.filter(|c| !c.storage) else { return Ok(()) };
    let key = keys::of_parts(CustomResourceDefinition::KIND_REF, "", &custom.name);
    let entry = cx.store.get(&key);
    let definition = entry.as_ref().and_then(|e| e.value.0.downcast::<CustomResourceDefinition>());
    let conversion = definition.and_then(|d| d.spec.conversion.as_ref()).filter(|c| c.strategy == "Webhook");
    let Some(config) = conversion.and_then(|c| c.webhook.as_ref()?.client_config.as_ref()) else { return Ok(()) };
    let prefix = keys::prefix(req.kind, "");
    let is_empty = cx.store.iter_range(&prefix, &keys::range_end(&prefix)).next().is_none();
    if is_empty && req.verb != RequestVerb::Create {
        return Ok(());
    }
    let hook = MutatingWebhook { client_config: client(config), timeout_seconds: Some(TIMEOUT), ..Default::default() };
    let why = match ask(cx, &hook, Vec::new) {
        Err(why) => why,
        Ok(Outcome::Waits) => return Err(waits()),
        Ok(Outcome::Passes | Outcome::Said(_)) => "this cluster sends no objects to conversion webhooks".into(),
    };
    let gvk = format!("{}, Kind={}", req.kind.api_version(), req.kind.kind);
    Err(ApiError::new(500, "", format!("conversion webhook for {gvk} failed: {why}")))
}
