//! Secret.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use k8s_openapi::api::core::v1::Secret;
use meta::Time;

pub struct Reg;
register!(Reg, Secret);

impl Registration for Reg {
    type Type = Secret;
    const PLURAL: &'static str = "secrets";
    const SINGULAR: &'static str = "secret";
    const SHORT_NAMES: &'static [&'static str] = &[];
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::AGE];
    const SAMPLE: &'static str = "";

    fn cells(o: &Secret, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), table::age(&o.metadata, now)]
    }
}
