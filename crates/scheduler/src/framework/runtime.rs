//! A profile's plugins, instantiated and sorted by extension point. Models
//! `pkg/scheduler/framework/runtime/framework.go` (NewFramework, expandMultiPointPlugins).

use super::{ClusterEvent, Hint, Plugin, PodInfo, QueueSort, SortKey, Status};
use crate::config::{PluginRef, PluginSet, Plugins, Profile};
use crate::devices::Devices;
use crate::extender::Extenders;
use crate::plugins;
use meta::{Duration, Time};
use std::collections::BTreeSet;

/// The extension points a plugin set can be configured for, by their names in KubeSchedulerConfiguration and in the
/// order upstream initializes them.
pub const POINTS: &[&str] = &[
    "preFilter",
    "filter",
    "postFilter",
    "reserve",
    "preScore",
    "score",
    "preBind",
    "bind",
    "postBind",
    "permit",
    "preEnqueue",
    "queueSort",
];

pub struct Framework {
    pub profile_name: String,
    /// Percentage of nodes to score, when the profile overrides the scheduler's.
    pub percentage_of_nodes_to_score: Option<i32>,
    /// Programs outside that are asked too.
    pub(crate) extenders: Option<Extenders>,
    pub(crate) plugins: Vec<Box<dyn Plugin>>,
    pub(crate) pre_enqueue: Vec<usize>,
    pub(crate) queue_sort: usize,
    pub(crate) pre_filter: Vec<usize>,
    pub(crate) filter: Vec<usize>,
    pub(crate) post_filter: Vec<usize>,
    pub(crate) pre_score: Vec<usize>,
    /// Plugin and weight.
    pub(crate) score: Vec<(usize, i64)>,
    pub(crate) reserve: Vec<usize>,
    pub(crate) permit: Vec<usize>,
    pub(crate) pre_bind: Vec<usize>,
    pub(crate) bind: Vec<usize>,
    pub(crate) volume_binding_timeout: Duration,
}

fn implements(plugin: &dyn Plugin, point: &str) -> bool {
    match point {
        "preEnqueue" => plugin.as_pre_enqueue().is_some(),
        "queueSort" => plugin.as_queue_sort().is_some(),
        "preFilter" => plugin.as_pre_filter().is_some(),
        "filter" => plugin.as_filter().is_some(),
        "postFilter" => plugin.as_post_filter().is_some(),
        "preScore" => plugin.as_pre_score().is_some(),
        "score" => plugin.as_score().is_some(),
        "reserve" => plugin.as_reserve().is_some(),
        "permit" => plugin.as_permit().is_some(),
        "preBind" => plugin.as_pre_bind().is_some(),
        "bind" => plugin.as_bind().is_some(),
        _ => false,
    }
}

impl Framework {
    /// Instantiates the profile's plugins.
    ///
    /// # Errors
    /// Upstream's words for an unknown plugin, a point it does not have, a duplicate, or a missing bind or
    /// queue sort plugin.
    pub fn new(profile: &Profile) -> Result<Framework, String> {
        let set = &profile.plugins;
        let mut plugins: Vec<Box<dyn Plugin>> = Vec::new();
        for name in wanted(set) {
            if plugins::UNAVAILABLE.contains(&&*name) {
                return Err(format!("plugin {name:?} of kube-scheduler is not available here"));
            }
            // Names that nobody knows are reported with the point they were found at.
            let Some(entry) = plugins::find(&name) else { continue };
            let built = (entry.build)(&profile.args);
            plugins.push(built.map_err(|e| format!("initializing plugin {name:?}: {e}"))?);
        }
        let at = |name: &str| plugins.iter().position(|p| p.name() == name);
        check_points(set, |point, name| at(name).map(|i| implements(&*plugins[i], point)))?;
        let expand = |point: &str| -> Result<Vec<usize>, String> {
            let names = expand_point(set, point, |n| at(n).is_some_and(|i| implements(&*plugins[i], point)))?;
            Ok(names.iter().filter_map(|n| at(n)).collect())
        };
        let queue_sort = expand("queueSort")?;
        let bind = expand("bind")?;
        let profile_name = &profile.scheduler_name;
        let [queue_sort] = queue_sort[..] else {
            return Err(format!(
                "only one queue sort plugin required for profile with scheduler name {profile_name:?}, but got {}",
                queue_sort.len()
            ));
        };
        if bind.is_empty() {
            return Err(format!("at least one bind plugin is needed for profile with scheduler name {profile_name:?}"));
        }
        let score = expand("score")?.into_iter().map(|i| (i, weight(set, plugins[i].name()))).collect();
        Ok(Framework {
            profile_name: profile_name.clone(),
            percentage_of_nodes_to_score: profile.percentage_of_nodes_to_score,
            extenders: None,
            pre_enqueue: expand("preEnqueue")?,
            queue_sort,
            pre_filter: expand("preFilter")?,
            filter: expand("filter")?,
            post_filter: expand("postFilter")?,
            pre_score: expand("preScore")?,
            score,
            reserve: expand("reserve")?,
            permit: expand("permit")?,
            pre_bind: expand("preBind")?,
            bind,
            volume_binding_timeout: profile.args.volume_binding_timeout,
            plugins,
        })
    }

