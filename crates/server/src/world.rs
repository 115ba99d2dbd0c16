//! The one thread that owns the cluster. Everybody else sends it jobs; between jobs it lets time pass, and hands out
//! what happened: store events to watches, runtime commands to the wasm nodes, ports to the port forwarder.

use crate::wasm::container::Exit;
use crate::wasm::image::ImageRecord;
use crate::wasm::logs::Line;
use crate::wasm::node::WasmNode;
use crate::webhooks::Webhooks;
use anyhow::anyhow;
use apiserver::ConnectTarget;
use apiserver::watch::Watcher;
use bytes::Bytes;
use cluster::aggregation::Check;
use cluster::errand::Errand;
use cluster::machines::kubelet_name;
use cluster::{Cluster, Power, SessionId};
use engine::{Live, Transport};
use kubelet::Kubelet;
use kubelet::runtime::{ContainerId, ExternalRuntime, RuntimeEvent, SessionOutput};
use meta::Time;
use protocol::Speed;
use scheduler::extender::BindQuestion;
use scheduler::{Caller, Scheduler};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};

/// Turns are taken in slices of this length, so that requests need not wait for a busy cluster.
const SLICE: Duration = Duration::from_millis(20);
/// The longest sleep: watches of clients that went away are looked for this often.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// Upstream sends bookmarks about once a minute.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// Frames a client may lag behind before its watch is ended; it then lists again, as with upstream.
const WATCH_FRAMES_MAX: usize = 4096;

type Job = Box<dyn FnOnce(&mut World) + Send>;

/// How the rest of the server speaks to the cluster.
#[derive(Clone)]
pub struct Handle(std_mpsc::Sender<Job>);

impl Handle {
    /// Runs `f` on the cluster's thread.
    ///
    /// # Errors
    /// The server is shutting down.
    pub async fn ask<R: Send + 'static>(&self, f: impl FnOnce(&mut World) -> R + Send + 'static) -> anyhow::Result<R> {
        let (tx, rx) = oneshot::channel();
        self.tell(move |w| {
            // The asker may have gone away.
            let _ = tx.send(f(w));
        });
        rx.await.map_err(|_| anyhow!("the server is shutting down"))
    }

    /// The same without an answer; nothing happens when the server is shutting down.
    pub fn tell(&self, f: impl FnOnce(&mut World) + Send + 'static) {
        let _ = self.0.send(Box::new(f));
    }

    /// Carries out a request that webhooks may have a word about, as often as it takes: the cluster goes on while they are
    /// asked.
    ///
    /// # Errors
    /// The server is shutting down.
    pub async fn try_until<R: Send + 'static>(
        &self,
        f: impl Fn(&mut World, &Errand) -> Result<R, Box<apiserver::Call>> + Send + Sync + 'static,
    ) -> anyhow::Result<R> {
        let (f, errand) = (Arc::new(f), Errand::default());
        loop {
            let (f, on) = (f.clone(), errand.clone());
            let attempt = move |w: &mut World| (f(w, &on), w.webhooks.as_ref().map(|m| m.webhooks.clone()));
            match self.ask(attempt).await? {
                (Ok(done), _) => return Ok(done),
                (Err(call), Some(webhooks)) => {
                    let said = webhooks.answer(&call).await;
                    errand.hear(*call, said);
                }
                (Err(_), None) => return Err(anyhow!("nobody asks webhooks")),
            }
        }
    }

    pub fn runtime_event(&self, node: &str, event: RuntimeEvent) {
        let node = node.to_string();
        self.tell(move |w| w.runtime_event(&node, event));
    }
}

struct WatchSink {
    number: u64,
    watcher: Box<Watcher>,
    /// Events behind one whose object a webhook has not converted yet.
    queue: VecDeque<store::Event<apiserver::Stored>>,
    /// That one's conversion.
    errand: Errand,
    asking: bool,
    frames: mpsc::Sender<Bytes>,
    bookmarked: Instant,
}

impl WatchSink {
    /// Sends what waits, up to the next object that a webhook has to convert first; false: the client is gone.
    fn send_queued(&mut self, cluster: &mut Cluster, webhooks: Option<&Messengers>) -> bool {
        while !self.asking
            && let Some(event) = self.queue.front()
        {
            match cluster.watch_event(&mut self.watcher, event, &self.errand) {
                Ok(frame) => {
                    self.queue.pop_front();
                    self.errand = Errand::default();
                    if let Some(frame) = frame
                        && self.frames.try_send(frame.into()).is_err()
                    {
                        return false;
                    }
                }
                Err(call) => {
                    let Some(messengers) = webhooks else { return false };
                    self.asking = true;
                    messengers.ask_for_watch(self.number, self.errand.clone(), *call);
                }
            }
        }
        self.queue.len() <= WATCH_FRAMES_MAX
    }
}

