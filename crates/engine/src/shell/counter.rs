//! The host's side of the desk: orders are carried out, and streams are fed with what has happened.

use super::desk::{Answer, Desk, Inflow, Order};
use super::library;
use crate::host::{Doing, Host};
use apiserver::http::HttpRequest;
use apiserver::watch::Watcher;
use cluster::Cluster;
use cluster::http::{HttpOutcome, LogRequest};
use kubectl::{Request, Response};
use meta::{Duration, Time, User};
use protocol::{ApiCall, Command, Identity, Reply, SessionId, Terminal};
use std::collections::BTreeMap;

/// How often a followed log is looked at.
const LOG_EVERY: Duration = Duration::from_millis(100);

enum Flow {
    Watch { watcher: Box<Watcher>, revision: u64 },
    Log { request: Box<LogRequest>, sent: usize, looked: Time },
    Session(SessionId),
}

/// What one shell's commands have open.
#[derive(Default)]
pub struct Counter {
    flows: BTreeMap<u64, Flow>,
    /// The line under way.
    doing: Doing,
}

impl Counter {
    /// Another line begins.
    pub fn begin(&mut self, line: &str) {
        self.doing = Doing::new(line);
    }

    /// `past`: the command reads what is shown, which is the past; it stays with that as its streams do.
    pub fn carry_out(&mut self, host: &mut dyn Host, desk: &mut Desk, order: Order, past: bool) {
        match order {
            Order::Request(number, r) => {
                let library = desk.library.as_ref().filter(|_| library::is_meant(r.method, &r.path));
                let response = match library {
                    Some(library) => library.answer(host.shown(), &r.path),
                    None => request(host, &mut self.doing, desk.acting.as_ref(), r),
                };
                desk.answers.insert(number, Answer::Response(response));
            }
            Order::Watch(number, r) => {
                let cluster = if past { host.shown() } else { host.cluster() };
                let opened = self.watch(cluster, desk, number, r);
                desk.answers.insert(number, Answer::Stream(opened));
            }
            Order::Open(number, session) => {
                let opened = open(host, desk.acting.as_ref(), session);
                if let Ok(id) = &opened {
                    self.flows.insert(number, Flow::Session(id.clone()));
                    desk.inflows.insert(number, Inflow::default());
                }
                desk.answers.insert(number, Answer::Session(opened));
            }
            Order::Keys(session, keys) => terminal(host, Terminal::Type { session, keys }),
            Order::Data(session, data) => {
                use base64::Engine as _;
                let data = base64::engine::general_purpose::STANDARD.encode(data);
                terminal(host, Terminal::Send { session, data });
            }
            Order::End(session) => terminal(host, Terminal::End { session }),
            Order::Forget(number) => {
                if let Some(Flow::Session(session)) = self.flows.remove(&number) {
                    terminal(host, Terminal::Close { session });
                }
            }
        }
    }

    /// Everything that a command which is gone had open.
    pub fn close(&mut self, host: &mut dyn Host) {
        for (_, flow) in std::mem::take(&mut self.flows) {
            if let Flow::Session(session) = flow {
                terminal(host, Terminal::Close { session });
            }
        }
    }

    fn watch(&mut self, cluster: &mut Cluster, desk: &mut Desk, number: u64, r: Request) -> Result<(), Response> {
        let user = user(cluster, impersonated(&r).or(desk.acting.as_ref().cloned()).as_ref())?;
        let (path, query) = r.path.split_once('?').unwrap_or((&r.path, ""));
        let header = |name: &str| r.headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str());
        let (accept, content_type) = (header("Accept"), header("Content-Type"));
        let request = HttpRequest {
            method: r.method,
            path,
            query,
            accept,
            content_type,
            user_agent: "kubectl",
            user,
            body: r.body.clone(),
        };
        let flow = match cluster.http(request) {
            HttpOutcome::Watch { watcher, initial } => {
                desk.inflows.insert(number, Inflow { pieces: [initial].into(), ..Inflow::default() });
                Flow::Watch { watcher, revision: cluster.revision() }
            }
            HttpOutcome::Logs(request) => {
                let text = cluster.pod_log(&request).map_err(|e| refusal(&e))?;
                let mut all = request;
                let o = &mut all.options;
                (o.tail_lines, o.since_seconds, o.since_time, o.limit_bytes) = (None, None, None, None);
                let sent = cluster.pod_log(&all).map_or(0, |t| t.len());
                desk.inflows.insert(number, Inflow { pieces: [text].into(), ..Inflow::default() });
                Flow::Log { request: Box::new(all), sent, looked: cluster.now() }
            }
            HttpOutcome::Response(r) => {
                let headers = vec![("Content-Type".to_string(), r.content_type.to_string())];
                return Err(Response { status: r.code, headers, body: r.body });
            }
            HttpOutcome::Proxy(_) | HttpOutcome::Passed(_) | HttpOutcome::Connect(_) => {
                return Err(Response { status: 400, ..Response::default() });
            }
        };
        self.flows.insert(number, flow);
        Ok(())
    }

    /// Brings what has happened since to those who follow it.
    pub fn feed(&mut self, cluster: &mut Cluster, desk: &mut Desk) {
        self.flows.retain(|number, flow| {
            let Some(inflow) = desk.inflows.get_mut(number) else { return true };
            match flow {
                Flow::Watch { watcher, revision } => watch(cluster, watcher, revision, inflow),
                Flow::Log { request, sent, looked } => log(cluster, request, sent, looked, inflow),
                Flow::Session(session) => session_output(cluster, session, inflow),
            }
            inflow.end.is_none()
        });
    }
}

