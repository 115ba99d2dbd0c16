//! What pods mount, and what claims and volumes are bound to.

use super::{ROWS_MAX, id};
use cluster::Cluster;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Volume};
use meta::Key;
use protocol::ObjectId;
use protocol::panel::VolumeRow;

pub fn pod(cluster: &Cluster, pod: &Pod) -> Vec<VolumeRow> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("");
    let volumes = pod.spec.iter().flat_map(|s| s.volumes.iter().flatten()).take(ROWS_MAX);
    volumes.map(|v| mounted(cluster, namespace, pod, v)).collect()
}

fn mounted(cluster: &Cluster, namespace: &str, pod: &Pod, v: &Volume) -> VolumeRow {
    let ephemeral = v.ephemeral.as_ref().map(|_| format!("{}-{}", pod.metadata.name.as_deref().unwrap_or(""), v.name));
    let claim = v.persistent_volume_claim.as_ref().map(|c| c.claim_name.clone()).or(ephemeral);
    let mut row = VolumeRow { name: v.name.clone(), source: source(v), ..VolumeRow::default() };
    if let Some(name) = claim {
        let found = cluster.view().get::<PersistentVolumeClaim>(&Key::new(namespace, &name));
        row = VolumeRow { name: row.name, source: row.source, ..found.map(|c| bound(cluster, c)).unwrap_or_default() };
        row.claim = Some(id("v1", "PersistentVolumeClaim", namespace, &name));
    }
    row
}

/// `configMap web`: the source's field as a manifest has it, and what it names.
fn source(v: &Volume) -> String {
    let of = |kind: &str, name: Option<&str>| format!("{kind} {}", name.unwrap_or("")).trim_end().to_string();
    if let Some(c) = &v.config_map {
        return of("configMap", Some(&c.name));
    }
    if let Some(s) = &v.secret {
        return of("secret", s.secret_name.as_deref());
    }
    if let Some(p) = &v.persistent_volume_claim {
        return of("persistentVolumeClaim", Some(&p.claim_name));
    }
    if let Some(h) = &v.host_path {
        return of("hostPath", Some(&h.path));
    }
    if let Some(c) = &v.csi {
        return of("csi", Some(&c.driver));
    }
    if let Some(n) = &v.nfs {
        return of("nfs", Some(&format!("{}:{}", n.server, n.path)));
    }
    if let Some(i) = &v.image {
        return of("image", i.reference.as_deref());
    }
    let without = [
        (v.empty_dir.is_some(), "emptyDir"),
        (v.projected.is_some(), "projected"),
        (v.downward_api.is_some(), "downwardAPI"),
        (v.ephemeral.is_some(), "ephemeral"),
    ];
    without.iter().find(|(is, _)| *is).map(|(_, kind)| (*kind).to_string()).unwrap_or_default()
}

/// What a claim is bound to, without its own name.
fn bound(cluster: &Cluster, claim: &PersistentVolumeClaim) -> VolumeRow {
    let name = |n: &Option<String>| n.clone().unwrap_or_default();
    let key = format!("{}/{}", name(&claim.metadata.namespace), name(&claim.metadata.name));
    let volume = claim.spec.as_ref().and_then(|s| s.volume_name.clone()).filter(|n| !n.is_empty());
    VolumeRow {
        volume: volume.map(|n| id("v1", "PersistentVolume", "", &n)),
        class: class(claim.spec.as_ref().and_then(|s| s.storage_class_name.as_deref())),
        phase: claim.status.as_ref().and_then(|s| s.phase.clone()).unwrap_or_default(),
        full: cluster.full_volumes().any(|c| *c == key),
        key,
        ..VolumeRow::default()
    }
}

fn class(name: Option<&str>) -> Option<ObjectId> {
    name.filter(|n| !n.is_empty()).map(|n| id("storage.k8s.io/v1", "StorageClass", "", n))
}

pub fn claim(cluster: &Cluster, claim: &PersistentVolumeClaim) -> VolumeRow {
    let namespace = claim.metadata.namespace.as_deref().unwrap_or("");
    let name = claim.metadata.name.as_deref().unwrap_or("");
    VolumeRow { pods: users(cluster, namespace, name), ..bound(cluster, claim) }
}

pub fn volume(cluster: &Cluster, volume: &PersistentVolume) -> VolumeRow {
    let spec = volume.spec.as_ref();
    let claim = spec.and_then(|s| s.claim_ref.as_ref()).map(|r| {
        id("v1", "PersistentVolumeClaim", r.namespace.as_deref().unwrap_or(""), r.name.as_deref().unwrap_or(""))
    });
    VolumeRow {
        pods: claim.as_ref().map(|c| users(cluster, &c.namespace, &c.name)).unwrap_or_default(),
        claim,
        class: class(spec.and_then(|s| s.storage_class_name.as_deref())),
        phase: volume.status.as_ref().and_then(|s| s.phase.clone()).unwrap_or_default(),
        ..VolumeRow::default()
    }
}

/// Pods of the namespace that mount the claim.
fn users(cluster: &Cluster, namespace: &str, claim: &str) -> Vec<ObjectId> {
    let mounts = |p: &&Pod| {
        let volumes = p.spec.iter().flat_map(|s| s.volumes.iter().flatten());
        volumes.into_iter().any(|v| v.persistent_volume_claim.as_ref().is_some_and(|c| c.claim_name == claim))
    };
    let pods = cluster.view().list_in::<Pod>(namespace).filter(mounts).take(ROWS_MAX);
    pods.map(|p| id("v1", "Pod", namespace, p.metadata.name.as_deref().unwrap_or(""))).collect()
}
