//! What the server says about itself: groups and who answers for them, its neighbours' health, its numbers, its schemas.

use crate::table;
use system_tests::Server;

#[test]
fn api_services() {
    let Some(s) = Server::start(&["--sim-nodes", "0"]) else { return };
    let out = s.k("get apiservices");
    let (head, rows) = table(&out);
    assert_eq!(head, ["NAME", "SERVICE", "AVAILABLE", "AGE"]);
    let find = |name: &str| rows.iter().find(|r| r[0] == name).map(|r| r[1..3].to_vec()).unwrap_or_default();
    assert_eq!(find("v1."), ["Local", "True"], "{out}");
    assert_eq!(find("v1.apps"), ["Local", "True"], "{out}");
    assert_eq!(find("v1beta1.metrics.k8s.io"), ["kube-system/metrics-server", "True"], "{out}");
    let text = "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.weather.example.com}\nspec:\n  group: weather.example.com\n  version: v1\n  groupPriorityMinimum: 1000\n  versionPriority: 15\n  insecureSkipTLSVerify: true\n  service: {namespace: default, name: weather}\n";
    let file = s.file("weather.yaml", text);
    s.kubectl(&["apply", "-f", &file]).good();
    let get = "get apiservice v1.weather.example.com --no-headers";
    s.until(get, |o| o.contains("default/weather   False (ServiceNotFound)"));
    let wrong = s.file("wrong.yaml", &text.replace("name: v1.weather", "name: v2.weather"));
    let refused = s.kubectl(&["apply", "-f", &wrong]).bad();
    assert!(refused.contains("must be `spec.version+\".\"+spec.group`: \"v1.weather.example.com\""), "{refused}");
    s.kubectl(&["delete", "-f", &file]).good();
}

#[test]
fn a_definition_has_an_api_service() {
    let Some(s) = Server::start(&["--sim-nodes", "0"]) else { return };
    let file = s.file("crd.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: examples.test.com}\nspec:\n  group: test.com\n  scope: Namespaced\n  names: {plural: examples, singular: example, shortNames: [pod], kind: Example}\n  versions:\n  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}\n");
    s.kubectl(&["create", "-f", &file]).good();
    s.until("get apiservice v1.test.com --no-headers", |o| o.contains("Local") && o.contains("True"));
    // A short name that is another resource's name leads there.
    s.until("get examples -o name", |_| true);
    let object = s.file("e.yaml", "apiVersion: test.com/v1\nkind: Example\nmetadata: {name: one}\n");
    s.kubectl(&["create", "-f", &object]).good();
    assert!(!s.kubectl(&["get", "pod"]).good().contains("one"));
    s.kubectl(&["delete", "-f", &file]).good();
    let gone = || !s.kubectl(&["get", "apiservice", "v1.test.com"]).ok;
    for _ in 0..100 {
        if gone() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("its APIService stays");
}

#[test]
fn component_statuses() {
    let Some(s) = Server::start(&["--sim-nodes", "0"]) else { return };
    let ran = s.kubectl(&["get", "componentstatuses"]);
    assert!(ran.err.contains("Warning: v1 ComponentStatus is deprecated in v1.19+"), "{}", ran.err);
    let (head, rows) = table(&ran.out);
    assert_eq!(head, ["NAME", "STATUS", "MESSAGE", "ERROR"]);
    assert_eq!(
        rows,
        [["scheduler", "Healthy", "ok"], ["controller-manager", "Healthy", "ok"], ["etcd-0", "Healthy", "ok"]]
    );
}

#[test]
fn flow_control() {
    let Some(s) = Server::start(&["--sim-nodes", "0"]) else { return };
    let out = s.k("get flowschemas");
    let (head, rows) = table(&out);
    let want = ["NAME", "PRIORITYLEVEL", "MATCHINGPRECEDENCE", "DISTINGUISHERMETHOD", "AGE", "MISSINGPL"];
    assert_eq!(head, want);
    let names: Vec<&str> = rows.iter().map(|r| r[0]).collect();
    assert_eq!((names[0], names[1], names[names.len() - 1]), ("exempt", "probes", "catch-all"), "{out}");
    assert!(rows.iter().all(|r| r.last() == Some(&"False")), "{out}");
    let levels = s.k("get prioritylevelconfigurations");
    assert!(levels.contains("workload-low      Limited   100"), "{levels}");
    s.kubectl(&[
        "patch",
        "flowschema",
        "probes",
        "--type=merge",
        "-p",
        r#"{"spec":{"priorityLevelConfiguration":{"name":"none"}}}"#,
    ])
    .good();
    s.until("get flowschema probes --no-headers", |o| o.trim_end().ends_with("True"));
    let bad = s
        .kubectl(&["patch", "flowschema", "catch-all", "--type=merge", "-p", r#"{"spec":{"matchingPrecedence":9999}}"#])
        .bad();
    assert!(bad.contains("spec of 'catch-all' must equal the fixed value"), "{bad}");
}

#[test]
fn numbers_health_and_schemas() {
    let Some(s) = Server::start(&["--sim-nodes", "0"]) else { return };
    s.k("get pods");
    let metrics = s.k("get --raw /metrics");
    let count = "apiserver_request_total{code=\"200\",component=\"apiserver\",dry_run=\"\",group=\"\",resource=\"pods\",scope=\"namespace\",subresource=\"\",verb=\"LIST\",version=\"v1\"} 1";
    assert!(metrics.contains(count), "{metrics}");
    assert!(metrics.contains("apiserver_storage_objects{resource=\"namespaces\"} "), "{metrics}");
    let refused = s.kubectl(&["get", "--raw", "/metrics", "--as", "jane"]).bad();
    assert!(refused.contains("forbidden: User \"jane\" cannot get path \"/metrics\""), "{refused}");
    let ready = s.k("get --raw /readyz?verbose");
    assert!(ready.starts_with("[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]etcd-readiness ok\n"), "{ready}");
    assert!(ready.contains("[+]poststarthook/rbac/bootstrap-roles ok\n") && ready.ends_with("readyz check passed\n"));
    assert_eq!(s.k("get --raw /livez/poststarthook/rbac/bootstrap-roles"), "ok");
    let v2 = s.k("get --raw /openapi/v2");
    for words in ["list of returned", "List of services", "Watch for changes to the described resources"] {
        assert!(v2.contains(words), "{words}");
    }
    let maps = r#"{"name":"configmaps","singularName":"configmap","namespaced":true,"kind":"ConfigMap","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["cm"],"storageVersionHash":"qFsyl6wFWjQ="}"#;
    assert!(s.k("get --raw /api/v1").contains(maps));
}

#[test]
fn answers_name_their_flow_schema() {
    let Some(s) = Server::start(&["--sim-nodes", "0"]) else { return };
    let uid = |what: &str| s.k(&format!("get {what} -o jsonpath={{.metadata.uid}}"));
    let told = |args: &[&str]| s.kubectl(&[&["get", "namespaces", "-v=8"], args].concat()).err;
    let me = told(&[]);
    assert!(me.contains(&uid("flowschema exempt")) && me.contains(&uid("prioritylevelconfiguration exempt")), "{me}");
    let account = told(&["--as=system:serviceaccount:default:default", "--as-group=system:serviceaccounts"]);
    assert!(account.contains(&uid("flowschema service-accounts")), "{account}");
    assert!(account.contains(&uid("prioritylevelconfiguration workload-low")), "{account}");
}
