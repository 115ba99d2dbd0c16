//! The live component, turn by turn.

use crate::support::*;
use api::{Obj, ObjectExt, Registered};
use expect_test::expect;
use k8s_openapi::api::core::v1::{Node, Pod};
use meta::{ApiError, Duration, Rng, Time};
use reconcile::{Change, Component, Cx, View};
use scheduler::{Config, Scheduler};
use serde_json::json;
use std::sync::Arc;

pub struct Lab {
    pub scheduler: Scheduler,
    view: View,
    pub now: Time,
    revision: u64,
}

impl Lab {
    pub fn new() -> Self {
        let scheduler = Scheduler::new(Config::default(), Rng::new(1)).expect("a scheduler");
        let mut lab = Lab { scheduler, view: View::new(), now: Time::from_secs(1_767_225_600), revision: 0 };
        let cx = Cx { now: lab.now, view: &lab.view, recording: true };
        lab.scheduler.start(&cx);
        lab
    }
    pub fn put<T: Registered + api::Object>(&mut self, object: T) {
        let new: Obj = Arc::new(object);
        let key = new.key();
        let old = self.view.get_obj(T::KIND_REF, &key).cloned();
        self.change(T::KIND_REF, key, old, Some(new));
    }
    pub fn delete<T: Registered>(&mut self, key: &str) {
        let key = key.into();
        let old = self.view.get_obj(T::KIND_REF, &key).cloned();
        self.change(T::KIND_REF, key, old, None);
    }
    fn change(&mut self, kind: api::KindRef, key: meta::Key, old: Option<Obj>, new: Option<Obj>) {
        self.revision += 1;
        self.view.apply(kind, &key, old.as_ref(), new.as_ref(), self.revision);
        let change = Change { kind, key, old, new, revision: self.revision, cause: self.revision };
        let cx = Cx { now: self.now, view: &self.view, recording: true };
        self.scheduler.observe(&cx, &change);
    }
    /// Takes a turn, answers the first intent with `answer`, and shows the intents.
    fn step_with(&mut self, answer: Result<(), ApiError>) -> String {
        let cx = Cx { now: self.now, view: &self.view, recording: true };
        let Some(step) = self.scheduler.step(&cx) else { return "idle\n".into() };
        let stopped = answer.is_err();
        let replies: Vec<_> = match answer {
            Err(e) => vec![Err(e)],
            Ok(()) => step.intents.iter().map(|_| Ok(None)).collect(),
        };
        self.scheduler.settled(&cx, &replies, 99);
        let shown = if stopped { 1 } else { step.intents.len() };
        step.intents.iter().take(shown).map(|i| format!("{i:?}\n")).collect()
    }
    pub fn step(&mut self) -> String {
        self.step_with(Ok(()))
    }
    /// The names of the pods that will be tried again, back-off over or not.
    pub fn queued(&self) -> String {
        let l = self.scheduler.queues();
        let mut names: Vec<String> = l.active.iter().chain(&l.backoff).map(|r| r.pod.name().to_string()).collect();
        names.sort();
        names.join(" ")
    }
}

