//! The Common Expression Language as far as device selectors and the rules of custom resources use it: literals, operators,
//! field selection, macros, optional values, and the functions for strings, lists, quantities, semantic versions, URLs,
//! addresses, formats, sets, durations and moments. What may be known of types before it runs `check` finds out.

mod call;
mod check;
mod clock;
mod eval;
mod formats;
mod go_regexp;
mod lists;
mod names;
mod pairs;
mod parse;
mod spaces;
mod text;
mod tree;
mod version;

pub use check::{Checked, Declared, Fields, Shape, Type, Variables, check, check_with_bindings, escaped};
pub use eval::{Answer, Foreign, Value, evaluate};
pub use go_regexp::error as pattern_error;
pub use names::{mentions, undeclared};
pub use parse::{Expr, is_reserved, parse};
