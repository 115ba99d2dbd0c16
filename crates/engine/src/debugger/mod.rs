//! The scheduling debugger: breakpoints, the held cycle and its cursor, and answers to questions about decisions.
//!
//! It changes nothing of what a cluster does ([`cluster::hold`]), so none of its state is part of a session's inputs; a
//! saved session keeps it beside them, to come back to the same call.

mod answers;
mod calls;
mod config;
mod differences;
pub(crate) mod documents;
mod errand;
mod history;
mod opened;
mod view;
mod whatif;

pub(crate) use answers::scheduler;
pub use errand::Errands;
pub use view::{Mask, cycle_view};

use calls::Calls;
use cluster::{Cluster, Held};
use meta::labels::Selector;
use protocol::debug::{Answer, Judgement, Move};
use protocol::{Breakpoint, DebuggerView};
use scheduler::Moment;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use trace::cycle::Verdict;

/// What-ifs that can still be asked about.
const WHATIFS_MAX: usize = 40;
/// Their numbers: far above any trace entry's, and exact in JavaScript.
const WHATIF_BASE: u64 = 1 << 52;

/// What a saved session keeps of the debugger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Kept {
    breakpoints: Vec<Breakpoint>,
    waiting: Option<Waiting>,
    /// The held cycle's cursor, and whether it is hidden.
    held: Option<(usize, bool)>,
}

/// The next cycle is to be held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Waiting {
    /// `namespace/name`; empty: any pod.
    pod: String,
    quiz: bool,
}

#[derive(Default)]
pub struct Debugger {
    breakpoints: Vec<Breakpoint>,
    waiting: Option<Waiting>,
    held: Option<Stand>,
    whatifs: VecDeque<(u64, Arc<Moment>)>,
    whatif_next: u64,
    opened: opened::Newest,
}

/// Where the held cycle stands.
struct Stand {
    seq: u64,
    at: meta::Time,
    calls: Calls,
    spans: Vec<protocol::debug::PointSpan>,
    cursor: usize,
    breakpoint: Option<usize>,
    hidden: bool,
}

fn refused(message: impl Into<String>) -> Answer {
    Answer::Refused { message: message.into(), errors: Vec::new() }
}

/// Why something could not be, with places where there are any.
pub(crate) struct Refusal {
    message: String,
    errors: Vec<protocol::Diagnostic>,
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Refusal { message, errors: Vec::new() }
    }
}

impl From<Refusal> for Answer {
    fn from(r: Refusal) -> Self {
        Answer::Refused { message: r.message, errors: r.errors }
    }
}

/// Whether the breakpoint is about this pod.
fn about(b: &Breakpoint, selector: Option<&Selector>, moment: &Moment) -> bool {
    let pod = &moment.pod;
    let named = b.pod.is_empty() || b.pod == pod.key.as_str() || b.pod == pod.name();
    !b.disabled && named && selector.is_none_or(|s| s.matches(pod.pod.metadata.labels.as_ref()))
}

/// The breakpoints that are about the pod, with their places in the list.
fn stops<'a>(breakpoints: &'a [Breakpoint], moment: &Moment) -> Vec<(usize, &'a Breakpoint)> {
    let matches = |b: &Breakpoint| {
        let selector = if b.labels.is_empty() { None } else { Selector::parse(&b.labels).ok() };
        about(b, selector.as_ref(), moment)
    };
    breakpoints.iter().enumerate().filter(|(_, b)| matches(b)).collect()
}

impl Waiting {
    fn is_for(&self, moment: &Moment) -> bool {
        self.pod.is_empty() || self.pod == moment.pod.key.as_str()
    }
}

impl Debugger {
    /// What a saved session kept.
    pub fn kept(&self) -> Kept {
        let held = self.held.as_ref().map(|h| (h.cursor, h.hidden));
        Kept { breakpoints: self.breakpoints.clone(), waiting: self.waiting.clone(), held }
    }

