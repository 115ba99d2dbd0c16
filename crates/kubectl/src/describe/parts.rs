//! What many descriptions have: labels, annotations, taints, tolerations, selectors, conditions, the start of each.

use super::show;
use super::sort::sort;
use super::view::View;
use super::writer::{Writer, put};

/// The longest line of an annotation that is shown whole.
pub const LONGEST: usize = 140;
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub fn labels(w: &mut Writer, title: &str, labels: View) {
    labels_indented(w, "", title, labels);
}

/// Models `printLabelsMultilineWithIndent`.
pub fn labels_indented(w: &mut Writer, indent: &str, title: &str, labels: View) {
    let lines = labels.entries().into_iter().map(|(k, v)| format!("{k}={}", v.text())).collect();
    multiline(w, indent, title, lines);
}

/// A title and one line each, or `<none>`.
pub fn multiline(w: &mut Writer, indent: &str, title: &str, lines: Vec<String>) {
    put!(w, 0, "{indent}{title}:\t");
    if lines.is_empty() {
        return w.line("<none>");
    }
    for (i, line) in lines.iter().enumerate() {
        if i != 0 {
            put!(w, 0, "{indent}");
            put!(w, 0, "\t");
        }
        put!(w, 0, "{line}\n");
    }
}

/// Models `printAnnotationsMultiline`.
pub fn annotations(w: &mut Writer, title: &str, annotations: View) {
    put!(w, 0, "{title}:\t");
    let entries: Vec<_> = annotations.entries().into_iter().filter(|(k, _)| *k != LAST_APPLIED).collect();
    if entries.is_empty() {
        return w.line("<none>");
    }
    for (i, (key, value)) in entries.into_iter().enumerate() {
        if i != 0 {
            put!(w, 0, "\t");
        }
        let value = value.text();
        let value = value.strip_suffix('\n').unwrap_or(value);
        if value.len() + key.len() + 2 > LONGEST || value.contains('\n') {
            put!(w, 0, "{key}:\n");
            for line in value.split('\n') {
                put!(w, 0, "\t  {}\n", shortened(line, LONGEST - 2));
            }
        } else {
            put!(w, 0, "{key}: {value}\n");
        }
    }
}

/// At most so many bytes of a text, and three dots where something is missing.
pub fn shortened(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_string();
    }
    let whole = String::from_utf8_lossy(&text.as_bytes()[..bytes]);
    format!("{whole}...")
}

/// The first lines of most descriptions.
pub fn head(w: &mut Writer, object: View) {
    put!(w, 0, "Name:\t{}\n", object.name());
    put!(w, 0, "Namespace:\t{}\n", object.namespace());
    metadata(w, object);
}

pub fn metadata(w: &mut Writer, object: View) {
    labels(w, "Labels", object.at("metadata.labels"));
    annotations(w, "Annotations", object.at("metadata.annotations"));
}

/// Models `printController`.
pub fn controlled_by(w: &mut Writer, object: View) {
    if let Some(owner) = object.controller() {
        put!(w, 0, "Controlled By:\t{}/{}\n", owner.s("kind"), owner.s("name"));
    }
}

/// Models `labels.FormatLabels`: on one line.
pub fn label_set(labels: View) -> String {
    let mut pairs: Vec<String> = labels.entries().into_iter().map(|(k, v)| format!("{k}={}", v.text())).collect();
    pairs.sort();
    if pairs.is_empty() { "<none>".into() } else { pairs.join(",") }
}

/// A `metav1.LabelSelector` as `labels.Selector` prints it, which is also how it is asked for.
pub fn selector(s: View) -> String {
    let mut requirements: Vec<(&str, String)> =
        s.map("matchLabels").into_iter().map(|(k, v)| (k, format!("{k}={}", v.text()))).collect();
    for e in s.list("matchExpressions") {
        let key = e.s("key");
        let mut values = e.strings("values");
        values.sort_unstable();
        let values = values.join(",");
        requirements.push((
            key,
            match e.s("operator") {
                "In" => format!("{key} in ({values})"),
                "NotIn" => format!("{key} notin ({values})"),
                "DoesNotExist" => format!("!{key}"),
                _ => key.to_string(),
            },
        ));
    }
    sort(&mut requirements, |a, b| a.0 < b.0);
    let texts: Vec<String> = requirements.into_iter().map(|(_, text)| text).collect();
    texts.join(",")
}

/// Models `metav1.FormatLabelSelector`.
pub fn selector_or_none(s: View) -> String {
    let text = selector(s);
    if text.is_empty() { "<none>".into() } else { text }
}

