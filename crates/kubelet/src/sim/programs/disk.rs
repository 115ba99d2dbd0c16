//! `dd` and `truncate`: long files, of which only the beginning is kept.

use super::{Io, Outcome, Running};
use crate::sim::fs::FsError;
use crate::sim::machine::{Machine, World};
use meta::Duration;

/// How `truncate -s` says a size: by itself, or by what there is. Models coreutils' `truncate.c`.
fn resized(text: &str, now: u64) -> Option<u64> {
    let (how, digits) = match text.chars().next()? {
        c @ ('+' | '-' | '<' | '>' | '/' | '%') => (c, &text[1..]),
        _ => (' ', text),
    };
    let n = number(digits)? as u64;
    Some(match how {
        '+' => now.saturating_add(n),
        '-' => now.saturating_sub(n),
        '<' => now.min(n),
        '>' => now.max(n),
        '/' => now / Some(n).filter(|n| *n > 0)? * n,
        '%' => now.div_ceil(Some(n).filter(|n| *n > 0)?) * n,
        _ => n,
    })
}

/// `truncate [-c] -s [+-<>/%]SIZE FILE...`: what is longer than a file system keeps is zeroes.
pub fn truncate(io: &mut Io) -> i32 {
    let options = io.parsed();
    let busybox = io.is_busybox();
    let help = "Try 'truncate --help' for more information.";
    let Some(size) = options.value('s').map(str::to_string) else {
        io.complain(match busybox {
            true => "truncate: you must specify a size".to_string(),
            false => format!("truncate: you must specify either '--size' or '--reference'\n{help}"),
        });
        return 1;
    };
    // busybox knows sizes only.
    let understood = resized(&size, 1).filter(|_| !busybox || size.starts_with(|c: char| c.is_ascii_digit()));
    if understood.is_none() {
        io.complain(match busybox {
            true => format!("truncate: invalid number '{size}'"),
            false => format!("truncate: Invalid number: '{size}'"),
        });
        return 1;
    }
    if options.operands.is_empty() {
        io.complain(format!("truncate: missing file operand\n{help}"));
        return 1;
    }
    let makes_none = options.has('c');
    let mut code = 0;
    for f in options.operands {
        let path = io.path(&f);
        let before = io.m.fs.read(&path, io.world.volumes);
        if before.is_err() && makes_none {
            continue;
        }
        let length = before.as_ref().ok().and_then(|_| io.m.fs.len(&path, io.world.volumes)).unwrap_or(0) as u64;
        let size = resized(&size, length).unwrap_or(length);
        let mut data = before.map(|d| d.to_vec()).unwrap_or_default();
        let kept = usize::try_from(size).unwrap_or(usize::MAX);
        data.resize(kept.min(KEPT_BYTES.max(data.len().min(kept))), 0);
        match io.m.fs.write(&path, &data, false, io.world.volumes) {
            Ok(()) => io.m.fs.lengthen(&path, size, io.world.volumes),
            Err(e) => {
                io.complain(match busybox {
                    true => format!("truncate: {f}: {}", e.text()),
                    false => format!("truncate: cannot open '{f}' for writing: {}", e.text()),
                });
                code = 1;
            }
        }
    }
    code
}

/// The file system keeps the first of a file of zeroes: nothing reads the others back.
const KEPT_BYTES: usize = 1 << 20;
/// How fast a node's disk is.
const DISK_BYTES_PER_SECOND: u64 = 1_000_000_000;

/// `10M`, `512`, `1G`
fn number(s: &str) -> Option<usize> {
    let digits = s.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: usize = match s[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "C" => 1,
        "W" => 2,
        "B" => 512,
        "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "K" | "KIB" => 1 << 10,
        "M" | "MIB" => 1 << 20,
        "G" | "GIB" => 1 << 30,
        _ => return None,
    };
    Some(digits.parse::<usize>().ok()?.saturating_mul(unit))
}

/// A number of bytes with a unit of thousands, or of 1024.
fn scaled(n: f64, step: f64, units: &[&str]) -> String {
    let (mut value, mut unit) = (n, 0);
    while value >= step && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    if value < 10.0 && unit > 0 { format!("{value:.1} {}", units[unit]) } else { format!("{value:.0} {}", units[unit]) }
}

const THOUSANDS: &[&str] = &["B", "kB", "MB", "GB"];

