//! Priority: `priorityClassName` becomes a number. Models `plugin/pkg/admission/priority` with the two classes
//! that every cluster has.

use k8s_openapi::api::core::v1::Pod;
use meta::ApiError;

fn value_of(class: &str) -> Option<i32> {
    match class {
        "" => Some(0),
        "system-cluster-critical" => Some(2_000_000_000),
        "system-node-critical" => Some(2_000_001_000),
        _ => None,
    }
}

pub(super) fn admit(pod: &mut Pod) -> Result<(), ApiError> {
    let spec = pod.spec.get_or_insert_default();
    let class = spec.priority_class_name.as_deref().unwrap_or("");
    let Some(value) = value_of(class) else {
        let why = format!("no PriorityClass with name {class} was found");
        return Err(super::forbidden(pod, &why));
    };
    if let Some(p) = spec.priority.filter(|p| *p != value) {
        let why = format!(
            "the integer value of priority ({p}) must not be provided in pod spec; priority admission controller \
             computed {value} from the given PriorityClass name"
        );
        return Err(super::forbidden(pod, &why));
    }
    let policy = "PreemptLowerPriority";
    if let Some(p) = spec.preemption_policy.as_deref().filter(|p| *p != policy) {
        let why = format!(
            "the string value of PreemptionPolicy ({p}) must not be provided in pod spec; priority admission \
             controller computed {policy} from the given PriorityClass name"
        );
        return Err(super::forbidden(pod, &why));
    }
    spec.priority = Some(value);
    spec.preemption_policy = Some(policy.into());
    Ok(())
}

/// An update that leaves them out keeps them.
pub(super) fn keep(new: &mut Pod, old: &Pod) {
    let (Some(new), Some(old)) = (new.spec.as_mut(), old.spec.as_ref()) else { return };
    if new.priority.is_none() {
        new.priority = old.priority;
    }
    if new.preemption_policy.is_none() {
        new.preemption_policy.clone_from(&old.preemption_policy);
    }
}
