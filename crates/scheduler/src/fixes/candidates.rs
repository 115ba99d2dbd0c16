//! Which edits are worth trying: those that speak to what refuses the pod somewhere.

use super::op::Op;
use crate::framework::node_info::is_hard;
use crate::framework::{NodeInfo, PodInfo};
use crate::moment::Moment;
use crate::plugins::amounts::quantity;
use crate::plugins::node_selector::Terms;
use crate::plugins::tolerations::any_tolerates;
use crate::plugins::{inter_pod_affinity, node_affinity, node_ports, node_resources_fit, node_unschedulable};
use crate::plugins::{pod_topology_spread, scheduling_gates, taint_toleration};
use k8s_openapi::api::core::v1::{Node, NodeSelector, NodeSelectorTerm, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Nodes of which an edit each is tried; of thousands that differ in nothing, a few are enough.
const NODES_MAX: usize = 6;
/// Values of a label that are tried in place of the one asked for.
const VALUES_MAX: usize = 5;

/// A node and the plugins that refuse the pod there.
pub struct Refusal {
    pub node: Arc<NodeInfo>,
    pub by: BTreeSet<String>,
}

/// What it needs to think of edits.
pub struct Case<'a> {
    pub moment: &'a Moment,
    /// Nodes with the fewest refusals first.
    pub refusals: Vec<Refusal>,
    /// Name and value of the priority classes there are.
    pub classes: &'a [(String, i32)],
}

