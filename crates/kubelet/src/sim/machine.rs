//! The processes of one container, over virtual time. A process runs until it sleeps, waits or blocks; nothing
//! here happens between polls, and what happens is stamped with the time at which it would have happened.

use super::Containers;
use super::catalogue::servers::NETCAT;
use super::catalogue::{Image, Server};
use super::fs::{Fs, FsError, Volumes};
use super::logs::Log;
use super::net::{Answer, ApiWrite, Call, Sent};
use super::nginx::Live;
use super::programs::{self, Outcome, Running};
use super::redis::Late;
use super::redis::process::goodbyes;
use super::shell::Shell;
use super::terminal::Outside;
use crate::runtime::{ContainerId, ContainerSpec};
use meta::{Duration, Rng, Time};
use network::Balancer;
use reconcile::{Meter, View};
use std::collections::BTreeMap;
use std::sync::Arc;

pub const SIGHUP: i32 = 1;
pub const SIGINT: i32 = 2;
pub const SIGQUIT: i32 = 3;
pub const SIGKILL: i32 = 9;
pub const SIGTERM: i32 = 15;

/// Shell steps in one go, and what they cost: an endless loop that never sleeps takes all its virtual CPU time
/// and still ends every poll.
const SLICE_STEPS: u32 = 400;
const STEP_COST: Duration = Duration::from_micros(500);
/// Turns of processes in a second that take none of it, and what each takes after them: whoever starts programs without end and
/// waits for each has no slice to use up, and time must pass all the same.
const FREE_TURNS: u32 = 2000;
const TURN_COST: Duration = Duration::from_millis(2);
/// The resident memory of a shell, and of a small program.
const SHELL_BYTES: u64 = 600 << 10;
const PROGRAM_BYTES: u64 = 300 << 10;
/// Unread bytes a pipe holds before its writer waits.
const PIPE_BYTES: usize = 256 << 10;

/// What a machine's processes see beyond their container.
pub struct World<'a> {
    pub volumes: &'a mut Volumes,
    /// The node's other containers.
    pub peers: &'a Containers,
    /// The cluster that the node is in, if any.
    pub view: Option<&'a View>,
    pub balancer: &'a mut Balancer,
    pub speed: u32,
    /// Requests that were made, for whoever serves them to work on.
    pub sent: Vec<Sent>,
    /// And those to other nodes.
    pub calls: Vec<Call>,
    /// Signals for processes of other containers.
    pub signals: Vec<(ContainerId, u32, i32)>,
    /// Answers to calls that waited.
    pub late: Vec<Late>,
    pub writes: Vec<ApiWrite>,
}

