//! A document read field by field, with every complaint kept together with its path.

use meta::{FieldError, Path};
use serde_json::Value;

/// Reads one level of the document after the other and collects what is wrong with it.
pub(super) struct Reader {
    pub errors: Vec<FieldError>,
}

/// A value and where it stands in the document.
#[derive(Clone)]
pub(super) struct At<'a>(pub Option<&'a Value>, pub Path);

impl<'a> At<'a> {
    pub fn get(&self, name: &str) -> At<'a> {
        At(self.0.and_then(|v| v.get(name)).filter(|v| !v.is_null()), self.1.child(name))
    }
    pub fn present(&self) -> bool {
        self.0.is_some()
    }
}

impl Reader {
    pub fn fail(&mut self, at: &At, want: &str) {
        let mut e = FieldError::invalid(&at.1, at.0.cloned().unwrap_or_default(), format!("must be {want}"));
        e.kind = meta::FieldErrorType::TypeInvalid;
        self.errors.push(e);
    }
    /// Upstream decodes strictly: a field it does not know is an error.
    pub fn known(&mut self, at: &At, fields: &[&str]) {
        match at.0 {
            Some(Value::Object(map)) => {
                for name in map.keys().filter(|k| !fields.contains(&k.as_str())) {
                    let e = FieldError::invalid(&at.1.child(name), name.clone(), "unknown field");
                    self.errors.push(e);
                }
            }
            Some(_) => self.fail(at, "an object"),
            None => {}
        }
    }
    pub fn text(&mut self, at: &At) -> Option<String> {
        match at.0? {
            Value::String(s) => Some(s.clone()),
            _ => {
                self.fail(at, "a string");
                None
            }
        }
    }
    pub fn flag(&mut self, at: &At) -> Option<bool> {
        let b = at.0?.as_bool();
        if b.is_none() {
            self.fail(at, "a boolean");
        }
        b
    }
    pub fn int(&mut self, at: &At) -> Option<i64> {
        let n = at.0?.as_i64();
        if n.is_none() {
            self.fail(at, "an integer");
        }
        n
    }
    pub fn int32(&mut self, at: &At) -> Option<i32> {
        let n = self.int(at)?;
        let n = i32::try_from(n).ok();
        if n.is_none() {
            self.fail(at, "a 32-bit integer");
        }
        n
    }
    pub fn list<'a>(&mut self, at: &At<'a>) -> Vec<At<'a>> {
        match at.0 {
            None => Vec::new(),
            Some(Value::Array(items)) => items.iter().enumerate().map(|(i, v)| At(Some(v), at.1.index(i))).collect(),
            Some(_) => {
                self.fail(at, "a list");
                Vec::new()
            }
        }
    }
    pub fn texts(&mut self, at: &At) -> Vec<String> {
        self.list(at).iter().filter_map(|i| self.text(i)).collect()
    }
    pub fn range(&mut self, at: &At, value: i64, ok: bool, detail: impl Into<String>) {
        if !ok {
            self.errors.push(FieldError::invalid(&at.1, value, detail));
        }
    }
}
