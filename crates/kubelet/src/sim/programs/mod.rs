//! The programs that images bring. A program says at once how it ends, or how it goes on.

mod argocd;
mod awk;
mod calc;
mod certgen;
mod clients;
pub(super) mod clock;
mod curl;
mod diff;
mod digest;
mod disk;
mod du;
mod dump;
mod fetch;
mod files;
mod find;
mod grep;
mod gzip;
mod info;
mod interfaces;
mod kubectl;
mod list;
mod names;
mod net;
pub(super) mod nginx;
mod options;
mod pi_web;
mod ping;
mod python;
mod redis_cli;
mod regex;
mod rights;
mod script;
mod secrets;
mod sed;
mod show;
mod sort;
mod su;
mod sysctl;
mod tar;
pub(super) mod test;
mod text;
mod work;
mod xargs;

use super::catalogue::{Image, Server, Tools};
use super::fs::normalize;
use super::machine::{Input, Machine, World};
use super::net::{Answer, Call, NetError, Server as Listener};
use super::procfs::Shown;
use super::redis::{self, Redis};
use super::shell::Shell;
use meta::{Duration, Time};
use options::Parsed;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use text::printf;
pub use work::{grown, signal_number};

/// A program that has not ended yet.
#[derive(Clone, Debug)]
pub enum Running {
    Start,
    Serving {
        server: &'static Server,
        ports: Vec<u16>,
        /// When it began (or will begin) to listen.
        since: Time,
    },
    /// `nc -l`: sends what it was given to whoever connects.
    Answering {
        text: Vec<u8>,
        ports: Vec<u16>,
        since: Time,
    },
    /// Ends with this code when it wakes up.
    Ending(i32),
    /// Reads its standard input: what came so far and was not handled yet, and what to remember of the rest.
    Filtering(Vec<u8>, Stream),
    Pinging(Box<ping::Ping>),
    /// `tail -f`: the file, and how much of it was shown.
    Following(String, usize),
    /// `dd` without a count.
    Filling(Box<disk::Filling>),
    /// Grows until the memory limit stops it: `stress --vm`.
    Growing(i64),
    /// Computes without a pause, on so many thousandths of a core; ends with this code when it wakes up.
    Hogging {
        milli: u64,
        code: i32,
    },
    /// Has its answer when it wakes up.
    Answered(Box<Late>),
    /// Waits for an answer from another node; those that it has got so far. It then begins anew and gets the same answers.
    Asking(Vec<Answer>),
    Python(Box<python::Python>),
    Redis(Box<Redis>),
    RedisCli(Box<redis_cli::Cli>),
    /// A server's child, which does what its master is asked for.
    Worker,
    Forever,
}

/// What a program that waits for a server will say, and its exit code.
#[derive(Clone, Debug)]
pub struct Late {
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    pub code: i32,
}

/// What a program does next.
pub enum Outcome {
    Exit(i32),
    Sleep(Time, Running),
    Block(Running),
    Read(u32, Running),
    Shell(Box<Shell>),
    Oom,
}

/// What a program sees and says while it runs.
pub struct Io<'a, 'w> {
    pub m: &'a mut Machine,
    pub pid: u32,
    pub world: &'a mut World<'w>,
    pub argv: Vec<String>,
    pub env: Arc<BTreeMap<String, String>>,
    pub cwd: String,
    pub stdin: Vec<u8>,
    pub stream: Stream,
    pub now: Time,
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    pub asked: Asked,
}

/// What a program that handles its input as it comes has to remember of the parts before.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// This part is not the last.
    pub more: bool,
    /// The program does not want more.
    pub over: bool,
    pub lines: usize,
    pub found: usize,
    /// The last byte of what came before.
    pub last: Option<char>,
    sed: Option<Box<sed::State>>,
}

/// What a program has asked the network for, and the answers.
#[derive(Default)]
pub struct Asked {
    pub answers: Vec<Answer>,
    /// How many of the answers the program has taken.
    pub taken: usize,
    /// What it cannot go on without.
    pub call: Option<Call>,
}

