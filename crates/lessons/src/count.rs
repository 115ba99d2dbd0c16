//! How many objects there should be.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::cmp::Ordering;

/// `3`, `>=1`, `<=2`, `>0`, `<5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    number: usize,
    /// What `found.cmp(number)` may come to.
    less: bool,
    equal: bool,
    greater: bool,
}

impl Default for Count {
    /// At least one.
    fn default() -> Self {
        Count { number: 1, less: false, equal: true, greater: true }
    }
}

impl Count {
    pub fn parse(text: &str) -> Option<Count> {
        let text = text.trim();
        let signs = [(">=", (false, true, true)), ("<=", (true, true, false)), (">", (false, false, true))];
        let more = [("<", (true, false, false)), ("", (false, true, false))];
        let (sign, (less, equal, greater)) = signs.into_iter().chain(more).find(|(s, _)| text.starts_with(s))?;
        let number = text[sign.len()..].trim().parse().ok()?;
        Some(Count { number, less, equal, greater })
    }

    pub fn holds(self, found: usize) -> bool {
        match found.cmp(&self.number) {
            Ordering::Less => self.less,
            Ordering::Equal => self.equal,
            Ordering::Greater => self.greater,
        }
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Count::parse(&text)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is no count: write 3, \">=1\" or \"<=2\"")))
    }
}
