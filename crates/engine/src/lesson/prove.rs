//! Whether a lesson does what it says: nothing is done at the beginning, the reference solution (and every other way) does each
//! step, and what is wrong does not.

use super::Course;
use crate::session::Session;
use lessons::{Action, Lesson, Problem, Step};
use meta::{Duration, Time};
use std::rc::Rc;

/// Virtual time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A wrong way is given as long as the solution took to turn out right, and so much more.
const WRONG_MORE: Duration = Duration::from_secs(60);

/// What it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub steps: usize,
    pub checks: usize,
    /// Ways beside the reference solutions that were tried: right ones and wrong ones.
    pub also: usize,
    pub wrong: usize,
    /// Which choice came true of each step, from 1.
    pub answers: Vec<Option<u32>>,
    /// Virtual time that the solutions took.
    pub took: Duration,
    /// Of the whole trace: the same wherever it runs.
    pub hash: u64,
}

/// # Errors
/// Everything that is not as it should be.
pub fn prove(lesson: Lesson) -> Result<Report, Vec<Problem>> {
    proved(lesson, true)
}

/// The same without the other and the wrong ways, which are most of the work: each is a cluster of its own.
///
/// # Errors
/// Everything that is not as it should be.
pub fn prove_solutions(lesson: Lesson) -> Result<Report, Vec<Problem>> {
    proved(lesson, false)
}

fn proved(lesson: Lesson, ways: bool) -> Result<Report, Vec<Problem>> {
    let lesson = Rc::new(lesson);
    let (mut session, mut course) = Course::begin(lesson.clone(), 1, Time::SIMULATION_START).map_err(|p| vec![p])?;
    let begun = session.cluster.now();
    let mut problems = Vec::new();
    let mut report = Report { steps: lesson.steps.len(), ..Default::default() };
    for (i, step) in lesson.steps.iter().enumerate() {
        let place = lesson.places[i];
        report.checks += step.checks.len();
        problems.extend(course.errors(&session.cluster));
        course.look(&mut session);
        if !step.checks.is_empty() && course.state.done as usize > i {
            problems.push(Problem::new(place, format!("step {} is done before anything is done for it", i + 1)));
            return Err(problems);
        }
        let entry = (session.fork(), course.clone());
        if step.checks.is_empty() {
            course.answer();
        }
        course.show();
        if let Err(why) = reach(&mut session, &mut course, i, Duration(step.within.0)) {
            problems.push(Problem::new(place, format!("step {}: the solution {why}", i + 1)));
            return Err(problems);
        }
        let took = session.cluster.now().since(entry.0.cluster.now());
        let (wrong, also) = if ways { (&step.wrong[..], &step.also[..]) } else { Default::default() };
        report.wrong += wrong.len();
        for (n, way) in wrong.iter().enumerate() {
            let why = match try_way(&entry, i, way, Duration(took.0 + WRONG_MORE.0)) {
                Ok(_) => "fulfils the checks".into(),
                // What never happened shows nothing.
                Err(Failure::Refused(why)) => format!("was refused: {why}"),
                Err(Failure::Unfulfilled(_)) => continue,
            };
            problems.push(Problem::new(place, format!("step {}: wrong way {} {why}", i + 1, n + 1)));
        }
        report.also += also.len();
        for (n, way) in also.iter().enumerate() {
            let why = match try_way(&entry, i, way, Duration(step.within.0)) {
                Ok(course) if is_unjudged(step, &course) => "none of the choices came true".to_string(),
                Ok(_) => continue,
                Err(why) => why.to_string(),
            };
            problems.push(Problem::new(place, format!("step {}: other way {}: {why}", i + 1, n + 1)));
        }
        if is_unjudged(step, &course) {
            problems.push(Problem::new(place, format!("step {}: none of the choices came true", i + 1)));
        }
    }
    for (process, message) in session.cluster.take_crashes() {
        problems.push(Problem::new((0, 0), format!("{process} panicked: {message}")));
    }
    report.took = session.cluster.now().since(begun);
    report.answers = course.state.answers.iter().map(|a| a.map(|n| n + 1)).collect();
    report.hash = session.cluster.trace().hash();
    if problems.is_empty() { Ok(report) } else { Err(problems) }
}

/// Why a way did not lead through a step.
enum Failure {
    Refused(String),
    Unfulfilled(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Refused(why) => write!(f, "was refused: {why}"),
            Failure::Unfulfilled(why) => f.write_str(why),
        }
    }
}

/// Whether who guessed is left without an answer.
fn is_unjudged(step: &Step, course: &Course) -> bool {
    step.predict.is_some() && course.state.answers.last() == Some(&None)
}

/// One more way through a step, on a copy of what there was when it began.
fn try_way(entry: &(Session, Course), step: usize, way: &[Action], within: Duration) -> Result<Course, Failure> {
    let (mut session, mut course) = (entry.0.fork(), entry.1.clone());
    course.carry_out(way.to_vec());
    reach(&mut session, &mut course, step, within)?;
    Ok(course)
}

fn reach(session: &mut Session, course: &mut Course, step: usize, within: Duration) -> Result<(), Failure> {
    let end = session.cluster.now() + within;
    loop {
        course.look(session);
        if !course.state.error.is_empty() {
            return Err(Failure::Refused(course.state.error.clone()));
        }
        if course.state.done as usize > step && !course.state.showing {
            return Ok(());
        }
        if session.cluster.now() >= end {
            let open: Vec<String> =
                course.state.ticks.iter().enumerate().filter(|(_, t)| !**t).map(|(n, _)| (n + 1).to_string()).collect();
            let why = format!("does not fulfil check {} within {}", open.join(", "), within.go_string());
            return Err(Failure::Unfulfilled(why));
        }
        session.cluster.advance(LOOK_EVERY);
    }
}
