//! What simulated containers use is what their programs do.

use super::scripts::container;
use crate::runtime::{Handler, ProbeOutcome, Runtime, RuntimeCommand, RuntimeEvent};
use crate::sim::SimRuntime;
use crate::sim::net::Server;
use meta::{Duration, Time};
use reconcile::Usage;

struct Host {
    rt: SimRuntime,
    now: Time,
    usage: Usage,
    events: Vec<RuntimeEvent>,
}

impl Host {
    fn new(image: &str, command: &[&str], cpu_limit_milli: Option<i64>) -> Self {
        Host::with_speed(1, image, command, cpu_limit_milli)
    }
    fn with_speed(speed: u32, image: &str, command: &[&str], cpu_limit_milli: Option<i64>) -> Self {
        let now = Time::SIMULATION_START;
        let mut usage = Usage::default();
        usage.add_node("n", now);
        usage.serve(Some(now));
        let mut host = Host { rt: SimRuntime::new(1, speed), now, usage, events: Vec::new() };
        let spec = crate::runtime::ContainerSpec { cpu_limit_milli, ..container(image, command) };
        host.rt.command(host.now, RuntimeCommand::RunContainer(Box::new(spec)));
        host
    }
    fn pass(&mut self, d: Duration) {
        let end = self.now + d;
        while let Some(at) = self.rt.next_at().filter(|t| *t <= end) {
            self.rt.poll(at.max(self.now), &mut self.events);
        }
        self.now = end;
        for (id, meter) in self.rt.take_usage() {
            self.usage.set(&"n".into(), &id.pod_uid, &id.container, meter);
        }
    }
    /// Thousandths of a core and mebibytes, as scraped after so many seconds.
    fn after(&mut self, seconds: u64) -> Option<(u64, u64)> {
        self.pass(Duration::from_secs(seconds));
        let sample = self.usage.pod("n", "u", self.now)?.usage.first()?.1;
        Some((sample.nanocores / 1_000_000, sample.memory_bytes >> 20))
    }
}

#[test]
fn processor_time_and_memory_are_the_programs() {
    let idle = |image, command| Host::new(image, command, None).after(60);
    assert_eq!(idle("busybox:1.36", &["sleep", "3600"]), Some((0, 0)));
    assert_eq!(idle("nginx", &[]), Some((0, 4)));
    assert_eq!(idle("polinux/stress", &["stress", "--vm", "1", "--vm-bytes", "150M"]), Some((0, 150)));
    let stress = ["stress", "--vm", "1", "--vm-bytes", "150M"];
    assert_eq!(Host::with_speed(4, "polinux/stress", &stress, None).after(60), Some((0, 150)), "only sooner");
    let busy = |limit| Host::new("vish/stress", &["/stress", "-cpus", "2"], limit).after(60);
    assert_eq!(busy(None), Some((2000, 0)));
    assert_eq!(busy(Some(1000)), Some((1000, 0)), "a limit holds");
    let loops = |limit| Host::new("busybox:1.36", &["sh", "-c", "while true; do :; done"], limit).after(60);
    assert_eq!(loops(None), Some((1000, 0)), "an endless loop takes a core");
    let (milli, _) = loops(Some(200)).expect("a sample");
    assert!((180..=220).contains(&milli), "{milli}");
}

#[test]
fn what_has_ended_uses_nothing() {
    let mut h = Host::new("busybox:1.36", &["sleep", "40"], None);
    assert!(h.after(35).is_some());
    assert_eq!(h.after(10), None);
}

fn asked(port: u16, path: &str) -> Server {
    Server { ip: "10.244.0.5".into(), port, path: path.into(), ..Server::default() }
}

#[test]
fn a_server_with_much_to_do_answers_late() {
    let mut h = Host::new("registry.k8s.io/hpa-example", &[], Some(500));
    h.pass(Duration::from_secs(5));
    let ask = |h: &mut Host| h.rt.http(&asked(80, "/"), h.now).map(|served| served.done.since(h.now));
    assert_eq!(ask(&mut h), Ok(Duration::from_millis(110)), "80 ms of work, half a processor after the first 50 ms");
    assert_eq!(ask(&mut h), Ok(Duration::from_millis(270)), "one after the other");
    for _ in 0..6 {
        ask(&mut h).expect("an answer");
    }
    let handler = Handler::HttpGet {
        scheme: "http".into(),
        host: "10.244.0.5".into(),
        port: 80,
        path: "/".into(),
        headers: Vec::new(),
    };
    let id = container("registry.k8s.io/hpa-example", &[]).id;
    let probe = RuntimeCommand::Probe { probe: 7, id, handler, timeout: Duration::from_secs(1) };
    h.rt.command(h.now, probe);
    h.pass(Duration::from_secs(2));
    let outcome = h.events.iter().find_map(|e| match e {
        RuntimeEvent::ProbeResult { probe: 7, outcome } => Some(outcome.clone()),
        _ => None,
    });
    let why = "Get \"http://10.244.0.5/\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
    assert_eq!(outcome, Some(ProbeOutcome::Failure(why.into())));
}

#[test]
fn agnhost_leaves_when_it_is_asked_to() {
    let mut h = Host::new("registry.k8s.io/e2e-test-images/agnhost:2.40", &["/agnhost", "netexec"], None);
    h.pass(Duration::from_secs(1));
    let ask = |h: &mut Host, path| h.rt.http(&asked(8080, path), h.now).map(|s| (s.response.status, s.response.body));
    assert_eq!(ask(&mut h, "/echo?msg=hi&code=418"), Ok((418, "hi".into())));
    assert_eq!(ask(&mut h, "/exit?code=3&timeout=1s"), Ok((200, String::new())));
    h.pass(Duration::from_secs(1));
    let code = h.events.iter().find_map(|e| match e {
        RuntimeEvent::Exited { code, .. } => Some(*code),
        _ => None,
    });
    assert_eq!(code, Some(3));
}
