//! Whole turns of the controller.

mod limits;
mod replicas;

use super::HorizontalPodAutoscalerController as Hpa;
use crate::testing::{World, at, merged, pod, rfc3339};
use expect_test::expect;
use reconcile::Meter;
use serde_json::{Value, json};

fn hpa(over: Value) -> Value {
    merged(
        json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "namespace": "default", "uid": "uid-hpa"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "minReplicas": 2, "maxReplicas": 5,
                "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}],
            },
        }),
        over,
    )
}

fn deployment(replicas: i32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default", "uid": "uid-web"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
                 "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}},
    })
}

/// The turn that comes fifteen seconds after the autoscaler.
fn turn(objects: impl IntoIterator<Item = Value>) -> String {
    let mut w = World::<Hpa>::new(objects);
    assert_eq!(w.run("default/web"), "requeue after 15s\n", "nothing happens at once");
    w.now = at(15);
    w.run("default/web")
}

#[test]
fn bounds_are_kept_without_metrics() {
    expect![[r##"
        # hpa.rescale name=web from=1 to=2
        scale deployments default/web 2
          on success: SuccessfulRescale: New size: 2; reason: Current number of replicas below Spec.MinReplicas
          on failure: FailedRescale: New size: 2; reason: Current number of replicas below Spec.MinReplicas; error: {error}
        update-status horizontalpodautoscalers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"the HPA controller was able to update the target scale to 2","reason":"SucceededRescale","status":"True","type":"AbleToScale"}],"currentMetrics":null,"currentReplicas":1,"desiredReplicas":2,"lastScaleTime":"2026-01-01T00:00:15Z"}
        requeue after 15s
    "##]].assert_eq(&turn([hpa(json!({})), deployment(1)]));
    expect![[r##"
        # hpa.rescale name=web from=9 to=5
        scale deployments default/web 5
          on success: SuccessfulRescale: New size: 5; reason: Current number of replicas above Spec.MaxReplicas
          on failure: FailedRescale: New size: 5; reason: Current number of replicas above Spec.MaxReplicas; error: {error}
        update-status horizontalpodautoscalers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"the HPA controller was able to update the target scale to 5","reason":"SucceededRescale","status":"True","type":"AbleToScale"}],"currentMetrics":null,"currentReplicas":9,"desiredReplicas":5,"lastScaleTime":"2026-01-01T00:00:15Z"}
        requeue after 15s
    "##]].assert_eq(&turn([hpa(json!({})), deployment(9)]));
    expect![[r#"
        update-status horizontalpodautoscalers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"the HPA controller was able to get the target's current scale","reason":"SucceededGetScale","status":"True","type":"AbleToScale"},{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"scaling is disabled since the replica count of the target is zero","reason":"ScalingDisabled","status":"False","type":"ScalingActive"}],"currentMetrics":null,"currentReplicas":0,"desiredReplicas":0}
        requeue after 15s
    "#]].assert_eq(&turn([hpa(json!({})), deployment(0)]));
}

#[test]
fn what_stands_in_the_way_is_said() {
    expect![[r#"
        event Warning FailedGetResourceMetric web: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server is currently unable to handle the request (get pods.metrics.k8s.io)
        update-status horizontalpodautoscalers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"the HPA controller was able to get the target's current scale","reason":"SucceededGetScale","status":"True","type":"AbleToScale"},{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server is currently unable to handle the request (get pods.metrics.k8s.io)","reason":"FailedGetResourceMetric","status":"False","type":"ScalingActive"}],"currentMetrics":[{"type":""}],"currentReplicas":3,"desiredReplicas":0}
        event Warning FailedComputeMetricsReplicas web: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server is currently unable to handle the request (get pods.metrics.k8s.io)
        requeue after 15s
    "#]].assert_eq(&turn([hpa(json!({})), deployment(3)]));
    expect![[r#"
        event Warning FailedGetScale web: deployments.apps "web" not found
        update-status horizontalpodautoscalers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"the HPA controller was unable to get the target's current scale: deployments.apps \"web\" not found","reason":"FailedGetScale","status":"False","type":"AbleToScale"}],"currentMetrics":null,"desiredReplicas":0}
        requeue after 15s
    "#]].assert_eq(&turn([hpa(json!({}))]));
    let other = hpa(json!({"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Thing"}}}));
    expect![[r#"
        event Warning FailedGetScale web: no matches for kind "Thing" in group "apps"
        update-status horizontalpodautoscalers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"the HPA controller was unable to get the target's current scale: no matches for kind \"Thing\" in group \"apps\"","reason":"FailedGetScale","status":"False","type":"AbleToScale"}],"currentMetrics":null,"desiredReplicas":0}
        requeue after 15s
    "#]].assert_eq(&turn([other]));
}

