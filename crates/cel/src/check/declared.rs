//! Types that a schema declares, and how large their values may become. Models `k8s.io/apiserver/pkg/cel/types.go`.

use super::Type;
use crate::parse::is_reserved;
use std::collections::BTreeMap;
use std::rc::Rc;

#[derive(Clone, Debug)]
pub struct Declared {
    pub shape: Shape,
    /// The most elements, entries or bytes that a value may have; 0 for what has no size.
    pub max_elements: u64,
    /// The shortest JSON of a value, in bytes.
    pub min_size: u64,
}

#[derive(Clone, Debug)]
pub enum Shape {
    Dyn,
    Bool,
    Int,
    Double,
    Text,
    Bytes,
    Duration,
    Timestamp,
    List(Rc<Declared>),
    /// Of texts to these.
    Map(Rc<Declared>),
    /// Fields under their escaped names.
    Object(BTreeMap<String, Rc<Declared>>),
}

impl Declared {
    /// As a type of programs; objects in it are called after the way to them, which begins with `name`.
    pub fn named(self: &Rc<Self>, name: &str) -> Type {
        match &self.shape {
            Shape::Dyn => Type::Dyn,
            Shape::Bool => Type::Bool,
            Shape::Int => Type::Int,
            Shape::Double => Type::Double,
            Shape::Text => Type::Text,
            Shape::Bytes => Type::Bytes,
            Shape::Duration => Type::Duration,
            Shape::Timestamp => Type::Timestamp,
            Shape::List(of) => Type::list(of.named(&format!("{name}.@idx"))),
            Shape::Map(of) => Type::map(Type::Text, of.named(&format!("{name}.@elem"))),
            Shape::Object(_) => Type::Object(name.into(), Rc::new(Fields::Declared(self.clone()))),
        }
    }
}

/// What the fields of a named object are.
#[derive(Debug)]
pub enum Fields {
    Declared(Rc<Declared>),
    Types(BTreeMap<String, Type>),
}

impl Fields {
    /// The type of a field of an object that is called `name`.
    pub(super) fn of(&self, name: &str, field: &str) -> Option<Type> {
        match self {
            Fields::Types(fields) => fields.get(field).cloned(),
            Fields::Declared(declared) => {
                let Shape::Object(fields) = &declared.shape else { return None };
                let plain = fields.get_key_value(field);
                // A word of the language will do where it can only be a field.
                let found = plain.or_else(|| fields.get_key_value(&escaped(field).filter(|_| is_reserved(field))?));
                found.map(|(field, of)| of.named(&format!("{name}.{field}")))
            }
        }
    }
}

/// What programs call a field; `None`: they cannot. Models `cel.Escape`.
pub fn escaped(name: &str) -> Option<String> {
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if is_reserved(name) {
        return Some(format!("__{name}__"));
    }
    let (mut out, mut rest) = (String::new(), name);
    while let Some(c) = rest.chars().next() {
        let (part, len) = match c {
            '_' if rest.starts_with("__") => ("__underscores__", 2),
            '.' => ("__dot__", 1),
            '-' => ("__dash__", 1),
            '/' => ("__slash__", 1),
            c if c.is_ascii_alphanumeric() || c == '_' => (&rest[..1], 1),
            _ => return None,
        };
        out.push_str(part);
        rest = &rest[len..];
    }
    Some(out)
}
