//! Tables of cases for the plugins that compare names: taints, ports, affinity, images, gates.

use crate::support::*;
use scheduler::framework::{ClusterEvent, Framework, Hint, PodInfo};
use scheduler::{Config, World};
use serde_json::{Value, json};
use std::sync::Arc;

/// The nodes that pass, by name.
fn passing(w: World, config: &Config) -> String {
    let cycles = run(w, config);
    let all = |n: &trace::cycle::NodeRecord| n.filters.iter().all(|f| f.verdict == trace::cycle::Verdict::Pass);
    let last = cycles.last().expect("a cycle");
    let mut names: Vec<&str> = last.nodes.iter().filter(|n| all(n)).map(|n| n.name.as_str()).collect();
    names.sort_unstable();
    names.join(" ")
}

/// Raw and normalized scores by node name.
fn scored(w: World, config: &Config) -> Vec<(i64, i64)> {
    let mut nodes = run(w, config).pop().expect("a cycle").nodes;
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    nodes.iter().map(|n| n.scores.first().map_or((-1, -1), |s| (s.raw, s.normalized))).collect()
}

#[test]
fn which_toleration_matches_which_taint() {
    let config = only(&["TaintToleration"], json!([]));
    let tolerated = |toleration: Value, taint: Value| {
        let n = node("n", json!({"spec": {"taints": [taint]}}));
        passing(world(vec![n], vec![pod("p", json!({"tolerations": [toleration]}))]), &config) == "n"
    };
    let taint = |value: &str, effect: &str| json!({"key": "foo", "value": value, "effect": effect});
    let hard = || taint("bar", "NoSchedule");
    assert!(tolerated(json!({"key": "foo", "operator": "Equal", "value": "bar", "effect": "NoSchedule"}), hard()));
    assert!(tolerated(json!({"key": "foo", "value": "bar"}), hard()));
    assert!(tolerated(json!({"key": "foo", "operator": "Exists"}), hard()));
    assert!(tolerated(json!({"operator": "Exists", "effect": "NoSchedule"}), hard()));
    assert!(!tolerated(json!({"key": "foo", "operator": "Equal", "value": "other"}), hard()));
    assert!(!tolerated(json!({"key": "other", "operator": "Exists"}), hard()));
    assert!(!tolerated(json!({"key": "foo", "operator": "Exists", "effect": "PreferNoSchedule"}), hard()));
    assert!(!tolerated(json!({"key": "foo", "operator": "Exists", "effect": "NoSchedule"}), taint("bar", "NoExecute")));
    // An empty value is a value.
    assert!(tolerated(json!({"key": "foo"}), taint("", "NoSchedule")));
    assert!(!tolerated(json!({"key": "foo"}), hard()));
    // Taints that only discourage keep no one out.
    assert!(tolerated(json!({"key": "other", "operator": "Exists"}), taint("bar", "PreferNoSchedule")));
}

#[test]
fn soft_taints_count_against_a_node() {
    let config = only(&["TaintToleration"], json!([]));
    let soft = |key: &str| json!({"key": key, "value": "v", "effect": "PreferNoSchedule"});
    let hard = |key: &str| json!({"key": key, "value": "v", "effect": "NoSchedule"});
    let go = |tolerations: Value, taints: [Value; 3]| {
        let nodes = taints.into_iter().enumerate().map(|(i, t)| node(&format!("n{i}"), json!({"spec": {"taints": t}})));
        scored(world(nodes.collect(), vec![pod("p", json!({"tolerations": tolerations}))]), &config)
    };
    let tolerate = |key: &str, effect: &str| json!({"key": key, "value": "v", "effect": effect});
    // Nobody minds: everybody gets the most.
    assert_eq!(go(json!([]), [json!([]), json!([]), json!([])]), [(0, 100), (0, 100), (0, 100)]);
    assert_eq!(
        go(json!([tolerate("a", "PreferNoSchedule")]), [json!([]), json!([soft("a")]), json!([soft("a"), soft("b")])]),
        [(0, 100), (0, 100), (1, 0)]
    );
    // A toleration of another effect does not help; one without an effect does.
    assert_eq!(
        go(
            json!([tolerate("a", "NoSchedule"), tolerate("b", "")]),
            [json!([soft("a")]), json!([soft("b")]), json!([])]
        ),
        [(1, 0), (0, 100), (0, 100)]
    );
    // Hard taints that are tolerated do not score.
    assert_eq!(
        go(json!([tolerate("h", "NoSchedule")]), [json!([hard("h")]), json!([hard("h"), soft("a")]), json!([])]),
        [(0, 100), (1, 0), (0, 100)]
    );
}

