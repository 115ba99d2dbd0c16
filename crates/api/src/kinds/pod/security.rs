//! Security contexts. Models `ValidateSecurityContext` and `validatePodSpecSecurityContext`.

use super::volumes;
use crate::validate::{invalid_json, names};
use k8s_openapi::api::core::v1::{PodSpec, SeccompProfile, SecurityContext};
use meta::{FieldError, Path};

const ID_MAX: i64 = 0xffff_ffff;

fn id(value: Option<i64>, path: &Path, errors: &mut Vec<FieldError>) {
    if let Some(v) = value.filter(|v| !(0..=ID_MAX).contains(v)) {
        errors.push(FieldError::invalid(path, v, names::between(0, ID_MAX)));
    }
}

pub fn container(sc: Option<&SecurityContext>, host_users: bool, path: &Path, errors: &mut Vec<FieldError>) {
    let Some(sc) = sc else { return };
    id(sc.run_as_user, &path.child("runAsUser"), errors);
    id(sc.run_as_group, &path.child("runAsGroup"), errors);
    if let Some(p) = sc.proc_mount.as_deref() {
        let at = path.child("procMount");
        if !["Default", "Unmasked"].contains(&p) {
            errors.push(FieldError::not_supported(&at, p, &["Default", "Unmasked"]));
        }
        if host_users && p == "Unmasked" {
            errors.push(FieldError::invalid(&at, p, "`hostUsers` must be false to use `Unmasked`"));
        }
    }
    seccomp(sc.seccomp_profile.as_ref(), &path.child("seccompProfile"), errors);
    if sc.allow_privilege_escalation == Some(false) {
        if sc.privileged == Some(true) {
            let why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.push(invalid_json(path, sc, why));
        }
        let added = sc.capabilities.as_ref().and_then(|c| c.add.as_deref()).unwrap_or_default();
        if added.iter().any(|c| c == "CAP_SYS_ADMIN") {
            let why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.push(invalid_json(path, sc, why));
        }
    }
}

fn seccomp(profile: Option<&SeccompProfile>, path: &Path, errors: &mut Vec<FieldError>) {
    let Some(p) = profile else { return };
    let types = ["Localhost", "RuntimeDefault", "Unconfined"];
    if p.type_.is_empty() {
        errors.push(FieldError::required(&path.child("type"), "type is required when seccompProfile is set"));
    } else if !types.contains(&p.type_.as_str()) {
        errors.push(FieldError::not_supported(&path.child("type"), p.type_.as_str(), &types));
    }
    let at = path.child("localhostProfile");
    match (p.type_.as_str(), &p.localhost_profile) {
        ("Localhost", None) => errors.push(FieldError::required(&at, "must be set when seccomp type is Localhost")),
        ("Localhost", Some(file)) => volumes::descending_path(file, &at, errors),
        (_, Some(_)) => errors.push(invalid_json(&at, p, "can only be set when seccomp type is Localhost")),
        (_, None) => {}
    }
}

/// The pod's own context and the host namespaces. `path` is the spec's.
pub fn pod(spec: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("securityContext");
    if let Some(sc) = &spec.security_context {
        id(sc.fs_group, &at.child("fsGroup"), errors);
        id(sc.run_as_user, &at.child("runAsUser"), errors);
        id(sc.run_as_group, &at.child("runAsGroup"), errors);
        for (i, g) in sc.supplemental_groups.iter().flatten().enumerate() {
            id(Some(*g), &at.child("supplementalGroups").index(i), errors);
        }
        for (field, value, supported) in [
            ("fsGroupChangePolicy", &sc.fs_group_change_policy, ["Always", "OnRootMismatch"]),
            ("supplementalGroupsPolicy", &sc.supplemental_groups_policy, ["Merge", "Strict"]),
        ] {
            if let Some(v) = value.as_deref().filter(|v| !supported.contains(v)) {
                errors.push(FieldError::not_supported(&at.child(field), v, &supported));
            }
        }
        sysctls(spec, &at.child("sysctls"), errors);
        seccomp(sc.seccomp_profile.as_ref(), &at.child("seccompProfile"), errors);
    }
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        let why = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.push(FieldError::invalid(&path.child("shareProcessNamespace"), true, why));
    }
    if spec.host_users == Some(false) {
        for (field, set) in [("hostNetwork", spec.host_network), ("HostPID", spec.host_pid), ("HostIPC", spec.host_ipc)]
        {
            if set == Some(true) {
                errors.push(FieldError::forbidden(&path.child(field), "when `pod.Spec.HostUsers` is false"));
            }
        }
    }
    if let Some(os) = &spec.os {
        let at = path.child("os");
        if os.name.is_empty() {
            errors.push(FieldError::required(&at.child("name"), "cannot be empty"));
        } else if !["linux", "windows"].contains(&os.name.as_str()) {
            errors.push(FieldError::not_supported(&at, os.name.as_str(), &["linux", "windows"]));
        }
    }
}

fn sysctls(spec: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
    const FORMAT: &str = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
    let list = spec.security_context.as_ref().and_then(|s| s.sysctls.as_deref()).unwrap_or_default();
    let segment = |s: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        edge(s.chars().next())
            && edge(s.chars().next_back())
            && s.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-_".contains(&c))
    };
    for (i, s) in list.iter().enumerate() {
        let at = path.index(i).child("name");
        if s.name.is_empty() {
            errors.push(FieldError::required(&at, ""));
        } else if s.name.len() > 253 || !s.name.split(['.', '/']).all(segment) {
            let why = format!("must have at most 253 characters and match regex ^{FORMAT}$");
            errors.push(FieldError::invalid(&at, s.name.as_str(), why));
        } else if list[..i].iter().any(|o| o.name == s.name) {
            errors.push(FieldError::duplicate(&at, s.name.as_str()));
        }
    }
}
