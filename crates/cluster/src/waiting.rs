//! Components' writes that wait for a webhook. The component takes no other turn meanwhile, as a worker does not whose request
//! is under way; everybody else goes on.

use crate::aggregation::Check;
use crate::errand::Errand;
use crate::turn::{Sent, Underway};
use crate::{Cluster, Lamp};
use api::KindRef;
use apiserver::{Call, Request, Said};
use std::collections::BTreeMap;
use std::sync::Arc;
use trace::Seq;

/// What the host has to fetch, and what waits for it.
#[derive(Default)]
pub(crate) struct Waiting {
    /// The host fetches answers; otherwise the cluster stands still for them.
    pub(crate) on: bool,
    next: u64,
    questions: Vec<(u64, Call)>,
    /// Servers behind APIServices that are to be looked at.
    pub(crate) checks: Vec<Check>,
    parked: BTreeMap<u64, Parked>,
    /// Components whose requests were lost with the connections.
    lost: Vec<usize>,
}

/// A copy of the cluster has no connections: its components begin anew.
impl Clone for Waiting {
    fn clone(&self) -> Self {
        let waits = self.parked.values().filter_map(|p| p.of.as_ref().map(|(i, _)| *i));
        Waiting { lost: waits.chain(self.lost.iter().copied()).collect(), ..Waiting::default() }
    }
}

struct Parked {
    errand: Errand,
    actor: Arc<str>,
    cause: Seq,
    req: Request,
    /// The slot whose turn it belongs to; `None`: nobody hears the answer.
    of: Option<(usize, Box<(Underway, Sent)>)>,
}

impl Cluster {
    /// From now on the host fetches what webhooks say to components ([`Cluster::take_questions`]).
    pub fn hand_out_questions(&mut self) {
        self.waiting.on = true;
    }

    /// Questions to webhooks since the last call, for [`Cluster::hear`].
    pub fn take_questions(&mut self) -> Vec<(u64, Call)> {
        std::mem::take(&mut self.waiting.questions)
    }

    /// Whether components' writes of the kind are given up until their webhooks have answered.
    pub(crate) fn parks(&self, kind: KindRef) -> bool {
        self.waiting.on && self.has_webhooks(kind)
    }

    /// Puts a request aside that was given up for a question.
    pub(crate) fn park(
        &mut self,
        errand: Errand,
        (actor, cause, req): (Arc<str>, Seq, Request),
        of: Option<(usize, Box<(Underway, Sent)>)>,
    ) {
        let Some(call) = errand.take_missing() else { return };
        if let Some((i, _)) = &of {
            self.slots[*i].waits = true;
            self.slots[*i].wake = None;
        }
        self.waiting.next += 1;
        self.waiting.questions.push((self.waiting.next, call));
        self.waiting.parked.insert(self.waiting.next, Parked { errand, actor, cause, req, of });
    }

    /// A write that nobody hears the answer of.
    pub(crate) fn send(&mut self, actor: Arc<str>, cause: Seq, req: Request) {
        if !self.parks(req.kind) {
            self.execute(&actor, cause, req);
            return;
        }
        self.send_again(Errand::default(), actor, cause, req);
    }

    fn send_again(&mut self, errand: Errand, actor: Arc<str>, cause: Seq, req: Request) {
        if self.execute_on(&actor, cause, req.clone(), Some(&errand)).0.code == apiserver::WAITS {
            self.park(errand, (actor, cause, req), None);
        }
    }

    /// What a webhook has said: the request begins anew, and the turn that it belongs to goes on.
    pub fn hear(&mut self, question: u64, call: Call, said: Said) {
        let Some(Parked { errand, actor, cause, req, of }) = self.waiting.parked.remove(&question) else { return };
        errand.hear(call, said);
        // What is held now comes before.
        self.release();
        match of {
            None => self.send_again(errand, actor, cause, req),
            Some((i, turn)) => {
                self.slots[i].waits = false;
                let (underway, sent) = *turn;
                self.go_on(i, underway, Some((sent, req, errand)));
            }
        }
    }

    /// The component of slot `i` is not there any more: nobody waits for its requests.
    pub(crate) fn hang_up(&mut self, i: usize) {
        if std::mem::take(&mut self.slots[i].waits) {
            self.waiting.parked.retain(|_, p| p.of.as_ref().is_none_or(|(slot, _)| *slot != i));
            self.waiting.lost.retain(|slot| *slot != i);
        }
    }

    /// Starts the components anew whose requests were lost.
    pub(crate) fn restart_lost(&mut self) {
        for i in std::mem::take(&mut self.waiting.lost) {
            let lamp = self.slots[i].lamp;
            self.slots[i].waits = false;
            if lamp == Lamp::Running {
                self.start_slot(i);
            }
        }
    }
}
