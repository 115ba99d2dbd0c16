//! Cases modelled on `reconciler_test.go` and `attach_detach_controller_test.go`.

use super::AttachDetach;
use crate::testing::{World, at, merged, pod};
use expect_test::expect;
use serde_json::{Value, json};

const VOLUME: &str = "kubernetes.io/csi/disk.example.com^handle";

fn node(name: &str, in_use: &[&str], attached: &[&str], ready: bool, over: Value) -> Value {
    let attached: Vec<Value> = attached.iter().map(|n| json!({"name": n, "devicePath": ""})).collect();
    merged(
        json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}},
            "status": {"volumesInUse": in_use, "volumesAttached": attached,
                       "conditions": [{"type": "Ready", "status": if ready { "True" } else { "Unknown" }}]}}),
        over,
    )
}

fn user(name: &str, node: &str) -> Value {
    let volumes = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]);
    pod(name, None, json!({"spec": {"nodeName": node, "volumes": volumes}}))
}

fn attachment(name: &str, node: &str, status: Value) -> Value {
    json!({"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": name},
        "spec": {"attacher": "disk.example.com", "nodeName": node, "source": {"persistentVolumeName": "pv"}},
        "status": status})
}

fn world(mode: &str) -> World<AttachDetach> {
    World::new([
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"}, "spec": {
            "accessModes": [mode], "csi": {"driver": "disk.example.com", "volumeHandle": "handle"}}}),
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "default"},
            "spec": {"volumeName": "pv"}}),
        node("node-1", &[], &[], true, json!({})),
        node("node-2", &[], &[], true, json!({})),
    ])
}

/// Puts the attachment that the controller asked for, under the name that it gave.
fn attach(w: &mut World<AttachDetach>, asked: &str, node: &str, status: Value) -> String {
    let name = asked.split("\"name\":\"csi-").nth(1).and_then(|rest| rest.get(..64)).expect("it asks for one");
    let name = format!("csi-{name}");
    w.put(attachment(&name, node, status));
    name
}

