//! JSON patches as upstream's library applies them. Models `evanphx/json-patch` version 4.

use json_patch::{AddOperation, Patch, PatchOperation};
use serde_json::Value;

/// Reads a patch.
///
/// # Errors
/// Go's words for what is no list.
pub(crate) fn read(patch: &Value) -> Result<Patch, String> {
    if patch.is_array() || patch.is_null() {
        return serde_json::from_value(patch.clone()).map_err(|e| e.to_string());
    }
    Err(format!("json: cannot unmarshal {} into Go value of type jsonpatch.Patch", meta::go::json_kind(patch)))
}

/// The operation with its places that count from the end of a list counted from the beginning; `None`: it has none.
fn from_the_end(object: &Value, o: &PatchOperation) -> Option<PatchOperation> {
    let mut operation = serde_json::to_value(o).ok()?;
    let adds = matches!(o, PatchOperation::Add(_) | PatchOperation::Copy(_) | PatchOperation::Move(_));
    let mut found = false;
    for (field, adds) in [("path", adds), ("from", false)] {
        let Some(path) = operation[field].as_str().filter(|p| p.contains("/-")) else { continue };
        let (mut counted, mut tokens) = (String::new(), path.split('/').skip(1).peekable());
        while let Some(token) = tokens.next() {
            let list = object.pointer(&counted).and_then(Value::as_array);
            // What is added may come after the last.
            let length = list.map_or(0, Vec::len) + usize::from(adds && tokens.peek().is_none());
            let back = token.strip_prefix('-').filter(|_| list.is_some()).and_then(|n| n.parse::<usize>().ok());
            match back.and_then(|n| length.checked_sub(n)) {
                Some(index) => {
                    found = true;
                    counted.push_str(&format!("/{index}"));
                }
                None => counted.push_str(&format!("/{token}")),
            }
        }
        operation[field] = counted.into();
    }
    found.then(|| serde_json::from_value(operation).ok()).flatten()
}

/// One operation after the other; refusals in the words of `evanphx/json-patch`, which replaces what is not there.
///
/// # Errors
/// Why an operation does not fit.
pub(crate) fn apply(object: &mut Value, operations: &Patch) -> Result<(), String> {
    for o in &operations.0 {
        let from_the_end = from_the_end(object, o);
        let o = from_the_end.as_ref().unwrap_or(o);
        let path = o.path().to_string();
        let there = object.pointer(&path).is_some();
        let (parent, key) = path.rsplit_once('/').unwrap_or(("", ""));
        let above = object.pointer(parent);
        let (has_parent, in_list) = (above.is_some(), above.is_some_and(Value::is_array));
        let added = match o {
            PatchOperation::Replace(r) if !there && above.is_some_and(Value::is_object) => {
                Some(PatchOperation::Add(AddOperation { path: r.path.clone(), value: r.value.clone() }))
            }
            _ => None,
        };
        let done = json_patch::patch(object, std::slice::from_ref(added.as_ref().unwrap_or(o)));
        let Err(e) = done else { continue };
        return Err(match o {
            PatchOperation::Remove(_) if has_parent => {
                format!("error in remove for path: '{path}': Unable to remove nonexistent key: {key}: missing value")
            }
            PatchOperation::Remove(_) => {
                format!("remove operation does not apply: doc is missing path: {path:?}: missing value")
            }
            PatchOperation::Replace(_) if has_parent => {
                format!("replace operation does not apply: doc is missing key: {path}: missing value")
            }
            PatchOperation::Replace(_) => {
                format!("replace operation does not apply: doc is missing path: {path}: missing value")
            }
            PatchOperation::Add(_) if !has_parent => {
                format!("add operation does not apply: doc is missing path: {path:?}: missing value")
            }
            PatchOperation::Add(_) if in_list && key.parse::<i64>().is_ok() => format!(
                "error in add for path: '{path}': Unable to access invalid index: {key}: invalid index referenced"
            ),
            PatchOperation::Test(_) => format!("testing value {path} failed: test failed"),
            _ => e.to_string(),
        });
    }
    if !object.is_object() {
        return Err("a patch made of the object something else".into());
    }
    Ok(())
}
