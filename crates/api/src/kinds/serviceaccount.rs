//! ServiceAccount.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use k8s_openapi::api::core::v1::ServiceAccount;
use meta::Time;

pub struct Reg;
register!(Reg, ServiceAccount);

impl Registration for Reg {
    type Type = ServiceAccount;
    const PLURAL: &'static str = "serviceaccounts";
    const SINGULAR: &'static str = "serviceaccount";
    const SHORT_NAMES: &'static [&'static str] = &["sa"];
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::AGE];
    const SAMPLE: &'static str = "";

    fn cells(o: &ServiceAccount, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), table::age(&o.metadata, now)]
    }
}
