//! What single fields of a pod do.

use super::World;
use expect_test::expect;
use k8s_openapi::api::core::v1::{ContainerStatus, EphemeralContainer};
use serde_json::json;
use std::sync::Arc;

fn state(s: &ContainerStatus) -> String {
    let st = s.state.clone().unwrap_or_default();
    match (st.waiting, st.terminated) {
        (Some(w), _) => w.reason.unwrap_or_default(),
        (_, Some(t)) => format!("{}({})", t.reason.unwrap_or_default(), t.exit_code),
        _ => "running".into(),
    }
}

fn of(w: &World, pod: &str) -> (String, String) {
    let status = w.get(pod).and_then(|p| p.status.clone()).unwrap_or_default();
    let c = status.container_statuses.unwrap_or_default();
    (status.phase.unwrap_or_default(), c.first().map(state).unwrap_or_default())
}

/// pods/lifecycle-events.yaml, with hooks that take their time.
#[test]
fn a_container_counts_as_running_when_its_post_start_hook_has_ended() {
    let mut w = World::new();
    let hook = json!({ "exec": { "command": ["sh", "-c", "sleep 20; echo Hello > /usr/share/message"] } });
    w.pod(
        "hooked",
        json!({
            "containers": [
                { "name": "a", "image": "nginx:1.14.2", "lifecycle": { "postStart": hook } },
                { "name": "b", "image": "nginx:1.14.2" },
            ],
        }),
    );
    w.run(15);
    let log = w.take_log();
    assert!(log.contains("Normal Started hooked: Container started"), "{log}");
    assert_eq!(log.matches("Started").count(), 1, "the second container waits for the first one's hook:\n{log}");
    assert_eq!(of(&w, "hooked"), ("Pending".into(), "ContainerCreating".into()));
    w.run(20);
    assert_eq!(of(&w, "hooked"), ("Running".into(), "running".into()));
    w.pod("asleep", json!({
        "containers": [{ "name": "a", "image": "nginx:1.14.2", "lifecycle": { "postStart": { "sleep": { "seconds": 30 } } } }],
    }));
    w.run(20);
    assert_eq!(of(&w, "asleep").1, "ContainerCreating");
    w.run(20);
    assert_eq!(of(&w, "asleep").1, "running");
}

#[test]
fn a_failed_post_start_hook_ends_the_container() {
    let mut w = World::new();
    w.pod(
        "hooked",
        json!({
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "containers": [{
                "name": "a", "image": "nginx:1.14.2",
                "lifecycle": { "postStart": { "exec": { "command": ["sh", "-c", "exit 1"] } } },
            }],
        }),
    );
    w.run(20);
    let log = w.take_log();
    assert!(log.contains("Warning FailedPostStartHook hooked: PostStartHook failed"), "{log}");
    assert!(log.contains("Normal Killing hooked: FailedPostStartHook"), "{log}");
}

#[test]
fn a_container_restarts_by_its_own_rules() {
    let mut w = World::new();
    let rules = json!([{ "action": "Restart", "exitCodes": { "operator": "In", "values": [42] } }]);
    let container = |code: u32| {
        json!({
            "name": "a", "image": "busybox", "command": ["sh", "-c", format!("exit {code}")],
            "restartPolicy": "Never", "restartPolicyRules": rules,
        })
    };
    w.pod("again", json!({ "restartPolicy": "Never", "containers": [container(42)] }));
    w.pod("over", json!({ "restartPolicy": "Always", "containers": [container(1)] }));
    w.run(60);
    let restarts = w.get("again").unwrap().status.clone().unwrap().container_statuses.unwrap()[0].restart_count;
    assert!(restarts > 0, "{:?}", of(&w, "again"));
    assert_eq!(of(&w, "again").0, "Running");
    assert_eq!(of(&w, "over"), ("Failed".into(), "Error(1)".into()));
}

