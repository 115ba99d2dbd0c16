//! Semantic versions and their order. Models `github.com/blang/semver`.

use std::cmp::Ordering;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    pre: Vec<String>,
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits && (text.len() == 1 || !text.starts_with('0')) { text.parse().ok() } else { None }
}

impl Version {
    pub fn parse(text: &str) -> Option<Version> {
        let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let (rest, build) = text.split_once('+').map_or((text, None), |(r, b)| (r, Some(b)));
        if build.is_some_and(|b| !b.split('.').all(word)) {
            return None;
        }
        let (core, pre) = rest.split_once('-').map_or((rest, None), |(c, p)| (c, Some(p)));
        let pre: Vec<String> = pre.map(|p| p.split('.').map(str::to_string).collect()).unwrap_or_default();
        let fine = |w: &String| word(w) && (!w.bytes().all(|b| b.is_ascii_digit()) || number(w).is_some());
        let mut parts = core.split('.').map(number);
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        (parts.next().is_none() && pre.iter().all(fine)).then_some(Version { numbers, pre })
    }
    pub fn part(&self, i: usize) -> u64 {
        self.numbers[i]
    }
}

/// Without a leading `v` and leading zeros, and with all three numbers; `None`: a short one says more than numbers. Models
/// `normalizeAndParse` of `apiserver/pkg/cel/library`.
pub fn normalized(text: &str) -> Option<String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let short = |p: &str| match p.trim_start_matches('0') {
        _ if p.len() < 2 => p.to_string(),
        rest if rest.starts_with(|c: char| c.is_ascii_digit()) => rest.to_string(),
        rest => format!("0{rest}"),
    };
    let mut parts: Vec<String> = text.splitn(3, '.').map(short).collect();
    if parts.len() < 3 && parts.last().is_some_and(|p| p.contains(['+', '-'])) {
        return None;
    }
    parts.resize(parts.len().max(3), "0".into());
    Some(parts.join("."))
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let word = |a: &String, b: &String| match (number(a), number(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => a.cmp(b),
        };
        let pre = || match (self.pre.is_empty(), other.pre.is_empty()) {
            // A release comes after its pre-releases.
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => {
                let words = self.pre.iter().zip(&other.pre).map(|(a, b)| word(a, b));
                words.fold(Ordering::Equal, Ordering::then).then(self.pre.len().cmp(&other.pre.len()))
            }
        };
        self.numbers.cmp(&other.numbers).then_with(pre)
    }
}
