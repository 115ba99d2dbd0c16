//! What a program may cost at most, before it runs. Models cel-go's `checker/cost.go`.

use super::Declared;
use super::checker::Types;
use super::declared::Shape;
use super::expand::{GATHERED, Loop, Part, Tree};
use super::{Type, call_cost};
use crate::parse::Expr;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Characters of a number, a truth value or a time at most.
const NUMBER_TEXT_MAX: u64 = 40;
/// Per character of a text that is gone through.
pub(super) const TEXT_FACTOR: f64 = 0.1;
/// Per character of a regular expression.
pub(super) const PATTERN_FACTOR: f64 = 0.25;
pub(super) const LIST_COST: u64 = 10;
const MAP_COST: u64 = 30;

/// From the least to the most: how large something is, or what it costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub min: u64,
    pub max: u64,
}

impl Span {
    pub const UNKNOWN: Span = Span { min: 0, max: u64::MAX };

    pub fn new(min: u64, max: u64) -> Span {
        Span { min, max }
    }
    pub fn fixed(n: u64) -> Span {
        Span { min: n, max: n }
    }
    pub fn plus(self, other: Span) -> Span {
        Span { min: self.min.saturating_add(other.min), max: self.max.saturating_add(other.max) }
    }
    pub fn times(self, other: Span) -> Span {
        Span { min: self.min.saturating_mul(other.min), max: self.max.saturating_mul(other.max) }
    }
    /// Rounded up.
    pub fn scaled(self, factor: f64) -> Span {
        Span { min: scaled(self.min, factor), max: scaled(self.max, factor) }
    }
    pub fn or(self, other: Span) -> Span {
        Span { min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}

fn scaled(n: u64, factor: f64) -> u64 {
    let n = n as f64;
    if n > 0.0 && factor > 0.0 && n > u64::MAX as f64 / factor {
        return u64::MAX;
    }
    // What is above the largest number becomes it.
    (n * factor).ceil() as u64
}

/// How large the keys and the values of a container are.
#[derive(Clone, Copy)]
struct Entries {
    is_list: bool,
    key: Span,
    value: Span,
}

fn either(a: Option<Entries>, b: Option<Entries>) -> Option<Entries> {
    let (a, b) = (a?, b?);
    Some(Entries { is_list: a.is_list, key: a.key.or(b.key), value: a.value.or(b.value) })
}

/// A way from a variable to a value: names of fields, `@items`, `@keys`, `@values`; empty if there is none.
type Way = Vec<String>;

struct Local {
    name: String,
    way: Way,
    size: Option<Span>,
    entries: Option<Entries>,
}

/// An argument or a target, and what is known of it.
pub(super) struct Given<'a> {
    pub tree: &'a Tree,
    pub t: &'a Type,
    pub way: Way,
    pub size: Option<Span>,
}

/// What a call costs beside its arguments, and how large its result is if that is known.
pub(super) struct Call {
    pub cost: Span,
    pub size: Option<Span>,
}

pub(super) struct Coster<'a> {
    types: &'a Types,
    own: &'a Rc<Declared>,
    ways: BTreeMap<usize, Way>,
    sizes: BTreeMap<usize, Span>,
    entries: BTreeMap<usize, Entries>,
    locals: Vec<Local>,
}

/// At most; `own` is what `self` is.
pub(super) fn most(tree: &Tree, types: &Types, own: &Rc<Declared>) -> u64 {
    let (ways, sizes, entries) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    Coster { types, own, ways, sizes, entries, locals: Vec::new() }.cost(tree).max
}

