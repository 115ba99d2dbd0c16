//! Node selectors and preferred terms, parsed once per pod. Models
//! `k8s.io/component-helpers/scheduling/corev1/nodeaffinity`.

use crate::framework::requirement::requirement;
use crate::framework::topology::Table;
use crate::framework::{NodeInfo, Snapshot};
use k8s_openapi::api::core::v1::{
    Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PreferredSchedulingTerm,
};
use meta::labels::{Labels, Op, Requirement, Selector};
use meta::{FieldError, Path};
use std::sync::Arc;

/// A term; `None` where upstream fails to parse it, and then it matches nothing.
#[derive(Clone, Debug)]
struct Term {
    labels: Vec<Requirement>,
    fields: Vec<Field>,
}

/// A field of the node must (`equal`) or must not be `value`. Only `metadata.name` is ever set.
#[derive(Clone, Debug)]
struct Field {
    key: String,
    value: String,
    equal: bool,
}

impl Field {
    fn matches(&self, name: &str) -> bool {
        let have = if self.key == "metadata.name" { name } else { "" };
        (self.value == have) == self.equal
    }
}

impl Term {
    fn matches(&self, node: &Node) -> bool {
        self.matches_named(node.metadata.name.as_deref().unwrap_or_default(), node.metadata.labels.as_ref())
    }
    fn matches_named(&self, name: &str, labels: Option<&Labels>) -> bool {
        // Upstream does not look at the fields of a node without a name.
        self.labels.iter().all(|r| r.matches(labels))
            && (name.is_empty() || self.fields.iter().all(|f| f.matches(name)))
    }
}

fn is_empty(term: &NodeSelectorTerm) -> bool {
    term.match_expressions.as_ref().is_none_or(Vec::is_empty) && term.match_fields.as_ref().is_none_or(Vec::is_empty)
}

fn parse_term(term: &NodeSelectorTerm, path: &Path) -> Result<Term, Vec<FieldError>> {
    let (mut errors, mut labels, mut fields) = (Vec::new(), Vec::new(), Vec::new());
    for (i, r) in term.match_expressions.iter().flatten().enumerate() {
        match parse_expression(r, &path.child("matchExpressions").index(i)) {
            Ok(r) => labels.push(r),
            Err(mut e) => errors.append(&mut e),
        }
    }
    for (i, r) in term.match_fields.iter().flatten().enumerate() {
        match parse_field(r, &path.child("matchFields").index(i)) {
            Ok(f) => fields.push(f),
            Err(e) => errors.push(e),
        }
    }
    if errors.is_empty() { Ok(Term { labels, fields }) } else { Err(errors) }
}

fn parse_expression(r: &NodeSelectorRequirement, path: &Path) -> Result<Requirement, Vec<FieldError>> {
    let values = r.values.clone().unwrap_or_default();
    let op = match r.operator.as_str() {
        "In" => Op::In,
        "NotIn" => Op::NotIn,
        "Exists" => Op::Exists,
        "DoesNotExist" => Op::DoesNotExist,
        "Gt" => Op::Gt,
        "Lt" => Op::Lt,
        other => {
            let known = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];
            return Err(vec![FieldError::not_supported(&path.child("operator"), other, &known)]);
        }
    };
    requirement(&r.key, op, &values, path)
}

fn parse_field(r: &NodeSelectorRequirement, path: &Path) -> Result<Field, FieldError> {
    let equal = match r.operator.as_str() {
        "In" => true,
        "NotIn" => false,
        other => return Err(FieldError::not_supported(&path.child("operator"), other, &["In", "NotIn"])),
    };
    match r.values.as_deref().unwrap_or_default() {
        [one] => Ok(Field { key: r.key.clone(), value: one.clone(), equal }),
        values => {
            let list = serde_json::to_value(values).unwrap_or_default();
            Err(FieldError::invalid(&path.child("values"), list, "must have one element"))
        }
    }
}

/// `nodeSelectorTerms`: a node matches when any term does. Empty and unreadable terms match nothing.
#[derive(Clone, Debug)]
pub struct Terms(Vec<Term>);

impl Terms {
    pub fn new(selector: &NodeSelector) -> Terms {
        Terms::parse(selector, &Path::default()).0
    }
    /// The readable terms, and what is wrong with the others.
    pub fn parse(selector: &NodeSelector, path: &Path) -> (Terms, Vec<FieldError>) {
        let (mut terms, mut errors) = (Vec::new(), Vec::new());
        for (i, t) in selector.node_selector_terms.iter().enumerate().filter(|(_, t)| !is_empty(t)) {
            match parse_term(t, &path.child("nodeSelectorTerms").index(i)) {
                Ok(t) => terms.push(t),
                Err(mut e) => errors.append(&mut e),
            }
        }
        (Terms(terms), errors)
    }
    pub fn matches(&self, node: &Node) -> bool {
        self.0.iter().any(|t| t.matches(node))
    }
    /// For those who know a node's labels alone: to them fields say nothing.
    pub fn matches_labels(&self, labels: Option<&Labels>) -> bool {
        self.0.iter().any(|t| t.matches_named("", labels))
    }
}

