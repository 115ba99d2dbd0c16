//! Event recording as client-go does it. Most components use the older recorder, which correlates: the same event again
//! raises `count`, many similar ones are combined, a flood about one object from one source is dropped. Models
//! `k8s.io/client-go/tools/record/events_cache.go`. The scheduler and kube-proxy use the newer one: see [`series`].

mod series;
#[cfg(test)]
mod tests;

use api::ObjectExt;
use imbl::OrdMap;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Duration, Key, Rng, Time};
use reconcile::{EventType, View};
use series::Series;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Upstream's LRU holds 4096 entries.
const CACHE_MAX: usize = 4096;
const SPAM_BURST: f64 = 25.0;
/// One more token every five minutes.
const SPAM_REFILL: Duration = Duration::from_secs(300);
/// So many different messages of one reason about one object are combined (`defaultAggregateMaxEvents`)...
const SIMILAR_MAX: usize = 10;
/// ... when none is further from the one before than this (`defaultAggregateIntervalInSeconds`).
const SIMILAR_WITHIN: Duration = Duration::from_secs(600);

pub(crate) struct Wanted {
    pub regarding: ObjectReference,
    pub event_type: EventType,
    pub reason: String,
    pub message: String,
    /// Component and host.
    pub source: (String, String),
    /// The component records by `events.k8s.io`.
    pub new_api: bool,
}

pub(crate) enum Recorded {
    Create(Box<Event>),
    Patch(Key, serde_json::Value),
    Dropped,
}

/// The messages (their hashes) of similar events, and when the last one came.
#[derive(Clone, Default)]
struct Similar {
    messages: BTreeSet<u64>,
    last: Time,
}

/// Checkpoints share what does not change.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    /// Event identity to the Event object that counts it.
    seen: OrdMap<Arc<str>, (Key, i32)>,
    similar: OrdMap<Arc<str>, Arc<Similar>>,
    /// Source and object to (tokens, when they were counted).
    buckets: OrdMap<Arc<str>, (f64, Time)>,
    series: Series,
    names: Names,
}

/// Names of events: later ones are greater, so that a list, which is in order of names, is in order of time.
#[derive(Clone, Default)]
struct Names {
    last: u64,
}

impl Names {
    /// Upstream's suffix is the time in nanoseconds.
    fn next(&mut self, about: &str, now: Time, rng: &mut Rng) -> String {
        self.last = (now.as_micros() * 1000 + u64::from(rng.below(1000))).max(self.last + 1);
        format!("{about}.{:x}", self.last)
    }
}

fn s(o: &Option<String>) -> &str {
    o.as_deref().unwrap_or_default()
}

fn type_name(t: EventType) -> &'static str {
    match t {
        EventType::Normal => "Normal",
        EventType::Warning => "Warning",
    }
}

/// Events about objects without a namespace are kept in `default`.
fn namespace(r: &ObjectReference) -> String {
    r.namespace.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| "default".into())
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

impl Recorder {
    pub fn record(&mut self, mut w: Wanted, now: Time, view: &View, rng: &mut Rng) -> Recorded {
        if w.new_api {
            return self.series.record(w, now, view, rng, &mut self.names);
        }
        let r = &w.regarding;
        let mut identity = String::with_capacity(256);
        for part in [&w.source.0, &w.source.1, s(&r.kind), s(&r.namespace), s(&r.name), s(&r.uid)] {
            identity.push_str(part);
            identity.push('|');
        }
        // What identifies the flood is the beginning of what identifies similar events.
        let bucket = identity.len();
        for part in [type_name(w.event_type), "|", &w.reason] {
            identity.push_str(part);
        }
        let combined = self.is_one_of_many(&identity, &w.message, now);
        let spam = identity[..bucket].to_string();
        if combined {
            w.message.insert_str(0, "(combined from similar events): ");
        } else {
            for part in ["|", s(&r.field_path), "|", &w.message] {
                identity.push_str(part);
            }
        }
        let found = self.seen.get_mut(identity.as_str()).filter(|(key, _)| view.get::<Event>(key).is_some());
        if let Some((key, count)) = found {
            // What is dropped counts too.
            *count += 1;
            let (key, count) = (key.clone(), *count);
            if !self.take_token(&spam, now) {
                return Recorded::Dropped;
            }
            let mut patch = serde_json::json!({ "count": count, "lastTimestamp": now.rfc3339() });
            if combined {
                patch["message"] = w.message.into();
            }
            return Recorded::Patch(key, patch);
        }
        if !self.take_token(&spam, now) {
            return Recorded::Dropped;
        }
        let event = Event {
            metadata: ObjectMeta {
                name: Some(self.names.next(s(&r.name), now, rng)),
                namespace: Some(namespace(r)),
                ..Default::default()
            },
            involved_object: w.regarding,
            reason: Some(w.reason),
            message: Some(w.message),
            type_: Some(type_name(w.event_type).into()),
            count: Some(1),
            first_timestamp: Some(now.to_k8s()),
            last_timestamp: Some(now.to_k8s()),
            // Upstream leaves these out of combined events.
            reporting_component: Some(w.source.0.clone()).filter(|_| !combined),
            reporting_instance: Some(w.source.1.clone()).filter(|_| !combined),
            source: Some(EventSource { component: Some(w.source.0), host: Some(w.source.1).filter(|h| !h.is_empty()) }),
            ..Default::default()
        };
        if self.seen.len() >= CACHE_MAX {
            self.seen.clear();
        }
        self.seen.insert(identity.into(), ((&event as &dyn api::Object).key(), 1));
        Recorded::Create(Box::new(event))
    }

    /// Whether so many similar events have come that this one is combined with them. Models `EventAggregate`.
    fn is_one_of_many(&mut self, key: &str, message: &str, now: Time) -> bool {
        if self.similar.len() >= CACHE_MAX && !self.similar.contains_key(key) {
            self.similar.clear();
        }
        let similar = self.similar.entry(key.into()).or_default();
        let similar = Arc::make_mut(similar);
        if now.since(similar.last) > SIMILAR_WITHIN {
            similar.messages.clear();
        }
        similar.messages.insert(hash(message));
        similar.last = now;
        let many = similar.messages.len() >= SIMILAR_MAX;
        if many {
            similar.messages.pop_first();
        }
        many
    }

    fn take_token(&mut self, bucket: &str, now: Time) -> bool {
        if self.buckets.len() >= CACHE_MAX {
            self.buckets.clear();
        }
        let (tokens, at) = match self.buckets.get_mut(bucket) {
            Some(b) => b,
            None => self.buckets.entry(bucket.into()).or_insert((SPAM_BURST, now)),
        };
        let refill = now.since(*at).as_micros() as f64 / SPAM_REFILL.as_micros() as f64;
        *tokens = (*tokens + refill).min(SPAM_BURST);
        *at = now;
        if *tokens < 1.0 {
            return false;
        }
        *tokens -= 1.0;
        true
    }
}
