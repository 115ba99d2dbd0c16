//! A field's path as the API server writes it, to its place in the text.

use crate::tree::{Children, Node};
use crate::{Document, Position};
use serde_json::Value;

/// Where the field's value is; for maps and lists where their key is. A path that leads further than the document
/// does ends at the nearest field that is there.
///
/// Understands `spec.containers[0].ports[1].containerPort`, `metadata.labels[app.kubernetes.io/name]`,
/// `data[key]`, `spec.containers.0.image`, and Go's paths, which name no list indices
/// (`spec.template.spec.containers.ports.containerPort`): then the first item that has the field is meant.
pub fn locate(document: &Document, path: &str) -> Position {
    locate_where(document, path, &|_| true)
}

/// Where the field's key is: for fields that should not be there.
pub fn locate_key(document: &Document, path: &str) -> Position {
    walk(&document.places, &document.value, path, &|_| true).found().key
}

/// [`locate`] with a say in which value is meant, where a path without indices leads to several.
pub(crate) fn locate_where(document: &Document, path: &str, is_it: &dyn Fn(&Value) -> bool) -> Position {
    let node = walk(&document.places, &document.value, path, is_it).found();
    match node.children {
        Children::None => node.value,
        _ => node.key,
    }
}

/// How far a walk came.
enum Walk<'a> {
    /// The whole path is there.
    Whole(&'a Node),
    /// Only so many of its bytes are.
    Part(&'a Node, usize),
}

impl<'a> Walk<'a> {
    fn found(&self) -> &'a Node {
        match self {
            Walk::Whole(n) | Walk::Part(n, _) => n,
        }
    }
    /// Bytes of the path left over; the fewer, the better.
    fn rest(&self) -> usize {
        match self {
            Walk::Whole(_) => 0,
            Walk::Part(_, rest) => *rest,
        }
    }
}

fn walk<'a>(node: &'a Node, value: &Value, path: &str, is_it: &dyn Fn(&Value) -> bool) -> Walk<'a> {
    let path = path.trim_start_matches(['.', '?']);
    if path.is_empty() {
        return if is_it(value) { Walk::Whole(node) } else { Walk::Part(node, 1) };
    }
    match &node.children {
        Children::None => Walk::Part(node, path.len()),
        Children::Map(children) => {
            for (key, rest) in keys(path) {
                if let (Some(child), Some(v)) = (children.get(key), value.get(key)) {
                    return walk(child, v, rest, is_it);
                }
            }
            Walk::Part(node, path.len())
        }
        Children::List(items) => {
            if let Some((index, rest)) = index(path) {
                return match (items.get(index), value.get(index)) {
                    (Some(child), Some(v)) => walk(child, v, rest, is_it),
                    _ => Walk::Part(node, path.len()),
                };
            }
            let all = items.iter().enumerate().filter_map(|(i, n)| Some(walk(n, value.get(i)?, path, is_it)));
            all.min_by_key(Walk::rest).filter(|w| w.rest() < path.len()).unwrap_or(Walk::Part(node, path.len()))
        }
    }
}

/// The keys a path may begin with, longest first: `a.b/c: ` in `labels.a.b/c` is one key. With what follows each.
fn keys(path: &str) -> Vec<(&str, &str)> {
    if let Some(inner) = path.strip_prefix('[') {
        // The last bracket that closes a key: `data[a]b]` does not occur upstream.
        let Some(end) = inner.find(']') else { return Vec::new() };
        return vec![(inner[..end].trim_matches('"'), &inner[end + 1..])];
    }
    let mut out: Vec<_> = vec![(path, "")];
    // A path of an upstream field is short; a key in it that has more than a few dots is not worth the search.
    out.extend(
        path.char_indices().filter(|(_, c)| matches!(c, '.' | '[')).take(32).map(|(i, _)| (&path[..i], &path[i..])),
    );
    out[1..].reverse();
    out
}

fn index(path: &str) -> Option<(usize, &str)> {
    let (digits, rest) = match path.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => path.split_at(path.find(['.', '[']).unwrap_or(path.len())),
    };
    Some((digits.parse().ok()?, rest))
}
