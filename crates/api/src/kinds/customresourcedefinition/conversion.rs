//! How objects come from one version to another. Models `validateCustomResourceConversion`.

use crate::kinds::webhooks;
use k8s_openapi::api::admissionregistration::v1 as admission;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceConversion, WebhookClientConfig,
};
use meta::{FieldError, Path};

/// Who is called, as admission writes it.
pub fn client(c: &WebhookClientConfig) -> admission::WebhookClientConfig {
    let service = c.service.clone().map(|s| admission::ServiceReference {
        name: s.name,
        namespace: s.namespace,
        path: s.path,
        port: s.port,
    });
    admission::WebhookClientConfig { ca_bundle: c.ca_bundle.clone(), service, url: c.url.clone() }
}

/// The paths are those of upstream's internal type.
pub fn validate(c: &CustomResourceConversion, path: &Path, errors: &mut Vec<FieldError>) {
    let (at, versions) = (path.child("webhookClientConfig"), path.child("conversionReviewVersions"));
    let config = c.webhook.as_ref().and_then(|w| w.client_config.as_ref());
    let reviews = c.webhook.as_ref().map_or(&[][..], |w| &w.conversion_review_versions);
    match c.strategy.as_str() {
        "" => errors.push(FieldError::required(&path.child("strategy"), "")),
        "None" => {
            let why = "should not be set when strategy is not set to Webhook";
            if config.is_some() {
                errors.push(FieldError::forbidden(&at, why));
            }
            if !reviews.is_empty() {
                errors.push(FieldError::forbidden(&versions, why));
            }
        }
        "Webhook" => {
            match config {
                None => errors.push(FieldError::required(&at, "required when strategy is set to Webhook")),
                Some(config) => webhooks::validate_client(&client(config), &at, errors),
            }
            webhooks::validate_versions(reviews, "", true, &versions, errors);
        }
        other => errors.push(FieldError::not_supported(&path.child("strategy"), other, &["None", "Webhook"])),
    }
}
