//! Real kubectl against `kubottle serve`: the commands people use, with the output they know.

mod access;
mod aggregation;
mod apply;
mod certificates;
mod client;
mod cluster;
mod custom;
mod daemons;
mod describe;
mod devices;
mod discovery;
mod disks;
mod equal;
mod events;
mod exec;
mod extenders;
mod faults;
mod jobs;
mod metrics;
mod network;
mod pods;
mod policies;
mod programs;
mod replication;
mod rollout;
mod services;
mod statics;
mod wasm;
mod workloads;

/// Columns of a printed table: `NAME READY` of the first line, and the cells of the rest.
pub fn table(text: &str) -> (Vec<&str>, Vec<Vec<&str>>) {
    let mut lines = text.lines().map(|l| l.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect::<Vec<_>>());
    (lines.next().unwrap_or_default(), lines.collect())
}
