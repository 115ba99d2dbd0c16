//! The learner's own machine: a home directory with the page's files, and the text tools that lines are piped through.
//! It is one of the simulated containers, with no cluster around it.

use kubelet::pod::images::ImageRef;
use kubelet::runtime::{ContainerId, ContainerSpec, Identity};
use kubelet::sim::catalogue;
use kubelet::sim::fs::{Volumes, normalize};
use kubelet::sim::machine::{Fds, Input, Kind, Machine, Output, Proc, SIGKILL, State, World};
use kubelet::sim::programs::Running;
use meta::{Duration, Time};
use network::Balancer;
use std::collections::BTreeMap;
use std::sync::Arc;

pub const HOME: &str = "/root";
const IMAGE: &str = "debian:12";
/// Programs compute this far ahead of the cluster's clock, so that a filter's end does not wait for a turn.
const AHEAD: Duration = Duration::from_millis(400);
/// What is handed to the page of one file.
const FILE_BYTES_MAX: usize = 1 << 20;

pub struct Bench {
    machine: Machine,
    volumes: Volumes,
    balancer: Balancer,
    /// The page's files as it has them.
    known: BTreeMap<String, Arc<[u8]>>,
}

/// A running line of the machine's own programs.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    pid: u32,
    stdin: Option<u32>,
    stdout: u32,
    stderr: u32,
}

fn spec() -> ContainerSpec {
    ContainerSpec {
        id: ContainerId { pod_uid: "page".into(), container: "shell".into(), attempt: 0 },
        namespace: String::new(),
        pod: String::new(),
        hostname: "kubottle".into(),
        fqdn: String::new(),
        host_network: false,
        node: String::new(),
        image: IMAGE.into(),
        command: Vec::new(),
        args: Vec::new(),
        env: Vec::new(),
        working_dir: HOME.into(),
        mounts: Vec::new(),
        cpu_limit_milli: None,
        memory_limit_bytes: None,
        pod_ip: String::new(),
        host_aliases: Vec::new(),
        ports: Vec::new(),
        termination_message_path: String::new(),
        runtime_class: String::new(),
        stdin: false,
        stdin_once: false,
        tty: false,
        identity: Identity::default(),
        read_only_root: false,
        first_host_id: None,
        processes: kubelet::runtime::Processes::Own,
        resolver: network::Resolver::of_cluster("default"),
    }
}

impl Bench {
    /// `None` when the catalogue has lost the image, which would be a bug.
    pub fn new(now: Time) -> Option<Bench> {
        let image = catalogue::find(&ImageRef::parse(IMAGE).ok()?).ok()?;
        let mut machine = Machine::new(Arc::new(spec()), image, 1, now);
        let mut volumes = Volumes::new();
        let _ = machine.fs.mkdir(HOME, &mut volumes);
        // The machine ends with its first process: this one never does.
        machine.add(Proc {
            parent: 0,
            kind: Kind::Program(Running::Forever),
            argv: vec!["init".into()],
            env: Arc::default(),
            cwd: "/".into(),
            fds: Fds { stdin: Input::Null, stdout: Output::Null, stderr: Output::Null },
            state: State::Forever,
            clock: now,
            pending: Vec::new(),
        });
        Some(Bench { machine, volumes, balancer: Balancer::new(1), known: BTreeMap::new() })
    }

    fn run(&mut self, now: Time) {
        let peers = BTreeMap::new();
        let mut world = World {
            volumes: &mut self.volumes,
            peers: &peers,
            view: None,
            balancer: &mut self.balancer,
            speed: 1,
            sent: Vec::new(),
            calls: Vec::new(),
            late: Vec::new(),
            signals: Vec::new(),
            writes: Vec::new(),
        };
        self.machine.run(now + AHEAD, &mut world);
    }

    /// Starts a line in bash. Without `input` its standard input is fed, and ended, from outside.
    pub fn start(
        &mut self,
        line: &str,
        input: Option<Vec<u8>>,
        env: &BTreeMap<String, String>,
        cwd: &str,
        now: Time,
    ) -> Process {
        let (stdout, stderr) = (self.machine.pipe(), self.machine.pipe());
        let pid = self.machine.next_pid();
        let (stdin, input) = match input {
            Some(data) => (None, Input::Data(data.into(), 0)),
            None => {
                let pipe = self.machine.open_outside(false, Output::Null, pid, now);
                (Some(pipe), Input::Pipe(pipe))
            }
        };
        let fds = Fds { stdin: input, stdout: Output::Pipe(stdout), stderr: Output::Pipe(stderr) };
        let argv = ["bash", "-c", line].map(String::from).to_vec();
        let mut all = self.machine.environment();
        all.extend(env.iter().map(|(k, v)| (k.clone(), v.clone())));
        self.machine.spawn(0, argv, Arc::new(all), cwd.into(), fds, now);
        Process { pid, stdin, stdout, stderr }
    }

