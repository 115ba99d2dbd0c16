//! Programs over files.

use super::{Io, Outcome, Running};
use crate::sim::fs::{FsError, normalize, rooted};
use crate::sim::owners::Attributes;

pub fn touch(io: &mut Io) -> i32 {
    let mut code = 0;
    for f in io.operands() {
        let path = io.path(&f);
        if io.m.fs.exists(&path, io.world.volumes) {
            continue;
        }
        if let Err(e) = io.m.fs.write(&path, b"", false, io.world.volumes) {
            let busybox = io.is_busybox();
            io.complain(if busybox {
                format!("touch: {f}: {}", e.text())
            } else {
                format!("touch: cannot touch '{f}': {}", e.text())
            });
            code = 1;
        }
    }
    code
}

pub fn remove(io: &mut Io) -> i32 {
    let (recursive, force) = (io.flag('r') || io.flag('R'), io.flag('f'));
    let dir_only = io.argv[0].ends_with("rmdir");
    let mut code = 0;
    for f in io.operands() {
        let path = io.path(&f);
        let link = io.m.fs.link_at(&path, io.world.volumes).is_some();
        let is_dir = !link && io.m.fs.is_dir(&path, io.world.volumes);
        let result = match (is_dir, dir_only, recursive) {
            (true, false, false) => Err(FsError::IsDirectory),
            _ => io.m.fs.remove(&path, recursive, io.world.volumes),
        };
        match result {
            Err(FsError::NotFound) if force => {}
            Err(e) => {
                io.complain(if io.is_busybox() {
                    format!("rm: can't remove '{f}': {}", e.text())
                } else {
                    format!("rm: cannot remove '{f}': {}", e.text())
                });
                code = 1;
            }
            Ok(()) => {}
        }
    }
    code
}

pub fn mkdir(io: &mut Io) -> i32 {
    let parents = io.flag('p');
    let mut code = 0;
    for d in io.operands() {
        let path = io.path(&d);
        let mut result = Ok(());
        if parents {
            let mut at = String::new();
            for part in path.split('/').filter(|p| !p.is_empty()) {
                at = format!("{at}/{part}");
                if !io.m.fs.is_dir(&at, io.world.volumes) {
                    result = io.m.fs.mkdir(&at, io.world.volumes);
                }
            }
        } else {
            result = io.m.fs.mkdir(&path, io.world.volumes);
        }
        if let Err(e) = result {
            io.complain(if io.is_busybox() {
                format!("mkdir: can't create directory '{d}': {}", e.text())
            } else {
                format!("mkdir: cannot create directory '{d}': {}", e.text())
            });
            code = 1;
        }
    }
    code
}

/// `cp` and `mv` of files; directories with `-r`.
pub fn copy(io: &mut Io) -> i32 {
    let moving = io.argv[0].ends_with("mv");
    let recursive = moving || io.flag('r') || io.flag('R') || io.flag('a');
    let mut operands = io.operands();
    let Some(target) = operands.pop().filter(|_| !operands.is_empty()) else {
        io.complain("cp: missing file operand");
        return 1;
    };
    let name = if moving { "mv" } else { "cp" };
    let mut code = 0;
    for from in operands {
        let (src, mut dst) = (io.path(&from), io.path(&target));
        if io.m.fs.is_dir(&dst, io.world.volumes) {
            dst = normalize(&dst, src.rsplit('/').next().unwrap_or(""));
        }
        let result = copy_tree(io, &src, &dst, recursive);
        let result = result.and_then(|()| if moving { io.m.fs.remove(&src, true, io.world.volumes) } else { Ok(()) });
        if let Err(e) = result {
            io.complain(format!("{name}: can't stat '{from}': {}", e.text()));
            code = 1;
        }
    }
    code
}

