//! `kubectl top` and the API behind it, and the HorizontalPodAutoscaler's columns.

use crate::table;
use system_tests::Server;

const BUSY: &str = "run busy --image=polinux/stress --labels=app=load -- stress --cpu 1";

#[test]
fn top_shows_what_containers_use() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    let resources = s.k("api-resources --api-group=metrics.k8s.io");
    assert_eq!(table(&resources).0, ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]);
    assert!(resources.contains("nodes") && resources.contains("NodeMetrics"), "{resources}");
    s.k(BUSY);
    s.k("run idle --image=nginx --labels=app=web");
    s.k("wait pod --all --for=condition=Ready --timeout=60s");
    // Two scrapes have to have seen them.
    s.until("get pods.metrics.k8s.io busy idle", |_| true);
    let nodes = s.until("top nodes", |o| !o.contains("<unknown>"));
    let (columns, rows) = table(&nodes);
    assert_eq!(columns[..2], ["NAME", "CPU(cores)"], "{nodes}");
    assert!(rows.iter().any(|r| r[0] == "node-1" && r[1].ends_with('m')), "{nodes}");

    let pods = s.until("top pods", |o| table(o).1.iter().any(|r| r[0] == "busy" && r[1] == "1000m"));
    let (columns, rows) = table(&pods);
    assert_eq!(columns, ["NAME", "CPU(cores)", "MEMORY(bytes)"]);
    assert_eq!(rows.len(), 2, "{pods}");
    assert!(rows.iter().any(|r| r[..] == ["idle", "0m", "4Mi"]), "{pods}");
    let containers = s.k("top pods --containers -l app=web");
    assert_eq!(table(&containers).0, ["POD", "NAME", "CPU(cores)", "MEMORY(bytes)"]);
    assert_eq!(table(&containers).1, [["idle", "idle", "0m", "4Mi"]]);
    let all = s.k("top pods -A --sort-by=cpu");
    assert_eq!(table(&all).1[0][..2], ["default", "busy"], "{all}");
    let memory = s.k("top pods --sort-by=memory --no-headers");
    assert!(memory.starts_with("idle"), "{memory}");

    // The objects, as metrics-server has them.
    let listed = s.k("get podmetrics -l app=load");
    let (columns, rows) = table(&listed);
    assert_eq!(columns, ["NAME", "CPU", "MEMORY", "WINDOW"]);
    assert_eq!((rows.len(), rows[0][0], rows[0][1], rows[0][3]), (1, "busy", "1", "15s"));
    let raw = s.k("get --raw /apis/metrics.k8s.io/v1beta1/namespaces/default/pods/busy");
    let v: serde_json::Value = serde_json::from_str(&raw).unwrap_or_default();
    assert_eq!((&v["kind"], &v["apiVersion"]), (&"PodMetrics".into(), &"metrics.k8s.io/v1beta1".into()), "{raw}");
    assert_eq!((&v["metadata"]["labels"]["app"], &v["window"]), (&"load".into(), &"15s".into()));
    assert_eq!(v["containers"][0]["usage"]["cpu"], "1");
    let explained = s.k("explain podmetrics.containers.usage --api-version=metrics.k8s.io/v1beta1");
    assert!(explained.contains("FIELD: usage <map[string]Quantity>"), "{explained}");
    let missing = s.kubectl(&["get", "podmetrics", "nobody"]).bad();
    assert!(missing.contains("Error from server (NotFound): pods \"nobody\" not found"), "{missing}");
    let watch = s.kubectl(&["get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes?watch=1"]).bad();
    assert!(watch.contains("the server does not allow this method on the requested resource"), "{watch}");

    // Without metrics-server the API is there, and nobody answers.
    let set = |verb: &str| s.k(&format!("create --raw /kubottle/processes/metrics-server/{verb} -f /dev/null"));
    set("stop");
    let gone = s.kubectl(&["top", "nodes"]).bad();
    assert!(gone.contains("error: Metrics API not available"), "discovery calls it stale: {gone}");
    let gone = s.kubectl(&["get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"]).bad();
    assert!(gone.contains("(ServiceUnavailable): the server is currently unable to handle the request"), "{gone}");
    s.k("get pods");
    set("start");
    s.until("top nodes", |o| o.contains("node-1"));
}

#[test]
fn who_may_see_metrics() {
    let Some(s) = Server::start(&["--wasm-nodes", "0", "--sim-nodes", "1"]) else { return };
    let refused = s.kubectl(&["top", "pods", "--as", "jane"]).bad();
    let want = "pods.metrics.k8s.io is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"metrics.k8s.io\" in the namespace \"default\"";
    assert!(refused.contains(want), "{refused}");
    s.k("create rolebinding see --clusterrole=view --user=jane");
    s.until("auth can-i list pods.metrics.k8s.io --as jane", |o| o.trim() == "yes");
    let reader = s.k("get clusterrole system:aggregated-metrics-reader --show-labels --no-headers");
    assert!(reader.contains("rbac.authorization.k8s.io/aggregate-to-view=true"), "{reader}");
}

/// Metrics that cannot be had are unknown, in the words of a real cluster.
#[test]
fn an_autoscaler_reports() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    s.k("create deployment web --image=nginx");
    s.k("set resources deployment web --requests=cpu=100m");
    assert_eq!(
        s.k("autoscale deployment web --cpu-percent=50 --min=1 --max=10"),
        "horizontalpodautoscaler.autoscaling/web autoscaled\n"
    );
    let before = s.k("get hpa");
    assert_eq!(table(&before).0, ["NAME", "REFERENCE", "TARGETS", "MINPODS", "MAXPODS", "REPLICAS", "AGE"]);
    assert_eq!(table(&before).1[0][1..6], ["Deployment/web", "cpu: <unknown>/50%", "1", "10", "0"]);
    let after = s.until("get hpa", |o| o.contains("cpu: 0%/50%"));
    assert_eq!(table(&after).1[0][1..6], ["Deployment/web", "cpu: 0%/50%", "1", "10", "1"]);
    let described = s.k("describe hpa web");
    for text in [
        "resource cpu on pods  (as a percentage of request):  0% (0) / 50%",
        "AbleToScale     True    ScaleDownStabilized",
        "ScalingActive   True    ValidMetricFound",
    ] {
        let alternative = text.replace("ScaleDownStabilized", "ReadyForNewScale");
        let words = |t: &str| t.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words(&described).contains(&words(text)) || words(&described).contains(&words(&alternative)),
            "{described}"
        );
    }
}
