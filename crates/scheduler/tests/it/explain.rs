//! What plugins looked at, told as data.

use crate::support::*;
use crate::volumes::{bound, claim, class, mounts, volume};
use expect_test::{Expect, expect};
use scheduler::{Config, World, whatif_moment};
use serde_json::{Value, json};
use trace::cycle::Verdict;

/// The cells of one node that refuse or have something to show.
fn check_why(world: World, node: &str, expect: Expect) {
    check_cells(world, node, |_| true, expect);
}

/// The same of one plugin.
fn check_plugin(world: World, node: &str, plugin: &str, expect: Expect) {
    check_cells(world, node, |p| p == plugin, expect);
}

fn check_cells(world: World, node: &str, of: impl Fn(&str) -> bool, expect: Expect) {
    let moment =
        whatif_moment(world, &Config::default(), 1, None, &"default/p".into()).expect("sound").expect("a moment");
    let why = moment.why_not(node).expect("the node");
    let mut text = format!("fits: {}, goes to {:?}\n", why.fits, why.goes_to);
    for c in
        why.cells.iter().filter(|c| of(&c.plugin)).filter(|c| c.verdict != Verdict::Pass || !c.inputs.notes.is_empty())
    {
        text += &format!("{} {:?} {:?}\n", c.plugin, c.verdict, c.reasons);
        for n in &c.inputs.notes {
            let args: Vec<String> = n.args.iter().map(|(n, v)| format!("{n}={v}")).collect();
            text += &format!("  {} {}\n", n.code, args.join(" "));
        }
    }
    expect.assert_eq(&text);
}

