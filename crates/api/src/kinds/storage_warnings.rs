//! Warnings about volumes, claims and classes. Models `pkg/api/{persistentvolume,persistentvolumeclaim,storage}/util.go`.

use super::pod::warnings::{deprecated_node_label, fraction, node_term};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Path;

const CLASS: (&str, &str) =
    ("volume.beta.kubernetes.io/storage-class", "deprecated since v1.8; use \"storageClassName\" attribute instead");
const MOUNT_OPTIONS: (&str, &str) =
    ("volume.beta.kubernetes.io/mount-options", "deprecated since v1.31; use \"mountOptions\" attribute instead");

fn annotation(m: &ObjectMeta, (key, why): (&str, &str)) -> Option<String> {
    m.annotations.as_ref()?.get(key)?;
    Some(format!("{}: {why}", Path::new("metadata").child("annotations").key(key)))
}

pub fn volume(o: &PersistentVolume) -> Vec<String> {
    let mut out: Vec<String> = [CLASS, MOUNT_OPTIONS].into_iter().filter_map(|a| annotation(&o.metadata, a)).collect();
    let Some(spec) = &o.spec else { return out };
    let at = Path::new("spec");
    if spec.persistent_volume_reclaim_policy.as_deref() == Some("Recycle") {
        out.push(format!(
            "{}: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
            at.child("persistentVolumeReclaimPolicy")
        ));
    }
    let terms = at.child("nodeAffinity").child("required").child("nodeSelectorTerms");
    let required = spec.node_affinity.as_ref().and_then(|a| a.required.as_ref());
    for (i, t) in required.into_iter().flat_map(|r| &r.node_selector_terms).enumerate() {
        node_term(t, &terms.index(i), &mut out);
    }
    let storage = spec.capacity.as_ref().and_then(|c| c.get("storage"));
    fraction(storage, &at.child("capacity").key("storage"), &mut out);
    for (said, field, why) in [
        (spec.cephfs.is_some(), "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
        (
            spec.photon_persistent_disk.is_some(),
            "photonPersistentDisk",
            "deprecated in v1.11, non-functional in v1.16+",
        ),
        (spec.rbd.is_some(), "rbd", "deprecated in v1.28, non-functional in v1.31+"),
        (spec.scale_io.is_some(), "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
        (spec.storageos.is_some(), "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
        (spec.glusterfs.is_some(), "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ] {
        if said {
            out.push(format!("{}: {why}", at.child(field)));
        }
    }
    out
}

pub fn claim(o: &PersistentVolumeClaim) -> Vec<String> {
    let mut out: Vec<String> = annotation(&o.metadata, CLASS).into_iter().collect();
    if let Some(spec) = &o.spec {
        claim_spec(spec, &Path::new("spec"), &mut out);
    }
    out
}

pub fn claim_spec(spec: &PersistentVolumeClaimSpec, at: &Path, out: &mut Vec<String>) {
    let Some(r) = &spec.resources else { return };
    for (field, list) in [("requests", &r.requests), ("limits", &r.limits)] {
        let q = list.as_ref().and_then(|l| l.get("storage"));
        fraction(q, &at.child("resources").child(field).key("storage"), out);
    }
}

pub fn class(o: &StorageClass) -> Vec<String> {
    let at = Path::new("allowedTopologies");
    let mut out = Vec::new();
    for (i, t) in o.allowed_topologies.iter().flatten().enumerate() {
        for (j, e) in t.match_label_expressions.iter().flatten().enumerate() {
            if let Some(why) = deprecated_node_label(&e.key) {
                let at = at.index(i).child("matchLabelExpressions").index(j).child("key");
                out.push(format!("{at}: {} is {why}", e.key));
            }
        }
    }
    out
}
