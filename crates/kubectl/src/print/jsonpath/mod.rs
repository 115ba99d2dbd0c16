//! kubectl's JSONPath templates. Models `client-go/util/jsonpath`.

mod parse;

#[cfg(test)]
mod tests;

use super::gojson;
use serde_json::Value;
use std::borrow::Cow;
use std::cmp::Ordering;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Text(String),
    /// A path, each step of which takes the results of the one before.
    Path(Vec<Step>),
    Range(Vec<Step>, Vec<Node>),
    /// An `{end}` without its range, which is said when it is met.
    StrayEnd,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Field(String),
    Wildcard,
    Recursive,
    Array {
        start: Option<i64>,
        end: Option<i64>,
        derived: bool,
        step: Option<i64>,
    },
    Filter(Vec<Step>, Option<(String, Vec<Step>)>),
    Union(Vec<Vec<Step>>),
    Literal(Value),
    /// A word that means nothing, which is said when it is met.
    Unknown(String),
    Root,
    Current,
}

#[derive(Clone, Debug)]
pub(crate) struct JsonPath {
    nodes: Vec<Node>,
    allow_missing: bool,
}

type Found<'v> = Vec<Cow<'v, Value>>;

impl JsonPath {
    pub fn parse(text: &str, allow_missing: bool) -> Result<JsonPath, String> {
        Ok(JsonPath { nodes: parse::parse(text)?, allow_missing })
    }

    /// The results of every node of the template.
    pub fn find<'v>(&self, v: &'v Value) -> Result<Vec<Found<'v>>, String> {
        let mut out = Vec::new();
        self.nodes(&self.nodes, Cow::Borrowed(v), v, &mut out)?;
        Ok(out)
    }

    /// Models `PrintResults`.
    pub fn print(&self, v: &Value) -> Result<String, String> {
        let mut out = String::new();
        for results in self.find(v)? {
            let texts: Vec<String> = results.iter().map(|r| shown(r)).collect();
            out.push_str(&texts.join(" "));
        }
        Ok(out)
    }

    /// `jsonpath-as-json`.
    pub fn print_json(&self, v: &Value) -> Result<String, String> {
        let mut out = String::new();
        for results in self.find(v)? {
            let list = Value::Array(results.into_iter().map(Cow::into_owned).collect());
            out.push_str(&gojson::indented(&list));
        }
        Ok(out)
    }

    fn nodes<'v>(
        &self,
        nodes: &[Node],
        current: Cow<'v, Value>,
        root: &'v Value,
        out: &mut Vec<Found<'v>>,
    ) -> Result<(), String> {
        for node in nodes {
            match node {
                Node::Text(t) => out.push(vec![Cow::Owned(Value::String(t.clone()))]),
                Node::Path(steps) => out.push(self.walk(steps, vec![current.clone()], root)?),
                Node::StrayEnd => return Err("not in range, nothing to end".into()),
                Node::Range(steps, body) => {
                    for item in self.walk(steps, vec![current.clone()], root)? {
                        self.nodes(body, item, root, out)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn walk<'v>(&self, steps: &[Step], mut values: Found<'v>, root: &'v Value) -> Result<Found<'v>, String> {
        for step in steps {
            values = self.step(step, values, root)?;
        }
        Ok(values)
    }

    fn step<'v>(&self, step: &Step, values: Found<'v>, root: &'v Value) -> Result<Found<'v>, String> {
        let mut out = Vec::new();
        match step {
            Step::Root => out.push(Cow::Borrowed(root)),
            Step::Current => out = values,
            Step::Unknown(word) => return Err(format!("unrecognized identifier {word}")),
            Step::Literal(v) => out.push(Cow::Owned(v.clone())),
            Step::Field(name) => {
                // Models `evalField`: no name leads to the value itself.
                if name.is_empty() {
                    return Ok(values);
                }
                for v in values {
                    out.extend(get(&v, |v| v.get(name.as_str())));
                }
                if out.is_empty() && !self.allow_missing {
                    return Err(format!("{name} is not found"));
                }
            }
            Step::Wildcard => {
                for v in values {
                    children(v, &mut out);
                }
            }
            Step::Recursive => {
                for v in values {
                    recurse(v, &mut out);
                }
            }
            Step::Array { start, end, derived, step } => {
                for v in values {
                    if v.is_null() {
                        continue;
                    }
                    let Some(list) = v.as_array() else {
                        return Err(format!("{} is not array or slice", go_value(&v)));
                    };
                    let (from, to) = bounds(list.len(), *start, *end, *derived)?;
                    let step = step.unwrap_or(1);
                    if step <= 0 {
                        return Err("step must be > 0".into());
                    }
                    for i in (from..to).step_by(usize::try_from(step).unwrap_or(1)) {
                        out.extend(get(&v, |v| v.get(i)));
                    }
                }
            }
            Step::Filter(left, right) => {
                for v in values {
                    let mut items = Vec::new();
                    match &*v {
                        Value::Array(list) => (0..list.len()).for_each(|i| items.extend(get(&v, |v| v.get(i)))),
                        _ => continue,
                    }
                    for item in items {
                        if self.fits(&item, left, right.as_ref(), root)? {
                            out.push(item);
                        }
                    }
                }
            }
            Step::Union(list) => {
                for steps in list {
                    out.extend(self.walk(steps, values.clone(), root)?);
                }
            }
        }
        Ok(out)
    }

    fn fits(
        &self,
        item: &Value,
        left: &[Step],
        right: Option<&(String, Vec<Step>)>,
        root: &Value,
    ) -> Result<bool, String> {
        let lenient = JsonPath { nodes: Vec::new(), allow_missing: true };
        let one = |steps: &[Step]| lenient.walk(steps, vec![Cow::Borrowed(item)], root);
        let lefts = one(left)?;
        let Some((operator, right)) = right else { return Ok(!lefts.is_empty()) };
        let Some(l) = lefts.first() else { return Ok(false) };
        if lefts.len() > 1 {
            return Err("can only compare one element at a time".into());
        }
        let rights = one(right)?;
        let Some(r) = rights.first() else { return Ok(false) };
        if rights.len() > 1 {
            return Err("can only compare one element at a time".into());
        }
        if !matches!(operator.as_str(), "==" | "!=" | "<" | "<=" | ">" | ">=") {
            return Err(format!("unrecognized filter operator {operator}"));
        }
        let order = compare(operator, l, r)?;
        Ok(match operator.as_str() {
            "==" => order.is_eq(),
            "!=" => order.is_ne(),
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            _ => order.is_ge(),
        })
    }
}

fn get<'v>(v: &Cow<'v, Value>, pick: impl Fn(&Value) -> Option<&Value>) -> Option<Cow<'v, Value>> {
    match v {
        Cow::Borrowed(b) => pick(b).map(Cow::Borrowed),
        Cow::Owned(o) => pick(o).cloned().map(Cow::Owned),
    }
}

fn children<'v>(v: Cow<'v, Value>, out: &mut Found<'v>) {
    match &*v {
        Value::Array(list) => (0..list.len()).for_each(|i| out.extend(get(&v, |v| v.get(i)))),
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            keys.iter().for_each(|k| out.extend(get(&v, |v| v.get(k.as_str()))));
        }
        _ => {}
    }
}