/// pods/security/security-context.yaml
#[test]
fn processes_have_the_user_that_the_pod_says() {
    let mut w = World::new();
    w.pod("secure", json!({
        "restartPolicy": "Never",
        "securityContext": { "runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000, "supplementalGroups": [4000] },
        "containers": [{
            "name": "a", "image": "busybox:1.28", "command": ["sh", "-c", "id; ps; echo x > /etc/x; echo y > /data/y; cat /data/y"],
            "securityContext": { "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true },
            "volumeMounts": [{ "name": "data", "mountPath": "/data" }],
        }],
        "volumes": [{ "name": "data", "emptyDir": {} }],
    }));
    w.run(20);
    let log = w.logs("secure", "a");
    assert!(log.starts_with("uid=1000 gid=3000 groups=2000,3000,4000\n"), "{log}");
    assert!(log.contains("    1 1000      0:00 sh -c"), "{log}");
    assert!(log.contains("can't create /etc/x: Read-only file system"), "{log}");
    assert!(log.ends_with("y\n"), "{log}");
    w.take_log();
    w.pod(
        "root",
        json!({
            "containers": [{ "name": "a", "image": "nginx:1.14.2", "securityContext": { "runAsNonRoot": true } }],
        }),
    );
    w.run(10);
    assert_eq!(of(&w, "root").1, "CreateContainerConfigError");
    let why = "Warning Failed root: Error: container has runAsNonRoot and image will run as root (pod: \
               \"root_default(uid-root)\", container: a)";
    let log = w.take_log();
    assert!(log.contains(why), "{log}");
}

#[test]
fn images_of_a_user_of_their_own_run_as_no_root() {
    let mut w = World::new();
    let image = "registry.istio.io/release/examples-bookinfo-details-v1:1.20.3";
    w.pod(
        "own",
        json!({ "containers": [{ "name": "c", "image": image, "securityContext": { "runAsNonRoot": true } }] }),
    );
    w.run(15);
    assert_eq!(w.get("own").map(super::summary).unwrap_or_default(), "Running Ready=True c:running");
}

#[test]
fn a_sub_path_can_name_the_pod() {
    let mut w = World::new();
    w.pod(
        "named",
        json!({
            "restartPolicy": "Never",
            "containers": [{
                "name": "a", "image": "busybox", "command": ["sh", "-c", "echo one > /logs/x; cat /all/named/x"],
                "env": [{ "name": "POD_NAME", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }],
                "volumeMounts": [
                    { "name": "data", "mountPath": "/logs", "subPathExpr": "$(POD_NAME)" },
                    { "name": "data", "mountPath": "/all" },
                ],
            }],
            "volumes": [{ "name": "data", "hostPath": { "path": "/var/log/pods" } }],
        }),
    );
    w.run(20);
    assert_eq!(w.logs("named", "a"), "one\n");
}

#[test]
fn an_image_is_mounted_to_be_read() {
    let mut w = World::new();
    w.pod(
        "reader",
        json!({
            "restartPolicy": "Never",
            "containers": [{
                "name": "a", "image": "busybox",
                "command": ["sh", "-c", "cat /v/dir/file /v/file /d/file; ls /v; touch /v/x"],
                "volumeMounts": [
                    { "name": "v", "mountPath": "/v" },
                    { "name": "v", "mountPath": "/d", "subPath": "dir" },
                ],
            }],
            "volumes": [{ "name": "v", "image": { "reference": "quay.io/crio/artifact:v2" } }],
        }),
    );
    w.run(20);
    assert_eq!(w.logs("reader", "a"), "1\n2\n1\ndir\nfile\ntouch: /v/x: Read-only file system\n");
}

/// The kubelet pulls a volume's image before it starts a container, and says so of the pod.
#[test]
fn a_volumes_image_is_pulled_for_the_pod() {
    let mut w = World::new();
    let spec = |policy: &str, reference: &str, sub: &str| {
        json!({
            "restartPolicy": "Never",
            "containers": [{
                "name": "a", "image": "busybox:1.36", "command": ["true"],
                "volumeMounts": [{ "name": "v", "mountPath": "/v", "subPath": sub }],
            }],
            "volumes": [{ "name": "v", "image": { "reference": reference, "pullPolicy": policy } }],
        })
    };
    w.pod("reader", spec("IfNotPresent", "quay.io/crio/artifact:v2", ""));
    w.run(20);
    let log = w.take_log();
    let place = |text: &str| log.find(text).unwrap_or_else(|| panic!("{text} is missing in {log}"));
    assert!(place("Pulling image \"quay.io/crio/artifact:v2\"") < place("Pulling image \"busybox:1.36\""));
    assert!(place("Pulled reader: Successfully pulled image \"quay.io/crio/artifact:v2\" in ") < place("Created"));

    w.pod("typo", spec("Always", "quay.io/crio/artefact:v2", ""));
    w.run(30);
    let log = w.take_log();
    for text in [
        "Warning Failed typo: Failed to pull image \"quay.io/crio/artefact:v2\": failed to pull and unpack image",
        "Warning Failed typo: Error: ErrImagePull",
        "status typo: Pending Ready=False a:ErrImagePull",
        "Normal BackOff typo: Back-off pulling image \"quay.io/crio/artefact:v2\"",
        "Warning Failed typo: Error: ImagePullBackOff",
        "status typo: Pending Ready=False a:ImagePullBackOff",
    ] {
        assert!(log.contains(text), "{text} is missing in {log}");
    }
    assert!(log.matches("Pulling image \"quay.io/crio/artefact:v2\"").count() > 1, "it is tried again: {log}");
    assert!(!log.contains("busybox"), "{log}");

    w.pod("never", spec("Never", "quay.io/crio/artifact:v1", ""));
    w.pod("part", spec("IfNotPresent", "quay.io/crio/artifact:v2", "file"));
    w.run(5);
    let waits = |name: &str| {
        let status = w.get(name).unwrap().status.clone().unwrap().container_statuses.unwrap();
        let waiting = status[0].state.clone().unwrap().waiting.unwrap();
        (waiting.reason.unwrap(), waiting.message.unwrap())
    };
    let message = "Container image \"quay.io/crio/artifact:v1\" is not present with pull policy of Never";
    assert_eq!(waits("never"), ("ErrImageNeverPull".into(), message.into()));
    let (reason, message) = waits("part");
    assert_eq!(reason, "CreateContainerError");
    assert!(message.contains("only directory subpath is supported, subpath: \"file\""), "{message}");
}

/// What is written below `/proc/NUMBER/root` is in the other container.
#[test]
fn a_neighbours_files_are_written() {
    let mut w = World::new();
    let container =
        |name: &str, script: &str| json!({ "name": name, "image": "busybox", "command": ["sh", "-c", script] });
    let other = "sleep 5; p=$(pgrep -f 'sleep 77' | head -n 1); mkdir /proc/$p/root/tmp/d; echo hi > /proc/$p/root/tmp/d/x; \
        rm /proc/$p/root/tmp/old; cat /proc/$p/root/tmp/d/x; \
        cp /etc/passwd /proc/$p/root/tmp/e; chmod 600 /proc/$p/root/tmp/e; ln -s d/x /proc/$p/root/tmp/l";
    w.pod(
        "two",
        json!({
            "restartPolicy": "Never", "shareProcessNamespace": true,
            "containers": [container("a", "touch /tmp/old; sleep 77 & sleep 20; ls /tmp; cat /tmp/l; stat -c %a /tmp/e"), container("b", other)],
        }),
    );
    w.run(60);
    assert_eq!(w.logs("two", "b"), "hi\n");
    assert_eq!(w.logs("two", "a"), "d\ne\nl\nhi\n600\n");
}

#[test]
fn a_pod_without_the_nodes_users_has_its_own() {
    let mut w = World::new();
    let script = "cat /proc/self/uid_map /proc/self/gid_map; readlink /proc/self/ns/user";
    let pod = |users: bool| {
        json!({
            "restartPolicy": "Never", "hostUsers": users,
            "containers": [{ "name": "a", "image": "busybox", "command": ["sh", "-c", script] }],
        })
    };
    w.pod("host", pod(true));
    w.pod("own", pod(false));
    w.run(20);
    assert_eq!(w.logs("host", "a"), "         0          0 4294967295\n".repeat(2) + "user:[4026531837]\n");
    let of_own = w.logs("own", "a");
    let numbers: Vec<u32> = of_own.split_whitespace().take(3).map(|n| n.parse().unwrap()).collect();
    assert!(
        numbers[0] == 0 && numbers[1] >= 65_536 && numbers[1].is_multiple_of(65_536) && numbers[2] == 65_536,
        "{of_own}"
    );
    assert!(!of_own.ends_with("user:[4026531837]\n"), "{of_own}");
}

/// `kubectl debug`
#[test]
fn an_ephemeral_container_joins_a_running_pod() {
    let mut w = World::new();
    w.pod("web", json!({ "containers": [{ "name": "nginx", "image": "nginx:1.14.2" }] }));
    w.run(20);
    let mut pod = w.get("web").unwrap().clone();
    pod.spec.get_or_insert_default().ephemeral_containers = Some(vec![EphemeralContainer {
        name: "debugger".into(),
        image: Some("busybox".into()),
        command: Some(vec!["sh".into(), "-c".into(), "echo looking; exit 3".into()]),
        ..Default::default()
    }]);
    w.put(Arc::new(pod));
    w.run(20);
    let status = w.get("web").unwrap().status.clone().unwrap();
    let list = status.ephemeral_container_statuses.unwrap();
    assert_eq!((state(&list[0]).as_str(), list[0].restart_count), ("Error(3)", 0));
    assert_eq!(w.logs("web", "debugger"), "looking\n");
    // It ends once, and the pod goes on.
    assert_eq!(of(&w, "web"), ("Running".into(), "running".into()));
    w.delete("web", 5);
    w.run(20);
    assert!(w.get("web").is_none());
}

/// The documentation's tour: more CPU at once, memory by a restart, and more than there is.
#[test]
fn resources_change_in_place() {
    let mut w = World::new();
    w.pod("resize-demo", json!({
        "containers": [{
            "name": "pause", "image": "registry.k8s.io/pause:3.8",
            "resizePolicy": [
                { "resourceName": "cpu", "restartPolicy": "NotRequired" },
                { "resourceName": "memory", "restartPolicy": "RestartContainer" },
            ],
            "resources": { "limits": { "memory": "200Mi", "cpu": "700m" }, "requests": { "memory": "200Mi", "cpu": "700m" } },
        }],
    }));
    w.run(20);
    w.take_log();
    let ask = |w: &mut World, cpu: &str, memory: &str| {
        let mut pod = w.get("resize-demo").unwrap().clone();
        let list = json!({ "cpu": cpu, "memory": memory });
        let resources = serde_json::from_value(json!({ "limits": list, "requests": list })).unwrap();
        pod.spec.get_or_insert_default().containers[0].resources = Some(resources);
        *pod.metadata.generation.get_or_insert_default() += 1;
        w.put(Arc::new(pod));
        w.run(40);
        let status = w.get("resize-demo").unwrap().status.clone().unwrap();
        let c = status.container_statuses.unwrap().remove(0);
        let limits = c.resources.unwrap().limits.unwrap();
        let pending = status.conditions.iter().flatten().find(|c| c.type_ == "PodResizePending").cloned();
        let why = pending.map(|c| format!("{}: {}", c.reason.unwrap(), c.message.unwrap())).unwrap_or_default();
        (limits["cpu"].0.clone(), limits["memory"].0.clone(), c.restart_count, why)
    };
    let text = |a: &str, b: &str, n, why: &str| (a.to_string(), b.to_string(), n, why.to_string());
    assert_eq!(ask(&mut w, "800m", "200Mi"), text("800m", "200Mi", 0, ""));
    assert_eq!(ask(&mut w, "800m", "300Mi"), text("800m", "300Mi", 1, ""));
    let why = "Infeasible: Node didn't have enough capacity: cpu, requested: 1000000, capacity: 4000";
    assert_eq!(ask(&mut w, "1000", "300Mi"), text("800m", "300Mi", 1, why));
    assert_eq!(ask(&mut w, "900m", "300Mi"), text("900m", "300Mi", 1, ""));
    let log = w.take_log();
    let events: Vec<&str> = log.lines().filter(|l| l.contains("esize") && !l.contains("status")).collect();
    expect![[r#"
        22.0s Normal ResizeStarted resize-demo: Pod resize started: {"containers":[{"name":"pause","resources":{"limits":{"cpu":"800m","memory":"200Mi"},"requests":{"cpu":"800m","memory":"200Mi"}}}],"generation":2}
        23.0s Normal ResizeCompleted resize-demo: Pod resize completed: {"containers":[{"name":"pause","resources":{"limits":{"cpu":"800m","memory":"200Mi"},"requests":{"cpu":"800m","memory":"200Mi"}}}],"generation":2}
        62.0s Normal ResizeStarted resize-demo: Pod resize started: {"containers":[{"name":"pause","resources":{"limits":{"cpu":"800m","memory":"300Mi"},"requests":{"cpu":"800m","memory":"300Mi"}}}],"generation":3}
        62.0s Normal Killing resize-demo: Container pause resize requires restart
        62.0s Normal Pulled resize-demo: Container image "registry.k8s.io/pause:3.8" already present on machine and can be accessed by the pod
        62.0s Normal Created resize-demo: Container created
        62.2s Normal Started resize-demo: Container started
        63.0s Normal ResizeCompleted resize-demo: Pod resize completed: {"containers":[{"name":"pause","resources":{"limits":{"cpu":"800m","memory":"300Mi"},"requests":{"cpu":"800m","memory":"300Mi"}}}],"generation":3}
        102.0s Warning ResizeInfeasible resize-demo: Pod resize Infeasible: {"containers":[{"name":"pause","resources":{"limits":{"cpu":"1000","memory":"300Mi"},"requests":{"cpu":"1000","memory":"300Mi"}}}],"generation":4,"error":"Node didn't have enough capacity: cpu, requested: 1000000, capacity: 4000"}
        142.0s Normal ResizeStarted resize-demo: Pod resize started: {"containers":[{"name":"pause","resources":{"limits":{"cpu":"900m","memory":"300Mi"},"requests":{"cpu":"900m","memory":"300Mi"}}}],"generation":5}
        143.0s Normal ResizeCompleted resize-demo: Pod resize completed: {"containers":[{"name":"pause","resources":{"limits":{"cpu":"900m","memory":"300Mi"},"requests":{"cpu":"900m","memory":"300Mi"}}}],"generation":5}
    "#]].assert_eq(&format!("{}\n", events.join("\n")));
}

/// A registry that wants to know who asks.
#[test]
fn a_private_image_needs_the_secret_of_its_registry() {
    let mut w = World::new();
    let secret = |name: &str, host: &str| {
        let config = format!(r#"{{"auths":{{"{host}":{{"auth":"anM6c2VjcmV0"}}}}}}"#);
        let secret: k8s_openapi::api::core::v1::Secret = serde_json::from_value(json!({
            "metadata": { "name": name, "namespace": "default" }, "type": "kubernetes.io/dockerconfigjson",
            "stringData": {},
        }))
        .expect("a secret");
        let data = [(".dockerconfigjson".to_string(), k8s_openapi::ByteString(config.into_bytes()))].into();
        k8s_openapi::api::core::v1::Secret { data: Some(data), string_data: None, ..secret }
    };
    w.put(Arc::new(secret("regcred", "private.example.com")));
    w.put(Arc::new(secret("other", "https://private.example.org/v1/")));
    let pod = |secrets: serde_json::Value| json!({ "imagePullSecrets": secrets, "containers": [{ "name": "c", "image": "private.example.com/nginx:1.25" }] });
    w.take_log();
    w.pod("stranger", pod(json!([])));
    w.pod("wrong", pod(json!([{ "name": "other" }, { "name": "nosuch" }])));
    w.run(4);
    w.pod("known", pod(json!([{ "name": "other" }, { "name": "regcred" }])));
    w.run(15);
    let log = w.take_log();
    let told: Vec<&str> = log.lines().filter(|l| l.contains("Failed") || l.contains("Successfully")).take(9).collect();
    expect![[r#"
        2.3s Warning FailedToRetrieveImagePullSecret wrong: Unable to retrieve some image pull secrets (nosuch); attempting to pull the image may not succeed.
        4.5s Warning Failed stranger: Failed to pull image "private.example.com/nginx:1.25": failed to pull and unpack image "private.example.com/nginx:1.25": failed to resolve reference "private.example.com/nginx:1.25": pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials
        4.5s Warning Failed stranger: Error: ErrImagePull
        6.5s Warning Failed stranger: Error: ImagePullBackOff
        7.0s Warning Failed wrong: Failed to pull image "private.example.com/nginx:1.25": failed to pull and unpack image "private.example.com/nginx:1.25": failed to resolve reference "private.example.com/nginx:1.25": pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials
        7.0s Warning Failed wrong: Error: ErrImagePull
        9.0s Warning Failed wrong: Error: ImagePullBackOff
        9.4s Normal Pulled known: Successfully pulled image "private.example.com/nginx:1.25" in 2.389s (3.142s including waiting). Image size: 72744877 bytes.
    "#]].assert_eq(&format!("{}\n", told.join("\n")));
}

#[test]
fn a_port_of_the_node_is_one_pods() {
    let mut w = World::new();
    let pod = |protocol: &str, ip: &str| {
        let port = json!({ "containerPort": 80, "hostPort": 8080, "protocol": protocol, "hostIP": ip });
        json!({ "containers": [{ "name": "c", "image": "nginx", "ports": [port] }] })
    };
    w.take_log();
    w.pod("first", pod("TCP", ""));
    w.run(5);
    w.pod("udp", pod("UDP", ""));
    w.pod("second", pod("TCP", "127.0.0.1"));
    w.run(5);
    let refused = w.get("second").and_then(|p| p.status.clone()).expect("a status");
    assert_eq!(refused.reason.as_deref(), Some("NodePorts"));
    assert_eq!(
        refused.message.as_deref(),
        Some(
            "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
        )
    );
    assert!(w.get("udp").is_some_and(api::pods::is_ready));
}
