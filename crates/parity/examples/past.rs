//! How long it takes to look back at any moment of a session with so many scheduling decisions, one JSON line. `past
//! [DECISIONS [bare]]`; run in release.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the real clock")]

use mimalloc::MiMalloc;
use parity::Past;
use std::time::Instant;

/// As in `kubottle`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Turns between two looks at the clock.
const SLICE: u32 = 50;
const LOOKS: usize = 300;

fn memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn main() {
    let decisions = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(10_000);
    // What a session takes without checkpoints.
    let bare = std::env::args().nth(2).is_some_and(|a| a == "bare");
    let mut past = Past::new(decisions);
    let (began, mut resting) = (Instant::now(), 0.0);
    loop {
        let slice = Instant::now();
        let done = past.run(SLICE);
        let rest = Instant::now();
        past.rest(if bare { 0 } else { rest.duration_since(slice).as_micros() as u32 });
        resting += rest.elapsed().as_secs_f64();
        if done {
            break;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    if bare {
        return println!(
            r#"{{"bench":"past","bare":true,"turns":{},"seconds":{seconds:.1},"memory_mb":{}}}"#,
            past.turns(),
            memory_mb()
        );
    }
    let mut took: Vec<f64> = Vec::new();
    let mut wrong = 0;
    for i in 0..LOOKS {
        // All over the session, in no order that helps.
        let moment = i * 7919 % past.moments();
        let began = Instant::now();
        wrong += u32::from(!past.look(moment));
        took.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    took.sort_by(f64::total_cmp);
    println!(
        r#"{{"bench":"past","decisions":{},"turns":{},"seconds":{seconds:.1},"checkpoint_seconds":{resting:.2},"checkpoints":{},"memory_mb":{},"looks":{LOOKS},"wrong":{wrong},"median_ms":{:.1},"p99_ms":{:.1},"worst_ms":{:.1}}}"#,
        past.decisions(),
        past.turns(),
        past.checkpoints(),
        memory_mb(),
        took[LOOKS / 2],
        took[LOOKS * 99 / 100],
        took[LOOKS - 1],
    );
}
