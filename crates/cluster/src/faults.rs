//! What goes wrong on purpose: processes that die, stand still or are slow, nodes that are cut off, images that no
//! registry gives any more.

use crate::control_plane::PANICKED;
use crate::machines::kubelet_name;
use crate::{Cluster, Lamp, WATCH_LATENCY, elections};
use kubelet::Kubelet;
use kubelet::pod::images::ImageRef;
use meta::{ApiError, Duration};
use reconcile::{Cx, Gateway};
use std::sync::Arc;
use trace::{Seq, What};

/// How long a process that died takes to come back.
const CRASH_RESTART: Duration = Duration::from_secs(10);

impl Cluster {
    /// The slots of a process.
    pub(crate) fn members(&self, process: &str) -> Vec<usize> {
        let all = self.slots.iter().enumerate();
        all.filter(|(_, s)| !s.gone && *s.process == *process).map(|(i, _)| i).collect()
    }

    /// Notes what a process has become.
    pub(crate) fn note_process(&mut self, cause: Seq, process: &str, state: &str) {
        let lane = self.lanes.apiserver.clone();
        self.trace.push(self.now, cause, &lane, What::Process { process: process.into(), state: state.into() });
    }

    /// What depends on whether a process runs, beside its components.
    pub(crate) fn follow(&mut self, process: &str, running: bool) {
        if process == network::gateway::PROCESS {
            self.serve_ingresses(process, running);
        }
        if process == crate::metrics::PROCESS {
            self.serve_metrics(running);
        }
        if let Some(node) = process.strip_prefix("kubelet/") {
            let cut = self.is_cut(node);
            self.view.usage.set_mute(node, !running || cut);
        }
    }

    /// The web server dies with its controller, and knows nothing when it comes back. It works on while the controller
    /// stands still.
    fn serve_ingresses(&mut self, process: &str, running: bool) {
        let paused = self.members(process).iter().any(|i| self.slots[*i].lamp == Lamp::Paused);
        if !running && !paused {
            self.view.gateway = Gateway::default();
        }
        self.view.gateway.listening = running || paused;
    }

    /// A process dies, and is started again after a while. False: none of this name can, or it does not run.
    pub fn crash_process(&mut self, process: &str) -> bool {
        let runs = |i: &usize| matches!(self.slots[*i].lamp, Lamp::Running | Lamp::Paused);
        if !Self::can_stop(process) || !self.members(process).iter().any(runs) {
            return false;
        }
        let cause = self.action("crash-process", process);
        self.die(process, cause, PANICKED);
        true
    }

    /// A component panicked, which is a bug: shown, and its process dies.
    pub(crate) fn panicked(&mut self, i: usize, message: String) {
        let process = self.slots[i].process.to_string();
        self.crashes.push((process.clone(), message));
        self.die(&process, 0, PANICKED);
    }

    /// `code`: what the program ends with.
    pub(crate) fn die(&mut self, process: &str, cause: Seq, code: i32) {
        let contained = self.is_contained(process);
        let back = self.now + CRASH_RESTART;
        for i in self.members(process) {
            self.hold.changed(i);
            self.hang_up(i);
            let slot = &mut self.slots[i];
            if slot.lamp != Lamp::Stopped {
                slot.lamp = Lamp::Crashed;
                slot.wake = None;
                // Those wait for their process to lead again.
                if !contained && !elections::is_led(&*slot.component) {
                    self.wakes.call_at(i, slot, back);
                }
            }
        }
        self.end_container(process, code);
        self.follow(process, false);
        self.note_process(cause, process, "crashed");
    }

    /// The process of a component that died is there again; its components come one by one.
    pub(crate) fn come_back(&mut self, i: usize) {
        let process = self.slots[i].process.to_string();
        let members = self.members(&process);
        let first = !members.iter().any(|m| self.slots[*m].lamp == Lamp::Running);
        self.start_slot(i);
        for m in members {
            let slot = &mut self.slots[m];
            if slot.lamp == Lamp::Crashed && elections::is_led(&*slot.component) {
                slot.lamp = Lamp::Standby;
            }
        }
        if first {
            self.follow(&process, true);
            self.note_process(0, &process, "running");
        }
    }

