//! `events.k8s.io/v1` Event: the same objects as core Events under other names. Models `pkg/apis/events/v1` and
//! `ValidateEventCreate`.

use super::register;
use crate::registration::{Alias, Cell, Column, Registration};
use crate::validate::names::{NameRule, rule};
use crate::validate::text;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::events::v1::{Event, EventSeries};
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, Event);

impl Registration for Reg {
    type Type = Event;
    const PLURAL: &'static str = "events";
    const SINGULAR: &'static str = "event";
    const FILE: &'static str = "event_v1";
    const SHORT_NAMES: &'static [&'static str] = &["ev"];
    const NAME_RULE: NameRule = rule::path_segment;
    const COLUMNS: &'static [Column] = super::event::Reg::COLUMNS;
    const ALIAS: Option<Alias> = Some(Alias {
        of: &super::event::KIND,
        to_stored: |o| match o.into_any().downcast::<Event>() {
            Ok(e) => Box::new(to_core(*e)),
            Err(_) => Box::new(core::Event::default()),
        },
        from_stored: |o| Box::new(o.as_any().downcast_ref().map(from_core).unwrap_or_default()),
    });
    const SAMPLE: &'static str = "\
apiVersion: events.k8s.io/v1
kind: Event
metadata:
  name: nginx.example-v1
  namespace: default
regarding:
  apiVersion: v1
  kind: Pod
  name: nginx
  namespace: default
type: Normal
reason: Noted
action: Noting
note: An event written by hand
eventTime: \"2026-01-01T00:00:00.000000Z\"
reportingController: example.com/by-hand
reportingInstance: by-hand-1
";

    fn validate_create(o: &Event) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if o.event_time.is_none() {
            errors.push(FieldError::required(&Path::new("eventTime"), ""));
        }
        let kind = text(&o.type_);
        if !matches!(kind, "Normal" | "Warning") {
            errors.push(FieldError::invalid(&Path::new("type"), "", format!("has invalid value: {kind}")));
        }
        let source =
            o.deprecated_source.as_ref().is_some_and(|s| !text(&s.component).is_empty() || !text(&s.host).is_empty());
        for (field, set) in [
            ("firstTimestamp", o.deprecated_first_timestamp.is_some()),
            ("lastTimestamp", o.deprecated_last_timestamp.is_some()),
            ("count", o.deprecated_count.is_some_and(|c| c != 0)),
            ("source", source),
        ] {
            if set {
                errors.push(FieldError::invalid(&Path::new(field), "", "needs to be unset"));
            }
        }
        errors
    }

    fn cells(o: &Event, now: Time) -> Vec<Cell> {
        super::event::Reg::cells(&to_core(o.clone()), now)
    }
    fn fields(o: &Event) -> Vec<(&'static str, String)> {
        super::event::Reg::fields(&to_core(o.clone()))
    }
}

fn to_core(e: Event) -> core::Event {
    core::Event {
        metadata: e.metadata,
        action: e.action,
        count: e.deprecated_count,
        event_time: e.event_time,
        first_timestamp: e.deprecated_first_timestamp,
        involved_object: e.regarding.unwrap_or_default(),
        last_timestamp: e.deprecated_last_timestamp,
        message: e.note,
        reason: e.reason,
        related: e.related,
        reporting_component: e.reporting_controller,
        reporting_instance: e.reporting_instance,
        series: e
            .series
            .map(|s| core::EventSeries { count: Some(s.count), last_observed_time: Some(s.last_observed_time) }),
        source: e.deprecated_source,
        type_: e.type_,
    }
}

fn from_core(e: &core::Event) -> Event {
    let e = e.clone();
    let series = e
        .series
        .and_then(|s| Some(EventSeries { count: s.count.unwrap_or(0), last_observed_time: s.last_observed_time? }));
    Event {
        metadata: e.metadata,
        action: e.action,
        deprecated_count: e.count,
        deprecated_first_timestamp: e.first_timestamp,
        deprecated_last_timestamp: e.last_timestamp,
        deprecated_source: e.source,
        event_time: e.event_time,
        note: e.message,
        reason: e.reason,
        regarding: Some(e.involved_object),
        related: e.related,
        reporting_controller: e.reporting_component,
        reporting_instance: e.reporting_instance,
        series,
        type_: e.type_,
    }
}
