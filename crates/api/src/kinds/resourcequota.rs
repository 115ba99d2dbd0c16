//! ResourceQuota. Models `pkg/registry/core/resourcequota`, `ValidateResourceQuota` of `pkg/apis/core/validation` and
//! `printResourceQuota`.

use super::pod::resources::{is_quota_resource, resource_name, validate_quantity};
use super::{STATUS_VERBS, register};
use crate::registration::{Cell, Column, Registration, Subresource};
use crate::table;
use crate::validate::IMMUTABLE;
use k8s_openapi::api::core::v1::{ResourceQuota, ResourceQuotaSpec, ScopedResourceSelectorRequirement};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::{FieldError, Path, Quantity, Time};
use std::collections::{BTreeMap, BTreeSet};

pub struct Reg;
register!(Reg, ResourceQuota);

type Amounts = Option<BTreeMap<String, ApiQuantity>>;

impl Registration for Reg {
    type Type = ResourceQuota;
    const PLURAL: &'static str = "resourcequotas";
    const SINGULAR: &'static str = "resourcequota";
    const SHORT_NAMES: &'static [&'static str] = &["quota"];
    const SUBRESOURCES: &'static [Subresource] = &[Subresource { name: "status", gvk: None, verbs: STATUS_VERBS }];
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Request", "string", 0)
            .describe("Request represents a minimum amount of cpu/memory that a container may consume."),
        Column::new("Limit", "string", 0).describe(
            "Limits control the maximum amount of cpu/memory that a container may use independent of contention on the \
             node.",
        ),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: v1
kind: ResourceQuota
metadata:
  name: mem-cpu-demo
spec:
  hard:
    requests.cpu: \"1\"
    requests.memory: 1Gi
    limits.cpu: \"2\"
    limits.memory: 2Gi
    pods: \"4\"
";

    fn quantities(o: &mut ResourceQuota, f: &mut dyn FnMut(&mut ApiQuantity)) {
        let spec = o.spec.iter_mut().flat_map(|s| s.hard.iter_mut());
        let status = o.status.iter_mut().flat_map(|s| s.hard.iter_mut().chain(s.used.iter_mut()));
        spec.chain(status).flat_map(|m| m.values_mut()).for_each(f);
    }

    fn prepare_create(o: &mut ResourceQuota) {
        o.status = Some(Default::default());
    }
    fn prepare_update(new: &mut ResourceQuota, old: &ResourceQuota) {
        new.status.clone_from(&old.status);
    }
    fn prepare_status(new: &mut ResourceQuota, old: &ResourceQuota) {
        new.spec.clone_from(&old.spec);
    }

    fn validate_create(o: &ResourceQuota) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let Some(spec) = &o.spec else { return errors };
        let path = Path::new("spec");
        validate_amounts(&spec.hard, &path.child("hard"), &mut errors);
        validate_scopes(spec, &path, &mut errors);
        validate_selector(spec, &path.child("scopeSelector"), &mut errors);
        errors
    }
    fn validate_update(new: &ResourceQuota, old: &ResourceQuota) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        let scopes = |o: &ResourceQuota| -> Vec<String> {
            let mut list = o.spec.as_ref().and_then(|s| s.scopes.clone()).unwrap_or_default();
            list.sort_unstable();
            list
        };
        if scopes(new) != scopes(old) {
            let value = new.spec.as_ref().and_then(|s| s.scopes.clone());
            errors.push(FieldError::invalid(&Path::new("spec").child("scopes"), serde_json::json!(value), IMMUTABLE));
        }
        errors
    }
    fn validate_status(new: &ResourceQuota, _old: &ResourceQuota) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let Some(status) = &new.status else { return errors };
        let path = Path::new("status");
        validate_amounts(&status.hard, &path.child("hard"), &mut errors);
        validate_amounts(&status.used, &path.child("used"), &mut errors);
        errors
    }

    fn cells(o: &ResourceQuota, now: Time) -> Vec<Cell> {
        let (mut requests, mut limits) = (Vec::new(), Vec::new());
        let status = o.status.as_ref();
        for (name, hard) in status.iter().flat_map(|s| s.hard.iter().flatten()) {
            let used = status.and_then(|s| s.used.as_ref()?.get(name)).map_or(Quantity::ZERO, Quantity::of);
            let column = if name.starts_with("limits.") { &mut limits } else { &mut requests };
            column.push(format!("{name}: {used}/{}", Quantity::of(hard)));
        }
        let cell = |list: Vec<String>| Cell::from(list.join(", "));
        vec![table::name(&o.metadata), cell(requests), cell(limits), table::age(&o.metadata, now)]
    }
}

