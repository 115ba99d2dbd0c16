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

/// A module without the linker's relocations, which wasm-bindgen hands on: they are half of it, and nobody needs them there.
pub fn without_relocations(module: &[u8]) -> Option<Vec<u8>> {
    let (header, mut left) = module.split_at_checked(8)?;
    let mut out = header.to_vec();
    while let Some((id, after)) = left.split_first() {
        let (length, after) = leb(after)?;
        let (section, after) = after.split_at_checked(length)?;
        let is_linkers = *id == 0 && {
            let (length, name) = leb(section)?;
            let name = name.get(..length)?;
            name == b"linking" || name.starts_with(b"reloc.")
        };
        if !is_linkers {
            out.extend_from_slice(&left[..left.len() - after.len()]);
        }
        left = after;
    }
    Some(out)
}

/// A number as wasm writes it (LEB128), and what comes after it.
fn leb(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut n = 0;
    for (i, b) in bytes.iter().enumerate().take(5) {
        n |= usize::from(b & 0x7f) << (7 * i);
        if b & 0x80 == 0 {
            return Some((n, &bytes[i + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::without_relocations;

    #[test]
    fn only_the_linkers_sections_go() {
        let head = b"\0asm\x01\0\0\0".as_slice();
        let (names, linking, code) =
            (b"\0\x05\x04name".as_slice(), b"\0\x0a\x07linking\x02\0".as_slice(), b"\x0a\x81\0\0".as_slice());
        let relocations = b"\0\x0b\x0areloc.CODE".as_slice();
        let all = [head, names, linking, code, relocations].concat();
        assert_eq!(without_relocations(&all), Some([head, names, code].concat()));
        assert_eq!(without_relocations(&all[..all.len() - 1]), None);
    }
}
