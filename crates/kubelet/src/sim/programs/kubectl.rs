//! `kubectl` in a container: it goes to the API server as the pod's service account, as client-go's in-cluster configuration
//! does. Each request waits for its answer; then the program runs again with the answers that it has. What would watch, follow
//! or sleep is refused.

use super::net::with_net;
use super::{Io, Outcome};
use crate::sim::fs::{Fs, Volumes, normalize};
use crate::sim::net::{Answer, ApiRequest, Call, NetError, Said, Server};
use kubectl::{Client, Config, Env, Files, Future, Request, Response, Session, Stream, Terminal};
use meta::Time;
use network::End;
use std::cell::{Cell, RefCell};
use std::task::{Context, Poll, Waker};

const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const SERVER: &str = "kubernetes.default.svc";
const AGENT: &str = "kubectl/v1.35.0 (linux/amd64) kubernetes/kubottle";
const NO_SERVER: &str =
    "The connection to the server localhost:8080 was refused - did you specify the right host or port?";

pub fn run(io: &mut Io) -> Outcome {
    let file = |io: &Io, name: &str| {
        let read = io.m.fs.read(&format!("{ACCOUNT}/{name}"), io.world.volumes);
        read.ok().map(|data| String::from_utf8_lossy(&data).trim().to_string())
    };
    let (token, namespace) = (file(io, "token"), file(io, "namespace").unwrap_or_default());
    // What asks nobody runs without an account too.
    let reached = with_net(io, |net, client| net.connect(client, SERVER, 443));
    let way = match (&token, reached) {
        (None, _) => Err(NO_SERVER.to_string()),
        (_, Some(Ok(End::ApiServer))) => Ok(()),
        _ => Err(format!("Unable to connect to the server: dial tcp {SERVER}:443: i/o timeout")),
    };
    let mut config = Config::one("https://10.96.0.1:443", "in-cluster", "account", "in-cluster", &namespace);
    let mut args: Vec<String> = io.argv.iter().skip(1).cloned().collect();
    // It goes instead of the account's: whom it is about, the server says.
    let token = taken_out(&mut args, "--token").or(token);
    let client = Calls {
        known: io.asked.answers.get(io.asked.taken..).unwrap_or_default(),
        taken: Cell::new(0),
        wanted: RefCell::new(None),
        way,
        token: token.unwrap_or_default(),
        now: io.now,
    };
    let files = Disk { fs: &io.m.fs, volumes: io.world.volumes, directory: io.path(".") };
    let mut screen = Screen::default();
    let polled = {
        let stdin = Some(String::from_utf8_lossy(&io.stdin).into_owned());
        let mut env =
            Env { client: &client, files: &files, terminal: &mut screen, config: &mut config, stdin, help: "" };
        let mut future = kubectl::run(&args, &mut env);
        future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    };
    let (taken, wanted) = (client.taken.get(), client.wanted.into_inner());
    io.asked.taken += taken;
    if let (Poll::Pending, Some(request)) = (&polled, wanted) {
        let spec = &io.m.spec;
        let said = Said {
            method: request.method.into(),
            headers: request.headers,
            body: String::from_utf8_lossy(&request.body).into_owned(),
        };
        let (namespace, pod) = (spec.namespace.clone(), spec.pod.clone());
        let api = ApiRequest { namespace, pod, path: request.path, user_agent: AGENT, said };
        let server = Server { port: 443, ..Server::default() };
        io.asked.call =
            Some(Call { id: spec.id.clone(), pid: io.pid, server, http: true, api: Some(Box::new(api)), talk: None });
        return Outcome::Exit(0);
    }
    io.say(&screen.out);
    if !screen.err.is_empty() {
        io.complain(screen.err.trim_end_matches('\n'));
    }
    match polled {
        Poll::Ready(code) => Outcome::Exit(code),
        Poll::Pending => {
            io.complain("error: kubectl in a simulated container cannot wait");
            Outcome::Exit(1)
        }
    }
}

