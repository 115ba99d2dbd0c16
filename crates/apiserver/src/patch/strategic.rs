//! Strategic merge patch. Models `apimachinery/pkg/util/strategicpatch` `StrategicMergePatch` with
//! `MergeParallelList` and `IgnoreUnmatchedNulls`, as the API server uses it.

use super::merge_keys::{ListStrategy, strategy};
use meta::ApiError;
use serde_json::{Map, Value};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";

/// Applies `patch` to an object of the kind called `kind`. Errors: 400 for a malformed patch.
pub fn strategic_merge(object: Value, patch: &Value, kind: &str) -> Result<Value, ApiError> {
    let (Value::Object(object), Value::Object(patch)) = (object, patch) else {
        return Err(ApiError::bad_request("invalid JSON document: a strategic merge patch is an object"));
    };
    let mut merger = Merger { kind, path: Vec::new() };
    Ok(Value::Object(merger.map(object, patch)?))
}

struct Merger<'a> {
    kind: &'a str,
    /// To the object at hand, list indexes left out.
    path: Vec<String>,
}

impl Merger<'_> {
    fn map(&mut self, mut old: Map<String, Value>, patch: &Map<String, Value>) -> Result<Map<String, Value>, ApiError> {
        match patch.get(DIRECTIVE) {
            None => {}
            Some(Value::String(d)) if d == "merge" => {}
            Some(Value::String(d)) if d == "replace" => {
                let mut new = patch.clone();
                new.remove(DIRECTIVE);
                return Ok(new);
            }
            Some(Value::String(d)) if d == "delete" => return Ok(Map::new()),
            Some(other) => {
                return Err(ApiError::bad_request(format!("unknown patch type: {}", text(other))));
            }
        }
        if let Some(keep) = patch.get(RETAIN_KEYS) {
            let keep = keep.as_array().ok_or_else(|| ApiError::bad_request(format!("invalid {RETAIN_KEYS}")))?;
            let kept = |k: &str| keep.iter().any(|v| v.as_str() == Some(k));
            if patch.iter().any(|(k, v)| !k.starts_with('$') && !v.is_null() && !kept(k)) {
                let why = format!("{RETAIN_KEYS} must contain all fields present in the patch");
                return Err(ApiError::bad_request(why));
            }
            old.retain(|k, _| kept(k));
        }
        for (key, values) in patch {
            let Some(field) = key.strip_prefix(DELETE_FROM) else { continue };
            let values = values.as_array().ok_or_else(|| ApiError::bad_request(format!("invalid {key}")))?;
            if let Some(Value::Array(list)) = old.get_mut(field) {
                list.retain(|v| !values.contains(v));
            }
        }
        // As the server has them now, for the order of what only it has.
        let before: Vec<(&str, &Value, Vec<Value>)> = patch
            .iter()
            .filter_map(|(key, order)| {
                let field = key.strip_prefix(ORDER)?;
                Some((field, order, old.get(field).and_then(Value::as_array).cloned().unwrap_or_default()))
            })
            .collect();
        for (key, value) in patch {
            if key.starts_with('$') {
                continue;
            }
            if value.is_null() {
                old.remove(key);
                continue;
            }
            let merged = match (old.remove(key), value) {
                (Some(Value::Object(o)), Value::Object(p)) => self.within(key, |m| m.map(o, p).map(Value::Object))?,
                // Merged into nothing, so that directives and nulls do not stay.
                (_, Value::Object(p)) => self.within(key, |m| m.map(Map::new(), p).map(Value::Object))?,
                (Some(Value::Array(o)), Value::Array(p)) => Value::Array(self.list(key, o, p)?),
                (_, Value::Array(p)) => Value::Array(self.list(key, Vec::new(), p)?),
                (_, other) => other.clone(),
            };
            old.insert(key.clone(), merged);
        }
        for (field, order, server) in before {
            let order = order.as_array().ok_or_else(|| ApiError::bad_request(format!("invalid {ORDER}{field}")))?;
            if let Some(Value::Array(list)) = old.remove(field) {
                let sorted = enforce_order(list, order, &server, self.strategy(field));
                old.insert(field.into(), Value::Array(sorted));
            }
        }
        Ok(old)
    }

    fn within<T>(&mut self, key: &str, f: impl FnOnce(&mut Self) -> Result<T, ApiError>) -> Result<T, ApiError> {
        self.path.push(key.into());
        let result = f(self);
        self.path.pop();
        result
    }

    fn strategy(&self, field: &str) -> ListStrategy {
        strategy(self.kind, &self.path, field)
    }

    fn list(&mut self, field: &str, old: Vec<Value>, patch: &[Value]) -> Result<Vec<Value>, ApiError> {
        match self.strategy(field) {
            ListStrategy::Replace => {
                let directive = |v: &Value| v.get(DIRECTIVE).and_then(Value::as_str) == Some("replace");
                Ok(patch.iter().filter(|v| !directive(v)).cloned().collect())
            }
            ListStrategy::MergeValues => {
                let server = old.clone();
                let mut merged: Vec<Value> = Vec::new();
                for v in old.into_iter().chain(patch.iter().cloned()) {
                    if !merged.contains(&v) {
                        merged.push(v);
                    }
                }
                Ok(enforce_order(merged, patch, &server, ListStrategy::MergeValues))
            }
            ListStrategy::MergeBy(key) => self.within(field, |m| m.list_by(key, old, patch)),
        }
    }

    fn list_by(&mut self, key: &'static str, mut old: Vec<Value>, patch: &[Value]) -> Result<Vec<Value>, ApiError> {
        let mut items = Vec::with_capacity(patch.len());
        let mut replace = false;
        for p in patch {
            match p.get(DIRECTIVE).and_then(Value::as_str) {
                Some("replace") => replace = true,
                Some("delete") => {
                    let id = p.get(key).ok_or_else(|| no_key(p, key))?;
                    old.retain(|o| o.get(key) != Some(id));
                }
                Some("merge") | None => items.push(p),
                Some(other) => return Err(ApiError::bad_request(format!("unknown patch type: {other}"))),
            }
        }
        if replace {
            return Ok(items.into_iter().cloned().collect());
        }
        let server = old.clone();
        for p in &items {
            let id = p.get(key).ok_or_else(|| no_key(p, key))?;
            let Value::Object(p) = p else { return Err(no_key(p, key)) };
            match old.iter_mut().find(|o| o.get(key) == Some(id)) {
                Some(Value::Object(o)) => *o = self.map(std::mem::take(o), p)?,
                _ => old.push(Value::Object(self.map(Map::new(), p)?)),
            }
        }
        let order: Vec<Value> = items.into_iter().cloned().collect();
        Ok(enforce_order(old, &order, &server, ListStrategy::MergeBy(key)))
    }
}

