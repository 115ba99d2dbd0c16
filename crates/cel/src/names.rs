//! Which names a program uses: what can be known to be wrong before it runs.

use crate::call;
use crate::check;
use crate::lists;
use crate::pairs;
use crate::parse::Expr;
use crate::spaces;

/// The macros, with which names come into being.
const MACROS: [&str; 7] = ["all", "exists", "exists_one", "existsOne", "filter", "map", "sortBy"];
/// What the operators are called in the tree.
const OPERATORS: [&str; 19] =
    ["&&", "||", "?", "!", "neg", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%", "has", "?entry"];

/// The first variable that is none of `known`, or function that does not exist, in the words of cel-go's checker.
pub fn undeclared(e: &Expr, known: &[&str]) -> Option<String> {
    let mut names: Vec<String> = known.iter().map(|k| (*k).to_string()).collect();
    walk(e, &mut names)
}

/// Whether the program looks at the variable.
pub fn mentions(e: &Expr, name: &str) -> bool {
    match e {
        Expr::Name(n) => n == name,
        Expr::List(all) => all.iter().any(|e| mentions(e, name)),
        Expr::Map(all) => all.iter().any(|(k, v)| mentions(k, name) || mentions(v, name)),
        Expr::Select(of, _) => mentions(of, name),
        Expr::Index(of, at) => mentions(of, name) || mentions(at, name),
        Expr::Call(of, _, args) => {
            of.as_ref().is_some_and(|of| mentions(of, name)) || args.iter().any(|a| mentions(a, name))
        }
        _ => false,
    }
}

fn walk(e: &Expr, names: &mut Vec<String>) -> Option<String> {
    let missing = |name: &str| Some(format!("undeclared reference to '{name}' (in container '')"));
    match e {
        Expr::Name(n) if names.contains(n) || check::is_type(n) => None,
        Expr::Name(n) => missing(n),
        Expr::List(all) => all.iter().find_map(|e| walk(e, names)),
        Expr::Map(all) => all.iter().find_map(|(k, v)| walk(k, names).or_else(|| walk(v, names))),
        Expr::Select(of, _) => walk(of, names),
        Expr::Index(of, at) => walk(of, names).or_else(|| walk(at, names)),
        Expr::Call(None, name, args) => {
            if !OPERATORS.contains(&name.as_str()) && !call::FUNCTIONS.contains(&name.as_str()) {
                return missing(name);
            }
            args.iter().find_map(|a| walk(a, names))
        }
        Expr::Call(Some(of), name, args) => {
            if let (name, [Expr::Name(first), Expr::Name(second), rest @ ..]) = (name.as_str(), args.as_slice())
                && pairs::MACROS.contains(&name)
            {
                if let Some(wrong) = walk(of, names) {
                    return Some(wrong);
                }
                names.extend([first.clone(), second.clone()]);
                let wrong = rest.iter().find_map(|b| walk(b, names));
                names.truncate(names.len() - 2);
                return wrong;
            }
            if let Expr::Name(space) = &**of
                && spaces::is_function(space, name)
                && !names.contains(space)
            {
                return args.iter().find_map(|a| walk(a, names));
            }
            let bound = match (&**of, name.as_str(), args.as_slice()) {
                (Expr::Name(cel), "bind", [Expr::Name(variable), value, body]) if cel == "cel" => {
                    Some((value, variable, vec![body]))
                }
                (_, name, [Expr::Name(variable), body @ ..]) if MACROS.contains(&name) => {
                    Some((&**of, variable, body.iter().collect()))
                }
                _ => None,
            };
            if let Some((value, variable, bodies)) = bound {
                if let Some(wrong) = walk(value, names) {
                    return Some(wrong);
                }
                names.push(variable.clone());
                let wrong = bodies.into_iter().find_map(|b| walk(b, names));
                names.pop();
                return wrong;
            }
            let optional = matches!(&**of, Expr::Name(n) if n == "optional");
            if !optional && let Some(wrong) = walk(of, names) {
                return Some(wrong);
            }
            if !call::METHODS.contains(&name.as_str()) && !lists::METHODS.contains(&name.as_str()) {
                return missing(name);
            }
            args.iter().find_map(|a| walk(a, names))
        }
        _ => None,
    }
}
