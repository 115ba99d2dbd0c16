//! The server-side Table that kubectl prints, and the metadata-only forms. Models
//! `apiserver/pkg/endpoints/handlers/response.go` (`asTable`, `asPartialObjectMetadata`).

use api::{KindRef, Object, ObjectExt, Registered};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::flowcontrol::v1::FlowSchema;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Time;
use serde::Serialize;
use serde_json::Value;

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

struct Row {
    cells: Vec<Value>,
    conditions: &'static str,
    /// JSON, as the object itself would be answered.
    object: Option<Vec<u8>>,
}

/// How the forms that are no registered kinds are to look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// `meta.k8s.io/v1`, or what clients of old ask for.
    pub version: &'static str,
    pub include: Include,
    /// A watch sends the column definitions with its first table only.
    pub columns: bool,
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
struct Head<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: &'a ListMeta,
    column_definitions: Vec<Definition>,
}

/// The Table's JSON, with the rows' objects as they are.
fn written(version: &'static str, metadata: &ListMeta, columns: Vec<Definition>, rows: Vec<Row>) -> Vec<u8> {
    let head = Head { kind: "Table", api_version: version, metadata, column_definitions: columns };
    let mut out = serde_json::to_vec(&head).unwrap_or_default();
    out.pop();
    out.extend_from_slice(b",\"rows\":[");
    for (i, row) in rows.into_iter().enumerate() {
        out.extend_from_slice(if i > 0 { b",{\"cells\":" } else { b"{\"cells\":" });
        out.extend(serde_json::to_vec(&row.cells).unwrap_or_default());
        out.extend_from_slice(row.conditions.as_bytes());
        if let Some(object) = row.object {
            out.extend_from_slice(b",\"object\":");
            out.extend(object);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

/// A pod that has finished is completed work. Models `podSuccessConditions` and `podFailedConditions`.
fn conditions(o: &dyn Object) -> &'static str {
    match o.downcast::<Pod>().and_then(|p| p.status.as_ref()?.phase.as_deref()) {
        Some("Succeeded") => {
            r#","conditions":[{"type":"Completed","status":"True","reason":"Succeeded","message":"The pod has completed successfully."}]"#
        }
        Some("Failed") => {
            r#","conditions":[{"type":"Completed","status":"True","reason":"Failed","message":"The pod failed."}]"#
        }
        _ => "",
    }
}

/// A Table of these objects.
pub(crate) fn table<'o>(
    kind: KindRef,
    objects: impl Iterator<Item = &'o dyn Object>,
    metadata: &ListMeta,
    look: Look,
    now: Time,
) -> Vec<u8> {
    let columns = if look.columns { kind.columns } else { &[] };
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
        object: match look.include {
            Include::None => None,
            Include::Metadata => Some(partial(o.meta(), look.version)),
            Include::Object => Some(o.to_json()),
        },
    });
    written(look.version, metadata, definitions.collect(), rows.collect())
}

/// The Table of a Scale, which is no registered kind. Models `printScale` of `pkg/printers/internalversion`.
pub(crate) fn scale_table(scale: &Value, plain: &[u8], look: Look, now: Time) -> Vec<u8> {
    let column = |name, kind, format, description| Definition { name, kind, format, description, priority: 0 };
    let text = |at: &str| scale.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let number = |at: &str| scale.pointer(at).cloned().unwrap_or_else(|| 0.into());
    let created = serde_json::from_value(scale["metadata"]["creationTimestamp"].clone()).ok();
    let metadata = ListMeta { resource_version: text("/metadata/resourceVersion").into(), ..ListMeta::default() };
    let columns = vec![
        column("Name", "string", "name", api::table::NAME_DESCRIPTION),
        column("Desired", "integer", "", "desired number of instances for the scaled object."),
        column("Available", "integer", "", "actual number of observed instances of the scaled object."),
        column("Age", "string", "", api::table::AGE_DESCRIPTION),
    ];
    let row = Row {
        cells: vec![
            text("/metadata/name").into(),
            number("/spec/replicas"),
            number("/status/replicas"),
            api::table::since(created.as_ref(), now).into(),
        ],
        conditions: "",
        object: match look.include {
            Include::None => None,
            Include::Metadata => {
                let meta: ObjectMeta = serde_json::from_value(scale["metadata"].clone()).unwrap_or_default();
                Some(partial(&meta, look.version))
            }
            Include::Object => Some(plain.to_vec()),
        },
    };
    written(look.version, &metadata, columns, vec![row])
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Partial<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: &'a ObjectMeta,
}

fn partial_of<'a>(metadata: &'a ObjectMeta, version: &'static str) -> Partial<'a> {
    Partial { kind: "PartialObjectMetadata", api_version: version, metadata }
}

/// An object's metadata alone, as JSON.
pub(crate) fn partial(metadata: &ObjectMeta, version: &'static str) -> Vec<u8> {
    api::encode::json(&partial_of(metadata, version), "")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartialList<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: ListMeta,
    items: Vec<Partial<'a>>,
}

pub(crate) fn partial_list<'o>(
    objects: impl Iterator<Item = &'o dyn Object>,
    metadata: ListMeta,
    version: &'static str,
) -> Vec<u8> {
    let items = objects.map(|o| partial_of(o.meta(), version)).collect();
    api::encode::json(&PartialList { kind: "PartialObjectMetadataList", api_version: version, metadata, items }, "")
}