impl Io<'_, '_> {
    pub fn say(&mut self, text: impl AsRef<[u8]>) {
        self.out.extend_from_slice(text.as_ref());
    }
    pub fn line(&mut self, text: impl AsRef<[u8]>) {
        self.say(text);
        self.out.push(b'\n');
    }
    pub fn complain(&mut self, text: impl std::fmt::Display) {
        self.err.extend_from_slice(format!("{text}\n").as_bytes());
    }
    pub fn path(&self, p: &str) -> String {
        normalize(&self.cwd, p)
    }
    pub fn is_busybox(&self) -> bool {
        self.m.image.tools == Tools::Busybox
    }
    /// Arguments that are not options.
    pub fn operands(&self) -> Vec<String> {
        if let Some(parsed) = options::parse(&self.argv) {
            return parsed.operands;
        }
        self.argv.iter().skip(1).filter(|a| !a.starts_with('-') || *a == "-").cloned().collect()
    }
    /// The command line, of a program whose options are known.
    pub fn parsed(&self) -> Parsed {
        options::parse(&self.argv).unwrap_or_default()
    }
    /// Whether the output is a terminal.
    pub fn to_terminal(&self) -> bool {
        self.m.procs.get(&self.pid).is_some_and(|p| self.m.is_terminal(&p.fds.stdout))
    }
    /// Whether a one-letter option is set, alone or in a cluster.
    pub fn flag(&self, letter: char) -> bool {
        if let Some(parsed) = options::parse(&self.argv) {
            return parsed.has(letter);
        }
        self.argv.iter().skip(1).any(|a| a.starts_with('-') && !a.starts_with("--") && a[1..].contains(letter))
    }
}

const SHELLS: &[&str] = &["sh", "ash", "bash", "dash"];

const COMMON: &[&str] = &[
    "[",
    "awk",
    "base64",
    "basename",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "chroot",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "dirname",
    "du",
    "echo",
    "egrep",
    "env",
    "expr",
    "find",
    "false",
    "fgrep",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "hostname",
    "id",
    "kill",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mktemp",
    "mount",
    "mv",
    "nohup",
    "nproc",
    "printenv",
    "printf",
    "pwd",
    "readlink",
    "realpath",
    "rev",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "sleep",
    "sort",
    "stat",
    "sync",
    "tail",
    "tar",
    "tee",
    "test",
    "timeout",
    "touch",
    "tr",
    "true",
    "truncate",
    "uname",
    "uniq",
    "wc",
    "which",
    "xargs",
    "whoami",
    "yes",
    "zcat",
    "cmp",
    "diff",
    "more",
    "nl",
    "od",
    "tac",
];
const BUSYBOX_MORE: &[&str] = &[
    "free",
    "ip",
    "nc",
    "netstat",
    "nslookup",
    "ping",
    "ps",
    "pidof",
    "pgrep",
    "pkill",
    "killall",
    "sh",
    "ash",
    "top",
    "uptime",
    "usleep",
    "vi",
    "wget",
    "hexdump",
    "telnet",
    "sysctl",
    "arp",
    "ifconfig",
    "route",
    "traceroute",
    "su",
];
const DEBIAN_MORE: &[&str] = &["pidof", "bash", "dash", "sh", "apt", "apt-get", "perl", "su"];

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether `name` can be executed in a container of this image.
pub fn exists(image: &Image, name: &str) -> bool {
    let base = base_name(name);
    if name.is_empty() {
        return false;
    }
    if image.server(name).is_some()
        || image.extra.contains(&name)
        || name == image.entrypoint.first().copied().unwrap_or("\0")
    {
        return true;
    }
    if let Some((dir, _)) = name.rsplit_once('/')
        && !matches!(dir, "" | "/bin" | "/usr/bin" | "/usr/local/bin" | "/sbin" | "/usr/sbin" | "/usr/local/sbin")
    {
        return false;
    }
    if image.server(base).is_some() || image.extra.contains(&base) {
        return true;
    }
    if base == "redis-cli" && image.server("redis-server").is_some() {
        return true;
    }
    // The php images, which these are made from, bring it.
    if base == "curl" && image.server("apache2-foreground").is_some() {
        return true;
    }
    if base == "docker-entrypoint.sh" {
        return image.entrypoint.contains(&"docker-entrypoint.sh");
    }
    match image.tools {
        Tools::None => false,
        Tools::Busybox => COMMON.contains(&base) || BUSYBOX_MORE.contains(&base),
        Tools::Debian => COMMON.contains(&base) || DEBIAN_MORE.contains(&base),
    }
}

/// Whether a node's own disk has it, for who goes there by `chroot`.
fn on_node(name: &str) -> bool {
    [COMMON, BUSYBOX_MORE, DEBIAN_MORE].iter().any(|list| list.contains(&base_name(name)))
}

