//! Priority: `priorityClassName` becomes a number, and only one class is the default. Models
//! `plugin/pkg/admission/priority`.

use super::forbidden;
use crate::keys;
use crate::server::Cx;
use api::{ObjectExt, Registered};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use meta::ApiError;

/// Of several default classes the one of the lowest value, as upstream picks after a race.
fn default_class<'a>(cx: &'a Cx<'_>) -> Option<&'a PriorityClass> {
    let prefix = keys::prefix(PriorityClass::KIND_REF, "");
    let end = keys::range_end(&prefix);
    let all = cx.store.iter_range(&prefix, &end);
    let classes = all.filter_map(|(_, e)| e.value.0.downcast::<PriorityClass>());
    classes.filter(|c| c.global_default == Some(true)).min_by_key(|c| c.value)
}

pub(super) fn admit(cx: &Cx<'_>, pod: &mut Pod) -> Result<(), ApiError> {
    let spec = pod.spec.get_or_insert_default();
    let class = match spec.priority_class_name.as_deref().unwrap_or("") {
        "" => {
            let class = default_class(cx);
            if let Some(class) = class {
                spec.priority_class_name.clone_from(&class.metadata.name);
            }
            class
        }
        name => {
            let entry = cx.object(PriorityClass::KIND_REF, "", name);
            let Some(class) = entry.and_then(|e| e.value.0.downcast()) else {
                let why = format!("no PriorityClass with name {name} was found");
                return Err(forbidden(pod, &why));
            };
            Some(class)
        }
    };
    let value = class.map_or(0, |c| c.value);
    if let Some(p) = spec.priority.filter(|p| *p != value) {
        let why = format!(
            "the integer value of priority ({p}) must not be provided in pod spec; priority admission controller \
             computed {value} from the given PriorityClass name"
        );
        return Err(forbidden(pod, &why));
    }
    let policy = class.map_or(Some("PreemptLowerPriority"), |c| c.preemption_policy.as_deref()).map(str::to_string);
    if let (Some(policy), Some(p)) = (&policy, &spec.preemption_policy)
        && policy != p
    {
        let why = format!(
            "the string value of PreemptionPolicy ({p}) must not be provided in pod spec; priority admission \
             controller computed {policy} from the given PriorityClass name"
        );
        return Err(forbidden(pod, &why));
    }
    spec.priority = Some(value);
    if policy.is_some() {
        spec.preemption_policy = policy;
    }
    Ok(())
}

/// A second default class is refused, made new or by an update.
pub(super) fn validate(cx: &Cx<'_>, class: &PriorityClass, is_new: bool) -> Result<(), ApiError> {
    let Some(other) = default_class(cx).filter(|_| class.global_default == Some(true)) else { return Ok(()) };
    if !is_new && other.metadata.name == class.metadata.name {
        return Ok(());
    }
    let name = other.metadata.name.as_deref().unwrap_or("");
    let why = format!("PriorityClass {name} is already marked as default. Only one default can exist");
    Err(forbidden(class, &why))
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
