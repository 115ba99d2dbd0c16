//! Single pods: commands decide, images can be wrong, requests can be too big.

use expect_test::expect;
use k8s_openapi::api::core::v1::Pod;
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
    expect![[r#"
        crash  0/1  CrashLoopBackOff  4 (26s ago)
    "#]]
    .assert_eq(&table(&c, "pods"));
    expect![[r#"
        Scheduled Successfully assigned default/crash to node-1
        Pulled Successfully pulled image "busybox" in 574ms (574ms including waiting). Image size: 2107180 bytes.
        Pulling Pulling image "busybox" (x5)
        Created Container created (x5)
        Started Container started (x4)
        Pulled Successfully pulled image "busybox" in 518ms (518ms including waiting). Image size: 2107180 bytes.
        BackOff Back-off restarting failed container main in pod crash_default(052b404c-3545-4f30-b0f0-f695700461a5) (x6)
        Pulled Successfully pulled image "busybox" in 583ms (583ms including waiting). Image size: 2107180 bytes.
        Pulled Successfully pulled image "busybox" in 478ms (478ms including waiting). Image size: 2107180 bytes.
        Pulled Successfully pulled image "busybox" in 417ms (417ms including waiting). Image size: 2107180 bytes.
    "#]].assert_eq(&events(&c, "crash"));
    let p = &testkit::pods(&c)[0];
    assert_eq!(c.log_tail(p, "main", 10).as_deref(), Some("hi\n"));
}

#[test]
fn an_unknown_image_backs_off() {
    let mut c = cluster(1);
    apply(&mut c, &pod("typo", "image: ngnix:latest"));
    run(&mut c, 60);
    expect![[r#"
        typo  0/1  ImagePullBackOff  0
    "#]]
    .assert_eq(&table(&c, "pods"));
    expect![[r#"
        Scheduled Successfully assigned default/typo to node-1
        Pulling Pulling image "ngnix:latest" (x3)
        Failed Failed to pull image "ngnix:latest": failed to pull and unpack image "docker.io/library/ngnix:latest": failed to resolve reference "docker.io/library/ngnix:latest": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed (x3)
        Failed Error: ErrImagePull (x3)
        BackOff Back-off pulling image "ngnix:latest" (x5)
        Failed Error: ImagePullBackOff (x5)
    "#]].assert_eq(&events(&c, "typo"));
}

#[test]
fn a_pod_too_big_says_why() {
    let mut c = cluster(3);
    apply(&mut c, &pod("big", "image: nginx\nresources:\n  requests:\n    cpu: 64"));
    run(&mut c, 10);
    expect![[r#"
        FailedScheduling 0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.
    "#]].assert_eq(&events(&c, "big"));
}

/// A cluster reached over TLS says by which authority; one that is not has an empty bundle, and pods start all the same.
#[test]
fn every_namespace_learns_the_clusters_authority() {
    let mut c = cluster(0);
    let bundle = |c: &cluster::Cluster| {
        let map = c.view().get::<k8s_openapi::api::core::v1::ConfigMap>(&"default/kube-root-ca.crt".into());
        map.and_then(|m| m.data.as_ref()?.get("ca.crt").cloned())
    };
    assert_eq!(bundle(&c).as_deref(), Some(""));
    c.publish_ca("PEM", "");
    run(&mut c, 1);
    assert_eq!(bundle(&c).as_deref(), Some("PEM"));
}

#[test]
fn a_pod_whose_hook_fails_again_and_again_is_running() {
    let mut c = cluster(1);
    let hook = "lifecycle: {postStart: {httpGet: {host: nobody.example.com, port: 80, path: /started}}}";
    apply(
        &mut c,
        &format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: hook}}\nspec:\n  containers:\n  - name: main\n    image: nginx\n    {hook}\n"
        ),
    );
    run(&mut c, 120);
    let pod = c.view().get::<Pod>(&"default/hook".into()).expect("it was made");
    let status = pod.status.as_ref().expect("it has one");
    assert_eq!(status.phase.as_deref(), Some("Running"));
    let main = &status.container_statuses.as_ref().expect("it has one")[0];
    assert!(main.restart_count > 1, "{main:?}");
}
