//! RoleBinding. Models `pkg/registry/rbac/rolebinding`.

use super::{rbac, register};
use crate::registration::{Cell, Column, Registration};
use crate::validate::NameRule;
use crate::validate::names::rule;
use k8s_openapi::api::rbac::v1::RoleBinding;
use meta::{FieldError, Time};

pub struct Reg;
register!(Reg, RoleBinding);

impl Registration for Reg {
    type Type = RoleBinding;
    const PLURAL: &'static str = "rolebindings";
    const SINGULAR: &'static str = "rolebinding";
    const NAME_RULE: NameRule = rule::path_segment;
    const COLUMNS: &'static [Column] = rbac::binding_columns!(
        "roleBinding",
        "RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace. If the RoleRef \
         cannot be resolved, the Authorizer must return an error."
    );
    const SAMPLE: &'static str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: read-pods
subjects:
- kind: User
  name: jane
  apiGroup: rbac.authorization.k8s.io
roleRef:
  kind: Role
  name: pod-reader
  apiGroup: rbac.authorization.k8s.io
";

    fn default(o: &mut RoleBinding) {
        rbac::default_binding(&mut o.role_ref, o.subjects.as_mut());
    }

    fn validate_create(o: &RoleBinding) -> Vec<FieldError> {
        rbac::validate_binding(&o.role_ref, o.subjects.as_ref(), true)
    }
    fn validate_update(new: &RoleBinding, old: &RoleBinding) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        errors.extend(rbac::same_role(&new.role_ref, &old.role_ref));
        errors
    }

    fn cells(o: &RoleBinding, now: Time) -> Vec<Cell> {
        rbac::binding_cells(&o.metadata, &o.role_ref, o.subjects.as_ref(), now)
    }
}
