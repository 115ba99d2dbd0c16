//! What a new cluster is like.

use crate::table;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use system_tests::Server;

#[test]
fn a_new_cluster() {
    let Some(s) = Server::start(&["--sim-nodes", "3"]) else { return };
    assert!(s.line.contains("127.0.0.1"), "the line says where it listens: {:?}", s.line);

    let version = s.k("version");
    assert!(version.contains("Server Version: v1.35."), "{version}");
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(s.k(&format!("get --raw {path}")).trim(), "ok", "{path}");
    }

    let nodes = s.until("get nodes", |o| o.matches(" Ready ").count() == 3);
    let (columns, rows) = table(&nodes);
    assert_eq!(columns, ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]);
    assert!(rows.iter().all(|r| r[1] == "Ready" && r[4].starts_with("v1.35.")), "{nodes}");
    let wide = s.k("get nodes -o wide");
    for column in ["INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME"] {
        assert!(wide.contains(column), "{wide}");
    }

    let namespaces = s.k("get namespaces -o name");
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        assert!(namespaces.contains(&format!("namespace/{name}\n")), "{namespaces}");
    }
    s.until("get serviceaccounts -o name", |o| o.contains("serviceaccount/default"));
    s.until("get leases -n kube-node-lease -o name", |o| o.lines().count() == 3);

    let resources = s.k("api-resources");
    assert_eq!(table(&resources).0, ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]);
    for line in ["deployments", "replicasets", "endpointslices", "leases", "configmaps", "serviceaccounts", "events"] {
        assert!(resources.lines().any(|l| l.starts_with(line)), "no {line} in\n{resources}");
    }

    let explained = s.k("explain pod.spec.containers.image");
    assert!(explained.contains("KIND:       Pod") && explained.contains("FIELD: image <string>"), "{explained}");
    assert!(s.k("explain deployment").contains("GROUP:      apps"));

    let described = s.k(&format!("describe node {}", rows[0][0]));
    for words in ["Allocatable:", "Conditions:", "KubeletReady", "Allocated resources:", "Non-terminated Pods:"] {
        assert!(described.contains(words), "no {words} in\n{described}");
    }
}

/// Pods recognize the API server by the same authority as kubectl does.
#[test]
fn the_clusters_ca_is_in_every_namespace() {
    let Some(s) = Server::start(&["--sim-nodes", "0"]) else { return };
    let ca = s.k("config view --raw -o jsonpath={.clusters[0].cluster.certificate-authority-data}");
    s.k("create namespace later");
    for namespace in ["default", "later"] {
        let get = format!(
            "get configmaps -n {namespace} -o jsonpath={{.items[?(@.metadata.name==\"kube-root-ca.crt\")].data}}"
        );
        let data = s.until(&get, |o| o.contains("BEGIN CERTIFICATE"));
        let pem =
            serde_json::from_str::<serde_json::Value>(&data).ok().and_then(|d| Some(d["ca.crt"].as_str()?.to_string()));
        let pem = pem.unwrap_or_else(|| panic!("{data}"));
        assert_eq!(BASE64.encode(pem), ca, "{namespace}");
    }
}

#[test]
fn kubelets_are_asked_through_their_nodes() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    s.k("run web --image=nginx");
    s.k("wait pod web --for=condition=Ready --timeout=60s");
    let node = s.k("get pod web -o jsonpath={.spec.nodeName}");
    let raw = |path: &str| s.k(&format!("get --raw /api/v1/nodes/{node}/proxy/{path}"));
    assert_eq!(raw("healthz"), "ok");
    assert!(raw("configz").starts_with("{\"kubeletconfig\":{"), "{}", raw("configz"));
    assert!(raw("pods").contains("\"name\":\"web\"") && raw("stats/summary").contains("\"usageNanoCores\""));
    assert!(raw("metrics/resource").contains("container_memory_working_set_bytes{container=\"web\""));
    assert_eq!(s.k(&format!("get --raw /api/v1/nodes/{node}:10250/proxy/healthz")), "ok");
    let unknown = s.kubectl(&["get", "--raw", "/api/v1/nodes/none/proxy/healthz"]).bad();
    assert!(unknown.contains("Error from server (NotFound): nodes \"none\" not found"), "{unknown}");
    let denied = s.kubectl(&["get", "--raw", &format!("/api/v1/nodes/{node}/proxy/healthz"), "--as=kim"]).bad();
    assert!(denied.contains("User \"kim\" cannot get resource \"nodes/proxy\""), "{denied}");
}
