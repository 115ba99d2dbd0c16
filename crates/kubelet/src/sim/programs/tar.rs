//! `tar`: what `kubectl cp` runs in containers. The format is POSIX ustar.

use super::Io;
use crate::sim::fs::normalize;

const BLOCK: usize = 512;
/// Long names have a block of their own in GNU's archives.
const LONG_NAME: u8 = b'L';

#[derive(Default)]
struct Options {
    mode: char,
    file: String,
    dir: String,
    verbose: bool,
    names: Vec<String>,
}

/// The letters may stand without their dash; `f` and `C` take a value each.
fn options(argv: &[String]) -> Options {
    let mut o = Options { mode: ' ', file: "-".into(), ..Options::default() };
    let mut args = argv.iter().skip(1);
    let mut first = true;
    while let Some(a) = args.next() {
        if a.starts_with("--") {
            first = false;
            continue;
        }
        let letters = match a.strip_prefix('-') {
            Some(letters) if !letters.is_empty() => letters,
            _ if first => a,
            _ => {
                o.names.push(a.clone());
                continue;
            }
        };
        first = false;
        for c in letters.chars() {
            match c {
                'c' | 'x' | 't' => o.mode = c,
                'v' => o.verbose = true,
                'f' => o.file = args.next().cloned().unwrap_or_default(),
                'C' => o.dir = args.next().cloned().unwrap_or_default(),
                _ => {}
            }
        }
    }
    o
}

pub fn reads_stdin(argv: &[String]) -> bool {
    let o = options(argv);
    matches!(o.mode, 'x' | 't') && o.file == "-"
}

pub fn tar(io: &mut Io) -> i32 {
    let o = options(&io.argv);
    let dir = normalize(&io.cwd, &o.dir);
    match o.mode {
        'c' => {
            if o.names.is_empty() {
                io.complain("tar: Cowardly refusing to create an empty archive");
                return 2;
            }
            create(io, &o, &dir)
        }
        'x' | 't' => extract(io, &o, &dir),
        _ => {
            io.complain("tar: You must specify one of the '-Acdtrux', '--delete' or '--test-label' options");
            2
        }
    }
}

fn octal(field: &mut [u8], n: usize) {
    let text = format!("{n:0width$o}", width = field.len() - 1);
    field[..text.len()].copy_from_slice(text.as_bytes());
}

fn header(name: &str, size: usize, kind: u8, mtime: usize) -> Vec<u8> {
    let mut out = Vec::new();
    if name.len() > 100 {
        out.extend(header("././@LongLink", name.len() + 1, LONG_NAME, 0));
        out.extend(padded(format!("{name}\0").as_bytes()));
    }
    let mut h = [0u8; BLOCK];
    let short = &name.as_bytes()[..name.len().min(100)];
    h[..short.len()].copy_from_slice(short);
    octal(&mut h[100..108], if kind == b'5' { 0o755 } else { 0o644 });
    octal(&mut h[108..116], 0);
    octal(&mut h[116..124], 0);
    octal(&mut h[124..136], size);
    octal(&mut h[136..148], mtime);
    h[156] = kind;
    h[257..263].copy_from_slice(b"ustar\0");
    h[263..265].copy_from_slice(b"00");
    h[265..269].copy_from_slice(b"root");
    h[297..301].copy_from_slice(b"root");
    // The sum is taken with its own field full of spaces.
    h[148..156].fill(b' ');
    let sum: usize = h.iter().map(|b| usize::from(*b)).sum();
    octal(&mut h[148..155], sum);
    h[155] = b' ';
    out.extend(h);
    out
}

fn padded(data: &[u8]) -> Vec<u8> {
    let mut out = data.to_vec();
    out.resize(data.len().div_ceil(BLOCK) * BLOCK, 0);
    out
}

