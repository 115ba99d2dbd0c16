//! Whose files are, and what may be done with them. Trees keep only what differs from root's ordinary files.

use super::catalogue::Tools;
use super::fs::Entry;
use crate::runtime::Identity;
use meta::Time;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

pub const READ: u32 = 4;
pub const WRITE: u32 = 2;
const SETGID: u32 = 0o2000;
const STICKY: u32 = 0o1000;

/// An owner, a group, and the lowest twelve bits of a mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    pub uid: i64,
    pub gid: i64,
    pub mode: u32,
}

impl Attributes {
    /// Root's, with these permissions.
    pub const fn root(mode: u32) -> Self {
        Attributes { uid: 0, gid: 0, mode }
    }

    /// What root makes without saying more.
    pub const fn default_of(dir: bool) -> Self {
        Attributes::root(if dir { 0o755 } else { 0o644 })
    }

    /// What `who` makes in a directory: it has the directory's group when that is set to hand it on.
    pub fn made(who: &Identity, parent: Attributes, dir: bool) -> Self {
        let mut made = Attributes { uid: who.uid, gid: who.gid, ..Attributes::default_of(dir) };
        if parent.mode & SETGID != 0 {
            made.gid = parent.gid;
            if dir {
                made.mode |= SETGID;
            }
        }
        made
    }

    /// The root of a volume that starts empty. Models `SetVolumeOwnership` of `pkg/volume` for those with a `fsGroup`.
    pub fn of_volume(fs_group: Option<i64>, memory: bool) -> Self {
        let sticky = if memory { STICKY } else { 0 };
        match fs_group {
            Some(gid) => Attributes { uid: 0, gid, mode: 0o777 | SETGID | sticky },
            None => Attributes::root(0o777 | sticky),
        }
    }

    /// What the kubelet has written into a volume, handed to the pod's group.
    pub fn of_content(mode: u32, dir: bool, fs_group: Option<i64>) -> Self {
        match fs_group {
            Some(gid) if dir => Attributes { uid: 0, gid, mode: mode | 0o550 | SETGID },
            Some(gid) => Attributes { uid: 0, gid, mode: mode | 0o440 },
            None => Attributes::root(mode),
        }
    }

    pub fn allows(&self, who: &Identity, bit: u32) -> bool {
        let shift = match () {
            () if who.uid == 0 => return true,
            () if who.uid == self.uid => 6,
            () if who.gid == self.gid || who.groups.contains(&self.gid) => 3,
            () => 0,
        };
        self.mode >> shift & bit != 0
    }

    pub fn is_sticky(&self) -> bool {
        self.mode & STICKY != 0
    }

    /// `drwxr-xr-x`; `kind` is the first letter.
    pub fn letters(&self, kind: char) -> String {
        let mut out = String::from(kind);
        for shift in [6, 3, 0] {
            let bits = self.mode >> shift & 7;
            out.push(if bits & 4 != 0 { 'r' } else { '-' });
            out.push(if bits & 2 != 0 { 'w' } else { '-' });
            let (special, letter) = match shift {
                6 => (0o4000, 's'),
                3 => (SETGID, 's'),
                _ => (STICKY, 't'),
            };
            out.push(match (self.mode & special != 0, bits & 1 != 0) {
                (true, true) => letter,
                (true, false) => letter.to_ascii_uppercase(),
                (false, true) => 'x',
                (false, false) => '-',
            });
        }
        out
    }
}

/// A mode as `chmod` takes it: octal, or `u+x,go-w`. `None`: it is neither.
pub fn changed_mode(text: &str, before: u32, dir: bool) -> Option<u32> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return u32::from_str_radix(text, 8).ok().filter(|m| *m <= 0o7777);
    }
    let mut mode = before;
    for clause in text.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, rest) = clause.split_at(at);
        let umask = if who.is_empty() { 0o022 } else { 0 };
        let who = if who.is_empty() || who.contains('a') { "ugo" } else { who };
        let operator = &rest[..1];
        let mut mask = 0;
        let mut bits = 0;
        for w in who.chars() {
            let shift = match w {
                'u' => 6,
                'g' => 3,
                'o' => 0,
                _ => return None,
            };
            mask |= 7 << shift;
            for p in rest[1..].chars() {
                bits |= match p {
                    'r' => 4 << shift,
                    'w' => 2 << shift,
                    'x' => 1 << shift,
                    'X' if dir || before & 0o111 != 0 => 1 << shift,
                    'X' => 0,
                    's' if w == 'u' => 0o4000,
                    's' if w == 'g' => SETGID,
                    's' => 0,
                    't' => STICKY,
                    _ => return None,
                };
            }
        }
        mode = match operator {
            "+" => mode | bits & !umask,
            "-" => mode & !(bits & !umask),
            _ => mode & !mask | bits,
        };
    }
    Some(mode)
}

/// Directories of every image that belong to root. Others may belong to the image's user.
const ROOTS: &[&str] = &[
    "/",
    "/bin",
    "/etc",
    "/lib",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/sbin",
    "/srv",
    "/sys",
    "/usr",
    "/usr/bin",
    "/usr/local",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/share",
    "/var",
];

/// Whether it is known that only root writes into this directory of an image.
pub fn is_roots(dir: &str) -> bool {
    ROOTS.contains(&dir)
}