fn copy_tree(io: &mut Io, src: &str, dst: &str, recursive: bool) -> Result<(), FsError> {
    if !io.m.fs.is_dir(src, io.world.volumes) {
        let data = io.m.fs.read(src, io.world.volumes)?;
        let new = !io.m.fs.exists(dst, io.world.volumes);
        io.m.fs.write(dst, &data, false, io.world.volumes)?;
        let (from, to) = (io.m.fs.attributes(src, io.world.volumes), io.m.fs.attributes(dst, io.world.volumes));
        if let (Some(from), Some(to), true) = (from, to, new)
            && from.mode != to.mode
        {
            let kept = Attributes { mode: from.mode & 0o755, ..to };
            return io.m.fs.set_attributes(dst, kept, io.world.volumes);
        }
        return Ok(());
    }
    if !recursive {
        return Err(FsError::IsDirectory);
    }
    if !io.m.fs.is_dir(dst, io.world.volumes) {
        io.m.fs.mkdir(dst, io.world.volumes)?;
    }
    for n in io.m.fs.list(src, io.world.volumes)? {
        let (from, to) = (normalize(src, &n), normalize(dst, &n));
        match io.m.fs.link_at(&from, io.world.volumes) {
            Some(leads) if io.m.fs.is_made_link(&from, io.world.volumes) => {
                io.m.fs.symlink(&leads, &to, io.world.volumes)?;
            }
            _ => copy_tree(io, &from, &to, true)?,
        }
    }
    Ok(())
}

/// `ln [-s] [-f] TARGET... NAME`. A link that is not symbolic is a copy here: a file has one name.
pub fn ln(io: &mut Io) -> i32 {
    let mut operands = io.operands();
    let (soft, force) = (io.flag('s'), io.flag('f'));
    let name = match operands.len() {
        0 => {
            io.complain("ln: missing file operand");
            return 1;
        }
        1 => operands[0].trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_string(),
        _ => operands.pop().unwrap_or_default(),
    };
    let mut code = 0;
    for target in operands {
        let mut path = io.path(&name);
        let itself = io.flag('n') || io.flag('T');
        let to_link = io.m.fs.link_at(&path, io.world.volumes).is_some();
        if io.m.fs.is_dir(&path, io.world.volumes) && !(itself && to_link) {
            path = normalize(&path, target.trim_end_matches('/').rsplit('/').next().unwrap_or(""));
        }
        if force && (to_link || io.m.fs.exists(&path, io.world.volumes)) {
            let _ = io.m.fs.remove(&path, false, io.world.volumes);
        }
        let result = match soft {
            true => io.m.fs.symlink(&target, &path, io.world.volumes),
            false if io.m.fs.exists(&path, io.world.volumes) => Err(FsError::Exists),
            false => {
                let from = io.path(&target);
                copy_tree(io, &from, &path, false)
            }
        };
        if let Err(e) = result {
            io.complain(match (io.is_busybox(), soft) {
                (true, _) => format!("ln: {name}: {}", e.text()),
                (false, true) => format!("ln: failed to create symbolic link '{name}': {}", e.text()),
                (false, false) => format!("ln: failed to access '{target}': {}", e.text()),
            });
            code = 1;
        }
    }
    code
}

