//! Why a pod does not do its work, in one sentence, with what that was concluded from. Everything it says is read from the
//! cluster's objects, events and logs; what would mend it is tried in copies ([`trial`]).

mod containers;
mod placing;
mod references;
mod remedies;
mod trial;

pub use trial::Examination;

use crate::rows::object_id;
use api::pods;
use cluster::Cluster;
use k8s_openapi::api::core::v1::{Event, Pod};
use protocol::{Diagnosis, EventView, Evidence, Note, ObjectId};
use trace::note;

/// What is wrong, as far as something can be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing that a single change would mend.
    Other,
    /// No node takes the pod.
    Placement,
    Gated,
    /// A process stands still or is gone.
    Process(String),
    /// A machine without power.
    Machine(String),
    /// A machine that does not reach the API server.
    Link(String),
    Image {
        container: String,
        image: String,
    },
    /// A ConfigMap, a Secret or a claim that the pod names is not there, or lacks something.
    Missing(references::Missing),
    /// The image runs as root, and the pod forbids that.
    Root {
        container: String,
    },
    /// There is no such program.
    Command {
        container: String,
    },
    Memory {
        container: String,
    },
    /// The program ends with an error, again and again.
    Crash {
        container: String,
    },
    /// The program ends well, and is started again and again.
    Done {
        container: String,
    },
    /// `liveness`, `readiness` or `startup`.
    Probe {
        container: String,
        probe: &'static str,
    },
    /// The pod goes only when somebody takes these from it.
    Finalizers,
    /// The pod's machine will not say that it has ended.
    Stranded,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub trouble: Trouble,
    pub diagnosis: Diagnosis,
}

impl Found {
    fn new(trouble: Trouble, note: Note) -> Found {
        let remedies = !matches!(trouble, Trouble::Other | Trouble::Placement);
        let placement = trouble == Trouble::Placement;
        Found { trouble, diagnosis: Diagnosis { note, placement, remedies, ..Diagnosis::default() } }
    }
    fn underway(note: Note) -> Found {
        let diagnosis = Diagnosis { note, underway: true, ..Diagnosis::default() };
        Found { trouble: Trouble::Other, diagnosis }
    }
    fn with(mut self, evidence: Evidence) -> Found {
        self.diagnosis.evidence.push(evidence);
        self
    }
    fn with_all(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Found {
        self.diagnosis.evidence.extend(evidence);
        self
    }
}

/// What is read of a pod.
pub(crate) struct Case<'a> {
    pub cluster: &'a Cluster,
    pub pod: &'a Pod,
    /// About the pod, newest first.
    pub events: &'a [EventView],
}

impl Case<'_> {
    fn namespace(&self) -> &str {
        self.pod.metadata.namespace.as_deref().unwrap_or("")
    }
    fn node(&self) -> &str {
        self.pod.spec.as_ref().and_then(|s| s.node_name.as_deref()).unwrap_or("")
    }
    fn id(&self) -> ObjectId {
        object_id(self.pod)
    }
    fn event(&self, reason: &str, says: impl Fn(&str) -> bool) -> Option<&EventView> {
        self.events.iter().find(|e| e.reason == reason && says(&e.message))
    }
    fn condition(&self, name: &str) -> Option<Evidence> {
        let c = pods::find_condition(self.pod, name)?;
        let (status, reason) = (&c.status, c.reason.as_deref().unwrap_or(""));
        let note = note!("evidence.condition", condition = name, status = status, reason = reason);
        let quote = c.message.clone().unwrap_or_default();
        Some(Evidence { note, quote, object: Some(self.id()), entry: None })
    }
}

fn event(e: &EventView) -> Evidence {
    let note = note!("evidence.event", source = &e.source, reason = &e.reason, count = e.count);
    Evidence { note, quote: e.message.clone(), ..Evidence::default() }
}

/// `None`: the pod does its work, or has done it.
pub(crate) fn of(cluster: &Cluster, pod: &Pod, events: &[EventView]) -> Option<Found> {
    let case = Case { cluster, pod, events };
    match pods::phase(pod) {
        _ if pod.metadata.deletion_timestamp.is_some() => Some(placing::leaving(&case)),
        "Succeeded" => None,
        "Failed" => Some(over(&case)),
        _ if case.node().is_empty() => Some(placing::unplaced(&case)),
        _ if pods::is_ready(pod) => placing::lost(&case),
        _ => placing::lost(&case).or_else(|| containers::trouble(&case)).or_else(|| Some(starting(&case))),
    }
}

/// The same for somebody who has not followed the pod's events.
pub(crate) fn of_pod(cluster: &Cluster, pod: &Pod) -> Option<Found> {
    of(cluster, pod, &events(cluster, pod))
}

/// The pod's, the newest first.
fn events(cluster: &Cluster, pod: &Pod) -> Vec<EventView> {
    // Those about a static pod carry the UID that its kubelet knows it by.
    let uids = [pod.metadata.uid.as_deref(), Some(api::references::uid_on_node(pod))];
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("");
    let about = cluster.view().list_in::<Event>(namespace).filter(|e| uids.contains(&e.involved_object.uid.as_deref()));
    let mut events: Vec<EventView> = about.map(crate::detail::event_view).collect();
    events.sort_by_key(|e| std::cmp::Reverse(e.last_seen));
    events
}

/// It has ended for good, and not well.
fn over(case: &Case) -> Found {
    let status = case.pod.status.as_ref();
    let reason = status.and_then(|s| s.reason.clone()).unwrap_or_default();
    let message = status.and_then(|s| s.message.clone()).unwrap_or_default();
    if reason.is_empty() {
        return containers::ended(case).unwrap_or_else(|| Found::new(Trouble::Other, note!("diagnosis.failed")));
    }
    let quote = Evidence { note: note!("evidence.status", reason = &reason), quote: message, ..Evidence::default() };
    Found::new(Trouble::Other, note!("diagnosis.over", reason = reason))
        .with(quote)
        .with_all(case.condition("DisruptionTarget"))
}

/// Nothing is wrong that could be seen.
fn starting(case: &Case) -> Found {
    let newest = case.events.first().map(event);
    let conditions = ["ContainersReady", "Initialized"].into_iter().filter_map(|c| case.condition(c));
    Found::underway(note!("diagnosis.starting", node = case.node())).with_all(newest).with_all(conditions)
}
