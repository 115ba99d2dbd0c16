//! The Common Expression Language as far as device selectors and the rules of custom resources use it: literals, operators,
//! field selection, macros, optional values, and the functions for strings, lists, quantities, semantic versions, URLs,
//! addresses, formats, sets, durations and moments. There are no types before it runs, so a wrong one is found only when it is met; names are checked before.

mod call;
mod clock;
mod eval;
mod formats;
mod names;
mod pairs;
mod parse;
mod spaces;
mod text;
mod version;

pub use eval::{Value, evaluate};
pub use names::{mentions, undeclared, unknown_field};
pub use parse::{Expr, parse};
