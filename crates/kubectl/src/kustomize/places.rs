//! Fields of objects by path, `spec/template/spec/containers/name`: a list on the way means every item of it. Models
//! `kustomize/api/filters/fieldspec`.

use super::resource::{Id, Resource};
use super::text;
use crate::error::Error;
use serde_json::{Map, Value};

/// Whose field: group, version and kind may be empty, which is any.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec<'s> {
    pub group: &'s str,
    pub version: &'s str,
    pub kind: &'s str,
    pub path: &'s str,
    /// Whether what is missing on the way is made.
    pub create: bool,
}

impl Spec<'_> {
    /// Calls `f` with every field that the path leads to in an object of that kind. What `create` makes at the end is
    /// null before `f` has it.
    pub fn each(&self, r: &mut Resource, f: &mut dyn FnMut(&mut Value) -> Result<(), String>) -> Result<(), Error> {
        let id = r.id();
        if !id.is_kind(self.group, self.version, self.kind) {
            return Ok(());
        }
        walk(&mut r.object, &split(self.path, '/'), self.create, f)
            .map_err(|why| text(format!("considering field '{}' of object {id}: {why}", self.path)))
    }
}

/// Models `PathSplitter`: a backslash keeps what follows it in its part.
pub(super) fn split(path: &str, at: char) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in path.strip_prefix(at).unwrap_or(path).split(at) {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(at);
                last.push_str(part);
            }
            _ => parts.push(part.into()),
        }
    }
    parts
}

fn walk(
    v: &mut Value,
    steps: &[String],
    create: bool,
    f: &mut dyn FnMut(&mut Value) -> Result<(), String>,
) -> Result<(), String> {
    let Some((step, rest)) = steps.split_first() else { return f(v) };
    match v {
        Value::Null => Ok(()),
        Value::Array(list) => list
            .iter_mut()
            .try_for_each(|i| walk(i, steps, create, f))
            .map_err(|why| format!("visit traversal on path: [{}]: {why}", steps.join(" "))),
        Value::Object(map) => {
            let (field, items) = step.strip_suffix("[]").map_or((step.as_str(), false), |s| (s, true));
            if create && !items {
                let next = map.entry(field).or_insert(Value::Null);
                if next.is_null() && !rest.is_empty() {
                    *next = Value::Object(Map::new());
                }
                return walk(next, rest, create, f);
            }
            match map.get_mut(field) {
                None | Some(Value::Null) => Ok(()),
                Some(next) => walk(next, rest, create, f),
            }
        }
        _ => Err("expected sequence or mapping node".into()),
    }
}

/// Adds pairs to a map; one that is to be made is null.
pub(super) fn put(v: &mut Value, pairs: &Map<String, Value>) -> Result<(), String> {
    if v.is_null() {
        *v = Value::Object(Map::new());
    }
    let Some(map) = v.as_object_mut() else { return Err("wrong Node Kind for  expected: MappingNode".into()) };
    map.extend(pairs.iter().map(|(k, v)| (k.clone(), v.clone())));
    Ok(())
}

/// Whether an id is of one of these kinds, whatever its version.
pub(super) fn is_one_of(id: &Id, kinds: &[(&str, &str)]) -> bool {
    kinds.iter().any(|(group, kind)| id.is_kind(group, "", kind))
}
