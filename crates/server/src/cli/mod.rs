//! The command line. Exit codes: 0 done, 1 it failed (said why on stderr), 2 the arguments are wrong.

pub mod extenders;
mod faults;
pub mod image;
mod kubelet_config;
mod lesson;
mod manifests;
pub mod schedule;
pub mod serve;
pub mod simulate;
mod why;

use anyhow::{Context, anyhow};
use clap::{Parser, Subcommand};
use manifest::{Document, Problem};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Kubernetes in a bottle.
#[derive(Parser)]
#[command(name = "kubottle", version, about, arg_required_else_help = true)]
pub struct Cli {
    /// Where images and the default kubeconfig are kept [default: the user's data directory, kubottle]
    #[arg(long, global = true, value_name = "DIR", env = "KUBOTTLE_STATE")]
    state: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a cluster that kubectl can use, and shows it in a browser.
    Serve(serve::Args),
    /// Runs a whole cluster in virtual time on the objects of some files, and prints what became of it.
    Simulate(simulate::Args),
    /// Schedules the pods of some files onto their nodes, and explains every decision.
    Schedule(schedule::Args),
    /// The images of wasm nodes.
    #[command(subcommand)]
    Image(image::Command),
    /// Lessons and challenges: for those who write them.
    #[command(subcommand)]
    Lesson(lesson::Command),
    /// Prints the version.
    Version,
}

/// Does what the command line says.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    let state = || state_dir(cli.state.clone());
    match cli.command {
        Command::Serve(args) => serve::run(args, &state()?),
        Command::Simulate(args) => simulate::run(args),
        Command::Schedule(args) => schedule::run(args),
        Command::Image(command) => image::run(command, &state()?),
        Command::Lesson(command) => lesson::run(command),
        Command::Version => {
            let own = env!("CARGO_PKG_VERSION");
            print(&format!("kubottle {own} (Kubernetes v1.35)\n"))
        }
    }
}

/// `--state`, or where the user's programs keep their data (XDG).
fn state_dir(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let home = || absolute("HOME").map(|h| h.join(".local/share"));
    let dir = given.or_else(|| absolute("XDG_DATA_HOME").or_else(home).map(|d| d.join("kubottle")));
    dir.ok_or_else(|| anyhow!("there is no home directory to keep state in: say where with --state DIR"))
}

/// Writes to standard output; a reader that has gone away (`| head`) is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}

/// Reads the files of `-f`: `-` is standard input, a directory is its YAML and JSON files in order of name.
pub fn read_files(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let mut out = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
            out.push(("STDIN".into(), text));
        } else if path.is_dir() {
            let listing = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
            let mut files: Vec<PathBuf> = listing.filter_map(|e| Some(e.ok()?.path())).collect();
            files.retain(|f| f.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json"));
            files.sort();
            if files.is_empty() {
                return Err(anyhow!("{}: no .yaml, .yml or .json files in this directory", path.display()));
            }
            for file in files {
                out.push(read_file(&file)?);
            }
        } else {
            out.push(read_file(path)?);
        }
    }
    Ok(out)
}

fn read_file(path: &Path) -> anyhow::Result<(String, String)> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|b| **b == b'\n').count();
        let last = good.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let column = 1 + String::from_utf8_lossy(last).chars().count();
        anyhow!("{}:{line}:{column}: this is not UTF-8 text: save the file as UTF-8", path.display())
    })?;
    Ok((path.display().to_string(), text))
}

/// Files that hold nothing at all are a mistake: kubectl refuses them too.
pub fn no_objects(files: &[(String, String)]) -> anyhow::Error {
    let file = files.first().map_or("STDIN", |(name, _)| name.as_str());
    anyhow!("{file}:1:1: there are no objects in it: a document with apiVersion, kind and metadata.name is expected")
}

/// All problems, one a line: `file:line:column: message`.
pub fn problems(problems: &[Problem]) -> anyhow::Error {
    let lines: Vec<String> = problems
        .iter()
        .map(|p| {
            let meant = p.suggestion.as_ref().map(|s| format!(" (did you mean {s}?)")).unwrap_or_default();
            format!("{p}{meant}")
        })
        .collect();
    anyhow!("{}", lines.join("\n"))
}

/// Files as the parser takes them.
pub fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

fn strict_error(strict: &[String]) -> meta::ApiError {
    meta::ApiError::bad_request(format!("strict decoding error: {}", strict.join(", ")))
}

/// A registered kind's document as a typed object, with defaults, or what is wrong with it.
pub fn decode(d: &Document) -> Result<Option<Box<dyn api::Object>>, Vec<Problem>> {
    let Some(kind) = api::by_api_version(d.api_version(), d.kind()) else { return Ok(None) };
    let refused = |e: &meta::ApiError| manifest::refusals(d, e);
    let decoded = (kind.decode)(kind, api::decode::Source::Value(d.value.clone())).map_err(|e| refused(&e))?;
    if !decoded.strict.is_empty() {
        return Err(refused(&strict_error(&decoded.strict)));
    }
    let mut object = decoded.object;
    if kind.namespaced() && object.meta().namespace.as_ref().is_none_or(String::is_empty) {
        object.meta_mut().namespace = Some("default".into());
    }
    (kind.default)(object.as_mut());
    Ok(Some(object))
}
