//! From `web/index.html` to a directory of static files. The links in it that say `data-trunk` are Trunk's, and `trunk
//! serve` works with them; this reads the ones that we use. Trunk itself brings a JavaScript compiler and takes longer to
//! build than the whole page, so nobody has to wait for it.

use crate::parts::{self, Form};
use crate::shell::{Result, cmd, quiet, target_dir};
use crate::{build, stamp, tools};
use std::path::{Path, PathBuf};

const INDEX: &str = "web/index.html";
/// In `static`, and in the page.
const WORKER: &str = "sw.js";

/// One link that asks for something, and where it stands in the text.
#[derive(Debug, PartialEq, Eq)]
struct Link {
    at: std::ops::Range<usize>,
    asks: Asks,
}

#[derive(Debug, PartialEq, Eq)]
enum Asks {
    /// The file as it is, under its own name.
    CopyFile(PathBuf),
    /// The files of a directory, in one of the same name.
    CopyDir(PathBuf),
    Css(PathBuf),
    /// The program that draws the page.
    Main(String),
    /// A program for a Web Worker, started by `NAME_loader.js`.
    Worker(String),
}

/// Builds both programs with a cargo profile and lays the page out in `out`, which it replaces. A page that is `divided`
/// downloads at first what a first visit needs.
pub fn build(profile: &str, out: &Path, divided: bool) -> Result<()> {
    let text = read(INDEX)?;
    let links = links(&text).map_err(|e| format!("{INDEX}: {e}"))?;
    quiet(profile, &mut build::wasm_build(profile))?;
    let programs = target_dir().join("wasm32-unknown-unknown").join(profile);
    let mut made = Vec::new();
    for link in &links {
        match &link.asks {
            Asks::Main(bin) => made.push(bindgen(bin, "web", &programs)?),
            Asks::Worker(bin) => made.push(bindgen(bin, "no-modules", &programs)?),
            _ => {}
        }
    }
    let page = Page { text: &text, links: &links, programs: &programs };
    let form = if divided {
        parts::divide(&made, &programs, |counting| page.lay_out(counting, Form::Counting))?
    } else {
        Form::Whole
    };
    page.lay_out(out, form)
}

/// What a page is made from.
struct Page<'a> {
    text: &'a str,
    links: &'a [Link],
    programs: &'a Path,
}

impl Page<'_> {
    fn lay_out(&self, out: &Path, form: Form) -> Result<()> {
        // Laid out beside it and moved, so that there is never half a page.
        let new = out.with_extension("new");
        let _ = std::fs::remove_dir_all(&new);
        std::fs::create_dir_all(&new).map_err(|e| format!("cannot make {}: {e}", new.display()))?;
        let mut html = String::new();
        let mut done = 0;
        for link in self.links {
            html.push_str(&self.text[done..link.at.start]);
            html.push_str(&lay_out(&link.asks, self.programs, &new, form)?);
            done = link.at.end;
        }
        html.push_str(&self.text[done..]);
        write(&new.join("index.html"), html)?;
        list_files(&new)?;
        let _ = std::fs::remove_dir_all(out);
        std::fs::rename(&new, out).map_err(|e| format!("cannot move {} to {}: {e}", new.display(), out.display()))
    }
}

