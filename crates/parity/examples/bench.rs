//! What `cargo xtask bench` measures natively, one JSON line each. Run in release.
//!
//! Without arguments everything; `deployment REPLICAS`, `placement NODES PODS [bare]`, `steady NODES PODS MINUTES`,
//! `perf [recorded] [CASE]` or `hash MANIFEST NODES SECONDS` (a file) for one alone.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the real clock")]

use mimalloc::MiMalloc;
use parity::{Perf, Placement, deployment_ready, perf_cases, trace_hash};
use std::time::Instant;

/// As in `kubottle`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize| args.get(i).and_then(|a| a.parse::<u32>().ok()).unwrap_or(1);
    match args.first().map(String::as_str) {
        Some("deployment") => deployment(number(1)),
        Some("placement") => drop(placement(number(1), number(2), args.get(3).is_none_or(|a| a != "bare"))),
        Some("perf") => perf(args.iter().any(|a| a == "recorded"), args.get(1).filter(|a| *a != "recorded")),
        Some("steady") => steady(number(1), number(2), number(3)),
        Some("hash") => {
            let text = args.get(1).and_then(|f| std::fs::read_to_string(f).ok()).unwrap_or_default();
            println!(r#"{{"bench":"hash","trace":"{}"}}"#, trace_hash(&text, number(2), number(3), 1));
        }
        _ => {
            for replicas in [3, 30, 100, 300, 1000] {
                deployment(replicas);
            }
            for (nodes, pods) in [(100, 1000), (1000, 10_000), (5000, 10_000)] {
                for kubelets in [false, true] {
                    placement(nodes, pods, kubelets);
                }
            }
            steady(1000, 10_000, 10);
            perf(false, None);
            // What recording everything costs, in the same run.
            perf(true, Some(&perf_cases()[0]));
        }
    }
}

fn deployment(replicas: u32) {
    let began = Instant::now();
    let virtual_ms = deployment_ready(replicas, nodes_for(replicas));
    let seconds = began.elapsed().as_secs_f64();
    println!(r#"{{"bench":"deployment","replicas":{replicas},"seconds":{seconds:.4},"virtual_ms":{virtual_ms}}}"#);
}

/// Upstream's `scheduler_perf` cases.
fn perf(recorded: bool, only: Option<&String>) {
    for name in perf_cases().iter().filter(|n| only.is_none_or(|o| n.starts_with(o.as_str()))) {
        let mut p = Perf::new(name, recorded);
        let (began, cpu_before) = (Instant::now(), on_cpu());
        let bound = p.run();
        let (seconds, cpu) = (began.elapsed().as_secs_f64(), on_cpu() - cpu_before);
        let (of, rate, per_cpu) = (p.measured(), f64::from(bound) / seconds, f64::from(bound) / cpu.max(0.001));
        println!(
            r#"{{"bench":"perf","case":"{name}","recorded":{recorded},"bound":{bound},"of":{of},"seconds":{seconds:.3},"pods_per_second":{rate:.0},"pods_per_cpu_second":{per_cpu:.0}}}"#
        );
    }
}

fn placement(nodes: u32, pods: u32, kubelets: bool) -> Placement {
    let began = Instant::now();
    let mut p = Placement::new(nodes, pods, kubelets);
    let setup = began.elapsed().as_secs_f64();
    let (began, cpu_before) = (Instant::now(), on_cpu());
    let bound = p.run();
    let seconds = began.elapsed().as_secs_f64();
    let cpu = on_cpu() - cpu_before;
    let rate = f64::from(bound) / seconds;
    println!(
        r#"{{"bench":"placement","nodes":{nodes},"pods":{pods},"kubelets":{kubelets},"bound":{bound},"setup_seconds":{setup:.3},"seconds":{seconds:.3},"cpu_seconds":{cpu:.3},"pods_per_second":{rate:.0}}}"#
    );
    p
}

/// Ten pods a node that do nothing: what time costs, and whether memory stays where it is.
fn steady(nodes: u32, pods: u32, minutes: u32) {
    let mut p = placement(nodes, pods, true);
    for minute in 1..=minutes {
        let began = Instant::now();
        p.advance_seconds(60);
        let seconds = began.elapsed().as_secs_f64();
        let (keys, history) = (p.stored_keys(), p.stored_events());
        let rss = resident_megabytes();
        println!(
            r#"{{"bench":"steady","minute":{minute},"seconds":{seconds:.3},"keys":{keys},"history":{history},"resident_mb":{rss}}}"#
        );
    }
}

/// Seconds this thread was on a processor: what a busy machine does not change. 0 where there is no /proc.
fn on_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

/// 0 where there is no /proc.
fn resident_megabytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_whitespace().nth(1).and_then(|p| p.parse::<u64>().ok()).unwrap_or(0) * 4096 / 1_000_000
}

/// 110 pods fit on a node.
fn nodes_for(replicas: u32) -> u32 {
    (replicas / 100 + 1).max(3)
}
