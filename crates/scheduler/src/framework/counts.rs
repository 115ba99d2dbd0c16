//! How many pods each domain has, by the domain's number. Cloning shares what does not change, as [`super::shelf`] does;
//! stretches without pods take no room.

use std::sync::Arc;

const CHUNK: usize = 64;

#[derive(Clone, Debug, Default)]
pub struct Counts {
    chunks: Vec<Option<Arc<Chunk>>>,
    /// What nodes without the key have.
    nowhere: u32,
}

#[derive(Clone, Debug)]
struct Chunk {
    numbers: [u32; CHUNK],
    sum: u32,
}

impl Counts {
    /// Of the domain `at`; `None`: of nodes without the key.
    pub fn add(&mut self, at: Option<u32>, n: u32) {
        let Some(at) = at.map(|at| at as usize) else {
            self.nowhere += n;
            return;
        };
        if self.chunks.len() <= at / CHUNK {
            self.chunks.resize(at / CHUNK + 1, None);
        }
        let empty = || Arc::new(Chunk { numbers: [0; CHUNK], sum: 0 });
        let chunk = Arc::make_mut(self.chunks[at / CHUNK].get_or_insert_with(empty));
        chunk.numbers[at % CHUNK] += n;
        chunk.sum += n;
    }
    pub fn take(&mut self, at: Option<u32>, n: u32) {
        let Some(at) = at.map(|at| at as usize) else {
            self.nowhere -= n;
            return;
        };
        let Some(slot) = self.chunks.get_mut(at / CHUNK) else { return };
        let Some(chunk) = slot.as_mut().map(Arc::make_mut) else { return };
        chunk.numbers[at % CHUNK] -= n;
        chunk.sum -= n;
        if chunk.sum == 0 {
            *slot = None;
        }
    }
    /// The domains that have any.
    pub fn iter(&self) -> impl Iterator<Item = (usize, u32)> {
        let chunks = self.chunks.iter().enumerate().filter_map(|(i, c)| Some((i * CHUNK, c.as_ref()?)));
        let numbers = chunks.flat_map(|(first, c)| (first..).zip(c.numbers));
        numbers.filter(|(_, n)| *n > 0)
    }
    pub fn nowhere(&self) -> u32 {
        self.nowhere
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn it_counts_as_a_map_does_and_clones_stay_as_they_were() {
        let mut rng = meta::Rng::new(5);
        let (mut counts, mut map): (Counts, BTreeMap<Option<u32>, u32>) = Default::default();
        let told = |c: &Counts| {
            let places = c.iter().map(|(at, n)| (Some(at as u32), n));
            let nowhere = Some((None, c.nowhere())).filter(|(_, n)| *n > 0);
            nowhere.into_iter().chain(places).collect::<BTreeMap<_, _>>()
        };
        for _ in 0..2000 {
            let (before, was) = (counts.clone(), told(&counts));
            let at = Some(rng.below(300)).filter(|at| *at > 20);
            let have = map.get(&at).copied().unwrap_or(0);
            if have > 0 && rng.below(2) == 0 {
                counts.take(at, have);
                map.remove(&at);
            } else {
                let n = 1 + rng.below(3);
                counts.add(at, n);
                *map.entry(at).or_insert(0) += n;
            }
            assert_eq!(told(&counts), map);
            assert_eq!(told(&before), was);
        }
    }
}
