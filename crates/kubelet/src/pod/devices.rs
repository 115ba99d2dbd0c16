//! Devices of the pod's claims: they are asked of their drivers before the sandbox is made. Models `PrepareResources` of
//! `pkg/kubelet/cm/dra`. A driver that offers devices in ResourceSlices counts as registered, and prepares what it is asked.

use super::SyncCx;
use api::object::controller_of;
use k8s_openapi::api::core::v1::{Pod, PodResourceClaim};
use k8s_openapi::api::resource::v1::{ResourceClaim, ResourceSlice};
use meta::Key;

/// Whether all that was allocated to the pod can be used.
///
/// # Errors
/// What the FailedPrepareDynamicResources event says.
pub fn prepare(pod: &Pod, cx: &SyncCx) -> Result<(), String> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    for entry in pod.spec.iter().flat_map(|s| s.resource_claims.iter().flatten()) {
        let Some((name, generated)) = claim_name(pod, entry)? else { continue };
        let claim = cx
            .view
            .get::<ResourceClaim>(&Key::new(namespace, name))
            .ok_or_else(|| format!("fetch ResourceClaim {name}: resourceclaims.resource.k8s.io {name:?} not found"))?;
        let (pod_name, uid) = (pod.metadata.name.as_deref().unwrap_or_default(), pod.metadata.uid.as_deref());
        let uid = uid.unwrap_or_default();
        if generated && controller_of(&claim.metadata).is_none_or(|o| o.uid != uid) {
            return Err(format!(
                "ResourceClaim {namespace}/{name} was not created for pod {namespace}/{pod_name} (pod is not owner)"
            ));
        }
        let status = claim.status.as_ref();
        if !status.is_some_and(|s| s.reserved_for.iter().flatten().any(|r| r.uid == uid)) {
            let claim_uid = claim.metadata.uid.as_deref().unwrap_or_default();
            return Err(format!("pod {pod_name} ({uid}) is not allowed to use ResourceClaim {name} ({claim_uid})"));
        }
        let allocation = status.and_then(|s| s.allocation.as_ref()?.devices.as_ref());
        for result in allocation.iter().flat_map(|d| d.results.iter().flatten()) {
            if !cx.view.list::<ResourceSlice>().any(|s| s.spec.driver == result.driver) {
                return Err(format!("DRA driver {} is not registered", result.driver));
            }
        }
    }
    Ok(())
}

/// The claim and whether it was made for the pod; `None` when none is needed. Models `resourceclaim.Name`.
fn claim_name<'a>(pod: &'a Pod, entry: &'a PodResourceClaim) -> Result<Option<(&'a str, bool)>, String> {
    if let Some(name) = &entry.resource_claim_name {
        return Ok(Some((name, false)));
    }
    let all = pod.status.as_ref().and_then(|s| s.resource_claim_statuses.as_deref()).unwrap_or_default();
    match all.iter().find(|s| s.name == entry.name) {
        Some(s) => Ok(s.resource_claim_name.as_deref().map(|n| (n, true))),
        None => {
            let m = &pod.metadata;
            let (ns, name) = (m.namespace.as_deref().unwrap_or_default(), m.name.as_deref().unwrap_or_default());
            Err(format!("prepare resource claim: pod \"{ns}/{name}\": ResourceClaim not created yet"))
        }
    }
}
