//! The values that a field may have where upstream's type is an enumeration: k8s-openapi's schemas do not say them.
//! Models `k8s.io/kube-openapi/pkg/generators/enum.go` on the types that `k8s.io/api` marks with `+enum`.

use serde_json::{Map, Value};

/// One field a line: the type below `io.k8s.api`, the field (`[]` where its items are meant) and its values in order, parted
/// by tabs.
const TABLE: &str = include_str!("enums.txt");

fn fields() -> impl Iterator<Item = (String, &'static str, bool, Vec<&'static str>)> {
    TABLE.lines().filter_map(|line| {
        let mut parts = line.split('\t');
        let (name, field) = (format!("io.k8s.api.{}", parts.next()?), parts.next()?);
        let (field, items) = field.strip_suffix("[]").map_or((field, false), |f| (f, true));
        Some((name, field, items, parts.collect()))
    })
}

/// Adds `enum` to every field of `schemas` that has one.
pub fn add(schemas: &mut Map<String, Value>) {
    for (name, field, items, values) in fields() {
        let at = schemas.get_mut(&name).and_then(|s| s.get_mut("properties")?.get_mut(field));
        let at = if items { at.and_then(|s| s.get_mut("items")) } else { at };
        if let Some(schema) = at.and_then(Value::as_object_mut) {
            schema.insert("enum".into(), values.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_means_a_text() {
        let mut met = 0;
        for (name, field, items, values) in fields() {
            assert!(values.is_sorted() && values.len() > 1, "{name} {field}");
            let Some(schema) = crate::schema(&name) else { continue };
            let at = &schema["properties"][field];
            let at = if items { &at["items"] } else { at };
            assert_eq!(at["type"], "string", "{name} {field}");
            assert_eq!(at["enum"].as_array().map(Vec::len), Some(values.len()), "{name} {field}");
            met += 1;
        }
        assert!(met > 70, "{met}");
    }
}