/// `dd if=... of=... bs=1M count=10`, at the speed of a disk. Models dd of busybox and of GNU coreutils.
pub fn dd(io: &mut Io) -> Outcome {
    let option = |name: &str| io.argv.iter().find_map(|a| a.strip_prefix(name)).map(str::to_string);
    let (bs, count) = (option("bs="), option("count="));
    if let Some(bad) = bs.iter().chain(&count).find(|s| number(s).is_none()) {
        io.complain(match io.is_busybox() {
            true => format!("dd: invalid number '{bad}'"),
            false => format!("dd: invalid number: '{bad}'"),
        });
        return Outcome::Exit(1);
    }
    let (bs, count) = (bs.and_then(|s| number(&s)).unwrap_or(512).max(1), count.and_then(|s| number(&s)));
    let (from, to) = (option("if="), option("of="));
    let quiet = io.argv.iter().any(|a| a == "status=none");
    let endless = matches!(from.as_deref(), Some("/dev/zero" | "/dev/urandom" | "/dev/random"));
    let most = count.map_or(usize::MAX, |n| n.saturating_mul(bs));
    // The bytes that are there to copy, as far as anybody keeps them, and how many there would be.
    let (mut data, total) = match from.as_deref() {
        Some("/dev/zero") => (vec![0; most.min(KEPT_BYTES)], most),
        _ if endless => {
            let random: Vec<u8> =
                (0..most.min(KEPT_BYTES).div_ceil(8)).flat_map(|_| io.m.rng.next_u64().to_le_bytes()).collect();
            (random, most)
        }
        Some(file) => match io.m.fs.read(&io.path(file), io.world.volumes) {
            Ok(d) => {
                let whole = io.m.fs.len(&io.path(file), io.world.volumes).unwrap_or(d.len()).min(most);
                (d.to_vec(), whole)
            }
            Err(e) => {
                io.complain(match io.is_busybox() {
                    true => format!("dd: can't open '{file}': {}", e.text()),
                    false => format!("dd: failed to open '{file}': {}", e.text()),
                });
                return Outcome::Exit(1);
            }
        },
        None => {
            let data = std::mem::take(&mut io.stdin);
            let length = data.len().min(most);
            (data, length)
        }
    };
    if endless && count.is_none() {
        let Some(of) = to.filter(|of| !of.starts_with("/dev/")) else { return Outcome::Block(Running::Forever) };
        let path = io.path(&of);
        if let Err(e) = io.m.fs.write(&path, &data, false, io.world.volumes) {
            cannot_write(io, &of, e);
            return Outcome::Exit(1);
        }
        let filling = Filling { path, shown: of, written: 0, bs: bs as u64, quiet };
        return Outcome::Sleep(super::after(io, FILLING_STEP), Running::Filling(Box::new(filling)));
    }
    data.truncate(total.min(data.len()));
    match to.as_deref() {
        Some("/dev/null") => {}
        Some(of) => {
            let path = io.path(of);
            if let Err(e) = io.m.fs.write(&path, &data, false, io.world.volumes) {
                cannot_write(io, of, e);
                return Outcome::Exit(1);
            }
            io.m.fs.lengthen(&path, total as u64, io.world.volumes);
        }
        None => io.say(&data),
    }
    let took = Duration::from_micros((total as u64).saturating_mul(1_000_000) / DISK_BYTES_PER_SECOND).0.max(20);
    if !quiet {
        let text = summary(total as u64, bs as u64, took, io.is_busybox());
        io.complain(text);
    }
    let late = super::Late { out: std::mem::take(&mut io.out), err: std::mem::take(&mut io.err), code: 0 };
    Outcome::Sleep(super::after(io, Duration(took)), Running::Answered(Box::new(late)))
}

fn cannot_write(io: &mut Io, of: &str, e: FsError) {
    io.complain(match (e == FsError::NoSpace, io.is_busybox()) {
        (true, _) => format!("dd: error writing '{of}': {}", e.text()),
        (false, true) => format!("dd: can't open '{of}': {}", e.text()),
        (false, false) => format!("dd: failed to open '{of}': {}", e.text()),
    });
}

/// What was copied, and how fast.
fn summary(total: u64, bs: u64, took: u64, busybox: bool) -> String {
    let records = format!("{}+{}", total / bs, u8::from(!total.is_multiple_of(bs)));
    #[allow(clippy::cast_precision_loss)]
    let (n, seconds) = (total as f64, took as f64 / 1e6);
    let rate = n / seconds;
    let bytes = if busybox {
        let short = |n: f64| super::list::human_one(n);
        format!("{total} bytes ({}B) copied, {seconds:.6} seconds, {}B/s", short(n), short(rate))
    } else {
        let parts = match total {
            0..1000 => String::new(),
            1000..1024 => format!(" ({})", scaled(n, 1000.0, THOUSANDS)),
            _ => format!(" ({}, {})", scaled(n, 1000.0, THOUSANDS), scaled(n, 1024.0, &["B", "KiB", "MiB", "GiB"])),
        };
        let plural = if total == 1 { "byte" } else { "bytes" };
        format!("{total} {plural}{parts} copied, {} s, {}/s", significant(seconds), scaled(rate, 1000.0, THOUSANDS))
    };
    format!("{records} records in\n{records} records out\n{bytes}")
}

/// A `dd` without a count writes until the disk is full.
#[derive(Clone, Debug)]
pub struct Filling {
    path: String,
    shown: String,
    written: u64,
    bs: u64,
    quiet: bool,
}

/// How often it is seen how much has been written.
const FILLING_STEP: Duration = Duration::from_secs(1);

pub fn go_on(mut f: Box<Filling>, m: &mut Machine, pid: u32, world: &mut World) -> Outcome {
    let Some(now) = m.procs.get(&pid).map(|p| p.clock) else { return Outcome::Exit(0) };
    if !m.fs.is_full(&f.path, world.volumes) {
        f.written = f.written.saturating_add(DISK_BYTES_PER_SECOND);
        m.fs.lengthen(&f.path, f.written, world.volumes);
        return Outcome::Sleep(now + world.scaled(FILLING_STEP), Running::Filling(f));
    }
    let busybox = m.image.tools == crate::sim::catalogue::Tools::Busybox;
    let mut text = format!("dd: error writing '{}': {}\n", f.shown, FsError::NoSpace.text());
    if !f.quiet {
        let took = f.written.saturating_mul(1_000_000) / DISK_BYTES_PER_SECOND;
        text.push_str(&summary(f.written, f.bs, took.max(20), busybox));
        text.push('\n');
    }
    m.emit(pid, &text, true, world);
    Outcome::Exit(1)
}

/// `%g`: six digits that say something.
fn significant(n: f64) -> String {
    let mut digits = 6;
    let mut m = n;
    while m > 0.0 && m < 1.0 && digits < 12 {
        m *= 10.0;
        digits += 1;
    }
    while m >= 10.0 && digits > 1 {
        m /= 10.0;
        digits -= 1;
    }
    let text = format!("{n:.*}", digits - 1);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}
