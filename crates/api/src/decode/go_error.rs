//! A wrong type in the words of Go's JSON decoder: `json: cannot unmarshal string into Go struct field
//! DeploymentSpec.spec.replicas of type int32`.
//!
//! Runs only when decoding failed: the text is decoded a second time through a wrapper that remembers the
//! structs and fields on the way to the first error. Models `encoding/json.UnmarshalTypeError`.

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::cell::RefCell;
use std::fmt;

/// `None` when the text decodes after all.
pub fn explain<T: DeserializeOwned>(json: &[u8]) -> Option<String> {
    let trace = RefCell::new(Trace::default());
    let mut de = serde_json::Deserializer::from_slice(json);
    T::deserialize(Wrap { inner: &mut de, trace: &trace }).err()?;
    trace.into_inner().found
}

#[derive(Default)]
struct Trace {
    structs: Vec<&'static str>,
    fields: Vec<String>,
    key: String,
    found: Option<String>,
}

impl Trace {
    /// The innermost error is noted first and wins. `target` is the Rust type that was wanted.
    fn note(&mut self, target: &str, error: &str) {
        if self.found.is_none() {
            self.found = Some(self.text(target, error));
        }
    }

    fn text(&self, target: &str, error: &str) -> String {
        let go = go_type(target);
        if (go == "v1.Time" || go == "v1.MicroTime")
            && let Some(text) = quoted(error)
        {
            let layout = if go == "v1.Time" { "2006-01-02T15:04:05Z07:00" } else { "2006-01-02T15:04:05.000000Z07:00" };
            return format!("parsing time {text:?} as {layout:?}: cannot parse {text:?} as \"2006\"");
        }
        if go == "resource.Quantity" {
            return meta::quantity::ParseQuantityError.to_string();
        }
        let value = go_value(error, &go);
        if go == "intstr.IntOrString" {
            return format!("json: cannot unmarshal {value} into Go value of type int32");
        }
        match self.structs.last() {
            Some(name) if !self.fields.is_empty() => {
                format!(
                    "json: cannot unmarshal {value} into Go struct field {name}.{} of type {go}",
                    self.fields.join(".")
                )
            }
            _ => format!("json: cannot unmarshal {value} into Go value of type {go}"),
        }
    }
}

/// The string between the first pair of double quotes.
fn quoted(error: &str) -> Option<&str> {
    let (_, rest) = error.split_once('"')?;
    rest.split_once('"').map(|(s, _)| s)
}

/// What Go calls the JSON value that serde describes.
fn go_value(error: &str, go: &str) -> String {
    let rest =
        error.split_once("invalid type: ").or_else(|| error.split_once("invalid value: ")).map_or(error, |p| p.1);
    let literal = rest.split('`').nth(1);
    match rest.split([' ', ',']).next().unwrap_or("") {
        "string" | "character" => "string".into(),
        "boolean" => "bool".into(),
        "map" => "object".into(),
        "sequence" => "array".into(),
        "null" | "unit" => "null".into(),
        // Go names the number when the number, not its being one, is what does not fit.
        "integer" | "floating" | "number" => match literal {
            Some(l) if go.starts_with("int") => format!("number {l}"),
            _ => "number".into(),
        },
        _ => "string".into(),
    }
}

/// `alloc::vec::Vec<k8s_openapi::…::Container>` is `[]v1.Container`.
fn go_type(rust: &str) -> String {
    if let Some((outer, inner)) = rust.strip_suffix('>').and_then(|r| r.split_once('<')) {
        return match outer.rsplit("::").next().unwrap_or("") {
            "Vec" => format!("[]{}", go_type(inner)),
            "BTreeMap" => {
                let (k, v) = inner.split_once(", ").unwrap_or(("", inner));
                format!("map[{}]{}", go_type(k), go_type(v))
            }
            _ => go_type(inner),
        };
    }
    let name = rust.rsplit("::").next().unwrap_or(rust);
    match name {
        "String" | "str" => "string".into(),
        "i32" => "int32".into(),
        "i64" => "int64".into(),
        "f64" => "float64".into(),
        "bool" => "bool".into(),
        "ByteString" => "[]uint8".into(),
        "Quantity" => "resource.Quantity".into(),
        "IntOrString" => "intstr.IntOrString".into(),
        _ => format!("v1.{name}"),
    }
}

struct Wrap<'t, D> {
    inner: D,
    trace: &'t RefCell<Trace>,
}

