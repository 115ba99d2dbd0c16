//! A container's file system: what the image has, what the container wrote, and its mounts.

mod content;
#[cfg(test)]
mod tests;
mod times;

use super::catalogue::{Image, os_release};
use super::neighbours::Roots;
use super::owners::{self, Attributes};
use super::{host, procfs};
use crate::pod::images::ImageRef;
use crate::runtime::{ContainerSpec, FileModes, Full, Identity, Mount, MountSource};
use content::Content;
use meta::Time;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// How the names of disks begin among [`Volumes`].
pub const DISK: &str = "disk:";

/// The name of a disk's files among [`Volumes`].
pub fn disk(id: &str) -> String {
    format!("{DISK}{id}")
}

/// No file grows beyond this.
pub const MAX_FILE_BYTES: usize = 8 << 20;

/// Linux' limits for a path and for one name (`PATH_MAX`, `NAME_MAX`).
const PATH_MAX: usize = 4096;
const NAME_MAX: usize = 255;
/// Directories lie no deeper than this, whoever made them: programs that look into all of them call themselves for each.
const DEPTH_MAX: usize = 256;

fn is_too_long(path: &str) -> bool {
    path.len() >= PATH_MAX || path.matches('/').count() > DEPTH_MAX || path.split('/').any(|n| n.len() > NAME_MAX)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FsError {
    NotFound,
    IsDirectory,
    NotDirectory,
    ReadOnly,
    Exists,
    NotEmpty,
    NoSpace,
    Denied,
    NotOwner,
    NameTooLong,
}

impl FsError {
    pub fn text(self) -> &'static str {
        match self {
            FsError::NotFound => "No such file or directory",
            FsError::IsDirectory => "Is a directory",
            FsError::NotDirectory => "Not a directory",
            FsError::ReadOnly => "Read-only file system",
            FsError::Exists => "File exists",
            FsError::NotEmpty => "Directory not empty",
            FsError::NoSpace => "No space left on device",
            FsError::Denied => "Permission denied",
            FsError::NotOwner => "Operation not permitted",
            FsError::NameTooLong => "File name too long",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    File(Arc<Vec<u8>>),
    /// A file of so many bytes, of which only the first are kept: the rest are zeroes that nothing reads back.
    Long(Arc<Vec<u8>>, u64),
    Dir,
    /// A symbolic link, as it was written.
    Link(String),
    /// Removed, though the image has it.
    Gone,
}

pub use super::owners::Tree;
/// The node's own directories, by path.
pub const HOST: &str = "host:";
/// Directories that several containers share, by name: `UID/volume`, [`HOST`], or [`disk`].
#[derive(Clone, Debug, Default)]
pub struct Volumes {
    trees: BTreeMap<String, Tree>,
    pub full: Arc<Full>,
    /// Somebody on the node has made a symbolic link.
    pub links: bool,
    /// The time of whoever is at work now.
    pub now: Time,
}

impl Volumes {
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing fits there any more.
    fn is_full(&self, place: &Place) -> bool {
        let Place::Volume(name, path) = place else { return self.full.node };
        if let Some(id) = name.strip_prefix(DISK) {
            return self.full.disks.contains(id);
        }
        let inside = |dir: &String| {
            let rest = path.strip_prefix(dir.trim_matches('/'));
            rest.is_some_and(|r| r.is_empty() || r.starts_with('/'))
        };
        self.full.node || (name == HOST && self.full.dirs.iter().any(inside))
    }
}

impl Deref for Volumes {
    type Target = BTreeMap<String, Tree>;
    fn deref(&self) -> &Self::Target {
        &self.trees
    }
}

impl DerefMut for Volumes {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.trees
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    Own,
    /// A shared volume: its name, and the path in it.
    Volume(String, String),
    /// A read-only mount: its index, and the path in it.
    Files(usize, String),
}

/// The link to the directory that has a volume's files now. Models `pkg/volume/util/atomic_writer.go`.
pub(super) const DATA: &str = "..data";

#[derive(Clone, Debug)]
pub(super) struct MountPoint {
    pub path: String,
    pub source: MountSource,
    read_only: bool,
    pub modes: FileModes,
    /// The name of the directory that [`DATA`] leads to; empty: there is none.
    pub dated: String,
    /// When the kubelet wrote what is there.
    at: Time,
}

impl MountPoint {
    fn new(m: Mount, now: Time) -> Self {
        let dated = match &m.source {
            MountSource::Files(_) if m.modes.whole => dated(&m.path, now),
            _ => String::new(),
        };
        MountPoint { path: m.path, source: m.source, read_only: m.read_only, modes: m.modes, dated, at: now }
    }

    /// `rest` with its links followed.
    pub fn followed<'a>(&self, rest: &'a str) -> &'a str {
        let (first, below) = rest.split_once('/').unwrap_or((rest, ""));
        if !self.dated.is_empty() && (first == DATA || first == self.dated) { below } else { rest }
    }
}

