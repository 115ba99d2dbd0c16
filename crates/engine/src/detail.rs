//! Everything the inspector shows about one object, and the scheduler's queues.

use crate::debugger::scheduler;
use crate::diagnosis;
use crate::panels;
use crate::rows::{object_id, text};
use crate::watched::Watched;
use api::ObjectExt;
use cluster::Cluster;
use k8s_openapi::api::core::v1::{Event, Pod};
use meta::{Key, Time};
use protocol::{CycleSummary, Detail, EventView, ObjectId, QueueEntry, QueueLengths, QueueView};
use trace::{Cycle, Entry};

const EVENTS_MAX: usize = 50;
const DEPENDENTS_MAX: usize = 200;
const LOG_LINES: i64 = 200;
/// Per queue; what lies behind is only counted.
const QUEUE_MAX: usize = 24;

/// The object's present detail; its last one, marked as gone, when it was deleted; `None` when it never was.
pub fn of(cluster: &Cluster, watched: &Watched, last: Option<&Detail>) -> Option<Detail> {
    let (id, kind) = (&watched.id, watched.kind);
    let Some(o) = cluster.object(kind, &watched.key) else {
        return last.map(|l| Detail { exists: false, ..l.clone() });
    };
    let now = cluster.now();
    let mut value = o.to_value();
    if let Some(m) = value.get_mut("metadata").and_then(|m| m.as_object_mut()) {
        m.remove("managedFields");
    }
    let conditions = value["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let field = |c: &serde_json::Value, f: &str| c[f].as_str().unwrap_or("").to_string();
    let events = events(cluster, watched, &*o);
    let diagnosis = (*o).downcast::<Pod>().and_then(|pod| diagnosis::of(cluster, pod, &events)).map(|f| f.diagnosis);
    Some(Detail {
        id: id.clone(),
        exists: true,
        yaml: crate::yaml::to_yaml(&value),
        columns: kind.columns.iter().zip((kind.cells)(&*o, now)).map(|(c, v)| (c.name.to_string(), text(&v))).collect(),
        conditions: conditions
            .iter()
            .map(|c| (field(c, "type"), field(c, "status"), field(c, "reason"), field(c, "message")))
            .collect(),
        events,
        owners: owners(cluster, &*o),
        dependents: cluster.view().dependents(o.uid()).take(DEPENDENTS_MAX).map(|d| object_id(&**d)).collect(),
        writes: watched.writes.iter().cloned().collect(),
        cycles: watched.cycles.iter().cloned().collect(),
        panel: panels::of(cluster, watched, &*o),
        diagnosis,
        logs: (*o).downcast::<Pod>().map(|p| logs(cluster, p)).unwrap_or_default(),
    })
}

fn events(cluster: &Cluster, watched: &Watched, o: &dyn api::Object) -> Vec<EventView> {
    // Events about a node carry its name as UID, as kubelets write them; those of a namesake that is gone, another UID.
    // Those about a static pod carry the UID that its kubelet knows it by.
    let on_node = o.downcast::<Pod>().map(api::references::uid_on_node);
    let is_its = |u: &str| u == o.uid() || u == o.name() || Some(u) == on_node;
    let uid = |e: &&Event| e.involved_object.uid.as_deref().is_none_or(is_its);
    let found = watched.events.iter().filter_map(|key| cluster.view().get::<Event>(key));
    let mut list: Vec<EventView> = found.filter(uid).map(event_view).collect();
    list.sort_by_key(|e| std::cmp::Reverse(e.last_seen));
    list.truncate(EVENTS_MAX);
    list
}

pub(crate) fn event_view(e: &Event) -> EventView {
    let last = e.last_timestamp.as_ref().map(Time::from_k8s);
    let series = e.series.as_ref();
    let observed = series.and_then(|s| s.last_observed_time.as_ref()).or(e.event_time.as_ref());
    let micro = observed.map(Time::from_k8s_micro);
    EventView {
        r#type: e.type_.clone().unwrap_or_default(),
        reason: e.reason.clone().unwrap_or_default(),
        message: e.message.clone().unwrap_or_default(),
        source: e.reporting_component.clone().unwrap_or_default(),
        count: series.and_then(|s| s.count).or(e.count).unwrap_or(1),
        last_seen: last.or(micro).map_or(0, Time::as_micros),
    }
}

fn owners(cluster: &Cluster, o: &dyn api::Object) -> Vec<ObjectId> {
    let mut chain = Vec::new();
    let mut at = o.controller_ref().cloned();
    // Owners of owners; a cycle, which only a mistaken user can make, ends at its length.
    while let Some(r) = at.take().filter(|_| chain.len() < 8) {
        let Some(kind) = cluster.view().kinds().by_api_version(&r.api_version, &r.kind) else { break };
        let namespace = if kind.namespaced() { o.namespace() } else { "" };
        chain.push(ObjectId {
            api_version: r.api_version,
            kind: r.kind,
            namespace: namespace.into(),
            name: r.name.clone(),
        });
        at = cluster.object(kind, &Key::new(namespace, &r.name)).and_then(|p| p.controller_ref().cloned());
    }
    chain
}

fn logs(cluster: &Cluster, pod: &Pod) -> Vec<(String, String)> {
    let spec = pod.spec.as_ref();
    let init = spec.and_then(|s| s.init_containers.as_deref()).unwrap_or_default();
    let main = spec.map(|s| s.containers.as_slice()).unwrap_or_default();
    init.iter()
        .chain(main)
        .filter_map(|c| cluster.log_tail(pod, &c.name, LOG_LINES).map(|text| (c.name.clone(), text)))
        .collect()
}

pub(crate) fn cycle_summary(e: &Entry, c: &Cycle) -> CycleSummary {
    CycleSummary {
        seq: e.seq,
        time: e.time.as_micros(),
        namespace: c.pod.namespace.clone(),
        name: c.pod.name.clone(),
        node: c.node.clone().unwrap_or_default(),
        message: c.message.clone(),
        attempt: c.attempt,
    }
}

pub(crate) fn queues(cluster: &Cluster) -> QueueView {
    let Some(s) = scheduler(cluster) else { return QueueView::default() };
    let q = s.queue_heads(QUEUE_MAX);
    let lengths = QueueLengths {
        active: q.lengths.active,
        backoff: q.lengths.backoff,
        unschedulable: q.lengths.unschedulable,
        gated: q.lengths.gated,
        in_flight: q.lengths.in_flight,
    };
    let convert = |rows: Vec<scheduler::queue::Row>| rows.into_iter().map(queue_entry).collect();
    QueueView {
        active: convert(q.active),
        backoff: convert(q.backoff),
        unschedulable: convert(q.unschedulable),
        gated: convert(q.gated),
        in_flight: convert(q.in_flight),
        lengths,
    }
}

pub(crate) fn queue_entry(r: scheduler::queue::Row) -> QueueEntry {
    QueueEntry {
        namespace: r.pod.namespace().into(),
        name: r.pod.name().into(),
        attempts: r.attempts,
        ready_at: r.backoff_until.map_or(0, Time::as_micros),
        plugins: r.plugins.iter().map(|p| (*p).into()).collect(),
        priority: r.priority,
        since: r.since.as_micros(),
        event: r.event.into(),
    }
}
