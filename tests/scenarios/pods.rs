//! Single pods: commands decide, images can be wrong, requests can be too big.

use expect_test::expect;
use testkit::{apply, cluster, events, run, table};

fn pod(name: &str, container: &str) -> String {
    let indented: String = container.lines().map(|l| format!("      {l}\n")).collect();
    format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  containers:\n    - name: main\n{indented}")
}

#[test]
fn a_failing_command_crash_loops() {
    let mut c = cluster(1);
    apply(&mut c, &pod("crash", "image: busybox\ncommand: [sh, -c, 'echo hi; exit 1']"));
    run(&mut c, 100);
    expect![""].assert_eq(&table(&c, "pods"));
    expect![""].assert_eq(&events(&c, "crash"));
    let p = &testkit::pods(&c)[0];
    assert_eq!(c.log_tail(p, "main", 10).as_deref(), Some("hi\n"));
}

#[test]
fn an_unknown_image_backs_off() {
    let mut c = cluster(1);
    apply(&mut c, &pod("typo", "image: ngnix:latest"));
    run(&mut c, 60);
    expect![""].assert_eq(&table(&c, "pods"));
    expect![""].assert_eq(&events(&c, "typo"));
}

#[test]
fn a_pod_too_big_says_why() {
    let mut c = cluster(3);
    apply(&mut c, &pod("big", "image: nginx\nresources:\n  requests:\n    cpu: 64"));
    run(&mut c, 10);
    expect![""].assert_eq(&events(&c, "big"));
}
