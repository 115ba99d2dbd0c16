//! What an object costs in quota, and which quotas it falls under. Models `pkg/quota/v1/evaluator/core`; admission and the
//! resourcequota controller use it.

use crate::kinds::pod::resources::overcommit_allowed;
use crate::object::Object;
use crate::pods;
use k8s_openapi::api::core::v1::{
    Container, PersistentVolumeClaim, Pod, PodAffinityTerm, ResourceQuota, ScopedResourceSelectorRequirement, Service,
};
use k8s_openapi::api::resource::v1::ResourceClaim;
use meta::labels::{Op, Requirement};
use meta::{Duration, Quantity, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Name of a quota's resource to amount.
pub type Usage = BTreeMap<String, Quantity>;

/// Kinds that were counted by their plain name before `count/` came.
const PLAIN_COUNTS: [&str; 4] = ["configmaps", "resourcequotas", "replicationcontrollers", "secrets"];
const CLASS_SUFFIX: &str = ".storageclass.storage.k8s.io/";
/// ResourceClaimsPerClass
const DEVICES_SUFFIX: &str = ".deviceclass.resource.k8s.io/devices";
/// AllocationResultsMaxSize: what a request for all devices may come to.
const MOST_DEVICES: i64 = 32;

fn one() -> Quantity {
    Quantity::from_value(1)
}

/// `count/deployments.apps`
fn count_name(o: &dyn Object) -> String {
    format!("count/{}", meta::errors::group_resource(o.kind().group, o.kind().plural))
}

/// Whether an update can change what an object costs; its creation always does. Models `Handles`.
pub fn costs_on_update(new: &dyn Object, old: &dyn Object) -> bool {
    let pod = |o: &dyn Object| o.as_any().downcast_ref::<Pod>().map(is_terminating);
    match (pod(new), pod(old)) {
        (Some(new), Some(old)) => new != old,
        _ => {
            let o = new.as_any();
            o.is::<Service>() || o.is::<PersistentVolumeClaim>() || o.is::<ResourceClaim>()
        }
    }
}

/// What an object costs. Models `Usage` of the evaluators.
pub fn usage(o: &dyn Object, now: Time) -> Usage {
    let mut usage = Usage::from([(count_name(o), one())]);
    let any = o.as_any();
    if let Some(pod) = any.downcast_ref::<Pod>() {
        if is_charged(pod, now) {
            usage.extend(compute(&pods::requests(pod), &pods::limits(pod)));
        }
    } else if let Some(service) = any.downcast_ref::<Service>() {
        usage.extend(service_usage(service));
    } else if let Some(claim) = any.downcast_ref::<PersistentVolumeClaim>() {
        usage.extend(claim_usage(claim));
    } else if let Some(claim) = any.downcast_ref::<ResourceClaim>() {
        usage.extend(device_usage(claim));
    } else if o.kind().group.is_empty() && PLAIN_COUNTS.contains(&o.kind().plural) {
        usage.insert(o.kind().plural.into(), one());
    }
    usage
}

/// Not finished, and not stuck in its end. Models `QuotaV1Pod`.
fn is_charged(pod: &Pod, now: Time) -> bool {
    let m = &pod.metadata;
    let over = match (&m.deletion_timestamp, m.deletion_grace_period_seconds) {
        (Some(t), Some(grace)) => now > Time::from_k8s(t) + Duration::from_secs(u64::try_from(grace).unwrap_or(0)),
        _ => false,
    };
    !pods::is_terminal(pod) && !over
}

/// Models `podComputeUsageHelper`.
fn compute(requests: &pods::Resources, limits: &pods::Resources) -> Usage {
    let mut out = Usage::from([("pods".to_string(), one())]);
    for (k, q) in requests {
        let plain = ["cpu", "memory", "ephemeral-storage"].contains(&k.as_str()) || k.starts_with("hugepages-");
        if plain {
            out.insert(k.clone(), *q);
        }
        if plain || !overcommit_allowed(k) {
            out.insert(format!("requests.{k}"), *q);
        }
    }
    for k in ["cpu", "memory", "ephemeral-storage"] {
        if let Some(q) = limits.get(k) {
            out.insert(format!("limits.{k}"), *q);
        }
    }
    out
}

/// Models `serviceEvaluator.Usage`.
fn service_usage(service: &Service) -> Usage {
    let spec = service.spec.clone().unwrap_or_default();
    let ports = spec.ports.unwrap_or_default();
    let (mut nodeports, mut balancers) = (0, 0);
    match spec.type_.as_deref() {
        Some("NodePort") => nodeports = ports.len(),
        Some("LoadBalancer") => {
            balancers = 1;
            nodeports = match spec.allocate_load_balancer_node_ports {
                Some(false) => ports.iter().filter(|p| p.node_port.is_some_and(|n| n != 0)).count(),
                _ => ports.len(),
            };
        }
        _ => {}
    }
    let count = |n: usize| Quantity::from_value(i64::try_from(n).unwrap_or(i64::MAX));
    Usage::from([
        ("services".into(), one()),
        ("services.nodeports".into(), count(nodeports)),
        ("services.loadbalancers".into(), count(balancers)),
    ])
}

/// Models `pvcEvaluator.Usage`.
fn claim_usage(claim: &PersistentVolumeClaim) -> Usage {
    let spec = claim.spec.as_ref();
    let annotated = claim.metadata.annotations.as_ref().and_then(|a| a.get("volume.beta.kubernetes.io/storage-class"));
    let class = annotated.or_else(|| spec?.storage_class_name.as_ref()).filter(|c| !c.is_empty());
    let mut out = Usage::from([("persistentvolumeclaims".into(), one())]);
    let storage = spec.and_then(|s| s.resources.as_ref()?.requests.as_ref()?.get("storage")).map(Quantity::of);
    if let Some(q) = storage {
        out.insert("requests.storage".into(), q);
    }
    if let Some(class) = class {
        out.insert(format!("{class}{CLASS_SUFFIX}persistentvolumeclaims"), one());
        if let Some(q) = storage {
            out.insert(format!("{class}{CLASS_SUFFIX}requests.storage"), q);
        }
    }
    out
}

/// The devices that a claim may come to, by class: of alternatives the worst. Models `claimEvaluator.Usage` without
/// extended resources, whose gate is off.
fn device_usage(claim: &ResourceClaim) -> Usage {
    let most = |mode: Option<&str>, count: Option<i64>| match mode {
        Some("ExactCount") => count.unwrap_or(0),
        Some("All") => MOST_DEVICES,
        _ => 0,
    };
    let mut total: BTreeMap<&str, i64> = BTreeMap::new();
    for request in claim.spec.devices.iter().flat_map(|d| d.requests.iter().flatten()) {
        let subs = request.first_available.as_deref().unwrap_or_default();
        if !subs.is_empty() {
            // As upstream adds them: an alternative that asks for more than those before it comes on top of them.
            let mut worst: BTreeMap<&str, i64> = BTreeMap::new();
            for sub in subs {
                let n = most(sub.allocation_mode.as_deref(), sub.count);
                let class = worst.entry(&sub.device_class_name).or_default();
                if n > *class {
                    *class += n;
                }
            }
            for (class, n) in worst.into_iter().filter(|(_, n)| *n > 0) {
                *total.entry(class).or_default() += n;
            }
        } else if let Some(r) = &request.exactly {
            *total.entry(&r.device_class_name).or_default() += most(r.allocation_mode.as_deref(), r.count);
        }
    }
    total.into_iter().map(|(class, n)| (format!("{class}{DEVICES_SUFFIX}"), Quantity::from_value(n))).collect()
}

/// The resources of a quota that objects of this kind can use. Models `MatchingResources`.
pub fn matching_resources<'a>(o: &dyn Object, hard: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let count = count_name(o);
    let any = o.as_any();
    let ours = |name: &str| {
        if name == count {
            return true;
        }
        if any.is::<Pod>() {
            let standard = [
                "cpu",
                "memory",
                "ephemeral-storage",
                "requests.cpu",
                "requests.memory",
                "requests.ephemeral-storage",
                "limits.cpu",
                "limits.memory",
                "limits.ephemeral-storage",
                "pods",
            ];
            let extended =
                name.strip_prefix("requests.").is_some_and(|r| r.contains('/') && !r.contains("kubernetes.io/"));
            let huge = name.starts_with("hugepages-") || name.starts_with("requests.hugepages-");
            return standard.contains(&name) || huge || extended;
        }
        if any.is::<Service>() {
            return matches!(name, "services" | "services.nodeports" | "services.loadbalancers");
        }
        if any.is::<PersistentVolumeClaim>() {
            return matches!(name, "persistentvolumeclaims" | "requests.storage") || name.contains(CLASS_SUFFIX);
        }
        if any.is::<ResourceClaim>() {
            return name.ends_with(DEVICES_SUFFIX);
        }
        o.kind().group.is_empty() && PLAIN_COUNTS.contains(&name) && name == o.kind().plural
    };
    hard.map(String::as_str).filter(|n| ours(n)).collect()
}

