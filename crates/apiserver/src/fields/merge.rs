//! Laying one object over another. Models `structured-merge-diff/typed/merge.go`.

use super::path::Element;
use super::schema::{List, ListKind, Schema};
use super::walk::{Form, Typed, array, form, object};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

impl<'a> Typed<'a> {
    /// `config` over `live`: what `config` does not say stays.
    pub fn merge(self, live: &Value, config: &Value) -> Value {
        self.over(Some(live), Some(config)).unwrap_or_default()
    }

    fn over(self, l: Option<&Value>, r: Option<&Value>) -> Option<Value> {
        let leaf = || r.or(l).cloned();
        let atom = self.schema.atom(self.of);
        match form(atom, if r.is_some() { r } else { l }) {
            Form::Map(map) => {
                let (lm, rm) = (object(l), object(r));
                let empty = |m: Option<&Map<String, Value>>| m.is_none_or(Map::is_empty);
                if map.atomic || empty(lm) && empty(rm) {
                    return leaf();
                }
                let mut out = Map::new();
                let added = rm.into_iter().flatten().filter(|(k, _)| lm.is_none_or(|l| !l.contains_key(*k)));
                for name in lm.into_iter().flatten().chain(added).map(|(k, _)| k) {
                    let (l, r) = (lm.and_then(|m| m.get(name)), rm.and_then(|m| m.get(name)));
                    if let Some(v) = self.at(Schema::step(map, name)).over(l, r) {
                        out.insert(name.clone(), v);
                    }
                }
                (!out.is_empty()).then_some(Value::Object(out))
            }
            Form::List(list) => {
                let (la, ra) = (array(l), array(r));
                if list.kind == ListKind::Atomic || la.is_empty() && ra.is_empty() {
                    return leaf();
                }
                let out = self.items_over(list, la, ra);
                (!out.is_empty()).then_some(Value::Array(out))
            }
            Form::Scalar(_) | Form::Nothing => leaf(),
        }
    }

    /// Items of both lists, those of `r` in its order, each of `l`'s own as near as may be to where it stood.
    fn items_over(self, list: &List, l: &[Value], r: &[Value]) -> Vec<Value> {
        let index = |items: &[Value]| -> Vec<(Element, usize)> {
            items.iter().enumerate().filter_map(|(i, v)| Some((self.element(list, v).ok()?, i))).collect()
        };
        let (left, right) = (index(l), index(r));
        // Of what the live list has twice nothing is merged.
        let mut of_left: BTreeMap<&Element, Option<&Value>> = BTreeMap::new();
        for (e, i) in &left {
            of_left.entry(e).and_modify(|v| *v = None).or_insert(Some(&l[*i]));
        }
        let of_right: BTreeMap<&Element, &Value> = right.iter().map(|(e, i)| (e, &r[*i])).collect();
        let mut shared: VecDeque<&Element> = right.iter().map(|(e, _)| e).filter(|e| of_left.contains_key(e)).collect();
        let mut next = shared.pop_front();
        let of = self.at(list.element);
        let mut done: BTreeSet<&Element> = BTreeSet::new();
        let mut out = Vec::with_capacity(l.len().max(r.len()));
        let (mut i, mut j) = (0, 0);
        while i < left.len() || j < right.len() {
            if let (Some((le, _)), Some((re, _))) = (left.get(i), right.get(j)) {
                if le == re {
                    done.insert(le);
                    out.extend(of.over(of_left.get(le).copied().flatten(), of_right.get(re).copied()));
                    i += 1;
                    j += 1;
                    next = shared.pop_front();
                    continue;
                }
                if of_right.contains_key(le) && next.is_some_and(|n| n != le) {
                    // Shared, and its turn has not come.
                    i += 1;
                    continue;
                }
            }
            if let Some((le, at)) = left.get(i) {
                if !of_right.contains_key(le) {
                    out.extend(of.over(Some(&l[*at]), None));
                    i += 1;
                    continue;
                }
                if done.contains(le) {
                    i += 1;
                }
            }
            if let Some((re, _)) = right.get(j) {
                done.insert(re);
                out.extend(of.over(of_left.get(re).copied().flatten(), of_right.get(re).copied()));
                j += 1;
                if next == Some(re) {
                    next = shared.pop_front();
                }
            }
        }
        out
    }
}
