//! Reading an object as Go's types read it: what is absent or null is the zero value.

use meta::Quantity;
use serde_json::Value;
use std::collections::BTreeMap;

/// A part of an object, or nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct View<'a>(Option<&'a Value>);

impl<'a> View<'a> {
    pub fn new(value: &'a Value) -> View<'a> {
        View(Some(value).filter(|v| !v.is_null()))
    }
    /// The field at a path of names with dots between them.
    pub fn at(self, path: &str) -> View<'a> {
        let mut v = self.0;
        for name in path.split('.') {
            v = v.and_then(|v| v.get(name));
        }
        View(v.filter(|v| !v.is_null()))
    }
    /// One key, dots and all.
    pub fn key(self, key: &str) -> View<'a> {
        View(self.0.and_then(|v| v.get(key)).filter(|v| !v.is_null()))
    }
    pub fn value(self) -> Option<&'a Value> {
        self.0
    }
    pub fn is_set(self) -> bool {
        self.0.is_some()
    }
    pub fn has(self, path: &str) -> bool {
        self.at(path).is_set()
    }
    /// The same, or nothing when it is absent.
    pub fn opt(self) -> Option<View<'a>> {
        self.0.map(|_| self)
    }
    pub fn text(self) -> &'a str {
        self.0.and_then(Value::as_str).unwrap_or("")
    }
    pub fn s(self, path: &str) -> &'a str {
        self.at(path).text()
    }
    pub fn int(self) -> i64 {
        self.0.and_then(Value::as_i64).unwrap_or(0)
    }
    pub fn i(self, path: &str) -> i64 {
        self.at(path).int()
    }
    pub fn b(self, path: &str) -> bool {
        self.at(path).0.and_then(Value::as_bool).unwrap_or(false)
    }
    pub fn items(self) -> Vec<View<'a>> {
        self.0.and_then(Value::as_array).into_iter().flatten().map(View::new).collect()
    }
    pub fn list(self, path: &str) -> Vec<View<'a>> {
        self.at(path).items()
    }
    pub fn strings(self, path: &str) -> Vec<&'a str> {
        self.list(path).into_iter().map(View::text).collect()
    }
    /// The entries in the order of their keys.
    pub fn entries(self) -> Vec<(&'a str, View<'a>)> {
        let mut entries: Vec<(&str, View)> =
            self.0.and_then(Value::as_object).into_iter().flatten().map(|(k, v)| (k.as_str(), View::new(v))).collect();
        entries.sort_by_key(|(k, _)| *k);
        entries
    }
    pub fn map(self, path: &str) -> Vec<(&'a str, View<'a>)> {
        self.at(path).entries()
    }
    pub fn is_empty(self) -> bool {
        match self.0 {
            None => true,
            Some(Value::Array(a)) => a.is_empty(),
            Some(Value::Object(o)) => o.is_empty(),
            Some(Value::String(s)) => s.is_empty(),
            Some(_) => false,
        }
    }
    /// A quantity; zero without one.
    pub fn quantity(self) -> Quantity {
        match self.0 {
            Some(Value::String(s)) => Quantity::parse(s).unwrap_or(Quantity::ZERO),
            Some(v) => Quantity::parse(&v.to_string()).unwrap_or(Quantity::ZERO),
            None => Quantity::ZERO,
        }
    }
    pub fn quantities(self, path: &str) -> BTreeMap<&'a str, Quantity> {
        self.map(path).into_iter().map(|(k, v)| (k, v.quantity())).collect()
    }
    /// Models `intstr.IntOrString.String()`.
    pub fn int_or_string(self) -> String {
        match self.0 {
            Some(Value::String(s)) => s.clone(),
            Some(v) => v.as_i64().unwrap_or(0).to_string(),
            None => "<nil>".into(),
        }
    }

    pub fn name(self) -> &'a str {
        self.s("metadata.name")
    }
    pub fn namespace(self) -> &'a str {
        self.s("metadata.namespace")
    }
    pub fn uid(self) -> &'a str {
        self.s("metadata.uid")
    }
    /// The owner that controls it. Models `metav1.GetControllerOf`.
    pub fn controller(self) -> Option<View<'a>> {
        self.list("metadata.ownerReferences").into_iter().find(|o| o.b("controller"))
    }
}
