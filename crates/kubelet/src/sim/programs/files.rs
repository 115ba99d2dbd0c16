//! Programs over files.

use super::clock::{told, told_gnu};
use super::{Io, Outcome, Running};
use crate::sim::fs::{FsError, normalize, rooted};
use crate::sim::owners::Attributes;
use meta::Time;

/// `touch [-c] [-d DATE | -t STAMP | -r FILE] FILE...`
pub fn touch(io: &mut Io) -> i32 {
    let o = io.parsed();
    let busybox = io.is_busybox();
    let told = match (o.value('d'), o.value('t'), o.value('r')) {
        (Some(text), ..) => (if busybox { told } else { told_gnu })(text, io.now).ok_or_else(|| match busybox {
            true => format!("touch: invalid date '{text}'"),
            false => format!("touch: invalid date format '{text}'"),
        }),
        (_, Some(text), _) => stamp(text, io.now).ok_or_else(|| match busybox {
            true => format!("touch: invalid date '{text}'"),
            false => format!("touch: invalid date format '{text}'"),
        }),
        (.., Some(file)) => io.m.fs.changed_at(&io.path(file), io.world.volumes).ok_or_else(|| match busybox {
            true => format!("touch: {file}: No such file or directory"),
            false => format!("touch: failed to get attributes of '{file}': No such file or directory"),
        }),
        _ => Ok(io.now),
    };
    let time = match told {
        Ok(time) => time,
        Err(why) => {
            io.complain(why);
            return 1;
        }
    };
    let mut code = 0;
    for f in o.operands.clone() {
        let path = io.path(&f);
        let there = io.m.fs.exists(&path, io.world.volumes);
        if !there && o.has('c') {
            continue;
        }
        let made = if there { Ok(()) } else { io.m.fs.write(&path, b"", false, io.world.volumes) };
        let done = made.and_then(|()| io.m.fs.set_changed_at(&path, time, io.world.volumes));
        if let Err(e) = done {
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

/// A time as `touch -t` is told it: `[[CC]YY]MMDDhhmm[.ss]`.
fn stamp(text: &str, now: Time) -> Option<Time> {
    let (text, seconds) = text.split_once('.').unwrap_or((text, "00"));
    if !text.is_ascii() {
        return None;
    }
    let year = match text.len() {
        12 => text[..4].to_string(),
        10 if text[..2] < *"69" => format!("20{}", &text[..2]),
        10 => format!("19{}", &text[..2]),
        8 => super::clock::format(now, "%Y"),
        _ => return None,
    };
    let rest = &text[text.len() - 8..];
    told(&format!("{year}-{}-{} {}:{}:{seconds}", &rest[..2], &rest[2..4], &rest[4..6], &rest[6..]), now)
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
                if result.is_err() {
                    break;
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
    let keeps = moving || io.flag('p') || io.flag('a') || io.argv.iter().any(|a| a.starts_with("--preserve"));
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
        let result = copy_tree(io, &src, &dst, recursive, keeps);
        let result = result.and_then(|()| if moving { io.m.fs.remove(&src, true, io.world.volumes) } else { Ok(()) });
        if let Err(e) = result {
            io.complain(format!("{name}: can't stat '{from}': {}", e.text()));
            code = 1;
        }
    }
    code
}

/// `keeps`: the copy has the time of what it is a copy of.
fn copy_tree(io: &mut Io, src: &str, dst: &str, recursive: bool, keeps: bool) -> Result<(), FsError> {
    let time = io.m.fs.changed_at(src, io.world.volumes).filter(|_| keeps);
    copy_content(io, src, dst, recursive, keeps)?;
    match time {
        Some(time) => io.m.fs.set_changed_at(dst, time, io.world.volumes),
        None => Ok(()),
    }
}

fn copy_content(io: &mut Io, src: &str, dst: &str, recursive: bool, keeps: bool) -> Result<(), FsError> {
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
            _ => copy_tree(io, &from, &to, true, keeps)?,
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
                copy_tree(io, &from, &path, false, true)
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
