//! Objects as text. Models `cli-runtime/pkg/printers` and `kubectl/pkg/cmd/get`.

mod custom;
mod fields;
pub(crate) mod gojson;
pub(crate) mod jsonpath;
mod object;
pub(crate) mod sort;
pub(crate) mod tab;
pub(crate) mod table;
mod template;
mod template_functions;
pub(crate) mod yaml;

#[cfg(test)]
mod tests;

pub(crate) use object::{Printer, is_list, list_of, name_of};
