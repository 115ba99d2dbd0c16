//! `kubectl explain`, from the server's OpenAPI v3 documents. Models `kubectl/pkg/explain/v2`.

mod plain;

use crate::cx::Cx;
use crate::error::Error;
use crate::mapping::Mapping;
use serde_json::Value;
use std::collections::BTreeSet;

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    const SUGGEST: &str = "Use \"kubectl api-resources\" for a complete list of supported resources.";
    if cx.args.is_empty() {
        return Err(Error::text(format!("You must specify the type of resource to explain. {SUGGEST}\n")));
    }
    if cx.args.len() > 1 {
        return Err(Error::text("We accept only this format: explain RESOURCE\n"));
    }
    if cx.args[0].is_empty() {
        return Err(Error::text("a resource must be present, got: /, Resource="));
    }
    let (_, path) = cx.args[0].split_once('.').unwrap_or_default();
    if cx.args[0].starts_with('.') || path.starts_with('.') || path.contains(['[', '*']) || path.contains("..") {
        return Err(Error::text("invalid jsonpath syntax, first node must be field node"));
    }
    let older = match cx.flags.string("output") {
        "plaintext" => false,
        "plaintext-openapiv2" => true,
        other => return Err(Error::text(format!("unrecognized format: {other}"))),
    };
    let (m, fields) = target(cx).await?;
    let path = if m.group.is_empty() { "api/v1".to_string() } else { format!("apis/{}", m.api_version()) };
    let index = cx.get("/openapi/v3".into()).await?;
    let Some(url) = index["paths"][&path]["serverRelativeURL"].as_str() else {
        return Err(Error::text(format!("couldn't find resource for \"{}, Kind={}\"", m.api_version(), m.kind)));
    };
    let document = cx.get(url.to_string()).await?;
    let schemas = document["components"]["schemas"].as_object();
    let is_it = |s: &&Value| {
        s["x-kubernetes-group-version-kind"].as_array().is_some_and(|l| {
            l.iter().any(|k| {
                k["group"] == m.group.as_str() && k["version"] == m.version.as_str() && k["kind"] == m.kind.as_str()
            })
        })
    };
    let Some(schema) = schemas.and_then(|s| s.values().find(is_it)) else {
        let paths = document["paths"].as_object();
        if !paths.into_iter().flatten().any(|(p, _)| p.ends_with(&format!("/{}", m.resource))) {
            let version = format!("{}/{}", m.group, m.version);
            return Err(Error::text(format!("GVR ({version}, Resource={}) not found in OpenAPI schema", m.resource)));
        }
        return Err(Error::text(format!(
            "error: GVK map[group:{} kind:{} version:{}] not found in OpenAPI schema",
            m.group, m.kind, m.version
        )));
    };
    let e = Explain { document: &document, recursive: cx.flags.bool("recursive") };
    if older {
        let Some(text) = plain::output(&e, schema, &fields, &m.kind, &m.api_version()) else {
            let last = fields.last().map_or("", String::as_str);
            return Err(Error::text(format!("field {last:?} does not exist")));
        };
        cx.out(&text);
        return Ok(());
    }
    let mut text = String::new();
    if !m.group.is_empty() {
        text.push_str(&format!("GROUP:      {}\n", m.group));
    }
    text.push_str(&format!("KIND:       {}\nVERSION:    {}\n\n", m.kind, m.version));
    let mut out = String::new();
    e.output(schema, &fields, &BTreeSet::new(), &mut out);
    if out.is_empty() {
        cx.out(&text);
        let last = fields.last().map_or("", String::as_str);
        return Err(Error::text(format!("field {last:?} does not exist")));
    }
    cx.out(&format!("{text}{out}\n"));
    Ok(())
}

