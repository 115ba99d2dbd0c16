//! What the API server does to objects before a scheduler sees them, for objects that come from files: priorities from
//! PriorityClasses, label keys written into selectors, the namespaces of pods, the default of storage classes. What a pod already says stays.
//! Models `plugin/pkg/admission/priority` and the strategies of Pod and StorageClass.

use crate::whatif::World;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use std::collections::BTreeSet;

/// # Errors
/// A pod that names a PriorityClass which is not there.
pub fn admit(world: &mut World) -> Result<(), String> {
    for class in &mut world.storage_classes {
        class.volume_binding_mode.get_or_insert_with(|| "Immediate".into());
    }
    let World { pods, priority_classes, namespaces, .. } = world;
    let known: BTreeSet<String> = namespaces.iter().filter_map(|n| n.metadata.name.clone()).collect();
    let used: BTreeSet<String> = pods.iter().filter_map(|p| p.metadata.namespace.clone()).collect();
    namespaces.extend(used.difference(&known).map(|name| namespace(name)));
    for pod in pods {
        let labels = pod.metadata.labels.clone();
        if let Some(spec) = pod.spec.as_mut() {
            api::kinds::pod::apply_match_label_keys(spec, labels.as_ref());
        }
        prioritize(pod, priority_classes)?;
    }
    Ok(())
}

/// A namespace that exists because pods are in it, with the label that every namespace has.
fn namespace(name: &str) -> Namespace {
    let mut namespace = Namespace::default();
    namespace.metadata.name = Some(name.into());
    namespace.metadata.labels = Some([("kubernetes.io/metadata.name".to_string(), name.to_string())].into());
    namespace
}

/// Value and preemption policy of the class; `None` when it does not exist.
fn look_up(name: &str, classes: &[PriorityClass]) -> Option<(i32, Option<String>)> {
    let given = classes.iter().find(|c| c.metadata.name.as_deref() == Some(name));
    match (given, name) {
        (Some(c), _) => Some((c.value, c.preemption_policy.clone())),
        (None, "system-cluster-critical") => Some((2_000_000_000, None)),
        (None, "system-node-critical") => Some((2_000_001_000, None)),
        _ => None,
    }
}

fn prioritize(pod: &mut Pod, classes: &[PriorityClass]) -> Result<(), String> {
    let name = pod.metadata.name.clone().unwrap_or_default();
    let spec = pod.spec.get_or_insert_default();
    if spec.priority.is_some() {
        return Ok(());
    }
    let (value, policy) = match spec.priority_class_name.as_deref().filter(|n| !n.is_empty()) {
        Some(class) => look_up(class, classes)
            .ok_or_else(|| format!("pods {name:?} is forbidden: no PriorityClass with name {class} was found"))?,
        None => {
            // Of several default classes the least counts.
            let defaults = classes.iter().filter(|c| c.global_default == Some(true));
            match defaults.min_by_key(|c| c.value) {
                Some(c) => (c.value, c.preemption_policy.clone()),
                None => return Ok(()),
            }
        }
    };
    spec.priority = Some(value);
    if spec.preemption_policy.is_none() {
        spec.preemption_policy = policy;
    }
    Ok(())
}
