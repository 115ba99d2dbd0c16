//! Typed objects as Go writes them: the fields of a struct in the order of its declaration, and with `null` what is nil and has
//! no `omitempty`. Both are told by [`crate::declared::SCHEMA`] and `order.txt`. Models `encoding/json` over `k8s.io/api`'s types.

use crate::declared::SCHEMA;
use serde::ser::{self, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::OnceLock;

/// Types of which nothing but their fields' order is to be known: see [`crate::declared::SCHEMA`] for how they are written.
const ORDER: &str = include_str!("order.txt");

/// A struct's field.
struct Field {
    name: &'static str,
    /// Its place in the declaration.
    rank: u8,
    /// The struct that it, or what it is a list or map of, is.
    of: Option<u16>,
    /// Written as null when it is nil. An empty list has gone through protobuf in the store, and is nil.
    null: bool,
}

/// In alphabetical order, nearly as serializers name them.
struct Struct {
    fields: Vec<Field>,
    nulls: bool,
}

#[derive(Default)]
struct Structs {
    all: Vec<Struct>,
    names: BTreeMap<&'static str, u16>,
}

fn structs() -> &'static Structs {
    static STRUCTS: OnceLock<Structs> = OnceLock::new();
    STRUCTS.get_or_init(|| {
        let lines = || SCHEMA.lines().chain(ORDER.lines()).map(|l| l.split_once(' ').unwrap_or((l, "")));
        let names: BTreeMap<_, _> = lines().zip(0u16..).map(|((n, _), i)| (n.trim_end_matches('!'), i)).collect();
        let all = lines().map(|(_, fields)| Struct::of(fields, &names)).collect();
        Structs { all, names }
    })
}

impl Struct {
    fn of(words: &'static str, names: &BTreeMap<&'static str, u16>) -> Struct {
        let words = words.split(' ').filter_map(|w| w.split_once(':'));
        let mut fields: Vec<_> = words
            .zip(0u8..)
            .map(|((name, word), rank)| {
                let list = word.starts_with("+[");
                let (always, word) = word.strip_prefix('+').map_or((false, word), |w| (true, w));
                let word = word.rsplit([']', '[', '<']).next().unwrap_or("").trim_start_matches('=');
                let of = names.get(word.split('=').next().unwrap_or("")).copied();
                // Go's structs are never nil.
                Field { name, rank, of, null: always && (list || of.is_none()) }
            })
            .collect();
        fields.sort_by_key(|f| f.name);
        let nulls = fields.iter().any(|f| f.null);
        Struct { fields, nulls }
    }
}

/// The object's JSON; `root` names its type as OpenAPI does, see [`crate::declared::type_name`].
pub fn json(object: &impl Serialize, root: &str) -> Vec<u8> {
    let mut out = Out::default();
    let of = structs().names.get(root).copied();
    // Writing to memory cannot fail.
    let _ = object.serialize(At { out: &mut out, of });
    out.json
}

/// JSON with what Go's encoder escapes beside what has to be: HTML's characters, and two ends of a line that JavaScript of old
/// did not take. They stand in strings only. Models `encoding/json`'s `escapeHTML`.
pub fn escape_html(json: Vec<u8>) -> Vec<u8> {
    let separator = |rest: &[u8]| rest.starts_with(b"\xe2\x80\xa8") || rest.starts_with(b"\xe2\x80\xa9");
    let special = |i: usize| match json[i] {
        b'<' | b'>' | b'&' => true,
        0xe2 => separator(&json[i..]),
        _ => false,
    };
    let Some(first) = (0..json.len()).find(|i| special(*i)) else { return json };
    let mut out = Vec::with_capacity(json.len() + 64);
    out.extend_from_slice(&json[..first]);
    let mut i = first;
    while let Some(b) = json.get(i) {
        let (text, length): (&[u8], usize) = match b {
            b'<' => (b"\\u003c", 1),
            b'>' => (b"\\u003e", 1),
            b'&' => (b"\\u0026", 1),
            0xe2 if separator(&json[i..]) => (if json[i + 2] == 0xa8 { b"\\u2028" } else { b"\\u2029" }, 3),
            _ => (&json[i..=i], 1),
        };
        out.extend_from_slice(text);
        i += length;
    }
    out
}

#[derive(Default)]
struct Out {
    json: Vec<u8>,
    /// Of the structs that are being written, which bytes each field has: its place, from, to.
    marks: Vec<(u8, u32, u32)>,
    spare: Vec<u8>,
}

impl Out {
    fn plain(&mut self, v: &(impl Serialize + ?Sized)) {
        let _ = serde_json::to_writer(&mut self.json, v);
    }
    /// A field's, in which nothing has to be escaped.
    fn name(&mut self, name: &str) {
        self.json.push(b'"');
        self.json.extend_from_slice(name.as_bytes());
        self.json.extend_from_slice(b"\":");
    }
    fn here(&self) -> u32 {
        u32::try_from(self.json.len()).unwrap_or(u32::MAX)
    }
    fn comma(&mut self, opening: u8) {
        if self.json.last() != Some(&opening) {
            self.json.push(b',');
        }
    }

    /// The fields since `base` as they are declared.
    fn put_in_order(&mut self, base: usize) {
        let marks = &mut self.marks[base..];
        if marks.is_sorted_by_key(|m| m.0) {
            return;
        }
        let Some(start) = marks.iter().map(|m| m.1 as usize).min() else { return };
        // Stable: what nobody knows stays as it comes.
        marks.sort_by_key(|m| m.0);
        self.spare.clear();
        for (_, from, to) in marks {
            if !self.spare.is_empty() {
                self.spare.push(b',');
            }
            self.spare.extend_from_slice(&self.json[*from as usize..*to as usize]);
        }
        self.json.truncate(start);
        self.json.extend_from_slice(&self.spare);
    }
}

