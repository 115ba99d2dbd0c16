//! The server-side Table that kubectl prints, and the metadata-only forms. Models
//! `apiserver/pkg/endpoints/handlers/response.go` (`asTable`, `asPartialObjectMetadata`).

use api::{KindRef, Object, ObjectExt, Registered};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::flowcontrol::v1::FlowSchema;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Time;
use serde::Serialize;
use serde_json::{Value, json};

/// The form that the client asked for in `Accept`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum As {
    #[default]
    Object,
    /// `as=Table`, and which part of each object goes along.
    Table(Include),
    /// `as=PartialObjectMetadata`
    Metadata,
    /// `as=PartialObjectMetadataList`
    MetadataList,
}

/// `includeObject`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Include {
    None,
    #[default]
    Metadata,
    Object,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    format: &'static str,
    description: &'static str,
    priority: i32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    cells: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<Value>,
}

/// `metadata` of a list.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListMeta {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    #[serde(rename = "continue", skip_serializing_if = "String::is_empty")]
    pub continue_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining_item_count: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Table {
    kind: &'static str,
    api_version: &'static str,
    metadata: ListMeta,
    column_definitions: Vec<Definition>,
    rows: Vec<Row>,
}

/// A pod that has finished is completed work. Models `podSuccessConditions` and `podFailedConditions`.
fn conditions(o: &dyn Object) -> Vec<Value> {
    let pod = o.downcast::<Pod>();
    let (reason, message) = match pod.and_then(|p| p.status.as_ref()?.phase.as_deref()) {
        Some("Succeeded") => ("Succeeded", "The pod has completed successfully."),
        Some("Failed") => ("Failed", "The pod failed."),
        _ => return Vec::new(),
    };
    vec![json!({ "type": "Completed", "status": "True", "reason": reason, "message": message })]
}

/// A Table of these objects. A watch sends the column definitions with its first table only.
pub(crate) fn table<'o>(
    kind: KindRef,
    objects: impl Iterator<Item = &'o dyn Object>,
    metadata: ListMeta,
    include: Include,
    with_columns: bool,
    now: Time,
) -> Table {
    let columns = if with_columns { kind.columns } else { &[] };
    let definitions = columns.iter().map(|c| Definition {
        name: c.name,
        kind: c.kind,
        format: c.format,
        description: c.description,
        priority: c.priority,
    });
    let mut objects: Vec<&dyn Object> = objects.collect();
    if kind == FlowSchema::KIND_REF {
        // In the order in which they are tried. Models `FlowSchemaSequence`.
        let precedence = |o: &dyn Object| o.downcast::<FlowSchema>().and_then(|s| s.spec.as_ref()?.matching_precedence);
        objects.sort_by(|a, b| (precedence(*a), a.name()).cmp(&(precedence(*b), b.name())));
    }
    let rows = objects.into_iter().map(|o| Row {
        cells: (kind.cells)(o, now),
        conditions: conditions(o),
        object: match include {
            Include::None => None,
            Include::Metadata => Some(partial_value(o.meta())),
            Include::Object => Some(o.to_value()),
        },
    });
    Table {
        kind: "Table",
        api_version: "meta.k8s.io/v1",
        metadata,
        column_definitions: definitions.collect(),
        rows: rows.collect(),
    }
}

/// The Table of a Scale, which is no registered kind. Models `printScale` of `pkg/printers/internalversion`.
pub(crate) fn scale_table(scale: &Value, include: Include, now: Time) -> Table {
    let column = |name, kind, format, description| Definition { name, kind, format, description, priority: 0 };
    let text = |at: &str| scale.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let number = |at: &str| scale.pointer(at).cloned().unwrap_or_else(|| 0.into());
    let created = serde_json::from_value(scale["metadata"]["creationTimestamp"].clone()).ok();
    let metadata = ListMeta { resource_version: text("/metadata/resourceVersion").into(), ..ListMeta::default() };
    let partial = || {
        let (kind, version) = ("PartialObjectMetadata", "meta.k8s.io/v1");
        serde_json::json!({ "kind": kind, "apiVersion": version, "metadata": scale["metadata"] })
    };
    Table {
        kind: "Table",
        api_version: "meta.k8s.io/v1",
        metadata,
        column_definitions: vec![
            column("Name", "string", "name", api::table::NAME_DESCRIPTION),
            column("Desired", "integer", "", "desired number of instances for the scaled object."),
            column("Available", "integer", "", "actual number of observed instances of the scaled object."),
            column("Age", "string", "", api::table::AGE_DESCRIPTION),
        ],
        rows: vec![Row {
            cells: vec![
                text("/metadata/name").into(),
                number("/spec/replicas"),
                number("/status/replicas"),
                api::table::since(created.as_ref(), now).into(),
            ],
            conditions: Vec::new(),
            object: match include {
                Include::None => None,
                Include::Metadata => Some(partial()),
                Include::Object => Some(scale.clone()),
            },
        }],
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Partial<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: &'a ObjectMeta,
}

/// An object's metadata alone.
pub(crate) fn partial(metadata: &ObjectMeta) -> Partial<'_> {
    Partial { kind: "PartialObjectMetadata", api_version: "meta.k8s.io/v1", metadata }
}

fn partial_value(metadata: &ObjectMeta) -> Value {
    serde_json::to_value(partial(metadata)).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartialList<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: ListMeta,
    items: Vec<Partial<'a>>,
}

pub(crate) fn partial_list<'o>(objects: impl Iterator<Item = &'o dyn Object>, metadata: ListMeta) -> PartialList<'o> {
    PartialList {
        kind: "PartialObjectMetadataList",
        api_version: "meta.k8s.io/v1",
        metadata,
        items: objects.map(|o| partial(o.meta())).collect(),
    }
}
