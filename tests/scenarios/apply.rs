//! Apply is everything or nothing, and says where it hurts.

use expect_test::expect;
use protocol::ApplyMode;
use testkit::{cluster, try_apply};

fn refused(yaml: &str) -> String {
    let mut c = cluster(1);
    let before = c.revision();
    let r = try_apply(&mut c, ApplyMode::Apply, yaml);
    assert_eq!(c.revision(), before, "a refused apply changes nothing");
    assert!(r.objects.is_empty());
    r.errors.iter().map(|e| format!("{}:{} [{}] {}\n", e.line, e.column, e.hint, e.message)).collect()
}

const GOOD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ok\ndata:\n  a: b\n";

#[test]
fn a_bad_second_document_stops_the_first() {
    expect![[r#"
        13:3 [required] spec.containers: Required value
    "#]]
    .assert_eq(&refused(&format!(
        "{GOOD}---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers: []\n"
    )));
}

#[test]
fn unknown_fields_and_wrong_types_are_located() {
    expect![[r#"
        6:3 [unknown-field] unknown field "spec.replica"
    "#]].assert_eq(&refused(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\nspec:\n  replica: 3\n  selector:\n    matchLabels: {a: b}\n  template:\n    metadata:\n      labels: {a: b}\n    spec:\n      containers:\n        - name: c\n          image: nginx\n",
    ));
    expect![[r#"
        6:15 [wrong-type] json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container
    "#]].assert_eq(&refused("apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers: nginx\n"));
}

#[test]
fn a_dry_run_changes_nothing_and_tells_all() {
    let mut c = cluster(1);
    let before = c.revision();
    let r = try_apply(&mut c, ApplyMode::DryRun, GOOD);
    assert_eq!(c.revision(), before);
    expect!["configmap/ok created (server dry run)"].assert_eq(&r.objects[0].line);
}

#[test]
fn what_was_applied_and_is_left_out_goes_away() {
    let mut c = cluster(1);
    try_apply(&mut c, ApplyMode::Apply, &GOOD.replace("  a: b\n", "  a: b\n  c: d\n"));
    let r = try_apply(&mut c, ApplyMode::Apply, GOOD);
    assert_eq!(r.objects[0].line, "configmap/ok configured");
    let o = c.object(&api::kinds::configmap::KIND, &"default/ok".into()).expect("it exists");
    assert_eq!(o.to_value()["data"], serde_json::json!({"a": "b"}));
    let r = try_apply(&mut c, ApplyMode::Delete, GOOD);
    assert_eq!(r.objects[0].line, "configmap \"ok\" deleted");
}
