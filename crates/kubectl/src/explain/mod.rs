//! `kubectl explain`: a kind's fields, read from the server's OpenAPI v3 documents. Models `k8s.io/kubectl/pkg/explain/v2`
//! and its template `plaintext`.

mod fields;
#[cfg(test)]
mod tests;
mod wrap;

use crate::client::{Client, get_json};
use crate::error::Error;
use fields::Document;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use wrap::{indent, wrap};

/// What is explained.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    pub group: String,
    pub version: String,
    /// The plural, as paths have it.
    pub resource: String,
    /// The names of fields, from the object down.
    pub path: Vec<String>,
    pub recursive: bool,
}

/// What is printed, and the error that comes after it.
pub type Explained = (String, Result<(), Error>);

/// # Errors
/// The documents cannot be read, or know no such resource.
pub async fn explain(client: &dyn Client, subject: &Subject) -> Result<Explained, Error> {
    let index = get_json(client, "/openapi/v3").await;
    let index = index.map_err(|e| Error::text(format!("failed to fetch list of groupVersions: {}", e.go())))?;
    let name = match subject.group.as_str() {
        "" => format!("api/{}", subject.version),
        group => format!("apis/{group}/{}", subject.version),
    };
    let Some(url) = index["paths"][&name]["serverRelativeURL"].as_str() else {
        return Err(Error::text(format!("couldn't find resource for \"{}\"", subject.resource_of_version())));
    };
    let document = get_json(client, url).await;
    let document =
        document.map_err(|e| Error::text(format!("failed to fetch openapi schema for {name}: {}", e.go())))?;
    Ok(render(&document, subject))
}

impl Subject {
    /// As Go prints a `GroupVersionResource`.
    fn resource_of_version(&self) -> String {
        format!("{}/{}, Resource={}", self.group, self.version, self.resource)
    }

    /// The kind's name as the operations on its paths have it.
    fn kind<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        let root = if self.group.is_empty() { "/api".to_string() } else { format!("/apis/{}", self.group) };
        let (version, resource) = (&self.version, &self.resource);
        let mut kind = None;
        for path in [
            format!("{root}/{version}/{resource}"),
            format!("{root}/{version}/{resource}/{{name}}"),
            format!("{root}/{version}/namespaces/{{namespace}}/{resource}"),
            format!("{root}/{version}/namespaces/{{namespace}}/{resource}/{{name}}"),
        ] {
            let operations = &document["paths"][&path];
            for method in ["get", "post", "put", "patch", "delete"] {
                let Some(operation) = operations.get(method) else { continue };
                kind = operation.get("x-kubernetes-group-version-kind");
                if kind.is_some() {
                    break;
                }
            }
        }
        kind
    }
}

/// The text of a subject in a document.
pub fn render(document: &Value, subject: &Subject) -> Explained {
    let Some(kind) = subject.kind(document) else {
        let message = format!("error: GVR ({}) not found in OpenAPI schema", subject.resource_of_version());
        return (String::new(), Err(Error::Text(message)));
    };
    let text = |field: &str| kind[field].as_str().unwrap_or("");
    let mut out = String::new();
    if !text("group").is_empty() {
        out += &format!("GROUP:      {}\n", text("group"));
    }
    out += &format!("KIND:       {}\nVERSION:    {}\n\n", text("kind"), text("version"));
    let d = Document(document);
    let is_it = |s: &&Value| s["x-kubernetes-group-version-kind"].as_array().is_some_and(|list| list.contains(kind));
    let mut schemas: Vec<(&String, &Value)> =
        document["components"]["schemas"].as_object().into_iter().flatten().collect();
    schemas.sort_by_key(|(name, _)| *name);
    let Some(schema) = schemas.into_iter().map(|(_, s)| s).find(is_it) else {
        let message = format!("error: GVK {} not found in OpenAPI schema", crate::describe::go_value(kind));
        return (out, Err(Error::Text(message)));
    };
    match output(&d, schema, &BTreeSet::new(), &subject.path, subject.recursive) {
        Some(text) => (out + &text + "\n", Ok(())),
        None => {
            let field = subject.path.last().map_or("", String::as_str);
            (out, Err(Error::Text(format!("error: field \"{field}\" does not exist"))))
        }
    }
}

/// Walks down the path and explains what is at its end; `None` where there is nothing. `seen` are the references on the
/// way to this field.
fn output(d: &Document, schema: &Value, seen: &BTreeSet<String>, path: &[String], recursive: bool) -> Option<String> {
    let reference = d.reference(schema);
    let resolved = d.resolve(schema);
    let Some((field, deeper)) = path.split_first() else {
        let description = d.description(resolved);
        let description = if description.is_empty() { "<empty>" } else { &description };
        let mut out = format!("DESCRIPTION:\n{}\n", indent(4, &wrap(description, 76)));
        let fields = d.field_list(resolved, 1, recursive, &BTreeSet::new());
        if !fields.is_empty() {
            out += &format!("FIELDS:\n{fields}");
        }
        return Some(out);
    };
    if reference.is_some_and(|r| seen.contains(r)) {
        return None;
    }
    let mut seen = seen.clone();
    seen.extend(reference.map(String::from));
    if let Some(inner) = resolved["properties"].get(field) {
        let mut out = String::new();
        if deeper.is_empty() {
            out = format!("FIELD: {field} <{}>\n{}\n\n", d.type_of(inner), fields::values(inner, true, 0));
        }
        let text = out + &output(d, inner, &BTreeSet::new(), deeper, recursive).unwrap_or_default();
        return Some(text).filter(|t| !t.is_empty());
    }
    if let Some(inner) = fields::inner(resolved) {
        return output(d, inner, &seen, path, recursive);
    }
    resolved["allOf"].as_array().into_iter().flatten().find_map(|s| output(d, s, &seen, path, recursive))
}

/// A schema's object of properties, in the order of their names.
fn properties(schema: &Value) -> Vec<(&String, &Value)> {
    let mut list: Vec<_> = schema["properties"].as_object().into_iter().flat_map(Map::iter).collect();
    list.sort_by_key(|(name, _)| *name);
    list
}
