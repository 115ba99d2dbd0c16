//! The part of kubectl's JSONPath that printer columns, scales and selectable fields are written in. Models
//! `k8s.io/client-go/util/jsonpath`.

use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    Index(i64),
    Slice(Option<i64>, Option<i64>),
    Every,
    Deep(String),
    Filter(Vec<Step>, Option<(String, Value)>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath(Vec<Step>);

impl JsonPath {
    /// # Errors
    /// What is wrong with the path.
    pub fn parse(text: &str) -> Result<JsonPath, String> {
        let mut p = Parser { rest: text.trim_start_matches('$'), text };
        let steps = p.steps(|c| c.is_none())?;
        if steps.is_empty() && !matches!(text, "." | "$") {
            return Err(format!("unrecognized path {text:?}"));
        }
        Ok(JsonPath(steps))
    }

    /// The names of a path of fields alone: `.spec.replicas`.
    pub fn fields(&self) -> Option<Vec<&str>> {
        self.0.iter().map(|s| if let Step::Field(f) = s { Some(f.as_str()) } else { None }).collect()
    }

    pub fn find<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        walk(&self.0, root)
    }
}

fn walk<'v>(steps: &[Step], root: &'v Value) -> Vec<&'v Value> {
    let mut found = vec![root];
    for step in steps {
        let mut next = Vec::new();
        for v in found {
            apply(step, v, &mut next);
        }
        found = next;
    }
    found
}

fn apply<'v>(step: &Step, v: &'v Value, out: &mut Vec<&'v Value>) {
    match step {
        Step::Field(name) => out.extend(v.get(name)),
        Step::Index(i) => {
            let list = v.as_array().map_or(&[] as &[Value], Vec::as_slice);
            out.extend(at(list, *i).and_then(|i| list.get(i)));
        }
        Step::Slice(from, to) => {
            let list = v.as_array().map_or(&[] as &[Value], Vec::as_slice);
            let from = from.map_or(Some(0), |i| at(list, i)).unwrap_or(0);
            let to = to.map_or(Some(list.len()), |i| at(list, i)).unwrap_or(list.len()).min(list.len());
            out.extend(list.get(from..to).unwrap_or_default());
        }
        Step::Every => match v {
            Value::Array(list) => out.extend(list),
            Value::Object(map) => out.extend(map.values()),
            _ => {}
        },
        Step::Deep(name) => deep(name, v, out),
        Step::Filter(path, test) => {
            let list = v.as_array().map_or(&[] as &[Value], Vec::as_slice);
            out.extend(list.iter().filter(|item| holds(path, test.as_ref(), item)));
        }
    }
}

/// From the end when negative.
fn at(list: &[Value], i: i64) -> Option<usize> {
    let n = i64::try_from(list.len()).ok()?;
    usize::try_from(if i < 0 { i + n } else { i }).ok()
}

fn deep<'v>(name: &str, v: &'v Value, out: &mut Vec<&'v Value>) {
    match v {
        Value::Object(map) => {
            out.extend(map.get(name));
            map.values().for_each(|v| deep(name, v, out));
        }
        Value::Array(list) => list.iter().for_each(|v| deep(name, v, out)),
        _ => {}
    }
}

