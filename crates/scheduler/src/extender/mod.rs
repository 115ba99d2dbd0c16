//! Programs outside the scheduler that filter, score, bind and take part in preemption. Models
//! `pkg/scheduler/extender.go`: what is asked and what is made of the answers. The host carries the questions over
//! ([`Caller`]).

mod wire;

use crate::framework::{Handle, NodeInfo, PodInfo, Status};
use crate::preemption::Candidate;
use k8s_openapi::api::core::v1::{Binding, Node, Pod};
use meta::{Duration, Key};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{Answer, field};

/// Scores of extenders go to 10, those of plugins to 100.
const SCALE: i64 = 10;
/// What is said to have refused a pod that an extender refused. Models `framework.ExtenderName`.
pub const EXTENDER: &str = "Extender";

/// How to reach an extender over TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    pub insecure: bool,
    pub server_name: String,
    /// PEM: files, and the same as data, which comes first.
    pub cert_file: String,
    pub key_file: String,
    pub ca_file: String,
    pub cert_data: Vec<u8>,
    pub key_data: Vec<u8>,
    pub ca_data: Vec<u8>,
}

/// One entry of `extenders`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    pub url_prefix: String,
    pub filter_verb: String,
    pub preempt_verb: String,
    pub prioritize_verb: String,
    pub bind_verb: String,
    pub weight: i64,
    pub enable_https: bool,
    pub tls: Option<Tls>,
    pub http_timeout: Duration,
    pub node_cache_capable: bool,
    /// Extended resources: name, and whether NodeResourcesFit leaves it to the extender.
    pub managed_resources: Vec<(String, bool)>,
    pub ignorable: bool,
}

/// Carries a question to an extender.
pub trait Caller: Send + Sync {
    /// Posts the JSON to the URL and returns the status code and the body.
    ///
    /// # Errors
    /// Why no answer came.
    fn post(&self, extender: &Config, url: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>), String>;
}

/// The configured extenders in the order they are asked, with a way to reach them.
#[derive(Clone)]
pub struct Extenders {
    list: Vec<Config>,
    caller: Arc<dyn Caller>,
}

/// What the extenders left of the feasible nodes, and why the others fell.
#[derive(Default)]
pub struct Filtered {
    pub feasible: Vec<usize>,
    pub refused: Vec<(usize, Status)>,
}

/// One extender's scores: its name, its weight and a raw score by node, in the order of the nodes.
pub struct Scores {
    pub name: String,
    pub weight: i64,
    pub raw: Vec<i64>,
}

impl Config {
    /// Whether the pod asks for a resource of the extender's; without any it cares for every pod.
    fn is_interested(&self, pod: &Pod) -> bool {
        let managed = |name: &String| self.managed_resources.iter().any(|(n, _)| n == name);
        let spec = pod.spec.as_ref();
        let containers = spec.map(|s| s.containers.iter().chain(s.init_containers.iter().flatten()));
        self.managed_resources.is_empty()
            || containers.into_iter().flatten().filter_map(|c| c.resources.as_ref()).any(|r| {
                let (requests, limits) = (r.requests.iter().flatten(), r.limits.iter().flatten());
                requests.chain(limits).any(|(name, _)| managed(name))
            })
    }

    /// Nodes as the extender wants them: their names when it knows them itself, else whole.
    fn arguments(&self, pod: &Pod, nodes: &[&NodeInfo]) -> Value {
        let (mut whole, mut names) = (Value::Null, Value::Null);
        if self.node_cache_capable {
            names = nodes.iter().map(|n| n.name.to_string()).collect();
        } else {
            let items: Vec<Value> = nodes.iter().map(|n| wire::object::<Node>(&n.node)).collect();
            whole = json!({"metadata": {}, "items": items});
        }
        json!({"Pod": wire::object(pod), "Nodes": whole, "NodeNames": names})
    }
}

impl Extenders {
    /// Ignorable ones go last, as upstream asks them.
    pub fn new(list: &[Config], caller: Arc<dyn Caller>) -> Self {
        let (last, mut list): (Vec<_>, Vec<_>) = list.iter().cloned().partition(|e| e.ignorable);
        list.extend(last);
        Extenders { list, caller }
    }

    pub fn caller(&self) -> Arc<dyn Caller> {
        self.caller.clone()
    }
    pub fn any_filters(&self) -> bool {
        self.list.iter().any(|e| !e.filter_verb.is_empty())
    }
    pub fn any_prioritizes(&self) -> bool {
        self.list.iter().any(|e| !e.prioritize_verb.is_empty())
    }