/// `UDP/127.0.0.1/80` as a container port.
fn port(text: &str) -> Value {
    let parts: Vec<&str> = text.split('/').collect();
    let number: i64 = parts[2].parse().expect("a number");
    json!({"containerPort": 8080, "hostPort": number, "protocol": parts[0], "hostIP": parts[1]})
}

fn ports(list: &[&str]) -> Value {
    let ports: Vec<Value> = list.iter().map(|p| port(p)).collect();
    json!({"containers": [{"name": "c", "image": "app", "ports": ports}]})
}

#[test]
fn which_host_ports_clash() {
    let config = only(&["NodePorts"], json!([]));
    let fits = |wanted: &[&str], used: &[&str]| {
        let mut holder = ports(used);
        merge(&mut holder, &json!({"nodeName": "n"}));
        let pods = vec![pod("used", holder), pod("p", ports(wanted))];
        passing(world(vec![node("n", json!({}))], pods), &config) == "n"
    };
    assert!(fits(&["UDP/127.0.0.1/8080"], &["UDP/127.0.0.1/9090"]));
    assert!(!fits(&["UDP/127.0.0.1/8080"], &["UDP/127.0.0.1/8080"]));
    assert!(fits(&["UDP/127.0.0.1/8080"], &["UDP/127.0.0.2/8080"]));
    assert!(fits(&["UDP/127.0.0.1/8080"], &["TCP/127.0.0.1/8080"]));
    assert!(!fits(&["TCP/127.0.0.1/8001", "UDP/127.0.0.1/8080"], &["TCP/127.0.0.1/8001", "UDP/127.0.0.1/8081"]));
    // 0.0.0.0, and no address, are all addresses.
    assert!(!fits(&["TCP/0.0.0.0/8001"], &["TCP/127.0.0.1/8001"]));
    assert!(!fits(&["TCP/127.0.0.1/8001"], &["TCP/0.0.0.0/8001"]));
    assert!(!fits(&["TCP/127.0.0.1/8001"], &["TCP//8001"]));
    assert!(!fits(&["TCP/10.0.10.10/8001", "TCP/0.0.0.0/8001"], &["TCP/127.0.0.1/8001"]));
    assert!(fits(&["UDP/0.0.0.0/8001"], &["TCP/0.0.0.0/8001"]));
    // No protocol is TCP; port 0 is no port.
    assert!(!fits(&["/0.0.0.0/8001"], &["TCP/0.0.0.0/8001"]));
    assert!(fits(&["TCP/0.0.0.0/0"], &["TCP/0.0.0.0/0"]));
    // Sidecars hold ports, other init containers do not.
    let init = |restart: Value| {
        let c = json!({"name": "i", "image": "app", "restartPolicy": restart, "ports": [port("TCP//80")]});
        let pods = vec![pod("used", json!({"nodeName": "n", "initContainers": [c]})), pod("p", ports(&["TCP//80"]))];
        passing(world(vec![node("n", json!({}))], pods), &config)
    };
    assert_eq!([init(json!("Always")), init(json!(null))], ["", "n"]);
}

fn required(terms: Value) -> Value {
    json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}})
}

