//! VolumeRestrictions, VolumeBinding and VolumeZone: one pod against claims, volumes and classes.

use crate::support::*;
use expect_test::{Expect, expect};
use k8s_openapi::serde::de::DeserializeOwned;
use scheduler::{Config, World};
use serde_json::{Value, json};

fn typed<T: DeserializeOwned>(v: Value) -> T {
    serde_json::from_value(v).expect("an object")
}

/// A claim; `patch` adds to it.
pub fn claim(name: &str, class: &str, patch: Value) -> k8s_openapi::api::core::v1::PersistentVolumeClaim {
    let mut v = json!({"metadata": {"name": name, "namespace": "default"}, "spec": {"storageClassName": class}});
    merge(&mut v, &patch);
    typed(v)
}

/// What a bound claim looks like.
pub fn bound(volume: &str) -> Value {
    json!({"metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}, "spec": {"volumeName": volume}})
}

pub fn volume(name: &str, class: &str, patch: Value) -> k8s_openapi::api::core::v1::PersistentVolume {
    let mut v =
        json!({"metadata": {"name": name}, "spec": {"storageClassName": class}, "status": {"phase": "Available"}});
    merge(&mut v, &patch);
    typed(v)
}

pub fn class(name: &str, mode: &str, provisioner: &str) -> k8s_openapi::api::storage::v1::StorageClass {
    typed(json!({"metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": mode}))
}

/// A pod spec that mounts these claims.
pub fn mounts(claims: &[&str]) -> Value {
    let one = |c: &&str| json!({"name": *c, "persistentVolumeClaim": {"claimName": *c}});
    json!({"volumes": claims.iter().map(one).collect::<Vec<_>>()})
}

fn on_nodes(key: &str, values: &[&str]) -> Value {
    let term = json!({"matchExpressions": [{"key": key, "operator": "In", "values": values}]});
    json!({"spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}}})
}

fn sized(size: &str) -> Value {
    json!({"spec": {"resources": {"requests": {"storage": size}}}})
}

fn holding(size: &str, key: &str, values: &[&str]) -> Value {
    let mut v = json!({"spec": {"capacity": {"storage": size}}});
    merge(&mut v, &on_nodes(key, values));
    v
}

fn plugin(name: &str) -> Config {
    only(&[name], json!([]))
}

/// Two classes, node `a` and whatever the case adds.
fn base(pods: Vec<k8s_openapi::api::core::v1::Pod>) -> World {
    World {
        storage_classes: vec![
            class("soon", "Immediate", "example.com/disk"),
            class("wait", "WaitForFirstConsumer", "kubernetes.io/no-provisioner"),
            class("made", "WaitForFirstConsumer", "example.com/disk"),
        ],
        ..world(vec![node("a", json!({}))], pods)
    }
}

fn binding(claims: Vec<k8s_openapi::api::core::v1::PersistentVolumeClaim>, used: &[&str], e: Expect) {
    let w = World { persistent_volume_claims: claims, ..base(vec![pod("p", mounts(used))]) };
    check_filters(w, &plugin("VolumeBinding"), e);
}

#[test]
fn claims_that_cannot_be_waited_for() {
    binding(
        vec![],
        &[],
        expect![[r#"
            PreFilter VolumeBinding Skip [] None
            a: pass
        "#]],
    );
    binding(
        vec![],
        &["c"],
        expect![[r#"
            PreFilter VolumeBinding Unresolvable ["persistentvolumeclaim \"c\" not found"] None
            a: VolumeBinding Unresolvable ["persistentvolumeclaim \"c\" not found"]
        "#]],
    );
    binding(
        vec![claim("c", "soon", json!({}))],
        &["c"],
        expect![[r#"
            PreFilter VolumeBinding Unresolvable ["pod has unbound immediate PersistentVolumeClaims"] None
            a: VolumeBinding Unresolvable ["pod has unbound immediate PersistentVolumeClaims"]
        "#]],
    );
    // Bound by its owner to a volume, but nobody has completed that: as good as immediate.
    binding(
        vec![claim("c", "wait", json!({"spec": {"volumeName": "v"}}))],
        &["c"],
        expect![[r#"
            PreFilter VolumeBinding Unresolvable ["pod has unbound immediate PersistentVolumeClaims"] None
            a: VolumeBinding Unresolvable ["pod has unbound immediate PersistentVolumeClaims"]
        "#]],
    );
    let mut lost = bound("v");
    merge(&mut lost, &json!({"status": {"phase": "Lost"}}));
    binding(
        vec![claim("c", "wait", lost)],
        &["c"],
        expect![[r#"
            PreFilter VolumeBinding Unresolvable ["persistentvolumeclaim \"c\" bound to non-existent persistentvolume \"v\""] None
            a: VolumeBinding Unresolvable ["persistentvolumeclaim \"c\" bound to non-existent persistentvolume \"v\""]
        "#]],
    );
    binding(
        vec![claim("c", "wait", json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}))],
        &["c"],
        expect![[r#"
            PreFilter VolumeBinding Unresolvable ["persistentvolumeclaim \"c\" is being deleted"] None
            a: VolumeBinding Unresolvable ["persistentvolumeclaim \"c\" is being deleted"]
        "#]],
    );
    binding(
        vec![claim("c", "wait", bound("gone"))],
        &["c"],
        expect![[r#"
            a: VolumeBinding Unresolvable ["node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"]
        "#]],
    );
    binding(
        vec![claim("c", "wait", json!({}))],
        &["c"],
        expect![[r#"
            a: VolumeBinding Unresolvable ["node(s) didn't find available persistent volumes to bind"]
        "#]],
    );
}

#[test]
fn ephemeral_claims_belong_to_their_pod() {
    let ephemeral = || pod("p", json!({"volumes": [{"name": "tmp", "ephemeral": {}}]}));
    check_filters(
        base(vec![ephemeral()]),
        &plugin("VolumeBinding"),
        expect![[r#"
            PreFilter VolumeBinding Unresolvable ["waiting for ephemeral volume controller to create the persistentvolumeclaim \"p-tmp\""] None
            a: VolumeBinding Unresolvable ["waiting for ephemeral volume controller to create the persistentvolumeclaim \"p-tmp\""]
        "#]],
    );
    let w = World { persistent_volume_claims: vec![claim("p-tmp", "made", json!({}))], ..base(vec![ephemeral()]) };
    check_filters(
        w,
        &plugin("VolumeBinding"),
        expect![[r#"
            PreFilter VolumeBinding Unresolvable ["PVC default/p-tmp was not created for pod default/p (pod is not owner)"] None
            a: VolumeBinding Unresolvable ["PVC default/p-tmp was not created for pod default/p (pod is not owner)"]
        "#]],
    );
    let owner = json!({"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "p", "controller": true});
    let owned = claim("p-tmp", "made", json!({"metadata": {"ownerReferences": [owner]}}));
    let w = World { persistent_volume_claims: vec![owned], ..base(vec![ephemeral()]) };
    check_filters(
        w,
        &plugin("VolumeBinding"),
        expect![[r#"
        a: pass
    "#]],
    );
}

#[test]
fn bound_volumes_and_free_ones_by_node() {
    let host = "kubernetes.io/hostname";
    let nodes = || vec![node("a", json!({})), node("b", json!({})), node("c", json!({}))];
    let w = World {
        nodes: nodes(),
        persistent_volume_claims: vec![claim("x", "wait", bound("v")), claim("y", "wait", sized("50Gi"))],
        persistent_volumes: vec![
            volume("v", "wait", on_nodes(host, &["a", "b"])),
            volume("w", "wait", holding("200Gi", host, &["a"])),
            volume("small", "wait", holding("20Gi", host, &["b"])),
            volume("other", "soon", holding("200Gi", host, &["b"])),
            volume("used", "wait", {
                let mut v = holding("200Gi", host, &["b"]);
                merge(&mut v, &json!({"spec": {"claimRef": {"namespace": "default", "name": "z"}}}));
                v
            }),
            volume("freed", "wait", {
                let mut v = holding("200Gi", host, &["b"]);
                merge(&mut v, &json!({"status": {"phase": "Released"}}));
                v
            }),
        ],
        ..base(vec![pod("p", mounts(&["x", "y"]))])
    };
    check_filters(
        w,
        &plugin("VolumeBinding"),
        expect![[r#"
            a: pass
            b: VolumeBinding Unresolvable ["node(s) didn't find available persistent volumes to bind"]
            c: VolumeBinding Unresolvable ["node(s) had volume node affinity conflict", "node(s) didn't find available persistent volumes to bind"]
        "#]],
    );
}

#[test]
fn a_volume_serves_one_claim() {
    // The second pod finds the only volume taken by the first.
    let w = World {
        persistent_volume_claims: vec![claim("x", "wait", sized("1Gi")), claim("y", "wait", sized("1Gi"))],
        persistent_volumes: vec![volume("v", "wait", json!({"spec": {"capacity": {"storage": "1Gi"}}}))],
        ..base(vec![pod("first", mounts(&["x"])), pod("second", mounts(&["y"])), pod("third", mounts(&["x"]))])
    };
    check(
        w,
        &plugin("VolumeBinding"),
        expect![[r#"
            first -> a
            second: 0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind.
            third -> a
        "#]],
    );
}

#[test]
fn selectors_modes_and_access_decide_too() {
    let tried = |claim_spec: Value, volume_patch: Value| {
        let mut v = json!({"spec": {"capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteOnce"]}});
        merge(&mut v, &volume_patch);
        let w = World {
            persistent_volume_claims: vec![claim("x", "wait", json!({"spec": claim_spec}))],
            persistent_volumes: vec![volume("v", "wait", v)],
            ..base(vec![pod("p", mounts(&["x"]))])
        };
        run(w, &plugin("VolumeBinding"))[0].node.is_some()
    };
    assert!(tried(json!({"accessModes": ["ReadWriteOnce"]}), json!({})));
    assert!(!tried(json!({"accessModes": ["ReadWriteMany"]}), json!({})));
    assert!(!tried(json!({"volumeMode": "Block"}), json!({})));
    assert!(tried(json!({"volumeMode": "Filesystem"}), json!({})));
    let selector = json!({"selector": {"matchLabels": {"disk": "fast"}}});
    assert!(!tried(selector.clone(), json!({})));
    assert!(tried(selector, json!({"metadata": {"labels": {"disk": "fast"}}})));
    assert!(!tried(json!({}), json!({"status": {"phase": "Pending"}})));
    assert!(!tried(json!({"volumeAttributesClassName": "gold"}), json!({})));
    let reserved = json!({"spec": {"claimRef": {"namespace": "default", "name": "x"}}, "status": {"phase": "Pending"}});
    assert!(tried(json!({}), reserved));
}

#[test]
fn volumes_that_can_be_made() {
    let provision = |class_patch: Value, claim_patch: Value, more: fn(&mut World), e: Expect| {
        let mut c = json!({"metadata": {"name": "made"}, "provisioner": "example.com/disk",
            "volumeBindingMode": "WaitForFirstConsumer"});
        merge(&mut c, &class_patch);
        let mut w = World {
            nodes: vec![
                node("a", json!({"metadata": {"labels": {"zone": "east"}}})),
                node("b", json!({"metadata": {"labels": {"zone": "west"}}})),
            ],
            storage_classes: vec![typed(c)],
            persistent_volume_claims: vec![claim("x", "made", claim_patch)],
            ..world(vec![], vec![pod("p", mounts(&["x"]))])
        };
        more(&mut w);
        check_filters(w, &plugin("VolumeBinding"), e);
    };
    provision(
        json!({}),
        sized("1Gi"),
        |_| {},
        expect![[r#"
        a: pass
        b: pass
    "#]],
    );
    let east = json!({"allowedTopologies": [{"matchLabelExpressions": [{"key": "zone", "values": ["east"]}]}]});
    provision(
        east,
        sized("1Gi"),
        |_| {},
        expect![[r#"
            a: pass
            b: VolumeBinding Unresolvable ["node(s) didn't find available persistent volumes to bind"]
        "#]],
    );
    let publish = |w: &mut World| {
        w.csi_drivers.push(typed(json!({"metadata": {"name": "example.com/disk"}, "spec": {"storageCapacity": true}})));
        w.csi_storage_capacities.push(typed(json!({"metadata": {"name": "east", "namespace": "default"},
            "storageClassName": "made", "capacity": "10Gi", "nodeTopology": {"matchLabels": {"zone": "east"}}})));
    };
    provision(
        json!({}),
        sized("10Gi"),
        publish,
        expect![[r#"
            a: pass
            b: VolumeBinding Unresolvable ["node(s) did not have enough free storage"]
        "#]],
    );
    provision(
        json!({}),
        sized("11Gi"),
        publish,
        expect![[r#"
            a: VolumeBinding Unresolvable ["node(s) did not have enough free storage"]
            b: VolumeBinding Unresolvable ["node(s) did not have enough free storage"]
        "#]],
    );
    // It is being made for node b already.
    provision(
        json!({}),
        json!({"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "b"}}}),
        |_| {},
        expect![[r#"
            a: VolumeBinding Unresolvable ["node(s) didn't find available persistent volumes to bind"]
            b: pass
        "#]],
    );
}

#[test]
fn a_broken_class_is_an_error_not_a_verdict() {
    let w = World {
        storage_classes: vec![],
        persistent_volume_claims: vec![claim(
            "x",
            "made",
            json!({"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "a"}}}),
        )],
        ..base(vec![pod("p", mounts(&["x"]))])
    };
    check(
        w,
        &plugin("VolumeBinding"),
        expect![[r#"
            p: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.
        "#]],
    );
    // Without a default the mode stays open; the API server would not have let that happen.
    let w = World { pods: vec![pod("p", mounts(&["x"]))], ..base(vec![]) };
    let w = World { persistent_volume_claims: vec![claim("x", "", json!({}))], ..w };
    check(
        w,
        &plugin("VolumeZone"),
        expect![[r#"
            p: 0/1 nodes are available: PersistentVolumeClaim had no pv name and storageClass name.
        "#]],
    );
}

#[test]
fn disks_that_one_pod_can_have() {
    let disk = |v: Value| {
        let mut v = v;
        merge(&mut v, &json!({"name": "d"}));
        json!({"volumes": [v]})
    };
    let clash = |a: Value, b: Value| {
        let mut there = disk(b);
        merge(&mut there, &json!({"nodeName": "a"}));
        let w = world(vec![node("a", json!({}))], vec![pod("there", there), pod("p", disk(a))]);
        let cycles = run(w, &plugin("VolumeRestrictions"));
        let refused = cycles[0].node.is_none();
        if refused {
            assert_eq!(cycles[0].message, "0/1 nodes are available: 1 node(s) had no available disk.");
        }
        refused
    };
    let gce = |name: &str, ro: bool| json!({"gcePersistentDisk": {"pdName": name, "readOnly": ro}});
    assert!(clash(gce("x", false), gce("x", false)));
    assert!(clash(gce("x", true), gce("x", false)));
    assert!(!clash(gce("x", true), gce("x", true)));
    assert!(!clash(gce("x", false), gce("y", false)));
    let ebs = |id: &str| json!({"awsElasticBlockStore": {"volumeID": id, "readOnly": true}});
    assert!(clash(ebs("x"), ebs("x")));
    assert!(!clash(ebs("x"), ebs("y")));
    let rbd = |monitors: &[&str], image: &str| json!({"rbd": {"monitors": monitors, "pool": "p", "image": image}});
    assert!(clash(rbd(&["m1", "m2"], "i"), rbd(&["m2", "m3"], "i")));
    assert!(!clash(rbd(&["m1"], "i"), rbd(&["m2"], "i")));
    assert!(!clash(rbd(&["m1"], "i"), rbd(&["m1"], "j")));
    let iscsi = |iqn: &str, ro: bool| json!({"iscsi": {"targetPortal": "t", "iqn": iqn, "lun": 0, "readOnly": ro}});
    assert!(clash(iscsi("q", false), iscsi("q", true)));
    assert!(!clash(iscsi("q", true), iscsi("q", true)));
    assert!(!clash(iscsi("q", false), iscsi("r", false)));
}

#[test]
fn a_claim_for_one_pod() {
    let claims = || {
        vec![
            claim("one", "soon", json!({"spec": {"accessModes": ["ReadWriteOncePod"]}})),
            claim("many", "soon", json!({"spec": {"accessModes": ["ReadWriteMany"]}})),
        ]
    };
    let there = |claims: &[&str], priority: i32| {
        let mut spec = mounts(claims);
        merge(&mut spec, &json!({"nodeName": "b", "priority": priority}));
        pod("there", spec)
    };
    let two = || vec![node("a", json!({})), node("b", json!({}))];
    let w = World {
        persistent_volume_claims: claims(),
        ..world(two(), vec![there(&["one"], 0), pod("p", mounts(&["one"]))])
    };
    check_filters(
        w,
        &plugin("VolumeRestrictions"),
        expect![[r#"
            a: VolumeRestrictions Unschedulable ["node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"]
            b: VolumeRestrictions Unschedulable ["node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"]
        "#]],
    );
    let w = World {
        persistent_volume_claims: claims(),
        ..world(two(), vec![there(&["many"], 0), pod("p", mounts(&["many"]))])
    };
    check_filters(
        w,
        &plugin("VolumeRestrictions"),
        expect![[r#"
            PreFilter VolumeRestrictions Skip [] None
            a: pass
            b: pass
        "#]],
    );
    // A more important pod may evict the one that holds the claim.
    let mut important = mounts(&["one"]);
    merge(&mut important, &json!({"priority": 10}));
    let w = World { persistent_volume_claims: claims(), ..world(two(), vec![there(&["one"], 0), pod("p", important)]) };
    check(
        w,
        &only(&["VolumeRestrictions", "DefaultPreemption"], json!([])),
        expect![[r#"
            p: 0/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode. [nominated b, victims ["there"]]
        "#]],
    );
}

#[test]
fn zones_of_volumes_and_nodes() {
    const ZONE: &str = "topology.kubernetes.io/zone";
    const REGION: &str = "topology.kubernetes.io/region";
    const OLD_ZONE: &str = "failure-domain.beta.kubernetes.io/zone";
    const OLD_REGION: &str = "failure-domain.beta.kubernetes.io/region";
    let fits = |volume_labels: Value, node_labels: Value| {
        let w = World {
            nodes: vec![node("a", json!({"metadata": {"labels": node_labels}}))],
            persistent_volume_claims: vec![claim("x", "soon", bound("v"))],
            persistent_volumes: vec![volume("v", "soon", json!({"metadata": {"labels": volume_labels}}))],
            ..base(vec![pod("p", mounts(&["x"]))])
        };
        let cycles = run(w, &plugin("VolumeZone"));
        if cycles[0].node.is_none() {
            let why = "0/1 nodes are available: 1 node(s) had no available volume zone.";
            assert_eq!(cycles[0].message, why);
        }
        cycles[0].node.is_some()
    };
    assert!(fits(json!({OLD_ZONE: "e"}), json!({"plain": "1"})));
    assert!(fits(json!({OLD_ZONE: "e"}), json!({OLD_ZONE: "e"})));
    assert!(!fits(json!({OLD_ZONE: "e"}), json!({OLD_ZONE: "w"})));
    assert!(fits(json!({OLD_REGION: "e", "plain": "1"}), json!({OLD_REGION: "e"})));
    assert!(!fits(json!({OLD_REGION: "e"}), json!({OLD_REGION: "w"})));
    assert!(fits(json!({ZONE: "e"}), json!({ZONE: "e"})));
    assert!(!fits(json!({ZONE: "e"}), json!({ZONE: "w"})));
    assert!(!fits(json!({ZONE: "e", REGION: "e"}), json!({ZONE: "e"})));
    // A new label on the node stands in for an old one on the volume, not the other way round.
    assert!(fits(json!({OLD_ZONE: "e"}), json!({ZONE: "e"})));
    assert!(!fits(json!({OLD_ZONE: "e"}), json!({ZONE: "w"})));
    assert!(!fits(json!({ZONE: "e"}), json!({OLD_ZONE: "e"})));
    assert!(fits(json!({ZONE: "w__e"}), json!({ZONE: "e"})));
}

#[test]
fn zones_of_claims_without_a_volume() {
    let w = |claim| World { persistent_volume_claims: vec![claim], ..base(vec![pod("p", mounts(&["x"]))]) };
    let check = |claim, e: Expect| check_filters(w(claim), &plugin("VolumeZone"), e);
    check(
        claim("x", "wait", json!({})),
        expect![[r#"
            PreFilter VolumeZone Skip [] None
            a: pass
        "#]],
    );
    check(
        claim("x", "soon", json!({})),
        expect![[r#"
            PreFilter VolumeZone Unresolvable ["PersistentVolume had no name"] None
            a: VolumeZone Unresolvable ["PersistentVolume had no name"]
        "#]],
    );
    check(
        claim("x", "none", json!({})),
        expect![[r#"
            PreFilter VolumeZone Unresolvable ["storageclass.storage.k8s.io \"none\" not found"] None
            a: VolumeZone Unresolvable ["storageclass.storage.k8s.io \"none\" not found"]
        "#]],
    );
    check(
        claim("x", "wait", bound("gone")),
        expect![[r#"
            PreFilter VolumeZone Unresolvable ["persistentvolume \"gone\" not found"] None
            a: VolumeZone Unresolvable ["persistentvolume \"gone\" not found"]
        "#]],
    );
}
