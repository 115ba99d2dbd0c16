//! Strategic merge of a patch into an object. Models kyaml's `merge2` with `MergeOptionsListPrepend`: what a patch says of
//! a list comes first.
//!
//! Where kyaml is odd this is not: an item is found by those of its list's keys that it has, and one that has none of them is
//! added (kyaml finds ports by all keys only, and such an item empties its list).

use meta::strategic::{ListStrategy, strategy};
use serde_json::Value;

pub(super) fn merged(object: Value, patch: &Value) -> Value {
    let kind = object["kind"].as_str().unwrap_or("").to_string();
    merge(&kind, &mut Vec::new(), object, patch)
}

fn merge(kind: &str, path: &mut Vec<String>, old: Value, patch: &Value) -> Value {
    let (Value::Object(mut old), Value::Object(new)) = (old, patch) else { return without_directives(patch.clone()) };
    match new.get("$patch").and_then(Value::as_str) {
        Some("replace") => return without_directives(patch.clone()),
        Some("delete") => return Value::Null,
        _ => {}
    }
    for (key, value) in new {
        if key == "$patch" {
            continue;
        }
        let before = old.remove(key).unwrap_or_default();
        let by = strategy(kind, path, key);
        let after = match (before, value) {
            (_, Value::Null) => Value::Null,
            (Value::Array(before), Value::Array(list)) => items(kind, path, key, by, before, list),
            (before @ Value::Object(_), value @ Value::Object(_)) => {
                path.push(key.clone());
                let v = merge(kind, path, before, value);
                path.pop();
                v
            }
            (_, value) => without_directives(value.clone()),
        };
        if !after.is_null() {
            old.insert(key.clone(), after);
        }
    }
    Value::Object(old)
}

fn items(
    kind: &str,
    path: &mut Vec<String>,
    key: &str,
    by: ListStrategy,
    mut before: Vec<Value>,
    list: &[Value],
) -> Value {
    let replaces = list.iter().any(|v| v["$patch"] == "replace");
    match by {
        _ if replaces => without_directives(Value::Array(list.to_vec())),
        ListStrategy::Replace => without_directives(Value::Array(list.to_vec())),
        ListStrategy::MergeValues => {
            let mut all = list.to_vec();
            all.extend(before.into_iter().filter(|v| !list.contains(v)));
            Value::Array(all)
        }
        ListStrategy::MergeBy(field) => {
            let mut all = Vec::new();
            // Of lists that are told apart by two fields, what is there keeps its place.
            let keeps = second(field) != field && before.iter().chain(list).any(|v| !v[second(field)].is_null());
            path.push(key.to_string());
            for item in list {
                let at = before.iter().position(|b| same(field, b, item));
                if item["$patch"] == "delete" {
                    if let Some(i) = at {
                        before.remove(i);
                    }
                    continue;
                }
                match at {
                    Some(i) if keeps => before[i] = merge(kind, path, before[i].take(), item),
                    Some(i) => all.push(merge(kind, path, before.remove(i), item)),
                    None => all.push(without_directives(item.clone())),
                }
            }
            path.pop();
            all.extend(before);
            Value::Array(all)
        }
    }
}

/// What tells the items of a list apart besides: ports have a protocol.
fn second(field: &str) -> &str {
    if matches!(field, "containerPort" | "port") { "protocol" } else { field }
}

/// Whether two items of a list are one: the second field counts where both have it.
fn same(field: &str, a: &Value, b: &Value) -> bool {
    let second = second(field);
    a[field] == b[field] && (a[second] == b[second] || a[second].is_null() || b[second].is_null())
}

/// Without `$patch` and what is to be deleted.
fn without_directives(v: Value) -> Value {
    match v {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(k, v)| k != "$patch" && !v.is_null());
            Value::Object(kept.map(|(k, v)| (k, without_directives(v))).collect())
        }
        Value::Array(list) => {
            let only = |v: &Value| v.as_object().is_some_and(|m| m.len() == 1 && m.contains_key("$patch"));
            Value::Array(list.into_iter().filter(|v| !only(v)).map(without_directives).collect())
        }
        other => other,
    }
}
