//! `redis-cli`: one command, those of its input, or a conversation.

use super::{Listener, Outcome, Running, reach};
use crate::sim::machine::{Input, Machine, World};
use crate::sim::net::{Answer, Call, NetError, Talk};
use crate::sim::redis;
use crate::sim::redis::reply::{Reply, command, words};
use meta::{Duration, Time};
use std::collections::VecDeque;

/// How long Linux tries to connect to who does not answer.
const CONNECT: Duration = Duration::from_secs(127);
/// At least so long is between a command and its repetition.
const ROUND_TRIP: Duration = Duration::from_millis(1);
/// `-r -1`: without end.
const FOR_EVER: u64 = u64::MAX;
const UNSAFE: &str =
    "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n";

#[derive(Clone, Debug)]
pub struct Cli {
    host: String,
    port: u16,
    user: String,
    password: String,
    db: usize,
    /// Formatted for people.
    formatted: bool,
    raw: bool,
    /// `-r`: how often it says a command.
    repeat: u64,
    interval: Duration,
    /// Its last argument is what its input holds.
    input_is_argument: bool,
    /// `-e`: an error is an exit code.
    strict: bool,
    /// One command on the command line.
    once: bool,
    terminal: bool,
    /// Who is at the other end of its connection.
    pub server: Option<Listener>,
    /// It has said who it is, and which database it wants.
    greeted: bool,
    /// What it waits for.
    asked: Option<Asked>,
    pub heard: Option<Answer>,
    /// Commands, and how often each is (still) to be said.
    todo: VecDeque<(u64, Vec<String>)>,
    /// The next one is a repetition.
    again: bool,
    buffer: Vec<u8>,
    prompted: bool,
    ended: bool,
    transaction: bool,
    code: i32,
}

#[derive(Clone, Debug)]
struct Asked {
    argv: Vec<String>,
    /// Replies that come before that of the command.
    greetings: usize,
    at: Time,
}

fn parse(m: &Machine, pid: u32) -> Result<(Cli, bool), String> {
    let p = &m.procs[&pid];
    let terminal = matches!(p.fds.stdin, Input::Pipe(i) if m.outside.get(&i).is_some_and(|o| o.terminal.is_some()));
    let mut c = Cli {
        host: "127.0.0.1".into(),
        port: 6379,
        user: String::new(),
        password: p.env.get("REDISCLI_AUTH").cloned().unwrap_or_default(),
        db: 0,
        formatted: m.is_terminal(&p.fds.stdout),
        raw: false,
        repeat: 1,
        interval: Duration::ZERO,
        input_is_argument: false,
        strict: false,
        once: false,
        terminal,
        server: None,
        greeted: false,
        asked: None,
        heard: None,
        todo: VecDeque::new(),
        again: false,
        buffer: Vec::new(),
        prompted: false,
        ended: false,
        transaction: false,
        code: 0,
    };
    let mut warns = false;
    let mut quiet = false;
    let mut args = p.argv.iter().skip(1);
    let mut rest = Vec::new();
    while let Some(a) = args.next() {
        let unknown = || format!("Unrecognized option or bad number of args for: '{a}'");
        let mut value = || args.next().cloned().ok_or_else(unknown);
        match a.as_str() {
            "-h" => c.host = value()?,
            "-p" => c.port = value()?.parse().map_err(|_| "Invalid server port.".to_string())?,
            "-a" | "--pass" => (c.password, warns) = (value()?, true),
            "--user" => c.user = value()?,
            "-n" => c.db = value()?.parse().unwrap_or(0),
            "-r" => c.repeat = u64::try_from(value()?.parse::<i64>().unwrap_or(0)).unwrap_or(FOR_EVER),
            "-i" => {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let micros = (value()?.parse::<f64>().unwrap_or(0.0).max(0.0) * 1e6) as u64;
                c.interval = Duration(micros);
            }
            "-u" => {
                let url = value()?;
                let rest = url.split_once("://").map_or(url.as_str(), |(_, r)| r);
                let (login, rest) = rest.rsplit_once('@').map_or((None, rest), |(l, r)| (Some(l), r));
                let (address, db) = rest.split_once('/').unwrap_or((rest, "0"));
                let (host, port) = address.split_once(':').unwrap_or((address, "6379"));
                (c.host, c.port, c.db) = (host.into(), port.parse().unwrap_or(6379), db.parse().unwrap_or(0));
                if let Some(login) = login {
                    let (user, password) = login.split_once(':').unwrap_or(("", login));
                    (c.user, c.password, warns) = (user.into(), password.into(), true);
                }
            }
            "--raw" => (c.formatted, c.raw) = (false, true),
            "--no-raw" => c.formatted = true,
            "--no-auth-warning" => quiet = true,
            "-x" => c.input_is_argument = true,
            "-e" => c.strict = true,
            "-3" | "-2" | "-c" => {}
            "-t" | "-s" => _ = value()?,
            "--scan" => rest = vec!["--scan".into()],
            "--pattern" if rest.first().is_some_and(|r| r == "--scan") => rest.push(value()?),
            a if a.starts_with('-') && a.len() > 1 => return Err(unknown()),
            _ => {
                rest.push(a.clone());
                rest.extend(args.by_ref().cloned());
            }
        }
    }
    if rest.first().is_some_and(|r| r == "--scan") {
        let pattern = rest.get(1).cloned().unwrap_or_else(|| "*".into());
        rest = vec!["KEYS".into(), pattern];
    }
    c.once = !rest.is_empty();
    c.terminal &= !c.once;
    if c.once {
        c.plan(c.repeat, rest);
    }
    Ok((c, warns && !quiet))
}

