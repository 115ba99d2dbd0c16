//! Patches of client-side apply: what was written last time, what is written now, what is live. Models
//! `strategicpatch.CreateThreeWayMergePatch` and `jsonmergepatch.CreateThreeWayJSONMergePatch`.

use meta::strategic::{ListStrategy, strategy};
use serde_json::{Map, Value, json};

type Tree = Map<String, Value>;

const ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const RETAIN: &str = "$retainKeys";

/// The strategic patch of a built-in kind.
pub(crate) fn strategic(kind: &str, original: &Value, modified: &Value, current: &Value) -> Value {
    let empty = Tree::new();
    let tree = |v: &'_ Value| v.as_object().cloned().unwrap_or_default();
    let modified = modified.as_object().unwrap_or(&empty);
    let mut path = Vec::new();
    let changes = Diff { kind, deletions: false, changes: true }.maps(&tree(current), modified, &mut path, false);
    let deletions = Diff { kind, deletions: true, changes: false }.maps(&tree(original), modified, &mut path, false);
    Value::Object(merge(kind, deletions, changes, &mut path))
}

/// The merge patch of a custom kind: lists are values.
pub(crate) fn json_merge(original: &Value, modified: &Value, current: &Value) -> Value {
    let mut patch = additions(current, modified).unwrap_or_else(|| json!({}));
    removals(original, modified, &mut patch);
    patch
}

fn additions(current: &Value, modified: &Value) -> Option<Value> {
    match (current, modified) {
        (Value::Object(c), Value::Object(m)) => {
            let mut out = Tree::new();
            for (k, v) in m {
                match c.get(k) {
                    Some(old) => out.extend(additions(old, v).map(|d| (k.clone(), d))),
                    None => drop(out.insert(k.clone(), v.clone())),
                }
            }
            (!out.is_empty()).then_some(Value::Object(out))
        }
        (c, m) => (c != m).then(|| m.clone()),
    }
}

fn removals(original: &Value, modified: &Value, patch: &mut Value) {
    let (Some(o), Some(m)) = (original.as_object(), modified.as_object()) else { return };
    for (k, v) in o {
        match m.get(k) {
            None => patch[k.as_str()] = Value::Null,
            Some(new) if v.is_object() && new.is_object() => {
                let mut inner = patch.get(k).filter(|p| p.is_object()).cloned().unwrap_or_else(|| json!({}));
                let before = inner.clone();
                removals(v, new, &mut inner);
                if inner != before || patch.get(k).is_some() {
                    patch[k.as_str()] = inner;
                }
            }
            Some(_) => {}
        }
    }
}

/// What leads from one tree to another. Models `diffMaps`.
struct Diff<'a> {
    kind: &'a str,
    /// Whether what is missing is deleted.
    deletions: bool,
    /// Whether what is new or different is set.
    changes: bool,
}

/// Fields whose keys exclude each other: whoever sets them says which ones stay.
fn retains_keys(kind: &str, path: &[String]) -> bool {
    match path.last().map(String::as_str) {
        Some("strategy") => kind == "Deployment" && path.len() == 2,
        Some("volumes") => true,
        _ => false,
    }
}

impl Diff<'_> {
    fn maps(&self, original: &Tree, modified: &Tree, path: &mut Vec<String>, retain: bool) -> Tree {
        let mut patch = Tree::new();
        for (key, new) in modified {
            let Some(old) = original.get(key) else {
                if self.changes {
                    patch.insert(key.clone(), new.clone());
                }
                continue;
            };
            match (old, new) {
                // Replaced as a whole, even when it is the same.
                (Value::Object(_), Value::Object(_))
                    if self.kind == "PodDisruptionBudget" && key == "selector" && path.len() == 1 =>
                {
                    if self.changes {
                        patch.insert(key.clone(), new.clone());
                    }
                }
                (Value::Object(o), Value::Object(n)) => {
                    path.push(key.clone());
                    let inner = self.maps(o, n, path, retains_keys(self.kind, path));
                    path.pop();
                    if !inner.is_empty() {
                        patch.insert(key.clone(), Value::Object(inner));
                    }
                }
                (Value::Array(o), Value::Array(n)) => self.lists(key, o, n, path, &mut patch),
                (o, n) => {
                    if self.changes && o != n {
                        patch.insert(key.clone(), n.clone());
                    }
                }
            }
        }
        if self.deletions {
            for key in original.keys().filter(|k| !modified.contains_key(*k)) {
                patch.insert(key.clone(), Value::Null);
            }
        }
        let gone = original.keys().any(|k| !modified.contains_key(k));
        if retain && !modified.is_empty() && (!patch.is_empty() || gone) {
            let keys: Vec<&String> = modified.iter().filter(|(_, v)| !v.is_null()).map(|(k, _)| k).collect();
            patch.insert(RETAIN.into(), json!(keys));
        }
        patch
    }

    fn lists(&self, key: &str, old: &[Value], new: &[Value], path: &mut Vec<String>, patch: &mut Tree) {
        match strategy(self.kind, path, key) {
            ListStrategy::Replace => {
                if self.changes && old != new {
                    patch.insert(key.into(), json!(new));
                }
            }
            _ if old.is_empty() => {
                if self.changes && !new.is_empty() {
                    patch.insert(key.into(), json!(new));
                }
            }
            ListStrategy::MergeValues => {
                let added: Vec<&Value> = new.iter().filter(|v| self.changes && !old.contains(v)).collect();
                let gone: Vec<&Value> = old.iter().filter(|v| self.deletions && !new.contains(v)).collect();
                let ordered =
                    (self.changes && (!added.is_empty() || old != new)) || (self.deletions && !gone.is_empty());
                if !added.is_empty() {
                    patch.insert(key.into(), json!(added));
                }
                if !gone.is_empty() {
                    patch.insert(format!("{DELETE_FROM}{key}"), json!(gone));
                }
                if ordered {
                    patch.insert(format!("{ORDER}{key}"), json!(new));
                }
            }
            ListStrategy::MergeBy(by) => {
                path.push(key.into());
                let retain = retains_keys(self.kind, path);
                let mut items = Vec::new();
                for n in new {
                    match (old.iter().find(|o| o.get(by) == n.get(by)), n) {
                        (Some(Value::Object(o)), Value::Object(n)) => {
                            let mut inner = self.maps(o, n, path, retain);
                            if !inner.is_empty() {
                                inner.insert(by.into(), n.get(by).cloned().unwrap_or_default());
                                items.push(Value::Object(inner));
                            }
                        }
                        _ if self.changes => items.push(n.clone()),
                        _ => {}
                    }
                }
                path.pop();
                if self.deletions {
                    for o in old.iter().filter(|o| new.iter().all(|n| n.get(by) != o.get(by))) {
                        items.push(json!({"$patch": "delete", by: o.get(by)}));
                    }
                }
                let same_order = old.len() == new.len() && old.iter().zip(new).all(|(o, n)| o.get(by) == n.get(by));
                if (self.changes && (!items.is_empty() || !same_order)) || (self.deletions && !items.is_empty()) {
                    let order: Vec<Value> = new.iter().map(|n| json!({by: n.get(by)})).collect();
                    patch.insert(format!("{ORDER}{key}"), json!(order));
                }
                if !items.is_empty() {
                    patch.insert(key.into(), json!(items));
                }
            }
        }
    }
}

