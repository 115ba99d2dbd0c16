//! Strategic merge patch. Models `apimachinery/pkg/util/strategicpatch` `StrategicMergePatch` with
//! `MergeParallelList` and `IgnoreUnmatchedNulls`, as the API server uses it.

mod keys;

pub use keys::{ListStrategy, merge_key, strategy};

use crate::ApiError;
use serde_json::{Map, Value};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";

/// Applies `patch` to an object of the kind called `kind`. Errors: 400 for a malformed patch.
pub fn strategic_merge(object: Value, patch: &Value, kind: &str) -> Result<Value, ApiError> {
    let (Value::Object(object), Value::Object(patch)) = (object, patch) else {
        return Err(ApiError::bad_request("invalid JSON document"));
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
            Some(Value::String(d)) if d == "replace" => {
                let mut new = patch.clone();
                new.remove(DIRECTIVE);
                return Ok(new);
            }
            Some(Value::String(d)) if d == "delete" => return Ok(Map::new()),
            Some(other) => return Err(unknown_directive(other, patch)),
        }
        if let Some(keep) = patch.get(RETAIN_KEYS) {
            let bad = || ApiError::bad_request("invalid patch format of retainKeys");
            let keep = keep.as_array().ok_or_else(bad)?;
            let kept = |k: &str| keep.iter().any(|v| v.as_str() == Some(k));
            if patch.iter().any(|(k, v)| !k.starts_with('$') && !v.is_null() && !kept(k)) {
                return Err(bad());
            }
            old.retain(|k, _| kept(k));
        }
        for (key, values) in patch {
            let Some(field) = key.strip_prefix(DELETE_FROM) else { continue };
            let values = values.as_array().ok_or_else(|| plain("invalid patch format of primitive list"))?;
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
                (Some(Value::Array(o)), Value::Array(p)) => Value::Array(self.list(key, o, p)?),
                (_, other) => match without_directives(other) {
                    Some(v) => v,
                    None => continue,
                },
            };
            old.insert(key.clone(), merged);
        }
        for (field, order, server) in before {
            let order = order.as_array().ok_or_else(|| plain("expected a slice, but received another kind"))?;
            self.check_order(field, patch.get(field).and_then(Value::as_array), order)?;
            if let Some(Value::Array(list)) = old.remove(field) {
                let sorted = enforce_order(list, order, &server, self.strategy(field));
                old.insert(field.into(), Value::Array(sorted));
            }
        }
        Ok(old)
    }

    /// The items of the patch must come in the order that it sets. Models `validatePatchWithSetOrderList`.
    fn check_order(&self, field: &str, items: Option<&Vec<Value>>, order: &[Value]) -> Result<(), ApiError> {
        let Some(items) = items.filter(|i| !i.is_empty() && !order.is_empty()) else { return Ok(()) };
        let same = |a: &Value, b: &Value| match self.strategy(field) {
            ListStrategy::MergeBy(key) => a.get(key) == b.get(key),
            _ => a == b,
        };
        let mut order_left = order.iter();
        let mut said = items.iter().filter(|i| i.get(DIRECTIVE).is_none());
        if said.all(|i| order_left.any(|o| same(i, o))) {
            return Ok(());
        }
        let text = |list: &[Value]| go_text(&Value::Array(list.to_vec()));
        Err(plain(&format!(
            "The order in patch list:\n{}\n doesn't match {} list:\n{}\n",
            text(items),
            ORDER.trim_end_matches('/'),
            text(order)
        )))
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
                None => items.push(p),
                Some("merge") => return Err(plain("merging lists cannot yet be specified in the patch")),
                Some(_) => return Err(unknown_directive(&p[DIRECTIVE], p.as_object().unwrap_or(&Map::new()))),
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

/// An error that is no Status of upstream's, so it becomes a bare 500.
fn plain(message: &str) -> ApiError {
    ApiError::new(500, "", message)
}

fn no_key(item: &Value, key: &str) -> ApiError {
    plain(&format!("map: {} does not contain declared merge key: {key}", go_text(item)))
}

fn unknown_directive(directive: &Value, patch: &Map<String, Value>) -> ApiError {
    let map = go_text(&Value::Object(patch.clone()));
    plain(&format!("unknown patch type: {} in map: {map}", go_text(directive)))
}

/// What stands in a patch for something that is not there yet: without nulls and without what only directs. `None`
/// when all of it only directs. Models `removeDirectives` and `discardNullValuesFromPatch`.
fn without_directives(v: &Value) -> Option<Value> {
    match v {
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => {
            let fields = map.iter().filter(|(k, v)| !k.starts_with('$') && !v.is_null());
            Some(Value::Object(fields.filter_map(|(k, v)| Some((k.clone(), without_directives(v)?))).collect()))
        }
        Value::Array(list) => Some(Value::Array(list.iter().filter_map(without_directives).collect())),
        other => Some(other.clone()),
    }
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

/// A tree as Go's `%+v` prints it: `map[a:1 b:[x y]]`.
pub fn go_text(v: &Value) -> String {
    match v {
        Value::Null => "<nil>".into(),
        Value::String(s) => s.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(go_text).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
            pairs.sort_by_key(|(k, _)| *k);
            let pairs: Vec<String> = pairs.into_iter().map(|(k, v)| format!("{k}:{}", go_text(v))).collect();
            format!("map[{}]", pairs.join(" "))
        }
        other => other.to_string(),
    }
}