pub fn start(m: &mut Machine, pid: u32, world: &mut World) -> Outcome {
    if m.procs[&pid].argv.iter().skip(1).any(|a| a == "-v" || a == "--version") {
        m.emit(pid, "redis-cli 8.2.2\n", false, world);
        return Outcome::Exit(0);
    }
    match parse(m, pid) {
        Ok((cli, warns)) => {
            if warns {
                m.emit(pid, UNSAFE, true, world);
            }
            run(Box::new(cli), m, pid, world)
        }
        Err(why) => {
            m.emit(pid, &format!("{why}\n"), true, world);
            Outcome::Exit(1)
        }
    }
}

/// A text as it stands in quotes. Models `sdscatrepr`.
fn quoted(s: &str) -> String {
    let mut out = String::from("\"");
    for b in s.bytes() {
        match b {
            b'\\' | b'"' => out.extend(['\\', char::from(b)]),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            7 => out.push_str("\\a"),
            8 => out.push_str("\\b"),
            b' '..=b'~' => out.push(char::from(b)),
            _ => out.push_str(&format!("\\x{b:02x}")),
        }
    }
    out.push('"');
    out
}

/// For people. Models `cliFormatReplyTTY`.
fn formatted(r: &Reply, prefix: &str) -> String {
    match r {
        Reply::Error(s) => format!("(error) {s}\n"),
        Reply::Status(s) => format!("{s}\n"),
        Reply::Int(n) => format!("(integer) {n}\n"),
        Reply::Bulk(Some(s)) => format!("{}\n", quoted(s)),
        Reply::Bulk(None) | Reply::Array(None) => "(nil)\n".into(),
        Reply::Array(Some(all)) if all.is_empty() => "(empty array)\n".into(),
        Reply::Array(Some(all)) => {
            let width = all.len().to_string().len();
            let inner = format!("{prefix}{}", " ".repeat(width + 2));
            let one = |(n, r): (usize, &Reply)| {
                let before = if n == 0 { "" } else { prefix };
                format!("{before}{:>width$}) {}", n + 1, formatted(r, &inner))
            };
            all.iter().enumerate().map(one).collect()
        }
    }
}

/// For programs. Models `cliFormatReplyRaw`.
fn raw(r: &Reply) -> String {
    match r {
        Reply::Error(s) => format!("{s}\n"),
        Reply::Status(s) => s.clone(),
        Reply::Int(n) => n.to_string(),
        Reply::Bulk(s) => s.clone().unwrap_or_default(),
        Reply::Array(all) => all.iter().flatten().map(raw).collect::<Vec<_>>().join("\n"),
    }
}

