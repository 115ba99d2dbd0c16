//! A list of thousands of things that is cheap to clone and to change: a clone costs a few pointers, and changing one of two
//! clones copies what is next to the change.

use std::ops::{Index, IndexMut};
use std::sync::Arc;

const CHUNK: usize = 64;

#[derive(Clone, Debug)]
pub struct Shelf<T> {
    /// All but the last are full.
    chunks: Vec<Arc<Vec<T>>>,
    len: usize,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Shelf { chunks: Vec::new(), len: 0 }
    }
}

impl<T: Clone> Shelf<T> {
    pub fn len(&self) -> usize {
        self.len
    }
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    pub fn get(&self, i: usize) -> Option<&T> {
        self.chunks.get(i / CHUNK)?.get(i % CHUNK)
    }
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|c| c.iter())
    }
    pub(crate) fn push(&mut self, item: T) {
        if self.len.is_multiple_of(CHUNK) {
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        Arc::make_mut(&mut self.chunks[self.len / CHUNK]).push(item);
        self.len += 1;
    }
    /// Takes one out; the last one comes to its place.
    pub(crate) fn swap_remove(&mut self, i: usize) -> T {
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

impl<T> Index<usize> for Shelf<T> {
    type Output = T;
    #[inline]
    fn index(&self, i: usize) -> &T {
        &self.chunks[i / CHUNK][i % CHUNK]
    }
}
impl<T: Clone> IndexMut<usize> for Shelf<T> {
    fn index_mut(&mut self, i: usize) -> &mut T {
        &mut Arc::make_mut(&mut self.chunks[i / CHUNK])[i % CHUNK]
    }
}
impl<T: Clone> FromIterator<T> for Shelf<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut list = Shelf::default();
        items.into_iter().for_each(|i| list.push(i));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(list: &Shelf<usize>) -> Vec<usize> {
        list.iter().copied().collect()
    }

    #[test]
    fn it_behaves_as_a_vec_and_clones_stay_as_they_were() {
        let mut rng = meta::Rng::new(3);
        let (mut list, mut plain): (Shelf<usize>, Vec<usize>) = (Shelf::default(), Vec::new());
        for i in 0..600 {
            let (before, was) = (list.clone(), numbers(&list));
            let at = rng.below(plain.len().max(1) as u32) as usize;
            match rng.below(6) {
                0 | 1 if !plain.is_empty() => assert_eq!(list.swap_remove(at), plain.swap_remove(at)),
                2 if !plain.is_empty() => (list[at], plain[at]) = (i, i),
                _ => {
                    list.push(i);
                    plain.push(i);
                }
            }
            assert_eq!(numbers(&list), plain);
            assert_eq!(list.len(), plain.len());
            assert!(list.get(plain.len()).is_none());
            assert_eq!(numbers(&before), was);
        }
        let again: Shelf<usize> = list.iter().copied().collect();
        assert_eq!(numbers(&again), plain);
        assert!((0..plain.len()).all(|i| again[i] == plain[i]));
    }
}
