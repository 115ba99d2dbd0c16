//! ComponentStatus: how the API server's neighbours are, asked and not stored. Models `pkg/registry/core/componentstatus`.

use super::register;
use crate::registration::{Cell, Column, Registration, Scope, Verb};
use crate::table;
use crate::validate::text;
use k8s_openapi::api::core::v1::{ComponentCondition, ComponentStatus};
use meta::Time;

pub struct Reg;
register!(Reg, ComponentStatus);

impl Registration for Reg {
    type Type = ComponentStatus;
    const PLURAL: &'static str = "componentstatuses";
    const SINGULAR: &'static str = "componentstatus";
    const DEPRECATED: &'static str = "v1 ComponentStatus is deprecated in v1.19+";
    const SHORT_NAMES: &'static [&'static str] = &["cs"];
    const SCOPE: Scope = Scope::Cluster;
    const VERBS: &'static [Verb] = &[Verb::Get, Verb::List];
    const STORED: bool = false;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Status", "string", 0).describe("Status of the component conditions"),
        Column::new("Message", "string", 0).describe("Message of the component conditions"),
        Column::new("Error", "string", 0).describe("Error of the component conditions"),
    ];
    const SAMPLE: &'static str = "\
apiVersion: v1
kind: ComponentStatus
metadata:
  name: scheduler
";

    fn cells(o: &ComponentStatus, _: Time) -> Vec<Cell> {
        let health = o.conditions.iter().flatten().find(|c| c.type_ == "Healthy");
        let status = match health.map(|c| c.status.as_str()) {
            None => "Unknown",
            Some("True") => "Healthy",
            Some(_) => "Unhealthy",
        };
        let say = |f: fn(&ComponentCondition) -> &str| Cell::from(health.map_or("", f));
        vec![table::name(&o.metadata), status.into(), say(|c| text(&c.message)), say(|c| text(&c.error))]
    }
}

/// What is asked: a message when it is well, an error when it is not.
pub fn of(name: &str, health: Result<&str, String>) -> ComponentStatus {
    let (status, message, error) = match health {
        Ok(message) => ("True", Some(message.to_string()), None),
        Err(e) => ("False", None, Some(e)),
    };
    let mut o = ComponentStatus::default();
    o.metadata.name = Some(name.into());
    o.conditions = Some(vec![ComponentCondition { type_: "Healthy".into(), status: status.into(), message, error }]);
    o
}
