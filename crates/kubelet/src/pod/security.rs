//! Who a container's processes are. Models `pkg/kubelet/kuberuntime/security_context.go`.

use super::{SyncCx, pod_desc};
use crate::runtime::Identity;
use k8s_openapi::api::core::v1::{Container, Pod, SecurityContext};
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
    let escalates = own.and_then(|s| s.allow_privilege_escalation);
    Ok(Identity {
        uid: user.unwrap_or(image),
        gid,
        groups,
        fs_group: of_pod.and_then(|s| s.fs_group),
        capabilities: own.map_or(DEFAULT_CAPABILITIES, capabilities),
        no_new_privileges: escalates == Some(false),
    })
}

/// By their numbers in `linux/capability.h`.
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];
/// What containerd gives a container that asks for nothing.
const DEFAULT_CAPABILITIES: u64 = 0xa804_25fb;

/// Models `WithCapabilities` of containerd's `internal/cri/opts`: all first, then what is added, then what is dropped.
fn capabilities(s: &SecurityContext) -> u64 {
    let all = (1 << CAPABILITIES.len()) - 1;
    if s.privileged == Some(true) {
        return all;
    }
    let list = |l: Option<&Vec<String>>| l.cloned().unwrap_or_default();
    let add = list(s.capabilities.as_ref().and_then(|c| c.add.as_ref()));
    let drop = list(s.capabilities.as_ref().and_then(|c| c.drop.as_ref()));
    let has_all = |l: &[String]| l.iter().any(|c| c.eq_ignore_ascii_case("ALL"));
    let bits = |l: &[String]| {
        let number = |c: &String| {
            let upper = c.to_ascii_uppercase();
            CAPABILITIES.iter().position(|n| *n == upper.strip_prefix("CAP_").unwrap_or(&upper))
        };
        l.iter().filter_map(number).fold(0u64, |bits, n| bits | 1 << n)
    };
    let mut out = if has_all(&add) { all } else { DEFAULT_CAPABILITIES };
    if has_all(&drop) {
        out = 0;
    }
    (out | bits(&add)) & !bits(&drop)
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

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::Capabilities;

    #[test]
    fn capabilities_of_the_documentations_example() {
        let of = |add: &[&str], drop: &[&str]| {
            let list = |l: &[&str]| Some(l.iter().map(|s| (*s).to_string()).collect());
            let c = Capabilities { add: list(add), drop: list(drop) };
            capabilities(&SecurityContext { capabilities: Some(c), ..Default::default() })
        };
        assert_eq!(of(&[], &[]), 0xa804_25fb);
        assert_eq!(of(&["NET_ADMIN", "SYS_TIME"], &[]), 0xaa04_35fb);
        assert_eq!(of(&["NET_BIND_SERVICE"], &["ALL"]), 1 << 10);
    }
}
