//! Generated names. Models `k8s.io/apiserver/pkg/storage/names` and `k8s.io/apimachinery/pkg/util/rand`.

use crate::Rng;

const ALPHANUMS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
const MAX_GENERATED_NAME: usize = 63 - 5;

/// `n` characters of the alphabet that upstream generates names from.
pub fn random_suffix(rng: &mut Rng, n: usize) -> String {
    (0..n).map(|_| ALPHANUMS[rng.below(ALPHANUMS.len() as u32) as usize] as char).collect()
}

/// `metadata.generateName` to `metadata.name`.
pub fn generate_name(rng: &mut Rng, base: &str) -> String {
    let mut end = base.len().min(MAX_GENERATED_NAME);
    while !base.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{}", &base[..end], random_suffix(rng, 5))
}

/// Models `rand.SafeEncodeString`: no vowels, no look-alikes.
pub fn safe_encode(s: &str) -> String {
    s.bytes().map(|b| ALPHANUMS[b as usize % ALPHANUMS.len()] as char).collect()
}

/// The `pod-template-hash`: FNV-1a (32 bits) of the canonical text, safely encoded. Upstream hashes a Go
/// dump of the template, so the digits differ from a real cluster's; the form is the same.
pub fn template_hash(canonical: &[u8], collision_count: Option<i32>) -> String {
    let mut h: u32 = 0x811c_9dc5;
    let mut eat = |b: u8| {
        h ^= u32::from(b);
        h = h.wrapping_mul(0x0100_0193);
    };
    canonical.iter().copied().for_each(&mut eat);
    if let Some(c) = collision_count {
        c.to_le_bytes().into_iter().for_each(&mut eat);
    }
    safe_encode(&h.to_string())
}
