//! What the kinds of resource.k8s.io share: requests for devices, their defaults and their validation. Models
//! `pkg/apis/resource/{v1/defaults,validation/validation}.go` with the feature gates that v1.35 has on.

mod written;

pub use written::written;

use super::storage::validate_driver_name;
use crate::validate::each;
use crate::validate::names::{dns1123_label, dns1123_subdomain, regex_error};
use cel::Type;
use k8s_openapi::api::resource::v1::{
    DeviceClaim, DeviceConstraint, DeviceRequest, DeviceSelector, OpaqueDeviceConfiguration, ResourceClaimSpec,
};
use meta::{FieldError, Path};
use std::collections::{BTreeMap, BTreeSet};

/// Of requests, constraints, configurations, selectors and allocated devices.
pub const LIST_MAX: usize = 32;
/// FirstAvailableDeviceRequestMaxSize.
const ALTERNATIVES_MAX: usize = 8;
/// CELSelectorExpressionMaxLength and OpaqueParametersMaxLength, in bytes.
const TEXT_MAX: usize = 10 * 1024;
/// DeviceMaxIDLength, in bytes.
const ID_MAX: usize = 32;
/// PoolNameMaxLength, in bytes.
const POOL_NAME_MAX: usize = 253;

const REQUEST_REFERENCE: &str =
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

/// Models `SetDefaults_ExactDeviceRequest` and `SetDefaults_DeviceSubRequest`.
fn default_count(mode: &mut Option<String>, count: &mut Option<i64>) {
    let mode = mode.get_or_insert_default();
    if mode.is_empty() {
        *mode = "ExactCount".into();
    }
    if mode == "ExactCount" && count.is_none_or(|c| c == 0) {
        *count = Some(1);
    }
}

pub fn default(spec: &mut ResourceClaimSpec) {
    for r in spec.devices.iter_mut().flat_map(|d| d.requests.iter_mut().flatten()) {
        if let Some(exactly) = &mut r.exactly {
            default_count(&mut exactly.allocation_mode, &mut exactly.count);
        }
        for sub in r.first_available.iter_mut().flatten() {
            default_count(&mut sub.allocation_mode, &mut sub.count);
        }
    }
}

/// Fields behind gates that are off. Models the strategies' `dropDisabledFields`.
pub fn drop_disabled(spec: &mut ResourceClaimSpec) {
    let Some(devices) = &mut spec.devices else { return };
    for r in devices.requests.iter_mut().flatten() {
        if let Some(exactly) = &mut r.exactly {
            (exactly.tolerations, exactly.capacity) = (None, None);
        }
        for sub in r.first_available.iter_mut().flatten() {
            (sub.tolerations, sub.capacity) = (None, None);
        }
    }
    for c in devices.constraints.iter_mut().flatten() {
        c.distinct_attribute = None;
    }
}

/// Models `validateSlice`.
pub fn list<T>(
    items: Option<&Vec<T>>,
    max: usize,
    path: &Path,
    errors: &mut Vec<FieldError>,
    mut each: impl FnMut(&T, &Path, &mut Vec<FieldError>),
) {
    let items = items.map(Vec::as_slice).unwrap_or_default();
    if items.len() > max {
        return errors.push(FieldError::too_many(path, items.len(), max));
    }
    for (i, item) in items.iter().enumerate() {
        each(item, &path.index(i), errors);
    }
}

/// Models the second half of `validateSet`.
pub fn unique<'a>(keys: impl Iterator<Item = &'a str>, path: &Path, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    errors.extend(
        keys.enumerate().filter(|(_, k)| !seen.insert(*k)).map(|(i, k)| FieldError::duplicate(&path.index(i), k)),
    );
}

pub fn label(name: &str, path: &Path, errors: &mut Vec<FieldError>) {
    errors.extend(each(path, name, dns1123_label(name)));
}

/// Models `validatePoolName`.
pub fn pool_name(name: &str, path: &Path, errors: &mut Vec<FieldError>) {
    if name.is_empty() {
        return errors.push(FieldError::required(path, ""));
    }
    if name.len() > POOL_NAME_MAX {
        errors.push(FieldError::too_long(path, POOL_NAME_MAX));
    }
    for part in name.split('/') {
        errors.extend(each(path, part, dns1123_subdomain(part)));
    }
}

