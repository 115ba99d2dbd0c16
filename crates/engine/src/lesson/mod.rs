//! A lesson under way: the cluster it begins with, which checks hold, and what is done for the learner. Virtual time moves it; who
//! owns the session calls [`Course::look`] now and then.

mod deeds;
mod kubectl;
mod prove;
mod world;

pub use prove::{Report, prove, prove_solutions};

use crate::actions;
use crate::session::{Session, Setup};
use cluster::Cluster;
use deeds::perform;
use lessons::{Action, Deed, Lesson, Problem, World, judge};
use meta::{Duration, Time};
use protocol::lesson::LessonState;
use protocol::{Command, Diagnostic};
use std::collections::VecDeque;
use std::rc::Rc;
use world::Glass;

/// What machines need to register and become Ready, before anything is done to them.
const SETTLE: Duration = Duration::from_secs(15);

#[derive(Clone)]
pub struct Course {
    pub lesson: Rc<Lesson>,
    state: LessonState,
    /// The cluster when the step began.
    before: Cluster,
    /// Since when each check of the step has held.
    since: Vec<Option<Time>>,
    /// What is still to be done for the learner.
    pending: VecDeque<Action>,
    resume_at: Time,
    /// The question of a step without checks was answered.
    answered: bool,
    looked: (u64, Time),
}

/// A lesson's problems as the page shows them.
pub fn diagnostics(problems: Vec<Problem>) -> Vec<Diagnostic> {
    let one = |p: Problem| Diagnostic {
        line: p.line as usize,
        column: p.column as usize,
        message: p.message,
        ..Default::default()
    };
    problems.into_iter().map(one).collect()
}

impl Course {
    /// A cluster as the lesson wants it.
    ///
    /// # Errors
    /// What the lesson does before it begins was refused.
    pub fn begin(lesson: Rc<Lesson>, seed: u64, start: Time) -> Result<(Session, Course), Problem> {
        let spec = &lesson.cluster;
        let setup =
            Setup { nodes: spec.nodes, seed, start, cloud: spec.cloud, control_plane_node: spec.control_plane_node };
        let mut session = Session::begin(setup).map_err(|e| Problem::new((0, 0), e))?;
        for m in &spec.machines {
            let (cpu, memory, pods) = (m.cpu.clone(), m.memory.clone(), m.pods.clone());
            session.act(Command::AddNode { id: 0, cpu, memory, pods });
        }
        session.cluster.advance(SETTLE);
        for action in &lesson.start {
            match action.deed() {
                Some(Deed::Wait(span)) => session.cluster.advance(Duration(span.0)),
                _ => perform(&mut session, &lesson, action)?,
            }
        }
        session.begin_deeds();
        let course = Course::resume(lesson, 0, &session);
        Ok((session, course))
    }

    /// The lesson goes on in a session that has come back, after so many steps.
    pub fn resume(lesson: Rc<Lesson>, done: u32, session: &Session) -> Course {
        let done = done.min(lesson.steps.len() as u32);
        let state = LessonState { done, answers: vec![None; done as usize], ..Default::default() };
        let mut course = Course {
            lesson,
            state,
            before: session.cluster.clone(),
            since: Vec::new(),
            pending: VecDeque::new(),
            resume_at: Time(0),
            answered: false,
            looked: (u64::MAX, Time(0)),
        };
        course.enter(&session.cluster);
        course
    }

    pub fn state(&self) -> &LessonState {
        &self.state
    }

    pub fn is_done(&self) -> bool {
        self.state.done as usize >= self.lesson.steps.len()
    }

    /// The step under way begins.
    fn enter(&mut self, cluster: &Cluster) {
        let checks = self.step().map_or(0, |s| s.checks.len());
        self.before = cluster.clone();
        self.since = vec![None; checks];
        self.state.ticks = vec![false; checks];
        self.answered = false;
        self.looked = (u64::MAX, Time(0));
    }

    fn step(&self) -> Option<&lessons::Step> {
        self.lesson.steps.get(self.state.done as usize)
    }

    /// Begins to carry out the reference solution of the step.
    pub fn show(&mut self) {
        let solution = self.step().map(|s| s.solution.clone()).unwrap_or_default();
        self.carry_out(solution);
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        self.state.error.clear();
        self.state.showing = !actions.is_empty();
        self.pending = actions.into();
    }

