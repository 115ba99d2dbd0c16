//! Reading and validating the arguments of plugins. Models `validation_pluginargs.go`.

use super::parse::refuse_removed;
use super::reader::{At, Reader};
use super::{Args, ResourceSpec, ShapePoint, SpreadDefaults, Strategy, cpu_and_memory};
use crate::plugins::node_selector::{PreferredTerms, Terms};
use api::validate::labels::validate_label_name;
use k8s_openapi::api::core::v1::TopologySpreadConstraint;
use meta::{Duration, FieldError};

/// The plugins that have arguments.
const WITH_ARGS: [&str; 8] = [
    "NodeResourcesFit",
    "NodeResourcesBalancedAllocation",
    "NodeAffinity",
    "DefaultPreemption",
    "InterPodAffinity",
    "PodTopologySpread",
    "VolumeBinding",
    "DynamicResources",
];

pub(super) fn plugin_config(r: &mut Reader, at: &At) -> Args {
    let mut args = Args::default();
    let mut seen: Vec<String> = Vec::new();
    for item in r.list(at) {
        r.known(&item, &["name", "args"]);
        let name_at = item.get("name");
        let Some(name) = r.text(&name_at) else {
            r.errors.push(FieldError::required(&name_at.1, ""));
            continue;
        };
        if seen.contains(&name) {
            r.errors.push(FieldError::duplicate(&item.1, name));
            continue;
        }
        let a = item.get("args");
        if refuse_removed(r, &item.1, &name) {
            continue;
        }
        let own = format!("{name}Args");
        if WITH_ARGS.contains(&name.as_str())
            && let Some(kind) = r.text(&a.get("kind")).filter(|k| *k != own)
        {
            const GROUP: &str = "kubescheduler.config.k8s.io";
            let why = format!("args for plugin {name} were not of type {own}.{GROUP}, got {kind}.{GROUP}");
            r.errors.push(FieldError::invalid(&a.1.child("kind"), kind, why));
        }
        match name.as_str() {
            "NodeResourcesFit" => fit_args(r, &a, &mut args),
            "NodeResourcesBalancedAllocation" => balanced_args(r, &a, &mut args),
            "NodeAffinity" => affinity_args(r, &a, &mut args),
            "DefaultPreemption" => preemption_args(r, &a, &mut args),
            "InterPodAffinity" => inter_pod_affinity_args(r, &a, &mut args),
            "PodTopologySpread" => spread_args(r, &a, &mut args),
            "VolumeBinding" => volume_binding_args(r, &a, &mut args),
            "DynamicResources" => dynamic_resources_args(r, &a),
            // Arguments of plugins without any are read by no one, as upstream.
            _ => {}
        }
        seen.push(name);
    }
    args
}

fn resources(r: &mut Reader, at: &At) -> Option<Vec<ResourceSpec>> {
    let items = r.list(at);
    if items.is_empty() {
        return None;
    }
    let mut specs = Vec::new();
    for item in items {
        r.known(&item, &["name", "weight"]);
        let name = r.text(&item.get("name")).unwrap_or_default();
        // A weight that is not given counts 1.
        let weight = r.int(&item.get("weight")).filter(|w| *w != 0).unwrap_or(1);
        specs.push(ResourceSpec { name, weight });
    }
    Some(specs)
}

fn fit_args(r: &mut Reader, at: &At, args: &mut Args) {
    r.known(at, &["apiVersion", "kind", "ignoredResources", "ignoredResourceGroups", "scoringStrategy"]);
    let fit = &mut args.node_resources_fit;
    let ignored = at.get("ignoredResources");
    fit.ignored_resources = r.texts(&ignored);
    for (i, name) in fit.ignored_resources.iter().enumerate() {
        r.errors.extend(validate_label_name(&ignored.1.index(i), name));
    }
    let groups = at.get("ignoredResourceGroups");
    fit.ignored_resource_groups = r.texts(&groups);
    for (i, group) in fit.ignored_resource_groups.iter().enumerate() {
        let path = groups.1.index(i);
        if group.contains('/') {
            r.errors.push(FieldError::invalid(&path, group.clone(), "resource group name can't contain '/'"));
        }
        r.errors.extend(validate_label_name(&path, group));
    }
    let strategy = at.get("scoringStrategy");
    r.known(&strategy, &["type", "resources", "requestedToCapacityRatio"]);
    let (kind_at, ratio) = (strategy.get("type"), strategy.get("requestedToCapacityRatio"));
    // A strategy without a type is an error, no strategy at all is the default one.
    let default = if strategy.present() { "" } else { "LeastAllocated" };
    let kind = r.text(&kind_at).unwrap_or_else(|| default.into());
    let known = ["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"];
    if !known.contains(&kind.as_str()) {
        r.errors.push(FieldError::not_supported(&kind_at.1, kind.clone(), &known));
    }
    let resources_at = strategy.get("resources");
    fit.resources = resources(r, &resources_at).unwrap_or_else(cpu_and_memory);
    for (i, spec) in fit.resources.iter().enumerate().filter(|(_, s)| s.weight <= 0 || s.weight > 100) {
        let detail = format!("resource weight of {} not in valid range (0, 100]", spec.name);
        r.errors.push(FieldError::invalid(&resources_at.1.index(i).child("weight"), spec.weight, detail));
    }
    fit.strategy = match kind.as_str() {
        "LeastAllocated" => Strategy::LeastAllocated,
        "MostAllocated" => Strategy::MostAllocated,
        "RequestedToCapacityRatio" => Strategy::RequestedToCapacityRatio(shape(r, &ratio)),
        _ => return,
    };
    if kind != "RequestedToCapacityRatio" && ratio.present() {
        // Not used, but it has to be right.
        shape(r, &ratio);
    }
}