/// Whether every scope of the quota has the object in it. Models `getScopeSelectorsFromQuota` and `generic.Matches`.
pub fn in_scope(quota: &ResourceQuota, o: &dyn Object) -> bool {
    let Some(spec) = &quota.spec else { return true };
    let plain = spec.scopes.iter().flatten().map(|s| ScopedResourceSelectorRequirement {
        scope_name: s.clone(),
        operator: "Exists".into(),
        values: None,
    });
    let selected = spec.scope_selector.iter().flat_map(|s| s.match_expressions.iter().flatten()).cloned();
    plain.chain(selected).all(|r| match o.as_any().downcast_ref::<Pod>() {
        Some(pod) => pod_in_scope(pod, &r),
        // No other kind has scopes.
        None => false,
    })
}

fn is_terminating(pod: &Pod) -> bool {
    pod.spec.as_ref().and_then(|s| s.active_deadline_seconds).is_some_and(|s| s >= 0)
}

/// Models `podMatchesScopeFunc`.
fn pod_in_scope(pod: &Pod, r: &ScopedResourceSelectorRequirement) -> bool {
    match r.scope_name.as_str() {
        "Terminating" => is_terminating(pod),
        "NotTerminating" => !is_terminating(pod),
        "BestEffort" => pods::qos_class(pod) == "BestEffort",
        "NotBestEffort" => pods::qos_class(pod) != "BestEffort",
        "PriorityClass" => {
            let class = pod.spec.as_ref().and_then(|s| s.priority_class_name.as_deref()).unwrap_or("");
            let op = match r.operator.as_str() {
                "In" => Op::In,
                "NotIn" => Op::NotIn,
                "DoesNotExist" => Op::DoesNotExist,
                _ => Op::Exists,
            };
            let values = r.values.clone().unwrap_or_default();
            let requirement = Requirement { key: r.scope_name.clone(), op, values };
            let labels = (!class.is_empty()).then(|| BTreeMap::from([(r.scope_name.clone(), class.to_string())]));
            requirement.matches(labels.as_ref())
        }
        "CrossNamespacePodAffinity" => crosses_namespaces(pod),
        _ => false,
    }
}

