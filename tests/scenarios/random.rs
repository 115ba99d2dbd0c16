//! A thousand short lives of a cluster: work of every kind and faults at random, every invariant after every step, and
//! for some of them a happy end.

use api::{KindRef, Object, ObjectExt};
use cluster::{Cluster, requests};
use engine::faults;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
use meta::{Duration, Rng, Time, User};
use protocol::{ApplyMode, Command};
use serde_json::{Value, json};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use testkit::{cluster, invariants, try_apply};

const SEEDS: u64 = 1000;
/// Things done to each cluster.
const DEEDS: u32 = 6;
/// Every so many seeds all is mended at the end, and everything has to come right.
const HEALED: u64 = 50;

/// `SEED` in the environment: only this one, to see it again.
#[test]
#[expect(clippy::disallowed_methods, reason = "which seed to see again is said from outside")]
fn whatever_is_done_to_a_cluster_the_invariants_hold() {
    let only: Option<u64> = std::env::var("SEED").ok().and_then(|s| s.parse().ok());
    let (first, end) = only.map_or((0, SEEDS), |seed| (seed, seed + 1));
    let (next, wrong) = (AtomicU64::new(first), Mutex::new(String::new()));
    let lives = || {
        let young = cluster(2);
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end || wrong.lock().is_ok_and(|w| !w.is_empty()) {
                return;
            }
            let mut life = Life { c: young.clone(), rng: Rng::new(seed), log: String::new() };
            let ended = catch_unwind(AssertUnwindSafe(|| life.live(seed % HEALED == 0)));
            let why = match ended {
                Ok(Ok(())) => continue,
                Ok(Err(e)) => e,
                Err(_) => "it panicked".into(),
            };
            if let Ok(mut w) = wrong.lock() {
                let _ = writeln!(w, "seed {seed}: {why}; what was done:\n{}", life.log);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|s| (0..threads).for_each(|_| drop(s.spawn(lives))));
    let wrong = wrong.into_inner().unwrap_or_default();
    assert!(wrong.is_empty(), "{wrong}");
}

struct Life {
    c: Cluster,
    rng: Rng,
    log: String,
}

const WORKLOADS: &[&str] =
    &["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job", "CronJob"];
const NAMES: &[&str] = &["a", "b"];

impl Life {
    fn live(&mut self, healed: bool) -> Result<(), String> {
        for _ in 0..DEEDS {
            self.deed();
            let tenths = [1, 5, 20, 60][self.below(4)];
            self.pass(tenths)?;
        }
        if healed { self.heal() } else { Ok(()) }
    }

    fn below(&mut self, n: usize) -> usize {
        self.rng.below(u32::try_from(n).unwrap_or(u32::MAX)) as usize
    }
    fn one_of<T: Clone>(&mut self, list: &[T]) -> Option<T> {
        let i = self.below(list.len());
        list.get(i).cloned()
    }

    /// Lets time pass, and looks after every turn.
    fn pass(&mut self, tenths: u64) -> Result<(), String> {
        let end = self.c.now() + Duration::from_millis(tenths * 100);
        let mut watch = invariants::Watch::new(&self.c);
        while let Some(turn) = self.c.step(end) {
            let (actor, now) = (turn.actor.clone(), self.c.now());
            watch.check(&self.c).map_err(|e| format!("after a turn of {actor} at {now}: {e}"))?;
        }
        self.c.advance_to(end);
        let crashes = self.c.take_crashes();
        if crashes.is_empty() { Ok(()) } else { Err(format!("crashed: {crashes:?}")) }
    }

    fn note(&mut self, what: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.log, "  {} {what}", self.c.now());
    }

    fn deed(&mut self) {
        let (kind, name) = (WORKLOADS[self.below(WORKLOADS.len())], NAMES[self.below(NAMES.len())]);
        let n = self.below(4);
        match self.below(16) {
            0..=6 => {
                let image = ["nginx:1.14.2", "nginx:1.16.1"][self.below(2)];
                let ends = self.below(3) > 0;
                self.note(format_args!("apply {kind}/{name} n={n} image={image} ends={ends}"));
                // What cannot be changed is refused; that is part of life.
                try_apply(&mut self.c, ApplyMode::Apply, &manifest(kind, name, n, image, ends).to_string());
            }
            7 => {
                self.note(format_args!("delete {kind}/{name}"));
                try_apply(&mut self.c, ApplyMode::Delete, &manifest(kind, name, 0, "nginx", true).to_string());
            }
            8 => self.delete_somehow(kind, name),
            9 => self.delete_pod(),
            10..=11 => self.scale(kind, name, n),
            12 => self.drain(),
            _ => self.fault(),
        }
    }

    fn delete_somehow(&mut self, kind: &str, name: &str) {
        let policy = [None, Some("Orphan"), Some("Foreground"), Some("Background")][self.below(4)];
        self.note(format_args!("delete {kind}/{name} {policy:?}"));
        let options = DeleteOptions { propagation_policy: policy.map(Into::into), ..Default::default() };
        let key = meta::Key::new("default", name);
        self.c.request(requests::delete(User::admin(), kind_of(kind), &key, options));
    }

    fn delete_pod(&mut self) {
        let keys: Vec<meta::Key> = self.c.view().list_in::<Pod>("default").map(|p| (p as &dyn Object).key()).collect();
        let Some(key) = self.one_of(&keys) else { return };
        let grace = [None, Some(0)][self.below(2)];
        self.note(format_args!("delete pod {key} grace={grace:?}"));
        let options = DeleteOptions { grace_period_seconds: grace, ..Default::default() };
        self.c.request(requests::delete(User::admin(), kind_of("Pod"), &key, options));
    }

    fn scale(&mut self, kind: &str, name: &str, n: usize) {
        self.note(format_args!("scale {kind}/{name} to {n}"));
        let (key, patch) = (meta::Key::new("default", name), json!({"spec": {"replicas": n}}));
        let merge = apiserver::PatchType::Merge;
        self.c.request(requests::patch(User::admin(), kind_of(kind), &key, "scale", merge, patch));
    }

    fn fault(&mut self) {
        if let Some(command) = faults::random(&self.c, &mut self.rng) {
            self.note(format_args!("{}", faults::words(&command)));
            engine::act(&mut self.c, &command);
        }
    }

    fn drain(&mut self) {
        let nodes: Vec<String> = self.c.machines().map(|(name, _)| name.clone()).collect();
        let Some(node) = self.one_of(&nodes) else { return };
        let (command, back) =
            (Command::Drain { id: 0, node: node.clone() }, Command::Cordon { id: 0, node, on: false });
        let command = if self.below(2) == 0 { command } else { back };
        self.note(format_args!("{}", faults::words(&command)));
        engine::act(&mut self.c, &command);
    }

    /// Everything runs again. Then, after a while, everything is as it was asked for.
    fn heal(&mut self) -> Result<(), String> {
        for command in faults::mend(&self.c) {
            engine::act(&mut self.c, &command);
        }
        let nodes: Vec<String> = self.c.machines().map(|(name, _)| name.clone()).collect();
        for node in nodes {
            let _ = self.c.cordon(&node, false);
        }
        self.note(format_args!("all is mended"));
        // Longer than lost nodes are tolerated and pods that fail are waited for.
        let end = self.c.now() + Duration::from_secs(700);
        while self.c.step(end).is_some() {}
        self.c.advance_to(end);
        self.pass(10)?;
        if let Some(node) = self.c.view().list::<Node>().find(|n| !is_ready(n)) {
            return Err(format!("{:?} is not Ready again", node.metadata.name));
        }
        WORKLOADS.iter().try_for_each(|kind| {
            let old = self.c.view().list_obj(kind_of(kind)).filter(|o| {
                // A CronJob has one at work every minute.
                let created = o.meta().creation_timestamp.as_ref().map_or(Time(0), Time::from_k8s);
                *kind != "Job" || self.c.now().since(created) > Duration::from_secs(60)
            });
            old.into_iter().try_for_each(|o| is_as_wished(kind, &o.to_value()))
        })?;
        self.c.view().list_in::<Pod>("default").try_for_each(|p| match &p.metadata.deletion_timestamp {
            Some(since) => Err(format!("pod {:?} has been leaving since {}", p.metadata.name, since.0)),
            None => Ok(()),
        })
    }
}

