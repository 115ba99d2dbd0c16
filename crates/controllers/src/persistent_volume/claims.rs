//! One claim. Models `syncClaim`, `syncUnboundClaim`, `syncBoundClaim` and `provisionClaim`.

use super::{
    BETA_PROVISIONER, BIND_COMPLETED, BOUND_BY_CONTROLLER, PROVISIONER, SELECTED_NODE, annotation, bind, claim_class,
    claim_ref, is_bound_to, matching, patch, volume_name, warn,
};
use crate::pods;
use api::kinds::storage::CLASS_ANNOTATION;
use api::kinds::storageclass::{WAIT_FOR_FIRST_CONSUMER, default_of};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use meta::{Duration, Key};
use reconcile::{Cx, EventType, Intent, Outcome};
use serde_json::json;

/// Claims that wait are looked at again that often (`--pvclaimbinder-sync-period`).
const RESYNC: Duration = Duration::from_secs(15);

pub fn sync(cx: &Cx, claim: &PersistentVolumeClaim, out: &mut Outcome) {
    if annotation(&claim.metadata, BIND_COMPLETED).is_some() {
        bound(cx, claim, out);
    } else if volume_name(claim).is_empty() {
        out.requeue(RESYNC);
        unbound(cx, claim, out);
    } else {
        out.requeue(RESYNC);
        asks_for_one(cx, claim, out);
    }
}

fn class_of<'a>(cx: &Cx<'a>, claim: &PersistentVolumeClaim) -> Option<&'a StorageClass> {
    cx.view.get::<StorageClass>(&Key::from(claim_class(claim)))
}

/// The user does not care which volume it is.
fn unbound(cx: &Cx, claim: &PersistentVolumeClaim, out: &mut Outcome) {
    let class = class_of(cx, claim);
    let delayed = class.is_some_and(|c| c.volume_binding_mode.as_deref() == Some(WAIT_FOR_FIRST_CONSUMER));
    if let Some(volume) = matching::best(cx.view, claim, delayed) {
        return bind(cx, volume, claim, out);
    }
    if take_default_class(cx, claim, out) {
        return;
    }
    if delayed && annotation(&claim.metadata, SELECTED_NODE).is_none() {
        let (reason, message) = waits_for(cx, claim);
        out.push(Intent::event(claim, EventType::Normal, reason, message));
    } else if !claim_class(claim).is_empty() {
        return provision(claim, class, out);
    } else {
        let message = "no persistent volumes available for this claim and no storage class is set";
        out.push(Intent::event(claim, EventType::Normal, "FailedBinding", message));
    }
    set_phase(claim, "Pending", out);
}

/// A class that became the default after the claim was made. Models `assignDefaultStorageClass`.
fn take_default_class(cx: &Cx, claim: &PersistentVolumeClaim, out: &mut Outcome) -> bool {
    let has_field = claim.spec.as_ref().is_some_and(|s| s.storage_class_name.is_some());
    if has_field || annotation(&claim.metadata, CLASS_ANNOTATION).is_some() {
        return false;
    }
    let Some(class) = default_of(cx.view.list::<StorageClass>()) else { return false };
    out.push(patch(claim, "", json!({ "spec": { "storageClassName": class.metadata.name } })));
    true
}

/// Models `emitEventForUnboundDelayBindingClaim`.
fn waits_for(cx: &Cx, claim: &PersistentVolumeClaim) -> (&'static str, String) {
    let namespace = claim.metadata.namespace.as_deref().unwrap_or("");
    let name = claim.metadata.name.as_deref().unwrap_or("");
    let all = cx.view.list_in::<Pod>(namespace);
    let waiting =
        all.filter(|p| pods::node_name(p).is_empty() && !pods::is_terminal(p) && used_by(p).any(|n| n == name));
    let names: Vec<&str> = waiting.filter_map(|p| p.metadata.name.as_deref()).collect();
    match names.as_slice() {
        [] => ("WaitForFirstConsumer", "waiting for first consumer to be created before binding".into()),
        [one] => ("WaitForPodScheduled", format!("waiting for pod {one} to be scheduled")),
        many => ("WaitForPodScheduled", format!("waiting for pods {} to be scheduled", many.join(","))),
    }
}

/// The claims that the pod mounts, by name or as ephemeral volumes of its own.
pub(crate) fn used_by(pod: &Pod) -> impl Iterator<Item = String> {
    let own = pod.metadata.name.as_deref().unwrap_or("");
    pod.spec.iter().flat_map(|s| s.volumes.iter().flatten()).filter_map(move |v| match &v.persistent_volume_claim {
        Some(c) => Some(c.claim_name.clone()),
        None => v.ephemeral.as_ref().map(|_| format!("{own}-{}", v.name)),
    })
}

