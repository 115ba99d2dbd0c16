//! The environment of a container. Models `ValidateEnv` and `ValidateEnvFrom` of `pkg/apis/core/validation`.

use super::volumes;
use crate::validate::{each, names, text};
use k8s_openapi::api::core::v1::{
    EnvFromSource, EnvVar, EnvVarSource, FileKeySelector, ObjectFieldSelector, PodSpec, ResourceFieldSelector,
};
use meta::{FieldError, Path, Quantity};

/// Models `ValidateEnv`.
pub fn env(list: &[EnvVar], path: &Path, errors: &mut Vec<FieldError>) {
    for (i, e) in list.iter().enumerate() {
        let at = path.index(i);
        if e.name.is_empty() {
            errors.push(FieldError::required(&at.child("name"), ""));
        } else {
            errors.extend(each(&at.child("name"), &e.name, names::env_var_name(&e.name)));
        }
        if let Some(from) = &e.value_from {
            value_from(from, text(&e.value), &at.child("valueFrom"), errors);
        }
    }
}

const ENV_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

fn value_from(from: &EnvVarSource, value: &str, path: &Path, errors: &mut Vec<FieldError>) {
    let mut sources = 0;
    if let Some(f) = &from.field_ref {
        sources += 1;
        field_selector(f, ENV_FIELDS, &path.child("fieldRef"), errors);
    }
    if let Some(r) = &from.resource_field_ref {
        sources += 1;
        resource_selector(r, false, &path.child("resourceFieldRef"), errors);
    }
    for (field, name, key) in [
        (
            "configMapKeyRef",
            from.config_map_key_ref.as_ref().map(|r| &r.name),
            from.config_map_key_ref.as_ref().map(|r| &r.key),
        ),
        ("secretKeyRef", from.secret_key_ref.as_ref().map(|r| &r.name), from.secret_key_ref.as_ref().map(|r| &r.key)),
    ] {
        let (Some(name), Some(key)) = (name, key) else { continue };
        sources += 1;
        let at = path.child(field);
        errors.extend(each(&at.child("name"), name, names::rule::subdomain(name, false)));
        if key.is_empty() {
            errors.push(FieldError::required(&at.child("key"), ""));
        } else {
            errors.extend(each(&at.child("key"), key, names::config_key(key)));
        }
    }
    if let Some(f) = &from.file_key_ref {
        sources += 1;
        file_key(f, &path.child("fileKeyRef"), errors);
    }
    if sources == 0 {
        let why =
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
        errors.push(FieldError::invalid(path, "", why));
    } else if !value.is_empty() {
        errors.push(FieldError::invalid(path, "", "may not be specified when `value` is not empty"));
    } else if sources > 1 {
        errors.push(FieldError::invalid(path, "", "may not have more than one field specified at a time"));
    }
}

/// Models `validateFileKeySelector`.
fn file_key(f: &FileKeySelector, path: &Path, errors: &mut Vec<FieldError>) {
    if f.key.is_empty() {
        errors.push(FieldError::required(&path.child("key"), ""));
    } else {
        errors.extend(each(&path.child("key"), &f.key, names::env_var_name(&f.key)));
    }
    if f.volume_name.is_empty() {
        errors.push(FieldError::required(&path.child("volumeName"), ""));
    } else {
        errors.extend(each(&path.child("volumeName"), &f.volume_name, names::dns1123_label(&f.volume_name)));
    }
    if f.path.is_empty() {
        errors.push(FieldError::required(&path.child("path"), ""));
    } else {
        volumes::backsteps(&f.path, &path.child("path"), errors);
    }
}

/// A `fileKeyRef` reads from an emptyDir of the pod. Models `validateFileKeyRefVolumes`.
pub fn file_key_volumes(spec: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
    for (c, at) in super::warnings::containers(spec, path) {
        for (i, e) in c.env.iter().flatten().enumerate() {
            let Some(f) = e.value_from.as_ref().and_then(|v| v.file_key_ref.as_ref()) else { continue };
            let at = at.child("env").index(i).child("valueFrom").child("fileKeyRef").child("volumeName");
            match spec.volumes.iter().flatten().rfind(|v| v.name == f.volume_name) {
                None => errors.push(FieldError::not_found(&at, f.volume_name.as_str())),
                Some(v) if v.empty_dir.is_none() => {
                    let why = "referenced volume must be of type emptyDir";
                    errors.push(FieldError::invalid(&at, f.volume_name.as_str(), why));
                }
                Some(_) => {}
            }
        }
    }
}

