//! horizontal-pod-autoscaler-controller: keeps what an autoscaler points at between its bounds. Models
//! `pkg/controller/podautoscaler/horizontal.go` in a cluster whose resource metrics API nobody serves: a metric then
//! fails, with the words that a real cluster without a metrics server has for it.

use crate::owner::watch_self;
use api::{KINDS, KindRef, Obj, Registered};
use k8s_openapi::api::autoscaling::v2::{
    HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition as Condition, HorizontalPodAutoscalerStatus, MetricSpec,
};
use meta::{Duration, Key, Time};
use reconcile::{Controller, Cx, EventType, Intent, Outcome, Watch};
use std::collections::BTreeMap;
use trace::note;

/// `--horizontal-pod-autoscaler-sync-period`; also what a new autoscaler waits for its first turn.
const PERIOD: Duration = Duration::from_secs(15);

const ABLE: &str = "AbleToScale";
const ACTIVE: &str = "ScalingActive";
const FAILED_GET_SCALE: &str = "FailedGetScale";

#[derive(Clone, Default)]
pub struct HorizontalPodAutoscalerController {
    /// When each has its next turn.
    due: BTreeMap<Key, Time>,
}

impl Controller for HorizontalPodAutoscalerController {
    const NAME: &'static str = "horizontal-pod-autoscaler-controller";
    const EVENT_SOURCE: &'static str = "horizontal-pod-autoscaler";

    fn user() -> meta::User {
        meta::User::controller("horizontal-pod-autoscaler")
    }

    fn watches() -> Vec<Watch> {
        vec![watch_self(HorizontalPodAutoscaler::KIND_REF)]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(hpa) = cx.view.get::<HorizontalPodAutoscaler>(key) else {
            self.due.remove(key);
            return out;
        };
        let due = *self.due.entry(key.clone()).or_insert(cx.now + PERIOD);
        if cx.now < due {
            out.requeue(due.since(cx.now));
            return out;
        }
        self.due.insert(key.clone(), cx.now + PERIOD);
        out.requeue(PERIOD);
        let mut turn = Turn { cx, hpa, status: hpa.status.clone().unwrap_or_default(), out };
        turn.run();
        turn.out
    }
}

struct Turn<'a> {
    cx: &'a Cx<'a>,
    hpa: &'a HorizontalPodAutoscaler,
    status: HorizontalPodAutoscalerStatus,
    out: Outcome,
}

