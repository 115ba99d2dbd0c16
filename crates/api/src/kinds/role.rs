//! Role. Models `pkg/registry/rbac/role`.

use super::{rbac, register};
use crate::registration::{Cell, Column, Registration};
use crate::validate::NameRule;
use crate::validate::names::rule;
use k8s_openapi::api::rbac::v1::Role;
use meta::{FieldError, Time};

pub struct Reg;
register!(Reg, Role);

impl Registration for Reg {
    type Type = Role;
    const PLURAL: &'static str = "roles";
    const SINGULAR: &'static str = "role";
    const NAME_RULE: NameRule = rule::path_segment;
    const COLUMNS: &'static [Column] = rbac::ROLE_COLUMNS;
    const SAMPLE: &'static str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: pod-reader
rules:
- apiGroups: [\"\"]
  resources: [pods]
  verbs: [get, watch, list]
";

    fn validate_create(o: &Role) -> Vec<FieldError> {
        rbac::validate_rules(o.rules.as_ref(), true)
    }
    fn validate_update(new: &Role, _old: &Role) -> Vec<FieldError> {
        Self::validate_create(new)
    }

    fn cells(o: &Role, _now: Time) -> Vec<Cell> {
        rbac::role_cells(&o.metadata)
    }
}
