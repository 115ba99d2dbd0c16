//! File systems of the pod's volumes grow when their disks have. Models `NodeExpandVolume` of
//! `pkg/volume/util/operationexecutor`.

use super::{PodWorker, SyncCx, persistent};
use api::Registered;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use meta::{Key, Quantity};
use reconcile::EventType::Normal;
use reconcile::Intent;
use serde_json::json;

/// Whether the claim waits for a node to finish what its driver began.
pub fn is_pending(claim: &PersistentVolumeClaim) -> bool {
    let conditions = claim.status.iter().flat_map(|s| s.conditions.iter().flatten());
    conditions.into_iter().any(|c| c.type_ == "FileSystemResizePending" && c.status == "True")
}

/// Whether a volume of the pod is this claim.
pub fn uses(pod: &Pod, claim: &str) -> bool {
    let volumes = pod.spec.iter().flat_map(|s| s.volumes.iter().flatten());
    volumes.into_iter().any(|v| persistent::claim_name(pod, v).as_deref() == Some(claim))
}

impl PodWorker {
    pub fn expand_volumes(&self, pod: &Pod, cx: &mut SyncCx) {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("");
        for v in pod.spec.iter().flat_map(|s| s.volumes.iter().flatten()) {
            let Some(name) = persistent::claim_name(pod, v) else { continue };
            let key = Key::new(namespace, &name);
            let Some(claim) = cx.view.get::<PersistentVolumeClaim>(&key).filter(|c| is_pending(c)) else { continue };
            let Some(volume) = persistent::volume(pod, v, cx.view) else { continue };
            let Some(size) = volume.spec.as_ref().and_then(|s| s.capacity.as_ref()?.get("storage")) else { continue };
            let now = claim.status.as_ref().and_then(|s| s.capacity.as_ref()?.get("storage"));
            if now.is_some_and(|n| Quantity::of(n) >= Quantity::of(size)) {
                continue;
            }
            let kept = claim.status.iter().flat_map(|s| s.conditions.iter().flatten());
            let kept: Vec<_> =
                kept.filter(|c| !matches!(c.type_.as_str(), "Resizing" | "FileSystemResizePending")).collect();
            let status = json!({ "status": {
                "capacity": { "storage": size },
                "conditions": (!kept.is_empty()).then_some(kept),
                "allocatedResourceStatuses": null,
            } });
            cx.intents.push(Intent::patch(PersistentVolumeClaim::KIND_REF, key, "status", status));
            let volume = volume.metadata.name.as_deref().unwrap_or("");
            let message = format!("MountVolume.NodeExpandVolume succeeded for volume {volume:?} {}", cx.config.name);
            cx.intents.push(Intent::event(pod, Normal, "FileSystemResizeSuccessful", message.clone()));
            cx.intents.push(Intent::event(claim, Normal, "FileSystemResizeSuccessful", message));
        }
    }
}
