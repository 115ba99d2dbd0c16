//! Who a container's processes are. Models `pkg/kubelet/kuberuntime/security_context.go`.

use super::{SyncCx, pod_desc};
use crate::runtime::Identity;
use k8s_openapi::api::core::v1::{Container, Pod};
use meta::Key;

/// # Errors
/// The container would run as root though it must not.
pub fn identity(pod: &Pod, c: &Container, cx: &SyncCx) -> Result<Identity, String> {
    let of_pod = pod.spec.as_ref().and_then(|s| s.security_context.as_ref());
    let own = c.security_context.as_ref();
    let user = own.and_then(|s| s.run_as_user).or_else(|| of_pod?.run_as_user);
    let group = own.and_then(|s| s.run_as_group).or_else(|| of_pod?.run_as_group);
    let image = cx.runtime.image_user(c.image.as_deref().unwrap_or(""));
    if own.and_then(|s| s.run_as_non_root).or_else(|| of_pod?.run_as_non_root) == Some(true) {
        let m = &pod.metadata;
        let key = Key::new(m.namespace.as_deref().unwrap_or(""), m.name.as_deref().unwrap_or(""));
        let desc = pod_desc(&key, m.uid.as_deref().unwrap_or(""));
        let place = format!("(pod: {desc:?}, container: {})", c.name);
        match (user, image) {
            (Some(0), _) => return Err(format!("container's runAsUser breaks non-root policy {place}")),
            (None, 0) => return Err(format!("container has runAsNonRoot and image will run as root {place}")),
            _ => {}
        }
    }
    let mut groups: Vec<i64> = of_pod.iter().flat_map(|s| s.supplemental_groups.iter().flatten()).copied().collect();
    groups.extend(of_pod.and_then(|s| s.fs_group));
    let gid = group.unwrap_or(0);
    groups.push(gid);
    groups.sort_unstable();
    groups.dedup();
    Ok(Identity { uid: user.unwrap_or(image), gid, groups })
}

const APPARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Profiles of a node's own are files that somebody has put there; a node of a simulation has none.
///
/// # Errors
/// containerd's words for an AppArmor or seccomp profile of type `Localhost`. Models `generateApparmorSpecOpts` of its
/// `internal/cri/server` and `WithProfile` of its `contrib/seccomp`.
pub fn profiles(pod: &Pod, c: &Container) -> Result<(), String> {
    let of_pod = pod.spec.as_ref().and_then(|s| s.security_context.as_ref());
    let own = c.security_context.as_ref();
    let armor = own.and_then(|s| s.app_armor_profile.as_ref()).or_else(|| of_pod?.app_armor_profile.as_ref());
    let named = armor.and_then(|p| p.localhost_profile.as_deref()).or_else(|| {
        let annotations = pod.metadata.annotations.as_ref().filter(|_| armor.is_none())?;
        annotations.get(&format!("{APPARMOR}{}", c.name))?.strip_prefix("localhost/")
    });
    if let Some(name) = named {
        return Err(format!(
            "failed to get container spec opts: failed to generate apparmor spec opts: apparmor profile not found {name}"
        ));
    }
    let seccomp = own.and_then(|s| s.seccomp_profile.as_ref()).or_else(|| of_pod?.seccomp_profile.as_ref());
    if let Some(name) = seccomp.and_then(|p| p.localhost_profile.as_deref()) {
        let file = format!("/var/lib/kubelet/seccomp/{name}");
        return Err(format!(
            "failed to create containerd container: cannot load seccomp profile {file:?}: open {file}: no such file or \
             directory"
        ));
    }
    Ok(())
}
