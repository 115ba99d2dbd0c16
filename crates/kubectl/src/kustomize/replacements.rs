//! `replacements`: a field's value put into other fields. Models `kustomize/api/filters/replacement` and kyaml's
//! `PathMatcher`.

use super::loader::Root;
use super::places::split;
use super::resource::{Id, Resource};
use super::{fields, list, parse, text};
use crate::error::Error;
use regex_lite::Regex;
use serde_json::{Map, Value};

const NAME: &str = "metadata.name";

pub(super) fn run(root: &Root<'_>, k: &Map<String, Value>, all: &mut [Resource]) -> Result<(), Error> {
    for entry in list(k, "replacements") {
        let Some(path) = entry["path"].as_str().filter(|p| !p.is_empty()) else {
            one(entry, all)?;
            continue;
        };
        if entry.get("source").is_some() || entry.get("targets").is_some() {
            return Err(text("cannot specify both path and inline replacement"));
        }
        let source = root.load(path)?;
        for document in parse_list(&source).map_err(text)? {
            for entry in fields::replacements(document).map_err(text)? {
                one(&entry, all)?;
            }
        }
    }
    Ok(())
}

/// A list is no document for the parser: it is read as a field.
fn parse_list(source: &str) -> Result<Vec<Value>, String> {
    if !source.trim_start().starts_with(['-', '[']) {
        return parse(source);
    }
    let indented: String = source.lines().filter(|l| *l != "---").map(|l| format!("  {l}\n")).collect();
    Ok(parse(&format!("all:\n{indented}"))?.into_iter().map(|mut v| v["all"].take()).collect())
}

fn selector(v: &Value) -> Id {
    let part = |f: &str| v[f].as_str().unwrap_or("").to_string();
    Id {
        group: part("group"),
        version: part("version"),
        kind: part("kind"),
        name: part("name"),
        namespace: part("namespace"),
    }
}

fn one(entry: &Value, all: &mut [Resource]) -> Result<(), Error> {
    let Some(targets) = entry["targets"].as_array() else {
        return Err(text("replacements must specify a source and at least one target"));
    };
    let value = match (entry.get("sourceValue"), entry.get("source")) {
        (None, None) => return Err(text("replacements must specify a source and at least one target")),
        (Some(_), Some(_)) => return Err(text("value and resource selectors are mutually exclusive")),
        (Some(value), None) => value.clone(),
        (None, Some(source)) => read(source, all)?,
    };
    for target in targets {
        let Some(chosen) = target.get("select") else { return Err(text("target must specify resources to select")) };
        let wanted = selector(chosen);
        let rejects: Vec<&Value> = target["reject"].as_array().into_iter().flatten().collect();
        for r in all.iter_mut() {
            if !r.fits(chosen)? {
                continue;
            }
            let mut rejected = false;
            for reject in &rejects {
                let has = |f: &str| reject.get(f).is_some_and(|v| v != "");
                if has("annotationSelector") || has("labelSelector") {
                    rejected |= r.fits(reject)?;
                }
                let id = selector(reject);
                rejected |= id != Id::default() && r.ids().any(|o| o.is_selected_by(&id));
            }
            if !rejected && r.ids().any(|id| id.is_selected_by(&wanted)) {
                write(&mut r.object, &value, target)?;
            }
        }
    }
    Ok(())
}

fn read(source: &Value, all: &[Resource]) -> Result<Value, Error> {
    let wanted = selector(source);
    let path = source["fieldPath"].as_str().filter(|p| !p.is_empty()).unwrap_or(NAME);
    let mut found = all.iter().filter(|r| r.ids().any(|id| id.is_selected_by(&wanted)));
    let said = source["fieldPath"].as_str().map_or_else(|| wanted.to_string(), |p| format!("{wanted}:{p}"));
    let Some(r) = found.next() else { return Err(text(format!("nothing selected by {said}"))) };
    if found.next().is_some() {
        return Err(text(format!("multiple matches for selector {said}")));
    }
    let value = find(&r.object, &parts(path)).filter(|v| !is_empty(v));
    let Some(value) = value else {
        return Err(text(format!("fieldPath `{path}` is missing for replacement source {wanted}")));
    };
    let Some(delimiter) = source.pointer("/options/delimiter").and_then(Value::as_str).filter(|d| !d.is_empty()) else {
        return Ok(value.clone());
    };
    let Some(whole) = scalar(value) else { return Err(text("delimiter option can only be used with scalar nodes")) };
    let index = source.pointer("/options/index").and_then(Value::as_i64).unwrap_or(0);
    let part = usize::try_from(index).ok().and_then(|i| whole.split(delimiter).nth(i));
    part.map(Value::from).ok_or_else(|| text(format!("options.index {index} is out of bounds for value {whole}")))
}

fn is_empty(v: &Value) -> bool {
    match v {
        Value::Null => true,
        Value::Object(m) => m.is_empty(),
        Value::Array(l) => l.is_empty(),
        _ => false,
    }
}

fn scalar(v: &Value) -> Option<String> {
    match v {
        Value::Array(_) | Value::Object(_) => None,
        Value::String(s) => Some(s.clone()),
        other => Some(other.to_string()),
    }
}

/// Models `SmarterPathSplitter`: what is in brackets stays together.
fn parts(path: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut open: Option<String> = None;
    for part in split(path, '.') {
        let whole = match open.take() {
            Some(before) => format!("{before}.{part}"),
            None if part.starts_with('[') => part,
            None => {
                out.push(part);
                continue;
            }
        };
        if !whole.ends_with(']') {
            open = Some(whole);
        } else if whole.contains('=') {
            out.push(whole);
        } else {
            out.push(whole.trim_matches(['[', ']']).into());
        }
    }
    out.extend(open);
    out
}