fn dated(path: &str, now: Time) -> String {
    let seed = path.bytes().fold(now.as_micros(), |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{}{}", super::programs::clock::format(now, "..%Y_%m_%d_%H_%M_%S."), seed >> 16 & 0xffff_ffff)
}

#[derive(Clone, Debug, Default)]
pub struct Fs {
    pub(super) own: Tree,
    pub(super) mounts: Vec<MountPoint>,
    /// Where `/proc/NUMBER/root` leads for processes of other containers that are seen here.
    pub neighbours: Roots,
    /// Something was written below one of them, which its container has yet to get.
    pub reached: bool,
    /// What the kernel knew when somebody looked last.
    pub shown: Arc<procfs::Shown>,
    pod_uid: Arc<str>,
    node: String,
    /// When the container was made, and with it what nobody has written to since.
    born: Time,
    pub(super) who: Identity,
    /// The image names the user itself, and so perhaps a directory of its own to work in.
    pub(super) images_user: bool,
    /// The first process's name.
    first: Box<str>,
    base: BTreeMap<&'static str, Cow<'static, str>>,
    /// `readOnlyRootFilesystem`: all but this file, which is a mount.
    read_only: Option<String>,
}

const DIRS: &[&str] = &[
    "/",
    "/bin",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/local",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/share",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/run",
    "/var/tmp",
];

/// Between the root of a process (`chroot`) and its directory below that.
const ROOT_END: char = '\0';

/// The directory of a process that takes `root` for `/` from now on.
pub fn rooted(root: &str) -> String {
    format!("{root}{ROOT_END}/")
}

/// Whether a process has a root of its own.
pub fn is_rooted(cwd: &str) -> bool {
    cwd.contains(ROOT_END)
}

/// A directory as the process sees it.
pub fn seen(cwd: &str) -> &str {
    cwd.split_once(ROOT_END).map_or(cwd, |(_, seen)| seen)
}

/// The directory of a process that goes from `cwd` to a place.
pub fn moved(cwd: &str, path: String) -> String {
    match cwd.split_once(ROOT_END) {
        Some((root, _)) => {
            let below = path.strip_prefix(root).filter(|b| !b.is_empty()).unwrap_or("/");
            format!("{root}{ROOT_END}{below}")
        }
        None => path,
    }
}

/// `a/../b//c` below `cwd`, as an absolute path without a trailing slash (the root is `/`).
pub fn normalize(cwd: &str, path: &str) -> String {
    let (root, cwd) = cwd.split_once(ROOT_END).unwrap_or(("", cwd));
    let joined = if path.starts_with('/') { path.to_string() } else { format!("{cwd}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for p in joined.split('/') {
        match p {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            p => parts.push(p),
        }
    }
    if parts.is_empty() && !root.is_empty() {
        return root.into();
    }
    format!("{root}/{}", parts.join("/"))
}

/// `rest` below `dir`, without slashes at the ends.
fn below(dir: &str, rest: &str) -> String {
    let dir = dir.trim_matches('/');
    match (dir, rest) {
        ("", _) => rest.into(),
        (_, "") => dir.into(),
        _ => format!("{dir}/{rest}"),
    }
}

pub(super) fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((p, _)) => p,
    }
}

