//! `kubottle`: the native shell.
#![expect(clippy::disallowed_methods, reason = "the shell is where the clock and the environment come from")]
#![allow(dead_code)]

mod wasm;

fn main() {}
