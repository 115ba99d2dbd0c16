//! A profile's plugins, instantiated and sorted by extension point. Models
//! `pkg/scheduler/framework/runtime/framework.go` (NewFramework, expandMultiPointPlugins).

use super::{ClusterEvent, Hint, Plugin, PodInfo, QueueSort, SortKey, Status};
use crate::config::{PluginRef, PluginSet, Plugins, Profile};
use crate::plugins;
use meta::Time;
use std::collections::BTreeSet;

/// The extension points a plugin set can be configured for, by their names in KubeSchedulerConfiguration.
pub const POINTS: &[&str] = &[
    "preEnqueue",
    "queueSort",
    "preFilter",
    "filter",
    "postFilter",
    "preScore",
    "score",
    "reserve",
    "permit",
    "preBind",
    "bind",
    "postBind",
];

pub struct Framework {
    pub profile_name: String,
    /// Percentage of nodes to score, when the profile overrides the scheduler's.
    pub percentage_of_nodes_to_score: Option<i32>,
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
            let entry = plugins::find(&name).ok_or_else(|| format!("{name:?} does not exist"))?;
            let built = (entry.build)(&profile.args);
            plugins.push(built.map_err(|e| format!("initializing plugin {name:?}: {e}"))?);
        }
        let at = |name: &str| plugins.iter().position(|p| p.name() == name);
        let expand = |point: &str| -> Result<Vec<usize>, String> {
            let mut order = Vec::new();
            for name in expand_point(set, point, |n| at(n).is_some_and(|i| implements(&*plugins[i], point)))? {
                let i = at(&name).ok_or_else(|| format!("{name:?} does not exist"))?;
                if !implements(&*plugins[i], point) {
                    return Err(format!("plugin {name:?} does not extend {point} plugin"));
                }
                if order.contains(&i) {
                    return Err(format!("plugin {name:?} already registered as {point:?}"));
                }
                order.push(i);
            }
            Ok(order)
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

    /// Where the pod stands in the active queue.
    pub fn sort_key(&self, pod: &PodInfo, timestamp: Time) -> SortKey {
        let plugin = self.plugins[self.queue_sort].as_queue_sort();
        plugin.map_or(SortKey(0, timestamp.0), |p: &dyn QueueSort| p.sort_key(pod, timestamp))
    }

    /// Runs the PreEnqueue plugins until one holds the pod back.
    pub fn pre_enqueue(&self, pod: &PodInfo) -> Result<(), Status> {
        for i in &self.pre_enqueue {
            if let Some(p) = self.plugins[*i].as_pre_enqueue() {
                p.pre_enqueue(pod).map_err(|s| s.from_plugin(self.plugins[*i].name()))?;
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
            return Err(format!("plugin {name:?} already registered as {point:?}"));
        } else {
            multi.push(name.clone());
        }
    }
    let (first, last): (Vec<_>, Vec<_>) = own_names.into_iter().partition(|n| overridden.contains(n));
    Ok(first.into_iter().chain(multi).chain(last).collect())
}

/// The weight given at `score`, else at MultiPoint, else 1.
fn weight(set: &Plugins, name: &str) -> i64 {
    let sets = [set.points.get("score"), Some(&set.multi_point)];
    let found = sets.into_iter().flatten().flat_map(|s| &s.enabled).find(|p| p.name == name && p.weight != 0);
    found.map_or(1, |p| i64::from(p.weight))
}