fn recurse<'v>(v: Cow<'v, Value>, out: &mut Found<'v>) {
    let mut below = Vec::new();
    children(v.clone(), &mut below);
    out.push(v);
    for b in below {
        recurse(b, out);
    }
}

/// Models the bounds of `evalArray`.
fn bounds(len: usize, start: Option<i64>, end: Option<i64>, derived: bool) -> Result<(usize, usize), String> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let mut from = start.unwrap_or(0);
    if from < 0 {
        from += len;
    }
    let mut to = end.unwrap_or(len);
    if to < 0 || (to == 0 && derived) {
        to += len;
    }
    if from == to {
        return Ok((0, 0));
    }
    if from >= len || from < 0 {
        return Err(format!("array index out of bounds: index {from}, length {len}"));
    }
    if to > len || to < 0 {
        return Err(format!("array index out of bounds: index {}, length {len}", to - 1));
    }
    if from > to {
        return Err(format!("starting index {from} is greater than ending index {to}"));
    }
    Ok((usize::try_from(from).unwrap_or(0), usize::try_from(to).unwrap_or(0)))
}

/// Models `basicKind`, `Equal` and `Less` of the template package that upstream copied.
fn compare(operator: &str, a: &Value, b: &Value) -> Result<Ordering, String> {
    const KIND: &str = "invalid type for comparison";
    if [a, b].iter().any(|v| v.is_array() || v.is_object() || v.is_null()) {
        return Err(KIND.into());
    }
    let order = match (a, b) {
        // Whole numbers are of another kind.
        (Value::Number(x), Value::Number(y)) if x.is_f64() == y.is_f64() => x.as_f64().partial_cmp(&y.as_f64()),
        (Value::String(x), Value::String(y)) => Some(x.cmp(y)),
        (Value::Bool(_), Value::Bool(_)) if !matches!(operator, "==" | "!=") => return Err(KIND.into()),
        (Value::Bool(x), Value::Bool(y)) => Some(x.cmp(y)),
        _ => None,
    };
    order.ok_or_else(|| "incompatible types for comparison".into())
}

fn shown(v: &Value) -> String {
    match v {
        Value::Object(_) | Value::Array(_) => gojson::compact(v),
        Value::String(s) => s.clone(),
        Value::Null => String::new(),
        Value::Number(n) => gojson::number_g(n),
        Value::Bool(b) => b.to_string(),
    }
}

/// `fmt.Sprint` of a decoded value.
pub(crate) fn go_value(v: &Value) -> String {
    match v {
        Value::Null => "<nil>".into(),
        Value::String(s) => s.clone(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => gojson::number_g(n),
        Value::Array(list) => format!("[{}]", list.iter().map(go_value).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let pairs: Vec<String> = map.iter().map(|(k, v)| format!("{k}:{}", go_value(v))).collect();
            format!("map[{}]", pairs.join(" "))
        }
    }
}

/// Models `RelaxedJSONPathExpression`: `metadata.name`, `.metadata.name` and `{metadata.name}` are `{.metadata.name}`.
pub(crate) fn relaxed(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    let inner = inner.strip_prefix('.').unwrap_or(inner);
    if inner.is_empty() || inner.contains(['{', '}']) {
        return Err("unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or \
                    '{.name1.name2}'"
            .into());
    }
    Ok(format!("{{.{inner}}}"))
}