/// Where virtual time stood at a moment of real time; both run on from there.
#[derive(Clone, Copy)]
struct Anchor {
    real: Instant,
    time: Time,
}

/// Asks extenders for bindings: they post them to this very API server, which answers meanwhile.
pub struct Extenders {
    pub caller: Arc<dyn Caller>,
    pub handle: Handle,
}

impl Extenders {
    fn ask(&self, question: BindQuestion) {
        let (caller, handle) = (self.caller.clone(), self.handle.clone());
        std::thread::spawn(move || {
            let done = question.ask(&*caller);
            handle.tell(move |w| {
                w.cluster.with_component("kube-scheduler", |s: &mut Scheduler| s.bound_by_extender(question.pod, done));
            });
        });
    }
}

/// Asks webhooks while the cluster goes on.
pub struct Messengers {
    pub webhooks: Webhooks,
    pub handle: Handle,
}

impl Messengers {
    fn ask(&self, question: u64, call: apiserver::Call) {
        let (webhooks, handle) = (self.webhooks.clone(), self.handle.clone());
        self.webhooks.tokio.spawn(async move {
            let said = webhooks.answer(&call).await;
            handle.tell(move |w| w.cluster.hear(question, call, said));
        });
    }
}

impl Messengers {
    /// Looks whether the server behind an APIService is there, and what it has.
    fn check(&self, check: Check) {
        let (webhooks, handle) = (self.webhooks.clone(), self.handle.clone());
        self.webhooks.tokio.spawn(async move {
            let ask = async |call| webhooks.first_answer(check.targets(), call).await;
            let there = check.is_there(ask(check.there()).await);
            let mut has = None;
            if there.is_ok() {
                let mut resources = check.resources(ask(check.discovery()).await);
                if resources.is_none() {
                    resources = check.resources(ask(check.legacy_discovery()).await);
                }
                let openapi_hash = check.openapi_hash(ask(check.openapi()).await);
                has = Some(api::RemoteSaid { resources, openapi_hash });
            }
            handle.tell(move |w| w.cluster.checked(&check.key, there, has));
        });
    }

    fn ask_for_watch(&self, watch: u64, errand: Errand, call: apiserver::Call) {
        let (webhooks, handle) = (self.webhooks.clone(), self.handle.clone());
        self.webhooks.tokio.spawn(async move {
            let said = webhooks.answer(&call).await;
            handle.tell(move |w| {
                errand.hear(call, said);
                // What it waited for goes out after this job.
                w.watches.iter_mut().filter(|s| s.number == watch).for_each(|s| s.asking = false);
            });
        });
    }
}

pub struct World {
    pub cluster: Cluster,
    pub debugger: engine::Debugger,
    /// The shells of the pages that are connected, by the page's number.
    pub shells: BTreeMap<u64, engine::Shells>,
    /// Pages that are connected.
    pub pages: usize,
    transport: Transport,
    anchor: Anchor,
    last_tick: Instant,
    watches: Vec<WatchSink>,
    watches_opened: u64,
    /// Streams to containers, and who reads them.
    sessions: BTreeMap<SessionId, mpsc::UnboundedSender<SessionOutput>>,
    pub wasm: BTreeMap<String, WasmNode>,
    /// Who is asked to bind pods that an extender binds.
    pub extenders: Option<Extenders>,
    /// Who asks webhooks.
    pub webhooks: Option<Messengers>,
    /// Counts changes that may concern Services; the port forwarder follows it.
    services: watch::Sender<u64>,
    round_robin: u64,
}

impl World {
    /// Starts the thread. It ends when every [`Handle`] is gone.
    pub fn start(cluster: Cluster) -> anyhow::Result<(Handle, watch::Receiver<u64>)> {
        let (tx, rx) = std_mpsc::channel();
        let (services, services_out) = watch::channel(0);
        // The world stays on its thread: the shells' commands cannot leave it.
        let begin = move || {
            let now = Instant::now();
            let anchor = Anchor { real: now, time: cluster.now() };
            let mut world = World {
                cluster,
                debugger: engine::Debugger::default(),
                shells: BTreeMap::new(),
                pages: 0,
                transport: Transport::default(),
                anchor,
                last_tick: now,
                watches: Vec::new(),
                watches_opened: 0,
                sessions: BTreeMap::new(),
                wasm: BTreeMap::new(),
                extenders: None,
                webhooks: None,
                services,
                round_robin: 0,
            };
            world.cluster.keep_events();
            world
        };
        std::thread::Builder::new().name("cluster".into()).spawn(move || begin().run(&rx))?;
        Ok((Handle(tx), services_out))
    }

