//! `--sort-by`. Models `kubectl/pkg/cmd/get/sorter.go`.

use super::jsonpath::JsonPath;
use crate::error::Error;
use meta::Quantity;
use serde_json::Value;
use std::cmp::Ordering;

/// Sorts by the first thing that a JSONPath finds in each; what lacks it comes first.
pub(crate) fn sort_by<T>(list: Vec<T>, field: &str, object: impl Fn(&T) -> &Value) -> Result<Vec<T>, String> {
    if list.is_empty() {
        return Ok(list);
    }
    let path = JsonPath::parse(field, true).map_err(|e| format!("sorting error: {e}"))?;
    let mut keyed = Vec::with_capacity(list.len());
    for item in list {
        let key =
            path.find(object(&item))?.into_iter().next().and_then(|r| r.into_iter().next().map(|v| v.into_owned()));
        keyed.push((key, item));
    }
    if keyed.iter().all(|(k, _)| k.is_none()) {
        return Err(format!("couldn't find any field with path {field:?} in the list of objects"));
    }
    if keyed.iter().filter(|(k, _)| k.is_some()).count() > 1
        && let Some(kind) = keyed.iter().find_map(|(k, _)| k.as_ref().and_then(unsortable))
    {
        return Err(format!("{UNSORTABLE}{kind}"));
    }
    keyed.sort_by(|(a, _), (b, _)| match (a, b) {
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Less,
        (_, None) => Ordering::Greater,
        (Some(a), Some(b)) => compare(a, b),
    });
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

/// Before what cannot be compared, in [`sort_by`]'s refusals: upstream ends at once then.
pub(crate) const UNSORTABLE: &str = "unsortable type: ";

fn unsortable(v: &Value) -> Option<&'static str> {
    matches!(v, Value::Object(_) | Value::Array(_) | Value::Bool(_)).then(|| meta::go::type_of(v))
}

/// The line that the client's log ends with; `of` is the Go type that was sorted.
pub(crate) fn fatal(said: String, field: &str, of: &str, line: u32) -> Error {
    if !said.starts_with(UNSORTABLE) {
        return Error::Text(said);
    }
    Error::Plain(format!(
        "F0000 00:00:00.000000       1 sorter.go:{line}] Field {field} in {of} is an unsortable type: interface, err: {said}"
    ))
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x.as_f64().partial_cmp(&y.as_f64()).unwrap_or(Ordering::Equal),
        (Value::String(x), Value::String(y)) => match (Quantity::parse(x), Quantity::parse(y)) {
            (Ok(p), Ok(q)) => p.cmp(&q),
            _ => x.cmp(y),
        },
        (Value::Array(x), Value::Array(y)) => {
            x.iter().zip(y).map(|(p, q)| compare(p, q)).find(|o| *o != Ordering::Equal).unwrap_or(Ordering::Equal)
        }
        _ => Ordering::Equal,
    }
}
