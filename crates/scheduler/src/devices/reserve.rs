//! What a pod that goes to a node takes of devices: reserved at once, written before the pod is bound. Models Reserve,
//! Unreserve and PreBind of `plugins/dynamicresources`.

use super::{Devices, allocator, is_open, key_of};
use api::Registered;
use api::kinds::resourceclaim::FINALIZER;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::resource::v1::ResourceClaim;
use meta::Key;
use reconcile::Intent;
use serde_json::{Value, json};
use std::sync::Arc;

/// A claim to write, and how upstream begins the words about a refusal.
pub struct Writing {
    pub intent: Intent,
    pub refused: String,
}

impl Devices {
    /// Allocates the pod's open claims on `node` and keeps that in mind until [`Devices::forget`].
    ///
    /// # Errors
    /// They cannot be had there any more.
    pub fn reserve(&mut self, pod: &Pod, node: &Node) -> Result<(), String> {
        let open: Vec<Arc<ResourceClaim>> = self.of_pod(pod)?.into_iter().filter(|c| is_open(c)).collect();
        if open.is_empty() {
            return Ok(());
        }
        let found = allocator::allocate(self, &self.allocated(), node, &open).map_err(|trouble| match trouble {
            allocator::Trouble::Node(why) | allocator::Trouble::Broken(why) => why,
        })?;
        let allocations = found.ok_or("cannot allocate all claims")?;
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        for (claim, allocation) in open.iter().zip(allocations) {
            self.in_flight.insert(key_of(claim), (uid.clone(), Arc::new(allocation)));
        }
        Ok(())
    }

    /// What has to be written before the pod can be bound.
    ///
    /// # Errors
    /// A claim that is not what it was.
    pub fn writings(&self, pod: &Pod) -> Result<Vec<Writing>, String> {
        let mut all = Vec::new();
        for claim in self.of_pod(pod)? {
            let uid = pod.metadata.uid.as_deref().unwrap_or_default();
            let reserved = claim.status.iter().flat_map(|s| s.reserved_for.iter().flatten());
            if reserved.clone().any(|r| r.uid == uid) {
                continue;
            }
            let shown = super::request::shown(&claim);
            let allocation = self.in_flight.get(&key_of(&claim)).map(|(_, a)| a);
            if allocation.is_some() && !is_open(&claim) {
                return Err(format!("claim {shown} got allocated elsewhere in the meantime"));
            }
            let mut version = claim.metadata.resource_version.clone();
            let mut finalizers = claim.metadata.finalizers.clone().unwrap_or_default();
            if allocation.is_some() && !finalizers.iter().any(|f| f == FINALIZER) {
                finalizers.push(FINALIZER.into());
                let metadata = json!({ "finalizers": finalizers, "resourceVersion": version.take() });
                let intent = patch(&claim, "", json!({ "metadata": metadata }));
                all.push(Writing { intent, refused: format!("add finalizer to claim {shown}") });
            }
            let mut list: Vec<Value> = reserved.filter_map(|r| serde_json::to_value(r).ok()).collect();
            list.push(json!({ "resource": "pods", "name": pod.metadata.name, "uid": uid }));
            let mut status = json!({ "reservedFor": list });
            let refused = match allocation {
                Some(allocation) => {
                    status["allocation"] = serde_json::to_value(&**allocation).unwrap_or_default();
                    format!("add allocation and reservation to claim {shown}")
                }
                None => format!("add reservation to claim {shown}"),
            };
            let mut body = json!({ "status": status });
            // Right after the finalizer was written nobody can have come between.
            if let Some(version) = version {
                body["metadata"] = json!({ "resourceVersion": version });
            }
            all.push(Writing { intent: patch(&claim, "status", body), refused });
        }
        Ok(all)
    }

    /// What was reserved for the pod is written, or free again.
    pub fn forget(&mut self, pod: &Pod) {
        let uid = pod.metadata.uid.as_deref().unwrap_or_default();
        let others = self.in_flight.iter().filter(|(_, (of, _))| of != uid);
        self.in_flight = others.map(|(k, v)| (k.clone(), v.clone())).collect();
    }

    /// Takes an allocation back that nobody uses, so that the claim can be allocated elsewhere.
    pub fn deallocation(&self, key: &Key) -> Option<Intent> {
        let claim = self.claims.get(key)?;
        let version = &claim.metadata.resource_version;
        let body = json!({
            "metadata": { "resourceVersion": version },
            "status": { "allocation": null, "reservedFor": null, "devices": null },
        });
        Some(patch(claim, "status", body))
    }
}

fn patch(claim: &ResourceClaim, subresource: &'static str, body: Value) -> Intent {
    Intent::patch(ResourceClaim::KIND_REF, key_of(claim), subresource, body)
}