    pub fn answer(&mut self) {
        self.answered = true;
    }

    /// Does what is due and looks at the checks; true when there is something new to tell.
    pub fn look(&mut self, session: &mut Session) -> bool {
        let before = self.state.clone();
        self.pump(session);
        let now = (session.cluster.revision(), session.cluster.now());
        // Processes and requests change without the store: time is enough to look again.
        if now != self.looked && !self.is_done() {
            self.looked = now;
            self.tick(&session.cluster);
        }
        before != self.state
    }

    /// Carries out what is pending, up to the next wait.
    fn pump(&mut self, session: &mut Session) {
        while session.cluster.now() >= self.resume_at {
            let Some(action) = self.pending.pop_front() else { break };
            if let Some(Deed::Wait(span)) = action.deed() {
                self.resume_at = session.cluster.now() + Duration(span.0);
                continue;
            }
            let deed = session.new_deed();
            if let Err(problem) = perform(&mut AsOne { session, deed }, &self.lesson, &action) {
                self.state.error = problem.to_string();
                self.pending.clear();
            }
        }
        self.state.showing = !self.pending.is_empty();
    }

    fn tick(&mut self, cluster: &Cluster) {
        let lesson = self.lesson.clone();
        let Some(step) = lesson.steps.get(self.state.done as usize) else { return };
        let now = Glass::new(cluster, &lesson);
        let before = Glass::new(&self.before, &lesson);
        let mut rest = true;
        // What is dear to ask is asked when the rest holds.
        for dear in [false, true] {
            for (i, check) in step.checks.iter().enumerate().filter(|(_, c)| c.value.is_dear() == dear) {
                let holds = (!dear || rest) && judge(&check.value, &now, &before).holds;
                self.since[i] = if holds { self.since[i].or(Some(cluster.now())) } else { None };
                let lasting = Duration(check.value.lasting.unwrap_or_default().0);
                self.state.ticks[i] = self.since[i].is_some_and(|t| cluster.now().since(t) >= lasting);
                rest &= self.state.ticks[i];
            }
        }
        let done = if step.checks.is_empty() { self.answered } else { rest };
        if done {
            let right = right_choice(step, &now, &before);
            self.state.answers.push(right);
            self.state.done += 1;
            self.enter(cluster);
        }
    }

    /// What is wrong with the step's checks themselves.
    fn errors(&self, cluster: &Cluster) -> Vec<Problem> {
        let Some(step) = self.step() else { return Vec::new() };
        let (now, before) = (Glass::new(cluster, &self.lesson), Glass::new(&self.before, &self.lesson));
        let of = |c: &serde_saphyr::Spanned<lessons::Check>| {
            let error = judge(&c.value, &now, &before).error?;
            Some(Problem::new((c.referenced.line(), c.referenced.column()), error))
        };
        step.checks.iter().filter_map(of).collect()
    }
}

/// From 0.
fn right_choice(step: &lessons::Step, now: &dyn World, before: &dyn World) -> Option<u32> {
    let predict = step.predict.as_ref()?;
    match &predict.answer {
        Some(n) => u32::try_from(n.value).ok()?.checked_sub(1),
        None => predict.when.iter().position(|c| judge(c, now, before).holds).and_then(|n| u32::try_from(n).ok()),
    }
}

/// Whoever carries out commands: a session, which remembers them, or a copy of its cluster.
trait Doer {
    fn act(&mut self, command: Command) -> Option<protocol::Reply>;
    fn cluster(&mut self) -> &mut Cluster;
}

impl Doer for Session {
    fn act(&mut self, command: Command) -> Option<protocol::Reply> {
        Session::act(self, command)
    }
    fn cluster(&mut self) -> &mut Cluster {
        &mut self.cluster
    }
}

/// A session in which whatever is done is part of one deed.
struct AsOne<'a> {
    session: &'a mut Session,
    deed: u64,
}

impl Doer for AsOne<'_> {
    fn act(&mut self, command: Command) -> Option<protocol::Reply> {
        self.session.act_in(self.deed, "", command)
    }
    fn cluster(&mut self) -> &mut Cluster {
        &mut self.session.cluster
    }
}

impl Doer for Cluster {
    fn act(&mut self, command: Command) -> Option<protocol::Reply> {
        actions::act(self, &command)
    }
    fn cluster(&mut self) -> &mut Cluster {
        self
    }
}
