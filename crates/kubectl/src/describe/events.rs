//! The events at a description's end.

use super::sort::sort;
use super::view::View;
use super::writer::{Writer, put};
use super::{Describer, core_path, show};
use serde_json::Value;

/// What events are looked for by; an empty field is not asked for, a namespace always is.
#[derive(Clone, Copy, Default)]
pub struct About<'a> {
    pub kind: &'a str,
    pub name: &'a str,
    pub namespace: &'a str,
    pub uid: &'a str,
}

impl<'a> About<'a> {
    pub fn object(kind: &'a str, object: View<'a>) -> About<'a> {
        About { kind, name: object.name(), namespace: object.namespace(), uid: object.uid() }
    }

    fn selector(self) -> String {
        let mut terms = Vec::new();
        if !self.kind.is_empty() {
            terms.push(format!("involvedObject.kind={}", escaped(self.kind)));
        }
        terms.push(format!("involvedObject.name={}", escaped(self.name)));
        terms.push(format!("involvedObject.namespace={}", escaped(self.namespace)));
        if !self.uid.is_empty() {
            terms.push(format!("involvedObject.uid={}", escaped(self.uid)));
        }
        terms.join(",")
    }
}

/// Models `fields.EscapeValue`.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace(',', "\\,").replace('=', "\\=")
}

impl Describer<'_> {
    /// The events of an object; `None` when nobody wants to see any. Models `searchEvents`.
    pub async fn events(&self, about: About<'_>) -> Option<Vec<Value>> {
        if !self.settings.show_events {
            return None;
        }
        Some(self.search(about).await.unwrap_or_default())
    }

    pub async fn search(&self, about: About<'_>) -> Result<Vec<Value>, crate::Error> {
        self.list(&core_path(about.namespace, "events"), &[("fieldSelector", &about.selector())]).await
    }
}

/// Models `DescribeEvents`.
pub fn write(w: &mut Writer, events: Option<Vec<Value>>) {
    let Some(mut events) = events else { return };
    if events.is_empty() {
        put!(w, 0, "Events:\t<none>\n");
        return;
    }
    w.flush();
    sort(&mut events, |a, b| last(a) < last(b));
    put!(w, 0, "Events:\n  Type\tReason\tAge\tFrom\tMessage\n");
    put!(w, 1, "----\t------\t----\t----\t-------\n");
    for e in &events {
        let e = View::new(e);
        let message = e.s("message").trim();
        let message = match e.s("involvedObject.fieldPath") {
            "" => message.to_string(),
            path => format!("{path}: {message}"),
        };
        let from = show::text_or(e.s("source.component"), e.s("reportingComponent"));
        let age = age(e, w.now);
        put!(w, 1, "{}\t{}\t{age}\t{from}\t{message}\n", e.s("type"), e.s("reason"));
    }
}

/// The zero time is before every other.
fn last(event: &Value) -> Option<i64> {
    show::micros(View::new(event).at("lastTimestamp"))
}

fn age(e: View, now: i64) -> String {
    let first = if e.has("eventTime") { e.at("eventTime") } else { e.at("firstTimestamp") };
    let first = show::since(first, now);
    if e.has("series") {
        let last = show::since(e.at("series.lastObservedTime"), now);
        format!("{last} (x{} over {first})", e.i("series.count"))
    } else if e.i("count") > 1 {
        format!("{} (x{} over {first})", show::since(e.at("lastTimestamp"), now), e.i("count"))
    } else {
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_767_225_600_000_000;

    #[test]
    fn events_come_in_the_order_of_their_last_time() {
        let events = json!([
            {"type": "Normal", "reason": "Started", "message": " Started it\n", "firstTimestamp": "2025-12-31T23:59:00Z",
             "lastTimestamp": "2025-12-31T23:59:00Z", "count": 1, "source": {"component": "kubelet"},
             "involvedObject": {"fieldPath": "spec.containers{web}"}},
            {"type": "Warning", "reason": "BackOff", "message": "again", "firstTimestamp": "2025-12-31T23:00:00Z",
             "lastTimestamp": "2025-12-31T23:58:00Z", "count": 7, "source": {"component": "kubelet"}},
            {"type": "Normal", "reason": "Scheduled", "message": "bound", "eventTime": "2025-12-31T23:57:30.000000Z",
             "reportingComponent": "default-scheduler"},
            {"type": "Normal", "reason": "Series", "message": "many", "eventTime": "2025-12-31T23:00:00.000000Z",
             "series": {"count": 3, "lastObservedTime": "2025-12-31T23:59:50.000000Z"}, "reportingComponent": "x"},
        ]);
        let Value::Array(events) = events else { panic!("an array") };
        let mut w = Writer::new(NOW);
        write(&mut w, Some(events));
        let expected = "Events:\n  Type     Reason     Age                From               Message\n  ----     ------     ----               ----               -------\n  Normal   Scheduled  2m30s              default-scheduler  bound\n  Normal   Series     10s (x3 over 60m)  x                  many\n  Warning  BackOff    2m (x7 over 60m)   kubelet            again\n  Normal   Started    60s                kubelet            spec.containers{web}: Started it\n";
        assert_eq!(w.finish(), expected);
    }

    #[test]
    fn none_or_not_wanted() {
        let mut w = Writer::new(NOW);
        write(&mut w, Some(Vec::new()));
        write(&mut w, None);
        assert_eq!(w.finish(), "Events:  <none>\n");
    }

    #[test]
    fn what_is_asked_for() {
        let about = About { kind: "Pod", name: "a", namespace: "b", uid: "c=1" };
        assert_eq!(
            about.selector(),
            "involvedObject.kind=Pod,involvedObject.name=a,involvedObject.namespace=b,involvedObject.uid=c\\=1"
        );
        assert_eq!(
            About { name: "n", ..About::default() }.selector(),
            "involvedObject.name=n,involvedObject.namespace="
        );
    }
}