    fn ask(&self, e: &Config, verb: &str, question: &Value) -> Result<Answer, String> {
        exchange(&*self.caller, e, verb, question)
    }

    /// Asks one after the other, each about what the ones before left. Models findNodesThatPassExtenders.
    ///
    /// # Errors
    /// What an extender that must not be ignored said instead of an answer.
    pub fn filter(&self, h: &Handle, pod: &PodInfo, feasible: &[usize]) -> Result<Filtered, String> {
        let mut out = Filtered { feasible: feasible.to_vec(), refused: Vec::new() };
        for e in self.list.iter().filter(|e| !e.filter_verb.is_empty() && e.is_interested(&pod.pod)) {
            if out.feasible.is_empty() {
                break;
            }
            match self.filter_one(e, h, pod, &out.feasible) {
                Err(_) if e.ignorable => {}
                Err(why) => return Err(why),
                Ok(answer) => {
                    out.feasible = answer.feasible;
                    for (node, status) in answer.refused {
                        out.refused.retain(|(n, _)| *n != node);
                        out.refused.push((node, status));
                    }
                }
            }
        }
        Ok(out)
    }

    fn filter_one(&self, e: &Config, h: &Handle, pod: &PodInfo, feasible: &[usize]) -> Result<Filtered, String> {
        let nodes: Vec<&NodeInfo> = feasible.iter().map(|n| &*h.snapshot.nodes[*n]).collect();
        let answer = self.ask(e, &e.filter_verb, &e.arguments(&pod.pod, &nodes))?;
        let error = answer.text("Error");
        if !error.is_empty() {
            return Err(error);
        }
        let mut left = Vec::new();
        let names = answer.strings("NodeNames").filter(|_| e.node_cache_capable);
        let whole = || answer.get("Nodes").and_then(|l| field(l, "items")).and_then(Value::as_array);
        let kept: Vec<String> = match names {
            Some(names) => names,
            None => whole().into_iter().flatten().map(wire::name_of).collect(),
        };
        for name in kept {
            match h.snapshot.position(&name).filter(|n| feasible.contains(n)) {
                Some(n) => left.push(n),
                None => {
                    return Err(format!(
                        "extender {:?} claims a filtered node {name:?} which is not found in the input node list",
                        e.url_prefix
                    ));
                }
            }
        }
        let mut refused: BTreeMap<usize, Status> = BTreeMap::new();
        for (map, status) in [
            ("FailedNodes", Status::unschedulable as fn(String) -> Status),
            ("FailedAndUnresolvableNodes", Status::unresolvable),
        ] {
            for (name, why) in answer.map(map) {
                if let Some(n) = h.snapshot.position(&name) {
                    refused.insert(n, status(why).from_plugin(EXTENDER));
                }
            }
        }
        Ok(Filtered { feasible: left, refused: refused.into_iter().collect() })
    }

    /// The scores of every extender that gives any; those that fail give none. Models the second half of
    /// prioritizeNodes.
    pub fn prioritize(&self, h: &Handle, pod: &PodInfo, feasible: &[usize]) -> Vec<Scores> {
        let nodes: Vec<&NodeInfo> = feasible.iter().map(|n| &*h.snapshot.nodes[*n]).collect();
        let asked = self.list.iter().filter(|e| !e.prioritize_verb.is_empty() && e.is_interested(&pod.pod));
        asked
            .filter_map(|e| {
                let answer = self.ask(e, &e.prioritize_verb, &e.arguments(&pod.pod, &nodes)).ok()?;
                let by_host: BTreeMap<String, i64> = answer.scores();
                let raw = nodes.iter().map(|n| by_host.get(&*n.name).copied().unwrap_or(0)).collect();
                Some(Scores { name: e.url_prefix.clone(), weight: e.weight, raw })
            })
            .collect()
    }

    /// What an extender's score is worth before its weight.
    pub fn normalized(raw: i64) -> i64 {
        raw.saturating_mul(SCALE)
    }

    /// Lets the extenders take candidates and victims away, or change the victims. Models callExtenders.
    ///
    /// # Errors
    /// The status that ends the preemption.
    pub fn preempt(&self, h: &Handle, pod: &PodInfo, candidates: Vec<Candidate>) -> Result<Vec<Candidate>, Status> {
        let mut left = candidates;
        for e in self.list.iter().filter(|e| !e.preempt_verb.is_empty() && e.is_interested(&pod.pod)) {
            if left.is_empty() {
                break;
            }
            match self.preempt_one(e, h, pod, &left) {
                Err(_) if e.ignorable => {}
                Err(why) => return Err(Status::error(why)),
                Ok(answer) => {
                    if let Some(c) = answer.iter().find(|c| c.victims.is_empty()).filter(|_| !e.ignorable) {
                        return Err(Status::error(format!("expected at least one victim pod on node {:?}", c.node)));
                    }
                    left = answer.into_iter().filter(|c| !c.victims.is_empty()).collect();
                }
            }
        }
        Ok(left)
    }

