//! Devices: what nodes offer through ResourceSlices, and who has which. Models `k8s.io/dynamic-resource-allocation`
//! with the feature gates that v1.35 has on.

pub mod allocator;
mod constraint;
mod pools;
mod request;
pub mod reserve;

use imbl::OrdMap;
use k8s_openapi::api::core::v1::{Pod, PodResourceClaim};
use k8s_openapi::api::resource::v1::{
    AllocationResult, DeviceClass, ResourceClaim, ResourceClaimConsumerReference, ResourceSlice,
};
use meta::Key;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A driver, its pool and the device in it.
pub type DeviceId = (String, String, String);

/// The objects of resource.k8s.io.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    claims: OrdMap<Key, Arc<ResourceClaim>>,
    classes: OrdMap<String, Arc<DeviceClass>>,
    slices: OrdMap<String, Arc<ResourceSlice>>,
    /// What pods on their way to a node will get, by claim, with the pod's UID: reserved, and not written yet.
    in_flight: OrdMap<Key, (String, Arc<AllocationResult>)>,
}

impl Devices {
    pub fn set_claim(&mut self, claim: impl Into<Arc<ResourceClaim>>) {
        let claim = claim.into();
        self.claims.insert(key_of(&claim), claim);
    }
    pub fn remove_claim(&mut self, key: &Key) {
        self.claims.remove(key);
    }
    pub fn set_class(&mut self, class: impl Into<Arc<DeviceClass>>) {
        let class = class.into();
        self.classes.insert(class.metadata.name.clone().unwrap_or_default(), class);
    }
    pub fn remove_class(&mut self, name: &str) {
        self.classes.remove(name);
    }
    pub fn set_slice(&mut self, slice: impl Into<Arc<ResourceSlice>>) {
        let slice = slice.into();
        self.slices.insert(slice.metadata.name.clone().unwrap_or_default(), slice);
    }
    pub fn remove_slice(&mut self, name: &str) {
        self.slices.remove(name);
    }
    /// Whether a pod on its way to a node is about to get the claim allocated.
    pub fn is_in_flight(&self, claim: &ResourceClaim) -> bool {
        !self.in_flight.is_empty() && self.in_flight.contains_key(&key_of(claim))
    }
    pub fn class(&self, name: &str) -> Option<&DeviceClass> {
        self.classes.get(name).map(|c| &**c)
    }
    fn slices(&self) -> impl Iterator<Item = &ResourceSlice> {
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

    /// The devices that are taken; admin access takes none. It looks at every claim there is: a cycle asks once.
    pub fn allocated(&self) -> BTreeSet<DeviceId> {
        let written = self.claims.values().filter_map(|c| c.status.as_ref()?.allocation.as_ref());
        let all = written.chain(self.in_flight.values().map(|(_, a)| &**a));
        let results = all.filter_map(|a| a.devices.as_ref()).flat_map(|d| d.results.iter().flatten());
        let taken = results.filter(|r| r.admin_access != Some(true));
        taken.map(|r| (r.driver.clone(), r.pool.clone(), r.device.clone())).collect()
    }

    /// Books the claims of a pod that goes to `node`. Models what Reserve and PreBind write.
    pub fn assume(&mut self, pod: &Pod, node: &k8s_openapi::api::core::v1::Node) {
        let Ok(claims) = self.of_pod(pod) else { return };
        let open: Vec<_> = claims.iter().filter(|c| is_open(c)).cloned().collect();
        let Ok(Some(mut allocations)) =
            allocator::allocate(self, &self.allocated(), node, &open).map(|a| a.map(Vec::into_iter))
        else {
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

fn key_of(claim: &ResourceClaim) -> Key {
    let m = &claim.metadata;
    Key::new(m.namespace.as_deref().unwrap_or("default"), m.name.as_deref().unwrap_or_default())
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
