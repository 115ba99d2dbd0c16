//! The edits that may help a pod, as data: each can be carried out on a draft, and says which field it changed and how.

use k8s_openapi::api::core::v1::{Node, Pod, PodSpec, Taint, Toleration};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::Value;
use std::collections::BTreeMap;
use trace::explain::Edit;
use trace::{Note, note};

/// Objects being edited.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub pod: Pod,
    /// Nodes changed or added.
    pub nodes: BTreeMap<String, Node>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Takes all scheduling gates away.
    Ungate,
    Tolerate(Taint),
    DropSelector(String),
    ChangeSelector {
        key: String,
        value: String,
    },
    /// An expression of a required node affinity term; the term goes when it was the last.
    DropExpression {
        term: usize,
        expression: usize,
    },
    DropNodeAffinity,
    HostPort {
        container: usize,
        port: usize,
    },
    Request {
        container: usize,
        resource: String,
        amount: String,
    },
    /// A class that is there, or one to be made.
    Priority {
        class: String,
        value: i32,
        new: bool,
    },
    AllowPreemption,
    SoftSpread(usize),
    MaxSkew {
        constraint: usize,
        skew: i32,
    },
    DropAffinityTerm {
        anti: bool,
        term: usize,
    },
    Uncordon(Node),
    Untaint {
        node: Node,
        taint: Taint,
    },
    Label {
        node: Node,
        key: String,
        value: String,
    },
    AddNode {
        node: Node,
        cpu: String,
        memory: String,
        pods: String,
    },
}

/// The value at a path like `spec.containers[0].resources`; null when it is not there.
fn at(mut v: &Value, path: &str) -> Value {
    for part in path.split(['.', '[']).filter(|p| !p.is_empty()) {
        let next = match part.strip_suffix(']') {
            Some(i) => i.parse().ok().and_then(|i: usize| v.get(i)),
            None => v.get(part),
        };
        match next {
            Some(n) => v = n,
            None => return Value::Null,
        }
    }
    v.clone()
}

fn value<T: serde::Serialize>(o: &T) -> Value {
    serde_json::to_value(o).unwrap_or_default()
}

fn affinity_list(spec: &mut PodSpec, anti: bool) -> Option<&mut Vec<k8s_openapi::api::core::v1::PodAffinityTerm>> {
    let affinity = spec.affinity.as_mut()?;
    match anti {
        true => affinity.pod_anti_affinity.as_mut()?.required_during_scheduling_ignored_during_execution.as_mut(),
        false => affinity.pod_affinity.as_mut()?.required_during_scheduling_ignored_during_execution.as_mut(),
    }
}

impl Op {
    /// Smaller is a smaller change: to the pod's wishes first, then to what it needs, then to the cluster.
    pub fn cost(&self) -> u32 {
        match self {
            Op::Ungate => 1,
            Op::Tolerate(_) | Op::SoftSpread(_) | Op::MaxSkew { .. } | Op::ChangeSelector { .. } => 2,
            Op::DropSelector(_) | Op::DropExpression { .. } | Op::Uncordon(_) | Op::HostPort { .. } => 3,
            Op::Request { .. } | Op::DropNodeAffinity | Op::DropAffinityTerm { .. } | Op::Label { .. } => 4,
            Op::Untaint { .. } | Op::AllowPreemption => 5,
            Op::Priority { new, .. } => 6 + u32::from(*new),
            Op::AddNode { .. } => 9,
        }
    }

