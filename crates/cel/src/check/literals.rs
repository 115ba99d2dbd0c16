//! What is wrong with literals though their types fit. Models cel-go's `cel/validator.go`.

use super::Type;
use super::checker::Types;
use super::expand::{Part, Tree};
use crate::clock;
use crate::go_regexp;
use crate::parse::Expr;
use crate::tree::Fault;

/// Only of programs whose types fit.
pub(super) fn faults(tree: &Tree, types: &Types) -> Vec<Fault> {
    let mut faults = Vec::new();
    walk(tree, types, false, &mut faults);
    faults
}

fn walk(tree: &Tree, types: &Types, in_format: bool, faults: &mut Vec<Fault>) {
    match &tree.part {
        Part::Literal(_) | Part::Name(_) => {}
        Part::Select(of, ..) => walk(of, types, in_format, faults),
        Part::Call(on, name, args) => {
            if let Some(Tree { at, part: Part::Literal(literal), .. }) = args.first() {
                let wrong = match (name.as_str(), literal) {
                    ("duration", Expr::Text(text)) => clock::duration(text).is_none(),
                    ("timestamp", Expr::Text(text)) => clock::timestamp(text).is_none(),
                    ("timestamp", Expr::Int(n)) => clock::moment(i128::from(*n) * 1_000_000_000).is_none(),
                    ("matches", Expr::Text(pattern)) => go_regexp::error(pattern).is_some(),
                    _ => false,
                };
                if wrong {
                    faults.push(Fault::at(*at, format!("invalid {name} argument")));
                }
            }
            let in_format = in_format || name == "format";
            for part in on.as_deref().into_iter().chain(args) {
                walk(part, types, in_format, faults);
            }
        }
        Part::List(items) => {
            if !in_format {
                let own = |(t, optional): &(Tree, bool)| inner(types.of(t), *optional);
                same(items.iter().map(|i| (&i.0, own(i))), faults);
            }
            for (item, _) in items {
                walk(item, types, in_format, faults);
            }
        }
        Part::Map(entries) => {
            if !in_format {
                same(entries.iter().map(|(k, ..)| (k, types.of(k).clone())), faults);
                same(entries.iter().map(|(_, v, optional)| (v, inner(types.of(v), *optional))), faults);
            }
            for (key, value, _) in entries {
                walk(key, types, in_format, faults);
                walk(value, types, in_format, faults);
            }
        }
        Part::Loop(l) => {
            for part in [&l.range, &l.start, &l.goes_on, &l.step, &l.result] {
                walk(part, types, in_format, faults);
            }
        }
    }
}

fn inner(t: &Type, optional: bool) -> Type {
    match t {
        Type::Optional(of) if optional => (**of).clone(),
        other => other.clone(),
    }
}

/// All are of the first one's type.
fn same<'a>(mut all: impl Iterator<Item = (&'a Tree, Type)>, faults: &mut Vec<Fault>) {
    let Some((_, first)) = all.next() else { return };
    if let Some((tree, other)) = all.find(|(_, t)| *t != first) {
        faults.push(Fault::at(tree.at, format!("expected type '{first}' but found '{other}'")));
    }
}
