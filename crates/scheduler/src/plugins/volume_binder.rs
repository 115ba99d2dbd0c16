//! Which volumes a node offers to a pod's claims: bound ones, matching ones, and those that can be provisioned. Models
//! `plugins/volumebinding/binder.go` and `FindMatchingVolume` of `k8s.io/component-helpers/storage/volume`.

use super::node_selector::Terms;
use crate::framework::csi_migration::required_affinity;
use crate::framework::storage::{
    self, BIND_COMPLETED, SELECTED_NODE, Storage, WAIT_FOR_FIRST_CONSUMER, bound_volume, claim_class, volume_class,
};
use crate::framework::{Objects, PodInfo};
use api::Registered;
use k8s_openapi::api::core::v1::{
    Node, ObjectReference, PersistentVolume, PersistentVolumeClaim, TopologySelectorTerm,
};
use k8s_openapi::api::storage::v1::{CSINode, StorageClass};
use meta::Key;
use meta::Quantity;
use meta::labels::Selector;
use reconcile::Intent;
use serde_json::json;
use std::sync::Arc;

const NODE_CONFLICT: &str = "node(s) had volume node affinity conflict";
const BIND_CONFLICT: &str = "node(s) didn't find available persistent volumes to bind";
const NOT_ENOUGH_SPACE: &str = "node(s) did not have enough free storage";
const VOLUME_MISSING: &str = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

/// The class of volumes that nobody makes.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// A pod's claims by what is still to be done for them. Models PodVolumeClaims.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    bound: Vec<Arc<PersistentVolumeClaim>>,
    delayed: Vec<Arc<PersistentVolumeClaim>>,
    /// Claims that should have been bound before.
    pub unbound_immediate: usize,
}

/// What one node offers. Models PodVolumes and the conflict reasons.
#[derive(Debug, Default)]
pub struct Found {
    pub conflicts: Vec<&'static str>,
    pub bindings: Vec<(Arc<PersistentVolume>, Arc<PersistentVolumeClaim>)>,
    pub provisions: Vec<Arc<PersistentVolumeClaim>>,
}

fn annotation<'a>(claim: &'a PersistentVolumeClaim, key: &str) -> Option<&'a str> {
    claim.metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

fn claim_key(claim: &PersistentVolumeClaim) -> String {
    let text = |s: &Option<String>| s.clone().unwrap_or_default();
    format!("{}/{}", text(&claim.metadata.namespace), text(&claim.metadata.name))
}

fn requested(claim: &PersistentVolumeClaim) -> Option<Quantity> {
    let requests = claim.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?;
    requests.get("storage").map(Quantity::of)
}

/// Models `GetPodVolumeClaims`.
///
/// # Errors
/// A claim that is missing, not the pod's own, or of a class without a binding mode.
pub fn claims_of(store: &Storage, pod: &PodInfo) -> Result<Claims, String> {
    let mut claims = Claims::default();
    for v in storage::volumes(&pod.pod) {
        let Some((name, ephemeral)) = storage::claim_name(&pod.pod, v) else { continue };
        let claim = store.claim(pod.namespace(), &name);
        let claim = claim.map_err(|e| format!("error getting PVC \"{}/{name}\": {}", pod.namespace(), e.0))?;
        if ephemeral {
            storage::is_for_pod(&pod.pod, &claim)?;
        }
        let named = !bound_volume(&claim).is_empty();
        if named && annotation(&claim, BIND_COMPLETED).is_some() {
            claims.bound.push(claim);
        } else if is_delayed(store, &claim)? && !named {
            claims.delayed.push(claim);
        } else {
            claims.unbound_immediate += 1;
        }
    }
    Ok(claims)
}

/// Models `IsDelayBindingMode`.
fn is_delayed(store: &Storage, claim: &PersistentVolumeClaim) -> Result<bool, String> {
    let name = claim_class(claim);
    let Some(class) = store.classes.get(name) else { return Ok(false) };
    match class.volume_binding_mode.as_deref() {
        None => Err(format!("VolumeBindingMode not set for StorageClass {name:?}")),
        Some(mode) => Ok(mode == WAIT_FOR_FIRST_CONSUMER),
    }
}

