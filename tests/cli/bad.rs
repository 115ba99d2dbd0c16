//! Bad files get a located error and nothing else happens.

use system_tests::{manifest, run};

#[track_caller]
fn check(name: &str, line: u32, words: &str) {
    let file = manifest(&format!("bad/{name}"));
    let Some(ran) = run(&["simulate", "-f", &file, "--until", "1s"]) else { return };
    let err = ran.bad();
    assert!(err.contains(words), "{name}: no {words:?} in\n{err}");
    assert!(err.contains(&format!(":{line}:")), "{name}: no line {line} in\n{err}");
    assert!(!err.contains("panicked"), "{name}:\n{err}");
}

#[test]
fn tabs() {
    check("tabs.yaml", 4, "found character that cannot start any token");
}
#[test]
fn duplicate_key() {
    check("duplicate-key.yaml", 7, "key \"a\" already set in map");
}
#[test]
fn alias_bomb() {
    check("alias-bomb.yaml", 9, "document contains excessive aliasing");
}
#[test]
fn unknown_field() {
    check("unknown-field.yaml", 8, "unknown field \"spec.containers[0].imagee\"");
}
#[test]
fn wrong_type() {
    check(
        "wrong-type.yaml",
        6,
        "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
    );
}
#[test]
fn unknown_kind() {
    check("unknown-kind.yaml", 1, "no matches for kind \"Deployment\" in version \"v1\"");
}
#[test]
fn the_second_of_two_documents() {
    check("second.yaml", 9, "Invalid value: \"Second_Is_Not\"");
}