impl Cli {
    /// It ends, and with it its connection.
    fn leave(&self, code: i32, m: &Machine, pid: u32, world: &mut World) -> Outcome {
        let call = |server| redis::process::call(&m.spec.id, pid, server, 0, String::new(), true);
        world.calls.extend(self.server.clone().map(call));
        Outcome::Exit(code)
    }

    fn plan(&mut self, times: u64, argv: Vec<String>) {
        if times > 0 {
            self.todo.push_back((times, argv));
        }
    }

    /// The next command.
    fn next_command(&mut self) -> Option<Vec<String>> {
        let (left, argv) = self.todo.front_mut()?;
        let argv = argv.clone();
        if *left != FOR_EVER {
            *left -= 1;
        }
        self.again = *left > 0;
        if *left == 0 {
            self.todo.pop_front();
        }
        Some(argv)
    }

    fn prompt(&self) -> String {
        if self.server.is_none() {
            return "not connected> ".into();
        }
        let db = if self.db == 0 { String::new() } else { format!("[{}]", self.db) };
        let tx = if self.transaction { "(TX)" } else { "" };
        format!("{}:{}{db}{tx}> ", self.host, self.port)
    }

    fn shown(&self, r: &Reply, command: &str) -> String {
        // What is text for people is shown as it is.
        let text = matches!(command, "info" | "lolwut")
            || command == "memory" && matches!(r, Reply::Bulk(Some(s)) if s.len() > 40);
        match r {
            Reply::Bulk(Some(s)) if self.formatted && text => s.clone(),
            _ if self.formatted => formatted(r, ""),
            _ => raw(r) + "\n",
        }
    }

    /// Sends a command, and what belongs before it.
    fn send(&mut self, argv: Vec<String>, m: &Machine, pid: u32, now: Time) -> Option<Call> {
        let server = self.server.clone()?;
        let (mut text, mut greetings) = (String::new(), 0);
        if !self.greeted {
            if !self.password.is_empty() {
                let user = Some(self.user.clone()).filter(|u| !u.is_empty());
                let auth: Vec<String> =
                    ["AUTH".to_string()].into_iter().chain(user).chain([self.password.clone()]).collect();
                text.push_str(&command(&auth));
                greetings += 1;
            }
            if self.db != 0 {
                text.push_str(&command(&["SELECT".into(), self.db.to_string()]));
                greetings += 1;
            }
            self.greeted = true;
        }
        text.push_str(&command(&argv));
        self.asked = Some(Asked { argv, greetings, at: now });
        let closes = self.once && self.todo.is_empty();
        let talk = Talk { text, connection: 0, closes };
        Some(Call { id: m.spec.id.clone(), pid, server, http: false, api: None, talk: Some(talk) })
    }

    /// What an answer came to: what is said, and what is complained about.
    fn take(&mut self, asked: &Asked, answer: Answer, now: Time) -> (String, String) {
        let body = match answer {
            Ok(Some(served)) => served.response.body,
            failed => {
                self.server = None;
                self.greeted = false;
                if asked.argv[0].eq_ignore_ascii_case("shutdown") {
                    return (String::new(), String::new());
                }
                if self.once {
                    self.code = 1;
                }
                let said = match failed {
                    Err(NetError::NotHttp) => "Error: Server closed the connection\n".into(),
                    Err(e) => self.no_connection(e),
                    Ok(_) => String::new(),
                };
                return (String::new(), said);
            }
        };
        let (mut out, mut err) = (String::new(), String::new());
        let (mut rest, mut n) = (body.as_str(), 0);
        while let Some((reply, after)) = Reply::decode(rest) {
            rest = after;
            n += 1;
            if n <= asked.greetings {
                if let Reply::Error(why) = &reply {
                    let what = if n == 1 && !self.password.is_empty() { "AUTH" } else { "SELECT" };
                    err.push_str(&format!("{what} failed: {why}\n"));
                }
                continue;
            }
            let name = asked.argv[0].to_ascii_lowercase();
            match (name.as_str(), &reply) {
                ("select", Reply::Status(_)) => self.db = asked.argv.get(1).and_then(|n| n.parse().ok()).unwrap_or(0),
                ("multi", Reply::Status(_)) => self.transaction = true,
                ("exec" | "discard", Reply::Error(why)) if why.contains("without MULTI") => {}
                ("exec" | "discard", _) => self.transaction = false,
                _ => {}
            }
            if self.strict && matches!(reply, Reply::Error(_)) {
                self.code = 1;
            }
            out.push_str(&self.shown(&reply, &name));
        }
        let took = now.since(asked.at);
        if self.terminal && took >= Duration::from_millis(500) {
            let hundredths = took.as_millis() / 10;
            out.push_str(&format!("({}.{:02}s)\n", hundredths / 100, hundredths % 100));
        }
        (out, err)
    }