/// Models `managedHostsFileContent` and `nodeHostsFileContent`.
fn hosts_file(spec: &ContainerSpec) -> String {
    let mut out = match spec.host_network {
        true => format!("# Kubernetes-managed hosts file (host network).\n{}", super::host::HOSTS),
        false => format!(
            "# Kubernetes-managed hosts file.\n{}fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\n\
             fe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n",
            super::host::HOSTS
        ),
    };
    let (ip, fqdn) = (&spec.pod_ip, &spec.fqdn);
    match fqdn.split_once('.') {
        _ if spec.host_network => {}
        Some((short, _)) => out.push_str(&format!("{ip}\t{fqdn}\t{short}\n")),
        None => out.push_str(&format!("{ip}\t{}\n", spec.hostname)),
    }
    if !spec.host_aliases.is_empty() {
        out.push_str("\n# Entries added by HostAliases.\n");
    }
    for (ip, names) in &spec.host_aliases {
        out.push_str(&format!("{ip}\t{}\n", names.join("\t")));
    }
    out
}

/// The length of all files together.
pub fn bytes(tree: &Tree) -> u64 {
    let length = |e: &Entry| match e {
        Entry::File(f) => f.len() as u64,
        Entry::Long(_, length) => *length,
        Entry::Dir | Entry::Link(_) | Entry::Gone => 0,
    };
    tree.values().map(length).sum()
}

impl Fs {
    /// What the container itself wrote: the size of its layer.
    pub fn own_bytes(&self) -> u64 {
        bytes(&self.own)
    }
    pub fn new(spec: &ContainerSpec, image: &Image, now: Time) -> Self {
        let files = image.files;
        let mut base: BTreeMap<_, _> = files.iter().map(|(p, t)| (*p, Cow::Borrowed(*t))).collect();
        if let Some((users, groups)) = owners::accounts(image.tools) {
            base.entry("/etc/passwd").or_insert(users.into());
            base.entry("/etc/group").or_insert(groups.into());
        }
        base.insert("/etc/hostname", format!("{}\n", spec.hostname).into());
        base.insert("/etc/hosts", hosts_file(spec).into());
        base.insert("/etc/resolv.conf", spec.resolver.file().into());
        if let Some(release) = ImageRef::parse(&spec.image).ok().and_then(|r| os_release(image, &r.tag)) {
            base.insert("/etc/os-release", release.into());
        }
        let (pod_uid, node) = (spec.id.pod_uid.clone(), spec.node.clone());
        let mut fs = Fs { base, pod_uid, node, born: now, ..Default::default() };
        fs.read_only = spec.read_only_root.then(|| spec.termination_message_path.clone());
        fs.who = spec.identity.clone();
        let user = ImageRef::parse(&spec.image).map_or(0, |r| super::catalogue::user(&r));
        fs.images_user = fs.who.uid == user;
        let own = spec.command.first().map(String::as_str);
        let first = own.or_else(|| image.entrypoint.iter().chain(image.cmd).next().copied()).unwrap_or("");
        fs.first = first.rsplit('/').next().unwrap_or(first).into();
        let mut mounts: Vec<_> = spec.mounts.iter().map(|m| MountPoint::new(m.clone(), now)).collect();
        // The deepest mount wins.
        mounts.sort_by(|a, b| b.path.len().cmp(&a.path.len()).then_with(|| a.path.cmp(&b.path)));
        for m in &mounts {
            let file = matches!(&m.source, MountSource::Files(files) if files.contains_key(""));
            fs.make_dirs(if file { parent(&m.path) } else { &m.path });
        }
        fs.mounts = mounts;
        if fs.who.uid != 0 {
            let any = Attributes::root(0o666);
            fs.own.set_owner(&spec.termination_message_path, any, Attributes::default_of(false));
        }
        fs.make_dirs(parent(&spec.termination_message_path));
        fs.make_dirs(&normalize("/", super::catalogue::working_dir(&spec.working_dir, image)));
        fs
    }

    /// The kubelet has projected new content.
    pub fn remount(&mut self, mounts: Vec<Mount>, now: Time) {
        for m in mounts {
            let MountSource::Files(_) = &m.source else { continue };
            if let Some(at) = self.mounts.iter_mut().find(|at| at.path == m.path && at.source != m.source) {
                *at = MountPoint::new(m, now);
            }
        }
    }

