//! Who owns the claims of a set's pods: what deleting or scaling down the set deletes with it. Models
//! `pkg/controller/statefulset` `updateClaimOwnerRefForSetAndPod` and what surrounds it.

use super::identity::{claim_name, claim_templates, in_range, ordinal};
use crate::owner::controller_reference;
use api::{Object, ObjectExt};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use meta::Key;
use reconcile::View;

/// (deleted with the set, deleted when scaled down).
fn policy(set: &StatefulSet) -> (bool, bool) {
    let p = set.spec.as_ref().and_then(|s| s.persistent_volume_claim_retention_policy.as_ref());
    let deletes = |v: Option<&String>| v.is_some_and(|v| v == "Delete");
    (deletes(p.and_then(|p| p.when_deleted.as_ref())), deletes(p.and_then(|p| p.when_scaled.as_ref())))
}

/// The claims of a pod that exist.
pub fn existing<'a>(view: &'a View, set: &StatefulSet, pod: &Pod) -> Vec<&'a PersistentVolumeClaim> {
    let (Some(ordinal), namespace) = (ordinal(pod), set.metadata.namespace.as_deref().unwrap_or("")) else {
        return Vec::new();
    };
    let names = claim_templates(set).iter().map(|t| Key::new(namespace, &claim_name(set, t, ordinal)));
    names.filter_map(|key| view.get(&key)).collect()
}

/// Named as the set or the pod, whichever object of that name it was.
fn names(r: &OwnerReference, o: &dyn Object) -> bool {
    r.api_version == o.kind().api_version() && r.kind == o.kind().kind && r.name == o.name()
}

/// Another object manages the claim. Models `hasUnexpectedController`.
pub fn has_other_controller(set: &StatefulSet, pod: &Pod, claim: &PersistentVolumeClaim) -> bool {
    api::object::controller_of(&claim.metadata).is_some_and(|r| !names(r, set) && !names(r, pod))
}

/// The owners that the policy asks for; `None`: it has them.
pub fn owners_to_set(set: &StatefulSet, pod: &Pod, claim: &PersistentVolumeClaim) -> Option<Vec<OwnerReference>> {
    let have = claim.metadata.owner_references.as_deref().unwrap_or_default();
    let mut want: Vec<OwnerReference> = have.iter().filter(|r| !names(r, set) && !names(r, pod)).cloned().collect();
    if !has_other_controller(set, pod, claim) {
        let scaled_down = ordinal(pod).is_none_or(|n| !in_range(set, n));
        match policy(set) {
            (_, true) if scaled_down => want.push(controller_reference(pod)),
            (true, _) => want.push(controller_reference(set)),
            _ => {}
        }
    }
    let same = want.len() == have.len() && want.iter().all(|r| have.contains(r));
    (!same).then_some(want)
}

/// A claim that will go with a pod of the same name that was here before. Models `PodClaimIsStale`.
pub fn is_stale(view: &View, set: &StatefulSet, pod: &Pod) -> bool {
    let (_, when_scaled) = policy(set);
    let stale = |r: &OwnerReference| names(r, pod) && Some(&r.uid) != pod.metadata.uid.as_ref();
    when_scaled && existing(view, set, pod).iter().any(|c| c.metadata.owner_references.iter().flatten().any(stale))
}