impl Turn<'_> {
    fn run(&mut self) {
        let (kind, target) = match self.target() {
            Ok(found) => found,
            Err(why) => {
                let text = format!("the HPA controller was unable to get the target's current scale: {why}");
                self.warn(FAILED_GET_SCALE, why);
                self.set(ABLE, "False", FAILED_GET_SCALE, text);
                return self.write_status();
            }
        };
        let Some(scale) = kind.scale else { return };
        let able = "the HPA controller was able to get the target's current scale";
        self.set(ABLE, "True", "SucceededGetScale", able.into());
        let current = (scale.replicas)(&*target);
        let spec = self.hpa.spec.clone().unwrap_or_default();
        let least = spec.min_replicas.unwrap_or(1);
        if current == 0 && least != 0 {
            let why = "scaling is disabled since the replica count of the target is zero";
            self.set(ACTIVE, "False", "ScalingDisabled", why.into());
            self.counts(current, current);
        } else if current > spec.max_replicas {
            self.rescale(kind, current, spec.max_replicas, "Current number of replicas above Spec.MaxReplicas");
        } else if current < least {
            self.rescale(kind, current, least, "Current number of replicas below Spec.MinReplicas");
        } else {
            let selector = (scale.selector)(&*target);
            let failure = self.metrics(&selector, spec.metrics.as_deref().unwrap_or_default());
            self.counts(current, self.status.desired_replicas);
            self.write_status();
            return self.warn("FailedComputeMetricsReplicas", failure);
        }
        self.write_status();
    }

    /// What is scaled, if there is such a thing.
    fn target(&self) -> Result<(KindRef, Obj), String> {
        let r = self.hpa.spec.as_ref().map(|s| s.scale_target_ref.clone()).unwrap_or_default();
        let version = r.api_version.unwrap_or_default();
        let group = version.split_once('/').map_or("", |(g, _)| g);
        let known = KINDS
            .iter()
            .copied()
            .filter(|k| k.alias.is_none())
            .chain(self.cx.view.kinds().custom())
            .find(|k| k.group == group && k.kind == r.kind);
        let Some(kind) = known else {
            return Err(format!("no matches for kind {:?} in group {group:?}", r.kind));
        };
        if kind.scale.is_none() {
            return Err("the server could not find the requested resource".into());
        }
        let namespace = self.hpa.metadata.namespace.as_deref().unwrap_or("");
        let found = self.cx.view.get_obj(kind, &Key::new(namespace, &r.name)).cloned();
        let resource = meta::errors::group_resource(kind.group, kind.plural);
        found.map(|o| (kind, o)).ok_or_else(|| format!("{resource} {:?} not found", r.name))
    }

    /// Why no metric says anything. Models `computeReplicasForMetrics`.
    fn metrics(&mut self, selector: &str, specs: &[MetricSpec]) -> String {
        if selector.is_empty() {
            self.warn("SelectorRequired", "selector is required".into());
            let why = "the HPA target's scale is missing a selector";
            self.set(ACTIVE, "False", "InvalidSelector", why.into());
            return "selector is required".into();
        }
        let namespace = self.hpa.metadata.namespace.clone().unwrap_or_default();
        let mut first = None;
        for spec in specs {
            let (reason, why, of) = failure(spec, &namespace);
            self.warn(reason, why.clone());
            if first.is_none() {
                let text = format!("the HPA was unable to compute the replica count: {why}");
                self.set(ACTIVE, "False", reason, text);
                first = Some(format!("failed to get {of} metric value: {why}"));
            }
        }
        let (all, first) = (specs.len(), first.unwrap_or_default());
        format!("invalid metrics ({all} invalid out of {all}), first error is: {first}")
    }

    fn rescale(&mut self, kind: KindRef, current: i32, desired: i32, reason: &str) {
        if self.cx.recording {
            let name = self.hpa.metadata.name.clone().unwrap_or_default();
            self.out.note(note!("hpa.rescale", name = name, from = current, to = desired));
        }
        let name = self.hpa.spec.as_ref().map_or("", |s| s.scale_target_ref.name.as_str());
        let key = Key::new(self.hpa.metadata.namespace.as_deref().unwrap_or(""), name);
        let size = format!("New size: {desired}; reason: {reason}");
        let scale = Intent::scale(kind, key, desired)
            .on_success(self.hpa, "SuccessfulRescale", size.clone())
            .on_failure(self.hpa, "FailedRescale", format!("{size}; error: {{error}}"));
        self.out.push(scale);
        let text = format!("the HPA controller was able to update the target scale to {desired}");
        self.set(ABLE, "True", "SucceededRescale", text);
        self.counts(current, desired);
        self.status.last_scale_time = Some(self.cx.now.to_k8s());
    }

    fn counts(&mut self, current: i32, desired: i32) {
        self.status.current_replicas = Some(current);
        self.status.desired_replicas = desired;
        self.status.current_metrics = None;
    }

    /// Models `setConditionInList`.
    fn set(&mut self, kind: &str, status: &str, reason: &str, message: String) {
        let list = self.status.conditions.get_or_insert_default();
        let at = list.iter().position(|c| c.type_ == kind).unwrap_or_else(|| {
            list.push(Condition { type_: kind.into(), ..Condition::default() });
            list.len() - 1
        });
        let c = &mut list[at];
        if c.status != status {
            c.last_transition_time = Some(self.cx.now.to_k8s());
        }
        c.status = status.into();
        c.reason = Some(reason.into());
        c.message = Some(message);
    }

    fn warn(&mut self, reason: &'static str, message: String) {
        self.out.push(Intent::event(self.hpa, EventType::Warning, reason, message));
    }

    fn write_status(&mut self) {
        if self.hpa.status.as_ref() != Some(&self.status) {
            let status = Some(self.status.clone());
            self.out.push(Intent::update_status(HorizontalPodAutoscaler { status, ..self.hpa.clone() }));
        }
    }
}

