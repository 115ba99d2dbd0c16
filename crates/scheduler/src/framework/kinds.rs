//! Pods that are alike to other pods: same namespace, labels and affinity. Plugins that ask about pods in the cluster
//! ask once for every kind, however many pods there are of it.

use super::pod_info::PodInfo;
use super::shelf::Shelf;
use k8s_openapi::api::core::v1::Affinity;
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

#[derive(Clone, Debug)]
struct Kind {
    /// Any pod of this kind.
    pod: Arc<PodInfo>,
    /// How many there are; a kind without pods waits for another to take its number.
    pods: usize,
}

/// The kinds of the pods on nodes, by number. Numbers are small and used again. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct Kinds(Shelf<Kind>);

/// Finds the number of a pod's kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct KindIndex {
    by_hash: FxHashMap<u64, Vec<u32>>,
    free: Vec<u32>,
}

fn hash(pod: &PodInfo) -> u64 {
    let mut h = FxHasher::default();
    (pod.namespace(), &pod.pod.metadata.labels, pod.is_deleting()).hash(&mut h);
    h.finish()
}

/// The affinity that other pods can feel.
fn affinity(pod: &PodInfo) -> Option<&Affinity> {
    pod.pod.spec.as_ref()?.affinity.as_ref().filter(|_| pod.has_affinity)
}

fn alike(a: &PodInfo, b: &PodInfo) -> bool {
    a.namespace() == b.namespace()
        && a.is_deleting() == b.is_deleting()
        && a.pod.metadata.labels == b.pod.metadata.labels
        && affinity(a) == affinity(b)
}

impl KindIndex {
    /// The number of the pod's kind, or what it is to be for one that is new.
    pub fn number(&mut self, Kinds(kinds): &Kinds, pod: &Arc<PodInfo>) -> u32 {
        let numbers = self.by_hash.entry(hash(pod)).or_default();
        if let Some(n) = numbers.iter().find(|n| alike(&kinds[**n as usize].pod, pod)) {
            return *n;
        }
        let n = self.free.pop().unwrap_or(kinds.len() as u32);
        numbers.push(n);
        n
    }

    /// The kind has no pods any more: its number is free. `pod` was one of it.
    pub fn forget(&mut self, pod: &PodInfo, n: u32) {
        let hash = hash(pod);
        if let Some(numbers) = self.by_hash.get_mut(&hash) {
            numbers.retain(|m| *m != n);
            if numbers.is_empty() {
                self.by_hash.remove(&hash);
            }
        }
        self.free.push(n);
    }
}

impl Kinds {
    /// Counts one more of the kind. The next number is that of a new kind, as is one without pods.
    pub(crate) fn put(&mut self, n: u32, pod: &Arc<PodInfo>) {
        let kind = || Kind { pod: pod.clone(), pods: 1 };
        match self.0.get(n as usize).map(|k| k.pods) {
            None => self.0.push(kind()),
            Some(0) => self.0[n as usize] = kind(),
            Some(_) => self.0[n as usize].pods += 1,
        }
    }
    /// Counts one less.
    pub(crate) fn take(&mut self, n: u32) {
        self.0[n as usize].pods -= 1;
    }
    /// Whether no pods of the kind are left.
    pub(crate) fn is_over(&self, n: u32) -> bool {
        self.0[n as usize].pods == 0
    }
    /// Any pod of the kind.
    pub fn pod(&self, n: u32) -> &Arc<PodInfo> {
        &self.0[n as usize].pod
    }

    /// The kinds that have pods, each with any of them.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Arc<PodInfo>)> {
        (0..).zip(self.0.iter()).filter(|(_, kind)| kind.pods > 0).map(|(n, kind)| (n, &kind.pod))
    }

    /// One more than the largest number.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a plugin found out about kinds in one cycle, each when it first meets it.
pub struct Memo<T>(Vec<Option<T>>);

impl<T> Memo<T> {
    pub fn new(kinds: &Kinds) -> Self {
        Memo(std::iter::repeat_with(|| None).take(kinds.len()).collect())
    }
    pub fn get(&mut self, kind: u32, find_out: impl FnOnce() -> T) -> &T {
        self.0[kind as usize].get_or_insert_with(find_out)
    }
}
