//! `kubectl explain -o plaintext-openapiv2`: the older way of telling it. Models `kubectl/pkg/explain`.

use super::Explain;
use serde_json::Value;

/// Columns of a line.
const WIDTH: usize = 80;
const DESCRIPTION: usize = 5;
const FIELD: usize = 3;

fn line(indent: usize, text: &str, out: &mut String) {
    let pad = if text.is_empty() { String::new() } else { " ".repeat(indent) };
    out.push_str(&format!("{pad}{text}\n"));
}

/// Models `wrapString`: lines run on, but for lists, what follows a colon, empty lines and code.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let (mut out, mut words): (Vec<String>, Vec<&str>) = (Vec::new(), Vec::new());
    let flush = |words: &mut Vec<&str>, out: &mut Vec<String>| {
        if !words.is_empty() {
            out.push(std::mem::take(words).join(" "));
        }
    };
    for l in text.split('\n') {
        if l.starts_with("    ") {
            flush(&mut words, &mut out);
            out.push(l.into());
            continue;
        }
        if l.trim().is_empty() && !(out.is_empty()) {
            flush(&mut words, &mut out);
            out.push(String::new());
            continue;
        }
        if words.last().is_some_and(|w| w.ends_with(':')) || l.trim().is_empty() || begins_list(l.trim()) {
            flush(&mut words, &mut out);
        }
        for word in l.split_whitespace() {
            let long = words.iter().map(|w| w.len() + 1).sum::<usize>() + word.len();
            if !words.is_empty() && long > width {
                flush(&mut words, &mut out);
            }
            words.push(word);
        }
    }
    flush(&mut words, &mut out);
    out
}

fn begins_list(line: &str) -> bool {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    line.starts_with("* ") || line.starts_with("- ") || (digits.len() < line.len() && digits.starts_with('.'))
}

fn paragraph(indent: usize, text: &str, out: &mut String) {
    for l in wrapped(text, WIDTH - indent) {
        line(indent, &l, out);
    }
}

/// The text for the field that `fields` lead to; nothing when there is none.
pub(super) fn output(e: &Explain<'_>, schema: &Value, fields: &[String], kind: &str, version: &str) -> Option<String> {
    let mut at = schema;
    for name in fields {
        at = e.object(at)?["properties"].get(name.as_str())?;
    }
    let mut out = format!("KIND:     {kind}\nVERSION:  {version}\n\n");
    let object = e.object(at).filter(|o| o["properties"].is_object());
    if let Some(name) = fields.last() {
        let what = if object.is_some() { "RESOURCE:" } else { "FIELD:   " };
        out.push_str(&format!("{what} {name} <{}>\n\n", e.plain_kind(at)));
    }
    out.push_str("DESCRIPTION:\n");
    let mut descriptions = Vec::new();
    e.descriptions(at, &mut descriptions);
    for (i, d) in descriptions.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        paragraph(DESCRIPTION, d, &mut out);
    }
    if descriptions.is_empty() {
        line(DESCRIPTION, "<empty>", &mut out);
    }
    if let Some(object) = object {
        out.push_str("\nFIELDS:\n");
        all(e, object, FIELD, &mut Vec::new(), &mut out);
    }
    Some(out)
}

fn all<'s>(e: &'s Explain<'_>, object: &'s Value, indent: usize, seen: &mut Vec<&'s Value>, out: &mut String) {
    if seen.iter().any(|s| std::ptr::eq(*s, object)) {
        return;
    }
    seen.push(object);
    for (name, sub) in object["properties"].as_object().into_iter().flatten() {
        let required = object["required"].as_array().is_some_and(|r| r.iter().any(|n| n == name));
        let mark = if required && !e.recursive { " -required-" } else { "" };
        line(indent, &format!("{name}\t<{}>{mark}", e.plain_kind(sub)), out);
        if e.recursive {
            if let Some(inner) = e.object(sub) {
                all(e, inner, indent + FIELD, seen, out);
            }
            continue;
        }
        let text = sub["description"].as_str().filter(|d| !d.is_empty()).unwrap_or("<no description>");
        paragraph(indent + 2, text, out);
        out.push('\n');
    }
    seen.pop();
}

impl Explain<'_> {
    /// What lists, maps and references lead to.
    fn object<'s>(&'s self, schema: &'s Value) -> Option<&'s Value> {
        let (s, _) = self.resolve(schema);
        if s["properties"].is_object() {
            return Some(s);
        }
        let inner = [s.get("items"), s.get("additionalProperties"), s["allOf"].get(0)];
        inner.into_iter().flatten().find(|i| i.is_object()).and_then(|i| self.object(i))
    }

    fn descriptions(&self, schema: &Value, out: &mut Vec<String>) {
        let text = |v: &Value| v["description"].as_str().filter(|d| !d.is_empty()).map(String::from);
        if schema.get("$ref").is_none() {
            out.extend(text(schema));
        }
        let (s, reference) = self.resolve(schema);
        if !reference.is_empty() {
            out.extend(text(s));
        }
        let inner = [s.get("items"), s.get("additionalProperties"), s["allOf"].get(0)];
        for i in inner.into_iter().flatten().filter(|i| i.is_object()) {
            self.descriptions(i, out);
        }
    }

    /// Models `GetTypeName`.
    fn plain_kind(&self, s: &Value) -> String {
        let (r, _) = self.resolve(s);
        if r["items"].is_object() {
            return format!("[]{}", self.plain_kind(&r["items"]));
        }
        if r["additionalProperties"].is_object() {
            return format!("map[string]{}", self.plain_kind(&r["additionalProperties"]));
        }
        if r["properties"].is_object() {
            return "Object".into();
        }
        if let Some(only) = r["allOf"].get(0) {
            return self.plain_kind(only);
        }
        match r["type"].as_str() {
            Some("object") => "map[string]".into(),
            Some(t) => t.into(),
            // What may be a number or a string.
            None if r["oneOf"].is_array() => "string".into(),
            None => "Object".into(),
        }
    }
}
