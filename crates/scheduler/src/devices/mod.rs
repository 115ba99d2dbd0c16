//! Devices: what nodes offer through ResourceSlices, and who has which. Models `k8s.io/dynamic-resource-allocation`
//! with the feature gates that v1.35 has on.

pub mod allocator;
mod constraint;
mod pools;
mod request;

use k8s_openapi::api::core::v1::{Pod, PodResourceClaim};
use k8s_openapi::api::resource::v1::{DeviceClass, ResourceClaim, ResourceClaimConsumerReference, ResourceSlice};
use meta::Key;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A driver, its pool and the device in it.
pub type DeviceId = (String, String, String);

/// The objects of resource.k8s.io.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    claims: BTreeMap<Key, Arc<ResourceClaim>>,
    classes: BTreeMap<String, Arc<DeviceClass>>,
    slices: BTreeMap<String, Arc<ResourceSlice>>,
}

/// For hosts whose API server does not serve resource.k8s.io.
pub const NO_DEVICES: &Devices =
    &Devices { claims: BTreeMap::new(), classes: BTreeMap::new(), slices: BTreeMap::new() };

impl Devices {
    pub fn set_claim(&mut self, claim: ResourceClaim) {
        let m = &claim.metadata;
        let key = Key::new(m.namespace.as_deref().unwrap_or("default"), m.name.as_deref().unwrap_or_default());
        self.claims.insert(key, Arc::new(claim));
    }
    pub fn set_class(&mut self, class: DeviceClass) {
        self.classes.insert(class.metadata.name.clone().unwrap_or_default(), Arc::new(class));
    }
    pub fn set_slice(&mut self, slice: ResourceSlice) {
        self.slices.insert(slice.metadata.name.clone().unwrap_or_default(), Arc::new(slice));
    }
    pub fn class(&self, name: &str) -> Option<&DeviceClass> {
        self.classes.get(name).map(|c| &**c)
    }
    fn slices(&self) -> impl Iterator<Item = &ResourceSlice> + Clone {
        self.slices.values().map(|s| &**s)
    }

    /// The claims of a pod, or why it cannot have them yet. Models `foreachPodResourceClaim`.
    ///
    /// # Errors
    /// Upstream's words for a claim that is missing, being deleted or somebody else's.
    pub fn of_pod(&self, pod: &Pod) -> Result<Vec<Arc<ResourceClaim>>, String> {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        let mut all = Vec::new();
        for reference in pod.spec.iter().flat_map(|s| s.resource_claims.iter().flatten()) {
            let (name, generated) = name(pod, reference)?;
            // Without a name none was generated, and none is needed.
            let Some(name) = name else { continue };
            let claim = self.claims.get(&Key::new(namespace, name));
            let claim = claim.ok_or_else(|| format!("could not find ResourceClaim \"{namespace}/{name}\""))?;
            if claim.metadata.deletion_timestamp.is_some() {
                return Err(format!("resourceclaim {name:?} is being deleted"));
            }
            let owner = claim.metadata.owner_references.iter().flatten().find(|o| o.controller == Some(true));
            if generated && owner.is_none_or(|o| Some(&o.uid) != pod.metadata.uid.as_ref()) {
                let pod = pod.metadata.name.as_deref().unwrap_or_default();
                return Err(format!(
                    "ResourceClaim {namespace}/{name} was not created for pod {namespace}/{pod} (pod is not owner)"
                ));
            }
            all.push(claim.clone());
        }
        Ok(all)
    }

    /// The devices that are taken; admin access takes none.
    fn allocated(&self) -> BTreeSet<DeviceId> {
        let results = |c: &ResourceClaim| {
            let allocation = c.status.as_ref().and_then(|s| s.allocation.as_ref());
            allocation.and_then(|a| a.devices.as_ref()).and_then(|d| d.results.clone()).unwrap_or_default()
        };
        let all = self.claims.values().flat_map(|c| results(c));
        all.filter(|r| r.admin_access != Some(true)).map(|r| (r.driver, r.pool, r.device)).collect()
    }

    /// Books the claims of a pod that goes to `node`. Models what Reserve and PreBind write.
    pub fn assume(&mut self, pod: &Pod, node: &k8s_openapi::api::core::v1::Node) {
        let Ok(claims) = self.of_pod(pod) else { return };
        let open: Vec<_> = claims.iter().filter(|c| is_open(c)).cloned().collect();
        let Ok(Some(mut allocations)) = allocator::allocate(self, node, &open).map(|a| a.map(Vec::into_iter)) else {
            return;
        };
        for claim in claims {
            let mut claim = ResourceClaim::clone(&claim);
            let status = claim.status.get_or_insert_default();
            if status.allocation.is_none() {
                status.allocation = allocations.next();
            }
            let uid = pod.metadata.uid.clone().unwrap_or_default();
            let reserved = status.reserved_for.get_or_insert_default();
            if !reserved.iter().any(|r| r.uid == uid) {
                let name = pod.metadata.name.clone().unwrap_or_default();
                reserved.push(ResourceClaimConsumerReference { api_group: None, name, resource: "pods".into(), uid });
            }
            self.set_claim(claim);
        }
    }
}

/// Whether the scheduler has to allocate the claim.
pub fn is_open(claim: &ResourceClaim) -> bool {
    claim.status.as_ref().is_none_or(|s| s.allocation.is_none())
}

/// The claim's name, and whether it was generated for the pod. Models `resourceclaim.Name`.
fn name<'a>(pod: &'a Pod, reference: &'a PodResourceClaim) -> Result<(Option<&'a str>, bool), String> {
    if let Some(name) = &reference.resource_claim_name {
        return Ok((Some(name), false));
    }
    let m = &pod.metadata;
    let pod_name = format!("\"{}/{}\"", m.namespace.as_deref().unwrap_or("default"), m.name.as_deref().unwrap_or(""));
    if reference.resource_claim_template_name.is_none() {
        let claim = &reference.name;
        return Err(format!("pod {pod_name}, spec.resourceClaim {claim:?}: none of the supported fields are set"));
    }
    let statuses = pod.status.iter().flat_map(|s| s.resource_claim_statuses.iter().flatten());
    match statuses.into_iter().find(|s| s.name == reference.name) {
        Some(s) => Ok((s.resource_claim_name.as_deref(), true)),
        None => Err(format!("pod {pod_name}: ResourceClaim not created yet")),
    }
}
