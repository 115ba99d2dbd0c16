//! How many pods a budget's pods should be, as their controllers have it. Models `getExpectedPodCount`.

use crate::deployment::scaled;
use api::object::controller_of;
use api::{Object, ObjectExt, Registered};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::Key;
use reconcile::View;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Expected {
    pub pods: i32,
    pub desired_healthy: i32,
    /// Some of the pods have no controller, so nobody knows how many they should be.
    pub any_unmanaged: bool,
}

/// # Errors
/// A pod's controller is not known, or has no number of replicas.
pub fn expected(view: &View, budget: &PodDisruptionBudget, pods: &[&Pod]) -> Result<Expected, String> {
    let Some(spec) = &budget.spec else { return Ok(Expected::default()) };
    match (&spec.max_unavailable, &spec.min_available) {
        (Some(unavailable), _) => {
            let (total, any_unmanaged) = total(view, pods)?;
            let desired_healthy = (total - amount(unavailable, total)?).max(0);
            Ok(Expected { pods: total, desired_healthy, any_unmanaged })
        }
        (None, Some(IntOrString::Int(n))) => {
            Ok(Expected { pods: crate::owner::count(pods.len()), desired_healthy: *n, any_unmanaged: false })
        }
        (None, Some(available)) => {
            let (total, any_unmanaged) = total(view, pods)?;
            Ok(Expected { pods: total, desired_healthy: amount(available, total)?, any_unmanaged })
        }
        (None, None) => Ok(Expected::default()),
    }
}

/// Both round up.
fn amount(v: &IntOrString, total: i32) -> Result<i32, String> {
    match v {
        IntOrString::String(s) if s.strip_suffix('%').is_none_or(|n| n.parse::<i64>().is_err()) => {
            Err(format!("invalid value for IntOrString: invalid type: string is not a percentage: {s:?}"))
        }
        _ => Ok(scaled(Some(v), total, true)),
    }
}

/// The sum over the pods' controllers, each counted once. Models `getExpectedScale`.
fn total(view: &View, pods: &[&Pod]) -> Result<(i32, bool), String> {
    let mut scales: BTreeMap<String, i32> = BTreeMap::new();
    let mut any_unmanaged = false;
    for pod in pods {
        let Some(owner) = controller_of(&pod.metadata) else {
            any_unmanaged = true;
            continue;
        };
        if scales.contains_key(&owner.uid) {
            continue;
        }
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("");
        let name = pod.metadata.name.as_deref().unwrap_or("");
        let (uid, scale) =
            find(view, namespace, owner)?.ok_or_else(|| format!("found no controllers for pod {name:?}"))?;
        scales.insert(uid, scale);
    }
    Ok((scales.values().sum(), any_unmanaged))
}

/// UID and replicas of what decides about the pod's number: the Deployment of a ReplicaSet that has one, otherwise
/// whatever can be scaled.
fn find(view: &View, namespace: &str, owner: &OwnerReference) -> Result<Option<(String, i32)>, String> {
    if owner.kind == ReplicaSet::KIND_REF.kind
        && let Some(rs) = view.get::<ReplicaSet>(&Key::new(namespace, &owner.name))
        && rs.metadata.uid.as_deref() == Some(&owner.uid)
        && let Some(above) = controller_of(&rs.metadata).filter(|r| r.kind == Deployment::KIND_REF.kind)
        && let Some(d) = view.get_obj(Deployment::KIND_REF, &Key::new(namespace, &above.name))
        && d.uid() == above.uid
    {
        return Ok(scale_of(&**d));
    }
    let Some(kind) = view.kinds().by_api_version(&owner.api_version, &owner.kind) else {
        return Err(format!("no matches for kind {:?} in version {:?}", owner.kind, owner.api_version));
    };
    if kind.scale.is_none() {
        let resource = meta::errors::group_resource(kind.group, kind.plural);
        return Err(format!("{resource} does not implement the scale subresource"));
    }
    let found = view.get_obj(kind, &Key::new(namespace, &owner.name)).filter(|o| o.uid() == owner.uid);
    Ok(found.and_then(|o| scale_of(&**o)))
}

fn scale_of(o: &dyn Object) -> Option<(String, i32)> {
    Some((o.uid().into(), (o.kind().scale?.replicas)(o)))
}