/// `pods.spec.containers`, `deployments.apps.spec`: the resource and the fields after it.
async fn target(cx: &mut Cx<'_, '_>) -> Result<(Mapping, Vec<String>), Error> {
    let discovery = cx.discovery().await?;
    let words: Vec<String> = cx.args[0].trim_end_matches('.').split('.').map(String::from).collect();
    let version = cx.flags.string("api-version").to_string();
    if !version.is_empty() {
        if version.matches('/').count() > 1 {
            return Err(Error::Text(format!("unexpected GroupVersion string: {version}")));
        }
        let m = discovery.resource(&words[0])?;
        let (group, v) = version.split_once('/').unwrap_or(("", &version));
        let named =
            discovery.find(&format!("{}.{v}.{group}", m.resource)).filter(|f| f.version == v && f.group == group);
        let Some(named) = named.cloned().or_else(|| discovery.kind(&version, &m.kind).cloned()) else {
            return Err(Error::text(format!(
                "couldn't find resource for \"{}, Resource={}\"",
                if version.contains('/') { version.clone() } else { format!("/{version}") },
                m.resource
            )));
        };
        return Ok((named, words[1..].to_vec()));
    }
    // A group may follow the resource, as far as it is one.
    for n in (2..=words.len()).rev() {
        let word = words[..n].join(".");
        let group = words[1..n].join(".");
        if let Some(m) = discovery.find(&word).filter(|m| m.group == group) {
            return Ok((m.clone(), words[n..].to_vec()));
        }
    }
    let m = discovery.resource(&words[0]).map_err(|e| Error::Plain(e.go()))?;
    Ok((m, words[1..].to_vec()))
}

struct Explain<'a> {
    document: &'a Value,
    recursive: bool,
}

fn indent(text: &str, by: usize) -> String {
    let pad = " ".repeat(by);
    format!("{pad}{}", text.replace('\n', &format!("\n{pad}")))
}

/// Models `term.WordWrapWriter`, which breaks at spaces and keeps the text's own lines.
fn wrap(width: usize, text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let (mut current, mut begun) = (String::new(), false);
        for word in line.split(' ') {
            if begun && current.chars().count() + 1 + word.chars().count() > width {
                out.push(std::mem::take(&mut current).trim_end().to_string());
                current.push_str(word);
            } else {
                if begun {
                    current.push(' ');
                }
                current.push_str(word);
                begun = true;
            }
        }
        out.push(current);
    }
    out.join("\n")
}

