//! `cargo xtask bundle`: the page for any static host, and as one file that runs from a disk.

use crate::build::{self, Page};
use crate::shell::{Result, cmd, quiet};
use crate::{page, tools};

/// The scripts that need npm packages (wasm-opt, esbuild) and their lock file.
const SCRIPTS: &str = "crates/xtask/js";

/// The page in one file, at the top where people find it.
pub const SINGLE: &str = "kubottle.html";

/// How hard the page is made smaller.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// What is published: minutes for a few per cent.
    Most,
    /// What is tested: through the same program, in a fraction of the time.
    Little,
}

pub fn run(effort: Effort) -> Result<()> {
    tools::check_rust()?;
    tools::npm_ci(SCRIPTS)?;
    let how = if effort == Effort::Most { Page::Published } else { Page::Tested };
    build::page(how)?;
    let page = std::path::absolute(how.dir()).map_err(|e| e.to_string())?;
    let mut c = cmd("node", &[&format!("{SCRIPTS}/bundle.mjs")]);
    c.arg(&page).arg("dist").arg(SINGLE).arg(if effort == Effort::Most { "-Oz" } else { "-O0" });
    quiet("bundle", &mut c)?;
    page::list_files("dist".as_ref())?;
    for path in ["dist/index.html", SINGLE] {
        let size = std::fs::metadata(path).map_err(|e| format!("{path} was not written: {e}"))?.len();
        println!("{path}: {} KB", size / 1000);
    }
    println!("dist/ goes to any static host, under any path; kubottle.html opens from a disk in Chromium and Firefox.");
    Ok(())
}