/// What the downward API knows, though not every place takes all of it. Models `ConvertDownwardAPIFieldLabel`.
fn internal_field(label: &str) -> Result<&str, String> {
    if let Some((field, _)) = subscripted(label) {
        return match field {
            "metadata.annotations" | "metadata.labels" => Ok(label),
            _ => Err(format!("field label does not support subscript: {label}")),
        };
    }
    let more = ["metadata.annotations", "metadata.labels", "spec.restartPolicy", "spec.schedulerName", "status.phase"];
    match label {
        // Written by clients from before v1.
        "spec.host" => Ok("spec.nodeName"),
        l if ENV_FIELDS.contains(&l) || more.contains(&l) => Ok(l),
        _ => Err(format!("field label not supported: {label}")),
    }
}

/// `metadata.labels['app']`. Models `fieldpath.SplitMaybeSubscriptedPath`.
fn subscripted(label: &str) -> Option<(&str, &str)> {
    label.strip_suffix("']")?.split_once("['").filter(|(field, _)| !field.is_empty())
}

/// Models `validateObjectFieldSelector`.
pub fn field_selector(f: &ObjectFieldSelector, supported: &[&str], path: &Path, errors: &mut Vec<FieldError>) {
    let version = text(&f.api_version);
    if version.is_empty() {
        errors.push(FieldError::required(&path.child("apiVersion"), ""));
        return;
    }
    let at = path.child("fieldPath");
    if f.field_path.is_empty() {
        errors.push(FieldError::required(&at, ""));
        return;
    }
    let known = match version {
        "v1" => internal_field(&f.field_path),
        other => Err(format!("unsupported pod version: {other}")),
    };
    let field = match known {
        Ok(field) => field,
        Err(e) => {
            let why = format!("error converting fieldPath: {e}");
            errors.push(FieldError::invalid(&at, f.field_path.as_str(), why));
            return;
        }
    };
    match subscripted(field) {
        Some(("metadata.annotations", key)) => {
            let key = key.to_lowercase();
            errors.extend(each(path, &key, names::qualified_name(&key)));
        }
        Some((_, key)) => errors.extend(each(path, key, names::qualified_name(key))),
        None if !supported.contains(&field) => errors.push(FieldError::not_supported(&at, field, supported)),
        None => {}
    }
}

const RESOURCE_FIELDS: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// Models `validateContainerResourceFieldSelector`.
pub fn resource_selector(r: &ResourceFieldSelector, volume: bool, path: &Path, errors: &mut Vec<FieldError>) {
    let huge = r.resource.starts_with("limits.hugepages-") || r.resource.starts_with("requests.hugepages-");
    if volume && text(&r.container_name).is_empty() {
        errors.push(FieldError::required(&path.child("containerName"), ""));
    } else if r.resource.is_empty() {
        errors.push(FieldError::required(&path.child("resource"), ""));
    } else if !RESOURCE_FIELDS.contains(&r.resource.as_str()) && !huge {
        errors.push(FieldError::not_supported(&path.child("resource"), r.resource.as_str(), RESOURCE_FIELDS));
    }
    let Some(divisor) = r.divisor.as_ref().map(Quantity::of).filter(|d| !d.is_zero()) else { return };
    let shown = divisor.to_string();
    let what = r.resource.split_once('.').map_or("", |p| p.1);
    if !huge && !RESOURCE_FIELDS.contains(&r.resource.as_str()) {
        return;
    }
    let (ok, why) = match what {
        "cpu" => (
            ["1m", "1"].contains(&shown.as_str()),
            "only divisor's values 1m and 1 are supported with the cpu resource".to_string(),
        ),
        _ => {
            let all = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
            let name = match what {
                "ephemeral-storage" => "local ephemeral storage",
                "memory" => "memory",
                _ => "hugepages",
            };
            let why = format!("only divisor's values {} are supported with the {name} resource", all.join(", "));
            (all.contains(&shown.as_str()), why)
        }
    };
    if !ok {
        errors.push(FieldError::invalid(&path.child("divisor"), r.resource.as_str(), why));
    }
}

/// Models `ValidateEnvFrom`.
pub fn env_from(list: &[EnvFromSource], path: &Path, errors: &mut Vec<FieldError>) {
    for (i, e) in list.iter().enumerate() {
        let at = path.index(i);
        let prefix = text(&e.prefix);
        if !prefix.is_empty() {
            errors.extend(each(&at.child("prefix"), prefix, names::env_var_name(prefix)));
        }
        let mut sources = 0;
        for (field, name) in [
            ("configMapRef", e.config_map_ref.as_ref().map(|r| &r.name)),
            ("secretRef", e.secret_ref.as_ref().map(|r| &r.name)),
        ] {
            let Some(name) = name else { continue };
            sources += 1;
            let at = at.child(field).child("name");
            if name.is_empty() {
                errors.push(FieldError::required(&at, ""));
            } else {
                errors.extend(each(&at, name, names::rule::subdomain(name, true)));
            }
        }
        if sources == 0 {
            errors.push(FieldError::invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
        } else if sources > 1 {
            errors.push(FieldError::invalid(path, "", "may not have more than one field specified at a time"));
        }
    }
}
