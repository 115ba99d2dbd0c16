//! `cargo xtask play`: from a clone to a running cluster.

use crate::build::{self, Page, Profile};
use crate::shell::{Result, seconds};
use crate::tools;
use std::process::Command;
use std::time::Instant;

pub fn run(args: &[String]) -> Result<()> {
    let started = Instant::now();
    let build_only = args.iter().any(|a| a == "--build-only");
    let serve: Vec<&String> = args.iter().filter(|a| *a != "--build-only" && *a != "--").collect();
    tools::check_rust()?;
    tools::check_node()?;
    // The two builds have nothing in common but the machine; side by side neither leaves a core idle.
    let mut bin = Err(String::new());
    let page = || build::page(Page::Quick).map(drop);
    tools::both(page, || {
        bin = build::server(Profile::Play);
        bin.as_ref().map(drop).map_err(Clone::clone)
    })?;
    let bin = bin?;
    eprintln!("-- ready in {}", seconds(started.elapsed()));
    if build_only {
        return Ok(());
    }
    let mut c = Command::new(&bin);
    c.arg("serve").arg("--page").arg(Page::Quick.dir()).args(serve);
    let status = c.status().map_err(|e| format!("cannot start {}: {e}", bin.display()))?;
    if status.success() { Ok(()) } else { Err(format!("kubottle serve ended with {status}")) }
}
