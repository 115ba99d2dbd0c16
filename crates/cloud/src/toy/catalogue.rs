//! What machines there are, and what an hour of each costs.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceType {
    pub name: &'static str,
    pub cpu: i64,
    pub memory_gib: i64,
    /// Millionths of a dollar an hour.
    pub price_micros: u64,
}

const fn of(name: &'static str, cpu: i64, memory_gib: i64, price_micros: u64) -> InstanceType {
    InstanceType { name, cpu, memory_gib, price_micros }
}

/// From small to large.
pub const TYPES: &[InstanceType] = &[
    of("t1.small", 1, 2, 20_000),
    of("t1.medium", 2, 4, 40_000),
    of("c1.large", 4, 8, 85_000),
    of("m1.large", 4, 16, 100_000),
    of("c1.xlarge", 8, 16, 170_000),
    of("m1.xlarge", 8, 32, 200_000),
    of("m1.2xlarge", 16, 64, 400_000),
    of("m1.4xlarge", 32, 128, 800_000),
    of("m1.8xlarge", 64, 256, 1_600_000),
    of("m1.metal", 192, 768, 4_800_000),
];

impl InstanceType {
    pub fn spot_price(&self) -> u64 {
        self.price_micros * 3 / 10
    }
    /// How many disks may be attached to one.
    pub fn disks_max(&self) -> usize {
        match self.cpu {
            ..=1 => 4,
            2..=3 => 8,
            _ => 16,
        }
    }
}

/// The smallest that has as much; the largest there is when none has.
pub fn fit(cpu_milli: i64, memory_bytes: i64) -> InstanceType {
    let enough = |t: &&InstanceType| t.cpu * 1000 >= cpu_milli && t.memory_gib << 30 >= memory_bytes;
    *TYPES.iter().find(enough).unwrap_or(&TYPES[TYPES.len() - 1])
}
