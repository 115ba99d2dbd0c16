//! Nodes, pods and constraints as one line of words each, so that a case fits on a screen.
//!
//! A node: `node-a zone=z1 +cpu=4 +pods=10 !key=value:NoSchedule cordoned`.
//! A pod: `ns/p@node-a app=web +cpu=500m ^100 ~5 leaving nominated:node-b`: on a node, labelled, with requests, a
//! priority, a start in seconds, being deleted, nominated. `also:cpu=1,memory=2` is one more container, `init:` an init
//! container, `side:` a sidecar, `over:` the overhead, `level:` the pod-level requests, `gate:` a scheduling gate. What no word says is given beside it under `spec`,
//! `metadata` and `status`. Short forms of constraints: `spread`, `near`, `away`, `needs` and `prefers` (node affinity),
//! `bears` (tolerations), `ports`, `claims`.

use crate::support::merge;
use serde_json::{Map, Value, json};

/// `foo` exists, `!foo` does not, `foo=a|b` is one of, `foo!=a` is none of; several are joined by `,`. `-` is no selector
/// and `*` the empty one.
pub fn selector(text: &str) -> Value {
    if text == "-" {
        return Value::Null;
    }
    let one = |part: &str| {
        let values = |v: &str| v.split('|').map(str::to_string).collect::<Vec<_>>();
        if let Some((key, v)) = part.split_once("!=") {
            json!({"key": key, "operator": "NotIn", "values": values(v)})
        } else if let Some((key, v)) = part.split_once('=') {
            json!({"key": key, "operator": "In", "values": values(v)})
        } else if let Some(key) = part.strip_prefix('!') {
            json!({"key": key, "operator": "DoesNotExist"})
        } else {
            json!({"key": part, "operator": "Exists"})
        }
    };
    let parts: Vec<Value> = text.split(',').filter(|p| *p != "*").map(one).collect();
    json!({ "matchExpressions": parts })
}

fn words(text: &Value) -> Vec<String> {
    text.as_str().expect("a line of words").split_whitespace().map(str::to_string).collect()
}

fn pair(word: &str) -> (String, String) {
    let (k, v) = word.split_once('=').unwrap_or((word, ""));
    (k.into(), v.into())
}

/// The line of words, and what stands beside it.
fn split(v: &Value) -> (Vec<String>, Map<String, Value>) {
    match v {
        Value::Object(map) => (words(&map["is"]), map.clone()),
        line => (words(line), Map::new()),
    }
}

fn beside(base: &mut Value, extra: &Map<String, Value>) {
    for field in ["metadata", "spec", "status"] {
        if let Some(patch) = extra.get(field) {
            merge(base.as_object_mut().expect("an object").entry(field).or_insert(json!({})), patch);
        }
    }
}

pub fn node(v: &Value) -> Value {
    let (words, extra) = split(v);
    let (mut labels, mut allocatable, mut taints) = (Map::new(), Map::new(), Vec::new());
    let mut node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": words[0]}});
    for word in &words[1..] {
        if word == "cordoned" {
            merge(&mut node, &json!({"spec": {"unschedulable": true}}));
        } else if let Some(taint) = word.strip_prefix('!') {
            let (head, effect) = taint.rsplit_once(':').expect("an effect");
            let (key, value) = pair(head);
            taints.push(json!({"key": key, "value": value, "effect": effect}));
        } else if let Some(amount) = word.strip_prefix('+') {
            let (name, n) = pair(amount);
            allocatable.insert(name, n.into());
        } else {
            let (k, v) = pair(word);
            labels.insert(k, v.into());
        }
    }
    merge(&mut node, &json!({"metadata": {"labels": labels}, "status": {"allocatable": allocatable}}));
    if !taints.is_empty() {
        merge(&mut node, &json!({"spec": {"taints": taints}}));
    }
    beside(&mut node, &extra);
    node
}