    fn run(&mut self, jobs: &std_mpsc::Receiver<Job>) {
        loop {
            let busy = self.advance();
            self.hand_out();
            let sleep = if busy { Duration::ZERO } else { self.sleep() };
            match jobs.recv_timeout(sleep) {
                Ok(job) => {
                    job(self);
                    while let Ok(job) = jobs.try_recv() {
                        job(self);
                        if self.last_tick.elapsed() > SLICE {
                            break;
                        }
                    }
                    self.hand_out();
                }
                Err(std_mpsc::RecvTimeoutError::Timeout) => {}
                Err(std_mpsc::RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Lets the time pass that has passed; true when there is more to do at once.
    fn advance(&mut self) -> bool {
        let now = Instant::now();
        let elapsed = now.duration_since(self.last_tick);
        self.last_tick = now;
        if !self.transport.running {
            return false;
        }
        let Speed::Times(permille) = self.transport.speed else {
            let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
            let World { cluster, debugger, shells, .. } = self;
            let mut live = Live { cluster, debugger };
            let after_turn = |live: &mut Live<'_>| {
                run_shells(shells, live);
                now.elapsed() > SLICE
            };
            return self.transport.tick(&mut live, meta::Duration(micros), after_turn) > 0;
        };
        let passed = u64::try_from(now.duration_since(self.anchor.real).as_micros()).unwrap_or(u64::MAX);
        let target = self.anchor.time + meta::Duration(passed.saturating_mul(u64::from(permille)) / 1000);
        while self.cluster.step(target).is_some() {
            self.run_shells();
            if now.elapsed() > SLICE {
                return true;
            }
        }
        self.cluster.advance_to(target);
        false
    }

    /// Lets the commands of shells go on.
    pub fn run_shells(&mut self) {
        let World { cluster, debugger, shells, .. } = self;
        run_shells(shells, &mut Live { cluster, debugger });
    }

    fn sleep(&mut self) -> Duration {
        let Some(next) = self.cluster.next_at().filter(|_| self.transport.running) else { return SLEEP_MAX };
        let permille = match self.transport.speed {
            Speed::Times(0) => return SLEEP_MAX,
            Speed::Times(n) => u64::from(n),
            Speed::Max => 1000,
        };
        let micros = next.since(self.cluster.now()).as_micros().saturating_mul(1000) / permille;
        Duration::from_micros(micros).min(SLEEP_MAX)
    }

    /// Whether another server answers at a path.
    pub fn is_remote(&self, path: &str) -> bool {
        apiserver::http::remote(self.cluster.api().kinds(), path).is_some()
    }

    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Changes how time passes from this moment on.
    pub fn set_transport(&mut self, transport: Transport) {
        self.transport = transport;
        self.anchor = Anchor { real: Instant::now(), time: self.cluster.now() };
    }

    fn hand_out(&mut self) {
        for node in self.wasm.keys().cloned().collect::<Vec<_>>() {
            self.runtime_commands(&node);
        }
        if self.cluster.component("kube-scheduler").is_some_and(Scheduler::has_bind_questions) {
            let questions = self.cluster.with_component("kube-scheduler", Scheduler::take_bind_questions);
            questions.into_iter().flatten().for_each(|q| self.extenders.iter().for_each(|e| e.ask(q.clone())));
        }
        for (question, call) in self.cluster.take_questions() {
            self.webhooks.iter().for_each(|m| m.ask(question, call.clone()));
        }
        for check in self.cluster.take_checks() {
            self.webhooks.iter().for_each(|m| m.check(check.clone()));
        }
        for (process, message) in self.cluster.take_crashes() {
            eprintln!("kubottle: {process} crashed and was restarted: {message}");
        }
        let events = self.cluster.take_events();
        let now = self.cluster.now();
        let revision = self.cluster.revision();
        let real = Instant::now();
        let World { watches, cluster, webhooks, .. } = self;
        watches.retain_mut(|w| {
            let mut alive = !w.frames.is_closed();
            for e in &events {
                // Nothing overtakes an event that waits.
                if w.asking || !w.queue.is_empty() || w.watcher.needs_conversion(e) {
                    w.queue.push_back(e.clone());
                } else if let Some(frame) = w.watcher.event(e, now) {
                    alive &= w.frames.try_send(frame.into()).is_ok();
                }
            }
            alive &= w.send_queued(cluster, webhooks.as_ref());
            if !w.asking && w.watcher.spec().allow_bookmarks && real.duration_since(w.bookmarked) > BOOKMARK_EVERY {
                w.bookmarked = real;
                alive &= w.frames.try_send(w.watcher.bookmark(revision, now).into()).is_ok();
            }
            alive && !w.watcher.is_over()
        });
        self.hand_out_sessions();
        let rules = self.rules_version();
        self.services.send_if_modified(|n| std::mem::replace(n, rules) != rules);
    }

    /// Takes a watch over; its frames come out of the receiver, which ends with it.
    pub fn add_watch(&mut self, watcher: Box<Watcher>) -> mpsc::Receiver<Bytes> {
        let (frames, out) = mpsc::channel(WATCH_FRAMES_MAX);
        if !watcher.is_over() {
            self.watches_opened += 1;
            self.watches.push(WatchSink {
                number: self.watches_opened,
                watcher,
                queue: VecDeque::new(),
                errand: Errand::default(),
                asking: false,
                frames,
                bookmarked: Instant::now(),
            });
        }
        out
    }

    /// Opens `exec` or `attach`; what comes out arrives at the receiver, which ends with the session.
    ///
    /// # Errors
    /// The kubelet's words.
    pub fn open_session(
        &mut self,
        target: &ConnectTarget,
    ) -> Result<(SessionId, mpsc::UnboundedReceiver<SessionOutput>), String> {
        let session = self.cluster.open_session(target)?;
        let (tx, rx) = mpsc::unbounded_channel();
        self.sessions.insert(session.clone(), tx);
        Ok((session, rx))
    }

    fn hand_out_sessions(&mut self) {
        let cluster = &mut self.cluster;
        self.sessions.retain(|session, out| {
            let Some(output) = cluster.session_output(session) else { return false };
            if output == SessionOutput::default() {
                return !out.is_closed();
            }
            let ended = output.end.is_some();
            out.send(output).is_ok() && !ended
        });
    }

    /// The next number of a rising sequence: which of several endpoints is taken.
    pub fn turn(&mut self) -> u64 {
        self.round_robin += 1;
        self.round_robin
    }

    fn with_runtime<R>(&mut self, node: &str, f: impl FnOnce(&mut ExternalRuntime) -> R) -> Option<R> {
        let pick = |k: &mut Kubelet| Some(f(k.runtime_mut().as_any_mut().downcast_mut::<ExternalRuntime>()?));
        self.cluster.with_component(&kubelet_name(node), pick).flatten()
    }

    fn runtime_commands(&mut self, node: &str) {
        let powered = self.cluster.machine(node).is_some_and(|m| m.power == Power::On);
        if !powered {
            if let Some(n) = self.wasm.get_mut(node) {
                n.reset();
            }
            return;
        }
        let commands = self.with_runtime(node, ExternalRuntime::take_commands).unwrap_or_default();
        let now = self.cluster.now();
        if let Some(n) = self.wasm.get_mut(node) {
            for c in commands {
                n.command(now, c);
            }
            let usage = n.usage(now);
            if !usage.is_empty() {
                self.with_runtime(node, |r| {
                    usage.iter().for_each(|(id, cpu, memory)| r.set_usage(now, id, *cpu, *memory));
                });
            }
        }
    }

    pub fn runtime_event(&mut self, node: &str, event: RuntimeEvent) {
        self.with_runtime(node, |r| r.push(event));
    }

    pub fn wasm_image(&mut self, node: &str, name: String, record: ImageRecord) {
        let Some(n) = self.wasm.get_mut(node) else { return };
        n.add_image(name, record);
        let images = n.images();
        self.with_runtime(node, |r| r.set_images(images));
    }

    pub fn wasm_output(&mut self, node: &str, id: &ContainerId, lines: Vec<Line>) {
        let now = self.cluster.now();
        if let Some(n) = self.wasm.get_mut(node) {
            n.output(now, id, lines);
        }
    }

    pub fn wasm_exited(&mut self, node: &str, id: ContainerId, exit: &Exit) {
        let now = self.cluster.now();
        let Some(n) = self.wasm.get_mut(node) else { return };
        let event = n.exited(now, id, exit);
        self.runtime_event(node, event);
    }
}

fn run_shells(shells: &mut BTreeMap<u64, engine::Shells>, live: &mut Live<'_>) {
    shells.values_mut().filter(|s| s.is_busy()).for_each(|s| s.run(live));
}
