//! PodDisruptionBudget. Models `pkg/registry/policy/poddisruptionbudget`, `pkg/apis/policy/validation` and
//! `k8s.io/component-helpers/apps/poddisruptionbudget`.

use super::deployment::{validate_int_or_percent, validate_percent_maximum};
use super::register;
use crate::registration::{Cell, Column, Registration, Subresource};
use crate::table;
use crate::validate::{each, invalid_json, names, nonnegative, validate_label_selector};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, PodDisruptionBudget);

/// The condition that says whether a pod may be evicted now.
pub const DISRUPTION_ALLOWED: &str = "DisruptionAllowed";
/// The reason of that condition when the numbers could not be found out.
pub const SYNC_FAILED: &str = "SyncFailed";
pub const ALWAYS_ALLOW: &str = "AlwaysAllow";

impl Registration for Reg {
    type Type = PodDisruptionBudget;
    const PLURAL: &'static str = "poddisruptionbudgets";
    const SINGULAR: &'static str = "poddisruptionbudget";
    const SHORT_NAMES: &'static [&'static str] = &["pdb"];
    const SUBRESOURCES: &'static [Subresource] =
        &[Subresource { name: "status", gvk: None, verbs: super::STATUS_VERBS }];
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Min Available", "string", 0).describe("The minimum number of pods that must be available."),
        Column::new("Max Unavailable", "string", 0).describe("The maximum number of pods that may be unavailable."),
        Column::new("Allowed Disruptions", "integer", 0)
            .describe("Calculated number of pods that may be disrupted at this time."),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: web
spec:
  minAvailable: 2
  selector:
    matchLabels:
      app: web
";

    fn prepare_create(o: &mut PodDisruptionBudget) {
        o.status = None;
    }
    fn prepare_update(new: &mut PodDisruptionBudget, old: &PodDisruptionBudget) {
        new.status.clone_from(&old.status);
    }
    fn prepare_status(new: &mut PodDisruptionBudget, old: &PodDisruptionBudget) {
        new.spec.clone_from(&old.spec);
    }

    /// Models `ValidatePodDisruptionBudgetSpec`.
    fn validate_create(o: &PodDisruptionBudget) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let Some(s) = &o.spec else { return errors };
        let path = Path::new("spec");
        if s.min_available.is_some() && s.max_unavailable.is_some() {
            errors.push(invalid_json(&path, &InGo(s), "minAvailable and maxUnavailable cannot be both set"));
        }
        for (name, v) in [("minAvailable", &s.min_available), ("maxUnavailable", &s.max_unavailable)] {
            if let Some(v) = v {
                validate_int_or_percent(v, &path.child(name), &mut errors);
                validate_percent_maximum(v, &path.child(name), &mut errors);
            }
        }
        if let Some(selector) = &s.selector {
            errors.extend(validate_label_selector(&path.child("selector"), selector));
        }
        if let Some(p) = s.unhealthy_pod_eviction_policy.as_deref().filter(|p| !POLICIES.contains(p)) {
            errors.push(FieldError::not_supported(&path.child("unhealthyPodEvictionPolicy"), p, POLICIES));
        }
        errors
    }
    fn validate_update(new: &PodDisruptionBudget, _old: &PodDisruptionBudget) -> Vec<FieldError> {
        Self::validate_create(new)
    }

    /// Models `ValidatePodDisruptionBudgetStatusUpdate`.
    fn validate_status(new: &PodDisruptionBudget, _old: &PodDisruptionBudget) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let Some(s) = &new.status else { return errors };
        let path = Path::new("status");
        conditions(s.conditions.as_deref().unwrap_or_default(), &path.child("conditions"), &mut errors);
        for (name, v) in [
            ("disruptionsAllowed", s.disruptions_allowed),
            ("currentHealthy", s.current_healthy),
            ("desiredHealthy", s.desired_healthy),
            ("expectedPods", s.expected_pods),
        ] {
            nonnegative(&path.child(name), v.into(), &mut errors);
        }
        errors
    }

    fn cells(o: &PodDisruptionBudget, now: Time) -> Vec<Cell> {
        let amount = |v: Option<&IntOrString>| match v {
            None => Cell::from("N/A"),
            Some(IntOrString::Int(n)) => n.to_string().into(),
            Some(IntOrString::String(s)) => s.as_str().into(),
        };
        let spec = o.spec.as_ref();
        vec![
            table::name(&o.metadata),
            amount(spec.and_then(|s| s.min_available.as_ref())),
            amount(spec.and_then(|s| s.max_unavailable.as_ref())),
            o.status.as_ref().map_or(0, |s| s.disruptions_allowed).into(),
            table::age(&o.metadata, now),
        ]
    }
}

