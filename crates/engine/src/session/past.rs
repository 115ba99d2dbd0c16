//! What is done with a session's time: another moment is shown, the past is played, the present is run until something is so.

use super::Session;
use super::player::{Player, Target};
use super::travel::{Slice, Travel};
use super::until::Watch;
use crate::compare::compare;
use crate::debugger::Debugger;
use crate::transport::{Transport, after};
use cluster::Cluster;
use meta::{Duration, Time};
use protocol::{Comparison, Mark, PastView, Reply, TimeOrder, TimeView};

/// Of bookmarks.
const NAME_MAX: usize = 80;
const MARKS_MAX: usize = 200;

impl Session {
    /// What is shown: the present, or a moment of the past.
    pub fn shown(&self) -> (&Cluster, &Debugger) {
        match self.travel.as_ref().and_then(|t| Some((t.shown()?, &t.debugger))) {
            Some((player, debugger)) => (&player.cluster, debugger),
            None => (&self.cluster, &self.debugger),
        }
    }
    pub fn shown_mut(&mut self) -> (&mut Cluster, &mut Debugger) {
        match self.travel.as_mut().and_then(Travel::parts) {
            Some(parts) => parts,
            None => (&mut self.cluster, &mut self.debugger),
        }
    }
    /// Whether the past is shown.
    pub fn is_past(&self) -> bool {
        self.travel.as_ref().is_some_and(|t| t.shown().is_some())
    }
    /// Whether the present waits for a moment to be shown.
    pub fn is_travelling(&self) -> bool {
        self.travel.is_some()
    }

