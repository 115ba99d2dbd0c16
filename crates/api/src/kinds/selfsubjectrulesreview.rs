//! SelfSubjectRulesReview: asked, answered and not kept. Models `pkg/registry/authorization/selfsubjectrulesreview`.

use super::{rbac, register};
use crate::registration::{Cell, Column, Registration, Scope, Verb};
use k8s_openapi::api::authorization::v1::SelfSubjectRulesReview;
use meta::Time;

pub struct Reg;
register!(Reg, SelfSubjectRulesReview);

impl Registration for Reg {
    type Type = SelfSubjectRulesReview;
    const PLURAL: &'static str = "selfsubjectrulesreviews";
    const SINGULAR: &'static str = "selfsubjectrulesreview";
    const SCOPE: Scope = Scope::Cluster;
    const VERBS: &'static [Verb] = &[Verb::Create];
    const STORED: bool = false;
    const COLUMNS: &'static [Column] = rbac::ROLE_COLUMNS;
    const SAMPLE: &'static str = "\
apiVersion: authorization.k8s.io/v1
kind: SelfSubjectRulesReview
spec:
  namespace: default
";

    fn cells(o: &SelfSubjectRulesReview, _now: Time) -> Vec<Cell> {
        rbac::role_cells(&o.metadata)
    }
}
