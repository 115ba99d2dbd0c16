//! Sets of field paths, and their JSON form `FieldsV1`. Models `sigs.k8s.io/structured-merge-diff/fieldpath`.

use serde_json::{Map, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// One step of a path.
#[derive(Clone, Debug)]
pub enum Element {
    /// A struct's field or a map's key.
    Field(String),
    /// An item of a list of objects, told by its key fields, which are sorted.
    Key(Vec<(String, Value)>),
    /// An item of a set.
    Value(Value),
    Index(i64),
}

pub type Path = Vec<Element>;

impl Element {
    fn rank(&self) -> u8 {
        match self {
            Element::Field(_) => 0,
            Element::Key(_) => 1,
            Element::Value(_) => 2,
            Element::Index(_) => 3,
        }
    }

    /// The key in `FieldsV1`: `f:spec`, `k:{"name":"web"}`.
    fn encode(&self) -> String {
        match self {
            Element::Field(name) => format!("f:{name}"),
            Element::Key(fields) => {
                let fields: Vec<String> = fields.iter().map(|(k, v)| format!("{}:{v}", Value::from(&**k))).collect();
                format!("k:{{{}}}", fields.join(","))
            }
            Element::Value(v) => format!("v:{v}"),
            Element::Index(i) => format!("i:{i}"),
        }
    }

    /// `None` for a kind of element that a later version may know.
    fn decode(text: &str) -> Result<Option<Element>, String> {
        let Some((kind, rest)) = text.split_at_checked(2) else { return Err("key must be 2 characters long:".into()) };
        let json = |e: serde_json::Error| format!("parsing key as path element: {e}");
        Ok(Some(match kind {
            "f:" => Element::Field(rest.into()),
            "v:" => Element::Value(serde_json::from_str(rest).map_err(json)?),
            "k:" => {
                let map: BTreeMap<String, Value> = serde_json::from_str(rest).map_err(json)?;
                Element::Key(map.into_iter().collect())
            }
            "i:" => Element::Index(rest.parse().map_err(|e| format!("parsing key as path element: {e}"))?),
            _ if kind.ends_with(':') => return Ok(None),
            _ => return Err(format!("missing colon: {text}")),
        }))
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Element::Field(name) => write!(f, ".{name}"),
            Element::Key(fields) => {
                let fields: Vec<String> = fields.iter().map(|(k, v)| format!("{k}={v}")).collect();
                write!(f, "[{}]", fields.join(","))
            }
            Element::Value(v) => write!(f, "[={v}]"),
            Element::Index(i) => write!(f, "[{i}]"),
        }
    }
}

/// `.spec.containers[name="web"].image`
pub fn text(path: &[Element]) -> String {
    path.iter().map(ToString::to_string).collect()
}

impl Ord for Element {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Element::Field(a), Element::Field(b)) => a.cmp(b),
            (Element::Key(a), Element::Key(b)) => {
                for ((ak, av), (bk, bv)) in a.iter().zip(b) {
                    let order = ak.cmp(bk).then_with(|| compare(av, bv));
                    if order.is_ne() {
                        return order;
                    }
                }
                a.len().cmp(&b.len())
            }
            (Element::Value(a), Element::Value(b)) => compare(a, b),
            (Element::Index(a), Element::Index(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}
impl PartialOrd for Element {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Element {}

/// A total order of values: numbers, strings, booleans, lists, maps, null. Models `value.Compare`.
pub fn compare(a: &Value, b: &Value) -> Ordering {
    let rank = |v: &Value| match v {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    };
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => match (x.as_i64(), y.as_i64()) {
            (Some(x), Some(y)) => x.cmp(&y),
            _ => x.as_f64().unwrap_or(0.0).total_cmp(&y.as_f64().unwrap_or(0.0)),
        },
        (Value::String(x), Value::String(y)) => x.cmp(y),
        (Value::Bool(x), Value::Bool(y)) => x.cmp(y),
        (Value::Array(x), Value::Array(y)) => {
            let first = x.iter().zip(y).map(|(a, b)| compare(a, b)).find(|o| o.is_ne());
            first.unwrap_or_else(|| x.len().cmp(&y.len()))
        }
        (Value::Object(x), Value::Object(y)) => {
            let (x, y): (BTreeMap<_, _>, BTreeMap<_, _>) = (x.iter().collect(), y.iter().collect());
            let pairs = x.iter().zip(&y).map(|((ak, av), (bk, bv))| ak.cmp(bk).then_with(|| compare(av, bv)));
            pairs.into_iter().find(|o| o.is_ne()).unwrap_or_else(|| x.len().cmp(&y.len()))
        }
        _ => rank(a).cmp(&rank(b)),
    }
}

/// A set of paths, as a trie. A path in the set does not put those above or below it there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set(BTreeMap<Element, Node>);

/// Either a member or something below is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    member: bool,
    below: Set,
}

