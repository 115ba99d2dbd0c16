//! `cargo xtask test`: every check there is, one after the other, with one sum at the end.

use crate::build::{self, Page, Profile};
use crate::shell::{Result, cmd, seconds, shown};
use crate::{browser, bundle, tidy, tools};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Default)]
struct Tally {
    passed: u32,
    failed: u32,
    skipped: u32,
}

impl Tally {
    const PASSED: Tally = Tally { passed: 1, failed: 0, skipped: 0 };
    const FAILED: Tally = Tally { passed: 0, failed: 1, skipped: 0 };
    fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

type Stage = (&'static str, fn() -> Result<Tally>);

/// In order: what is quick to fail comes first.
const STAGES: &[Stage] = &[
    ("format", format),
    ("tidy", || tidy::run().map(|()| Tally::PASSED)),
    ("clippy", clippy),
    ("unit", unit),
    ("system", system),
    ("wasm", wasm),
    ("page", page),
    ("bundle", || bundle::run().map(|()| Tally::PASSED)),
    ("browser", in_browser),
];

pub fn run(only: &[String]) -> ExitCode {
    if let Some(unknown) = only.iter().find(|o| !STAGES.iter().any(|(n, _)| n == o)) {
        let names: Vec<_> = STAGES.iter().map(|(n, _)| *n).collect();
        eprintln!("no stage {unknown:?}; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    if let Err(e) = tools::check_rust() {
        eprintln!("{e}");
        return ExitCode::FAILURE;
    }
    let started = Instant::now();
    let mut rows: Vec<(&str, Tally, Duration, String)> = Vec::new();
    for (name, stage) in STAGES {
        if !only.is_empty() && !only.iter().any(|o| o == name) {
            continue;
        }
        println!("\n== {name}");
        let begun = Instant::now();
        let (tally, why) = match stage() {
            Ok(tally) => (tally, String::new()),
            Err(e) => {
                println!("{name}: {e}");
                (Tally::FAILED, e.lines().next().unwrap_or("").to_string())
            }
        };
        rows.push((name, tally, begun.elapsed(), why));
    }
    println!("\n== summary ({})", seconds(started.elapsed()));
    let mut sum = Tally::default();
    for (name, tally, took, why) in &rows {
        sum.add(*tally);
        let Tally { passed, failed, skipped } = tally;
        println!("{name:<8} {passed:>5} passed {failed:>3} failed {skipped:>3} skipped {:>12}  {why}", seconds(*took));
    }
    let skipped = if sum.skipped > 0 { format!(", {} skipped", sum.skipped) } else { String::new() };
    println!("{} passed, {} failed{skipped}", sum.passed, sum.failed);
    if sum.failed == 0 && sum.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn format() -> Result<Tally> {
    let (ok, _) = shown("rustfmt", &mut cmd("cargo", &["fmt", "--all", "--check"]))?;
    if ok { Ok(Tally::PASSED) } else { Err("not formatted: run `cargo fmt --all`".into()) }
}

fn clippy() -> Result<Tally> {
    let args = ["clippy", "-q", "--workspace", "--all-targets", "--", "-D", "warnings"];
    let (ok, _) = shown("clippy", &mut cmd("cargo", &args))?;
    if ok { Ok(Tally::PASSED) } else { Err("clippy has complaints".into()) }
}

/// Runs libtest binaries and sums their closing lines. A run that ends badly without a failed test did not compile.
fn cargo_test(name: &str, command: &mut Command) -> Result<Tally> {
    let (ok, text) = shown(name, command)?;
    let mut tally = libtest(&text);
    if !ok && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(tally)
}

fn libtest(text: &str) -> Tally {
    let mut tally = Tally::default();
    for line in text.lines().filter_map(|l| l.trim().strip_prefix("test result: ")) {
        let number = |word: &str| {
            let before = line.split(word).next().unwrap_or("");
            before.trim_end().rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
        };
        tally.add(Tally { passed: number("passed"), failed: number("failed"), skipped: number("ignored") });
    }
    tally
}

fn unit() -> Result<Tally> {
    // The server's own tests build the programs that wasm nodes run.
    tools::wasm_targets()?;
    cargo_test("cargo test", &mut cmd("cargo", &["test", "--workspace", "--no-fail-fast"]))
}

/// The program as a whole: kubectl against the server, `simulate`, `schedule`.
fn system() -> Result<Tally> {
    let bin = build::server(Profile::Dev)?;
    match tools::kubectl() {
        Some(version) => println!("kubectl {version} is here: it is run against the server"),
        None => println!(
            "kubectl is not on PATH: the tests that run it against the server are left out. \
             Get it from https://kubernetes.io/docs/tasks/tools/"
        ),
    }
    let args = ["test", "--workspace", "--test", "cli", "--test", "scenarios", "--test", "kubectl", "--no-fail-fast"];
    // Most of their time is kubectl's, and the servers' clocks': more at once than there are cores.
    let args = [&args[..], &["--", "--test-threads=4"]].concat();
    cargo_test("system tests", cmd("cargo", &args).env("KUBOTTLE_BIN", bin))
}

fn page() -> Result<Tally> {
    let built = build::page(Page::Published)?;
    println!("{}", if built { "built" } else { "up to date" });
    Ok(Tally::PASSED)
}

/// The engine as wasm under Node: its traces equal the native ones.
fn wasm() -> Result<Tally> {
    tools::check_node()?;
    let package = build::parity()?;
    let args = ["test", "--workspace", "--test", "parity", "--no-fail-fast"];
    cargo_test("parity", cmd("cargo", &args).env("KUBOTTLE_PARITY", package))
}

/// The page tests that look at how long something took: nothing else may run beside them.
const TIMED: &str = "timed.test.mjs";

/// The page in Chromium: two at once, because each mostly waits for its browser, then those that are timed.
fn in_browser() -> Result<Tally> {
    let dir = Path::new("tests/page");
    tools::npm_ci("tests/page")?;
    let chromium = browser::chromium()?;
    build::page(Page::Published)?;
    let bin = build::server(Profile::Dev)?;
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|e| e.to_string())?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".test.mjs") {
            files.push(name);
        }
    }
    files.sort();
    let (timed, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|f| f == TIMED);
    let page = std::path::absolute(Page::Published.dir()).map_err(|e| e.to_string())?;
    let single = std::path::absolute(bundle::SINGLE).map_err(|e| e.to_string())?;
    let mut tally = Tally::default();
    for (name, files, at_once) in [("page tests", others, 2), ("timed page tests", timed, 1)] {
        // Node's runner is asked for TAP, whose closing lines are the same on every terminal.
        let mut c = cmd("node", &["--test", "--test-reporter=tap", &format!("--test-concurrency={at_once}")]);
        c.args(&files).current_dir(dir);
        c.env("CHROMIUM", &chromium)
            .env("KUBOTTLE_BIN", &bin)
            .env("KUBOTTLE_PAGE", &page)
            .env("KUBOTTLE_SINGLE", &single);
        let (ok, text) = shown(name, &mut c)?;
        tally.add(tap(ok, &text));
    }
    Ok(tally)
}

/// The closing lines of Node's runner. A run that ends badly without a failed test did not start.
fn tap(ok: bool, text: &str) -> Tally {
    let number = |word: &str| {
        text.lines().rev().find_map(|l| l.strip_prefix(word)).and_then(|n| n.trim().parse().ok()).unwrap_or(0)
    };
    let mut tally = Tally { passed: number("# pass "), failed: number("# fail "), skipped: number("# skipped ") };
    if !ok && tally.failed == 0 {
        tally.failed = 1;
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_the_closing_lines_of_libtest() {
        let lines = "test result: ok. 21 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 6.03s\n\
                     test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
        let t = libtest(lines);
        assert_eq!((t.passed, t.failed, t.skipped), (24, 1, 2));
    }

    #[test]
    fn reads_the_closing_lines_of_node() {
        let t = tap(false, "not ok 1 - # fail 7\n# tests 4\n# pass 2\n# fail 1\n# skipped 1\n");
        assert_eq!((t.passed, t.failed, t.skipped), (2, 1, 1));
        assert_eq!(tap(false, "Could not find").failed, 1);
    }
}