    /// Carries out what is ordered about time.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn order(&mut self, transport: &mut Transport, order: &TimeOrder) -> Result<(), String> {
        let turns = self.shown().0.turns();
        match order {
            TimeOrder::Show { entry } => self.go(transport, Target::Entry(*entry), None),
            TimeOrder::ShowTime { at } => self.go(transport, Target::Time(Time(*at)), None),
            TimeOrder::Back => self.go(transport, Target::Turn(turns.saturating_sub(1)), None),
            TimeOrder::DecisionBack => match self.decision_before() {
                Some(n) => self.go(transport, Target::Entry(self.line.decisions[n]), Some(n)),
                None => self.go(transport, Target::Turn(0), None),
            },
            TimeOrder::Now => self.leave_past(transport),
            TimeOrder::Mark { name } => self.mark(name)?,
            TimeOrder::Unmark { mark } => self.marks.retain(|(_, m)| m.id != *mark),
            TimeOrder::Branch { name } => return self.branch(transport, name),
            TimeOrder::Undo => return self.undo(transport),
            TimeOrder::Redo => return self.redo(transport),
            TimeOrder::Switch { branch } => return self.switch(transport, *branch),
            TimeOrder::RenameBranch { branch, name } => return self.rename_branch(*branch, name),
            TimeOrder::DropBranch { branch } => return self.drop_branch(*branch),
            TimeOrder::RunUntil { until } => {
                self.until = Some(Watch::new(until.clone(), self.shown().0));
                transport.running = true;
            }
        }
        Ok(())
    }

    /// Makes for a moment; the present stands still from now on. One at the record's end is the present.
    fn go(&mut self, transport: &mut Transport, target: Target, decision: Option<usize>) {
        self.until = None;
        let c = &self.cluster;
        let is_now = match target {
            Target::Turn(n) => n >= c.turns(),
            Target::Entry(seq) => seq >= c.trace().last(),
            Target::Time(t) => t >= c.now(),
            Target::Input(n) => n >= self.line.inputs.len(),
        };
        if is_now && decision.is_none() {
            return self.leave_past(transport);
        }
        let record = self.record();
        let ran = transport.running;
        let travel = self.travel.get_or_insert_with(|| Travel::new(record, ran));
        transport.running = false;
        if !travel.make_for(&self.line, &self.cluster, target, decision) {
            self.leave_past(transport);
        }
    }

    pub(super) fn leave_past(&mut self, transport: &mut Transport) {
        if let Some(travel) = self.travel.take() {
            transport.running = travel.ran;
        }
    }

    /// How many decisions were made by the shown moment.
    fn decisions_shown(&self) -> usize {
        let seq = self.shown().0.trace().last();
        self.line.decisions.partition_point(|d| *d <= seq)
    }

    /// The decision before the shown moment, or before the decision that is shown.
    fn decision_before(&self) -> Option<usize> {
        let last = self.decisions_shown().checked_sub(1)?;
        let trace = self.shown().0.trace();
        let is_shown = self.travel.as_ref().is_some_and(|t| t.decision() == Some(last));
        // Nothing but what the decision itself wrote has come since.
        let is_newest = || {
            let mut since = trace.since(self.line.decisions[last] - 1);
            since.next().is_some_and(|d| since.all(|e| e.time == d.time && e.actor == d.actor))
        };
        if is_shown || is_newest() { last.checked_sub(1) } else { Some(last) }
    }

    /// Shows the next decision of the past; after the last one the present.
    fn decision_on(&mut self, transport: &mut Transport) {
        let next = self.decisions_shown();
        match self.line.decisions.get(next) {
            Some(seq) => self.go(transport, Target::Entry(*seq), Some(next)),
            None => {
                self.leave_past(transport);
                transport.running = false;
            }
        }
    }

    /// One turn or input of the past, or everything up to the next decision.
    pub fn step_past(&mut self, transport: &mut Transport, decision: bool) {
        transport.running = false;
        if decision {
            return self.decision_on(transport);
        }
        if self.travel.as_mut().is_some_and(|t| !t.is_seeking() && t.step() == Slice::Now) {
            self.travel = None;
        }
    }

    /// Lets `elapsed` of real time pass, in the present or in the past; what there is to say of it. `after_turn` is asked
    /// as by [`Transport::tick`]; it gets the session when the turn was taken in the present.
    pub fn tick(
        &mut self,
        transport: &mut Transport,
        elapsed: Duration,
        mut after_turn: impl FnMut(Option<&mut Session>) -> bool,
    ) -> Option<Reply> {
        if self.travel.as_ref().is_some_and(Travel::is_seeking) {
            let slice = self.travel.as_mut().map(|t| t.run(|| after_turn(None)));
            self.take(slice);
            return None;
        }
        if !transport.running {
            return None;
        }
        let Some(mut watch) = self.until.take() else {
            match &mut self.travel {
                Some(travel) => {
                    let now = travel.shown().map_or(self.cluster.now(), |p| p.cluster.now());
                    let slice = travel.play(after(transport.speed, now, elapsed), |_| after_turn(None));
                    self.take(Some(slice));
                }
                None => _ = transport.tick(self, elapsed, |session| after_turn(Some(session))),
            }
            return None;
        };
        let end = watch.end;
        let mut met = watch.is_met(self.shown().0);
        if !met {
            match &mut self.travel {
                Some(travel) => {
                    let slice = travel.play(end, |c| {
                        met = watch.is_met(c);
                        met || after_turn(None)
                    });
                    self.take(Some(slice));
                }
                None => run_to(self, end, |session| {
                    met = watch.is_met(&session.cluster);
                    after_turn(Some(session)) || met
                }),
            }
            met |= watch.is_met(self.shown().0);
        }
        if met || self.shown().0.now() >= end || self.cluster.held().is_some() {
            transport.running = false;
            return Some(Reply::Until { until: watch.until, met });
        }
        self.until = Some(watch);
        None
    }

    fn take(&mut self, slice: Option<Slice>) {
        match slice {
            Some(Slice::Rewound) => self.rewinds += 1,
            Some(Slice::Now) => self.travel = None,
            _ => {}
        }
    }

    /// Nobody waits any more.
    pub fn stop_waiting(&mut self) {
        self.until = None;
    }

    /// Grows whenever what is shown does not come after what was; and whenever it is of another branch.
    pub fn rewinds(&self) -> (u64, u32) {
        (self.rewinds, self.branch.id)
    }

    /// What the page shows about time.
    pub fn time_view(&self) -> TimeView {
        let c = self.shown().0;
        let past = self.is_past().then(|| PastView {
            now: self.cluster.now().as_micros(),
            seq: self.cluster.trace().last(),
            decision: self.decisions_shown() as u64,
            decisions: self.line.decisions.len() as u64,
            turn: c.turns(),
            turns: self.cluster.turns(),
        });
        let mine = self.marks.iter().filter(|(branch, _)| *branch == self.branch.id);
        TimeView {
            past,
            seeking: self.travel.as_ref().is_some_and(Travel::is_seeking),
            marks: mine.map(|(_, m)| m.clone()).collect(),
            inputs: self.line.marks.clone(),
            branches: self.branch_views(),
            until: self.until.as_ref().map(|w| w.until.clone()),
            undo: self.last_deed().map(|(_, deed)| deed),
            redo: self.undone().is_some(),
        }
    }

    fn mark(&mut self, name: &str) -> Result<(), String> {
        if self.marks.len() >= MARKS_MAX {
            return Err(format!("there are {MARKS_MAX} bookmarks already"));
        }
        let c = self.shown().0;
        let mark = Mark {
            id: self.next_id,
            name: name.chars().take(NAME_MAX).collect(),
            seq: c.trace().last(),
            now: c.now().as_micros(),
        };
        self.next_id += 1;
        self.marks.push((self.branch.id, mark));
        self.marks.sort_by_key(|(_, m)| m.seq);
        Ok(())
    }

    /// What differs between what is shown and the end of another branch.
    pub fn compare(&mut self, id: u64, branch: u32) -> Reply {
        let turns = self.shared_turns(branch, self.branch.id).min(self.shown().0.turns());
        let fork = self.line.player(&self.cluster, Target::Turn(turns));
        let record = self.record();
        let fork = fork.map(|mut p| {
            p.run(&record, Target::Turn(turns), || false);
            (p.cluster.trace().last(), p.cluster.now())
        });
        let Some(i) = self.wake(branch) else {
            let error = Some(format!("there is no branch {branch} but the present one"));
            return Reply::Compared { id, comparison: Comparison::default(), error };
        };
        let (seq, now) = fork.unwrap_or_default();
        let comparison = match &self.others[i].cluster {
            Some(there) => compare(self.shown().0, there, seq),
            None => Comparison::default(),
        };
        let comparison = Comparison { branch, fork: now.as_micros(), ..comparison };
        Reply::Compared { id, comparison, error: None }
    }

    /// The shown moment, to go on from.
    pub(super) fn take_shown(&mut self) -> Player {
        let shown = self.travel.take().and_then(Travel::into_shown);
        shown.unwrap_or_else(|| Player { cluster: self.cluster.clone(), inputs: self.line.inputs.len() })
    }
}

/// Runs as fast as it goes, up to `end` or until it is to `stop`.
fn run_to(session: &mut Session, end: Time, mut stop: impl FnMut(&mut Session) -> bool) {
    while session.cluster.step(end).is_some() {
        if stop(session) {
            return;
        }
    }
    session.cluster.set_clock(end);
}
