//! The node object, its lease, and a kubelet's restart.

use super::{World, summary};
use expect_test::expect;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use meta::{Key, Time};
use reconcile::{Component, Cx};
use serde_json::json;
use std::sync::Arc;

#[test]
fn registers_reports_and_renews() {
    let mut w = World::new();
    expect![[r#"
           0.0s Normal Starting node-1: Starting kubelet.
           0.0s Normal NodeHasSufficientMemory node-1: Node node-1 status is now: NodeHasSufficientMemory
           0.0s Normal NodeHasNoDiskPressure node-1: Node node-1 status is now: NodeHasNoDiskPressure
           0.0s Normal NodeHasSufficientPID node-1: Node node-1 status is now: NodeHasSufficientPID
           0.0s Normal NodeAllocatableEnforced node-1: Updated Node Allocatable limit across pods
           0.5s Normal NodeReady node-1: Node node-1 status is now: NodeReady
    "#]]
    .assert_eq(&w.take_log());
    let node = w.view.get::<Node>(&Key::new("", "node-1")).unwrap();
    expect![[r#"
        {
          "apiVersion": "v1",
          "kind": "Node",
          "metadata": {
            "annotations": {
              "volumes.kubernetes.io/controller-managed-attach-detach": "true"
            },
            "labels": {
              "beta.kubernetes.io/arch": "amd64",
              "beta.kubernetes.io/os": "linux",
              "kubernetes.io/arch": "amd64",
              "kubernetes.io/hostname": "node-1",
              "kubernetes.io/os": "linux"
            },
            "name": "node-1",
            "resourceVersion": "5",
            "uid": "uid-node-1"
          },
          "spec": {
            "podCIDR": "10.244.1.0/24"
          },
          "status": {
            "addresses": [
              {
                "address": "192.168.0.11",
                "type": "InternalIP"
              },
              {
                "address": "node-1",
                "type": "Hostname"
              }
            ],
            "allocatable": {
              "cpu": "4",
              "ephemeral-storage": "96636764160",
              "hugepages-1Gi": "0",
              "hugepages-2Mi": "0",
              "memory": "8092Mi",
              "pods": "110"
            },
            "capacity": {
              "cpu": "4",
              "ephemeral-storage": "100Gi",
              "hugepages-1Gi": "0",
              "hugepages-2Mi": "0",
              "memory": "8Gi",
              "pods": "110"
            },
            "conditions": [
              {
                "lastHeartbeatTime": "2026-01-01T00:00:00Z",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
                "message": "kubelet has sufficient memory available",
                "reason": "KubeletHasSufficientMemory",
                "status": "False",
                "type": "MemoryPressure"
              },
              {
                "lastHeartbeatTime": "2026-01-01T00:00:00Z",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
                "message": "kubelet has no disk pressure",
                "reason": "KubeletHasNoDiskPressure",
                "status": "False",
                "type": "DiskPressure"
              },
              {
                "lastHeartbeatTime": "2026-01-01T00:00:00Z",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
                "message": "kubelet has sufficient PID available",
                "reason": "KubeletHasSufficientPID",
                "status": "False",
                "type": "PIDPressure"
              },
              {
                "lastHeartbeatTime": "2026-01-01T00:00:00Z",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
                "message": "kubelet is posting ready status",
                "reason": "KubeletReady",
                "status": "True",
                "type": "Ready"
              }
            ],
            "daemonEndpoints": {
              "kubeletEndpoint": {
                "Port": 10250
              }
            },
            "nodeInfo": {
              "architecture": "amd64",
              "bootID": "4ad3c739-f31c-4b4f-ae75-41cb8f3399e5",
              "containerRuntimeVersion": "kubottle-sim://0.1.0",
              "kernelVersion": "6.12.0-kubottle",
              "kubeProxyVersion": "",
              "kubeletVersion": "v1.35.0",
              "machineID": "a73b1f4161d34089a7a044f0057a459d",
              "operatingSystem": "linux",
              "osImage": "Kubottle simulated Linux",
              "systemUUID": "5396dbe1-ee3d-4fa9-a9ff-1303b013c88e"
            }
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(node).unwrap());
    w.run(35);
    let lease = w.view.get::<Lease>(&Key::new("kube-node-lease", "node-1")).unwrap();
    let renewed = lease.spec.as_ref().unwrap().renew_time.as_ref().map(Time::from_k8s_micro).unwrap();
    assert!(w.now.since(renewed).as_secs() < 10);
}

#[test]
fn a_restarted_kubelet_finds_its_containers() {
    let mut w = World::new();
    w.pod("web", json!({ "containers": [{ "name": "c", "image": "nginx" }] }));
    w.run(10);
    w.take_log();
    w.kubelet.start(&Cx { now: w.now, view: &w.view, recording: true });
    w.run(10);
    expect![[r#"
          12.0s Normal Starting node-1: Starting kubelet.
          12.0s Normal NodeHasSufficientMemory node-1: Node node-1 status is now: NodeHasSufficientMemory
          12.0s Normal NodeHasNoDiskPressure node-1: Node node-1 status is now: NodeHasNoDiskPressure
          12.0s Normal NodeHasSufficientPID node-1: Node node-1 status is now: NodeHasSufficientPID
          12.0s Normal NodeAllocatableEnforced node-1: Updated Node Allocatable limit across pods
    "#]]
    .assert_eq(&w.take_log());
}

#[test]
fn a_copy_goes_on_as_the_original_would() {
    let mut w = World::new();
    let script = "i=0; while true; do echo $i; i=$((i+1)); sleep 1; done";
    w.pod("count", json!({ "containers": [{ "name": "c", "image": "busybox", "command": ["sh", "-c", script] }] }));
    w.run(10);
    let mut copy = World {
        view: w.view.clone(),
        kubelet: w.kubelet.clone(),
        now: w.now,
        log: w.log.clone(),
        revision: w.revision,
    };
    w.run(20);
    copy.run(20);
    assert_eq!(w.logs("count", "c"), copy.logs("count", "c"));
    assert_eq!(w.take_log(), copy.take_log());
}

#[test]
fn a_runtime_outside_the_core_gets_commands_and_gives_events() {
    use crate::runtime::{ExternalRuntime, Runtime, RuntimeCommand, RuntimeEvent};
    let mut rt = ExternalRuntime::new("wasmtime", "48.0.8");
    rt.command(Time(1), RuntimeCommand::PullImage { pull: 4, image: "hello".into(), user: String::new() });
    assert_eq!(rt.take_commands(), [RuntimeCommand::PullImage { pull: 4, image: "hello".into(), user: String::new() }]);
    assert_eq!(rt.next_at(), None);
    let took = meta::Duration::ZERO;
    rt.push(RuntimeEvent::ImagePulled { pull: 4, image_id: "hello".into(), size_bytes: 1, took });
    assert_eq!(rt.next_at(), Some(Time(0)));
    let mut out = Vec::new();
    rt.poll(Time(2), &mut out);
    assert_eq!(out.len(), 1);
}

/// The documentation's pages "Advertise Extended Resources for a Node" and "Assign Extended Resources to a Container".
#[test]
fn a_node_has_what_somebody_says_it_has() {
    let mut w = World::new();
    w.run(2);
    let advertise = |w: &mut World, dongles: Option<&str>| {
        let mut node = w.view.get::<Node>(&Key::new("", "node-1")).unwrap().clone();
        let capacity = node.status.as_mut().unwrap().capacity.as_mut().unwrap();
        match dongles {
            Some(n) => _ = capacity.insert("example.com/dongle".into(), Quantity(n.into())),
            None => _ = capacity.remove("example.com/dongle"),
        }
        w.put(Arc::new(node));
        w.run(11);
        let node = w.view.get::<Node>(&Key::new("", "node-1")).unwrap();
        node.status.clone().unwrap().allocatable.unwrap().get("example.com/dongle").map(|q| q.0.clone())
    };
    assert_eq!(advertise(&mut w, Some("4")).as_deref(), Some("4"));
    let spec = |dongles: &str| {
        let limits = json!({"limits": {"example.com/dongle": dongles}, "requests": {"example.com/dongle": dongles}});
        json!({"containers": [{"name": "c", "image": "nginx", "resources": limits}]})
    };
    w.pod("first", spec("3"));
    w.run(10);
    assert_eq!(summary(w.get("first").unwrap()), "Running Ready=True c:running");
    w.pod("second", spec("2"));
    w.run(2);
    assert_eq!(summary(w.get("second").unwrap()), "Failed reason=OutOfexample.com/dongle");
    // Its users go on.
    assert_eq!(advertise(&mut w, None), None);
}