/// Models `FindPodVolumes`.
///
/// # Errors
/// A claim to provision without a class, or with one that is not there.
pub fn find(store: &Storage, claims: &Claims, node: &Node) -> Result<Found, String> {
    let name = node.metadata.name.as_deref().unwrap_or_default();
    let csi_node = store.csi_nodes.get(name).map(|n| &**n);
    let mut found = Found::default();
    let (mut reachable, mut present, mut satisfied, mut space) = (true, true, true, true);
    for claim in &claims.bound {
        let Some(volume) = store.volumes.get(bound_volume(claim)) else {
            present = false;
            break;
        };
        if !reaches(volume, node, csi_node) {
            reachable = false;
            break;
        }
    }
    let selected = |c: &Arc<PersistentVolumeClaim>| annotation(c, SELECTED_NODE).map(str::to_string);
    if claims.delayed.iter().filter_map(selected).any(|n| n != name) {
        // Its volume is being made for another node.
        satisfied = false;
    } else {
        let (mut provision, mut to_match): (Vec<_>, Vec<_>) =
            claims.delayed.iter().cloned().partition(|c| selected(c).is_some());
        // The smallest first, so that large volumes are left for large claims.
        to_match.sort_by_key(|c| requested(c).unwrap_or_default());
        let mut chosen: Vec<String> = Vec::new();
        for claim in to_match {
            match matching_volume(store, &claim, node, &chosen) {
                Some(volume) => {
                    chosen.push(volume.metadata.name.clone().unwrap_or_default());
                    found.bindings.push((volume, claim));
                }
                None => provision.push(claim),
            }
        }
        if !provision.is_empty() {
            (satisfied, space) = check_provisions(store, &provision, node)?;
            found.provisions = provision;
        }
    }
    let all =
        [(reachable, NODE_CONFLICT), (satisfied, BIND_CONFLICT), (space, NOT_ENOUGH_SPACE), (present, VOLUME_MISSING)];
    found.conflicts = all.into_iter().filter(|(ok, _)| !ok).map(|(_, why)| why).collect();
    Ok(found)
}

/// Models `CheckNodeAffinity`, for a volume as the node's driver sees it. Upstream shows it the node's labels alone.
fn reaches(volume: &PersistentVolume, node: &Node, csi_node: Option<&CSINode>) -> bool {
    let labels = node.metadata.labels.as_ref();
    required_affinity(volume, csi_node).is_none_or(|required| Terms::new(&required).matches_labels(labels))
}

/// Whether the volume was reserved for this claim. Models `IsVolumeBoundToClaim`.
fn is_reserved_for(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let Some(r) = volume.spec.as_ref().and_then(|s| s.claim_ref.as_ref()) else { return false };
    let uid = r.uid.as_deref().unwrap_or_default();
    r.name == claim.metadata.name
        && r.namespace == claim.metadata.namespace
        && (uid.is_empty() || uid == claim.metadata.uid.as_deref().unwrap_or_default())
}

