//! HorizontalPodAutoscalers, always as the second version tells them.

use super::events::{self, About};
use super::view::View;
use super::writer::{Writer, put};
use super::{Describer, parts, show};
use crate::client::get_json;
use crate::error::Error;

const VERSION: &str = "autoscaling/v2";

impl Describer<'_> {
    pub async fn autoscaler(&self, hpa: View<'_>) -> Result<String, Error> {
        if hpa.s("apiVersion") == VERSION {
            return self.autoscaler_v2(hpa).await;
        }
        let path = format!("/apis/{VERSION}/namespaces/{}/horizontalpodautoscalers/{}", hpa.namespace(), hpa.name());
        let newer = get_json(self.client, &path).await?;
        self.autoscaler_v2(View::new(&newer)).await
    }

    async fn autoscaler_v2(&self, hpa: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("HorizontalPodAutoscaler", hpa)).await;
        let mut w = self.writer();
        let spec = hpa.at("spec");
        let target = spec.s("scaleTargetRef.kind");
        parts::head(&mut w, hpa);
        put!(w, 0, "CreationTimestamp:\t{}\n", show::time(hpa.at("metadata.creationTimestamp")));
        put!(w, 0, "Reference:\t{target}/{}\n", spec.s("scaleTargetRef.name"));
        put!(w, 0, "Metrics:\t( current / target )\n");
        let current = hpa.list("status.currentMetrics");
        for (i, m) in spec.list("metrics").into_iter().enumerate() {
            metric(&mut w, m, current.get(i).copied().unwrap_or_default());
        }
        let least = spec.at("minReplicas").opt().map_or("<unset>".into(), |n| n.int().to_string());
        put!(w, 0, "Min replicas:\t{least}\n");
        put!(w, 0, "Max replicas:\t{}\n", spec.i("maxReplicas"));
        if let Some(behavior) = spec.at("behavior").opt() {
            put!(w, 0, "Behavior:\n");
            direction(&mut w, "Scale Up", behavior.at("scaleUp"));
            direction(&mut w, "Scale Down", behavior.at("scaleDown"));
        }
        put!(w, 0, "{target} pods:\t");
        put!(w, 0, "{} current / {} desired\n", hpa.i("status.currentReplicas"), hpa.i("status.desiredReplicas"));
        let conditions = hpa.list("status.conditions");
        if !conditions.is_empty() {
            put!(w, 0, "Conditions:\n");
            put!(w, 1, "Type\tStatus\tReason\tMessage\n");
            put!(w, 1, "----\t------\t------\t-------\n");
            for c in conditions {
                put!(w, 1, "{}\t{}\t{}\t{}\n", c.s("type"), c.s("status"), c.s("reason"), c.s("message"));
            }
        }
        events::write(&mut w, events);
        Ok(w.finish())
    }
}

/// What it is now; unknown as long as there is no metric of the kind.
fn now(current: View, field: &str) -> String {
    current.opt().map_or("<unknown>".into(), |c| quantity(c.at("current").at(field)))
}

/// As a pointer prints itself.
fn quantity(v: View) -> String {
    v.opt().map_or("<nil>".into(), |v| v.quantity().to_string())
}

fn metric(w: &mut Writer, m: View, current: View) {
    match m.s("type") {
        "External" => {
            let (m, current) = (m.at("external"), current.at("external"));
            let name = m.s("metric.name");
            match m.at("target.averageValue").opt() {
                Some(target) => {
                    let known = current.opt().filter(|c| c.has("current.averageValue")).unwrap_or_default();
                    let now = now(known, "averageValue");
                    put!(w, 1, "{name:?} (target average value):\t{now} / {}\n", target.quantity());
                }
                None => {
                    let target = quantity(m.at("target.value"));
                    put!(w, 1, "{name:?} (target value):\t{} / {target}\n", now(current, "value"));
                }
            }
        }
        "Pods" => {
            let (m, now) = (m.at("pods"), now(current.at("pods"), "averageValue"));
            let target = quantity(m.at("target.averageValue"));
            put!(w, 1, "{:?} on pods:\t{now} / {target}\n", m.s("metric.name"));
        }
        "Object" => {
            let (m, current) = (m.at("object"), current.at("object"));
            let (kind, name) = (m.s("describedObject.kind"), m.s("describedObject.name"));
            put!(w, 1, "\"{}\" on {kind}/{name} ", m.s("metric.name"));
            if m.s("target.type") == "AverageValue" {
                let target = quantity(m.at("target.averageValue"));
                put!(w, 0, "(target average value):\t{} / {target}\n", now(current, "averageValue"));
            } else {
                put!(w, 0, "(target value):\t{} / {}\n", now(current, "value"), quantity(m.at("target.value")));
            }
        }
        "Resource" => {
            put!(w, 1, "resource {} on pods", m.s("resource.name"));
            resource(w, m.at("resource.target"), current.at("resource"));
        }
        "ContainerResource" => {
            let (name, container) = (m.s("containerResource.name"), m.s("containerResource.container"));
            put!(w, 1, "resource {name} of container \"{container}\" on pods");
            resource(w, m.at("containerResource.target"), current.at("containerResource"));
        }
        other => put!(w, 1, "<unknown metric type {other:?}>\n"),
    }
}

