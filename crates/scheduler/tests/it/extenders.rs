//! Extenders: what they are asked and what becomes of their answers. Models `pkg/scheduler/extender_test.go`.

use crate::support::*;
use scheduler::extender::Config as Extender;
use scheduler::{Caller, Config, World, whatif_calling};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use trace::Cycle;

type Answer = Box<dyn Fn(&str, &Value) -> Result<(u16, Value), String> + Send + Sync>;

/// Answers by a function of the URL and the question, and keeps what it was asked.
struct Fake {
    answer: Answer,
    asked: Mutex<Vec<(String, Value)>>,
}

impl Caller for Fake {
    fn post(&self, _: &Extender, url: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>), String> {
        let question: Value = serde_json::from_slice(&body).expect("JSON");
        self.asked.lock().expect("no panic").push((url.to_string(), question.clone()));
        (self.answer)(url, &question).map(|(code, v)| (code, serde_json::to_vec(&v).expect("JSON")))
    }
}

fn config(extenders: Value, plugins: &[&str]) -> Config {
    let enabled: Vec<Value> = plugins.iter().map(|p| json!({"name": p})).collect();
    let doc = json!({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "extenders": extenders,
        "profiles": [{"plugins": {"multiPoint": {"disabled": [{"name": "*"}], "enabled": enabled}}}]});
    Config::parse_lenient(&doc).expect("a configuration")
}

type Asked = Vec<(String, Value)>;

fn go(
    w: World,
    config: &Config,
    answer: impl Fn(&str, &Value) -> Result<(u16, Value), String> + Send + Sync + 'static,
) -> (Cycle, Asked) {
    let fake = Arc::new(Fake { answer: Box::new(answer), asked: Mutex::default() });
    let mut cycles = Vec::new();
    whatif_calling(w, config, 1, Some(fake.clone()), |c| {
        cycles.push(c);
        true
    })
    .expect("a what-if");
    let asked = fake.asked.lock().expect("no panic").clone();
    (cycles.pop().expect("a cycle"), asked)
}

fn two() -> World {
    world(vec![node("a", json!({})), node("b", json!({}))], vec![pod("p", json!({}))])
}

fn filtering(more: Value) -> Config {
    let mut extender = json!({"urlPrefix": "http://one/", "filterVerb": "filter", "nodeCacheCapable": true});
    merge(&mut extender, &more);
    config(json!([extender]), &["NodeName"])
}

#[test]
fn filters_by_name_and_by_object() {
    let (c, asked) =
        go(two(), &filtering(json!({})), |_, _| Ok((200, json!({"NodeNames": ["b"], "FailedNodes": {"a": "no"}}))));
    assert_eq!(c.node.as_deref(), Some("b"));
    let (url, question) = &asked[0];
    assert_eq!(url, "http://one/filter");
    assert_eq!(question["NodeNames"], json!(["a", "b"]));
    assert_eq!(question["Nodes"], Value::Null);
    assert_eq!(question["Pod"]["metadata"]["name"], "p");
    let whole = filtering(json!({"nodeCacheCapable": false}));
    let (c, asked) = go(two(), &whole, |_, q| Ok((200, json!({"nodes": {"items": [q["Nodes"]["items"][0]]}}))));
    assert_eq!(c.node.as_deref(), Some("a"));
    assert_eq!(asked[0].1["Nodes"]["items"][1]["metadata"]["name"], "b");
}

#[test]
fn refusals_of_extenders_are_reasons_like_others() {
    let answer = json!({"NodeNames": [], "FailedNodes": {"a": "too loud", "b": "too loud"},
        "FailedAndUnresolvableNodes": {"b": "too far"}});
    let (c, _) = go(two(), &filtering(json!({})), move |_, _| Ok((200, answer.clone())));
    assert_eq!(c.message, "0/2 nodes are available: 1 too far, 1 too loud.");
    let said: Vec<_> = c.nodes.iter().map(|n| n.filters.last().expect("a filter").clone()).collect();
    assert_eq!(said[0].plugin, "Extender");
    assert_eq!(said[1].verdict, trace::cycle::Verdict::Unresolvable);
}

#[test]
fn what_cannot_be_asked_ends_the_cycle_unless_it_may_be_ignored() {
    let down = |_: &str, _: &Value| Err("connection refused".to_string());
    assert_eq!(go(two(), &filtering(json!({})), down).0.message, "connection refused");
    assert!(go(two(), &filtering(json!({"ignorable": true})), down).0.node.is_some());
    let wrong = |_: &str, _: &Value| Ok((500, json!({})));
    let message = "failed filter with extender at URL http://one/filter, code 500";
    assert_eq!(go(two(), &filtering(json!({})), wrong).0.message, message);
    let error = |_: &str, _: &Value| Ok((200, json!({"Error": "no idea"})));
    assert_eq!(go(two(), &filtering(json!({})), error).0.message, "no idea");
    let unknown = |_: &str, _: &Value| Ok((200, json!({"NodeNames": ["c"]})));
    let message = "extender \"http://one/\" claims a filtered node \"c\" which is not found in the input node list";
    assert_eq!(go(two(), &filtering(json!({})), unknown).0.message, message);
}

