//! Whether a value is what its schema says. Models `kube-openapi/pkg/validation/validate` as
//! `apiextensions-apiserver/pkg/apiserver/validation` words its errors, `schema/listtype`, and the ratchet of updates: what was
//! wrong already, and is as it was, is let be.

use super::prune::{additional, items, property};
use super::{Patterns, formats};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use meta::field::{FieldErrorType, show};
use meta::{FieldError, Path};
use serde_json::{Map, Value};

/// What is known while a value is looked at.
pub(super) struct Checker<'a> {
    pub patterns: &'a Patterns,
    pub errors: Vec<FieldError>,
}

/// The names of JSON's types as OpenAPI has them.
fn type_of(v: &Value) -> &'static str {
    match v {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() && n.as_f64().is_some_and(|f| f.fract() != 0.0) => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn fits(wanted: &str, v: &Value) -> bool {
    let is = type_of(v);
    is == wanted || (wanted == "number" && is == "integer")
}

/// Go prints whole floats without a point.
fn number(f: f64) -> String {
    if f.fract() == 0.0 && f.abs() < 1e15 { format!("{f:.0}") } else { f.to_string() }
}

/// `spec.replicas in body`
fn said(path: &Path, what: &str) -> String {
    format!("{path} in body {what}")
}

impl Checker<'_> {
    fn invalid(&mut self, path: &Path, v: &Value, what: &str) {
        self.errors.push(FieldError::invalid(path, v.clone(), said(path, what)));
    }

    fn too_many(&mut self, path: &Path, actual: usize, max: i64) {
        let mut e = FieldError::too_many(path, actual, usize::try_from(max).unwrap_or(0));
        if max == 1 {
            e.detail = "must have at most 1 item".into();
        }
        self.errors.push(e);
    }

    /// A word that has no place of its own: upstream leaves the path out.
    fn nowhere(&mut self, message: String) {
        let mut e = FieldError::invalid(&Path::new("<nil>"), "", message);
        e.value = "\"\"".into();
        self.errors.push(e);
    }

    pub fn value(&mut self, v: &Value, old: Option<&Value>, s: &JSONSchemaProps, path: &Path) {
        if old == Some(v) {
            return;
        }
        if v.is_null() && s.nullable == Some(true) {
            return;
        }
        if s.x_kubernetes_int_or_string == Some(true) {
            if !matches!(type_of(v), "integer" | "string") {
                self.wrong_type(v, "integer,string", path);
                return;
            }
        } else if let Some(wanted) = s.type_.as_deref().filter(|t| !t.is_empty())
            && !fits(wanted, v)
        {
            self.wrong_type(v, wanted, path);
            return;
        }
        self.allowed(v, s, path);
        match v {
            Value::String(text) => self.string(v, text, s, path),
            Value::Number(n) => self.number(v, n.as_f64().unwrap_or(0.0), s, path),
            Value::Array(list) => self.array(v, list, old, s, path),
            Value::Object(fields) => self.object(v, fields, old, s, path),
            _ => {}
        }
        self.alternatives(v, s, path);
    }

    fn wrong_type(&mut self, v: &Value, wanted: &str, path: &Path) {
        let is = type_of(v);
        let text = format!("must be of type {wanted}: {is:?}");
        let mut e = FieldError::invalid(path, is, said(path, &text));
        e.kind = FieldErrorType::TypeInvalid;
        self.errors.push(e);
    }

    fn allowed(&mut self, v: &Value, s: &JSONSchemaProps, path: &Path) {
        let Some(list) = &s.enum_ else { return };
        if list.iter().any(|a| a.0 == *v) {
            return;
        }
        let text = |v: &Value| v.as_str().map_or_else(|| show(v), Into::into);
        let list: Vec<String> = list.iter().map(|a| text(&a.0)).collect();
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        self.errors.push(FieldError::not_supported(path, v.clone(), &list));
    }

    fn string(&mut self, v: &Value, text: &str, s: &JSONSchemaProps, path: &Path) {
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        if let Some(max) = s.max_length.filter(|m| length > *m) {
            self.errors.push(FieldError::too_long(path, usize::try_from(max).unwrap_or(0)));
        }
        if let Some(min) = s.min_length.filter(|m| length < *m) {
            self.invalid(path, v, &format!("should be at least {min} chars long"));
        }
        if let Some(pattern) = s.pattern.as_deref().filter(|p| !p.is_empty())
            && self.patterns.get(pattern).is_some_and(|r| !r.is_match(text))
        {
            self.invalid(path, v, &format!("should match '{pattern}'"));
        }
        if let Some(format) = s.format.as_deref()
            && !formats::fits(format, text)
        {
            let what = format!("must be of type {format}: {text:?}");
            let mut e = FieldError::invalid(path, text, said(path, &what));
            e.kind = FieldErrorType::TypeInvalid;
            self.errors.push(e);
        }
    }

    fn number(&mut self, v: &Value, n: f64, s: &JSONSchemaProps, path: &Path) {
        if let Some(max) = s.maximum {
            let exclusive = s.exclusive_maximum == Some(true);
            if n > max || (exclusive && n >= max) {
                let how = if exclusive { "less than" } else { "less than or equal to" };
                self.invalid(path, v, &format!("should be {how} {}", number(max)));
            }
        }
        if let Some(min) = s.minimum {
            let exclusive = s.exclusive_minimum == Some(true);
            if n < min || (exclusive && n <= min) {
                let how = if exclusive { "greater than" } else { "greater than or equal to" };
                self.invalid(path, v, &format!("should be {how} {}", number(min)));
            }
        }
        if let Some(of) = s.multiple_of.filter(|m| *m > 0.0)
            && (n / of).fract() != 0.0
        {
            self.invalid(path, v, &format!("should be a multiple of {}", number(of)));
        }
        let whole = match s.format.as_deref() {
            Some("int32") => n >= f64::from(i32::MIN) && n <= f64::from(i32::MAX),
            _ => true,
        };
        if !whole {
            let format = s.format.as_deref().unwrap_or("");
            self.invalid(path, v, &format!("must be of type {format}: {:?}", number(n)));
        }
    }

    fn array(&mut self, v: &Value, list: &[Value], old: Option<&Value>, s: &JSONSchemaProps, path: &Path) {
        let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
        if let Some(max) = s.max_items.filter(|m| length > *m) {
            self.too_many(path, list.len(), max);
        }
        if let Some(min) = s.min_items.filter(|m| length < *m) {
            self.invalid(path, v, &format!("should have at least {min} items"));
        }
        let Some(of) = items(s) else { return };
        let before = old.and_then(Value::as_array);
        let keys = s.x_kubernetes_list_map_keys.as_deref().unwrap_or_default();
        for (i, item) in list.iter().enumerate() {
            // Only items of a map are known again.
            let was = before.filter(|_| !keys.is_empty()).and_then(|b| b.iter().find(|o| same_key(o, item, keys, of)));
            self.value(item, was, of, &path.index(i));
        }
        match s.x_kubernetes_list_type.as_deref() {
            Some("set") => self.unique(list, path, |a, b| a == b, Clone::clone),
            Some("map") => self.unique(list, path, |a, b| same_key(a, b, keys, of), |v| key_of(v, keys, of)),
            _ => {}
        }
    }

    fn unique(
        &mut self,
        list: &[Value],
        path: &Path,
        same: impl Fn(&Value, &Value) -> bool,
        name: impl Fn(&Value) -> Value,
    ) {
        for (i, v) in list.iter().enumerate() {
            let before = list[..i].iter().filter(|o| same(o, v)).count();
            // Upstream names the second one, once.
            if before == 1 {
                self.errors.push(FieldError::duplicate(&path.index(i), name(v)));
            }
        }
    }

    fn object(
        &mut self,
        v: &Value,
        fields: &Map<String, Value>,
        old: Option<&Value>,
        s: &JSONSchemaProps,
        path: &Path,
    ) {
        let length = i64::try_from(fields.len()).unwrap_or(i64::MAX);
        if let Some(max) = s.max_properties.filter(|m| length > *m) {
            self.too_many(path, fields.len(), max);
        }
        if let Some(min) = s.min_properties.filter(|m| length < *m) {
            self.invalid(path, v, &format!("should have at least {min} properties"));
        }
        for name in s.required.iter().flatten().filter(|n| !fields.contains_key(*n)) {
            self.errors.push(FieldError::required(&path.child(name), ""));
        }
        let known = s.properties.as_ref();
        for (name, value) in fields {
            let Some(of) = property(s, name) else { continue };
            let at =
                if known.is_some_and(|p| p.contains_key(name)) { path.child(name) } else { map_key(path, name, s) };
            self.value(value, old.and_then(|o| o.get(name)), of, &at);
        }
    }

    fn passes(&self, v: &Value, s: &JSONSchemaProps, path: &Path) -> Vec<FieldError> {
        let mut c = Checker { patterns: self.patterns, errors: Vec::new() };
        c.value(v, None, s, path);
        c.errors
    }

    fn alternatives(&mut self, v: &Value, s: &JSONSchemaProps, path: &Path) {
        let at = path.as_str().to_string();
        if let Some(list) = s.any_of.as_ref().filter(|l| !l.is_empty()) {
            let mut results: Vec<Vec<FieldError>> = list.iter().map(|a| self.passes(v, a, path)).collect();
            if results.iter().all(|r| !r.is_empty()) {
                self.nowhere(format!("{at:?} must validate at least one schema (anyOf)"));
                self.errors.append(&mut results[0]);
            }
        }
        if let Some(list) = s.one_of.as_ref().filter(|l| !l.is_empty()) {
            let mut results: Vec<Vec<FieldError>> = list.iter().map(|a| self.passes(v, a, path)).collect();
            match results.iter().filter(|r| r.is_empty()).count() {
                1 => {}
                0 => {
                    self.nowhere(format!("{at:?} must validate one and only one schema (oneOf). Found none valid"));
                    self.errors.append(&mut results[0]);
                }
                n => self.nowhere(format!(
                    "{at:?} must validate one and only one schema (oneOf). Found {n} valid alternatives"
                )),
            }
        }
        if let Some(list) = s.all_of.as_ref().filter(|l| !l.is_empty()) {
            let mut failed: Vec<FieldError> = list.iter().flat_map(|a| self.passes(v, a, path)).collect();
            if !failed.is_empty() {
                self.nowhere(format!("{at:?} must validate all the schemas (allOf)"));
                self.errors.append(&mut failed);
            }
        }
        if let Some(not) = &s.not
            && self.passes(v, not, path).is_empty()
        {
            self.nowhere(format!("{at:?} must not validate the schema (not)"));
        }
    }
}

/// A key of a map is written like a field.
fn map_key(path: &Path, name: &str, s: &JSONSchemaProps) -> Path {
    debug_assert!(additional(s).is_some());
    path.child(name)
}

fn key_part<'v>(v: &'v Value, key: &str, of: &'v JSONSchemaProps) -> Option<&'v Value> {
    v.get(key).or_else(|| of.properties.as_ref()?.get(key)?.default.as_ref().map(|d| &d.0))
}

fn same_key(a: &Value, b: &Value, keys: &[String], of: &JSONSchemaProps) -> bool {
    keys.iter().all(|k| key_part(a, k, of) == key_part(b, k, of))
}

fn key_of(v: &Value, keys: &[String], of: &JSONSchemaProps) -> Value {
    let parts = keys.iter().filter_map(|k| Some((k.clone(), key_part(v, k, of)?.clone())));
    Value::Object(parts.collect())
}