pub fn pod(v: &Value) -> Value {
    let (words, extra) = split(v);
    let (head, node) = words[0].split_once('@').unwrap_or((&words[0], ""));
    let (namespace, name) = head.split_once('/').unwrap_or(("default", head));
    let (mut labels, mut requests, mut more, mut gates) = (Map::new(), Map::new(), Vec::new(), Vec::new());
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": name}, "spec": {}});
    for word in &words[1..] {
        if word == "leaving" {
            merge(&mut pod, &json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}));
        } else if let Some(n) = word.strip_prefix('^') {
            merge(&mut pod, &json!({"spec": {"priority": n.parse::<i32>().expect("a priority")}}));
        } else if let Some(second) = word.strip_prefix('~') {
            merge(&mut pod, &json!({"status": {"startTime": format!("2026-01-01T00:00:{second:0>2}Z")}}));
        } else if let Some(node) = word.strip_prefix("nominated:") {
            merge(&mut pod, &json!({"status": {"nominatedNodeName": node}}));
        } else if let Some(gate) = word.strip_prefix("gate:") {
            gates.push(json!({"name": gate}));
        } else if let Some(amount) = word.strip_prefix('+') {
            let (name, n) = pair(amount);
            requests.insert(name, n.into());
        } else if ["also:", "init:", "side:", "over:", "level:"].iter().any(|w| word.starts_with(w)) {
            more.push(word.clone());
        } else {
            let (k, v) = pair(word);
            labels.insert(k, v.into());
        }
    }
    let container = json!({"name": "c", "image": "app", "resources": {"requests": requests}});
    merge(&mut pod, &json!({"metadata": {"labels": labels}, "spec": sizes(&more, container)}));
    if !node.is_empty() {
        merge(&mut pod, &json!({"spec": {"nodeName": node}}));
    }
    if !gates.is_empty() {
        merge(&mut pod, &json!({"spec": {"schedulingGates": gates}}));
    }
    constraints(&mut pod, &extra);
    beside(&mut pod, &extra);
    pod
}

fn amounts(list: &str) -> Value {
    Value::Object(list.split(',').filter(|p| !p.is_empty()).map(|p| (pair(p).0, pair(p).1.into())).collect())
}

/// The containers and other requests that `words` name; the first container is `c`.
fn sizes(words: &[String], first: Value) -> Value {
    let (mut containers, mut init, mut spec) = (vec![first], Vec::new(), json!({}));
    let container =
        |name: String, list: &str| json!({"name": name, "image": "app", "resources": {"requests": amounts(list)}});
    for word in words {
        match word.split_once(':') {
            Some(("also", list)) => containers.push(container(format!("c{}", containers.len()), list)),
            Some(("init", list)) => init.push(container(format!("i{}", init.len()), list)),
            Some(("side", list)) => {
                let mut c = container(format!("i{}", init.len()), list);
                c["restartPolicy"] = "Always".into();
                init.push(c);
            }
            Some(("over", list)) => spec["overhead"] = amounts(list),
            Some(("level", list)) => spec["resources"] = json!({"requests": amounts(list)}),
            other => panic!("no such word of a pod: {other:?}"),
        }
    }
    spec["containers"] = containers.into();
    if !init.is_empty() {
        spec["initContainers"] = init.into();
    }
    spec
}

fn constraints(pod: &mut Value, extra: &Map<String, Value>) {
    let list = |key: &str| extra.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(terms) = extra.get("needs").and_then(Value::as_array) {
        let terms: Vec<Value> = terms.iter().map(|t| node_term(t.as_str().expect("a term"))).collect();
        let field = json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}});
        merge(pod, &json!({"spec": {"affinity": {"nodeAffinity": field}}}));
    }
    let prefers: Vec<Value> = list("prefers").iter().map(preference).collect();
    if !prefers.is_empty() {
        let field = json!({"preferredDuringSchedulingIgnoredDuringExecution": prefers});
        merge(pod, &json!({"spec": {"affinity": {"nodeAffinity": field}}}));
    }
    if extra.contains_key("bears") {
        let all: Vec<Value> = list("bears").iter().map(|t| toleration(t.as_str().expect("a toleration"))).collect();
        merge(pod, &json!({"spec": {"tolerations": all}}));
    }
    let ports: Vec<Value> = list("ports").iter().map(|p| port(p.as_str().expect("a port"))).collect();
    if !ports.is_empty() {
        pod["spec"]["containers"][0]["ports"] = ports.into();
    }
    let claim = |(i, c): (usize, &Value)| json!({"name": format!("v{i}"), "persistentVolumeClaim": {"claimName": c}});
    let claims: Vec<Value> = list("claims").iter().enumerate().map(claim).collect();
    if !claims.is_empty() {
        merge(pod, &json!({"spec": {"volumes": claims}}));
    }
    let spread: Vec<Value> = list("spread").iter().map(spread).collect();
    if !spread.is_empty() {
        merge(pod, &json!({"spec": {"topologySpreadConstraints": spread}}));
    }
    for (key, field) in [("near", "podAffinity"), ("away", "podAntiAffinity")] {
        let (soft, hard): (Vec<_>, Vec<_>) = list(key).into_iter().partition(|t| words(t)[0].parse::<i32>().is_ok());
        let weighted = |t: &Value| {
            let words = words(t);
            json!({"weight": words[0].parse::<i32>().expect("a weight"), "podAffinityTerm": term(&words[1..])})
        };
        if !soft.is_empty() {
            let terms: Vec<Value> = soft.iter().map(weighted).collect();
            let field = json!({field: {"preferredDuringSchedulingIgnoredDuringExecution": terms}});
            merge(pod, &json!({"spec": {"affinity": field}}));
        }
        if !hard.is_empty() {
            let terms: Vec<Value> = hard.iter().map(|t| term(&words(t))).collect();
            let field = json!({field: {"requiredDuringSchedulingIgnoredDuringExecution": terms}});
            merge(pod, &json!({"spec": {"affinity": field}}));
        }
    }
}

