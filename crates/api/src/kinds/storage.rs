//! What the storage kinds share. Models `pkg/apis/core/v1/helper` and the common parts of the validation.

use super::pod;
use crate::validate::{each, names};
use k8s_openapi::api::core::v1::PersistentVolumeSpec;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{FieldError, Path, Quantity};
use serde::Serialize;

/// Names the class of a claim or a volume; older than the field, and stronger.
pub const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

const ACCESS_MODES: &[(&str, &str)] =
    &[("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];

/// `RWO,ROX`. Models `GetAccessModesAsString`.
pub fn access_modes_text(modes: Option<&Vec<String>>) -> String {
    let has = |m: &str| modes.is_some_and(|l| l.iter().any(|x| x == m));
    let short = ACCESS_MODES.iter().filter(|(long, _)| has(long)).map(|(_, short)| *short);
    short.collect::<Vec<_>>().join(",")
}

/// The class by annotation or field; empty when there is none.
pub fn class<'a>(meta: &'a ObjectMeta, field: Option<&'a String>) -> &'a str {
    let annotation = meta.annotations.as_ref().and_then(|a| a.get(CLASS_ANNOTATION));
    annotation.or(field).map_or("", |c| c.as_str())
}

pub fn validate_access_modes(modes: &[String], why: &str, path: &Path, errors: &mut Vec<FieldError>) {
    if modes.is_empty() {
        errors.push(FieldError::required(path, why));
    }
    let supported = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
    for m in modes.iter().filter(|m| !supported.contains(&m.as_str())) {
        errors.push(FieldError::not_supported(path, m.as_str(), &supported));
    }
    let single = modes.iter().any(|m| m == "ReadWriteOncePod");
    if single && modes.iter().any(|m| m != "ReadWriteOncePod" && supported.contains(&m.as_str())) {
        errors.push(FieldError::forbidden(path, "may not use ReadWriteOncePod with other access modes"));
    }
}

pub fn validate_volume_mode(mode: Option<&String>, path: &Path, errors: &mut Vec<FieldError>) {
    if let Some(m) = mode.filter(|m| !matches!(m.as_str(), "Block" | "Filesystem")) {
        errors.push(FieldError::not_supported(path, m.as_str(), &["Block", "Filesystem"]));
    }
}

/// Models `ValidatePositiveQuantityValue`.
pub fn validate_positive(q: &ApiQuantity, path: &Path, errors: &mut Vec<FieldError>) {
    let value = Quantity::of(q);
    if value.is_negative() || value.is_zero() {
        errors.push(FieldError::invalid(path, value.to_string(), "must be greater than zero"));
    }
}

pub fn validate_class_name(name: &str, path: &Path, errors: &mut Vec<FieldError>) {
    errors.extend(each(path, name, names::dns1123_subdomain(name)));
}

/// `<why>\n<difference>`, where anything that may not change did.
pub fn changed<T: Serialize>(path: &Path, why: &str, new: &T, old: &T) -> FieldError {
    let json = |v: &T| serde_json::to_vec(v).unwrap_or_default();
    FieldError::forbidden(path, format!("{why}\n{}", pod::diff::json(&json(old), &json(new))))
}

/// The sources of a volume: the spec without all else.
pub fn source_of(spec: &PersistentVolumeSpec) -> PersistentVolumeSpec {
    PersistentVolumeSpec {
        access_modes: None,
        capacity: None,
        claim_ref: None,
        mount_options: None,
        node_affinity: None,
        persistent_volume_reclaim_policy: None,
        storage_class_name: None,
        volume_attributes_class_name: None,
        volume_mode: None,
        ..spec.clone()
    }
}

/// Models `ValidateCSIDriverName`.
pub fn validate_driver_name(name: &str, path: &Path, errors: &mut Vec<FieldError>) {
    if name.is_empty() {
        errors.push(FieldError::required(path, ""));
    }
    if name.len() > 63 {
        errors.push(FieldError::too_long(path, 63));
    }
    let lower = name.to_ascii_lowercase();
    errors.extend(each(path, name, names::dns1123_subdomain(&lower)));
}
