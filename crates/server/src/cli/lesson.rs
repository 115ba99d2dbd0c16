//! `kubottle lesson new|check|topics|index`: for those who write lessons.

use super::{print, read_files};
use anyhow::{Context, anyhow};
use lessons::{Lesson, index, syllabus, template};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Writes a small lesson to begin with.
    New {
        /// first-steps.md
        file: PathBuf,
    },
    /// Reads lessons and proves each in a cluster: its checks fail at the beginning, its solutions make them pass.
    Check {
        /// Markdown files, or directories of them
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// What lessons may say that they cover.
    Topics,
    /// Writes index.json, the table of contents, beside the lessons of a directory.
    Index { dir: PathBuf },
}

pub fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::New { file } => new(&file),
        Command::Check { files } => check(&files),
        Command::Topics => {
            let lines = syllabus::SYLLABUS.iter().map(|(topic, names)| format!("{topic:?}: {}\n", names.join(", ")));
            print(&lines.collect::<String>())
        }
        Command::Index { dir } => write_index(&dir),
    }
}

fn new(file: &Path) -> anyhow::Result<()> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let id: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    if file.exists() {
        return Err(anyhow!("{} is there already: choose another name", file.display()));
    }
    std::fs::write(file, template::lesson(&id)).with_context(|| format!("cannot write {}", file.display()))?;
    print(&format!("{0} is written; kubottle lesson check {0}\n", file.display()))
}

/// Markdown files by name, those of directories in order.
fn find(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let listing = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut found: Vec<PathBuf> = listing.filter_map(|e| Some(e.ok()?.path())).collect();
        found.retain(|f| f.extension().is_some_and(|e| e == "md"));
        found.sort();
        files.extend(found);
    }
    read_files(&files)
}

fn check(paths: &[PathBuf]) -> anyhow::Result<()> {
    let files = find(paths)?;
    let next = AtomicUsize::new(0);
    // Each has a cluster of its own.
    let work = || -> anyhow::Result<usize> {
        let mut bad = 0;
        while let Some((name, text)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            match Lesson::read(text).and_then(engine::lesson::prove) {
                Ok(r) => print(&line(name, &r))?,
                Err(problems) => {
                    bad += 1;
                    let lines = problems.iter().map(|p| format!("{name}:{p}\n"));
                    eprint!("{}", lines.collect::<String>());
                }
            }
        }
        Ok(bad)
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(files.len());
    let bad = std::thread::scope(|s| {
        let all: Vec<_> = (0..workers).map(|_| s.spawn(work)).collect();
        let sum = all.into_iter().map(|w| w.join().unwrap_or_else(|_| Err(anyhow!("a lesson made the proof crash"))));
        sum.sum::<anyhow::Result<usize>>()
    })?;
    if bad > 0 { Err(anyhow!("{bad} lessons are not as they should be")) } else { Ok(()) }
}

fn line(name: &str, r: &engine::lesson::Report) -> String {
    let answers: Vec<String> = r.answers.iter().map(|a| a.map_or("-".into(), |n| n.to_string())).collect();
    format!(
        "{name}: {} steps, {} checks, {} other and {} wrong ways, answers {}, in {}\n",
        r.steps,
        r.checks,
        r.also,
        r.wrong,
        answers.join(" "),
        r.took.go_string()
    )
}

fn write_index(dir: &Path) -> anyhow::Result<()> {
    let mut lessons = Vec::new();
    for (path, text) in find(&[dir.to_path_buf()])? {
        let lesson = Lesson::read(&text)
            .map_err(|p| anyhow!("{path}:{}", p.first().map(ToString::to_string).unwrap_or_default()))?;
        let name = Path::new(&path).file_name().unwrap_or_default().to_string_lossy().into_owned();
        lessons.push((name, lesson));
    }
    let out = dir.join("index.json");
    let text = index(lessons.iter().map(|(name, l)| (name.as_str(), l)));
    std::fs::write(&out, text).with_context(|| format!("cannot write {}", out.display()))
}
