//! A configuration as the document that would give it.

use super::{Config, Plugins, Profile, SpreadDefaults, Strategy};
use serde_json::{Value, json};

impl Profile {
    /// Changes a score plugin's weight, or with 0 takes it out of scoring; false when it does not score here.
    pub fn set_weight(&mut self, plugin: &str, weight: i32) -> bool {
        let Plugins { multi_point, points } = &mut self.plugins;
        let score = points.entry("score".into()).or_default();
        let scores = crate::plugins::find(plugin).is_some_and(|e| e.default_weight > 0);
        let listed = score.enabled.iter().chain(&multi_point.enabled).any(|p| p.name == plugin);
        if !scores || !listed || score.disabled.iter().any(|d| d == plugin) {
            return false;
        }
        if weight == 0 {
            score.enabled.retain(|p| p.name != plugin);
            score.disabled.push(plugin.into());
            return true;
        }
        let at_score = score.enabled.iter().any(|p| p.name == plugin);
        let list = if at_score { &mut score.enabled } else { &mut multi_point.enabled };
        list.iter_mut().filter(|p| p.name == plugin).for_each(|p| p.weight = weight);
        true
    }

    fn to_value(&self) -> Value {
        let set = |s: &super::PluginSet| {
            let enabled: Vec<Value> =
                s.enabled
                    .iter()
                    .map(|p| {
                        if p.weight > 0 { json!({"name": p.name, "weight": p.weight}) } else { json!({"name": p.name}) }
                    })
                    .collect();
            let disabled: Vec<Value> = s.disabled.iter().map(|d| json!({"name": d})).collect();
            let mut v = json!({"enabled": enabled});
            if !disabled.is_empty() {
                v["disabled"] = disabled.into();
            }
            v
        };
        let mut plugins = json!({"multiPoint": set(&self.plugins.multi_point)});
        for (point, s) in &self.plugins.points {
            plugins[point] = set(s);
        }
        let mut v =
            json!({"schedulerName": self.scheduler_name, "plugins": plugins, "pluginConfig": self.plugin_config()});
        if let Some(p) = self.percentage_of_nodes_to_score {
            v["percentageOfNodesToScore"] = p.into();
        }
        v
    }

    fn plugin_config(&self) -> Vec<Value> {
        let a = &self.args;
        let resources = |list: &[super::ResourceSpec]| -> Vec<Value> {
            list.iter().map(|r| json!({"name": r.name, "weight": r.weight})).collect()
        };
        let fit = &a.node_resources_fit;
        let mut strategy = json!({"resources": resources(&fit.resources)});
        match &fit.strategy {
            Strategy::LeastAllocated => strategy["type"] = "LeastAllocated".into(),
            Strategy::MostAllocated => strategy["type"] = "MostAllocated".into(),
            Strategy::RequestedToCapacityRatio(shape) => {
                let shape: Vec<Value> =
                    shape.iter().map(|p| json!({"utilization": p.utilization, "score": p.score})).collect();
                strategy["type"] = "RequestedToCapacityRatio".into();
                strategy["requestedToCapacityRatio"] = json!({"shape": shape});
            }
        }
        let mut fit_args = json!({"scoringStrategy": strategy});
        if !fit.ignored_resources.is_empty() {
            fit_args["ignoredResources"] = json!(fit.ignored_resources);
        }
        if !fit.ignored_resource_groups.is_empty() {
            fit_args["ignoredResourceGroups"] = json!(fit.ignored_resource_groups);
        }
        let spread = match &a.pod_topology_spread {
            SpreadDefaults::System => json!({"defaultingType": "System"}),
            SpreadDefaults::List(list) => json!({"defaultingType": "List", "defaultConstraints": list}),
        };
        let mut config = vec![
            json!({"name": "NodeResourcesFit", "args": fit_args}),
            json!({"name": "NodeResourcesBalancedAllocation",
                "args": {"resources": resources(&a.balanced_allocation.resources)}}),
            json!({"name": "DefaultPreemption", "args": {
                "minCandidateNodesPercentage": a.default_preemption.min_candidate_nodes_percentage,
                "minCandidateNodesAbsolute": a.default_preemption.min_candidate_nodes_absolute}}),
            json!({"name": "InterPodAffinity", "args": {
                "hardPodAffinityWeight": a.inter_pod_affinity.hard_pod_affinity_weight,
                "ignorePreferredTermsOfExistingPods": a.inter_pod_affinity.ignore_preferred_terms_of_existing_pods}}),
            json!({"name": "PodTopologySpread", "args": spread}),
        ];
        if let Some(added) = &a.node_affinity.added_affinity {
            config.push(json!({"name": "NodeAffinity", "args": {"addedAffinity": added}}));
        }
        config
    }
}

impl Config {
    /// A KubeSchedulerConfiguration that reads as this configuration.
    pub fn to_document(&self) -> Value {
        json!({
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "percentageOfNodesToScore": self.percentage_of_nodes_to_score,
            "podInitialBackoffSeconds": self.pod_initial_backoff_seconds,
            "podMaxBackoffSeconds": self.pod_max_backoff_seconds,
            "profiles": self.profiles.iter().map(Profile::to_value).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_as_the_same() {
        let config = Config::default();
        let again = Config::parse(&config.to_document()).expect("sound");
        assert_eq!(again.to_document(), config.to_document());
        assert_eq!(again.profiles[0].plugins.multi_point.enabled, config.profiles[0].plugins.multi_point.enabled);
    }
}
