//! `cargo xtask bundle`: the page for any static host, and as one file that runs from a disk.

use crate::build::{self, Page};
use crate::shell::{Result, cmd, quiet};
use crate::{page, tools};

/// The scripts that need npm packages (esbuild) and their lock file.
const SCRIPTS: &str = "crates/xtask/js";

/// The page in one file, at the top where people find it.
pub const SINGLE: &str = "kubottle.html";

pub fn run() -> Result<()> {
    tools::check_rust()?;
    tools::npm_ci(SCRIPTS)?;
    build::page(Page::Published)?;
    let page = std::path::absolute(Page::Published.dir()).map_err(|e| e.to_string())?;
    let mut c = cmd("node", &[&format!("{SCRIPTS}/bundle.mjs")]);
    c.arg(&page).arg("dist").arg(SINGLE);
    quiet("bundle", &mut c)?;
    page::list_files("dist".as_ref())?;
    for path in ["dist/index.html", SINGLE] {
        let size = std::fs::metadata(path).map_err(|e| format!("{path} was not written: {e}"))?.len();
        println!("{path}: {} KB", size / 1000);
    }
    println!("dist/ goes to any static host, under any path; kubottle.html opens from a disk in Chromium and Firefox.");
    Ok(())
}
