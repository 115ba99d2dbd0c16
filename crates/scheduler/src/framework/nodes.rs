//! The list of nodes of a snapshot. Cloning it costs a few pointers for thousands of nodes, and changing a clone copies what
//! is next to the change.

use super::node_info::NodeInfo;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

const CHUNK: usize = 64;

#[derive(Clone, Debug, Default)]
pub struct Nodes {
    /// All but the last are full.
    chunks: Vec<Arc<Vec<Arc<NodeInfo>>>>,
    len: usize,
}

impl Nodes {
    pub fn len(&self) -> usize {
        self.len
    }
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    pub fn get(&self, i: usize) -> Option<&Arc<NodeInfo>> {
        self.chunks.get(i / CHUNK)?.get(i % CHUNK)
    }
    pub fn iter(&self) -> impl Iterator<Item = &Arc<NodeInfo>> {
        self.chunks.iter().flat_map(|c| c.iter())
    }
    pub(crate) fn push(&mut self, node: Arc<NodeInfo>) {
        if self.len.is_multiple_of(CHUNK) {
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        Arc::make_mut(&mut self.chunks[self.len / CHUNK]).push(node);
        self.len += 1;
    }
    /// Takes a node out; the last one comes to its place.
    pub(crate) fn swap_remove(&mut self, i: usize) -> Arc<NodeInfo> {
        self.len -= 1;
        let (at, last) = (self.len, self.len / CHUNK);
        let moved = self[at].clone();
        let gone = std::mem::replace(&mut self[i], moved);
        Arc::make_mut(&mut self.chunks[last]).pop();
        if self.chunks[last].is_empty() {
            self.chunks.pop();
        }
        gone
    }
}

impl Index<usize> for Nodes {
    type Output = Arc<NodeInfo>;
    #[inline]
    fn index(&self, i: usize) -> &Arc<NodeInfo> {
        &self.chunks[i / CHUNK][i % CHUNK]
    }
}
impl IndexMut<usize> for Nodes {
    fn index_mut(&mut self, i: usize) -> &mut Arc<NodeInfo> {
        &mut Arc::make_mut(&mut self.chunks[i / CHUNK])[i % CHUNK]
    }
}
impl FromIterator<Arc<NodeInfo>> for Nodes {
    fn from_iter<I: IntoIterator<Item = Arc<NodeInfo>>>(nodes: I) -> Self {
        let mut list = Nodes::default();
        nodes.into_iter().for_each(|n| list.push(n));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(i: usize) -> Arc<NodeInfo> {
        let mut node = k8s_openapi::api::core::v1::Node::default();
        node.metadata.name = Some(i.to_string());
        Arc::new(NodeInfo::new(Arc::new(node)))
    }
    fn names(nodes: &Nodes) -> Vec<String> {
        nodes.iter().map(|n| n.name.to_string()).collect()
    }

    #[test]
    fn it_behaves_as_a_vec_and_clones_stay_as_they_were() {
        let mut rng = meta::Rng::new(3);
        let (mut list, mut plain): (Nodes, Vec<String>) = (Nodes::default(), Vec::new());
        for i in 0..600 {
            let (before, was) = (list.clone(), names(&list));
            if plain.is_empty() || rng.below(5) < 3 {
                list.push(node(i));
                plain.push(i.to_string());
            } else {
                let at = rng.below(plain.len() as u32) as usize;
                assert_eq!(*list.swap_remove(at).name, plain.swap_remove(at));
            }
            assert_eq!(names(&list), plain);
            assert_eq!(list.len(), plain.len());
            assert!(list.get(plain.len()).is_none());
            assert_eq!(names(&before), was);
        }
        let again: Nodes = list.iter().cloned().collect();
        assert_eq!(names(&again), plain);
        assert!((0..plain.len()).all(|i| *again[i].name == plain[i]));
    }
}
