//! What the configurations of validating and mutating webhooks have in common. Models
//! `pkg/apis/admissionregistration/{v1/defaults.go,validation}` and `apiserver/pkg/util/webhook/validation.go`.

use super::admission;
use crate::validate::{each, names, text, validate_label_selector};
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhook, NamedRuleWithOperations, RuleWithOperations, ServiceReference, ValidatingWebhook,
    WebhookClientConfig,
};
use meta::{FieldError, Path};
use std::collections::BTreeSet;

/// The versions of AdmissionReview that are spoken.
const REVIEWS: &[&str] = &["v1", "v1beta1"];
const SIDE_EFFECTS: &[&str] = &["None", "NoneOnDryRun"];
const FORM: &str = "; desired format: https://host[/path]";

/// A validating webhook as a mutating one, which has all that the other has.
#[must_use]
pub fn as_mutating(w: &ValidatingWebhook) -> MutatingWebhook {
    let w = w.clone();
    MutatingWebhook {
        admission_review_versions: w.admission_review_versions,
        client_config: w.client_config,
        failure_policy: w.failure_policy,
        match_conditions: w.match_conditions,
        match_policy: w.match_policy,
        name: w.name,
        namespace_selector: w.namespace_selector,
        object_selector: w.object_selector,
        reinvocation_policy: None,
        rules: w.rules,
        side_effects: w.side_effects,
        timeout_seconds: w.timeout_seconds,
    }
}

/// The rule as those of policies are, which may name objects besides.
#[must_use]
pub fn as_named(r: &RuleWithOperations) -> NamedRuleWithOperations {
    let r = r.clone();
    NamedRuleWithOperations {
        api_groups: r.api_groups,
        api_versions: r.api_versions,
        operations: r.operations,
        resource_names: None,
        resources: r.resources,
        scope: r.scope,
    }
}

/// Models `SetDefaults_ValidatingWebhook`, `SetDefaults_ServiceReference` and `SetDefaults_Rule`.
macro_rules! defaults {
    ($w:expr) => {{
        let w = &mut *$w;
        w.failure_policy.get_or_insert_with(|| "Fail".into());
        w.match_policy.get_or_insert_with(|| "Equivalent".into());
        w.namespace_selector.get_or_insert_default();
        w.object_selector.get_or_insert_default();
        w.timeout_seconds.get_or_insert(10);
        if let Some(s) = &mut w.client_config.service {
            s.port.get_or_insert(443);
        }
        for rule in w.rules.iter_mut().flatten() {
            rule.scope.get_or_insert_with(|| "*".into());
        }
    }};
}
pub(super) use defaults;

/// What an update may leave as it is, because it was so before. Models `validationOptions`.
#[derive(Clone, Copy)]
pub(super) struct Strict {
    side_effects: bool,
    versions: bool,
    unique: bool,
    conditions: bool,
}

impl Strict {
    pub(super) const CREATE: Strict = Strict { side_effects: true, versions: true, unique: true, conditions: true };

    pub(super) fn update(new: &[MutatingWebhook], old: &[MutatingWebhook]) -> Strict {
        let names: BTreeSet<&str> = old.iter().map(|w| w.name.as_str()).collect();
        let conditions =
            |all: &[MutatingWebhook]| -> Vec<_> { all.iter().map(|w| w.match_conditions.clone()).collect() };
        let versions =
            |w: &MutatingWebhook| w.admission_review_versions.is_empty() || speaks(&w.admission_review_versions);
        Strict {
            side_effects: old.iter().all(|w| SIDE_EFFECTS.contains(&w.side_effects.as_str())),
            versions: old.iter().all(versions),
            unique: names.len() == old.len(),
            conditions: conditions(new) != conditions(old),
        }
    }
}

fn speaks(versions: &[String]) -> bool {
    versions.iter().any(|v| REVIEWS.contains(&v.as_str()))
}

/// Models `validateMutatingWebhookConfiguration`.
pub(super) fn validate(hooks: &[MutatingWebhook], strict: Strict) -> Vec<FieldError> {
    let (mut errors, path, mut names) = (Vec::new(), Path::new("webhooks"), BTreeSet::new());
    for (i, hook) in hooks.iter().enumerate() {
        let at = path.index(i);
        validate_hook(hook, strict, &at, &mut errors);
        let missing = format!("must specify one of {}", REVIEWS.join(", "));
        let at_versions = at.child("admissionReviewVersions");
        validate_versions(&hook.admission_review_versions, &missing, strict.versions, &at_versions, &mut errors);
        if strict.unique && !hook.name.is_empty() && !names.insert(hook.name.as_str()) {
            errors.push(FieldError::duplicate(&at.child("name"), hook.name.as_str()));
        }
    }
    errors
}