/// runc's words for a command that cannot be executed.
pub fn missing(name: &str) -> String {
    let why = if name.contains('/') {
        format!("stat {name}: no such file or directory")
    } else {
        "executable file not found in $PATH".into()
    };
    format!("exec: {name:?}: {why}")
}

/// Whether a command may read what the kernel says of the container.
pub fn looks_at_kernel(argv: &[String], cwd: &str) -> bool {
    let kernels = |a: &str| a.contains("/proc") || a.contains("/sys");
    kernels(cwd) || argv.iter().any(|a| kernels(a))
}

/// Whether the program may read standard input with these arguments.
fn reads_stdin(argv: &[String]) -> bool {
    let dash = argv.iter().skip(1).any(|a| a == "-");
    let no_files = || match options::parse(argv) {
        Some(parsed) => parsed.operands.is_empty(),
        None => !argv.iter().skip(1).any(|a| !a.starts_with('-') || a == "-"),
    };
    match base_name(&argv[0]) {
        "cat" | "wc" | "sort" | "uniq" | "base64" | "md5sum" | "sha1sum" | "sha256sum" | "sha512sum" | "head"
        | "tail" | "cut" | "rev" | "nl" | "tac" | "more" | "od" | "hexdump" => dash || no_files(),
        "grep" | "egrep" | "fgrep" => options::parse(argv).is_some_and(|p| grep::reads_stdin(&p)),
        "sed" => options::parse(argv).is_some_and(|p| {
            let script = usize::from(!p.has('e') && !p.has('f'));
            dash || p.operands.len() <= script
        }),
        "diff" => dash,
        "cmp" => dash || options::parse(argv).is_some_and(|p| p.operands.len() == 1),
        "tr" | "tee" | "xbstream" | "xargs" => true,
        "dd" => !argv.iter().any(|a| a.starts_with("if=")),
        "gzip" | "gunzip" | "zcat" => gzip::reads_stdin(argv),
        "awk" => awk::reads_stdin(argv),
        "tar" => tar::reads_stdin(argv),
        "kubectl" => dash || argv.iter().any(|a| a == "-f=-" || a == "--filename=-" || a == "-f-"),
        "nc" => !argv.iter().skip(1).any(|a| a.starts_with('-') && a.contains('z')),
        "telnet" => true,
        _ => false,
    }
}

/// Handles what it has line by line, rather than at the end of its input.
fn streams(argv: &[String]) -> bool {
    match base_name(&argv[0]) {
        "cat" | "tee" | "cut" | "rev" => true,
        // What is squeezed may go on in the next line.
        "tr" => !options::parse(argv).is_some_and(|p| p.has('s')),
        "sed" => sed::streams(argv),
        "grep" | "egrep" | "fgrep" => options::parse(argv).is_some_and(|p| grep::streams(&p)),
        _ => false,
    }
}

/// Steps process `pid`, which is a program.
pub fn run(m: &mut Machine, pid: u32, running: &mut Running, world: &mut World) -> Outcome {
    match std::mem::replace(running, Running::Start) {
        Running::Start => start(m, pid, Vec::new(), world),
        Running::Asking(answers) => start(m, pid, answers, world),
        Running::Ending(code) | Running::Hogging { code, .. } => Outcome::Exit(code),
        Running::Answered(late) => {
            m.emit_bytes(pid, &late.err, true, world);
            m.emit_bytes(pid, &late.out, false, world);
            Outcome::Exit(late.code)
        }
        Running::Forever => Outcome::Block(Running::Forever),
        Running::Worker => Outcome::Block(Running::Worker),
        serving @ (Running::Serving { .. } | Running::Answering { .. }) => Outcome::Block(serving),
        Running::Filtering(buffer, stream) => filter(m, pid, buffer, stream, world),
        Running::Pinging(ping) => ping::go_on(ping, m, pid, world),
        Running::Following(path, seen) => work::follow(m, pid, path, seen, world),
        Running::Filling(f) => disk::go_on(f, m, pid, world),
        Running::Growing(bytes) => work::grow(m, pid, bytes, world),
        Running::Python(program) => python::run(program, m, pid, world),
        Running::Redis(server) => redis::process::run(server, m, pid, world),
        Running::RedisCli(cli) => redis_cli::run(cli, m, pid, world),
    }
}

