//! ClusterRole. Models `pkg/registry/rbac/clusterrole`.

use super::{rbac, register};
use crate::registration::{Cell, Column, Registration, Scope};
use crate::validate::names::rule;
use crate::validate::{NameRule, validate_label_selector};
use k8s_openapi::api::rbac::v1::ClusterRole;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, ClusterRole);

impl Registration for Reg {
    type Type = ClusterRole;
    const PLURAL: &'static str = "clusterroles";
    const SINGULAR: &'static str = "clusterrole";
    const SCOPE: Scope = Scope::Cluster;
    const NAME_RULE: NameRule = rule::path_segment;
    const COLUMNS: &'static [Column] = rbac::ROLE_COLUMNS;
    const SAMPLE: &'static str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: secret-reader
rules:
- apiGroups: [\"\"]
  resources: [secrets]
  verbs: [get, watch, list]
";

    fn validate_create(o: &ClusterRole) -> Vec<FieldError> {
        let mut errors = rbac::validate_rules(o.rules.as_ref(), false);
        let Some(rule) = &o.aggregation_rule else { return errors };
        let path = Path::new("aggregationRule").child("clusterRoleSelectors");
        let selectors = rule.cluster_role_selectors.as_deref().unwrap_or_default();
        if selectors.is_empty() {
            let why = "at least one clusterRoleSelector required if aggregationRule is non-nil";
            errors.push(FieldError::required(&path, why));
        }
        for (i, s) in selectors.iter().enumerate() {
            errors.extend(validate_label_selector(&path.index(i), s));
        }
        errors
    }
    fn validate_update(new: &ClusterRole, _old: &ClusterRole) -> Vec<FieldError> {
        Self::validate_create(new)
    }

    fn cells(o: &ClusterRole, _now: Time) -> Vec<Cell> {
        rbac::role_cells(&o.metadata)
    }
}
