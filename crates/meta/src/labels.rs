//! Label selectors. Models `k8s.io/apimachinery/pkg/labels` and `metav1.LabelSelectorAsSelector`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use std::collections::BTreeMap;
use std::fmt;

pub type Labels = BTreeMap<String, String>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub key: String,
    pub op: Op,
    pub values: Vec<String>,
}

impl Requirement {
    pub fn matches(&self, labels: Option<&Labels>) -> bool {
        self.accepts(labels.and_then(|l| l.get(&self.key)).map(String::as_str))
    }
    /// The same of the label's value; `None` without the label.
    pub fn accepts(&self, have: Option<&str>) -> bool {
        match self.op {
            Op::In => have.is_some_and(|v| self.values.iter().any(|w| w == v)),
            // A missing key satisfies NotIn.
            Op::NotIn => have.is_none_or(|v| self.values.iter().all(|w| w != v)),
            Op::Exists => have.is_some(),
            Op::DoesNotExist => have.is_none(),
            Op::Gt | Op::Lt => {
                let (Some(Ok(v)), [w]) = (have.map(|v| v.parse::<i64>()), self.values.as_slice()) else {
                    return false;
                };
                let Ok(w) = w.parse::<i64>() else { return false };
                if self.op == Op::Gt { v > w } else { v < w }
            }
        }
    }
}

/// A conjunction of requirements, or nothing at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    Nothing,
    All(Vec<Requirement>),
}

impl Selector {
    pub fn everything() -> Self {
        Selector::All(Vec::new())
    }
    pub fn is_everything(&self) -> bool {
        matches!(self, Selector::All(r) if r.is_empty())
    }
    pub fn matches(&self, labels: Option<&Labels>) -> bool {
        match self {
            Selector::Nothing => false,
            Selector::All(rs) => rs.iter().all(|r| r.matches(labels)),
        }
    }

    /// A set of equalities, as `spec.selector` of a Service holds.
    pub fn from_set(set: &Labels) -> Self {
        Selector::All(
            set.iter().map(|(k, v)| Requirement { key: k.clone(), op: Op::In, values: vec![v.clone()] }).collect(),
        )
    }

    /// `None` selects nothing, an empty selector everything. An unknown operator is an error.
    pub fn from_api(s: Option<&LabelSelector>) -> Result<Self, String> {
        let Some(s) = s else { return Ok(Selector::Nothing) };
        let mut rs = Vec::new();
        for (k, v) in s.match_labels.iter().flatten() {
            rs.push(Requirement { key: k.clone(), op: Op::In, values: vec![v.clone()] });
        }
        for e in s.match_expressions.iter().flatten() {
            let op = match e.operator.as_str() {
                "In" => Op::In,
                "NotIn" => Op::NotIn,
                "Exists" => Op::Exists,
                "DoesNotExist" => Op::DoesNotExist,
                other => return Err(format!("{other:?} is not a valid label selector operator")),
            };
            rs.push(Requirement { key: e.key.clone(), op, values: e.values.clone().unwrap_or_default() });
        }
        Ok(Selector::All(rs))
    }

    /// The query-string form: `app=web,tier!=db,env in (a, b),!legacy,size>3`.
    ///
    /// # Errors
    /// Upstream's words for what is not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let list = crate::selector_text::parse(text)?;
        Ok(Selector::All(list.into_iter().map(|(_, requirement)| requirement).collect()))
    }

    /// The same, each requirement with its operator as written: `=`, `==`, `!=`, `in`, `notin`, `>`, `<`, or `exists`
    /// and `!`.
    ///
    /// # Errors
    /// Upstream's words for what is not understood.
    pub fn parse_operators(text: &str) -> Result<Vec<(String, Requirement)>, String> {
        crate::selector_text::parse(text)
    }
}

/// As `metav1.FormatLabelSelector` prints it: the SELECTOR column.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Selector::All(rs) = self else { return f.write_str("<none>") };
        for (i, r) in rs.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            let mut values = r.values.clone();
            values.sort();
            match (&r.op, values.as_slice()) {
                (Op::In, [v]) => write!(f, "{}={v}", r.key)?,
                (Op::In, vs) => write!(f, "{} in ({})", r.key, vs.join(","))?,
                (Op::NotIn, [v]) => write!(f, "{}!={v}", r.key)?,
                (Op::NotIn, vs) => write!(f, "{} notin ({})", r.key, vs.join(","))?,
                (Op::Exists, _) => write!(f, "{}", r.key)?,
                (Op::DoesNotExist, _) => write!(f, "!{}", r.key)?,
                (Op::Gt, vs) => write!(f, "{}>{}", r.key, vs.join(","))?,
                (Op::Lt, vs) => write!(f, "{}<{}", r.key, vs.join(","))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
    }

    #[test]
    fn parses_the_query_string_form() {
        let l = labels(&[("app", "web"), ("env", "b"), ("size", "4")]);
        for (text, want) in [
            ("", true),
            ("app=web", true),
            ("app==web,env in (a, b)", true),
            ("app!=web", false),
            ("tier!=db", true),
            ("env notin (a,c)", true),
            ("!legacy", true),
            ("legacy", false),
            ("size>3", true),
            ("size<3", false),
        ] {
            assert_eq!(Selector::parse(text).expect(text).matches(Some(&l)), want, "{text}");
        }
        for bad in ["a in (b", "in (a)", "a b", "=x", "a notin b)"] {
            assert!(Selector::parse(bad).is_err(), "{bad}");
        }
    }
}
