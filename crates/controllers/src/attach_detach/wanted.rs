//! What pods need to have attached. Models `cache/desired_state_of_world.go` and `DetermineVolumeAction`.

use crate::persistent_volume::{claims_used_by, volume_name};
use crate::pods;
use k8s_openapi::api::core::v1::{
    self as core, CSIPersistentVolumeSource, Node, PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec, Pod,
};
use k8s_openapi::api::storage::v1::CSIDriver;
use meta::Key;
use reconcile::View;
use std::collections::BTreeMap;

const MANAGED: &str = "volumes.kubernetes.io/controller-managed-attach-detach";
const KEEP: &str = "volumes.kubernetes.io/keep-terminated-pod-volumes";

#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// Of the PersistentVolume; of a pod's own volume, the one that upstream makes up for it.
    pub name: String,
    pub driver: String,
    pub handle: String,
    /// Several nodes may have it.
    pub shared: bool,
    /// A pod's own volume, as a PersistentVolume would say it.
    pub inline: Option<PersistentVolumeSpec>,
}

fn has(node: &Node, annotation: &str) -> bool {
    let value = node.metadata.annotations.as_ref().and_then(|a| a.get(annotation));
    value.is_some_and(|v| v == "true")
}

/// The kubelet leaves it to this controller.
pub fn is_managed(node: &Node) -> bool {
    has(node, MANAGED)
}

/// A volume that is attached to nodes. `None`: there is none of that name, or it needs no attaching.
pub fn volume(view: &View, name: &str) -> Option<Volume> {
    let spec = view.get::<PersistentVolume>(&Key::from(name))?.spec.as_ref()?;
    let csi = spec.csi.as_ref().map(|c| (c.driver.as_str(), c.volume_handle.clone()));
    let (driver, handle) = csi.or_else(|| api::migrated::persistent(name, spec))?;
    if view.get::<CSIDriver>(&Key::from(driver)).is_some_and(|d| d.spec.attach_required == Some(false)) {
        return None;
    }
    // Models `IsMultiAttachAllowed`.
    let modes = spec.access_modes.as_deref().unwrap_or_default();
    let shared = modes.is_empty() || modes.iter().any(|m| matches!(m.as_str(), "ReadWriteMany" | "ReadOnlyMany"));
    Some(Volume { name: name.into(), driver: driver.into(), handle, shared, inline: None })
}

/// A disk of a cloud that the pod names itself. Models `TranslateInTreeInlineVolumeToCSI`.
fn inline(view: &View, v: &core::Volume, namespace: &str) -> Option<Volume> {
    let (driver, handle) = api::migrated::inline(v, namespace)?;
    if view.get::<CSIDriver>(&Key::from(driver)).is_some_and(|d| d.spec.attach_required == Some(false)) {
        return None;
    }
    let gce = v.gce_persistent_disk.as_ref().map(|s| (&s.pd_name, s.fs_type.clone()));
    let aws = || v.aws_elastic_block_store.as_ref().map(|s| (&s.volume_id, s.fs_type.clone()));
    let azure = || v.azure_disk.as_ref().map(|s| (&s.disk_name, s.fs_type.clone()));
    let file = || v.azure_file.as_ref().map(|s| (&s.share_name, None));
    let (name, fs_type) = gce.or_else(aws).or_else(azure).or_else(file).unwrap_or((&handle, None));
    let csi = CSIPersistentVolumeSource {
        driver: driver.into(),
        volume_handle: handle.clone(),
        fs_type,
        ..Default::default()
    };
    let spec =
        PersistentVolumeSpec { access_modes: Some(vec!["ReadWriteOnce".into()]), csi: Some(csi), ..Default::default() };
    let name = format!("{driver}-{name}");
    Some(Volume { name, driver: driver.into(), handle, shared: false, inline: Some(spec) })
}

/// The pod's volumes that are attached to nodes.
pub fn of_pod<'a>(view: &'a View, pod: &'a Pod) -> impl Iterator<Item = Volume> + 'a {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("");
    let claimed = claims_used_by(pod).filter_map(move |claim| {
        let claim = view.get::<PersistentVolumeClaim>(&Key::new(namespace, &claim))?;
        volume(view, volume_name(claim))
    });
    let own = pod.spec.iter().flat_map(|s| s.volumes.iter().flatten());
    claimed.chain(own.filter_map(move |v| inline(view, v, namespace)))
}

/// Models `IsPodTerminated`.
fn is_over(pod: &Pod) -> bool {
    if pods::is_terminal(pod) {
        return true;
    }
    let statuses = pod.status.iter().flat_map(|s| s.container_statuses.iter().flatten());
    let runs = |s: &k8s_openapi::api::core::v1::ContainerStatus| {
        s.state.as_ref().is_none_or(|s| s.terminated.is_none() && s.waiting.is_none())
    };
    pod.metadata.deletion_timestamp.is_some() && !statuses.into_iter().any(runs)
}

/// By PersistentVolume: the volume, and the pods on the node that use it.
pub fn on_node<'a>(view: &'a View, node: &str) -> BTreeMap<String, (Volume, Vec<&'a Pod>)> {
    let keep = view.get::<Node>(&Key::from(node)).is_some_and(|n| has(n, KEEP));
    let mut out: BTreeMap<String, (Volume, Vec<&Pod>)> = BTreeMap::new();
    for pod in view.pods_on_node(node).filter(|p| keep || !is_over(p)) {
        for v in of_pod(view, pod) {
            out.entry(v.name.clone()).or_insert_with(|| (v, Vec::new())).1.push(pod);
        }
    }
    out
}