#[test]
fn which_terms_select_which_nodes() {
    let config = only(&["NodeAffinity"], json!([]));
    let go = |spec: Value| {
        let labels = |l: Value| json!({"metadata": {"labels": l}});
        let nodes = vec![
            node("a", labels(json!({"gpu": "yes", "level": "4"}))),
            node("b", labels(json!({"gpu": "no", "level": "x"}))),
            node("c", json!({})),
        ];
        passing(world(nodes, vec![pod("p", spec)]), &config)
    };
    let expr = |key: &str, op: &str, values: Value| json!({"key": key, "operator": op, "values": values});
    let labels = |e: Value| json!({"matchExpressions": [e]});
    let fields = |e: Value| json!({"matchFields": [e]});
    let name = |op: &str, n: &str| expr("metadata.name", op, json!([n]));
    assert_eq!(go(json!({"nodeSelector": {}})), "a b c");
    assert_eq!(go(json!({"nodeSelector": {"gpu": "yes", "level": "5"}})), "");
    assert_eq!(go(required(json!([labels(expr("gpu", "In", json!(["yes", "maybe"])))]))), "a");
    assert_eq!(go(required(json!([labels(expr("gpu", "NotIn", json!(["yes"])))]))), "b c");
    assert_eq!(go(required(json!([labels(expr("gpu", "Exists", json!([])))]))), "a b");
    // Numbers only.
    assert_eq!(go(required(json!([labels(expr("level", "Gt", json!(["3"])))]))), "a");
    assert_eq!(go(required(json!([labels(expr("level", "Lt", json!(["5"])))]))), "a");
    assert_eq!(go(required(json!([labels(expr("level", "Lt", json!(["4"])))]))), "");
    // No terms select nothing, and so does one with an empty list.
    assert_eq!(go(required(json!([]))), "");
    assert_eq!(go(required(json!([{"matchExpressions": []}]))), "");
    // All of a term, any of the terms.
    let and = json!({"matchExpressions": [expr("gpu", "Exists", json!(null)), expr("gpu", "NotIn", json!(["no"]))]});
    assert_eq!(go(required(json!([and]))), "a");
    assert_eq!(go(required(json!([labels(expr("gpu", "In", json!(["no"]))), fields(name("In", "c"))]))), "b c");
    assert_eq!(go(required(json!([fields(name("NotIn", "a"))]))), "b c");
    let mixed = json!({"matchExpressions": [expr("gpu", "Exists", json!(null))], "matchFields": [name("In", "b")]});
    assert_eq!(go(required(json!([mixed]))), "b");
    // A name with the wrong label.
    let wrong = json!({"matchExpressions": [expr("gpu", "In", json!(["yes"]))], "matchFields": [name("In", "b")]});
    assert_eq!(go(required(json!([wrong]))), "");
    // A term that asks for two names is none; the others still count.
    let both = json!({"matchFields": [name("In", "a"), name("In", "b")]});
    assert_eq!(go(required(json!([both, fields(name("In", "c"))]))), "c");
    // Values of a field: exactly one.
    assert_eq!(go(required(json!([fields(expr("metadata.name", "In", json!(["a", "b"])))]))), "");
}

#[test]
fn the_names_that_prefilter_finds() {
    let config = only(&["NodeAffinity"], json!([]));
    let names = |terms: Value| {
        let nodes = ["a", "b", "c"].map(|n| node(n, json!({}))).to_vec();
        let cycles = run(world(nodes, vec![pod("p", required(terms))]), &config);
        cycles[0].pre_filter[0].node_names.clone().map(|n| n.join(" "))
    };
    let name = |op: &str, n: &str| json!({"key": "metadata.name", "operator": op, "values": [n]});
    let label = json!([{"key": "x", "operator": "Exists"}]);
    assert_eq!(names(json!([{"matchFields": [name("In", "a")]}])).as_deref(), Some("a"));
    assert_eq!(
        names(json!([{"matchFields": [name("In", "b")]}, {"matchFields": [name("In", "a")]}])).as_deref(),
        Some("a b")
    );
    assert_eq!(names(json!([{"matchFields": [name("In", "a")], "matchExpressions": label}])).as_deref(), Some("a"));
    // One alternative without a name opens all nodes.
    assert_eq!(names(json!([{"matchFields": [name("In", "a")]}, {"matchExpressions": label}])), None);
    assert_eq!(names(json!([{"matchFields": [name("NotIn", "a")]}])), None);
    // Of two alternatives one is impossible.
    assert_eq!(
        names(json!([{"matchFields": [name("In", "a"), name("In", "b")]}, {"matchFields": [name("In", "c")]}]))
            .as_deref(),
        Some("c")
    );
}