    /// The names of the plugins at an extension point, in the order they run.
    pub fn plugins_at(&self, point: &str) -> Vec<&'static str> {
        let names = |list: &[usize]| list.iter().map(|i| self.plugins[*i].name()).collect();
        match point {
            "preEnqueue" => names(&self.pre_enqueue),
            "queueSort" => names(&[self.queue_sort]),
            "preFilter" => names(&self.pre_filter),
            "filter" => names(&self.filter),
            "postFilter" => names(&self.post_filter),
            "preScore" => names(&self.pre_score),
            "score" => self.score.iter().map(|(i, _)| self.plugins[*i].name()).collect(),
            "reserve" => names(&self.reserve),
            "permit" => names(&self.permit),
            "preBind" => names(&self.pre_bind),
            "bind" => names(&self.bind),
            _ => Vec::new(),
        }
    }

    /// How long VolumeBinding waits in PreBind; `None` when the profile is without it.
    pub fn volume_binding_timeout(&self) -> Option<Duration> {
        let has = self.pre_bind.iter().any(|i| self.plugins[*i].name() == plugins::volume_binding::NAME);
        has.then_some(self.volume_binding_timeout)
    }

    /// Where the pod stands in the active queue.
    pub fn sort_key(&self, pod: &PodInfo, timestamp: Time) -> SortKey {
        let plugin = self.plugins[self.queue_sort].as_queue_sort();
        plugin.map_or(SortKey(0, timestamp.0), |p: &dyn QueueSort| p.sort_key(pod, timestamp))
    }

    /// Runs the PreEnqueue plugins until one holds the pod back.
    pub fn pre_enqueue(&self, devices: &Devices, pod: &PodInfo) -> Result<(), Status> {
        for i in &self.pre_enqueue {
            if let Some(p) = self.plugins[*i].as_pre_enqueue() {
                p.pre_enqueue(devices, pod).map_err(|s| s.from_plugin(self.plugins[*i].name()))?;
            }
        }
        Ok(())
    }

    /// Whether `event` may help a pod that the plugin named `plugin` refused. A plugin that is not here any more
    /// cannot object.
    pub fn hint(&self, plugin: &str, pod: &PodInfo, event: &ClusterEvent) -> Hint {
        self.plugins.iter().find(|p| p.name() == plugin).map_or(Hint::Queue, |p| p.hint(pod, event))
    }
}

/// Every plugin named at MultiPoint or at a single point, each once, in that order.
fn wanted(set: &Plugins) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let points = POINTS.iter().filter_map(|p| set.points.get(*p));
    let all = std::iter::once(&set.multi_point).chain(points).flat_map(|s: &PluginSet| &s.enabled);
    all.filter(|p| seen.insert(p.name.clone())).map(|p| p.name.clone()).collect()
}

/// What upstream calls the interface of a point.
fn interface(point: &str) -> String {
    let (first, rest) = point.split_at(1);
    format!("{}{rest}Plugin", first.to_uppercase())
}

/// The complaints about what is configured, in the order upstream finds them: first the plugins enabled at a point,
/// then those of MultiPoint. `known` says whether a plugin has a point, `None` when there is no such plugin. Models
/// updatePluginList and the checks of expandMultiPointPlugins.
fn check_points(set: &Plugins, known: impl Fn(&str, &str) -> Option<bool>) -> Result<(), String> {
    let missing = |point: &str, name: &str| format!("{} {name:?} does not exist", interface(point));
    for point in POINTS {
        let mut seen = BTreeSet::new();
        for PluginRef { name, .. } in set.points.get(*point).iter().flat_map(|s| &s.enabled) {
            match known(point, name) {
                None => return Err(missing(point, name)),
                Some(false) => return Err(format!("plugin {name:?} does not extend {} plugin", interface(point))),
                Some(true) if !seen.insert(name) => {
                    return Err(format!("plugin {name:?} already registered as {:?}", interface(point)));
                }
                Some(true) => {}
            }
        }
    }
    let skipped = |point: &str| set.points.get(point).is_some_and(|s| s.disabled.iter().any(|d| d == "*"));
    for point in POINTS.iter().filter(|p| !skipped(p)) {
        if let Some(p) = set.multi_point.enabled.iter().find(|p| known(point, &p.name).is_none()) {
            return Err(missing(point, &p.name));
        }
    }
    Ok(())
}

/// The order at one point: plugins configured there that MultiPoint also has, then the rest of MultiPoint, then the
/// other plugins configured there.
fn expand_point(set: &Plugins, point: &str, has_point: impl Fn(&str) -> bool) -> Result<Vec<String>, String> {
    let empty = PluginSet::default();
    let own = set.points.get(point).unwrap_or(&empty);
    let own_names: Vec<String> = own.enabled.iter().map(|p| p.name.clone()).collect();
    if own.disabled.iter().any(|d| d == "*") {
        return Ok(own_names);
    }
    let (mut overridden, mut multi) = (BTreeSet::new(), Vec::new());
    for PluginRef { name, .. } in &set.multi_point.enabled {
        if !has_point(name) || own.disabled.contains(name) {
            continue;
        }
        if own_names.contains(name) {
            overridden.insert(name.clone());
        } else if multi.contains(name) {
            return Err(format!("plugin {name:?} already registered as {:?}", interface(point)));
        } else {
            multi.push(name.clone());
        }
    }
    let (first, last): (Vec<_>, Vec<_>) = own_names.into_iter().partition(|n| overridden.contains(n));
    Ok(first.into_iter().chain(multi).chain(last).collect())
}

/// The weight given at `score`, or at MultiPoint when the plugin is not named there; 1 when none is given. Models
/// getScoreWeights.
fn weight(set: &Plugins, name: &str) -> i64 {
    let sets = [set.points.get("score"), Some(&set.multi_point)];
    let found = sets.into_iter().flatten().flat_map(|s| &s.enabled).find(|p| p.name == name);
    found.map_or(1, |p| if p.weight == 0 { 1 } else { i64::from(p.weight) })
}
