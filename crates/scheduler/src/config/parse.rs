//! Reading and validating a KubeSchedulerConfiguration. Models `pkg/scheduler/apis/config/{v1, validation}`.

use super::{
    Args, Config, DEFAULT_SCHEDULER_NAME, PluginRef, PluginSet, Plugins, Profile, ResourceSpec, ShapePoint, Strategy,
    cpu_and_memory, default_plugins,
};
use crate::framework::runtime::{Framework, POINTS};
use crate::plugins::node_selector::{PreferredTerms, Terms};
use meta::{FieldError, Path};
use serde_json::Value;

const API_VERSION: &str = "kubescheduler.config.k8s.io/v1";

/// Reads one level of the document after the other and collects what is wrong with it.
struct Reader {
    errors: Vec<FieldError>,
}

/// A value and where it stands in the document.
#[derive(Clone)]
struct At<'a>(Option<&'a Value>, Path);

impl<'a> At<'a> {
    fn get(&self, name: &str) -> At<'a> {
        At(self.0.and_then(|v| v.get(name)).filter(|v| !v.is_null()), self.1.child(name))
    }
    fn present(&self) -> bool {
        self.0.is_some()
    }
}

impl Reader {
    fn fail(&mut self, at: &At, want: &str) {
        let mut e = FieldError::invalid(&at.1, at.0.cloned().unwrap_or_default(), format!("must be {want}"));
        e.kind = meta::FieldErrorType::TypeInvalid;
        self.errors.push(e);
    }
    /// Upstream decodes strictly: a field it does not know is an error.
    fn known(&mut self, at: &At, fields: &[&str]) {
        match at.0 {
            Some(Value::Object(map)) => {
                for name in map.keys().filter(|k| !fields.contains(&k.as_str())) {
                    let e = FieldError::invalid(&at.1.child(name), name.clone(), "unknown field");
                    self.errors.push(e);
                }
            }
            Some(_) => self.fail(at, "an object"),
            None => {}
        }
    }
    fn text(&mut self, at: &At) -> Option<String> {
        match at.0? {
            Value::String(s) => Some(s.clone()),
            _ => {
                self.fail(at, "a string");
                None
            }
        }
    }
    fn int(&mut self, at: &At) -> Option<i64> {
        let n = at.0?.as_i64();
        if n.is_none() {
            self.fail(at, "an integer");
        }
        n
    }
    fn int32(&mut self, at: &At) -> Option<i32> {
        let n = self.int(at)?;
        let n = i32::try_from(n).ok();
        if n.is_none() {
            self.fail(at, "a 32-bit integer");
        }
        n
    }
    fn list<'a>(&mut self, at: &At<'a>) -> Vec<At<'a>> {
        match at.0 {
            None => Vec::new(),
            Some(Value::Array(items)) => items.iter().enumerate().map(|(i, v)| At(Some(v), at.1.index(i))).collect(),
            Some(_) => {
                self.fail(at, "a list");
                Vec::new()
            }
        }
    }
    fn texts(&mut self, at: &At) -> Vec<String> {
        self.list(at).iter().filter_map(|i| self.text(i)).collect()
    }
    fn range(&mut self, at: &At, value: i64, ok: bool, detail: impl Into<String>) {
        if !ok {
            self.errors.push(FieldError::invalid(&at.1, value, detail));
        }
    }
}

