//! `exec` and `attach` in simulated containers.

use super::scripts::container;
use crate::runtime::{ContainerSpec, Runtime, RuntimeCommand, SessionEnd, SessionInput, SessionOutput, SessionSpec};
use crate::sim::SimRuntime;
use meta::{Duration, Time};

pub struct Host {
    pub rt: SimRuntime,
    pub now: Time,
}

impl Host {
    pub fn new(spec: ContainerSpec) -> Self {
        let mut host = Host { rt: SimRuntime::new(1, 1), now: Time::SIMULATION_START };
        host.rt.command(host.now, RuntimeCommand::RunContainer(Box::new(spec)));
        host.pass(1);
        host
    }
    pub fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        let mut events = Vec::new();
        while let Some(at) = self.rt.next_at().filter(|t| *t <= end) {
            self.rt.poll(at.max(self.now), &mut events);
        }
        self.now = end;
    }
    pub fn open(&mut self, command: Option<&[&str]>, stdin: bool, tty: bool) -> u64 {
        let command = command.map(|c| c.iter().map(|s| (*s).to_string()).collect());
        self.rt.open_session(self.now, "u", "c", SessionSpec { command, stdin, tty }).unwrap()
    }
    /// Types and waits a second; what came back.
    pub fn say(&mut self, session: u64, text: &str) -> String {
        self.rt.session_input(self.now, session, SessionInput::Data(text.into()));
        self.pass(1);
        String::from_utf8_lossy(&self.take(session).stdout).into_owned()
    }
    pub fn take(&mut self, session: u64) -> SessionOutput {
        self.rt.session_output(session).unwrap()
    }
    /// A command without input: output, errors, exit code.
    pub fn run(&mut self, command: &[&str]) -> (String, String, Option<SessionEnd>) {
        let s = self.open(Some(command), false, false);
        self.pass(1);
        let o = self.take(s);
        let text = |b: Vec<u8>| String::from_utf8_lossy(&b).into_owned();
        (text(o.stdout), text(o.stderr), o.end)
    }
}

fn sleeper() -> Host {
    Host::new(container("busybox:1.36", &["sleep", "3600"]))
}

#[test]
fn a_command_has_output_errors_and_an_exit_code() {
    let mut h = sleeper();
    let ended = |code| Some(SessionEnd::Exited(code));
    assert_eq!(h.run(&["echo", "hi"]), ("hi\n".into(), String::new(), ended(0)));
    assert_eq!(h.run(&["sh", "-c", "echo a; echo b >&2; exit 3"]), ("a\n".into(), "b\n".into(), ended(3)));
    // Files last as long as the container.
    h.run(&["sh", "-c", "echo kept > /tmp/x"]);
    assert_eq!(h.run(&["cat", "/tmp/x"]).0, "kept\n");
    let (ps, ..) = h.run(&["ps"]);
    assert!(ps.contains("1 root      0:00 sleep 3600"), "{ps}");
    let Some(SessionEnd::Failed(why)) = h.run(&["bash"]).2 else { panic!() };
    assert!(why.ends_with("exec: \"bash\": executable file not found in $PATH: unknown"), "{why}");
    assert!(why.starts_with("failed to exec in container: failed to start exec \""), "{why}");
    let e = h.rt.open_session(h.now, "u", "other", SessionSpec::default());
    assert_eq!(e, Err("container other not found in pod p_default".into()));
    let command = Some(vec!["ls".to_string()]);
    let e = h.rt.open_session(h.now, "u", "other", SessionSpec { command, ..SessionSpec::default() });
    assert_eq!(e, Err("container not found (\"other\")".into()));
}

#[test]
fn input_reaches_the_command_until_it_ends() {
    let mut h = sleeper();
    let s = h.open(Some(&["cat"]), true, false);
    assert_eq!(h.say(s, "one\n"), "one\n");
    assert_eq!(h.say(s, "two\n"), "two\n");
    assert_eq!(h.take(s).end, None);
    h.rt.session_input(h.now, s, SessionInput::End);
    h.pass(1);
    assert_eq!(h.take(s).end, Some(SessionEnd::Exited(0)));
    // A script as input: complete commands are carried out as they come.
    let s = h.open(Some(&["sh"]), true, false);
    assert_eq!(h.say(s, "for i in 1 2\ndo\n"), "");
    assert_eq!(h.say(s, "echo $i\ndone\nexit 4\n"), "1\n2\n");
    assert_eq!(h.take(s).end, Some(SessionEnd::Exited(4)));
    // The last line may come in pieces, and without its end.
    let s = h.open(Some(&["sh"]), true, false);
    assert_eq!(h.say(s, "echo one\necho t"), "one\n");
    assert_eq!(h.say(s, "wo\nread a; echo $a\nthr"), "two\n");
    assert_eq!(h.say(s, "ee\necho four"), "three\n");
    h.rt.session_input(h.now, s, SessionInput::End);
    h.pass(1);
    let last = h.take(s);
    assert_eq!((last.stdout, last.end), (b"four\n".to_vec(), Some(SessionEnd::Exited(0))));
}

