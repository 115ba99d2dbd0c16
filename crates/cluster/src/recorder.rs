//! Event recording with client-go's correlation: the same event again raises `count`; a flood about one
//! object from one source is dropped. Models `k8s.io/client-go/tools/record/events_cache.go`.

use api::ObjectExt;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Duration, Key, Rng, Time};
use reconcile::{EventType, View};
use std::collections::BTreeMap;

/// Upstream's LRU holds 4096 entries.
const CACHE_MAX: usize = 4096;
const SPAM_BURST: f64 = 25.0;
/// One more token every five minutes.
const SPAM_REFILL: Duration = Duration::from_secs(300);

pub(crate) struct Wanted {
    pub regarding: ObjectReference,
    pub event_type: EventType,
    pub reason: String,
    pub message: String,
    /// Component and host.
    pub source: (String, String),
}

pub(crate) enum Recorded {
    Create(Box<Event>),
    Patch(Key, serde_json::Value),
    Dropped,
}

#[derive(Clone, Default)]
pub(crate) struct Recorder {
    /// Event identity to the Event object that counts it.
    seen: BTreeMap<String, (Key, i32)>,
    /// Source and object to (tokens, when they were counted).
    buckets: BTreeMap<String, (f64, Time)>,
}

impl Recorder {
    pub fn record(&mut self, w: Wanted, now: Time, view: &View, rng: &mut Rng) -> Recorded {
        fn s(o: &Option<String>) -> &str {
            o.as_deref().unwrap_or_default()
        }
        let r = &w.regarding;
        let mut identity = String::with_capacity(256);
        for part in [&w.source.0, &w.source.1, s(&r.kind), s(&r.namespace), s(&r.name), s(&r.uid), s(&r.field_path)] {
            identity.push_str(part);
            identity.push('|');
        }
        // What identifies the flood is the beginning of what identifies the event.
        if !self.take_token(&identity, now) {
            return Recorded::Dropped;
        }
        let event_type = match w.event_type {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        };
        for part in [event_type, "|", &w.reason, "|", &w.message] {
            identity.push_str(part);
        }
        if let Some((key, count)) = self.seen.get_mut(&identity)
            && view.get::<Event>(key).is_some()
        {
            *count += 1;
            let patch = serde_json::json!({ "count": *count, "lastTimestamp": now.rfc3339() });
            return Recorded::Patch(key.clone(), patch);
        }
        let namespace = r.namespace.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| "default".into());
        // Upstream's suffix is the time in nanoseconds; a draw keeps two events of one moment apart.
        let suffix = now.as_micros() * 1000 + u64::from(rng.below(1000));
        let event = Event {
            metadata: ObjectMeta {
                name: Some(format!("{}.{suffix:x}", s(&r.name))),
                namespace: Some(namespace),
                ..Default::default()
            },
            involved_object: w.regarding,
            reason: Some(w.reason),
            message: Some(w.message),
            type_: Some(event_type.into()),
            count: Some(1),
            first_timestamp: Some(now.to_k8s()),
            last_timestamp: Some(now.to_k8s()),
            reporting_component: Some(w.source.0.clone()),
            reporting_instance: Some(w.source.1.clone()),
            source: Some(EventSource { component: Some(w.source.0), host: Some(w.source.1).filter(|h| !h.is_empty()) }),
            ..Default::default()
        };
        if self.seen.len() >= CACHE_MAX {
            self.seen.clear();
        }
        self.seen.insert(identity, ((&event as &dyn api::Object).key(), 1));
        Recorded::Create(Box::new(event))
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
