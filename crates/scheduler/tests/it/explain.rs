//! What plugins looked at, told as data.

use crate::support::*;
use expect_test::{Expect, expect};
use scheduler::{Config, World, whatif_moment};
use serde_json::json;
use trace::cycle::Verdict;

/// The cells of one node that refuse or have something to show.
fn check_why(world: World, node: &str, expect: Expect) {
    let moment =
        whatif_moment(world, &Config::default(), 1, None, &"default/p".into()).expect("sound").expect("a moment");
    let why = moment.why_not(node).expect("the node");
    let mut text = format!("fits: {}, goes to {:?}\n", why.fits, why.goes_to);
    for c in why.cells.iter().filter(|c| c.verdict != Verdict::Pass || !c.inputs.notes.is_empty()) {
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
