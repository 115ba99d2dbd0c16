//! Amounts of resources. Models `ValidateContainerResourceRequirements` and `ValidateResourceQuantityValue`.

use crate::pods;
use crate::validate::{NOT_INTEGER, NOT_NEGATIVE, each, names, text};
use k8s_openapi::api::core::v1::{PodSpec, PodStatus, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::{FieldError, Path, Quantity};
use std::collections::BTreeMap;

type ResourceList = BTreeMap<String, ApiQuantity>;
type Visit<'a> = &'a mut dyn FnMut(&mut ApiQuantity);

/// Names that need no domain, beside huge pages. Models `helper.IsStandardResourceName`.
const STANDARD: &[&str] = &[
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
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "storage",
    "requests.storage",
    "services.nodeports",
    "services.loadbalancers",
];
const COUNTS: &[&str] = &[
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// Models `standardQuotaResources`: [`STANDARD`] without a claim's own `storage`.
pub(crate) fn is_quota_resource(name: &str) -> bool {
    (STANDARD.contains(&name) && name != "storage") || name.starts_with("requests.hugepages-") || is_huge_page(name)
}

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}
/// Models `helper.IsExtendedResourceName`.
pub(crate) fn is_extended(name: &str) -> bool {
    !is_native(name) && !name.starts_with("requests.") && names::qualified_name(&format!("requests.{name}")).is_empty()
}
/// Models `helper.IsOvercommitAllowed`.
pub(crate) fn overcommit_allowed(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

/// Models `validateResourceName`.
pub(crate) fn resource_name(name: &str, path: &Path, errors: &mut Vec<FieldError>) {
    let bad = names::qualified_name(name);
    let well_formed = bad.is_empty();
    errors.extend(each(path, name, bad));
    let standard = STANDARD.contains(&name) || is_huge_page(name) || name.starts_with("requests.hugepages-");
    if well_formed && !name.contains('/') && !standard {
        let why = "must be a standard resource type or fully qualified";
        errors.push(FieldError::invalid(path, name, why));
    }
}

/// Models `validateContainerResourceName`.
pub(crate) fn container_resource_name(name: &str, path: &Path, errors: &mut Vec<FieldError>) {
    resource_name(name, path, errors);
    if !name.contains('/') {
        if !["cpu", "memory", "ephemeral-storage"].contains(&name) && !is_huge_page(name) {
            errors.push(FieldError::invalid(path, name, "must be a standard resource for containers"));
        }
    } else if !is_native(name) && !is_extended(name) {
        errors.push(FieldError::invalid(path, name, "doesn't follow extended resource name standard"));
    }
}

/// Not negative, and whole where the resource is counted. Models `ValidateResourceQuantityValue`.
pub fn validate_quantity(name: &str, q: &ApiQuantity, path: &Path, errors: &mut Vec<FieldError>) {
    let value = Quantity::of(q);
    if value.is_negative() {
        errors.push(FieldError::invalid(path, value.to_string(), NOT_NEGATIVE));
    }
    if (COUNTS.contains(&name) || is_extended(name)) && value.milli_value() % 1000 != 0 {
        errors.push(FieldError::invalid(path, value.to_string(), NOT_INTEGER));
    }
}

fn huge_page(name: &str, q: Quantity, path: &Path, errors: &mut Vec<FieldError>) {
    let size = name.strip_prefix("hugepages-").and_then(|s| Quantity::parse(s).ok());
    if size.is_some_and(|s| s.value() > 0 && q.value() % s.value() != 0) {
        let why = format!("{q} is not positive integer multiple of {name}");
        errors.push(FieldError::invalid(path, q.to_string(), why));
    }
}

/// Models `ValidateContainerResourceRequirements`. `claims` are the names of the pod's resource claims.
pub fn validate(r: &ResourceRequirements, claims: &[&str], path: &Path, errors: &mut Vec<FieldError>) {
    requirements(r, path, errors, &container_resource_name);
    claim_names(r, claims, &path.child("claims"), errors);
}

/// Models `validateResourceClaimNames`.
fn claim_names(r: &ResourceRequirements, known: &[&str], path: &Path, errors: &mut Vec<FieldError>) {
    // A claim as a whole (no request), or single requests of it.
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (i, c) in r.claims.iter().flatten().enumerate() {
        let at = path.index(i);
        let (name, request) = (c.name.as_str(), text(&c.request));
        if name.is_empty() {
            errors.push(FieldError::required(&at, ""));
            continue;
        }
        if seen.contains(&(name, "")) {
            errors.push(FieldError::duplicate(&at, name));
        } else {
            if !request.is_empty() {
                errors.extend(each(&at.child("request"), request, names::dns1123_label(request)));
            }
            if seen.contains(&(name, request)) {
                errors.push(FieldError::duplicate(&at, format!("{name}/{request}")));
            } else if request.is_empty() {
                let parts = seen.iter().filter(|(n, _)| *n == name);
                errors.extend(parts.map(|_| FieldError::duplicate(&at, name)));
            }
            seen.push((name, request));
        }
        if !known.contains(&name) {
            let mut e = FieldError::not_found(&at, name);
            let mut sorted: Vec<&str> = known.iter().copied().filter(|k| !k.is_empty()).collect();
            sorted.sort_unstable();
            sorted.dedup();
            e.detail = match sorted.as_slice() {
                [] => "must be one of the names in pod.spec.resourceClaims which is empty".into(),
                some => format!("must be one of the names in pod.spec.resourceClaims: {}", some.join(", ")),
            };
            errors.push(e);
        }
    }
}

fn requirements(
    r: &ResourceRequirements,
    path: &Path,
    errors: &mut Vec<FieldError>,
    check_name: &dyn Fn(&str, &Path, &mut Vec<FieldError>),
) {
    let none = ResourceList::new();
    let limits = r.limits.as_ref().unwrap_or(&none);
    let requests = r.requests.as_ref().unwrap_or(&none);
    let (limits_at, requests_at) = (path.child("limits"), path.child("requests"));
    for (name, q) in limits {
        let at = limits_at.key(name);
        check_name(name, &at, errors);
        validate_quantity(name, q, &at, errors);
        huge_page(name, Quantity::of(q), &at, errors);
    }
    for (name, q) in requests {
        let at = requests_at.key(name);
        check_name(name, &at, errors);
        validate_quantity(name, q, &at, errors);
        let q = Quantity::of(q);
        match limits.get(name).map(Quantity::of) {
            Some(limit) if q != limit && !overcommit_allowed(name) => {
                let why = format!("must be equal to {name} limit of {limit}");
                errors.push(FieldError::invalid(&requests_at, q.to_string(), why));
            }
            Some(limit) if q > limit => {
                let why = format!("must be less than or equal to {name} limit of {limit}");
                errors.push(FieldError::invalid(&requests_at, q.to_string(), why));
            }
            None if !overcommit_allowed(name) => {
                let why = "Limit must be set for non overcommitable resources";
                errors.push(FieldError::required(&limits_at, why));
            }
            _ => {}
        }
        huge_page(name, q, &at, errors);
    }
    let names = || limits.keys().chain(requests.keys());
    if names().any(|n| is_huge_page(n)) && !names().any(|n| n == "cpu" || n == "memory") {
        errors.push(FieldError::forbidden(path, "HugePages require cpu or memory"));
    }
}

/// Resources of the pod as a whole. Models `validatePodResources`.
pub fn validate_pod_level(spec: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let Some(r) = &spec.resources else { return };
    if r.claims.is_some() {
        let why = "claims may not be set for Resources at pod-level";
        errors.push(FieldError::forbidden(&path.child("claims"), why));
    }
    if spec.os.as_ref().is_some_and(|os| os.name == "windows") {
        errors.push(FieldError::forbidden(path, "may not be set for a windows pod"));
        return;
    }
    requirements(r, path, errors, &pod_resource_name);
    let amount = |list: &Option<ResourceList>, name: &str| list.as_ref().and_then(|m| m.get(name)).map(Quantity::of);
    for (name, need) in pods::container_requests(spec) {
        let Some(have) = amount(&r.requests, &name) else { continue };
        if need > have {
            let why = format!("must be greater than or equal to aggregate container requests of {need}");
            errors.push(FieldError::invalid(&path.child("requests").key(&name), have.to_string(), why));
        }
    }
    for (name, need) in pods::container_limits(spec).into_iter().filter(|(n, _)| is_huge_page(n)) {
        let Some(have) = amount(&r.limits, &name).filter(|have| need > *have) else { continue };
        let why = format!("must be greater than or equal to aggregate container limits of {need}");
        errors.push(FieldError::invalid(&path.child("limits").key(&name), have.to_string(), why));
    }
    for (i, c) in spec.containers.iter().enumerate() {
        for (name, q) in c.resources.iter().flat_map(|r| r.limits.iter().flatten()) {
            let Some(max) = r.limits.as_ref().and_then(|m| m.get(name)).map(Quantity::of) else { continue };
            let limit = Quantity::of(q);
            if limit > max {
                let at = path.child("containers").index(i).key(name).child("limits");
                let why = format!("must be less than or equal to pod limits of {max}");
                errors.push(FieldError::invalid(&at, limit.to_string(), why));
            }
        }
    }
}

/// Models `validatePodResourceName`.
fn pod_resource_name(name: &str, path: &Path, errors: &mut Vec<FieldError>) {
    let bad = names::qualified_name(name);
    if !bad.is_empty() {
        errors.extend(each(path, name, bad));
    } else if !name.contains('/') && !STANDARD.contains(&name) && !is_huge_page(name) {
        errors.push(FieldError::invalid(path, name, "must be a standard resource type or fully qualified"));
    } else if !pods::is_pod_level(name) {
        errors.push(FieldError::not_supported(path, name, &["cpu", "hugepages-", "memory"]));
    }
}

/// Models `validateOverhead`.
pub fn validate_overhead(list: &ResourceList, path: &Path, errors: &mut Vec<FieldError>) {
    let r = ResourceRequirements { limits: Some(list.clone()), ..Default::default() };
    requirements(&r, path, errors, &container_resource_name);
}

/// Every quantity of a list.
pub fn visit_resource_list(list: &mut Option<ResourceList>, f: Visit<'_>) {
    list.iter_mut().flatten().for_each(|(_, q)| f(q));
}

fn visit_requirements(r: &mut Option<ResourceRequirements>, f: Visit<'_>) {
    if let Some(r) = r {
        visit_resource_list(&mut r.limits, f);
        visit_resource_list(&mut r.requests, f);
    }
}

/// Every quantity of a pod spec.
pub fn visit_quantities(spec: &mut PodSpec, f: Visit<'_>) {
    visit_resource_list(&mut spec.overhead, f);
    visit_requirements(&mut spec.resources, f);
    for c in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
        visit_requirements(&mut c.resources, f);
        let refs = c.env.iter_mut().flatten().filter_map(|e| e.value_from.as_mut()?.resource_field_ref.as_mut());
        refs.filter_map(|r| r.divisor.as_mut()).for_each(&mut *f);
    }
    for v in spec.volumes.iter_mut().flatten() {
        if let Some(q) = v.empty_dir.as_mut().and_then(|e| e.size_limit.as_mut()) {
            f(q);
        }
        if let Some(r) =
            v.ephemeral.as_mut().and_then(|e| e.volume_claim_template.as_mut()).and_then(|t| t.spec.resources.as_mut())
        {
            visit_resource_list(&mut r.limits, f);
            visit_resource_list(&mut r.requests, f);
        }
    }
}

/// Every quantity of a pod's status.
pub fn visit_status_quantities(status: &mut PodStatus, f: Visit<'_>) {
    visit_resource_list(&mut status.allocated_resources, f);
    visit_requirements(&mut status.resources, f);
    let lists =
        [&mut status.container_statuses, &mut status.init_container_statuses, &mut status.ephemeral_container_statuses];
    for c in lists.into_iter().flatten().flatten() {
        visit_resource_list(&mut c.allocated_resources, f);
        visit_requirements(&mut c.resources, f);
    }
}
