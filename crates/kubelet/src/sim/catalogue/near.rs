//! Images that may have been meant by a name that no registry knows.

use super::{IMAGES, Image, ImageRef, POPULAR, TOOLS, find};
use std::collections::BTreeMap;

/// Up to `max` images that can be pulled and are written almost like this one, nearest first.
pub fn near(image: &str, max: usize) -> Vec<String> {
    let (name, tag) = split(image);
    let known = ImageRef::parse(image).ok().map(|r| r.name());
    let far = (name.len() / 4).clamp(1, 3);
    let mut found: Vec<(usize, String)> = Vec::new();
    // Versions of an image that differ stand apart.
    let mut by_name: BTreeMap<&str, Vec<&Image>> = BTreeMap::new();
    for i in [IMAGES, POPULAR, TOOLS].into_iter().flatten() {
        by_name.entry(i.name).or_default().push(i);
    }
    for (full, images) in by_name {
        let short = full.trim_start_matches("docker.io/").trim_start_matches("library/");
        let same = known.as_deref() == Some(full);
        let d = if same { 0 } else { distance(short, name) };
        if d > far {
            continue;
        }
        let written = if same { name } else { short };
        let tags = tags(&images, tag).into_iter().map(|(t, far)| (d + far, format!("{written}:{t}")));
        found.extend(tags.filter(|(_, image)| ImageRef::parse(image).is_ok_and(|r| find(&r).is_ok())));
    }
    found.sort();
    found.dedup_by(|a, b| a.1 == b.1);
    found.into_iter().map(|(_, image)| image).filter(|i| i != image).take(max).collect()
}

fn split(image: &str) -> (&str, &str) {
    let (rest, _) = image.split_once('@').unwrap_or((image, ""));
    let slash = rest.rfind('/').map_or(0, |i| i + 1);
    match rest[slash..].find(':') {
        Some(i) => (&rest[..slash + i], &rest[slash + i + 1..]),
        None => (rest, "latest"),
    }
}

/// The tag itself where there is one of this name; else those like it, and the usual one.
fn tags(images: &[&Image], wanted: &str) -> Vec<(String, usize)> {
    if images.iter().any(|i| i.has_tag(wanted)) {
        return vec![(wanted.into(), 0)];
    }
    let versions = images.iter().flat_map(|i| i.versions).filter(|v| v.0 != u32::MAX);
    let newest = versions.max().map(|(major, _, minor)| format!("{major}.{minor}"));
    let named = images.iter().flat_map(|i| i.tags).map(|t| (*t).to_string()).chain(newest);
    let mut all: Vec<(String, usize)> = named.map(|t| (1 + distance(&t, wanted), t)).map(|(d, t)| (t, d)).collect();
    all.sort_by_key(|(_, d)| *d);
    all.truncate(2);
    all
}

/// Letters to add, to take away, to change or to exchange with the next. Models Damerau and Levenshtein's distance.
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_near() {
        assert_eq!(near("ngnix", 1), ["nginx:latest"]);
        assert_eq!(near("ngnix:1.25", 3), ["nginx:1.25"]);
        assert_eq!(near("ngnix:1.19", 3), ["nginx:1.19"]);
        assert!(near("nginx:1.999", 3).iter().all(|i| i.starts_with("nginx:")), "{:?}", near("nginx:1.999", 3));
        assert!(!near("nginx:1.999", 3).is_empty());
        assert_eq!(near("buzybox:1.36", 1), ["busybox:1.36"]);
        assert!(near("nothing-like-that-anywhere", 3).is_empty());
        assert_eq!((distance("ngnix", "nginx"), distance("a", ""), distance("redis", "redis")), (1, 1, 0));
    }
}
