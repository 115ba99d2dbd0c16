//! A pod's claims: the volumes bound to them, as directories of the node. Models `getPVCExtractPV` and `getPVSpec` of
//! `pkg/kubelet/volumemanager/populator`.

use super::{SyncCx, plugins};
use crate::runtime::MountSource;
use api::object::controller_of;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Volume};
use meta::Key;
use reconcile::View;

/// What such errors begin with; the pod's event then says more about all its volumes.
const PROCESSING: &str = "error processing PVC ";

/// The claim that the volume is; `None` for other volumes.
pub fn claim_name(pod: &Pod, v: &Volume) -> Option<String> {
    let own = pod.metadata.name.as_deref().unwrap_or("");
    match &v.persistent_volume_claim {
        Some(c) => Some(c.claim_name.clone()),
        None => v.ephemeral.as_ref().map(|_| format!("{own}-{}", v.name)),
    }
}

fn claim<'a>(pod: &Pod, v: &Volume, cx: &SyncCx<'a>) -> Option<Result<&'a PersistentVolumeClaim, String>> {
    let name = claim_name(pod, v)?;
    let ns = pod.metadata.namespace.as_deref().unwrap_or("");
    let Some(claim) = cx.view.get::<PersistentVolumeClaim>(&Key::new(ns, &name)) else {
        let why = format!("failed to fetch PVC from API server: persistentvolumeclaims {name:?} not found");
        return Some(Err(format!("{PROCESSING}{ns}/{name}: {why}")));
    };
    if v.ephemeral.is_some() && controller_of(&claim.metadata).map(|r| &r.uid) != pod.metadata.uid.as_ref() {
        let own = pod.metadata.name.as_deref().unwrap_or("");
        let why = format!("PVC {ns}/{name} was not created for pod {ns}/{own} (pod is not owner)");
        return Some(Err(format!("{PROCESSING}{ns}/{name}: {why}")));
    }
    Some(Ok(claim))
}

/// The volume behind a pod's volume, when that is a claim which is bound.
pub fn volume<'a>(pod: &Pod, v: &Volume, view: &'a View) -> Option<&'a PersistentVolume> {
    let name = claim_name(pod, v)?;
    let claim = view.get::<PersistentVolumeClaim>(&Key::new(pod.metadata.namespace.as_deref().unwrap_or(""), &name))?;
    let volume = claim.spec.as_ref()?.volume_name.as_deref().filter(|n| !n.is_empty())?;
    view.get(&Key::from(volume))
}

/// Before a pod starts: a claim that is on its way out takes no new pods.
///
/// # Errors
/// What the pod waits for.
pub fn check(pod: &Pod, v: &Volume, cx: &SyncCx) -> Result<(), String> {
    let Some(claim) = claim(pod, v, cx) else { return Ok(()) };
    let meta = &claim?.metadata;
    if meta.deletion_timestamp.is_none() {
        return Ok(());
    }
    let (ns, name) = (meta.namespace.as_deref().unwrap_or(""), meta.name.as_deref().unwrap_or(""));
    Err(format!("{PROCESSING}{ns}/{name}: can't start pod because PVC is being deleted"))
}

/// Where the content of a claim's volume is; `None` for volumes that are no claims.
///
/// # Errors
/// The claim has no volume, or one that this node cannot mount.
pub fn source(pod: &Pod, v: &Volume, cx: &SyncCx) -> Result<Option<MountSource>, String> {
    let Some(claim) = claim(pod, v, cx) else { return Ok(None) };
    let claim = claim?;
    let text = |s: &Option<String>| s.clone().unwrap_or_default();
    let wrong = |why: String| {
        let (ns, name) = (text(&claim.metadata.namespace), text(&claim.metadata.name));
        Err(format!("{PROCESSING}{ns}/{name}: {why}"))
    };
    let name = claim.spec.as_ref().and_then(|s| s.volume_name.as_deref()).unwrap_or("");
    if name.is_empty() || claim.status.as_ref().and_then(|s| s.phase.as_deref()) != Some("Bound") {
        return wrong("PVC is not bound".into());
    }
    let Some(volume) = cx.view.get::<PersistentVolume>(&Key::from(name)) else {
        return wrong(format!("failed to fetch PV {name} from API server: persistentvolumes {name:?} not found"));
    };
    let Some(spec) = &volume.spec else { return wrong(format!("PV {name} has no source")) };
    if let Some(h) = &spec.host_path {
        plugins::host_path(h, cx)?;
        return Ok(Some(MountSource::Host(h.path.clone())));
    }
    if let Some(l) = &spec.local {
        return Ok(Some(MountSource::Host(l.path.clone())));
    }
    if let Some(c) = &spec.csi {
        let driver = &c.driver;
        if cx.config.csi.iter().any(|p| p.driver == *driver) {
            return Ok(Some(MountSource::Disk(c.volume_handle.clone())));
        }
        return Err(no_client(driver));
    }
    Err(plugins::foreign(pod, name, spec))
}

/// The node has heard of no such driver.
pub fn no_client(driver: &str) -> String {
    format!(
        "kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name {driver} not found in the list of \
         registered CSI drivers"
    )
}

/// The FailedMount event's message.
pub fn failed_mount(volume: &str, why: &str) -> String {
    // Another step than the usual one has failed.
    if why.starts_with("MountVolume.") {
        return why.into();
    }
    if why.starts_with(PROCESSING) || why.starts_with(plugins::UNKNOWN) {
        return format!(
            "Unable to attach or mount volumes: unmounted volumes=[{volume}], unattached volumes=[], failed to process \
             volumes=[{volume}]: {why}"
        );
    }
    format!("MountVolume.SetUp failed for volume {volume:?} : {why}")
}
