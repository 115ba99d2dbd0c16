//! SelfSubjectReview: asked, answered and not kept. Models `pkg/registry/authentication/selfsubjectreview`.

use super::{rbac, register};
use crate::registration::{Cell, Column, Registration, Scope, Verb};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use meta::Time;

pub struct Reg;
register!(Reg, SelfSubjectReview);

impl Registration for Reg {
    type Type = SelfSubjectReview;
    const PLURAL: &'static str = "selfsubjectreviews";
    const SINGULAR: &'static str = "selfsubjectreview";
    const SCOPE: Scope = Scope::Cluster;
    const VERBS: &'static [Verb] = &[Verb::Create];
    const STORED: bool = false;
    const COLUMNS: &'static [Column] = rbac::ROLE_COLUMNS;
    const SAMPLE: &'static str = "\
apiVersion: authentication.k8s.io/v1
kind: SelfSubjectReview
";

    fn cells(o: &SelfSubjectReview, _now: Time) -> Vec<Cell> {
        rbac::role_cells(&o.metadata)
    }
}