fn validate_amounts(amounts: &Amounts, path: &Path, errors: &mut Vec<FieldError>) {
    for (name, q) in amounts.iter().flatten() {
        let at = path.key(name);
        resource_name(name, &at, errors);
        if !name.contains('/') && !is_quota_resource(name) {
            errors.push(FieldError::invalid(&at, name.as_str(), "must be a standard resource for quota"));
        }
        validate_quantity(name, q, &at, errors);
    }
}

const SCOPES: &[&str] = &[
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "VolumeAttributesClass",
    "CrossNamespacePodAffinity",
];

/// Models `IsResourceQuotaScopeValidForResource`.
fn scope_fits(scope: &str, resource: &str) -> bool {
    let compute = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
    match scope {
        "BestEffort" => resource == "pods",
        "VolumeAttributesClass" => matches!(resource, "persistentvolumeclaims" | "requests.storage"),
        s if SCOPES.contains(&s) => resource == "pods" || compute.contains(&resource),
        _ => true,
    }
}

fn unfit(spec: &ResourceQuotaSpec, scope: &str) -> usize {
    let hard = spec.hard.iter().flatten().map(|(k, _)| k.as_str());
    hard.filter(|k| is_quota_resource(k) && !scope_fits(scope, k)).count()
}

fn conflicting(scopes: &BTreeSet<&str>) -> usize {
    let pairs = [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]];
    pairs.iter().filter(|p| p.iter().all(|s| scopes.contains(s))).count()
}

fn validate_scopes(spec: &ResourceQuotaSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("scopes");
    let scopes = spec.scopes.as_deref().unwrap_or_default();
    let mut wrong = |why: &str| errors.push(FieldError::invalid(&at, scopes.to_vec(), why));
    for scope in scopes {
        if !SCOPES.contains(&scope.as_str()) {
            wrong("unsupported scope");
        }
        (0..unfit(spec, scope)).for_each(|_| wrong("unsupported scope applied to resource"));
    }
    let set: BTreeSet<&str> = scopes.iter().map(String::as_str).collect();
    (0..conflicting(&set)).for_each(|_| wrong("conflicting scopes"));
}

fn validate_selector(spec: &ResourceQuotaSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("matchExpressions");
    let expressions: &[ScopedResourceSelectorRequirement] =
        spec.scope_selector.as_ref().and_then(|s| s.match_expressions.as_deref()).unwrap_or_default();
    for e in expressions {
        let scope = e.scope_name.as_str();
        if !SCOPES.contains(&scope) {
            errors.push(FieldError::invalid(&at.child("scopeName"), scope, "unsupported scope"));
        }
        let selector = || serde_json::to_value(&spec.scope_selector).unwrap_or_default();
        for _ in 0..unfit(spec, scope) {
            errors.push(FieldError::invalid(&at, selector(), "unsupported scope applied to resource"));
        }
        let only_exists = ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"];
        if only_exists.contains(&scope) && e.operator != "Exists" {
            let why = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, \
                       ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or \
                       ResourceQuotaScopeCrossNamespacePodAffinity";
            errors.push(FieldError::invalid(&at.child("operator"), e.operator.as_str(), why));
        }
        let values = e.values.as_deref().unwrap_or_default();
        match e.operator.as_str() {
            "In" | "NotIn" if values.is_empty() => {
                let why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                errors.push(FieldError::required(&at.child("values"), why));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                errors.push(FieldError::invalid(&at.child("values"), values.to_vec(), why));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => errors.push(FieldError::invalid(&at.child("operator"), other, "not a valid selector operator")),
        }
    }
    let set: BTreeSet<&str> = expressions.iter().map(|e| e.scope_name.as_str()).collect();
    for _ in 0..conflicting(&set) {
        errors.push(FieldError::invalid(&at, serde_json::json!(spec.scopes), "conflicting scopes"));
    }
}