#[test]
fn a_terminal_prompts_shows_what_is_typed_and_interrupts() {
    let mut h = sleeper();
    let s = h.open(Some(&["sh"]), true, true);
    h.pass(1);
    assert_eq!(String::from_utf8_lossy(&h.take(s).stdout), "/ # ");
    assert_eq!(h.say(s, "cd /tmp\r"), "cd /tmp\r\n/tmp # ");
    assert_eq!(h.say(s, "ech\x7f\x7f\x7fecho it\r"), "ech\x08 \x08\x08 \x08\x08 \x08echo it\r\nit\r\n/tmp # ");
    assert_eq!(h.say(s, "touch b a; ls\r"), "touch b a; ls\r\na  b\r\n/tmp # ");
    assert_eq!(h.say(s, "nope\r"), "nope\r\nsh: nope: not found\r\n/tmp # ");
    assert_eq!(h.say(s, "sleep 100\r"), "sleep 100\r\n");
    assert_eq!(h.say(s, "\x03"), "^C\r\n/tmp # ");
    assert_eq!(h.say(s, "echo $?\r"), "echo $?\r\n130\r\n/tmp # ");
    assert_eq!(h.say(s, "half\x03"), "half^C\r\n/tmp # ");
    assert_eq!(h.say(s, "echo \"a\r"), "echo \"a\r\n> ");
    assert_eq!(h.say(s, "b\"\r"), "b\"\r\na\r\nb\r\n/tmp # ");
    assert_eq!(h.say(s, "cat\r"), "cat\r\n");
    assert_eq!(h.say(s, "x\r"), "x\r\nx\r\n");
    assert_eq!(h.say(s, "\x04"), "/tmp # ");
    h.say(s, "\x04");
    assert_eq!(h.take(s).end, Some(SessionEnd::Exited(0)));
}

#[test]
fn a_client_attaches_to_the_first_process() {
    let mut h =
        Host::new(ContainerSpec { stdin: true, stdin_once: true, tty: true, ..container("busybox:1.36", &["sh"]) });
    let s = h.open(None, true, true);
    assert_eq!(h.say(s, "echo $TERM\r"), "echo $TERM\r\nxterm\r\n/ # ");
    h.say(s, "exit 7\r");
    let ended = h.rt.containers()[0].exited.clone();
    assert!(matches!(ended, Some(crate::RuntimeEvent::Exited { code: 7, .. })), "{ended:?}");
    // Without a client a shell waits; when the only one has gone it is over.
    let mut h = Host::new(ContainerSpec { stdin: true, stdin_once: true, ..container("busybox:1.36", &["sh"]) });
    h.pass(60);
    assert_eq!(h.rt.containers()[0].exited, None);
    let s = h.open(None, true, false);
    assert_eq!(h.say(s, "echo hi\n"), "hi\n");
    h.rt.close_session(h.now, s);
    h.pass(1);
    assert!(h.rt.containers()[0].exited.is_some());
}

#[test]
fn archives_are_packed_and_unpacked() {
    let mut h = sleeper();
    h.run(&["sh", "-c", "mkdir -p /a/b && echo one > /a/1 && echo two > /a/b/2"]);
    let s = h.open(Some(&["tar", "cf", "-", "/a"]), false, false);
    h.pass(1);
    let o = h.take(s);
    assert_eq!(String::from_utf8_lossy(&o.stderr), "tar: removing leading '/' from member names\n");
    let s = h.open(Some(&["tar", "-xmf", "-", "-C", "/tmp"]), true, false);
    h.rt.session_input(h.now, s, SessionInput::Data(o.stdout));
    h.rt.session_input(h.now, s, SessionInput::End);
    h.pass(1);
    assert_eq!(h.take(s).end, Some(SessionEnd::Exited(0)));
    assert_eq!(h.run(&["cat", "/tmp/a/1", "/tmp/a/b/2"]).0, "one\ntwo\n");
}