/// A node selector term: requirements as in [`selector`], joined by spaces, with `key>3`, `key<3`, and `@a|b` and `!@a` for
/// the node's name.
pub fn node_term(text: &str) -> Value {
    let (mut labels, mut fields) = (Vec::new(), Vec::new());
    let values = |v: &str| v.split('|').map(str::to_string).collect::<Vec<_>>();
    for word in text.split_whitespace() {
        let name = |op: &str, v: &str| json!({"key": "metadata.name", "operator": op, "values": values(v)});
        if let Some(v) = word.strip_prefix("!@") {
            fields.push(name("NotIn", v));
        } else if let Some(v) = word.strip_prefix('@') {
            fields.push(name("In", v));
        } else if let Some((key, v)) = word.split_once('>') {
            labels.push(json!({"key": key, "operator": "Gt", "values": [v]}));
        } else if let Some((key, v)) = word.split_once('<') {
            labels.push(json!({"key": key, "operator": "Lt", "values": [v]}));
        } else {
            labels.extend(selector(word)["matchExpressions"].as_array().expect("requirements").iter().cloned());
        }
    }
    json!({"matchExpressions": labels, "matchFields": fields})
}

/// `3 zone=a`: a weight and a term.
fn preference(v: &Value) -> Value {
    let text = v.as_str().expect("a preference");
    let (weight, term) = text.split_once(' ').expect("a weight and a term");
    json!({"weight": weight.parse::<i32>().expect("a weight"), "preference": node_term(term)})
}

/// `key=value:Effect`; without a value it tolerates any, and without a key every taint. The effect may be missing.
fn toleration(text: &str) -> Value {
    let (head, effect) = text.split_once(':').unwrap_or((text, ""));
    let mut t = match head.split_once('=') {
        Some((key, value)) => json!({"key": key, "operator": "Equal", "value": value}),
        None if head == "*" => json!({"operator": "Exists"}),
        None => json!({"key": head, "operator": "Exists"}),
    };
    if !effect.is_empty() {
        t["effect"] = effect.into();
    }
    t
}

/// `UDP/127.0.0.1/8080`: protocol, address and host port.
pub fn port(text: &str) -> Value {
    let parts: Vec<&str> = text.split('/').collect();
    let number: i32 = parts[2].parse().expect("a port");
    json!({"containerPort": 8001, "protocol": parts[0], "hostIP": parts[1], "hostPort": number})
}

/// `region app=web`, and if need be `namespaces:a|b`, `where:team=x`, `keys:a|b`, `not-keys:c`.
fn term(words: &[String]) -> Value {
    let mut t = json!({"topologyKey": words[0], "labelSelector": selector(&words[1])});
    let list = |v: &str| v.split('|').map(str::to_string).collect::<Vec<_>>();
    for word in &words[2..] {
        let (name, value) = word.split_once(':').expect("name:value");
        let patch = match name {
            "namespaces" => json!({"namespaces": list(value)}),
            "where" => json!({"namespaceSelector": selector(value)}),
            "keys" => json!({"matchLabelKeys": list(value)}),
            "not-keys" => json!({"mismatchLabelKeys": list(value)}),
            other => panic!("no such word of a term: {other}"),
        };
        merge(&mut t, &patch);
    }
    t
}

/// `1 zone hard app=web`, and if need be `min:3`, `affinity:Ignore`, `taints:Honor`, `keys:a|b`.
fn spread(v: &Value) -> Value {
    let words = words(v);
    let when = if words[2] == "hard" { "DoNotSchedule" } else { "ScheduleAnyway" };
    let mut c = json!({"maxSkew": words[0].parse::<i32>().expect("a skew"), "topologyKey": words[1],
        "whenUnsatisfiable": when, "labelSelector": selector(&words[3])});
    for word in &words[4..] {
        let (name, value) = word.split_once(':').expect("name:value");
        let patch = match name {
            "min" => json!({"minDomains": value.parse::<i32>().expect("a number")}),
            "affinity" => json!({"nodeAffinityPolicy": value}),
            "taints" => json!({"nodeTaintsPolicy": value}),
            "keys" => json!({"matchLabelKeys": value.split('|').collect::<Vec<_>>()}),
            other => panic!("no such word of a spread constraint: {other}"),
        };
        merge(&mut c, &patch);
    }
    c
}
