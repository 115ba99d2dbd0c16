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
