//! Parts of a cycle's table that rows have in common. In JSON each is a list of its own.

use crate::cycle::{FilterRecord, ScoreRecord};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// What the filters said of a node: mostly the same of many nodes.
#[derive(Clone, Default)]
pub struct Filters(Arc<[FilterRecord]>);

impl Deref for Filters {
    type Target = [FilterRecord];
    fn deref(&self) -> &[FilterRecord] {
        &self.0
    }
}
impl From<Vec<FilterRecord>> for Filters {
    fn from(list: Vec<FilterRecord>) -> Self {
        Filters(list.into())
    }
}

/// The scores of a node: a part of one list that holds those of all.
#[derive(Clone, Default)]
pub struct Scores {
    all: Arc<Vec<ScoreRecord>>,
    from: usize,
    n: usize,
}

impl Scores {
    /// Lists of `n` records each.
    pub fn split(all: Vec<ScoreRecord>, n: usize) -> impl Iterator<Item = Scores> {
        let all = Arc::new(all);
        (0..all.len().checked_div(n).unwrap_or(0)).map(move |i| Scores { all: all.clone(), from: i * n, n })
    }
}

impl Deref for Scores {
    type Target = [ScoreRecord];
    fn deref(&self) -> &[ScoreRecord] {
        &self.all[self.from..self.from + self.n]
    }
}
impl From<Vec<ScoreRecord>> for Scores {
    fn from(list: Vec<ScoreRecord>) -> Self {
        let n = list.len();
        Scores { all: Arc::new(list), from: 0, n }
    }
}

/// As the list itself.
macro_rules! like_a_list {
    ($type:ty, $item:ty) => {
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&**self, f)
            }
        }
        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                **self == **other
            }
        }
        impl Eq for $type {}
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                Serialize::serialize(&**self, s)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Vec::<$item>::deserialize(d).map(Into::into)
            }
        }
    };
}
like_a_list!(Filters, FilterRecord);
like_a_list!(Scores, ScoreRecord);