    fn make_dirs(&mut self, path: &str) {
        let mut at = String::new();
        for p in path.split('/').filter(|p| !p.is_empty()) {
            at = format!("{at}/{p}");
            if is_too_long(&at) {
                return;
            }
            if !self.base_dir(&at) {
                self.own.insert(at.clone(), Entry::Dir);
            }
        }
    }

    fn base_dir(&self, path: &str) -> bool {
        let below = format!("{path}/");
        DIRS.contains(&path)
            || self.base.range(below.as_str()..).next().is_some_and(|(k, _)| k.starts_with(&below))
            || procfs::is_kernels(&below) && procfs::FILES.iter().any(|f| f.starts_with(&below))
            || path.strip_prefix("/proc/").is_some_and(|p| self.shown.pids().any(|pid| pid.to_string() == p))
    }

    pub(super) fn place(&self, path: &str) -> Place {
        for (i, at) in self.mounts.iter().enumerate() {
            let Some(rest) = path.strip_prefix(at.path.as_str()) else { continue };
            if !rest.is_empty() && !rest.starts_with('/') {
                continue;
            }
            let rest = rest.trim_start_matches('/').to_string();
            match &at.source {
                MountSource::Files(_) => return Place::Files(i, at.followed(&rest).into()),
                // `subPath` leads to a part of the same volume.
                MountSource::Shared(name) => {
                    let (volume, sub) = name.split_once('/').unwrap_or((name, ""));
                    return Place::Volume(format!("{}/{volume}", self.pod_uid), below(sub, &rest));
                }
                MountSource::Host(dir) => return Place::Volume(HOST.into(), below(dir, &rest)),
                MountSource::Disk(name) => {
                    let (id, sub) = name.split_once('/').unwrap_or((name, ""));
                    return Place::Volume(disk(id), below(sub, &rest));
                }
            }
        }
        Place::Own
    }

    pub(super) fn writable(&self, path: &str) -> Result<Place, FsError> {
        let place = self.place(path);
        let is_deep = matches!(&place, Place::Volume(_, rest) if is_too_long(rest));
        if is_deep || is_too_long(path) {
            return Err(FsError::NameTooLong);
        }
        let read_only = match &place {
            Place::Files(..) => true,
            Place::Volume(..) => {
                let inside = |at: &str| path == at || path.strip_prefix(at).is_some_and(|r| r.starts_with('/'));
                self.mounts.iter().find(|m| inside(&m.path)).is_some_and(|m| m.read_only)
            }
            Place::Own => {
                self.read_only.as_ref().is_some_and(|but| but != path)
                    || path.starts_with("/proc/")
                    || path.starts_with("/sys/")
            }
        };
        if read_only { Err(FsError::ReadOnly) } else { Ok(place) }
    }

    /// Below `/proc/NUMBER/root`: another container's files, and the path there.
    pub(super) fn elsewhere(&self, path: &str) -> Option<(&Fs, String)> {
        if self.neighbours.is_empty() {
            return None;
        }
        let (pid, rest) = path.strip_prefix("/proc/")?.split_once('/')?;
        let rest = rest.strip_prefix("root").filter(|r| r.is_empty() || r.starts_with('/'))?;
        let pid: u32 = pid.parse().ok()?;
        let (_, fs) = self.neighbours.iter().find(|(pids, _)| pids.contains(&pid))?;
        Some((fs, normalize("/", rest)))
    }

    /// The same to write there, as the one who writes here.
    pub(super) fn elsewhere_mut(&mut self, path: &str) -> Option<(&mut Fs, String)> {
        if self.neighbours.is_empty() {
            return None;
        }
        let (pid, rest) = path.strip_prefix("/proc/")?.split_once('/')?;
        let rest = rest.strip_prefix("root").filter(|r| r.starts_with('/'))?;
        let pid: u32 = pid.parse().ok()?;
        let n = self.neighbours.iter().position(|(pids, _)| pids.contains(&pid))?;
        self.reached = true;
        let who = self.who.clone();
        let (_, fs) = Arc::make_mut(&mut self.neighbours).get_mut(n)?;
        fs.who = who;
        Some((fs, normalize("/", rest)))
    }

