//! Event. Models `pkg/registry/core/event`, `pkg/apis/core/validation/events.go` and `printEvent`.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use crate::validate::names::{self, NameRule, rule};
use crate::validate::{each, text};
use k8s_openapi::api::core::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, Event);

impl Registration for Reg {
    type Type = Event;
    const PLURAL: &'static str = "events";
    const SINGULAR: &'static str = "event";
    const SHORT_NAMES: &'static [&'static str] = &["ev"];
    const NAME_RULE: NameRule = rule::path_segment;
    const COLUMNS: &'static [Column] = &[
        Column::new("Last Seen", "string", 0)
            .describe("The time at which the most recent occurrence of this event was recorded."),
        Column::new("Type", "string", 0)
            .describe("Type of this event (Normal, Warning), new types could be added in the future"),
        Column::new("Reason", "string", 0).describe(
            "This should be a short, machine understandable string that gives the reason for the transition into the \
             object's current status.",
        ),
        Column::new("Object", "string", 0).describe("The object that this event is about."),
        Column::new("Subobject", "string", 1).describe(
            "If referring to a piece of an object instead of an entire object, this string should contain a valid \
             JSON/Go field access statement, such as desiredState.manifest.containers[2]. For example, if the object \
             reference is to a container within a pod, this would take on a value like: \"spec.containers{name}\" \
             (where \"name\" refers to the name of the container that triggered the event) or if no container name is \
             specified \"spec.containers[2]\" (container with index 2 in this pod). This syntax is chosen only to have \
             some well-defined way of referencing a part of an object.",
        ),
        Column::new("Source", "string", 1)
            .describe("The component reporting this event. Should be a short machine understandable string."),
        Column::new("Message", "string", 0).describe("A human-readable description of the status of this operation."),
        Column::new("First Seen", "string", 1)
            .describe("The time at which the event was first recorded. (Time of server receipt is in TypeMeta.)"),
        Column::new("Count", "string", 1).describe("The number of times this event has occurred."),
        Column { format: "name", ..Column::new("Name", "string", 1).describe(table::NAME_DESCRIPTION) },
    ];
    const SAMPLE: &'static str = "\
apiVersion: v1
kind: Event
metadata:
  name: nginx.example
  namespace: default
involvedObject:
  apiVersion: v1
  kind: Pod
  name: nginx
  namespace: default
type: Normal
reason: Noted
message: An event written by hand
";

    fn validate_create(o: &Event) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let namespace = text(&o.metadata.namespace);
        let about = text(&o.involved_object.namespace);
        let new_style = o.event_time.is_some();
        // Events about cluster-scoped objects live in a well-known namespace.
        let fits = match (new_style, about.is_empty()) {
            (false, true) => matches!(namespace, "" | "default"),
            (false, false) => namespace == about,
            (true, true) => matches!(namespace, "default" | "kube-system"),
            (true, false) => true,
        };
        if !fits {
            let at = Path::new("involvedObject").child("namespace");
            errors.push(FieldError::invalid(&at, about, "does not match event.namespace"));
        }
        if new_style {
            new_fields(o, &mut errors);
        }
        errors.extend(each(&Path::new("namespace"), namespace, names::dns1123_subdomain(namespace)));
        errors
    }

    fn validate_update(new: &Event, _old: &Event) -> Vec<FieldError> {
        Self::validate_create(new)
    }

    fn cells(o: &Event, now: Time) -> Vec<Cell> {
        let micro = |t: &MicroTime| now.since(Time::from_k8s_micro(t)).human();
        let first = match (&o.first_timestamp, &o.event_time) {
            (None, Some(t)) => micro(t),
            (t, _) => table::since(t.as_ref(), now),
        };
        let mut last = match &o.last_timestamp {
            None => first.clone(),
            t => table::since(t.as_ref(), now),
        };
        // Single events of the new API have no count.
        let mut count = o.count.filter(|c| *c != 0).unwrap_or(1);
        if let Some(s) = &o.series {
            last = s.last_observed_time.as_ref().map_or_else(|| "<unknown>".into(), micro);
            count = s.count.unwrap_or(0);
        }
        let kind = text(&o.involved_object.kind).to_lowercase();
        let object = match text(&o.involved_object.name) {
            "" => kind,
            name => format!("{kind}/{name}"),
        };
        vec![
            last.into(),
            text(&o.type_).into(),
            text(&o.reason).into(),
            object.into(),
            text(&o.involved_object.field_path).into(),
            source(o).into(),
            text(&o.message).trim().into(),
            first.into(),
            count.into(),
            table::name(&o.metadata),
        ]
    }

    fn fields(o: &Event) -> Vec<(&'static str, String)> {
        let about = &o.involved_object;
        let component = o.source.as_ref().map_or("", |s| text(&s.component));
        let reporter = text(&o.reporting_component);
        let source = if component.is_empty() { reporter } else { component };
        [
            ("involvedObject.kind", text(&about.kind)),
            ("involvedObject.namespace", text(&about.namespace)),
            ("involvedObject.name", text(&about.name)),
            ("involvedObject.uid", text(&about.uid)),
            ("involvedObject.apiVersion", text(&about.api_version)),
            ("involvedObject.resourceVersion", text(&about.resource_version)),
            ("involvedObject.fieldPath", text(&about.field_path)),
            ("reason", text(&o.reason)),
            ("reportingComponent", reporter),
            ("source", source),
            ("type", text(&o.type_)),
        ]
        .map(|(k, v)| (k, v.to_string()))
        .into()
    }
}

/// Models `formatEventSource`.
fn source(o: &Event) -> String {
    let pick = |a: &str, b: &str| if a.is_empty() { b.to_string() } else { a.to_string() };
    let (component, host) = o.source.as_ref().map_or(("", ""), |s| (text(&s.component), text(&s.host)));
    let component = pick(component, text(&o.reporting_component));
    match pick(host, text(&o.reporting_instance)).as_str() {
        "" => component,
        host => format!("{component}, {host}"),
    }
}

/// What the new events API demands.
fn new_fields(o: &Event, errors: &mut Vec<FieldError>) {
    const MAX: usize = 128;
    let controller = text(&o.reporting_component);
    let at = Path::new("reportingComponent");
    if controller.is_empty() {
        errors.push(FieldError::required(&at, ""));
    }
    errors.extend(each(&at, controller, names::qualified_name(controller)));
    for (field, value) in
        [("reportingInstance", text(&o.reporting_instance)), ("action", text(&o.action)), ("reason", text(&o.reason))]
    {
        let at = Path::new(field);
        if value.is_empty() {
            errors.push(FieldError::required(&at, ""));
        } else if value.len() > MAX {
            errors.push(FieldError::invalid(&at, "", "can have at most 128 characters"));
        }
    }
    if text(&o.message).len() > 1024 {
        errors.push(FieldError::invalid(&Path::new("message"), "", "can have at most 1024 characters"));
    }
}
