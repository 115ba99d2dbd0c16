//! Cells that many kinds share. Models `pkg/printers/internalversion/printers.go`.

use crate::registration::Cell;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time as ApiTime};
use meta::Time;

pub fn name(m: &ObjectMeta) -> Cell {
    m.name.clone().unwrap_or_default().into()
}

pub fn age(m: &ObjectMeta, now: Time) -> Cell {
    since(m.creation_timestamp.as_ref(), now).into()
}

/// Models `translateTimestampSince`.
pub fn since(t: Option<&ApiTime>, now: Time) -> String {
    t.map_or_else(|| "<unknown>".into(), |t| now.since(Time::from_k8s(t)).human())
}
