//! Upstream's `scheduler_perf` cases (test/integration/scheduler_perf/*/performance-config.yaml): Node objects without
//! kubelets, pods that are there before, and pods whose scheduling is measured, all through the API server. As there, no
//! controllers run: they would find that the nodes are silent and evict the pods.

use crate::{apply, start};
use cluster::Cluster;
use k8s_openapi::api::core::v1::{Node, Pod};
use meta::Duration;
use wasm_bindgen::prelude::wasm_bindgen;

/// A case: what is there, and what is measured.
struct Case {
    name: &'static str,
    nodes: u32,
    zones: &'static [&'static str],
    before: (u32, Shape),
    measured: (u32, Shape),
    /// A node, a pod too large for any and a Service come and go once a second of virtual time.
    churn: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Default,
    AntiAffinity,
    Affinity,
    NodeAffinity,
    Spread,
    LowPriority,
    HighPriority,
    /// Larger than any node.
    Large,
    /// For one node each, as a DaemonSet's pods are.
    Daemon,
}

const NAMES: &[&str] = &[
    "SchedulingBasic_5000Nodes_10000Pods",
    "SchedulingBasic_5000Nodes_50000Pods",
    "SchedulingPodAffinity_5000Nodes",
    "SchedulingPodAntiAffinity_5000Nodes",
    "SchedulingNodeAffinity_5000Nodes",
    "TopologySpreading_5000Nodes",
    "PreemptionBasic_500Nodes",
    "Unschedulable_5000Nodes_200InitPods",
    "SchedulingDaemonset_15000Nodes",
    "SchedulingWithMixedChurn_5000Nodes",
];

impl Case {
    fn of(name: &str) -> Option<Case> {
        let name = NAMES.iter().find(|n| **n == name)?;
        let plain = |nodes, before, measured| Case { name, nodes, zones: &[], before, measured, churn: false };
        let one = &["zone1"];
        let none = (0, Shape::Default);
        Some(match *name {
            "SchedulingBasic_5000Nodes_10000Pods" => plain(5000, (1000, Shape::Default), (10_000, Shape::Default)),
            "SchedulingBasic_5000Nodes_50000Pods" => plain(5000, (1000, Shape::Default), (50_000, Shape::Default)),
            "SchedulingPodAffinity_5000Nodes" => {
                Case { zones: one, ..plain(5000, (5000, Shape::Affinity), (5000, Shape::Affinity)) }
            }
            "SchedulingPodAntiAffinity_5000Nodes" => {
                plain(5000, (1000, Shape::AntiAffinity), (2000, Shape::AntiAffinity))
            }
            "SchedulingNodeAffinity_5000Nodes" => {
                Case { zones: one, ..plain(5000, (5000, Shape::NodeAffinity), (10_000, Shape::NodeAffinity)) }
            }
            "TopologySpreading_5000Nodes" => Case {
                zones: &["moon-1", "moon-2", "moon-3"],
                ..plain(5000, (5000, Shape::Default), (5000, Shape::Spread))
            },
            "PreemptionBasic_500Nodes" => plain(500, (2000, Shape::LowPriority), (500, Shape::HighPriority)),
            "Unschedulable_5000Nodes_200InitPods" => plain(5000, (200, Shape::Large), (10_000, Shape::Default)),
            "SchedulingDaemonset_15000Nodes" => plain(15_000, none, (15_000, Shape::Daemon)),
            _ => Case { churn: true, ..plain(5000, none, (10_000, Shape::Default)) },
        })
    }
}

/// The names of the cases, for [`Perf::new`].
#[wasm_bindgen]
pub fn perf_cases() -> Vec<String> {
    NAMES.iter().map(|n| (*n).to_string()).collect()
}

/// One case, made and ready to be measured.
#[wasm_bindgen]
pub struct Perf {
    cluster: Cluster,
    case: Case,
}

#[wasm_bindgen]
impl Perf {
    /// # Panics
    /// There is no such case, or the cluster refuses its own objects.
    #[wasm_bindgen(constructor)]
    pub fn new(name: &str, recording: bool) -> Perf {
        let case = Case::of(name).expect("a case of that name");
        let mut cluster = start("", 0, 1, recording).expect("a cluster");
        let classes = "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata:\n  name: high\nvalue: 10\n";
        apply(&mut cluster, &[classes.to_string()]);
        let nodes: Vec<String> = (0..case.nodes).map(|i| node(i, case.zones)).collect();
        apply(&mut cluster, &nodes);
        // The nodes are found Ready and lose their taints.
        cluster.advance(Duration::from_secs(5 + u64::from(case.nodes) / 500));
        let tainted = |n: &Node| n.spec.as_ref().is_some_and(|s| s.taints.as_ref().is_some_and(|t| !t.is_empty()));
        assert!(!cluster.view().list::<Node>().any(tainted), "every node takes pods");
        cluster.set_process("kube-controller-manager", false);
        let (count, shape) = case.before;
        apply(&mut cluster, &pods("before", count, shape));
        settle(&mut cluster, "before-", if shape == Shape::Large { 0 } else { count });
        // What is measured begins with the pods waiting.
        cluster.set_process("kube-scheduler", false);
        let (count, shape) = case.measured;
        apply(&mut cluster, &pods("measured", count, shape));
        Perf { cluster, case }
    }

    /// Schedules the measured pods; how many have a node.
    pub fn run(&mut self) -> u32 {
        self.cluster.set_process("kube-scheduler", true);
        if !self.case.churn {
            return settle(&mut self.cluster, "measured-", self.case.measured.0);
        }
        for round in 0u32.. {
            churn(&mut self.cluster, round);
            self.cluster.advance(Duration::from_secs(1));
            let bound = bound(&self.cluster, "measured-");
            if bound >= self.case.measured.0 || round > 600 {
                return bound;
            }
        }
        0
    }