    /// Changes the draft; `None` when there is nothing to change (any more).
    pub fn apply(&self, draft: &mut Draft) -> Option<Edit> {
        let pod = |draft: &mut Draft, path: &str, note: Note, change: &dyn Fn(&mut PodSpec) -> Option<()>| {
            let before = at(&value(&draft.pod), path);
            change(draft.pod.spec.as_mut()?)?;
            let meta = &draft.pod.metadata;
            Some(Edit {
                note,
                api_version: "v1".into(),
                kind: "Pod".into(),
                namespace: meta.namespace.clone().unwrap_or_default(),
                name: meta.name.clone().unwrap_or_default(),
                path: path.into(),
                before,
                after: at(&value(&draft.pod), path),
            })
        };
        let node =
            |draft: &mut Draft, node: &Node, path: &str, note: Note, change: &dyn Fn(&mut Node) -> Option<()>| {
                let name = node.metadata.name.clone().unwrap_or_default();
                let n = draft.nodes.entry(name.clone()).or_insert_with(|| node.clone());
                let before = at(&value(n), path);
                change(n)?;
                let after = at(&value(n), path);
                let (api_version, kind, path) = ("v1".into(), "Node".into(), path.into());
                Some(Edit { note, api_version, kind, namespace: String::new(), name, path, before, after })
            };
        match self {
            Op::Ungate => {
                let gates = draft.pod.spec.iter().flat_map(|s| s.scheduling_gates.iter().flatten());
                let names: Vec<&str> = gates.map(|g| g.name.as_str()).collect();
                let n = note!("fix.ungate", gates = names.join(", "));
                pod(draft, "spec.schedulingGates", n, &|s| s.scheduling_gates.take().map(|_| ()))
            }
            Op::Tolerate(t) => {
                let n = note!("fix.tolerate", taint = crate::plugins::taint_toleration::taint_text(t));
                let value = t.value.clone().filter(|v| !v.is_empty());
                let toleration = Toleration {
                    key: Some(t.key.clone()),
                    operator: Some(if value.is_some() { "Equal" } else { "Exists" }.into()),
                    value,
                    effect: Some(t.effect.clone()),
                    toleration_seconds: None,
                };
                pod(draft, "spec.tolerations", n, &|s| {
                    s.tolerations.get_or_insert_default().push(toleration.clone());
                    Some(())
                })
            }
            Op::DropSelector(key) => {
                let want = draft.pod.spec.as_ref()?.node_selector.as_ref()?.get(key)?.clone();
                pod(draft, "spec.nodeSelector", note!("fix.selector-drop", key = key, value = want), &|s| {
                    let all = s.node_selector.as_mut()?;
                    all.remove(key)?;
                    if all.is_empty() {
                        s.node_selector = None;
                    }
                    Some(())
                })
            }
            Op::ChangeSelector { key, value } => {
                let was = draft.pod.spec.as_ref()?.node_selector.as_ref()?.get(key)?.clone();
                let n = note!("fix.selector-change", key = key, was = was, value = value);
                pod(draft, "spec.nodeSelector", n, &|s| {
                    *s.node_selector.as_mut()?.get_mut(key)? = value.clone();
                    Some(())
                })
            }
            Op::DropExpression { term, expression } => {
                const PATH: &str = "spec.affinity.nodeAffinity";
                let terms = |s: &PodSpec| {
                    let a = s.affinity.as_ref()?.node_affinity.as_ref()?;
                    Some(a.required_during_scheduling_ignored_during_execution.as_ref()?.node_selector_terms.clone())
                };
                let all = terms(draft.pod.spec.as_ref()?)?;
                let key = all.get(*term)?.match_expressions.as_ref()?.get(*expression)?.key.clone();
                pod(draft, PATH, note!("fix.expression-drop", term = term + 1, key = key), &|s| {
                    let affinity = s.affinity.as_mut()?.node_affinity.as_mut()?;
                    let required = affinity.required_during_scheduling_ignored_during_execution.as_mut()?;
                    let t = required.node_selector_terms.get_mut(*term)?;
                    t.match_expressions.as_mut()?.remove(*expression);
                    let left = |o: &Option<Vec<_>>| o.as_ref().is_some_and(|v| !v.is_empty());
                    if !left(&t.match_expressions) && !left(&t.match_fields) {
                        // A term without requirements matches nothing; no terms at all is no requirement.
                        affinity.required_during_scheduling_ignored_during_execution = None;
                    }
                    Some(())
                })
            }
            Op::DropNodeAffinity => pod(draft, "spec.affinity.nodeAffinity", note!("fix.node-affinity-drop"), &|s| {
                let affinity = s.affinity.as_mut()?.node_affinity.as_mut()?;
                affinity.required_during_scheduling_ignored_during_execution.take().map(|_| ())
            }),
            Op::HostPort { container, port } => {
                let path = format!("spec.containers[{container}].ports[{port}]");
                let c = draft.pod.spec.as_ref()?.containers.get(*container)?;
                let number = c.ports.as_ref()?.get(*port)?.host_port?;
                pod(draft, &path, note!("fix.host-port", port = number, container = c.name.clone()), &|s| {
                    s.containers.get_mut(*container)?.ports.as_mut()?.get_mut(*port)?.host_port.take().map(|_| ())
                })
            }
            Op::Request { container, resource, amount } => {
                let path = format!("spec.containers[{container}].resources");
                let c = draft.pod.spec.as_ref()?.containers.get(*container)?;
                let was = c.resources.as_ref()?.requests.as_ref()?.get(resource)?.0.clone();
                let n = note!("fix.request", resource = resource, was = was, to = amount, container = c.name.clone());
                pod(draft, &path, n, &|s| {
                    let r = s.containers.get_mut(*container)?.resources.as_mut()?;
                    r.requests.as_mut()?.insert(resource.clone(), Quantity(amount.clone()));
                    // Extended resources are never promised beyond what is asked for.
                    if resource.contains('/') {
                        r.limits.as_mut()?.insert(resource.clone(), Quantity(amount.clone()));
                    }
                    Some(())
                })
            }
            Op::Priority { class, value, new } => {
                let code = if *new { "fix.priority-new" } else { "fix.priority" };
                let n = Note::new(code).with("class", class).with("value", value);
                pod(draft, "spec.priorityClassName", n, &|s| {
                    (s.priority_class_name, s.priority) = (Some(class.clone()), Some(*value));
                    Some(())
                })
            }
            Op::AllowPreemption => pod(draft, "spec.preemptionPolicy", note!("fix.preemption-policy"), &|s| {
                s.preemption_policy.replace("PreemptLowerPriority".into()).map(|_| ())
            }),
            Op::SoftSpread(i) => {
                let path = format!("spec.topologySpreadConstraints[{i}].whenUnsatisfiable");
                let key = draft.pod.spec.as_ref()?.topology_spread_constraints.as_ref()?.get(*i)?.topology_key.clone();
                pod(draft, &path, note!("fix.spread-soft", key = key), &|s| {
                    let c = s.topology_spread_constraints.as_mut()?.get_mut(*i)?;
                    c.when_unsatisfiable = "ScheduleAnyway".into();
                    c.min_domains = None;
                    Some(())
                })
            }
            Op::MaxSkew { constraint, skew } => {
                let path = format!("spec.topologySpreadConstraints[{constraint}].maxSkew");
                let c = draft.pod.spec.as_ref()?.topology_spread_constraints.as_ref()?.get(*constraint)?;
                let n = note!("fix.max-skew", key = c.topology_key.clone(), was = c.max_skew, to = skew);
                pod(draft, &path, n, &|s| {
                    s.topology_spread_constraints.as_mut()?.get_mut(*constraint)?.max_skew = *skew;
                    Some(())
                })
            }
            Op::DropAffinityTerm { anti, term } => {
                let path = if *anti { "spec.affinity.podAntiAffinity" } else { "spec.affinity.podAffinity" };
                let key = affinity_list(&mut draft.pod.clone().spec?, *anti)?.get(*term)?.topology_key.clone();
                let code = if *anti { "fix.pod-anti-affinity-drop" } else { "fix.pod-affinity-drop" };
                pod(draft, path, Note::new(code).with("term", term + 1).with("key", key), &|s| {
                    let list = affinity_list(s, *anti)?;
                    list.get(*term)?;
                    list.remove(*term);
                    Some(())
                })
            }
            Op::Uncordon(n) => {
                let note = note!("fix.uncordon", node = n.metadata.name.clone().unwrap_or_default());
                node(draft, n, "spec.unschedulable", note, &|n| n.spec.as_mut()?.unschedulable.take().map(|_| ()))
            }
            Op::Untaint { node: n, taint } => {
                let shown = crate::plugins::taint_toleration::taint_text(taint);
                let note = note!("fix.untaint", node = n.metadata.name.clone().unwrap_or_default(), taint = shown);
                node(draft, n, "spec.taints", note, &|n| {
                    let spec = n.spec.as_mut()?;
                    let taints = spec.taints.as_mut()?;
                    let i = taints.iter().position(|t| t.key == taint.key && t.effect == taint.effect)?;
                    taints.remove(i);
                    if taints.is_empty() {
                        spec.taints = None;
                    }
                    Some(())
                })
            }
            Op::Label { node: n, key, value } => {
                let name = n.metadata.name.clone().unwrap_or_default();
                node(draft, n, "metadata.labels", note!("fix.label", node = name, key = key, value = value), &|n| {
                    n.metadata.labels.get_or_insert_default().insert(key.clone(), value.clone());
                    Some(())
                })
            }
            Op::AddNode { node: n, cpu, memory, pods } => {
                let name = n.metadata.name.clone().unwrap_or_default();
                draft.nodes.insert(name.clone(), n.clone());
                Some(Edit {
                    note: note!("fix.add-node", cpu = cpu, memory = memory, pods = pods),
                    api_version: "v1".into(),
                    kind: "Node".into(),
                    name,
                    after: value(n),
                    ..Edit::default()
                })
            }
        }
    }
}

/// A class for [`Op::Priority`] that is not there yet.
pub fn new_class(name: &str, value: i32) -> PriorityClass {
    PriorityClass {
        metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
            name: Some(name.into()),
            ..Default::default()
        },
        value,
        ..PriorityClass::default()
    }
}
