//! TokenReview: asked, answered and not kept. Models `pkg/registry/authentication/tokenreview`.

use super::{rbac, register};
use crate::registration::{Cell, Column, Registration, Scope, Verb};
use k8s_openapi::api::authentication::v1::TokenReview;
use meta::Time;

pub struct Reg;
register!(Reg, TokenReview);

impl Registration for Reg {
    type Type = TokenReview;
    const PLURAL: &'static str = "tokenreviews";
    const SINGULAR: &'static str = "tokenreview";
    const SCOPE: Scope = Scope::Cluster;
    const VERBS: &'static [Verb] = &[Verb::Create];
    const STORED: bool = false;
    const COLUMNS: &'static [Column] = rbac::ROLE_COLUMNS;
    const SAMPLE: &'static str = "\
apiVersion: authentication.k8s.io/v1
kind: TokenReview
spec:
  token: eyJhbGciOiJSUzI1NiJ9
";

    fn cells(o: &TokenReview, _now: Time) -> Vec<Cell> {
        rbac::role_cells(&o.metadata)
    }
}
