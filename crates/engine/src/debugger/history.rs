//! A pod's attempts, and what changed in between that scheduling reads.

use api::ObjectExt;
use api::kinds::{namespace, node, pod, poddisruptionbudget, priorityclass, service};
use api::{KindRef, Obj};
use cluster::Cluster;
use protocol::debug::{Attempt, History, Written};
use serde_json::Value;
use trace::cycle::PodRef;
use trace::{Entry, Note, What};

const ATTEMPTS_MAX: usize = 200;
const CHANGES_MAX: usize = 20;

/// The fields that scheduling reads, by kind. Storage kinds are read whole.
fn read_fields(kind: KindRef) -> Option<&'static [&'static str]> {
    const NODE: &[&str] =
        &["/metadata/labels", "/spec/taints", "/spec/unschedulable", "/status/allocatable", "/status/images"];
    const POD: &[&str] = &[
        "/metadata/labels",
        "/metadata/deletionTimestamp",
        "/spec/nodeName",
        "/spec/schedulingGates",
        "/spec/tolerations",
        "/spec/nodeSelector",
        "/spec/affinity",
        "/spec/containers",
        "/status/nominatedNodeName",
    ];
    if kind == &node::KIND {
        Some(NODE)
    } else if kind == &pod::KIND {
        Some(POD)
    } else if kind == &namespace::KIND || kind == &service::KIND {
        Some(&["/metadata/labels", "/spec/selector"])
    } else if kind == &poddisruptionbudget::KIND {
        Some(&["/spec", "/status/disruptionsAllowed"])
    } else if kind == &priorityclass::KIND {
        Some(&["/value"])
    } else {
        if kind.group == "resource.k8s.io" {
            return Some(&["/spec", "/status"]);
        }
        const STORAGE: &[&str] = &[
            "persistentvolumes",
            "persistentvolumeclaims",
            "storageclasses",
            "csinodes",
            "csidrivers",
            "csistoragecapacities",
        ];
        STORAGE.contains(&kind.plural).then_some(&["/spec", "/status/phase", "/metadata/annotations"])
    }
}

/// A pod that has ended is gone for the scheduler.
fn ended(v: &Value) -> bool {
    matches!(v.pointer("/status/phase").and_then(Value::as_str), Some("Succeeded" | "Failed"))
}

/// What of the object changed, dotted; `None` when scheduling reads none of it.
fn fields(kind: KindRef, old: &Obj, new: &Obj) -> Option<Vec<String>> {
    let (old, new) = (old.to_value(), new.to_value());
    let mut changed: Vec<String> = read_fields(kind)?
        .iter()
        .filter(|f| old.pointer(f) != new.pointer(f))
        .map(|f| f[1..].replace('/', "."))
        .collect();
    if kind == &pod::KIND && ended(&old) != ended(&new) {
        changed.push("status.phase".into());
    }
    (!changed.is_empty()).then_some(changed)
}

pub fn of(cluster: &Cluster, namespace: &str, name: &str) -> History {
    let mut h = History { pod: PodRef { namespace: namespace.into(), name: name.into() }, ..History::default() };
    // The last revision written before each attempt, and the step that it belongs to.
    let (mut revision, mut revisions) = (0, Vec::new());
    let first = cluster.trace().since(0).next().map_or(0, |e| e.seq);
    let mut step: Option<&Entry> = None;
    let is_of = |c: &trace::Cycle| c.pod.name == name && c.pod.namespace == namespace;
    for e in cluster.trace().since(0) {
        match &e.what {
            What::Request { revision: r, .. } if *r > 0 => revision = revision.max(*r),
            What::Step { .. } => step = Some(e),
            What::Cycle { cycle: recorded } if is_of(recorded.outcome()) => {
                let cycle = recorded.outcome();
                let retry = step.filter(|s| s.seq == e.cause).map(|s| (s.cause, note_of(s)));
                let (cause, (event, hint)) = retry.unwrap_or_default();
                revisions.push(revision);
                h.attempts.push(Attempt {
                    seq: e.seq,
                    time: e.time.as_micros(),
                    attempt: cycle.attempt,
                    node: cycle.node.clone().unwrap_or_default(),
                    nominated: cycle.nominated_node.clone().unwrap_or_default(),
                    message: cycle.message.clone(),
                    full: recorded.has_table(),
                    event,
                    hint,
                    cause,
                    ..Attempt::default()
                });
            }
            _ => {}
        }
    }
    h.cut = first > 1 && h.attempts.first().is_some_and(|a| a.attempt > 1);
    for i in 1..h.attempts.len() {
        let between = (revisions[i - 1], revisions[i]);
        let (times, own) = (h.attempts[i].time, (namespace, name));
        let (changes, more) = changes(cluster, between, times, own);
        (h.attempts[i].changes, h.attempts[i].more) = (changes, more);
    }
    let many = h.attempts.len().saturating_sub(ATTEMPTS_MAX);
    if many > 0 {
        h.attempts.drain(..many);
        h.cut = true;
    }
    h
}

/// Event and hint of a step's retry note.
fn note_of(step: &Entry) -> (String, String) {
    let What::Step { notes, .. } = &step.what else { return Default::default() };
    let arg = |n: &Note, name: &str| n.args.iter().find(|(a, _)| a == name).map(|(_, v)| v.clone()).unwrap_or_default();
    let retry = notes.iter().find(|n| n.code.starts_with("scheduler.retry"));
    retry.map(|n| (arg(n, "event"), arg(n, "plugin"))).unwrap_or_default()
}

/// The writes after one revision up to another that scheduling reads; the newest when there are many.
fn changes(cluster: &Cluster, (after, upto): (u64, u64), time: u64, own: (&str, &str)) -> (Vec<Written>, usize) {
    let Ok(events) = cluster.store().iter_events_since(after) else { return (Vec::new(), 0) };
    let mut found: Vec<Written> = Vec::new();
    for e in events.take_while(|e| e.revision <= upto) {
        let Some(object) = e.new.as_ref().or(e.old.as_ref()).map(|o| &o.value.0) else { continue };
        let (kind, key) = (object.kind(), object.key());
        if read_fields(kind).is_none() {
            continue;
        }
        let is_own = kind == &pod::KIND && (key.namespace(), key.name()) == own;
        let (verb, fields) = match (e.old.as_ref().map(|o| &o.value.0), e.new.as_ref().map(|o| &o.value.0)) {
            (Some(old), Some(new)) => match fields(kind, old, new) {
                Some(fields) => ("changed", fields),
                None => continue,
            },
            // A pod that waits is nothing to the others.
            (None, Some(new)) if kind == &pod::KIND && !is_own && new.to_value()["spec"]["nodeName"].is_null() => {
                continue;
            }
            (None, Some(_)) => ("created", Vec::new()),
            (_, None) => ("deleted", Vec::new()),
        };
        found.push(Written {
            time,
            verb: verb.into(),
            kind: kind.kind.into(),
            namespace: key.namespace().into(),
            name: key.name().into(),
            fields,
        });
    }
    let more = found.len().saturating_sub(CHANGES_MAX);
    found.drain(..more);
    (found, more)
}
