//! The two ranges that Services draw from. Models `pkg/registry/core/service/ipallocator` and `portallocator`:
//! the lower band of each range is left to those who ask for a number by name.

use crate::server::Config;
use meta::Rng;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranges {
    /// Inclusive, without the network's and the broadcast address. The cluster's own range comes first.
    ips: Vec<(u32, u32)>,
    ports: (u16, u16),
}

/// The DNS Service's place, by kubeadm's convention.
const DNS_OFFSET: u32 = 9;

impl Ranges {
    /// A CIDR that cannot be read falls back to kubeadm's.
    pub fn new(config: &Config) -> Self {
        let ips = parse(&config.service_cidr).unwrap_or((0x0a60_0001, 0x0a6f_fffe));
        Ranges { ips: vec![ips], ports: config.node_port_range }
    }

    /// With these CIDRs, too; those of another family do not count.
    pub(super) fn with<'a>(&self, more: impl Iterator<Item = &'a str>) -> Ranges {
        let mut ranges = self.clone();
        for range in more.filter_map(parse) {
            if !ranges.ips.contains(&range) {
                ranges.ips.push(range);
            }
        }
        ranges
    }

    pub(super) fn first_ip(&self) -> Ipv4Addr {
        self.ips[0].0.into()
    }

    pub(super) fn check_ip(&self, ip: Ipv4Addr, taken: &BTreeSet<u32>) -> Result<(), String> {
        let n = u32::from(ip);
        if !self.ips.iter().any(|(first, last)| (first..=last).contains(&&n)) {
            return Err("the provided network does not match the current range".into());
        }
        if taken.contains(&n) { Err("provided IP is already allocated".into()) } else { Ok(()) }
    }

    pub(super) fn pick_ip(&self, rng: &mut Rng, taken: &BTreeSet<u32>) -> Option<Ipv4Addr> {
        let own = self.ips[0].0;
        let free = |n: &u32| !taken.contains(n) && *n != own && *n != own + DNS_OFFSET;
        self.ips.iter().find_map(|(first, last)| {
            // Models calculateRangeOffset: a sixteenth, between 16 and 256 addresses.
            let band = ((last - first + 1) / 16).clamp(16, 256);
            pick(rng, u64::from(*first), u64::from(*last), u64::from(band), |n| {
                u32::try_from(n).ok().filter(free).map(Ipv4Addr::from)
            })
        })
    }

    pub(super) fn check_port(&self, port: i32, taken: &BTreeSet<u16>) -> Result<u16, String> {
        match u16::try_from(port).ok().filter(|p| (self.ports.0..=self.ports.1).contains(p)) {
            None => Err(format!(
                "provided port is not in the valid range. The range of valid ports is {}-{}",
                self.ports.0, self.ports.1
            )),
            Some(p) if taken.contains(&p) => Err("provided port is already allocated".into()),
            Some(p) => Ok(p),
        }
    }

    pub(super) fn pick_port(&self, rng: &mut Rng, taken: &BTreeSet<u16>) -> Option<u16> {
        let (first, last) = (u64::from(self.ports.0), u64::from(self.ports.1));
        let band = ((last - first + 1) / 32).clamp(16, 128);
        pick(rng, first, last, band, |n| u16::try_from(n).ok().filter(|p| !taken.contains(p)))
    }
}

fn parse(cidr: &str) -> Option<(u32, u32)> {
    let (base, bits) = cidr.split_once('/')?;
    let base = u32::from(base.parse::<Ipv4Addr>().ok()?);
    let bits = bits.parse::<u32>().ok().filter(|b| (1..=30).contains(b))?;
    let mask = u32::MAX << (32 - bits);
    Some(((base & mask) + 1, (base | !mask) - 1))
}

/// From a random place in the upper part of the range on, wrapping around; the lower band only when that is full.
fn pick<T>(rng: &mut Rng, first: u64, last: u64, band: u64, free: impl Fn(u64) -> Option<T>) -> Option<T> {
    let upper = if first + band <= last { first + band } else { first };
    let size = last - upper + 1;
    let start = u64::from(rng.below(u32::try_from(size).unwrap_or(u32::MAX)));
    (0..size).find_map(|i| free(upper + (start + i) % size)).or_else(|| (first..upper).find_map(free))
}
