//! `-f`: files, directories and standard input. Models `FileVisitorForSTDIN`, `ExpandPathsToFileVisitors` and
//! `StreamVisitor`.

use crate::builder::Builder;
use crate::cx::Cx;
use crate::error::Error;
use crate::json_error;
use crate::print::gojson;
use manifest::Limits;
use serde_json::Value;

/// Appends every document with its source, and errors with the number of documents before them; whether one file, no
/// directory, was named. Models `singleItemImplied`.
pub(crate) async fn read(
    cx: &mut Cx<'_, '_>,
    b: &Builder,
    out: &mut Vec<(String, Value)>,
    errors: &mut Vec<(usize, Error)>,
) -> Result<bool, Error> {
    if !b.kustomize.is_empty() {
        if !b.filenames.is_empty() {
            return Err(Error::text("only one of -f or -k can be specified"));
        }
        if b.recursive {
            return Err(Error::text("the -k flag can't be used with -f or -R"));
        }
        let objects = match crate::kustomize::objects(cx, &b.kustomize) {
            Ok(objects) => objects,
            Err(e) => {
                errors.push((out.len(), e));
                return Ok(true);
            }
        };
        if objects.is_empty() && !matches!(cx.command.name(), "delete" | "get" | "diff") {
            return Err(Error::text("no objects passed to ".to_string() + cx.command.name()));
        }
        let validating = cx.command.flag("validate").is_some() && cx.field_validation()? != "Ignore";
        for o in objects {
            match check(&b.kustomize, &o, validating) {
                Ok(()) => out.push((b.kustomize.clone(), o)),
                Err(e) => errors.push((out.len(), e)),
            }
        }
        return Ok(true);
    }
    let mut paths: Vec<String> = Vec::new();
    let mut several = b.filenames.len() != 1;
    for name in &b.filenames {
        if name == "-" {
            several = true;
            paths.push("-".into());
            continue;
        }
        if is_address(name) {
            paths.push(name.clone());
            continue;
        }
        if cx.env.files.read(name).is_some() {
            paths.push(name.clone());
        } else if cx.env.files.list(name).is_some() {
            several = true;
            let mut found = Vec::new();
            directory(cx, name, b.recursive, &mut found);
            if found.is_empty() {
                return Err(Error::text(format!(
                    "error reading [{name}]: recognized file extensions are [.json .yaml .yml]"
                )));
            }
            paths.extend(found);
        } else if name.contains(['*', '?']) {
            let found = glob(cx, name);
            if found.is_empty() {
                return Err(Error::text(format!("the path {name:?} does not exist")));
            }
            several |= found.len() > 1;
            paths.extend(found);
        } else {
            return Err(Error::text(format!("the path {name:?} does not exist")));
        }
    }
    // Only what sends manifests checks them first.
    let validating = cx.command.flag("validate").is_some() && cx.field_validation()? != "Ignore";
    for path in &paths {
        let (source, text) = match path.as_str() {
            "-" => ("STDIN".to_string(), cx.env.stdin.take().unwrap_or_default()),
            url if is_address(url) => match cx.env.terminal.fetch(url).await {
                Ok(text) => (url.to_string(), text),
                Err(why) => {
                    errors.push((out.len(), Error::text(format!("unable to read URL {url:?}, {why}"))));
                    continue;
                }
            },
            path => (path.to_string(), cx.env.files.read(path).unwrap_or_default()),
        };
        match manifest::parse_given(&[(&source, &text)], Limits::REQUEST) {
            Ok(documents) => {
                for d in documents {
                    match check(&source, &d.value, validating) {
                        Ok(()) => out.push((source.clone(), d.value)),
                        Err(e) => errors.push((out.len(), e)),
                    }
                }
            }
            // What is neither of both is told as JSON.
            Err(_) if text.trim_start().starts_with('{') && json_error::scan(&text).is_err() => {
                let said = json_error::decoder_words(&text).unwrap_or_default();
                errors.push((out.len(), Error::text(format!("error parsing {source}: {said}"))));
            }
            Err(problems) => {
                let said = problems.into_iter().take(1).map(|p| match validating {
                    true if p.kubectl.ends_with("unstructured.detector") => no_object(&source),
                    _ => Error::text(p.kubectl),
                });
                errors.extend(said.map(|e| (out.len(), e)));
            }
        }
    }
    if out.is_empty() && errors.is_empty() && matches!(cx.command.name(), "get" | "set-last-applied") {
        return Ok(false);
    }
    if out.is_empty() && errors.is_empty() {
        return Err(Error::text("no objects passed to ".to_string() + cx.command.name()));
    }
    Ok(!several)
}

