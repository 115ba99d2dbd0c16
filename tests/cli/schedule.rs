//! `kubottle schedule`: nodes and bound pods as given, one decision for each pod without a node.

use serde_json::Value;
use system_tests::{manifest, run};

fn decisions() -> Option<Vec<Value>> {
    let out = run(&["schedule", "-f", &manifest("scheduling.yaml"), "-o", "json"])?.good();
    let all: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
    Some(all["decisions"].as_array().unwrap_or_else(|| panic!("no decisions in {out}")).clone())
}

#[test]
fn each_pod_gets_the_decision_it_should() {
    let Some(decisions) = decisions() else { return };
    let short: Vec<String> = decisions.iter().map(|d| format!("{} -> {}", d["pod"]["name"], d["node"])).collect();
    let expected = [r#""fits-on-big" -> "big""#, r#""wants-ssd" -> "big""#, r#""fits-nowhere" -> null"#];
    assert_eq!(short, expected);
    let message = decisions[2]["message"].as_str().unwrap_or("");
    let words = "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu.";
    assert!(message.starts_with(words), "{message}");
}

#[test]
fn verdicts_and_scores_are_recorded() {
    let Some(decisions) = decisions() else { return };
    let nodes = decisions[0]["nodes"].as_array().cloned().unwrap_or_default();
    let node =
        |name: &str| nodes.iter().find(|n| n["name"] == name).unwrap_or_else(|| panic!("no {name} in {nodes:?}"));
    // Rejected: the first plugin that says no is the last one asked.
    let filters = node("tainted")["filters"].as_array().cloned().unwrap_or_default();
    let last = filters.last().cloned().unwrap_or_default();
    assert_eq!((&last["plugin"], &last["verdict"]), (&"TaintToleration".into(), &"unresolvable".into()));
    assert!(node("tainted")["total"].is_null());
    // Accepted: weighted scores add up to the total, even for the only node that fits.
    let big = node("big");
    let scores = big["scores"].as_array().cloned().unwrap_or_default();
    let sum: i64 = scores.iter().filter_map(|s| s["weighted"].as_i64()).sum();
    assert!(!scores.is_empty() && big["total"].as_i64() == Some(sum), "{big}");
    for s in &scores {
        let product = s["normalized"].as_i64().zip(s["weight"].as_i64()).map(|(n, w)| n * w);
        assert_eq!(product, s["weighted"].as_i64(), "{s}");
    }
}

#[test]
fn a_table_for_people() {
    let Some(ran) = run(&["schedule", "-f", &manifest("scheduling.yaml"), "-o", "table"]) else { return };
    let out = ran.good();
    assert!(out.contains("fits-on-big") && out.contains("big") && out.contains("0/3 nodes are available"), "{out}");
}

#[test]
fn claims_classes_priorities_and_budgets_count() {
    let Some(ran) = run(&["schedule", "-f", &manifest("scheduling/storage.yaml"), "-o", "json"]) else { return };
    let out = ran.good();
    let all: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
    let [data, hurry] = all["decisions"].as_array().map(Vec::as_slice).unwrap_or_default() else {
        panic!("not two decisions: {out}")
    };
    assert_eq!(data["node"], "west");
    assert_eq!((&hurry["node"], &hurry["nominatedNode"]), (&Value::Null, &"west".into()));
    let names: Vec<&Value> = hurry["victims"].as_array().into_iter().flatten().map(|v| &v["name"]).collect();
    assert_eq!(names, ["other"], "the budget protects the pod in the east");
    let candidates = hurry["preemption"]["candidates"].as_array().cloned().unwrap_or_default();
    let violations = |node: &str| candidates.iter().find(|c| c["node"] == node).map(|c| c["pdbViolations"].clone());
    assert_eq!((violations("east"), violations("west")), (Some(1.into()), Some(0.into())));
}

#[test]
fn a_profile_of_one_plugin() {
    let config = manifest("scheduling/only-image-locality.yaml");
    let args = ["schedule", "-f", &manifest("scheduling/storage.yaml"), "--config", &config, "-o", "json"];
    let Some(ran) = run(&args) else { return };
    let all: Value = serde_json::from_str(&ran.good()).unwrap_or_default();
    let node = &all["decisions"][0]["nodes"][0];
    assert_eq!(node["filters"], serde_json::json!([]));
    assert_eq!((&node["scores"][0]["plugin"], &node["scores"][0]["weight"]), (&"ImageLocality".into(), &4.into()));
}
