use super::*;
use api::{Object, Registered};
use std::collections::BTreeMap;
use std::sync::Arc;

fn wanted(reason: &str, message: &str, new_api: bool) -> Wanted {
    let regarding = ObjectReference {
        kind: Some("Pod".into()),
        name: Some("a".into()),
        namespace: Some("default".into()),
        resource_version: Some("7".into()),
        ..Default::default()
    };
    let source = ("tester".into(), String::new());
    Wanted { regarding, event_type: EventType::Normal, reason: reason.into(), message: message.into(), source, new_api }
}

/// A recorder, and the events it wrote.
struct Book {
    recorder: Recorder,
    view: View,
    written: BTreeMap<Key, serde_json::Value>,
}

impl Book {
    fn new() -> Self {
        Book { recorder: Recorder::default(), view: View::new(), written: BTreeMap::new() }
    }
    fn record(&mut self, now: Time, reason: &str, message: &str, new_api: bool) {
        let mut rng = Rng::new(1);
        match self.recorder.record(wanted(reason, message, new_api), now, &self.view, &mut rng) {
            Recorded::Create(e) => {
                let key = (&*e as &dyn Object).key();
                self.written.insert(key.clone(), serde_json::to_value(&*e).unwrap());
                let object: api::Obj = Arc::from(e as Box<dyn Object>);
                self.view.apply(Event::KIND_REF, &key, None, Some(&object), 1);
            }
            Recorded::Patch(key, patch) => {
                let event = self.written.get_mut(&key).unwrap().as_object_mut().unwrap();
                event.extend(patch.as_object().unwrap().clone());
            }
            Recorded::Dropped => {}
        }
    }
    fn lines(&self) -> Vec<String> {
        let line = |e: &serde_json::Value| {
            let count = e["series"]["count"].as_i64().or(e["count"].as_i64()).unwrap_or(0);
            format!("{} x{count}", e["message"].as_str().unwrap())
        };
        self.written.values().map(line).collect()
    }
}

const T: Time = Time(1_000_000_000_000);

#[test]
fn the_tenth_similar_event_and_all_after_it_are_combined() {
    let mut b = Book::new();
    for n in 1..=12 {
        b.record(T, "SuccessfulCreate", &format!("Created pod: p{n:02}"), false);
    }
    let lines = b.lines();
    // In the order in which they were written, though all came at once.
    assert_eq!((lines.len(), lines[0].as_str()), (10, "Created pod: p01 x1"));
    assert_eq!(lines[9], "(combined from similar events): Created pod: p12 x3");
}

#[test]
fn a_flood_is_dropped() {
    let mut b = Book::new();
    for _ in 0..40 {
        b.record(T, "BackOff", "again", false);
    }
    assert_eq!(b.lines(), ["again x25"]);
    b.record(T + Duration::from_secs(300), "BackOff", "again", false);
    assert_eq!(b.lines(), ["again x41"]);
}

#[test]
fn a_series_is_written_when_it_begins_and_every_half_hour() {
    let mut b = Book::new();
    for minute in 0..33 {
        b.record(T + Duration::from_secs(60 * minute), "FailedScheduling", "no nodes", true);
        let want = match minute {
            0 => "no nodes x0",
            1..31 => "no nodes x2",
            _ => "no nodes x32",
        };
        assert_eq!(b.lines(), [want], "{minute}");
    }
}
