//! What is on a node's own disk before any pod writes there, as far as pods ask: a kind node's.

use super::catalogue::debian;
use super::fs::{Entry, HOST, Volumes};
use crate::runtime::{HostEntry, ManifestFiles};
use crate::statics::DIRECTORY;
use network::resolver::NODE_DNS;
use std::sync::Arc;

/// These, what lies on the way to them, and nothing else are directories.
const DIRECTORIES: &[&str] = &[
    "/bin",
    "/boot",
    "/dev/mapper",
    "/dev/pts",
    "/dev/shm",
    "/etc/cni/net.d",
    "/etc/containerd",
    "/etc/kubernetes/manifests",
    "/etc/kubernetes/pki",
    "/etc/ssl/certs",
    "/etc/systemd/system",
    "/home",
    "/kind",
    "/lib/modules",
    "/lib64",
    "/media",
    "/mnt",
    "/opt/cni/bin",
    "/proc/sys",
    "/root",
    "/run/containerd",
    "/run/lock",
    "/run/systemd",
    "/sbin",
    "/srv",
    "/sys/class",
    "/sys/devices",
    "/sys/fs/bpf",
    "/sys/fs/cgroup",
    "/sys/kernel/debug",
    "/sys/kernel/security",
    "/tmp",
    "/usr/bin",
    "/usr/lib",
    "/usr/libexec/kubernetes",
    "/usr/local/bin",
    "/usr/local/share/ca-certificates",
    "/usr/sbin",
    "/usr/share/ca-certificates",
    "/usr/src",
    "/var/cache",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/lib/kubelet/device-plugins",
    "/var/lib/kubelet/pki",
    "/var/lib/kubelet/plugins",
    "/var/lib/kubelet/plugins_registry",
    "/var/lib/kubelet/pod-resources",
    "/var/lib/kubelet/pods",
    "/var/local",
    "/var/log/containers",
    "/var/log/journal",
    "/var/log/pods",
    "/var/tmp",
];
const FILES: &[&str] = &[
    "/etc/group",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/kubernetes/kubelet.conf",
    "/etc/localtime",
    "/etc/machine-id",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/resolv.conf",
    "/etc/timezone",
    "/run/xtables.lock",
    "/var/lib/kubelet/config.yaml",
];
const SOCKETS: &[&str] = &[
    "/run/containerd/containerd.sock",
    "/var/lib/kubelet/device-plugins/kubelet.sock",
    "/var/lib/kubelet/pod-resources/kubelet.sock",
];
const DEVICES: &[&str] =
    &["/dev/fuse", "/dev/kmsg", "/dev/net/tun", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero"];

/// What every `/etc/hosts` begins with.
pub(super) const HOSTS: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";

/// Everything that a node has of its own, without the first slash.
pub fn names() -> impl Iterator<Item = &'static str> {
    [DIRECTORIES, FILES, SOCKETS, DEVICES].into_iter().flatten().map(|p| p.trim_start_matches('/'))
}

/// What a node called `node` has of its own at a path without the first slash: a directory (`None` inside), or a file's
/// text. Of most files nobody knows what is in them.
pub fn content(path: &str, node: &str) -> Option<Option<String>> {
    let path = real(&format!("/{path}"));
    let below = format!("{}/", path.trim_end_matches('/'));
    if DIRECTORIES.iter().any(|d| *d == path || d.starts_with(&below))
        || names().any(|n| format!("/{n}").starts_with(&below))
    {
        return Some(None);
    }
    let known = [FILES, SOCKETS, DEVICES].into_iter().flatten().any(|f| *f == path);
    known.then(|| {
        Some(match path.as_str() {
            "/etc/group" => "root:x:0:\n".into(),
            "/etc/hostname" => format!("{node}\n"),
            "/etc/hosts" => HOSTS.into(),
            "/etc/os-release" => debian("12", "bookworm"),
            "/etc/passwd" => "root:x:0:0:root:/root:/bin/bash\n".into(),
            "/etc/resolv.conf" => format!("nameserver {NODE_DNS}\noptions ndots:0\n"),
            "/etc/timezone" => "Etc/UTC\n".into(),
            "/var/lib/kubelet/config.yaml" => crate::configz::FILE.into(),
            _ => String::new(),
        })
    })
}

/// The path without its detours; `/var/run` is a link.
fn real(path: &str) -> String {
    let path = super::fs::normalize("/", path);
    let below_run = path.strip_prefix("/var/run").filter(|r| r.is_empty() || r.starts_with('/'));
    below_run.map_or_else(|| path.clone(), |rest| format!("/run{rest}"))
}

/// Makes a directory or an empty file. What lies on the way to it needs no entry of its own.
pub fn make(path: &str, entry: HostEntry, volumes: &mut Volumes) {
    let made = match entry {
        HostEntry::Directory => Entry::Dir,
        HostEntry::File => Entry::File(Arc::default()),
        HostEntry::Socket | HostEntry::CharDevice | HostEntry::BlockDevice => return,
    };
    let tree = volumes.entry(HOST.into()).or_default();
    tree.insert(real(path).trim_start_matches('/').into(), made);
}

/// The files in the manifest directory: what pods have written there.
pub fn manifests(volumes: &Volumes) -> ManifestFiles {
    let Some(written) = volumes.get(HOST) else { return ManifestFiles::new() };
    let directory = format!("{}/", DIRECTORY.trim_start_matches('/'));
    let below = written.range(directory.clone()..).take_while(|(path, _)| path.starts_with(&directory));
    let file = |(path, entry): (&String, &Entry)| match entry {
        Entry::File(data) if !path[directory.len()..].contains('/') => Some((format!("/{path}"), data.clone())),
        _ => None,
    };
    below.filter_map(file).collect()
}

/// What is at a path of the node.
pub fn entry(path: &str, volumes: &Volumes) -> Option<HostEntry> {
    let path = real(path);
    let below = format!("{}/", path.trim_end_matches('/'));
    let written = volumes.get(HOST);
    match written.and_then(|t| t.get(path.trim_start_matches('/'))) {
        Some(Entry::Dir) => return Some(HostEntry::Directory),
        Some(Entry::File(_) | Entry::Long(..) | Entry::Link(_)) => return Some(HostEntry::File),
        Some(Entry::Gone) | None => {}
    }
    let inside = below.trim_start_matches('/');
    let holds = written.is_some_and(|t| t.keys().any(|k| k.starts_with(inside)));
    if holds || DIRECTORIES.iter().any(|d| *d == path || d.starts_with(&below)) {
        return Some(HostEntry::Directory);
    }
    let listed = |list: &[&str]| list.contains(&path.as_str());
    if listed(FILES) {
        return Some(HostEntry::File);
    }
    if listed(SOCKETS) {
        return Some(HostEntry::Socket);
    }
    listed(DEVICES).then_some(HostEntry::CharDevice)
}
