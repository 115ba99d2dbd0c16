//! The difference that a refused pod update shows. Models `k8s.io/apimachinery/pkg/util/diff.Diff`: a unified
//! diff with three lines of context of both specs as indented JSON. Upstream dumps its internal type, whose
//! fields are capitalized and written even when unset; here unset fields are left out.

use k8s_openapi::api::core::v1::PodSpec;
use serde_json::Value;

const CONTEXT: usize = 3;

pub fn specs(old: &PodSpec, new: &PodSpec) -> String {
    // By way of the bytes, so that the types' serializers are compiled once.
    let bytes = |s: &PodSpec| serde_json::to_vec(s).unwrap_or_default();
    json(&bytes(old), &bytes(new))
}

/// The same of any two values, as JSON.
pub fn json(old: &[u8], new: &[u8]) -> String {
    unified(&dump(old), &dump(new))
}

fn dump(json: &[u8]) -> Vec<String> {
    let value = capitalized(serde_json::from_slice(json).unwrap_or_default());
    serde_json::to_string_pretty(&value).unwrap_or_default().lines().map(|l| format!("{l}\n")).collect()
}

fn capitalized(v: Value) -> Value {
    match v {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(k, v)| {
                    let mut chars = k.chars();
                    let head: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
                    (head + chars.as_str(), capitalized(v))
                })
                .collect(),
        ),
        Value::Array(list) => Value::Array(list.into_iter().map(capitalized).collect()),
        other => other,
    }
}

/// What becomes of a line.
#[derive(Clone, Copy, PartialEq)]
enum Op {
    Keep,
    Delete,
    Insert,
}

/// Models difflib's unified format without file names.
fn unified(a: &[String], b: &[String]) -> String {
    let script = script(a, b);
    let changed: Vec<usize> = (0..script.len()).filter(|&i| script[i].0 != Op::Keep).collect();
    let mut out = String::new();
    let mut from = 0;
    while from < changed.len() {
        // Changes closer than twice the context share a hunk.
        let mut to = from;
        while to + 1 < changed.len() && changed[to + 1] - changed[to] <= 2 * CONTEXT + 1 {
            to += 1;
        }
        let start = changed[from].saturating_sub(CONTEXT);
        let end = (changed[to] + CONTEXT + 1).min(script.len());
        let hunk = &script[start..end];
        let before = |op: Op| script[..start].iter().filter(|(o, _)| *o != op).count();
        let length = |op: Op| hunk.iter().filter(|(o, _)| *o != op).count();
        out.push_str(&format!(
            "@@ -{} +{} @@\n",
            range(before(Op::Insert), length(Op::Insert)),
            range(before(Op::Delete), length(Op::Delete))
        ));
        for (op, line) in hunk {
            out.push(match op {
                Op::Keep => ' ',
                Op::Delete => '-',
                Op::Insert => '+',
            });
            out.push_str(line);
        }
        from = to + 1;
    }
    out
}

fn range(start: usize, length: usize) -> String {
    match length {
        1 => format!("{}", start + 1),
        0 => format!("{start},0"),
        _ => format!("{},{length}", start + 1),
    }
}

/// Every line of both: of a place where both changed, what is gone comes first.
fn script<'a>(a: &'a [String], b: &'a [String]) -> Vec<(Op, &'a str)> {
    let (gone, new) = meta::lines::changes(a, b);
    let (mut out, mut i, mut j) = (Vec::new(), 0, 0);
    while i < a.len() || j < b.len() {
        if gone.get(i) == Some(&true) {
            out.push((Op::Delete, a[i].as_str()));
            i += 1;
        } else if new.get(j) == Some(&true) {
            out.push((Op::Insert, b[j].as_str()));
            j += 1;
        } else {
            out.push((Op::Keep, a[i].as_str()));
            (i, j) = (i + 1, j + 1);
        }
    }
    out
}