/// `truncate -s SIZE FILE...`: what is longer than a file system keeps is zeroes.
pub fn truncate(io: &mut Io) -> i32 {
    let mut size = None;
    let mut files = Vec::new();
    let mut args = io.argv.iter().skip(1);
    while let Some(a) = args.next() {
        match a.as_str() {
            "-s" | "--size" => size = args.next().map(|s| bytes(s)),
            "-c" => {}
            a if a.starts_with("-s") => size = Some(bytes(&a[2..])),
            a if a.starts_with("--size=") => size = Some(bytes(&a[7..])),
            a => files.push(a.to_string()),
        }
    }
    let Some(size) = size.filter(|_| !files.is_empty()) else {
        io.complain("truncate: you must specify a size");
        return 1;
    };
    let mut code = 0;
    for f in files {
        let path = io.path(&f);
        let mut data = io.m.fs.read(&path, io.world.volumes).map(|d| d.to_vec()).unwrap_or_default();
        data.resize(size.min(KEPT_BYTES.max(data.len().min(size))), 0);
        match io.m.fs.write(&path, &data, false, io.world.volumes) {
            Ok(()) => io.m.fs.lengthen(&path, size as u64, io.world.volumes),
            Err(e) => {
                io.complain(format!("truncate: {f}: {}", e.text()));
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
fn bytes(s: &str) -> usize {
    let digits = s.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match s[digits.len()..].to_ascii_uppercase().as_str() {
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        _ => 1,
    };
    digits.parse::<usize>().unwrap_or(0).saturating_mul(unit)
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
    let bs = option("bs=").map_or(512, |s| bytes(&s)).max(1);
    let count = option("count=").map(|s| bytes(&s));
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
        // It would write until the disk is full.
        return Outcome::Block(Running::Forever);
    }
    data.truncate(total.min(data.len()));
    match to.as_deref() {
        Some("/dev/null") => {}
        Some(of) => {
            let path = io.path(of);
            if let Err(e) = io.m.fs.write(&path, &data, false, io.world.volumes) {
                let full = e == FsError::NoSpace;
                io.complain(match (full, io.is_busybox()) {
                    (true, _) => format!("dd: error writing '{of}': {}", e.text()),
                    (false, true) => format!("dd: can't open '{of}': {}", e.text()),
                    (false, false) => format!("dd: failed to open '{of}': {}", e.text()),
                });
                return Outcome::Exit(1);
            }
            io.m.fs.lengthen(&path, total as u64, io.world.volumes);
        }
        None => io.say(&data),
    }
    let took = meta::Duration::from_micros((total as u64).saturating_mul(1_000_000) / DISK_BYTES_PER_SECOND).0.max(20);
    if !quiet {
        let records = format!("{}+{}", total / bs, usize::from(!total.is_multiple_of(bs)));
        #[allow(clippy::cast_precision_loss)]
        let (n, seconds) = (total as f64, took as f64 / 1e6);
        let rate = n / seconds;
        let summary = if io.is_busybox() {
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
        io.complain(format!("{records} records in\n{records} records out\n{summary}"));
    }
    let late = super::Late { out: std::mem::take(&mut io.out), err: std::mem::take(&mut io.err), code: 0 };
    Outcome::Sleep(super::after(io, meta::Duration(took)), Running::Answered(Box::new(late)))
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

pub fn mktemp(io: &mut Io) -> i32 {
    let path = format!("/tmp/tmp.{:08x}", io.m.rng.next_u32());
    let made = if io.flag('d') {
        io.m.fs.mkdir(&path, io.world.volumes)
    } else {
        io.m.fs.write(&path, b"", false, io.world.volumes)
    };
    match made {
        Ok(()) => {
            io.line(path);
            0
        }
        Err(e) => {
            io.complain(format!("mktemp: {}", e.text()));
            1
        }
    }
}

/// `chroot /host [COMMAND]`: without a command a shell.
pub fn chroot(io: &mut Io) -> Outcome {
    let Some(root) = io.argv.get(1).cloned() else {
        io.complain("chroot: missing operand");
        return Outcome::Exit(125);
    };
    let path = io.path(&root);
    if !io.m.fs.is_dir(&path, io.world.volumes) {
        io.complain(format!("chroot: can't change root directory to '{root}': No such file or directory"));
        return Outcome::Exit(125);
    }
    let rest = if io.argv.len() > 2 { io.argv[2..].to_vec() } else { vec!["/bin/sh".into()] };
    match io.m.procs.get_mut(&io.pid).filter(|p| p.argv == io.argv) {
        Some(p) => {
            p.argv = rest;
            p.cwd = rooted(if path == "/" { "" } else { &path });
            Outcome::Sleep(io.now, Running::Start)
        }
        // Not in a process of its own yet: the shell makes one and comes back.
        None => Outcome::Block(Running::Start),
    }
}