/// The volume reserved for the claim, else the smallest that serves it. Models `FindMatchingVolume`.
fn matching_volume(
    store: &Storage,
    claim: &PersistentVolumeClaim,
    node: &Node,
    chosen: &[String],
) -> Option<Arc<PersistentVolume>> {
    let want = claim.spec.as_ref()?;
    let size = requested(claim).unwrap_or_default();
    let selector = want.selector.as_ref().map(|s| Selector::from_api(Some(s)).unwrap_or(Selector::Nothing));
    let mode = |m: &Option<String>| m.clone().unwrap_or_else(|| "Filesystem".into());
    let text = |s: &Option<String>| s.clone().unwrap_or_default();
    let mut best: Option<(Quantity, Arc<PersistentVolume>)> = None;
    let of_class = store.volumes.values().filter(|v| volume_class(v) == claim_class(claim));
    for volume in of_class.filter(|v| v.metadata.name.as_ref().is_none_or(|n| !chosen.contains(n))) {
        let Some(spec) = volume.spec.as_ref() else { continue };
        let reserved = is_reserved_for(volume, claim);
        let capacity = spec.capacity.as_ref().and_then(|c| c.get("storage")).map(Quantity::of).unwrap_or_default();
        if (spec.claim_ref.is_some() && !reserved)
            || capacity < size
            || mode(&want.volume_mode) != mode(&spec.volume_mode)
            || text(&want.volume_attributes_class_name) != text(&spec.volume_attributes_class_name)
            || volume.metadata.deletion_timestamp.is_some()
        {
            continue;
        }
        let near = reaches(volume, node, None);
        if reserved {
            return near.then(|| volume.clone());
        }
        // One whose status nobody has written yet is as good as available.
        let phase = volume.status.as_ref().and_then(|s| s.phase.as_deref());
        let serves = |mode: &String| spec.access_modes.as_ref().is_some_and(|m| m.contains(mode));
        if near
            && phase.is_none_or(|p| p == "Available")
            && selector.as_ref().is_none_or(|s| s.matches(volume.metadata.labels.as_ref()))
            && want.access_modes.iter().flatten().all(serves)
            && best.as_ref().is_none_or(|(smallest, _)| *smallest > capacity)
        {
            best = Some((capacity, volume.clone()));
        }
    }
    best.map(|(_, volume)| volume)
}

/// Whether all can be made for the node, and whether there is room for them. Models checkVolumeProvisions.
fn check_provisions(
    store: &Storage,
    claims: &[Arc<PersistentVolumeClaim>],
    node: &Node,
) -> Result<(bool, bool), String> {
    for claim in claims {
        let name = claim_class(claim);
        if name.is_empty() {
            return Err(format!("no class for claim {:?}", claim_key(claim)));
        }
        let class = store.classes.get(name).ok_or_else(|| format!("failed to find storage class {name:?}"))?;
        if class.provisioner.is_empty() || class.provisioner == NO_PROVISIONER {
            return Ok((false, true));
        }
        if !allows(class.allowed_topologies.as_deref().unwrap_or_default(), node) {
            return Ok((false, true));
        }
        if !has_capacity(store, class, claim, node) {
            return Ok((true, false));
        }
    }
    Ok((true, true))
}

/// Models `MatchTopologySelectorTerms`.
fn allows(terms: &[TopologySelectorTerm], node: &Node) -> bool {
    let label = |key: &str| node.metadata.labels.as_ref().and_then(|l| l.get(key));
    let matches = |t: &TopologySelectorTerm| {
        let all = t.match_label_expressions.as_deref().unwrap_or_default();
        !all.is_empty() && all.iter().all(|e| label(&e.key).is_some_and(|v| e.values.contains(v)))
    };
    terms.is_empty() || terms.iter().any(matches)
}

/// Models hasEnoughCapacity: only drivers that publish their capacity can run out of it.
fn has_capacity(store: &Storage, class: &StorageClass, claim: &PersistentVolumeClaim, node: &Node) -> bool {
    let Some(size) = requested(claim) else { return true };
    let publishes = store.csi_drivers.get(&class.provisioner).is_some_and(|d| d.spec.storage_capacity == Some(true));
    !publishes
        || store.capacities.values().any(|c| {
            let limit = c.maximum_volume_size.as_ref().or(c.capacity.as_ref()).map(Quantity::of);
            let near = |s| Selector::from_api(Some(s)).is_ok_and(|s| s.matches(node.metadata.labels.as_ref()));
            Some(&c.storage_class_name) == class.metadata.name.as_ref()
                && limit.is_some_and(|l| l.value() >= size.value())
                && c.node_topology.as_ref().is_some_and(near)
        })
}