/// Models `validateCIdentifier`.
fn identifier(id: &str, path: &Path, errors: &mut Vec<FieldError>) {
    if id.len() > ID_MAX {
        errors.push(FieldError::too_long(path, ID_MAX));
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if id.is_empty() || id.starts_with(|c: char| c.is_ascii_digit()) || !id.chars().all(word) {
        let why = "a valid C identifier must start with alphabetic character or '_', followed by a string of \
                   alphanumeric characters or '_'";
        let why = regex_error(why, "[A-Za-z_][A-Za-z0-9_]*", &["my_name", "MY_NAME", "MyName"]);
        errors.push(FieldError::invalid(path, id, why));
    }
}

/// Models `validateQualifiedName`.
pub fn qualified_name(name: &str, path: &Path, errors: &mut Vec<FieldError>) {
    let parts: Vec<&str> = name.split('/').collect();
    match parts.as_slice() {
        [id] => identifier(id, path, errors),
        [domain, id] => {
            match domain.is_empty() {
                true => errors.push(FieldError::invalid(path, "", "the domain must not be empty")),
                false => validate_driver_name(domain, path, errors),
            }
            match id.is_empty() {
                true => errors.push(FieldError::invalid(path, "", "the name must not be empty")),
                false => identifier(id, path, errors),
            }
        }
        _ => {}
    }
}

/// Models `validateFullyQualifiedName`.
fn fully_qualified_name(name: &str, path: &Path, errors: &mut Vec<FieldError>) {
    qualified_name(name, path, errors);
    if !name.contains('/') {
        let why = "a fully qualified name must be a domain and a name separated by a slash";
        errors.push(FieldError::invalid(path, name, why));
    }
}

/// Models `validateSelectorSlice`.
pub fn selectors(selectors: Option<&Vec<DeviceSelector>>, path: &Path, errors: &mut Vec<FieldError>) {
    list(selectors, LIST_MAX, path, errors, |s, at, errors| {
        let at = at.child("cel");
        let Some(cel) = &s.cel else { return errors.push(FieldError::required(&at, "")) };
        let (at, text) = (at.child("expression"), cel.expression.as_str());
        if text.len() > TEXT_MAX {
            errors.push(FieldError::too_long(&at, TEXT_MAX));
        } else if let Some(why) = selector_error(text) {
            errors.push(FieldError::invalid(&at, text, why));
        }
    });
}

/// Why it selects nothing. Models `CompileCELExpression` of `k8s.io/dynamic-resource-allocation/cel`.
fn selector_error(program: &str) -> Option<String> {
    let of_domains = |of: Type| Type::map(Type::Text, Type::map(Type::Text, of));
    let fields = [
        ("driver", Type::Text),
        ("attributes", of_domains(Type::Dyn)),
        ("capacity", of_domains(Type::Named("kubernetes.Quantity"))),
        ("allowMultipleAllocations", Type::Bool),
    ];
    let device = Type::object("kubernetes.DRADevice", fields.map(|(name, t)| (name.to_string(), t)));
    match cel::check_with_bindings(program, &[("device", device)]) {
        Err(why) => Some(format!("compilation failed: {why}")),
        Ok(checked) if matches!(checked.result, Type::Bool | Type::Dyn) => None,
        Ok(checked) => Some(format!("must evaluate to bool or the unknown type, not {}", checked.result)),
    }
}

/// Models `validateDeviceConfiguration`.
pub fn configuration(opaque: Option<&OpaqueDeviceConfiguration>, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("opaque");
    let Some(opaque) = opaque else { return errors.push(FieldError::required(&at, "")) };
    validate_driver_name(&opaque.driver, &at.child("driver"), errors);
    let (at, parameters) = (at.child("parameters"), &opaque.parameters.0);
    if parameters.is_null() {
        errors.push(FieldError::required(&at, ""));
    } else if parameters.to_string().len() > TEXT_MAX {
        errors.push(FieldError::too_long(&at, TEXT_MAX));
    } else if !parameters.is_object() {
        errors.push(FieldError::invalid(&at, "<value omitted>", "must be a valid JSON object"));
    }
}

/// The names of a claim's requests, with those of their alternatives.
pub type RequestNames<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Models `gatherRequestNames`.
pub fn request_names(spec: &ResourceClaimSpec) -> RequestNames<'_> {
    let requests = spec.devices.iter().flat_map(|d| d.requests.iter().flatten());
    requests.map(|r| (r.name.as_str(), r.first_available.iter().flatten().map(|s| s.name.as_str()).collect())).collect()
}

