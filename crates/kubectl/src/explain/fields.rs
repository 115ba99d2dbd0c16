//! Fields of schemas: their types, descriptions and values.

use super::properties;
use super::wrap::{indent, wrap};
use serde_json::Value;
use std::collections::BTreeSet;

/// An OpenAPI v3 document, with all schemas that its schemas refer to.
pub struct Document<'a>(pub &'a Value);

/// The schema of a list's items or of a map's values.
pub fn inner(schema: &Value) -> Option<&Value> {
    let items = schema.get("items").filter(|s| !is_empty(s));
    items.or_else(|| schema.get("additionalProperties").filter(|s| s.is_object() && !is_empty(s)))
}

/// What a template takes for false.
fn is_empty(v: &Value) -> bool {
    v.is_null() || v.as_object().is_some_and(|o| o.is_empty())
}

impl<'a> Document<'a> {
    pub fn reference<'b>(&self, schema: &'b Value) -> Option<&'b str> {
        schema["$ref"].as_str()
    }

    /// The schema itself, or the one it refers to.
    pub fn resolve<'b>(&self, schema: &'b Value) -> &'b Value
    where
        'a: 'b,
    {
        self.reference(schema).and_then(|r| self.find(r)).unwrap_or(schema)
    }

    fn find(&self, reference: &str) -> Option<&'a Value> {
        let pointer = reference.strip_prefix('#')?;
        self.0.pointer(pointer).filter(|v| v.is_object())
    }

    /// The descriptions of a schema and of what it is made of, a line each.
    pub fn description(&self, schema: &Value) -> String {
        let s = self.resolve(schema);
        let mut out = String::new();
        if let Some(text) = s["description"].as_str().filter(|t| !t.is_empty()) {
            out = format!("{text}\n");
        }
        for part in s["allOf"].as_array().into_iter().flatten() {
            out += &self.description(part);
        }
        if let Some(items) = s.get("items").filter(|i| !is_empty(i)) {
            out += &self.description(items);
        }
        if let Some(values) = s.get("additionalProperties").filter(|v| v.is_object() && !is_empty(v)) {
            out += &self.description(values);
        }
        out
    }

    /// `string`, `[]Container`, `map[string]Quantity`.
    pub fn type_of(&self, schema: &Value) -> String {
        if let Some(items) = schema.get("items").filter(|i| !is_empty(i)) {
            return format!("[]{}", self.type_of(items));
        }
        if let Some(values) = schema.get("additionalProperties").filter(|v| v.is_object() && !is_empty(v)) {
            return format!("map[string]{}", self.type_of(values));
        }
        let own = schema.get("properties").is_none_or(is_empty);
        if let (Some([only]), true) = (schema["allOf"].as_array().map(Vec::as_slice), own) {
            return self.type_of(only);
        }
        if let Some(reference) = self.reference(schema) {
            let kind = self.find(reference).and_then(|s| s["type"].as_str()).unwrap_or("");
            if kind.is_empty() || kind == "object" {
                let name = reference.rsplit('/').next().unwrap_or("");
                let name = name.rsplit('.').next().unwrap_or("");
                return if name.is_empty() { "Object".into() } else { name.into() };
            }
            return kind.into();
        }
        match schema["type"].as_str().unwrap_or("") {
            "" | "object" => "Object".into(),
            kind => kind.into(),
        }
    }

    /// Every field of a schema; with the fields of fields when `recursive`.
    pub fn field_list(&self, schema: &Value, level: usize, recursive: bool, seen: &BTreeSet<String>) -> String {
        let reference = self.reference(schema);
        if reference.is_some_and(|r| seen.contains(r)) {
            return String::new();
        }
        let mut seen = seen.clone();
        seen.extend(reference.map(String::from));
        let s = self.resolve(schema);
        let mut out = String::new();
        for (name, field) in properties(s) {
            let required = s["required"].as_array().is_some_and(|r| r.iter().any(|n| n == name.as_str()));
            out += &self.field(name, field, required, level, recursive);
            if recursive {
                out += &self.field_list(field, level + 1, recursive, &seen);
            }
        }
        for part in s["allOf"].as_array().into_iter().flatten() {
            out += &self.field_list(part, level, recursive, &seen);
        }
        if let Some(items) = s.get("items").filter(|i| !is_empty(i)) {
            out += &self.field_list(items, level, recursive, &seen);
        }
        if let Some(values) = s.get("additionalProperties").filter(|v| v.is_object() && !is_empty(v)) {
            out += &self.field_list(values, level, recursive, &seen);
        }
        out
    }

    /// A field on a line, and its description below unless it is `short`.
    fn field(&self, name: &str, field: &Value, required: bool, level: usize, short: bool) -> String {
        let spaces = level * 2;
        let required = if required { " -required-" } else { "" };
        let mut out = format!("{}\t<{}>{required}", indent(spaces, name), self.type_of(field));
        out += &values(field, false, spaces);
        out.push('\n');
        if !short {
            let text = field["description"].as_str().filter(|t| !t.is_empty()).unwrap_or("<no description>");
            out += &indent(spaces + 2, &wrap(text, 78 - spaces));
            out += "\n\n";
        }
        out
    }
}

/// The values that a field may have: all of them, one a line, or the first four on one line.
pub fn values(field: &Value, all: bool, spaces: usize) -> String {
    let Some(values) = field["enum"].as_array().filter(|v| !v.is_empty()) else { return String::new() };
    let shown = |v: &Value| match v.as_str() {
        Some("") => "\"\"".to_string(),
        Some(text) => text.to_string(),
        None => crate::describe::go_value(v),
    };
    if all {
        return format!("ENUM:{}", values.iter().map(|v| format!("\n    {}", shown(v))).collect::<String>());
    }
    let first: Vec<String> = values.iter().take(4).map(shown).collect();
    let more = if values.len() > 4 { ", ...." } else { "" };
    format!("\n{}enum: {}{more}", " ".repeat(spaces), first.join(", "))
}
