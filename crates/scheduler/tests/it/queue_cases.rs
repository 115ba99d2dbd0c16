//! Runs `tests/cases/queue.yaml`: what happens to waiting pods, and in which queues they are then.

use crate::shorthand;
use k8s_openapi::api::core::v1::Node;
use meta::{Duration, Key, Rng, Time};
use scheduler::framework::{ClusterEvent, PodInfo};
use scheduler::queue::{Queue, Row};
use scheduler::{Algorithm, Config};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

struct Lab {
    queue: Queue,
    algorithm: Algorithm,
    now: Time,
}

fn pod(v: &Value) -> Arc<PodInfo> {
    Arc::new(PodInfo::new(Arc::new(serde_json::from_value(shorthand::pod(v)).expect("a pod"))))
}

fn node(v: &Value) -> Node {
    serde_json::from_value(shorthand::node(v)).expect("a node")
}

/// `ns/name`, the namespace being `default` when it is left out.
fn key(name: &str) -> Key {
    let (namespace, name) = name.split_once('/').unwrap_or(("default", name));
    Key::new(namespace, name)
}

fn shown(row: &Row) -> String {
    match row.pod.namespace() {
        "default" => row.pod.name().into(),
        namespace => format!("{namespace}/{}", row.pod.name()),
    }
}

/// The plugin's own name, which lives as long as the program.
fn plugin(name: &str) -> &'static str {
    scheduler::plugins::find(name).unwrap_or_else(|| panic!("no such plugin: {name}")).name
}

impl Lab {
    fn new() -> Self {
        Lab {
            queue: Queue::new(Duration::from_secs(1), Duration::from_secs(10)),
            algorithm: Algorithm::new(&Config::default(), Rng::new(1)).expect("an algorithm"),
            now: Time::from_secs(1000),
        }
    }

    fn event(&mut self, event: &ClusterEvent) {
        self.queue.move_all(event, self.now, &self.algorithm, 0);
    }

    fn see(&mut self) -> String {
        self.queue.flush(self.now, &self.algorithm);
        let l = self.queue.lists(usize::MAX);
        let lists = [
            ("active", l.active),
            ("backoff", l.backoff),
            ("unschedulable", l.unschedulable),
            ("gated", l.gated),
            ("inflight", l.in_flight),
        ];
        let some = lists.iter().filter(|(_, rows)| !rows.is_empty());
        let one = |(name, rows): &(&str, Vec<Row>)| {
            format!("{name}: {}", rows.iter().map(shown).collect::<Vec<_>>().join(" "))
        };
        some.map(one).collect::<Vec<_>>().join(" | ")
    }

    /// The pod, what moved it to where it is, and the plugin that had asked for that.
    fn why(&self, pod: &str) -> String {
        let l = self.queue.lists(usize::MAX);
        let all = [l.active, l.backoff, l.unschedulable, l.gated, l.in_flight].concat();
        let row = all.into_iter().find(|r| shown(r) == pod).expect("it is in a queue");
        format!("{pod} {} {}", row.event, row.hint).trim_end().into()
    }

    /// Takes a step; what it gives, when that has to be compared.
    fn step(&mut self, what: &str, v: &Value) -> Option<String> {
        let text = v.as_str().unwrap_or_default();
        let pair = || (&v[0], &v[1]);
        match what {
            "add" => self.queue.add(pod(v), self.now, &self.algorithm, 0),
            "change" => self.queue.update(pod(v), self.now, &self.algorithm, 0),
            "delete" => {
                self.queue.delete(&key(text));
            }
            "pop" => {
                let popped = self.queue.pop(self.now, &self.algorithm);
                return Some(popped.map_or("-".into(), |q| q.pod.name().to_string()));
            }
            "refuse" | "error" => {
                let mut words = text.split_whitespace();
                let name = words.next().expect("a pod");
                let plugins: BTreeSet<_> = words.map(plugin).collect();
                assert_eq!(plugins.is_empty(), what == "error", "{text}");
                self.queue.add_unschedulable(&key(name), plugins, self.now, &self.algorithm);
            }
            "wait" => self.now += Duration::from_millis(v.as_u64().expect("milliseconds")),
            "node" => self.event(&ClusterEvent::NodeAdd(&node(v))),
            "node-gone" => self.event(&ClusterEvent::NodeDelete(&node(v))),
            "node-change" => {
                let (old, new) = pair();
                self.event(&ClusterEvent::NodeUpdate { old: &node(old), new: &node(new) });
            }
            "placed" => self.event(&ClusterEvent::AssignedPodAdd(&pod(v))),
            "gone" => self.event(&ClusterEvent::AssignedPodDelete(&pod(v))),
            "placed-change" => {
                let (old, new) = pair();
                self.event(&ClusterEvent::AssignedPodUpdate { old: &pod(old), new: &pod(new) });
            }
            "see" => return Some(self.see()),
            "why" => return Some(self.why(text.split_whitespace().next().expect("a pod"))),
            other => panic!("no such step: {other}"),
        }
        None
    }
}

/// What differs from the case, a line each.
fn check(case: &Value) -> String {
    let mut lab = Lab::new();
    let mut wrong = String::new();
    for (i, step) in case["do"].as_array().expect("steps").iter().enumerate() {
        for (what, v) in step.as_object().expect("a step") {
            let want = v.as_str().unwrap_or_default();
            if let Some(have) = lab.step(what, v).filter(|have| have != want) {
                wrong += &format!("  step {}, {what}: wanted {want:?}, got {have:?}\n", i + 1);
            }
        }
    }
    wrong
}

#[test]
fn where_waiting_pods_are() {
    let file: Value = serde_saphyr::from_str(include_str!("../cases/queue.yaml")).expect("the cases");
    let cases = file["cases"].as_array().expect("cases");
    let wrong: String = cases
        .iter()
        .map(|case| (case["case"].as_str().unwrap_or_default(), check(case)))
        .filter(|(_, complaint)| !complaint.is_empty())
        .map(|(name, complaint)| format!("{name}\n{complaint}"))
        .collect();
    assert!(wrong.is_empty(), "{wrong}");
}