    /// Whether anything fits where `path` is.
    pub fn is_full(&self, path: &str, volumes: &Volumes) -> bool {
        volumes.is_full(&self.place(path))
    }

    /// What is at `path`: a directory (`None` inside), or a file's content.
    fn look<'a>(&'a self, path: &str, volumes: &'a Volumes) -> Option<Option<Content<'a>>> {
        if path.len() >= PATH_MAX {
            return None;
        }
        if let Some((other, path)) = self.elsewhere(path) {
            return other.look(&path, volumes);
        }
        let path = &*self.followed(path, true, volumes);
        match self.place(path) {
            Place::Files(i, rest) => {
                let MountSource::Files(files) = &self.mounts[i].source else { return None };
                if let Some(f) = files.get(&rest) {
                    return Some(Some(Content::Given(f.bytes())));
                }
                let below = format!("{rest}/");
                (rest.is_empty() || files.keys().any(|k| k.starts_with(&below))).then_some(None)
            }
            Place::Volume(name, rest) => {
                let tree = volumes.get(&name);
                match tree.and_then(|t| t.get(&rest)) {
                    Some(Entry::File(f) | Entry::Long(f, _)) => return Some(Some(Content::Kept(f))),
                    Some(Entry::Dir) => return Some(None),
                    Some(Entry::Gone | Entry::Link(_)) => return None,
                    None => {}
                }
                if name == HOST
                    && let Some(content) = host::content(&rest, &self.node)
                {
                    return Some(content.map(Content::Made));
                }
                // What is mounted is a directory, and so is what something lies in.
                let inside = format!("{rest}/");
                let holds = |t: &Tree| t.range(inside.clone()..).next().is_some_and(|(k, _)| k.starts_with(&inside));
                (self.mounts.iter().any(|m| m.path == path) || tree.is_some_and(holds)).then_some(None)
            }
            Place::Own => match self.own.get(path) {
                Some(Entry::File(f) | Entry::Long(f, _)) => Some(Some(Content::Kept(f))),
                Some(Entry::Dir) => Some(None),
                Some(Entry::Gone | Entry::Link(_)) => None,
                None if self.base_dir(path) => Some(None),
                None if procfs::is_kernels(path) => self.of_proc(path).map(|t| Some(Content::Made(t))),
                None => self.base.get(path).map(|t| Some(Content::Kept(t.as_bytes()))),
            },
        }
    }

    fn of_proc(&self, path: &str) -> Option<String> {
        procfs::content(path, &self.first, &self.shown, &self.who, self.mount_paths())
    }
    /// Where volumes are mounted.
    pub fn mount_paths(&self) -> impl Iterator<Item = &str> {
        self.mounts.iter().rev().map(|m| m.path.as_str())
    }

    pub fn is_dir(&self, path: &str, volumes: &Volumes) -> bool {
        matches!(self.look(path, volumes), Some(None))
    }
    pub fn exists(&self, path: &str, volumes: &Volumes) -> bool {
        path == "/dev/null" || self.look(path, volumes).is_some()
    }
    pub fn read(&self, path: &str, volumes: &Volumes) -> Result<Arc<[u8]>, FsError> {
        if matches!(path, "/dev/null" | "/dev/stdin") {
            return Ok(Arc::from(&[][..]));
        }
        match self.look(path, volumes) {
            Some(Some(_)) if !self.may_read(path, volumes) => Err(FsError::Denied),
            Some(Some(f)) => Ok(f.shared()),
            Some(None) => Err(FsError::IsDirectory),
            None => Err(FsError::NotFound),
        }
    }
    /// The length of a file, without its content.
    pub fn len(&self, path: &str, volumes: &Volumes) -> Option<usize> {
        if let Some(Entry::Long(_, length)) = self.entry(&self.followed(path, true, volumes), volumes) {
            return usize::try_from(*length).ok();
        }
        self.look(path, volumes).map(|f| f.map_or(4096, |f| f.len()))
    }