    /// A process stands still, or goes on. False: there is none of this name that can.
    pub fn pause_process(&mut self, process: &str, on: bool) -> bool {
        let (from, to) = if on { (Lamp::Running, Lamp::Paused) } else { (Lamp::Paused, Lamp::Running) };
        let mut members = self.members(process);
        members.retain(|i| self.slots[*i].lamp == from);
        if members.is_empty() || !Self::can_stop(process) {
            return false;
        }
        let cause = self.action(if on { "pause-process" } else { "resume-process" }, process);
        for i in members {
            self.hold.changed(i);
            let slot = &mut self.slots[i];
            slot.lamp = to;
            slot.wake = None;
            if on {
                slot.stale.get_or_insert_with(|| self.view.clone());
            } else {
                self.catch_up(i, cause);
            }
        }
        self.freeze_container(process, on);
        self.follow(process, !on);
        self.note_process(cause, process, if on { "paused" } else { "running" });
        true
    }

    /// Each turn of a process takes so many times as long from now on; 1 is the usual. False: there is no such process.
    pub fn slow_process(&mut self, process: &str, times: u32) -> bool {
        let members = self.members(process);
        if members.is_empty() || !Self::can_stop(process) {
            return false;
        }
        let times = times.max(1);
        self.action("slow-process", &format!("{process} {times}"));
        for i in members {
            self.slots[i].slow = times;
        }
        true
    }

    /// Cuts a machine off the API server, or connects it again. False: there is no such machine, or it is so already.
    pub fn cut_link(&mut self, node: &str, on: bool) -> bool {
        let Some(m) = self.machines.get_mut(node).filter(|m| m.cut != on) else { return false };
        m.cut = on;
        let cause = self.action(if on { "cut-link" } else { "heal-link" }, node);
        if let Some(i) = self.by_name.get(kubelet_name(node).as_str()).copied() {
            let slot = &mut self.slots[i];
            slot.cut = on;
            self.view.usage.set_mute(node, on || slot.lamp != Lamp::Running);
            match (on, slot.lamp) {
                (true, _) => _ = slot.stale.get_or_insert_with(|| self.view.clone()),
                (false, Lamp::Running) => self.catch_up(i, cause),
                (false, Lamp::Paused) => {}
                // It will begin anew.
                (false, _) => slot.stale = None,
            }
        }
        true
    }

    /// A component sees the present again, if nothing keeps it from that: it hears of all that it has missed.
    fn catch_up(&mut self, i: usize, cause: Seq) {
        let slot = &mut self.slots[i];
        if !slot.cut
            && let Some(known) = slot.stale.take()
        {
            let cx = Cx { now: self.now, view: &self.view, recording: self.config.recording };
            for change in self.view.changes_since(&known, &slot.component.interests(), cause) {
                slot.component.observe(&cx, &change);
            }
        }
        self.wakes.schedule(i, slot, self.now + WATCH_LATENCY);
    }

    /// What a request comes to that a node sends while it is cut off.
    pub(crate) fn no_answer() -> ApiError {
        let ip = crate::bootstrap::API_SERVER_IP;
        ApiError::new(504, "Timeout", format!("dial tcp {ip}:6443: i/o timeout"))
    }

    /// Why the API server does not reach a kubelet; `None`: it does.
    pub fn unreachable(&self, node: &str) -> Option<String> {
        let ip = self.machine(node).map_or("", |m| m.config.internal_ip.as_str());
        match self.lamp(&kubelet_name(node)) {
            _ if self.is_cut(node) => Some(format!("dial tcp {ip}:10250: i/o timeout")),
            Some(Lamp::Running) => None,
            // Its socket takes connections, nobody reads them.
            Some(Lamp::Paused) => Some("net/http: TLS handshake timeout".into()),
            _ => Some(format!("dial tcp {ip}:10250: connect: connection refused")),
        }
    }
    pub fn is_cut(&self, node: &str) -> bool {
        self.machine(node).is_some_and(|m| m.cut)
    }

    /// From now on no registry gives the image, or one does again.
    ///
    /// # Errors
    /// It is no image's name.
    pub fn block_image(&mut self, image: &str, on: bool) -> Result<(), String> {
        let parsed = ImageRef::parse(image)?;
        // Without a tag: the repository.
        let named = image.rsplit('/').next().is_some_and(|last| last.contains([':', '@']));
        let name = if named { parsed.full() } else { parsed.name() };
        self.action(if on { "block-image" } else { "unblock-image" }, image);
        let blocked = Arc::make_mut(&mut self.blocked);
        let _ = if on { blocked.insert(name) } else { blocked.remove(&name) };
        let machines: Vec<String> = self.machines.keys().cloned().collect();
        for node in machines {
            let blocked = self.blocked.clone();
            self.with_component(&kubelet_name(&node), |k: &mut Kubelet| k.runtime_mut().block_images(blocked));
        }
        Ok(())
    }
    /// `docker.io/library/nginx:1.25`, or `docker.io/library/nginx` for all its tags.
    pub fn blocked_images(&self) -> impl Iterator<Item = &String> {
        self.blocked.iter()
    }
}