/// Models `printTaintsMultilineWithIndent`.
pub fn taints(w: &mut Writer, title: &str, taints: View) {
    let mut taints = taints.items();
    let key = |t: &View| format!("{},{}", t.s("effect"), t.s("key"));
    sort(&mut taints, |a, b| key(a) < key(b));
    let shown = |t: &View| {
        let (key, value, effect) = (t.s("key"), t.s("value"), t.s("effect"));
        match (effect, value) {
            ("", "") => key.to_string(),
            ("", _) => format!("{key}={value}:"),
            (_, "") => format!("{key}:{effect}"),
            _ => format!("{key}={value}:{effect}"),
        }
    };
    multiline(w, "", title, taints.iter().map(shown).collect());
}

/// Models `printTolerationsMultilineWithIndent`.
pub fn tolerations(w: &mut Writer, title: &str, tolerations: View) {
    let mut tolerations = tolerations.items();
    sort(&mut tolerations, |a, b| a.s("key") < b.s("key"));
    let shown = |t: &View| {
        let (key, value, effect) = (t.s("key"), t.s("value"), t.s("effect"));
        let mut text = key.to_string();
        if !value.is_empty() {
            text += &format!("={value}");
        }
        if !effect.is_empty() {
            text += &format!(":{effect}");
        }
        // Without a key it tolerates everything.
        if t.s("operator") == "Exists" && value.is_empty() {
            text += if key.is_empty() && effect.is_empty() { "op=Exists" } else { " op=Exists" };
        }
        if let Some(seconds) = t.at("tolerationSeconds").opt() {
            text += &format!(" for {}s", seconds.int());
        }
        text
    };
    multiline(w, "", title, tolerations.iter().map(shown).collect());
}

/// Conditions as workloads show them.
pub fn workload_conditions(w: &mut Writer, object: View) {
    let conditions = object.list("status.conditions");
    if conditions.is_empty() {
        return;
    }
    put!(w, 0, "Conditions:\n  Type\tStatus\tReason\n");
    put!(w, 1, "----\t------\t------\n");
    for c in conditions {
        put!(w, 1, "{} \t{}\t{}\n", c.s("type"), c.s("status"), c.s("reason"));
    }
}

/// Conditions with the time of their last transition.
pub fn dated_conditions(w: &mut Writer, conditions: Vec<View>) {
    put!(w, 0, "Conditions:\n");
    put!(w, 1, "Type\tStatus\tLastTransitionTime\tReason\tMessage\n");
    put!(w, 1, "----\t------\t------------------\t------\t-------\n");
    for c in conditions {
        let at = show::time(c.at("lastTransitionTime"));
        put!(w, 1, "{}\t{}\t{at}\t{}\t{}\n", c.s("type"), c.s("status"), c.s("reason"), c.s("message"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn printed(f: impl FnOnce(&mut Writer)) -> String {
        let mut w = Writer::new(0);
        f(&mut w);
        w.finish()
    }

    #[test]
    fn labels_one_a_line() {
        let v = json!({"b": "2", "a": "1"});
        assert_eq!(printed(|w| labels(w, "Labels", View::new(&v))), "Labels:  a=1\n         b=2\n");
        assert_eq!(printed(|w| labels(w, "Labels", View::default())), "Labels:  <none>\n");
        assert_eq!(label_set(View::new(&v)), "a=1,b=2");
    }

    #[test]
    fn long_annotations_go_below_their_key() {
        let long = "x".repeat(200);
        let v = json!({"a": "one\ntwo\n", "b": "short", "c": long, LAST_APPLIED: "{}"});
        let text = printed(|w| annotations(w, "Annotations", View::new(&v)));
        let expected = format!(
            "Annotations:  a:\n                one\n                two\n              b: short\n              c:\n                {}...\n",
            "x".repeat(138)
        );
        assert_eq!(text, expected);
        let v = json!({LAST_APPLIED: "{}"});
        assert_eq!(printed(|w| annotations(w, "Annotations", View::new(&v))), "Annotations:  <none>\n");
    }

    #[test]
    fn selectors() {
        let v = json!({"matchLabels": {"app": "web"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["b", "a"]},
            {"key": "env", "operator": "NotIn", "values": ["dev"]},
            {"key": "old", "operator": "DoesNotExist"}, {"key": "new", "operator": "Exists"},
        ]});
        assert_eq!(selector(View::new(&v)), "app=web,env notin (dev),new,!old,tier in (a,b)");
        assert_eq!(selector_or_none(View::default()), "<none>");
    }

    #[test]
    fn tolerations_of_every_form() {
        let v: Value = json!([
            {"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"},
            {"operator": "Exists"},
            {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
        ]);
        assert_eq!(
            printed(|w| tolerations(w, "Tolerations", View::new(&v))),
            "Tolerations:  op=Exists\n              a:NoExecute op=Exists for 300s\n              k=v:NoSchedule\n"
        );
    }

    #[test]
    fn taints_are_sorted_by_effect() {
        let v = json!([{"key": "b", "effect": "NoSchedule", "value": "1"}, {"key": "c", "effect": "NoExecute"}]);
        assert_eq!(printed(|w| taints(w, "Taints", View::new(&v))), "Taints:  c:NoExecute\n         b=1:NoSchedule\n");
    }
}
