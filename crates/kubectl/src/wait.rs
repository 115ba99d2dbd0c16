//! `kubectl wait`. Models `kubectl/pkg/cmd/wait`.

use crate::builder::{Builder, Info};
use crate::cx::{Cx, DryRun};
use crate::error::Error;
use crate::print::jsonpath::{JsonPath, go_value, relaxed};
use crate::result::Results;
use serde_json::Value;

enum Condition {
    Delete,
    Create,
    Status(String, String),
    Path(JsonPath, String),
}

const POLL_MICROS: i64 = 200_000;

fn condition(text: &str) -> Result<Condition, Error> {
    let lower = text.to_lowercase();
    if lower == "delete" {
        return Ok(Condition::Delete);
    }
    if lower == "create" {
        return Ok(Condition::Create);
    }
    if let Some(c) = text.strip_prefix("condition=") {
        let (name, value) = c.split_once('=').unwrap_or((c, "true"));
        return Ok(Condition::Status(name.into(), value.into()));
    }
    if let Some(rest) = text.strip_prefix("jsonpath=") {
        let parts = split(rest);
        let (path, value) = match parts.as_slice() {
            [p] => (p.clone(), String::new()),
            [p, v] => {
                let v = v.trim_matches(['\'', '"']).to_string();
                if v.is_empty() {
                    return Err(Error::text(
                        "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
                    ));
                }
                (p.clone(), v)
            }
            _ => {
                return Err(Error::text(
                    "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or \
                     --for=jsonpath='{.status.readyReplicas}'",
                ));
            }
        };
        let path = relaxed(&path).map_err(Error::Text)?;
        if path.is_empty() {
            return Err(Error::text("jsonpath expression cannot be empty"));
        }
        return Ok(Condition::Path(JsonPath::parse(&path, true).map_err(Error::Text)?, value));
    }
    Err(Error::text(format!("unrecognized condition: {text:?}")))
}

/// At single `=`, not at double ones.
fn split(text: &str) -> Vec<String> {
    let (mut out, mut part) = (Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '=' {
            part.push(c);
        } else if chars.peek() == Some(&'=') {
            chars.next();
            part.push_str("==");
        } else {
            out.push(std::mem::take(&mut part));
        }
    }
    out.push(part);
    out
}

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let condition = condition(cx.flags.string("for"))?;
    // A week stands for forever.
    let timeout = match cx.flags.duration("timeout") {
        t if t < 0 => 7 * 24 * 3_600_000_000,
        t => t,
    };
    let begun = cx.client().now();
    let args = cx.args.clone();
    let b = Builder::of(cx);
    // `--all` only says that a type alone will do.
    let b = Builder { latest: true, continue_on_error: true, all: false, empty_selector: b.all, ..b };
    let (creating, deleting) = (matches!(condition, Condition::Create), matches!(condition, Condition::Delete));
    let found = loop {
        let found = b.find(cx, &args).await?;
        let none = found.errors.iter().any(Error::is_not_found);
        if !creating || !(none || found.infos.is_empty()) {
            break found;
        }
        if cx.client().now().saturating_sub(begun) > timeout {
            return Err(Error::text("timed out waiting for the condition"));
        }
        cx.env.terminal.sleep(500_000).await;
    };
    let mut errors = found.errors;
    if deleting {
        errors.retain(|e| !e.is_not_found());
    }
    if found.infos.is_empty() && !deleting {
        crate::builder::aggregate(errors)?;
        return Err(Error::text("no matching resources found"));
    }
    let mut results = Results::of(cx, DryRun::None)?;
    for info in found.infos {
        match until(cx, &info, &condition, begun, timeout).await {
            Ok(object) => results.print(cx, &object, "condition met")?,
            Err(e @ Error::Connection(_)) => return Err(e),
            Err(e) => errors.push(e),
        }
    }
    crate::builder::aggregate(errors)
}

async fn until(cx: &mut Cx<'_, '_>, info: &Info, c: &Condition, begun: i64, timeout: i64) -> Result<Value, Error> {
    let mut object = info.object.clone();
    loop {
        match cx.get(info.path()).await {
            Ok(o) if matches!(c, Condition::Delete) && o["metadata"]["uid"] != info.object["metadata"]["uid"] => {
                return Ok(info.object.clone());
            }
            Ok(o) => object = o,
            Err(e) if e.is_not_found() && matches!(c, Condition::Delete) => return Ok(object),
            Err(e) => return Err(e),
        }
        if met(c, &object)? {
            return Ok(object);
        }
        if timeout == 0 {
            return Err(Error::text(format!("condition not met for {}", info.object_name())));
        }
        if cx.client().now().saturating_sub(begun) > timeout {
            return Err(Error::text(format!("timed out waiting for the condition on {}", info.object_name())));
        }
        cx.env.terminal.sleep(POLL_MICROS).await;
    }
}

fn met(c: &Condition, o: &Value) -> Result<bool, Error> {
    match c {
        Condition::Delete => Ok(false),
        Condition::Create => Ok(true),
        Condition::Status(name, value) => {
            let list = o["status"]["conditions"].as_array();
            let found =
                list.into_iter().flatten().find(|c| c["type"].as_str().is_some_and(|t| t.eq_ignore_ascii_case(name)));
            let Some(found) = found else { return Ok(false) };
            let seen = found["observedGeneration"].as_i64().or(o["status"]["observedGeneration"].as_i64());
            if seen.is_some_and(|s| s < o["metadata"]["generation"].as_i64().unwrap_or(0)) {
                return Ok(false);
            }
            Ok(found["status"].as_str().is_some_and(|s| s.eq_ignore_ascii_case(value)))
        }
        Condition::Path(path, value) => {
            let found = path.find(o).map_err(Error::Text)?;
            let Some(first) = found.first().filter(|r| !r.is_empty()) else { return Ok(false) };
            if value.is_empty() {
                return Ok(true);
            }
            if first.len() > 1 {
                return Err(Error::text("given jsonpath expression matches more than one value"));
            }
            if first[0].is_object() || first[0].is_array() {
                return Err(Error::text("jsonpath leads to a nested object or list which is not supported"));
            }
            Ok(go_value(&first[0]) == *value)
        }
    }
}
