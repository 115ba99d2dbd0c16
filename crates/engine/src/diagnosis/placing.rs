//! Pods that have no node, that are leaving, and whose node is lost.

use super::{Case, Evidence, Found, Trouble, event, references};
use api::pods;
use cluster::{Cluster, Lamp, Power};
use k8s_openapi::api::core::v1::{Node, PersistentVolumeClaim};
use meta::{Duration, Key, Time};
use protocol::ObjectId;
use trace::note;

const SCHEDULER: &str = "kube-scheduler";

/// Whether a process that should work does not.
fn is_still(lamp: Option<Lamp>) -> bool {
    matches!(lamp, Some(Lamp::Stopped | Lamp::Crashed | Lamp::Paused) | None)
}

pub(super) fn unplaced(case: &Case) -> Found {
    let scheduled = pods::find_condition(case.pod, "PodScheduled").filter(|c| c.status == "False");
    let spec = case.pod.spec.as_ref();
    let wanted = spec.and_then(|s| s.scheduler_name.as_deref()).unwrap_or("default-scheduler");
    match scheduled.map(|c| c.reason.as_deref().unwrap_or("")) {
        Some("SchedulingGated") => {
            let gates = spec.iter().flat_map(|s| s.scheduling_gates.iter().flatten());
            let gates: Vec<&str> = gates.map(|g| g.name.as_str()).collect();
            Found::new(Trouble::Gated, note!("diagnosis.gated", gates = gates.join(", ")))
                .with_all(case.condition("PodScheduled"))
        }
        Some(_) if is_still(case.cluster.lamp(SCHEDULER)) => no_scheduler(case),
        Some(_) => unschedulable(case),
        None if is_still(case.cluster.lamp(SCHEDULER)) => no_scheduler(case),
        None => {
            let profiles = crate::debugger::scheduler(case.cluster).map(|s| s.config().profiles.iter());
            let schedulers: Vec<String> =
                profiles.into_iter().flatten().map(|p| p.scheduler_name.to_string()).collect();
            if !schedulers.iter().any(|s| s == wanted) {
                return Found::new(Trouble::Other, note!("diagnosis.other-scheduler", scheduler = wanted)).with(
                    Evidence {
                        note: note!("evidence.schedulers", names = schedulers.join(", ")),
                        ..Evidence::default()
                    },
                );
            }
            Found::underway(note!("diagnosis.queued"))
        }
    }
}

fn no_scheduler(case: &Case) -> Found {
    let lamp = case.cluster.lamp(SCHEDULER);
    let process = Trouble::Process(SCHEDULER.into());
    Found::new(process, note!("diagnosis.no-scheduler")).with(lamp_evidence(SCHEDULER, lamp))
}

fn lamp_evidence(process: &str, lamp: Option<Lamp>) -> Evidence {
    let note = match lamp {
        Some(Lamp::Paused) => note!("evidence.process-paused", process = process),
        Some(Lamp::Crashed) => note!("evidence.process-crashed", process = process),
        _ => note!("evidence.process-stopped", process = process),
    };
    Evidence { note, ..Evidence::default() }
}

fn unschedulable(case: &Case) -> Found {
    let message = pods::find_condition(case.pod, "PodScheduled").and_then(|c| c.message.clone()).unwrap_or_default();
    let condition = case.condition("PodScheduled");
    if let Some(missing) = references::missing_claim(case) {
        let note = note!("diagnosis.no-claim", claim = &missing.name);
        return Found::new(Trouble::Missing(missing), note).with_all(condition);
    }
    if message.contains("unbound immediate PersistentVolumeClaims") {
        let claims = unbound(case);
        let names: Vec<String> = claims.iter().map(|(c, _)| c.metadata.name.clone().unwrap_or_default()).collect();
        let found = Found::new(Trouble::Placement, note!("diagnosis.unbound-claim", claims = names.join(", ")));
        return found.with_all(claims.into_iter().map(|(_, evidence)| evidence)).with_all(condition);
    }
    // `0/3 nodes are available: 1 Insufficient cpu, 2 ... preemption: ...`: what most nodes say comes first.
    let reasons = message.split_once(": ").map_or("", |(_, r)| r);
    let reasons = reasons.split(". ").next().unwrap_or("").split(" preemption:").next().unwrap_or("");
    let most = reasons.split(", ").filter_map(|r| {
        let (n, why) = r.split_once(' ')?;
        Some((n.parse::<usize>().ok()?, why.trim_end_matches('.')))
    });
    let note = match most.max_by_key(|(n, _)| *n) {
        Some((n, why)) => note!("diagnosis.unschedulable", nodes = n, why = why),
        None => note!("diagnosis.unschedulable-all"),
    };
    Found::new(Trouble::Placement, note).with_all(condition)
}

