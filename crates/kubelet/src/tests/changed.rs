//! Pods whose containers get another image, and what they call themselves.

use super::World;
use expect_test::{Expect, expect};
use serde_json::{Value, json};
use std::sync::Arc;

fn check(w: &mut World, want: Expect) {
    want.assert_eq(&w.take_log());
}

/// Runs a pod, gives its container another image, and tells what happened since.
fn changed(spec: Value, image: &str, seconds: u64) -> World {
    let mut w = World::new();
    w.pod("web", spec);
    w.run(60);
    w.take_log();
    set_image(&mut w, image);
    w.run(seconds);
    w
}

fn set_image(w: &mut World, image: &str) {
    let mut pod = w.get("web").expect("a pod").clone();
    pod.spec.get_or_insert_default().containers[0].image = Some(image.into());
    *pod.metadata.generation.get_or_insert_default() += 1;
    w.put(Arc::new(pod));
}

#[test]
fn another_image_is_another_container_whatever_the_policy() {
    let mut logs = Vec::new();
    for policy in ["Always", "OnFailure", "Never"] {
        let container = json!({ "name": "nginx", "image": "nginx:1.25" });
        let mut w = changed(json!({ "restartPolicy": policy, "containers": [container] }), "nginx:1.26", 10);
        logs.push(w.take_log());
        let pod = w.get("web").expect("a pod");
        let status = &pod.status.as_ref().and_then(|s| s.container_statuses.as_ref()).expect("statuses")[0];
        assert_eq!((status.restart_count, status.image.as_str()), (1, "docker.io/library/nginx:1.26"));
        let last = status.last_state.as_ref().and_then(|s| s.terminated.as_ref()).expect("a last state");
        assert_ne!(last.container_id, status.container_id);
        assert_eq!(last.reason.as_deref(), Some("Completed"));
    }
    expect![[r#"
        62.0s Normal Killing web: Container nginx definition changed, will be restarted
        62.0s status web: Running Ready=True nginx:running
        62.0s Normal Pulling web: Pulling image "nginx:1.26"
        64.7s Normal Pulled web: Successfully pulled image "nginx:1.26" in 2.696s (2.696s including waiting). Image size: 72720212 bytes.
        64.7s Normal Created web: Container created
        65.0s Normal Started web: Container started
        65.0s status web: Running Ready=True nginx:running x1
    "#]]
    .assert_eq(&logs[0]);
    assert!(logs.iter().all(|l| *l == logs[0]), "{logs:?}");
}

/// Until the old one has ended the status tells of that one.
#[test]
fn the_old_container_has_its_grace_period() {
    let container = json!({ "name": "slow", "image": "busybox:1.36", "args": ["sleep", "1000"] });
    let mut w = changed(json!({ "containers": [container] }), "busybox:1.37", 20);
    let shown = w.get("web").and_then(|p| p.status.clone()).and_then(|s| s.container_statuses).expect("statuses");
    assert_eq!(shown[0].image, "docker.io/library/busybox:1.36");
    w.run(20);
    check(
        &mut w,
        expect![[r#"
        62.0s Normal Killing web: Container slow definition changed, will be restarted
        62.0s status web: Running Ready=True slow:running
        92.0s Normal Pulling web: Pulling image "busybox:1.37"
        92.5s Normal Pulled web: Successfully pulled image "busybox:1.37" in 508ms (508ms including waiting). Image size: 2475313 bytes.
        92.5s Normal Created web: Container created
        92.7s Normal Started web: Container started
        92.7s status web: Running Ready=True slow:running x1
    "#]],
    );
}

/// With `Never` there is one try: what cannot be started then has ended.
#[test]
fn an_image_that_is_not_there_ends_a_pod_that_never_restarts() {
    for policy in ["Always", "Never"] {
        let container = json!({ "name": "nginx", "image": "nginx:1.25" });
        let mut w = changed(json!({ "restartPolicy": policy, "containers": [container] }), "nginx:nosuch", 4);
        if policy == "Never" {
            check(
                &mut w,
                expect![[r#"
                62.0s Normal Killing web: Container nginx definition changed, will be restarted
                62.0s status web: Running Ready=True nginx:running
                62.0s Normal Pulling web: Pulling image "nginx:nosuch"
                63.1s Warning Failed web: Failed to pull image "nginx:nosuch": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:nosuch": failed to resolve reference "docker.io/library/nginx:nosuch": docker.io/library/nginx:nosuch: not found
                63.1s Warning Failed web: Error: ErrImagePull
                63.1s status web: Succeeded Ready=False nginx:Completed(0)
            "#]],
            );
        } else {
            check(
                &mut w,
                expect![[r#"
                62.0s Normal Killing web: Container nginx definition changed, will be restarted
                62.0s status web: Running Ready=True nginx:running
                62.0s Normal Pulling web: Pulling image "nginx:nosuch"
                63.1s Warning Failed web: Failed to pull image "nginx:nosuch": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:nosuch": failed to resolve reference "docker.io/library/nginx:nosuch": docker.io/library/nginx:nosuch: not found
                63.1s Warning Failed web: Error: ErrImagePull
                63.1s status web: Running Ready=False nginx:ErrImagePull
                65.1s Normal BackOff web: Back-off pulling image "nginx:nosuch"
                65.1s Warning Failed web: Error: ImagePullBackOff
                65.1s status web: Running Ready=False nginx:ImagePullBackOff
            "#]],
            );
        }
    }
}

/// A sidecar's image alone; an init container that has ended is nobody's business.
#[test]
fn a_sidecar_is_replaced_and_an_init_container_is_not() {
    let mut w = World::new();
    w.pod(
        "web",
        json!({
            "initContainers": [
                { "name": "setup", "image": "busybox:1.36", "args": ["true"] },
                { "name": "side", "image": "nginx:1.25", "restartPolicy": "Always" },
            ],
            "containers": [{ "name": "nginx", "image": "nginx:1.25" }],
        }),
    );
    w.run(30);
    w.take_log();
    for (i, image) in [(0, "busybox:1.37"), (1, "nginx:1.26")] {
        let mut pod = w.get("web").expect("a pod").clone();
        let init = pod.spec.get_or_insert_default().init_containers.get_or_insert_default();
        init[i].image = Some(image.into());
        w.put(Arc::new(pod));
        w.run(10);
    }
    check(
        &mut w,
        expect![[r#"
        42.0s Normal Killing web: Init container side definition changed
        42.0s Normal Pulling web: Pulling image "nginx:1.26"
        44.2s Normal Pulled web: Successfully pulled image "nginx:1.26" in 2.151s (2.151s including waiting). Image size: 72720212 bytes.
        44.2s Normal Created web: Container created
        44.3s Normal Started web: Container started
        44.3s status web: Running Ready=True setup:Completed(0) side:running x1 nginx:running
    "#]],
    );
}

/// Back-off is about an image: the right one is pulled at once, and a container that crashed starts at once.
#[test]
fn another_image_does_not_wait_for_the_last_ones_back_off() {
    let container = json!({ "name": "nginx", "image": "nginx:nosuch" });
    let mut w = changed(json!({ "containers": [container] }), "nginx:1.26", 5);
    check(
        &mut w,
        expect![[r#"
        62.0s Normal Pulling web: Pulling image "nginx:1.26"
        62.0s status web: Pending Ready=False nginx:ImagePullBackOff
        64.1s Normal Pulled web: Successfully pulled image "nginx:1.26" in 2.165s (2.165s including waiting). Image size: 72720212 bytes.
        64.1s Normal Created web: Container created
        64.3s Normal Started web: Container started
        64.3s status web: Running Ready=True nginx:running
    "#]],
    );
    let container = json!({ "name": "c", "image": "busybox:1.36", "args": ["false"] });
    let mut w = changed(json!({ "containers": [container] }), "busybox:1.37", 5);
    check(
        &mut w,
        expect![[r#"
        62.0s Normal Pulling web: Pulling image "busybox:1.37"
        62.0s status web: Running Ready=False c:CrashLoopBackOff x3
        62.4s Normal Pulled web: Successfully pulled image "busybox:1.37" in 456ms (456ms including waiting). Image size: 2475313 bytes.
        62.4s Normal Created web: Container created
        62.6s Normal Started web: Container started
        62.6s status web: Running Ready=False c:Error(1) x4
        63.6s Warning BackOff web: Back-off restarting failed container c in pod web_default(uid-web)
        63.6s status web: Running Ready=False c:CrashLoopBackOff x4
    "#]],
    );
}

#[test]
fn a_pod_in_a_subdomain_has_a_full_name() {
    let mut w = World::new();
    let pod = |more: Value| {
        let mut spec = json!({ "hostname": "job-0", "containers": [{
            "name": "c", "image": "busybox", "args": ["sh", "-c", "tail -n1 /etc/hosts; hostname; hostname -f; hostname -d"],
        }], "restartPolicy": "Never" });
        for (k, v) in more.as_object().into_iter().flatten() {
            spec[k.as_str()] = v.clone();
        }
        spec
    };
    w.pod("plain", pod(json!({})));
    w.pod("sub", pod(json!({ "subdomain": "svc" })));
    w.pod("full", pod(json!({ "subdomain": "svc", "setHostnameAsFQDN": true })));
    w.pod("host", pod(json!({ "hostname": null, "hostNetwork": true, "subdomain": "svc" })));
    w.run(20);
    let all: Vec<String> =
        ["plain", "sub", "full", "host"].map(|p| format!("{p}:\n{}", w.logs(p, "c").replace('\t', " "))).into();
    expect![[r#"
        plain:
        10.244.1.2 job-0
        job-0
        job-0

        sub:
        10.244.1.3 job-0.svc.default.svc.cluster.local job-0
        job-0
        job-0.svc.default.svc.cluster.local
        svc.default.svc.cluster.local
        full:
        10.244.1.4 job-0.svc.default.svc.cluster.local job-0
        job-0.svc.default.svc.cluster.local
        job-0.svc.default.svc.cluster.local
        svc.default.svc.cluster.local
        host:
        ::1 localhost ip6-localhost ip6-loopback
        node-1
        node-1

    "#]]
    .assert_eq(&all.concat());
}
