//! What `cargo xtask bench` measures natively, one JSON line each. Run in release.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the real clock")]

use parity::{Placement, deployment_ready};
use std::time::Instant;

fn main() {
    for replicas in [3, 30, 100, 300, 1000] {
        let began = Instant::now();
        let virtual_ms = deployment_ready(replicas, nodes_for(replicas));
        let seconds = began.elapsed().as_secs_f64();
        println!(r#"{{"bench":"deployment","replicas":{replicas},"seconds":{seconds:.4},"virtual_ms":{virtual_ms}}}"#);
    }
    for (nodes, pods) in [(100, 1000), (1000, 10_000), (5000, 10_000)] {
        let mut p = Placement::new(nodes, pods);
        let began = Instant::now();
        let bound = p.run();
        let seconds = began.elapsed().as_secs_f64();
        let rate = f64::from(bound) / seconds;
        println!(
            r#"{{"bench":"placement","nodes":{nodes},"pods":{pods},"bound":{bound},"seconds":{seconds:.3},"pods_per_second":{rate:.0}}}"#
        );
    }
}

/// 110 pods fit on a node.
fn nodes_for(replicas: u32) -> u32 {
    (replicas / 100 + 1).max(3)
}
