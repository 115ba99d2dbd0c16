//! A pod that is a real program: a WASI 0.2 component on a wasm node.

use std::path::PathBuf;
use std::process::Command;
use system_tests::{Ran, Server};

/// Builds the sample programs; `None`, having said why, where the target is not installed.
fn hello() -> Option<PathBuf> {
    let guests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/server/guests");
    let target = std::env::current_exe().ok()?.ancestors().nth(3)?.join("guests");
    let mut c = Command::new(env!("CARGO"));
    c.args(["build", "--release", "--target", "wasm32-wasip2"]).current_dir(&guests).env("CARGO_TARGET_DIR", &target);
    let ran = Ran::of(&mut c);
    if !ran.ok && ran.err.contains("wasm32-wasip2") && ran.err.contains("target may not be installed") {
        eprintln!("left out: rustup target add wasm32-wasip2");
        return None;
    }
    ran.good();
    Some(target.join("wasm32-wasip2/release/hello.wasm"))
}

#[test]
fn a_real_program_runs_as_a_pod() {
    let Some(s) = Server::start(&["--sim-nodes", "1", "--wasm-nodes", "1"]) else { return };
    let Some(hello) = hello() else { return };
    s.kubottle(&["image", "load", "hello:1", &hello.to_string_lossy()]).good();
    s.until("get nodes -l kubernetes.io/arch=wasm32", |o| o.contains(" Ready "));
    let overrides = r#"--overrides={"spec":{"runtimeClassName":"wasmtime"}}"#;
    let run = ["run", "hello", "--image=hello:1", "--restart=Never", "--env=GREETING_NAME=kubectl", overrides];
    assert_eq!(s.kubectl(&run).good(), "pod/hello created\n");
    s.until("get pod hello", |o| o.contains("Completed"));
    assert_eq!(s.k("logs hello"), "hello, kubectl\n");
    assert_eq!(s.k("get pod hello -o jsonpath={..terminated.exitCode}"), "0");
}
