//! The one deserializer that typed objects are read with. It notes unknown fields by their path, and remembers the
//! structs and fields on the way to the first error, to tell it in Go's words. `null` is the zero value wherever a
//! value is wanted, as in Go.

use super::STRICT_ERRORS_MAX;
use super::go_error;
use super::node::Node;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// What decoding found besides the object.
#[derive(Default)]
pub struct Notes {
    /// `spec.containers[0].foo`, as upstream writes paths.
    path: String,
    /// Of struct fields only, without indices and map keys, as Go writes them.
    fields: String,
    structs: Vec<&'static str>,
    pub unknown: Vec<String>,
    /// The first error in Go's words.
    pub error: Option<String>,
}

impl Notes {
    /// For a value that lies in the field `name`.
    pub fn within(name: &str) -> Notes {
        Notes { path: name.into(), ..Notes::default() }
    }

    /// The innermost error is noted first and wins. `target` is the Rust type that was wanted.
    fn error(&mut self, target: &'static str, error: &Error) {
        if self.error.is_none() {
            let last = self.structs.last().copied().filter(|_| !self.fields.is_empty());
            self.error = Some(go_error::text(target, &error.0, last.map(|s| (s, self.fields.as_str()))));
        }
    }
}

/// # Errors
/// The first error; its text in Go's words is in `notes`.
pub fn decode<T: DeserializeOwned>(node: Node<'_>, notes: &mut Notes) -> Result<T, Error> {
    T::deserialize(Typed { node, notes })
}

#[derive(Debug)]
pub struct Error(pub String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Error {}
impl de::Error for Error {
    fn custom<T: fmt::Display>(msg: T) -> Self {
        Error(msg.to_string())
    }
}

struct Typed<'n, 'a> {
    node: Node<'a>,
    notes: &'n mut Notes,
}

impl Typed<'_, '_> {
    fn visit<'de, V: Visitor<'de>>(self, v: V, in_struct: bool) -> Result<V::Value, Error> {
        let notes = self.notes;
        let result = match self.node {
            Node::Null => v.visit_unit(),
            Node::Bool(b) => v.visit_bool(b),
            Node::Unsigned(u) => v.visit_u64(u),
            Node::Signed(i) => v.visit_i64(i),
            Node::Float(f) => v.visit_f64(f),
            Node::String(Cow::Borrowed(s)) => v.visit_str(s),
            Node::String(Cow::Owned(s)) => v.visit_string(s),
            Node::Array(list) => v.visit_seq(Elements { list: list.into_iter(), index: 0, notes: &mut *notes }),
            Node::Object(fields) => {
                v.visit_map(Fields { fields: fields.into_iter(), next: None, in_struct, notes: &mut *notes })
            }
        };
        result.inspect_err(|e| notes.error(std::any::type_name::<V::Value>(), e))
    }

    /// `zero` stands for null.
    fn visit_or<'de, V: Visitor<'de>>(mut self, zero: Node<'static>, v: V) -> Result<V::Value, Error> {
        if matches!(self.node, Node::Null) {
            self.node = zero;
        }
        self.visit(v, false)
    }
}

macro_rules! with_zero {
    ($zero:expr => $($method:ident),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, v: V) -> Result<V::Value, Error> {
            self.visit_or($zero, v)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Typed<'_, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, v: V) -> Result<V::Value, Error> {
        self.visit(v, false)
    }
    with_zero!(Node::Bool(false) => deserialize_bool);
    with_zero!(Node::Unsigned(0) =>
        deserialize_i8, deserialize_i16, deserialize_i32, deserialize_i64, deserialize_u8, deserialize_u16,
        deserialize_u32, deserialize_u64, deserialize_f32, deserialize_f64,
    );
    with_zero!(Node::String(Cow::Borrowed("")) =>
        deserialize_char, deserialize_string, deserialize_bytes, deserialize_byte_buf,
        deserialize_identifier,
    );
    with_zero!(Node::Array(Vec::new()) => deserialize_seq);
    with_zero!(Node::Object(Vec::new()) => deserialize_map);
    with_zero!(Node::Null => deserialize_unit);

    fn deserialize_str<V: Visitor<'de>>(mut self, v: V) -> Result<V::Value, Error> {
        if let Node::String(text) = &mut self.node
            && std::any::type_name::<V::Value>().ends_with("::ByteString")
        {
            if let Some(error) = go_error::base64(text.as_bytes()) {
                self.notes.error.get_or_insert_with(|| error.clone());
                return Err(Error(error));
            }
            // Go reads base64 that is broken into lines: a block scalar ends with one.
            if text.contains(['\r', '\n']) {
                text.to_mut().retain(|c| !matches!(c, '\r' | '\n'));
            }
        }
        self.visit_or(Node::String(Cow::Borrowed("")), v)
    }
    fn deserialize_option<V: Visitor<'de>>(self, v: V) -> Result<V::Value, Error> {
        match self.node {
            Node::Null => v.visit_none(),
            node => v.visit_some(Typed { node, notes: self.notes }),
        }
    }
    fn deserialize_ignored_any<V: Visitor<'de>>(self, v: V) -> Result<V::Value, Error> {
        if self.notes.unknown.len() < STRICT_ERRORS_MAX {
            self.notes.unknown.push(format!("unknown field {:?}", self.notes.path));
        }
        v.visit_unit()
    }
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, v: V) -> Result<V::Value, Error> {
        self.visit(v, false)
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, v: V) -> Result<V::Value, Error> {
        let notes = self.notes;
        let kept = go_error::keeps_text(name).then(|| self.node.clone());
        let known = notes.error.is_some();
        v.visit_newtype_struct(Typed { node: self.node, notes: &mut *notes }).inspect_err(|_| {
            if let (Some(node), false) = (kept, known) {
                notes.error = Some(go_error::time(name, &node));
            }
        })
    }
    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, v: V) -> Result<V::Value, Error> {
        self.visit(v, false)
    }
    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, v: V) -> Result<V::Value, Error> {
        self.visit(v, false)
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        v: V,
    ) -> Result<V::Value, Error> {
        let Typed { node, notes } = self;
        let node = if matches!(node, Node::Null) { Node::Object(Vec::new()) } else { node };
        if matches!(node, Node::Object(_)) {
            notes.structs.push(name);
            let result = Typed { node, notes: &mut *notes }.visit(v, true);
            notes.structs.pop();
            return result;
        }
        // What stands here in place of an object is told of the struct around it.
        Typed { node, notes }.visit(v, true)
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        v: V,
    ) -> Result<V::Value, Error> {
        match self.node {
            Node::String(s) => v.visit_enum(s.into_deserializer()),
            _ => Err(de::Error::custom("invalid type: expected a string")),
        }
    }
}