/// The value of a flag, which is then not among the arguments any more.
fn taken_out(args: &mut Vec<String>, flag: &str) -> Option<String> {
    let end = args.iter().position(|a| a == "--").unwrap_or(args.len());
    let at = args[..end].iter().position(|a| a == flag || a.strip_prefix(flag).is_some_and(|r| r.starts_with('=')))?;
    match args[at].split_once('=') {
        Some((_, value)) => {
            let value = value.to_string();
            args.remove(at);
            Some(value)
        }
        None if at + 1 < end => args.drain(at..at + 2).next_back(),
        None => None,
    }
}

struct Calls<'a> {
    known: &'a [Answer],
    taken: Cell<usize>,
    wanted: RefCell<Option<Request>>,
    way: Result<(), String>,
    token: String,
    now: Time,
}

impl Client for Calls<'_> {
    fn request(&self, mut r: Request) -> Future<'_, Result<Response, String>> {
        Box::pin(std::future::poll_fn(move |_| {
            if let Err(why) = &self.way {
                return Poll::Ready(Err(why.clone()));
            }
            if let Some(answer) = self.known.get(self.taken.get()) {
                self.taken.set(self.taken.get() + 1);
                return Poll::Ready(match answer {
                    Ok(Some(served)) => Ok(Response {
                        status: served.response.status,
                        headers: served.response.headers.clone(),
                        body: served.response.body.clone().into_bytes(),
                    }),
                    Ok(None) => Err("no answer".into()),
                    Err(NetError::NotHttp) => Err("the answer is a stream".into()),
                    Err(e) => Err(format!("{e:?}")),
                });
            }
            // One at a time: whoever asks for more at once waits for the first.
            if self.wanted.borrow().is_none() {
                let mut wanted = std::mem::take(&mut r);
                if !wanted.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("Authorization")) {
                    wanted.headers.push(("Authorization".into(), format!("Bearer {}", self.token)));
                }
                *self.wanted.borrow_mut() = Some(wanted);
            }
            Poll::Pending
        }))
    }
    fn stream(&self, _: Request) -> Future<'_, Result<Box<dyn Stream>, Response>> {
        let body = b"kubectl in a simulated container cannot watch".to_vec();
        Box::pin(async { Err(Response { status: 501, headers: Vec::new(), body }) })
    }
    fn now(&self) -> i64 {
        i64::try_from(self.now.0).unwrap_or(i64::MAX)
    }
}

struct Disk<'a> {
    fs: &'a Fs,
    volumes: &'a Volumes,
    directory: String,
}

impl Files for Disk<'_> {
    fn read(&self, path: &str) -> Option<String> {
        self.read_bytes(path).map(|data| String::from_utf8_lossy(&data).into_owned())
    }
    fn read_bytes(&self, path: &str) -> Option<Vec<u8>> {
        self.fs.read(&self.absolute(path), self.volumes).ok().map(|data| data.to_vec())
    }
    fn list(&self, path: &str) -> Option<Vec<String>> {
        let path = self.absolute(path);
        self.fs.is_dir(&path, self.volumes).then(|| self.fs.list(&path, self.volumes).unwrap_or_default())
    }
    fn absolute(&self, path: &str) -> String {
        normalize(&self.directory, path)
    }
}

#[derive(Default)]
struct Screen {
    out: String,
    err: String,
}

impl Terminal for Screen {
    fn out(&mut self, text: &str) {
        self.out.push_str(text);
    }
    fn err(&mut self, text: &str) {
        self.err.push_str(text);
    }
    fn edit(&mut self, _: &str, _: String) -> Future<'_, Result<String, String>> {
        Box::pin(async { Err("there is no editor in this container".into()) })
    }
    fn sleep(&self, _: i64) -> Future<'_, ()> {
        Box::pin(std::future::pending())
    }
    fn exec(&mut self, _: Session) -> Future<'_, Result<i32, String>> {
        Box::pin(async { Err("kubectl in a simulated container opens no sessions".into()) })
    }
    fn forward(&mut self, _: &str, _: &str, _: &[(u16, u16)]) -> Future<'_, Result<(), String>> {
        Box::pin(async { Err("kubectl in a simulated container forwards no ports".into()) })
    }
}