#[test]
fn preferences_of_the_pod_and_of_the_profile() {
    let term = |weight: i32, key: &str, value: &str| {
        let e = json!({"key": key, "operator": "In", "values": [value]});
        json!({"weight": weight, "preference": {"matchExpressions": [e]}})
    };
    let prefers = |terms: Value| json!({"preferredDuringSchedulingIgnoredDuringExecution": terms});
    let go = |own: Value, added: Value| {
        let args = json!([{"name": "NodeAffinity", "args": {"addedAffinity": added}}]);
        let labels =
            [json!({"foo": "bar"}), json!({"key": "value"}), json!({"foo": "bar", "key": "value", "az": "az1"})];
        let nodes = labels.iter().enumerate().map(|(i, l)| node(&format!("n{i}"), json!({"metadata": {"labels": l}})));
        let p = pod("p", json!({"affinity": {"nodeAffinity": own}}));
        scored(world(nodes.collect(), vec![p]), &only(&["NodeAffinity"], args))
    };
    let null = || json!(null);
    // Nothing preferred, nothing scored.
    assert_eq!(go(null(), null()), [(-1, -1), (-1, -1), (-1, -1)]);
    let one = || prefers(json!([term(2, "foo", "bar")]));
    assert_eq!(go(one(), null()), [(2, 100), (0, 0), (2, 100)]);
    let many = || prefers(json!([term(2, "foo", "bar"), term(4, "key", "value"), term(5, "az", "az1")]));
    assert_eq!(go(many(), null()), [(2, 18), (4, 36), (11, 100)]);
    assert_eq!(go(null(), one()), [(2, 100), (0, 0), (2, 100)]);
    assert_eq!(go(many(), prefers(json!([term(9, "key", "value")]))), [(2, 10), (13, 65), (20, 100)]);
    // Preferred by nobody: nothing to normalize.
    assert_eq!(go(prefers(json!([term(3, "foo", "nowhere")])), null()), [(0, 0), (0, 0), (0, 0)]);
}

#[test]
fn images_that_are_there() {
    let config = only(&["ImageLocality"], json!([]));
    let image = |mb: i64| json!({"names": [format!("gcr.io/{mb}:latest"), format!("gcr.io/{mb}:v1"), format!("gcr.io/{mb}@sha256:1234")], "sizeBytes": mb * 1024 * 1024});
    let has = |name: &str, sizes: &[i64]| {
        node(name, json!({"status": {"images": sizes.iter().map(|s| image(*s)).collect::<Vec<_>>()}}))
    };
    let go = |nodes: &[&[i64]], spec: Value| {
        let nodes = nodes.iter().enumerate().map(|(i, sizes)| has(&format!("n{i}"), sizes)).collect();
        scored(world(nodes, vec![pod("p", spec)]), &config).into_iter().map(|(raw, _)| raw).collect::<Vec<_>>()
    };
    let c = |i: usize, image: &str| json!({"name": format!("c{i}"), "image": image});
    let wants =
        |images: &[&str]| json!({"containers": images.iter().enumerate().map(|(i, m)| c(i, m)).collect::<Vec<_>>()});
    let (many, two): (&[i64], &[i64]) = (&[40, 300, 2000], &[250, 10]);
    assert_eq!(go(&[many, two], wants(&["gcr.io/40", "gcr.io/250"])), [0, 5]);
    assert_eq!(go(&[many, two], wants(&["gcr.io/40", "gcr.io/300"])), [7, 0]);
    assert_eq!(go(&[many, two], wants(&["gcr.io/10", "gcr.io/2000"])), [49, 0]);
    assert_eq!(go(&[many, two, &[]], wants(&["gcr.io/10", "gcr.io/2000"])), [32, 0, 0]);
    // An image that every node has counts in full, up to the maximum of 1000Mi a container.
    assert_eq!(go(&[&[2000], &[2000]], wants(&["gcr.io/2000"])), [100, 100]);
    // 23Mi is where scores begin.
    assert_eq!(go(&[&[46], &[]], wants(&["gcr.io/46"])), [0, 0]);
    assert_eq!(go(&[&[23], &[33]], wants(&["gcr.io/33", "gcr.io/23"])), [0, 0]);
    // A tag, a digest and no tag at all; but not another tag.
    for name in ["gcr.io/300:v1", "gcr.io/300@sha256:1234", "gcr.io/300:latest", "gcr.io/300"] {
        assert_eq!(go(&[&[300]], wants(&[name])), [28], "{name}");
    }
    assert_eq!(go(&[&[300]], wants(&["gcr.io/300:v2"])), [0]);
    // Init containers and image volumes count as well, in the sum and in the maximum.
    let mut with_init = wants(&["gcr.io/40"]);
    merge(&mut with_init, &json!({"initContainers": [c(9, "gcr.io/300")]}));
    assert_eq!(go(&[many, two], with_init), [7, 0]);
    let mut with_volume = wants(&["gcr.io/40"]);
    merge(&mut with_volume, &json!({"volumes": [{"name": "v", "image": {"reference": "gcr.io/300"}}]}));
    assert_eq!(go(&[many, two], with_volume), [7, 0]);
}

