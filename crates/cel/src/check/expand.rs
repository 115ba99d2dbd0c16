//! Macros to what they stand for: loops. Models cel-go's `parser/macro.go`, `ext/{comprehensions,lists}.go` and the macros of
//! `cel/library.go`.

use super::functions;
use crate::parse::Expr;
use crate::tree::{Fault, Kind, Node};

/// A part of a program whose macros are expanded.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// Counts up in a program.
    pub id: usize,
    pub at: usize,
    pub part: Part,
}

#[derive(Clone, Debug)]
pub(super) enum Part {
    Literal(Expr),
    Name(String),
    /// With `true` only whether the field is there.
    Select(Box<Tree>, String, bool),
    Call(Option<Box<Tree>>, String, Vec<Tree>),
    /// Elements, and whether each is optional.
    List(Vec<(Tree, bool)>),
    Map(Vec<(Tree, Tree, bool)>),
    Loop(Box<Loop>),
}

/// Over all of a range, with one variable or two; what is gathered begins with `start`, and each turn makes `step` of it.
#[derive(Clone, Debug)]
pub(super) struct Loop {
    pub range: Tree,
    pub variables: (String, Option<String>),
    pub gathered: String,
    pub start: Tree,
    pub goes_on: Tree,
    pub step: Tree,
    pub result: Tree,
}

/// Not a name that a program can have.
pub(super) const GATHERED: &str = "@result";

/// # Errors
/// A macro whose arguments are not what it needs.
pub(super) fn expand(node: &Node, bindings: bool) -> Result<Tree, Fault> {
    Expander { next: 0, bindings }.node(node)
}

struct Expander {
    next: usize,
    /// Whether `cel.bind` is one of the macros.
    bindings: bool,
}

type Grown = Result<Tree, Fault>;

impl Expander {
    fn tree(&mut self, at: usize, part: Part) -> Tree {
        self.next += 1;
        Tree { id: self.next - 1, at, part }
    }
    fn name(&mut self, at: usize, name: &str) -> Tree {
        self.tree(at, Part::Name(name.into()))
    }
    fn literal(&mut self, at: usize, value: Expr) -> Tree {
        self.tree(at, Part::Literal(value))
    }
    fn call(&mut self, at: usize, name: &str, args: Vec<Tree>) -> Tree {
        self.tree(at, Part::Call(None, name.into(), args))
    }
    fn list(&mut self, at: usize, items: Vec<Tree>) -> Tree {
        self.tree(at, Part::List(items.into_iter().map(|t| (t, false)).collect()))
    }
    fn all(&mut self, nodes: &[Node]) -> Result<Vec<Tree>, Fault> {
        nodes.iter().map(|n| self.node(n)).collect()
    }

    fn node(&mut self, node: &Node) -> Grown {
        let at = node.at;
        let part = match &node.kind {
            Kind::Literal(value) => Part::Literal(value.clone()),
            Kind::Name(name) => Part::Name(name.clone()),
            Kind::List(items) => Part::List(items.iter().map(|n| self.entry(n)).collect::<Result<_, _>>()?),
            Kind::Map(entries) => {
                let mut all = Vec::new();
                for (key, value) in entries {
                    let key = self.node(key)?;
                    let (value, optional) = self.entry(value)?;
                    all.push((key, value, optional));
                }
                Part::Map(all)
            }
            Kind::Optional(of) => return self.node(of),
            Kind::Select(of, field) => match qualified(node).filter(|n| functions::type_called(n).is_some()) {
                Some(name) => Part::Name(name),
                None => Part::Select(Box::new(self.node(of)?), field.clone(), false),
            },
            Kind::Call(None, name, args) => match (name.as_str(), args.as_slice()) {
                ("has", [of]) => match &of.kind {
                    Kind::Select(of, field) => Part::Select(Box::new(self.node(of)?), field.clone(), true),
                    _ => return Err(Fault::at(of.at, "invalid argument to has() macro")),
                },
                _ => Part::Call(None, name.clone(), self.all(args)?),
            },
            Kind::Call(Some(target), name, args) => {
                if let Some(tree) = self.expanded(at, target, name, args)? {
                    return Ok(tree);
                }
                let full = qualified(target).map(|space| format!("{space}.{name}")).filter(|f| functions::is_one(f));
                match full {
                    Some(full) => Part::Call(None, full, self.all(args)?),
                    None => Part::Call(Some(Box::new(self.node(target)?)), name.clone(), self.all(args)?),
                }
            }
        };
        Ok(self.tree(at, part))
    }

