//! LimitRange. Models `pkg/registry/core/limitrange` and `ValidateLimitRange` of `pkg/apis/core/validation`.

use super::pod::resources::{container_resource_name, overcommit_allowed, resource_name};
use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use crate::validate::{each, names};
use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::{FieldError, Path, Quantity, Time};
use std::collections::{BTreeMap, BTreeSet};

pub struct Reg;
register!(Reg, LimitRange);

type Amounts = Option<BTreeMap<String, ApiQuantity>>;

impl Registration for Reg {
    type Type = LimitRange;
    const PLURAL: &'static str = "limitranges";
    const SINGULAR: &'static str = "limitrange";
    const SHORT_NAMES: &'static [&'static str] = &["limits"];
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::new("Created At", "date", 0).describe(table::AGE_DESCRIPTION)];
    const SAMPLE: &'static str = "\
apiVersion: v1
kind: LimitRange
metadata:
  name: cpu-resource-constraint
spec:
  limits:
  - type: Container
    default:
      cpu: 500m
    defaultRequest:
      cpu: 500m
    max:
      cpu: \"1\"
    min:
      cpu: 100m
";

    fn quantities(o: &mut LimitRange, f: &mut dyn FnMut(&mut ApiQuantity)) {
        for item in o.spec.iter_mut().flat_map(|s| s.limits.iter_mut()) {
            let maps = [
                &mut item.default,
                &mut item.default_request,
                &mut item.max,
                &mut item.max_limit_request_ratio,
                &mut item.min,
            ];
            maps.into_iter().flatten().flat_map(|m| m.values_mut()).for_each(&mut *f);
        }
    }

    /// Models `SetDefaults_LimitRangeItem`.
    fn default(o: &mut LimitRange) {
        for item in o.spec.iter_mut().flat_map(|s| s.limits.iter_mut()).filter(|i| i.type_ == "Container") {
            let limits = item.default.get_or_insert_default();
            let requests = item.default_request.get_or_insert_default();
            fill(limits, &item.max);
            fill(requests, &Some(limits.clone()));
            fill(requests, &item.min);
        }
        for item in o.spec.iter_mut().flat_map(|s| s.limits.iter_mut()) {
            // Go leaves empty maps out.
            item.default = item.default.take().filter(|m| !m.is_empty());
            item.default_request = item.default_request.take().filter(|m| !m.is_empty());
        }
    }

    fn validate_create(o: &LimitRange) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut seen = BTreeSet::new();
        for (i, item) in o.spec.iter().flat_map(|s| &s.limits).enumerate() {
            let path = Path::new("spec").child("limits").index(i);
            validate_type(&item.type_, &path.child("type"), &mut errors);
            if !seen.insert(item.type_.as_str()) {
                errors.push(FieldError::duplicate(&path.child("type"), item.type_.as_str()));
            }
            validate_item(item, &path, &mut errors);
        }
        errors
    }
    fn validate_update(new: &LimitRange, _old: &LimitRange) -> Vec<FieldError> {
        Self::validate_create(new)
    }

    fn cells(o: &LimitRange, _now: Time) -> Vec<Cell> {
        super::rbac::role_cells(&o.metadata)
    }
}

fn fill(into: &mut BTreeMap<String, ApiQuantity>, from: &Amounts) {
    for (k, v) in from.iter().flatten() {
        into.entry(k.clone()).or_insert_with(|| v.clone());
    }
}

fn validate_type(name: &str, path: &Path, errors: &mut Vec<FieldError>) {
    let bad = names::qualified_name(name);
    if bad.is_empty() && !name.contains('/') && !["Pod", "Container", "PersistentVolumeClaim"].contains(&name) {
        errors.push(FieldError::invalid(path, name, "must be a standard limit type or fully qualified"));
    }
    errors.extend(each(path, name, bad));
}