fn io<'a, 'w>(m: &'a mut Machine, pid: u32, stdin: Vec<u8>, world: &'a mut World<'w>) -> Option<Io<'a, 'w>> {
    let p = m.procs.get(&pid)?;
    let (argv, env, cwd, now) = (p.argv.clone(), p.env.clone(), p.cwd.clone(), p.clock);
    let asked = Asked::default();
    let stream = Stream::default();
    world.volumes.now = now;
    Some(Io { m, pid, world, argv, env, cwd, stdin, stream, now, out: Vec::new(), err: Vec::new(), asked })
}

/// The way from a process to a host's port.
///
/// # Errors
/// There is none.
pub fn reach(m: &mut Machine, pid: u32, host: &str, port: u16, world: &mut World) -> Result<Listener, NetError> {
    let mut io = io(m, pid, Vec::new(), world).ok_or(NetError::Unreachable)?;
    net::reach(&mut io, host, port)
}

fn start(m: &mut Machine, pid: u32, answers: Vec<Answer>, world: &mut World) -> Outcome {
    if let Some(p) = m.procs.get(&pid).filter(|p| looks_at_kernel(&p.argv, &p.cwd)) {
        m.fs.shown = Arc::new(Shown::new(m, pid, &p.argv.clone()));
    }
    let Some(p) = m.procs.get_mut(&pid) else { return Outcome::Exit(0) };
    if p.argv.is_empty() {
        return Outcome::Exit(0);
    }
    if base_name(&p.argv[0]) == "docker-entrypoint.sh" || p.argv[0] == "/entrypoint.sh" {
        // Runs its arguments, or the server with them when they are options. Those of curl's images put curl in front of
        // options, and of what is no command.
        p.argv.remove(0);
        let option = p.argv.first().is_none_or(|a| a.starts_with('-'));
        if option && let Some(s) = m.image.servers.first() {
            p.argv.insert(0, s.program.into());
        } else if m.image.cmd == ["curl"] && p.argv.first().is_none_or(|a| option || !exists(m.image, a)) {
            p.argv.insert(0, "curl".into());
        }
        if p.argv.is_empty() {
            return Outcome::Exit(0);
        }
    }
    let rooted = m.procs.get(&pid).is_some_and(|p| crate::sim::fs::is_rooted(&p.cwd));
    let name = &m.procs[&pid].argv[0];
    let is_there = exists(m.image, name) || (rooted && on_node(name));
    if !is_there {
        let name = m.procs[&pid].argv[0].clone();
        let shell = if m.image.tools == Tools::Debian { "exec" } else { "sh" };
        m.emit(pid, &format!("{shell}: {name}: not found\n"), true, world);
        return Outcome::Exit(127);
    }
    let argv = m.procs[&pid].argv.clone();
    let name = base_name(&argv[0]);
    if let Some(server) = m.image.server(&argv[0]).or_else(|| m.image.server(name)) {
        if server.program == "redis-server" {
            return redis::process::start(m, pid, server, world);
        }
        return work::serve(m, pid, server, world);
    }
    if SHELLS.contains(&name) {
        return match Shell::from_args(&argv, &m.procs[&pid].env.clone()) {
            Ok(shell) => Outcome::Shell(Box::new(shell)),
            Err(message) => {
                m.emit(pid, &format!("{message}\n"), true, world);
                Outcome::Exit(2)
            }
        };
    }
    if name == "redis-cli" {
        return redis_cli::start(m, pid, world);
    }
    if reads_stdin(&argv) {
        let data = match &mut m.procs.get_mut(&pid).map(|p| &mut p.fds.stdin) {
            // What somebody types there comes after the connection.
            Some(Input::Pipe(pipe)) if matches!(name, "nc" | "telnet") && m.outside.contains_key(pipe) => Vec::new(),
            Some(Input::Pipe(pipe)) => return Outcome::Read(*pipe, Running::Filtering(Vec::new(), Stream::default())),
            Some(Input::Data(data, at)) => data[(*at).min(data.len())..].to_vec(),
            _ => Vec::new(),
        };
        return go(m, pid, data, answers, &mut Stream::default(), world);
    }
    go(m, pid, Vec::new(), answers, &mut Stream::default(), world)
}

/// Runs the program with its whole input.
fn finish(m: &mut Machine, pid: u32, stdin: Vec<u8>, mut stream: Stream, world: &mut World) -> Outcome {
    stream.more = false;
    if let Some(p) = m.procs.get_mut(&pid).filter(|p| base_name(&p.argv[0]) == "kubectl") {
        // It begins anew with every answer.
        p.fds.stdin = Input::Data(stdin.clone().into(), 0);
    }
    go(m, pid, stdin, Vec::new(), &mut stream, world)
}