/// Puts what a link asks for into the page's directory; hands back what stands in the page instead of the link.
fn lay_out(asks: &Asks, programs: &Path, page: &Path, form: Form) -> Result<String> {
    match asks {
        Asks::CopyFile(from) => {
            copy(from, &page.join(from.file_name().unwrap_or_default()))?;
            Ok(String::new())
        }
        Asks::CopyDir(from) => {
            let to = page.join(from.file_name().unwrap_or_default());
            std::fs::create_dir_all(&to).map_err(|e| format!("cannot make {}: {e}", to.display()))?;
            let listing = std::fs::read_dir(from).map_err(|e| format!("cannot read {}: {e}", from.display()))?;
            for file in listing.flatten().map(|e| e.path()).filter(|f| f.is_file()) {
                copy(&file, &to.join(file.file_name().unwrap_or_default()))?;
            }
            Ok(String::new())
        }
        Asks::Css(from) => {
            let name = named(from, page)?;
            Ok(format!(r#"<link rel="stylesheet" href="./{name}" />"#))
        }
        Asks::Main(bin) => {
            let made = made(bin, programs);
            let js = named(&made.join(format!("{bin}.js")), page)?;
            let wasm = named(&form.wasm(&made, bin), page)?;
            let before = before(form, &made, bin, page)?;
            Ok(format!(
                "<link rel=\"modulepreload\" href=\"./{js}\" />\n    \
                 <link rel=\"preload\" href=\"./{wasm}\" as=\"fetch\" type=\"application/wasm\" crossorigin />\n    \
                 <script type=\"module\">\n      \
                 import init from \"./{js}\";\n      \
                 {before}await init({{ module_or_path: \"./{wasm}\" }});\n    \
                 </script>"
            ))
        }
        Asks::Worker(bin) => {
            let made = made(bin, programs);
            let js = named(&made.join(format!("{bin}.js")), page)?;
            let wasm = named(&form.wasm(&made, bin), page)?;
            let before = before(form, &made, bin, page)?;
            let loader =
                format!("importScripts(\"./{js}\");\n{before}wasm_bindgen({{ module_or_path: \"./{wasm}\" }});\n");
            write(&page.join(format!("{bin}_loader.js")), loader)?;
            Ok(String::new())
        }
    }
}

/// The script that runs before a program starts.
fn before(form: Form, made: &Path, bin: &str, page: &Path) -> Result<String> {
    Ok(match form {
        Form::Whole => String::new(),
        Form::Counting => read(parts::COUNTING)?,
        Form::Parts => {
            let rest = named(&parts::rest(made, bin), page)?;
            format!("{}parts(\"./{rest}\");\n", read(parts::PARTS)?)
        }
    })
}

/// Tells the page's service worker what the page is made of, so that all of it is there without a network.
pub fn list_files(page: &Path) -> Result<()> {
    let worker = page.join(WORKER);
    let mut files = Vec::new();
    stamp::walk(page, &mut files)?;
    files.retain(|f| *f != worker);
    let name = |f: &PathBuf| f.strip_prefix(page).map(|f| f.to_string_lossy().replace('\\', "/")).unwrap_or_default();
    let mut names: Vec<String> =
        files.iter().map(name).map(|n| if n == "index.html" { "./".into() } else { n }).collect();
    names.sort();
    let print = stamp::fingerprint(&[&page.to_string_lossy()], &[])?;
    let text = read(&Path::new("static").join(WORKER).to_string_lossy())?;
    let listed = text
        .replace("const VERSION = \"\";", &format!("const VERSION = \"{print}\";"))
        .replace("const FILES = [];", &format!("const FILES = {names:?};"));
    write(&worker, listed)
}

/// Where wasm-bindgen's JavaScript for a program is, and its wasm.
fn made(bin: &str, programs: &Path) -> PathBuf {
    programs.join("bindgen").join(bin)
}

/// wasm-bindgen's JavaScript for a program; the directory that holds it.
fn bindgen(bin: &str, target: &str, programs: &Path) -> Result<PathBuf> {
    let out = made(bin, programs);
    let mut c = cmd(tools::bin("wasm-bindgen")?, &["--target", target, "--no-typescript", "--out-dir"]);
    c.arg(&out).arg(programs.join(format!("{bin}.wasm")));
    quiet(&format!("bindgen-{bin}"), &mut c)?;
    let module = Form::Whole.wasm(&out, bin);
    let bytes = std::fs::read(&module).map_err(|e| format!("cannot read {}: {e}", module.display()))?;
    let bytes = parts::without_relocations(&bytes).ok_or_else(|| format!("{} is no module", module.display()))?;
    std::fs::write(&module, bytes).map_err(|e| format!("cannot write {}: {e}", module.display()))?;
    Ok(out)
}

/// Copies a file into the page under a name of its contents: `tokens-0123456789abcdef.css`. No cache shows an old page then.
fn named(file: &Path, page: &Path) -> Result<String> {
    let print = stamp::fingerprint(&[&file.to_string_lossy()], &[])?;
    let word = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let name = format!("{}-{print}.{}", word(file.file_stem()), word(file.extension()));
    copy(file, &page.join(&name))?;
    Ok(name)
}

fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| format!("cannot read {path}: {e}"))
}

fn write(path: &Path, text: String) -> Result<()> {
    std::fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::copy(from, to).map_err(|e| format!("cannot copy {} to {}: {e}", from.display(), to.display())).map(drop)
}

/// The `<link data-trunk …>` elements in order. One that we do not know is an error, not left out.
fn links(html: &str) -> Result<Vec<Link>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = html[from..].find("<link data-trunk").map(|at| from + at) {
        let end = html[start..].find('>').map(|at| start + at + 1).ok_or("a link without an end")?;
        let tag = &html[start..end];
        let word = |name: &str| attribute(tag, name).ok_or_else(|| format!("{tag} has no {name}"));
        let file = || word("href").map(|href| Path::new(INDEX).with_file_name(href));
        let asks = match (word("rel")?, attribute(tag, "data-type")) {
            ("copy-file", _) => Asks::CopyFile(file()?),
            ("copy-dir", _) => Asks::CopyDir(file()?),
            ("css", _) => Asks::Css(file()?),
            ("rust", Some("main")) => Asks::Main(word("data-bin")?.to_string()),
            ("rust", Some("worker")) => Asks::Worker(word("data-bin")?.to_string()),
            _ => return Err(format!("{tag} asks for something that crates/xtask/src/page.rs does not know")),
        };
        found.push(Link { at: start..end, asks });
        from = end;
    }
    Ok(found)
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_trunks_links() {
        let html = "<head><link rel=\"icon\" href=\"x\" />\n<link data-trunk rel=\"css\" href=\"../static/a.css\" />\
                    <link data-trunk rel=\"rust\" href=\"Cargo.toml\" data-bin=\"web\" data-type=\"main\" /></head>";
        let asks: Vec<Asks> = links(html).unwrap().into_iter().map(|l| l.asks).collect();
        assert_eq!(asks, [Asks::Css("web/../static/a.css".into()), Asks::Main("web".into())]);
    }

    #[test]
    fn a_link_that_it_does_not_know_is_an_error() {
        let error = links("<link data-trunk rel=\"sass\" href=\"a.scss\" />").unwrap_err();
        assert!(error.contains("sass"), "{error}");
        assert!(links("<link data-trunk rel=\"css\" />").unwrap_err().contains("has no href"));
    }
}