fn validate_item(item: &LimitRangeItem, path: &Path, errors: &mut Vec<FieldError>) {
    let of_containers = matches!(item.type_.as_str(), "Pod" | "Container");
    let check_name = if of_containers { container_resource_name } else { resource_name };
    let mut keys = BTreeSet::new();
    let mut take = |field: &str, amounts: &Amounts, errors: &mut Vec<FieldError>| -> BTreeMap<String, Quantity> {
        let mut parsed = BTreeMap::new();
        for (k, q) in amounts.iter().flatten() {
            check_name(k, &path.child(field).key(k), errors);
            keys.insert(k.clone());
            parsed.insert(k.clone(), Quantity::of(q));
        }
        parsed
    };
    let max = take("max", &item.max, errors);
    let min = take("min", &item.min, errors);
    let (mut defaults, mut requests) = (BTreeMap::new(), BTreeMap::new());
    if item.type_ == "Pod" {
        let why = "may not be specified when `type` is 'Pod'";
        for (field, amounts) in [("default", &item.default), ("defaultRequest", &item.default_request)] {
            if amounts.as_ref().is_some_and(|a| !a.is_empty()) {
                errors.push(FieldError::forbidden(&path.child(field), why));
            }
        }
    } else {
        defaults = take("default", &item.default, errors);
        requests = take("defaultRequest", &item.default_request, errors);
    }
    if item.type_ == "PersistentVolumeClaim" && !min.contains_key("storage") && !max.contains_key("storage") {
        let why = "either minimum or maximum storage value is required, but neither was provided";
        errors.push(FieldError::required(&path.child("limits"), why));
    }
    let ratios = take("maxLimitRequestRatio", &item.max_limit_request_ratio, errors);
    for k in &keys {
        let get = |m: &BTreeMap<String, Quantity>| m.get(k).copied();
        let (min, max, default) = (get(&min), get(&max), get(&defaults));
        compare(k, [min, max, default, get(&requests)], path, errors);
        if let Some(ratio) = get(&ratios) {
            compare_ratio(k, ratio, min, max, path, errors);
        }
    }
}

/// `[min, max, default, default request]` of one resource must be in order.
fn compare(k: &str, amounts: [Option<Quantity>; 4], path: &Path, errors: &mut Vec<FieldError>) {
    let [min, max, default, request] = amounts;
    let mut ordered =
        |small: (Option<Quantity>, &str), big: (Option<Quantity>, &str), field: &str, shown: Option<Quantity>| {
            if let ((Some(s), small_name), (Some(b), big_name)) = (small, big)
                && s > b
            {
                let why = format!("{small_name} value {s} is greater than {big_name} value {b}");
                let shown = shown.map(|q| q.to_string()).unwrap_or_default();
                errors.push(FieldError::invalid(&path.child(field).key(k), shown, why));
            }
        };
    let (min, max) = ((min, "min"), (max, "max"));
    let (default, request) = ((default, "default"), (request, "default request"));
    ordered(min, max, "min", min.0);
    ordered(min, request, "defaultRequest", request.0);
    ordered(request, max, "defaultRequest", request.0);
    ordered(request, (default.0, "default limit"), "defaultRequest", request.0);
    ordered(min, default, "default", min.0);
    ordered(default, max, "default", max.0);
    if let (Some(d), Some(r)) = (default.0, request.0)
        && !overcommit_allowed(k)
        && d != r
    {
        let why = format!("default value {d} must equal to defaultRequest value {r} in {k}");
        errors.push(FieldError::invalid(&path.child("defaultRequest").key(k), r.to_string(), why));
    }
}

fn compare_ratio(
    k: &str,
    ratio: Quantity,
    min: Option<Quantity>,
    max: Option<Quantity>,
    path: &Path,
    errors: &mut Vec<FieldError>,
) {
    let at = path.child("maxLimitRequestRatio").key(k);
    if ratio < Quantity::from_value(1) {
        errors.push(FieldError::invalid(&at, ratio.to_string(), format!("ratio {ratio} is less than 1")));
    }
    if let (Some(min), Some(max)) = (min, max) {
        let limit = max.milli_value() as f64 / min.milli_value() as f64;
        if ratio.milli_value() as f64 / 1000.0 > limit {
            let why = format!("ratio {ratio} is greater than max/min = {limit:.6}");
            errors.push(FieldError::invalid(&at, ratio.to_string(), why));
        }
    }
}