/// A pod's `nodeSelector` and required node affinity together. Models `RequiredNodeAffinity`.
#[derive(Clone, Debug)]
pub struct RequiredNodeAffinity {
    selector: Option<Selector>,
    terms: Option<Terms>,
}

impl RequiredNodeAffinity {
    pub fn of(pod: &Pod) -> Self {
        let Some(spec) = pod.spec.as_ref() else { return RequiredNodeAffinity { selector: None, terms: None } };
        let node_affinity = spec.affinity.as_ref().and_then(|a| a.node_affinity.as_ref());
        let required = node_affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
        RequiredNodeAffinity {
            selector: spec.node_selector.as_ref().filter(|s| !s.is_empty()).map(Selector::from_set),
            terms: required.map(Terms::new),
        }
    }
    /// Whether every node is as good.
    pub fn is_any(&self) -> bool {
        self.selector.is_none() && self.terms.is_none()
    }
    pub fn matches(&self, node: &Node) -> bool {
        self.selector.as_ref().is_none_or(|s| s.matches(node.metadata.labels.as_ref()))
            && self.terms.as_ref().is_none_or(|t| t.matches(node))
    }
}

/// A requirement that is looked up by the node's place instead of by its labels, where the label has few values.
enum Check {
    Place(Arc<Table>, Vec<bool>),
    Labels(Requirement),
}

impl Check {
    fn of(r: &Requirement, snapshot: &Snapshot) -> Check {
        let table = snapshot.table(&r.key);
        match table.answers(|value| r.accepts(value)) {
            Some(answers) => Check::Place(table, answers),
            None => Check::Labels(r.clone()),
        }
    }
    fn holds(&self, node: &NodeInfo) -> bool {
        match self {
            Check::Place(table, answers) => answers[table.answer_of(node)],
            Check::Labels(r) => r.matches(node.labels()),
        }
    }
}

/// [`RequiredNodeAffinity`], made ready to be asked about many nodes of a snapshot.
pub struct Prepared {
    selector: Vec<Check>,
    terms: Option<Vec<(Vec<Check>, Term)>>,
}

impl Prepared {
    pub fn new(required: &RequiredNodeAffinity, snapshot: &Snapshot) -> Prepared {
        let checks = |rs: &[Requirement]| rs.iter().map(|r| Check::of(r, snapshot)).collect();
        let term = |t: &Term| (checks(&t.labels), Term { labels: Vec::new(), fields: t.fields.clone() });
        let selector = match &required.selector {
            Some(Selector::All(requirements)) => checks(requirements),
            // Made of a set of equalities, so it is never [`Selector::Nothing`].
            _ => Vec::new(),
        };
        Prepared { selector, terms: required.terms.as_ref().map(|t| t.0.iter().map(term).collect()) }
    }
    pub fn matches(&self, node: &NodeInfo) -> bool {
        let term =
            |(labels, fields): &(Vec<Check>, Term)| labels.iter().all(|c| c.holds(node)) && fields.matches(&node.node);
        self.selector.iter().all(|c| c.holds(node)) && self.terms.as_ref().is_none_or(|t| t.iter().any(term))
    }
}

/// Weighted terms: a node's score is the sum of the weights of those it matches. Models `PreferredSchedulingTerms`.
#[derive(Clone, Debug, Default)]
pub struct PreferredTerms(Vec<(Term, i64)>);

impl PreferredTerms {
    /// Empty terms and terms of weight 0 are left out, as upstream does.
    ///
    /// # Errors
    /// What is wrong with the terms that cannot be read.
    pub fn parse(terms: &[PreferredSchedulingTerm], path: &Path) -> Result<Self, Vec<FieldError>> {
        let (mut parsed, mut errors) = (Vec::new(), Vec::new());
        for (i, t) in terms.iter().enumerate().filter(|(_, t)| t.weight != 0 && !is_empty(&t.preference)) {
            match parse_term(&t.preference, &path.index(i)) {
                Ok(term) => parsed.push((term, i64::from(t.weight))),
                Err(mut e) => errors.append(&mut e),
            }
        }
        if errors.is_empty() { Ok(PreferredTerms(parsed)) } else { Err(errors) }
    }
    pub fn score(&self, node: &Node) -> i64 {
        self.0.iter().filter(|(t, _)| t.matches(node)).map(|(_, w)| w).sum()
    }
}