    /// The debugger of a session that was replayed: a cycle that was held is held again, at the same call.
    pub fn restore(kept: Kept, cluster: &mut Cluster) -> Debugger {
        let mut d = Debugger { breakpoints: kept.breakpoints, waiting: kept.waiting, ..Debugger::default() };
        if let Some((cursor, hidden)) = kept.held {
            cluster.hold_when(Some(Arc::new(|_: &Moment| true)));
            // The scheduler's turn is the next that is due, or was: then there is nothing to hold.
            let _ = cluster.wake_one(cluster.now());
            d.sync(cluster);
            if let Some(h) = &mut d.held {
                (h.cursor, h.hidden, h.breakpoint) = (cursor.min(h.calls.len().saturating_sub(1)), hidden, None);
            }
        }
        d.arm(cluster);
        d
    }

    /// Tells the cluster which cycles are to be held.
    fn arm(&self, cluster: &mut Cluster) {
        if self.waiting.is_none() && self.breakpoints.iter().all(|b| b.disabled) {
            return cluster.hold_when(None);
        }
        let (waiting, breakpoints) = (self.waiting.clone(), self.breakpoints.clone());
        cluster.hold_when(Some(Arc::new(move |m: &Moment| {
            if waiting.as_ref().is_some_and(|w| w.is_for(m)) {
                return true;
            }
            let stops = stops(&breakpoints, m);
            !stops.is_empty() && Calls::of(m).next_stop(&stops, None).is_some()
        })));
    }

    /// Another cluster takes the place of the one it was for.
    pub(crate) fn take_over(&mut self, cluster: &mut Cluster) {
        self.held = None;
        cluster.hold_nothing();
        self.arm(cluster);
    }

    /// Takes in that the cluster holds a cycle, or does not any more. Hosts call it after they let time pass.
    pub fn sync(&mut self, cluster: &mut Cluster) {
        let Some(held) = cluster.held() else {
            self.held = None;
            return;
        };
        if self.held.as_ref().is_some_and(|h| h.seq == held.seq && h.at == held.at) {
            return;
        }
        self.held = Some(self.stand(held));
        if self.waiting.as_ref().is_some_and(|w| w.is_for(&held.moment)) {
            self.waiting = None;
            self.arm(cluster);
        }
    }

    fn stand(&self, held: &Held) -> Stand {
        let calls = Calls::of(&held.moment);
        let waited = self.waiting.as_ref().filter(|w| w.is_for(&held.moment));
        let stop = match waited {
            Some(_) => None,
            None => calls.next_stop(&stops(&self.breakpoints, &held.moment), None),
        };
        Stand {
            seq: held.seq,
            at: held.at,
            cursor: stop.map_or(0, |(i, _)| i),
            breakpoint: stop.map(|(_, b)| b),
            hidden: waited.is_some_and(|w| w.quiz),
            spans: calls.spans(),
            calls,
        }
    }

    pub fn is_holding(&self) -> bool {
        self.held.is_some()
    }

    /// What letting the cluster run means while a cycle is held: on to the next breakpoint. One that is hidden waits for
    /// the pick.
    pub fn go_on(&mut self, cluster: &mut Cluster) {
        self.sync(cluster);
        if self.held.as_ref().is_some_and(|h| !h.hidden) {
            self.move_on(cluster, Move::Continue);
        }
    }

    /// Lets everything go: nobody looks any more.
    pub fn leave(&mut self, cluster: &mut Cluster) {
        (self.breakpoints, self.waiting) = (Vec::new(), None);
        self.arm(cluster);
        self.finish(cluster);
    }

    pub fn view(&self) -> DebuggerView {
        let waiting = self.waiting.as_ref().map(|w| if w.pod.is_empty() { "*".into() } else { w.pod.clone() });
        let held = self.held.as_ref().map(|h| protocol::Held {
            seq: h.seq,
            pod: h.calls.cycle.pod.clone(),
            profile: h.calls.cycle.profile.clone(),
            attempt: h.calls.cycle.attempt,
            cursor: if h.hidden { 0 } else { h.cursor },
            calls: if h.hidden { 0 } else { h.calls.len() },
            at: if h.hidden { Default::default() } else { h.calls.call(h.cursor) },
            points: if h.hidden { Vec::new() } else { h.spans.clone() },
            breakpoint: h.breakpoint,
            hidden: h.hidden,
        });
        DebuggerView { breakpoints: self.breakpoints.clone(), waiting: waiting.unwrap_or_default(), held }
    }

