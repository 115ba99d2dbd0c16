//! ClusterRoleBinding. Models `pkg/registry/rbac/clusterrolebinding`.

use super::{rbac, register};
use crate::registration::{Cell, Column, Registration, Scope};
use crate::validate::NameRule;
use crate::validate::names::rule;
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use meta::{FieldError, Time};

pub struct Reg;
register!(Reg, ClusterRoleBinding);

impl Registration for Reg {
    type Type = ClusterRoleBinding;
    const PLURAL: &'static str = "clusterrolebindings";
    const SINGULAR: &'static str = "clusterrolebinding";
    const SCOPE: Scope = Scope::Cluster;
    const NAME_RULE: NameRule = rule::path_segment;
    const COLUMNS: &'static [Column] = rbac::binding_columns!(
        "clusterRoleBinding",
        "RoleRef can only reference a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer \
         must return an error."
    );
    const SAMPLE: &'static str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: read-secrets-global
subjects:
- kind: Group
  name: manager
  apiGroup: rbac.authorization.k8s.io
roleRef:
  kind: ClusterRole
  name: secret-reader
  apiGroup: rbac.authorization.k8s.io
";

    fn default(o: &mut ClusterRoleBinding) {
        rbac::default_binding(&mut o.role_ref, o.subjects.as_mut());
    }

    fn validate_create(o: &ClusterRoleBinding) -> Vec<FieldError> {
        rbac::validate_binding(&o.role_ref, o.subjects.as_ref(), false)
    }
    fn validate_update(new: &ClusterRoleBinding, old: &ClusterRoleBinding) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        errors.extend(rbac::same_role(&new.role_ref, &old.role_ref));
        errors
    }

    fn cells(o: &ClusterRoleBinding, now: Time) -> Vec<Cell> {
        rbac::binding_cells(&o.metadata, &o.role_ref, o.subjects.as_ref(), now)
    }
}
