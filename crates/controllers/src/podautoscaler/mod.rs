//! horizontal-pod-autoscaler-controller: changes how many replicas a target has, by what its pods use. Models
//! `pkg/controller/podautoscaler`. Of the metrics APIs only the resource metrics API is served.

mod limits;
mod metrics;
mod replicas;
#[cfg(test)]
mod tests;

use crate::owner::watch_self;
use api::{KINDS, KindRef, Obj, Registered};
use k8s_openapi::api::autoscaling::v2::{
    HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition as Condition, HorizontalPodAutoscalerStatus, MetricStatus,
};
use limits::{History, Limits, Said};
use meta::labels::Selector;
use meta::{Duration, Key, Time};
use metrics::Found;
use reconcile::{Controller, Cx, EventType, Intent, Outcome, Reply, Watch};
use std::collections::BTreeMap;
use trace::note;

/// `--horizontal-pod-autoscaler-sync-period`; also what a new autoscaler waits for its first turn.
const PERIOD: Duration = Duration::from_secs(15);

const ABLE: &str = "AbleToScale";
const ACTIVE: &str = "ScalingActive";
const LIMITED: &str = "ScalingLimited";
const FAILED_GET_SCALE: &str = "FailedGetScale";

/// What the controller remembers of one autoscaler.
#[derive(Clone, Debug, Default)]
struct Memory {
    /// When it has its next turn.
    due: Time,
    history: History,
    /// The pods it looks at; `None` until it has.
    selector: Option<Selector>,
    /// The change that is being made: from, to.
    rescale: Option<(i32, i32)>,
    /// Why the last one was refused.
    refused: Option<String>,
}

#[derive(Clone, Default)]
pub struct HorizontalPodAutoscalerController {
    memory: BTreeMap<Key, Memory>,
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
            self.memory.remove(key);
            return out;
        };
        let memory = self.memory.entry(key.clone()).or_insert(Memory { due: cx.now + PERIOD, ..Memory::default() });
        if let Some(why) = memory.refused.take() {
            let mut turn = Turn::new(cx, key, hpa);
            turn.refused(&why);
            return turn.out;
        }
        if cx.now < memory.due {
            out.requeue(memory.due.since(cx.now));
            return out;
        }
        memory.due = cx.now + PERIOD;
        let mut turn = Turn::new(cx, key, hpa);
        turn.out.requeue(PERIOD);
        turn.run(&mut self.memory);
        turn.out
    }

    fn settled(&mut self, cx: &Cx, key: &Key, replies: &[Reply]) {
        let Some(memory) = self.memory.get_mut(key) else { return };
        let Some((from, to)) = memory.rescale.take() else { return };
        match replies.last() {
            Some(Err(e)) => memory.refused = Some(e.message().to_string()),
            _ => {
                let spec = cx.view.get::<HorizontalPodAutoscaler>(key).and_then(|h| h.spec.as_ref());
                memory.history.changed(cx.now, spec.and_then(|s| s.behavior.as_ref()), from, to);
            }
        }
    }
}

/// The target as its `/scale` shows it.
struct Scale {
    kind: KindRef,
    replicas: i32,
    selector: String,
}

struct Turn<'a> {
    cx: &'a Cx<'a>,
    key: &'a Key,
    hpa: &'a HorizontalPodAutoscaler,
    status: HorizontalPodAutoscalerStatus,
    out: Outcome,
}

impl<'a> Turn<'a> {
    fn new(cx: &'a Cx<'a>, key: &'a Key, hpa: &'a HorizontalPodAutoscaler) -> Self {
        Turn { cx, key, hpa, status: hpa.status.clone().unwrap_or_default(), out: Outcome::done() }
    }

    /// Models `reconcileAutoscaler`.
    fn run(&mut self, memory: &mut BTreeMap<Key, Memory>) {
        let scale = match self.scale() {
            Ok(Some(scale)) => scale,
            Ok(None) => return,
            Err(why) => {
                let text = format!("the HPA controller was unable to get the target's current scale: {why}");
                self.warn(FAILED_GET_SCALE, why);
                self.set(ABLE, "False", FAILED_GET_SCALE, text);
                return self.write_status();
            }
        };
        let able = "the HPA controller was able to get the target's current scale";
        self.set(ABLE, "True", "SucceededGetScale", able.into());
        let current = scale.replicas;
        memory.entry(self.key.clone()).or_default().history.begin(self.cx.now, current);
        let spec = self.hpa.spec.clone().unwrap_or_default();
        let least = spec.min_replicas.unwrap_or(1);
        if current == 0 && least != 0 {
            let why = "scaling is disabled since the replica count of the target is zero";
            self.set(ACTIVE, "False", "ScalingDisabled", why.into());
            self.counts(current, 0, Vec::new());
            self.write_status();
        } else if current > spec.max_replicas {
            let why = "Current number of replicas above Spec.MaxReplicas";
            self.rescale(memory, &scale, spec.max_replicas, why, Vec::new());
        } else if current < least {
            self.rescale(memory, &scale, least, "Current number of replicas below Spec.MinReplicas", Vec::new());
        } else {
            self.by_metrics(memory, &scale, least);
        }
    }

