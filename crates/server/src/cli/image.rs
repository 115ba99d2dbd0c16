//! `kubottle image load|list`

use super::print;
use crate::wasm::{Engine, Images};
use anyhow::{Context, anyhow};
use std::path::{Path, PathBuf};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Adds a WASI 0.2 component under an image name: pods with runtimeClassName wasmtime can then run it.
    Load {
        /// hello, or hello:v1
        name: String,
        /// A .wasm file
        file: PathBuf,
    },
    /// Lists what was loaded.
    List,
}

pub fn run(command: Command, state: &Path) -> anyhow::Result<()> {
    let images = Images::new(state);
    match command {
        Command::Load { name, file } => {
            let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let program = Engine::new()?.program(&bytes);
            let program = program.map_err(|e| anyhow!("{}: {e:#}", file.display()))?;
            let (name, record) = images.add(&name, &bytes, program.kind.name())?;
            print(&format!("loaded {name} ({} component, {})\n", record.kind, record.digest))
        }
        Command::List => {
            let mut rows = vec![["NAME", "KIND", "SIZE", "DIGEST"].map(String::from)];
            for (name, r) in images.list()? {
                let digest = r.digest.get(..19).unwrap_or(&r.digest).to_string();
                rows.push([name, r.kind, format!("{} KiB", r.size_bytes.div_ceil(1024)), digest]);
            }
            print(&columns(&rows))
        }
    }
}

/// Columns three spaces apart, as kubectl prints them.
pub fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |c: usize| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}   "));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