#[test]
fn a_named_node_only() {
    // A pod with a node name is bound already as far as what-if goes, so the filter is asked directly.
    use scheduler::framework::{Handle, Nominator, Objects, Run};
    let config = only(&["NodeName"], json!([]));
    let framework = Framework::new(&config.profiles[0]).expect("a framework");
    let mut cache = scheduler::Cache::new();
    cache.add_node(Arc::new(node("here", json!({}))));
    let (objects, nominator) = (Objects::default(), Nominator::default());
    let asks = |spec: Value, cache: &mut scheduler::Cache| {
        let p = Arc::new(PodInfo::new(Arc::new(pod("p", spec))));
        let mut run =
            Run::new(&framework, Handle { snapshot: cache.snapshot(), objects: &objects, nominator: &nominator }, &p);
        run.pre_filter(None);
        run.filter(&run.state, &run.h.snapshot.nodes[0]).map_err(|s| s.message())
    };
    assert_eq!(asks(json!({}), &mut cache), Ok(()));
    assert_eq!(asks(json!({"nodeName": "here"}), &mut cache), Ok(()));
    let elsewhere = asks(json!({"nodeName": "there"}), &mut cache);
    assert_eq!(elsewhere, Err("node(s) didn't match the requested node name".to_string()));
}

#[test]
fn gates_by_name() {
    let gates = |names: &[&str]| {
        let list: Vec<Value> = names.iter().map(|n| json!({"name": n})).collect();
        let w = world(vec![node("n", json!({}))], vec![pod("p", json!({"schedulingGates": list}))]);
        let cycle = run(w, &Config::default()).pop().expect("a cycle");
        cycle.points.iter().find(|p| p.point == "PreEnqueue").map(|p| p.reasons.join(", "))
    };
    assert_eq!(gates(&[]), None);
    assert_eq!(gates(&["foo", "bar"]).as_deref(), Some("waiting for scheduling gates: [foo bar]"));
}

