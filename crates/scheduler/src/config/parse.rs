//! Reading and validating a KubeSchedulerConfiguration. Models `pkg/scheduler/apis/config/{v1, validation}`.

use super::args::plugin_config;
use super::extenders::{extenders, leave_resources};
use super::hosts;
use super::reader::{At, Reader};
use super::{Config, DEFAULT_SCHEDULER_NAME, PluginRef, PluginSet, Plugins, Profile, default_plugins};
use crate::framework::runtime::{Framework, POINTS};
use crate::plugins::{default_binder, priority_sort};
use meta::{FieldError, Path};
use serde_json::Value;

const API_VERSION: &str = "kubescheduler.config.k8s.io/v1";

impl Config {
    /// Reads the document, fills in upstream's defaults and validates it.
    ///
    /// # Errors
    /// Every field that is wrong, with its path.
    pub fn parse(document: &Value) -> Result<Config, Vec<FieldError>> {
        Config::read(document, false)
    }

    /// As [`Config::parse`], for decisions without a running scheduler: a profile may leave out queue sort and bind,
    /// which then are the default ones.
    ///
    /// # Errors
    /// Every field that is wrong, with its path.
    pub fn parse_lenient(document: &Value) -> Result<Config, Vec<FieldError>> {
        Config::read(document, true)
    }

    fn read(document: &Value, lenient: bool) -> Result<Config, Vec<FieldError>> {
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
        hosts::client_connection(&mut r, &root.get("clientConnection"));
        hosts::leader_election(&mut r, &root.get("leaderElection"));
        for flag in ["enableProfiling", "enableContentionProfiling", "delayCacheUntilActive"] {
            r.flag(&root.get(flag));
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
            let mut profile = profile(&mut r, at, only);
            if lenient {
                complete(&mut profile.plugins, "queueSort", priority_sort::NAME);
                complete(&mut profile.plugins, "bind", default_binder::NAME);
            }
            if let Some(i) = config.profiles.iter().position(|p| p.scheduler_name == profile.scheduler_name) {
                let first = profiles[i].1.child("schedulerName").to_string();
                let mut e = FieldError::duplicate(&at.1.child("schedulerName"), first);
                e.value = e.value.trim_matches('"').to_string();
                r.errors.push(e);
            }
            config.profiles.push(profile);
        }
        same_queue_sort(&mut r, &root.get("profiles").1, &config.profiles);
        if config.profiles.is_empty() {
            config.profiles.push(Profile::default());
        }
        config.extenders = extenders(&mut r, &root.get("extenders"));
        leave_resources(&config.extenders, &mut config.profiles);
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

/// Enables `name` at a point that is left without any plugin.
fn complete(set: &mut Plugins, point: &str, name: &str) {
    let own = set.points.entry(point.into()).or_default();
    let inherited = set.multi_point.enabled.iter().any(|p| p.name == name);
    if own.enabled.is_empty() && (!inherited || own.disabled.iter().any(|d| d == "*" || d == name)) {
        own.enabled.push(PluginRef { name: name.into(), weight: 0 });
    }
}

/// All profiles share one queue. Models validateCommonQueueSort.
fn same_queue_sort(r: &mut Reader, path: &Path, profiles: &[Profile]) {
    let of = |p: &Profile| p.plugins.points.get("queueSort").cloned().unwrap_or_default();
    let Some(first) = profiles.first().map(of) else { return };
    if first.enabled.len() > 1 {
        let path = path.index(0).child("plugins").child("queueSort").child("Enabled");
        r.errors.push(FieldError::invalid(&path, first.enabled.len(), "only one queue sort plugin can be enabled"));
    }
    for (i, p) in profiles.iter().enumerate().skip(1).filter(|(_, p)| of(p) != first) {
        let names: Vec<String> = of(p).enabled.into_iter().map(|p| p.name).collect();
        let path = path.index(i).child("plugins").child("queueSort");
        r.errors.push(FieldError::invalid(&path, names, "must be the same for all profiles"));
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
            for (i, p) in set.enabled.iter().enumerate() {
                refuse_removed(r, &at.1.child("enabled").index(i), &p.name);
            }
            merged.points.insert((*point).into(), merge(PluginSet::default(), set));
        }
    }
    merged
}

/// Plugins that earlier versions had. Models isPluginInvalid.
pub(super) fn refuse_removed(r: &mut Reader, path: &Path, name: &str) -> bool {
    let removed = ["AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits"].contains(&name);
    if removed {
        let why = format!("was invalid in version \"v1\" (KubeSchedulerConfiguration is version {API_VERSION:?})");
        r.errors.push(FieldError::invalid(path, name, why));
    }
    removed
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
