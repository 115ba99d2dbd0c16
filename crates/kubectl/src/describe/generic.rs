//! Kinds without a describer of their own: everything they have, with words for the keys.

use super::events::{self, About};
use super::view::View;
use super::writer::{Writer, put};
use super::{Describer, parts, show};
use crate::error::Error;
use crate::mapping::Mapping;
use serde_json::Value;

/// What is written above, or is of no use to a reader.
const SKIPPED: &[&str] =
    &[".metadata.managedFields", ".metadata.name", ".metadata.namespace", ".metadata.labels", ".metadata.annotations"];

impl Describer<'_> {
    pub async fn generic(&self, mapping: &Mapping, o: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object(&mapping.kind, o)).await;
        let mut w = self.writer();
        parts::head(&mut w, o);
        content(&mut w, 0, o, "");
        events::write(&mut w, events);
        Ok(w.finish())
    }
}

/// Models `printUnstructuredContent`.
fn content(w: &mut Writer, level: usize, o: View, path: &str) {
    let Some(Value::Object(fields)) = o.value() else { return };
    let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| *name);
    for (field, value) in fields {
        let path = format!("{path}.{field}");
        if SKIPPED.contains(&path.as_str()) {
            continue;
        }
        let label = label(field);
        match value {
            Value::Object(_) => {
                put!(w, level, "{label}:\n");
                content(w, level + 1, View::new(value), &path);
            }
            Value::Array(items) => {
                put!(w, level, "{label}:\n");
                for item in items {
                    match item {
                        Value::Object(_) => content(w, level + 1, View::new(item), &path),
                        other => put!(w, level + 1, "{}\n", show::value(other)),
                    }
                }
            }
            other => put!(w, level, "{label}:\t{}\n", show::value(other)),
        }
    }
}

/// `creationTimestamp` as `Creation Timestamp`. Models `smartLabelFor`.
fn label(field: &str) -> String {
    if !field.chars().all(|c| c.is_alphabetic() || c == '-') {
        return field.to_string();
    }
    let words: Vec<String> = split(field)
        .into_iter()
        .map(|word| {
            let upper = word.to_uppercase();
            if ["API", "URL", "UID", "OSB", "GUID"].contains(&upper.as_str()) { upper } else { title(&word) }
        })
        .collect();
    words.join(" ")
}

fn title(word: &str) -> String {
    let mut letters = word.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().collect::<String>() + &letters.as_str().to_lowercase(),
        None => String::new(),
    }
}

/// Words of small and of capital letters; the last of several capitals begins the word after them.
fn split(field: &str) -> Vec<String> {
    let class = |c: char| (c.is_lowercase(), c.is_uppercase());
    let mut words: Vec<Vec<char>> = Vec::new();
    for c in field.chars() {
        match words.last_mut() {
            Some(word) if word.last().is_some_and(|l| class(*l) == class(c)) => word.push(c),
            _ => words.push(vec![c]),
        }
    }
    for i in 1..words.len() {
        // A word that was a single capital is empty by then.
        let capitals = words[i - 1].first().is_some_and(|c| c.is_uppercase());
        if capitals
            && words[i][0].is_lowercase()
            && let Some(capital) = words[i - 1].pop()
        {
            words[i].insert(0, capital);
        }
    }
    words.into_iter().filter(|w| !w.is_empty()).map(|w| w.into_iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_become_words() {
        for (field, text) in [
            ("apiVersion", "API Version"),
            ("uid", "UID"),
            ("creationTimestamp", "Creation Timestamp"),
            ("podCIDRs", "Pod Cid Rs"),
            ("kind", "Kind"),
            ("imageURL", "Image URL"),
            ("HTTPServer", "Http Server"),
            ("foo-bar", "Foo - Bar"),
            ("Name", "Name"),
            ("app.kubernetes.io/name", "app.kubernetes.io/name"),
            ("v1", "v1"),
            ("under_score", "under_score"),
        ] {
            assert_eq!(label(field), text, "{field}");
        }
    }

    #[test]
    fn everything_is_shown_in_the_order_of_its_keys() {
        let o = json!({
            "kind": "Test", "apiVersion": "example.com/v1",
            "metadata": {"name": "n", "labels": {"a": "b"}, "generation": 2, "managedFields": [{}]},
            "spec": {"list": ["x", 1, ["y", true], {"inner": 0.5, "deep": {"k": null}}], "empty": {}, "none": []},
        });
        let mut w = Writer::new(0);
        content(&mut w, 0, View::new(&o), "");
        assert_eq!(
            w.finish(),
            "API Version:  example.com/v1\nKind:         Test\nMetadata:\n  Generation:  2\nSpec:\n  Empty:\n  List:\n    x\n    1\n    [y true]\n    Deep:\n      K:    <nil>\n    Inner:  0.5\n  None:\n"
        );
    }
}
