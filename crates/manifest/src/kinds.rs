//! apiVersion and kind: there, and known.

use crate::locate::locate;
use crate::{Document, Problem};
use api::Kinds;
use serde_json::Value;

/// Models `kubectl/pkg/validation` (`apiVersion not set`) and the REST mapper's refusal (`no matches for kind`).
pub fn check(document: &Document, kinds: &Kinds) -> Option<Problem> {
    let file = &document.file;
    let mut missing = Vec::new();
    let mut wrong_type = None;
    for field in ["apiVersion", "kind"] {
        match document.value.get(field) {
            None | Some(Value::Null) => missing.push(format!("{field} not set")),
            Some(Value::String(s)) if s.is_empty() => missing.push(format!("{field} not set")),
            Some(Value::String(_)) => {}
            Some(_) => {
                missing.push(format!("{field} isn't string type"));
                wrong_type.get_or_insert(field);
            }
        }
    }
    if !missing.is_empty() {
        let message = if missing.len() == 1 { missing.concat() } else { format!("[{}]", missing.join(", ")) };
        let kubectl = format!(
            "error validating {file:?}: error validating data: {message}; \
             if you choose to ignore these errors, turn validation off with --validate=false"
        );
        let hint = if wrong_type.is_some() { "wrong-type" } else { "missing-type" };
        let at = wrong_type.map_or(document.places.value, |field| locate(document, field));
        let problem = Problem::new(file, at, hint, message).said(kubectl);
        return Some(problem.at_path(wrong_type.unwrap_or(""))).map(|p| p.meant(api_version_of(document.kind())));
    }
    let (api_version, kind) = (document.api_version(), document.kind());
    if kinds.by_api_version(api_version, kind).is_some() {
        return None;
    }
    let message = format!("no matches for kind {kind:?} in version {api_version:?}");
    let kubectl = format!(
        "resource mapping not found for name: {:?} namespace: {:?} from {file:?}: {message}\nensure CRDs are installed first",
        document.name(),
        document.namespace()
    );
    let (hint, path, suggestion) = if let Some(right) = api_version_of(kind) {
        ("api-version", "apiVersion", Some(right))
    } else if let Some(k) = api::KINDS.iter().find(|k| k.kind.eq_ignore_ascii_case(kind)) {
        ("kind-case", "kind", Some(k.kind.to_string()))
    } else {
        ("unknown-kind", "kind", nearest(kind))
    };
    let at = locate(document, path);
    Some(Problem::new(file, at, hint, message).said(kubectl).at_path(path).meant(suggestion))
}

/// `apps/v1` for `Deployment`.
fn api_version_of(kind: &str) -> Option<String> {
    api::KINDS.iter().find(|k| k.kind == kind).map(|k| k.api_version())
}

/// A known kind a slip of the pen away: `Deploymnet`, or its plural.
fn nearest(kind: &str) -> Option<String> {
    let lower = kind.to_ascii_lowercase();
    let distance = |k: &api::KindRef| {
        if lower == k.plural || k.short_names.contains(&lower.as_str()) {
            return 0;
        }
        edit_distance(&lower, &k.kind.to_ascii_lowercase())
    };
    api::KINDS.iter().map(|k| (distance(k), k.kind)).filter(|(d, k)| d * 3 <= k.len()).min().map(|(_, k)| k.to_string())
}

/// Levenshtein's distance; anything above 64 characters is far from everything.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(65).collect(), b.chars().take(65).collect());
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let change = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
