//! LimitRanger: what a namespace's LimitRanges say of its pods' containers and of its claims. Models
//! `plugin/pkg/admission/limitranger`.

use super::forbidden;
use crate::keys;
use crate::server::Cx;
use api::{Object, ObjectExt, Registered, pods};
use k8s_openapi::api::core::v1::{Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::{ApiError, Quantity};
use std::collections::BTreeMap;

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

type Amounts = Option<BTreeMap<String, ApiQuantity>>;
type Resources = BTreeMap<String, Quantity>;

fn ranges<'a>(cx: &'a Cx<'_>, namespace: &str) -> impl Iterator<Item = &'a LimitRange> {
    let prefix = keys::prefix(LimitRange::KIND_REF, namespace);
    let end = keys::range_end(&prefix);
    let all: Vec<&LimitRange> = cx.store.iter_range(&prefix, &end).filter_map(|(_, e)| e.value.0.downcast()).collect();
    all.into_iter()
}

fn items(range: &LimitRange) -> impl Iterator<Item = &LimitRangeItem> {
    range.spec.iter().flat_map(|s| &s.limits)
}

/// Fills in what containers leave out. Models `PodMutateLimitFunc`.
pub(super) fn admit(cx: &Cx<'_>, pod: &mut Pod) {
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    for range in ranges(cx, &namespace) {
        let (mut requests, mut limits) = (BTreeMap::new(), BTreeMap::new());
        for item in items(range).filter(|i| i.type_ == "Container") {
            requests.extend(item.default_request.clone().unwrap_or_default());
            limits.extend(item.default.clone().unwrap_or_default());
        }
        let Some(spec) = &mut pod.spec else { return };
        let mut said = Vec::new();
        let containers = spec.containers.iter_mut().map(|c| (c, "container"));
        let init = spec.init_containers.iter_mut().flatten().map(|c| (c, "init container"));
        for (c, kind) in containers.chain(init) {
            merge(c, kind, &requests, &limits, &mut said);
        }
        if !said.is_empty() {
            let text = format!("LimitRanger plugin set: {}", said.join("; "));
            pod.metadata.annotations.get_or_insert_default().insert(ANNOTATION.into(), text);
        }
    }
}

/// Models `mergeContainerResources`.
fn merge(
    c: &mut Container,
    kind: &str,
    requests: &BTreeMap<String, ApiQuantity>,
    limits: &BTreeMap<String, ApiQuantity>,
    said: &mut Vec<String>,
) {
    let fill = |into: &mut Amounts, from: &BTreeMap<String, ApiQuantity>| -> Vec<String> {
        let missing: Vec<_> = from.iter().filter(|(k, _)| !into.as_ref().is_some_and(|m| m.contains_key(*k))).collect();
        for (k, v) in &missing {
            into.get_or_insert_default().insert((*k).clone(), (*v).clone());
        }
        missing.into_iter().map(|(k, _)| k.clone()).collect()
    };
    if requests.is_empty() && limits.is_empty() {
        return;
    }
    let resources = c.resources.get_or_insert_default();
    let limits = fill(&mut resources.limits, limits);
    let requests = fill(&mut resources.requests, requests);
    for (set, what) in [(requests, "request"), (limits, "limit")] {
        if !set.is_empty() {
            said.push(format!("{} {what} for {kind} {}", set.join(", "), c.name));
        }
    }
}

/// Refuses what is out of bounds.
pub(super) fn validate(cx: &Cx<'_>, o: &dyn Object) -> Result<(), ApiError> {
    for range in ranges(cx, o.namespace()) {
        let mut errors = Vec::new();
        for item in items(range) {
            if let Some(spec) = o.downcast::<Pod>().and_then(|p| p.spec.as_ref()) {
                check_pod(item, spec, &mut errors);
            } else if let Some(claim) = o.downcast::<PersistentVolumeClaim>() {
                check_claim(item, claim, &mut errors);
            }
        }
        if !errors.is_empty() {
            return Err(forbidden(o, &meta::field::aggregate(errors)));
        }
    }
    Ok(())
}

fn parsed(amounts: Option<&Amounts>) -> Resources {
    amounts.into_iter().flatten().flatten().map(|(k, q)| (k.clone(), Quantity::of(q))).collect()
}

/// Models `PodValidateLimitFunc`.
fn check_pod(item: &LimitRangeItem, spec: &PodSpec, errors: &mut Vec<String>) {
    match item.type_.as_str() {
        "Container" => {
            for c in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
                let r = c.resources.as_ref();
                check(item, &parsed(r.map(|r| &r.requests)), &parsed(r.map(|r| &r.limits)), errors);
            }
        }
        "Pod" => {
            let own = spec.resources.as_ref();
            let over = |mut total: Resources, own: Option<&Amounts>| {
                total.extend(parsed(own).into_iter().filter(|(k, _)| k == "cpu" || k == "memory"));
                total
            };
            let requests = over(pods::container_requests(spec), own.map(|r| &r.requests));
            let limits = over(pods::container_limits(spec), own.map(|r| &r.limits));
            check(item, &requests, &limits, errors);
        }
        _ => {}
    }
}