    fn by_metrics(&mut self, memory: &mut BTreeMap<Key, Memory>, scale: &Scale, least: i32) {
        let current = scale.replicas;
        let (statuses, found) = match self.selector(memory, scale) {
            Ok(selector) => self.compute(scale, &selector),
            Err(why) => (Vec::new(), Err(why)),
        };
        let Found { replicas: proposed, metric } = match found {
            Ok(found) => found,
            Err(why) => {
                self.counts(current, self.status.desired_replicas, statuses);
                self.write_status();
                return self.warn("FailedComputeMetricsReplicas", why);
            }
        };
        if self.cx.recording {
            let name = self.key.name().to_string();
            self.out.note(note!("hpa.proposal", name = name, metric = metric.as_str(), from = current, to = proposed));
        }
        let reason = match proposed.cmp(&current) {
            std::cmp::Ordering::Greater => format!("{metric} above target"),
            std::cmp::Ordering::Less => "All metrics below target".into(),
            std::cmp::Ordering::Equal => String::new(),
        };
        let spec = self.hpa.spec.as_ref();
        let max = spec.map_or(0, |s| s.max_replicas);
        let behavior = spec.and_then(|s| s.behavior.as_ref());
        let limits = Limits { now: self.cx.now, current, min: least, max, behavior };
        let history = &mut memory.entry(self.key.clone()).or_default().history;
        let limited = limits.apply(history, proposed);
        self.say(ABLE, limited.able);
        self.say(LIMITED, limited.limited);
        if limited.replicas == current {
            self.counts(current, current, statuses);
            self.write_status();
        } else {
            self.rescale(memory, scale, limited.replicas, &reason, statuses);
        }
    }

    /// What is scaled, as it is now. `None`: there is no such thing as its scale.
    fn scale(&self) -> Result<Option<Scale>, String> {
        let (kind, target) = self.target()?;
        let Some(scale) = kind.scale else { return Ok(None) };
        Ok(Some(Scale { kind, replicas: (scale.replicas)(&*target), selector: (scale.selector)(&*target) }))
    }

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
        let found = self.cx.view.get_obj(kind, &Key::new(self.key.namespace(), &r.name)).cloned();
        let resource = meta::errors::group_resource(kind.group, kind.plural);
        found.map(|o| (kind, o)).ok_or_else(|| format!("{resource} {:?} not found", r.name))
    }

    fn rescale(
        &mut self,
        memory: &mut BTreeMap<Key, Memory>,
        scale: &Scale,
        desired: i32,
        reason: &str,
        metrics: Vec<MetricStatus>,
    ) {
        let current = scale.replicas;
        if self.cx.recording {
            let name = self.hpa.metadata.name.clone().unwrap_or_default();
            self.out.note(note!("hpa.rescale", name = name, from = current, to = desired));
        }
        let name = self.hpa.spec.as_ref().map_or("", |s| s.scale_target_ref.name.as_str());
        let key = Key::new(self.key.namespace(), name);
        let size = format!("New size: {desired}; reason: {reason}");
        let write = Intent::scale(scale.kind, key, desired)
            .on_success(self.hpa, "SuccessfulRescale", size.clone())
            .on_failure(self.hpa, "FailedRescale", format!("{size}; error: {{error}}"));
        self.out.push(write);
        memory.entry(self.key.clone()).or_default().rescale = Some((current, desired));
        let text = format!("the HPA controller was able to update the target scale to {desired}");
        self.set(ABLE, "True", "SucceededRescale", text);
        self.counts(current, desired, metrics);
        self.status.last_scale_time = Some(self.cx.now.to_k8s());
        self.write_status();
    }

    /// The API server did not let the target be scaled.
    fn refused(&mut self, why: &str) {
        let text = format!("the HPA controller was unable to update the target scale: {why}");
        self.set(ABLE, "False", "FailedUpdateScale", text);
        self.out.requeue(PERIOD);
        self.write_status();
    }

    fn counts(&mut self, current: i32, desired: i32, metrics: Vec<MetricStatus>) {
        self.status.current_replicas = Some(current);
        self.status.desired_replicas = desired;
        self.status.current_metrics = Some(metrics).filter(|m| !m.is_empty());
    }

    fn say(&mut self, kind: &str, (status, reason, message): Said) {
        self.set(kind, status, reason, message.into());
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
