//! Types of whole objects in programs. Models `k8s.io/apiserver/pkg/cel/common/schemas.go` over the definitions of built-in kinds,
//! which `schema.txt` holds.

use crate::kinds::customresourcedefinition;
use crate::registration::KindRef;
use cel::{Declared, Shape};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::OnceLock;

/// What OpenAPI says of the types of built-in kinds, and how their parts are merged. One type a line: its name (with `!`: it
/// goes as one when it is merged), then its fields as Go declares them, `name:type`. A type is `n`umber, `s`tring, `b`oolean,
/// b`y`tes, a `t`ime, an `i`nteger or string, a `q`uantity, `atomic` or `deduced` (anything), or the name of another. Before
/// it: `<` a map of it, `<=` a map that goes as one, `[` a list that goes as one, `[=` a set, `[a,b]` a list merged by those
/// keys, `+` what is always there, if only as null. After it: `=` and the default.
pub const SCHEMA: &str = include_str!("schema.txt");

/// `apps.v1.Deployment`: as OpenAPI names the type, without what all have in common.
pub fn type_name(group: &str, version: &str, kind: &str) -> String {
    let package = if group.is_empty() { "core" } else { group.split('.').next().unwrap_or(group) };
    format!("{package}.{version}.{kind}")
}

/// The type of a kind's objects; `None`: nothing is known of it.
pub fn declared(kind: KindRef) -> Option<Rc<Declared>> {
    let mut types = Types::default();
    let Some(custom) = kind.custom else {
        return types.named(&type_name(kind.group, kind.version, kind.kind));
    };
    let own = customresourcedefinition::declared(&custom.schema)?;
    let Shape::Object(fields) = &own.shape else { return Some(own) };
    let mut fields = fields.clone();
    fields.insert("metadata".into(), types.named("meta.v1.ObjectMeta")?);
    Some(plain(Shape::Object(fields)))
}

fn lines() -> &'static BTreeMap<&'static str, &'static str> {
    static LINES: OnceLock<BTreeMap<&'static str, &'static str>> = OnceLock::new();
    LINES.get_or_init(|| {
        let split = |line: &'static str| line.split_once(' ').unwrap_or((line, ""));
        SCHEMA.lines().map(split).map(|(name, fields)| (name.trim_end_matches('!'), fields)).collect()
    })
}

/// Nobody asks how large values become.
fn plain(shape: Shape) -> Rc<Declared> {
    Rc::new(Declared { shape, max_elements: 0, min_size: 0 })
}

/// Each is made once.
#[derive(Default)]
struct Types(BTreeMap<&'static str, Rc<Declared>>);

impl Types {
    fn named(&mut self, name: &str) -> Option<Rc<Declared>> {
        let (name, fields) = lines().get_key_value(name)?;
        if let Some(made) = self.0.get(name) {
            return Some(made.clone());
        }
        let mut made = BTreeMap::new();
        for (name, of) in fields.split(' ').filter_map(|f| f.split_once(':')) {
            if let (Some(name), Some(of)) = (cel::escaped(name), self.of(of.trim_start_matches('+'))) {
                made.insert(name, of);
            }
        }
        let made = plain(Shape::Object(made));
        self.0.insert(name, made.clone());
        Some(made)
    }

    /// `None`: programs do not see it.
    fn of(&mut self, word: &'static str) -> Option<Rc<Declared>> {
        if let Some(rest) = word.strip_prefix('<') {
            return Some(plain(Shape::Map(self.of(rest.trim_start_matches('='))?)));
        }
        if let Some(rest) = word.strip_prefix('[') {
            let rest = rest.split_once(']').map_or(rest, |(_, rest)| rest);
            return Some(plain(Shape::List(self.of(rest.trim_start_matches('='))?)));
        }
        let name = word.split('=').next().unwrap_or("");
        Some(plain(match name {
            "n" => Shape::Int,
            "s" => Shape::Text,
            "b" => Shape::Bool,
            "y" => Shape::Bytes,
            "t" => Shape::Timestamp,
            "i" => Shape::Dyn,
            // OpenAPI gives it one of two types, which this is none of.
            "q" => return None,
            "atomic" | "deduced" => Shape::Object(BTreeMap::new()),
            name => return self.named(name),
        }))
    }
}