    fn entry(&mut self, node: &Node) -> Result<(Tree, bool), Fault> {
        Ok((self.node(node)?, matches!(node.kind, Kind::Optional(_))))
    }

    /// `None`: it is no macro.
    fn expanded(&mut self, at: usize, of: &Node, name: &str, args: &[Node]) -> Result<Option<Tree>, Fault> {
        Ok(Some(match (name, args) {
            ("all" | "exists" | "existsOne" | "exists_one", [v, body]) => {
                let variable = (simple(v, "argument must be a simple name")?, None);
                self.quantifier(at, of, name, variable, body)?
            }
            ("all" | "exists" | "existsOne" | "exists_one", [v, w, body]) => {
                self.quantifier(at, of, name, pair(v, w)?, body)?
            }
            ("map", [v, rest @ ..]) if matches!(rest.len(), 1 | 2) => {
                let variable = (simple(v, "argument is not an identifier")?, None);
                let range = self.node(of)?;
                self.list_of(at, range, variable, rest)?
            }
            ("filter", [v, test]) => {
                let variable = simple(v, "argument is not an identifier")?;
                let range = self.node(of)?;
                let item = self.node(v)?;
                let item = self.list(at, vec![item]);
                let (start, step) = (self.list(at, Vec::new()), self.appended(at, item));
                let step = self.unless_left_out(at, Some(test), step)?;
                self.looped(at, range, (variable, None), start, step)
            }
            ("transformList", [v, w, rest @ ..]) if matches!(rest.len(), 1 | 2) => {
                let (variables, range) = (pair(v, w)?, self.node(of)?);
                self.list_of(at, range, variables, rest)?
            }
            ("transformMap" | "transformMapEntry", [v, w, rest @ ..]) if matches!(rest.len(), 1 | 2) => {
                let (variables, range) = (pair(v, w)?, self.node(of)?);
                let (filter, body) = with_filter(rest);
                let mut all = vec![self.name(at, GATHERED)];
                if name == "transformMap" {
                    all.push(self.name(at, &variables.0));
                }
                all.push(self.node(body)?);
                let step = self.call(at, "cel.@mapInsert", all);
                let (start, step) = (self.tree(at, Part::Map(Vec::new())), self.unless_left_out(at, filter, step)?);
                self.looped(at, range, variables, start, step)
            }
            ("optMap" | "optFlatMap", [v, body]) => {
                let variable = simple(v, &format!("{name}() variable name must be a simple identifier"))?;
                let (first, second) = (self.node(of)?, self.node(of)?);
                let there = self.tree(at, Part::Call(Some(Box::new(first)), "hasValue".into(), Vec::new()));
                let value = self.tree(at, Part::Call(Some(Box::new(second)), "value".into(), Vec::new()));
                let mut made = self.bound(at, &variable, value, body)?;
                if name == "optMap" {
                    made = self.call(at, "optional.of", vec![made]);
                }
                let none = self.call(at, "optional.none", Vec::new());
                self.call(at, "_?_:_", vec![there, made, none])
            }
            ("bind", [v, value, body]) if self.bindings && of.kind == Kind::Name("cel".into()) => {
                let variable = simple(v, "cel.bind() variable names must be simple identifiers")?;
                let value = self.node(value)?;
                self.bound(at, &variable, value, body)?
            }
            ("sortBy", [v, key]) => {
                let variable = (simple(v, "argument is not an identifier")?, None);
                let input = "@__sortBy_input__";
                let value = self.node(of)?;
                let range = self.name(at, input);
                let keys = self.list_of(at, range, variable, std::slice::from_ref(key))?;
                let list = self.name(at, input);
                let sorted = Part::Call(Some(Box::new(list)), "@sortByAssociatedKeys".into(), vec![keys]);
                let result = self.tree(at, sorted);
                self.binding(at, input, value, result)
            }
            _ => return Ok(None),
        }))
    }

