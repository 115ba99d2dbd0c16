//! A pod's identity in its set: its name, its ordinal, its host name, its volumes. Models
//! `pkg/controller/statefulset/stateful_set_utils.go`.

use crate::history::{REVISION_LABEL, name};
use crate::owner::controller_reference;
use crate::pods;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimVolumeSource, Pod, PodTemplateSpec, Volume,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Time;

const POD_NAME_LABEL: &str = "statefulset.kubernetes.io/pod-name";
const POD_INDEX_LABEL: &str = "apps.kubernetes.io/pod-index";

/// `web-3` of `web` is 3. `None`: the name is not one of a set's pods.
pub fn parent_and_ordinal(pod: &Pod) -> Option<(&str, i32)> {
    let (parent, ordinal) = name(&pod.metadata).rsplit_once('-')?;
    if ordinal.is_empty() || !ordinal.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((parent, ordinal.parse().ok()?))
}

pub fn ordinal(pod: &Pod) -> Option<i32> {
    parent_and_ordinal(pod).map(|(_, n)| n)
}

pub fn is_member(set: &StatefulSet, pod: &Pod) -> bool {
    parent_and_ordinal(pod).is_some_and(|(parent, _)| parent == name(&set.metadata))
}

pub fn start_ordinal(set: &StatefulSet) -> i32 {
    set.spec.as_ref().and_then(|s| s.ordinals.as_ref()?.start).unwrap_or(0)
}

pub fn replicas(set: &StatefulSet) -> i32 {
    set.spec.as_ref().and_then(|s| s.replicas).unwrap_or(1).max(0)
}

pub fn in_range(set: &StatefulSet, ordinal: i32) -> bool {
    let start = start_ordinal(set);
    (start..start.saturating_add(replicas(set))).contains(&ordinal)
}

pub fn min_ready_seconds(set: &StatefulSet) -> i32 {
    set.spec.as_ref().and_then(|s| s.min_ready_seconds).unwrap_or(0)
}

pub fn service_name(set: &StatefulSet) -> &str {
    set.spec.as_ref().and_then(|s| s.service_name.as_deref()).unwrap_or("")
}

pub fn claim_templates(set: &StatefulSet) -> &[PersistentVolumeClaim] {
    set.spec.as_ref().and_then(|s| s.volume_claim_templates.as_deref()).unwrap_or_default()
}

pub fn claim_name(set: &StatefulSet, template: &PersistentVolumeClaim, ordinal: i32) -> String {
    format!("{}-{}-{ordinal}", name(&template.metadata), name(&set.metadata))
}

/// The claims of the pod with this ordinal, as they are created. Models `getPersistentVolumeClaims`.
pub fn claims(set: &StatefulSet, ordinal: i32) -> Vec<PersistentVolumeClaim> {
    let selected = set.spec.as_ref().and_then(|s| s.selector.match_labels.clone()).unwrap_or_default();
    let of = |t: &PersistentVolumeClaim| {
        let mut c = t.clone();
        c.metadata.name = Some(claim_name(set, t, ordinal));
        c.metadata.namespace.clone_from(&set.metadata.namespace);
        c.metadata.labels.get_or_insert_default().extend(selected.clone());
        c
    };
    claim_templates(set).iter().map(of).collect()
}

/// Models `newStatefulSetPod` with the revision's template.
pub fn new_pod(set: &StatefulSet, template: &PodTemplateSpec, revision: &str, ordinal: i32) -> Pod {
    let m = template.metadata.clone().unwrap_or_default();
    let mut pod = Pod {
        metadata: ObjectMeta {
            name: Some(format!("{}-{ordinal}", name(&set.metadata))),
            labels: m.labels,
            annotations: m.annotations,
            finalizers: m.finalizers,
            owner_references: Some(vec![controller_reference(set)]),
            ..Default::default()
        },
        spec: template.spec.clone(),
        status: None,
    };
    update_identity(set, &mut pod, ordinal);
    let spec = pod.spec.get_or_insert_default();
    spec.hostname = pod.metadata.name.clone();
    spec.subdomain = Some(service_name(set).to_string()).filter(|s| !s.is_empty());
    update_storage(set, &mut pod, ordinal);
    pod.metadata.labels.get_or_insert_default().insert(REVISION_LABEL.into(), revision.into());
    pod
}

/// Models `identityMatches`.
pub fn identity_matches(set: &StatefulSet, pod: &Pod) -> bool {
    let Some((parent, ordinal)) = parent_and_ordinal(pod) else { return false };
    let label = |k: &str| pod.metadata.labels.as_ref().and_then(|l| l.get(k)).map_or("", String::as_str);
    parent == name(&set.metadata)
        && name(&pod.metadata) == format!("{parent}-{ordinal}")
        && pod.metadata.namespace == set.metadata.namespace
        && label(POD_NAME_LABEL) == name(&pod.metadata)
        && label(POD_INDEX_LABEL) == ordinal.to_string()
}

/// Models `updateIdentity`.
pub fn update_identity(set: &StatefulSet, pod: &mut Pod, ordinal: i32) {
    let pod_name = format!("{}-{ordinal}", name(&set.metadata));
    pod.metadata.name = Some(pod_name.clone());
    pod.metadata.namespace.clone_from(&set.metadata.namespace);
    let labels = pod.metadata.labels.get_or_insert_default();
    labels.insert(POD_NAME_LABEL.into(), pod_name);
    labels.insert(POD_INDEX_LABEL.into(), ordinal.to_string());
}

/// Models `storageMatches`.
pub fn storage_matches(set: &StatefulSet, pod: &Pod) -> bool {
    let Some(ordinal) = ordinal(pod) else { return false };
    let volumes = pod.spec.as_ref().and_then(|s| s.volumes.as_deref()).unwrap_or_default();
    claim_templates(set).iter().all(|t| {
        let volume = volumes.iter().find(|v| v.name == name(&t.metadata));
        let claim = volume.and_then(|v| v.persistent_volume_claim.as_ref());
        claim.is_some_and(|c| c.claim_name == claim_name(set, t, ordinal))
    })
}

/// Volumes of the claims take the place of those with the same name. Models `updateStorage`.
pub fn update_storage(set: &StatefulSet, pod: &mut Pod, ordinal: i32) {
    let templates = claim_templates(set);
    if templates.is_empty() {
        return;
    }
    let volume = |t: &PersistentVolumeClaim| Volume {
        name: name(&t.metadata).into(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: claim_name(set, t, ordinal),
            read_only: None,
        }),
        ..Default::default()
    };
    let spec = pod.spec.get_or_insert_default();
    let kept = spec.volumes.take().unwrap_or_default();
    let mut volumes: Vec<Volume> = templates.iter().map(volume).collect();
    volumes.extend(kept.into_iter().filter(|v| !templates.iter().any(|t| name(&t.metadata) == v.name)));
    spec.volumes = Some(volumes);
}

/// The API server knows it.
pub fn is_created(pod: &Pod) -> bool {
    !pods::phase(pod).is_empty()
}

pub fn is_running_and_ready(pod: &Pod) -> bool {
    pods::phase(pod) == "Running" && pods::is_ready(pod)
}

pub fn is_running_and_available(set: &StatefulSet, pod: &Pod, now: Time) -> bool {
    is_running_and_ready(pod) && pods::availability_in(pod, min_ready_seconds(set), now).is_none()
}

pub fn is_unavailable(set: &StatefulSet, pod: &Pod, now: Time) -> bool {
    pod.metadata.deletion_timestamp.is_some() || !is_running_and_available(set, pod, now)
}
