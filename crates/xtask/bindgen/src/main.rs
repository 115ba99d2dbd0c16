//! `wasm-bindgen`, the program: what trunk and xtask call, on wasm-bindgen's own library. The published program
//! brings a test runner with an HTTP server and client along, which take twice as long to build as the rest; and this
//! one has its versions in a lock file.

mod options;

use options::{Options, Target};
use std::process::ExitCode;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args == ["--version"] || args == ["-V"] {
        println!("wasm-bindgen {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    let done = Options::parse(&args).map_err(anyhow::Error::msg).and_then(|o| run(&o));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e:?}");
            ExitCode::FAILURE
        }
    }
}

fn run(o: &Options) -> anyhow::Result<()> {
    let mut b = Bindgen::new();
    match o.target {
        Target::Bundler => b.bundler(true)?,
        Target::Web => b.web(true)?,
        Target::NoModules => b.no_modules(true)?,
        Target::Nodejs => b.nodejs(true)?,
    };
    b.input_path(&o.input)
        .typescript(!o.no_typescript)
        .debug(o.debug)
        .keep_debug(o.keep_debug)
        .demangle(!o.no_demangle)
        .omit_default_module_path(false);
    if let Some(name) = &o.out_name {
        b.out_name(name);
    }
    b.generate(&o.out_dir)
}
