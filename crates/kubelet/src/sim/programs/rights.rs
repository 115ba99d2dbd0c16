//! `chmod`, `chown` and `stat`.

use super::Io;
use super::list::{blocks_of, links, named};
use crate::sim::fs::{FsError, normalize};
use crate::sim::owners::{Attributes, changed_mode, id_of};

/// Changes the files that are named, with `-R` all below them too.
fn change(io: &mut Io, files: &[String], to: impl Fn(Attributes, bool) -> Attributes) -> i32 {
    let program = io.argv[0].rsplit('/').next().unwrap_or("").to_string();
    let mut code = 0;
    let mut left: Vec<(String, String)> = files.iter().rev().map(|f| (f.clone(), io.path(f))).collect();
    while let Some((shown, path)) = left.pop() {
        let dir = io.m.fs.is_dir(&path, io.world.volumes);
        let before = io.m.fs.attributes(&path, io.world.volumes);
        let done = match before {
            None => Err(FsError::NotFound),
            Some(before) => io.m.fs.set_attributes(&path, to(before, dir), io.world.volumes),
        };
        if let Err(e) = done {
            let (busybox, why) = (io.is_busybox(), e.text());
            io.complain(match (busybox, e) {
                (true, _) => format!("{program}: {shown}: {why}"),
                (false, FsError::NotFound) => format!("{program}: cannot access '{shown}': {why}"),
                (false, _) if program == "chmod" => format!("chmod: changing permissions of '{shown}': {why}"),
                (false, _) => format!("{program}: changing ownership of '{shown}': {why}"),
            });
            code = 1;
        }
        if dir && (io.flag('R')) {
            // Through no link: it might lead back.
            let mut names = io.m.fs.list(&path, io.world.volumes).unwrap_or_default();
            names.retain(|n| !io.m.fs.is_made_link(&normalize(&path, n), io.world.volumes));
            left.extend(names.iter().rev().map(|n| (format!("{shown}/{n}"), normalize(&path, n))));
        }
    }
    code
}

pub fn chmod(io: &mut Io) -> i32 {
    // A mode may begin with a dash: `chmod -x file`.
    let is_mode = |a: &&String| !a.starts_with("--") && changed_mode(a, 0, false).is_some();
    let Some(mode) = io.argv.iter().skip(1).find(is_mode).cloned() else {
        let word = io.operands().first().cloned().unwrap_or_default();
        io.complain(if io.is_busybox() {
            format!("chmod: invalid mode '{word}'")
        } else {
            format!("chmod: invalid mode: '{word}'")
        });
        return 1;
    };
    let mut files = io.operands();
    if let Some(at) = files.iter().position(|f| *f == mode) {
        files.remove(at);
    }
    change(io, &files, |a, dir| Attributes { mode: changed_mode(&mode, a.mode, dir).unwrap_or(a.mode), ..a })
}

/// `chown USER[:GROUP]`, `chgrp GROUP`. An account that is not known may be one of the image's: nothing changes then.
pub fn chown(io: &mut Io) -> i32 {
    let mut files = io.operands();
    if files.is_empty() {
        io.complain("chown: missing operand");
        return 1;
    }
    let whom = files.remove(0);
    let group_only = io.argv[0].ends_with("chgrp");
    let (user, group) = match whom.split_once([':', '.']) {
        _ if group_only => ("", whom.as_str()),
        Some((u, g)) => (u, g),
        None => (whom.as_str(), ""),
    };
    let id = |file: &str, name: &str| {
        let accounts = io.m.fs.read(file, io.world.volumes).unwrap_or_default();
        id_of(&String::from_utf8_lossy(&accounts), name)
    };
    let (uid, gid) = (id("/etc/passwd", user), id("/etc/group", group));
    change(io, &files, |a, _| Attributes { uid: uid.unwrap_or(a.uid), gid: gid.unwrap_or(a.gid), ..a })
}

pub fn stat(io: &mut Io) -> i32 {
    let format = io.argv.iter().position(|a| a == "-c").and_then(|i| io.argv.get(i + 1).cloned());
    let format = format.or_else(|| io.argv.iter().find_map(|a| a.strip_prefix("--format=").map(str::to_string)));
    let mut files = io.operands();
    files.retain(|f| Some(f) != format.as_ref());
    let mut code = 0;
    for shown in files {
        let path = io.path(&shown);
        let Some(of) = io.m.fs.attributes(&path, io.world.volumes) else {
            io.complain(if io.is_busybox() {
                format!("stat: can't stat '{shown}': No such file or directory")
            } else {
                format!("stat: cannot statx '{shown}': No such file or directory")
            });
            code = 1;
            continue;
        };
        let link = io.m.fs.link_at(&path, io.world.volumes);
        let dir = io.m.fs.is_dir(&path, io.world.volumes);
        let size = io.m.fs.len(&path, io.world.volumes).unwrap_or(0);
        let (letter, kind, of, size) = match &link {
            Some(to) => ('l', "symbolic link", Attributes { uid: 0, mode: 0o777, ..of }, to.len()),
            None if dir => ('d', "directory", of, size),
            None if size == 0 => ('-', "regular empty file", of, size),
            None => ('-', "regular file", of, size),
        };
        let (owner, group) = (named(io, "/etc/passwd", of.uid), named(io, "/etc/group", of.gid));
        let count = if link.is_some() { 1 } else { links(io, &path) };
        let changed = io.m.fs.changed_at(&path, io.world.volumes).unwrap_or(io.m.started);
        let when = super::clock::format(changed, "%Y-%m-%d %H:%M:%S.%N +0000");
        let Some(format) = &format else {
            let name = link.map_or(shown.clone(), |to| format!("{shown} -> {to}"));
            let blocks = blocks_of(size) * 2;
            io.line(format!(
                "  File: {name}\n  Size: {size:<10}\tBlocks: {blocks:<10} IO Block: 4096   {kind}\nDevice: 0,50\tInode: {:<10}  \
                 Links: {count}\nAccess: ({:04o}/{})  Uid: ({:>5}/{owner:>8})   Gid: ({:>5}/{group:>8})\nAccess: {when}\nModify: \
                 {when}\nChange: {when}",
                1000 + path.len(),
                of.mode,
                of.letters(letter),
                of.uid,
                of.gid
            ));
            continue;
        };
        let mut line = String::new();
        let mut letters = format.chars();
        while let Some(c) = letters.next() {
            match (c, letters.clone().next()) {
                ('%', Some(f)) => {
                    letters.next();
                    line += &match f {
                        'a' => format!("{:o}", of.mode),
                        'A' => of.letters(letter),
                        'u' => of.uid.to_string(),
                        'U' => owner.clone(),
                        'g' => of.gid.to_string(),
                        'G' => group.clone(),
                        's' => size.to_string(),
                        'n' => shown.clone(),
                        'F' => kind.to_string(),
                        'h' => count.to_string(),
                        'x' | 'y' | 'z' => when.clone(),
                        'X' | 'Y' | 'Z' => changed.as_secs().to_string(),
                        other => format!("%{other}"),
                    };
                }
                _ => line.push(c),
            }
        }
        io.line(line);
    }
    code
}
