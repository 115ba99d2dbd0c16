//! Files into documents: size limits, `kind: List`, apiVersion and kind.

use crate::scalar::Scalars;
use crate::tree::{self, Children, Node};
use crate::{Position, Problem, kinds, split};
use api::Kinds;
use serde_json::Value;

/// One object of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub file: String,
    /// Where it begins, from 1.
    pub line: u32,
    pub value: Value,
    pub(crate) places: Node,
}

impl Document {
    fn text_at(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
    }
    pub fn api_version(&self) -> &str {
        self.text_at("/apiVersion")
    }
    pub fn kind(&self) -> &str {
        self.text_at("/kind")
    }
    pub fn name(&self) -> &str {
        self.text_at("/metadata/name")
    }
    pub fn namespace(&self) -> &str {
        self.text_at("/metadata/namespace")
    }
}

/// What is refused unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in one document.
    pub document_bytes_max: usize,
    /// Bytes in one file.
    pub file_bytes_max: usize,
}

impl Limits {
    /// The API server takes no request body above 3 MiB (`MaxRequestBodyBytes`).
    pub const REQUEST: Limits = Limits { document_bytes_max: 3 << 20, file_bytes_max: 8 << 20 };
    /// For dumps of whole clusters given to the command line.
    pub const DUMP: Limits = Limits { document_bytes_max: 1 << 30, file_bytes_max: 1 << 30 };
}

/// Reads `(name, text)` files. All documents are checked and all problems reported, in order of place.
///
/// # Errors
/// Every problem found, if there was any; then no document is handed out.
pub fn parse(files: &[(&str, &str)]) -> Result<Vec<Document>, Vec<Problem>> {
    parse_with(files, Limits::REQUEST)
}

/// [`parse`] where there are custom kinds, too.
///
/// # Errors
/// As [`parse`].
pub fn parse_among(files: &[(&str, &str)], kinds: &Kinds) -> Result<Vec<Document>, Vec<Problem>> {
    read(files, Limits::REQUEST, Scalars::Kubectl, Twice::Refused, |d| kinds::check(d, kinds))
}

/// [`parse`] with other size limits.
///
/// # Errors
/// As [`parse`].
pub fn parse_with(files: &[(&str, &str)], limits: Limits) -> Result<Vec<Document>, Vec<Problem>> {
    read(files, limits, Scalars::Kubectl, Twice::Refused, |d| kinds::check(d, &Kinds::default()))
}

/// Reads documents of any shape: `KubeSchedulerConfiguration` and other files that are no API objects. Lists are
/// flattened; apiVersion and kind are not looked at.
///
/// # Errors
/// As [`parse`].
pub fn parse_values(files: &[(&str, &str)], limits: Limits) -> Result<Vec<Document>, Vec<Problem>> {
    parse_values_as(files, limits, Scalars::Kubectl)
}

/// [`parse_values`] of what kubectl is given: of a key that stands there twice the last counts. Models
/// `sigs.k8s.io/yaml` `YAMLToJSON`.
///
/// # Errors
/// As [`parse`].
pub fn parse_given(files: &[(&str, &str)], limits: Limits) -> Result<Vec<Document>, Vec<Problem>> {
    read(files, limits, Scalars::Kubectl, Twice::Last, |_| None)
}

/// [`parse_values`] with scalars as somebody else reads them.
///
/// # Errors
/// As [`parse`].
pub fn parse_values_as(
    files: &[(&str, &str)],
    limits: Limits,
    scalars: Scalars,
) -> Result<Vec<Document>, Vec<Problem>> {
    read(files, limits, scalars, Twice::Refused, |_| None)
}

/// What becomes of a key that stands there twice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Twice {
    Refused,
    /// The last counts, as for kubectl.
    Last,
}

fn read(
    files: &[(&str, &str)],
    limits: Limits,
    scalars: Scalars,
    twice: Twice,
    check: impl Fn(&Document) -> Option<Problem>,
) -> Result<Vec<Document>, Vec<Problem>> {
    let (mut documents, mut problems) = (Vec::new(), Vec::new());
    for (file, text) in files {
        let already = problems.len();
        if text.len() > limits.file_bytes_max {
            problems.push(too_big(file, 1, limits.file_bytes_max));
            continue;
        }
        for chunk in split::split(text) {
            if problems.len() >= tree::PROBLEMS_MAX {
                break;
            }
            if chunk.text.len() > limits.document_bytes_max {
                problems.push(too_big(file, chunk.line_offset + 1, limits.document_bytes_max));
                continue;
            }
            for (value, places) in tree::read(file, chunk, scalars, &mut problems) {
                let line = places.value.line;
                flatten(Document { file: (*file).into(), line, value, places }, &mut documents, &mut problems);
            }
        }
        if twice == Twice::Last && problems.len() < tree::PROBLEMS_MAX {
            problems.retain(|p| p.hint != "duplicate-key");
        }
        let of_file = |d: &&Document| d.file == *file;
        problems.extend(documents.iter().filter(of_file).filter_map(&check).take(tree::PROBLEMS_MAX));
        problems[already..].sort_by_key(|p| (p.line, p.column));
    }
    if problems.is_empty() { Ok(documents) } else { Err(problems) }
}

fn too_big(file: &str, line: u32, limit: usize) -> Problem {
    let message = format!("Request entity too large: limit is {limit}");
    let kubectl = format!("error when creating \"{file}\": {message}");
    Problem::new(file, Position { line, column: 1 }, "too-big", message).said(kubectl)
}

/// Models `UnstructuredList`: anything with a kind ending in `List` and `items` is its items. Items of a typed list
/// (`PodList`) need no kind of their own.
fn flatten(document: Document, into: &mut Vec<Document>, problems: &mut Vec<Problem>) {
    let Some(map) = document.value.as_object() else {
        let go = meta::go::json_kind(&document.value);
        let message = format!("json: cannot unmarshal {go} into Go value of type unstructured.detector");
        let kubectl = format!("unable to decode {:?}: {message}", document.file);
        problems.push(Problem::new(&document.file, document.places.value, "root-type", message).said(kubectl));
        return;
    };
    let list_kind = map.get("kind").and_then(Value::as_str).unwrap_or("").to_string();
    let is_list = list_kind.ends_with("List") && map.get("items").is_some_and(Value::is_array);
    if !is_list {
        into.push(document);
        return;
    }
    let item_kind = list_kind.strip_suffix("List").unwrap_or("");
    let Document { file, mut value, places, .. } = document;
    let api_version = value["apiVersion"].take();
    let Value::Array(items) = value["items"].take() else { return };
    let item_places = match places.children {
        Children::Map(mut m) => match m.remove("items").map(|n| n.children) {
            Some(Children::List(list)) => list,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let list_place = places.value;
    let mut item_places = item_places.into_iter();
    for mut item in items {
        // A list that came from an alias has as many places as items; the fallback is never wrong, only coarse.
        let places =
            item_places.next().unwrap_or(Node { key: list_place, value: list_place, children: Children::None });
        if let (Some(object), false) = (item.as_object_mut(), item_kind.is_empty()) {
            object.entry("kind").or_insert_with(|| item_kind.into());
            object.entry("apiVersion").or_insert_with(|| api_version.clone());
        }
        let line = places.value.line;
        flatten(Document { file: file.clone(), line, value: item, places }, into, problems);
    }
}
