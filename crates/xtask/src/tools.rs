//! What must be on the machine, and what is installed where it is missing: outside the clone, in the user's cache.

use crate::shell::{self, Result, cmd, output, quiet};
use std::path::PathBuf;

const RUST: (u32, u32) = (1, 95);
const NODE: u32 = 20;
/// The same as `wasm-bindgen` in the workspace: the two must agree exactly.
const WASM_BINDGEN: &str = "0.2.130";
/// The same as `module::VERSION` of wasm-parts.
const WASM_PARTS: &str = "2";

/// `$KUBOTTLE_CACHE`, or `~/.cache/kubottle/tools`.
pub fn dir() -> Result<PathBuf> {
    if let Some(dir) = std::env::var_os("KUBOTTLE_CACHE") {
        return Ok(PathBuf::from(dir));
    }
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    let home = home.ok_or("neither KUBOTTLE_CACHE nor HOME is set: say where tools may be kept with KUBOTTLE_CACHE")?;
    Ok(PathBuf::from(home).join(".cache/kubottle/tools"))
}

pub fn bin(name: &str) -> Result<PathBuf> {
    Ok(dir()?.join("bin").join(name).with_extension(std::env::consts::EXE_EXTENSION))
}

fn numbers(version: &str) -> Vec<u32> {
    let start = version.find(|c: char| c.is_ascii_digit()).unwrap_or(version.len());
    version[start..].split(|c: char| !c.is_ascii_digit()).map_while(|n| n.parse().ok()).collect()
}

pub fn check_rust() -> Result<()> {
    let have = output("rustc", &["--version"]).unwrap_or_default();
    let n = numbers(&have);
    if n.len() < 2 || (n[0], n[1]) < RUST {
        let (major, minor) = RUST;
        return Err(format!(
            "Rust {major}.{minor} or newer is needed, found {}. Install it from https://rustup.rs or run `rustup update stable`.",
            if have.is_empty() { "none" } else { &have }
        ));
    }
    Ok(())
}

pub fn check_node() -> Result<()> {
    let have = output("node", &["--version"]).unwrap_or_default();
    if numbers(&have).first().is_none_or(|n| *n < NODE) || output("npm", &["--version"]).is_none() {
        return Err(format!(
            "Node.js {NODE} or newer with npm is needed (for the editor inside the page), found {}. \
             Install it from https://nodejs.org or with your package manager.",
            if have.is_empty() { "none" } else { &have }
        ));
    }
    Ok(())
}

/// The targets that the page and its tests (wasm32-unknown-unknown) and the sample programs (wasm32-wasip2) need.
pub fn wasm_targets() -> Result<()> {
    let root = output("rustc", &["--print", "sysroot"]).ok_or("`rustc --print sysroot` failed")?;
    for target in ["wasm32-unknown-unknown", "wasm32-wasip2"] {
        if PathBuf::from(&root).join("lib/rustlib").join(target).join("lib").exists() {
            continue;
        }
        quiet("rustup-target", &mut cmd("rustup", &["target", "add", target])).map_err(|e| {
            format!("{e}\nThe Rust target {target} is missing. With rustup: `rustup target add {target}`; with a distribution's Rust, install its wasm32 standard library.")
        })?;
    }
    Ok(())
}

/// wasm-bindgen and wasm-parts, built once into the cache. They need not be fast programs: built unoptimized they are ready
/// in half the time.
pub fn wasm_bindgen() -> Result<()> {
    let is_there = |name: &str, version: &str| -> Result<bool> {
        Ok(output(&bin(name)?, &["--version"]).is_some_and(|v| v.ends_with(version)))
    };
    if is_there("wasm-bindgen", WASM_BINDGEN)? && is_there("wasm-parts", WASM_PARTS)? {
        return Ok(());
    }
    let root = dir()?;
    eprintln!("   wasm-bindgen and wasm-parts are not in {}: building them once (a minute)", root.display());
    let mut c = cmd("cargo", &["install", "--path", "crates/xtask/bindgen", "--locked", "--force", "--root"]);
    c.arg(&root).env("CARGO_TARGET_DIR", root.join("build"));
    for (k, v) in [("OPT_LEVEL", "0"), ("LTO", "off"), ("CODEGEN_UNITS", "16"), ("STRIP", "true"), ("DEBUG", "false")] {
        c.env(format!("CARGO_PROFILE_RELEASE_{k}"), v);
    }
    quiet("install-wasm-bindgen", &mut c).map_err(|e| format!("{e}\nIt needs the crates registry and a linker."))
}

/// `npm ci` in a directory with a lock file, when what is installed is not what the lock file says.
pub fn npm_ci(dir: &str) -> Result<()> {
    check_node()?;
    let name = format!("npm-{}", dir.replace('/', "-"));
    let lock = format!("{dir}/package-lock.json");
    let print = crate::stamp::fingerprint(&[&lock], &[])?;
    let installed = PathBuf::from(dir).join("node_modules");
    if crate::stamp::is_fresh(&name, &print, &installed)? {
        return Ok(());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut c = cmd(npm, &["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
    c.current_dir(dir);
    quiet(&name, &mut c)
        .map_err(|e| format!("{e}\nnpm needs its registry reachable (or a mirror set in your ~/.npmrc)."))?;
    crate::stamp::write(&name, &print)
}

/// Runs several lanes at once and waits for all; the first failure is the result.
pub fn both(a: impl FnOnce() -> Result<()> + Send, b: impl FnOnce() -> Result<()> + Send) -> Result<()> {
    std::thread::scope(|scope| {
        let other = scope.spawn(b);
        let first = a();
        let second = other.join().unwrap_or_else(|_| Err("a build lane crashed".into()));
        first.and(second)
    })
}

pub fn kubectl() -> Option<String> {
    shell::output("kubectl", &["version", "--client", "-o", "yaml"])
        .and_then(|v| v.lines().find_map(|l| l.trim().strip_prefix("gitVersion: ").map(str::to_string)))
}
