//! Probes and hooks.

use super::World;
use expect_test::expect;
use serde_json::json;

#[test]
fn the_documentations_liveness_examples() {
    let mut w = World::new();
    w.take_log();
    let args = ["/bin/sh", "-c", "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"];
    w.pod("liveness-exec", json!({ "containers": [{
        "name": "liveness", "image": "registry.k8s.io/busybox:1.27.2", "args": args,
        "livenessProbe": { "exec": { "command": ["cat", "/tmp/healthy"] }, "initialDelaySeconds": 5, "periodSeconds": 5 },
    }], "terminationGracePeriodSeconds": 30 }));
    w.pod("liveness-http", json!({ "containers": [{
        "name": "liveness", "image": "registry.k8s.io/e2e-test-images/agnhost:2.40", "args": ["liveness"],
        "livenessProbe": { "httpGet": { "path": "/healthz", "port": 8080 }, "initialDelaySeconds": 3, "periodSeconds": 3 },
    }] }));
    w.run(90);
    expect![[r#"
        2.0s status liveness-exec: Pending Ready=False liveness:ContainerCreating
        2.0s status liveness-http: Pending Ready=False liveness:ContainerCreating
        2.3s Normal Pulling liveness-exec: Pulling image "registry.k8s.io/busybox:1.27.2"
        2.3s status liveness-exec: Pending Ready=False liveness:ContainerCreating
        2.3s Normal Pulling liveness-http: Pulling image "registry.k8s.io/e2e-test-images/agnhost:2.40"
        2.3s status liveness-http: Pending Ready=False liveness:ContainerCreating
        2.7s Normal Pulled liveness-exec: Successfully pulled image "registry.k8s.io/busybox:1.27.2" in 453ms (453ms including waiting). Image size: 1795347 bytes.
        2.7s Normal Created liveness-exec: Container created
        2.9s Normal Started liveness-exec: Container started
        2.9s status liveness-exec: Running Ready=True liveness:running
        4.6s Normal Pulled liveness-http: Successfully pulled image "registry.k8s.io/e2e-test-images/agnhost:2.40" in 1.896s (2.277s including waiting). Image size: 50197325 bytes.
        4.6s Normal Created liveness-http: Container created
        4.8s Normal Started liveness-http: Container started
        4.8s status liveness-http: Running Ready=True liveness:running
        16.8s Warning Unhealthy liveness-http: Liveness probe failed: HTTP probe failed with statuscode: 500
        19.8s Warning Unhealthy liveness-http: Liveness probe failed: HTTP probe failed with statuscode: 500
        22.8s Warning Unhealthy liveness-http: Liveness probe failed: HTTP probe failed with statuscode: 500
        22.8s Normal Killing liveness-http: Container liveness failed liveness probe, will be restarted
        22.9s status liveness-http: Running Ready=False liveness:Completed(0)
        23.9s Normal Pulled liveness-http: Container image "registry.k8s.io/e2e-test-images/agnhost:2.40" already present on machine and can be accessed by the pod
        23.9s Normal Created liveness-http: Container created
        24.1s Normal Started liveness-http: Container started
        24.1s status liveness-http: Running Ready=True liveness:running x1
        32.9s Warning Unhealthy liveness-exec: Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory

        36.1s Warning Unhealthy liveness-http: Liveness probe failed: HTTP probe failed with statuscode: 500
        37.9s Warning Unhealthy liveness-exec: Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory

        39.1s Warning Unhealthy liveness-http: Liveness probe failed: HTTP probe failed with statuscode: 500
        42.1s Warning Unhealthy liveness-http: Liveness probe failed: HTTP probe failed with statuscode: 500
        42.1s Normal Killing liveness-http: Container liveness failed liveness probe, will be restarted
        42.2s status liveness-http: Running Ready=False liveness:Completed(0) x1
        42.9s Warning Unhealthy liveness-exec: Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory

        42.9s Normal Killing liveness-exec: Container liveness failed liveness probe, will be restarted
        43.2s Warning BackOff liveness-http: Back-off restarting failed container liveness in pod liveness-http_default(uid-liveness-http)
        43.2s status liveness-http: Running Ready=False liveness:CrashLoopBackOff x1
        52.2s Normal Pulled liveness-http: Container image "registry.k8s.io/e2e-test-images/agnhost:2.40" already present on machine and can be accessed by the pod
        52.2s Normal Created liveness-http: Container created
        52.4s Normal Started liveness-http: Container started
        52.4s status liveness-http: Running Ready=True liveness:running x2
        64.4s Warning Unhealthy liveness-http: Liveness probe failed: HTTP probe failed with statuscode: 500
        67.4s Warning Unhealthy liveness-http: Liveness probe failed: HTTP probe failed with statuscode: 500
        70.4s Warning Unhealthy liveness-http: Liveness probe failed: HTTP probe failed with statuscode: 500
        70.4s Normal Killing liveness-http: Container liveness failed liveness probe, will be restarted
        70.5s status liveness-http: Running Ready=False liveness:Completed(0) x2
        71.5s Warning BackOff liveness-http: Back-off restarting failed container liveness in pod liveness-http_default(uid-liveness-http)
        71.5s status liveness-http: Running Ready=False liveness:CrashLoopBackOff x2
        72.9s status liveness-exec: Running Ready=False liveness:Error(137)
        73.9s Normal Pulled liveness-exec: Container image "registry.k8s.io/busybox:1.27.2" already present on machine and can be accessed by the pod
        73.9s Normal Created liveness-exec: Container created
        74.0s Normal Started liveness-exec: Container started
        74.0s status liveness-exec: Running Ready=True liveness:running x1
        81.8s Warning BackOff liveness-http: Back-off restarting failed container liveness in pod liveness-http_default(uid-liveness-http)
        90.5s Normal Pulled liveness-http: Container image "registry.k8s.io/e2e-test-images/agnhost:2.40" already present on machine and can be accessed by the pod
        90.5s Normal Created liveness-http: Container created
        90.6s Normal Started liveness-http: Container started
        90.6s status liveness-http: Running Ready=True liveness:running x3
    "#]].assert_eq(&w.take_log());
}

#[test]
fn readiness_follows_its_probe_and_startup_gates_it() {
    let mut w = World::new();
    w.take_log();
    w.pod(
        "web",
        json!({ "containers": [{
        "name": "c", "image": "nginx", "ports": [{ "name": "http", "containerPort": 80 }],
        "startupProbe": { "httpGet": { "path": "/", "port": "http" }, "periodSeconds": 2 },
        "readinessProbe": { "httpGet": { "path": "/ready", "port": 80 }, "periodSeconds": 3 },
        "lifecycle": { "preStop": { "exec": { "command": ["sh", "-c", "echo bye > /proc/1/fd/1; sleep 2"] } } },
    }] }),
    );
    w.run(12);
    w.delete("web", 30);
    w.run(6);
    expect![[r#"
        2.0s status web: Pending Ready=False c:ContainerCreating
        2.3s Normal Pulling web: Pulling image "nginx"
        2.3s status web: Pending Ready=False c:ContainerCreating
        4.5s Normal Pulled web: Successfully pulled image "nginx" in 2.274s (2.274s including waiting). Image size: 72825575 bytes.
        4.5s Normal Created web: Container created
        4.7s Normal Started web: Container started
        4.7s status web: Running Ready=False c:running
        4.7s Warning Unhealthy web: Startup probe failed: Get "http://10.244.1.2/": dial tcp 10.244.1.2:80: connect: connection refused
        6.7s status web: Running Ready=False c:running
        6.7s Warning Unhealthy web: Readiness probe failed: HTTP probe failed with statuscode: 404
        7.7s Warning Unhealthy web: Readiness probe failed: HTTP probe failed with statuscode: 404
        10.7s Warning Unhealthy web: Readiness probe failed: HTTP probe failed with statuscode: 404
        13.7s Warning Unhealthy web: Readiness probe failed: HTTP probe failed with statuscode: 404
        14.0s Normal Killing web: Stopping container c
        16.0s status web: Succeeded Ready=False c:Completed(0)
        16.0s delete pods web grace=Some(0)
    "#]].assert_eq(&w.take_log());
}

#[test]
fn a_grpc_probe_asks_etcd() {
    let mut w = World::new();
    w.take_log();
    w.pod(
        "etcd",
        json!({ "containers": [{
        "name": "etcd", "image": "registry.k8s.io/etcd:3.5.1-0",
        "command": ["/usr/local/bin/etcd", "--data-dir", "/var/lib/etcd"], "ports": [{ "containerPort": 2379 }],
        "livenessProbe": { "grpc": { "port": 2379 }, "initialDelaySeconds": 10 },
        "readinessProbe": { "tcpSocket": { "port": 2379 }, "periodSeconds": 2 },
    }] }),
    );
    w.run(40);
    expect![[r#"
           2.0s status etcd: Pending Ready=False etcd:ContainerCreating
           2.3s Normal Pulling etcd: Pulling image "registry.k8s.io/etcd:3.5.1-0"
           2.3s status etcd: Pending Ready=False etcd:ContainerCreating
           4.1s Normal Pulled etcd: Successfully pulled image "registry.k8s.io/etcd:3.5.1-0" in 1.838s (1.838s including waiting). Image size: 55148170 bytes.
           4.1s Normal Created etcd: Container created
           4.3s Normal Started etcd: Container started
           4.3s status etcd: Running Ready=False etcd:running
           4.3s Warning Unhealthy etcd: Readiness probe failed: dial tcp 10.244.1.2:2379: connect: connection refused
           6.3s status etcd: Running Ready=True etcd:running
    "#]].assert_eq(&w.take_log());
}