struct Elements<'n, 'a> {
    list: std::vec::IntoIter<Node<'a>>,
    index: usize,
    notes: &'n mut Notes,
}

impl<'de> SeqAccess<'de> for Elements<'_, '_> {
    type Error = Error;
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(node) = self.list.next() else { return Ok(None) };
        let length = self.notes.path.len();
        // Writing to a string cannot fail.
        let _ = fmt::Write::write_fmt(&mut self.notes.path, format_args!("[{}]", self.index));
        self.index += 1;
        let value = seed.deserialize(Typed { node, notes: &mut *self.notes })?;
        self.notes.path.truncate(length);
        Ok(Some(value))
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.list.len())
    }
}

struct Fields<'n, 'a> {
    fields: std::vec::IntoIter<(Cow<'a, str>, Node<'a>)>,
    next: Option<(Cow<'a, str>, Node<'a>)>,
    in_struct: bool,
    notes: &'n mut Notes,
}

fn push(path: &mut String, key: &str) -> usize {
    let length = path.len();
    if length > 0 {
        path.push('.');
    }
    path.push_str(key);
    length
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = Error;
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.next = self.fields.next();
        let Some((key, _)) = &self.next else { return Ok(None) };
        let key = Node::String(Cow::Borrowed(&**key));
        seed.deserialize(Typed { node: key, notes: &mut *self.notes }).map(Some)
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let (key, node) = self.next.take().unwrap_or((Cow::Borrowed(""), Node::Null));
        let path = push(&mut self.notes.path, &key);
        let fields = if self.in_struct { push(&mut self.notes.fields, &key) } else { self.notes.fields.len() };
        let value = seed.deserialize(Typed { node, notes: &mut *self.notes })?;
        self.notes.path.truncate(path);
        self.notes.fields.truncate(fields);
        Ok(value)
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.fields.len())
    }
}