/// Models `validateRequestNameRef`.
pub fn request_reference(name: &str, known: &RequestNames<'_>, path: &Path, errors: &mut Vec<FieldError>) {
    let segments: Vec<&str> = name.split('/').collect();
    if segments.len() <= 2 {
        segments.iter().for_each(|s| label(s, path, errors));
    }
    let found = match segments.as_slice() {
        [request] => known.contains_key(request),
        [request, sub] => known.get(request).is_some_and(|subs| subs.contains(sub)),
        _ => false,
    };
    if !found {
        errors.push(FieldError::invalid(path, name, REQUEST_REFERENCE));
    }
}

fn references(names: Option<&Vec<String>>, known: &RequestNames<'_>, path: &Path, errors: &mut Vec<FieldError>) {
    list(names, LIST_MAX, path, errors, |n, at, errors| request_reference(n, known, at, errors));
    unique(names.into_iter().flatten().map(String::as_str), path, errors);
}

/// What an exact request and an alternative have in common.
fn asked(
    class: &str,
    of: Option<&Vec<DeviceSelector>>,
    mode: Option<&str>,
    count: Option<i64>,
    path: &Path,
    errors: &mut Vec<FieldError>,
) {
    let at = path.child("deviceClassName");
    match class.is_empty() {
        true => errors.push(FieldError::required(&at, "")),
        false => errors.extend(each(&at, class, dns1123_subdomain(class))),
    }
    selectors(of, &path.child("selectors"), errors);
    let (at, count) = (path.child("count"), count.unwrap_or(0));
    match mode.unwrap_or_default() {
        "All" if count != 0 => {
            errors.push(FieldError::invalid(&at, count, "must not be specified when allocationMode is 'All'"));
        }
        "ExactCount" if count <= 0 => errors.push(FieldError::invalid(&at, count, "must be greater than zero")),
        "All" | "ExactCount" => {}
        other => {
            errors.push(FieldError::not_supported(&path.child("allocationMode"), other, &["All", "ExactCount"]));
        }
    }
}

fn request(r: &DeviceRequest, path: &Path, errors: &mut Vec<FieldError>) {
    label(&r.name, &path.child("name"), errors);
    let listed = r.first_available.as_ref().is_some_and(|l| !l.is_empty());
    match (&r.exactly, listed) {
        (None, false) => {
            errors.push(FieldError::required(path, "exactly one of `exactly` or `firstAvailable` is required"));
        }
        (Some(_), true) => {
            let why = "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set";
            errors.push(FieldError::invalid(path, serde_json::Value::Null, why));
        }
        (Some(e), false) => {
            let (class, mode) = (&e.device_class_name, e.allocation_mode.as_deref());
            asked(class, e.selectors.as_ref(), mode, e.count, &path.child("exactly"), errors);
        }
        (None, true) => {
            let at = path.child("firstAvailable");
            list(r.first_available.as_ref(), ALTERNATIVES_MAX, &at, errors, |s, at, errors| {
                label(&s.name, &at.child("name"), errors);
                let (class, mode) = (&s.device_class_name, s.allocation_mode.as_deref());
                asked(class, s.selectors.as_ref(), mode, s.count, at, errors);
            });
            unique(r.first_available.iter().flatten().map(|s| s.name.as_str()), &at, errors);
        }
    }
}

fn constraint(c: &DeviceConstraint, known: &RequestNames<'_>, path: &Path, errors: &mut Vec<FieldError>) {
    references(c.requests.as_ref(), known, &path.child("requests"), errors);
    let at = path.child("matchAttribute");
    match &c.match_attribute {
        Some(name) => fully_qualified_name(name, &at, errors),
        None => errors.push(FieldError::required(&at, "")),
    }
}

/// Models `validateResourceClaimSpec`; `path` is the spec's.
pub fn validate(spec: &ResourceClaimSpec, path: &Path) -> Vec<FieldError> {
    let (mut errors, at, none) = (Vec::new(), path.child("devices"), DeviceClaim::default());
    let known = request_names(spec);
    let devices = spec.devices.as_ref().unwrap_or(&none);
    let requests = at.child("requests");
    list(devices.requests.as_ref(), LIST_MAX, &requests, &mut errors, request);
    unique(devices.requests.iter().flatten().map(|r| r.name.as_str()), &requests, &mut errors);
    list(devices.constraints.as_ref(), LIST_MAX, &at.child("constraints"), &mut errors, |c, at, errors| {
        constraint(c, &known, at, errors);
    });
    list(devices.config.as_ref(), LIST_MAX, &at.child("config"), &mut errors, |c, at, errors| {
        references(c.requests.as_ref(), &known, &at.child("requests"), errors);
        configuration(c.opaque.as_ref(), at, errors);
    });
    errors
}