/// The pod's claims without a volume, each with what its newest event says.
fn unbound<'a>(case: &'a Case) -> Vec<(&'a PersistentVolumeClaim, Evidence)> {
    let claims = references::claims(case.pod);
    let found = claims.iter().filter_map(|name| {
        let key = Key::new(case.namespace(), name);
        let claim = case.cluster.view().get::<PersistentVolumeClaim>(&key)?;
        let phase = claim.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or("Pending");
        (phase != "Bound").then_some(claim)
    });
    found
        .map(|claim| {
            let newest = newest_event(case.cluster, claim);
            let (reason, quote) = newest.unwrap_or_default();
            let id = ObjectId {
                api_version: "v1".into(),
                kind: "PersistentVolumeClaim".into(),
                namespace: case.namespace().into(),
                name: claim.metadata.name.clone().unwrap_or_default(),
            };
            let note = note!("evidence.claim", claim = &id.name, reason = reason);
            (claim, Evidence { note, quote, object: Some(id), entry: None })
        })
        .collect()
}

fn newest_event(cluster: &Cluster, claim: &PersistentVolumeClaim) -> Option<(String, String)> {
    use k8s_openapi::api::core::v1::Event;
    let namespace = claim.metadata.namespace.as_deref().unwrap_or("");
    let mine = cluster.view().list_in::<Event>(namespace);
    let mine = mine.filter(|e| e.involved_object.uid == claim.metadata.uid);
    let newest = mine.max_by_key(|e| crate::detail::event_view(e).last_seen)?;
    Some((newest.reason.clone().unwrap_or_default(), newest.message.clone().unwrap_or_default()))
}

/// The pod's node, or what looks after pods there, is gone.
pub(super) fn lost(case: &Case) -> Option<Found> {
    let name = case.node();
    let kubelet = format!("kubelet/{name}");
    let machine = case.cluster.machine(name);
    let trouble = match machine {
        Some(m) if m.power == Power::Off => Trouble::Machine(name.into()),
        Some(_) if case.cluster.is_cut(name) => Trouble::Link(name.into()),
        Some(_) if is_still(case.cluster.lamp(&kubelet)) => Trouble::Process(kubelet.clone()),
        Some(_) => return None,
        // Its cloud or its owner took it.
        None => Trouble::Other,
    };
    let ready = case.cluster.view().get::<Node>(&Key::new("", name)).and_then(|n| {
        let status = n.status.as_ref()?;
        let c = status.conditions.iter().flatten().find(|c| c.type_ == "Ready")?;
        let (state, reason) = (c.status.clone(), c.reason.clone().unwrap_or_default());
        let object =
            ObjectId { api_version: "v1".into(), kind: "Node".into(), namespace: "".into(), name: name.into() };
        let note = note!("evidence.condition", condition = "Ready", status = state, reason = reason);
        Some(Evidence { note, quote: c.message.clone().unwrap_or_default(), object: Some(object), entry: None })
    });
    let note = match &trouble {
        Trouble::Machine(_) => note!("diagnosis.machine-off", node = name),
        Trouble::Link(_) => note!("diagnosis.link-cut", node = name),
        Trouble::Process(_) => note!("diagnosis.kubelet-still", node = name),
        _ => note!("diagnosis.node-gone", node = name),
    };
    let lamp = matches!(trouble, Trouble::Process(_)).then(|| lamp_evidence(&kubelet, case.cluster.lamp(&kubelet)));
    Some(Found::new(trouble, note).with_all(lamp).with_all(ready))
}

/// It was deleted and is still there.
pub(super) fn leaving(case: &Case) -> Found {
    let m = &case.pod.metadata;
    let since = m.deletion_timestamp.as_ref().map(Time::from_k8s).unwrap_or_default();
    let overdue = case.cluster.now() > since + Duration::from_secs(5);
    let stopping = case.events.iter().find(|e| e.reason == "Killing").map(event);
    if let Some(mut found) = lost(case).filter(|_| !case.node().is_empty()) {
        found.trouble = Trouble::Stranded;
        found.diagnosis.remedies = true;
        found.diagnosis.note = note!("diagnosis.stranded", node = case.node());
        return found;
    }
    let finalizers = m.finalizers.iter().flatten().cloned().collect::<Vec<_>>();
    if overdue && !finalizers.is_empty() {
        return Found::new(Trouble::Finalizers, note!("diagnosis.finalizers", finalizers = finalizers.join(", ")))
            .with_all(stopping);
    }
    let seconds = since.since(case.cluster.now()).as_secs();
    Found::underway(note!("diagnosis.leaving", seconds = seconds)).with_all(stopping)
}