fn check(item: &LimitRangeItem, requests: &Resources, limits: &Resources, errors: &mut Vec<String>) {
    let kind = item.type_.as_str();
    for (k, bound) in parsed(Some(&item.min)) {
        errors.extend(below_min(kind, &k, bound, requests, limits));
    }
    for (k, bound) in parsed(Some(&item.max)) {
        errors.extend(above_max(kind, &k, bound, requests, limits));
    }
    for (k, bound) in parsed(Some(&item.max_limit_request_ratio)) {
        errors.extend(beyond_ratio(kind, &k, bound, requests, limits));
    }
}

/// Models `PersistentVolumeClaimValidateLimitFunc`.
fn check_claim(item: &LimitRangeItem, claim: &PersistentVolumeClaim, errors: &mut Vec<String>) {
    if item.type_ != "PersistentVolumeClaim" {
        return;
    }
    let requests = parsed(claim.spec.as_ref().and_then(|s| s.resources.as_ref()).map(|r| &r.requests));
    for (k, bound) in parsed(Some(&item.min)) {
        errors.extend(below_min(&item.type_, &k, bound, &requests, &Resources::new()));
    }
    for (k, bound) in parsed(Some(&item.max)) {
        let head = format!("maximum {k} usage per {} is {bound}", item.type_);
        match requests.get(&k) {
            None => errors.push(format!("{head}.  No request is specified")),
            Some(r) if *r > bound => errors.push(format!("{head}, but request is {r}")),
            Some(_) => {}
        }
    }
}

/// Models `minConstraint`.
fn below_min(kind: &str, k: &str, bound: Quantity, requests: &Resources, limits: &Resources) -> Option<String> {
    let head = format!("minimum {k} usage per {kind} is {bound}");
    match (requests.get(k), limits.get(k)) {
        (None, _) => Some(format!("{head}.  No request is specified")),
        (Some(r), _) if *r < bound => Some(format!("{head}, but request is {r}")),
        (_, Some(l)) if *l < bound => Some(format!("{head}, but limit is {l}")),
        _ => None,
    }
}

/// Models `maxConstraint`.
fn above_max(kind: &str, k: &str, bound: Quantity, requests: &Resources, limits: &Resources) -> Option<String> {
    let head = format!("maximum {k} usage per {kind} is {bound}");
    match (requests.get(k), limits.get(k)) {
        (_, None) => Some(format!("{head}.  No limit is specified")),
        (_, Some(l)) if *l > bound => Some(format!("{head}, but limit is {l}")),
        (Some(r), _) if *r > bound => Some(format!("{head}, but request is {r}")),
        _ => None,
    }
}

/// Models `limitRequestRatioConstraint`.
fn beyond_ratio(kind: &str, k: &str, bound: Quantity, requests: &Resources, limits: &Resources) -> Option<String> {
    let head = format!("{k} max limit to request ratio per {kind} is {bound}");
    let set = |r: &Resources| r.get(k).copied().filter(|q| !q.is_zero());
    let Some(request) = set(requests) else {
        return Some(format!("{head}, but no request is specified or request is 0"));
    };
    let Some(limit) = set(limits) else {
        return Some(format!("{head}, but no limit is specified or limit is 0"));
    };
    let ratio = limit.milli_value() as f64 / request.milli_value() as f64;
    (ratio * 1000.0 > bound.milli_value() as f64).then(|| format!("{head}, but provided ratio is {ratio:.6}"))
}
