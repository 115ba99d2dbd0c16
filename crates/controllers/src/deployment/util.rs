//! Numbers, annotations and conditions of Deployments. Models `pkg/controller/deployment/util/deployment_util.go`.

use crate::replicaset::replicas as rs_replicas;
use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet, RollingUpdateDeployment,
};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::Time;
use std::collections::BTreeMap;

pub const HASH_LABEL: &str = "pod-template-hash";
pub const REVISION: &str = "deployment.kubernetes.io/revision";
pub const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub const DESIRED_REPLICAS: &str = "deployment.kubernetes.io/desired-replicas";
pub const MAX_REPLICAS: &str = "deployment.kubernetes.io/max-replicas";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const DEPRECATED_ROLLBACK: &str = "deprecated.deployment.rollback.to";
const REVISION_HISTORY_MAX_CHARS: usize = 2000;

pub const PROGRESSING: &str = "Progressing";
pub const AVAILABLE: &str = "Available";
pub const REPLICA_FAILURE: &str = "ReplicaFailure";

pub fn replicas(d: &Deployment) -> i32 {
    d.spec.as_ref().and_then(|s| s.replicas).unwrap_or(1)
}

pub fn is_paused(d: &Deployment) -> bool {
    d.spec.as_ref().and_then(|s| s.paused) == Some(true)
}

/// No strategy given means RollingUpdate, as the API server's defaulting has it.
pub fn is_recreate(d: &Deployment) -> bool {
    let strategy = d.spec.as_ref().and_then(|s| s.strategy.as_ref());
    strategy.and_then(|s| s.type_.as_deref()) == Some("Recreate")
}

/// Seconds; `None` when no deadline is set (or the largest number, which stands for none).
pub fn progress_deadline(d: &Deployment) -> Option<u64> {
    let secs = d.spec.as_ref()?.progress_deadline_seconds?;
    (secs != i32::MAX).then(|| u64::try_from(secs).unwrap_or(0))
}

/// Models `intstr.GetScaledValueFromIntOrPercent`: anything that is not a percentage counts as zero.
pub fn scaled(value: Option<&IntOrString>, total: i32, round_up: bool) -> i32 {
    let percent = match value {
        None => 25,
        Some(IntOrString::Int(n)) => return *n,
        Some(IntOrString::String(s)) => s.strip_suffix('%').and_then(|n| n.parse::<i64>().ok()).unwrap_or(0),
    };
    let hundredfold = percent * i64::from(total);
    let n = if round_up { (hundredfold + 99).div_euclid(100) } else { hundredfold.div_euclid(100) };
    i32::try_from(n).unwrap_or(0)
}

fn rolling(d: &Deployment) -> RollingUpdateDeployment {
    d.spec.as_ref().and_then(|s| s.strategy.as_ref()?.rolling_update.clone()).unwrap_or_default()
}

/// `maxSurge` rounds up.
pub fn max_surge(d: &Deployment) -> i32 {
    if is_recreate(d) { 0 } else { scaled(rolling(d).max_surge.as_ref(), replicas(d), true) }
}

/// `maxUnavailable` rounds down, but not to a rollout that could neither add nor remove a pod. Models
/// `MaxUnavailable` with `ResolveFenceposts`.
pub fn max_unavailable(d: &Deployment) -> i32 {
    let n = replicas(d);
    if is_recreate(d) || n == 0 {
        return 0;
    }
    let unavailable = scaled(rolling(d).max_unavailable.as_ref(), n, false);
    if unavailable == 0 && max_surge(d) == 0 { 1 } else { unavailable.min(n) }
}

pub fn total(sets: &[ReplicaSet], f: impl Fn(&ReplicaSet) -> i32) -> i32 {
    sets.iter().map(f).sum()
}
pub fn actual(rs: &ReplicaSet) -> i32 {
    rs.status.as_ref().map_or(0, |s| s.replicas)
}
pub fn available(rs: &ReplicaSet) -> i32 {
    rs.status.as_ref().and_then(|s| s.available_replicas).unwrap_or(0)
}
pub fn ready(rs: &ReplicaSet) -> i32 {
    rs.status.as_ref().and_then(|s| s.ready_replicas).unwrap_or(0)
}

/// How many replicas the new ReplicaSet may have now. Models `NewRSNewReplicas`.
pub fn new_replicas(d: &Deployment, all_total: i32, new_now: i32) -> i32 {
    if is_recreate(d) {
        return replicas(d);
    }
    let room = replicas(d) + max_surge(d) - all_total;
    if room <= 0 { new_now } else { new_now + room.min(replicas(d) - new_now) }
}

/// Equal but for the `pod-template-hash` label. Models `EqualIgnoreHash`.
pub fn same_template(a: &PodTemplateSpec, b: &PodTemplateSpec) -> bool {
    let bare = |t: &PodTemplateSpec| {
        let mut m = t.metadata.clone().unwrap_or_default();
        if let Some(l) = m.labels.as_mut() {
            l.remove(HASH_LABEL);
        }
        m.labels = m.labels.filter(|l| !l.is_empty());
        m.annotations = m.annotations.filter(|l| !l.is_empty());
        m
    };
    a.spec == b.spec && bare(a) == bare(b)
}