#[test]
fn only_pods_with_managed_resources_are_shown() {
    let managed = filtering(json!({"managedResources": [{"name": "example.com/gpu", "ignoredByScheduler": true}]}));
    let (c, asked) = go(two(), &managed, |_, _| Ok((200, json!({"NodeNames": ["a"]}))));
    assert!(c.node.is_some() && asked.is_empty());
    let mut w = two();
    w.pods[0] = pod("p", requests(json!({"example.com/gpu": "1"})));
    let (c, asked) = go(w, &managed, |_, _| Ok((200, json!({"NodeNames": ["b"]}))));
    assert_eq!((c.node.as_deref(), asked.len()), (Some("b"), 1));
    // What the extender looks after alone NodeResourcesFit does not count.
    let fit = config(
        json!([{"urlPrefix": "http://one", "managedResources": [{"name": "example.com/gpu", "ignoredByScheduler": true}]}]),
        &["NodeResourcesFit"],
    );
    let mut w = two();
    w.pods[0] = pod("p", requests(json!({"example.com/gpu": "1"})));
    assert!(go(w, &fit, |_, _| Ok((200, json!({})))).0.node.is_some());
}

#[test]
fn scores_of_extenders_are_added() {
    let scoring = config(
        json!([{"urlPrefix": "http://one", "prioritizeVerb": "score", "weight": 3, "nodeCacheCapable": true}]),
        &["NodeName"],
    );
    let answer = json!([{"Host": "a", "Score": 1}, {"Host": "b", "Score": 4}]);
    let (c, asked) = go(two(), &scoring, move |_, _| Ok((200, answer.clone())));
    assert_eq!(asked[0].0, "http://one/score");
    assert_eq!(c.node.as_deref(), Some("b"));
    let total: Vec<_> = c.nodes.iter().map(|n| n.total).collect();
    assert_eq!(total, [Some(30), Some(120)]);
    let s = &c.nodes[1].scores[0];
    assert_eq!((&*s.plugin, s.raw, s.normalized, s.weight, s.weighted), ("http://one", 4, 40, 3, 120));
    // One that fails gives no scores, and nothing else happens.
    assert!(go(two(), &scoring, |_, _| Err("down".into())).0.node.is_some());
}

#[test]
fn victims_can_be_spared() {
    let preempting = config(
        json!([{"urlPrefix": "http://one", "preemptVerb": "preempt", "nodeCacheCapable": true}]),
        &["NodeResourcesFit", "DefaultPreemption"],
    );
    let full = |name: &str, on: &str| {
        let mut spec = requests(json!({"cpu": "4"}));
        merge(&mut spec, &json!({"nodeName": on}));
        pod(name, spec)
    };
    let w = || {
        let mut spec = requests(json!({"cpu": "4"}));
        merge(&mut spec, &json!({"priority": 10}));
        world(vec![node("a", json!({})), node("b", json!({}))], vec![full("x", "a"), full("y", "b"), pod("p", spec)])
    };
    let keep_b = |_: &str, q: &Value| {
        let b = q["NodeNameToMetaVictims"]["b"].clone();
        Ok((200, json!({"NodeNameToMetaVictims": {"b": b}})))
    };
    let (c, asked) = go(w(), &preempting, keep_b);
    assert_eq!(asked[0].1["NodeNameToMetaVictims"]["a"]["Pods"], json!([{"UID": "x"}]));
    assert_eq!(c.nominated_node.as_deref(), Some("b"));
    let none = |_: &str, _: &Value| Ok((200, json!({"NodeNameToMetaVictims": {}})));
    assert!(go(w(), &preempting, none).0.message.ends_with("preemption: no candidate node for preemption"));
    let empty = |_: &str, _: &Value| Ok((200, json!({"NodeNameToMetaVictims": {"a": {"Pods": []}}})));
    let message = go(w(), &preempting, empty).0.message;
    assert!(message.contains("expected at least one victim pod on node \"a\""), "{message}");
}

#[test]
fn wrong_extenders_are_refused_with_their_field() {
    let doc = json!({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
    "extenders": [
        {"urlPrefix": "http://one", "prioritizeVerb": "p", "bindVerb": "b", "httpTimeout": "1x",
            "managedResources": [{"name": "cpu"}, {"name": "a b"}]},
        {"urlPrefix": "http://two", "bindVerb": "b", "managedResources": [{"name": "cpu"}], "verb": "x"},
    ]});
    let errors = Config::parse(&doc).expect_err("an error");
    let text: String = errors.iter().map(|e| format!("{e}\n")).collect();
    expect_test::expect![[r#"
        extenders[0].httpTimeout: Invalid value: "1x": time: unknown unit "x" in duration "1x"
        extenders[1].verb: Invalid value: "verb": unknown field
        extenders[0].weight: Invalid value: 0: must have a positive weight applied to it
        extenders[0].managedResources[0].name: Invalid value: "cpu": is an invalid extended resource name
        extenders[0].managedResources[1].name: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        extenders[1].managedResources[0].name: Invalid value: "cpu": is an invalid extended resource name
        extenders[1].managedResources[0].name: Invalid value: "cpu": duplicate extender managed resource name
        extenders: Invalid value: "found 2 extenders implementing bind": only one extender can implement bind
    "#]]
    .assert_eq(&text);
}