/// What a pod's volumes need before it can run on a node.
pub enum Asked {
    /// It has them all.
    Nothing,
    /// Volumes reserved for claims, and claims marked with the node that their volumes have to be made for.
    For(Vec<Intent>),
}

/// Models `bindAPIUpdate`.
///
/// # Errors
/// The claims changed since the node was chosen.
pub fn ask(store: &Storage, pod: &PodInfo, node: &Node) -> Result<Asked, String> {
    let claims = claims_of(store, pod)?;
    if claims.delayed.is_empty() && claims.unbound_immediate == 0 {
        return Ok(Asked::Nothing);
    }
    let found = find(store, &claims, node)?;
    if let Some(why) = found.conflicts.first() {
        return Err((*why).into());
    }
    // UID and version are preconditions: somebody else may have been faster.
    let mut intents = Vec::new();
    for (volume, claim) in found.bindings {
        let meta = &volume.metadata;
        let change = json!({
            "metadata": {
                "uid": meta.uid, "resourceVersion": meta.resource_version,
                "annotations": { "pv.kubernetes.io/bound-by-controller": "yes" },
            },
            "spec": { "claimRef": reconcile::intent::reference(&*claim) },
        });
        let key = Key::from(meta.name.as_deref().unwrap_or_default());
        intents.push(Intent::patch(PersistentVolume::KIND_REF, key, "", change));
    }
    for claim in found.provisions {
        let meta = &claim.metadata;
        let change = json!({
            "metadata": {
                "uid": meta.uid, "resourceVersion": meta.resource_version,
                "annotations": { SELECTED_NODE: node.metadata.name },
            },
        });
        let key = Key::new(pod.namespace(), meta.name.as_deref().unwrap_or_default());
        intents.push(Intent::patch(PersistentVolumeClaim::KIND_REF, key, "", change));
    }
    Ok(Asked::For(intents))
}

/// Whether all claims of a pod that goes to `node` are bound. Models `checkBindings`.
///
/// # Errors
/// The volumes will not come: a claim is gone, or its provisioner gave it back.
pub fn is_bound(store: &Storage, pod: &PodInfo, node: &str) -> Result<bool, String> {
    let claims = claims_of(store, pod)?;
    for claim in &claims.delayed {
        // A claim that waits for a matching volume was never marked.
        let name = claim.metadata.name.as_deref().unwrap_or_default();
        match annotation(claim, SELECTED_NODE) {
            Some(n) if n == node => {}
            None if store.volumes.values().any(|v| is_reserved_for(v, claim)) => {}
            Some(_) => return Err(format!("provisioning failed for PVC {name:?}")),
            None => return Err(format!("selectedNode annotation reset for PVC {name:?}")),
        }
    }
    Ok(claims.delayed.is_empty() && claims.unbound_immediate == 0)
}

/// Books the volumes of a pod that goes to `node`: matching ones are reserved for their claims, the others are made
/// for this node. Models `AssumePodVolumes`.
pub fn assume(objects: &mut Objects, pod: &PodInfo, node: &Node) {
    let Ok(claims) = claims_of(&objects.storage, pod) else { return };
    let Ok(found) = find(&objects.storage, &claims, node) else { return };
    for (volume, claim) in found.bindings {
        let mut volume = PersistentVolume::clone(&volume);
        let reference = ObjectReference {
            kind: Some("PersistentVolumeClaim".into()),
            api_version: Some("v1".into()),
            namespace: claim.metadata.namespace.clone(),
            name: claim.metadata.name.clone(),
            uid: claim.metadata.uid.clone(),
            ..ObjectReference::default()
        };
        volume.spec.get_or_insert_default().claim_ref = Some(reference);
        objects.storage.set_volume(volume);
    }
    let name = node.metadata.name.clone().unwrap_or_default();
    for claim in found.provisions {
        let mut claim = PersistentVolumeClaim::clone(&claim);
        claim.metadata.annotations.get_or_insert_default().insert(SELECTED_NODE.into(), name.clone());
        objects.storage.set_claim(claim);
    }
}