impl<'a> Coster<'a> {
    fn cost(&mut self, tree: &'a Tree) -> Span {
        match &tree.part {
            Part::Literal(_) => Span::fixed(0),
            Part::Name(name) => {
                let way = self.local(name).map_or_else(|| vec![name.clone()], |l| l.way.clone());
                self.ways.insert(tree.id, way);
                Span::fixed(1)
            }
            // To see whether something is there costs nothing.
            Part::Select(of, _, true) => self.cost(of),
            Part::Select(of, field, false) => {
                let cost = self.cost(of);
                self.lead(tree, of, field);
                let looks =
                    matches!(self.types.of(of), Type::Map(_) | Type::Object(..) | Type::Named(_) | Type::Var(_));
                cost.plus(Span::fixed(u64::from(looks)))
            }
            Part::Call(on, name, args) => self.call(tree, on.as_deref(), name, args),
            Part::List(items) => {
                let (mut sum, mut size) = (Span::fixed(LIST_COST), none(items.is_empty()));
                for (item, _) in items {
                    sum = sum.plus(self.cost(item));
                    size = size.or(self.size_or_unknown(item));
                }
                self.entries.insert(tree.id, Entries { is_list: true, key: Span::fixed(1), value: size });
                sum
            }
            Part::Map(all) => {
                let mut sum = Span::fixed(MAP_COST);
                let (mut key_size, mut value_size) = (none(all.is_empty()), none(all.is_empty()));
                for (key, value, _) in all {
                    sum = sum.plus(self.cost(key)).plus(self.cost(value));
                    key_size = key_size.or(self.size_or_unknown(key));
                    value_size = value_size.or(self.size_or_unknown(value));
                }
                self.entries.insert(tree.id, Entries { is_list: false, key: key_size, value: value_size });
                sum
            }
            Part::Loop(l) if is_binding(l) => {
                let sum = self.cost(&l.range).plus(self.cost(&l.start));
                self.bind(&l.gathered, &l.start);
                let sum = sum.plus(self.cost(&l.result));
                self.locals.pop();
                self.same_size(tree, &l.result);
                sum
            }
            Part::Loop(l) => self.run_loop(tree, l),
        }
    }

    fn local(&self, name: &str) -> Option<&Local> {
        self.locals.iter().rev().find(|l| l.name == name)
    }

    fn bind(&mut self, name: &str, value: &'a Tree) {
        let (way, entries, size) = (self.way(value), self.entries_of(value), self.size(value));
        self.locals.push(Local { name: name.into(), way, size, entries });
    }

    fn run_loop(&mut self, tree: &Tree, l: &'a Loop) -> Span {
        let sum = self.cost(&l.range).plus(self.cost(&l.start));
        self.bind(&l.gathered, &l.start);
        let outer = self.locals.len();
        let entries = self.entries_of(&l.range);
        let is_list = entries.map_or_else(|| matches!(self.types.of(&l.range), Type::List(_)), |e| e.is_list);
        let mut variable = |name: &str, is_key: bool| {
            let step = match (is_key, is_list) {
                (true, true) => "@indices",
                (true, false) => "@keys",
                (false, true) => "@items",
                (false, false) => "@values",
            };
            let mut way = self.way(&l.range);
            way.push(step.into());
            let size = entries.map(|e| if is_key { e.key } else { e.value });
            self.locals.push(Local { name: name.into(), way, size, entries: None });
        };
        match &l.variables {
            (first, Some(second)) => {
                variable(first, true);
                variable(second, false);
            }
            (only, None) => variable(only, !is_list),
        }
        let turn = self.cost(&l.goes_on);
        let turn = turn.plus(self.cost(&l.step));
        self.locals.truncate(outer);
        let sum = sum.plus(self.cost(&l.result));
        self.locals.pop();
        let count = self.size_or_unknown(&l.range);
        match &l.start.part {
            Part::Literal(_) => {
                if let Some(size) = self.size(&l.start) {
                    self.sizes.insert(tree.id, size);
                }
            }
            Part::List(_) | Part::Map(_) => {
                self.sizes.insert(tree.id, count);
                if let Some(entries) = self.entries_of(&l.step) {
                    self.entries.insert(tree.id, entries);
                }
            }
            _ => {}
        }
        sum.plus(count.times(turn))
    }

    fn call(&mut self, tree: &'a Tree, on: Option<&'a Tree>, name: &str, args: &'a [Tree]) -> Span {
        if let ("dyn", [arg]) = (name, args) {
            let cost = self.cost(arg);
            self.same_size(tree, arg);
            return cost.plus(Span::fixed(1));
        }
        let (mut given, mut costs) = (Vec::new(), Vec::new());
        for arg in args {
            costs.push(self.cost(arg));
            given.push(self.given(arg));
        }
        let types = self.types;
        let overloads = types.overloads(tree);
        if overloads.is_empty() {
            return Span::fixed(0);
        }
        let (mut sum, mut target) = (Span::fixed(0), None);
        if let Some(on) = on {
            sum = self.cost(on);
            target = Some(self.given(on));
        }
        let (mut most, mut size) = (Span { min: u64::MAX, max: 0 }, None::<Span>);
        for id in overloads {
            let call = self.overload(tree, name, id, target.as_ref(), &given, &costs);
            most = most.or(call.cost);
            if let Some(s) = call.size {
                size = Some(size.map_or(s, |known| known.or(s)));
            }
            if let ("index_list" | "index_map", [of, ..]) = (*id, args) {
                size = self.entries_of(of).map(|e| e.value);
                self.lead(tree, of, if *id == "index_list" { "@items" } else { "@values" });
            }
            size = size.or_else(|| self.size(tree));
        }
        if let Some(size) = size {
            self.sizes.insert(tree.id, size);
        }
        sum.plus(most)
    }

