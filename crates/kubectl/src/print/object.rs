//! `-o`.

use super::custom::Custom;
use super::jsonpath::JsonPath;
use super::template::Template;
use super::{gojson, yaml};
use crate::cx::Cx;
use crate::error::Error;
use serde_json::{Value, json};

pub(crate) enum Printer {
    Json,
    /// JSON in the order of Go's types.
    TypedJson,
    /// How many were printed.
    Yaml(usize),
    Name,
    JsonPath(JsonPath, String),
    JsonPathAsJson(JsonPath, String),
    Custom(Box<Custom>),
    Template(Box<Template>),
}

/// The formats of `get`, and those of everything else.
const TEMPLATES: &[&str] = &["go-template", "go-template-file", "template", "templatefile"];
const JSONPATHS: &[&str] = &["jsonpath", "jsonpath-as-json", "jsonpath-file"];
const CUSTOM: &[&str] = &["custom-columns", "custom-columns-file"];

impl Printer {
    /// For what upstream has as an object of Go's type.
    #[must_use]
    pub fn typed(self) -> Printer {
        if matches!(self, Printer::Json) { Printer::TypedJson } else { self }
    }

    /// `None`: no format was asked for, so the command has its own way.
    pub fn of(cx: &Cx<'_, '_>, custom_columns: bool) -> Result<Option<Printer>, Error> {
        if cx.command.flag("output").is_none() {
            return Ok(None);
        }
        let template = if cx.command.flag("template").is_some() { cx.flags.string("template") } else { "" };
        let output = cx.flags.string("output");
        let output = if output.is_empty() && !template.is_empty() { "go-template" } else { output };
        if output.is_empty() {
            return Ok(None);
        }
        let (mut format, mut value) = (output, template);
        if template.is_empty()
            && let Some((f, v)) = output.split_once('=')
            && [TEMPLATES, JSONPATHS, CUSTOM].iter().any(|l| l.contains(&f))
        {
            (format, value) = (f, v);
        }
        let lenient =
            cx.command.flag("allow-missing-template-keys").is_none() || cx.flags.bool("allow-missing-template-keys");
        let read = |path: &str, what: &str| {
            cx.env.files.read(path).ok_or_else(|| {
                Error::text(format!("error reading {what}{path}, open {path}: no such file or directory"))
            })
        };
        match format.to_lowercase().as_str() {
            "json" => return Ok(Some(Printer::Json)),
            "yaml" => return Ok(Some(Printer::Yaml(0))),
            "name" => return Ok(Some(Printer::Name)),
            "wide" if custom_columns => return Ok(None),
            _ => {}
        }
        if TEMPLATES.contains(&format) || JSONPATHS.contains(&format) {
            if value.is_empty() {
                return Err(Error::text("template format specified but no template given"));
            }
            let text = if format.ends_with("file") { read(value, "--template ")? } else { value.to_string() };
            return match format {
                f if TEMPLATES.contains(&f) => {
                    let t = Template::parse(&text, lenient)
                        .map_err(|e| Error::text(format!("error parsing template {text}, {e}")))?;
                    Ok(Some(Printer::Template(Box::new(t))))
                }
                f => {
                    let path = JsonPath::parse(&text, lenient)
                        .map_err(|e| Error::text(format!("error parsing jsonpath {text}, {e}")))?;
                    let printer = if f == "jsonpath-as-json" { Printer::JsonPathAsJson } else { Printer::JsonPath };
                    Ok(Some(printer(path, text)))
                }
            };
        }
        if custom_columns && CUSTOM.contains(&format) {
            if value.is_empty() {
                return Err(Error::text("custom-columns format specified but no custom columns given"));
            }
            let no_headers = cx.flags.bool("no-headers");
            let custom = if format == "custom-columns-file" {
                Custom::of_file(&read(value, "template ")?)
            } else {
                Custom::of(value, no_headers)
            };
            return Ok(Some(Printer::Custom(Box::new(custom.map_err(Error::Text)?))));
        }
        let mut allowed = vec!["json", "yaml", "kyaml", "name"];
        allowed.extend(TEMPLATES);
        allowed.extend(JSONPATHS);
        if custom_columns {
            allowed.extend(CUSTOM);
            allowed.push("wide");
        }
        allowed.sort_unstable();
        Err(Error::text(format!(
            "unable to match a printer suitable for the output format {format:?}, allowed formats are: {}",
            allowed.join(",")
        )))
    }

