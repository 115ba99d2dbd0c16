//! What is read below `/proc`, as far as it says something about the container.

use super::machine::Machine;
use crate::pod::start::IDS_OF_POD;
use crate::runtime::Identity;
use std::collections::BTreeMap;

/// The files that there are.
pub const FILES: &[&str] = &[
    "/proc/1/cgroup",
    "/proc/1/cmdline",
    "/proc/1/gid_map",
    "/proc/1/status",
    "/proc/1/uid_map",
    "/proc/cpuinfo",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/mounts",
    "/proc/self/cgroup",
    "/proc/self/cmdline",
    "/proc/self/gid_map",
    "/proc/self/mounts",
    "/proc/self/status",
    "/proc/self/uid_map",
    "/proc/version",
    "/sys/fs/cgroup/cpu.max",
    "/sys/fs/cgroup/memory.current",
    "/sys/fs/cgroup/memory.max",
];

/// Whether the kernel says what is there.
pub fn is_kernels(path: &str) -> bool {
    path.starts_with("/proc/") || path.starts_with("/sys/")
}

/// What the kernel knows of a container while one of its processes looks.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    reader: u32,
    procs: BTreeMap<u32, Process>,
    memory: u64,
    memory_limit: Option<i64>,
    cpu_limit_milli: Option<i64>,
    first_host_id: Option<u32>,
}

#[derive(Clone, Debug)]
struct Process {
    parent: u32,
    argv: Vec<String>,
}

impl Shown {
    /// `argv` is read by process `reader`, which need not have begun.
    pub fn new(m: &Machine, reader: u32, argv: &[String]) -> Shown {
        let live = m.procs.iter().filter(|(_, p)| !matches!(p.state, super::machine::State::Done(_)));
        let mut procs: BTreeMap<u32, Process> =
            live.map(|(pid, p)| (*pid, Process { parent: p.parent, argv: p.argv.clone() })).collect();
        let parent = procs.get(&reader).map_or(m.first, |p| p.parent);
        procs.insert(reader, Process { parent, argv: argv.to_vec() });
        Shown {
            reader,
            procs,
            memory: m.meter.memory_bytes,
            memory_limit: m.spec.memory_limit_bytes,
            cpu_limit_milli: m.spec.cpu_limit_milli,
            first_host_id: m.spec.first_host_id,
        }
    }

    /// The numbers of the processes.
    pub fn pids(&self) -> impl Iterator<Item = u32> {
        self.procs.keys().copied()
    }

    fn cgroup(&self, file: &str) -> Option<String> {
        let most = |n: Option<String>| n.unwrap_or_else(|| "max".into());
        Some(match file {
            "memory.max" => format!("{}\n", most(self.memory_limit.map(|n| n.to_string()))),
            "memory.current" => format!("{}\n", self.memory),
            "cpu.max" => format!("{} 100000\n", most(self.cpu_limit_milli.map(|m| (m * 100).to_string()))),
            _ => return None,
        })
    }
}

/// The node's processors and memory, as its capacity says.
pub const CPUS: usize = 4;
pub const MEMORY_KIB: u64 = 8 << 20;