fn shape(r: &mut Reader, ratio: &At) -> Vec<ShapePoint> {
    if !ratio.present() {
        let detail = "must be specified when type is RequestedToCapacityRatio";
        r.errors.push(FieldError::required(&ratio.1, detail));
        return Vec::new();
    }
    r.known(ratio, &["shape"]);
    let at = ratio.get("shape");
    let items = r.list(&at);
    let utilization = |item: &At| item.get("utilization").0.and_then(serde_json::Value::as_i64).unwrap_or(0);
    if let Some(pair) = items.windows(2).find(|w| utilization(&w[0]) >= utilization(&w[1])) {
        let detail = "values must be sorted in increasing order";
        r.range(&pair[1].get("utilization"), utilization(&pair[1]), false, detail);
    }
    let mut points: Vec<ShapePoint> = Vec::new();
    for item in items {
        r.known(&item, &["utilization", "score"]);
        let (u, s) = (item.get("utilization"), item.get("score"));
        let point = ShapePoint { utilization: r.int32(&u).unwrap_or(0), score: r.int32(&s).unwrap_or(0) };
        let (uv, sv) = (i64::from(point.utilization), i64::from(point.score));
        r.range(&u, uv, (0..=100).contains(&uv), "not in valid range [0, 100]");
        r.range(&s, sv, (0..=10).contains(&sv), "not in valid range [0, 10]");
        points.push(point);
    }
    if points.is_empty() {
        r.errors.push(FieldError::required(&at.1, "at least one point must be specified"));
    }
    points
}

fn balanced_args(r: &mut Reader, at: &At, args: &mut Args) {
    r.known(at, &["apiVersion", "kind", "resources"]);
    let list = at.get("resources");
    let specs = resources(r, &list).unwrap_or_else(cpu_and_memory);
    for (i, spec) in specs.iter().enumerate() {
        if specs[..i].iter().any(|s| s.name == spec.name) {
            r.errors.push(FieldError::duplicate(&list.1.index(i).child("name"), spec.name.clone()));
        }
        if spec.weight != 1 {
            r.errors.push(FieldError::invalid(&list.1.index(i).child("weight"), spec.weight, "must be 1"));
        }
    }
    args.balanced_allocation.resources = specs;
}

fn affinity_args(r: &mut Reader, at: &At, args: &mut Args) {
    r.known(at, &["apiVersion", "kind", "addedAffinity"]);
    let added = at.get("addedAffinity");
    let Some(value) = added.0 else { return };
    let affinity: k8s_openapi::api::core::v1::NodeAffinity = match serde_json::from_value(value.clone()) {
        Ok(a) => a,
        Err(e) => {
            r.fail(&added, &format!("a node affinity: {e}"));
            return;
        }
    };
    if let Some(required) = &affinity.required_during_scheduling_ignored_during_execution {
        let path = added.1.child("requiredDuringSchedulingIgnoredDuringExecution");
        r.errors.extend(Terms::parse(required, &path).1);
    }
    if let Some(terms) = &affinity.preferred_during_scheduling_ignored_during_execution {
        let path = added.1.child("preferredDuringSchedulingIgnoredDuringExecution");
        r.errors.extend(PreferredTerms::parse(terms, &path).err().unwrap_or_default());
    }
    args.node_affinity.added_affinity = Some(affinity);
}

fn preemption_args(r: &mut Reader, at: &At, args: &mut Args) {
    r.known(at, &["apiVersion", "kind", "minCandidateNodesPercentage", "minCandidateNodesAbsolute"]);
    let (p, a) = (at.get("minCandidateNodesPercentage"), at.get("minCandidateNodesAbsolute"));
    let percentage = r.int32(&p).unwrap_or(10);
    let absolute = r.int32(&a).unwrap_or(100);
    r.range(&p, i64::from(percentage), (0..=100).contains(&percentage), "not in valid range [0, 100]");
    r.range(&a, i64::from(absolute), absolute >= 0, "not in valid range [0, inf)");
    if percentage == 0 && absolute == 0 {
        r.range(&p, 0, false, "cannot be zero at the same time as minCandidateNodesAbsolute");
        r.range(&a, 0, false, "cannot be zero at the same time as minCandidateNodesPercentage");
    }
    args.default_preemption.min_candidate_nodes_percentage = percentage.clamp(0, 100);
    args.default_preemption.min_candidate_nodes_absolute = absolute.max(0);
}

