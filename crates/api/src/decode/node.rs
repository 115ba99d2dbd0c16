//! JSON as it was written: fields in their order, repeated keys noted. What every typed decode reads from, so that
//! each type is compiled for one deserializer only.

use super::STRICT_ERRORS_MAX;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

#[derive(Clone, Debug)]
pub enum Node<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    String(Cow<'a, str>),
    Array(Vec<Node<'a>>),
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// Parses JSON; the paths of keys that occur twice in one object go to `duplicates`, each once. The last wins.
    pub fn parse(json: &'a [u8], duplicates: &mut Vec<String>) -> serde_json::Result<Node<'a>> {
        let mut walk = Walk { path: String::new(), found: duplicates };
        let mut de = serde_json::Deserializer::from_slice(json);
        let node = Seed(&mut walk).deserialize(&mut de)?;
        de.end()?;
        Ok(node)
    }
}

impl Node<'_> {
    pub fn into_value(self) -> Value {
        match self {
            Node::Null => Value::Null,
            Node::Bool(b) => b.into(),
            Node::Unsigned(u) => u.into(),
            Node::Signed(i) => i.into(),
            Node::Float(f) => f.into(),
            Node::String(s) => s.into_owned().into(),
            Node::Array(list) => list.into_iter().map(Node::into_value).collect(),
            Node::Object(fields) => fields.into_iter().map(|(k, v)| (k.into_owned(), v.into_value())).collect(),
        }
    }
}

impl From<Value> for Node<'_> {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Node::Null,
            Value::Bool(b) => Node::Bool(b),
            Value::Number(n) => match (n.as_u64(), n.as_i64()) {
                (Some(u), _) => Node::Unsigned(u),
                (None, Some(i)) => Node::Signed(i),
                (None, None) => Node::Float(n.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(s) => Node::String(s.into()),
            Value::Array(list) => Node::Array(list.into_iter().map(Node::from).collect()),
            Value::Object(map) => Node::Object(map.into_iter().map(|(k, v)| (k.into(), v.into())).collect()),
        }
    }
}

struct Walk<'w> {
    path: String,
    found: &'w mut Vec<String>,
}

impl Walk<'_> {
    fn found(&mut self, key: &str) {
        if self.found.len() < STRICT_ERRORS_MAX {
            let dot = if self.path.is_empty() { "" } else { "." };
            let text = format!("duplicate field {:?}", format!("{}{dot}{key}", self.path));
            if !self.found.contains(&text) {
                self.found.push(text);
            }
        }
    }
}

struct Seed<'s, 'w>(&'s mut Walk<'w>);

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Node<'de>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Node<'de>, D::Error> {
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

/// Beyond so many fields (a ConfigMap's data) a sorted list of the keys is made rather than each compared with all.
const FEW: usize = 64;

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = Node<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E: Error>(self, b: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(b))
    }
    fn visit_i64<E: Error>(self, i: i64) -> Result<Node<'de>, E> {
        Ok(Node::Signed(i))
    }
    fn visit_u64<E: Error>(self, u: u64) -> Result<Node<'de>, E> {
        Ok(Node::Unsigned(u))
    }
    fn visit_f64<E: Error>(self, f: f64) -> Result<Node<'de>, E> {
        Ok(Node::Float(f))
    }
    fn visit_borrowed_str<E: Error>(self, s: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::String(Cow::Borrowed(s)))
    }
    fn visit_str<E: Error>(self, s: &str) -> Result<Node<'de>, E> {
        Ok(Node::String(Cow::Owned(s.into())))
    }
    fn visit_unit<E: Error>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node<'de>, A::Error> {
        let length = self.0.path.len();
        let mut list = Vec::new();
        loop {
            fmt::Write::write_fmt(&mut self.0.path, format_args!("[{}]", list.len())).map_err(A::Error::custom)?;
            let next = seq.next_element_seed(Seed(self.0))?;
            self.0.path.truncate(length);
            match next {
                Some(node) => list.push(node),
                None => return Ok(Node::Array(list)),
            }
        }
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let length = self.0.path.len();
        let mut fields: Vec<(Cow<'de, str>, Node<'de>)> = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            let before = if fields.len() < FEW { fields.iter().position(|(k, _)| *k == key) } else { None };
            if before.is_some() {
                self.0.found(&key);
            }
            if length > 0 {
                self.0.path.push('.');
            }
            self.0.path.push_str(&key);
            let node = map.next_value_seed(Seed(self.0))?;
            self.0.path.truncate(length);
            match before {
                Some(i) => fields[i].1 = node,
                None => fields.push((key, node)),
            }
        }
        if fields.len() >= FEW {
            // The sort is stable: of equal keys the last written is the last here, and it is the one to stay.
            let mut order: Vec<usize> = (0..fields.len()).collect();
            order.sort_by(|&a, &b| fields[a].0.cmp(&fields[b].0));
            let mut gone = vec![false; fields.len()];
            for pair in order.windows(2).filter(|p| fields[p[0]].0 == fields[p[1]].0) {
                self.0.found(&fields[pair[1]].0);
                gone[pair[0]] = true;
            }
            let mut gone = gone.into_iter();
            fields.retain(|_| !gone.next().unwrap_or(false));
        }
        Ok(Node::Object(fields))
    }
}
