//! The project's own commands: `cargo xtask play | test | bench | bundle | tidy`. Standard library only, so that it
//! is built in seconds.
#![expect(clippy::disallowed_methods, reason = "a build tool reads the clock and the environment")]

mod bench;
mod browser;
mod build;
mod bundle;
mod page;
mod parts;
mod play;
mod shell;
mod stamp;
mod suite;
mod tidy;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  play [-- ARGS]   install what is missing, build, serve the page and the API; ARGS go to `kubottle serve`
  test [STAGE...]  everything: format, lints, unit and system tests, wasm, the page in a browser, kubectl
  bench            measure, with a peer beside it where there is one
  bundle           write dist/ (any static host, any sub-path) and kubottle.html (runs from file://)
  tidy             the repository's own lint (part of `test`)
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    if let Err(e) = root.canonicalize().and_then(std::env::set_current_dir) {
        eprintln!("cannot enter the project's directory {}: {e}", root.display());
        return ExitCode::FAILURE;
    }
    let done = match command.as_str() {
        "play" => play::run(&rest),
        "test" => return suite::run(&rest),
        "bench" => bench::run(&rest),
        "bundle" => bundle::run(),
        "tidy" | "lint" => tidy::run(),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("\nxtask {command}: {e}");
            ExitCode::FAILURE
        }
    }
}
