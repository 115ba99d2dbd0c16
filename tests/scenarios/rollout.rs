//! Deployments as the Kubernetes docs tell of them.

use expect_test::expect;
use testkit::{apply, cluster, events, run, table};

pub const NGINX: &str = include_str!("../manifests/deployment.yaml");

#[test]
fn a_deployment_becomes_ready() {
    let mut c = cluster(3);
    let lines = apply(&mut c, NGINX);
    expect!["deployment.apps/nginx-deployment created"].assert_eq(&lines.join("\n"));
    run(&mut c, 60);
    expect![[r#"
        nginx-deployment  3/3  3  3
    "#]]
    .assert_eq(&table(&c, "deployments"));
    expect![[r#"
        ScalingReplicaSet Scaled up replica set nginx-deployment-cf4cd4db7 from 0 to 3
    "#]]
    .assert_eq(&events(&c, "nginx-deployment"));
}

#[test]
fn a_new_image_rolls_out_and_back() {
    let mut c = cluster(3);
    apply(&mut c, NGINX);
    run(&mut c, 60);
    apply(&mut c, &NGINX.replace("nginx:1.14.2", "nginx:1.16.1"));
    run(&mut c, 90);
    expect![[r#"
        nginx-deployment-cf4cd4db7  0  0  0
        nginx-deployment-cff86b44d  3  3  3
    "#]]
    .assert_eq(&table(&c, "replicasets"));
    expect![[r#"
        ScalingReplicaSet Scaled up replica set nginx-deployment-cf4cd4db7 from 0 to 3
        ScalingReplicaSet Scaled up replica set nginx-deployment-cff86b44d from 0 to 1
        ScalingReplicaSet Scaled down replica set nginx-deployment-cf4cd4db7 from 3 to 2
        ScalingReplicaSet Scaled up replica set nginx-deployment-cff86b44d from 1 to 2
        ScalingReplicaSet Scaled down replica set nginx-deployment-cf4cd4db7 from 2 to 1
        ScalingReplicaSet Scaled up replica set nginx-deployment-cff86b44d from 2 to 3
        ScalingReplicaSet Scaled down replica set nginx-deployment-cf4cd4db7 from 1 to 0
    "#]]
    .assert_eq(&events(&c, "nginx-deployment"));
    // The old template again: its ReplicaSet is found and scaled up, not made anew.
    apply(&mut c, NGINX);
    run(&mut c, 90);
    expect![[r#"
        nginx-deployment-cf4cd4db7  3  3  3
        nginx-deployment-cff86b44d  0  0  0
    "#]]
    .assert_eq(&table(&c, "replicasets"));
}

#[test]
fn applying_the_same_again_changes_nothing() {
    let mut c = cluster(1);
    apply(&mut c, NGINX);
    run(&mut c, 60);
    let before = c.revision();
    let lines = apply(&mut c, NGINX);
    expect!["deployment.apps/nginx-deployment unchanged"].assert_eq(&lines.join("\n"));
    assert_eq!(c.revision(), before);
}