#[test]
fn what_helps_a_refused_pod() {
    let framework = Framework::new(&Config::default().profiles[0]).expect("a framework");
    let info = |name: &str, spec: Value| Arc::new(PodInfo::new(Arc::new(pod(name, spec))));
    let queues = |plugin: &str, p: &PodInfo, event: ClusterEvent| framework.hint(plugin, p, &event) == Hint::Queue;
    let labelled = |l: Value| node("n", json!({"metadata": {"labels": l}}));

    // Ports: the pod that goes must have held one of them.
    let p = info("p", ports(&["TCP/10.0.0.1/80"]));
    for (gone, helps) in [("TCP/10.0.0.1/80", true), ("TCP//80", true), ("TCP/10.0.0.2/80", false), ("UDP//80", false)]
    {
        let gone = info("gone", ports(&[gone]));
        assert_eq!(queues("NodePorts", &p, ClusterEvent::AssignedPodDelete(&gone)), helps);
        assert!(!queues("NodePorts", &p, ClusterEvent::UnscheduledPodDelete(&gone)));
    }
    assert!(queues("NodePorts", &p, ClusterEvent::NodeAdd(&node("n", json!({})))));

    // Affinity: the node has to begin to match.
    let p = info("p", json!({"nodeSelector": {"disk": "ssd"}}));
    let (ssd, hdd) = (labelled(json!({"disk": "ssd"})), labelled(json!({"disk": "hdd"})));
    assert!(queues("NodeAffinity", &p, ClusterEvent::NodeAdd(&ssd)));
    assert!(!queues("NodeAffinity", &p, ClusterEvent::NodeAdd(&hdd)));
    assert!(queues("NodeAffinity", &p, ClusterEvent::NodeUpdate { old: &hdd, new: &ssd }));
    assert!(!queues("NodeAffinity", &p, ClusterEvent::NodeUpdate { old: &ssd, new: &ssd }));
    assert!(!queues("NodeAffinity", &p, ClusterEvent::NodeUpdate { old: &ssd, new: &hdd }));

    // Taints: the last untolerated one has to go.
    let tainted = |keys: &[&str]| {
        let taints: Vec<Value> = keys.iter().map(|k| json!({"key": k, "effect": "NoSchedule"})).collect();
        node("n", json!({"spec": {"taints": taints}}))
    };
    let p = info("p", json!({"tolerations": [{"key": "ok", "operator": "Exists"}]}));
    assert!(queues("TaintToleration", &p, ClusterEvent::NodeAdd(&tainted(&["ok"]))));
    assert!(!queues("TaintToleration", &p, ClusterEvent::NodeAdd(&tainted(&["ok", "bad"]))));
    let (two, one, ok) = (tainted(&["bad", "worse"]), tainted(&["bad"]), tainted(&["ok"]));
    assert!(!queues("TaintToleration", &p, ClusterEvent::NodeUpdate { old: &two, new: &one }));
    assert!(queues("TaintToleration", &p, ClusterEvent::NodeUpdate { old: &one, new: &ok }));
    assert!(!queues("TaintToleration", &p, ClusterEvent::NodeUpdate { old: &ok, new: &tainted(&[]) }));

    // Cordons: only taking one off helps.
    let (open, closed) = (node("n", json!({})), node("n", json!({"spec": {"unschedulable": true}})));
    let p = info("p", json!({}));
    assert!(queues("NodeUnschedulable", &p, ClusterEvent::NodeUpdate { old: &closed, new: &open }));
    assert!(!queues("NodeUnschedulable", &p, ClusterEvent::NodeUpdate { old: &open, new: &open }));
    assert!(!queues("NodeUnschedulable", &p, ClusterEvent::NodeAdd(&closed)));

    // Resources: more of what is asked for, on a node that could hold the pod.
    let room = |cpu: &str, memory: &str| node("n", json!({"status": {"allocatable": {"cpu": cpu, "memory": memory}}}));
    let p = info("p", requests(json!({"cpu": "2"})));
    assert!(queues(
        "NodeResourcesFit",
        &p,
        ClusterEvent::NodeUpdate { old: &room("1", "1Gi"), new: &room("2", "1Gi") }
    ));
    assert!(!queues(
        "NodeResourcesFit",
        &p,
        ClusterEvent::NodeUpdate { old: &room("1", "1Gi"), new: &room("1500m", "1Gi") }
    ));
    assert!(!queues(
        "NodeResourcesFit",
        &p,
        ClusterEvent::NodeUpdate { old: &room("2", "1Gi"), new: &room("2", "2Gi") }
    ));
    assert!(!queues("NodeResourcesFit", &p, ClusterEvent::NodeAdd(&room("1", "8Gi"))));
    let shrink = |from: &str, to: &str, resource: &str| {
        let (old, new) = (info("o", requests(json!({resource: from}))), info("o", requests(json!({resource: to}))));
        queues("NodeResourcesFit", &p, ClusterEvent::AssignedPodUpdate { old: &old, new: &new })
    };
    assert_eq!(
        [shrink("2", "1", "cpu"), shrink("1", "2", "cpu"), shrink("2Gi", "1Gi", "memory")],
        [true, false, false]
    );
}
