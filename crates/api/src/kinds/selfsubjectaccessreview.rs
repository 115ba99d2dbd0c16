//! SelfSubjectAccessReview: asked, answered and not kept. Models `pkg/registry/authorization/selfsubjectaccessreview`.

use super::{rbac, register};
use crate::registration::{Cell, Column, Registration, Scope, Verb};
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use meta::Time;

pub struct Reg;
register!(Reg, SelfSubjectAccessReview);

impl Registration for Reg {
    type Type = SelfSubjectAccessReview;
    const PLURAL: &'static str = "selfsubjectaccessreviews";
    const SINGULAR: &'static str = "selfsubjectaccessreview";
    const SCOPE: Scope = Scope::Cluster;
    const VERBS: &'static [Verb] = &[Verb::Create];
    const STORED: bool = false;
    const COLUMNS: &'static [Column] = rbac::ROLE_COLUMNS;
    const SAMPLE: &'static str = "\
apiVersion: authorization.k8s.io/v1
kind: SelfSubjectAccessReview
spec:
  resourceAttributes:
    namespace: default
    verb: list
    resource: pods
";

    fn cells(o: &SelfSubjectAccessReview, _now: Time) -> Vec<Cell> {
        rbac::role_cells(&o.metadata)
    }
}
