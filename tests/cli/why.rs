//! `kubottle schedule --why`: the explanation and the proved fixes, in the terminal.

use serde_json::Value;
use system_tests::{manifest, run};

fn why(more: &[&str]) -> Option<system_tests::Ran> {
    let file = manifest("scheduling.yaml");
    let mut args = vec!["schedule", "-f", &file, "--why"];
    args.extend(more);
    run(&args)
}

#[test]
fn a_pod_that_fits_nowhere_is_told_why_and_what_would_help() {
    let Some(ran) = why(&["fits-nowhere", "--lang", "en"]) else { return };
    let out = ran.good();
    for words in [
        "default/fits-nowhere fits on no node\n  0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu.",
        "  2 node(s): NodeResourcesFit: Insufficient cpu (small, big)\n",
        "    cpu: asks for 16, but only 500m of 2 free (1500m taken): 15500m too little\n",
        "    the node has the taint dedicated=gpu:NoSchedule and the pod does not tolerate it\n",
        "  1. ask for 7 cpu instead of 16 (container main) → big\n",
        "     Pod default/fits-nowhere spec.containers[0].resources: {\"requests\":{\"cpu\":\"16\"}} → {\"requests\":{\"cpu\":\"7\"}}\n",
        "  2. add a node with 16 CPU",
    ] {
        assert!(out.contains(words), "no {words:?} in\n{out}");
    }
}

#[test]
fn the_same_in_korean() {
    let Some(ran) = why(&["default/fits-nowhere", "--lang", "ko"]) else { return };
    let out = ran.good();
    assert!(out.starts_with("default/fits-nowhere 파드가 들어갈 노드가 없습니다\n"), "{out}");
    assert!(
        out.contains("들어가게 하려면 (모두 실제로 시험함):\n  1. main 컨테이너의 cpu 요청을 16에서 7로 낮춤 → big"),
        "{out}"
    );
}

#[test]
fn one_node_is_asked_about_by_every_filter() {
    let Some(ran) = why(&["fits-nowhere", "--node", "tainted", "--lang", "en"]) else { return };
    let out = ran.good();
    assert!(out.contains("tainted does not take it:\n  TaintToleration: "), "{out}");
    assert!(out.contains("  NodeResourcesFit: Insufficient cpu\n"), "the second refusal is told too\n{out}");
    assert!(!out.contains("small does not"), "{out}");
    let Some(ran) = why(&["already-there", "--node", "big", "--lang", "en"]) else { return };
    let out = ran.good();
    assert!(out.starts_with("default/already-there is on small\n") && out.contains("big would take it"), "{out}");
    assert!(!out.contains("What would make it fit"), "{out}");
}

#[test]
fn everything_as_json() {
    let Some(ran) = why(&["fits-nowhere", "-o", "json"]) else { return };
    let out = ran.good();
    let v: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
    assert_eq!((&v["pod"]["name"], &v["node"], &v["bound"]), (&"fits-nowhere".into(), &Value::Null, &false.into()));
    let fix = &v["fixes"][0];
    assert_eq!((&fix["node"], &fix["edits"][0]["note"]["code"]), (&"big".into(), &"fix.request".into()));
    assert_eq!(fix["edits"][0]["path"], "spec.containers[0].resources");
    let cells = v["why"][0]["cells"].as_array().cloned().unwrap_or_default();
    let amounts = cells.iter().find(|c| c["plugin"] == "NodeResourcesFit").map(|c| c["inputs"]["amounts"].clone());
    let cpu = amounts.iter().flat_map(|a| a.as_array().into_iter().flatten()).find(|a| a["resource"] == "cpu");
    assert_eq!(cpu.map(|a| (&a["request"], &a["unit"])), Some((&16_000.into(), &"milli-cpu".into())));
}

#[test]
fn bad_questions_get_clear_answers() {
    for (args, words) in [
        (&["nobody"][..], "--why: pods \"nobody\" not found in the files"),
        (&["fits-on-big", "--node", "nowhere"], "--node: nodes \"nowhere\" not found"),
        (&["fits-on-big", "--lang", "fr"], "invalid value 'fr' for '--lang <LANG>'"),
    ] {
        let Some(ran) = why(args) else { return };
        let err = ran.bad();
        assert!(err.contains(words) && !err.contains("panicked"), "no {words:?} in\n{err}");
    }
    let file = manifest("scheduling.yaml");
    let Some(ran) = run(&["schedule", "-f", &file, "--node", "big"]) else { return };
    assert!(ran.bad().contains("--why <POD>"));
}
