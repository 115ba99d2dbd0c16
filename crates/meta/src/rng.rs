//! The seeded generator behind every "random" choice: same seed, same cluster, native and wasm.

use rand_core::{Rng as _, SeedableRng};
use rand_pcg::Pcg32;

#[derive(Clone, Debug)]
pub struct Rng(Pcg32);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Rng(Pcg32::seed_from_u64(seed))
    }
    pub fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
    /// A number in `0..n`; 0 when `n` is 0. (Lemire's multiplication; the bias is below 2^-32 * n.)
    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.next_u32()) * u64::from(n)) >> 32) as u32
    }
    /// A generator of its own for a part of the cluster, so that parts do not disturb each other.
    pub fn fork(&mut self) -> Rng {
        Rng::new(self.next_u64())
    }
    /// A version 4 UUID, as `metadata.uid` holds.
    pub fn uuid(&mut self) -> String {
        let a = self.next_u64();
        let b = self.next_u64();
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | ((b >> 48) & 0x3fff),
            b & 0xffff_ffff_ffff
        )
    }
}