impl Case<'_> {
    fn refused_by(&self, plugin: &str) -> bool {
        self.refusals.iter().any(|r| r.by.contains(plugin))
    }
    fn nodes(&self, plugin: &str) -> impl Iterator<Item = &Arc<NodeInfo>> {
        self.refusals.iter().filter(move |r| r.by.contains(plugin)).map(|r| &r.node)
    }

    /// Every single edit, and a few that only make sense together.
    pub fn candidates(&self) -> Vec<Vec<Op>> {
        let pod = &self.moment.pod;
        let Some(spec) = pod.pod.spec.as_ref() else { return Vec::new() };
        let mut ops: Vec<Op> = Vec::new();
        let mut together: Vec<Vec<Op>> = Vec::new();
        if spec.scheduling_gates.as_ref().is_some_and(|g| !g.is_empty())
            && self.moment.framework().is_some_and(|f| f.plugins_at("preEnqueue").contains(&scheduling_gates::NAME))
        {
            ops.push(Op::Ungate);
        }
        if self.refused_by(node_unschedulable::NAME) {
            ops.extend(self.nodes(node_unschedulable::NAME).take(NODES_MAX).map(|n| Op::Uncordon((*n.node).clone())));
        }
        if self.refused_by(taint_toleration::NAME) {
            self.taints(pod, &mut ops, &mut together);
        }
        if self.refused_by(node_affinity::NAME) || self.only_some_nodes() {
            self.node_affinity(spec, &mut ops);
        }
        if self.refused_by(node_ports::NAME) {
            for (container, c) in spec.containers.iter().enumerate() {
                let ports = c.ports.iter().flatten().enumerate().filter(|(_, p)| p.host_port.is_some_and(|n| n > 0));
                ops.extend(ports.map(|(port, _)| Op::HostPort { container, port }));
            }
        }
        if self.refused_by(pod_topology_spread::NAME) {
            let constraints = spec.topology_spread_constraints.iter().flatten().enumerate();
            for (i, c) in constraints.filter(|(_, c)| c.when_unsatisfiable == "DoNotSchedule") {
                for skew in 1..=3 {
                    ops.push(Op::MaxSkew { constraint: i, skew: c.max_skew.saturating_add(skew) });
                }
                ops.push(Op::SoftSpread(i));
            }
        }
        if self.refused_by(inter_pod_affinity::NAME) {
            let terms = |anti: bool, n: usize| (0..n).map(move |term| Op::DropAffinityTerm { anti, term });
            ops.extend(terms(false, pod.affinity.required.len()));
            ops.extend(terms(true, pod.affinity.required_anti.len()));
        }
        if self.refused_by(node_resources_fit::NAME) {
            self.requests(pod, spec, &mut ops, &mut together);
        }
        self.priority(pod, spec, &mut ops, &mut together);
        ops.extend(self.add_node(pod));
        ops.into_iter().map(|op| vec![op]).chain(together).collect()
    }

    /// PreFilter narrowed the nodes by their names.
    fn only_some_nodes(&self) -> bool {
        self.moment.cycle().pre_filter.iter().any(|r| r.node_names.is_some())
    }

    fn taints(&self, pod: &PodInfo, ops: &mut Vec<Op>, together: &mut Vec<Vec<Op>>) {
        let mut seen: Vec<(String, Option<String>, String)> = Vec::new();
        for n in self.nodes(taint_toleration::NAME).take(NODES_MAX * 10) {
            let bad = || n.taints().iter().filter(|t| is_hard(t) && !any_tolerates(pod.tolerations(), t));
            for t in bad() {
                let id = (t.key.clone(), t.value.clone(), t.effect.clone());
                if seen.len() < NODES_MAX * 2 && !seen.contains(&id) {
                    seen.push(id);
                    ops.push(Op::Tolerate(t.clone()));
                    ops.push(Op::Untaint { node: (*n.node).clone(), taint: t.clone() });
                }
            }
            if bad().count() > 1 && together.len() < NODES_MAX {
                together.push(bad().map(|t| Op::Tolerate(t.clone())).collect());
            }
        }
    }

    fn node_affinity(&self, spec: &PodSpec, ops: &mut Vec<Op>) {
        let all = &self.moment.snapshot().nodes;
        for (key, want) in spec.node_selector.iter().flatten() {
            let mut values: BTreeMap<&str, usize> = BTreeMap::new();
            for value in all.iter().filter_map(|n| n.labels()?.get(key)).filter(|v| *v != want) {
                *values.entry(value).or_default() += 1;
            }
            // A name of one node each is not a class of nodes.
            let classes = values.len() <= VALUES_MAX;
            for value in values.keys().take(VALUES_MAX).filter(|_| classes) {
                ops.push(Op::ChangeSelector { key: key.clone(), value: (*value).into() });
            }
            ops.push(Op::DropSelector(key.clone()));
            for n in self.nodes(node_affinity::NAME).take(NODES_MAX / 2) {
                let (node, key, value) = ((*n.node).clone(), key.clone(), want.clone());
                ops.push(Op::Label { node, key, value });
            }
        }
        let affinity = spec.affinity.as_ref().and_then(|a| a.node_affinity.as_ref());
        let required = affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
        for (term, t) in required.into_iter().flat_map(|r| &r.node_selector_terms).enumerate() {
            for (expression, r) in t.match_expressions.iter().flatten().enumerate() {
                let alone = NodeSelectorTerm { match_expressions: Some(vec![r.clone()]), match_fields: None };
                let alone = Terms::new(&NodeSelector { node_selector_terms: vec![alone] });
                if !all.iter().all(|n| alone.matches(&n.node)) {
                    ops.push(Op::DropExpression { term, expression });
                }
                if let ("In", Some([value, ..])) = (r.operator.as_str(), r.values.as_deref()) {
                    for n in self.nodes(node_affinity::NAME).take(NODES_MAX / 2) {
                        let (node, key, value) = ((*n.node).clone(), r.key.clone(), value.clone());
                        ops.push(Op::Label { node, key, value });
                    }
                }
            }
        }
        if required.is_some() {
            ops.push(Op::DropNodeAffinity);
        }
    }

    /// The largest requests that fit: on nodes where nothing else refuses, or on any.
    fn requests(&self, pod: &PodInfo, spec: &PodSpec, ops: &mut Vec<Op>, together: &mut Vec<Vec<Op>>) {
        let only_this = |r: &&Refusal| r.by.len() == 1 && r.by.contains(node_resources_fit::NAME);
        let mut nodes: Vec<&Arc<NodeInfo>> = self.refusals.iter().filter(only_this).map(|r| &r.node).collect();
        if nodes.is_empty() {
            nodes = self.nodes(node_resources_fit::NAME).collect();
        }
        let resources = ["cpu", "memory", "ephemeral-storage"].into_iter().map(String::from);
        let scalar = pod.requests.scalar.iter().map(|(n, _)| n.to_string());
        let asked: Vec<String> = resources.chain(scalar).filter(|r| pod.requests.amount(r) > 0).collect();
        let free = |n: &NodeInfo, r: &str| n.allocatable.amount(r) - n.requested.amount(r);
        let short = |n: &NodeInfo| -> Vec<String> {
            asked.iter().filter(|r| pod.requests.amount(r) > free(n, r)).cloned().collect()
        };
        // One resource is short, and the pod has the most of it there.
        for r in &asked {
            let best = nodes.iter().filter(|n| short(n) == [r.clone()]).map(|n| free(n, r)).max();
            ops.extend(best.and_then(|room| lower(pod, spec, r, room)));
        }
        // Several are short: what one node has.
        let mut several: Vec<&&Arc<NodeInfo>> = nodes.iter().filter(|n| short(n).len() > 1).collect();
        several.sort_by_key(|n| std::cmp::Reverse((free(n, "cpu"), free(n, "memory"))));
        for n in several.into_iter().take(NODES_MAX / 2) {
            let all: Option<Vec<Op>> = short(n).iter().map(|r| lower(pod, spec, r, free(n, r))).collect();
            together.extend(all);
        }
    }

    fn priority(&self, pod: &PodInfo, spec: &PodSpec, ops: &mut Vec<Op>, together: &mut Vec<Vec<Op>>) {
        // The smallest priority that is above somebody's on each node; more helps only where it is not enough.
        let lower: BTreeSet<i32> = self
            .refusals
            .iter()
            .flat_map(|r| r.node.pods.iter().map(|p| p.priority))
            .filter(|p| *p >= pod.priority)
            .collect();
        let never = spec.preemption_policy.as_deref() == Some("Never");
        let allow = |op: Op| if never { vec![op, Op::AllowPreemption] } else { vec![op] };
        if never {
            ops.push(Op::AllowPreemption);
        }
        let mut classes: Vec<&(String, i32)> =
            self.classes.iter().filter(|(n, v)| *v > pod.priority && !n.starts_with("system-")).collect();
        classes.sort_by_key(|(_, v)| *v);
        for (class, value) in classes.iter().take(VALUES_MAX) {
            together.push(allow(Op::Priority { class: class.clone(), value: *value, new: false }));
        }
        if classes.is_empty() {
            for needed in lower.iter().take(VALUES_MAX).map(|p| p.saturating_add(1)).filter(|v| *v <= 1_000_000_000) {
                let class = format!("priority-{needed}");
                together.push(allow(Op::Priority { class, value: needed, new: true }));
            }
        }
    }

    /// One more node, as large as the largest there is, or as the pod needs.
    fn add_node(&self, pod: &PodInfo) -> Option<Op> {
        let like = self.moment.snapshot().nodes.iter().max_by_key(|n| (n.allocatable.milli_cpu, n.allocatable.memory));
        let want = &pod.requests;
        let (cpu, memory, pods) = match like {
            Some(n) => (n.allocatable.milli_cpu, n.allocatable.memory, n.allocatable.allowed_pod_number.max(1)),
            None => (4000, 8 << 30, 110),
        };
        // Twice as large until the pod fits.
        let grow = |mut have: i64, want: i64| {
            while have < want && have > 0 {
                have = have.saturating_mul(2);
            }
            have
        };
        let (cpu, memory) = (grow(cpu, want.milli_cpu), grow(memory, want.memory));
        let (cpu, memory, pods) = (quantity("cpu", cpu), quantity("memory", memory), pods.to_string());
        let mut node = Node::default();
        let names: BTreeSet<&str> = self.moment.snapshot().nodes.iter().map(|n| &*n.name).collect();
        let name = (1..).map(|i| format!("node-{i}")).find(|n| !names.contains(n.as_str()))?;
        let mut labels: BTreeMap<String, String> = BTreeMap::new();
        // As the machines here are born; a zone or a disk would be a guess.
        labels.insert("kubernetes.io/hostname".into(), name.clone());
        labels.insert("kubernetes.io/os".into(), "linux".into());
        labels.insert("kubernetes.io/arch".into(), "amd64".into());
        node.metadata.name = Some(name);
        node.metadata.labels = Some(labels);
        let list = [("cpu", &cpu), ("memory", &memory), ("pods", &pods)];
        let list: BTreeMap<String, ApiQuantity> =
            list.into_iter().map(|(n, q)| (n.into(), ApiQuantity(q.clone()))).collect();
        let status = node.status.get_or_insert_default();
        (status.allocatable, status.capacity) = (Some(list.clone()), Some(list));
        Some(Op::AddNode { node, cpu, memory, pods })
    }
}

/// Lowers the largest request of a resource so that the whole pod fits into `room`.
fn lower(pod: &PodInfo, spec: &PodSpec, resource: &str, room: i64) -> Option<Op> {
    let asks = |c: &k8s_openapi::api::core::v1::Container| {
        let q = c.resources.as_ref()?.requests.as_ref()?.get(resource)?;
        let q = meta::Quantity::of(q);
        Some(if resource == "cpu" { q.milli_value() } else { q.value() })
    };
    let (container, most) =
        spec.containers.iter().enumerate().filter_map(|(i, c)| Some((i, asks(c)?))).max_by_key(|(_, n)| *n)?;
    let mut to = most - (pod.requests.amount(resource) - room);
    // Amounts that people would write.
    let grain = match resource {
        "cpu" => 10,
        "memory" | "ephemeral-storage" => 1 << 20,
        _ => 1,
    };
    to -= to.rem_euclid(grain);
    (to > 0 && to < most).then(|| Op::Request { container, resource: resource.into(), amount: quantity(resource, to) })
}
