//! One page's connection: commands in, updates out, at most one a frame.

use crate::world::{Handle, World};
use axum::extract::ws::{Message, WebSocket};
use engine::{Errands, Live, Shown, Viewer};
use futures_util::{SinkExt, StreamExt};
use protocol::{Clock, Command, Reply, Subscription, Update};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A frame on a screen of 30 Hz: enough for a cluster that runs in real time.
const FRAME: Duration = Duration::from_millis(33);
/// Of a frame: for questions whose answers take long.
const ERRANDS: Duration = Duration::from_millis(15);

/// Serves a page until it leaves.
pub async fn run(handle: Handle, socket: WebSocket) {
    static PAGES: AtomicU64 = AtomicU64::new(0);
    let number = PAGES.fetch_add(1, Ordering::Relaxed);
    handle.tell(|w| w.pages += 1);
    let _here = Here(handle.clone(), number);
    let (mut out, mut incoming) = socket.split();
    let mut page = Some(Page { number, ..Page::default() });
    let mut next_frame = Instant::now();
    loop {
        let commands = tokio::select! {
            message = incoming.next() => match message {
                Some(Ok(Message::Text(text))) => vec![serde_json::from_str::<Command>(&text)],
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            () = sleep_until(next_frame) => Vec::new(),
        };
        if commands.is_empty() {
            next_frame = Instant::now() + FRAME;
        }
        // The page's state travels to the cluster's thread and back.
        let Some(mut here) = page.take() else { return };
        let asked = handle.ask(move |w| {
            for command in commands {
                here.command(w, command);
            }
            let update = here.update(w);
            (here, update)
        });
        let Ok((here, update)) = asked.await else { return };
        page = Some(here);
        if let Some(update) = update {
            let Ok(text) = serde_json::to_string(&update) else { return };
            if out.send(Message::text(text)).await.is_err() {
                return;
            }
        }
    }
}

/// A page that is connected. When the last one leaves, nobody is left to step on: the cluster goes on by itself.
struct Here(Handle, u64);

impl Drop for Here {
    fn drop(&mut self) {
        let number = self.1;
        self.0.tell(move |w| {
            w.pages -= 1;
            if let Some(mut shells) = w.shells.remove(&number) {
                shells.close(&mut Live { cluster: &mut w.cluster, debugger: &mut w.debugger });
            }
            if w.pages == 0 {
                w.debugger.leave(&mut w.cluster);
            }
        });
    }
}

#[derive(Default)]
struct Page {
    number: u64,
    /// `None` until the page has started.
    viewer: Option<Viewer>,
    replies: Vec<Reply>,
    /// Questions whose answers take long.
    errands: Errands,
    /// The clock as last told: an update that only carries replies repeats it.
    clock: Clock,
}

impl Page {
    fn command(&mut self, w: &mut World, command: Result<Command, serde_json::Error>) {
        let mut transport = w.transport();
        match command {
            Err(e) => self.replies.push(Reply::Refused { message: format!("the message cannot be read: {e}") }),
            Ok(Command::Start(start)) if start.version != protocol::VERSION => {
                let (page, server) = (start.version, protocol::VERSION);
                let message = format!("the page speaks version {page}, this server version {server}: reload the page");
                self.replies.push(Reply::Refused { message });
            }
            // The cluster is the server's: the page's own session stays with the page.
            Ok(Command::Start(start)) => self.viewer = Some(Viewer::new(start.subscription)),
            Ok(Command::Subscribe(s)) => self.subscribe(s),
            Ok(Command::Run) => {
                transport.running = true;
                w.debugger.go_on(&mut w.cluster);
                w.set_transport(transport);
            }
            Ok(Command::Pause) => {
                transport.running = false;
                w.set_transport(transport);
            }
            Ok(Command::SetSpeed { speed }) => {
                transport.speed = speed;
                w.set_transport(transport);
            }
            Ok(Command::Step) => {
                transport.running = false;
                if !w.debugger.finish(&mut w.cluster) {
                    transport.step(&mut w.cluster);
                }
                w.set_transport(transport);
            }
            Ok(Command::StepDecision) => {
                transport.running = false;
                w.debugger.finish(&mut w.cluster);
                transport.step_decision(&mut w.cluster);
                w.set_transport(transport);
            }
            Ok(Command::Shell(said)) => {
                let World { cluster, debugger, shells, .. } = w;
                shells.entry(self.number).or_default().take(&mut Live { cluster, debugger }, said);
            }
            Ok(Command::Time { id, .. } | Command::Compare { id, .. }) => {
                let error = Some("this cluster lives in the server, which keeps no session to look back on".into());
                self.replies.push(Reply::Done { id, error });
            }
            Ok(Command::Save { id } | Command::Share { id }) => {
                let error = Some("this cluster lives in the server; it is not saved with the page".into());
                self.replies.push(Reply::Done { id, error });
            }
            Ok(other) => match self.errands.take(&mut w.cluster, &mut w.debugger, &other) {
                Some(replies) => self.replies.extend(replies),
                None => self.replies.extend(engine::act_with(&mut w.cluster, &mut w.debugger, &other)),
            },
        }
    }

    fn subscribe(&mut self, s: Subscription) {
        if let Some(viewer) = &mut self.viewer {
            viewer.subscribe(s);
        }
    }

    fn update(&mut self, w: &mut World) -> Option<Update> {
        let begun = std::time::Instant::now();
        w.run_shells();
        self.replies.extend(w.shells.get_mut(&self.number).map(engine::Shells::replies).unwrap_or_default());
        self.replies.extend(self.errands.run(&w.cluster, || begun.elapsed() > ERRANDS));
        w.debugger.sync(&mut w.cluster);
        let t = w.transport();
        let speed = match t.speed {
            protocol::Speed::Times(n) => n,
            protocol::Speed::Max => 0,
        };
        // Its past is what real kubectl made of it: there is no session to look back on.
        let (cluster, debugger, time, rewinds) = (&w.cluster, &w.debugger, None, (0, 0));
        let shown = Shown { cluster, debugger, running: t.running, speed, time, rewinds };
        let update = self.viewer.as_mut().and_then(|v| v.update(shown));
        if update.is_none() && self.replies.is_empty() {
            return None;
        }
        let mut update = update.unwrap_or_else(|| Update { clock: self.clock.clone(), ..Default::default() });
        self.clock = update.clock.clone();
        update.replies.append(&mut self.replies);
        Some(update)
    }
}
