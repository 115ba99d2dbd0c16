//! From the leaves to the root: what type every part has. Models cel-go's `checker/checker.go`.

use super::expand::{Loop, Part, Tree};
use super::functions::{self, Overload};
use super::types::{Found, general};
use super::{Type, Variables};
use crate::parse::Expr;
use crate::tree::Fault;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What came out, part by part.
pub(super) struct Types {
    types: Vec<Type>,
    overloads: Vec<Vec<&'static str>>,
}

impl Types {
    pub fn of(&self, tree: &Tree) -> &Type {
        self.types.get(tree.id).unwrap_or(&Type::Error)
    }
    /// The overloads that a call may mean.
    pub fn overloads(&self, tree: &Tree) -> &[&'static str] {
        self.overloads.get(tree.id).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The types, the names that are used, and what is wrong.
pub(super) fn run(tree: &Tree, variables: &Variables) -> (Types, BTreeSet<String>, Vec<Fault>) {
    let scope = variables.iter().map(|(name, t)| ((*name).to_string(), t.clone())).collect();
    let mut c = Checker {
        table: functions::all(),
        scope,
        types: Vec::new(),
        overloads: Vec::new(),
        found: Found::default(),
        fresh: 0,
        names: BTreeSet::new(),
        faults: Vec::new(),
    };
    c.check(tree);
    let types = c.types.iter().map(|t| c.found.resolved(t, true)).collect();
    (Types { types, overloads: c.overloads }, c.names, c.faults)
}

struct Checker {
    table: Rc<BTreeMap<&'static str, Vec<Overload>>>,
    /// The latest last.
    scope: Vec<(String, Type)>,
    types: Vec<Type>,
    overloads: Vec<Vec<&'static str>>,
    found: Found,
    fresh: usize,
    names: BTreeSet<String>,
    faults: Vec<Fault>,
}

impl Checker {
    fn fault(&mut self, tree: &Tree, message: String) {
        self.faults.push(Fault::at(tree.at, message));
    }
    fn undeclared(&mut self, tree: &Tree, name: &str) -> Type {
        self.fault(tree, format!("undeclared reference to '{name}' (in container '')"));
        Type::Error
    }
    fn mismatch(&mut self, tree: &Tree, wanted: &Type, found: &Type) {
        self.fault(tree, format!("expected type '{wanted}' but found '{found}'"));
    }
    fn variable(&mut self) -> Type {
        self.fresh += 1;
        Type::Var(self.fresh - 1)
    }
    fn of(&self, tree: &Tree) -> Type {
        self.types.get(tree.id).cloned().unwrap_or(Type::Error)
    }
    fn resolved(&self, t: &Type) -> Type {
        self.found.resolved(t, false)
    }
    fn expect(&mut self, tree: &Tree, wanted: &Type) {
        let found = self.of(tree);
        if !self.found.fit([(wanted, &found)]) {
            self.mismatch(tree, wanted, &found);
        }
    }

    fn check(&mut self, tree: &Tree) -> Type {
        let t = match &tree.part {
            Part::Literal(value) => literal(value),
            Part::Name(name) => self.name(tree, name),
            // A variable with a dot in its name.
            Part::Select(of, field, false) if matches!(&of.part, Part::Name(n) if self.scope.iter().any(|(v, _)| *v == format!("{n}.{field}"))) =>
            {
                let Part::Name(first) = &of.part else { return Type::Error };
                self.name(tree, &format!("{first}.{field}"))
            }
            Part::Select(of, field, only_there) => {
                let t = self.select(tree, of, field, false);
                if *only_there { Type::Bool } else { self.resolved(&t) }
            }
            Part::Call(None, name, args) if name == "_?._" => match args.as_slice() {
                [of, Tree { part: Part::Literal(Expr::Text(field)), .. }] => {
                    let t = self.select(tree, of, field, true);
                    self.note(tree, vec!["select_optional_field"]);
                    self.resolved(&t)
                }
                _ => Type::Error,
            },
            Part::Call(on, name, args) => self.call(tree, on.as_deref(), name, args),
            Part::List(items) => {
                let mut common = None;
                for (item, optional) in items {
                    let mut t = self.check(item);
                    if *optional {
                        t = self.unwrapped(item, t);
                    }
                    common = Some(self.joined(common, t));
                }
                let common = common.unwrap_or_else(|| self.variable());
                Type::list(common)
            }
            Part::Map(entries) => {
                let mut common = None;
                for (key, value, optional) in entries {
                    let (k, mut v) = (self.check(key), self.check(value));
                    if *optional {
                        v = self.unwrapped(value, v);
                    }
                    common = Some(match common {
                        None => (k, v),
                        Some((key, value)) => (self.joined(Some(key), k), self.joined(Some(value), v)),
                    });
                }
                let (key, value) = common.unwrap_or_else(|| (self.variable(), self.variable()));
                Type::map(key, value)
            }
            Part::Loop(l) => self.run_loop(l),
        };
        self.keep(tree, t.clone());
        t
    }

    fn keep(&mut self, tree: &Tree, t: Type) {
        if self.types.len() <= tree.id {
            self.types.resize(tree.id + 1, Type::Error);
        }
        self.types[tree.id] = t;
    }
    fn note(&mut self, tree: &Tree, ids: Vec<&'static str>) {
        if self.overloads.len() <= tree.id {
            self.overloads.resize(tree.id + 1, Vec::new());
        }
        self.overloads[tree.id] = ids;
    }

    fn name(&mut self, tree: &Tree, name: &str) -> Type {
        if let Some((_, t)) = self.scope.iter().rev().find(|(n, _)| n == name) {
            let t = t.clone();
            self.names.insert(name.to_string());
            return t;
        }
        match functions::type_called(name) {
            Some(t) => Type::Type(Some(Rc::new(t))),
            None => self.undeclared(tree, name),
        }
    }

    /// What an element is when it is there.
    fn unwrapped(&mut self, tree: &Tree, t: Type) -> Type {
        match &t {
            Type::Optional(of) => (**of).clone(),
            Type::Dyn => t,
            _ => {
                self.mismatch(tree, &Type::optional(t.clone()), &t);
                t
            }
        }
    }

    fn joined(&mut self, before: Option<Type>, t: Type) -> Type {
        match before {
            None => t,
            Some(before) if self.found.fit([(&before, &t)]) => general(&before, &t),
            Some(_) => Type::Dyn,
        }
    }

    fn select(&mut self, tree: &Tree, of: &Tree, field: &str, optional: bool) -> Type {
        let t = self.check(of);
        let t = self.resolved(&t);
        let (target, was_optional) = t.unwrapped();
        let result = match target {
            Type::Map(of) => of.1.clone(),
            Type::Object(name, fields) => match fields.of(name, field) {
                Some(t) => t,
                None => {
                    self.fault(tree, format!("undefined field '{field}'"));
                    Type::Error
                }
            },
            Type::Named(name) => {
                self.fault(tree, format!("unexpected failed resolution of '{name}'"));
                Type::Error
            }
            Type::Var(_) => {
                self.found.fit([(&Type::Dyn, target)]);
                Type::Dyn
            }
            Type::Dyn | Type::Error => Type::Dyn,
            other => {
                self.fault(tree, format!("type '{other}' does not support field selection"));
                Type::Dyn
            }
        };
        if was_optional || optional { Type::optional(result) } else { result }
    }

    fn call(&mut self, tree: &Tree, on: Option<&Tree>, name: &str, args: &[Tree]) -> Type {
        for arg in args {
            self.check(arg);
        }
        let table = self.table.clone();
        let overloads = table.get(name);
        if let Some(on) = on {
            self.check(on);
        }
        let Some(overloads) = overloads else { return self.undeclared(tree, name) };
        if matches!(name, "_&&_" | "_||_") {
            return self.logical(tree, overloads, args);
        }
        let types: Vec<Type> = on.into_iter().chain(args).map(|a| self.of(a)).collect();
        let (mut result, mut ids): (Option<Type>, _) = (None, Vec::new());
        for o in overloads.iter().filter(|o| o.is_method == on.is_some() && o.args.len() == types.len()) {
            // Every overload has its own variables.
            let by = self.fresh;
            self.fresh += o.parameters;
            let wanted: Vec<Type> = o.args.iter().map(|t| t.shifted(by)).collect();
            if !self.found.fit(types.iter().zip(&wanted)) {
                continue;
            }
            ids.push(o.id);
            let t = self.resolved(&o.result.shifted(by));
            result = Some(match result {
                None => t,
                Some(known) if known == Type::Dyn || known == t => known,
                Some(_) => Type::Dyn,
            });
        }
        if let Some(t) = result {
            self.note(tree, ids);
            return t;
        }
        let shown: Vec<String> = types.iter().map(|t| self.found.resolved(t, true).to_string()).collect();
        let signature = match on {
            Some(_) => format!("{}.({})", shown[0], shown[1..].join(", ")),
            None => format!("({})", shown.join(", ")),
        };
        self.fault(tree, format!("found no matching overload for '{name}' applied to '{signature}'"));
        Type::Error
    }

    fn logical(&mut self, tree: &Tree, overloads: &[Overload], args: &[Tree]) -> Type {
        let mut result = Type::Bool;
        for arg in args {
            let t = self.of(arg);
            if !self.found.fit([(&t, &Type::Bool)]) {
                self.mismatch(arg, &Type::Bool, &t);
                result = Type::Error;
            }
        }
        self.note(tree, overloads.iter().map(|o| o.id).collect());
        result
    }

    fn run_loop(&mut self, l: &Loop) -> Type {
        let range = self.check(&l.range);
        let gathered = self.check(&l.start);
        let range = self.resolved(&range);
        let outer = self.scope.len();
        self.scope.push((l.gathered.clone(), gathered.clone()));
        let is_pair = l.variables.1.is_some();
        let (first, second) = match &range {
            Type::List(of) if is_pair => (Type::Int, (**of).clone()),
            Type::List(of) => ((**of).clone(), Type::Error),
            Type::Map(of) => (of.0.clone(), of.1.clone()),
            Type::Dyn | Type::Error | Type::Var(_) => {
                self.found.fit([(&Type::Dyn, &range)]);
                (Type::Dyn, Type::Dyn)
            }
            other => {
                let why = "cannot be range of a comprehension (must be list, map, or dynamic)";
                self.fault(&l.range, format!("expression of type '{other}' {why}"));
                (Type::Error, Type::Error)
            }
        };
        let inner = self.scope.len();
        self.scope.push((l.variables.0.clone(), first));
        if let Some(name) = &l.variables.1 {
            self.scope.push((name.clone(), second));
        }
        self.check(&l.goes_on);
        self.expect(&l.goes_on, &Type::Bool);
        self.check(&l.step);
        self.expect(&l.step, &gathered);
        self.scope.truncate(inner);
        let result = self.check(&l.result);
        self.scope.truncate(outer);
        self.resolved(&result)
    }
}

fn literal(value: &Expr) -> Type {
    match value {
        Expr::Int(_) => Type::Int,
        Expr::Uint(_) => Type::Uint,
        Expr::Double(_) => Type::Double,
        Expr::Text(_) => Type::Text,
        Expr::Bytes(_) => Type::Bytes,
        Expr::Bool(_) => Type::Bool,
        Expr::Null => Type::Null,
        _ => Type::Error,
    }
}