fn is_ready(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|s| s.conditions.iter().flatten());
    conditions.into_iter().any(|c| c.type_ == "Ready" && c.status == "True")
}

fn kind_of(kind: &str) -> KindRef {
    api::KINDS.iter().find(|k| k.kind == kind && k.alias.is_none()).expect("a kind of the list")
}

fn is_as_wished(kind: &str, o: &Value) -> Result<(), String> {
    let n = |pointer: &str| o.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
    let wish = n("/spec/replicas");
    let counts: &[(&str, i64)] = match kind {
        "Deployment" => &[("replicas", wish), ("updatedReplicas", wish), ("availableReplicas", wish)],
        "ReplicaSet" | "ReplicationController" => &[("replicas", wish), ("availableReplicas", wish)],
        "StatefulSet" => &[("replicas", wish), ("updatedReplicas", wish), ("availableReplicas", wish)],
        "DaemonSet" => {
            let all = n("/status/desiredNumberScheduled");
            &[("currentNumberScheduled", all), ("updatedNumberScheduled", all), ("numberAvailable", all)]
        }
        "Job" => &[("active", 0)],
        _ => &[],
    };
    let observed = kind == "Job" || kind == "CronJob" || n("/metadata/generation") == n("/status/observedGeneration");
    let right = counts.iter().all(|(field, wanted)| n(&format!("/status/{field}")) == *wanted);
    if observed && right { Ok(()) } else { Err(format!("{kind} has not come right: {o}")) }
}

fn manifest(kind: &str, name: &str, n: usize, image: &str, ends: bool) -> Value {
    let labels = json!({"app": format!("{}-{name}", kind.to_lowercase())});
    let forever = json!({
        "metadata": {"labels": labels},
        "spec": {"terminationGracePeriodSeconds": 3, "containers": [{"name": "main", "image": image}]},
    });
    let command = if ends { "sleep 2" } else { "sleep 1; exit 1" };
    let job = json!({
        "completions": n, "parallelism": 2, "backoffLimit": 1,
        "completionMode": if name == "a" { "Indexed" } else { "NonIndexed" },
        "template": {"spec": {"restartPolicy": "Never", "containers": [
            {"name": "main", "image": "busybox:1.36", "command": ["sh", "-c", command]}]}},
    });
    let selector = json!({"matchLabels": labels});
    let spec = match kind {
        "ReplicationController" => json!({"replicas": n, "selector": labels, "template": forever}),
        "DaemonSet" => json!({"selector": selector, "template": forever}),
        "StatefulSet" => json!({"replicas": n, "serviceName": "web", "selector": selector, "template": forever,
            "podManagementPolicy": if name == "a" { "OrderedReady" } else { "Parallel" }}),
        "Job" => job,
        "CronJob" => json!({"schedule": "* * * * *", "jobTemplate": {"spec": job},
            "concurrencyPolicy": if name == "a" { "Forbid" } else { "Replace" }}),
        _ => json!({"replicas": n, "selector": selector, "template": forever}),
    };
    json!({"apiVersion": kind_of(kind).api_version(), "kind": kind, "metadata": {"name": name, "namespace": "default"},
        "spec": spec})
}
