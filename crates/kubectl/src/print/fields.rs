//! The order that Go's types have their fields in: JSON of what kubectl decodes into a type is written in it.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A line is what an object stands under (a key, a kind, or the two with a dot between them), then its fields; what has
/// no line is sorted by name, as a map is.
const FIELDS: &str = include_str!("fields.txt");

/// Where an object is within another.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    kind: String,
    above: String,
    key: String,
    /// Of no type: sorted by name.
    raw: bool,
}

impl Place {
    pub fn root(v: &Value) -> Place {
        Place { kind: v["kind"].as_str().unwrap_or("").into(), ..Place::default() }
    }
    pub fn below(&self, key: &str) -> Place {
        // What a `List` holds is as it came.
        if self.kind == "List" && key == "items" {
            return Place { raw: true, ..Place::default() };
        }
        if let Some(kind) = self.kind.strip_suffix("List").filter(|_| self.key.is_empty() && key == "items") {
            return Place { kind: kind.into(), ..Place::default() };
        }
        Place { kind: self.kind.clone(), above: self.key.clone(), key: key.into(), raw: self.raw }
    }

    /// The pairs of an object in the order of its type.
    pub fn order<'v>(&self, map: &'v serde_json::Map<String, Value>) -> Vec<(&'v String, &'v Value)> {
        let fields = self.fields();
        let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
        let place = |key: &str| fields.iter().position(|f| *f == key).unwrap_or(usize::MAX);
        pairs.sort_by_key(|(k, _)| place(k));
        pairs
    }

    fn fields(&self) -> &'static [&'static str] {
        let (above, key) = (self.above.as_str(), self.key.as_str());
        let found = match (above, key) {
            _ if self.raw => None,
            ("", "") => line(&self.kind).or_else(|| line("*")),
            ("", key) => line(&format!("{}.{key}", self.kind)).or_else(|| line(key)),
            // Labels and their like are maps, whatever their keys are called.
            ("labels" | "annotations" | "data" | "matchLabels" | "nodeSelector" | "fieldsV1", _) => None,
            (above, key) => line(&format!("{above}.{key}")).or_else(|| line(key)),
        };
        found.unwrap_or_default()
    }
}

fn line(name: &str) -> Option<&'static [&'static str]> {
    static LINES: OnceLock<BTreeMap<&str, Vec<&str>>> = OnceLock::new();
    let lines = LINES.get_or_init(|| {
        let mut lines = BTreeMap::new();
        for (heads, fields) in FIELDS.lines().filter_map(|l| l.split_once(": ")) {
            for head in heads.split(' ') {
                lines.entry(head).or_insert_with(|| fields.split(' ').collect());
            }
        }
        lines
    });
    lines.get(name).map(Vec::as_slice)
}
