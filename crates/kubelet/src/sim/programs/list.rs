//! `ls`, and where links lead.

use super::Io;
use crate::pod::start::IDS_OF_POD;
use crate::sim::fs::{FsError, normalize};
use crate::sim::owners::{Attributes, name_of};
use meta::{Duration, Time};

/// What is asked for.
#[derive(Clone, Copy)]
struct Wanted {
    long: bool,
    all: bool,
    hidden: bool,
    one: bool,
    recursive: bool,
    numeric: bool,
    human: bool,
    full: bool,
    /// The newest first.
    by_time: bool,
    reverse: bool,
}

/// One line of a listing: its name as it is shown, and where it is.
struct Item {
    shown: String,
    path: String,
}

pub fn ls(io: &mut Io) -> i32 {
    let full = io.argv.iter().any(|a| a == "--full-time" || a == "--time-style=full-iso");
    let wanted = Wanted {
        long: io.flag('l') || io.flag('n') || full,
        all: io.flag('a'),
        hidden: io.flag('a') || io.flag('A'),
        one: io.flag('1'),
        recursive: io.flag('R'),
        numeric: io.flag('n'),
        human: io.flag('h'),
        full,
        by_time: io.flag('t'),
        reverse: io.flag('r'),
    };
    let mut operands = io.operands();
    if operands.is_empty() {
        operands.push(".".into());
    }
    let mut code = 0;
    let (mut single, mut dirs) = (Vec::new(), Vec::new());
    for shown in operands {
        let path = io.path(&shown);
        let link = io.m.fs.link_at(&path, io.world.volumes).is_some();
        if !link && !io.m.fs.exists(&path, io.world.volumes) {
            let (busybox, why) = (io.is_busybox(), FsError::NotFound.text());
            io.complain(if busybox {
                format!("ls: {shown}: {why}")
            } else {
                format!("ls: cannot access '{shown}': {why}")
            });
            code = if busybox { 1 } else { 2 };
            continue;
        }
        let item = Item { shown, path };
        // With details a link is shown, not what it leads to.
        let itself = io.flag('d') || wanted.long && link;
        if itself || !io.m.fs.is_dir(&item.path, io.world.volumes) { single.push(item) } else { dirs.push(item) }
    }
    let headings = wanted.recursive || dirs.len() + single.len() > 1 || code != 0 && !io.is_busybox();
    let mut printed = !single.is_empty();
    sort(io, &mut single, wanted);
    sort(io, &mut dirs, wanted);
    show(io, &single, wanted);
    for dir in dirs {
        directory(io, &dir, wanted, headings, &mut printed);
    }
    code
}

/// Puts the newest first, or all the other way round.
fn sort(io: &Io, items: &mut [Item], wanted: Wanted) {
    if wanted.by_time {
        items.sort_by_key(|i| std::cmp::Reverse(changed(io, i)));
    }
    if wanted.reverse {
        items.reverse();
    }
}

fn directory(io: &mut Io, dir: &Item, wanted: Wanted, headings: bool, printed: &mut bool) {
    let mut names = io.m.fs.list(&dir.path, io.world.volumes).unwrap_or_default();
    names.extend(io.m.fs.dated_names(&dir.path));
    names.retain(|n| wanted.hidden || !n.starts_with('.'));
    names.sort();
    if std::mem::replace(printed, true) && headings {
        io.line("");
    }
    if headings {
        io.line(format!("{}:", dir.shown));
    }
    let item = |n: &String| Item { shown: n.clone(), path: normalize(&dir.path, n) };
    let inside: Vec<Item> = names.iter().map(item).collect();
    let dots =
        [".", ".."].iter().filter(|_| wanted.all).map(|d| Item { shown: (*d).into(), path: normalize(&dir.path, d) });
    let mut all: Vec<Item> = dots.chain(inside).collect();
    sort(io, &mut all, wanted);
    if wanted.long {
        let blocks: usize = all.iter().map(|i| blocks(io, i)).sum();
        io.line(format!("total {blocks}"));
    }
    show(io, &all, wanted);
    if !wanted.recursive {
        return;
    }
    for i in all.into_iter().filter(|i| !matches!(i.shown.as_str(), "." | "..")) {
        if io.m.fs.is_dir(&i.path, io.world.volumes) && io.m.fs.link_at(&i.path, io.world.volumes).is_none() {
            let shown = format!("{}/{}", dir.shown.trim_end_matches('/'), i.shown);
            directory(io, &Item { shown, ..i }, wanted, true, printed);
        }
    }
}

/// Units of 1024 bytes on the disk, in its blocks of 4096.
pub fn blocks_of(size: usize) -> usize {
    size.div_ceil(4096) * 4
}

fn blocks(io: &Io, i: &Item) -> usize {
    if io.m.fs.link_at(&i.path, io.world.volumes).is_some() {
        return 0;
    }
    io.m.fs.len(&i.path, io.world.volumes).map_or(0, blocks_of)
}

/// The name of a user or group of the container, or its number.
pub fn named(io: &Io, file: &str, id: i64) -> String {
    let accounts = io.m.fs.read(file, io.world.volumes).unwrap_or_default();
    let name = name_of(&String::from_utf8_lossy(&accounts), id).map(str::to_string);
    name.unwrap_or_else(|| if id == 0 { "root".into() } else { id.to_string() })
}