    fn overload(
        &mut self,
        tree: &Tree,
        name: &str,
        id: &str,
        target: Option<&Given>,
        args: &[Given],
        costs: &[Span],
    ) -> Call {
        let own = costs.iter().fold(Span::fixed(0), |sum, c| sum.plus(*c));
        if let Some(call) = call_cost::of(self, name, id, target, args) {
            return Call { cost: call.cost.plus(own), size: call.size };
        }
        let known = |g: &Given| g.size.unwrap_or(Span::UNKNOWN);
        let read = |g: &Given| known(g).scaled(TEXT_FACTOR);
        let just = |cost: Span| Call { cost, size: None };
        match (id, target, args) {
            ("string_format", Some(of), _) => just(read(of).plus(own)),
            ("string_to_bytes", _, [of]) => {
                let s = known(of);
                Call { cost: read(of).plus(own), size: Some(Span::new(s.min, s.max.wrapping_mul(4))) }
            }
            ("bytes_to_string", _, [of]) => {
                let s = known(of);
                Call { cost: read(of).plus(own), size: Some(Span::new(s.min / 4, s.max)) }
            }
            // Upstream knows no size of these, and would call the documentation's `'…' + string(self.maxLimit)` too expensive:
            // what it shows as working is taken.
            (
                "bool_to_string"
                | "int64_to_string"
                | "uint64_to_string"
                | "double_to_string"
                | "duration_to_string"
                | "timestamp_to_string",
                ..,
            ) => Call { cost: Span::fixed(1).plus(own), size: Some(Span::new(1, NUMBER_TEXT_MAX)) },
            ("strings_quote", _, [of]) => {
                let s = known(of);
                let size = Span::new(s.min.wrapping_add(2), s.max.wrapping_mul(2).wrapping_add(2));
                Call { cost: read(of).plus(own), size: Some(size) }
            }
            ("starts_with_string" | "ends_with_string", _, [part]) => just(read(part).plus(own)),
            ("in_list", _, [_, list]) => just(known(list).scaled(1.0).plus(own)),
            ("matches_string", Some(of), [pattern]) => {
                // One more, so that patterns for empty texts are not free.
                let text = known(of).plus(Span::fixed(1)).scaled(TEXT_FACTOR);
                just(text.times(known(pattern).scaled(PATTERN_FACTOR)).plus(own))
            }
            ("contains_string", Some(of), [part]) => just(read(of).times(read(part)).plus(own)),
            ("logical_and" | "logical_or", ..) => match costs {
                [left, right] => just(Span::new(left.min, left.plus(*right).max)),
                _ => just(own),
            },
            ("conditional", _, [_, yes, no]) => {
                let size = known(yes).or(known(no));
                if let Some(e) = either(self.entries_of(yes.tree), self.entries_of(no.tree)) {
                    self.entries.insert(tree.id, e);
                }
                let cost = match costs {
                    [test, yes, no] => test.plus(yes.or(*no)),
                    _ => own,
                };
                Call { cost, size: Some(size) }
            }
            ("add_string" | "add_bytes" | "add_list", _, [a, b]) => {
                let size = known(a).plus(known(b));
                if let Some(e) = either(self.entries_of(a.tree), self.entries_of(b.tree)) {
                    self.entries.insert(tree.id, e);
                }
                let work = if id == "add_list" { Span::fixed(1) } else { size.scaled(TEXT_FACTOR) };
                Call { cost: work.plus(own), size: Some(size) }
            }
            (id, _, [a, b]) if is_compared(id) => {
                let max = known(a).max.min(known(b).max);
                just(Span::new(u64::from(max > 0), max).scaled(TEXT_FACTOR).plus(own))
            }
            _ => just(Span::fixed(1).plus(own)),
        }
    }

