//! Which topology domain each node is in, and how many pods of every kind each domain has. The cache keeps this true
//! with every change, so that a cycle adds up domains and kinds, however many pods there are.

use super::counts::Counts;
use super::node_info::NodeInfo;
use super::shelf::Shelf;
use super::snapshot::Nodes;
use meta::labels::Labels;
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A label of more values says nothing about classes of nodes.
const ANSWERS_MAX: usize = 64;
/// The domain of nodes without the key.
const NOWHERE: u32 = u32::MAX;

fn somewhere(at: u32) -> Option<u32> {
    (at != NOWHERE).then_some(at)
}

/// The domains of one topology key.
#[derive(Clone, Debug, Default)]
struct Places {
    key: String,
    /// The label's value, by domain number. Numbers are small and used again.
    values: Vec<Arc<str>>,
    index: FxHashMap<Arc<str>, u32>,
    /// How many nodes are in each; a domain without nodes is none.
    nodes: Vec<u32>,
    free: Vec<u32>,
    /// By the node's slot.
    of_slot: Vec<u32>,
    /// Nodes without the key.
    lacking: usize,
}

impl Places {
    fn of(&self, node: &NodeInfo) -> u32 {
        self.of_slot.get(node.slot as usize).copied().unwrap_or(NOWHERE)
    }

    /// Notes where the node is.
    fn enter(&mut self, node: &NodeInfo) -> u32 {
        let at = match value(node, &self.key) {
            None => {
                self.lacking += 1;
                NOWHERE
            }
            Some(value) => {
                let at = self.number(node, value);
                self.nodes[at as usize] += 1;
                at
            }
        };
        let slot = node.slot as usize;
        if self.of_slot.len() <= slot {
            self.of_slot.resize(slot + 1, NOWHERE);
        }
        self.of_slot[slot] = at;
        at
    }

    fn number(&mut self, node: &NodeInfo, value: &str) -> u32 {
        if let Some(at) = self.index.get(value) {
            return *at;
        }
        // With host names every node is a domain, mostly of the node's own name.
        let value: Arc<str> = if *value == *node.name { node.name.clone() } else { value.into() };
        let at = match self.free.pop() {
            Some(at) => {
                self.values[at as usize] = value.clone();
                at
            }
            None => {
                self.values.push(value.clone());
                self.nodes.push(0);
                self.values.len() as u32 - 1
            }
        };
        self.index.insert(value, at);
        at
    }

    fn leave(&mut self, node: &NodeInfo) {
        let at = std::mem::replace(&mut self.of_slot[node.slot as usize], NOWHERE);
        if at == NOWHERE {
            self.lacking -= 1;
            return;
        }
        self.nodes[at as usize] -= 1;
        if self.nodes[at as usize] == 0 {
            self.index.remove(&self.values[at as usize]);
            self.free.push(at);
        }
    }
}

/// One topology key: where the nodes are, and what runs there.
#[derive(Clone, Debug, Default)]
pub struct Table {
    places: Arc<Places>,
    /// By kind: how many pods of it each domain has, when any.
    pods: Shelf<Arc<Counts>>,
}

impl Table {
    fn new(key: &str, nodes: &Nodes) -> Self {
        let mut table =
            Table { places: Arc::new(Places { key: key.into(), ..Places::default() }), pods: Shelf::default() };
        for node in nodes.iter() {
            table.enter(node);
        }
        table
    }

    /// What is true of each value of the label, and last of nodes without it; `None` when there are too many values to
    /// ask about all.
    pub fn answers(&self, is_true: impl Fn(Option<&str>) -> bool) -> Option<Vec<bool>> {
        let values = &self.places.values;
        let all = || values.iter().map(|v| is_true(Some(v))).chain([is_true(None)]).collect();
        (values.len() <= ANSWERS_MAX).then(all)
    }
    /// The place of the node's value among such answers.
    pub fn answer_of(&self, node: &NodeInfo) -> usize {
        match self.places.of(node) {
            NOWHERE => self.places.values.len(),
            at => at as usize,
        }
    }

    fn enter(&mut self, node: &NodeInfo) {
        let at = Arc::make_mut(&mut self.places).enter(node);
        for (kind, n) in &node.kinds {
            self.add(*kind, at, *n);
        }
    }
    fn leave(&mut self, node: &NodeInfo) {
        let at = self.places.of(node);
        Arc::make_mut(&mut self.places).leave(node);
        for (kind, n) in &node.kinds {
            self.take(*kind, at, *n);
        }
    }
    fn add(&mut self, kind: u32, at: u32, n: u32) {
        while self.pods.len() <= kind as usize {
            self.pods.push(Arc::default());
        }
        Arc::make_mut(&mut self.pods[kind as usize]).add(somewhere(at), n);
    }
    fn take(&mut self, kind: u32, at: u32, n: u32) {
        Arc::make_mut(&mut self.pods[kind as usize]).take(somewhere(at), n);
    }
}

/// The tables of the topology keys that somebody asked about: each is made when it is first asked for. Cloning shares
/// them until one changes.
#[derive(Debug, Default)]
pub struct Topology(Mutex<Vec<Arc<Table>>>);

