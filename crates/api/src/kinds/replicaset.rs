//! ReplicaSet.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use k8s_openapi::api::apps::v1::ReplicaSet;
use meta::Time;

pub struct Reg;
register!(Reg, ReplicaSet);

impl Registration for Reg {
    type Type = ReplicaSet;
    const PLURAL: &'static str = "replicasets";
    const SINGULAR: &'static str = "replicaset";
    const SHORT_NAMES: &'static [&'static str] = &["rs"];
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::AGE];
    const SAMPLE: &'static str = "";

    fn cells(o: &ReplicaSet, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), table::age(&o.metadata, now)]
    }
}