impl Node {
    fn some(member: bool, below: Set) -> Option<Node> {
        (member || !below.is_empty()).then_some(Node { member, below })
    }
}

impl Set {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The whole object is never a member.
    pub fn insert(&mut self, path: &[Element]) {
        let Some((first, rest)) = path.split_first() else { return };
        if !self.0.contains_key(first) {
            self.0.insert(first.clone(), Node::default());
        }
        let Some(node) = self.0.get_mut(first) else { return };
        if rest.is_empty() {
            node.member = true;
        } else {
            node.below.insert(rest);
        }
    }

    pub fn has(&self, path: &[Element]) -> bool {
        match path {
            [] => false,
            [last] => self.0.get(last).is_some_and(|n| n.member),
            [first, rest @ ..] => self.0.get(first).is_some_and(|n| n.below.has(rest)),
        }
    }

    pub fn has_member(&self, e: &Element) -> bool {
        self.0.get(e).is_some_and(|n| n.member)
    }

    /// What lies below `e`.
    pub fn below(&self, e: &Element) -> Option<&Set> {
        self.0.get(e).map(|n| &n.below).filter(|s| !s.is_empty())
    }

    #[must_use]
    pub fn union(mut self, other: &Set) -> Set {
        for (e, theirs) in &other.0 {
            let mine = self.0.entry(e.clone()).or_default();
            mine.member |= theirs.member;
            mine.below = std::mem::take(&mut mine.below).union(&theirs.below);
        }
        self
    }

    #[must_use]
    pub fn intersection(&self, other: &Set) -> Set {
        let both = |(e, mine): (&Element, &Node)| {
            let theirs = other.0.get(e)?;
            let node = Node::some(mine.member && theirs.member, mine.below.intersection(&theirs.below))?;
            Some((e.clone(), node))
        };
        Set(self.0.iter().filter_map(both).collect())
    }

    /// Without the members of `other`; what lies below those stays.
    #[must_use]
    pub fn difference(&self, other: &Set) -> Set {
        let left = |(e, mine): (&Element, &Node)| {
            let node = match other.0.get(e) {
                None => mine.clone(),
                Some(o) => Node::some(mine.member && !o.member, mine.below.difference(&o.below))?,
            };
            Some((e.clone(), node))
        };
        Set(self.0.iter().filter_map(left).collect())
    }

    /// Without the members of `other` and all below them.
    #[must_use]
    pub fn recursive_difference(&self, other: &Set) -> Set {
        let left = |(e, mine): (&Element, &Node)| {
            let node = match other.0.get(e) {
                None => mine.clone(),
                Some(o) if o.member => return None,
                Some(o) => Node::some(mine.member, mine.below.recursive_difference(&o.below))?,
            };
            Some((e.clone(), node))
        };
        Set(self.0.iter().filter_map(left).collect())
    }

    /// The same with every step, and whether it is a member, given to `f`, which may make it one; `f` also says what
    /// to go on with below.
    pub(super) fn map<T: Copy>(&self, at: T, f: &impl Fn(T, &Element, bool, bool) -> (bool, T)) -> Set {
        let step = |(e, n): (&Element, &Node)| {
            let (member, at) = f(at, e, n.member, !n.below.is_empty());
            (e.clone(), Node { member, below: n.below.map(at, f) })
        };
        Set(self.0.iter().map(step).collect())
    }

    /// Every member, in order.
    pub fn paths(&self) -> Vec<Path> {
        let (mut out, mut path) = (Vec::new(), Vec::new());
        self.collect(&mut path, &mut out);
        out
    }

    fn collect(&self, path: &mut Path, out: &mut Vec<Path>) {
        for (e, n) in &self.0 {
            path.push(e.clone());
            if n.member {
                out.push(path.clone());
            }
            n.below.collect(path, out);
            path.pop();
        }
    }

    /// `FieldsV1`
    pub fn to_json(&self) -> Value {
        let node = |(e, n): (&Element, &Node)| {
            let mut inner = Map::new();
            if n.member && !n.below.is_empty() {
                inner.insert(".".into(), Value::Object(Map::new()));
            }
            if let Value::Object(below) = n.below.to_json() {
                inner.extend(below);
            }
            (e.encode(), Value::Object(inner))
        };
        Value::Object(self.0.iter().map(node).collect())
    }

    /// # Errors
    /// A key that is no path element.
    pub fn from_json(v: &Value) -> Result<Set, String> {
        let Value::Object(map) = v else { return Err("error decoding set: expected an object".into()) };
        let mut set = Set::default();
        for (key, inner) in map {
            if key == "." {
                continue;
            }
            let Some(e) = Element::decode(key)? else { continue };
            let below = Set::from_json(inner)?;
            let member = below.is_empty() || inner.get(".").is_some();
            set.0.insert(e, Node { member, below });
        }
        Ok(set)
    }
}
