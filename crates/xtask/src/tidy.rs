//! The repository's own lint: what keeps the house as its map says. One rule, one function.

mod edges;
mod words;

use crate::shell::Result;
use crate::stamp::walk;
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 800;
/// Directories that are the project's.
const ROOTS: &[&str] = &["crates", "web", "tests", "static", ".ci", ".cargo"];
/// Crates with the outside world in them; the rest is the core.
const SHELLS: &[&str] = &[
    "crates/openapi/src/bin",
    "crates/parity/examples",
    "crates/server",
    "crates/worker",
    "crates/xtask",
    "web",
    "tests",
];

/// A text file of the project.
pub struct File {
    pub path: String,
    pub text: String,
}

impl File {
    fn has_extension(&self, list: &[&str]) -> bool {
        Path::new(&self.path).extension().is_some_and(|e| list.iter().any(|l| e == *l))
    }
    fn is_core(&self) -> bool {
        self.path.starts_with("crates/") && !SHELLS.iter().any(|s| self.path.starts_with(&format!("{s}/")))
    }
}

pub fn run() -> Result<()> {
    let files = read()?;
    let mut complaints = Vec::new();
    for rule in [long_files, leftovers, core_is_portable, paths_exist, no_private_hosts] {
        rule(&files, &mut complaints);
    }
    edges::check(&files, &mut complaints);
    words::check(&files, &mut complaints);
    for c in &complaints {
        println!("tidy: {c}");
    }
    match complaints.len() {
        0 => {
            println!("tidy: {} files, nothing to say", files.len());
            Ok(())
        }
        n => Err(format!("tidy has {n} complaints")),
    }
}

fn read() -> Result<Vec<File>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for root in ROOTS {
        walk(Path::new(root), &mut paths)?;
    }
    for entry in std::fs::read_dir(".").map_err(|e| e.to_string())?.flatten() {
        // What a bundle left there is nobody's text.
        if entry.path().is_file() && entry.file_name() != crate::bundle::SINGLE {
            paths.push(entry.file_name().into());
        }
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        // Pictures and fonts are no text.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        files.push(File { path: path.to_string_lossy().replace('\\', "/"), text });
    }
    Ok(files)
}

fn long_files(files: &[File], out: &mut Vec<String>) {
    for f in files.iter().filter(|f| f.has_extension(&["rs", "js", "mjs", "css"])) {
        let lines = f.text.lines().count();
        if lines > LINES_MAX {
            out.push(format!("{}: {lines} lines; split it (at most {LINES_MAX}, better 100 to 400)", f.path));
        }
    }
}

/// Code that says it is not finished. The words are put together here so that this file may name them.
fn leftovers(files: &[File], out: &mut Vec<String>) {
    let words = ["todo", "unimplemented", "dbg"].map(|w| format!("{w}!"));
    let marks = ["FIX", "TO", "XX"].map(|w| {
        format!(
            "{w}{}",
            if w == "FIX" {
                "ME"
            } else if w == "TO" {
                "DO"
            } else {
                "X"
            }
        )
    });
    for f in files.iter().filter(|f| f.has_extension(&["rs", "js", "mjs", "css", "html"])) {
        for (i, line) in f.text.lines().enumerate() {
            let called = words.iter().any(|w| line.contains(&format!("{w}(")));
            let marked = marks.iter().any(|m| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == m));
            if called || marked {
                out.push(format!("{}:{}: unfinished: {}", f.path, i + 1, line.trim()));
            }
        }
    }
}

/// The core has one shape on every machine and no order that changes from run to run.
fn core_is_portable(files: &[File], out: &mut Vec<String>) {
    let banned = [
        ("collections::HashMap", "use BTreeMap, indexmap or imbl"),
        ("collections::HashSet", "use BTreeSet or indexmap"),
        ("target_arch", "the core is the same on every machine; what differs belongs to a shell"),
        ("std::thread", "the core has no threads"),
        ("std::fs", "the core does no I/O"),
        ("std::net::Tcp", "the core does no I/O"),
        ("std::net::Udp", "the core does no I/O"),
    ];
    for f in files.iter().filter(|f| f.is_core() && f.has_extension(&["rs"])) {
        for (i, line) in f.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            for (what, instead) in banned {
                if code.contains(what) {
                    out.push(format!("{}:{}: {what} in a core crate: {instead}", f.path, i + 1));
                }
            }
        }
    }
}

/// Every path in backticks that the map and the front page name is there.
fn paths_exist(files: &[File], out: &mut Vec<String>) {
    let roots: Vec<String> = ROOTS.iter().map(|r| format!("{r}/")).collect();
    for f in files.iter().filter(|f| f.path == "ARCHITECTURE.md" || f.path == "README.md") {
        for (i, line) in f.text.lines().enumerate() {
            for quoted in line.split('`').skip(1).step_by(2) {
                let path = quoted.split([' ', ':', '#']).next().unwrap_or("");
                let pattern = path.contains(['*', '<', '{', '…']);
                if roots.iter().any(|r| path.starts_with(r.as_str())) && !pattern && !Path::new(path).exists() {
                    out.push(format!("{}:{}: `{path}` is not there", f.path, i + 1));
                }
            }
        }
    }
}

/// Lock files name the public registries or none.
fn no_private_hosts(files: &[File], out: &mut Vec<String>) {
    for f in files {
        let bad = |line: &&str| match f.path.rsplit('/').next() {
            Some("package-lock.json") => {
                line.contains("\"resolved\":") && !line.contains("\"https://registry.npmjs.org/")
            }
            Some("Cargo.lock") => {
                line.starts_with("source = ") && !line.contains("registry+https://github.com/rust-lang/crates.io-index")
            }
            _ => false,
        };
        if let Some(line) = f.text.lines().find(bad) {
            out.push(format!("{}: a registry that not everyone reaches: {}", f.path, line.trim()));
        }
    }
}