pub fn annotation<'a>(rs: &'a ReplicaSet, key: &str) -> Option<&'a str> {
    rs.metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

/// Zero without the annotation; `None` when it is no number.
pub fn revision(rs: &ReplicaSet) -> Option<i64> {
    annotation(rs, REVISION).map_or(Some(0), |v| v.parse().ok())
}

pub fn number(rs: &ReplicaSet, key: &str) -> Option<i32> {
    annotation(rs, key)?.parse().ok()
}

fn set(map: &mut BTreeMap<String, String>, key: &str, value: String) -> bool {
    map.insert(key.into(), value.clone()) != Some(value)
}

/// What scaling decisions were made with, for later proportional scaling.
pub fn set_replicas_annotations(rs: &mut ReplicaSet, d: &Deployment) -> bool {
    let map = rs.metadata.annotations.get_or_insert_default();
    let desired = set(map, DESIRED_REPLICAS, replicas(d).to_string());
    set(map, MAX_REPLICAS, (replicas(d) + max_surge(d)).to_string()) || desired
}

/// Copies the Deployment's annotations and raises the revision, remembering the old one. Models
/// `SetNewReplicaSetAnnotations` for a ReplicaSet that exists.
pub fn set_revision_annotations(d: &Deployment, rs: &mut ReplicaSet, new_revision: i64) -> bool {
    let mut changed = false;
    let map = rs.metadata.annotations.get_or_insert_default();
    let skip = [LAST_APPLIED, REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS, DEPRECATED_ROLLBACK];
    for (k, v) in d.metadata.annotations.iter().flatten().filter(|(k, _)| !skip.contains(&k.as_str())) {
        changed |= set(map, k, v.clone());
    }
    let old = map.get(REVISION).cloned();
    let Ok(old_number) = old.as_deref().unwrap_or("0").parse::<i64>() else { return changed };
    if old_number >= new_revision {
        return changed;
    }
    map.insert(REVISION.into(), new_revision.to_string());
    if let Some(old) = old {
        // A roll-back to this ReplicaSet: its former revisions stay on record.
        let mut history: Vec<String> = map
            .get(REVISION_HISTORY)
            .map(|h| h.split(',').filter(|s| !s.is_empty()).map(str::to_string).collect())
            .unwrap_or_default();
        history.push(old);
        while history.len() > 1 && history.iter().map(|s| s.len() + 1).sum::<usize>() > REVISION_HISTORY_MAX_CHARS + 1 {
            history.remove(0);
        }
        map.insert(REVISION_HISTORY.into(), history.join(","));
    }
    true
}

/// How far a ReplicaSet moves when `to_add` replicas (negative: removed) are spread in proportion to size,
/// `added` of them given out already. Models `GetReplicaSetProportion`.
pub fn proportion(rs: &ReplicaSet, d: &Deployment, to_add: i32, added: i32) -> i32 {
    let size = rs_replicas(rs);
    if size == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let allowed = to_add - added;
    let fraction = fraction(rs, d, size);
    if to_add > 0 { fraction.min(allowed) } else { fraction.max(allowed) }
}

fn fraction(rs: &ReplicaSet, d: &Deployment, size: i32) -> i32 {
    if replicas(d) == 0 {
        return -size;
    }
    let was = number(rs, MAX_REPLICAS)
        .filter(|n| *n != 0)
        .or_else(|| d.status.as_ref().and_then(|s| s.replicas))
        .unwrap_or(0);
    if was <= 0 {
        return 0;
    }
    // Upstream rounds half away from zero; sizes are never negative.
    let (scaled, was) = (i64::from(size) * i64::from(replicas(d) + max_surge(d)), i64::from(was));
    i32::try_from((2 * scaled + was) / (2 * was)).unwrap_or(i32::MAX) - size
}

pub fn condition<'a>(s: &'a DeploymentStatus, type_: &str) -> Option<&'a DeploymentCondition> {
    s.conditions.iter().flatten().find(|c| c.type_ == type_)
}

pub fn reason(c: Option<&DeploymentCondition>) -> &str {
    c.and_then(|c| c.reason.as_deref()).unwrap_or("")
}

pub fn new_condition(type_: &str, status: &str, reason: &str, message: String, now: Time) -> DeploymentCondition {
    DeploymentCondition {
        type_: type_.into(),
        status: status.into(),
        reason: Some(reason.into()),
        message: Some(message),
        last_update_time: Some(now.to_k8s()),
        last_transition_time: Some(now.to_k8s()),
    }
}

/// The same status for the same reason is no news; the transition time moves only with the status. Models
/// `SetDeploymentCondition`.
pub fn set_condition(s: &mut DeploymentStatus, mut c: DeploymentCondition) {
    if let Some(old) = condition(s, &c.type_) {
        if old.status == c.status && old.reason == c.reason {
            return;
        }
        if old.status == c.status {
            c.last_transition_time = old.last_transition_time.clone();
        }
    }
    remove_condition(s, &c.type_.clone());
    s.conditions.get_or_insert_default().push(c);
}

pub fn remove_condition(s: &mut DeploymentStatus, type_: &str) {
    if let Some(cs) = s.conditions.as_mut() {
        cs.retain(|c| c.type_ != type_);
    }
    s.conditions = s.conditions.take().filter(|cs| !cs.is_empty());
}
