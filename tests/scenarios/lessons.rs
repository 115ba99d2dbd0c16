//! The table of contents of the lessons that are shipped. That each does what it says is proved where the browser's engine is,
//! too (`tests/parity`).

use lessons::{Lesson, index, syllabus};
use std::collections::BTreeSet;

fn read(name: &str, text: &str) -> Lesson {
    Lesson::read(text).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"))
}

#[test]
fn the_table_of_contents_is_theirs() {
    let all = system_tests::lessons();
    let read: Vec<(&str, Lesson)> = all.iter().map(|(name, text)| (name.as_str(), read(name, text))).collect();
    let ids: BTreeSet<&str> = read.iter().map(|(_, l)| l.id.as_str()).collect();
    assert_eq!(ids.len(), read.len(), "two lessons have the same name");
    for (name, l) in &read {
        assert!(name.ends_with(&format!("-{}.md", l.id)), "{name} holds {}", l.id);
    }
    let wanted = index(read.iter().map(|(name, l)| (*name, l)));
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../static/lessons/index.json");
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(there == wanted, "{} is old: kubottle lesson index static/lessons", file.display());
}

/// What the syllabus names, a lesson teaches.
#[test]
fn nothing_is_left_out() {
    let all = system_tests::lessons();
    let covered: BTreeSet<String> = all.iter().flat_map(|(name, text)| read(name, text).covers).collect();
    let names = syllabus::SYLLABUS.iter().flat_map(|(_, names)| names.iter());
    let missing: Vec<&&str> = names.filter(|n| !covered.contains(**n)).collect();
    assert!(missing.is_empty(), "no lesson covers {missing:?}");
}
