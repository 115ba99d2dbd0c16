//! `kubectl get --raw /api/v1/nodes/NAME/proxy/…`: a kubelet's own HTTP server behind the API server.

use apiserver::http::HttpRequest;
use cluster::{Cluster, HttpOutcome};
use meta::User;
use serde_json::Value;
use testkit::{apply, cluster, run};

fn ask_as(c: &mut Cluster, user: User, method: &str, path: &str) -> (u16, String) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = format!("/api/v1/nodes/{path}");
    match c.http(HttpRequest::bare(method, &path, query, user)) {
        HttpOutcome::Response(r) => (r.code, String::from_utf8_lossy(&r.body).into_owned()),
        _ => panic!("{path}: not answered"),
    }
}

fn ask(c: &mut Cluster, path: &str) -> (u16, String) {
    ask_as(c, User::admin(), "GET", path)
}

fn json(c: &mut Cluster, path: &str) -> Value {
    let (code, body) = ask(c, path);
    assert_eq!(code, 200, "{body}");
    serde_json::from_str(&body).expect("JSON")
}

fn message(c: &mut Cluster, path: &str) -> (u16, String) {
    let (code, body) = ask(c, path);
    let status: Value = serde_json::from_str(&body).expect("a Status");
    (code, status["message"].as_str().unwrap_or("").into())
}

const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  nodeName: node-1
  containers:
  - {name: web, image: nginx}
";

#[test]
fn a_kubelet_answers_behind_its_node() {
    let mut c = cluster(2);
    apply(&mut c, POD);
    run(&mut c, 60);
    assert_eq!(ask(&mut c, "node-1/proxy/healthz"), (200, "ok".into()));
    assert_eq!(ask(&mut c, "node-1:10250/proxy/healthz/syncloop"), (200, "ok".into()));
    let verbose = "[+]ping ok\n[+]log ok\n[+]syncloop ok\nhealthz check passed\n";
    assert_eq!(ask(&mut c, "node-1/proxy/healthz?verbose=true"), (200, verbose.into()));

    let config = &json(&mut c, "node-1/proxy/configz")["kubeletconfig"];
    assert_eq!(config["evictionHard"]["memory.available"], "100Mi");
    assert_eq!(config["evictionHard"]["imagefs.available"], "15%");
    assert_eq!((&config["maxPods"], &config["clusterDomain"]), (&110.into(), &"cluster.local".into()));
    assert!(config.get("kind").is_none(), "as upstream's, without a kind");

    let pods = json(&mut c, "node-1/proxy/pods");
    assert_eq!((&pods["kind"], &pods["items"][0]["metadata"]["name"]), (&"PodList".into(), &"web".into()));
    assert_eq!(pods["items"][0]["status"]["phase"], "Running");
    assert!(pods["items"][0].get("kind").is_none(), "{pods}");
    assert_eq!(json(&mut c, "node-2/proxy/pods")["items"], Value::Array(Vec::new()));
    let running = json(&mut c, "node-1/proxy/runningpods/");
    assert_eq!(running["items"][0]["spec"]["containers"][0]["name"], "web");

    let summary = json(&mut c, "node-1/proxy/stats/summary");
    assert_eq!(summary["node"]["nodeName"], "node-1");
    let web = &summary["pods"][0];
    assert_eq!((&web["podRef"]["name"], &web["containers"][0]["name"]), (&"web".into(), &"web".into()));
    let memory = &summary["node"]["memory"];
    assert_eq!(
        memory["workingSetBytes"].as_u64(),
        Some((300 << 20) + web["memory"]["usageBytes"].as_u64().unwrap_or(0))
    );
    assert!(memory["availableBytes"].as_u64() > Some(7 << 30) && web["containers"][0]["rootfs"].is_object());
    let short = json(&mut c, "node-1/proxy/stats/summary?only_cpu_and_memory=true");
    assert!(short["node"].get("fs").is_none() && short["node"]["cpu"].is_object());

    let (code, metrics) = ask(&mut c, "node-1/proxy/metrics/resource");
    assert_eq!(code, 200);
    let line = "container_memory_working_set_bytes{container=\"web\",namespace=\"default\",pod=\"web\"} ";
    assert!(metrics.contains(line) && metrics.ends_with("\nresource_scrape_error 0\n"), "{metrics}");
    assert!(ask(&mut c, "node-1/proxy/metrics").1.contains("\nkubelet_running_pods 1\n"));
    let (code, log) = ask(&mut c, "node-1/proxy/containerLogs/default/web/web?tailLines=1");
    assert_eq!((code, log.lines().count()), (200, 1), "{log}");

    assert_eq!(ask(&mut c, "node-1/proxy/foo"), (404, "404 page not found\n".into()));
    assert_eq!(ask(&mut c, "node-1/proxy/logs/"), (405, "logs endpoint is disabled.\n".into()));
    assert_eq!(ask_as(&mut c, User::admin(), "POST", "node-1/proxy/pods").0, 405);
}