/// Scoring by capacity is off by default.
fn volume_binding_args(r: &mut Reader, at: &At, args: &mut Args) {
    r.known(at, &["apiVersion", "kind", "bindTimeoutSeconds", "shape"]);
    let (timeout, shape) = (at.get("bindTimeoutSeconds"), at.get("shape"));
    let seconds = r.int(&timeout).unwrap_or(600);
    r.range(&timeout, seconds, seconds >= 0, "invalid BindTimeoutSeconds, should not be a negative value");
    args.volume_binding_timeout = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    if let Some(value) = shape.0 {
        let detail = "unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring";
        r.errors.push(FieldError::invalid(&shape.1, value.clone(), detail));
    }
}

fn dynamic_resources_args(r: &mut Reader, at: &At) {
    r.known(at, &["apiVersion", "kind", "filterTimeout", "bindingTimeout"]);
    let binding = at.get("bindingTimeout");
    if binding.present() {
        let detail = "DRADeviceBindingConditions or DRAResourceClaimDeviceStatus feature gate is disabled";
        r.errors.push(FieldError::forbidden(&binding.1, detail));
    }
}

fn inter_pod_affinity_args(r: &mut Reader, at: &At, args: &mut Args) {
    r.known(at, &["apiVersion", "kind", "hardPodAffinityWeight", "ignorePreferredTermsOfExistingPods"]);
    let weight = at.get("hardPodAffinityWeight");
    let n = r.int32(&weight).unwrap_or(1);
    r.range(&weight, i64::from(n), (0..=100).contains(&n), "not in valid range [0, 100]");
    args.inter_pod_affinity.hard_pod_affinity_weight = n;
    let ignore = r.flag(&at.get("ignorePreferredTermsOfExistingPods"));
    args.inter_pod_affinity.ignore_preferred_terms_of_existing_pods = ignore.unwrap_or(false);
}

fn spread_args(r: &mut Reader, at: &At, args: &mut Args) {
    r.known(at, &["apiVersion", "kind", "defaultConstraints", "defaultingType"]);
    let (list_at, kind_at) = (at.get("defaultConstraints"), at.get("defaultingType"));
    let items = r.list(&list_at);
    let kind = r.text(&kind_at).unwrap_or_else(|| "System".into());
    match kind.as_str() {
        "System" if items.is_empty() => return,
        "System" => {
            let detail = "when .defaultConstraints are not empty";
            r.errors.push(FieldError::invalid(&kind_at.1, kind, detail));
        }
        "List" => {}
        _ => r.errors.push(FieldError::not_supported(&kind_at.1, kind, &["System", "List"])),
    }
    let mut list: Vec<TopologySpreadConstraint> = Vec::new();
    for item in &items {
        let Some(value) = item.0 else { continue };
        let c: TopologySpreadConstraint = match serde_json::from_value(value.clone()) {
            Ok(c) => c,
            Err(e) => {
                r.fail(item, &format!("a spread constraint: {e}"));
                continue;
            }
        };
        let (skew, key, when) = (item.get("maxSkew"), item.get("topologyKey"), item.get("whenUnsatisfiable"));
        r.range(&skew, i64::from(c.max_skew), c.max_skew > 0, "not in valid range (0, inf)");
        if c.topology_key.is_empty() {
            r.errors.push(FieldError::required(&key.1, "can not be empty"));
        } else {
            r.errors.extend(validate_label_name(&key.1, &c.topology_key));
        }
        match c.when_unsatisfiable.as_str() {
            "DoNotSchedule" | "ScheduleAnyway" => {}
            "" => r.errors.push(FieldError::required(&when.1, "can not be empty")),
            other => {
                r.errors.push(FieldError::not_supported(&when.1, other, &["DoNotSchedule", "ScheduleAnyway"]));
            }
        }
        if c.label_selector.is_some() {
            let detail = "constraint must not define a selector, as they deduced for each pod";
            r.errors.push(FieldError::forbidden(&item.1.child("labelSelector"), detail));
        }
        let same = |o: &TopologySpreadConstraint| {
            o.topology_key == c.topology_key && o.when_unsatisfiable == c.when_unsatisfiable
        };
        if list.iter().any(same) {
            let value = format!("{{{}, {}}}", c.topology_key, c.when_unsatisfiable);
            r.errors.push(FieldError::duplicate(&item.1, value));
        }
        list.push(c);
    }
    args.pod_topology_spread = SpreadDefaults::List(list);
}
