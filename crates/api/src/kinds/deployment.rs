//! Deployment.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use k8s_openapi::api::apps::v1::Deployment;
use meta::Time;

pub struct Reg;
register!(Reg, Deployment);

impl Registration for Reg {
    type Type = Deployment;
    const PLURAL: &'static str = "deployments";
    const SINGULAR: &'static str = "deployment";
    const SHORT_NAMES: &'static [&'static str] = &["deploy"];
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::AGE];
    const SAMPLE: &'static str = "";

    fn cells(o: &Deployment, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), table::age(&o.metadata, now)]
    }
}