/// `[name=web]` as its field and its value.
fn item(step: &str) -> Option<(&str, &str)> {
    step.strip_prefix('[')?.strip_suffix(']')?.split_once('=')
}

/// The first field that a path leads to.
pub(super) fn find<'v>(v: &'v Value, path: &[String]) -> Option<&'v Value> {
    let Some((step, rest)) = path.split_first() else { return Some(v) };
    match v {
        Value::Object(map) => find(map.get(step)?, rest),
        Value::Array(list) => match item(step) {
            Some((field, value)) => {
                let is = |v: &&Value| scalar(if field.is_empty() { v } else { &v[field] }).is_some_and(|s| s == value);
                find(list.iter().find(is)?, rest)
            }
            None if step == "-" => find(list.last()?, rest),
            None => find(list.get(step.parse::<usize>().ok()?)?, rest),
        },
        _ => None,
    }
}

fn write(object: &mut Value, value: &Value, target: &Value) -> Result<(), Error> {
    let paths: Vec<&str> = target["fieldPaths"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let paths = if paths.is_empty() { vec![NAME] } else { paths };
    let option = |f: &str| target.pointer(&format!("/options/{f}"));
    let create = option("create").is_some_and(|v| *v == true);
    let delimiter = option("delimiter").and_then(Value::as_str).filter(|d| !d.is_empty());
    let index = option("index").and_then(Value::as_i64).unwrap_or(0);
    for path in paths {
        let made = if create { "unable to find or create field" } else { "unable to find field" };
        let unfound = format!("{made} {path:?} in replacement target");
        let mut count = 0;
        let mut set = |v: &mut Value| {
            count += 1;
            put(v, value, delimiter, index)
        };
        matching(object, &parts(path), create.then_some(value), &mut set)
            .map_err(|why| text(if why == DELIMITER { why } else { format!("{unfound}: {why}") }))?;
        if count == 0 {
            return Err(text(unfound));
        }
    }
    Ok(())
}

const DELIMITER: &str = "delimiter option can only be used with scalar nodes";

fn put(v: &mut Value, value: &Value, delimiter: Option<&str>, index: i64) -> Result<(), String> {
    let (old, new) = (scalar(v), scalar(value));
    let Some(delimiter) = delimiter else {
        *v = match (old, new) {
            (Some(_), Some(new)) => typed(v, new),
            _ => value.clone(),
        };
        return Ok(());
    };
    let (Some(old), Some(new)) = (old, new) else { return Err(DELIMITER.into()) };
    let mut parts: Vec<&str> = if v.is_null() { vec![""] } else { old.split(delimiter).collect() };
    match usize::try_from(index) {
        Err(_) => parts.insert(0, &new),
        Ok(i) if i >= parts.len() => parts.push(&new),
        Ok(i) => parts[i] = &new,
    }
    *v = typed(v, parts.join(delimiter));
    Ok(())
}

/// Only the text is put into a scalar, which keeps its type: a text is one, anything else is what the text reads as.
fn typed(old: &Value, new: String) -> Value {
    if old.is_string() {
        return new.into();
    }
    match serde_json::from_str::<Value>(&new) {
        Ok(v @ (Value::Number(_) | Value::Bool(_))) => v,
        _ => new.into(),
    }
}

/// Every field that a path leads to; with `create`, what is missing is made on the way. Models `PathMatcher`.
fn matching(
    v: &mut Value,
    path: &[String],
    create: Option<&Value>,
    f: &mut dyn FnMut(&mut Value) -> Result<(), String>,
) -> Result<(), String> {
    let Some((step, rest)) = path.split_first() else { return f(v) };
    if let Ok(i) = step.parse::<usize>() {
        let Some(list) = v.as_array_mut() else { return Err(format!("wrong Node Kind for {step}")) };
        if list.len() == i && create.is_some() {
            list.push(empty(rest));
        }
        let count = list.len();
        let Some(next) = list.get_mut(i) else {
            return Err(format!("index {i} specified but only {count} elements found"));
        };
        return matching(next, rest, create, f);
    }
    if let Some((field, pattern)) = item(step) {
        let Some(list) = v.as_array_mut() else { return Err(format!("wrong Node Kind for {step}")) };
        let is_meant = Regex::new(pattern).map_err(|e| e.to_string())?;
        let is = |v: &Value| {
            let at = if field.is_empty() { Some(v) } else { v.get(field) };
            at.and_then(scalar).is_some_and(|s| is_meant.is_match(&s))
        };
        if create.is_some() && !list.iter().any(is) {
            let value: Value = pattern.into();
            let made: Map<String, Value> = [(field.to_string(), value.clone())].into_iter().collect();
            list.push(if field.is_empty() { value } else { made.into() });
        }
        return list.iter_mut().filter(|v| is(v)).try_for_each(|v| matching(v, rest, create, f));
    }
    match (v, step.as_str()) {
        (Value::Array(list), "*") => list.iter_mut().try_for_each(|v| matching(v, rest, create, f)),
        (Value::Object(map), step) => {
            if create.is_some() && !map.contains_key(step) {
                map.insert(step.into(), empty(rest));
            }
            map.get_mut(step).map_or(Ok(()), |next| matching(next, rest, create, f))
        }
        (Value::Null, _) => Ok(()),
        _ => Err("wrong Node Kind, expected: MappingNode".into()),
    }
}

/// What a path goes on in.
fn empty(rest: &[String]) -> Value {
    match rest.first() {
        None => Value::Null,
        Some(next) if next.parse::<usize>().is_ok() || item(next).is_some() || next == "*" => Value::Array(Vec::new()),
        Some(_) => Value::Object(Map::new()),
    }
}
