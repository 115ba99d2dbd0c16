//! One volume. Models `syncVolume` and `reclaimVolume`.

use super::{
    BOUND_BY_CONTROLLER, PROVISIONED_BY, annotation, claim_ref, claim_ref_key, matching, patch, set_phase, volume_name,
    warn,
};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use reconcile::{Cx, EventType, Intent, Outcome};
use serde_json::json;

pub fn sync(cx: &Cx, volume: &PersistentVolume, out: &mut Outcome) {
    let Some(r) = claim_ref(volume) else { return set_phase(cx, volume, "Available", "", out) };
    if r.uid.as_deref().unwrap_or("").is_empty() {
        // Reserved for a claim that is not bound yet.
        return set_phase(cx, volume, "Available", "", out);
    }
    let claim = cx.view.get::<PersistentVolumeClaim>(&claim_ref_key(r)).filter(|c| c.metadata.uid == r.uid);
    match claim {
        None => released(cx, volume, out),
        Some(claim) if volume_name(claim).is_empty() => {
            // The claim's own sync finishes the binding.
            if !matching::modes_agree(volume, claim) {
                let (v, c) = (name(&volume.metadata.name), name(&claim.metadata.name));
                let message = format!(
                    "Cannot bind PersistentVolume to requested PersistentVolumeClaim {c:?} due to incompatible volumeMode."
                );
                out.push(warn(volume, "VolumeMismatch", message));
                let message = format!(
                    "Cannot bind PersistentVolume {v:?} to requested PersistentVolumeClaim due to incompatible volumeMode."
                );
                out.push(warn(claim, "VolumeMismatch", message));
            }
        }
        Some(claim) if Some(volume_name(claim)) == volume.metadata.name.as_deref() => {
            set_phase(cx, volume, "Bound", "", out);
        }
        // The claim took another volume.
        Some(_) => {
            let made = annotation(&volume.metadata, PROVISIONED_BY).is_some();
            if made && policy(volume) == "Delete" {
                released(cx, volume, out);
            } else {
                unbind(cx, volume, out);
            }
        }
    }
}

fn name(n: &Option<String>) -> &str {
    n.as_deref().unwrap_or("")
}

fn policy(volume: &PersistentVolume) -> &str {
    volume.spec.as_ref().and_then(|s| s.persistent_volume_reclaim_policy.as_deref()).unwrap_or("Retain")
}

/// Models `unbindVolume`: a reservation that the user made is kept, without the UID.
fn unbind(cx: &Cx, volume: &PersistentVolume, out: &mut Outcome) {
    let change = if annotation(&volume.metadata, BOUND_BY_CONTROLLER).is_some() {
        json!({ "metadata": { "annotations": { BOUND_BY_CONTROLLER: null } }, "spec": { "claimRef": null } })
    } else {
        json!({ "spec": { "claimRef": { "uid": null } } })
    };
    out.push(patch(volume, "", change));
    set_phase(cx, volume, "Available", "", out);
}

/// The claim is gone. What becomes of the volume is its reclaim policy's.
fn released(cx: &Cx, volume: &PersistentVolume, out: &mut Outcome) {
    let phase = volume.status.as_ref().and_then(|s| s.phase.as_deref());
    if !matches!(phase, Some("Released" | "Failed")) {
        set_phase(cx, volume, "Released", "", out);
    }
    let Some(spec) = &volume.spec else { return };
    match policy(volume) {
        "Recycle" if spec.host_path.is_some() || spec.nfs.is_some() => {
            out.push(Intent::event(volume, EventType::Normal, "VolumeRecycled", "Volume recycled"));
            unbind(cx, volume, out);
        }
        "Recycle" => fail(cx, volume, "VolumeFailedRecycle", "No recycler plugin found for the volume!", out),
        // Whoever made it deletes it.
        "Delete" if annotation(&volume.metadata, PROVISIONED_BY).is_some() || spec.csi.is_some() => {}
        "Delete" => match &spec.host_path {
            Some(h) if h.path.starts_with("/tmp/") && h.path.len() > "/tmp/".len() => {
                if volume.metadata.deletion_timestamp.is_none() {
                    out.push(Intent::delete(volume));
                }
            }
            Some(h) => {
                let why = format!("host_path deleter only supports /tmp/.+ but received provided {}", h.path);
                fail(cx, volume, "VolumeFailedDelete", &why, out);
            }
            None => {
                let name = name(&volume.metadata.name);
                let why = format!(
                    "error getting deleter volume plugin for volume {name:?}: no deletable volume plugin matched"
                );
                fail(cx, volume, "VolumeFailedDelete", &why, out);
            }
        },
        _ => {}
    }
}

/// Models `updateVolumePhaseWithEvent`: said once.
fn fail(cx: &Cx, volume: &PersistentVolume, reason: &str, why: &str, out: &mut Outcome) {
    let said = volume.status.as_ref().is_some_and(|s| s.phase.as_deref() == Some("Failed"));
    set_phase(cx, volume, "Failed", why, out);
    if !said {
        out.push(warn(volume, reason, why));
    }
}