    fn preempt_one(&self, e: &Config, h: &Handle, pod: &PodInfo, left: &[Candidate]) -> Result<Vec<Candidate>, String> {
        let victims = |c: &Candidate| -> Value {
            let one = |p: &Arc<PodInfo>| {
                if e.node_cache_capable { json!({"UID": p.uid()}) } else { wire::object::<Pod>(&p.pod) }
            };
            json!({"Pods": c.victims.iter().map(one).collect::<Vec<_>>(), "NumPDBViolations": c.pdb_violations})
        };
        let by_node: serde_json::Map<String, Value> = left.iter().map(|c| (c.node.to_string(), victims(c))).collect();
        let (whole, meta) =
            if e.node_cache_capable { (Value::Null, by_node.into()) } else { (by_node.into(), Value::Null) };
        let question =
            json!({"Pod": wire::object::<Pod>(&pod.pod), "NodeNameToVictims": whole, "NodeNameToMetaVictims": meta});
        let answer = self.ask(e, &e.preempt_verb, &question)?;
        let mut out = Vec::new();
        let answered = answer.get("NodeNameToMetaVictims").and_then(Value::as_object);
        for (name, victims) in answered.into_iter().flatten() {
            let node = h.snapshot.get(name).ok_or_else(|| format!("nodeinfo not found for node name {name:?}"))?;
            let mut pods = Vec::new();
            for p in field(victims, "Pods").and_then(Value::as_array).into_iter().flatten() {
                let uid = field(p, "UID").and_then(Value::as_str).unwrap_or_default();
                let found = node.pods.iter().find(|p| p.uid() == uid).ok_or_else(|| {
                    format!(
                        "extender: {} claims to preempt pod (UID: &MetaPod{{UID:{uid},}}) on node: {name}, but the pod is not found on that node",
                        e.url_prefix
                    )
                })?;
                pods.push(found.clone());
            }
            let violations = field(victims, "NumPDBViolations").and_then(Value::as_i64).unwrap_or(0);
            // Which of them a budget would have spared only the scheduler knows, from its own search.
            let known = left.iter().find(|c| c.node == node.name).map(|c| c.violating.clone());
            let violating = known.unwrap_or_default();
            out.push(Candidate { node: node.name.clone(), victims: pods, pdb_violations: violations, violating });
        }
        Ok(out)
    }

    /// The extender that binds the pod, if one does.
    pub fn binder(&self, pod: &Pod) -> Option<&str> {
        let binder = self.list.iter().find(|e| !e.bind_verb.is_empty() && e.is_interested(pod));
        binder.map(|e| e.url_prefix.as_str())
    }

    /// What the extender that binds the pod is to be asked; `None` when none does.
    pub fn bind_question(&self, pod: &Pod, binding: &Binding) -> Option<BindQuestion> {
        let e = self.list.iter().find(|e| !e.bind_verb.is_empty() && e.is_interested(pod))?;
        let meta = &binding.metadata;
        let question = json!({"PodName": meta.name, "PodNamespace": meta.namespace, "PodUID": meta.uid,
            "Node": binding.target.name});
        let pod = Key::new(meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
        Some(BindQuestion { pod, extender: e.clone(), question })
    }
}

/// Asks an extender to bind a pod. It will do so through the API server, so the host asks it while the cluster goes on.
#[derive(Clone, Debug)]
pub struct BindQuestion {
    pub pod: Key,
    pub extender: Config,
    question: Value,
}

impl BindQuestion {
    /// # Errors
    /// What the extender said, or why it said nothing.
    pub fn ask(&self, caller: &dyn Caller) -> Result<(), String> {
        let error = exchange(caller, &self.extender, &self.extender.bind_verb, &self.question)?.text("Error");
        if error.is_empty() { Ok(()) } else { Err(error) }
    }
}

fn exchange(caller: &dyn Caller, e: &Config, verb: &str, question: &Value) -> Result<Answer, String> {
    let url = format!("{}/{verb}", e.url_prefix.trim_end_matches('/'));
    let body = serde_json::to_vec(question).map_err(|e| e.to_string())?;
    let (code, body) = caller.post(e, &url, body)?;
    if code != 200 {
        return Err(format!("failed {verb} with extender at URL {url}, code {code}"));
    }
    Answer::parse(&body)
}
