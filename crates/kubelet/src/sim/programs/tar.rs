//! `tar`: what `kubectl cp` runs in containers. The format is POSIX ustar.

use super::Io;
use super::list::named;
use crate::sim::fs::normalize;
use crate::sim::owners::{Attributes, id_of};
use meta::Time;

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

/// What an archive says of a file beside its content.
struct Member<'a> {
    name: &'a str,
    size: usize,
    kind: u8,
    mtime: usize,
    of: Attributes,
    user: String,
    group: String,
    link: String,
}

fn header(member: &Member) -> Vec<u8> {
    let Member { name, size, kind, mtime, of, .. } = *member;
    let mut out = Vec::new();
    if name.len() > 100 {
        let (user, group) = ("root".to_string(), "root".to_string());
        let (of, link) = (Attributes::root(0o644), String::new());
        let long =
            Member { name: "././@LongLink", size: name.len() + 1, kind: LONG_NAME, mtime: 0, of, user, group, link };
        out.extend(header(&long));
        out.extend(padded(format!("{name}\0").as_bytes()));
    }
    let mut h = [0u8; BLOCK];
    let short = &name.as_bytes()[..name.len().min(100)];
    h[..short.len()].copy_from_slice(short);
    octal(&mut h[100..108], of.mode as usize);
    octal(&mut h[108..116], usize::try_from(of.uid).unwrap_or(0));
    octal(&mut h[116..124], usize::try_from(of.gid).unwrap_or(0));
    octal(&mut h[124..136], size);
    octal(&mut h[136..148], mtime);
    h[156] = kind;
    h[257..263].copy_from_slice(b"ustar\0");
    h[263..265].copy_from_slice(b"00");
    for (at, text) in [(157, &member.link), (265, &member.user), (297, &member.group)] {
        let most = if at == 157 { 99 } else { 31 };
        let text = &text.as_bytes()[..text.len().min(most)];
        h[at..at + text.len()].copy_from_slice(text);
    }
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
    let changed = io.m.fs.changed_at(path, io.world.volumes).unwrap_or(io.now);
    let mtime = usize::try_from(changed.as_secs()).unwrap_or(0);
    let link = io.m.fs.link_at(path, io.world.volumes);
    let dir = link.is_none() && io.m.fs.is_dir(path, io.world.volumes);
    let of = io.m.fs.attributes(path, io.world.volumes).unwrap_or(Attributes::default_of(dir));
    let (user, group) = (named(io, "/etc/passwd", of.uid), named(io, "/etc/group", of.gid));
    let data = if dir || link.is_some() { None } else { io.m.fs.read(path, io.world.volumes).ok() };
    let data = data.unwrap_or_default();
    let kind = match (&link, dir) {
        (Some(_), _) => b'2',
        (_, true) => b'5',
        _ => b'0',
    };
    let name = if dir { format!("{member}/") } else { member.to_string() };
    let link = link.unwrap_or_default();
    archive.extend(header(&Member { name: &name, size: data.len(), kind, mtime, of, user, group, link }));
    if !dir {
        archive.extend(padded(&data));
        return;
    }
    for n in io.m.fs.list(path, io.world.volumes).unwrap_or_default() {
        add(io, &normalize(path, &n), &format!("{member}/{n}"), archive);
    }
}

/// Gives what was unpacked the mode of the archive, and for root its owner.
fn restore(io: &mut Io, path: &str, h: &[u8]) {
    let number = |field: &[u8]| i64::from_str_radix(text(field).trim(), 8).unwrap_or(0);
    let Some(now) = io.m.fs.attributes(path, io.world.volumes) else { return };
    let has = |o: &str| io.argv.iter().any(|a| a == o);
    let root = io.m.spec.identity.uid == 0;
    let mode = u32::try_from(number(&h[100..108])).unwrap_or(0o644) & 0o7777;
    let mode = if root && !has("--no-same-permissions") { mode } else { mode & !0o022 };
    let mut new = Attributes { mode, ..now };
    if root && !has("--no-same-owner") && !has("-o") {
        let id = |file: &str, name: String, number: i64| {
            let accounts = io.m.fs.read(file, io.world.volumes).unwrap_or_default();
            let known = Some(name).filter(|n| !n.is_empty() && n.parse::<i64>().is_err());
            known.and_then(|n| id_of(&String::from_utf8_lossy(&accounts), &n)).unwrap_or(number)
        };
        new.uid = id("/etc/passwd", text(&h[265..297]), number(&h[108..116]));
        new.gid = id("/etc/group", text(&h[297..329]), number(&h[116..124]));
    }
    if new != now {
        let _ = io.m.fs.set_attributes(path, new, io.world.volumes);
    }
    // `-xmf -`: single letters together, the last with the archive.
    let letters = io.argv.get(1).filter(|a| !a.starts_with("--")).and_then(|a| a.split('f').next()).unwrap_or("");
    if !has("-m") && !letters.contains('m') {
        let changed = Time::from_secs(u64::try_from(number(&h[136..148])).unwrap_or(0));
        let _ = io.m.fs.set_changed_at(path, changed, io.world.volumes);
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
    while let Some(h) = archive.get(at..at + BLOCK).map(<[u8]>::to_vec) {
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
            Ok(()) if h[156] == b'2' => {
                let _ = io.m.fs.remove(&path, false, io.world.volumes);
                io.m.fs.symlink(&text(&h[157..257]), &path, io.world.volumes)
            }
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
        if h[156] != b'2' {
            restore(io, &path, &h);
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
