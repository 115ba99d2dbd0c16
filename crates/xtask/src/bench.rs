//! `cargo xtask bench`: what it costs, with a peer beside it in the same run on the same machine where one exists.

use crate::shell::{Result, cmd, output, quiet, shown};
use crate::{browser, build, tools};
use std::fmt::Write as _;

const REPLICAS: &[u32] = &[3, 30, 100, 300, 1000];
const SCRIPTS: &str = "tests/bench";

pub fn run(args: &[String]) -> Result<()> {
    tools::check_rust()?;
    let wants = |name: &str| args.is_empty() || args.iter().any(|a| a == name);
    let mut report = String::new();
    if wants("scheduler") {
        scheduler(&mut report)?;
    }
    if wants("cluster") {
        cluster(&mut report)?;
    }
    if wants("page") {
        page(&mut report)?;
    }
    println!("\n{report}");
    Ok(())
}

/// The scheduler alone: 10,000 pods onto 5,000 nodes, nothing recorded, nothing written.
fn scheduler(report: &mut String) -> Result<()> {
    let args = ["build", "--release", "-p", "scheduler", "--example", "throughput"];
    quiet("bench-scheduler", &mut cmd("cargo", &args))?;
    let args = ["run", "-q", "--release", "-p", "scheduler", "--example", "throughput", "5000", "10000"];
    let (ok, text) = shown("scheduler", &mut cmd("cargo", &args))?;
    if !ok {
        return Err("the scheduler's benchmark failed".into());
    }
    let _ = writeln!(report, "scheduler alone, native: {}", text.lines().last().unwrap_or(""));
    Ok(())
}

/// The whole cluster, natively and as wasm under Node: Deployments from apply to all Ready with the clock as fast as it
/// goes, beside webernetes; and waiting pods onto nodes, through the API server.
fn cluster(report: &mut String) -> Result<()> {
    tools::check_node()?;
    let args = ["build", "--release", "-p", "parity", "--example", "bench"];
    quiet("bench-cluster", &mut cmd("cargo", &args))?;
    let args = ["run", "-q", "--release", "-p", "parity", "--example", "bench"];
    let (ok, native) = shown("cluster, native", &mut cmd("cargo", &args))?;
    if !ok {
        return Err("the native benchmark failed".into());
    }
    let package = build::parity()?;
    let mut c = cmd("node", &[&format!("{SCRIPTS}/parity.mjs")]);
    let (ok, wasm) = shown("cluster, wasm", c.arg(&package).arg("bench"))?;
    if !ok {
        return Err("the wasm benchmark failed".into());
    }
    let chromium = in_chromium(&package.with_file_name("web")).unwrap_or_else(|e| {
        println!("Chromium is left out: {e}");
        String::new()
    });
    let peer = peer("webernetes.mjs", "node");
    if let Err(e) = &peer {
        println!("the peer is left out: {e}");
    }
    let _ =
        writeln!(report, "{:<22} {:>12} {:>12} {:>14}", "Deployment to Ready", "native, s", "wasm, s", "webernetes, s");
    for replicas in REPLICAS {
        let at = format!("\"replicas\":{replicas},");
        let theirs = match &peer {
            Ok(script) => output("node", &[script, &replicas.to_string()]).unwrap_or_else(|| "failed".into()),
            Err(_) => "-".into(),
        };
        let (n, w) = (field(&native, &at, "seconds"), field(&wasm, &at, "seconds"));
        let _ = writeln!(report, "{:<22} {n:>12} {w:>12} {theirs:>14}", format!("{replicas} replicas"));
    }
    let _ = writeln!(report, "{:<22} {:>12} {:>12}", "Pods to nodes", "native, /s", "wasm, /s");
    for (nodes, pods) in [(100, 1000), (1000, 10_000), (5000, 10_000)] {
        for (kubelets, what) in [(false, ""), (true, ", started")] {
            let at = format!("\"nodes\":{nodes},\"pods\":{pods},\"kubelets\":{kubelets},");
            let (n, w) = (field(&native, &at, "pods_per_second"), field(&wasm, &at, "pods_per_second"));
            let _ = writeln!(report, "{:<22} {n:>12} {w:>12}", format!("{pods} to {nodes}{what}"));
        }
    }
    let _ = writeln!(
        report,
        "{:<48} {:>12} {:>12} {:>12}",
        "scheduler_perf, per second of processor", "native", "Node", "Chromium"
    );
    for case in native.lines().filter_map(|l| l.split("\"case\":\"").nth(1)?.split(",\"bound\"").next()) {
        let at = format!("\"case\":\"{case},");
        let [n, w, c] = [&native, &wasm, &chromium].map(|lines| field(lines, &at, "pods_per_cpu_second"));
        let name = case.split('"').next().unwrap_or(case);
        let recorded = if case.ends_with("true") { ", recorded" } else { "" };
        let _ = writeln!(report, "{:<48} {n:>12} {w:>12} {c:>12}", format!("{name}{recorded}"));
    }
    Ok(())
}