impl Explain<'_> {
    fn resolve<'s>(&'s self, schema: &'s Value) -> (&'s Value, String) {
        let Some(reference) = schema["$ref"].as_str() else { return (schema, String::new()) };
        let found = reference.strip_prefix('#').and_then(|p| self.document.pointer(p));
        (found.unwrap_or(schema), reference.into())
    }

    fn output(&self, schema: &Value, fields: &[String], seen: &BTreeSet<String>, out: &mut String) {
        let (resolved, reference) = self.resolve(schema);
        let Some((first, rest)) = fields.split_first() else {
            let mut description = self.description(resolved);
            if description.is_empty() {
                description = "<empty>".into();
            }
            out.push_str(&format!("DESCRIPTION:\n{}\n", indent(&wrap(76, &description), 4)));
            let mut list = String::new();
            self.fields(resolved, 1, &BTreeSet::new(), &mut list);
            if !list.is_empty() {
                out.push_str(&format!("FIELDS:\n{list}"));
            }
            return;
        };
        if !reference.is_empty() && seen.contains(&reference) {
            return;
        }
        let mut seen = seen.clone();
        seen.insert(reference);
        if let Some(sub) = resolved["properties"].get(first.as_str()) {
            if rest.is_empty() {
                out.push_str(&format!("FIELD: {first} <{}>\n{}\n\n", self.kind(sub), self.long_enum(sub)));
            }
            self.output(sub, rest, &BTreeSet::new(), out);
        } else if resolved["items"].is_object() {
            self.output(&resolved["items"], fields, &seen, out);
        } else if resolved["additionalProperties"].is_object() {
            self.output(&resolved["additionalProperties"], fields, &seen, out);
        } else {
            for sub in resolved["allOf"].as_array().into_iter().flatten() {
                self.output(sub, fields, &seen, out);
                if !out.is_empty() {
                    return;
                }
            }
        }
    }

    fn description(&self, schema: &Value) -> String {
        let (s, _) = self.resolve(schema);
        let mut text = String::new();
        if let Some(d) = s["description"].as_str().filter(|d| !d.is_empty()) {
            text.push_str(&format!("{d}\n"));
        }
        for sub in s["allOf"].as_array().into_iter().flatten() {
            text.push_str(&self.description(sub));
        }
        for field in ["items", "additionalProperties"] {
            if s[field].is_object() {
                text.push_str(&self.description(&s[field]));
            }
        }
        text
    }

    fn fields(&self, schema: &Value, level: usize, seen: &BTreeSet<String>, out: &mut String) {
        let (s, reference) = self.resolve(schema);
        if !reference.is_empty() && seen.contains(&reference) {
            return;
        }
        let mut seen = seen.clone();
        seen.insert(reference);
        for (name, sub) in s["properties"].as_object().into_iter().flatten() {
            self.field(name, s, sub, level, out);
            if self.recursive {
                self.fields(sub, level + 1, &seen, out);
            }
        }
        for sub in s["allOf"].as_array().into_iter().flatten() {
            self.fields(sub, level, &seen, out);
        }
        for field in ["items", "additionalProperties"] {
            if s[field].is_object() {
                self.fields(&s[field], level, &seen, out);
            }
        }
    }

    fn field(&self, name: &str, parent: &Value, sub: &Value, level: usize, out: &mut String) {
        let by = level * 2;
        let required = parent["required"].as_array().is_some_and(|r| r.iter().any(|n| n == name));
        let mark = if required { " -required-" } else { "" };
        out.push_str(&format!("{}\t<{}>{mark}{}\n", indent(name, by), self.kind(sub), short_enum(sub, by)));
        if !self.recursive {
            let text = sub["description"].as_str().filter(|d| !d.is_empty()).unwrap_or("<no description>");
            out.push_str(&format!("{}\n\n", indent(&wrap(78 - by, text), by + 2)));
        }
    }

    /// Models `typeGuess`.
    fn kind(&self, s: &Value) -> String {
        if s["items"].is_object() {
            return format!("[]{}", self.kind(&s["items"]));
        }
        if s["additionalProperties"].is_object() {
            return format!("map[string]{}", self.kind(&s["additionalProperties"]));
        }
        if let Some([only]) = s["allOf"].as_array().map(Vec::as_slice)
            && s["properties"].is_null()
        {
            return self.kind(only);
        }
        let named = |t: &Value| match t.as_str() {
            None | Some("" | "object") => "Object".to_string(),
            Some(t) => t.to_string(),
        };
        if let Some(reference) = s["$ref"].as_str() {
            let (target, _) = self.resolve(s);
            return match target["type"].as_str() {
                None | Some("" | "object") => {
                    let name = reference.rsplit('/').next().and_then(|n| n.rsplit('.').next()).unwrap_or("");
                    if name.is_empty() { "Object".into() } else { name.into() }
                }
                Some(t) => t.into(),
            };
        }
        named(&s["type"])
    }

    fn long_enum(&self, s: &Value) -> String {
        let Some(list) = s["enum"].as_array().filter(|l| !l.is_empty()) else { return String::new() };
        let lines: Vec<String> = list.iter().map(|v| format!("\n    {}", enum_value(v))).collect();
        format!("ENUM:{}", lines.concat())
    }
}

fn enum_value(v: &Value) -> String {
    match v.as_str() {
        Some("") => "\"\"".into(),
        Some(s) => s.into(),
        None => v.to_string(),
    }
}

fn short_enum(s: &Value, by: usize) -> String {
    const SHOWN_MAX: usize = 4;
    let Some(list) = s["enum"].as_array().filter(|l| !l.is_empty()) else { return String::new() };
    let mut values: Vec<String> = list.iter().take(SHOWN_MAX).map(enum_value).collect();
    if list.len() > SHOWN_MAX {
        values.push("....".into());
    }
    format!("\n{}enum: {}", " ".repeat(by), values.join(", "))
}