    fn no_connection(&self, e: NetError) -> String {
        let why = match e {
            NetError::NoSuchHost => "Name or service not known",
            NetError::Unreachable => "Connection timed out",
            _ => "Connection refused",
        };
        format!("Could not connect to Redis at {}:{}: {why}\n", self.host, self.port)
    }

    /// A line of input. Whether it goes on.
    fn line(&mut self, line: &str, m: &mut Machine, pid: u32, world: &mut World) -> bool {
        let Some(argv) = words(line) else {
            m.emit(pid, "Invalid argument(s)\n", false, world);
            return true;
        };
        let Some(first) = argv.first().map(|a| a.to_ascii_lowercase()) else { return true };
        match first.as_str() {
            "quit" | "exit" if self.terminal => return false,
            "clear" if self.terminal => m.emit(pid, "\x1b[H\x1b[2J", false, world),
            "connect" if argv.len() == 3 => {
                (self.host, self.port) = (argv[1].clone(), argv[2].parse().unwrap_or(6379));
                (self.server, self.greeted) = (None, false);
            }
            _ => {
                // `3 ping`: three times.
                match number(&argv[0]).filter(|_| argv.len() > 1) {
                    None => self.plan(1, argv),
                    Some(Ok(n)) => self.plan(n, argv[1..].to_vec()),
                    Some(Err(())) => m.emit(pid, "Invalid redis-cli repeat command option value.\n", false, world),
                }
            }
        }
        true
    }
}

/// How often, when a word is a number: `Err` when that is no way to repeat something.
fn number(word: &str) -> Option<Result<u64, ()>> {
    let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let times = || word.parse::<i64>().ok().and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
    is_number.then(|| times().ok_or(()))
}

enum Next {
    Line(String),
    Wait(u32),
    End,
}

/// The next line of its input.
fn next_line(c: &mut Cli, m: &mut Machine, pid: u32) -> Next {
    loop {
        if let Some(end) = c.buffer.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = c.buffer.drain(..=end).collect();
            return Next::Line(String::from_utf8_lossy(&line[..end]).into_owned());
        }
        let rest = |c: &mut Cli| match std::mem::take(&mut c.buffer) {
            rest if rest.is_empty() => Next::End,
            rest => Next::Line(String::from_utf8_lossy(&rest).into_owned()),
        };
        if c.ended {
            return rest(c);
        }
        let Some(p) = m.procs.get_mut(&pid) else { return Next::End };
        match &mut p.fds.stdin {
            Input::Null => c.ended = true,
            Input::Data(data, at) => {
                c.buffer.extend_from_slice(&data[(*at).min(data.len())..]);
                (*at, c.ended) = (data.len(), true);
            }
            Input::Pipe(pipe) => {
                let pipe = *pipe;
                let data = m.pipes.get_mut(&pipe).map(std::mem::take).unwrap_or_default();
                if !data.is_empty() {
                    c.buffer.extend(data);
                    continue;
                }
                let over = match m.outside.get_mut(&pipe) {
                    Some(o) if o.eofs > 0 => {
                        o.eofs -= 1;
                        true
                    }
                    _ => !m.has_writer(pipe),
                };
                if !over {
                    return Next::Wait(pipe);
                }
                c.ended = true;
            }
        }
    }
}

