//! Who owns which fields, and what a write or an apply makes of it. Models `structured-merge-diff/merge/update.go`.

use super::path::{Element, Path, Set};
use super::walk::{Comparison, Errors, Typed, compare_equal};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What tells managers apart, in the order in which conflicts list them. Models `BuildManagerIdentifier`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    pub name: Arc<str>,
    pub applies: bool,
    /// Empty for appliers, who are one over all versions.
    pub version: Arc<str>,
    pub subresource: Arc<str>,
}

/// The fields a manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    pub set: Set,
    /// `apps/v1`
    pub version: Arc<str>,
}

pub type Managers = BTreeMap<Id, Owned>;

/// Fields that others own, and an apply would change.
pub type Conflicts = Vec<(Id, Path)>;

/// What a request to this resource cannot change, so that nobody owns it through it. Models the strategies'
/// `GetResetFields`.
pub type Reset = &'static [&'static [&'static str]];

fn without(set: Set, reset: Reset) -> Set {
    let mut fields = Set::default();
    for path in reset {
        fields.insert(&path.iter().map(|f| Element::Field((*f).into())).collect::<Path>());
    }
    if fields.is_empty() { set } else { set.recursive_difference(&fields) }
}

impl Typed<'_> {
    fn changes(self, old: &Value, new: &Value, reset: Reset) -> Comparison {
        let c = self.compare(old, new);
        Comparison {
            removed: without(c.removed, reset),
            modified: without(c.modified, reset),
            added: without(c.added, reset),
        }
    }

    /// A write other than an apply: `id` gets what it changed, and the others lose that.
    pub fn update(self, old: &Value, new: &Value, managers: &mut Managers, id: &Id, version: &Arc<str>, reset: Reset) {
        let changes = self.changes(old, new, reset);
        let _ = take(managers, id, &changes, true);
        let mine = managers.remove(id).map(|o| o.set).unwrap_or_default();
        let set = mine.difference(&changes.removed).union(&changes.modified).union(&changes.added);
        let set = without(set, reset);
        if !set.is_empty() {
            managers.insert(id.clone(), Owned { set, version: version.clone() });
        }
    }

    /// An apply: the object with `config` in it and without what `id` applied last time and does not now. `None` when
    /// that is what it was.
    ///
    /// # Errors
    /// Conflicts, unless it is forced.
    pub fn apply(self, by: &Apply<'_>, live: &Value, managers: &mut Managers) -> Result<Option<Value>, Conflicts> {
        let merged = self.merge(live, by.config);
        let set = without(self.fields(by.config), by.reset);
        let last = managers.insert(by.id.clone(), Owned { set, version: by.version.clone() });
        let new = match last {
            Some(last) if !last.set.is_empty() => self.prune(merged, managers, &last.set),
            _ => merged,
        };
        let changes = self.changes(live, &new, by.reset);
        take(managers, by.id, &changes, by.force)?;
        Ok((!compare_equal(live, &new)).then_some(new))
    }

    /// Takes out what was in `last` and nobody owns now.
    fn prune(self, merged: Value, managers: &Managers, last: &Set) -> Value {
        let fields = |v: &Value| self.name_fields(&self.fields(v));
        let remove = |items: &Set| self.remove(&merged, items).unwrap_or_default();
        let last = self.name_fields(last);
        let pruned = remove(&last);
        let owned = managers.values().fold(Set::default(), |all, o| all.union(&o.set));
        let all = fields(&merged);
        let kept = fields(&pruned).union(&self.name_fields(&owned));
        let pruned = remove(&all.difference(&kept));
        remove(&all.difference(&fields(&pruned)).intersection(&last))
    }

    /// # Errors
    /// What does not fit the type.
    pub fn check_config(self, config: &Value) -> Result<(), Errors> {
        self.validate(config, false)
    }
}

/// An apply request.
pub struct Apply<'a> {
    pub id: &'a Id,
    pub version: &'a Arc<str>,
    pub config: &'a Value,
    pub force: bool,
    pub reset: Reset,
}

/// Takes from all but `id` what has changed.
fn take(managers: &mut Managers, id: &Id, changes: &Comparison, force: bool) -> Result<(), Conflicts> {
    let changed = changes.modified.clone().union(&changes.added);
    let mut conflicts: BTreeMap<Id, Set> = BTreeMap::new();
    for (other, owned) in managers.iter().filter(|(other, _)| *other != id) {
        let set = owned.set.intersection(&changed);
        if !set.is_empty() {
            conflicts.insert(other.clone(), set);
        }
    }
    if !force && !conflicts.is_empty() {
        let list = conflicts.into_iter().flat_map(|(id, set)| {
            let paths = set.paths();
            paths.into_iter().map(move |p| (id.clone(), p))
        });
        return Err(list.collect());
    }
    for (other, owned) in managers.iter_mut().filter(|(other, _)| *other != id) {
        if let Some(lost) = conflicts.get(other) {
            owned.set = owned.set.difference(lost);
        }
        if !changes.removed.is_empty() {
            owned.set = owned.set.difference(&changes.removed);
        }
    }
    managers.retain(|_, owned| !owned.set.is_empty());
    Ok(())
}
