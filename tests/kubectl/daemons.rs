//! DaemonSets with kubectl.

use crate::table;
use system_tests::Server;

#[test]
fn a_daemonset_from_first_to_last() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    assert_eq!(s.apply("daemonset.yaml"), "daemonset.apps/fluentd-elasticsearch created\n");
    let status = s.k("rollout status ds/fluentd-elasticsearch -n kube-system --timeout=60s");
    assert!(status.ends_with("daemon set \"fluentd-elasticsearch\" successfully rolled out\n"), "{status}");
    let nodes = s.k("get nodes -o name").lines().count().to_string();
    let sets = s.k("get ds -n kube-system");
    let (columns, rows) = table(&sets);
    assert_eq!(columns, ["NAME", "DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE", "NODE SELECTOR", "AGE"]);
    let n = nodes.as_str();
    assert_eq!(rows[0][..7], ["fluentd-elasticsearch", n, n, n, n, n, "<none>"]);

    let image = "quay.io/fluentd_elasticsearch/fluentd:v2.6.0";
    s.k(&format!("set image ds/fluentd-elasticsearch fluentd-elasticsearch={image} -n kube-system"));
    s.k("rollout status ds/fluentd-elasticsearch -n kube-system --timeout=60s");
    let images =
        "get pods -n kube-system -l name=fluentd-elasticsearch -o jsonpath={.items[*].spec.containers[0].image}";
    assert!(s.k(images).split(' ').all(|i| i == image), "{}", s.k(images));
    let history = s.k("rollout history ds/fluentd-elasticsearch -n kube-system");
    assert!(history.contains("REVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n"), "{history}");
    let first = s.k("rollout history ds/fluentd-elasticsearch -n kube-system --revision=1");
    assert!(first.contains("daemonset.apps/fluentd-elasticsearch with revision #1"), "{first}");
    assert!(first.contains("fluentd:v5.0.1"), "{first}");
    assert_eq!(
        s.k("rollout undo ds/fluentd-elasticsearch -n kube-system --to-revision=1"),
        "daemonset.apps/fluentd-elasticsearch rolled back\n"
    );
    s.k("rollout status ds/fluentd-elasticsearch -n kube-system --timeout=60s");
    let revisions = s.k("get controllerrevisions -n kube-system");
    let mut numbers: Vec<&str> = table(&revisions).1.iter().map(|r| r[2]).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["2", "3"], "the first revision has become the third");
    let described = s.k("describe ds fluentd-elasticsearch -n kube-system");
    for words in [
        format!("Desired Number of Nodes Scheduled: {n}"),
        "Number of Nodes Misscheduled: 0".into(),
        format!("Pods Status:  {n} Running / 0 Waiting / 0 Succeeded / 0 Failed"),
        "Created pod: fluentd-elasticsearch-".into(),
        "Deleted pod: fluentd-elasticsearch-".into(),
    ] {
        assert!(described.contains(&words), "no {words} in\n{described}");
    }
    s.k("delete ds fluentd-elasticsearch -n kube-system");
    s.until("get pods,controllerrevisions -n kube-system -o name", |o| !o.contains("fluentd"));
}