/// Two patches in one. Models `mergeMap` without merging parallel lists.
fn merge(kind: &str, mut deletions: Tree, changes: Tree, path: &mut Vec<String>) -> Tree {
    let orders: Tree = deletions
        .iter()
        .chain(&changes)
        .filter(|(k, _)| k.starts_with(ORDER))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    for (key, new) in changes {
        let merged = match (deletions.remove(&key), new) {
            (Some(Value::Object(d)), Value::Object(n)) => {
                path.push(key.clone());
                let inner = merge(kind, d, n, path);
                path.pop();
                Value::Object(inner)
            }
            (Some(Value::Array(d)), Value::Array(n)) if !key.starts_with('$') => match strategy(kind, path, &key) {
                ListStrategy::MergeBy(by) => {
                    path.push(key.clone());
                    let mut list = d;
                    for item in n {
                        match (list.iter_mut().find(|o| o.get(by) == item.get(by)), item) {
                            (Some(Value::Object(old)), Value::Object(item)) => {
                                *old = merge(kind, std::mem::take(old), item, path);
                            }
                            (_, item) => list.push(item),
                        }
                    }
                    path.pop();
                    if let Some(Value::Array(order)) = orders.get(&format!("{ORDER}{key}")) {
                        let place = |v: &Value| order.iter().position(|o| o.get(by) == v.get(by)).unwrap_or(usize::MAX);
                        list.sort_by_key(place);
                    }
                    Value::Array(list)
                }
                _ => Value::Array(n),
            },
            (_, n) => n,
        };
        deletions.insert(key, merged);
    }
    deletions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(containers: Value) -> Value {
        json!({"spec": {"template": {"spec": {"containers": containers}}}})
    }

    #[test]
    fn what_is_wanted_and_live_needs_no_patch() {
        let v = pods(json!([{"name": "a", "image": "x", "env": [{"name": "A", "value": "1"}]}]));
        let live = pods(
            json!([{"name": "a", "image": "x", "env": [{"name": "A", "value": "1"}], "imagePullPolicy": "Always"}]),
        );
        assert_eq!(strategic("Deployment", &v, &v, &live), json!({}));
    }

    #[test]
    fn lists_are_merged_by_their_keys() {
        let old = pods(json!([{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]));
        let new = pods(json!([{"name": "a", "image": "z"}]));
        assert_eq!(
            strategic("Deployment", &old, &new, &old),
            pods(json!([{"name": "a", "image": "z"}, {"$patch": "delete", "name": "b"}]))
                .pointer("/spec")
                .map(|s| {
                    let mut s = s.clone();
                    s["template"]["spec"]["$setElementOrder/containers"] = json!([{"name": "a"}]);
                    json!({"spec": s})
                })
                .unwrap_or_default()
        );
    }

    #[test]
    fn what_was_applied_and_is_gone_is_deleted_and_the_rest_stays() {
        let (old, new) =
            (json!({"metadata": {"labels": {"a": "1", "b": "2"}}}), json!({"metadata": {"labels": {"a": "1"}}}));
        let live = json!({"metadata": {"labels": {"a": "1", "b": "2", "c": "3"}}});
        assert_eq!(strategic("ConfigMap", &old, &new, &live), json!({"metadata": {"labels": {"b": null}}}));
        assert_eq!(json_merge(&old, &new, &live), json!({"metadata": {"labels": {"b": null}}}));
    }

    #[test]
    fn fields_that_exclude_each_other_say_which_stay() {
        let old = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
        let new = json!({"spec": {"strategy": {"type": "Recreate"}}});
        assert_eq!(
            strategic("Deployment", &new, &new, &old),
            json!({"spec": {"strategy": {"type": "Recreate", "$retainKeys": ["type"]}}})
        );
    }
}
