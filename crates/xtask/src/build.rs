//! The two things there are to build: the page (wasm) and the program `kubottle` (native).

use crate::shell::{Result, cmd, quiet, target_dir};
use crate::{page, stamp, tools};
use std::path::PathBuf;
use std::process::Command;

/// How the page is built: as it is published, which is what is tested, and for this machine alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Page {
    Published,
    Quick,
}

impl Page {
    /// The cargo profile, and the name of the directory of the result.
    fn name(self) -> &'static str {
        match self {
            Page::Published => "page",
            Page::Quick => "play-page",
        }
    }
    /// Where the static files are after [`page`].
    pub fn dir(self) -> PathBuf {
        target_dir().join("pages").join(self.name())
    }
}

/// What a build is made from: the workspace, its crates but for those it cannot hold, and other directories.
fn print_of(word: &str, without: &[&str], others: &[&str]) -> Result<String> {
    let mut inputs: Vec<String> = ["Cargo.toml", "Cargo.lock"].iter().chain(others).map(ToString::to_string).collect();
    for entry in std::fs::read_dir("crates").map_err(|e| format!("cannot read crates: {e}"))? {
        let name = entry.map_err(|e| e.to_string())?.file_name().to_string_lossy().into_owned();
        if !without.contains(&name.as_str()) {
            inputs.push(format!("crates/{name}"));
        }
    }
    stamp::fingerprint(&inputs.iter().map(String::as_str).collect::<Vec<_>>(), &[word])
}

/// Where the page's copy of all schemas is made, for `web/index.html`.
const SCHEMAS: &str = "web/editor/dist/schemas.json";

/// Builds the page into its [`Page::dir`] unless it is up to date. Says whether it had to.
pub fn page(how: Page) -> Result<bool> {
    let (name, out) = (how.name(), how.dir());
    let print =
        print_of(name, &["server", "testkit"], &["web", "static", "tests/page/visit.mjs", "tests/page/harness.mjs"])?;
    if stamp::is_fresh(name, &print, &out.join("index.html"))? {
        return Ok(false);
    }
    tools::wasm_targets()?;
    tools::wasm_bindgen()?;
    tools::npm_ci("web/editor")?;
    quiet("editor", &mut cmd("node", &["web/editor/build.mjs"]))?;
    // What the server is built with, so that nothing is built twice for it.
    let profile = if how == Page::Quick { Profile::Play } else { Profile::Dev };
    program(profile, "schemas", "schemas")?;
    quiet("schemas-file", &mut cmd(program_path(profile, "schemas"), &[SCHEMAS]))?;
    page::build(name, &out, how != Page::Quick)?;
    stamp::write(name, &print)?;
    Ok(true)
}

/// How `kubottle` is built: `play` for people (quick to build, quick enough to run), `dev` for tests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Dev,
    Play,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Profile::Dev => "dev",
            Profile::Play => "play",
        }
    }
    fn dir(self) -> &'static str {
        match self {
            Profile::Dev => "debug",
            Profile::Play => "play",
        }
    }
}

/// Builds `kubottle` unless it is up to date; hands back where it is.
pub fn server(profile: Profile) -> Result<PathBuf> {
    let name = format!("kubottle-{}", profile.name());
    let bin = program_path(profile, "kubottle");
    let print = print_of(profile.name(), &["worker", "xtask", "testkit"], &[])?;
    if !stamp::is_fresh(&name, &print, &bin)? {
        program(profile, "kubottle", &name)?;
        stamp::write(&name, &print)?;
    }
    std::path::absolute(&bin).map_err(|e| e.to_string())
}

fn program_path(profile: Profile, bin: &str) -> PathBuf {
    target_dir().join(profile.dir()).join(bin).with_extension(std::env::consts::EXE_EXTENSION)
}

/// Always of the whole workspace: cargo chooses the features of a crate by what is asked for, so that another choice would
/// compile half of everything once more.
fn program(profile: Profile, bin: &str, name: &str) -> Result<()> {
    quiet(name, &mut cmd("cargo", &["build", "--workspace", "--bin", bin, "--profile", profile.name()]))
}

/// Builds what is made for wasm: the page's two programs and what is compared with the native engine. Always all of it: cargo
/// chooses the features of a crate by what is asked for, so that another choice would compile most of them once more; and each
/// link keeps one core busy for minutes. The linker leaves its relocations, by which wasm-parts knows what reads which data.
pub fn wasm_build(profile: &str) -> Command {
    let mut cargo = cmd("cargo", &["build", "--target", "wasm32-unknown-unknown", "--profile", profile]);
    cargo.args(["--config", "target.wasm32-unknown-unknown.rustflags=[\"-Clink-arg=--emit-relocs\"]"]);
    cargo.args(["-p", "web", "-p", "worker", "-p", "parity", "--lib", "--bin", "web", "--bin", "worker"]);
    cargo
}

/// The engine as a module for Node, to be compared with the native one, and beside it, in `web`, the same for a page. Hands
/// back the module's file.
pub fn parity() -> Result<PathBuf> {
    let out = std::path::absolute(target_dir().join("parity")).map_err(|e| e.to_string())?;
    let module = out.join("parity.js");
    let print = print_of("parity", &["server", "worker", "xtask", "testkit"], &[])?;
    if !stamp::is_fresh("parity", &print, &module)? {
        tools::wasm_targets()?;
        tools::wasm_bindgen()?;
        quiet("parity", &mut wasm_build("page"))?;
        let wasm = target_dir().join("wasm32-unknown-unknown/page/parity.wasm");
        let mut c = cmd(tools::bin("wasm-bindgen")?, &["--target", "nodejs", "--out-dir"]);
        quiet("parity-bindgen", c.arg(&out).arg(&wasm))?;
        let mut c = cmd(tools::bin("wasm-bindgen")?, &["--target", "web", "--out-dir"]);
        quiet("parity-bindgen-web", c.arg(out.join("web")).arg(wasm))?;
        // Beside it so that Node takes it for what wasm-bindgen writes, whatever directory it is in.
        std::fs::write(out.join("package.json"), "{}\n").map_err(|e| e.to_string())?;
        stamp::write("parity", &print)?;
    }
    Ok(module)
}
