//! The queues.

use crate::support::*;
use expect_test::expect;
use meta::{Duration, Key, Rng, Time};
use scheduler::framework::{ClusterEvent, PodInfo};
use scheduler::queue::{Queue, Row};
use scheduler::{Algorithm, Config};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

struct Lab {
    queue: Queue,
    algorithm: Algorithm,
    now: Time,
}

impl Lab {
    fn new() -> Self {
        Lab {
            queue: Queue::new(Duration::from_secs(1), Duration::from_secs(10)),
            algorithm: Algorithm::new(&Config::default(), Rng::new(1)).expect("an algorithm"),
            now: Time::from_secs(1000),
        }
    }
    fn info(name: &str, spec: serde_json::Value) -> Arc<PodInfo> {
        Arc::new(PodInfo::new(Arc::new(pod(name, spec))))
    }
    fn add(&mut self, name: &str, spec: serde_json::Value) {
        self.queue.add(Lab::info(name, spec), self.now, &self.algorithm, 0);
    }
    fn pop(&mut self) -> String {
        self.queue.pop(self.now, &self.algorithm).map_or("-".into(), |q| q.pod.name().to_string())
    }
    fn fail(&mut self, name: &str, plugins: &[&'static str]) {
        let plugins: BTreeSet<_> = plugins.iter().copied().collect();
        self.queue.add_unschedulable(&Key::new("default", name), plugins, self.now, &self.algorithm);
    }
    fn event(&mut self, event: ClusterEvent) -> usize {
        self.queue.move_all(&event, self.now, &self.algorithm, 7)
    }
    fn wait(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }
    fn show(&self) -> String {
        let row = |r: &Row| {
            let until = r.backoff_until.map(|t| format!(" until {}", t.as_micros() / 1_000_000));
            format!("{}({} {:?} {}{})", r.pod.name(), r.attempts, r.plugins, r.event, until.unwrap_or_default())
        };
        let l = self.queue.lists(usize::MAX);
        let all = [
            ("active", l.active),
            ("backoff", l.backoff),
            ("unschedulable", l.unschedulable),
            ("gated", l.gated),
            ("in flight", l.in_flight),
        ];
        let some = all.iter().filter(|(_, rows)| !rows.is_empty());
        some.map(|(n, rows)| format!("{n}: {}\n", rows.iter().map(row).collect::<Vec<_>>().join(" "))).collect()
    }
}

#[test]
fn priority_then_age() {
    let mut lab = Lab::new();
    lab.add("old", json!({}));
    lab.wait(1);
    lab.add("new", json!({}));
    lab.add("urgent", json!({"priority": 5}));
    assert_eq!([lab.pop(), lab.pop(), lab.pop(), lab.pop()], ["urgent", "old", "new", "-"]);
}

#[test]
fn a_refused_pod_waits_for_an_event_that_helps() {
    let mut lab = Lab::new();
    lab.add("p", json!({}));
    assert_eq!(lab.pop(), "p");
    lab.fail("p", &["NodeResourcesFit"]);
    assert_eq!(lab.pop(), "-");
    let small = node("small", json!({"status": {"allocatable": {"cpu": "100m"}}}));
    assert_eq!(lab.event(ClusterEvent::NodeAdd(&small)), 0);
    let other = Lab::info("other", json!({"nodeName": "small"}));
    assert_eq!(lab.event(ClusterEvent::AssignedPodAdd(&other)), 0);
    expect![[r#"
        unschedulable: p(1 ["NodeResourcesFit"] ScheduleAttemptFailure until 1002)
    "#]]
    .assert_eq(&lab.show());
    let big = node("big", json!({}));
    assert_eq!(lab.event(ClusterEvent::NodeAdd(&big)), 1);
    expect![[r#"
        backoff: p(1 ["NodeResourcesFit"] NodeAdd until 1002)
    "#]]
    .assert_eq(&lab.show());
    // An empty active queue lets it out early.
    assert_eq!(lab.pop(), "p");
}

#[test]
fn backoff_doubles_to_the_maximum() {
    let mut lab = Lab::new();
    lab.add("p", json!({}));
    let gone = Lab::info("gone", json!({"nodeName": "n"}));
    let mut waits = Vec::new();
    for _ in 0..6 {
        assert_eq!(lab.pop(), "p");
        lab.fail("p", &["NodeResourcesFit"]);
        lab.event(ClusterEvent::AssignedPodDelete(&gone));
        let until = lab.queue.lists(usize::MAX).backoff[0].backoff_until.expect("a back-off");
        waits.push(until.since(lab.now).as_secs());
        lab.now = until;
    }
    // 1, 2, 4, 8, 10, 10 and then to the end of the second it falls into.
    assert_eq!(waits, [2, 3, 5, 9, 11, 11]);
}

#[test]
fn errors_wait_their_backoff_out() {
    let mut lab = Lab::new();
    lab.add("p", json!({}));
    assert_eq!(lab.pop(), "p");
    lab.fail("p", &[]);
    expect![[r#"
        backoff: p(1 [] ScheduleAttemptFailure until 1002)
    "#]]
    .assert_eq(&lab.show());
    assert_eq!(lab.pop(), "-");
    assert_eq!(lab.queue.ready_at(), Some(Time::from_secs(1002)));
    lab.wait(2000);
    assert_eq!(lab.pop(), "p");
}

#[test]
fn leftovers_are_flushed_after_five_minutes() {
    let mut lab = Lab::new();
    lab.add("p", json!({}));
    lab.pop();
    lab.fail("p", &["NodeAffinity"]);
    assert_eq!(lab.queue.ready_at(), Some(Time::from_secs(1300)));
    lab.wait(299_999);
    assert_eq!(lab.pop(), "-");
    lab.wait(1);
    assert_eq!(lab.pop(), "p");
}

#[test]
fn gates_hold_back_until_they_are_gone() {
    let mut lab = Lab::new();
    lab.add("p", json!({"schedulingGates": [{"name": "example.com/quota"}]}));
    expect![[r#"
        gated: p(0 ["SchedulingGates"] UnschedulablePodAdd)
    "#]]
    .assert_eq(&lab.show());
    let big = node("big", json!({}));
    assert_eq!(lab.event(ClusterEvent::NodeAdd(&big)), 0);
    assert_eq!(lab.queue.ready_at(), None);
    lab.queue.update(Lab::info("p", json!({})), lab.now, &lab.algorithm, 3);
    assert_eq!(lab.pop(), "p");
}

#[test]
fn an_update_of_the_pod_may_help() {
    let mut lab = Lab::new();
    lab.add("p", json!({}));
    lab.pop();
    lab.fail("p", &["TaintToleration"]);
    lab.queue.update(Lab::info("p", json!({})), lab.now, &lab.algorithm, 3);
    assert_eq!(lab.pop(), "-");
    let tolerant = json!({"tolerations": [{"operator": "Exists"}]});
    lab.queue.update(Lab::info("p", tolerant), lab.now, &lab.algorithm, 3);
    expect![[r#"
        backoff: p(1 ["TaintToleration"] UnschedulablePodUpdatePodToleration until 1002)
    "#]]
    .assert_eq(&lab.show());
}

#[test]
fn the_heads_of_long_queues() {
    let mut lab = Lab::new();
    for i in 0..50 {
        lab.add(&format!("p{i:02}"), json!({}));
        lab.add(&format!("g{i:02}"), json!({"schedulingGates": [{"name": "example.com/quota"}]}));
    }
    for i in 0..20 {
        let name = lab.pop();
        // Every other one ended in an error and waits its back-off out.
        lab.fail(&name, if i % 2 == 0 { &["NodeResourcesFit"] } else { &[] });
    }
    let (all, heads) = (lab.queue.lists(usize::MAX), lab.queue.lists(3));
    assert_eq!(heads.lengths, all.lengths);
    let lengths = |l: &scheduler::queue::Lists| {
        [&l.active, &l.backoff, &l.unschedulable, &l.gated, &l.in_flight].map(|rows| rows.len())
    };
    assert_eq!(lengths(&all), [30, 10, 10, 50, 0]);
    assert_eq!(lengths(&heads), [3, 3, 3, 3, 0]);
    assert_eq!(heads.active, all.active[..3]);
    assert_eq!(heads.backoff, all.backoff[..3]);
    assert_eq!(heads.unschedulable, all.unschedulable[..3]);
}