    pub fn write(&mut self, path: &str, data: &[u8], append: bool, volumes: &mut Volumes) -> Result<(), FsError> {
        if path == "/dev/null" {
            return Ok(());
        }
        if let Some((other, path)) = self.elsewhere_mut(path) {
            return other.write(&path, data, append, volumes);
        }
        let path = &*self.followed(path, true, volumes).into_owned();
        // What was written already goes on where it is: nothing of it is copied.
        let goes_on = append && matches!(self.entry(path, volumes), Some(Entry::File(_)));
        let before = match self.look(path, volumes) {
            None => None,
            Some(None) => return Err(FsError::IsDirectory),
            Some(Some(old)) if append && !goes_on => Some(old.to_vec()),
            Some(Some(_)) => Some(Vec::new()),
        };
        if !self.is_dir(parent(path), volumes) {
            return Err(FsError::NotFound);
        }
        let place = self.writable(path)?;
        let new = before.is_none() && self.own.owner(path).is_none();
        if !self.may_write(if new { parent(path) } else { path }, volumes) {
            return Err(FsError::Denied);
        }
        if !data.is_empty() && volumes.is_full(&place) {
            return Err(FsError::NoSpace);
        }
        let made = new.then(|| self.made(path, false, volumes));
        self.stamp(path, new, volumes);
        let (tree, key) = match place {
            Place::Volume(name, rest) => (volumes.entry(name).or_default(), rest),
            _ => (&mut self.own, path.to_string()),
        };
        if let (true, Some(Entry::File(f))) = (append, tree.get_mut(&key)) {
            if f.len() + data.len() > MAX_FILE_BYTES {
                return Err(FsError::NoSpace);
            }
            Arc::make_mut(f).extend_from_slice(data);
            return Ok(());
        }
        let mut content = before.unwrap_or_default();
        content.extend_from_slice(data);
        if content.len() > MAX_FILE_BYTES {
            return Err(FsError::NoSpace);
        }
        if let Some(made) = made {
            tree.set_owner(&key, made, Attributes::default_of(false));
        }
        tree.insert(key, Entry::File(Arc::new(content)));
        Ok(())
    }

    /// Says how long a file is of which only the beginning was written.
    pub fn lengthen(&mut self, path: &str, length: u64, volumes: &mut Volumes) {
        if let Some((other, path)) = self.elsewhere_mut(path) {
            return other.lengthen(&path, length, volumes);
        }
        let path = &*self.followed(path, true, volumes).into_owned();
        let entry = match self.place(path) {
            Place::Volume(name, rest) => volumes.get_mut(&name).and_then(|t| t.get_mut(&rest)),
            _ => self.own.get_mut(path),
        };
        let Some(entry) = entry else { return };
        match entry {
            Entry::File(kept) if (kept.len() as u64) < length => *entry = Entry::Long(kept.clone(), length),
            Entry::Long(_, old) => *old = length.max(*old),
            _ => {}
        }
    }

    /// Whether nobody can write there, whoever asks.
    pub fn is_read_only(&self, path: &str) -> bool {
        matches!(self.writable(path), Err(FsError::ReadOnly))
    }

    pub fn mkdir(&mut self, path: &str, volumes: &mut Volumes) -> Result<(), FsError> {
        if let Some((other, path)) = self.elsewhere_mut(path) {
            return other.mkdir(&path, volumes);
        }
        let path = &*self.followed(path, false, volumes).into_owned();
        if self.exists(path, volumes) {
            return Err(FsError::Exists);
        }
        if !self.is_dir(parent(path), volumes) {
            return Err(FsError::NotFound);
        }
        let place = self.writable(path)?;
        if !self.may_write(parent(path), volumes) {
            return Err(FsError::Denied);
        }
        if volumes.is_full(&place) {
            return Err(FsError::NoSpace);
        }
        let made = self.made(path, true, volumes);
        self.stamp(path, true, volumes);
        let (tree, key) = match place {
            Place::Volume(name, rest) => (volumes.entry(name).or_default(), rest),
            _ => (&mut self.own, path.to_string()),
        };
        tree.set_owner(&key, made, Attributes::default_of(true));
        tree.insert(key, Entry::Dir);
        Ok(())
    }

