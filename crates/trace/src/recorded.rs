//! A scheduling cycle that was recorded: what came of it, and where its table comes from when somebody asks. A table has a
//! row for every node, so most are never made.

use crate::cycle::Cycle;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// What can tell a whole cycle: everything it looked at, or the cycle itself.
pub trait Source: Any + Send + Sync {
    fn cycle(self: Arc<Self>) -> Arc<Cycle>;
    /// How much of the memory is its own: a row of a table, or a node that has changed since, is one.
    fn weight(&self) -> usize;
}

impl Source for Cycle {
    fn cycle(self: Arc<Self>) -> Arc<Cycle> {
        self
    }
    fn weight(&self) -> usize {
        self.nodes.len()
    }
}

#[derive(Clone)]
pub struct Recorded {
    outcome: Arc<Cycle>,
    digest: u64,
    source: Option<Arc<dyn Source>>,
}

impl Recorded {
    /// `outcome` is the cycle without its table; `digest` stands for that ([`crate::Digest`]).
    pub fn new(outcome: Cycle, digest: u64, source: Arc<dyn Source>) -> Self {
        Recorded { outcome: Arc::new(outcome.into_outcome()), digest, source: Some(source) }
    }

    /// A cycle as it is. One that was thinned has no table.
    pub fn whole(cycle: Cycle) -> Self {
        if cycle.thinned {
            return Recorded { outcome: Arc::new(cycle), digest: 0, source: None };
        }
        Recorded::new(cycle.clone(), 0, Arc::new(cycle))
    }

    /// The cycle without its table: no PreFilter, no rows, no ties.
    pub fn outcome(&self) -> &Cycle {
        &self.outcome
    }
    pub fn digest(&self) -> u64 {
        self.digest
    }
    /// Whether the table can be made.
    pub fn has_table(&self) -> bool {
        self.source.is_some()
    }
    /// The cycle with its table, as far as that is still known.
    pub fn open(&self) -> Arc<Cycle> {
        self.source.clone().map_or_else(|| self.outcome.clone(), Source::cycle)
    }
    pub fn weight(&self) -> usize {
        self.source.as_ref().map_or(0, |s| s.weight())
    }
    /// What the table comes from, when it is of this type.
    pub fn source<T: Source>(&self) -> Option<Arc<T>> {
        let any: Arc<dyn Any + Send + Sync> = self.source.clone()?;
        any.downcast().ok()
    }
    /// The same without a table.
    #[must_use]
    pub fn thin(&self) -> Recorded {
        Recorded { source: None, ..self.clone() }
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.open(), f)
    }
}
impl PartialEq for Recorded {
    fn eq(&self, other: &Self) -> bool {
        self.open() == other.open()
    }
}
impl Eq for Recorded {}

/// As the cycle.
impl Serialize for Recorded {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.open().serialize(s)
    }
}
impl<'de> Deserialize<'de> for Recorded {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Cycle::deserialize(d).map(Recorded::whole)
    }
}