    fn way(&self, tree: &Tree) -> Way {
        if let Part::Name(name) = &tree.part
            && let Some(local) = self.local(name)
        {
            return local.way.clone();
        }
        self.ways.get(&tree.id).cloned().unwrap_or_default()
    }

    fn lead(&mut self, tree: &Tree, from: &Tree, step: &str) {
        let mut way = self.way(from);
        way.push(step.into());
        self.ways.insert(tree.id, way);
    }

    fn given(&mut self, tree: &'a Tree) -> Given<'a> {
        let mut way = self.way(tree);
        if way.first().is_some_and(|w| w == GATHERED) {
            way.clear();
        }
        Given { tree, t: self.types.of(tree), way, size: self.size(tree) }
    }

    fn same_size(&mut self, tree: &Tree, of: &Tree) {
        if let Some(size) = self.size(of) {
            self.sizes.insert(tree.id, size);
        }
        if let Some(entries) = self.entries_of(of) {
            self.entries.insert(tree.id, entries);
        }
    }

    fn size_or_unknown(&mut self, tree: &Tree) -> Span {
        self.size(tree).unwrap_or(Span::UNKNOWN)
    }

    fn size(&mut self, tree: &Tree) -> Option<Span> {
        if let Some(size) = self.sizes.get(&tree.id) {
            return Some(*size);
        }
        match &tree.part {
            Part::Literal(Expr::Text(s)) => return Some(Span::fixed(s.chars().count() as u64)),
            Part::Literal(Expr::Bytes(b)) => return Some(Span::fixed(b.len() as u64)),
            Part::Literal(_) => return Some(Span::fixed(1)),
            Part::List(items) => return Some(Span::fixed(items.len() as u64)),
            Part::Map(entries) => return Some(Span::fixed(entries.len() as u64)),
            _ => {}
        }
        if let Some(size) = self.declared(&self.way(tree)) {
            self.sizes.insert(tree.id, size);
            return Some(size);
        }
        if is_scalar(self.types.of(tree)) {
            return Some(Span::fixed(1));
        }
        match &tree.part {
            Part::Name(name) => self.local(name)?.size,
            _ => None,
        }
    }

    /// What the schema says of the size. Models `sizeEstimator.EstimateSize`.
    pub fn declared(&self, way: &[String]) -> Option<Span> {
        let (_, steps) = way.split_first()?;
        let mut at = self.own;
        for step in steps {
            at = match (&at.shape, step.as_str()) {
                (Shape::List(of) | Shape::Map(of), "@items" | "@values") => of,
                // The keys of all maps are texts without a limit.
                (Shape::Map(_), "@keys") if steps.last().is_some_and(|s| s == "@keys") => {
                    return Some(Span::fixed(0));
                }
                (Shape::Object(fields), name) => fields.get(name)?,
                _ => return None,
            };
        }
        Some(Span::new(0, at.max_elements))
    }

    fn entries_of(&self, tree: &Tree) -> Option<Entries> {
        if let Some(entries) = self.entries.get(&tree.id) {
            return Some(*entries);
        }
        match &tree.part {
            Part::Name(name) => self.local(name)?.entries,
            _ => None,
        }
    }
}

/// Of no elements yet.
fn none(is_empty: bool) -> Span {
    Span { min: if is_empty { 0 } else { u64::MAX }, max: 0 }
}

fn is_binding(l: &Loop) -> bool {
    let never = matches!(l.goes_on.part, Part::Literal(Expr::Bool(false)));
    never && matches!(&l.range.part, Part::List(items) if items.is_empty())
}

fn is_compared(id: &str) -> bool {
    let of_texts = ["less_", "greater_", "less_equals_", "greater_equals_"];
    matches!(id, "equals" | "not_equals")
        || of_texts.iter().any(|p| matches!(id.strip_prefix(p), Some("string" | "bytes")))
}

fn is_scalar(t: &Type) -> bool {
    match t {
        Type::Bool | Type::Double | Type::Duration | Type::Int | Type::Timestamp | Type::Uint => true,
        Type::Optional(of) => is_scalar(of),
        _ => false,
    }
}
