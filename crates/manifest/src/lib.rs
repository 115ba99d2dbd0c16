//! Manifests: YAML or JSON text in, documents with the place of every field out, or every problem found with its
//! place. Reads what kubectl reads (YAML 1.1 scalars, `---`, `kind: List`), and refuses in kubectl's words.
//! Models `k8s.io/cli-runtime/pkg/resource` and `sigs.k8s.io/yaml`.

mod body;
mod document;
mod kinds;
mod locate;
mod problem;
mod refusal;
mod scalar;
mod split;
mod syntax;
mod tree;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

pub use body::{Body, body};
pub use document::{Document, Limits, parse, parse_among, parse_given, parse_values, parse_values_as, parse_with};
pub use locate::{locate, locate_key};
pub use problem::{HINTS, Problem};
pub use refusal::refusals;
pub use scalar::Scalars;

/// A place in a file: lines and columns count from 1, columns in characters (not bytes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}