fn holds(path: &[Step], test: Option<&(String, Value)>, item: &Value) -> bool {
    let found = walk(path, item);
    let Some((op, wanted)) = test else { return !found.is_empty() };
    found.first().is_some_and(|v| match op.as_str() {
        "==" => *v == wanted,
        "!=" => *v != wanted,
        _ => {
            let order = match (v, wanted) {
                (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
                (a, b) => a.as_f64().and_then(|a| a.partial_cmp(&b.as_f64()?)),
            };
            order.is_some_and(|o| match op.as_str() {
                "<" => o.is_lt(),
                "<=" => o.is_le(),
                ">" => o.is_gt(),
                _ => o.is_ge(),
            })
        }
    })
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn wrong<T>(&self) -> Result<T, String> {
        Err(format!("unrecognized character in path {:?} at {:?}", self.text, self.rest))
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let eaten = self.rest.strip_prefix(prefix);
        self.rest = eaten.unwrap_or(self.rest);
        eaten.is_some()
    }

    /// As far as `part` of the characters holds; a backslash lets the next one pass.
    fn name(&mut self) -> String {
        let mut out = String::new();
        let mut chars = self.rest.char_indices();
        let mut end = self.rest.len();
        while let Some((i, c)) = chars.next() {
            match c {
                '\\' => out.extend(chars.next().map(|(_, c)| c)),
                '.' | '[' | ']' | ' ' | '=' | '!' | '<' | '>' | ')' => {
                    end = i;
                    break;
                }
                c => out.push(c),
            }
        }
        self.rest = &self.rest[end..];
        out
    }

    fn steps(&mut self, end: impl Fn(Option<char>) -> bool) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        while !end(self.rest.chars().next()) {
            if self.eat("..") {
                steps.push(Step::Deep(self.name()));
            } else if self.eat("[") {
                steps.push(self.bracket()?);
            } else if self.eat(".") {
                if self.eat("*") {
                    steps.push(Step::Every);
                } else if !self.rest.starts_with('[') && !end(self.rest.chars().next()) {
                    let name = self.name();
                    if name.is_empty() {
                        return self.wrong();
                    }
                    steps.push(Step::Field(name));
                }
            } else {
                return self.wrong();
            }
        }
        Ok(steps)
    }

    fn until(&mut self, c: char) -> Result<&'t str, String> {
        let Some(i) = self.rest.find(c) else { return Err(format!("unterminated array in path {:?}", self.text)) };
        let part = &self.rest[..i];
        self.rest = &self.rest[i + c.len_utf8()..];
        Ok(part)
    }

    fn bracket(&mut self) -> Result<Step, String> {
        if self.eat("?(") {
            return self.filter();
        }
        let quote = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
        if let Some(q) = quote {
            self.rest = &self.rest[1..];
            let name = self.until(q)?.to_string();
            return if self.eat("]") { Ok(Step::Field(name)) } else { self.wrong() };
        }
        let inside = self.until(']')?;
        if inside == "*" {
            return Ok(Step::Every);
        }
        let number = |t: &str| if t.is_empty() { Ok(None) } else { t.trim().parse().map(Some) };
        let bad = |_| format!("invalid array index {inside}");
        match inside.split_once(':') {
            Some((from, to)) => Ok(Step::Slice(number(from).map_err(bad)?, number(to).map_err(bad)?)),
            None => inside.trim().parse().map(Step::Index).map_err(bad),
        }
    }

    fn filter(&mut self) -> Result<Step, String> {
        if !self.eat("@") {
            return self.wrong();
        }
        let path = self.steps(|c| matches!(c, None | Some(' ' | '=' | '!' | '<' | '>' | ')')))?;
        self.rest = self.rest.trim_start();
        let op = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|o| self.eat(o));
        let mut test = None;
        if let Some(op) = op {
            self.rest = self.rest.trim_start();
            let quote = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let value = if let Some(q) = quote {
                self.rest = &self.rest[1..];
                Value::String(self.until(q)?.into())
            } else {
                let end = self.rest.find(')').unwrap_or(self.rest.len());
                let word = &self.rest[..end];
                self.rest = &self.rest[end..];
                serde_json::from_str(word.trim()).map_err(|_| format!("unrecognized value {word:?}"))?
            };
            test = Some((op.to_string(), value));
            self.rest = self.rest.trim_start();
        }
        if self.eat(")]") { Ok(Step::Filter(path, test)) } else { self.wrong() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_find_what_kubectl_finds() {
        let v = json!({
            "spec": {"replicas": 3, "a.b": "dotted", "list": [{"n": 1}, {"n": 2}, {"n": 3}]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Synced", "status": "False"}]},
        });
        for (path, want) in [
            (".spec.replicas", json!([3])),
            ("$.spec.replicas", json!([3])),
            (".spec['a.b']", json!(["dotted"])),
            (".spec.a\\.b", json!(["dotted"])),
            (".spec.list[0].n", json!([1])),
            (".spec.list[-1].n", json!([3])),
            (".spec.list[1:].n", json!([2, 3])),
            (".spec.list[*].n", json!([1, 2, 3])),
            (".status.conditions[?(@.type==\"Ready\")].status", json!(["True"])),
            (".status.conditions[?(@.type == 'Synced')].status", json!(["False"])),
            (".spec.list[?(@.n>1)].n", json!([2, 3])),
            ("..n", json!([1, 2, 3])),
            (".spec.absent", json!([])),
        ] {
            let found = JsonPath::parse(path).unwrap_or_else(|e| panic!("{path}: {e}"));
            let found: Vec<&Value> = found.find(&v);
            assert_eq!(json!(found), want, "{path}");
        }
        for bad in ["spec", ".spec[", ".spec[x]", ".spec[?(type)]"] {
            assert!(JsonPath::parse(bad).is_err(), "{bad}");
        }
    }
}
