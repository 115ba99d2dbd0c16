//! The page's programs in two parts: what a first visit needs, and the rest, which follows while the first is at work. What
//! a first visit needs is found out by making one.

use crate::shell::{Result, cmd, quiet, target_dir};
use crate::{browser, tools};
use std::path::{Path, PathBuf};

/// The scripts that run before a program starts.
pub const PARTS: &str = "crates/xtask/parts/parts.js";
pub const COUNTING: &str = "crates/xtask/parts/counting.js";
/// Where the visit's script is, and the npm package that drives the browser.
const VISIT: &str = "tests/page";

/// What a page is laid out with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Whole,
    /// Programs that note which of their functions run.
    Counting,
    Parts,
}

impl Form {
    /// The module that a page starts with.
    pub fn wasm(self, made: &Path, bin: &str) -> PathBuf {
        let kind = match self {
            Form::Whole => "bg",
            Form::Counting => "counting",
            Form::Parts => "first",
        };
        made.join(format!("{bin}_{kind}.wasm"))
    }
}

pub fn rest(made: &Path, bin: &str) -> PathBuf {
    made.join(format!("{bin}_rest.wasm"))
}

/// Divides programs that wasm-bindgen has made, one in each directory, named as it, of those that the linker left in `linked`;
/// says what the page is to be laid out with. `lay_out` makes a page that counts.
pub fn divide(made: &[PathBuf], linked: &Path, lay_out: impl FnOnce(&Path) -> Result<()>) -> Result<Form> {
    let chromium = match browser::chromium() {
        Ok(path) => path,
        Err(e) => {
            println!("the page's programs stay whole, and a first visit downloads all of them: {e}");
            return Ok(Form::Whole);
        }
    };
    let tool = tools::bin("wasm-parts")?;
    let parts = |name: String, args: &[&Path]| {
        quiet(&name, cmd(&tool, &[name.split('-').next().unwrap_or_default()]).args(args))
    };
    let programs: Vec<(String, &Path)> = made
        .iter()
        .map(|dir| (dir.file_name().unwrap_or_default().to_string_lossy().into_owned(), dir.as_path()))
        .collect();
    for (bin, dir) in &programs {
        parts(format!("count-{bin}"), &[&Form::Whole.wasm(dir, bin), &Form::Counting.wasm(dir, bin)])?;
    }
    let counting = std::path::absolute(target_dir().join("pages/counting")).map_err(|e| e.to_string())?;
    lay_out(&counting)?;
    tools::npm_ci(VISIT)?;
    let mut visit = cmd("node", &["visit.mjs"]);
    visit.arg(&counting).current_dir(VISIT).env("KUBOTTLE_PAGE", &counting).env("CHROMIUM", chromium);
    quiet("visit", &mut visit)?;
    for (bin, dir) in &programs {
        let ran = counting.join(format!("{bin}.ran"));
        let (whole, first) = (Form::Whole.wasm(dir, bin), Form::Parts.wasm(dir, bin));
        let linked = linked.join(format!("{bin}.wasm"));
        parts(format!("split-{bin}"), &[&linked, &whole, &ran, &first, &rest(dir, bin)])?;
    }
    Ok(Form::Parts)
}
