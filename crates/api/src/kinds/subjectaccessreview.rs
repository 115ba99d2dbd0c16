//! SubjectAccessReview: asked, answered and not kept. Models `pkg/registry/authorization/subjectaccessreview`.

use super::{rbac, register};
use crate::registration::{Cell, Column, Registration, Scope, Verb};
use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use meta::Time;

pub struct Reg;
register!(Reg, SubjectAccessReview);

impl Registration for Reg {
    type Type = SubjectAccessReview;
    const PLURAL: &'static str = "subjectaccessreviews";
    const SINGULAR: &'static str = "subjectaccessreview";
    const SCOPE: Scope = Scope::Cluster;
    const VERBS: &'static [Verb] = &[Verb::Create];
    const STORED: bool = false;
    const COLUMNS: &'static [Column] = rbac::ROLE_COLUMNS;
    const SAMPLE: &'static str = "\
apiVersion: authorization.k8s.io/v1
kind: SubjectAccessReview
spec:
  user: jane
  resourceAttributes:
    namespace: default
    verb: list
    resource: pods
";

    fn cells(o: &SubjectAccessReview, _now: Time) -> Vec<Cell> {
        rbac::role_cells(&o.metadata)
    }
}