    /// Pods that are measured.
    pub fn measured(&self) -> u32 {
        self.case.measured.0
    }
    pub fn name(&self) -> String {
        self.case.name.into()
    }
}

/// Runs until so many pods of a name have nodes and the scheduler has nothing left to try; how many have.
fn settle(cluster: &mut Cluster, prefix: &str, wanted: u32) -> u32 {
    let tried = |c: &Cluster| {
        let scheduler = c.slots().find(|s| s.component.process() == "kube-scheduler");
        scheduler.map(|s| c.gauge(s)).is_some_and(|g| g.queued + g.delayed == 0)
    };
    cluster.run_until(Duration::from_secs(600), |c| tried(c) && bound(c, prefix) >= wanted);
    bound(cluster, prefix)
}

fn bound(c: &Cluster, prefix: &str) -> u32 {
    let is = |p: &&Pod| {
        p.spec.as_ref().is_some_and(|s| s.node_name.is_some())
            && p.metadata.name.as_deref().is_some_and(|n| n.starts_with(prefix))
    };
    c.view().list_in::<Pod>("default").filter(is).count() as u32
}

fn churn(cluster: &mut Cluster, round: u32) {
    let objects = |n: u32| {
        let node = node(n, &[]).replacen("name: node-", "name: churn-", 1);
        let service = format!(
            "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: churn-{n}\nspec:\n  selector: {{app: foo}}\n  ports:\n  - \
             {{port: 8080, targetPort: 8080}}\n"
        );
        format!("{node}{}{service}", pods(&format!("churn-{n}"), 1, Shape::Large).concat())
    };
    if round > 0 {
        let files = [protocol::File { name: "churn.yaml".into(), text: objects(round - 1) }];
        engine::apply::run(cluster, protocol::ApplyMode::Delete, &files);
    }
    apply(cluster, &[objects(round)]);
}

fn node(i: u32, zones: &[&str]) -> String {
    let zone = zones.get(i as usize % zones.len().max(1)).map_or(String::new(), |zone| {
        format!("\n  labels: {{kubernetes.io/hostname: node-{i}, topology.kubernetes.io/zone: {zone}}}")
    });
    let labels = if zone.is_empty() { format!("\n  labels: {{kubernetes.io/hostname: node-{i}}}") } else { zone };
    format!(
        "---\napiVersion: v1\nkind: Node\nmetadata:\n  name: node-{i}{labels}\nstatus:\n  capacity: {{cpu: '4', memory: 32Gi, \
         pods: '110'}}\n  allocatable: {{cpu: '4', memory: 32Gi, pods: '110'}}\n  conditions:\n  - {{type: Ready, status: \
         'True'}}\n"
    )
}

fn pods(name: &str, count: u32, shape: Shape) -> Vec<String> {
    let (color, cpu, spec) = match shape {
        Shape::Default => ("", "100m", String::new()),
        Shape::AntiAffinity => ("green", "100m", term("podAntiAffinity", "green", "kubernetes.io/hostname")),
        Shape::Affinity => ("blue", "100m", term("podAffinity", "blue", "topology.kubernetes.io/zone")),
        Shape::NodeAffinity => (
            "",
            "100m",
            "  affinity:\n    nodeAffinity:\n      requiredDuringSchedulingIgnoredDuringExecution:\n        nodeSelectorTerms:\n        \
             - matchExpressions:\n          - {key: topology.kubernetes.io/zone, operator: In, values: [zone1, zone2]}\n"
                .into(),
        ),
        Shape::Spread => (
            "blue",
            "100m",
            "  topologySpreadConstraints:\n  - maxSkew: 5\n    topologyKey: topology.kubernetes.io/zone\n    \
             whenUnsatisfiable: DoNotSchedule\n    labelSelector:\n      matchLabels: {color: blue}\n"
                .into(),
        ),
        Shape::LowPriority => ("", "900m", "  terminationGracePeriodSeconds: 0\n".into()),
        Shape::HighPriority => ("", "3000m", "  priorityClassName: high\n".into()),
        Shape::Large => ("", "9000m", "  priorityClassName: high\n".into()),
        Shape::Daemon => ("", "100m", String::new()),
    };
    let labels = if color.is_empty() { String::new() } else { format!("\n  labels: {{color: {color}}}") };
    (0..count)
        .map(|i| {
            let daemon = match shape {
                Shape::Daemon => format!(
                    "  affinity:\n    nodeAffinity:\n      requiredDuringSchedulingIgnoredDuringExecution:\n        \
                     nodeSelectorTerms:\n        - matchFields:\n          - {{key: metadata.name, operator: In, values: \
                     [node-{i}]}}\n"
                ),
                _ => String::new(),
            };
            format!(
                "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}-{i}{labels}\nspec:\n{spec}{daemon}  containers:\n  - \
                 name: pause\n    image: registry.k8s.io/pause:3.10\n    ports: [{{containerPort: 80}}]\n    resources:\n      \
                 requests: {{cpu: {cpu}, memory: 500Mi}}\n"
            )
        })
        .collect()
}

fn term(kind: &str, color: &str, topology: &str) -> String {
    format!(
        "  affinity:\n    {kind}:\n      requiredDuringSchedulingIgnoredDuringExecution:\n      - topologyKey: {topology}\n        \
         labelSelector:\n          matchLabels: {{color: {color}}}\n"
    )
}