impl Clone for Topology {
    fn clone(&self) -> Self {
        Topology(Mutex::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}

impl Topology {
    pub(crate) fn table(&self, key: &str, nodes: &Nodes) -> Arc<Table> {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = tables.iter().find(|t| t.places.key == key) {
            return table.clone();
        }
        let table = Arc::new(Table::new(key, nodes));
        tables.push(table.clone());
        table
    }
    fn tables(&mut self) -> impl Iterator<Item = &mut Table> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).iter_mut().map(Arc::make_mut)
    }
    pub(crate) fn enter(&mut self, node: &NodeInfo) {
        self.tables().for_each(|t| t.enter(node));
    }
    pub(crate) fn leave(&mut self, node: &NodeInfo) {
        self.tables().for_each(|t| t.leave(node));
    }
    /// The node's labels were others.
    pub(crate) fn relabel(&mut self, node: &NodeInfo, were: Option<&Labels>) {
        let tables = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let was = |key: &str| were.and_then(|l| l.get(key)).map(String::as_str);
        for table in tables.iter_mut().filter(|t| was(&t.places.key) != value(node, &t.places.key)) {
            let table = Arc::make_mut(table);
            table.leave(node);
            table.enter(node);
        }
    }
    pub(crate) fn add_pod(&mut self, node: &NodeInfo, kind: u32) {
        self.tables().for_each(|t| t.add(kind, t.places.of(node), 1));
    }
    pub(crate) fn remove_pod(&mut self, node: &NodeInfo, kind: u32) {
        self.tables().for_each(|t| t.take(kind, t.places.of(node), 1));
    }
}

/// The node's value for a topology key.
pub fn value<'a>(node: &'a NodeInfo, key: &str) -> Option<&'a str> {
    node.labels()?.get(key).map(String::as_str)
}

/// A number for every domain of a topology key that counts in this cycle.
#[derive(Clone, Debug)]
pub struct Domains {
    table: Arc<Table>,
    /// By domain number; after the last stands what nodes without the key share.
    numbers: Vec<i64>,
    counts: Vec<bool>,
    known: usize,
    sum: i64,
}

impl Domains {
    /// No domain counts yet.
    pub fn new(table: Arc<Table>) -> Self {
        let n = table.places.values.len() + 1;
        Domains { table, numbers: vec![0; n], counts: vec![false; n], known: 0, sum: 0 }
    }
    pub fn key(&self) -> &str {
        &self.table.places.key
    }
    /// Whether every node has the key.
    pub fn is_everywhere(&self) -> bool {
        self.table.places.lacking == 0
    }
    /// The value that makes a domain.
    pub fn value(&self, at: usize) -> &str {
        self.table.places.values.get(at).map_or("", |v| v)
    }
    /// The node's domain; `None` when it lacks the key.
    pub fn of(&self, node: &NodeInfo) -> Option<usize> {
        let at = self.table.places.of(node);
        somewhere(at).map(|at| at as usize)
    }
    /// The same, where nodes without the key are in the domain of the empty value.
    pub fn of_or_empty(&self, node: &NodeInfo) -> usize {
        self.of(node).unwrap_or_else(|| self.empty())
    }
    fn empty(&self) -> usize {
        self.table.places.index.get("").map_or(self.numbers.len() - 1, |at| *at as usize)
    }
    /// Adds to a domain, which counts from then on.
    pub fn add(&mut self, at: usize, n: i64) {
        if !std::mem::replace(&mut self.counts[at], true) {
            self.known += 1;
        }
        self.numbers[at] += n;
        self.sum += n;
    }
    /// From now on every domain counts that has nodes.
    pub fn add_all(&mut self) {
        for at in 0..self.table.places.nodes.len() {
            if self.table.places.nodes[at] > 0 {
                self.add(at, 0);
            }
        }
    }
    /// Adds the pods of a kind, each with this weight.
    pub fn add_kind(&mut self, kind: u32, weight: i64) {
        let table = self.table.clone();
        for (at, n) in table.pods.get(kind as usize).into_iter().flat_map(|of| of.iter()) {
            self.add(at, weight * i64::from(n));
        }
    }
    /// Adds the pods of a kind to the domains that count already; those of nodes without the key to the domain of the
    /// empty value.
    pub fn add_kind_where_counted(&mut self, kind: u32) {
        let table = self.table.clone();
        let Some(pods) = table.pods.get(kind as usize) else { return };
        let nowhere = Some((self.empty(), pods.nowhere())).filter(|(_, n)| *n > 0);
        for (at, n) in pods.iter().chain(nowhere) {
            if self.counts[at] {
                self.add(at, i64::from(n));
            }
        }
    }
    /// `None` for a domain that does not count.
    pub fn get(&self, at: usize) -> Option<i64> {
        self.counts[at].then(|| self.numbers[at])
    }
    /// The number of the node's domain.
    pub fn at(&self, node: &NodeInfo) -> Option<i64> {
        self.get(self.of(node)?)
    }
    /// How many domains count.
    pub fn known(&self) -> usize {
        self.known
    }
    /// The sum of all numbers.
    pub fn sum(&self) -> i64 {
        self.sum
    }
    /// The smallest number of a domain that counts.
    pub fn min(&self) -> Option<i64> {
        self.numbers.iter().zip(&self.counts).filter(|(_, counts)| **counts).map(|(n, _)| *n).min()
    }
    /// Every domain that counts with its number, by name.
    pub fn by_value(&self) -> Vec<(&str, i64)> {
        let counted = (0..self.numbers.len()).filter(|at| self.counts[*at]);
        let mut all: Vec<_> = counted.map(|at| (self.value(at), self.numbers[at])).collect();
        all.sort_unstable();
        all
    }
}
