//! EndpointSlice.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use meta::Time;

pub struct Reg;
register!(Reg, EndpointSlice);

impl Registration for Reg {
    type Type = EndpointSlice;
    const PLURAL: &'static str = "endpointslices";
    const SINGULAR: &'static str = "endpointslice";
    const SHORT_NAMES: &'static [&'static str] = &[];
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::AGE];
    const SAMPLE: &'static str = "";

    fn cells(o: &EndpointSlice, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), table::age(&o.metadata, now)]
    }
}
