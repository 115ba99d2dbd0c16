//! Walks over values with their types in hand. Models `structured-merge-diff/typed`.

use super::path::{Element, Path, Set};
use super::schema::{Atom, List, ListKind, MapType, Scalar, Schema, TypeRef};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Errors with the path they were found at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors(Vec<String>);

impl Errors {
    fn add(&mut self, path: &[Element], why: impl std::fmt::Display) {
        let at = super::path::text(path);
        self.0.push(if at.is_empty() { why.to_string() } else { format!("{at}: {why}") });
    }
}

impl std::fmt::Display for Errors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.as_slice() {
            [one] => f.write_str(one),
            many => write!(f, "errors:\n  {}", many.join("\n  ")),
        }
    }
}

/// A value and what is known of its form.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'a> {
    pub schema: &'a Schema,
    pub of: TypeRef,
}

/// What two objects differ in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub removed: Set,
    pub modified: Set,
    pub added: Set,
}

/// Which of a type's forms a value has.
#[derive(PartialEq, Eq)]
pub(super) enum Form<'a> {
    Map(&'a MapType),
    Scalar(Scalar),
    List(&'a List),
    Nothing,
}

impl PartialEq for MapType {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}
impl Eq for MapType {}
impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}
impl Eq for List {}

/// Models `deduceAtom` with `handleAtom`.
pub(super) fn form<'a>(atom: &'a Atom, v: Option<&Value>) -> Form<'a> {
    match v {
        Some(Value::Object(_)) if atom.map.is_some() => {}
        Some(Value::Array(_)) => {
            if let Some(list) = &atom.list {
                return Form::List(list);
            }
        }
        Some(Value::Number(_) | Value::String(_) | Value::Bool(_)) => {
            if let Some(scalar) = atom.scalar {
                return Form::Scalar(scalar);
            }
        }
        _ => {}
    }
    match (&atom.map, atom.scalar, &atom.list) {
        (Some(map), _, _) => Form::Map(map),
        (None, Some(scalar), _) => Form::Scalar(scalar),
        (None, None, Some(list)) => Form::List(list),
        (None, None, None) => Form::Nothing,
    }
}

