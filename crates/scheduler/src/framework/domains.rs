//! Numbers by topology domain, for one topology key.

use super::node_info::NodeInfo;
use rustc_hash::FxHashMap;

/// A number for every value that the key's label has on the nodes looked at.
#[derive(Clone, Debug, Default)]
pub struct Domains {
    pub key: String,
    index: FxHashMap<String, u32>,
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
    /// Adds to a domain, which exists from then on.
    pub fn add(&mut self, value: &str, n: i64) {
        match self.index.get(value) {
            Some(i) => self.numbers[*i as usize] += n,
            None => {
                self.index.insert(value.into(), self.numbers.len() as u32);
                self.numbers.push(n);
            }
        }
    }
    pub fn get(&self, value: &str) -> Option<i64> {
        self.index.get(value).map(|i| self.numbers[*i as usize])
    }
    pub fn numbers(&self) -> &[i64] {
        &self.numbers
    }
}
