//! Namespace.

use super::register;
use crate::registration::{Cell, Column, Registration, Scope};
use crate::table;
use k8s_openapi::api::core::v1::Namespace;
use meta::Time;

pub struct Reg;
register!(Reg, Namespace);

impl Registration for Reg {
    type Type = Namespace;
    const PLURAL: &'static str = "namespaces";
    const SINGULAR: &'static str = "namespace";
    const SHORT_NAMES: &'static [&'static str] = &["ns"];
    const SCOPE: Scope = Scope::Cluster;
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::AGE];
    const SAMPLE: &'static str = "";

    fn cells(o: &Namespace, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), table::age(&o.metadata, now)]
    }
}