/// The number of names a file has; a directory has one more for each directory in it.
pub fn links(io: &Io, path: &str) -> usize {
    if !io.m.fs.is_dir(path, io.world.volumes) {
        return 1;
    }
    let dated = io.m.fs.dated_names(path).len().min(1);
    let names = io.m.fs.list(path, io.world.volumes).unwrap_or_default();
    let is_dir = |n: &&String| {
        let path = normalize(path, n);
        io.m.fs.is_dir(&path, io.world.volumes) && io.m.fs.link_at(&path, io.world.volumes).is_none()
    };
    2 + dated + names.iter().filter(is_dir).count()
}

/// A size with a unit, as `-h` says it.
pub fn human(size: u64) -> String {
    let units = ["", "K", "M", "G", "T"];
    let mut value = size as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 || value >= 10.0 {
        format!("{:.0}{}", value.ceil(), units[unit])
    } else {
        format!("{value:.1}{}", units[unit])
    }
}

/// With one digit behind the point, as busybox says sizes.
pub fn human_one(n: f64) -> String {
    let units = ["", "K", "M", "G", "T"];
    let (mut value, mut unit) = (n, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{value:.0}") } else { format!("{value:.1}{}", units[unit]) }
}

fn show(io: &mut Io, items: &[Item], wanted: Wanted) {
    if !wanted.long {
        let names: Vec<String> = items.iter().map(|i| i.shown.clone()).collect();
        let across = !wanted.one && io.to_terminal() && !names.is_empty();
        let rows = if across { columns(&names) } else { names };
        return rows.iter().for_each(|r| io.line(r));
    }
    let mut rows: Vec<[String; 7]> = Vec::new();
    for i in items {
        let link = io.m.fs.link_at(&i.path, io.world.volumes);
        let dir = io.m.fs.is_dir(&i.path, io.world.volumes);
        let of = io.m.fs.attributes(&i.path, io.world.volumes).unwrap_or(Attributes::default_of(dir));
        let (letters, count, size) = match &link {
            // The kubelet's, in a directory that hands on its group.
            Some(to) => (Attributes::root(0o777).letters('l'), 1, to.len()),
            None => {
                let size = io.m.fs.len(&i.path, io.world.volumes).unwrap_or(0);
                (of.letters(if dir { 'd' } else { '-' }), links(io, &i.path), size)
            }
        };
        let name = |file: &str, id: i64| if wanted.numeric { id.to_string() } else { named(io, file, id) };
        let (owner, group) = match link {
            Some(_) => (name("/etc/passwd", 0), name("/etc/group", of.gid)),
            None => (name("/etc/passwd", of.uid), name("/etc/group", of.gid)),
        };
        let size = if wanted.human { human(size as u64) } else { size.to_string() };
        let shown = link.map_or(i.shown.clone(), |to| format!("{} -> {to}", i.shown));
        let when = when(io, i, wanted.full);
        rows.push([letters, count.to_string(), owner, group, size, shown, when]);
    }
    let busybox = io.is_busybox();
    let width = |n: usize| rows.iter().map(|r| r[n].len()).max().unwrap_or(0);
    let (count, owner, group, size) = if busybox { (4, 8, 8, 9) } else { (width(1), width(2), width(3), width(4)) };
    for [letters, n, o, g, s, shown, when] in &rows {
        io.line(format!("{letters} {n:>count$} {o:<owner$} {g:<group$} {s:>size$} {when} {shown}"));
    }
}

fn changed(io: &Io, i: &Item) -> Time {
    io.m.fs.changed_at(&i.path, io.world.volumes).unwrap_or(io.m.started)
}

/// Half a Gregorian year: what is older, or yet to come, is shown with its year.
const RECENT: Duration = Duration::from_secs(31_556_952 / 2);

fn when(io: &Io, i: &Item, full: bool) -> String {
    let at = changed(io, i);
    let recent = at <= io.now && io.now.since(at) < RECENT;
    let format = match (full, recent) {
        (true, _) if io.is_busybox() => "%Y-%m-%d %H:%M:%S %z",
        (true, _) => "%Y-%m-%d %H:%M:%S.%N %z",
        (_, true) => "%b %e %H:%M",
        (_, false) => "%b %e  %Y",
    };
    super::clock::format(at, format)
}

/// Names side by side, down and then right, as a terminal of 80 columns shows them.
fn columns(names: &[String]) -> Vec<String> {
    let widest = names.iter().map(|n| n.chars().count()).max().unwrap_or(0) + 2;
    let across = (80 / widest).max(1);
    let down = names.len().div_ceil(across);
    let row = |r: usize| -> String {
        let cells = names.iter().skip(r).step_by(down).map(|n| format!("{n:<widest$}"));
        cells.collect::<String>().trim_end().to_string()
    };
    (0..down).map(row).collect()
}

/// `readlink FILE`, `readlink -f` and `realpath`.
pub fn readlink(io: &mut Io, name: &str) -> i32 {
    let whole = name == "realpath" || io.flag('f');
    let mut code = 0;
    for o in io.operands() {
        let path = io.path(&o);
        if whole {
            let real = io.m.fs.real_at(&path, io.world.volumes);
            io.line(real);
        } else if let Some(to) = io.m.fs.link_at(&path, io.world.volumes) {
            io.line(to);
        } else if matches!(path.as_str(), "/proc/self/ns/user" | "/proc/1/ns/user") {
            // The node's own namespace has the first number.
            let number = io.m.spec.first_host_id.map_or(0, |first| 400 + first / IDS_OF_POD);
            io.line(format!("user:[{}]", 4_026_531_837_u32 + number));
        } else {
            code = 1;
        }
    }
    code
}
