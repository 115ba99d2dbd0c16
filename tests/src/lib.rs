//! The program as its users meet it: the binary `kubottle` run from outside, and kubectl against its server.
//!
//! `KUBOTTLE_BIN` names the binary (`cargo xtask test` sets it); without it the one that cargo built last is taken. Where
//! the binary or kubectl is missing, a test says so and passes: `cargo xtask test` tells which are left out.
#![expect(clippy::disallowed_methods, reason = "a test of processes waits in real time")]

mod proxy;
mod server;

pub use proxy::Proxy;
pub use server::{Ran, Server};

use std::path::{Path, PathBuf};
use std::process::Command;

/// `tests/manifests/NAME`.
pub fn manifest(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests").join(name).to_string_lossy().into_owned()
}

pub fn read(name: &str) -> String {
    std::fs::read_to_string(manifest(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The lessons that are shipped: names of files and texts, in order.
pub fn lessons() -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../static/lessons");
    let listing = std::fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut files: Vec<PathBuf> = listing.flatten().map(|e| e.path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "md"));
    files.sort();
    let read = |f: &PathBuf| {
        let name = f.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(f).unwrap_or_else(|e| panic!("{}: {e}", f.display())))
    };
    files.iter().map(read).collect()
}

pub fn kubottle() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("KUBOTTLE_BIN") {
        return Some(path.into());
    }
    // Tests run from target/<profile>/deps.
    let here = std::env::current_exe().ok()?;
    let name = format!("kubottle{}", std::env::consts::EXE_SUFFIX);
    let found = here.parent()?.parent()?.join(name);
    if found.exists() {
        return Some(found);
    }
    eprintln!("left out: no kubottle at {} (cargo build -p server)", found.display());
    None
}

/// Runs `kubottle ARGS` to its end.
pub fn run(args: &[&str]) -> Option<Ran> {
    Some(Ran::of(Command::new(kubottle()?).args(args)))
}

pub fn kubectl_is_here() -> bool {
    let found = Command::new("kubectl").args(["version", "--client"]).output().is_ok_and(|o| o.status.success());
    if !found {
        eprintln!("left out: kubectl is not on PATH");
    }
    found
}

/// A kubectl of the version that we model, whose output is compared byte by byte: `KUBOTTLE_KUBECTL`, else the one on PATH.
pub fn kubectl_of_our_version() -> Option<PathBuf> {
    let program = std::env::var_os("KUBOTTLE_KUBECTL").map_or_else(|| PathBuf::from("kubectl"), PathBuf::from);
    let version = Command::new(&program).args(["version", "--client"]).output();
    let version = version.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    if version.contains("Client Version: v1.35.") {
        return Some(program);
    }
    eprintln!("left out: {} is not kubectl v1.35 (KUBOTTLE_KUBECTL names another one)", program.display());
    None
}
