//! A command component: greets, then does what its arguments say.

use std::time::{Duration, Instant};

fn main() {
    let mut args = std::env::args().skip(1);
    let name = std::env::var("GREETING_NAME").unwrap_or_else(|_| "world".into());
    println!("hello, {name}");
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(1);
        match arg.as_str() {
            // std knows success and failure only.
            "exit" => wasip2::cli::exit::exit_with_code(u8::try_from(number()).unwrap_or(1)),
            "sleep" => std::thread::sleep(Duration::from_secs(number())),
            "allocate" => {
                let bytes = usize::try_from(number()).unwrap_or(0) << 20;
                let block = std::hint::black_box(vec![1u8; bytes]);
                println!("allocated {} MiB", block.len() >> 20);
            }
            "spin" => println!("spun {} rounds", spin(Duration::from_secs(number()))),
            "panic" => panic!("as told"),
            other => {
                eprintln!("hello: what is {other:?}?");
                wasip2::cli::exit::exit_with_code(2);
            }
        }
    }
}

/// Counts as fast as it can for a span of real time.
fn spin(span: Duration) -> u64 {
    let start = Instant::now();
    let mut rounds = 0u64;
    while start.elapsed() < span {
        for i in 0..1000 {
            rounds = std::hint::black_box(rounds + i % 2);
        }
    }
    rounds
}