    fn quantifier(
        &mut self,
        at: usize,
        of: &Node,
        name: &str,
        variables: (String, Option<String>),
        body: &Node,
    ) -> Grown {
        let range = self.node(of)?;
        let body = self.node(body)?;
        let gathered = self.name(at, GATHERED);
        let (start, goes_on, step, result) = match name {
            "all" | "exists" => {
                let all = name == "all";
                let mut open = self.name(at, GATHERED);
                if !all {
                    open = self.call(at, "!_", vec![open]);
                }
                let step = self.call(at, if all { "_&&_" } else { "_||_" }, vec![gathered, body]);
                let goes_on = self.call(at, "@not_strictly_false", vec![open]);
                (self.literal(at, Expr::Bool(all)), goes_on, step, self.name(at, GATHERED))
            }
            _ => {
                let (one, before) = (self.literal(at, Expr::Int(1)), self.name(at, GATHERED));
                let more = self.call(at, "_+_", vec![before, one]);
                let step = self.call(at, "_?_:_", vec![body, more, gathered]);
                let (one, count) = (self.literal(at, Expr::Int(1)), self.name(at, GATHERED));
                let result = self.call(at, "_==_", vec![count, one]);
                (self.literal(at, Expr::Int(0)), self.literal(at, Expr::Bool(true)), step, result)
            }
        };
        let of = Loop { range, variables, gathered: GATHERED.into(), start, goes_on, step, result };
        Ok(self.tree(at, Part::Loop(Box::new(of))))
    }

    /// What was gathered, with the list behind it.
    fn appended(&mut self, at: usize, list: Tree) -> Tree {
        let gathered = self.name(at, GATHERED);
        self.call(at, "_+_", vec![gathered, list])
    }

    fn unless_left_out(&mut self, at: usize, filter: Option<&Node>, step: Tree) -> Grown {
        let Some(filter) = filter else { return Ok(step) };
        let (filter, same) = (self.node(filter)?, self.name(at, GATHERED));
        Ok(self.call(at, "_?_:_", vec![filter, step, same]))
    }

    /// `rest`: what is worked out for each, perhaps with a filter before it.
    fn list_of(&mut self, at: usize, range: Tree, variables: (String, Option<String>), rest: &[Node]) -> Grown {
        let (filter, body) = with_filter(rest);
        let body = self.node(body)?;
        let body = self.list(at, vec![body]);
        let (start, step) = (self.list(at, Vec::new()), self.appended(at, body));
        let step = self.unless_left_out(at, filter, step)?;
        Ok(self.looped(at, range, variables, start, step))
    }

    fn looped(&mut self, at: usize, range: Tree, variables: (String, Option<String>), start: Tree, step: Tree) -> Tree {
        let goes_on = self.literal(at, Expr::Bool(true));
        let result = self.name(at, GATHERED);
        let of = Loop { range, variables, gathered: GATHERED.into(), start, goes_on, step, result };
        self.tree(at, Part::Loop(Box::new(of)))
    }

    fn bound(&mut self, at: usize, name: &str, value: Tree, body: &Node) -> Grown {
        let body = self.node(body)?;
        Ok(self.binding(at, name, value, body))
    }

    /// A loop that never turns: its gathered value is the variable.
    fn binding(&mut self, at: usize, name: &str, value: Tree, result: Tree) -> Tree {
        let of = Loop {
            range: self.list(at, Vec::new()),
            variables: ("#unused".into(), None),
            gathered: name.into(),
            start: value,
            goes_on: self.literal(at, Expr::Bool(false)),
            step: self.name(at, name),
            result,
        };
        self.tree(at, Part::Loop(Box::new(of)))
    }
}

fn with_filter(rest: &[Node]) -> (Option<&Node>, &Node) {
    match rest {
        [filter, body] => (Some(filter), body),
        _ => (None, &rest[0]),
    }
}

/// The name that the argument is.
fn simple(node: &Node, why: &str) -> Result<String, Fault> {
    match &node.kind {
        Kind::Name(name) if name == "__result__" => {
            Err(Fault::at(node.at, "iteration variable overwrites accumulator variable"))
        }
        Kind::Name(name) => Ok(name.clone()),
        _ => Err(Fault::at(node.at, why)),
    }
}

fn pair(first: &Node, second: &Node) -> Result<(String, Option<String>), Fault> {
    let why = "argument must be a simple name";
    let (a, b) = (simple(first, why)?, simple(second, why)?);
    if a == b {
        return Err(Fault::at(second.at, format!("duplicate variable name: {a}")));
    }
    Ok((a, Some(b)))
}

/// `a.b.c`, if it is names all along.
fn qualified(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Name(name) => Some(name.clone()),
        Kind::Select(of, field) => Some(format!("{}.{field}", qualified(of)?)),
        _ => None,
    }
}