impl World<'_> {
    /// A program's own duration on this node.
    pub fn scaled(&self, d: Duration) -> Duration {
        Duration(d.0 / u64::from(self.speed.max(1)))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    Null,
    Pipe(u32),
    Data(Arc<[u8]>, usize),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Log,
    Null,
    Pipe(u32),
    File(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fds {
    pub stdin: Input,
    pub stdout: Output,
    pub stderr: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Ready,
    Sleeping(Time),
    /// For a child to end.
    Waiting(u32),
    /// For a pipe to have data, or no writer.
    Reading(u32),
    /// For a full pipe to be read.
    Writing(u32),
    Forever,
    Done(i32),
}

#[derive(Clone)]
pub enum Kind {
    Shell(Box<Shell>),
    Program(Running),
    /// Being stepped.
    Taken,
}

#[derive(Clone)]
pub struct Proc {
    pub parent: u32,
    pub kind: Kind,
    pub argv: Vec<String>,
    pub env: Arc<BTreeMap<String, String>>,
    pub cwd: String,
    pub fds: Fds,
    pub state: State,
    /// Its own clock: when it got where it is.
    pub clock: Time,
    /// Signals not yet seen.
    pub pending: Vec<i32>,
}

impl Proc {
    /// Its command line, as it shows it.
    pub fn title(&self) -> String {
        match &self.kind {
            Kind::Program(Running::Serving { server, .. }) if super::nginx::is(server) => {
                format!("nginx: master process {}", self.argv.join(" "))
            }
            Kind::Program(Running::Worker) => "nginx: worker process".into(),
            _ => self.argv.join(" "),
        }
    }

    /// Whose it is.
    pub fn uid(&self, spec: &ContainerSpec) -> i64 {
        match self.kind {
            // nginx gives its workers to its user.
            Kind::Program(Running::Worker) if spec.identity.uid == 0 => 101,
            _ => spec.identity.uid,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineExit {
    pub at: Time,
    pub code: i32,
    pub signal: Option<i32>,
    pub oom: bool,
}

#[derive(Clone)]
pub struct Machine {
    pub spec: Arc<ContainerSpec>,
    pub image: &'static Image,
    pub procs: BTreeMap<u32, Proc>,
    next_pid: u32,
    /// The container's own first process.
    pub first: u32,
    /// How far the numbers of its processes are apart: others take those between, when they see each other.
    stride: u32,
    pub pipes: BTreeMap<u32, Vec<u8>>,
    next_pipe: u32,
    /// The pipes that are filled from outside.
    pub outside: BTreeMap<u32, Outside>,
    /// The first process's standard input, when it was asked for.
    pub stdin: Option<u32>,
    /// Attached clients, and what was printed since they looked last.
    pub taps: BTreeMap<u64, Vec<u8>>,
    pub fs: Fs,
    pub log: Log,
    pub rng: Rng,
    pub started: Time,
    pub meter: Meter,
    pub nginx: Option<Live>,
    /// Requests that its servers have answered.
    pub requests: u64,
    /// Those of them that another server answered.
    pub handed_on: u64,
    pub exit: Option<MachineExit>,
    /// When the second began whose turns are counted, and how many there were.
    turns: (Time, u32),
    /// Connections of processes that were killed.
    goodbyes: Vec<Call>,
}

impl Machine {
    pub fn new(spec: Arc<ContainerSpec>, image: &'static Image, seed: u64, now: Time) -> Self {
        let fs = Fs::new(&spec, image, now);
        Machine {
            image,
            procs: BTreeMap::new(),
            next_pid: 1,
            first: 1,
            stride: 1,
            pipes: BTreeMap::new(),
            next_pipe: 0,
            outside: BTreeMap::new(),
            stdin: None,
            taps: BTreeMap::new(),
            fs,
            log: Log::default(),
            rng: Rng::new(seed),
            started: now,
            meter: Meter::new(now),
            nginx: None,
            requests: 0,
            handed_on: 0,
            exit: None,
            turns: (now, 0),
            goodbyes: Vec::new(),
            spec,
        }
    }

    pub fn environment(&self) -> BTreeMap<String, String> {
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let mut env: BTreeMap<String, String> = [("PATH", path), ("HOSTNAME", &self.spec.hostname), ("HOME", "/root")]
            .into_iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        env.extend(self.image.env.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())));
        env.extend(self.spec.env.iter().cloned());
        env
    }

    /// Its processes are among others: its first number is `first`, the others' are between its own.
    pub fn settle_among(&mut self, first: u32) {
        (self.first, self.next_pid, self.stride) = (first, first, super::neighbours::STRIDE);
    }

    /// Others come into its process namespace: from now on its numbers leave room for theirs.
    pub fn make_room(&mut self) {
        use super::neighbours::STRIDE;
        if self.stride == 1 {
            self.next_pid = self.next_pid.div_ceil(STRIDE) * STRIDE + self.first % STRIDE;
            self.stride = STRIDE;
        }
    }

    /// Starts the container's command as process 1.
    ///
    /// # Errors
    /// runc's words for a command that cannot be executed.
    pub fn boot(&mut self, now: Time) -> Result<(), String> {
        let spec = self.spec.clone();
        let mut argv: Vec<String> = if spec.command.is_empty() {
            self.image.entrypoint.iter().map(|s| (*s).to_string()).collect()
        } else {
            spec.command.clone()
        };
        if spec.args.is_empty() && spec.command.is_empty() {
            argv.extend(self.image.cmd.iter().map(|s| (*s).to_string()));
        }
        argv.extend(spec.args.iter().cloned());
        let runc = "failed to create containerd task: failed to create shim task: OCI runtime create failed: \
                    runc create failed: unable to start container process: error during container init: ";
        let Some(first) = argv.first().cloned() else {
            return Err("failed to generate spec: no command specified".into());
        };
        let cwd = super::fs::normalize("/", super::catalogue::working_dir(&spec.working_dir, self.image));
        if !programs::exists(self.image, &first) {
            // With a slash in it, it is looked for from the working directory on.
            let found = if first.contains('/') { super::fs::normalize(&cwd, &first) } else { String::new() };
            if found.is_empty() || !programs::exists(self.image, &found) {
                return Err(format!("{runc}{}: unknown", programs::missing(&first)));
            }
            argv[0] = found;
        }
        if spec.stdin {
            self.stdin = Some(self.open_outside(spec.tty, Output::Log, self.first, now));
        }
        let stdin = self.stdin.map_or(Input::Null, Input::Pipe);
        let fds = Fds { stdin, stdout: Output::Log, stderr: Output::Log };
        let env = self.terminal_environment(spec.tty);
        self.spawn(0, argv, env, cwd, fds, now);
        Ok(())
    }

    fn terminal_environment(&self, terminal: bool) -> Arc<BTreeMap<String, String>> {
        let mut env = self.environment();
        if terminal {
            env.entry("TERM".into()).or_insert_with(|| "xterm".into());
        }
        Arc::new(env)
    }

    /// Runs a command beside process 1, as `kubectl exec` and exec probes do.
    pub fn exec(&mut self, argv: Vec<String>, fds: Fds, terminal: bool, now: Time) -> u32 {
        let env = self.terminal_environment(terminal);
        let cwd = super::catalogue::working_dir(&self.spec.working_dir, self.image).to_string();
        self.spawn(0, argv, env, cwd, fds, now)
    }

    /// The newest number that a process of its has had.
    pub fn newest_pid(&self) -> u32 {
        self.procs.keys().next_back().copied().unwrap_or(0).max(self.next_pid.saturating_sub(self.stride))
    }

    /// The number that the next process gets.
    pub fn next_pid(&self) -> u32 {
        self.next_pid
    }

    /// Pipes that nobody outside reads or fills any more.
    pub fn forget_pipes(&mut self, pipes: &[Option<u32>]) {
        for p in pipes.iter().flatten() {
            self.pipes.remove(p);
            self.outside.remove(p);
        }
    }

    pub fn pipe(&mut self) -> u32 {
        self.next_pipe += 1;
        self.pipes.insert(self.next_pipe, Vec::new());
        self.next_pipe
    }

    pub fn spawn(
        &mut self,
        parent: u32,
        argv: Vec<String>,
        env: Arc<BTreeMap<String, String>>,
        cwd: String,
        fds: Fds,
        now: Time,
    ) -> u32 {
        let kind = Kind::Program(Running::Start);
        self.add(Proc { parent, kind, argv, env, cwd, fds, state: State::Ready, clock: now, pending: Vec::new() })
    }

    pub fn add(&mut self, p: Proc) -> u32 {
        let pid = self.next_pid;
        self.next_pid += self.stride;
        self.procs.insert(pid, p);
        pid
    }

    /// Work on a request of somebody else's that comes at `at`.
    pub fn serve(&mut self, at: Time, work: Duration) {
        self.meter.work(at, work, self.spec.cpu_limit_milli);
    }

    /// Who listens at `port` ends by itself.
    pub fn leave(&mut self, port: u16, code: i32, at: Time) {
        for p in self.procs.values_mut() {
            if let Kind::Program(Running::Serving { ports, .. } | Running::Answering { ports, .. }) = &p.kind
                && ports.contains(&port)
            {
                p.kind = Kind::Program(Running::Ending(code));
                p.state = State::Sleeping(at);
            }
        }
    }

    /// A process that waits for an answer from another node gets it.
    pub fn hear(&mut self, pid: u32, connection: u32, answer: Answer, now: Time) {
        if let Some(p) = self.procs.get_mut(&pid)
            && !matches!(p.state, State::Done(_))
            && let Kind::Program(program) = &mut p.kind
        {
            match program {
                Running::Asking(answers) => answers.push(answer),
                Running::RedisCli(cli) => cli.heard = Some(answer),
                Running::Redis(redis) => redis.heard(connection, answer, now),
                _ => return,
            }
            p.state = State::Sleeping(now);
        }
    }

    /// What processes that have ended with the container leave to be said.
    pub fn last_calls(&mut self) -> Vec<Call> {
        let id = &self.spec.id;
        self.procs.iter_mut().flat_map(|(pid, p)| goodbyes(id, *pid, &mut p.kind)).collect()
    }

    /// Whether any process still writes to `pipe`.
    pub fn has_writer(&self, pipe: u32) -> bool {
        if self.outside.get(&pipe).is_some_and(|o| o.open) {
            return true;
        }
        let out = Output::Pipe(pipe);
        self.procs.values().any(|p| {
            let extra = matches!(&p.kind, Kind::Shell(s) if s.holds(pipe));
            !matches!(p.state, State::Done(_)) && (p.fds.stdout == out || p.fds.stderr == out || extra)
        })
    }

    /// When process `p` can go on.
    fn due(&self, p: &Proc) -> Option<Time> {
        if !p.pending.is_empty() && !matches!(p.state, State::Done(_)) {
            return Some(p.clock);
        }
        match p.state {
            State::Ready => Some(p.clock),
            State::Sleeping(t) => Some(t),
            State::Waiting(child) => match self.procs.get(&child) {
                Some(c) => matches!(c.state, State::Done(_)).then_some(c.clock.max(p.clock)),
                None => Some(p.clock),
            },
            State::Reading(pipe) => {
                let data = self.pipes.get(&pipe).is_some_and(|b| !b.is_empty())
                    || self.outside.get(&pipe).is_some_and(|o| o.eofs > 0);
                (data || !self.has_writer(pipe)).then_some(self.newest(pipe).max(p.clock))
            }
            State::Writing(pipe) => {
                let room = self.pipes.get(&pipe).is_none_or(|b| b.len() < PIPE_BYTES);
                room.then_some(p.clock)
            }
            State::Forever | State::Done(_) => None,
        }
    }

    /// The clock of whoever wrote to a pipe last.
    fn newest(&self, pipe: u32) -> Time {
        let out = Output::Pipe(pipe);
        let writers = self.procs.values().filter(|p| p.fds.stdout == out || p.fds.stderr == out);
        let outside = self.outside.get(&pipe).map(|o| o.at);
        writers.map(|p| p.clock).chain(outside).max().unwrap_or(Time(0))
    }

    pub fn next_at(&self) -> Option<Time> {
        if self.exit.is_some() {
            return None;
        }
        self.procs.values().filter_map(|p| self.due(p)).min()
    }

    /// Runs everything that happens up to `now`.
    pub fn run(&mut self, now: Time, world: &mut World) {
        world.calls.append(&mut self.goodbyes);
        while self.exit.is_none() {
            let next = self.procs.iter().filter_map(|(pid, p)| Some((self.due(p)?, *pid))).min();
            let Some((at, pid)) = next.filter(|(at, _)| *at <= now) else { return };
            self.step(pid, at, world);
            self.take_turn(pid, at);
        }
    }

    fn take_turn(&mut self, pid: u32, at: Time) {
        if at.since(self.turns.0) >= Duration::from_secs(1) {
            self.turns = (at, 0);
        }
        self.turns.1 += 1;
        if self.turns.1 > FREE_TURNS
            && let Some(p) = self.procs.get_mut(&pid)
        {
            p.clock = p.clock.max(at) + TURN_COST;
            if let State::Sleeping(until) = &mut p.state {
                *until = p.clock.max(*until);
            }
        }
    }

    fn step(&mut self, pid: u32, at: Time, world: &mut World) {
        let Some(p) = self.procs.get_mut(&pid) else { return };
        p.clock = p.clock.max(at);
        world.volumes.now = p.clock;
        let was = std::mem::replace(&mut p.state, State::Ready);
        let mut kind = std::mem::replace(&mut p.kind, Kind::Taken);
        let mut steps = 0;
        if let Some(signal) = (!p.pending.is_empty()).then(|| p.pending.remove(0)) {
            p.state = was;
            self.deliver(pid, &mut kind, signal, world);
        } else {
            match &mut kind {
                Kind::Shell(shell) => {
                    steps = shell.run(self, pid, SLICE_STEPS, world);
                    if shell.is_replaced() {
                        kind = Shell::successor();
                    }
                }
                Kind::Program(running) => {
                    steps = u32::from(matches!(running, Running::Start));
                    let outcome = programs::run(self, pid, running, world);
                    self.settle(pid, &mut kind, outcome);
                }
                Kind::Taken => {}
            }
        }
        if let Some(p) = self.procs.get_mut(&pid) {
            p.kind = kind;
            if matches!(p.state, State::Done(_)) {
                world.calls.extend(goodbyes(&self.spec.id, pid, &mut p.kind));
            }
            let work = Duration(STEP_COST.0 * u64::from(steps));
            if p.state == State::Ready {
                // It used its slice up.
                p.state = State::Sleeping(self.meter.work(p.clock, work, self.spec.cpu_limit_milli));
            } else if steps > 0 {
                self.meter.work(p.clock, work, self.spec.cpu_limit_milli);
            }
        }
        self.count(at, world);
        self.check_end(pid);
        world.calls.append(&mut self.goodbyes);
    }

    /// What the processes take all the time, as they are now.
    pub fn count(&mut self, now: Time, world: &World) {
        let (mut milli, mut bytes) = (0, 0);
        for p in self.procs.values().filter(|p| !matches!(p.state, State::Done(_))) {
            let (m, b) = match &p.kind {
                Kind::Shell(_) | Kind::Taken => (0, SHELL_BYTES),
                Kind::Program(Running::Serving { server, .. }) => {
                    (u64::from(server.idle_milli), u64::from(server.memory_mib) << 20)
                }
                // What they take is their master's.
                Kind::Program(Running::Worker) => (0, 0),
                Kind::Program(Running::Redis(r)) => (u64::from(r.server.idle_milli), r.resident()),
                Kind::Program(Running::Hogging { milli, .. }) => (*milli, PROGRAM_BYTES),
                Kind::Program(Running::Growing(left)) => {
                    // As far as it got, on a node whose programs run so many times faster.
                    let lived = now.since(self.started).0.saturating_mul(u64::from(world.speed.max(1)));
                    (0, programs::grown(left.unsigned_abs(), Duration(lived)))
                }
                Kind::Program(_) => (0, PROGRAM_BYTES),
            };
            milli += m;
            bytes += b;
        }
        let cap = |n: u64, limit: Option<i64>| {
            limit.and_then(|l| u64::try_from(l).ok()).filter(|l| *l > 0).map_or(n, |l| n.min(l))
        };
        self.meter.set_steady(now, cap(milli, self.spec.cpu_limit_milli));
        self.meter.memory_bytes = cap(bytes, self.spec.memory_limit_bytes);
    }

    /// There is more than the limit lets it have: the kernel kills the whole control group.
    pub fn out_of_memory(&mut self, at: Time) {
        self.exit = Some(MachineExit { at, code: 137, signal: None, oom: true });
    }

    /// Carries out what a program said.
    pub fn settle(&mut self, pid: u32, kind: &mut Kind, outcome: Outcome) {
        let Some(p) = self.procs.get_mut(&pid) else { return };
        match outcome {
            Outcome::Exit(code) => p.state = State::Done(code),
            Outcome::Sleep(until, next) => {
                p.state = State::Sleeping(until);
                *kind = Kind::Program(next);
            }
            Outcome::Block(next) => {
                p.state = State::Forever;
                *kind = Kind::Program(next);
            }
            Outcome::Read(pipe, next) => {
                p.state = State::Reading(pipe);
                *kind = Kind::Program(next);
            }
            Outcome::Shell(shell) => {
                *kind = Kind::Shell(shell);
                p.state = State::Sleeping(p.clock);
            }
            Outcome::Oom => {
                let at = p.clock;
                p.state = State::Done(137);
                self.out_of_memory(at);
            }
        }
    }

    /// After a step: a pipe's reader may go on, a finished first process ends the container.
    fn check_end(&mut self, pid: u32) {
        let Some(p) = self.procs.get(&pid) else { return };
        let State::Done(code) = p.state else { return };
        let (at, parent) = (p.clock, p.parent);
        if pid == self.first {
            if self.exit.is_none() {
                self.exit = Some(MachineExit { at, code, signal: None, oom: false });
            }
            for p in self.procs.values_mut() {
                p.clock = p.clock.max(at);
            }
            return;
        }
        programs::nginx::end_workers(self, pid);
        // Nobody will ask about an orphan.
        let orphan = parent != 0 && !self.procs.get(&parent).is_some_and(|p| !matches!(p.state, State::Done(_)));
        if orphan {
            self.procs.remove(&pid);
        }
    }

    /// A child's exit code, once; the child is gone afterwards.
    pub fn reap(&mut self, pid: u32) -> Option<i32> {
        let State::Done(code) = self.procs.get(&pid)?.state else { return None };
        self.procs.remove(&pid);
        Some(code)
    }

    /// Sends a signal. Process 1 gets no default actions from the kernel: without a handler of its own it ignores
    /// SIGTERM.
    pub fn signal(&mut self, pid: u32, signal: i32, now: Time) -> bool {
        let Some(p) = self.procs.get_mut(&pid) else { return false };
        if matches!(p.state, State::Done(_)) {
            return false;
        }
        p.clock = p.clock.max(now);
        if signal == SIGKILL {
            p.state = State::Done(128 + SIGKILL);
            let goodbye = goodbyes(&self.spec.id, pid, &mut p.kind);
            self.goodbyes.extend(goodbye);
            if pid == self.first {
                self.exit = Some(MachineExit { at: now, code: 137, signal: None, oom: false });
            }
            return true;
        }
        p.pending.push(signal);
        true
    }

    fn deliver(&mut self, pid: u32, kind: &mut Kind, signal: i32, world: &mut World) {
        let handled = match kind {
            Kind::Shell(shell) => shell.signal(signal),
            Kind::Program(Running::Serving { server, .. }) if signal == SIGHUP && super::nginx::is(server) => {
                programs::nginx::renew(self, pid, world);
                true
            }
            Kind::Program(Running::Serving { server, .. })
                if signal == SIGTERM || signal == SIGINT || signal == SIGQUIT && super::nginx::is(server) =>
            {
                let server: &'static Server = server;
                let until = self.procs.get(&pid).map_or(Time(0), |p| p.clock)
                    + world.scaled(Duration::from_millis(u64::from(server.term_ms)));
                if super::nginx::is(server) {
                    let now = self.procs.get(&pid).map_or(Time(0), |p| p.clock);
                    programs::nginx::ends(self, pid, signal, now, world);
                }
                for line in server.term_log {
                    let now = self.procs.get(&pid).map_or(Time(0), |p| p.clock);
                    let line = super::requests::filled(line, self, now);
                    self.emit(pid, &format!("{line}\n"), false, world);
                }
                *kind = Kind::Program(Running::Ending(server.term_code));
                if let Some(p) = self.procs.get_mut(&pid) {
                    p.state = State::Sleeping(until);
                }
                true
            }
            Kind::Program(Running::Redis(redis)) if signal == SIGTERM || signal == SIGINT => {
                if super::redis::process::terminate(redis, self, pid, signal, world) {
                    *kind = Kind::Program(Running::Ending(0));
                }
                if let Some(p) = self.procs.get_mut(&pid) {
                    p.state = State::Sleeping(p.clock);
                }
                true
            }
            _ => false,
        };
        if let (true, Kind::Shell(shell), Some(p)) = (handled, &*kind, self.procs.get_mut(&pid))
            && shell.waits_for_jobs()
        {
            p.state = State::Sleeping(p.clock);
        }
        if handled || pid == 1 {
            // A shell sees its traps when the foreground command has ended.
            return;
        }
        if let Some(p) = self.procs.get_mut(&pid) {
            p.state = State::Done(128 + signal);
        }
    }

    /// Writes to a process's standard output or error.
    pub fn emit(&mut self, pid: u32, text: &str, error: bool, world: &mut World) {
        self.emit_bytes(pid, text.as_bytes(), error, world);
    }

    pub fn emit_bytes(&mut self, pid: u32, data: &[u8], error: bool, world: &mut World) {
        let Some(p) = self.procs.get(&pid) else { return };
        let (out, at) = (if error { p.fds.stderr.clone() } else { p.fds.stdout.clone() }, p.clock);
        // Who ignores write errors loses data.
        let _ = self.write_to(&out, data, at, world);
    }

    /// All that a program has to say. Whether it could: it complains when it could not.
    pub fn speak(&mut self, pid: u32, program: &str, out: &[u8], err: &[u8], world: &mut World) -> bool {
        self.emit_bytes(pid, err, true, world);
        let Some(p) = self.procs.get(&pid) else { return true };
        let (stdout, at) = (p.fds.stdout.clone(), p.clock);
        let written = self.write_to(&stdout, out, at, world);
        if let Err(why) = written {
            self.emit(pid, &format!("{program}: write error: {}\n", why.text()), true, world);
        }
        written.is_ok()
    }

    /// To the container's log, and to who is attached.
    pub fn print(&mut self, at: Time, data: &[u8]) {
        self.log.write(at, data);
        self.tell_attached(data);
    }

    /// A server's line of a request, of which the log keeps fewer.
    pub fn print_request(&mut self, at: Time, line: &[u8]) {
        self.log.write_request(at, line);
        self.tell_attached(line);
    }

    fn tell_attached(&mut self, data: &[u8]) {
        for tap in self.taps.values_mut() {
            tap.extend_from_slice(data);
        }
    }

    /// # Errors
    /// A file takes it not.
    pub fn write_to(&mut self, out: &Output, data: &[u8], at: Time, world: &mut World) -> Result<(), FsError> {
        match out {
            Output::Log => self.print(at, data),
            Output::Null => {}
            Output::Pipe(n) => {
                if let Some(b) = self.pipes.get_mut(n)
                    && b.len() < 16 * PIPE_BYTES
                {
                    b.extend_from_slice(data);
                }
            }
            Output::File(path) => match path.as_str() {
                "/dev/stdout" | "/dev/stderr" | "/proc/1/fd/1" | "/proc/1/fd/2" => self.print(at, data),
                _ => return self.fs.write(path, data, true, world.volumes),
            },
        }
        Ok(())
    }

    /// What `nc -l` sends to whoever connects to `port`.
    pub fn given(&self, port: u16) -> Option<&[u8]> {
        self.procs.values().find_map(|p| match &p.kind {
            Kind::Program(Running::Answering { text, ports, .. }) if ports.contains(&port) => Some(text.as_slice()),
            _ => None,
        })
    }

    /// What listens in this container: port, server, its arguments, and since when.
    pub fn listeners(&self) -> impl Iterator<Item = (u16, &'static Server, &[String], Time)> {
        self.procs.values().flat_map(|p| {
            let serving = match (&p.kind, p.state) {
                (_, State::Done(_)) => None,
                (Kind::Program(Running::Serving { server, ports, since }), _) => {
                    Some((*server, ports.as_slice(), *since))
                }
                (Kind::Program(Running::Answering { ports, since, .. }), _) => {
                    Some((&NETCAT, ports.as_slice(), *since))
                }
                (Kind::Program(Running::Redis(r)), _) => Some((r.server, std::slice::from_ref(&r.port), r.since)),
                _ => None,
            };
            serving.into_iter().flat_map(move |(server, ports, since)| {
                ports.iter().map(move |port| (*port, server, p.argv.as_slice(), since))
            })
        })
    }
}
