//! Cells that many kinds share. Models `pkg/printers/internalversion/printers.go`.

use crate::registration::Cell;
use k8s_openapi::api::core::v1::Container;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, Time as ApiTime};
use meta::Time;
use meta::labels::Selector;
use std::collections::BTreeMap;

pub(crate) const NONE: &str = "<none>";

/// The API documentation's words for `metadata.name`.
pub const NAME_DESCRIPTION: &str = "Name must be unique within a namespace. Is required when creating resources, \
although some resources may allow a client to request the generation of an appropriate name automatically. Name is \
primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: \
https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";

/// The API documentation's words for `metadata.creationTimestamp`.
pub const AGE_DESCRIPTION: &str = "CreationTimestamp is a timestamp representing the server time when this object was \
created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this \
value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More \
info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

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

/// The text, or `<none>`.
pub fn or_none(s: &str) -> Cell {
    if s.is_empty() { NONE.into() } else { s.into() }
}

/// Names and images of containers, comma-separated. Models `layoutContainerCells`.
pub fn containers(list: &[Container]) -> [Cell; 2] {
    let join = |f: fn(&Container) -> &str| list.iter().map(f).collect::<Vec<_>>().join(",").into();
    [join(|c| &c.name), join(|c| c.image.as_deref().unwrap_or(""))]
}

/// Models `labels.FormatLabels`.
pub fn labels(set: Option<&BTreeMap<String, String>>) -> Cell {
    let list: Vec<String> = set.into_iter().flatten().map(|(k, v)| format!("{k}={v}")).collect();
    or_none(&list.join(","))
}

/// Models `metav1.FormatLabelSelector`.
pub fn selector(s: &LabelSelector) -> Cell {
    selector_text(s).into()
}

/// As `printDeployment` shows it.
pub fn deployment_selector(s: &LabelSelector) -> Cell {
    Selector::from_api(Some(s)).map_or_else(|_| "<invalid>".into(), |s| s.to_string()).into()
}

pub(crate) fn selector_text(s: &LabelSelector) -> String {
    match Selector::from_api(Some(s)) {
        Err(_) => "<error>".into(),
        Ok(parsed) => {
            let text = parsed.to_string();
            if text.is_empty() { NONE.into() } else { text }
        }
    }
}
