//! Types of programs before they run. Models cel-go's `checker` in the environment of `k8s.io/apiserver/pkg/cel/environment`.

mod call_cost;
mod checker;
mod cost;
mod declared;
mod expand;
mod functions;
mod literals;
mod report;
mod types;

pub use declared::{Declared, Fields, Shape, escaped};
pub use types::Type;

use crate::parse;
use std::collections::BTreeSet;
use std::rc::Rc;

/// The variables that a program sees, with their types.
pub type Variables<'a> = [(&'a str, Type)];

/// What is known of a program that is right.
pub struct Checked {
    /// Of its value.
    pub result: Type,
    names: BTreeSet<String>,
    tree: expand::Tree,
    types: checker::Types,
}

impl Checked {
    /// Whether it looks at the variable.
    pub fn uses(&self, variable: &str) -> bool {
        self.names.contains(variable)
    }

    /// What it costs at most, in cel-go's units, where `self` and what was before it are `own`.
    pub fn cost(&self, own: &Rc<Declared>) -> u64 {
        cost::most(&self.tree, &self.types, own)
    }
}

/// Whether programs may name the type.
pub(crate) fn is_type(name: &str) -> bool {
    functions::type_called(name).is_some()
}

/// # Errors
/// Everything that is wrong with the program, as cel-go shows it: one after the other, each with the line and a mark under it.
pub fn check(text: &str, variables: &Variables) -> Result<Checked, String> {
    checked(text, variables, false)
}

/// The same where `cel.bind(name, value, body)` may be used.
///
/// # Errors
/// As [`check`].
pub fn check_with_bindings(text: &str, variables: &Variables) -> Result<Checked, String> {
    checked(text, variables, true)
}

fn checked(text: &str, variables: &Variables, bindings: bool) -> Result<Checked, String> {
    let tree = parse::located(text).and_then(|node| expand::expand(&node, bindings));
    let tree = tree.map_err(|fault| report::shown(text, vec![fault]))?;
    let (types, names, mut faults) = checker::run(&tree, variables);
    if faults.is_empty() {
        faults = literals::faults(&tree, &types);
    }
    if !faults.is_empty() {
        return Err(report::shown(text, faults));
    }
    let result = types.of(&tree).clone();
    Ok(Checked { result, names, tree, types })
}
