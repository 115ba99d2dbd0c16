//! Lease.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use k8s_openapi::api::coordination::v1::Lease;
use meta::Time;

pub struct Reg;
register!(Reg, Lease);

impl Registration for Reg {
    type Type = Lease;
    const PLURAL: &'static str = "leases";
    const SINGULAR: &'static str = "lease";
    const SHORT_NAMES: &'static [&'static str] = &[];
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::AGE];
    const SAMPLE: &'static str = "";

    fn cells(o: &Lease, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), table::age(&o.metadata, now)]
    }
}