/// Where a value is written, and the struct that it, or what is in it, is known to be.
struct At<'a> {
    out: &'a mut Out,
    of: Option<u16>,
}

/// What is written between brackets.
struct Within<'a> {
    out: &'a mut Out,
    of: Option<u16>,
}

struct Fields<'a> {
    out: &'a mut Out,
    of: Option<&'static Struct>,
    base: usize,
    /// Where among the struct's fields the next one is likely to be.
    next: usize,
}

macro_rules! plain {
    ($($name:ident $of:ty,)*) => { $(fn $name(self, v: $of) -> Result<(), Error> {
        self.out.plain(&v);
        Ok(())
    })* };
}

impl<'a> Serializer for At<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Within<'a>;
    type SerializeTuple = ser::Impossible<(), Error>;
    type SerializeTupleStruct = ser::Impossible<(), Error>;
    type SerializeTupleVariant = ser::Impossible<(), Error>;
    type SerializeMap = Within<'a>;
    type SerializeStruct = Fields<'a>;
    type SerializeStructVariant = ser::Impossible<(), Error>;

    plain! {
        serialize_bool bool, serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64,
        serialize_char char, serialize_str &str, serialize_bytes &[u8],
    }
    fn serialize_f32(self, v: f32) -> Result<(), Error> {
        self.serialize_f64(f64::from(v))
    }
    /// Whole floats without a point: the bounds in schemas are floats.
    fn serialize_f64(self, f: f64) -> Result<(), Error> {
        let text = if f.fract() == 0.0 && f.abs() < 1e15 { format!("{f:.0}") } else { format!("{f}") };
        self.out.json.extend_from_slice(text.as_bytes());
        Ok(())
    }
    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }
    fn serialize_some<T: ?Sized + Serialize>(self, v: &T) -> Result<(), Error> {
        v.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Error> {
        self.out.json.extend_from_slice(b"null");
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, v: &T) -> Result<(), Error> {
        v.serialize(self)
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        v: &T,
    ) -> Result<(), Error> {
        let mut map = self.serialize_map(Some(1))?;
        ser::SerializeMap::serialize_entry(&mut map, variant, v)?;
        ser::SerializeMap::end(map)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Within<'a>, Error> {
        self.out.json.push(b'[');
        Ok(Within { out: self.out, of: self.of })
    }
    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        Err(Error)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        Err(Error)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(Error)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Within<'a>, Error> {
        self.out.json.push(b'{');
        Ok(Within { out: self.out, of: self.of })
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields<'a>, Error> {
        self.out.json.push(b'{');
        let of = self.of.and_then(|i| structs().all.get(usize::from(i)));
        let base = self.out.marks.len();
        Ok(Fields { out: self.out, of, base, next: 0 })
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(Error)
    }
}

impl ser::SerializeSeq for Within<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_element<T: ?Sized + Serialize>(&mut self, v: &T) -> Result<(), Error> {
        self.out.comma(b'[');
        v.serialize(At { out: self.out, of: self.of })
    }
    fn end(self) -> Result<(), Error> {
        self.out.json.push(b']');
        Ok(())
    }
}

impl ser::SerializeMap for Within<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Error> {
        self.out.comma(b'{');
        key.serialize(At { out: self.out, of: None })
    }
    fn serialize_value<T: ?Sized + Serialize>(&mut self, v: &T) -> Result<(), Error> {
        self.out.json.push(b':');
        v.serialize(At { out: self.out, of: self.of })
    }
    fn end(self) -> Result<(), Error> {
        self.out.json.push(b'}');
        Ok(())
    }
}

impl Fields<'_> {
    fn field(&mut self, name: &str) -> Option<&'static Field> {
        let fields = &self.of?.fields;
        let (before, after) = fields.split_at(self.next.min(fields.len()));
        let found = after.iter().chain(before).position(|f| f.name == name)?;
        self.next = (self.next + found) % fields.len() + 1;
        fields.get(self.next - 1)
    }
}

/// Where a field stands in a struct that nobody has described.
fn usual_rank(name: &str) -> u8 {
    match name {
        "kind" => 0,
        "apiVersion" => 1,
        "metadata" => 2,
        _ => u8::MAX,
    }
}

impl ser::SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, v: &T) -> Result<(), Error> {
        let field = self.field(name);
        self.out.comma(b'{');
        let from = self.out.here();
        self.out.name(name);
        let value = self.out.json.len();
        let of = match field {
            Some(f) => f.of,
            None if name == "metadata" => structs().names.get("meta.v1.ObjectMeta").copied(),
            None => None,
        };
        v.serialize(At { out: self.out, of })?;
        if field.is_some_and(|f| f.null) && matches!(&self.out.json[value..], b"[]" | b"{}") {
            self.out.json.truncate(value);
            self.out.json.extend_from_slice(b"null");
        }
        let rank = field.map_or_else(|| usual_rank(name), |f| f.rank);
        let mark = (rank, from, self.out.here());
        self.out.marks.push(mark);
        Ok(())
    }
    fn end(self) -> Result<(), Error> {
        let Fields { out, of, base, .. } = self;
        for f in of.iter().filter(|s| s.nulls).flat_map(|s| &s.fields).filter(|f| f.null) {
            if out.marks[base..].iter().all(|m| m.0 != f.rank) {
                out.comma(b'{');
                let from = out.here();
                out.name(f.name);
                out.json.extend_from_slice(b"null");
                let mark = (f.rank, from, out.here());
                out.marks.push(mark);
            }
        }
        out.put_in_order(base);
        out.marks.truncate(base);
        out.json.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests;
