//! Running other programs: quietly with a heartbeat and a log, or with their output shown; and saying how long it took.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub type Result<T> = std::result::Result<T, String>;

/// Where logs and stamps go: in cargo's target directory.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

pub fn state_dir() -> Result<PathBuf> {
    let dir = target_dir().join("xtask");
    std::fs::create_dir_all(&dir).map_err(|e| format!("cannot make {}: {e}", dir.display()))?;
    Ok(dir)
}

/// A command by words; `+` for arguments that are not known when writing.
pub fn cmd(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Command {
    let mut c = Command::new(program);
    c.args(args);
    c
}

fn describe(command: &Command) -> String {
    let mut out = command.get_program().to_string_lossy().into_owned();
    for a in command.get_args() {
        out.push(' ');
        out.push_str(&a.to_string_lossy());
    }
    out
}

/// What a program prints, or `None` when it is not there or fails.
pub fn output(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Option<String> {
    let out = cmd(program, args).stdin(Stdio::null()).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_string())
}

/// Runs quietly: everything printed goes to `target/xtask/NAME.log`, with a line of progress every ten seconds. On failure
/// the end of the log is shown.
pub fn quiet(name: &str, command: &mut Command) -> Result<()> {
    let started = Instant::now();
    let log = state_dir()?.join(format!("{name}.log"));
    let file = File::create(&log).map_err(|e| format!("cannot write {}: {e}", log.display()))?;
    let errors = file.try_clone().map_err(|e| e.to_string())?;
    eprintln!("-- {name}: {}", describe(command));
    command.stdin(Stdio::null()).stdout(file).stderr(errors);
    let mut child = command.spawn().map_err(|e| format!("cannot start `{}`: {e}", describe(command)))?;
    let mut beat = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|e| e.to_string())? {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(50)),
        }
        if beat.elapsed() > Duration::from_secs(10) {
            beat = Instant::now();
            eprintln!("   {name}: {} s, {}", started.elapsed().as_secs(), last_line(&log));
        }
    };
    if status.success() {
        eprintln!("   {name}: done in {}", seconds(started.elapsed()));
        return Ok(());
    }
    let text = std::fs::read(&log).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    for line in &lines[lines.len().saturating_sub(60)..] {
        eprintln!("   | {line}");
    }
    Err(format!("{name} failed ({status}) after {}; its whole log is {}", seconds(started.elapsed()), log.display()))
}

/// Runs with its output shown and handed back too (standard output and standard error in one).
pub fn shown(name: &str, command: &mut Command) -> Result<(bool, String)> {
    let started = Instant::now();
    println!("-- {name}: {}", describe(command));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| format!("cannot start `{}`: {e}", describe(command)))?;
    let errors = child.stderr.take();
    let other = std::thread::spawn(move || errors.map(copy).unwrap_or_default());
    let mut text = child.stdout.take().map(copy).unwrap_or_default();
    text.push_str(&other.join().unwrap_or_default());
    let status = child.wait().map_err(|e| e.to_string())?;
    println!("   {name}: {status}, {}", seconds(started.elapsed()));
    Ok((status.success(), text))
}

fn copy(from: impl Read) -> String {
    let mut all = String::new();
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while let Ok(n) = reader.read_until(b'\n', &mut line) {
        if n == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let _ = write!(std::io::stdout(), "{text}");
        all.push_str(&text);
        line.clear();
    }
    all
}

fn last_line(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let tail = String::from_utf8_lossy(&text[text.len().saturating_sub(2000)..]).into_owned();
    let line = tail.lines().rev().map(str::trim).find(|l| !l.is_empty()).unwrap_or("starting");
    line.chars().take(80).collect()
}

pub fn seconds(d: Duration) -> String {
    if d.as_secs() >= 120 {
        format!("{} min {} s", d.as_secs() / 60, d.as_secs() % 60)
    } else {
        format!("{:.1} s", d.as_secs_f64())
    }
}
