//! Completion indexes: of pods, and as lists in a status. Models `pkg/controller/job/indexed_job_utils.go`.

use k8s_openapi::api::core::v1::Pod;
use std::collections::BTreeSet;

pub const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// Intervals of first and last, in order, that do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexes(Vec<(i32, i32)>);

impl Indexes {
    /// What is out of range is forgotten. Models `parseIndexesFromString`.
    pub fn parse(list: &str, completions: i32) -> Self {
        let mut out = Indexes::default();
        for part in list.split(',').filter(|p| !p.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>()) else { continue };
            if first >= completions {
                break;
            }
            out.push(first, last.min(completions - 1));
        }
        out
    }

    fn push(&mut self, first: i32, last: i32) {
        match self.0.last_mut() {
            Some(end) if first <= end.1.saturating_add(1) => end.1 = end.1.max(last),
            _ => self.0.push((first, last)),
        }
    }

    pub fn total(&self) -> i32 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    pub fn has(&self, i: i32) -> bool {
        let at = self.0.partition_point(|(_, last)| *last < i);
        self.0.get(at).is_some_and(|(first, _)| *first <= i)
    }

    #[must_use]
    pub fn merge(&self, other: &Indexes) -> Indexes {
        let mut all: Vec<(i32, i32)> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        let mut out = Indexes::default();
        for (first, last) in all {
            out.push(first, last);
        }
        out
    }

    #[must_use]
    pub fn with(&self, more: &BTreeSet<i32>) -> Indexes {
        self.merge(&Indexes(more.iter().map(|i| (*i, *i)).collect()))
    }

    /// How many of these `other` has.
    pub fn overlap(&self, other: &Indexes) -> i32 {
        let (mut i, mut j, mut n) = (0, 0, 0);
        while let (Some(a), Some(b)) = (self.0.get(i), other.0.get(j)) {
            n += (a.1.min(b.1) - a.0.max(b.0) + 1).max(0);
            if a.1 <= b.1 {
                i += 1;
            }
            if b.1 <= a.1 {
                j += 1;
            }
        }
        n
    }

    /// The first `count` below `completions` that are not here. Models `firstPendingIndexes`.
    pub fn first_missing(&self, count: usize, completions: i32) -> Vec<i32> {
        let mut out = Vec::new();
        let mut candidate = 0;
        let ends = self.0.iter().copied().chain([(completions, completions)]);
        for (first, last) in ends {
            out.extend((candidate..first.min(completions)).take(count - out.len()));
            candidate = candidate.max(last.saturating_add(1));
        }
        out
    }
}

/// `1,3-5,7`: two that follow each other are written one by one.
impl std::fmt::Display for Indexes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, (first, last)) in self.0.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                1 => write!(f, "{comma}{first},{last}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// The completion index of a pod.
pub fn of(pod: &Pod) -> Option<i32> {
    pod.metadata.annotations.as_ref()?.get(INDEX)?.parse().ok().filter(|i| *i >= 0)
}

/// The completion indexes of pods, each once.
pub fn of_all<'a>(pods: impl IntoIterator<Item = &'a Pod>) -> BTreeSet<i32> {
    pods.into_iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_written() {
        let cases = [
            ("", 10, ""),
            ("0", 10, "0"),
            ("1,2", 10, "1,2"),
            ("1-2", 10, "1,2"),
            ("0-2,4", 10, "0-2,4"),
            ("0,2-4", 3, "0,2"),
            ("3,4", 3, ""),
            ("1,2,3", 10, "1-3"),
        ];
        for (text, completions, want) in cases {
            assert_eq!(Indexes::parse(text, completions).to_string(), want, "{text}");
        }
    }

    #[test]
    fn sets_are_merged_and_searched() {
        let a = Indexes::parse("0-2,7", 10);
        assert_eq!(a.with(&[3, 9].into()).to_string(), "0-3,7,9");
        assert_eq!(a.merge(&Indexes::parse("2-5", 10)).to_string(), "0-5,7");
        assert_eq!([0, 2, 3, 7, 8].map(|i| a.has(i)), [true, true, false, true, false]);
        assert_eq!(a.total(), 4);
        assert_eq!(a.overlap(&Indexes::parse("1-8", 10)), 3);
        assert_eq!(a.first_missing(3, 10), [3, 4, 5]);
        assert_eq!(a.first_missing(9, 9), [3, 4, 5, 6, 8]);
        assert_eq!(Indexes::default().first_missing(2, 1), [0]);
    }
}
