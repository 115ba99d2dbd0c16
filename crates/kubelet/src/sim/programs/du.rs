//! `du`.

use super::Io;
use super::list::{blocks_of, human, human_one};
use crate::sim::fs::normalize;

struct Wanted {
    /// Directories down to this level are shown.
    levels: usize,
    files: bool,
    /// The length of files, not the blocks they take.
    lengths: bool,
}

/// What a path takes up in bytes, and a line for each that is shown.
fn usage(io: &Io, path: &str, shown: &str, level: usize, wanted: &Wanted, lines: &mut Vec<(u64, String)>) -> u64 {
    let link = io.m.fs.link_at(path, io.world.volumes);
    let on_disk = |n: usize| if wanted.lengths { n as u64 } else { blocks_of(n) as u64 * 1024 };
    if link.is_some() || !io.m.fs.is_dir(path, io.world.volumes) {
        let size = match link {
            Some(to) if wanted.lengths => to.len() as u64,
            Some(_) => 0,
            None => on_disk(io.m.fs.len(path, io.world.volumes).unwrap_or(0)),
        };
        if level == 0 || wanted.files && level <= wanted.levels {
            lines.push((size, shown.into()));
        }
        return size;
    }
    let mut all = on_disk(4096);
    for name in io.m.fs.list(path, io.world.volumes).unwrap_or_default() {
        let below = if shown.ends_with('/') { format!("{shown}{name}") } else { format!("{shown}/{name}") };
        all += usage(io, &normalize(path, &name), &below, level + 1, wanted, lines);
    }
    if level <= wanted.levels {
        lines.push((all, shown.into()));
    }
    all
}

/// `du [-s] [-d N] [-h] [-k] [-m] [-b] [-a] [-c] [PATH...]`
pub fn du(io: &mut Io) -> i32 {
    let options = io.parsed();
    let busybox = io.is_busybox();
    let help = "\nTry 'du --help' for more information.";
    let levels = match options.value('d').map(|d| d.parse::<usize>().map_err(|_| d)) {
        Some(Err(d)) => {
            io.complain(if busybox {
                format!("du: invalid number '{d}'")
            } else {
                format!("du: invalid maximum depth '{d}'{help}")
            });
            return 1;
        }
        Some(Ok(n)) => Some(n),
        None => None,
    };
    let (only_sum, files) = (options.has('s'), options.has('a'));
    let conflict = match levels {
        _ if busybox || !only_sum => None,
        _ if files => Some("du: cannot both summarize and show all entries".to_string()),
        Some(n) if n > 0 => Some(format!("du: warning: summarizing conflicts with --max-depth={n}")),
        _ => None,
    };
    if let Some(why) = conflict {
        io.complain(format!("{why}{help}"));
        return 1;
    }
    let levels = levels.unwrap_or(if only_sum { 0 } else { usize::MAX });
    let wanted = Wanted { levels, files, lengths: options.has('b') };
    let mut places = options.operands.clone();
    if places.is_empty() {
        places.push(".".into());
    }
    let (mut code, mut total) = (0, 0);
    #[allow(clippy::cast_precision_loss)]
    let said = |bytes: u64| match () {
        () if options.has('h') && busybox => human_one(bytes as f64),
        () if options.has('h') => human(bytes),
        () if options.has('b') => bytes.to_string(),
        () if options.has('m') => bytes.div_ceil(1 << 20).to_string(),
        () => bytes.div_ceil(1 << 10).to_string(),
    };
    // What was counted below another place is not counted again.
    let mut counted: Vec<String> = Vec::new();
    for place in places {
        let path = io.path(&place);
        if !io.m.fs.exists(&path, io.world.volumes) && io.m.fs.link_at(&path, io.world.volumes).is_none() {
            io.complain(match busybox {
                true => format!("du: {place}: No such file or directory"),
                false => format!("du: cannot access '{place}': No such file or directory"),
            });
            code = 1;
            continue;
        }
        let inside = |c: &String| path == *c || path.starts_with(&format!("{}/", c.trim_end_matches('/')));
        if counted.iter().any(inside) {
            continue;
        }
        let mut lines = Vec::new();
        total += usage(io, &path, &place, 0, &wanted, &mut lines);
        counted.push(path);
        for (bytes, name) in lines {
            io.line(format!("{}\t{name}", said(bytes)));
        }
    }
    if options.has('c') {
        io.line(format!("{}\ttotal", said(total)));
    }
    code
}
