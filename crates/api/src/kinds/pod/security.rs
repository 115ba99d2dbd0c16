//! Security contexts. Models `ValidateSecurityContext` and `validatePodSpecSecurityContext`.

use super::volumes;
use crate::validate::{invalid_json, names};
use k8s_openapi::api::core::v1::{AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext};
use meta::{FieldError, Path};

const ID_MAX: i64 = 0xffff_ffff;
/// Sysctls by the kernel namespace they belong to. Models `component-helpers/node/util/sysctl`.
const NET_SYSCTLS: &[&str] = &["net."];
const IPC_SYSCTLS: &[&str] = &["fs.mqueue.", "kernel.msg", "kernel.sem", "kernel.shm"];

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
    app_armor(sc.app_armor_profile.as_ref(), &path.child("appArmorProfile"), errors);
}

/// Models `ValidateAppArmorProfileField`.
pub fn app_armor(profile: Option<&AppArmorProfile>, path: &Path, errors: &mut Vec<FieldError>) {
    let Some(p) = profile else { return };
    let at = path.child("localhostProfile");
    let missing = "must be set when AppArmor type is Localhost";
    match (p.type_.as_str(), &p.localhost_profile) {
        ("Localhost", None) => errors.push(FieldError::required(&at, missing)),
        ("Localhost", Some(file)) => {
            if file.trim() != file {
                errors.push(FieldError::invalid(&at, file.as_str(), "must not be padded with whitespace"));
            } else if file.is_empty() {
                errors.push(FieldError::required(&at, missing));
            }
            if file.len() > 4095 {
                errors.push(FieldError::too_long(&at, 4095));
            }
        }
        ("RuntimeDefault" | "Unconfined", Some(file)) => {
            let why = "can only be set when AppArmor type is Localhost";
            errors.push(FieldError::invalid(&at, file.as_str(), why));
        }
        ("RuntimeDefault" | "Unconfined", None) => {}
        ("", _) => {
            errors.push(FieldError::required(&path.child("type"), "type is required when appArmorProfile is set"))
        }
        (other, _) => {
            let types = ["Localhost", "RuntimeDefault", "Unconfined"];
            errors.push(FieldError::not_supported(&path.child("type"), other, &types));
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

/// The pod's own context. `path` is the spec's. Models `validatePodSpecSecurityContext`.
pub fn pod(spec: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("securityContext");
    let none = PodSecurityContext::default();
    let sc = spec.security_context.as_ref().unwrap_or(&none);
    id(sc.fs_group, &at.child("fsGroup"), errors);
    id(sc.run_as_user, &at.child("runAsUser"), errors);
    id(sc.run_as_group, &at.child("runAsGroup"), errors);
    for (i, g) in sc.supplemental_groups.iter().flatten().enumerate() {
        id(Some(*g), &at.child("supplementalGroups").index(i), errors);
    }
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        // Upstream's internal type has this field in the security context.
        let why = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.push(FieldError::invalid(&at.child("shareProcessNamespace"), true, why));
    }
    sysctls(spec, &at.child("sysctls"), errors);
    let one_of = |field: &str, value: &Option<String>, supported: &[&str], errors: &mut Vec<FieldError>| {
        if let Some(v) = value.as_deref().filter(|v| !supported.contains(v)) {
            errors.push(FieldError::not_supported(&at.child(field), v, supported));
        }
    };
    one_of("fsGroupChangePolicy", &sc.fs_group_change_policy, &["Always", "OnRootMismatch"], errors);
    seccomp(sc.seccomp_profile.as_ref(), &at.child("seccompProfile"), errors);
    app_armor(sc.app_armor_profile.as_ref(), &at.child("appArmorProfile"), errors);
    one_of("supplementalGroupsPolicy", &sc.supplemental_groups_policy, &["Merge", "Strict"], errors);
    // Without the SELinuxMount feature, which is off, only recursive relabeling may be asked for.
    one_of("seLinuxChangePolicy", &sc.se_linux_change_policy, &["Recursive"], errors);
}

/// Models `validateHostUsers`.
pub fn host_users(spec: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
    if spec.host_users != Some(false) {
        return;
    }
    for (field, set) in [("hostNetwork", spec.host_network), ("HostPID", spec.host_pid), ("HostIPC", spec.host_ipc)] {
        if set == Some(true) {
            errors.push(FieldError::forbidden(&path.child(field), "when `hostUsers` is false"));
        }
    }
    for (c, at) in super::warnings::containers(spec, path) {
        if c.volume_devices.as_ref().is_some_and(|d| !d.is_empty()) {
            errors.push(FieldError::forbidden(&at.child("volumeDevices"), "when `hostUsers` is false"));
        }
    }
}

/// Models `validateOS` and `validateLinux`.
pub fn os(spec: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let Some(os) = &spec.os else { return };
    let at = path.child("os");
    match os.name.as_str() {
        "" => errors.push(FieldError::required(&at.child("name"), "")),
        "linux" => {
            let why = "windows options cannot be set for a linux pod";
            if spec.security_context.as_ref().is_some_and(|s| s.windows_options.is_some()) {
                errors.push(FieldError::forbidden(&path.child("securityContext").child("windowsOptions"), why));
            }
            for (c, at) in super::warnings::containers(spec, path) {
                if c.security_context.as_ref().is_some_and(|s| s.windows_options.is_some()) {
                    errors.push(FieldError::forbidden(&at.child("securityContext").child("windowsOptions"), why));
                }
            }
        }
        "windows" => {}
        other => errors.push(FieldError::not_supported(&at, other, &["linux", "windows"])),
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
        let name = s.name.replace('/', ".");
        for (shared, prefixes, field) in
            [(spec.host_network, NET_SYSCTLS, "hostNetwork"), (spec.host_ipc, IPC_SYSCTLS, "hostIPC")]
        {
            if shared == Some(true) && prefixes.iter().any(|p| name.starts_with(p)) {
                let why = format!("may not be specified when '{field}' is true");
                errors.push(FieldError::invalid(&at, s.name.as_str(), why));
            }
        }
    }
}
