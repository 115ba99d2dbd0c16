//! Skipping what is up to date: a fingerprint of the contents of all inputs, kept beside the outputs.

use crate::shell::{Result, state_dir};
use std::path::{Path, PathBuf};

const SKIPPED: &[&str] = &["node_modules", "dist", "target", ".git"];

/// FNV-1a over the names and contents of every file under `inputs`, and over `words`.
pub fn fingerprint(inputs: &[&str], words: &[&str]) -> Result<String> {
    let mut files = Vec::new();
    for input in inputs {
        walk(Path::new(input), &mut files)?;
    }
    files.sort();
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut add = |bytes: &[u8]| {
        // Eight bytes a round: this runs unoptimized over megabytes.
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x0100_0000_01b3);
            hash ^= hash >> 29;
        }
    };
    for word in words {
        add(word.as_bytes());
    }
    for file in &files {
        add(file.as_os_str().as_encoded_bytes());
        add(&std::fs::read(file).map_err(|e| format!("cannot read {}: {e}", file.display()))?);
    }
    Ok(format!("{hash:016x}"))
}

pub fn walk(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.into());
        return Ok(());
    }
    // An input that is not there yet is an empty one.
    let Ok(entries) = std::fs::read_dir(path) else { return Ok(()) };
    for entry in entries {
        let entry = entry.map_err(|e| e.to_string())?;
        if !SKIPPED.iter().any(|s| entry.file_name() == *s) {
            walk(&entry.path(), files)?;
        }
    }
    Ok(())
}

fn file(name: &str) -> Result<PathBuf> {
    Ok(state_dir()?.join(format!("{name}.stamp")))
}

/// Whether `name` was made from these inputs, and what it made is still there.
pub fn is_fresh(name: &str, fingerprint: &str, output: &Path) -> Result<bool> {
    Ok(output.exists() && std::fs::read_to_string(file(name)?).is_ok_and(|s| s == fingerprint))
}

pub fn write(name: &str, fingerprint: &str) -> Result<()> {
    let file = file(name)?;
    std::fs::write(&file, fingerprint).map_err(|e| format!("cannot write {}: {e}", file.display()))
}
