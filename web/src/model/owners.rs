//! A hue and a pattern for each owner, in the order owners are first seen: Okabe-Ito hues, then the
//! same hues again with another pattern.

use std::collections::BTreeMap;
use std::rc::Rc;

pub const HUES: usize = 7;
/// Plain, stripes, dots, grid.
pub const PATTERNS: usize = 4;

/// `hue` is a number below [`HUES`] (`--hue-0` and on), `pattern` one below [`PATTERNS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tint {
    pub hue: usize,
    pub pattern: usize,
}

#[derive(Debug)]
struct Owner {
    /// Its place in the order of first sight: what its tint follows from, for good.
    number: usize,
    pods: usize,
}

#[derive(Debug, Default)]
pub struct Owners {
    all: BTreeMap<Rc<str>, Owner>,
    /// Owners that have pods, by number: owner and namespace.
    shown: BTreeMap<usize, (Rc<str>, String)>,
    /// Grows when the list of shown owners changes.
    pub version: u64,
}

fn tint(number: usize) -> Tint {
    Tint { hue: number % HUES, pattern: number / HUES % PATTERNS }
}

impl Owners {
    /// One more pod of this owner.
    pub fn add(&mut self, owner: &str, namespace: &str) -> Tint {
        if let Some(known) = self.all.get_mut(owner).filter(|k| k.pods > 0) {
            known.pods += 1;
            return tint(known.number);
        }
        let key: Rc<str> = owner.into();
        let number = self.all.get(owner).map_or(self.all.len(), |k| k.number);
        self.all.insert(key.clone(), Owner { number, pods: 1 });
        self.shown.insert(number, (key, namespace.into()));
        self.version += 1;
        tint(number)
    }
    /// One pod less; the owner keeps its tint, should it have pods again.
    pub fn remove(&mut self, owner: &str) {
        let Some(known) = self.all.get_mut(owner) else { return };
        known.pods = known.pods.saturating_sub(1);
        if known.pods == 0 && self.shown.remove(&known.number).is_some() {
            self.version += 1;
        }
    }
    pub fn tint(&self, owner: &str) -> Tint {
        tint(self.all.get(owner).map_or(0, |o| o.number))
    }
    /// Owners that have pods, in the order of first sight: owner, namespace, tint.
    pub fn shown(&self) -> impl ExactSizeIterator<Item = (&str, &str, Tint)> {
        self.shown.iter().map(|(number, (owner, ns))| (&**owner, ns.as_str(), tint(*number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues_repeat_with_another_pattern() {
        let mut owners = Owners::default();
        for i in 0..9 {
            owners.add(&format!("Deployment/d{i}"), "default");
        }
        owners.add("Deployment/d0", "default");
        assert_eq!(owners.tint("Deployment/d0"), Tint { hue: 0, pattern: 0 });
        assert_eq!(owners.tint("Deployment/d8"), Tint { hue: 1, pattern: 1 });
    }

    #[test]
    fn an_owner_without_pods_is_not_shown_but_keeps_its_tint() {
        let mut owners = Owners::default();
        let first = owners.add("Deployment/a", "default");
        owners.add("Deployment/b", "default");
        owners.remove("Deployment/a");
        assert_eq!(owners.shown().len(), 1);
        assert_eq!(owners.add("Deployment/a", "default"), first);
    }
}
