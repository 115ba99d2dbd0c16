//! Where volumes appear in a container. Models `ValidateVolumeMounts` and `ValidateVolumeDevices`.

use super::volumes;
use crate::validate::text;
use k8s_openapi::api::core::v1::{Container, Volume, VolumeMount};
use meta::{FieldError, Path};

/// `volumes` are those of the pod without fault.
pub fn mounts(c: &Container, volumes: &[&Volume], path: &Path, errors: &mut Vec<FieldError>) {
    let list = c.volume_mounts.as_deref().unwrap_or_default();
    let devices = c.volume_devices.as_deref().unwrap_or_default();
    for (i, m) in list.iter().enumerate() {
        let at = path.index(i);
        let name_at = at.child("name");
        if m.name.is_empty() {
            errors.push(FieldError::required(&name_at, ""));
        }
        if !volumes.iter().any(|v| v.name == m.name) {
            errors.push(FieldError::not_found(&name_at, m.name.as_str()));
        }
        let mount_at = at.child("mountPath");
        if m.mount_path.is_empty() {
            errors.push(FieldError::required(&mount_at, ""));
        }
        if list[..i].iter().any(|o| o.mount_path == m.mount_path) {
            errors.push(FieldError::invalid(&mount_at, m.mount_path.as_str(), "must be unique"));
        }
        if devices.iter().any(|d| d.name == m.name) {
            errors.push(FieldError::invalid(&name_at, m.name.as_str(), "must not already exist in volumeDevices"));
        }
        if devices.iter().any(|d| d.device_path == m.mount_path) {
            let why = "must not already exist as a path in volumeDevices";
            errors.push(FieldError::invalid(&mount_at, m.mount_path.as_str(), why));
        }
        sub_path(m, path, &at, errors);
        propagation(m, c, path, errors);
        recursive_read_only(m, &path.child("recursiveReadOnly"), errors);
    }
}

/// Upstream puts these errors on the list (`path`), not on the mount; so does this.
fn sub_path(m: &VolumeMount, path: &Path, at: &Path, errors: &mut Vec<FieldError>) {
    let (sub, expr) = (text(&m.sub_path), text(&m.sub_path_expr));
    if !sub.is_empty() {
        volumes::descending_path(sub, &path.child("subPath"), errors);
    }
    if !expr.is_empty() {
        if !sub.is_empty() {
            let why = "subPathExpr and subPath are mutually exclusive";
            errors.push(FieldError::invalid(&at.child("subPathExpr"), expr, why));
        }
        volumes::descending_path(expr, &path.child("subPathExpr"), errors);
    }
}

fn propagation(m: &VolumeMount, c: &Container, path: &Path, errors: &mut Vec<FieldError>) {
    let Some(mode) = m.mount_propagation.as_deref() else { return };
    let at = path.child("mountPropagation");
    let modes = ["Bidirectional", "HostToContainer", "None"];
    if !modes.contains(&mode) {
        errors.push(FieldError::not_supported(&at, mode, &modes));
    }
    let privileged = c.security_context.as_ref().and_then(|s| s.privileged) == Some(true);
    if mode == "Bidirectional" && !privileged {
        let why = "Bidirectional mount propagation is available only to privileged containers";
        errors.push(FieldError::forbidden(&at, why));
    }
}

/// Models `validateMountRecursiveReadOnly`.
fn recursive_read_only(m: &VolumeMount, path: &Path, errors: &mut Vec<FieldError>) {
    match m.recursive_read_only.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if m.read_only != Some(true) {
                errors.push(FieldError::forbidden(path, "may only be specified when readOnly is true"));
            }
            if m.mount_propagation.as_deref().is_some_and(|p| p != "None") {
                let why = "may only be specified when mountPropagation is None or not specified";
                errors.push(FieldError::forbidden(path, why));
            }
        }
        Some(other) => errors.push(FieldError::not_supported(path, other, &["Disabled", "Enabled", "IfPossible"])),
    }
}

pub fn devices(c: &Container, volumes: &[&Volume], path: &Path, errors: &mut Vec<FieldError>) {
    let list = c.volume_devices.as_deref().unwrap_or_default();
    let mounts = c.volume_mounts.as_deref().unwrap_or_default();
    let mut paths: Vec<&str> = Vec::new();
    for (i, d) in list.iter().enumerate() {
        let (name_at, path_at) = (path.index(i).child("name"), path.index(i).child("devicePath"));
        let invalid = |at: &Path, value: &str, why: &str| FieldError::invalid(at, value, why);
        if d.name.is_empty() {
            errors.push(FieldError::required(&name_at, ""));
        } else if list[..i].iter().any(|o| o.name == d.name) {
            errors.push(invalid(&name_at, &d.name, "must be unique"));
        }
        match volumes.iter().find(|v| v.name == d.name) {
            None => errors.push(FieldError::not_found(&name_at, d.name.as_str())),
            Some(v) if v.persistent_volume_claim.is_none() && v.ephemeral.is_none() => {
                let why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                errors.push(invalid(&name_at, &d.name, why));
            }
            Some(_) => {}
        }
        if d.device_path.is_empty() {
            errors.push(FieldError::required(&path_at, ""));
        }
        if paths.contains(&d.device_path.as_str()) {
            errors.push(invalid(&path_at, &d.device_path, "must be unique"));
        }
        if d.device_path.split('/').any(|s| s == "..") {
            errors.push(invalid(&path_at, &d.device_path, "can not contain backsteps ('..')"));
        } else {
            paths.push(&d.device_path);
        }
        if mounts.iter().any(|m| m.name == d.name) {
            errors.push(invalid(&name_at, &d.name, "must not already exist in volumeMounts"));
        }
        if mounts.iter().any(|m| m.mount_path == d.device_path) {
            errors.push(invalid(&path_at, &d.device_path, "must not already exist as a path in volumeMounts"));
        }
    }
}
