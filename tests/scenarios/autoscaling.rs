//! The documentation's walkthrough of the HorizontalPodAutoscaler, with nothing made up: the load generator's requests take
//! processor time in the simulated containers, and the autoscaler acts on what metrics-server says of it.

use cluster::Cluster;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::Event;
use protocol::ApplyMode;
use testkit::{apply, cluster, run};

const SAMPLE: &str = include_str!("../../web/src/samples/autoscaling.yaml");

/// The sample's documents, but for the load generator, which comes alone.
fn documents() -> (String, String) {
    let (load, rest): (Vec<&str>, Vec<&str>) = SAMPLE.split("---\n").partition(|d| d.contains("name: load-generator"));
    (rest.join("---\n"), load.join("---\n"))
}

fn replicas(c: &Cluster) -> i32 {
    let d = c.view().get::<Deployment>(&"default/php-apache".into()).expect("the Deployment");
    d.spec.as_ref().and_then(|s| s.replicas).unwrap_or(0)
}

fn hpa(c: &Cluster) -> &HorizontalPodAutoscaler {
    c.view().get(&"default/php-apache".into()).expect("the autoscaler")
}

/// In percent of the request, as the autoscaler saw it last.
fn utilization(c: &Cluster) -> Option<i32> {
    let metric = hpa(c).status.as_ref()?.current_metrics.as_ref()?.first()?;
    metric.resource.as_ref()?.current.average_utilization
}

fn condition(c: &Cluster, kind: &str) -> String {
    let all = hpa(c).status.as_ref().and_then(|s| s.conditions.as_ref());
    let found = all.into_iter().flatten().find(|c| c.type_ == kind);
    found.map(|c| format!("{} {}", c.status, c.reason.as_deref().unwrap_or(""))).unwrap_or_default()
}

fn rescales(c: &Cluster) -> Vec<String> {
    let events = c.view().list::<Event>().filter(|e| e.reason.as_deref() == Some("SuccessfulRescale"));
    events.filter_map(|e| e.message.clone()).collect()
}

#[test]
fn load_brings_replicas_and_its_end_takes_them() {
    let mut c = cluster(3);
    let (server, load) = documents();
    apply(&mut c, &server);
    // The load then begins so that the autoscaler sees a whole window of it with one replica.
    run(&mut c, 96);
    assert_eq!((replicas(&c), utilization(&c)), (1, Some(0)), "idle: {:?}", hpa(&c).status);
    assert_eq!(condition(&c, "ScalingActive"), "True ValidMetricFound");
    assert_eq!(condition(&c, "ScalingLimited"), "False DesiredWithinRange");
    apply(&mut c, &load);
    let mut seen = Vec::new();
    for _ in 0..24 {
        run(&mut c, 15);
        let now = (utilization(&c).unwrap_or(0), replicas(&c));
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    // One client, one request at a time: half a core while one container with a limit of half a core serves it.
    let most = seen.iter().map(|(u, _)| *u).max().unwrap_or(0);
    assert!((200..=260).contains(&most), "{seen:?}");
    assert!((5..=8).contains(&replicas(&c)), "{seen:?}");
    let settled = utilization(&c).unwrap_or(0);
    assert!((40..=55).contains(&settled), "{seen:?}");
    let up = "reason: cpu resource utilization (percentage of request) above target";
    assert!(rescales(&c).iter().any(|m| m.ends_with(up)), "{:?}", rescales(&c));

    let n = replicas(&c);
    let deleted = testkit::try_apply(&mut c, ApplyMode::Delete, &load);
    assert!(deleted.errors.is_empty(), "{:?}", deleted.errors);
    run(&mut c, 240);
    assert_eq!(replicas(&c), n, "stabilized");
    assert_eq!(condition(&c, "AbleToScale"), "True ScaleDownStabilized");
    run(&mut c, 150);
    assert_eq!((replicas(&c), utilization(&c)), (1, Some(0)));
    assert!(rescales(&c).contains(&"New size: 1; reason: All metrics below target".to_string()), "{:?}", rescales(&c));
}

#[test]
fn without_metrics_server_nothing_is_scaled() {
    let mut c = cluster(1);
    apply(&mut c, &documents().0);
    run(&mut c, 90);
    assert!(c.set_process("metrics-server", false));
    run(&mut c, 30);
    assert_eq!(condition(&c, "ScalingActive"), "False FailedGetResourceMetric");
    assert!(c.set_process("metrics-server", true));
    run(&mut c, 60);
    assert_eq!(condition(&c, "ScalingActive"), "True ValidMetricFound");
}
