//! Event.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use k8s_openapi::api::core::v1::Event;
use meta::Time;

pub struct Reg;
register!(Reg, Event);

impl Registration for Reg {
    type Type = Event;
    const PLURAL: &'static str = "events";
    const SINGULAR: &'static str = "event";
    const SHORT_NAMES: &'static [&'static str] = &["ev"];
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::AGE];
    const SAMPLE: &'static str = "";

    fn cells(o: &Event, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), table::age(&o.metadata, now)]
    }
}