fn is_address(name: &str) -> bool {
    name.starts_with("http://") || name.starts_with("https://")
}

/// Names in a directory that fit a pattern. Models `expandIfFilePattern`.
fn glob(cx: &Cx<'_, '_>, pattern: &str) -> Vec<String> {
    let (dir, last) = pattern.rsplit_once('/').map_or(("", pattern), |(d, l)| (d, l));
    let mut names = cx.env.files.list(if dir.is_empty() { "." } else { dir }).unwrap_or_default();
    names.retain(|n| fits(last.as_bytes(), n.as_bytes()));
    names.sort();
    names.into_iter().map(|n| if dir.is_empty() { n } else { format!("{dir}/{n}") }).collect()
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], n) => n.is_empty(),
        ([b'*', p @ ..], n) => (0..=n.len()).any(|i| fits(p, &n[i..])),
        ([b'?', p @ ..], [_, n @ ..]) => fits(p, n),
        ([a, p @ ..], [b, n @ ..]) => a == b && fits(p, n),
        _ => false,
    }
}

fn directory(cx: &Cx<'_, '_>, dir: &str, recursive: bool, out: &mut Vec<String>) {
    let mut names = cx.env.files.list(dir).unwrap_or_default();
    names.sort();
    for name in names {
        // As Go cleans a path.
        let path = match dir.trim_end_matches('/').trim_start_matches("./") {
            "" | "." => name.clone(),
            dir => format!("{dir}/{name}"),
        };
        if cx.env.files.list(&path).is_some() {
            if recursive {
                directory(cx, &path, recursive, out);
            }
        } else if [".json", ".yaml", ".yml"].iter().any(|e| name.ends_with(e)) {
            out.push(path);
        }
    }
}

fn no_object(source: &str) -> Error {
    Error::text(format!(
        "error validating {source:?}: error validating data: invalid object to validate; if you choose to ignore these \
         errors, turn validation off with --validate=false"
    ))
}

/// Models `schemaValidation` for what is checked at the client, and the decoder's refusal where nothing is.
fn check(source: &str, v: &Value, validating: bool) -> Result<(), Error> {
    if validating && !v.is_object() {
        return Err(no_object(source));
    }
    let mut missing = Vec::new();
    for field in ["apiVersion", "kind"] {
        match v.get(field) {
            None | Some(Value::Null) => missing.push(format!("{field} not set")),
            Some(Value::String(s)) if s.is_empty() => missing.push(format!("{field} not set")),
            Some(Value::String(_)) => {}
            Some(_) => missing.push(format!("{field} isn't string type")),
        }
    }
    // A kind alone is enough to be decoded.
    let decoded = !validating && v["kind"].as_str().is_some_and(|k| !k.is_empty());
    if missing.is_empty() || decoded && v.get("apiVersion").is_none() {
        return Ok(());
    }
    if validating {
        let said = if missing.len() == 1 { missing.concat() } else { format!("[{}]", missing.join(", ")) };
        return Err(Error::text(format!(
            "error validating {source:?}: error validating data: {said}; if you choose to ignore these errors, turn \
             validation off with --validate=false"
        )));
    }
    let what = if v["kind"].as_str().is_none_or(str::is_empty) { "Kind" } else { "apiVersion" };
    Err(Error::text(format!("unable to decode {source:?}: Object '{what}' is missing in '{}'", gojson::compact(v))))
}