impl Config {
    /// Reads the document, fills in upstream's defaults and validates it.
    ///
    /// # Errors
    /// Every field that is wrong, with its path.
    pub fn parse(document: &Value) -> Result<Config, Vec<FieldError>> {
        let mut r = Reader { errors: Vec::new() };
        let root = At(Some(document), Path::default());
        r.known(
            &root,
            &[
                "apiVersion",
                "kind",
                "parallelism",
                "leaderElection",
                "clientConnection",
                "enableProfiling",
                "enableContentionProfiling",
                "percentageOfNodesToScore",
                "podInitialBackoffSeconds",
                "podMaxBackoffSeconds",
                "profiles",
                "extenders",
                "delayCacheUntilActive",
            ],
        );
        for (field, want) in [("apiVersion", API_VERSION), ("kind", "KubeSchedulerConfiguration")] {
            let at = root.get(field);
            match r.text(&at) {
                Some(have) if have != want => {
                    r.errors.push(FieldError::not_supported(&at.1, have, &[want]));
                }
                None if !at.present() => r.errors.push(FieldError::required(&at.1, format!("must be {want:?}"))),
                _ => {}
            }
        }
        let extenders = root.get("extenders");
        if !r.list(&extenders).is_empty() {
            r.errors.push(FieldError::forbidden(&extenders.1, "extenders are not available here"));
        }
        let parallelism = root.get("parallelism");
        let n = r.int(&parallelism).unwrap_or(16);
        r.range(&parallelism, n, n > 0, "should be an integer value greater than zero");

        let mut config = Config { profiles: Vec::new(), ..Config::default() };
        if let Some(p) = percentage(&mut r, &root) {
            config.percentage_of_nodes_to_score = p;
        }
        let (initial, max) = (root.get("podInitialBackoffSeconds"), root.get("podMaxBackoffSeconds"));
        config.pod_initial_backoff_seconds = r.int(&initial).unwrap_or(1);
        config.pod_max_backoff_seconds = r.int(&max).unwrap_or(10);
        r.range(
            &initial,
            config.pod_initial_backoff_seconds,
            config.pod_initial_backoff_seconds > 0,
            "must be greater than 0",
        );
        let ordered = config.pod_max_backoff_seconds >= config.pod_initial_backoff_seconds;
        r.range(
            &max,
            config.pod_max_backoff_seconds,
            ordered,
            "must be greater than or equal to PodInitialBackoffSeconds",
        );

        let profiles = r.list(&root.get("profiles"));
        let only = profiles.len() == 1;
        for at in &profiles {
            let profile = profile(&mut r, at, only);
            if let Some(i) = config.profiles.iter().position(|p| p.scheduler_name == profile.scheduler_name) {
                let first = profiles[i].1.child("schedulerName").to_string();
                let mut e = FieldError::duplicate(&at.1.child("schedulerName"), first);
                e.value = e.value.trim_matches('"').to_string();
                r.errors.push(e);
            }
            config.profiles.push(profile);
        }
        if config.profiles.is_empty() {
            config.profiles.push(Profile::default());
        }
        if r.errors.is_empty() {
            for (i, p) in config.profiles.iter().enumerate() {
                if let Err(e) = Framework::new(p) {
                    let path = Path::new("profiles").index(i);
                    r.errors.push(FieldError::invalid(&path, p.scheduler_name.clone(), e));
                }
            }
        }
        if r.errors.is_empty() { Ok(config) } else { Err(r.errors) }
    }
}

fn percentage(r: &mut Reader, at: &At) -> Option<i32> {
    let at = at.get("percentageOfNodesToScore");
    let p = r.int32(&at)?;
    r.range(&at, i64::from(p), (0..=100).contains(&p), "not in valid range [0-100]");
    Some(p)
}

fn profile(r: &mut Reader, at: &At, only: bool) -> Profile {
    r.known(at, &["schedulerName", "percentageOfNodesToScore", "plugins", "pluginConfig"]);
    let name = at.get("schedulerName");
    let scheduler_name = r.text(&name).unwrap_or_default();
    // Upstream names the profile only when it is alone.
    let scheduler_name = if scheduler_name.is_empty() && only { DEFAULT_SCHEDULER_NAME.into() } else { scheduler_name };
    if scheduler_name.is_empty() {
        r.errors.push(FieldError::required(&name.1, ""));
    }
    Profile {
        scheduler_name,
        percentage_of_nodes_to_score: percentage(r, at),
        plugins: plugins(r, &at.get("plugins")),
        args: plugin_config(r, &at.get("pluginConfig")),
    }
}

fn plugins(r: &mut Reader, at: &At) -> Plugins {
    let mut merged = default_plugins();
    let mut fields = POINTS.to_vec();
    fields.push("multiPoint");
    r.known(at, &fields);
    let own = plugin_set(r, &at.get("multiPoint"));
    merged.multi_point = merge(merged.multi_point, own);
    for point in POINTS {
        let at = at.get(point);
        if at.present() {
            let set = plugin_set(r, &at);
            merged.points.insert((*point).into(), merge(PluginSet::default(), set));
        }
    }
    merged
}

fn plugin_set(r: &mut Reader, at: &At) -> PluginSet {
    r.known(at, &["enabled", "disabled"]);
    let mut set = PluginSet::default();
    for item in r.list(&at.get("enabled")) {
        r.known(&item, &["name", "weight"]);
        let name = item.get("name");
        let weight = r.int32(&item.get("weight")).unwrap_or(0);
        match r.text(&name) {
            Some(name) => set.enabled.push(PluginRef { name, weight }),
            None => r.errors.push(FieldError::required(&name.1, "")),
        }
    }
    for item in r.list(&at.get("disabled")) {
        r.known(&item, &["name", "weight"]);
        set.disabled.extend(r.text(&item.get("name")));
    }
    set
}