#[test]
fn a_node_that_is_down_is_an_error_of_the_proxy() {
    let mut c = cluster(1);
    run(&mut c, 10);
    assert_eq!(message(&mut c, "nobody/proxy/healthz"), (404, "nodes \"nobody\" not found".into()));
    assert_eq!(message(&mut c, "a:b:c:d/proxy/healthz"), (400, "invalid node request \"a:b:c:d\"".into()));
    let refused = |port: u32| {
        (503, format!("error trying to reach service: dial tcp 172.18.0.3:{port}: connect: connection refused"))
    };
    assert_eq!(message(&mut c, "node-1:8080/proxy/"), refused(8080));
    c.kill_machine("node-1");
    assert_eq!(message(&mut c, "node-1/proxy/healthz"), refused(10250));
    apply(&mut c, "apiVersion: v1\nkind: Node\nmetadata: {name: paper}\n");
    assert_eq!(
        message(&mut c, "paper/proxy/healthz"),
        (500, "no preferred addresses found; known addresses: []".into())
    );
}

#[test]
fn nodes_proxy_is_what_has_to_be_allowed() {
    let mut c = cluster(1);
    run(&mut c, 10);
    let kim = || User::new("kim", &["system:authenticated"]);
    let (code, body) = ask_as(&mut c, kim(), "GET", "node-1/proxy/healthz");
    let why = r#"User \"kim\" cannot get resource \"nodes/proxy\" in API group \"\" at the cluster scope"#;
    assert!(code == 403 && body.contains(why), "{code} {body}");
    let rules = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: kubelets}
rules: [{apiGroups: [''], resources: [nodes/proxy], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: kim}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kubelets}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: kim}]
";
    apply(&mut c, rules);
    assert_eq!(ask_as(&mut c, kim(), "GET", "node-1/proxy/healthz").0, 200);
    assert_eq!(ask_as(&mut c, kim(), "POST", "node-1/proxy/run/default/web/web").0, 403);
}

#[test]
fn cadvisor_counts_containers_pods_and_the_machine() {
    let mut c = cluster(1);
    apply(&mut c, &POD.replace("image: nginx}", "image: nginx, resources: {limits: {cpu: 500m, memory: 64Mi}}}"));
    run(&mut c, 60);
    let (code, text) = ask(&mut c, "node-1/proxy/metrics/cadvisor");
    assert_eq!(code, 200, "{text}");
    let line = |start: &str| text.lines().find(|l| l.starts_with(start)).unwrap_or_else(|| panic!("{start}: {text}"));
    let cpu = line(
        "container_cpu_usage_seconds_total{container=\"web\",cpu=\"total\",id=\"\",image=\"docker.io/library/nginx:latest\",name=\"",
    );
    assert!(cpu.contains("\",namespace=\"default\",pod=\"web\"} "), "{cpu}");
    assert!(line("container_memory_working_set_bytes{container=\"web\"").contains("4.194304e+06"));
    line("container_memory_working_set_bytes{container=\"\",id=\"/\"");
    assert!(line("container_spec_cpu_quota{container=\"web\"").contains("} 50000 "));
    assert!(line("container_spec_cpu_shares{container=\"web\"").contains("} 512 "));
    assert!(line("container_spec_memory_limit_bytes{container=\"web\"").contains("} 6.7108864e+07 "));
    assert!(line("machine_cpu_cores{boot_id=\"").ends_with("} 4"));
}