fn go(
    m: &mut Machine,
    pid: u32,
    stdin: Vec<u8>,
    answers: Vec<Answer>,
    stream: &mut Stream,
    world: &mut World,
) -> Outcome {
    let Some(mut io) = io(m, pid, stdin, world) else { return Outcome::Exit(0) };
    io.asked.answers = answers;
    io.stream = std::mem::take(stream);
    let outcome = dispatch(&mut io);
    *stream = std::mem::take(&mut io.stream);
    if let Some(call) = io.asked.call.take() {
        // What it made of the lack of an answer never happened.
        let answers = std::mem::take(&mut io.asked.answers);
        world.calls.push(call);
        return Outcome::Block(Running::Asking(answers));
    }
    let (out, err, argv) = (std::mem::take(&mut io.out), std::mem::take(&mut io.err), std::mem::take(&mut io.argv));
    let written = m.speak(pid, base_name(argv.first().map_or("", |a| a)), &out, &err, world);
    if !written && matches!(outcome, Outcome::Exit(0)) { Outcome::Exit(1) } else { outcome }
}

fn filter(m: &mut Machine, pid: u32, mut buffer: Vec<u8>, mut stream: Stream, world: &mut World) -> Outcome {
    let Some(p) = m.procs.get(&pid) else { return Outcome::Exit(0) };
    let (Input::Pipe(pipe), argv) = (p.fds.stdin.clone(), p.argv.clone()) else {
        return finish(m, pid, buffer, stream, world);
    };
    let data = m.pipes.get_mut(&pipe).map(std::mem::take).unwrap_or_default();
    if data.is_empty() {
        match m.outside.get_mut(&pipe) {
            Some(o) if o.open => o.eofs = o.eofs.saturating_sub(1),
            _ => {
                m.pipes.remove(&pipe);
            }
        }
        return finish(m, pid, buffer, stream, world);
    }
    buffer.extend(data);
    if base_name(&argv[0]) == "head" && text::head_is_full(&argv, &buffer) {
        return finish(m, pid, buffer, stream, world);
    }
    let whole = buffer.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    if streams(&argv) && whole > 0 {
        let rest = buffer.split_off(whole);
        stream.more = true;
        let outcome = go(m, pid, buffer, Vec::new(), &mut stream, world);
        if stream.over {
            return outcome;
        }
        return Outcome::Read(pipe, Running::Filtering(rest, stream));
    }
    Outcome::Read(pipe, Running::Filtering(buffer, stream))
}

/// A program that ends at once, run in place: what the shell does with most commands. `None`: it must have a process
/// of its own.
pub fn inline(io: &mut Io) -> Option<i32> {
    let name = base_name(&io.argv[0]).to_string();
    let own = SHELLS.contains(&name.as_str())
        || matches!(name.as_str(), "redis-cli" | "nohup" | "ps" | "top" | "dd" | "ping" | "xargs")
        // What is done in place and then once more by a process would be done twice.
        || name == "find" && io.argv.iter().any(|a| a.starts_with("-exec") || a == "-ok")
        || name == "docker-entrypoint.sh"
        || io.m.image.server(&io.argv[0]).or_else(|| io.m.image.server(&name)).is_some()
        || reads_stdin(&io.argv);
    if own || !exists(io.m.image, &io.argv[0].clone()) {
        return None;
    }
    if looks_at_kernel(&io.argv, &io.cwd) {
        io.m.fs.shown = Arc::new(Shown::new(io.m, io.m.next_pid(), &io.argv));
    }
    let sent = io.world.sent.len();
    match dispatch(io) {
        Outcome::Exit(code) if io.asked.call.is_none() => Some(code),
        _ => {
            // The process that it needs does all of it.
            io.world.sent.truncate(sent);
            io.out.clear();
            io.err.clear();
            None
        }
    }
}

