//! A hue and a pattern for each owner, in the order owners are first seen: eight Okabe-Ito hues, then the
//! same hues again with another pattern.

use std::collections::BTreeMap;

pub const HUES: usize = 7;
/// Plain, stripes, dots, grid.
pub const PATTERNS: usize = 4;

/// `hue` is a number below [`HUES`] (`--hue-0` and on), `pattern` one below [`PATTERNS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tint {
    pub hue: usize,
    pub pattern: usize,
}

#[derive(Debug, Default)]
pub struct Owners {
    order: BTreeMap<String, usize>,
}

impl Owners {
    pub fn notice(&mut self, owner: &str) {
        if !self.order.contains_key(owner) {
            self.order.insert(owner.into(), self.order.len());
        }
    }
    pub fn tint(&self, owner: &str) -> Tint {
        let n = self.order.get(owner).copied().unwrap_or(0);
        Tint { hue: n % HUES, pattern: n / HUES % PATTERNS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues_repeat_with_another_pattern() {
        let mut owners = Owners::default();
        for i in 0..9 {
            owners.notice(&format!("Deployment/d{i}"));
        }
        owners.notice("Deployment/d0");
        assert_eq!(owners.tint("Deployment/d0"), Tint { hue: 0, pattern: 0 });
        assert_eq!(owners.tint("Deployment/d8"), Tint { hue: 1, pattern: 1 });
    }
}