#[test]
fn every_filter_that_refuses_is_told_not_only_the_first() {
    let a = node(
        "a",
        json!({
            "metadata": {"labels": {"zone": "z1"}},
            "spec": {"unschedulable": true, "taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]},
            "status": {"allocatable": {"cpu": "1"}},
        }),
    );
    let p = pod(
        "p",
        json!({
            "nodeSelector": {"zone": "z2"},
            "tolerations": [{"key": "gpu", "operator": "Equal", "value": "no", "effect": "NoSchedule"}],
            "containers": requests(json!({"cpu": "2", "memory": "1Gi"}))["containers"],
        }),
    );
    check_why(
        world(vec![a, node("b", json!({"metadata": {"labels": {"zone": "z2"}}}))], vec![p]),
        "a",
        expect![[r#"
        fits: false, goes to "b"
        NodeUnschedulable Unresolvable ["node(s) were unschedulable"]
          cell.cordoned 
        TaintToleration Unresolvable ["node(s) had untolerated taint(s)"]
          cell.taint taint=gpu=yes:NoSchedule
          cell.toleration-differs toleration=gpu=no:NoSchedule taint=gpu=yes:NoSchedule
        NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
          cell.selector-differs key=zone want=z2 have=z1
        NodeResourcesFit Unresolvable ["Insufficient cpu"]
          cell.resource resource=pods request=1 free=110 used=0 allocatable=110
          cell.resource-short resource=cpu request=2 free=1 used=0 allocatable=1 missing=1
          cell.resource resource=memory request=1Gi free=8Gi used=0 allocatable=8Gi
    "#]],
    );
}

#[test]
fn domains_and_pods_are_named() {
    let zone = |n: &str, z: &str| node(n, json!({"metadata": {"labels": {"zone": z}}}));
    let labelled = |name: &str, on: &str| {
        let mut p = pod(name, json!({"nodeName": on}));
        p.metadata.labels = Some([("app".to_string(), "web".to_string())].into());
        p
    };
    let mut p = pod(
        "p",
        json!({
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"app": "web"}}}],
            "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}]}},
        }),
    );
    p.metadata.labels = Some([("app".to_string(), "web".to_string())].into());
    let nodes = vec![zone("a", "z1"), zone("b", "z2")];
    check_why(
        world(nodes, vec![labelled("q", "a"), p]),
        "a",
        expect![[r#"
        fits: false, goes to "b"
        NodeResourcesFit Pass []
          cell.resource resource=pods request=1 free=109 used=1 allocatable=110
          cell.resource resource=cpu request=500m free=3500m used=500m allocatable=4
          cell.resource resource=memory request=512Mi free=7680Mi used=512Mi allocatable=8Gi
        PodTopologySpread Unschedulable ["node(s) didn't match pod topology spread constraints"]
          cell.spread-skewed key=zone domain=z1 here=1 min=0 skew=2 max=1 selector=app=web
          cell.domain key=zone domain=z1 pods=1
          cell.domain key=zone domain=z2 pods=0
        InterPodAffinity Unschedulable ["node(s) didn't match pod anti-affinity rules"]
          cell.anti-affinity-unmet key=kubernetes.io/hostname domain=a n=1 pods=default/q
    "#]],
    );
}

#[test]
fn volumes_are_counted_driver_by_driver() {
    let mut w = world(vec![node("a", json!({}))], vec![]);
    for i in 0..3 {
        let (c, v) = (format!("c{i}"), format!("v{i}"));
        w.persistent_volume_claims.push(claim(&c, "made", bound(&v)));
        let csi = json!({"spec": {"csi": {"driver": "disk.example.com", "volumeHandle": v}}});
        w.persistent_volumes.push(volume(&v, "made", csi));
    }
    w.storage_classes.push(class("made", "WaitForFirstConsumer", "disk.example.com"));
    let limited = json!({"metadata": {"name": "a"},
        "spec": {"drivers": [{"name": "disk.example.com", "nodeID": "a", "allocatable": {"count": 2}}]}});
    w.csi_nodes.push(serde_json::from_value(limited).expect("a CSINode"));
    let mut other = mounts(&["c0", "c1"]);
    merge(&mut other, &json!({"nodeName": "a"}));
    w.pods = vec![pod("q", other), pod("p", mounts(&["c1", "c2"]))];
    check_plugin(
        w,
        "a",
        "NodeVolumeLimits",
        expect![[r#"
        fits: false, goes to ""
        NodeVolumeLimits Unschedulable ["node(s) exceed max volume count"]
          cell.volumes-over driver=disk.example.com used=2 more=1 limit=2
          cell.volume-attached volume=v1
    "#]],
    );
}

#[test]
fn who_holds_a_disk_is_named() {
    let disk = |name: &str, on: Value| {
        let mut spec = json!({"volumes": [{"name": "data", "gcePersistentDisk": {"pdName": "d"}}]});
        merge(&mut spec, &on);
        pod(name, spec)
    };
    let pods = vec![disk("q", json!({"nodeName": "a"})), disk("p", json!({}))];
    check_plugin(
        world(vec![node("a", json!({})), node("b", json!({}))], pods),
        "a",
        "VolumeRestrictions",
        expect![[r#"
        fits: false, goes to "b"
        VolumeRestrictions Unschedulable ["node(s) had no available disk"]
          cell.disk-taken volume=data pod=default/q
    "#]],
    );
    let mut w = world(vec![node("a", json!({})), node("b", json!({}))], vec![]);
    let once = json!({"spec": {"accessModes": ["ReadWriteOncePod"]}});
    let mut bound = bound("v");
    merge(&mut bound, &once);
    w.persistent_volume_claims.push(claim("c", "made", bound));
    w.persistent_volumes.push(volume("v", "made", once));
    w.storage_classes.push(class("made", "WaitForFirstConsumer", "disk.example.com"));
    let mut other = mounts(&["c"]);
    merge(&mut other, &json!({"nodeName": "a"}));
    w.pods = vec![pod("q", other), pod("p", mounts(&["c"]))];
    check_plugin(
        w,
        "b",
        "VolumeRestrictions",
        expect![[r#"
        fits: false, goes to ""
        VolumeRestrictions Unschedulable ["node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"]
          cell.claim-exclusive-taken claim=c pod=default/q node=a
    "#]],
    );
}

#[test]
fn devices_are_counted_request_by_request() {
    let mut w = world(vec![node("a", json!({}))], vec![]);
    w.device_classes.push(serde_json::from_value(json!({"metadata": {"name": "gpu"}, "spec": {}})).expect("a class"));
    let devices = json!([{"name": "one"}, {"name": "two"}]);
    w.resource_slices.push(
        serde_json::from_value(
            json!({"metadata": {"name": "a"}, "spec": {"driver": "gpu.example.com", "nodeName": "a",
            "pool": {"name": "a", "generation": 1, "resourceSliceCount": 1}, "devices": devices}}),
        )
        .expect("a slice"),
    );
    let asks = |name: &str, count: i64| {
        json!({"metadata": {"name": name, "namespace": "default"}, "spec": {"devices": {
            "requests": [{"name": "r", "exactly": {"deviceClassName": "gpu", "count": count}}]}}})
    };
    let mut taken = asks("taken", 1);
    merge(
        &mut taken,
        &json!({"status": {"allocation": {"devices": {"results": [
            {"request": "r", "driver": "gpu.example.com", "pool": "a", "device": "one"}]}}}}),
    );
    w.resource_claims = vec![
        serde_json::from_value(taken).expect("a claim"),
        serde_json::from_value(asks("wanted", 2)).expect("a claim"),
    ];
    let claims = json!({"resourceClaims": [{"name": "t", "resourceClaimName": "taken"},
        {"name": "w", "resourceClaimName": "wanted"}]});
    w.pods = vec![pod("p", claims)];
    check_plugin(
        w,
        "a",
        "DynamicResources",
        expect![[r#"
        fits: false, goes to ""
        DynamicResources Unresolvable ["cannot allocate all claims"]
          cell.devices-here claim=taken devices=gpu.example.com/a/one
          cell.devices-short claim=default/wanted request=r class=gpu wanted=2 selected=2 free=1
    "#]],
    );
}