    /// One object, or a list in one piece.
    pub fn print(&mut self, v: &Value, managed_fields: bool) -> Result<String, Error> {
        let clean;
        let v = match self {
            Printer::Json | Printer::TypedJson | Printer::Yaml(_) if !managed_fields => {
                clean = without_managed_fields(v);
                &clean
            }
            _ => v,
        };
        match self {
            Printer::Json => Ok(gojson::indented(v)),
            Printer::TypedJson => Ok(gojson::indented_typed(v)),
            Printer::Yaml(n) => {
                *n += 1;
                let text = yaml::to_yaml(v);
                Ok(if *n > 1 { format!("---\n{text}") } else { text })
            }
            Printer::Name => Ok(match v["items"].as_array() {
                Some(items) if is_list(v) => items.iter().map(|i| format!("{}\n", name_of(i))).collect(),
                _ => format!("{}\n", name_of(v)),
            }),
            Printer::JsonPath(p, text) => p.print(v).map_err(|e| executing(text, &e, v)),
            Printer::JsonPathAsJson(p, text) => p.print_json(v).map_err(|e| executing(text, &e, v)),
            Printer::Custom(c) => c.print(v).map_err(|(text, e)| Error::Printed(text, Box::new(Error::Text(e)))),
            Printer::Template(t) => t.print(v).map_err(|(text, e)| Error::Printed(text, Box::new(Error::Text(e)))),
        }
    }
}

fn executing(text: &str, why: &str, v: &Value) -> Error {
    Error::text(format!(
        "error executing jsonpath {text:?}: Error executing template: {why}. Printing more information for debugging \
         the template:\n\ttemplate was:\n\t\t{text}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n\n",
        go_syntax(v)
    ))
}

/// `%#v` of a decoded object.
fn go_syntax(v: &Value) -> String {
    match v {
        Value::Null => "interface {}(nil)".into(),
        Value::String(s) => format!("{s:?}"),
        Value::Array(list) => {
            format!("[]interface {{}}{{{}}}", list.iter().map(go_syntax).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let pairs: Vec<String> = map.iter().map(|(k, v)| format!("{k:?}:{}", go_syntax(v))).collect();
            format!("map[string]interface {{}}{{{}}}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

pub(crate) fn is_list(v: &Value) -> bool {
    v["items"].is_array() && v["kind"].as_str().is_some_and(|k| k.ends_with("List"))
}

/// `pod/web`, `deployment.apps/web`.
pub(crate) fn name_of(v: &Value) -> String {
    let kind = v["kind"].as_str().unwrap_or("").to_lowercase();
    let group = v["apiVersion"].as_str().and_then(|a| a.split_once('/')).map_or("", |(g, _)| g);
    let name = v["metadata"]["name"].as_str().filter(|n| !n.is_empty()).unwrap_or("<unknown>");
    if group.is_empty() { format!("{kind}/{name}") } else { format!("{kind}.{group}/{name}") }
}

fn without_managed_fields(v: &Value) -> Value {
    let mut v = v.clone();
    let strip = |o: &mut Value| {
        if let Some(m) = o.get_mut("metadata").and_then(Value::as_object_mut) {
            m.remove("managedFields");
        }
    };
    strip(&mut v);
    if is_list(&v)
        && let Some(items) = v["items"].as_array_mut()
    {
        items.iter_mut().for_each(strip);
    }
    v
}

/// Objects put together as `get` prints several of them.
pub(crate) fn list_of(items: Vec<Value>) -> Value {
    json!({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}})
}