#[test]
fn binds_and_says_so() {
    let mut lab = Lab::new();
    lab.put(node("n1", json!({})));
    lab.put(pod("p", json!({})));
    expect![[r#"
        bind default/p -> n1
        event Normal Scheduled p: Successfully assigned default/p to n1
    "#]]
    .assert_eq(&lab.step());
    assert_eq!(lab.step(), "idle\n");
    // The confirmed pod keeps its place: seven more of its size fit, the eighth does not.
    lab.put(pod("p", json!({"nodeName": "n1"})));
    for i in 0..7 {
        lab.put(pod(&format!("q{i}"), json!({})));
        assert!(lab.step().starts_with("bind"), "{i}");
    }
    lab.put(pod("late", json!({})));
    expect![[r#"
        event Warning FailedScheduling late: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.
        patch pods default/late status {"status":{"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.","reason":"Unschedulable","status":"False","type":"PodScheduled"}]}}
    "#]].assert_eq(&lab.step());
}

#[test]
fn a_pod_that_fits_nowhere_is_told_once() {
    let mut lab = Lab::new();
    lab.put(node("n1", json!({})));
    lab.put(pod("big", requests(json!({"cpu": "5"}))));
    let first = lab.step();
    expect![[r#"
        event Warning FailedScheduling big: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.
        patch pods default/big status {"status":{"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.","reason":"Unschedulable","status":"False","type":"PodScheduled"}]}}
    "#]].assert_eq(&first);
    // The patch comes back and is no reason to try again; a node that fits is.
    let condition = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "message": "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."});
    let mut patched = pod("big", requests(json!({"cpu": "5"})));
    patched.status = serde_json::from_value(json!({"conditions": [condition]})).expect("a status");
    lab.put(patched);
    assert_eq!(lab.step(), "idle\n");
    // Tried again with the same outcome: the event, but no patch.
    lab.now += Duration::from_secs(301);
    expect![[r#"
        event Warning FailedScheduling big: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.
    "#]].assert_eq(&lab.step());
    lab.put(node("n2", json!({"status": {"allocatable": {"cpu": "8"}}})));
    expect![[r#"
        bind default/big -> n2
        event Normal Scheduled big: Successfully assigned default/big to n2
    "#]]
    .assert_eq(&lab.step());
}

#[test]
fn a_refused_binding_gives_the_room_back() {
    let mut lab = Lab::new();
    lab.put(node("n1", json!({})));
    lab.put(pod("p", requests(json!({"cpu": "4"}))));
    let conflict = ApiError::conflict("", "pods/binding", "p", "pod p is already assigned to node \"n2\"");
    expect![[r#"
        bind default/p -> n1
    "#]]
    .assert_eq(&lab.step_with(Err(conflict)));
    expect![[r#"
        event Warning FailedScheduling p: running Bind plugin "DefaultBinder": Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n2"
        patch pods default/p status {"status":{"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"running Bind plugin \"DefaultBinder\": Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \"n2\"","reason":"SchedulerError","status":"False","type":"PodScheduled"}]}}
    "#]].assert_eq(&lab.step());
    assert_eq!(lab.step(), "idle\n");
    lab.now += Duration::from_secs(2);
    assert!(lab.step().starts_with("bind"));
}

#[test]
fn preempts_and_waits_for_the_victim() {
    let mut lab = Lab::new();
    lab.put(node("n1", json!({})));
    let mut low = requests(json!({"cpu": "4"}));
    merge(&mut low, &json!({"nodeName": "n1", "priority": 1}));
    lab.put(pod("low", low));
    let mut high = requests(json!({"cpu": "4"}));
    merge(&mut high, &json!({"priority": 9}));
    lab.put(pod("high", high.clone()));
    expect![[r#"
        patch pods default/low status {"status":{"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"default-scheduler: preempting to accommodate a higher priority pod","reason":"PreemptionByScheduler","status":"True","type":"DisruptionTarget"}]}}
        delete pods default/low grace=None propagation=Some(Background)
        event Normal Preempted low: Preempted by pod high on node n1
        event Warning FailedScheduling high: 0/1 nodes are available: 1 Insufficient cpu.
        patch pods default/high status {"status":{"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"0/1 nodes are available: 1 Insufficient cpu.","reason":"Unschedulable","status":"False","type":"PodScheduled"}],"nominatedNodeName":"n1"}}
    "#]].assert_eq(&lab.step());
    let mut nominated = pod("high", high);
    nominated.status = serde_json::from_value(json!({"nominatedNodeName": "n1"})).expect("a status");
    lab.put(nominated);
    // A smaller pod of less priority may not slip in once the victim is gone.
    lab.put(pod("small", json!({})));
    lab.delete::<Pod>("default/low");
    expect![[r#"
        event Warning FailedScheduling small: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.
        patch pods default/small status {"status":{"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.","reason":"Unschedulable","status":"False","type":"PodScheduled"}]}}
        bind default/high -> n1
        event Normal Scheduled high: Successfully assigned default/high to n1
    "#]].assert_eq(&format!("{}{}", lab.step(), lab.step()));
}

#[test]
fn without_nodes_it_keeps_trying() {
    let mut lab = Lab::new();
    lab.put(pod("p", json!({})));
    expect![[r#"
        event Warning FailedScheduling p: no nodes available to schedule pods
        patch pods default/p status {"status":{"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"no nodes available to schedule pods","reason":"Unschedulable","status":"False","type":"PodScheduled"}]}}
    "#]].assert_eq(&lab.step());
    assert_eq!(lab.scheduler.ready_at(), Some(lab.now + Duration::from_secs(2)));
    lab.put(node("n1", json!({})));
    lab.delete::<Node>("n1");
    assert_eq!(lab.step(), "idle\n");
}

#[test]
fn leaves_the_ended_the_deleted_and_the_foreign_alone() {
    let mut lab = Lab::new();
    lab.put(node("n1", json!({})));
    lab.put(pod("foreign", json!({"schedulerName": "other"})));
    let mut ended = pod("ended", json!({}));
    ended.status = serde_json::from_value(json!({"phase": "Failed"})).expect("a status");
    lab.put(ended);
    assert_eq!(lab.step(), "idle\n");
    let mut leaving = pod("leaving", json!({}));
    leaving.metadata.deletion_timestamp = Some(lab.now.to_k8s());
    lab.put(leaving);
    expect![[r#"
        event Warning FailedScheduling leaving: skip schedule deleting pod: default/leaving
    "#]]
    .assert_eq(&lab.step());
}

#[test]
fn explains_without_acting() {
    let mut lab = Lab::new();
    lab.put(node("n1", json!({})));
    let p = pod("p", json!({}));
    let cycle = lab.scheduler.explain(&p).expect("a cycle");
    assert_eq!(cycle.node.as_deref(), Some("n1"));
    assert_eq!(lab.step(), "idle\n");
    assert!(lab.scheduler.explain(&pod("q", json!({"schedulerName": "other"}))).is_none());
}