/// `first` is the first process's name; `mounts` are mount paths.
pub fn content<'a>(
    path: &str,
    first: &str,
    shown: &Shown,
    who: &Identity,
    mounts: impl Iterator<Item = &'a str>,
) -> Option<String> {
    if let Some(file) = path.strip_prefix("/sys/fs/cgroup/") {
        return shown.cgroup(file);
    }
    let (whose, file) = path.strip_prefix("/proc/")?.split_once('/').unwrap_or(("", ""));
    let pid = if whose == "self" { Some(shown.reader) } else { whose.parse().ok() };
    if let Some((pid, process)) = pid.and_then(|pid| Some((pid, shown.procs.get(&pid)?))) {
        match file {
            "cmdline" => return Some(process.argv.iter().map(|a| format!("{a}\0")).collect()),
            "comm" => return Some(format!("{}\n", name_of(&process.argv))),
            "status" => return Some(status(&name_of(&process.argv), pid, process.parent, who)),
            _ => {}
        }
    }
    FILES.contains(&path).then_some(())?;
    Some(match path.strip_prefix("/proc/")? {
        "1/status" => status(first, 1, 0, who),
        "self/status" => status("cat", 2, 1, who),
        "1/uid_map" | "self/uid_map" | "1/gid_map" | "self/gid_map" => {
            let (first, count) = shown.first_host_id.map_or((0, u32::MAX), |first| (first, IDS_OF_POD));
            format!("{:>10} {first:>10} {count:>10}\n", 0)
        }
        "1/cgroup" | "self/cgroup" => "0::/\n".into(),
        "cpuinfo" => (0..CPUS).map(processor).collect(),
        "loadavg" => "0.00 0.00 0.00 1/100 1\n".into(),
        "meminfo" => format!(
            "MemTotal:       {MEMORY_KIB:>8} kB\nMemFree:        {:>8} kB\nMemAvailable:   {:>8} kB\nBuffers:        {:>8} kB\n\
             Cached:         {:>8} kB\nSwapTotal:      {:>8} kB\nSwapFree:       {:>8} kB\n",
            6 << 20,
            7 << 20,
            0,
            1 << 20,
            0,
            0
        ),
        "mounts" | "self/mounts" => {
            mount_lines(mounts).map(|(what, at, kind)| format!("{what} {at} {kind} rw,relatime 0 0\n")).collect()
        }
        "version" => "Linux version 6.12.0-kubottle (gcc) #1 SMP\n".into(),
        _ => return None,
    })
}

/// What is mounted in a container: the device, the place, the file system's type.
pub fn mount_lines<'a>(
    mounts: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = (&'static str, String, &'static str)> {
    let own = [
        ("overlay", "/", "overlay"),
        ("proc", "/proc", "proc"),
        ("tmpfs", "/dev", "tmpfs"),
        ("devpts", "/dev/pts", "devpts"),
        ("mqueue", "/dev/mqueue", "mqueue"),
        ("sysfs", "/sys", "sysfs"),
        ("cgroup", "/sys/fs/cgroup", "cgroup2"),
    ];
    let kubelets = ["/etc/hosts", "/dev/termination-log", "/etc/hostname", "/etc/resolv.conf"];
    let volumes: Vec<String> = mounts.chain(kubelets).map(str::to_string).collect();
    let own = own.into_iter().map(|(what, at, kind)| (what, at.to_string(), kind));
    own.chain(volumes.into_iter().map(|at| ("/dev/vda1", at, "ext4"))).chain([("shm", "/dev/shm".to_string(), "tmpfs")])
}

fn processor(n: usize) -> String {
    format!(
        "processor\t: {n}\nvendor_id\t: Kubottle\nmodel name\t: Kubottle virtual CPU\ncpu MHz\t\t: 2000.000\ncpu cores\t: {CPUS}\n\n"
    )
}

/// A process's name, of which the kernel keeps fifteen bytes.
fn name_of(argv: &[String]) -> String {
    let base = argv.first().map_or("", |a| a.rsplit('/').next().unwrap_or(a));
    base.chars().take(15).collect()
}

fn status(name: &str, pid: u32, parent: u32, who: &Identity) -> String {
    // Another user than root has what it may have, and none of it.
    let held = if who.uid == 0 { who.capabilities } else { 0 };
    let four = |id: i64| format!("{id}\t{id}\t{id}\t{id}");
    let groups: Vec<String> = who.groups.iter().map(ToString::to_string).collect();
    format!(
        "Name:\t{name}\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t{pid}\nNgid:\t0\nPid:\t{pid}\nPPid:\t{parent}\nTracerPid:\t0\n\
         Uid:\t{}\nGid:\t{}\nFDSize:\t64\nGroups:\t{} \nNStgid:\t{pid}\nNSpid:\t{pid}\nNSpgid:\t{pid}\nNSsid:\t{pid}\n\
         Threads:\t1\nCapInh:\t{:016x}\nCapPrm:\t{held:016x}\nCapEff:\t{held:016x}\nCapBnd:\t{:016x}\nCapAmb:\t{:016x}\n\
         NoNewPrivs:\t{}\nSeccomp:\t0\n",
        four(who.uid),
        four(who.gid),
        groups.join(" "),
        0,
        who.capabilities,
        0,
        u8::from(who.no_new_privileges),
    )
}
