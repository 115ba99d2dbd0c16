//! Answers of extenders. Upstream's types have no JSON names, so fields are written as Go spells them and read
//! without regard to case.

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// An API object as JSON.
pub fn object<T: Serialize>(o: &T) -> Value {
    serde_json::to_value(o).unwrap_or_default()
}

/// A field by its name in any case.
pub fn field<'a>(v: &'a Value, name: &str) -> Option<&'a Value> {
    let map = v.as_object()?;
    let any_case = || map.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v);
    map.get(name).or_else(any_case).filter(|v| !v.is_null())
}

pub fn name_of(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_string()
}

pub struct Answer(Value);

impl Answer {
    /// # Errors
    /// What is no JSON.
    pub fn parse(body: &[u8]) -> Result<Answer, String> {
        serde_json::from_slice(body).map(Answer).map_err(|e| format!("the extender's answer is no JSON: {e}"))
    }
    pub fn get(&self, name: &str) -> Option<&Value> {
        field(&self.0, name)
    }
    pub fn text(&self, name: &str) -> String {
        self.get(name).and_then(Value::as_str).unwrap_or_default().to_string()
    }
    pub fn strings(&self, name: &str) -> Option<Vec<String>> {
        let list = self.get(name)?.as_array()?;
        Some(list.iter().filter_map(|v| v.as_str().map(str::to_string)).collect())
    }
    /// Texts by name.
    pub fn map(&self, name: &str) -> BTreeMap<String, String> {
        let map = self.get(name).and_then(Value::as_object);
        let pair = |(k, v): (&String, &Value)| (k.clone(), v.as_str().unwrap_or_default().to_string());
        map.into_iter().flatten().map(pair).collect()
    }
    /// A list of hosts and scores.
    pub fn scores(&self) -> BTreeMap<String, i64> {
        let pair = |v: &Value| {
            Some((field(v, "Host")?.as_str()?.to_string(), field(v, "Score").and_then(Value::as_i64).unwrap_or(0)))
        };
        self.0.as_array().into_iter().flatten().filter_map(pair).collect()
    }
}
