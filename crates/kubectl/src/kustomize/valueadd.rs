//! A value put into fields, or into paths that stand in fields. Models `ValueAddTransformer` and
//! `kustomize/api/filters/valueadd`.

use super::loader::Root;
use super::names::{Namespace, Subjects};
use super::places::split;
use super::plugins::Step;
use super::resource::{Resource, select};
use super::{parse, text};
use crate::error::Error;
use serde_json::{Map, Value};

struct Target {
    selector: Option<Value>,
    path: String,
    /// Where in a path the value goes; zero replaces the whole.
    position: usize,
}

pub(super) fn load<'r>(root: &Root<'_>, config: &Value) -> Result<Step<'r>, String> {
    let field = |f: &str| config[f].as_str().unwrap_or("").trim();
    let value = match field("value") {
        "" => root.path.rsplit('/').next().unwrap_or("").to_string(),
        value => value.to_string(),
    };
    let mut entries: Vec<Value> = config["targets"].as_array().cloned().unwrap_or_default();
    if !field("targetFilePath").is_empty() {
        let source = root.load(field("targetFilePath")).map_err(|e| e.go())?;
        for v in parse(&source)? {
            entries.extend(v["targets"].as_array().cloned().unwrap_or_default());
        }
    }
    if entries.is_empty() {
        return Err("must specify at least one target".into());
    }
    let targets: Vec<Target> = entries.iter().map(target).collect::<Result<_, _>>()?;
    Ok(Box::new(move |all| targets.iter().try_for_each(|t| t.apply(&value, all))))
}

fn target(v: &Value) -> Result<Target, String> {
    let path = v["fieldPath"].as_str().unwrap_or("").to_string();
    if path.is_empty() {
        return Err("fieldPath cannot be empty".into());
    }
    let position = v["filePathPosition"].as_i64().unwrap_or(0);
    let refused = |_| format!("value of FilePathPosition ({position}) cannot be negative");
    let position = usize::try_from(position).map_err(refused)?;
    Ok(Target { selector: v.get("selector").filter(|s| s.is_object()).cloned(), path, position })
}

impl Target {
    fn apply(&self, value: &str, all: &mut [Resource]) -> Result<(), Error> {
        let chosen = match &self.selector {
            Some(selector) => select(all, selector)?,
            None => (0..all.len()).collect(),
        };
        for i in chosen {
            let r = &mut all[i];
            if self.path == "metadata/namespace" {
                let namespace =
                    Namespace { name: value, unset_only: false, subjects: Subjects::Default, places: Vec::new() };
                namespace.put(r)?;
                continue;
            }
            let mut at = &mut r.object;
            for step in split(&self.path, '/') {
                if at.is_null() {
                    *at = Value::Object(Map::new());
                }
                let Some(map) = at.as_object_mut() else {
                    return Err(text("wrong node kind: expected MappingNode"));
                };
                at = map.entry(step).or_insert(Value::Null);
            }
            if at.is_object() || at.is_array() {
                return Err(text("wrong node kind: expected ScalarNode"));
            }
            let old =
                at.as_str().map_or_else(|| if at.is_null() { String::new() } else { at.to_string() }, String::from);
            *at = match self.position {
                0 => value.into(),
                n => insert(&old, n - 1, value).into(),
            };
        }
        Ok(())
    }
}

/// Models `InsertPathPart`: a place beyond the end is the end.
fn insert(path: &str, at: usize, part: &str) -> String {
    let (root, rest) = path.strip_prefix('/').map_or(("", path), |rest| ("/", rest));
    let mut parts: Vec<&str> = rest.split('/').filter(|p| !p.is_empty()).collect();
    parts.insert(at.min(parts.len()), part);
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::insert;

    #[test]
    fn paths_stay_what_they_are() {
        for (path, at, made) in [
            ("", 3, "P"),
            ("/", 0, "/P"),
            ("pie", 0, "P/pie"),
            ("/pie", 0, "/P/pie"),
            ("/raw", 9, "/raw/P"),
            ("a/b/c", 2, "a/b/P/c"),
            ("/a/b/c", 2, "/a/b/P/c"),
        ] {
            assert_eq!(insert(path, at, "P"), made, "{path:?} {at}");
        }
    }
}
