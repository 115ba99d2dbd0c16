//! `cargo xtask bench`: what it costs, with a peer beside it in the same run on the same machine where one exists.

use crate::build::{self, Profile};
use crate::shell::{Result, cmd, output, quiet, shown, state_dir};
use crate::{browser, tools};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const REPLICAS: &[u32] = &[3, 30, 100, 300, 1000];
const PEER: &str = "crates/xtask/bench";

pub fn run(args: &[String]) -> Result<()> {
    tools::check_rust()?;
    let wants = |name: &str| args.is_empty() || args.iter().any(|a| a == name);
    let mut report = String::new();
    if wants("scheduling") {
        scheduling(&mut report)?;
    }
    if wants("deployments") {
        deployments(&mut report)?;
    }
    if wants("page") {
        page()?;
    }
    println!("\n{report}");
    Ok(())
}

/// 10,000 pods onto 5,000 nodes, nothing recorded.
fn scheduling(report: &mut String) -> Result<()> {
    let args = ["build", "--release", "-p", "scheduler", "--example", "throughput"];
    quiet("bench-scheduler", &mut cmd("cargo", &args))?;
    let args = ["run", "-q", "--release", "-p", "scheduler", "--example", "throughput", "5000", "10000"];
    let (ok, text) = shown("scheduling", &mut cmd("cargo", &args))?;
    if !ok {
        return Err("the scheduling benchmark failed".into());
    }
    let _ = writeln!(report, "scheduling, native: {}", text.lines().last().unwrap_or(""));
    Ok(())
}

/// A Deployment from apply to all replicas Ready, clocks running as fast as they can.
fn deployments(report: &mut String) -> Result<()> {
    let bin = build::server(Profile::Release)?;
    let peer = peer();
    if let Err(e) = &peer {
        println!("the peer is left out: {e}");
    }
    let _ = writeln!(report, "{:>8} {:>12} {:>14}", "replicas", "kubottle, s", "webernetes, s");
    for replicas in REPLICAS {
        let nodes = (replicas / 100).max(3).to_string();
        let file = state_dir()?.join("bench.yaml");
        std::fs::write(&file, deployment(*replicas)).map_err(|e| e.to_string())?;
        let mut c = Command::new(&bin);
        c.args(["simulate", "--until", "idle", "--sim-nodes", &nodes, "-o", "json", "-f"]).arg(&file);
        let started = Instant::now();
        let out = c.stdin(Stdio::null()).output().map_err(|e| e.to_string())?;
        let ours = started.elapsed().as_secs_f64();
        let all_ready = String::from_utf8_lossy(&out.stdout).split_whitespace().collect::<String>();
        if !out.status.success() || !all_ready.contains(&format!("\"readyReplicas\":{replicas}")) {
            return Err(format!("not all of {replicas} were Ready: {}", String::from_utf8_lossy(&out.stderr)));
        }
        let theirs = match &peer {
            Ok(script) => output("node", &[script, &replicas.to_string()]).unwrap_or_else(|| "failed".into()),
            Err(_) => "-".into(),
        };
        let _ = writeln!(report, "{replicas:>8} {ours:>12.3} {theirs:>14}");
        println!("{replicas} replicas: {ours:.3} s, peer {theirs} s");
    }
    Ok(())
}

fn deployment(replicas: u32) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: {replicas}\n  selector: {{matchLabels: {{app: web}}}}\n  \
         template:\n    metadata: {{labels: {{app: web}}}}\n    spec:\n      containers:\n      - {{name: web, image: nginx}}\n"
    )
}

/// The peer's script in one file: its package does not load in Node as it is.
fn peer() -> Result<String> {
    tools::npm_ci(PEER)?;
    let bundle = "node_modules/.peer.mjs";
    let mut c =
        cmd(Path::new("node_modules/.bin/esbuild"), &["peer.mjs", "--bundle", "--platform=node", "--format=esm"]);
    quiet("bench-peer", c.arg(format!("--outfile={bundle}")).current_dir(PEER))?;
    Ok(format!("{PEER}/{bundle}"))
}

/// Page load to the first Running pod, and what is downloaded for it.
fn page() -> Result<()> {
    crate::bundle::run()?;
    tools::npm_ci("tests/page")?;
    let chromium = browser::chromium()?;
    let dist = std::path::absolute("dist").map_err(|e| e.to_string())?;
    let mut c = cmd("node", &["bench.mjs"]);
    c.current_dir("tests/page").env("CHROMIUM", chromium).env("KUBOTTLE_PAGE", dist);
    if shown("page", &mut c)?.0 { Ok(()) } else { Err("the page's benchmark failed".into()) }
}
