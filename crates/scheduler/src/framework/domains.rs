//! Numbers by topology domain, for one topology key.

use super::node_info::NodeInfo;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A number for every value that the key's label has on the nodes looked at.
#[derive(Clone, Debug, Default)]
pub struct Domains {
    pub key: String,
    index: FxHashMap<Arc<str>, u32>,
    /// In the order in which the values were first met.
    numbers: Vec<i64>,
}

/// The node's value for a topology key.
pub fn value<'a>(node: &'a NodeInfo, key: &str) -> Option<&'a str> {
    node.labels()?.get(key).map(String::as_str)
}

impl Domains {
    pub fn new(key: &str) -> Self {
        Domains { key: key.into(), ..Domains::default() }
    }
    /// Adds to the domain of the node's `value`, which exists from then on.
    pub fn add(&mut self, node: &NodeInfo, value: &str, n: i64) {
        match self.index.get(value) {
            Some(i) => self.numbers[*i as usize] += n,
            None => {
                // With host names every node is a domain, mostly of the node's own name.
                let value = if *value == *node.name { node.name.clone() } else { value.into() };
                self.index.insert(value, self.numbers.len() as u32);
                self.numbers.push(n);
            }
        }
    }
    pub fn get(&self, value: &str) -> Option<i64> {
        self.index.get(value).map(|i| self.numbers[*i as usize])
    }
    /// Every domain with its number, by name.
    pub fn by_value(&self) -> Vec<(&str, i64)> {
        let mut all: Vec<_> = self.index.iter().map(|(value, i)| (&**value, self.numbers[*i as usize])).collect();
        all.sort_unstable();
        all
    }
    pub fn numbers(&self) -> &[i64] {
        &self.numbers
    }
}