fn crosses_namespaces(pod: &Pod) -> bool {
    let crosses =
        |t: &PodAffinityTerm| t.namespaces.as_ref().is_some_and(|n| !n.is_empty()) || t.namespace_selector.is_some();
    let affinity = pod.spec.as_ref().and_then(|s| s.affinity.as_ref());
    let (with, against) =
        (affinity.and_then(|a| a.pod_affinity.as_ref()), affinity.and_then(|a| a.pod_anti_affinity.as_ref()));
    let required = with.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    let also = against.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    let preferred = with.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
    let disliked = against.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
    required.into_iter().chain(also).flatten().any(crosses)
        || preferred.into_iter().chain(disliked).flatten().any(|t| crosses(&t.pod_affinity_term))
}

/// What every container must say where cpu or memory is limited; `None` when all do. Models `Constraints`.
pub fn unsaid(pod: &Pod, required: &[&str]) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let set = |r: &k8s_openapi::api::core::v1::ResourceRequirements| {
        r.requests.as_ref().is_some_and(|m| !m.is_empty()) || r.limits.as_ref().is_some_and(|m| !m.is_empty())
    };
    if spec.resources.as_ref().is_some_and(set) {
        return None;
    }
    let must = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];
    let required: BTreeSet<&str> = required.iter().copied().filter(|r| must.contains(r)).collect();
    let says = |c: &Container, name: &str| {
        let r = c.resources.as_ref();
        match name.strip_prefix("limits.") {
            Some(k) => r.and_then(|r| r.limits.as_ref()).is_some_and(|m| m.contains_key(k)),
            None => {
                let k = name.strip_prefix("requests.").unwrap_or(name);
                r.and_then(|r| r.requests.as_ref()).is_some_and(|m| m.contains_key(k))
            }
        }
    };
    let mut parts = Vec::new();
    for name in required {
        let all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
        let silent: BTreeSet<&str> = all.filter(|c| !says(c, name)).map(|c| c.name.as_str()).collect();
        if !silent.is_empty() {
            parts.push(format!("{name} for: {}", silent.into_iter().collect::<Vec<_>>().join(",")));
        }
    }
    (!parts.is_empty()).then(|| format!("must specify {}", parts.join("; ")))
}
