//! Pod affinity terms, parsed once per pod. Models `fwk.AffinityTerm`.

use super::objects::Objects;
use super::requirement::selector;
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

/// All terms of a pod. Of terms that cannot be read none of the same sort counts, and `unreadable` says why.
#[derive(Clone, Debug, Default)]
pub struct AffinityTerms {
    pub required: Vec<AffinityTerm>,
    pub required_anti: Vec<AffinityTerm>,
    /// With their weights.
    pub preferred: Vec<(AffinityTerm, i64)>,
    pub preferred_anti: Vec<(AffinityTerm, i64)>,
    /// What upstream says of terms that an API server would not have let in.
    pub unreadable: Option<String>,
}

impl AffinityTerm {
    fn parse(term: &PodAffinityTerm, own_namespace: &str) -> Result<Self, String> {
        let mut namespaces: BTreeSet<String> = term.namespaces.iter().flatten().cloned().collect();
        if namespaces.is_empty() && term.namespace_selector.is_none() {
            namespaces.insert(own_namespace.into());
        }
        Ok(AffinityTerm {
            topology_key: term.topology_key.clone(),
            namespaces,
            selector: selector(term.label_selector.as_ref())?,
            namespace_selector: selector(term.namespace_selector.as_ref())?,
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
        let mut errors: Vec<String> = Vec::new();
        if let Some(a) = &affinity.pod_affinity {
            let (hard, soft) = (
                &a.required_during_scheduling_ignored_during_execution,
                &a.preferred_during_scheduling_ignored_during_execution,
            );
            terms.required = required(hard, namespace, "requiredAffinityTerms", &mut errors);
            terms.preferred = preferred(soft, namespace, "preferredAffinityTerms", &mut errors);
        }
        if let Some(a) = &affinity.pod_anti_affinity {
            let (hard, soft) = (
                &a.required_during_scheduling_ignored_during_execution,
                &a.preferred_during_scheduling_ignored_during_execution,
            );
            // Upstream reads what is required first.
            let at = errors.iter().position(|e| e.starts_with("preferred")).unwrap_or(errors.len());
            let mut own = Vec::new();
            terms.required_anti = required(hard, namespace, "requiredAntiAffinityTerms", &mut own);
            errors.splice(at..at, own);
            terms.preferred_anti = preferred(soft, namespace, "preferredAntiAffinityTerms", &mut errors);
        }
        terms.unreadable = Some(errors).filter(|e| !e.is_empty()).map(meta::field::aggregate);
        terms
    }
}

impl AffinityTerms {
    /// Whether the pod states preferences, readable or not.
    pub fn has_preferences(&self, pod: &Pod) -> bool {
        let affinity = || pod.spec.as_ref()?.affinity.as_ref();
        let stated = |terms: Option<&Vec<WeightedPodAffinityTerm>>| terms.is_some_and(|t| !t.is_empty());
        let unread = || {
            affinity().is_some_and(|a| {
                let near = a.pod_affinity.as_ref();
                let away = a.pod_anti_affinity.as_ref();
                stated(near.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref()))
                    || stated(away.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref()))
            })
        };
        !self.preferred.is_empty() || !self.preferred_anti.is_empty() || (self.unreadable.is_some() && unread())
    }
}

fn required(
    list: &Option<Vec<PodAffinityTerm>>,
    namespace: &str,
    what: &str,
    errors: &mut Vec<String>,
) -> Vec<AffinityTerm> {
    let read: Result<Vec<_>, _> = list.iter().flatten().map(|t| AffinityTerm::parse(t, namespace)).collect();
    read.unwrap_or_else(|e| {
        errors.push(format!("{what}: {e}"));
        Vec::new()
    })
}

fn preferred(
    list: &Option<Vec<WeightedPodAffinityTerm>>,
    namespace: &str,
    what: &str,
    errors: &mut Vec<String>,
) -> Vec<(AffinityTerm, i64)> {
    let parse = |t: &WeightedPodAffinityTerm| {
        AffinityTerm::parse(&t.pod_affinity_term, namespace).map(|term| (term, i64::from(t.weight)))
    };
    let read: Result<Vec<_>, _> = list.iter().flatten().map(parse).collect();
    read.unwrap_or_else(|e| {
        errors.push(format!("{what}: {e}"));
        Vec::new()
    })
}