#[test]
fn a_pod_has_its_volume_attached_and_it_goes_with_the_pod() {
    let mut w = world("ReadWriteOnce");
    assert_eq!(format!("{:?}", w.put(user("a", "node-1"))), "[node-1]");
    let asked = w.run("node-1");
    expect![[r#"
        # volume.attach volume=pv node=node-1
        create {"apiVersion":"storage.k8s.io/v1","kind":"VolumeAttachment","metadata":{"name":"csi-abb6e81ff347549a459e5c00704cb45be9b809aa3c2c2392aac1376750793cdb"},"spec":{"attacher":"disk.example.com","nodeName":"node-1","source":{"persistentVolumeName":"pv"}}}
        requeue after 2m0s
    "#]].assert_eq(&asked);
    let name = attach(&mut w, &asked, "node-1", json!({"attached": false}));
    assert_eq!(w.run("node-1"), "requeue after 2m0s\n");
    w.put(attachment(&name, "node-1", json!({"attached": true})));
    expect![[r#"
        patch nodes node-1 status {"status":{"volumesAttached":[{"devicePath":"","name":"kubernetes.io/csi/disk.example.com^handle"}]}}
        event Normal SuccessfulAttachVolume a: AttachVolume.Attach succeeded for volume "pv" 
    "#]].assert_eq(&w.run("node-1"));
    w.put(node("node-1", &[VOLUME], &[VOLUME], true, json!({})));
    assert_eq!(w.run("node-1"), "");
    // As long as the node uses it, it stays.
    w.delete("v1", "Pod", "default/a");
    assert_eq!(w.run("node-1"), "requeue after 6m0s\n");
    assert_eq!(format!("{:?}", w.put(node("node-1", &[], &[VOLUME], true, json!({})))), "[node-1]");
    expect![[r#"
        # volume.detach volume=pv node=node-1
        patch nodes node-1 status {"status":{"volumesAttached":null}}
        delete volumeattachments csi-abb6e81ff347549a459e5c00704cb45be9b809aa3c2c2392aac1376750793cdb grace=None propagation=Some(Background)
    "#]].assert_eq(&w.run("node-1"));
}

/// A volume that node-1 has and uses.
fn in_use(mode: &str) -> World<AttachDetach> {
    let mut w = world(mode);
    w.put(user("a", "node-1"));
    w.put(attachment("csi-1", "node-1", json!({"attached": true})));
    w.put(node("node-1", &[VOLUME], &[VOLUME], true, json!({})));
    assert_eq!(w.run("attachment/csi-1"), "");
    assert_eq!(w.run("node-1"), "");
    w
}

#[test]
fn a_volume_for_one_node_is_not_attached_to_two() {
    let mut w = in_use("ReadWriteOnce");
    w.put(user("b", "node-2"));
    expect![[r#"
        event Warning FailedAttachVolume b: Multi-Attach error for volume "pv" Volume is already used by pod(s) a
    "#]]
    .assert_eq(&w.run("node-2"));
    assert_eq!(w.run("node-2"), "");
    // When it is free, the other node gets it.
    w.delete("v1", "Pod", "default/a");
    w.delete("storage.k8s.io/v1", "VolumeAttachment", "csi-1");
    assert_eq!(format!("{:?}", w.outcome("node-1").enqueue), "[node-2]");
    assert!(w.run("node-2").contains("create"));
    let mut shared = in_use("ReadWriteMany");
    shared.put(user("b", "node-2"));
    assert!(shared.run("node-2").contains("create"));
}

#[test]
fn who_is_told_what_of_the_others() {
    let mut w = in_use("ReadWriteOnce");
    w.delete("v1", "Pod", "default/a");
    w.put(user("b", "node-2"));
    expect![[r#"
        event Warning FailedAttachVolume b: Multi-Attach error for volume "pv" Volume is already exclusively attached to one node and can't be attached to another
    "#]].assert_eq(&w.run("node-2"));
}

#[test]
fn a_dead_node_loses_its_volumes_after_six_minutes() {
    let mut w = in_use("ReadWriteOnce");
    w.put(node("node-1", &[VOLUME], &[VOLUME], false, json!({})));
    w.delete("v1", "Pod", "default/a");
    assert_eq!(w.run("node-1"), "requeue after 6m0s\n");
    w.now = at(359);
    assert_eq!(w.run("node-1"), "requeue after 1s\n");
    w.now = at(360);
    expect![[r#"
        # volume.force-detach volume=pv node=node-1
        # volume.detach volume=pv node=node-1
        patch nodes node-1 status {"status":{"volumesAttached":null}}
        delete volumeattachments csi-1 grace=None propagation=Some(Background)
    "#]]
    .assert_eq(&w.run("node-1"));
}

#[test]
fn a_node_that_works_keeps_what_it_uses() {
    let mut w = in_use("ReadWriteOnce");
    w.delete("v1", "Pod", "default/a");
    w.run("node-1");
    w.now = at(1000);
    assert_eq!(w.run("node-1"), "");
}

#[test]
fn a_node_out_of_service_loses_them_at_once() {
    let mut w = in_use("ReadWriteOnce");
    w.delete("v1", "Pod", "default/a");
    let taint = json!({"spec": {"taints": [{"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}]}});
    w.put(node("node-1", &[VOLUME], &[VOLUME], false, taint));
    assert!(w.run("node-1").contains("delete volumeattachments csi-1"));
}

#[test]
fn a_failure_is_told_of_less_and_less_often() {
    let mut w = world("ReadWriteOnce");
    w.put(user("a", "node-1"));
    let asked = w.run("node-1");
    attach(&mut w, &asked, "node-1", json!({"attached": false, "attachError": {"message": "no room"}}));
    let told = "event Warning FailedAttachVolume a: AttachVolume.Attach failed for volume \"pv\" : no room\n";
    assert_eq!(w.run("node-1"), format!("{told}requeue after 500ms\n"));
    assert_eq!(w.run("node-1"), "requeue after 500ms\n");
    w.now = at(1);
    assert_eq!(w.run("node-1"), format!("{told}requeue after 1s\n"));
}

#[test]
fn an_attacher_that_does_not_answer() {
    let mut w = world("ReadWriteOnce");
    w.put(user("a", "node-1"));
    let asked = w.run("node-1");
    attach(&mut w, &asked, "node-1", json!({"attached": false}));
    w.now = at(120);
    expect![[r#"
        event Warning FailedAttachVolume a: AttachVolume.Attach failed for volume "pv" : timed out waiting for external-attacher of disk.example.com CSI driver to attach volume handle
        requeue after 500ms
    "#]].assert_eq(&w.run("node-1"));
}

#[test]
fn a_clouds_disk_that_the_pod_names_itself() {
    let mut w = world("ReadWriteOnce");
    let volumes = json!([{"name": "v", "gcePersistentDisk": {"pdName": "disk-1", "fsType": "ext4"}}]);
    w.put(pod("a", None, json!({"spec": {"nodeName": "node-1", "volumes": volumes}})));
    let asked = w.run("node-1");
    expect![[r##"
        # volume.attach volume=pd.csi.storage.gke.io-disk-1 node=node-1
        create {"apiVersion":"storage.k8s.io/v1","kind":"VolumeAttachment","metadata":{"name":"csi-bcd9642c4ce8596fb7e8102830f531ac8aa5be90771cac783cc1286631812add"},"spec":{"attacher":"pd.csi.storage.gke.io","nodeName":"node-1","source":{"inlineVolumeSpec":{"accessModes":["ReadWriteOnce"],"csi":{"driver":"pd.csi.storage.gke.io","fsType":"ext4","volumeHandle":"projects/UNSPECIFIED/zones/UNSPECIFIED/disks/disk-1"}}}}}
        requeue after 2m0s
    "##]].assert_eq(&asked);
    let name = asked.split("\"name\":\"csi-").nth(1).and_then(|rest| rest.get(..64)).expect("it asks for one");
    let handle = "projects/UNSPECIFIED/zones/UNSPECIFIED/disks/disk-1";
    w.put(json!({"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment",
        "metadata": {"name": format!("csi-{name}")},
        "spec": {"attacher": "pd.csi.storage.gke.io", "nodeName": "node-1", "source": {"inlineVolumeSpec": {
            "accessModes": ["ReadWriteOnce"], "csi": {"driver": "pd.csi.storage.gke.io", "volumeHandle": handle}}}}}));
    w.now = at(120);
    expect![[r#"
        event Warning FailedAttachVolume a: AttachVolume.Attach failed for volume "pd.csi.storage.gke.io-disk-1" : timed out waiting for external-attacher of pd.csi.storage.gke.io CSI driver to attach volume projects/UNSPECIFIED/zones/UNSPECIFIED/disks/disk-1
        requeue after 500ms
    "#]].assert_eq(&w.run("node-1"));
}
