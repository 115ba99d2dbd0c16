//! `schemas FILE`: every built-in kind's schema as one file, for the page: its editor completes and checks with it, and
//! `kubectl explain` in its terminal reads it. It is beside the page because schemas would double the engine.

fn main() -> std::process::ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: schemas FILE");
        return std::process::ExitCode::FAILURE;
    };
    match std::fs::write(&path, openapi::page::document()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("cannot write {path}: {e}");
            std::process::ExitCode::FAILURE
        }
    }
}