fn create(io: &mut Io, o: &Options, dir: &str) -> i32 {
    let mut archive = Vec::new();
    let mut code = 0;
    let mut told = false;
    for name in &o.names {
        let path = normalize(dir, name);
        if !io.m.fs.exists(&path, io.world.volumes) {
            let (text, busybox) = (name.clone(), io.is_busybox());
            io.complain(if busybox {
                format!("tar: {text}: No such file or directory\ntar: error exit delayed from previous errors")
            } else {
                format!(
                    "tar: {text}: Cannot stat: No such file or directory\ntar: Exiting with failure status due to \
                     previous errors"
                )
            });
            code = if busybox { 1 } else { 2 };
            continue;
        }
        let member = name.trim_start_matches('/').trim_end_matches('/');
        if name.starts_with('/') && !told {
            told = true;
            io.complain(if io.is_busybox() {
                "tar: removing leading '/' from member names"
            } else {
                "tar: Removing leading `/' from member names"
            });
        }
        add(io, &path, if member.is_empty() { "." } else { member }, &mut archive);
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    if o.file == "-" {
        io.say(archive);
        return code;
    }
    let file = normalize(&io.cwd, &o.file);
    if let Err(e) = io.m.fs.write(&file, &archive, false, io.world.volumes) {
        io.complain(format!("tar: can't open '{}': {}", o.file, e.text()));
        return 1;
    }
    code
}

fn add(io: &Io, path: &str, member: &str, archive: &mut Vec<u8>) {
    let mtime = usize::try_from(io.now.as_micros() / 1_000_000).unwrap_or(0);
    if !io.m.fs.is_dir(path, io.world.volumes) {
        let data = io.m.fs.read(path, io.world.volumes).unwrap_or_default();
        archive.extend(header(member, data.len(), b'0', mtime));
        archive.extend(padded(&data));
        return;
    }
    archive.extend(header(&format!("{member}/"), 0, b'5', mtime));
    for n in io.m.fs.list(path, io.world.volumes).unwrap_or_default() {
        add(io, &normalize(path, &n), &format!("{member}/{n}"), archive);
    }
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field.split(|b| *b == 0).next().unwrap_or_default()).into_owned()
}

fn extract(io: &mut Io, o: &Options, dir: &str) -> i32 {
    let archive = if o.file == "-" {
        std::mem::take(&mut io.stdin)
    } else {
        let path = normalize(&io.cwd, &o.file);
        match io.m.fs.read(&path, io.world.volumes) {
            Ok(data) => data.to_vec(),
            Err(e) => {
                io.complain(format!("tar: can't open '{}': {}", o.file, e.text()));
                return 1;
            }
        }
    };
    if !io.m.fs.is_dir(dir, io.world.volumes) {
        let shown = &o.dir;
        io.complain(if io.is_busybox() {
            format!("tar: can't change directory to '{shown}': No such file or directory")
        } else {
            format!("tar: {shown}: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now")
        });
        return if io.is_busybox() { 1 } else { 2 };
    }
    let mut at = 0;
    let mut long = None;
    while let Some(h) = archive.get(at..at + BLOCK) {
        if h.iter().all(|b| *b == 0) {
            return 0;
        }
        at += BLOCK;
        let size = usize::from_str_radix(text(&h[124..136]).trim(), 8).unwrap_or(0);
        let Some(data) = archive.get(at..at + size) else { break };
        at += size.div_ceil(BLOCK) * BLOCK;
        let prefix = if &h[257..262] == b"ustar" { text(&h[345..500]) } else { String::new() };
        let short = text(&h[..100]);
        let joined = if prefix.is_empty() { short } else { format!("{prefix}/{short}") };
        let name = match h[156] {
            LONG_NAME => {
                long = Some(text(data));
                continue;
            }
            b'x' | b'g' => continue,
            _ => long.take().unwrap_or(joined),
        };
        if o.mode == 't' || o.verbose {
            io.line(&name);
        }
        if o.mode == 't' {
            continue;
        }
        let path = normalize(dir, name.trim_start_matches('/'));
        let directory = h[156] == b'5' || name.ends_with('/');
        let made = match make_dirs(io, &path, directory) {
            Ok(()) if directory => Ok(()),
            Ok(()) => io.m.fs.write(&path, data, false, io.world.volumes),
            Err(e) => Err(e),
        };
        if let Err(e) = made {
            let busybox = io.is_busybox();
            io.complain(if busybox {
                format!("tar: can't open '{name}': {}", e.text())
            } else {
                format!(
                    "tar: {name}: Cannot open: {}\ntar: Exiting with failure status due to previous errors",
                    e.text()
                )
            });
            return if busybox { 1 } else { 2 };
        }
    }
    if at == 0 {
        io.complain(if io.is_busybox() {
            "tar: short read"
        } else {
            "tar: This does not look like a tar archive\ntar: Exiting with failure status due to previous errors"
        });
        return if io.is_busybox() { 1 } else { 2 };
    }
    0
}

/// The directories above `path`, and itself when it is one.
fn make_dirs(io: &mut Io, path: &str, itself: bool) -> Result<(), crate::sim::fs::FsError> {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let count = if itself { parts.len() } else { parts.len().saturating_sub(1) };
    let mut at = String::new();
    for p in &parts[..count] {
        at = format!("{at}/{p}");
        if !io.m.fs.is_dir(&at, io.world.volumes) {
            io.m.fs.mkdir(&at, io.world.volumes)?;
        }
    }
    Ok(())
}
