//! Pod affinity terms, parsed once per pod. Models `fwk.AffinityTerm`.

use super::objects::Objects;
use k8s_openapi::api::core::v1::{Pod, PodAffinityTerm, WeightedPodAffinityTerm};
use meta::labels::{Labels, Selector};
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub struct AffinityTerm {
    pub topology_key: String,
    namespaces: BTreeSet<String>,
    selector: Selector,
    namespace_selector: Selector,
}

/// All terms of a pod; a term that cannot be read is left out, as the API server let none in.
#[derive(Clone, Debug, Default)]
pub struct AffinityTerms {
    pub required: Vec<AffinityTerm>,
    pub required_anti: Vec<AffinityTerm>,
    /// With their weights.
    pub preferred: Vec<(AffinityTerm, i64)>,
    pub preferred_anti: Vec<(AffinityTerm, i64)>,
}

impl AffinityTerm {
    fn parse(term: &PodAffinityTerm, own_namespace: &str) -> Option<Self> {
        let mut namespaces: BTreeSet<String> = term.namespaces.iter().flatten().cloned().collect();
        if namespaces.is_empty() && term.namespace_selector.is_none() {
            namespaces.insert(own_namespace.into());
        }
        Some(AffinityTerm {
            topology_key: term.topology_key.clone(),
            namespaces,
            selector: Selector::from_api(term.label_selector.as_ref()).ok()?,
            namespace_selector: Selector::from_api(term.namespace_selector.as_ref()).ok()?,
        })
    }

    /// Whether the term is about a pod with these labels. `namespace_labels` are those of its namespace.
    pub fn matches(&self, namespace: &str, labels: Option<&Labels>, namespace_labels: Option<&Labels>) -> bool {
        (self.namespaces.contains(namespace) || self.namespace_selector.matches(namespace_labels))
            && self.selector.matches(labels)
    }

    /// The term with its namespace selector resolved to names. Models mergeAffinityTermNamespacesIfNotEmpty.
    #[must_use]
    pub fn resolved(&self, objects: &Objects) -> Self {
        let mut term = self.clone();
        if !term.namespace_selector.is_everything() {
            term.namespaces.extend(objects.namespaces_matching(&self.namespace_selector).map(str::to_string));
            term.namespace_selector = Selector::Nothing;
        }
        term
    }
}

impl AffinityTerms {
    pub fn of(pod: &Pod) -> Self {
        let mut terms = AffinityTerms::default();
        let Some(affinity) = pod.spec.as_ref().and_then(|s| s.affinity.as_ref()) else { return terms };
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        let required = |list: &Option<Vec<PodAffinityTerm>>| -> Vec<AffinityTerm> {
            list.iter().flatten().filter_map(|t| AffinityTerm::parse(t, namespace)).collect()
        };
        let preferred = |list: &Option<Vec<WeightedPodAffinityTerm>>| -> Vec<(AffinityTerm, i64)> {
            let parse = |t: &WeightedPodAffinityTerm| {
                Some((AffinityTerm::parse(&t.pod_affinity_term, namespace)?, i64::from(t.weight)))
            };
            list.iter().flatten().filter_map(parse).collect()
        };
        if let Some(a) = &affinity.pod_affinity {
            terms.required = required(&a.required_during_scheduling_ignored_during_execution);
            terms.preferred = preferred(&a.preferred_during_scheduling_ignored_during_execution);
        }
        if let Some(a) = &affinity.pod_anti_affinity {
            terms.required_anti = required(&a.required_during_scheduling_ignored_during_execution);
            terms.preferred_anti = preferred(&a.preferred_during_scheduling_ignored_during_execution);
        }
        terms
    }
}
