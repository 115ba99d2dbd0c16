//! Deployments: roll out, look back, roll back, scale.

use crate::table;
use system_tests::Server;

#[test]
fn a_deployment_from_first_to_last() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    assert_eq!(s.apply("deployment.yaml"), "deployment.apps/nginx-deployment created\n");
    let status = s.k("rollout status deployment/nginx-deployment --timeout=60s");
    assert!(status.ends_with("deployment \"nginx-deployment\" successfully rolled out\n"), "{status}");

    let deployments = s.k("get deployments");
    let (columns, rows) = table(&deployments);
    assert_eq!(columns, ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]);
    assert_eq!(rows[0][..4], ["nginx-deployment", "3/3", "3", "3"]);
    let (columns, rows) = (s.k("get rs"), s.k("get pods -l app=nginx -o name"));
    assert_eq!(table(&columns).0, ["NAME", "DESIRED", "CURRENT", "READY", "AGE"]);
    assert_eq!(rows.lines().count(), 3);

    assert_eq!(
        s.k("set image deployment/nginx-deployment nginx=nginx:1.16.1"),
        "deployment.apps/nginx-deployment image updated\n"
    );
    s.k("rollout status deployment/nginx-deployment --timeout=60s");
    let history = s.k("rollout history deployment/nginx-deployment");
    assert!(history.contains("REVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n"), "{history}");
    let described = s.k("describe deployment nginx-deployment");
    for words in [
        "StrategyType:           RollingUpdate",
        "RollingUpdateStrategy:  25% max unavailable, 25% max surge",
        "NewReplicaSetAvailable",
        "ScalingReplicaSet",
        "Scaled up replica set nginx-deployment-",
        "from 0 to 3",
    ] {
        assert!(described.contains(words), "no {words} in\n{described}");
    }

    assert_eq!(s.k("rollout undo deployment/nginx-deployment"), "deployment.apps/nginx-deployment rolled back\n");
    s.k("rollout status deployment/nginx-deployment --timeout=60s");
    assert_eq!(s.k("get deployment nginx-deployment -o jsonpath={..image}"), "nginx:1.14.2");

    assert_eq!(s.k("scale deployment/nginx-deployment --replicas=5"), "deployment.apps/nginx-deployment scaled\n");
    s.until("get deployment nginx-deployment", |o| o.contains("5/5"));
    assert_eq!(s.k("rollout restart deployment/nginx-deployment"), "deployment.apps/nginx-deployment restarted\n");
    s.k("rollout status deployment/nginx-deployment --timeout=60s");

    assert!(s.k("delete deployment nginx-deployment").starts_with("deployment.apps \"nginx-deployment\" deleted"));
    s.until("get rs,pods -o name", str::is_empty);
}

#[test]
fn a_replicaset_replaces_what_is_deleted() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    s.apply("replicaset.yaml");
    s.until("get rs frontend", |o| table(o).1.first().is_some_and(|r| r[3] == "3"));
    let pods = s.k("get pods -o name");
    let first = pods.lines().next().unwrap_or_default();
    s.k(&format!("delete {first} --now"));
    let after = s.until("get pods -o name", |o| o.lines().count() == 3 && !o.contains(first));
    assert_ne!(pods, after);
}

/// As the docs print it.
#[test]
fn a_scale_has_columns_of_its_own() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    s.k("create deployment web --image=nginx --replicas=2");
    s.k("rollout status deployment/web --timeout=60s");
    let scale = s.k("get deployment web --subresource=scale");
    let (columns, rows) = table(&scale);
    assert_eq!(columns, ["NAME", "DESIRED", "AVAILABLE", "AGE"]);
    assert_eq!(rows[0][..3], ["web", "2", "2"]);
}