    /// The held cycle as far as it has come, its number and time.
    pub fn held_view(&self) -> Option<protocol::CycleView> {
        let h = self.held.as_ref()?;
        Some(cycle_view(h.seq, h.at.as_micros(), &h.calls.cycle, self.mask(h, None)))
    }

    fn mask<'a>(&self, h: &'a Stand, upto: Option<usize>) -> Mask<'a> {
        if h.hidden {
            return Mask::Hidden;
        }
        let shown = upto.map_or(h.cursor, |n| h.cursor.min(n.saturating_sub(1)));
        if upto == Some(0) { Mask::Hidden } else { Mask::Upto(&h.calls, shown) }
    }

    fn set_breakpoints(&mut self, cluster: &mut Cluster, breakpoints: Vec<Breakpoint>) -> Answer {
        for (i, b) in breakpoints.iter().enumerate().filter(|(_, b)| !b.labels.is_empty()) {
            if let Err(e) = Selector::parse(&b.labels) {
                return refused(format!("breakpoints[{i}].labels: {e}"));
            }
        }
        self.breakpoints = breakpoints;
        self.arm(cluster);
        Answer::Done
    }

    fn hold(&mut self, cluster: &mut Cluster, pod: String, quiz: bool, off: bool) -> Answer {
        self.waiting = (!off).then_some(Waiting { pod, quiz });
        self.arm(cluster);
        Answer::Done
    }

    fn move_on(&mut self, cluster: &mut Cluster, to: Move) -> Answer {
        let Some(h) = &mut self.held else { return refused("no scheduling cycle is held") };
        if h.hidden && to != Move::Finish {
            return refused("the decision is hidden until a node is picked");
        }
        let (next, breakpoint) = match to {
            Move::NextCall => (h.cursor + 1, None),
            Move::NextNode => (h.calls.next_node(h.cursor), None),
            Move::NextPoint => (h.calls.next_point(h.cursor), None),
            Move::Finish => (usize::MAX, None),
            Move::Continue => {
                let moment = cluster.held().map(|held| held.moment.clone());
                let found = moment.and_then(|m| h.calls.next_stop(&stops(&self.breakpoints, &m), Some(h.cursor)));
                found.map_or((usize::MAX, None), |(i, b)| (i, Some(b)))
            }
        };
        (h.cursor, h.breakpoint) = (next, breakpoint);
        if next >= h.calls.len() {
            self.held = None;
            cluster.release();
            self.sync(cluster);
        }
        Answer::Done
    }

    /// Lets a held cycle happen, if there is one: what a step of the whole cluster means while one is held.
    pub fn finish(&mut self, cluster: &mut Cluster) -> bool {
        let held = self.held.take().is_some() | cluster.held().is_some();
        cluster.release();
        self.sync(cluster);
        held
    }

    /// The learner's choice.
    fn pick(&mut self, picked: &str) -> Answer {
        let Some(h) = &mut self.held else { return refused("no scheduling cycle is held") };
        let c = &h.calls.cycle;
        let row = c.nodes.iter().find(|n| n.name == picked);
        if !picked.is_empty() && row.is_none() {
            return refused(format!("nodes {picked:?} was not looked at in this cycle"));
        }
        h.hidden = false;
        h.cursor = h.calls.len().saturating_sub(1);
        let winner = c.node.clone().unwrap_or_default();
        let total = |name: &str| c.nodes.iter().find(|n| n.name == name).and_then(|n| n.total);
        let best = total(&winner);
        let ties: Vec<String> = c
            .nodes
            .iter()
            .filter(|n| n.name != winner && best.is_some() && n.total == best)
            .map(|n| n.name.clone())
            .collect();
        let refusal = row.and_then(|n| n.filters.iter().find(|f| f.verdict != Verdict::Pass));
        Answer::Verdict(Judgement {
            right: picked == winner || ties.iter().any(|t| t == picked),
            picked: picked.into(),
            picked_total: total(picked),
            winner_total: best,
            refused: refusal.cloned(),
            winner,
            ties,
        })
    }
}
