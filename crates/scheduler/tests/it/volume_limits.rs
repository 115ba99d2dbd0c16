//! NodeVolumeLimits: what a CSI driver attaches to a node.

use crate::support::*;
use crate::volumes::{bound, claim, class, mounts, volume};
use scheduler::World;
use serde_json::{Value, json};

const DRIVER: &str = "disk.example.com";

/// Claims `x0`.. bound to volumes of the driver, and claims `u0`.. that will be provisioned by it.
fn base(limit: Option<i32>) -> World {
    let mut w = world(vec![node("a", json!({}))], vec![]);
    for i in 0..4 {
        let (c, v) = (format!("x{i}"), format!("v{i}"));
        w.persistent_volume_claims.push(claim(&c, "made", bound(&v)));
        let csi = json!({"spec": {"csi": {"driver": DRIVER, "volumeHandle": v}}});
        w.persistent_volumes.push(volume(&v, "made", csi));
        w.persistent_volume_claims.push(claim(&format!("u{i}"), "made", json!({})));
    }
    w.storage_classes.push(class("made", "WaitForFirstConsumer", DRIVER));
    let mut driver = json!({"name": DRIVER, "nodeID": "a"});
    if let Some(count) = limit {
        merge(&mut driver, &json!({"allocatable": {"count": count}}));
    }
    let csi_node = json!({"metadata": {"name": "a"}, "spec": {"drivers": [driver]}});
    w.csi_nodes.push(serde_json::from_value(csi_node).expect("a CSINode"));
    w
}

/// Whether a pod with the claims `new` fits beside pods with the claims of `old`.
fn fits(mut w: World, old: &[&[&str]], new: &[&str]) -> bool {
    for (i, claims) in old.iter().enumerate() {
        let mut spec = mounts(claims);
        merge(&mut spec, &json!({"nodeName": "a"}));
        w.pods.push(pod(&format!("old{i}"), spec));
    }
    w.pods.push(pod("p", mounts(new)));
    placed(w)
}

fn placed(w: World) -> bool {
    let cycles = run(w, &only(&["NodeVolumeLimits"], json!([])));
    if cycles[0].node.is_none() {
        assert_eq!(cycles[0].message, "0/1 nodes are available: 1 node(s) exceed max volume count.");
    }
    cycles[0].node.is_some()
}

#[test]
fn volumes_are_counted_once() {
    assert!(fits(base(Some(4)), &[&["x0"], &["x1"]], &["x2", "x3"]));
    assert!(!fits(base(Some(2)), &[&["x0"], &["x1"]], &["x2"]));
    assert!(fits(base(Some(2)), &[&["x0"], &["x1"]], &["x1"]));
    assert!(fits(base(Some(2)), &[&["x0"], &["x0", "x1"]], &["x0"]));
    assert!(!fits(base(Some(1)), &[&[]], &["x0", "x1"]));
    assert!(fits(base(None), &[&["x0"], &["x1"]], &["x2"]), "no limit");
    assert!(fits(base(Some(1)), &[&["x0"]], &[]), "no volumes");
}

#[test]
fn volumes_to_come_count_too() {
    assert!(!fits(base(Some(2)), &[&["x0"], &["u0"]], &["u1"]));
    assert!(fits(base(Some(3)), &[&["x0"], &["u0"]], &["u1"]));
    let other = |w: &mut World| w.storage_classes[0].provisioner = "kubernetes.io/no-provisioner".into();
    let mut w = base(Some(1));
    other(&mut w);
    assert!(fits(w, &[&["x0"]], &["u1"]), "of another provisioner");
}

#[test]
fn a_missing_claim_is_the_pods_own_fault() {
    let mut w = base(Some(2));
    w.pods.push(pod("old", {
        let mut spec = mounts(&["gone"]);
        merge(&mut spec, &json!({"nodeName": "a"}));
        spec
    }));
    w.pods.push(pod("p", mounts(&["none"])));
    let cycles = run(w, &only(&["NodeVolumeLimits"], json!([])));
    let why = "0/1 nodes are available: 1 looking up PVC default/none: persistentvolumeclaim \"none\" not found.";
    assert_eq!(cycles[0].message, why);
}

#[test]
fn attachments_count_without_pods() {
    let attached = |name: &str, volume: &str| -> Value {
        json!({"metadata": {"name": name},
            "spec": {"attacher": DRIVER, "nodeName": "a", "source": {"persistentVolumeName": volume}}})
    };
    let with = |limit| {
        let mut w = base(Some(limit));
        for a in [attached("1", "v0"), attached("2", "v1")] {
            w.volume_attachments.push(serde_json::from_value(a).expect("an attachment"));
        }
        w
    };
    assert!(!fits(with(2), &[&["x0"]], &["x2"]));
    // What is attached counts beside what the pod asks for, also when it is the same volume.
    assert!(!fits(with(2), &[&["x0"]], &["x1"]));
    assert!(fits(with(2), &[&["x0"]], &["x0"]));
    assert!(fits(with(3), &[&["x0"]], &["x2"]));
}

#[test]
fn migrated_disks_count_for_their_driver() {
    let driver = json!({"name": "ebs.csi.aws.com", "nodeID": "a", "allocatable": {"count": 1}});
    let ebs = |id: &str| json!({"volumes": [{"name": "d", "awsElasticBlockStore": {"volumeID": id}}]});
    let with = |a: &str, b: &str| {
        let mut w = world(vec![node("a", json!({}))], vec![]);
        let csi_node = json!({"metadata": {"name": "a"}, "spec": {"drivers": [driver]}});
        w.csi_nodes.push(serde_json::from_value(csi_node).expect("a CSINode"));
        let mut there = ebs(a);
        merge(&mut there, &json!({"nodeName": "a"}));
        w.pods = vec![pod("old", there), pod("p", ebs(b))];
        placed(w)
    };
    assert!(!with("vol-1", "vol-2"));
    assert!(with("vol-1", "aws://east/vol-1"));
}