/// Goes on as far as it can.
pub fn run(mut c: Box<Cli>, m: &mut Machine, pid: u32, world: &mut World) -> Outcome {
    loop {
        let Some(now) = m.procs.get(&pid).map(|p| p.clock) else { return Outcome::Exit(0) };
        if let Some(asked) = c.asked.take() {
            let Some(answer) = c.heard.take() else {
                c.asked = Some(asked);
                return Outcome::Block(Running::RedisCli(c));
            };
            let (out, err) = c.take(&asked, answer, now);
            m.emit(pid, &err, true, world);
            m.emit(pid, &out, false, world);
            if std::mem::take(&mut c.again) && !c.todo.is_empty() {
                let pause = world.scaled(c.interval).max(ROUND_TRIP);
                return Outcome::Sleep(now + pause, Running::RedisCli(c));
            }
        }
        // At a terminal it connects before it prompts.
        if c.server.is_none() && (!c.todo.is_empty() || c.terminal && !c.prompted) {
            let found = reach(m, pid, &c.host, c.port, world);
            let refused = match found {
                Ok(server) => {
                    let known = crate::sim::server::connect(world.peers, Some(m), &server.ip, server.port, now);
                    let refused = matches!(known, Err(NetError::Refused)).then_some(NetError::Refused);
                    c.server = Some(server).filter(|_| refused.is_none());
                    refused
                }
                Err(e) => Some(e),
            };
            if let Some(e) = refused {
                let said = c.no_connection(e);
                m.emit(pid, &said, true, world);
                c.todo.clear();
                if !c.terminal {
                    let over = Running::Ending(1);
                    return match e {
                        NetError::Unreachable => Outcome::Sleep(now + world.scaled(CONNECT), over),
                        _ => Outcome::Exit(1),
                    };
                }
            }
        }
        if c.input_is_argument {
            match next_line(&mut c, m, pid) {
                Next::Wait(pipe) => return Outcome::Read(pipe, Running::RedisCli(c)),
                Next::Line(line) => {
                    let whole = [line.as_bytes(), if c.ended && c.buffer.is_empty() { b"" } else { b"\n" }].concat();
                    if let Some((_, argv)) = c.todo.front_mut() {
                        match argv.last_mut().filter(|a| a.ends_with('\n')) {
                            Some(last) => last.push_str(&String::from_utf8_lossy(&whole)),
                            None => argv.push(String::from_utf8_lossy(&whole).into_owned()),
                        }
                    }
                    continue;
                }
                Next::End => c.input_is_argument = false,
            }
        }
        if let Some(argv) = c.next_command() {
            if let Some(call) = c.send(argv, m, pid, now) {
                world.calls.push(call);
            }
            continue;
        }
        if c.once {
            // With its last command it has closed the connection.
            return Outcome::Exit(c.code);
        }
        if c.terminal && !c.prompted {
            let prompt = c.prompt();
            m.emit(pid, &prompt, false, world);
            c.prompted = true;
        }
        match next_line(&mut c, m, pid) {
            Next::Wait(pipe) => return Outcome::Read(pipe, Running::RedisCli(c)),
            Next::End => return c.leave(c.code, m, pid, world),
            Next::Line(line) => {
                c.prompted = false;
                if !c.line(&line, m, pid, world) {
                    return c.leave(0, m, pid, world);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_shown_as_redis_cli_shows_them() {
        let inner = Reply::list(["a", "b"]);
        let all = Reply::Array(Some(vec![Reply::text("0"), inner, Reply::nil(), Reply::Int(3)]));
        assert_eq!(formatted(&all, ""), "1) \"0\"\n2) 1) \"a\"\n   2) \"b\"\n3) (nil)\n4) (integer) 3\n");
        assert_eq!(formatted(&Reply::list((0..10).map(|n| n.to_string())), "").lines().next(), Some(" 1) \"0\""));
        assert_eq!(raw(&Reply::list(["a", "b c"])), "a\nb c");
        assert_eq!(quoted("a\u{1}é\n\""), "\"a\\x01\\xc3\\xa9\\n\\\"\"");
    }
}