macro_rules! forward {
    ($($method:ident),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, v: V) -> Result<V::Value, D::Error> {
            let trace = self.trace;
            self.inner.$method(WrapVisitor { inner: v, trace, in_struct: false }).inspect_err(|e| {
                trace.borrow_mut().note(std::any::type_name::<V::Value>(), &e.to_string());
            })
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Wrap<'_, D> {
    type Error = D::Error;
    forward!(
        deserialize_any,
        deserialize_bool,
        deserialize_i8,
        deserialize_i16,
        deserialize_i32,
        deserialize_i64,
        deserialize_u8,
        deserialize_u16,
        deserialize_u32,
        deserialize_u64,
        deserialize_f32,
        deserialize_f64,
        deserialize_char,
        deserialize_str,
        deserialize_string,
        deserialize_bytes,
        deserialize_byte_buf,
        deserialize_option,
        deserialize_unit,
        deserialize_seq,
        deserialize_map,
        deserialize_identifier,
        deserialize_ignored_any,
    );
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, v: V) -> Result<V::Value, D::Error> {
        self.deserialize_unit(v)
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, v: V) -> Result<V::Value, D::Error> {
        let trace = self.trace;
        self.inner.deserialize_newtype_struct(name, WrapVisitor { inner: v, trace, in_struct: false }).inspect_err(
            |e| {
                trace.borrow_mut().note(std::any::type_name::<V::Value>(), &e.to_string());
            },
        )
    }
    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, v: V) -> Result<V::Value, D::Error> {
        self.deserialize_seq(v)
    }
    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, v: V) -> Result<V::Value, D::Error> {
        self.deserialize_seq(v)
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        v: V,
    ) -> Result<V::Value, D::Error> {
        let trace = self.trace;
        trace.borrow_mut().structs.push(name);
        let result = self.inner.deserialize_struct(name, fields, WrapVisitor { inner: v, trace, in_struct: true });
        let mut t = trace.borrow_mut();
        t.structs.pop();
        result.inspect_err(|e| t.note(std::any::type_name::<V::Value>(), &e.to_string()))
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        v: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, v)
    }
}

struct WrapVisitor<'t, V> {
    inner: V,
    trace: &'t RefCell<Trace>,
    in_struct: bool,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for WrapVisitor<'_, V> {
    type Value = V::Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }
    fn visit_bool<E: Error>(self, v: bool) -> Result<V::Value, E> {
        self.inner.visit_bool(v)
    }
    fn visit_i64<E: Error>(self, v: i64) -> Result<V::Value, E> {
        self.inner.visit_i64(v)
    }
    fn visit_u64<E: Error>(self, v: u64) -> Result<V::Value, E> {
        self.inner.visit_u64(v)
    }
    fn visit_f64<E: Error>(self, v: f64) -> Result<V::Value, E> {
        self.inner.visit_f64(v)
    }
    fn visit_str<E: Error>(self, v: &str) -> Result<V::Value, E> {
        // Keys pass here too; remembering every string is simpler than telling keys apart.
        self.trace.borrow_mut().key = v.into();
        self.inner.visit_str(v)
    }
    fn visit_borrowed_str<E: Error>(self, v: &'de str) -> Result<V::Value, E> {
        self.trace.borrow_mut().key = v.into();
        self.inner.visit_borrowed_str(v)
    }
    fn visit_string<E: Error>(self, v: String) -> Result<V::Value, E> {
        self.inner.visit_string(v)
    }
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Wrap { inner: d, trace: self.trace })
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Wrap { inner: d, trace: self.trace })
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(WrapAccess { inner: seq, trace: self.trace, in_struct: false })
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(WrapAccess { inner: map, trace: self.trace, in_struct: self.in_struct })
    }
}

struct WrapAccess<'t, A> {
    inner: A,
    trace: &'t RefCell<Trace>,
    in_struct: bool,
}

struct WrapSeed<'t, S> {
    inner: S,
    trace: &'t RefCell<Trace>,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for WrapSeed<'_, S> {
    type Value = S::Value;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Wrap { inner: d, trace: self.trace })
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for WrapAccess<'_, A> {
    type Error = A::Error;
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_element_seed(WrapSeed { inner: seed, trace: self.trace })
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WrapAccess<'_, A> {
    type Error = A::Error;
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_key_seed(WrapSeed { inner: seed, trace: self.trace })
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        if self.in_struct {
            let mut t = self.trace.borrow_mut();
            let key = t.key.clone();
            t.fields.push(key);
        }
        let value = self.inner.next_value_seed(WrapSeed { inner: seed, trace: self.trace })?;
        if self.in_struct {
            self.trace.borrow_mut().fields.pop();
        }
        Ok(value)
    }
}
