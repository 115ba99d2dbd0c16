//! Pods from their binding to their end.

use super::{World, summary};
use expect_test::{Expect, expect};
use serde_json::json;

fn check(w: &mut World, want: Expect) {
    want.assert_eq(&w.take_log());
}

fn fresh() -> World {
    let mut w = World::new();
    w.take_log();
    w
}

#[test]
fn a_server_is_pulled_started_and_deleted() {
    let mut w = fresh();
    w.pod("web", json!({ "containers": [{ "name": "nginx", "image": "nginx:1.14.2" }] }));
    w.run(10);
    check(
        &mut w,
        expect![[r#"
               2.0s status web: Pending Ready=False nginx:ContainerCreating
               2.3s Normal Pulling web: Pulling image "nginx:1.14.2"
               2.3s status web: Pending Ready=False nginx:ContainerCreating
               4.5s Normal Pulled web: Successfully pulled image "nginx:1.14.2" in 2.274s (2.274s including waiting). Image size: 72403516 bytes.
               4.5s Normal Created web: Container created
               4.7s Normal Started web: Container started
               4.7s status web: Running Ready=True nginx:running
        "#]],
    );
    let pod = w.get("web").unwrap();
    let status = serde_json::to_string_pretty(&pod.status).unwrap();
    expect![[r#"
        {
          "conditions": [
            {
              "lastTransitionTime": "2026-01-01T00:00:02Z",
              "observedGeneration": 1,
              "status": "True",
              "type": "PodReadyToStartContainers"
            },
            {
              "lastTransitionTime": "2026-01-01T00:00:02Z",
              "observedGeneration": 1,
              "status": "True",
              "type": "Initialized"
            },
            {
              "lastTransitionTime": "2026-01-01T00:00:04Z",
              "observedGeneration": 1,
              "status": "True",
              "type": "Ready"
            },
            {
              "lastTransitionTime": "2026-01-01T00:00:04Z",
              "observedGeneration": 1,
              "status": "True",
              "type": "ContainersReady"
            },
            {
              "lastTransitionTime": "2026-01-01T00:00:02Z",
              "observedGeneration": 1,
              "status": "True",
              "type": "PodScheduled"
            }
          ],
          "containerStatuses": [
            {
              "containerID": "kubottle-sim://3ac38b9481274719221ebc73ee95240650730156f8b053b844eca22dcc5e635c",
              "image": "docker.io/library/nginx:1.14.2",
              "imageID": "docker.io/library/nginx@sha256:1f0d7e7c1467c8bac9693015f858677a8f39882001ef57e3e8631d82d918a653",
              "lastState": {},
              "name": "nginx",
              "ready": true,
              "resources": {},
              "restartCount": 0,
              "started": true,
              "state": {
                "running": {
                  "startedAt": "2026-01-01T00:00:04Z"
                }
              },
              "user": {
                "linux": {
                  "gid": 0,
                  "supplementalGroups": [
                    0
                  ],
                  "uid": 0
                }
              }
            }
          ],
          "hostIP": "192.168.0.11",
          "hostIPs": [
            {
              "ip": "192.168.0.11"
            }
          ],
          "observedGeneration": 1,
          "phase": "Running",
          "podIP": "10.244.1.2",
          "podIPs": [
            {
              "ip": "10.244.1.2"
            }
          ],
          "qosClass": "BestEffort",
          "startTime": "2026-01-01T00:00:02Z"
        }"#]].assert_eq(&status);
    w.delete("web", 30);
    w.run(5);
    check(
        &mut w,
        expect![[r#"
              12.0s Normal Killing web: Stopping container nginx
              12.0s status web: Succeeded Ready=False nginx:Completed(0)
              12.0s delete pods web grace=Some(0)
        "#]],
    );
    assert!(w.get("web").is_none());
}

#[test]
fn a_failing_command_backs_off() {
    let mut w = fresh();
    let command = ["sh", "-c", "echo hi; exit 1"];
    w.pod("crash", json!({ "containers": [{ "name": "c", "image": "busybox:1.36", "command": command }] }));
    w.run(60);
    check(
        &mut w,
        expect![[r#"
            2.0s status crash: Pending Ready=False c:ContainerCreating
            2.3s Normal Pulling crash: Pulling image "busybox:1.36"
            2.3s status crash: Pending Ready=False c:ContainerCreating
            2.7s Normal Pulled crash: Successfully pulled image "busybox:1.36" in 479ms (479ms including waiting). Image size: 2265869 bytes.
            2.7s Normal Created crash: Container created
            2.9s Normal Started crash: Container started
            2.9s status crash: Running Ready=False c:Error(1)
            3.9s Normal Pulled crash: Container image "busybox:1.36" already present on machine and can be accessed by the pod
            3.9s Normal Created crash: Container created
            4.1s Normal Started crash: Container started
            4.1s status crash: Running Ready=False c:Error(1) x1
            5.1s Warning BackOff crash: Back-off restarting failed container c in pod crash_default(uid-crash)
            5.1s status crash: Running Ready=False c:CrashLoopBackOff x1
            14.1s Normal Pulled crash: Container image "busybox:1.36" already present on machine and can be accessed by the pod
            14.1s Normal Created crash: Container created
            14.2s Normal Started crash: Container started
            14.2s status crash: Running Ready=False c:Error(1) x2
            15.2s Warning BackOff crash: Back-off restarting failed container c in pod crash_default(uid-crash)
            15.2s status crash: Running Ready=False c:CrashLoopBackOff x2
            29.2s Warning BackOff crash: Back-off restarting failed container c in pod crash_default(uid-crash)
            34.2s Normal Pulled crash: Container image "busybox:1.36" already present on machine and can be accessed by the pod
            34.2s Normal Created crash: Container created
            34.4s Normal Started crash: Container started
            34.4s status crash: Running Ready=False c:Error(1) x3
            35.4s Warning BackOff crash: Back-off restarting failed container c in pod crash_default(uid-crash)
            35.4s status crash: Running Ready=False c:CrashLoopBackOff x3
            50.2s Warning BackOff crash: Back-off restarting failed container c in pod crash_default(uid-crash)
            61.0s Warning BackOff crash: Back-off restarting failed container c in pod crash_default(uid-crash)
        "#]],
    );
    assert_eq!(w.logs("crash", "c"), "hi\n");
}

#[test]
fn an_unknown_image_backs_off() {
    let mut w = fresh();
    w.pod("typo", json!({ "containers": [{ "name": "c", "image": "nginx:1.161" }] }));
    w.run(40);
    check(
        &mut w,
        expect![[r#"
            2.0s status typo: Pending Ready=False c:ContainerCreating
            2.3s Normal Pulling typo: Pulling image "nginx:1.161"
            2.3s status typo: Pending Ready=False c:ContainerCreating
            3.4s Warning Failed typo: Failed to pull image "nginx:1.161": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found
            3.4s Warning Failed typo: Error: ErrImagePull
            3.4s status typo: Pending Ready=False c:ErrImagePull
            5.4s Normal BackOff typo: Back-off pulling image "nginx:1.161"
            5.4s Warning Failed typo: Error: ImagePullBackOff
            5.4s status typo: Pending Ready=False c:ImagePullBackOff
            13.4s Normal Pulling typo: Pulling image "nginx:1.161"
            14.3s Warning Failed typo: Failed to pull image "nginx:1.161": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found
            14.3s Warning Failed typo: Error: ErrImagePull
            14.3s status typo: Pending Ready=False c:ErrImagePull
            16.3s Normal BackOff typo: Back-off pulling image "nginx:1.161"
            16.3s Warning Failed typo: Error: ImagePullBackOff
            16.3s status typo: Pending Ready=False c:ImagePullBackOff
            31.2s Normal BackOff typo: Back-off pulling image "nginx:1.161"
            31.2s Warning Failed typo: Error: ImagePullBackOff
            34.3s Normal Pulling typo: Pulling image "nginx:1.161"
            35.5s Warning Failed typo: Failed to pull image "nginx:1.161": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found
            35.5s Warning Failed typo: Error: ErrImagePull
            35.5s status typo: Pending Ready=False c:ErrImagePull
            37.5s Normal BackOff typo: Back-off pulling image "nginx:1.161"
            37.5s Warning Failed typo: Error: ImagePullBackOff
            37.5s status typo: Pending Ready=False c:ImagePullBackOff
        "#]],
    );
}

#[test]
fn a_pod_that_is_deleted_before_it_ran_has_failed() {
    let mut w = fresh();
    let typo = |name: &str| json!({ "name": name, "image": "nginx:1.161" });
    w.pod("main", json!({ "containers": [typo("c")] }));
    w.pod("init", json!({ "initContainers": [typo("i"), typo("j")], "containers": [typo("c")] }));
    let command = ["sh", "-c", "exit 1"];
    w.pod("crash", json!({ "containers": [{ "name": "c", "image": "busybox:1.36", "command": command }] }));
    w.run(10);
    w.take_log();
    for name in ["main", "init", "crash"] {
        w.delete(name, 30);
    }
    w.run(5);
    check(
        &mut w,
        expect![[r#"
        12.0s status main: Failed Ready=False c:ContainerStatusUnknown(137)
        12.0s delete pods main grace=Some(0)
        12.0s status init: Failed Ready=False i:ContainerStatusUnknown(137) j:PodInitializing c:PodInitializing
        12.0s delete pods init grace=Some(0)
        12.0s status crash: Failed Ready=False c:Error(1) x1
        12.0s delete pods crash grace=Some(0)
    "#]],
    );
}

#[test]
fn init_containers_run_in_order_and_a_job_completes() {
    let mut w = fresh();
    w.pod(
        "job",
        json!({
            "restartPolicy": "Never",
            "initContainers": [
                { "name": "one", "image": "busybox:1.36", "command": ["sh", "-c", "echo first > /work/a"],
                  "volumeMounts": [{ "name": "v", "mountPath": "/work" }] },
                { "name": "side", "image": "busybox:1.36", "restartPolicy": "Always", "command": ["sleep", "infinity"] },
            ],
            "containers": [{ "name": "main", "image": "busybox:1.36", "command": ["cat", "/data/a"],
                             "volumeMounts": [{ "name": "v", "mountPath": "/data" }] }],
            "volumes": [{ "name": "v", "emptyDir": {} }],
            "terminationGracePeriodSeconds": 5,
        }),
    );
    w.run(30);
    check(
        &mut w,
        expect![[r#"
               2.0s status job: Pending Ready=False one:PodInitializing side:PodInitializing main:PodInitializing
               2.3s Normal Pulling job: Pulling image "busybox:1.36"
               2.3s status job: Pending Ready=False one:PodInitializing side:PodInitializing main:PodInitializing
               2.7s Normal Pulled job: Successfully pulled image "busybox:1.36" in 479ms (479ms including waiting). Image size: 2265869 bytes.
               2.7s Normal Created job: Container created
               2.9s Normal Started job: Container started
               2.9s Normal Pulled job: Container image "busybox:1.36" already present on machine and can be accessed by the pod
               2.9s Normal Created job: Container created
               2.9s status job: Pending Ready=False one:Completed(0) side:PodInitializing main:PodInitializing
               3.1s Normal Started job: Container started
               3.1s Normal Pulled job: Container image "busybox:1.36" already present on machine and can be accessed by the pod
               3.1s Normal Created job: Container created
               3.1s status job: Pending Ready=False one:Completed(0) side:running main:ContainerCreating
               3.2s Normal Started job: Container started
               3.2s Normal Killing job: Stopping container side
               3.2s status job: Running Ready=False one:Completed(0) side:running main:Completed(0)
               8.2s status job: Succeeded Ready=False one:Completed(0) side:Error(137) main:Completed(0)
        "#]],
    );
    assert_eq!(w.logs("job", "main"), "first\n");
}

#[test]
fn refusals_and_missing_things_are_said_as_upstream_says_them() {
    let mut w = fresh();
    let big = json!({ "requests": { "cpu": "8" } });
    w.pod("big", json!({ "containers": [{ "name": "c", "image": "nginx", "resources": big }] }));
    w.pod("picky", json!({ "nodeSelector": { "disk": "ssd" }, "containers": [{ "name": "c", "image": "nginx" }] }));
    let container = json!([{ "name": "c", "image": "nginx" }]);
    let sysctls =
        json!([{ "name": "net.ipv4.tcp_syncookies", "value": "1" }, { "name": "kernel/msgmax", "value": "1" }]);
    w.pod("tuned", json!({ "securityContext": { "sysctls": sysctls }, "containers": container }));
    w.pod("other", json!({ "os": { "name": "windows" }, "containers": container }));
    let env = json!([{ "name": "A", "valueFrom": { "configMapKeyRef": { "name": "cm", "key": "k" } } }]);
    w.pod(
        "conf",
        json!({ "containers": [{ "name": "c", "image": "pause:nosuch", "imagePullPolicy": "Never" },
                                         { "name": "d", "image": "registry.k8s.io/pause:3.10", "env": env }] }),
    );
    w.pod(
        "absent",
        json!({ "restartPolicy": "Never", "containers": [{ "name": "c", "image": "busybox", "command": ["nosuch"] }] }),
    );
    w.run(8);
    check(
        &mut w,
        expect![[r#"
            2.0s Warning OutOfcpu big: Node didn't have enough resource: cpu, requested: 8000, used: 0, capacity: 4000
            2.0s status big: Failed reason=OutOfcpu
            2.0s Warning NodeAffinity picky: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector
            2.0s status picky: Failed reason=NodeAffinity
            2.0s Warning SysctlForbidden tuned: forbidden sysctl: "kernel.msgmax" not allowlisted
            2.0s status tuned: Failed reason=SysctlForbidden
            2.0s Warning PodOSNotSupported other: Failed to admit pod as the OS field doesn't match node OS
            2.0s status other: Failed reason=PodOSNotSupported
            2.0s status conf: Pending Ready=False c:ContainerCreating d:ContainerCreating
            2.0s status absent: Pending Ready=False c:ContainerCreating
            2.3s Warning ErrImageNeverPull conf: Container image "pause:nosuch" is not present with pull policy of Never
            2.3s Warning Failed conf: Error: ErrImageNeverPull
            2.3s Normal Pulling conf: Pulling image "registry.k8s.io/pause:3.10"
            2.3s status conf: Pending Ready=False c:ErrImageNeverPull d:ContainerCreating
            2.3s Normal Pulling absent: Pulling image "busybox"
            2.3s status absent: Pending Ready=False c:ContainerCreating
            2.7s Normal Pulled conf: Successfully pulled image "registry.k8s.io/pause:3.10" in 453ms (453ms including waiting). Image size: 1164543 bytes.
            2.7s Warning Failed conf: Error: configmap "cm" not found
            2.7s status conf: Pending Ready=False c:ErrImageNeverPull d:CreateContainerConfigError
            3.4s Normal Pulled absent: Successfully pulled image "busybox" in 696ms (1.077s including waiting). Image size: 2107180 bytes.
            3.4s Normal Created absent: Container created
            3.6s Warning Failed absent: Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "nosuch": executable file not found in $PATH: unknown
            3.6s status absent: Failed Ready=False c:StartError(128)
        "#]],
    );
}

#[test]
fn deadline_memory_and_grace_end_pods() {
    let mut w = fresh();
    w.pod(
        "late",
        json!({ "activeDeadlineSeconds": 5, "terminationGracePeriodSeconds": 3,
        "containers": [{ "name": "c", "image": "busybox:1.36", "command": ["sleep", "3600"] }] }),
    );
    let stress = json!(["stress", "--vm", "1", "--vm-bytes", "250M", "--vm-hang", "1"]);
    w.pod(
        "oom",
        json!({ "restartPolicy": "Never", "containers": [{ "name": "m", "image": "polinux/stress",
        "command": stress, "resources": { "limits": { "memory": "100Mi" } } }] }),
    );
    w.run(15);
    check(
        &mut w,
        expect![[r#"
            2.0s status late: Pending Ready=False c:ContainerCreating
            2.0s status oom: Pending Ready=False m:ContainerCreating
            2.3s Normal Pulling late: Pulling image "busybox:1.36"
            2.3s status late: Pending Ready=False c:ContainerCreating
            2.3s Normal Pulling oom: Pulling image "polinux/stress"
            2.3s status oom: Pending Ready=False m:ContainerCreating
            2.7s Normal Pulled late: Successfully pulled image "busybox:1.36" in 479ms (479ms including waiting). Image size: 2265869 bytes.
            2.7s Normal Created late: Container created
            2.9s Normal Started late: Container started
            2.9s status late: Running Ready=True c:running
            3.5s Normal Pulled oom: Successfully pulled image "polinux/stress" in 746ms (1.153s including waiting). Image size: 4897852 bytes.
            3.5s Normal Created oom: Container created
            3.7s Normal Started oom: Container started
            3.7s status oom: Running Ready=True m:running
            4.7s status oom: Failed Ready=False m:OOMKilled(137)
            7.0s Normal DeadlineExceeded late: Pod was active on the node longer than the specified deadline
            7.0s Normal Killing late: Stopping container c
            10.0s status late: Failed reason=DeadlineExceeded Ready=False c:Error(137)
        "#]],
    );
}

#[test]
fn an_init_container_is_ready_when_it_has_ended_well() {
    let mut w = fresh();
    w.pod(
        "p",
        json!({ "initContainers": [{ "name": "i", "image": "busybox", "command": ["sleep", "20"] }],
                "containers": [{ "name": "c", "image": "busybox", "command": ["sleep", "3600"] }] }),
    );
    let shown = |w: &World| {
        let s = w.get("p").and_then(|p| p.status.clone()).unwrap_or_default();
        let initialized = s.conditions.into_iter().flatten().find(|c| c.type_ == "Initialized");
        let init = s.init_container_statuses.into_iter().flatten().next().unwrap_or_default();
        (initialized.map(|c| c.status).unwrap_or_default(), init.ready, init.started)
    };
    w.run(10);
    assert_eq!(shown(&w), ("False".into(), false, Some(true)));
    w.run(20);
    assert_eq!(shown(&w), ("True".into(), true, Some(false)));
}

#[test]
fn commands_are_looked_for_from_the_working_directory_and_must_be_said() {
    let mut w = fresh();
    w.pod(
        "relative",
        json!({ "containers": [{ "name": "c", "image": "centos:7", "command": ["bin/bash", "-c", "sleep 3600"] }] }),
    );
    w.pod(
        "elsewhere",
        json!({ "restartPolicy": "Never", "containers": [{ "name": "c", "image": "centos:7", "workingDir": "/tmp",
                "command": ["bin/bash"] }] }),
    );
    w.pod("none", json!({ "containers": [{ "name": "c", "image": "mstormo/suse" }] }));
    w.run(15);
    let shown = |name: &str| w.get(name).map(summary).unwrap_or_default();
    assert_eq!(shown("relative"), "Running Ready=True c:running");
    assert_eq!(shown("elsewhere"), "Failed Ready=False c:StartError(128)");
    assert_eq!(shown("none"), "Pending Ready=False c:CreateContainerError");
}

#[test]
fn resources_of_the_whole_pod_make_its_class() {
    let mut w = fresh();
    let all = json!({ "cpu": "200m", "memory": "200Mi" });
    let c = json!({ "name": "c", "image": "busybox", "command": ["sleep", "3600"] });
    w.pod("p", json!({ "containers": [c], "resources": { "requests": all, "limits": all } }));
    w.run(10);
    let status = w.get("p").and_then(|p| p.status.clone()).unwrap_or_default();
    assert_eq!(status.qos_class.as_deref(), Some("Guaranteed"));
    assert_eq!(status.phase.as_deref(), Some("Running"));
}

#[test]
fn a_profile_that_the_node_lacks_keeps_a_container_from_being_created() {
    let mut w = fresh();
    let running = json!([{ "name": "c", "image": "busybox", "command": ["sleep", "3600"] }]);
    w.pod(
        "armored",
        json!({ "securityContext": { "appArmorProfile": { "type": "Localhost", "localhostProfile": "deny-write" } },
                "containers": running }),
    );
    w.pod(
        "filtered",
        json!({ "containers": [{ "name": "c", "image": "busybox", "command": ["sleep", "3600"],
                "securityContext": { "seccompProfile": { "type": "Localhost", "localhostProfile": "p/v.json" } } }] }),
    );
    w.pod(
        "plain",
        json!({ "securityContext": { "seccompProfile": { "type": "RuntimeDefault" } }, "containers": running }),
    );
    w.run(10);
    let shown = |name: &str| w.get(name).map(summary).unwrap_or_default();
    assert_eq!(shown("armored"), "Pending Ready=False c:CreateContainerError");
    assert_eq!(shown("filtered"), "Pending Ready=False c:CreateContainerError");
    assert_eq!(shown("plain"), "Running Ready=True c:running");
    let log = w.take_log();
    for why in [
        "Error: failed to get container spec opts: failed to generate apparmor spec opts: apparmor profile not found deny-write",
        "Error: failed to create containerd container: cannot load seccomp profile \"/var/lib/kubelet/seccomp/p/v.json\": \
         open /var/lib/kubelet/seccomp/p/v.json: no such file or directory",
    ] {
        assert!(log.contains(why), "{log}");
    }
}

#[test]
fn volumes_that_no_node_can_mount_keep_a_pod_from_starting() {
    let mut w = fresh();
    let mut pod = |name: &str, mut volume: serde_json::Value| {
        volume["name"] = "v".into();
        w.pod(
            name,
            json!({ "volumes": [volume], "containers": [{ "name": "c", "image": "busybox", "command": ["sleep", "3600"],
                    "volumeMounts": [{ "name": "v", "mountPath": "/v" }] }] }),
        );
    };
    pod("gluster", json!({ "glusterfs": { "endpoints": "e", "path": "p" } }));
    pod("nfs", json!({ "nfs": { "server": "nfs.example.com", "path": "/" } }));
    pod("cloud", json!({ "gcePersistentDisk": { "pdName": "d" } }));
    pod("inline", json!({ "csi": { "driver": "x.example.com" } }));
    pod("nowhere", json!({ "hostPath": { "path": "/data/foo", "type": "Directory" } }));
    pod("socket", json!({ "hostPath": { "path": "/var/run/docker.sock", "type": "Socket" } }));
    pod("here", json!({ "hostPath": { "path": "/var/log", "type": "Directory" } }));
    pod("made", json!({ "hostPath": { "path": "/data/bar", "type": "DirectoryOrCreate" } }));
    pod("file", json!({ "hostPath": { "path": "/var/log/x.log", "type": "FileOrCreate" } }));
    pod("lost", json!({ "hostPath": { "path": "/data/none/x", "type": "FileOrCreate" } }));
    w.pod(
        "unused",
        json!({ "volumes": [{ "name": "v", "secret": { "secretName": "none" } }],
                "containers": [{ "name": "c", "image": "busybox", "command": ["sleep", "3600"] }] }),
    );
    w.run(130);
    let shown = |name: &str| w.get(name).map(summary).unwrap_or_default();
    for name in ["gluster", "nfs", "cloud", "inline", "nowhere", "socket", "lost"] {
        assert_eq!(shown(name), "Pending Ready=False c:ContainerCreating", "{name}");
    }
    for name in ["here", "made", "file", "unused"] {
        assert_eq!(shown(name), "Running Ready=True c:running", "{name}");
    }
    let log = w.take_log();
    for why in [
        "FailedMount gluster: Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to \
         process volumes=[v]: failed to get Plugin from volumeSpec for volume \"v\" err=no volume plugin matched",
        "MountVolume.SetUp failed for volume \"v\" : open /data/none/x: no such file or directory",
        "Mounting arguments: -t nfs nfs.example.com:/ /var/lib/kubelet/pods/",
        "mount.nfs: Failed to resolve server nfs.example.com: Name or service not known",
        "FailedMount cloud: Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[v], failed to \
         process volumes=[]: context deadline exceeded",
        "FailedMount inline: MountVolume.NewMounter initialization failed for volume \"v\" : volume mode \"Ephemeral\" not \
         supported by driver x.example.com (no CSIDriver object)",
        "FailedMount nowhere: MountVolume.SetUp failed for volume \"v\" : hostPath type check failed: /data/foo is not a \
         directory",
        "hostPath type check failed: /var/run/docker.sock is not a socket file",
    ] {
        assert!(log.contains(why), "{why}\n{log}");
    }
}