fn dispatch(io: &mut Io) -> Outcome {
    let name = base_name(&io.argv[0]).to_string();
    let code = match name.as_str() {
        "echo" => text::echo(io),
        "printf" => text::printf_program(io),
        "cat" => show::cat(io),
        "nl" => show::nl(io),
        "tac" => show::tac(io),
        "more" => show::more(io),
        "od" => dump::od(io),
        "hexdump" => dump::hexdump(io),
        "diff" => diff::diff(io),
        "cmp" => diff::cmp(io),
        "grep" | "egrep" | "fgrep" => grep::grep(io),
        "wc" => text::wc(io),
        "head" => text::head(io),
        "tail" => return text::tail(io),
        "seq" => text::seq(io),
        "sort" => sort::sort(io),
        "uniq" => text::uniq(io),
        "tr" => text::tr(io),
        "rev" => text::rev(io),
        "gzip" | "gunzip" | "zcat" => gzip::gzip(io, &name),
        "awk" => awk::awk(io),
        "cut" => text::cut(io),
        "sed" => sed::sed(io),
        "tar" => tar::tar(io),
        "tee" => text::tee(io),
        "base64" => text::base64(io),
        "touch" => files::touch(io),
        "rm" | "rmdir" => files::remove(io),
        "mkdir" => files::mkdir(io),
        "ls" => list::ls(io),
        "chmod" => rights::chmod(io),
        "chown" | "chgrp" => rights::chown(io),
        "stat" => rights::stat(io),
        "readlink" | "realpath" => list::readlink(io, &name),
        "mount" => info::mount(io),
        "cp" | "mv" => files::copy(io),
        "dd" => return disk::dd(io),
        "ln" => files::ln(io),
        "truncate" => disk::truncate(io),
        "find" => return find::find(io),
        "xargs" => return xargs::xargs(io),
        "du" => du::du(io),
        "md5sum" | "sha1sum" | "sha256sum" | "sha512sum" => digest::sum(io, &name),
        "pidof" | "pgrep" | "pkill" | "killall" => work::by_name(io, &name),
        "mktemp" => files::mktemp(io),
        "sync" => 0,
        "test" | "[" => test::program(io),
        // Calico's: they install, or say that the node's agent is well.
        "true" | "install" | "calico-node" | "check-status" => 0,
        "curlchk" => {
            let url = script::quote(io.argv.get(1).map_or("", String::as_str));
            let asks = "code=$(curl -s -o /dev/null -w '%{http_code}' $url)";
            let says = "if [ \"$code\" = 200 ]; then echo \"$(date)  Okay [$url] is working properly\"; \
                        else echo \"$(date)  NOOO [$url] is not working on\"; fi";
            return script::run(io, &format!("url={url}; {asks}; {says}"));
        }
        "kube-webhook-certgen" => certgen::run(io),
        "argocd" => argocd::run(io),
        "false" => 1,
        "expr" => calc::expr(io),
        "date" => info::date(io),
        "hostname" | "env" | "printenv" | "uname" | "id" | "whoami" | "nproc" | "pwd" | "basename" | "dirname"
        | "which" | "ps" | "top" | "df" | "free" | "uptime" => return info::run(io, &name),
        "kill" => work::kill(io),
        "wget" | "curl" | "nc" | "telnet" | "nslookup" | "dig" | "apt" | "apt-get" | "pip" | "npm" | "netstat"
        | "host" => return net::run(io, &name),
        "ip" | "ifconfig" | "route" | "arp" => interfaces::run(io, &name),
        "su" => return su::su(io),
        "sysctl" => sysctl::run(io),
        "ping" => return ping::ping(io),
        "kubectl" => return kubectl::run(io),
        _ if clients::is_client(&name) => return clients::run(io, &name),
        "nohup" => return info::nohup(io),
        "sleep" | "usleep" => return work::sleep(io),
        "timeout" => return work::timeout(io),
        "chroot" => return files::chroot(io),
        "stress" if io.argv[0] == "/stress" => return work::go_stress(io),
        "socat" => return Outcome::Block(Running::Forever),
        "stress" | "stress-ng" => return work::stress(io, &name),
        "perl" | "python" | "python3" | "node" | "go" | "ruby" | "java" => return work::interpreter(io, &name),
        "yes" => {
            io.say("y\n".repeat(1000));
            0
        }
        "hello" => {
            io.say(
                "\nHello from Docker!\nThis message shows that your installation appears to be working correctly.\n\n",
            );
            0
        }
        "amicontained" => {
            io.say(
                "Container Runtime: kube\nHas Namespaces:\n\tpid: true\n\tuser: false\nCapabilities:\n\tBOUNDING -> chown \
                 dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod \
                 audit_write setfcap\nSeccomp: disabled\n",
            );
            0
        }
        "consume-cpu" | "consumer" => return Outcome::Block(Running::Hogging { milli: 1000, code: 0 }),
        _ => {
            io.complain(format!("{name}: this program is not simulated"));
            1
        }
    };
    Outcome::Exit(code)
}

/// The time a program ends that takes `d` of its own.
fn after(io: &Io, d: Duration) -> Time {
    io.now + io.world.scaled(d)
}