const POLICIES: &[&str] = &[ALWAYS_ALLOW, "IfHealthyBudget"];

/// A spec as upstream's internal type prints itself: capital names, all of them.
struct InGo<'a>(&'a PodDisruptionBudgetSpec);

impl serde::Serialize for InGo<'_> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = s.serialize_struct("PodDisruptionBudgetSpec", 4)?;
        out.serialize_field("MinAvailable", &self.0.min_available)?;
        out.serialize_field("Selector", &self.0.selector)?;
        out.serialize_field("MaxUnavailable", &self.0.max_unavailable)?;
        out.serialize_field("UnhealthyPodEvictionPolicy", &self.0.unhealthy_pod_eviction_policy)?;
        out.end()
    }
}

/// Models `metav1/validation.ValidateConditions`, as far as a condition can be told to be wrong.
fn conditions(list: &[Condition], path: &Path, errors: &mut Vec<FieldError>) {
    for (i, c) in list.iter().enumerate() {
        let at = path.index(i);
        if list[..i].iter().any(|o| o.type_ == c.type_) {
            errors.push(FieldError::duplicate(&at.child("type"), c.type_.as_str()));
        }
        errors.extend(each(&at.child("type"), &c.type_, names::qualified_name(&c.type_)));
        if !matches!(c.status.as_str(), "True" | "False" | "Unknown") {
            let supported = &["False", "True", "Unknown"];
            errors.push(FieldError::not_supported(&at.child("status"), c.status.as_str(), supported));
        }
        if let Some(g) = c.observed_generation.filter(|g| *g < 0) {
            let why = "must be greater than or equal to zero";
            errors.push(FieldError::invalid(&at.child("observedGeneration"), g, why));
        }
        if c.reason.is_empty() {
            errors.push(FieldError::required(&at.child("reason"), "must be set"));
        }
    }
}

/// Whether the condition agrees with the numbers. Models `ConditionsAreUpToDate`.
pub fn condition_is_true_to(o: &PodDisruptionBudget) -> bool {
    let Some(s) = &o.status else { return false };
    let condition = s.conditions.iter().flatten().find(|c| c.type_ == DISRUPTION_ALLOWED);
    let expected = if s.disruptions_allowed > 0 { "True" } else { "False" };
    s.observed_generation == o.metadata.generation && condition.is_some_and(|c| c.status == expected)
}

/// Makes the condition agree with the numbers. Models `UpdateDisruptionAllowedCondition`.
pub fn update_condition(status: &mut PodDisruptionBudgetStatus, now: Time) {
    let (value, reason) =
        if status.disruptions_allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    set_condition(status, value, reason, "", now);
}

/// Models `apimeta.SetStatusCondition`.
pub fn set_condition(status: &mut PodDisruptionBudgetStatus, value: &str, reason: &str, message: &str, now: Time) {
    let mut new = Condition {
        type_: DISRUPTION_ALLOWED.into(),
        status: value.into(),
        reason: reason.into(),
        message: message.into(),
        observed_generation: status.observed_generation,
        last_transition_time: now.to_k8s(),
    };
    let conditions = status.conditions.get_or_insert_default();
    match conditions.iter_mut().find(|c| c.type_ == new.type_) {
        Some(old) => {
            if old.status == new.status {
                new.last_transition_time = old.last_transition_time.clone();
            }
            *old = new;
        }
        None => conditions.push(new),
    }
}
