//! A program in two parts: what is needed at once, and the rest, which follows while the first is already at work. The first
//! part calls for the rest by itself should it be needed earlier, so that which function is where changes how much is
//! downloaded first, and nothing else.
//!
//! - `wasm-parts count IN OUT`: the module with a global for each function, named by its number: 1 when it has run.
//! - `wasm-parts split LINKED IN RAN FIRST REST`: the two parts; `RAN` has the numbers of what belongs into the first, one a
//!   line, and `LINKED` is the module as the linker left it, with its relocations.

mod count;
mod data;
mod module;
mod split;

use anyhow::{Context, Result, bail};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["--version"] => {
            println!("wasm-parts {}", module::VERSION);
            Ok(())
        }
        ["count", from, to] => count(from, to),
        ["split", linked, from, ran, first, rest] => split(linked, from, ran, first, rest),
        _ => {
            eprintln!("usage: wasm-parts count IN OUT | wasm-parts split LINKED IN RAN FIRST REST");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e:?}");
            ExitCode::FAILURE
        }
    }
}

fn read(path: &str) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {path}"))
}

fn write(path: &str, bytes: Vec<u8>) -> Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write {path}"))
}

fn count(from: &str, to: &str) -> Result<()> {
    let bytes = read(from)?;
    write(to, count::counting(&module::Module::read(&bytes)?)?)
}

fn split(linked: &str, from: &str, ran: &str, first: &str, rest: &str) -> Result<()> {
    let bytes = read(from)?;
    let text = std::fs::read_to_string(ran).with_context(|| format!("cannot read {ran}"))?;
    let ran = text.lines().map(|l| l.parse().with_context(|| format!("{ran}: {l:?} is no number")));
    let ran = ran.collect::<Result<Vec<u32>>>()?;
    if ran.is_empty() {
        bail!("nothing has run");
    }
    let constants = data::Constants::read(&read(linked)?).with_context(|| linked.to_string())?;
    let (a, b) = split::split(&module::Module::read(&bytes)?, &ran, &constants)?;
    write(first, a)?;
    write(rest, b)
}