fn resource(w: &mut Writer, target: View, current: View) {
    if let Some(target) = target.at("averageValue").opt() {
        put!(w, 0, ":\t{} / {}\n", now(current, "averageValue"), target.quantity());
        return;
    }
    let percent = |v: View| v.opt().map(|n| format!("{}%", n.int()));
    let now = percent(current.at("current.averageUtilization"))
        .map_or("<unknown>".into(), |p| format!("{p} ({})", now(current, "averageValue")));
    let target = percent(target.at("averageUtilization")).unwrap_or("<auto>".into());
    put!(w, 1, "(as a percentage of request):\t{now} / {target}\n");
}

/// Models `printDirectionBehavior`.
fn direction(w: &mut Writer, title: &str, rules: View) {
    if !rules.is_set() {
        return;
    }
    put!(w, 1, "{title}:\n");
    if let Some(window) = rules.at("stabilizationWindowSeconds").opt() {
        put!(w, 2, "Stabilization Window: {} seconds\n", window.int());
    }
    let policies = rules.list("policies");
    if policies.is_empty() {
        return;
    }
    put!(w, 2, "Select Policy: {}\n", rules.at("selectPolicy").opt().map_or("Max", View::text));
    put!(w, 2, "Policies:\n");
    for p in policies {
        put!(w, 3, "- Type: {}\tValue: {}\tPeriod: {} seconds\n", p.s("type"), p.i("value"), p.i("periodSeconds"));
    }
}

#[cfg(test)]
mod tests {
    use crate::describe::testing::described;
    use serde_json::json;

    #[test]
    fn metrics_of_every_type() {
        let hpa = json!({
            "apiVersion": "autoscaling/v2", "metadata": {"name": "h", "namespace": "n"},
            "spec": {
                "scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 1, "maxReplicas": 4,
                "metrics": [
                    {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 50}}},
                    {"type": "Resource", "resource": {"name": "memory", "target": {"averageValue": "1Gi"}}},
                    {"type": "Pods", "pods": {"metric": {"name": "hits"}, "target": {"averageValue": "10"}}},
                    {"type": "Object", "object": {"metric": {"name": "rate"},
                        "describedObject": {"kind": "Ingress", "name": "i"}, "target": {"type": "Value", "value": "2k"}}},
                    {"type": "External", "external": {"metric": {"name": "queue"}, "target": {"averageValue": "30"}}},
                    {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "c",
                        "target": {"averageUtilization": 60}}},
                    {"type": "Odd"},
                ],
                "behavior": {"scaleUp": {"stabilizationWindowSeconds": 30, "policies":
                    [{"type": "Pods", "value": 4, "periodSeconds": 60}]}},
            },
            "status": {"currentReplicas": 2, "desiredReplicas": 3, "currentMetrics": [
                {"type": "Resource", "resource": {"current": {"averageUtilization": 40, "averageValue": "200m"}}},
            ]},
        });
        let text = described("autoscaling", "HorizontalPodAutoscaler", &hpa, &[]);
        let rest = text.split_once("Reference:").map_or("", |(_, rest)| rest);
        expect_test::expect![[r#"
                                                                          Deployment/web
            Metrics:                                                                ( current / target )
              resource cpu on pods  (as a percentage of request):                   40% (200m) / 50%
              resource memory on pods:                                              <unknown> / 1Gi
              "hits" on pods:                                                       <unknown> / 10
              "rate" on Ingress/i (target value):                                   <unknown> / 2k
              "queue" (target average value):                                       <unknown> / 30
              resource cpu of container "c" on pods  (as a percentage of request):  <unknown> / 60%
              <unknown metric type "Odd">
            Min replicas:  1
            Max replicas:  4
            Behavior:
              Scale Up:
                Stabilization Window: 30 seconds
                Select Policy: Max
                Policies:
                  - Type: Pods  Value: 4  Period: 60 seconds
            Deployment pods:    2 current / 3 desired
            Events:             <none>
        "#]]
        .assert_eq(rest);
    }
}