    pub fn feed(&mut self, p: Process, data: &[u8], now: Time) {
        if let Some(pipe) = p.stdin {
            self.machine.outside_input(pipe, data, now);
        }
    }

    pub fn end_input(&mut self, p: Process, now: Time) {
        if let Some(pipe) = p.stdin {
            self.machine.close_outside(pipe, now);
        }
    }

    /// Lets it work; what it printed, and its exit code once it has ended.
    pub fn poll(&mut self, p: Process, now: Time) -> (Vec<u8>, Vec<u8>, Option<i32>) {
        self.run(now);
        let mut take = |pipe: u32| self.machine.pipes.get_mut(&pipe).map(std::mem::take).unwrap_or_default();
        let (out, err) = (take(p.stdout), take(p.stderr));
        let ended = match self.machine.procs.get(&p.pid).map(|p| p.state) {
            Some(State::Done(code)) => Some(code),
            Some(_) => None,
            None => Some(0),
        };
        if ended.is_some() {
            self.machine.reap(p.pid);
            self.machine.forget_pipes(&[Some(p.stdout), Some(p.stderr), p.stdin]);
        }
        (out, err, ended)
    }

    pub fn kill(&mut self, p: Process, now: Time) {
        self.machine.signal(p.pid, SIGKILL, now);
        self.machine.reap(p.pid);
        // What it has started has nobody left.
        let children: Vec<u32> = self.machine.procs.keys().copied().filter(|pid| *pid > p.pid).collect();
        for pid in children {
            self.machine.signal(pid, SIGKILL, now);
            self.machine.reap(pid);
        }
        self.machine.forget_pipes(&[Some(p.stdout), Some(p.stderr), p.stdin]);
    }

    pub fn read(&self, cwd: &str, path: &str) -> Option<Vec<u8>> {
        let path = normalize(cwd, path);
        self.machine.fs.read(&path, &self.volumes).ok().map(|d| d.to_vec())
    }

    pub fn list(&self, cwd: &str, path: &str) -> Option<Vec<String>> {
        let path = normalize(cwd, path);
        self.machine
            .fs
            .is_dir(&path, &self.volumes)
            .then(|| self.machine.fs.list(&path, &self.volumes).unwrap_or_default())
    }

    /// # Errors
    /// The system's words.
    pub fn write(&mut self, cwd: &str, path: &str, data: &[u8], append: bool) -> Result<(), String> {
        let path = normalize(cwd, path);
        self.machine.fs.write(&path, data, append, &mut self.volumes).map_err(|e| e.text().to_string())
    }

    /// Makes the directories above a file.
    pub fn make_room(&mut self, cwd: &str, path: &str) {
        let path = normalize(cwd, path);
        let mut end = 1;
        while let Some(next) = path[end..].find('/') {
            end += next;
            let _ = self.machine.fs.mkdir(&path[..end], &mut self.volumes);
            end += 1;
        }
    }

    /// A file of the page, by its name there.
    pub fn put(&mut self, name: &str, text: &str) {
        let path = normalize(HOME, name);
        if let Some((dir, _)) = path.rsplit_once('/') {
            let _ = self.machine.fs.mkdir(dir, &mut self.volumes);
        }
        let _ = self.machine.fs.write(&path, text.as_bytes(), false, &mut self.volumes);
        self.known.insert(path, text.as_bytes().into());
    }

    /// Files in the home directory that the page does not have as they are: name and text.
    pub fn changed(&mut self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let mut dirs = vec![HOME.to_string()];
        while let Some(dir) = dirs.pop() {
            for name in self.machine.fs.list(&dir, &self.volumes).unwrap_or_default() {
                let path = format!("{dir}/{name}");
                if self.machine.fs.is_dir(&path, &self.volumes) {
                    dirs.push(path);
                    continue;
                }
                let Ok(data) = self.machine.fs.read(&path, &self.volumes) else { continue };
                if data.len() > FILE_BYTES_MAX || self.known.get(&path) == Some(&data) {
                    continue;
                }
                if let (Ok(text), Some(name)) = (std::str::from_utf8(&data), path.strip_prefix(HOME)) {
                    out.push((name.trim_start_matches('/').to_string(), text.to_string()));
                }
                self.known.insert(path, data);
            }
        }
        out
    }
}