/// The event's reason, the error, and how the error of all metrics calls this one.
fn failure(spec: &MetricSpec, namespace: &str) -> (&'static str, String, String) {
    let resource = |name: &str, value: bool| {
        let what = if value { "usage" } else { "utilization" };
        format!(
            "failed to get {name} {what}: unable to get metrics for resource {name}: unable to fetch metrics from resource \
             metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"
        )
    };
    const CUSTOM: &str =
        "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";
    if let Some(r) = &spec.resource {
        let why = resource(&r.name, r.target.average_value.is_some());
        ("FailedGetResourceMetric", why, format!("{} resource", r.name))
    } else if let Some(r) = &spec.container_resource {
        let why = resource(&r.name, r.target.average_value.is_some());
        ("FailedGetContainerResourceMetric", why, format!("{} container", r.container))
    } else if let Some(p) = &spec.pods {
        ("FailedGetPodsMetric", format!("unable to get metric {}: {CUSTOM}", p.metric.name), "pods".into())
    } else if let Some(o) = &spec.object {
        let (of, name) = (&o.described_object, &o.metric.name);
        let why = format!("unable to get metric {name}: {} on {namespace} {}/{CUSTOM}", of.kind, of.name);
        ("FailedGetObjectMetric", why, "object".into())
    } else {
        let name = spec.external.as_ref().map_or("", |e| e.metric.name.as_str());
        let why = format!(
            "unable to get external metric {namespace}/{name}/nil: unable to fetch metrics from external metrics API: the \
             server could not find the requested resource (get {name}.external.metrics.k8s.io)"
        );
        ("FailedGetExternalMetric", why, format!("{name} external"))
    }
}

#[cfg(test)]
mod tests {
    use super::HorizontalPodAutoscalerController as Hpa;
    use crate::testing::{World, at, merged};
    use expect_test::expect;
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
            update-status horizontalpodautoscalers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"the HPA controller was able to update the target scale to 2","reason":"SucceededRescale","status":"True","type":"AbleToScale"}],"currentReplicas":1,"desiredReplicas":2,"lastScaleTime":"2026-01-01T00:00:15Z"}
            requeue after 15s
        "##]].assert_eq(&turn([hpa(json!({})), deployment(1)]));
        expect![[r##"
            # hpa.rescale name=web from=9 to=5
            scale deployments default/web 5
              on success: SuccessfulRescale: New size: 5; reason: Current number of replicas above Spec.MaxReplicas
              on failure: FailedRescale: New size: 5; reason: Current number of replicas above Spec.MaxReplicas; error: {error}
            update-status horizontalpodautoscalers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"the HPA controller was able to update the target scale to 5","reason":"SucceededRescale","status":"True","type":"AbleToScale"}],"currentReplicas":9,"desiredReplicas":5,"lastScaleTime":"2026-01-01T00:00:15Z"}
            requeue after 15s
        "##]].assert_eq(&turn([hpa(json!({})), deployment(9)]));
        expect![[r#"
            update-status horizontalpodautoscalers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"the HPA controller was able to get the target's current scale","reason":"SucceededGetScale","status":"True","type":"AbleToScale"},{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"scaling is disabled since the replica count of the target is zero","reason":"ScalingDisabled","status":"False","type":"ScalingActive"}],"currentReplicas":0,"desiredReplicas":0}
            requeue after 15s
        "#]].assert_eq(&turn([hpa(json!({})), deployment(0)]));
    }

    #[test]
    fn what_stands_in_the_way_is_said() {
        expect![[r#"
            event Warning FailedGetResourceMetric web: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)
            update-status horizontalpodautoscalers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"the HPA controller was able to get the target's current scale","reason":"SucceededGetScale","status":"True","type":"AbleToScale"},{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)","reason":"FailedGetResourceMetric","status":"False","type":"ScalingActive"}],"currentReplicas":3,"desiredReplicas":0}
            event Warning FailedComputeMetricsReplicas web: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)
            requeue after 15s
        "#]].assert_eq(&turn([hpa(json!({})), deployment(3)]));
        expect![[r#"
            event Warning FailedGetScale web: deployments.apps "web" not found
            update-status horizontalpodautoscalers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"the HPA controller was unable to get the target's current scale: deployments.apps \"web\" not found","reason":"FailedGetScale","status":"False","type":"AbleToScale"}],"desiredReplicas":0}
            requeue after 15s
        "#]].assert_eq(&turn([hpa(json!({}))]));
        let other = hpa(json!({"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Thing"}}}));
        expect![[r#"
            event Warning FailedGetScale web: no matches for kind "Thing" in group "apps"
            update-status horizontalpodautoscalers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:15Z","message":"the HPA controller was unable to get the target's current scale: no matches for kind \"Thing\" in group \"apps\"","reason":"FailedGetScale","status":"False","type":"AbleToScale"}],"desiredReplicas":0}
            requeue after 15s
        "#]].assert_eq(&turn([other]));
    }
}
