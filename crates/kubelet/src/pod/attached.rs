//! Volumes that have to be attached to the node before a pod can use them. Models `WaitForAttachAndMount` and
//! `VerifyControllerAttachedVolume` of `pkg/kubelet/volumemanager`.

use super::{PodWorker, SyncCx, events, persistent, plugins};
use api::migrated;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::storage::v1::CSIDriver;
use meta::{Duration, Key};
use reconcile::EventType::Warning;
use reconcile::View;
use trace::note;

/// `podAttachAndMountTimeout`
const PATIENCE: Duration = Duration::from_secs(123);

/// The pod's volumes that are attached to nodes: each volume's name in the pod, and in the statuses of nodes.
pub fn attachable(pod: &Pod, view: &View) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("");
    for v in plugins::used(pod) {
        let spec =
            persistent::volume(pod, v, view).and_then(|pv| Some((pv.metadata.name.as_deref()?, pv.spec.as_ref()?)));
        let migrated = migrated::inline(v, namespace).or_else(|| spec.and_then(|(n, s)| migrated::persistent(n, s)));
        let csi = spec.and_then(|(_, s)| s.csi.as_ref()).map(|c| (c.driver.as_str(), c.volume_handle.clone()));
        let Some((driver, handle)) = csi.or(migrated) else { continue };
        let object = view.get::<CSIDriver>(&Key::from(driver));
        if object.is_none_or(|d| d.spec.attach_required != Some(false)) {
            out.push((v.name.clone(), format!("kubernetes.io/csi/{driver}^{handle}")));
        }
    }
    out
}

impl PodWorker {
    /// Whether all that must be attached is, and the node has said that it will use it.
    pub fn has_disks(&mut self, pod: &Pod, cx: &mut SyncCx) -> bool {
        let status = cx.node.and_then(|n| n.status.as_ref());
        let ready = |name: &String| {
            status.is_some_and(|s| {
                s.volumes_attached.iter().flatten().any(|a| a.name == *name)
                    && s.volumes_in_use.iter().flatten().any(|u| u == name)
            })
        };
        let missing: Vec<String> =
            attachable(pod, cx.view).into_iter().filter(|(_, unique)| !ready(unique)).map(|(name, _)| name).collect();
        if missing.is_empty() {
            self.waits_since = None;
            return true;
        }
        let names = missing.join(" ");
        let since = *self.waits_since.get_or_insert_with(|| {
            cx.notes.push(note!("kubelet.waiting-for-attach", pod = &self.key, volumes = &names));
            cx.now
        });
        if since + PATIENCE <= cx.now {
            let message = format!(
                "Unable to attach or mount volumes: unmounted volumes=[{names}], unattached volumes=[{names}], failed to \
                 process volumes=[]: context deadline exceeded"
            );
            events::pod(cx, pod, Warning, "FailedMount", message);
            self.waits_since = Some(cx.now);
        }
        cx.wake_at(self.waits_since.unwrap_or(cx.now) + PATIENCE);
        false
    }
}
