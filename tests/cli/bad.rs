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

#[track_caller]
fn check_text(name: &str, content: &[u8], expected: &str) {
    let dir = std::env::temp_dir().join(format!("kubottle-bad-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let file = dir.join("x.yaml");
    std::fs::write(&file, content).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let ran = run(&["simulate", "-f", &file.to_string_lossy(), "--until", "1s"]);
    let _ = std::fs::remove_dir_all(&dir);
    let Some(ran) = ran else { return };
    let err = ran.bad();
    assert!(err.contains(&format!("x.yaml:{expected}")), "{name}: no {expected:?} in\n{err}");
}

#[test]
fn nothing_in_it() {
    check_text("empty", b"", "1:1: there are no objects in it");
    check_text("comment", b"# later\n---\n---\n", "1:1: there are no objects in it");
}
#[test]
fn not_utf_8() {
    let latin1 = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: caf\xe9\n";
    check_text("latin1", latin1, "4:12: this is not UTF-8 text");
}
#[test]
fn what_a_manifest_names_is_not_there() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nNSspec:\n  SAcontainers: [{name: c, image: nginx}]\n";
    let other = pod.replace("NS", "  namespace: nowhere\n").replace("SA", "");
    check_text("namespace", other.as_bytes(), "5:14: namespaces \"nowhere\" not found");
    let robot = pod.replace("NS", "").replace("SA", "serviceAccountName: robot\n  ");
    check_text("account", robot.as_bytes(), "6:23: pods \"a\" is forbidden: error looking up service account");
    let secret = b"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  k: \"REPLACE_ME\"\n";
    check_text("base64", secret, "4:1: Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data");
}
#[test]
fn missing_parts() {
    check_text("kind", b"apiVersion: v1\nmetadata:\n  name: a\n", "1:1: kind not set");
    check_text("name", b"apiVersion: v1\nkind: ConfigMap\n", "1:1: metadata.name: Required value");
    let list = b"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: A_B\n";
    check_text("list", list, "7:11: metadata.name: Invalid value: \"A_B\"");
}
