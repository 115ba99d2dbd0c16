//! Keys that occur twice in one JSON object. Serde's maps would keep the last one silently.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Appends `duplicate field "spec.replicas"` for every key seen before in its object, each path once.
/// `json` was decoded before, so it is well formed.
pub fn find(json: &[u8], out: &mut Vec<String>) {
    let mut walk = Walk { path: String::new(), found: Vec::new() };
    let mut de = serde_json::Deserializer::from_slice(json);
    // An error cannot happen on text that parsed before, and would only end the search.
    let _ = Node(&mut walk).deserialize(&mut de);
    for path in walk.found {
        let text = format!("duplicate field {path:?}");
        if !out.contains(&text) {
            out.push(text);
        }
    }
}

struct Walk {
    path: String,
    found: Vec<String>,
}

struct Node<'a>(&'a mut Walk);

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

/// A key, borrowed from the text unless it has escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Cow<'de, str>, D::Error> {
        d.deserialize_str(self)
    }
}
impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_borrowed_str<E: Error>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(v))
    }
    fn visit_str<E: Error>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(v.into()))
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let length = self.0.path.len();
        for i in 0usize.. {
            self.0.path.push_str(&format!("[{i}]"));
            let more = seq.next_element_seed(Node(self.0))?;
            self.0.path.truncate(length);
            if more.is_none() {
                break;
            }
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let length = self.0.path.len();
        // Objects of the API are small: a list is faster than a set.
        let mut seen: Vec<Cow<'de, str>> = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            if length > 0 {
                self.0.path.push('.');
            }
            self.0.path.push_str(&key);
            // A large map (a ConfigMap's data) must not cost its square.
            if seen.len() < 512 && seen.contains(&key) {
                self.0.found.push(self.0.path.clone());
            }
            seen.push(key);
            map.next_value_seed(Node(self.0))?;
            self.0.path.truncate(length);
        }
        if seen.len() > 512 {
            seen.sort();
            for pair in seen.windows(2).filter(|p| p[0] == p[1]) {
                let dot = if length > 0 { "." } else { "" };
                self.0.found.push(format!("{}{dot}{}", self.0.path, pair[0]));
            }
        }
        Ok(())
    }
}
