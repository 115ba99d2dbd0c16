//! `kubottle`: the native shell. A whole cluster for kubectl (`serve`), headless (`simulate`), or only its
//! scheduler (`schedule`).
#![expect(clippy::disallowed_methods, reason = "the shell is where the clock and the environment come from")]

mod cli;
mod http;
mod kubeconfig;
mod logs;
mod machines;
mod openapi;
mod pki;
mod protobuf;
mod services;
mod wasm;
mod world;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}
