//! Node.

use super::register;
use crate::registration::{Cell, Column, Registration, Scope};
use crate::table;
use k8s_openapi::api::core::v1::Node;
use meta::Time;

pub struct Reg;
register!(Reg, Node);

impl Registration for Reg {
    type Type = Node;
    const PLURAL: &'static str = "nodes";
    const SINGULAR: &'static str = "node";
    const SHORT_NAMES: &'static [&'static str] = &["no"];
    const SCOPE: Scope = Scope::Cluster;
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::AGE];
    const SAMPLE: &'static str = "";

    fn cells(o: &Node, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), table::age(&o.metadata, now)]
    }
}
