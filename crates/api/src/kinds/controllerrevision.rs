//! ControllerRevision: a past or present template of a StatefulSet or DaemonSet. Models
//! `pkg/registry/apps/controllerrevision` and `pkg/apis/apps/validation`.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use crate::validate::{immutable, nonnegative};
use k8s_openapi::api::apps::v1::ControllerRevision;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, ControllerRevision);

impl Registration for Reg {
    type Type = ControllerRevision;
    const PLURAL: &'static str = "controllerrevisions";
    const SINGULAR: &'static str = "controllerrevision";
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Controller", "string", 0).describe("Controller of the object"),
        Column::new("Revision", "string", 0)
            .describe("Revision indicates the revision of the state represented by Data."),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: apps/v1
kind: ControllerRevision
metadata:
  name: web-1
data:
  spec: {}
revision: 1
";

    /// Models `ValidateControllerRevision`.
    fn validate_create(o: &ControllerRevision) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if o.data.is_none() {
            errors.push(FieldError::required(&Path::new("data"), "data is mandatory"));
        }
        nonnegative(&Path::new("revision"), o.revision, &mut errors);
        errors
    }

    fn validate_update(new: &ControllerRevision, old: &ControllerRevision) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        immutable(&Path::new("data"), &new.data, &old.data, &mut errors);
        errors
    }

    fn cells(o: &ControllerRevision, now: Time) -> Vec<Cell> {
        let controller = crate::object::controller_of(&o.metadata).map(|r| {
            let group = r.api_version.split_once('/').map_or("", |(g, _)| g);
            let resource = r.kind.to_lowercase();
            if group.is_empty() { format!("{resource}/{}", r.name) } else { format!("{resource}.{group}/{}", r.name) }
        });
        vec![
            table::name(&o.metadata),
            controller.unwrap_or_else(|| table::NONE.into()).into(),
            o.revision.into(),
            table::age(&o.metadata, now),
        ]
    }
}
