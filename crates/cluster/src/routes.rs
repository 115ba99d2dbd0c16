//! Which components a change goes to.

use k8s_openapi::api::core::v1::Pod;
use meta::Key;
use reconcile::{Change, Interest};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Look-ups cost the same with 3 nodes and with 5,000.
#[derive(Clone, Default)]
pub(crate) struct Routes {
    by_kind: BTreeMap<usize, Vec<usize>>,
    custom: Vec<usize>,
    by_node: BTreeMap<Arc<str>, Vec<usize>>,
    /// Only kinds that somebody watches by object have a table here.
    by_object: BTreeMap<usize, BTreeMap<Key, Vec<usize>>>,
}

impl Routes {
    pub fn add(&mut self, slot: usize, interest: Interest) {
        match interest {
            Interest::Kind(k) => push(self.by_kind.entry(api::kinds::index(k)).or_default(), slot),
            Interest::Custom => push(&mut self.custom, slot),
            Interest::PodsOnNode(n) => push(self.by_node.entry(n).or_default(), slot),
            Interest::Object(k, key) => {
                push(self.by_object.entry(api::kinds::index(k)).or_default().entry(key).or_default(), slot);
            }
        }
    }

    pub fn remove(&mut self, slot: usize) {
        let of_objects = self.by_object.values_mut().flat_map(BTreeMap::values_mut);
        let lists =
            self.by_kind.values_mut().chain(self.by_node.values_mut()).chain(of_objects).chain([&mut self.custom]);
        lists.for_each(|l| l.retain(|s| *s != slot));
    }

    /// Fills `out` with slots in rising order, each once.
    pub fn of(&self, change: &Change, out: &mut Vec<usize>) {
        let kind = api::kinds::index(change.kind);
        out.clear();
        out.extend(self.by_kind.get(&kind).into_iter().flatten());
        if change.kind.custom.is_some() {
            out.extend(&self.custom);
        }
        out.extend(self.by_object.get(&kind).and_then(|of| of.get(&change.key)).into_iter().flatten());
        let node_of = |o: &Option<api::Obj>| {
            let pod: &Pod = o.as_ref()?.as_any().downcast_ref()?;
            self.by_node.get(pod.spec.as_ref()?.node_name.as_deref()?)
        };
        if change.kind == &api::kinds::pod::KIND {
            out.extend(node_of(&change.old).into_iter().flatten());
            out.extend(node_of(&change.new).into_iter().flatten());
        }
        out.sort_unstable();
        out.dedup();
    }
}

fn push(list: &mut Vec<usize>, slot: usize) {
    if !list.contains(&slot) {
        list.push(slot);
    }
}
