//! Recording by `events.k8s.io`: an event that repeats becomes a series, which is written when it begins, when it ends, and
//! every half hour between. Models `k8s.io/client-go/tools/events/event_broadcaster.go`.

use super::{CACHE_MAX, Names, Recorded, Wanted, namespace, s, type_name};
use api::ObjectExt;
use imbl::OrdMap;
use k8s_openapi::api::core::v1::{Event, EventSource};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Duration, Key, Rng, Time};
use reconcile::View;
use std::sync::Arc;

/// What has not repeated for so long is over (`finishTime`).
const FINISHED_AFTER: Duration = Duration::from_secs(360);
/// How often a lasting series is written (`refreshTime`).
const REFRESH: Duration = Duration::from_secs(1800);

#[derive(Clone)]
struct Kept {
    event: Key,
    count: i32,
    last: Time,
    written: Time,
}

#[derive(Clone, Default)]
pub(super) struct Series {
    kept: OrdMap<Arc<str>, Kept>,
}

/// What the component was doing, which every event of this API says.
fn action(reason: &str) -> &str {
    match reason {
        "Scheduled" => "Binding",
        "FailedScheduling" => "Scheduling",
        "Preempted" => "Preempting",
        other => other,
    }
}

impl Series {
    pub fn record(&mut self, w: Wanted, now: Time, view: &View, rng: &mut Rng, names: &mut Names) -> Recorded {
        let r = &w.regarding;
        // Not the message, but the object's version: a new note about the same version is part of the series.
        let version = s(&r.resource_version);
        let parts = [&w.source.0, type_name(w.event_type), &w.reason, s(&r.kind), s(&r.namespace), s(&r.name), version];
        let identity = parts.join("|");
        let kept = self.kept.get_mut(identity.as_str()).filter(|k| now.since(k.last) <= FINISHED_AFTER);
        if let Some(k) = kept.filter(|k| view.get::<Event>(&k.event).is_some()) {
            k.count += 1;
            k.last = now;
            if k.count > 2 && now.since(k.written) < REFRESH {
                return Recorded::Dropped;
            }
            k.written = now;
            let observed = serde_json::json!(now.to_k8s_micro());
            let series = serde_json::json!({ "count": k.count, "lastObservedTime": observed });
            return Recorded::Patch(k.event.clone(), serde_json::json!({ "series": series }));
        }
        let event = Event {
            metadata: ObjectMeta {
                name: Some(names.next(s(&r.name), now, rng)),
                namespace: Some(namespace(r)),
                ..Default::default()
            },
            action: Some(action(&w.reason).into()),
            reason: Some(w.reason),
            message: Some(w.message),
            type_: Some(type_name(w.event_type).into()),
            event_time: Some(now.to_k8s_micro()),
            reporting_instance: Some(format!("{}-control-plane", w.source.0)),
            reporting_component: Some(w.source.0),
            source: Some(EventSource::default()),
            involved_object: w.regarding,
            ..Default::default()
        };
        if self.kept.len() >= CACHE_MAX {
            self.kept.clear();
        }
        let kept = Kept { event: (&event as &dyn api::Object).key(), count: 1, last: now, written: now };
        self.kept.insert(identity.into(), kept);
        Recorded::Create(Box::new(event))
    }
}
