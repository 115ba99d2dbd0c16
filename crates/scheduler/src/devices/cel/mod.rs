//! The part of the Common Expression Language that device selectors use: literals, operators, field selection,
//! macros, and the functions for strings, quantities and semantic versions. Nothing is checked before it runs, so a
//! wrong type is found only when it is met.

mod call;
mod eval;
mod parse;
mod version;

pub use eval::{Value, evaluate};
pub use parse::parse;
