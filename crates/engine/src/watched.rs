//! What there is to say about the inspected object beyond the object itself: its Events, the writes to it, its
//! scheduling cycles. Found once, when the object is chosen, and kept current from what is new: a look at everything at
//! every change would cost more the longer a cluster has lived.

use crate::detail::cycle_summary;
use crate::panels;
use api::kinds::event;
use api::{KindRef, Obj, ObjectExt, Registered};
use cluster::Cluster;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::Event;
use meta::{Key, Time};
use protocol::{CycleSummary, ObjectId};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use trace::{Entry, Seq, What};

const WRITES_MAX: usize = 50;
const CYCLES_MAX: usize = 20;
const CURVE_MAX: usize = 300;
/// How many of the newest trace entries are searched when an object is chosen.
const SEARCH_MAX: usize = 50_000;

pub struct Watched {
    pub id: ObjectId,
    pub kind: KindRef,
    pub key: Key,
    /// Keys of Events that name the object.
    pub events: BTreeSet<Key>,
    /// Newest first.
    pub writes: VecDeque<Arc<Entry>>,
    /// Newest first.
    pub cycles: VecDeque<CycleSummary>,
    /// Of an autoscaler: when its replicas changed, and to what; oldest first.
    pub curve: VecDeque<(u64, i32, i32)>,
    seq: Seq,
}

impl Watched {
    /// `None`: there is no such kind.
    pub fn new(cluster: &Cluster, id: &ObjectId) -> Option<Watched> {
        let kind = cluster.view().kinds().by_api_version(&id.api_version, &id.kind)?;
        let key = Key::new(&id.namespace, &id.name);
        let trace = cluster.trace();
        let seq = trace.last().saturating_sub(SEARCH_MAX as u64);
        let (events, writes, cycles, curve) = Default::default();
        let mut w = Watched { id: id.clone(), kind, key, events, writes, cycles, curve, seq };
        let namespace = if id.namespace.is_empty() { "default" } else { &id.namespace };
        let mine = cluster.view().list_in::<Event>(namespace).filter(|e| w.is_about(e));
        w.events = mine.map(|e| Key::new(namespace, e.metadata.name.as_deref().unwrap_or(""))).collect();
        w.catch_up(cluster);
        w.look_back(cluster);
        Some(w)
    }

    /// An autoscaler's past, as far as the newest writes to it go.
    fn look_back(&mut self, cluster: &Cluster) {
        if self.kind != HorizontalPodAutoscaler::KIND_REF {
            return;
        }
        let store = cluster.store();
        let Ok(events) = store.iter_events_since(store.compacted_revision()) else { return };
        let mine = events.filter_map(|e| e.new.as_ref().map(|n| (e.revision, &n.value.0)));
        let mut states: BTreeMap<u64, &Obj> =
            mine.filter(|(_, o)| o.kind() == self.kind && o.key() == self.key).collect();
        let times: Vec<(u64, Time)> = (self.writes.iter().rev())
            .filter_map(|e| match &e.what {
                What::Request { revision, .. } => Some((*revision, e.time)),
                _ => None,
            })
            .collect();
        for (revision, time) in times {
            if let Some(o) = states.remove(&revision) {
                self.plot(o.as_any(), time);
            }
        }
    }

    /// One more point of the curve, when it leads somewhere else.
    fn plot(&mut self, object: &dyn Any, at: Time) {
        let Some(hpa) = object.downcast_ref::<HorizontalPodAutoscaler>() else { return };
        let point = panels::point(hpa, at);
        if self.curve.back().is_none_or(|last| (last.1, last.2) != (point.1, point.2)) {
            self.curve.push_back(point);
            if self.curve.len() > CURVE_MAX {
                self.curve.pop_front();
            }
        }
    }

    fn is_about(&self, e: &Event) -> bool {
        let r = &e.involved_object;
        r.name.as_deref() == Some(&self.id.name) && r.kind.as_deref() == Some(self.kind.kind)
    }

    /// Takes in a change of the store; whether the object's detail may be another now.
    pub fn see(&mut self, kind: KindRef, key: &Key, e: &store::Event<apiserver::Stored>) -> bool {
        if kind == &event::KIND {
            let new: Option<&Event> = e.new.as_ref().and_then(|n| n.value.0.downcast());
            return match new {
                Some(new) if self.is_about(new) => {
                    self.events.insert(key.clone());
                    true
                }
                Some(_) => false,
                None => self.events.remove(key),
            };
        }
        if kind == self.kind && key == &self.key {
            return true;
        }
        let id = &self.id;
        e.new.as_ref().or(e.old.as_ref()).is_some_and(|x| {
            let owners = x.value.0.meta().owner_references.iter().flatten();
            owners.into_iter().any(|r| r.name == id.name && r.kind == id.kind)
        })
    }

    /// Takes in the trace's new entries.
    pub fn catch_up(&mut self, cluster: &Cluster) {
        if let Some(o) = cluster.object(self.kind, &self.key).filter(|_| self.seq > 0 && !self.curve.is_empty()) {
            self.plot(o.as_any(), cluster.now());
        }
        for e in cluster.trace().since(self.seq) {
            match &e.what {
                What::Request { resource, key, revision, .. }
                    if *revision > 0 && resource == self.kind.plural && *key == self.key =>
                {
                    self.writes.push_front(e.clone());
                    self.writes.truncate(WRITES_MAX);
                }
                What::Cycle { cycle }
                    if self.id.kind == "Pod"
                        && cycle.outcome().pod.name == self.id.name
                        && cycle.outcome().pod.namespace == self.id.namespace =>
                {
                    self.cycles.push_front(cycle_summary(e, cycle.outcome()));
                    self.cycles.truncate(CYCLES_MAX);
                }
                _ => {}
            }
        }
        self.seq = cluster.trace().last();
    }
}
