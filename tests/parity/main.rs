//! The same input gives the same trace natively and in wasm, twice.
//!
//! `KUBOTTLE_PARITY` names the engine as a Node module (`cargo xtask test wasm` builds it); without it only the native
//! runs are compared.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use system_tests::read;

const NODES: u32 = 3;
const SECONDS: u32 = 120;

fn in_wasm(package: &Path, manifests: &str, seed: u32) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/parity.mjs");
    let numbers = [NODES, SECONDS, seed].map(|n| n.to_string());
    let mut c = Command::new("node");
    c.arg(script).arg(package).arg("trace").args(numbers).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = c.spawn().unwrap_or_else(|e| panic!("cannot start node: {e}"));
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(manifests.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
    }
    let out = child.wait_with_output().unwrap_or_else(|e| panic!("{e}"));
    assert!(out.status.success(), "node ended with {}", out.status);
    String::from_utf8_lossy(&out.stdout).trim().to_string()
}

fn check(name: &str) {
    let manifests = read(name);
    for seed in [1, 7] {
        let native = parity::trace_hash(&manifests, NODES, SECONDS, seed);
        assert!(!native.starts_with("error"), "{name}: {native}");
        assert_eq!(native, parity::trace_hash(&manifests, NODES, SECONDS, seed), "{name}: two native runs differ");
        match std::env::var_os("KUBOTTLE_PARITY") {
            Some(package) => {
                let wasm = in_wasm(Path::new(&package), &manifests, seed);
                assert_eq!(native, wasm, "{name}, seed {seed}: native and wasm differ (hash, entries, revision)");
            }
            None => eprintln!("left out: KUBOTTLE_PARITY is not set, so wasm is not compared"),
        }
    }
}

fn lessons_in_wasm(package: &Path, texts: &[&String]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/parity.mjs");
    let mut c = Command::new("node");
    c.arg(script).arg(package).arg("lessons").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = c.spawn().unwrap_or_else(|e| panic!("cannot start node: {e}"));
    if let Some(mut stdin) = child.stdin.take() {
        serde_json::to_writer(&mut stdin, texts).unwrap_or_else(|e| panic!("{e}"));
    }
    let out = child.wait_with_output().unwrap_or_else(|e| panic!("{e}"));
    assert!(out.status.success(), "node ended with {}", out.status);
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Of every lesson and challenge that is shipped the checks fail at the beginning and the solutions make them pass, here and
/// in the browser's engine, with the same end. The other ways and the wrong ones are tried in the browser's engine, which is
/// optimized; without it they are left out here (`kubottle lesson check` tries them, too).
#[test]
fn lessons() {
    let all = system_tests::lessons();
    let texts: Vec<&String> = all.iter().map(|(_, text)| text).collect();
    let package = std::env::var_os("KUBOTTLE_PARITY");
    let (native, wasm) = std::thread::scope(|s| {
        let native = s.spawn(|| texts.iter().map(|text| parity::prove_solutions(text)).collect::<Vec<_>>());
        let wasm = package.map(|package| lessons_in_wasm(Path::new(&package), &texts));
        (native.join().unwrap_or_else(|e| std::panic::resume_unwind(e)), wasm)
    });
    for ((name, _), native) in all.iter().zip(&native) {
        assert!(!native.starts_with("error"), "{name}:\n{native}");
    }
    match wasm {
        Some(wasm) => assert_eq!(native, wasm.lines().collect::<Vec<_>>(), "native and wasm differ"),
        None => eprintln!(
            "left out: KUBOTTLE_PARITY is not set, so lessons are not proved in wasm, nor are their other and wrong ways"
        ),
    }
}

macro_rules! scenarios {
    ($($test:ident $file:literal)*) => { $(#[test] fn $test() { check($file); })* };
}
scenarios! {
    deployment "deployment.yaml"
    recreate "deployment-recreate.yaml"
    service "service.yaml"
    crash "pod-crash.yaml"
    probes "pod-probes.yaml"
    init "pod-init.yaml"
    too_big "pod-too-big.yaml"
    configuration "configmap.yaml"
}
