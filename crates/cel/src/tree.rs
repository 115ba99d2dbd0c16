//! A program as it was written: every part with its place, operators under the names that cel-go has for them.

use crate::parse::Expr;

/// What is wrong with a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Characters from the beginning of the text, if it is about a part.
    pub at: Option<usize>,
    pub message: String,
}

impl Fault {
    pub fn at(at: usize, message: impl Into<String>) -> Fault {
        Fault { at: Some(at), message: message.into() }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where errors about it point, in characters from the beginning: an operator, a parenthesis, a dot, or where it begins.
    pub at: usize,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Literal(Expr),
    Name(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// An element or a value that is left out if it has no value.
    Optional(Box<Node>),
    Select(Box<Node>, String),
    Call(Option<Box<Node>>, String, Vec<Node>),
}

impl Node {
    pub fn call(at: usize, name: &str, args: Vec<Node>) -> Node {
        Node { at, kind: Kind::Call(None, name.into(), args) }
    }

    /// Without places, for evaluation.
    pub fn plain(self) -> Expr {
        let all = |nodes: Vec<Node>| nodes.into_iter().map(Node::plain).collect();
        match self.kind {
            Kind::Literal(e) => e,
            Kind::Name(name) => Expr::Name(name),
            Kind::List(nodes) => Expr::List(all(nodes)),
            Kind::Map(entries) => Expr::Map(entries.into_iter().map(|(k, v)| (k.plain(), v.plain())).collect()),
            Kind::Optional(of) => Expr::Call(None, "?entry".into(), vec![of.plain()]),
            Kind::Select(of, field) => Expr::Select(Box::new(of.plain()), field),
            Kind::Call(None, name, args) => {
                let mut args: Vec<Expr> = all(args);
                match (name.as_str(), args.len()) {
                    ("_[_]", 2) => {
                        let index = args.remove(1);
                        Expr::Index(Box::new(args.remove(0)), Box::new(index))
                    }
                    ("_?._" | "_[?_]", 2) => {
                        let of = args.remove(0);
                        Expr::Call(Some(Box::new(of)), "?select".into(), args)
                    }
                    _ => Expr::Call(None, operator(&name).into(), args),
                }
            }
            Kind::Call(Some(of), name, args) => Expr::Call(Some(Box::new(of.plain())), name, all(args)),
        }
    }
}

/// What the evaluator calls it.
fn operator(name: &str) -> &str {
    match name {
        "!_" => "!",
        "-_" => "neg",
        "@in" => "in",
        "_?_:_" => "?",
        _ => name.strip_prefix('_').and_then(|n| n.strip_suffix('_')).filter(|n| !n.is_empty()).unwrap_or(name),
    }
}