/// The custom set over the default one: disabled ones go, reconfigured ones keep their place, new ones come last.
/// Models `mergePluginSet`.
fn merge(default: PluginSet, custom: PluginSet) -> PluginSet {
    let mut replaced = vec![false; custom.enabled.len()];
    let mut enabled = Vec::new();
    if !custom.disabled.iter().any(|d| d == "*") {
        for plugin in default.enabled.into_iter().filter(|p| !custom.disabled.contains(&p.name)) {
            // The last of several entries counts, as in upstream's map.
            match custom.enabled.iter().rposition(|p| p.name == plugin.name) {
                Some(i) => {
                    replaced[i] = true;
                    enabled.push(custom.enabled[i].clone());
                }
                None => enabled.push(plugin),
            }
        }
    }
    enabled.extend(custom.enabled.into_iter().zip(replaced).filter(|(_, r)| !r).map(|(p, _)| p));
    PluginSet { enabled, disabled: custom.disabled }
}

fn plugin_config(r: &mut Reader, at: &At) -> Args {
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
        if let Some(kind) = r.text(&a.get("kind")).filter(|k| *k != format!("{name}Args")) {
            r.errors.push(FieldError::invalid(&a.1.child("kind"), kind, "has to match plugin args"));
        }
        match name.as_str() {
            "NodeResourcesFit" => fit_args(r, &a, &mut args),
            "NodeResourcesBalancedAllocation" => balanced_args(r, &a, &mut args),
            "NodeAffinity" => affinity_args(r, &a, &mut args),
            "DefaultPreemption" => preemption_args(r, &a, &mut args),
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
    fit.ignored_resources = r.texts(&at.get("ignoredResources"));
    let groups = at.get("ignoredResourceGroups");
    fit.ignored_resource_groups = r.texts(&groups);
    for (i, group) in fit.ignored_resource_groups.iter().enumerate().filter(|(_, g)| g.contains('/')) {
        let detail = "resource group name can't contain '/'";
        r.errors.push(FieldError::invalid(&groups.1.index(i), group.clone(), detail));
    }
    let strategy = at.get("scoringStrategy");
    r.known(&strategy, &["type", "resources", "requestedToCapacityRatio"]);
    let resources_at = strategy.get("resources");
    fit.resources = resources(r, &resources_at).unwrap_or_else(cpu_and_memory);
    for (i, spec) in fit.resources.iter().enumerate().filter(|(_, s)| s.weight <= 0 || s.weight > 100) {
        let detail = format!("resource weight of {} not in valid range (0, 100]", spec.name);
        r.errors.push(FieldError::invalid(&resources_at.1.index(i).child("weight"), spec.weight, detail));
    }
    let (kind_at, ratio) = (strategy.get("type"), strategy.get("requestedToCapacityRatio"));
    let kind = r.text(&kind_at).unwrap_or_else(|| "LeastAllocated".into());
    fit.strategy = match kind.as_str() {
        "LeastAllocated" => Strategy::LeastAllocated,
        "MostAllocated" => Strategy::MostAllocated,
        "RequestedToCapacityRatio" => Strategy::RequestedToCapacityRatio(shape(r, &ratio)),
        _ => {
            let known = ["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"];
            r.errors.push(FieldError::not_supported(&kind_at.1, kind.clone(), &known));
            return;
        }
    };
    if kind != "RequestedToCapacityRatio" && ratio.present() {
        let detail = "must be nil when type is not RequestedToCapacityRatio";
        r.errors.push(FieldError::forbidden(&ratio.1, detail));
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
    let mut points: Vec<ShapePoint> = Vec::new();
    for item in r.list(&at) {
        r.known(&item, &["utilization", "score"]);
        let (u, s) = (item.get("utilization"), item.get("score"));
        let point = ShapePoint { utilization: r.int32(&u).unwrap_or(0), score: r.int32(&s).unwrap_or(0) };
        let (uv, sv) = (i64::from(point.utilization), i64::from(point.score));
        if points.last().is_some_and(|last| last.utilization >= point.utilization) {
            r.range(&u, uv, false, "values must be sorted in increasing order");
        }
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
