//! Every reason a component can give has its sentence in both languages.

use super::File;
use std::collections::BTreeSet;

/// Files of the page's catalogue: one for each language, told by their names.
const CATALOGUE: &str = "web/src/i18n";

pub fn check(files: &[File], out: &mut Vec<String>) {
    let codes = note_codes(files);
    for language in ["ko", "en"] {
        let catalogue: Vec<&File> = files.iter().filter(|f| is_of(f, language)).collect();
        if catalogue.is_empty() {
            continue;
        }
        for (code, place) in &codes {
            let key = format!("note.{code}\"");
            if !catalogue.iter().any(|f| f.text.contains(&key)) {
                out.push(format!("{place}: note {code:?} has no sentence `note.{code}` in {language}"));
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

/// The codes in `note!("x.y", ...)`, each once, with the first file that gives it.
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
                codes.insert((code.to_string(), f.path.clone()));
            }
        }
    }
    codes
}