fn watch(cluster: &Cluster, watcher: &mut Watcher, revision: &mut u64, inflow: &mut Inflow) {
    if cluster.revision() == *revision {
        return;
    }
    let now = cluster.now();
    match cluster.store().iter_events_since(*revision) {
        Ok(events) => {
            for e in events {
                inflow.pieces.extend(watcher.event(e, now));
            }
        }
        // History is bounded: who came too late lists again, as with upstream.
        Err(_) => inflow.end = Some(Ok(0)),
    }
    *revision = cluster.revision();
    if watcher.is_over() {
        inflow.end = Some(Ok(0));
    }
}

fn log(cluster: &Cluster, request: &LogRequest, sent: &mut usize, looked: &mut Time, inflow: &mut Inflow) {
    let now = cluster.now();
    if now.since(*looked) < LOG_EVERY {
        return;
    }
    *looked = now;
    let ended = cluster.container_ended(request);
    let text = match cluster.pod_log(request) {
        Ok(text) if text.len() >= *sent => text,
        _ => {
            inflow.end = Some(Ok(0));
            return;
        }
    };
    if text.len() > *sent {
        inflow.pieces.push_back(text[*sent..].to_vec());
        *sent = text.len();
    }
    if ended {
        inflow.end = Some(Ok(0));
    }
}

fn session_output(cluster: &mut Cluster, session: &SessionId, inflow: &mut Inflow) {
    let out = crate::terminal::output(cluster, session);
    let Some(out) = out else {
        inflow.end = Some(Err("the session has ended".into()));
        return;
    };
    if !out.stdout.is_empty() {
        inflow.pieces.push_back(out.stdout);
    }
    if !out.stderr.is_empty() {
        inflow.errors.push_back(out.stderr);
    }
    inflow.end = out.end.map(|e| match e {
        kubelet::runtime::SessionEnd::Exited(code) => Ok(code),
        kubelet::runtime::SessionEnd::Failed(why) => Err(why),
    });
}

/// Who is acted as, by the request's own headers.
fn impersonated(r: &Request) -> Option<Identity> {
    let mut identity = Identity::default();
    for (name, value) in &r.headers {
        match name.as_str() {
            "Impersonate-User" => identity.user.clone_from(value),
            "Impersonate-Group" => identity.groups.push(value.clone()),
            _ => {}
        }
    }
    (!identity.user.is_empty()).then_some(identity)
}

fn user(cluster: &mut Cluster, acting: Option<&Identity>) -> Result<User, Response> {
    let Some(i) = acting else { return Ok(User::admin()) };
    let other = apiserver::authn::Impersonate { user: i.user.clone(), groups: i.groups.clone(), ..Default::default() };
    cluster.api().impersonate(cluster.store(), User::admin(), &other).map_err(|e| refusal(&e))
}

fn refusal(e: &meta::ApiError) -> Response {
    let body = serde_json::to_vec(&*e.0).unwrap_or_default();
    Response { status: e.code(), headers: vec![("Content-Type".into(), "application/json".into())], body }
}

fn acted(acting: Option<Identity>, command: Command) -> Command {
    match acting {
        Some(identity) => Command::As { identity, command: Box::new(command) },
        None => command,
    }
}

fn request(host: &mut dyn Host, doing: &mut Doing, acting: Option<&Identity>, r: Request) -> Response {
    let identity = impersonated(&r).or(acting.cloned());
    let header = |name: &str| r.headers.iter().find(|(n, _)| n == name).map_or(String::new(), |(_, v)| v.clone());
    let call = ApiCall {
        id: 0,
        method: r.method.into(),
        accept: header("Accept"),
        content_type: header("Content-Type"),
        path: r.path,
        body: String::from_utf8_lossy(&r.body).into_owned(),
    };
    match host.act_in(doing, acted(identity, Command::Api(call))) {
        Some(Reply::Api(reply)) => {
            let mut headers = vec![("Content-Type".to_string(), reply.content_type)];
            headers.extend(reply.warnings.into_iter().map(|w| ("Warning".to_string(), w)));
            Response { status: reply.code, headers, body: reply.body.into_bytes() }
        }
        Some(Reply::Refused { message }) => refusal(&meta::ApiError::new(403, "Forbidden", message)),
        _ => Response { status: 500, ..Response::default() },
    }
}

fn open(host: &mut dyn Host, acting: Option<&Identity>, s: kubectl::Session) -> Result<SessionId, String> {
    let kubectl::Session { namespace, pod, container, command, stdin, tty } = s;
    let terminal = Terminal::Open { namespace, pod, container, argv: command, stdin, tty };
    match host.act(acted(acting.cloned(), Command::Terminal { id: 0, terminal })) {
        Some(Reply::Terminal { output, .. }) => output.error.map_or(Ok(output.session), Err),
        Some(Reply::Refused { message }) => Err(message),
        _ => Err("no answer".into()),
    }
}

fn terminal(host: &mut dyn Host, terminal: Terminal) {
    // There is nothing to be told: what comes of it is read.
    let _ = host.act(Command::Terminal { id: 0, terminal });
}
