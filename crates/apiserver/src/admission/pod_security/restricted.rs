//! The restricted level: what hardened pods set. Models `policy/check_*.go`.

use super::baseline::{Check, added, proc_mount, seccomp_set, valid_seccomp};
use super::{Names, Subject, Violation, containers, plural, quoted, setters, violation};
use k8s_openapi::api::core::v1::Volume;

/// In the order of their names.
pub(super) const CHECKS: &[Check] = &[
    allow_privilege_escalation,
    capabilities,
    proc_mount_restricted,
    restricted_volumes,
    run_as_non_root,
    run_as_user,
    seccomp,
];

/// Checks of the baseline level that a stricter one stands for.
pub(super) fn overridden(version: u32) -> Vec<&'static str> {
    let since =
        [("capabilities_baseline", 22), ("hostPathVolumes", 0), ("procMount", 35), ("seccompProfile_baseline", 19)];
    since.into_iter().filter(|(_, since)| version >= *since).map(|(id, _)| id).collect()
}

fn allow_privilege_escalation(s: Subject<'_>, version: u32) -> Option<Violation> {
    if version < 8 || (version >= 25 && s.is_windows()) {
        return None;
    }
    let bad = s.containers().filter(|c| c.security.and_then(|s| s.allow_privilege_escalation) != Some(false));
    let bad: Vec<&str> = bad.map(|c| c.name).collect();
    if bad.is_empty() {
        return None;
    }
    let detail = format!("{} must set securityContext.allowPrivilegeEscalation=false", containers(&bad));
    violation("allowPrivilegeEscalation != false", detail)
}

fn capabilities(s: Subject<'_>, version: u32) -> Option<Violation> {
    if version < 22 || (version >= 25 && s.is_windows()) {
        return None;
    }
    let (mut keeping, mut adding, mut forbidden) = (Vec::new(), Vec::new(), Names::new());
    for c in s.containers() {
        let dropped = c.security.and_then(|s| s.capabilities.as_ref()?.drop.as_ref());
        if !dropped.is_some_and(|d| d.iter().any(|c| c == "ALL")) {
            keeping.push(c.name);
        }
        let wrong: Vec<&str> = added(&c).filter(|a| *a != "NET_BIND_SERVICE").collect();
        if !wrong.is_empty() {
            adding.push(c.name);
            forbidden.extend(wrong);
        }
    }
    let mut details = Vec::new();
    if !keeping.is_empty() {
        details.push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", containers(&keeping)));
    }
    if !adding.is_empty() {
        details.push(format!(
            "{} must not include {} in securityContext.capabilities.add",
            containers(&adding),
            quoted(forbidden)
        ));
    }
    if details.is_empty() { None } else { violation("unrestricted capabilities", details.join("; ")) }
}

fn proc_mount_restricted(s: Subject<'_>, version: u32) -> Option<Violation> {
    if version < 35 { None } else { proc_mount(s) }
}

/// `None`: a volume that anybody may have.
fn restricted_type(v: &Volume) -> Option<&'static str> {
    let free = v.config_map.is_some()
        || v.csi.is_some()
        || v.downward_api.is_some()
        || v.empty_dir.is_some()
        || v.ephemeral.is_some()
        || v.image.is_some()
        || v.persistent_volume_claim.is_some()
        || v.projected.is_some()
        || v.secret.is_some();
    if free {
        return None;
    }
    let types = [
        (v.host_path.is_some(), "hostPath"),
        (v.gce_persistent_disk.is_some(), "gcePersistentDisk"),
        (v.aws_elastic_block_store.is_some(), "awsElasticBlockStore"),
        (v.git_repo.is_some(), "gitRepo"),
        (v.nfs.is_some(), "nfs"),
        (v.iscsi.is_some(), "iscsi"),
        (v.glusterfs.is_some(), "glusterfs"),
        (v.rbd.is_some(), "rbd"),
        (v.flex_volume.is_some(), "flexVolume"),
        (v.cinder.is_some(), "cinder"),
        (v.cephfs.is_some(), "cephfs"),
        (v.flocker.is_some(), "flocker"),
        (v.fc.is_some(), "fc"),
        (v.azure_file.is_some(), "azureFile"),
        (v.vsphere_volume.is_some(), "vsphereVolume"),
        (v.quobyte.is_some(), "quobyte"),
        (v.azure_disk.is_some(), "azureDisk"),
        (v.photon_persistent_disk.is_some(), "photonPersistentDisk"),
        (v.portworx_volume.is_some(), "portworxVolume"),
        (v.scale_io.is_some(), "scaleIO"),
        (v.storageos.is_some(), "storageos"),
    ];
    Some(types.into_iter().find(|(is, _)| *is).map_or("unknown", |(_, name)| name))
}

fn restricted_volumes(s: Subject<'_>, _: u32) -> Option<Violation> {
    let (mut bad, mut types) = (Vec::new(), Names::new());
    for v in s.spec.volumes.iter().flatten() {
        if let Some(kind) = restricted_type(v) {
            bad.push(v.name.as_str());
            types.insert(kind);
        }
    }
    if bad.is_empty() {
        return None;
    }
    let (volumes, uses) = (plural("volume", "volumes", bad.len()), plural("uses", "use", bad.len()));
    let what = plural("restricted volume type", "restricted volume types", types.len());
    violation("restricted volume types", format!("{volumes} {} {uses} {what} {}", quoted(bad), quoted(types)))
}

fn run_as_non_root(s: Subject<'_>, version: u32) -> Option<Violation> {
    if version >= 35 && s.has_user_namespace() {
        return None;
    }
    const REASON: &str = "runAsNonRoot != true";
    let own = s.security().and_then(|c| c.run_as_non_root);
    let (mut explicit, mut implicit) = (Vec::new(), Vec::new());
    for c in s.containers() {
        match c.security.and_then(|s| s.run_as_non_root) {
            Some(false) => explicit.push(c.name),
            None if own != Some(true) => implicit.push(c.name),
            _ => {}
        }
    }
    if let Some(who) = setters(own == Some(false), &explicit) {
        return violation(REASON, format!("{who} must not set securityContext.runAsNonRoot=false"));
    }
    if implicit.is_empty() {
        return None;
    }
    violation(REASON, format!("pod or {} must set securityContext.runAsNonRoot=true", containers(&implicit)))
}

fn run_as_user(s: Subject<'_>, version: u32) -> Option<Violation> {
    if version < 23 || (version >= 35 && s.has_user_namespace()) {
        return None;
    }
    let own = s.security().and_then(|c| c.run_as_user) == Some(0);
    let bad = s.containers().filter(|c| c.security.and_then(|s| s.run_as_user) == Some(0));
    let bad: Vec<&str> = bad.map(|c| c.name).collect();
    let who = setters(own, &bad)?;
    violation("runAsUser=0", format!("{who} must not set runAsUser=0"))
}

fn seccomp(s: Subject<'_>, version: u32) -> Option<Violation> {
    if version < 19 || (version >= 25 && s.is_windows()) {
        return None;
    }
    if let Some(wrong) = seccomp_set(s) {
        return Some(wrong);
    }
    let own = s.security().and_then(|c| c.seccomp_profile.as_ref()).is_some_and(|p| valid_seccomp(&p.type_));
    let unset = s.containers().filter(|c| !own && c.security.is_none_or(|s| s.seccomp_profile.is_none()));
    let unset: Vec<&str> = unset.map(|c| c.name).collect();
    if unset.is_empty() {
        return None;
    }
    let detail = format!(
        "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
        containers(&unset)
    );
    violation("seccompProfile", detail)
}