pub(super) fn object(v: Option<&Value>) -> Option<&Map<String, Value>> {
    v.and_then(Value::as_object)
}
pub(super) fn array(v: Option<&Value>) -> &[Value] {
    v.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

impl<'a> Typed<'a> {
    pub(super) fn at(self, of: TypeRef) -> Self {
        Typed { of, ..self }
    }

    /// Models `listItemToPathElement`.
    pub(super) fn element(self, list: &List, item: &Value) -> Result<Element, String> {
        let keys = match &list.kind {
            ListKind::Keyed(keys) => keys,
            ListKind::Set => {
                return match item {
                    Value::Object(_) => Err("associative list without keys has an element that's a map type".into()),
                    Value::Array(_) => Err("not supported: associative list with lists as elements".into()),
                    Value::Null => Err("associative list without keys has an element that's an explicit null".into()),
                    v => Ok(Element::Value(v.clone())),
                };
            }
            ListKind::Atomic => return Err("invalid indexing of non-associative list".into()),
        };
        let map = match item {
            Value::Object(map) => map,
            Value::Null => return Err("associative list with keys may not have a null element".into()),
            _ => return Err("associative list with keys may not have non-map elements".into()),
        };
        let fields = self.schema.atom(list.element).map.as_ref().map(|m| &m.fields);
        let default = |key: &str| fields.and_then(|f| f.get(key)?.default.clone());
        let mut found: Vec<(String, Value)> = Vec::with_capacity(keys.len());
        for key in keys {
            if let Some(v) = map.get(key).cloned().or_else(|| default(key)) {
                found.push((key.clone(), v));
            }
        }
        if found.is_empty() {
            let quoted: Vec<String> = keys.iter().map(|k| format!("{k:?}")).collect();
            return Err(format!(
                "associative list with keys has an element that omits all key fields [{}] (and doesn't have default \
                 values for any key fields)",
                quoted.join(" ")
            ));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Element::Key(found))
    }

    /// # Errors
    /// What does not fit the type; items that occur twice unless `duplicates` may be.
    pub fn validate(self, v: &Value, duplicates: bool) -> Result<(), Errors> {
        let mut errors = Errors::default();
        self.check(v, duplicates, &mut Vec::new(), &mut errors);
        if errors.0.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn check(self, v: &Value, duplicates: bool, path: &mut Path, errors: &mut Errors) {
        match form(self.schema.atom(self.of), Some(v)) {
            Form::Scalar(s) => check_scalar(s, v, path, errors),
            Form::List(list) => {
                let Value::Array(items) = v else {
                    if !v.is_null() {
                        errors.add(path, format_args!("expected list, got {}", shown(v)));
                    }
                    return;
                };
                let mut seen = std::collections::BTreeSet::new();
                for (i, item) in items.iter().enumerate() {
                    let e = if list.kind == ListKind::Atomic {
                        Element::Index(i64::try_from(i).unwrap_or(i64::MAX))
                    } else {
                        match self.element(list, item) {
                            Ok(e) => e,
                            Err(why) => return errors.add(path, format_args!("element {i}: {why}")),
                        }
                    };
                    if list.kind != ListKind::Atomic && !seen.insert(e.clone()) && !duplicates {
                        errors.add(path, format_args!("duplicate entries for key {e}"));
                    }
                    path.push(e);
                    self.at(list.element).check(item, duplicates, path, errors);
                    path.pop();
                }
            }
            Form::Map(map) => {
                let Value::Object(fields) = v else {
                    if !v.is_null() {
                        errors.add(path, format_args!("expected map, got {}", shown(v)));
                    }
                    return;
                };
                for (name, v) in fields {
                    path.push(Element::Field(name.clone()));
                    match map.fields.get(name).map(|f| f.of).or(map.element) {
                        Some(of) => self.at(of).check(v, duplicates, path, errors),
                        None => errors.add(path, "field not declared in schema"),
                    }
                    path.pop();
                }
            }
            Form::Nothing => {}
        }
    }

    /// Every field that `v` sets. Models `ToFieldSet`.
    pub fn fields(self, v: &Value) -> Set {
        let mut set = Set::default();
        self.gather(v, &mut Vec::new(), &mut set);
        set
    }

    fn gather(self, v: &Value, path: &mut Path, set: &mut Set) {
        match form(self.schema.atom(self.of), Some(v)) {
            Form::List(list) if list.kind != ListKind::Atomic => {
                let items: Vec<(Element, &Value)> =
                    array(Some(v)).iter().filter_map(|i| Some((self.element(list, i).ok()?, i))).collect();
                let mut times: BTreeMap<&Element, usize> = BTreeMap::new();
                items.iter().for_each(|(e, _)| *times.entry(e).or_default() += 1);
                for (e, item) in &items {
                    path.push(e.clone());
                    // What is there twice is owned as one.
                    if times.get(e) == Some(&1) {
                        self.at(list.element).gather(item, path, set);
                    }
                    set.insert(path);
                    path.pop();
                }
            }
            Form::Map(map) if !map.atomic => {
                for (name, v) in v.as_object().into_iter().flatten() {
                    path.push(Element::Field(name.clone()));
                    self.at(Schema::step(map, name)).gather(v, path, set);
                    let empty = v.is_null() || v.as_object().is_some_and(Map::is_empty);
                    if empty || !map.fields.contains_key(name) {
                        set.insert(path);
                    }
                    path.pop();
                }
            }
            _ => set.insert(path),
        }
    }

    /// What changed from `old` to `new`.
    pub fn compare(self, old: &Value, new: &Value) -> Comparison {
        let mut out = Comparison::default();
        self.differ(Some(old), Some(new), &mut Vec::new(), &mut out);
        out
    }

    fn differ(self, l: Option<&Value>, r: Option<&Value>, path: &mut Path, out: &mut Comparison) {
        let atom = self.schema.atom(self.of);
        let (left, right) = (form(atom, l), form(atom, r));
        let leaf = if r.is_none() {
            self.differ_as(left, l, r, path, out)
        } else {
            if l.is_some() && left != right {
                self.differ_as(left, l, r, path, out);
            }
            self.differ_as(right, l, r, path, out)
        };
        if !leaf && l.is_none() {
            out.added.insert(path);
        } else if !leaf && r.is_none() {
            out.removed.insert(path);
        }
    }

    /// Whether it was taken as one.
    fn differ_as(
        self,
        f: Form<'a>,
        l: Option<&Value>,
        r: Option<&Value>,
        path: &mut Path,
        out: &mut Comparison,
    ) -> bool {
        match f {
            Form::Map(map) => {
                let (lm, rm) = (object(l), object(r));
                let empty = |m: Option<&Map<String, Value>>| m.is_none_or(Map::is_empty);
                if !(map.atomic || empty(lm) && empty(rm)) {
                    let mine = lm.into_iter().flatten().map(|(k, v)| (k, Some(v), rm.and_then(|r| r.get(k))));
                    let theirs = rm.into_iter().flatten().filter(|(k, _)| lm.is_none_or(|l| !l.contains_key(*k)));
                    for (name, l, r) in mine.chain(theirs.map(|(k, v)| (k, None, Some(v)))) {
                        path.push(Element::Field(name.clone()));
                        self.at(Schema::step(map, name)).differ(l, r, path, out);
                        path.pop();
                    }
                    return false;
                }
            }
            Form::List(list) => {
                let (la, ra) = (array(l), array(r));
                if !(list.kind == ListKind::Atomic || la.is_empty() && ra.is_empty()) {
                    self.differ_in_items(list, la, ra, path, out);
                    return false;
                }
            }
            Form::Scalar(_) | Form::Nothing => {}
        }
        match (l, r) {
            (None, _) => out.added.insert(path),
            (_, None) => out.removed.insert(path),
            (Some(l), Some(r)) if compare_equal(l, r) => {}
            _ => out.modified.insert(path),
        }
        true
    }

    fn differ_in_items(self, list: &List, l: &[Value], r: &[Value], path: &mut Path, out: &mut Comparison) {
        let mut all: BTreeMap<Element, [Vec<&Value>; 2]> = BTreeMap::new();
        for (side, items) in [l, r].into_iter().enumerate() {
            for item in items {
                if let Ok(e) = self.element(list, item) {
                    all.entry(e).or_default()[side].push(item);
                }
            }
        }
        let of = self.at(list.element);
        for (e, [l, r]) in all {
            path.push(e);
            match (l.as_slice(), r.as_slice()) {
                ([] | [_], [] | [_]) => of.differ(l.first().copied(), r.first().copied(), path, out),
                // What is there twice is compared as one.
                ([_, _, ..], [_, _, ..]) => {
                    if l.len() != r.len() || l.iter().zip(&r).any(|(a, b)| !compare_equal(a, b)) {
                        out.modified.insert(path);
                    }
                }
                ([_, _, ..], _) => {
                    if let Some(r) = r.first() {
                        of.differ(None, Some(r), path, out);
                    }
                    out.removed.insert(path);
                }
                (_, _) => {
                    if let Some(l) = l.first() {
                        of.differ(Some(l), None, path, out);
                    }
                    out.added.insert(path);
                }
            }
            path.pop();
        }
    }

    /// `v` without `items`; what goes as one stays or goes as one. Models `RemoveItems`.
    pub fn remove(self, v: &Value, items: &Set) -> Option<Value> {
        match form(self.schema.atom(self.of), Some(v)) {
            Form::Scalar(_) => Some(v.clone()),
            Form::List(list) => {
                if list.kind == ListKind::Atomic {
                    return None;
                }
                let mut kept = Vec::new();
                for item in array(Some(v)) {
                    let e = self.element(list, item).ok();
                    if e.as_ref().is_some_and(|e| items.has_member(e)) {
                        continue;
                    }
                    kept.push(match e.and_then(|e| items.below(&e)) {
                        Some(below) => self.at(list.element).remove(item, below).unwrap_or_default(),
                        None => item.clone(),
                    });
                }
                (!kept.is_empty()).then_some(Value::Array(kept))
            }
            Form::Map(map) => {
                if map.atomic {
                    return None;
                }
                let mut kept = Map::new();
                for (name, v) in v.as_object().into_iter().flatten() {
                    let e = Element::Field(name.clone());
                    if items.has_member(&e) {
                        continue;
                    }
                    let v = match items.below(&e) {
                        Some(below) => self.at(Schema::step(map, name)).remove(v, below).unwrap_or_default(),
                        None => v.clone(),
                    };
                    kept.insert(name.clone(), v);
                }
                (!kept.is_empty()).then_some(Value::Object(kept))
            }
            Form::Nothing => None,
        }
    }

    /// With every struct field that something below is in the set of. Models `EnsureNamedFieldsAreMembers`.
    pub fn name_fields(self, set: &Set) -> Set {
        set.map(Some(self.of), &|of: Option<TypeRef>, e, member, parent| {
            let atom = of.map(|of| self.schema.atom(of));
            match (e, atom.and_then(|a| a.map.as_ref()), atom.and_then(|a| a.list.as_ref())) {
                (Element::Field(name), Some(map), _) => {
                    let field = map.fields.get(name);
                    (member || parent && field.is_some(), field.map(|f| f.of).or(map.element))
                }
                (Element::Key(_), _, Some(list)) => (member, Some(list.element)),
                _ => (member, None),
            }
        })
    }
}

/// Numbers are equal by value.
pub(super) fn compare_equal(a: &Value, b: &Value) -> bool {
    a == b || super::path::compare(a, b).is_eq()
}

fn check_scalar(s: Scalar, v: &Value, path: &[Element], errors: &mut Errors) {
    let (fits, wanted) = match s {
        Scalar::Number => (v.is_number(), "numeric (int or float)"),
        Scalar::String => (v.is_string(), "string"),
        Scalar::Bool => (v.is_boolean(), "boolean"),
        Scalar::Untyped => (!v.is_array() && !v.is_object(), "any scalar"),
    };
    if fits || v.is_null() {
        return;
    }
    let got = match s {
        Scalar::Number => meta::go::type_of(v).to_string(),
        Scalar::String => format!("&value.valueUnstructured{{Value:{}}}", shown(v)),
        _ => format!("&{{{}}}", meta::strategic::go_text(v)),
    };
    errors.add(path, format_args!("expected {wanted}, got {got}"));
}

fn shown(v: &Value) -> String {
    match v {
        Value::Array(_) | Value::Object(_) => format!("&{{{}}}", meta::strategic::go_text(v)),
        v => v.to_string(),
    }
}
