//! LocalSubjectAccessReview: asked, answered and not kept. Models `pkg/registry/authorization/localsubjectaccessreview`.

use super::{rbac, register};
use crate::registration::{Cell, Column, Registration, Verb};
use k8s_openapi::api::authorization::v1::LocalSubjectAccessReview;
use meta::Time;

pub struct Reg;
register!(Reg, LocalSubjectAccessReview);

impl Registration for Reg {
    type Type = LocalSubjectAccessReview;
    const PLURAL: &'static str = "localsubjectaccessreviews";
    const SINGULAR: &'static str = "localsubjectaccessreview";
    const VERBS: &'static [Verb] = &[Verb::Create];
    const STORED: bool = false;
    const COLUMNS: &'static [Column] = rbac::ROLE_COLUMNS;
    const SAMPLE: &'static str = "\
apiVersion: authorization.k8s.io/v1
kind: LocalSubjectAccessReview
metadata:
  namespace: default
spec:
  user: jane
  resourceAttributes:
    namespace: default
    verb: list
    resource: pods
";

    fn cells(o: &LocalSubjectAccessReview, _now: Time) -> Vec<Cell> {
        rbac::role_cells(&o.metadata)
    }
}