/// A target of two pods that request 200m each and take `milli` all the time; ten minutes old.
fn busy(milli: u64, over: Value) -> World<Hpa> {
    let mut w = World::<Hpa>::new([hpa(over), deployment(2)]);
    w.view.usage.add_node("node-1", at(0));
    w.view.usage.serve(Some(at(0)));
    for name in ["a", "b"] {
        let containers = json!([{"name": "c", "resources": {"requests": {"cpu": "200m"}}}]);
        let ready = json!([{"type": "Ready", "status": "True", "lastTransitionTime": rfc3339(0)}]);
        let status = json!({"startTime": rfc3339(0), "conditions": ready});
        w.put(pod(name, None, json!({"spec": {"containers": containers}, "status": status})));
        let mut meter = Meter::new(at(0));
        meter.set_steady(at(0), milli);
        w.view.usage.set(&"node-1".into(), &format!("uid-{name}").into(), &"c".into(), Some(meter));
    }
    w.now = at(585);
    assert_eq!(w.run("default/web"), "requeue after 15s\n");
    w.now = at(600);
    w
}

#[test]
fn what_pods_use_decides() {
    expect![[r##"
        # hpa.proposal name=web metric=cpu resource utilization (percentage of request) from=2 to=4
        # hpa.rescale name=web from=2 to=4
        scale deployments default/web 4
          on success: SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target
          on failure: FailedRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target; error: {error}
        update-status horizontalpodautoscalers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:10:00Z","message":"the HPA controller was able to update the target scale to 4","reason":"SucceededRescale","status":"True","type":"AbleToScale"},{"lastTransitionTime":"2026-01-01T00:10:00Z","message":"the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)","reason":"ValidMetricFound","status":"True","type":"ScalingActive"},{"lastTransitionTime":"2026-01-01T00:10:00Z","message":"the desired count is within the acceptable range","reason":"DesiredWithinRange","status":"False","type":"ScalingLimited"}],"currentMetrics":[{"resource":{"current":{"averageUtilization":95,"averageValue":"190m"},"name":"cpu"},"type":"Resource"}],"currentReplicas":2,"desiredReplicas":4,"lastScaleTime":"2026-01-01T00:10:00Z"}
        requeue after 15s
    "##]].assert_eq(&busy(190, json!({})).run("default/web"));
    let mut idle = busy(10, json!({"spec": {"minReplicas": 1}}));
    expect![[r##"
        # hpa.proposal name=web metric=cpu resource utilization (percentage of request) from=2 to=1
        update-status horizontalpodautoscalers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:10:00Z","message":"recent recommendations were higher than current one, applying the highest recent recommendation","reason":"ScaleDownStabilized","status":"True","type":"AbleToScale"},{"lastTransitionTime":"2026-01-01T00:10:00Z","message":"the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)","reason":"ValidMetricFound","status":"True","type":"ScalingActive"},{"lastTransitionTime":"2026-01-01T00:10:00Z","message":"the desired count is within the acceptable range","reason":"DesiredWithinRange","status":"False","type":"ScalingLimited"}],"currentMetrics":[{"resource":{"current":{"averageUtilization":5,"averageValue":"10m"},"name":"cpu"},"type":"Resource"}],"currentReplicas":2,"desiredReplicas":2}
        requeue after 15s
    "##]].assert_eq(&idle.run("default/web"));
    idle.now = at(901);
    let lines = idle.run("default/web");
    assert!(lines.contains("scale deployments default/web 1"), "{lines}");
    assert!(lines.contains("SuccessfulRescale: New size: 1; reason: All metrics below target"), "{lines}");
    let within = busy(104, json!({})).run("default/web");
    assert!(!within.contains("scale deployments"), "four percent above the target are tolerated: {within}");
    let policies = json!([{"type": "Pods", "value": 4, "periodSeconds": 15}]);
    let strict = json!({"spec": {"behavior": {"scaleUp": {"tolerance": "0.01", "policies": policies}}}});
    let strict = busy(104, strict).run("default/web");
    assert!(strict.contains("scale deployments default/web 3"), "{strict}");
}

#[test]
fn a_refused_scale_is_said() {
    let mut w = busy(190, json!({}));
    let _ = w.run("default/web");
    w.settle("default/web", &[Err(meta::ApiError::bad_request("no"))]);
    let lines = w.run("default/web");
    assert!(lines.contains("the HPA controller was unable to update the target scale: no"), "{lines}");
    assert!(lines.contains("FailedUpdateScale"), "{lines}");
}

#[test]
fn two_autoscalers_of_the_same_pods_stand_still() {
    let mut w = busy(190, json!({}));
    w.put(hpa(json!({"metadata": {"name": "again", "uid": "uid-again"}})));
    let _ = w.run("default/again");
    let _ = w.run("default/web");
    w.now = at(615);
    let lines = w.run("default/again");
    let why = "pods by selector app=web are controlled by more than one HPA (e.g. [{again default} {web default}])";
    assert!(lines.contains(&format!("event Warning AmbiguousSelector again: {why}")), "{lines}");
}
