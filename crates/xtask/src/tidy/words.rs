//! Every reason a component can give, and every hint on a manifest, has its sentence in both languages.

use super::File;
use std::collections::BTreeSet;

/// Files of the page's catalogue: one for each language, told by their names.
const CATALOGUE: &str = "web/src/i18n";
/// The catalogue that the page and the command line share: notes stand there under their bare codes.
const SHARED: &str = "crates/protocol/words";

pub fn check(files: &[File], out: &mut Vec<String>) {
    let mut codes = note_codes(files);
    codes.extend(hint_codes(files));
    for language in ["ko", "en"] {
        let catalogue: Vec<&File> = files.iter().filter(|f| is_of(f, language)).collect();
        if catalogue.is_empty() {
            continue;
        }
        let shared = files.iter().find(|f| f.path == format!("{SHARED}/{language}.json"));
        for (code, place) in &codes {
            let bare = code.strip_prefix("note.").unwrap_or(code);
            if shared.is_some_and(|f| f.text.contains(&format!("\"{bare}\""))) {
                continue;
            }
            if !catalogue.iter().any(|f| f.text.contains(&format!("\"{code}\""))) {
                out.push(format!("{place}: no sentence `{code}` in {language}"));
            }
        }
    }
}

/// `web/src/i18n/ko.rs`, `web/src/i18n/ko/notes.rs`.
fn is_of(file: &File, language: &str) -> bool {
    file.path.strip_prefix(CATALOGUE).is_some_and(|rest| {
        let first = rest.trim_start_matches('/').split(['/', '.']).next().unwrap_or("");
        first == language || first.starts_with(&format!("{language}_")) || first.ends_with(&format!("_{language}"))
    })
}

/// `hint.tabs` for each line of the table of hints.
fn hint_codes(files: &[File]) -> Vec<(String, String)> {
    let Some(file) = files.iter().find(|f| f.path == "crates/manifest/src/problem.rs") else { return Vec::new() };
    let table = file.text.split("HINTS: &[&str] = &[").nth(1).and_then(|t| t.split(']').next()).unwrap_or("");
    table.split('"').skip(1).step_by(2).map(|code| (format!("hint.{code}"), file.path.clone())).collect()
}

/// `note.x.y` for each code in `note!("x.y", ...)`, each once, with the first file that gives it.
fn note_codes(files: &[File]) -> BTreeSet<(String, String)> {
    let mut seen = BTreeSet::new();
    let mut codes = BTreeSet::new();
    for f in files.iter().filter(|f| f.path.starts_with("crates/") && f.path.ends_with(".rs") && f.is_core()) {
        // The macro's own definition and its examples live in the trace crate.
        if f.path.starts_with("crates/trace/") {
            continue;
        }
        for rest in f.text.split("note!(").skip(1) {
            let Some(code) = rest.trim_start().strip_prefix('"').and_then(|r| r.split('"').next()) else { continue };
            if seen.insert(code.to_string()) {
                codes.insert((format!("note.{code}"), f.path.clone()));
            }
        }
        // Codes that are chosen between before a note is made of them.
        let written = |prefix: &'static str| f.text.split(prefix).skip(1).filter_map(|rest| rest.split('"').next());
        for prefix in ["\"cell.", "\"fix."].into_iter().filter(|_| f.path.starts_with("crates/scheduler/src/")) {
            for code in written(prefix).map(|rest| format!("{}{rest}", &prefix[1..])) {
                if seen.insert(code.clone()) {
                    codes.insert((format!("note.{code}"), f.path.clone()));
                }
            }
        }
    }
    codes
}