/// The scheduler_perf cases in the worker of a page.
fn in_chromium(package: &std::path::Path) -> Result<String> {
    tools::npm_ci("tests/page")?;
    let mut c = cmd("node", &["perf.mjs"]);
    c.current_dir("tests/page").env("CHROMIUM", browser::chromium()?).env("KUBOTTLE_PAGE", package);
    let (ok, text) = shown("cluster, Chromium", &mut c)?;
    if ok { Ok(text) } else { Err("the benchmark in Chromium failed".into()) }
}

/// A number of the JSON line that holds `at`, to three places.
fn field(lines: &str, at: &str, name: &str) -> String {
    let line = lines.lines().find(|l| l.contains(at)).unwrap_or("");
    let rest = line.split(&format!("\"{name}\":")).nth(1).unwrap_or("");
    let number = rest.split([',', '}']).next().unwrap_or("");
    match number.parse::<f64>() {
        Ok(n) if number.contains('.') => format!("{n:.3}"),
        Ok(_) => number.into(),
        Err(_) => "-".into(),
    }
}

/// One of the peer's scripts in one file, for `node` or the `browser`: its package loads in neither as it is.
fn peer(script: &str, platform: &str) -> Result<String> {
    tools::npm_ci(SCRIPTS)?;
    let bundle = format!("node_modules/.{script}");
    let (platform, out) = (format!("--platform={platform}"), format!("--outfile={bundle}"));
    let args = [script, "--bundle", "--minify", "--format=esm", &platform, &out];
    let esbuild = std::path::absolute(format!("{SCRIPTS}/node_modules/.bin/esbuild")).map_err(|e| e.to_string())?;
    quiet("bench-peer", cmd(esbuild, &args).current_dir(SCRIPTS))?;
    Ok(format!("{SCRIPTS}/{bundle}"))
}

/// Page load to the first running Deployment, what is downloaded for it, what a frame costs, how long a decision over
/// thousands of nodes takes to open and a moment of a long session to be shown, and what the browser holds in memory, beside
/// webernetes in the same browser.
fn page(report: &mut String) -> Result<()> {
    crate::bundle::run()?;
    tools::npm_ci("tests/page")?;
    let chromium = browser::chromium()?;
    let dist = std::path::absolute("dist").map_err(|e| e.to_string())?;
    let peer = std::path::absolute(peer("webernetes_page.mjs", "browser")?).map_err(|e| e.to_string())?;
    for script in ["bench.mjs", "decision_bench.mjs", "travel_bench.mjs", "peer_bench.mjs"] {
        let mut c = cmd("node", &[script]);
        c.current_dir("tests/page").env("CHROMIUM", &chromium).env("KUBOTTLE_PAGE", &dist).env("KUBOTTLE_PEER", &peer);
        let (ok, text) = shown("page", &mut c)?;
        report.push_str(&text);
        if !ok {
            return Err(format!("the page's benchmark {script} failed"));
        }
    }
    Ok(())
}