    pub fn remove(&mut self, path: &str, recursive: bool, volumes: &mut Volumes) -> Result<(), FsError> {
        if let Some((other, path)) = self.elsewhere_mut(path) {
            return other.remove(&path, recursive, volumes);
        }
        let path = &*self.followed(path, false, volumes).into_owned();
        let link = matches!(self.entry(path, volumes), Some(Entry::Link(_)));
        if !link && !self.exists(path, volumes) {
            return Err(FsError::NotFound);
        }
        let children = if link { Vec::new() } else { self.list(path, volumes).unwrap_or_default() };
        if !children.is_empty() && !recursive {
            return Err(FsError::NotEmpty);
        }
        for c in children {
            self.remove(&normalize(path, &c), true, volumes)?;
        }
        let place = self.writable(path)?;
        self.removable(path, volumes)?;
        self.stamp(path, true, volumes);
        match place {
            Place::Volume(name, rest) => {
                let own = name == HOST && host::content(&rest, &self.node).is_some();
                if own {
                    volumes.entry(name).or_default().insert(rest, Entry::Gone);
                } else if let Some(t) = volumes.get_mut(&name) {
                    t.remove(&rest);
                    t.forget_owner(&rest);
                }
            }
            _ => {
                let gone = self.base.contains_key(path) || self.base_dir(path);
                self.own.remove(path);
                self.own.forget_owner(path);
                if gone {
                    self.own.insert(path.into(), Entry::Gone);
                }
            }
        }
        Ok(())
    }

    /// The names in a directory, sorted.
    pub fn list(&self, path: &str, volumes: &Volumes) -> Result<Vec<String>, FsError> {
        if is_too_long(path) {
            return Err(FsError::NameTooLong);
        }
        if let Some((other, path)) = self.elsewhere(path) {
            return other.list(&path, volumes);
        }
        let path = &*self.followed(path, true, volumes);
        match self.look(path, volumes) {
            None => return Err(FsError::NotFound),
            Some(Some(_)) => return Err(FsError::NotDirectory),
            Some(None) => {}
        }
        let mut names: BTreeSet<String> = BTreeSet::new();
        let prefix = if path == "/" { "/".to_string() } else { format!("{path}/") };
        let mut add = |k: &str, prefix: &str| {
            if let Some(n) = k.strip_prefix(prefix).and_then(|r| r.split('/').next()).filter(|n| !n.is_empty()) {
                names.insert(n.to_string());
            }
        };
        let rel = |rest: &str| if rest.is_empty() { String::new() } else { format!("{rest}/") };
        match self.place(path) {
            Place::Files(i, rest) => {
                if let MountSource::Files(files) = &self.mounts[i].source {
                    files.keys().for_each(|k| add(k, &rel(&rest)));
                }
            }
            Place::Volume(name, rest) => {
                let written = volumes.get(&name);
                let kept = written.into_iter().flat_map(|t| t.iter()).filter(|(_, e)| **e != Entry::Gone);
                kept.for_each(|(k, _)| add(k, &rel(&rest)));
                if name == HOST {
                    host::names().for_each(|k| add(k, &rel(&rest)));
                    let gone = |n: &String| written.and_then(|t| t.get(&below(&rest, n))) == Some(&Entry::Gone);
                    names.retain(|n| !gone(n));
                }
            }
            Place::Own => {
                self.base.keys().copied().chain(DIRS.iter().copied()).for_each(|k| add(k, &prefix));
                self.own.iter().filter(|(_, e)| **e != Entry::Gone).for_each(|(k, _)| add(k, &prefix));
                self.mounts.iter().for_each(|m| add(&m.path, &prefix));
                if procfs::is_kernels(&prefix) {
                    procfs::FILES.iter().for_each(|k| add(k, &prefix));
                    let of = |pid: u32| ["cmdline", "comm", "status"].map(|f| format!("/proc/{pid}/{f}"));
                    self.shown.pids().flat_map(of).for_each(|k| add(&k, &prefix));
                }
                names.retain(|n| self.own.get(&format!("{prefix}{n}")) != Some(&Entry::Gone));
            }
        }
        Ok(names.into_iter().collect())
    }
}