/// The CSI driver that took a plugin's place; models `k8s.io/csi-translation-lib/plugins`.
fn migrated(provisioner: &str) -> &str {
    match provisioner {
        "kubernetes.io/aws-ebs" => "ebs.csi.aws.com",
        "kubernetes.io/azure-disk" => "disk.csi.azure.com",
        "kubernetes.io/azure-file" => "file.csi.azure.com",
        "kubernetes.io/cinder" => "cinder.csi.openstack.org",
        "kubernetes.io/gce-pd" => "pd.csi.storage.gke.io",
        "kubernetes.io/portworx-volume" => "pxd.portworx.com",
        "kubernetes.io/vsphere-volume" => "csi.vsphere.vmware.com",
        other => other,
    }
}

/// Hands the claim to whoever makes volumes of its class.
fn provision(claim: &PersistentVolumeClaim, class: Option<&StorageClass>, out: &mut Outcome) {
    let Some(class) = class else {
        let message = format!("storageclass.storage.k8s.io {:?} not found", claim_class(claim));
        out.push(warn(claim, "ProvisioningFailed", message));
        return;
    };
    let provisioner = migrated(&class.provisioner);
    if provisioner.starts_with("kubernetes.io/") {
        // No provisioner is part of the controller any more.
        let message = format!("no volume plugin matched name: {provisioner}");
        out.push(warn(claim, "ProvisioningFailed", message));
        return;
    }
    if annotation(&claim.metadata, PROVISIONER) != Some(provisioner) {
        let annotations = json!({ PROVISIONER: provisioner, BETA_PROVISIONER: provisioner });
        out.push(patch(claim, "", json!({ "metadata": { "annotations": annotations } })));
    }
    let message = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the \
         system administrator. If volume creation is delayed, please verify that the provisioner is running and \
         correctly registered."
    );
    out.push(Intent::event(claim, EventType::Normal, "ExternalProvisioning", message));
}

/// The user names the volume.
fn asks_for_one(cx: &Cx, claim: &PersistentVolumeClaim, out: &mut Outcome) {
    let name = volume_name(claim);
    if let Some(volume) = cx.view.get::<PersistentVolume>(&Key::from(name)) {
        if is_bound_to(volume, claim) {
            return bind(cx, volume, claim, out);
        }
        if claim_ref(volume).is_none() {
            match matching::satisfies(volume, claim) {
                Ok(()) => return bind(cx, volume, claim, out),
                Err(why) => {
                    let message = format!("Cannot bind to requested volume {name:?}: {why}");
                    out.push(warn(claim, "VolumeMismatch", message));
                }
            }
        } else if annotation(&claim.metadata, BOUND_BY_CONTROLLER).is_none() {
            let message = format!("volume {name:?} already bound to a different claim.");
            out.push(warn(claim, "FailedBinding", message));
        }
    }
    set_phase(claim, "Pending", out);
}

/// A claim that was bound stays bound or is lost.
fn bound(cx: &Cx, claim: &PersistentVolumeClaim, out: &mut Outcome) {
    let lost = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!";
    let gone = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
    let misbound = "Two claims are bound to the same volume, this one is bound incorrectly";
    let (reason, why) = match volume_name(claim) {
        "" => ("ClaimLost", lost),
        name => match cx.view.get::<PersistentVolume>(&Key::from(name)) {
            None => ("ClaimLost", gone),
            Some(volume) => match claim_ref(volume) {
                None => return bind(cx, volume, claim, out),
                Some(r) if r.uid == claim.metadata.uid => return bind(cx, volume, claim, out),
                Some(_) => ("ClaimMisbound", misbound),
            },
        },
    };
    if set_phase(claim, "Lost", out) {
        out.push(warn(claim, reason, why));
    }
}

/// Models `updateClaimStatus` for phases without a volume. Whether the phase is a new one.
fn set_phase(claim: &PersistentVolumeClaim, phase: &str, out: &mut Outcome) -> bool {
    let new = claim.status.as_ref().and_then(|s| s.phase.as_deref()) != Some(phase);
    if new {
        let status = json!({ "phase": phase, "accessModes": null, "capacity": null });
        out.push(patch(claim, "status", json!({ "status": status })));
    }
    new
}
