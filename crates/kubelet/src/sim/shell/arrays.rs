//! Indexed arrays, as bash has them.

use super::Shell;
use super::code::{Assigned, Assignment};
use super::expand::Around;
use std::collections::BTreeMap;

impl Shell {
    /// A negative index counts from the end. A plain variable is its own element 0.
    pub(super) fn element(&self, name: &str, index: i64) -> Option<String> {
        match self.arrays.get(name) {
            Some(array) => array.get(&place(array, index)?).cloned(),
            None if index == 0 => self.variable(name),
            None => None,
        }
    }

    pub(super) fn elements(&self, name: &str) -> Vec<String> {
        match self.arrays.get(name) {
            Some(array) => array.values().cloned().collect(),
            None => self.variable(name).into_iter().collect(),
        }
    }

    pub(super) fn indices(&self, name: &str) -> Vec<usize> {
        match self.arrays.get(name) {
            Some(array) => array.keys().copied().collect(),
            None => self.variable(name).map(|_| 0).into_iter().collect(),
        }
    }

    pub(super) fn assign_element(&mut self, name: &str, index: i64, value: String) {
        let first = self.vars.remove(name).map(|(v, _)| (0, v));
        let array = self.arrays.entry(name.into()).or_insert_with(|| first.into_iter().collect());
        if let Some(at) = place(array, index) {
            array.insert(at, value);
        }
    }

    pub(super) fn assign_list(&mut self, name: &str, values: Vec<String>) {
        self.vars.remove(name);
        self.arrays.insert(name.into(), values.into_iter().enumerate().collect());
    }

    /// `list=(a b)`, `list+=(c)`, `list[3]=d`.
    pub(super) fn assign_array(&mut self, a: &Assignment, around: &Around) -> Result<(), String> {
        match (&a.value, &a.index) {
            (Assigned::Scalar(value), index) => {
                let index = index.as_ref().map_or(Ok(0), |i| self.arithmetic(i, around))?;
                let mut value = self.string(value, around)?;
                if a.append {
                    value = format!("{}{value}", self.element(&a.name, index).unwrap_or_default());
                }
                self.assign_element(&a.name, index, value);
            }
            (Assigned::List(items), _) => {
                let old = if a.append { self.elements(&a.name) } else { Vec::new() };
                let mut array: BTreeMap<usize, String> = old.into_iter().enumerate().collect();
                for (index, value) in items {
                    let mut next = array.keys().next_back().map_or(0, |n| n + 1);
                    if let Some(i) = index {
                        next = usize::try_from(self.arithmetic(i, around)?).unwrap_or(next);
                    }
                    for (i, v) in self.fields(value, around)?.into_iter().enumerate() {
                        array.insert(next + i, v);
                    }
                }
                self.vars.remove(&a.name);
                self.arrays.insert(a.name.clone(), array);
            }
        }
        Ok(())
    }
}

fn place(array: &BTreeMap<usize, String>, index: i64) -> Option<usize> {
    let end = array.keys().next_back().map_or(0, |n| n + 1);
    match usize::try_from(index) {
        Ok(i) => Some(i),
        Err(_) => end.checked_sub(usize::try_from(-index).ok()?),
    }
}