fn no_key(item: &Value, key: &str) -> ApiError {
    ApiError::bad_request(format!("map: {item} does not contain declared merge key: {key}"))
}

fn text(v: &Value) -> String {
    v.as_str().map_or_else(|| v.to_string(), Into::into)
}

/// The items named in `order` come in that order; the server's own keep theirs; where the two lists meet, the
/// server's old order decides if it knows both, and the patch goes first otherwise. Models `normalizeElementOrder`.
fn enforce_order(items: Vec<Value>, order: &[Value], server: &[Value], how: ListStrategy) -> Vec<Value> {
    let place = |list: &[Value], v: &Value| match how {
        ListStrategy::MergeBy(key) => list.iter().position(|w| w.get(key).is_some() && w.get(key) == v.get(key)),
        _ => list.iter().position(|w| w == v),
    };
    let (mut ours, mut theirs): (Vec<_>, Vec<_>) = items.into_iter().partition(|v| place(order, v).is_some());
    ours.sort_by_key(|v| place(order, v));
    theirs.sort_by_key(|v| place(server, v));
    let mut out = Vec::with_capacity(ours.len() + theirs.len());
    let (mut ours, mut theirs) = (ours.into_iter().peekable(), theirs.into_iter().peekable());
    loop {
        let server_first = match (theirs.peek(), ours.peek()) {
            (None, None) => return out,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(t), Some(o)) => matches!((place(server, t), place(server, o)), (Some(t), Some(o)) if t < o),
        };
        out.extend(if server_first { theirs.next() } else { ours.next() });
    }
}
