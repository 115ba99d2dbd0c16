//! Which functions there are, over which types. Models `k8s.io/apiserver/pkg/cel/environment/base.go` with all that it enables,
//! and cel-go's standard library; the signatures are data: `functions.txt`, one overload a line.

use super::Type;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A way in which a function may be called.
pub(super) struct Overload {
    pub id: &'static str,
    /// Called with a dot, on the first argument.
    pub is_method: bool,
    pub args: Vec<Type>,
    pub result: Type,
    /// How many type parameters it has: `Type::Var` below this in its types.
    pub parameters: usize,
}

type Table = BTreeMap<&'static str, Vec<Overload>>;

thread_local! {
    static TABLE: Rc<Table> = Rc::new(table(include_str!("functions.txt")));
}

pub(super) fn all() -> Rc<Table> {
    TABLE.with(Rc::clone)
}

/// Whether there is a function of this full name.
pub(super) fn is_one(name: &str) -> bool {
    all().contains_key(name)
}

/// The types that programs may name.
pub(super) fn type_called(name: &str) -> Option<Type> {
    Some(match name {
        "bool" => Type::Bool,
        "bytes" => Type::Bytes,
        "double" => Type::Double,
        "duration" | "google.protobuf.Duration" => Type::Duration,
        "int" => Type::Int,
        "list" => Type::list(Type::Dyn),
        "map" => Type::map(Type::Dyn, Type::Dyn),
        "null_type" => Type::Null,
        "string" => Type::Text,
        "timestamp" | "google.protobuf.Timestamp" => Type::Timestamp,
        "type" => Type::Type(None),
        "uint" => Type::Uint,
        "optional_type" => Type::optional(Type::Dyn),
        "net.IP" => Type::Opaque("net.IP"),
        "net.CIDR" => Type::Opaque("net.CIDR"),
        _ => return None,
    })
}

fn table(text: &'static str) -> Table {
    let mut table = Table::new();
    for line in text.lines() {
        if let Some((name, overload)) = overload(line) {
            table.entry(name).or_default().push(overload);
        }
    }
    table
}

/// `string_find_string string::find(string) -> string`
fn overload(line: &'static str) -> Option<(&'static str, Overload)> {
    let (id, rest) = line.split_once(' ')?;
    let (call, result) = rest.rsplit_once(" -> ")?;
    let mut parser = Types { rest: result, parameters: 0 };
    let result = parser.one()?;
    let (on, call) = call.split_once("::").map_or((None, call), |(on, call)| (Some(on), call));
    let (name, list) = call.split_once('(')?;
    let mut args = Vec::new();
    if let Some(on) = on {
        parser.rest = on;
        args.push(parser.one()?);
    }
    parser.rest = list.strip_suffix(')')?;
    while !parser.rest.is_empty() {
        args.push(parser.one()?);
        parser.rest = parser.rest.trim_start_matches([',', ' ']);
    }
    Some((name, Overload { id, is_method: on.is_some(), args, result, parameters: parser.parameters }))
}

struct Types {
    rest: &'static str,
    parameters: usize,
}

impl Types {
    fn one(&mut self) -> Option<Type> {
        let end = self.rest.find(['(', ')', ',']).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        let of = match rest.strip_prefix('(') {
            Some(rest) => {
                self.rest = rest;
                let mut of = Vec::new();
                loop {
                    of.push(self.one()?);
                    match self.rest.strip_prefix(", ") {
                        Some(rest) => self.rest = rest,
                        None => break,
                    }
                }
                self.rest = self.rest.strip_prefix(')')?;
                of
            }
            None => Vec::new(),
        };
        let mut of = of.into_iter();
        Some(match name {
            "A" | "B" => {
                let n = usize::from(name == "B");
                self.parameters = self.parameters.max(n + 1);
                Type::Var(n)
            }
            "list" => Type::list(of.next()?),
            "map" => Type::map(of.next()?, of.next()?),
            "optional" => Type::optional(of.next()?),
            "type" => Type::Type(Some(Rc::new(of.next()?))),
            "dyn" => Type::Dyn,
            "net.IP" | "net.CIDR" => Type::Opaque(name),
            name if name.starts_with("kubernetes.") => Type::Named(name),
            name => type_called(name)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        let lines = include_str!("functions.txt").lines().count();
        assert_eq!(all().values().map(Vec::len).sum::<usize>(), lines);
        let find = &all()["join"][1];
        let shown: Vec<String> = find.args.iter().map(ToString::to_string).collect();
        assert_eq!(
            (shown.join(" "), find.is_method, find.result.to_string()),
            ("list(string) string".into(), true, "string".into())
        );
    }
}
