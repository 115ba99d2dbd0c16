//! `ping`, busybox's and iputils'.

use super::net::{connect, resolve};
use super::{Io, Outcome, Running, after};
use crate::sim::machine::{Machine, World};
use crate::sim::net::NetError;
use meta::{Duration, Time};

/// How long the last packet is waited for, unless `-W` says otherwise.
/// Between two packets, of whoever asks for less.
const LEAST: Duration = Duration::from_millis(2);
const LINGER: Duration = Duration::from_secs(10);

/// A ping under way.
#[derive(Clone, Debug)]
pub struct Ping {
    host: String,
    ip: String,
    /// Whether anybody answers there: looked at when it began.
    answers: bool,
    busybox: bool,
    quiet: bool,
    sent: u64,
    count: Option<u64>,
    interval: Duration,
    wait: Duration,
    deadline: Option<Time>,
    began: Time,
}

/// Seconds, with a fraction.
pub fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    Some(Duration(whole.parse::<u64>().ok()?.saturating_mul(1_000_000).saturating_add(digits.parse().ok()?)))
}

pub fn ping(io: &mut Io) -> Outcome {
    let options = io.parsed();
    let busybox = io.is_busybox();
    let Some(host) = options.operands.last().cloned() else {
        io.complain(if busybox {
            "Usage: ping [OPTIONS] HOST"
        } else {
            "ping: usage error: Destination address required"
        });
        return Outcome::Exit(if busybox { 1 } else { 2 });
    };
    for letter in ['c', 'W', 'w', 'i'] {
        if let Some(bad) = options.value(letter).filter(|v| seconds(v).is_none()) {
            io.complain(if busybox {
                format!("ping: invalid number '{bad}'")
            } else {
                format!("ping: invalid argument: '{bad}'")
            });
            return Outcome::Exit(1);
        }
    }
    let Some(ip) = resolve(io, &host).first().cloned() else {
        io.complain(if busybox {
            format!("ping: bad address '{host}'")
        } else {
            format!("ping: {host}: Name or service not known")
        });
        return Outcome::Exit(if busybox { 1 } else { 2 });
    };
    // Whoever refuses a connection is there.
    let answers = matches!(connect(io, &ip, 0), Ok(()) | Err(NetError::Refused));
    if io.asked.call.is_some() {
        return Outcome::Exit(1);
    }
    io.line(if busybox {
        format!("PING {host} ({ip}): 56 data bytes")
    } else {
        format!("PING {host} ({ip}) 56(84) bytes of data.")
    });
    let time = |letter| options.value(letter).and_then(seconds);
    let mut ping = Ping {
        answers,
        busybox,
        quiet: options.has('q'),
        sent: 0,
        count: options.value('c').and_then(|c| c.parse().ok()),
        interval: time('i').map_or(Duration::from_secs(1), |d| d.max(LEAST)),
        wait: time('W').unwrap_or(LINGER),
        deadline: time('w').map(|d| after(io, d)),
        began: io.now,
        host,
        ip,
    };
    let (text, next) = ping.packet(io.now);
    io.say(text);
    match next {
        None => Outcome::Exit(0),
        Some(d) => Outcome::Sleep(after(io, d), Running::Pinging(Box::new(ping))),
    }
}

/// The next packet's time has come, or the end.
pub fn go_on(mut ping: Box<Ping>, m: &mut Machine, pid: u32, world: &mut World) -> Outcome {
    let now = m.procs.get(&pid).map_or(ping.began, |p| p.clock);
    let (text, next) = ping.packet(now);
    m.emit(pid, &text, false, world);
    match next {
        Some(d) => Outcome::Sleep(now + world.scaled(d).max(Duration(1)), Running::Pinging(ping)),
        None => Outcome::Exit(i32::from(!ping.answers)),
    }
}

impl Ping {
    /// Sends one, or ends; what is said, and how long until the next time.
    fn packet(&mut self, now: Time) -> (String, Option<Duration>) {
        if self.is_over(now) {
            return (self.statistics(now), None);
        }
        self.sent += 1;
        let mut text = String::new();
        if self.answers && !self.quiet {
            let Ping { host, ip, sent, .. } = &*self;
            text = match (self.busybox, host == ip) {
                (true, _) => format!("64 bytes from {ip}: seq={} ttl=64 time=0.050 ms\n", sent - 1),
                (false, true) => format!("64 bytes from {ip}: icmp_seq={sent} ttl=64 time=0.050 ms\n"),
                (false, false) => format!("64 bytes from {host} ({ip}): icmp_seq={sent} ttl=64 time=0.050 ms\n"),
            };
        }
        let last = self.count.is_some_and(|c| self.sent >= c);
        if last && self.answers {
            text.push_str(&self.statistics(now));
            return (text, None);
        }
        let mut pause = if last { self.wait } else { self.interval };
        if let Some(end) = self.deadline {
            pause = pause.min(end.since(now));
        }
        (text, Some(pause))
    }

    fn is_over(&self, now: Time) -> bool {
        self.count.is_some_and(|c| self.sent >= c) || self.deadline.is_some_and(|end| self.sent > 0 && now >= end)
    }

    fn statistics(&self, now: Time) -> String {
        let sent = self.sent;
        let (received, lost) = if self.answers { (sent, 0) } else { (0, 100) };
        let mut text = format!("\n--- {} ping statistics ---\n", self.host);
        text.push_str(&if self.busybox {
            format!("{sent} packets transmitted, {received} packets received, {lost}% packet loss\n")
        } else {
            let ms = now.since(self.began).as_millis();
            format!("{sent} packets transmitted, {received} received, {lost}% packet loss, time {ms}ms\n")
        });
        if self.answers {
            text.push_str(if self.busybox {
                "round-trip min/avg/max = 0.050/0.050/0.050 ms\n"
            } else {
                "rtt min/avg/max/mdev = 0.050/0.050/0.050/0.000 ms\n"
            });
        }
        text
    }
}
