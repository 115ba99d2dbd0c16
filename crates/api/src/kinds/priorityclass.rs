//! PriorityClass. Models `pkg/registry/scheduling/priorityclass` and `pkg/apis/scheduling/{v1, validation}`.

use super::register;
use crate::registration::{Cell, Column, Registration, Scope};
use crate::table;
use crate::validate::{immutable, text};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, PriorityClass);

/// Models `HighestUserDefinablePriority`.
const USER_MAX: i32 = 1_000_000_000;
const PREEMPT: &str = "PreemptLowerPriority";

/// Name, value and description of the classes that every cluster has. Models `systemPriorityClasses`.
pub const SYSTEM: [(&str, i32, &str); 2] = [
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
];

/// The classes of [`SYSTEM`] as objects.
pub fn system() -> impl Iterator<Item = PriorityClass> {
    SYSTEM.into_iter().map(|(name, value, description)| PriorityClass {
        metadata: ObjectMeta { name: Some(name.into()), ..Default::default() },
        value,
        description: Some(description.into()),
        ..Default::default()
    })
}

impl Registration for Reg {
    type Type = PriorityClass;
    const PLURAL: &'static str = "priorityclasses";
    const SINGULAR: &'static str = "priorityclass";
    const SHORT_NAMES: &'static [&'static str] = &["pc"];
    const SCOPE: Scope = Scope::Cluster;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Value", "integer", 0).describe(
            "value represents the integer value of this priority class. This is the actual priority that pods receive \
             when they have the name of this class in their pod spec.",
        ),
        Column::new("Global-Default", "boolean", 0).describe(
            "globalDefault specifies whether this PriorityClass should be considered as the default priority for pods \
             that do not have any priority class. Only one PriorityClass can be marked as `globalDefault`. However, if \
             more than one PriorityClasses exists with their `globalDefault` field set to true, the smallest value of \
             such global default PriorityClasses will be used as the default priority.",
        ),
        Column::AGE,
        Column::new("PreemptionPolicy", "string", 0).describe(
            "preemptionPolicy is the Policy for preempting pods with lower priority. One of Never, \
             PreemptLowerPriority. Defaults to PreemptLowerPriority if unset.",
        ),
    ];
    const SAMPLE: &'static str = "\
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata:
  name: high-priority
value: 1000000
globalDefault: false
description: For pods that may push others aside.
";

    fn default(o: &mut PriorityClass) {
        o.preemption_policy.get_or_insert_with(|| PREEMPT.into());
        // Go leaves zero values out.
        o.global_default = o.global_default.filter(|d| *d);
    }

    fn prepare_create(o: &mut PriorityClass) {
        // It stays one, whatever is changed.
        o.metadata.generation = Some(1);
    }

    fn validate_create(o: &PriorityClass) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if text(&o.metadata.name).starts_with("system-") {
            if let Err(why) = known_system_class(o) {
                let why = format!(
                    "priority class names with 'system-' prefix are reserved for system use only. error: {why}"
                );
                errors.push(FieldError::forbidden(&Path::new("metadata").child("name"), why));
            }
        } else if o.value > USER_MAX {
            let why = format!("maximum allowed value of a user defined priority is {USER_MAX}");
            errors.push(FieldError::forbidden(&Path::new("value"), why));
        }
        let path = Path::new("preemptionPolicy");
        match text(&o.preemption_policy) {
            PREEMPT | "Never" => {}
            "" => errors.push(FieldError::required(&path, "")),
            other => errors.push(FieldError::not_supported(&path, other, &[PREEMPT, "Never"])),
        }
        errors
    }

    /// Models `ValidatePriorityClassUpdate`: only what was never judged is judged.
    fn validate_update(new: &PriorityClass, old: &PriorityClass) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if new.value != old.value {
            errors.push(FieldError::forbidden(&Path::new("value"), "may not be changed in an update."));
        }
        immutable(&Path::new("preemptionPolicy"), &new.preemption_policy, &old.preemption_policy, &mut errors);
        errors
    }

    fn cells(o: &PriorityClass, now: Time) -> Vec<Cell> {
        vec![
            table::name(&o.metadata),
            o.value.into(),
            o.global_default.unwrap_or(false).into(),
            table::age(&o.metadata, now),
            o.preemption_policy.as_deref().unwrap_or(PREEMPT).into(),
        ]
    }
}

/// Models `IsKnownSystemPriorityClass`.
fn known_system_class(o: &PriorityClass) -> Result<(), String> {
    let name = text(&o.metadata.name);
    let Some((_, value, _)) = SYSTEM.into_iter().find(|(n, ..)| *n == name) else {
        return Err(format!("{name} is not a known system priority class"));
    };
    if o.value != value {
        return Err(format!("value of {name} PriorityClass must be {value}"));
    }
    if o.global_default == Some(true) {
        return Err(format!("globalDefault of {name} PriorityClass must be false"));
    }
    Ok(())
}