/// What an image says of its own files and directories.
pub fn of_image(path: &str, dir: bool) -> Attributes {
    match path {
        "/tmp" | "/var/tmp" => Attributes::root(0o1777),
        "/root" => Attributes::root(0o700),
        "/proc" | "/sys" => Attributes::root(0o555),
        _ if path.starts_with("/proc/") => Attributes::root(if dir { 0o555 } else { 0o444 }),
        _ => Attributes::default_of(dir),
    }
}

/// `/etc/passwd` and `/etc/group` of an image; the images without tools have none.
pub fn accounts(tools: Tools) -> Option<(&'static str, &'static str)> {
    match tools {
        Tools::None => None,
        Tools::Busybox => Some((
            "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\n\
             sys:x:3:3:sys:/dev:/bin/false\nsync:x:4:100:sync:/bin:/bin/sync\nmail:x:8:8:mail:/var/spool/mail:/bin/false\n\
             www-data:x:33:33:www-data:/var/www:/bin/false\noperator:x:37:37:Operator:/var:/bin/false\n\
             nobody:x:65534:65534:nobody:/home:/bin/false\n",
            "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\ndisk:x:6:\nlp:x:7:\nmail:x:8:\nkmem:x:9:\n\
             wheel:x:10:root\ncdrom:x:11:\ndialout:x:18:\nfloppy:x:19:\nvideo:x:28:\naudio:x:29:\ntape:x:32:\n\
             www-data:x:33:\noperator:x:37:\nutmp:x:43:\nplugdev:x:46:\nstaff:x:50:\nlock:x:54:\nnetdev:x:82:\n\
             users:x:100:\nnobody:x:65534:\n",
        )),
        Tools::Debian => Some((
            "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
             bin:x:2:2:bin:/bin:/usr/sbin/nologin\nsys:x:3:3:sys:/dev:/usr/sbin/nologin\n\
             sync:x:4:65534:sync:/bin:/bin/sync\nmail:x:8:8:mail:/var/mail:/usr/sbin/nologin\n\
             www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nbackup:x:34:34:backup:/var/backups:/usr/sbin/nologin\n\
             nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
            "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\ndisk:x:6:\nmail:x:8:\nwww-data:x:33:\n\
             backup:x:34:\nstaff:x:50:\nusers:x:100:\nnogroup:x:65534:\n",
        )),
    }
}

/// The name of a user or group, in such a file.
pub fn name_of(accounts: &str, id: i64) -> Option<&str> {
    accounts.lines().map(|l| l.split(':')).find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then_some(name)
    })
}

/// The number of a user or group that is named or numbered.
pub fn id_of(accounts: &str, name: &str) -> Option<i64> {
    let named = accounts.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':')?.split(':').nth(1)?.parse().ok());
    named.or_else(|| name.parse().ok())
}

/// Files by path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    entries: BTreeMap<String, Entry>,
    owners: BTreeMap<String, Attributes>,
    /// When they were changed: of what containers have written.
    times: BTreeMap<String, Time>,
}

impl Tree {
    pub fn owner(&self, path: &str) -> Option<Attributes> {
        self.owners.get(path).copied()
    }
    /// Forgets it when it says nothing.
    pub fn set_owner(&mut self, path: &str, of: Attributes, default: Attributes) {
        if of == default {
            self.owners.remove(path);
        } else {
            self.owners.insert(path.into(), of);
        }
    }
    /// Forgets whose it is, and when it was changed.
    pub fn forget_owner(&mut self, path: &str) {
        self.owners.remove(path);
        self.times.remove(path);
    }
    pub fn time(&self, path: &str) -> Option<Time> {
        self.times.get(path).copied()
    }
    pub fn set_time(&mut self, path: &str, time: Time) {
        match self.times.get_mut(path) {
            Some(kept) => *kept = time,
            None => _ = self.times.insert(path.into(), time),
        }
    }
}

impl Deref for Tree {
    type Target = BTreeMap<String, Entry>;
    fn deref(&self) -> &Self::Target {
        &self.entries
    }
}

impl DerefMut for Tree {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_as_chmod_takes_them() {
        assert_eq!(changed_mode("755", 0o644, false), Some(0o755));
        assert_eq!(changed_mode("+x", 0o644, false), Some(0o755));
        assert_eq!(changed_mode("u=rwx,go-r", 0o644, false), Some(0o700));
        assert_eq!(changed_mode("g+s", 0o755, true), Some(0o2755));
        assert_eq!(changed_mode("u+q", 0o644, false), None);
        assert_eq!(changed_mode("9", 0o644, false), None);
    }

    #[test]
    fn letters_show_the_special_bits() {
        assert_eq!(Attributes::root(0o2777).letters('d'), "drwxrwsrwx");
        assert_eq!(Attributes::root(0o1777).letters('d'), "drwxrwxrwt");
        assert_eq!(Attributes::root(0o2745).letters('-'), "-rwxr-Sr-x");
    }

    #[test]
    fn files_in_a_volume_have_the_pods_group() {
        let who = Identity { uid: 1000, gid: 3000, groups: vec![2000, 3000], ..Identity::default() };
        let volume = Attributes::of_volume(Some(2000), false);
        assert_eq!(Attributes::made(&who, volume, false), Attributes { uid: 1000, gid: 2000, mode: 0o644 });
        assert!(volume.allows(&who, WRITE));
        assert!(!Attributes::root(0o755).allows(&who, WRITE));
    }
}