/// Models `validateMutatingWebhook`.
fn validate_hook(w: &MutatingWebhook, strict: Strict, path: &Path, errors: &mut Vec<FieldError>) {
    validate_name(&w.name, &path.child("name"), errors);
    for (i, r) in w.rules.iter().flatten().enumerate() {
        admission::validate_rule(&as_named(r), &path.child("rules").index(i), errors);
    }
    let mut one_of = |name: &str, value: &Option<String>, allowed: &[&str]| {
        if let Some(v) = value.as_deref().filter(|v| !allowed.contains(v)) {
            errors.push(FieldError::not_supported(&path.child(name), v, allowed));
        }
    };
    one_of("failurePolicy", &w.failure_policy, &["Fail", "Ignore"]);
    one_of("matchPolicy", &w.match_policy, &["Equivalent", "Exact"]);
    let all = ["None", "NoneOnDryRun", "Some", "Unknown"];
    let allowed = if strict.side_effects { SIDE_EFFECTS } else { &all };
    match w.side_effects.as_str() {
        "" => {
            let why = format!("must specify one of {}", allowed.join(", "));
            errors.push(FieldError::required(&path.child("sideEffects"), why));
        }
        s if !allowed.contains(&s) => errors.push(FieldError::not_supported(&path.child("sideEffects"), s, allowed)),
        _ => {}
    }
    if let Some(t) = w.timeout_seconds.filter(|t| !(1..=30).contains(t)) {
        let why = "the timeout value must be between 1 and 30 seconds";
        errors.push(FieldError::invalid(&path.child("timeoutSeconds"), t, why));
    }
    for (name, selector) in [("namespaceSelector", &w.namespace_selector), ("objectSelector", &w.object_selector)] {
        if let Some(s) = selector {
            errors.extend(validate_label_selector(&path.child(name), s));
        }
    }
    let policies = &["IfNeeded", "Never"];
    if let Some(p) = w.reinvocation_policy.as_deref().filter(|p| !policies.contains(p)) {
        errors.push(FieldError::not_supported(&path.child("reinvocationPolicy"), p, policies));
    }
    validate_client(&w.client_config, &path.child("clientConfig"), errors);
    if strict.conditions {
        let programs = admission::Programs::new(false, true);
        let conditions = w.match_conditions.as_deref().unwrap_or_default();
        admission::validate_conditions(conditions, &path.child("matchConditions"), &programs, errors);
    }
}

/// Models `IsFullyQualifiedName`.
fn validate_name(name: &str, path: &Path, errors: &mut Vec<FieldError>) {
    let wrong = names::dns1123_subdomain(name);
    if name.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else if !wrong.is_empty() {
        errors.push(FieldError::invalid(path, name, wrong.join(",")));
    } else if name.split('.').count() < 3 {
        let why = "should be a domain with at least three segments separated by dots";
        errors.push(FieldError::invalid(path, name, why));
    }
}

pub(super) fn validate_client(c: &WebhookClientConfig, path: &Path, errors: &mut Vec<FieldError>) {
    match (&c.url, &c.service) {
        (Some(url), None) => validate_url(url, &path.child("url"), errors),
        (None, Some(service)) => validate_service(service, &path.child("service"), errors),
        _ => errors.push(FieldError::required(path, "exactly one of url or service is required")),
    }
}

/// Models `ValidateWebhookURL`.
fn validate_url(url: &str, path: &Path, errors: &mut Vec<FieldError>) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let host = if scheme.is_empty() { "" } else { rest.split('/').next().unwrap_or("") };
    let (user, host) = host.rsplit_once('@').unwrap_or(("", host));
    let mut wrong = |value: &str, why: String| errors.push(FieldError::invalid(path, value, why));
    if scheme != "https" {
        wrong(scheme, format!("'https' is the only allowed URL scheme{FORM}"));
    }
    if host.is_empty() {
        wrong(host, format!("host must be provided{FORM}"));
    }
    if !user.is_empty() {
        wrong(user, "user information is not permitted in the URL".into());
    }
    if !fragment.is_empty() {
        wrong(fragment, "fragments are not permitted in the URL".into());
    }
    if !query.is_empty() {
        wrong(query, "query parameters are not permitted in the URL".into());
    }
}

/// Models `ValidateWebhookService`.
fn validate_service(s: &ServiceReference, path: &Path, errors: &mut Vec<FieldError>) {
    if s.name.is_empty() {
        errors.push(FieldError::required(&path.child("name"), "service name is required"));
    }
    if s.namespace.is_empty() {
        errors.push(FieldError::required(&path.child("namespace"), "service namespace is required"));
    }
    let port = s.port.unwrap_or(443);
    let wrong = names::port_number(i64::from(port));
    if !wrong.is_empty() {
        let why = format!("port is not valid: {}", wrong.join(", "));
        errors.push(FieldError::invalid(&path.child("port"), port, why));
    }
    let (at, whole) = (path.child("path"), text(&s.path));
    match whole {
        "" | "/" => return,
        "//" => return errors.push(FieldError::invalid(&at, whole, "segment[0] may not be empty")),
        _ => {}
    }
    let steps = match whole.strip_prefix('/') {
        Some(steps) => steps,
        None => {
            errors.push(FieldError::invalid(&at, whole, "must start with a '/'"));
            // As upstream: the first byte is taken for the slash.
            whole.get(1..).unwrap_or("")
        }
    };
    for (i, step) in steps.strip_suffix('/').unwrap_or(steps).split('/').enumerate() {
        let wrong = match step {
            "" => vec![format!("segment[{i}] may not be empty")],
            step => names::dns1123_subdomain(step).into_iter().map(|w| format!("segment[{i}]: {w}")).collect(),
        };
        errors.extend(each(&at, whole, wrong));
    }
}

/// `missing`: what is said of none; `strict`: one has to be known. Models `validateAdmissionReviewVersions` and
/// `validateConversionReviewVersions`.
pub(super) fn validate_versions(
    versions: &[String],
    missing: &str,
    strict: bool,
    path: &Path,
    errors: &mut Vec<FieldError>,
) {
    if versions.is_empty() {
        errors.push(FieldError::required(path, missing));
        return;
    }
    let mut seen = BTreeSet::new();
    for (i, v) in versions.iter().enumerate() {
        if seen.insert(v) {
            errors.extend(each(&path.index(i), v, names::dns1035_label(v)));
        } else {
            errors.push(FieldError::invalid(&path.index(i), v.as_str(), "duplicate version"));
        }
    }
    if strict && !speaks(versions) {
        let why = format!("must include at least one of {}", REVIEWS.join(", "));
        errors.push(FieldError::invalid(path, versions, why));
    }
}
