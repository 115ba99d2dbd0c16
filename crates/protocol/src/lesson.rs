//! Lessons: their texts for the page, and how far the learner has come.

use crate::update::Diagnostic;
use serde::{Deserialize, Serialize};

/// The lesson that a cluster is started for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LessonStart {
    /// The file, as its author wrote it.
    pub text: String,
    /// Steps that were done when the session was saved. They count only when the session comes back with them.
    pub done: u32,
}

/// What a learner asks of a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "lesson", rename_all = "kebab-case")]
pub enum LessonOrder {
    /// Do the step for me: its reference solution.
    Show,
    /// The step's question was answered; a step without checks is done then.
    Answered,
    /// The lesson is over; the cluster stays.
    Leave,
}

/// The texts of a lesson. They are HTML made of the author's Markdown, safe to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LessonText {
    pub id: String,
    pub minutes: u32,
    /// Of a challenge: 1 to 3.
    pub level: Option<u8>,
    pub covers: Vec<String>,
    /// Manifests that the texts offer to open.
    pub files: Vec<crate::File>,
    pub en: LessonWords,
    pub ko: LessonWords,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LessonWords {
    /// No HTML, as the steps' titles and the checks.
    pub title: String,
    pub goal: String,
    pub steps: Vec<StepWords>,
    pub recap: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepWords {
    pub title: String,
    pub text: String,
    pub checks: Vec<String>,
    pub predict: Option<PredictWords>,
    pub hints: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PredictWords {
    pub question: String,
    pub choices: Vec<String>,
    pub reveal: String,
}

/// How it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LessonState {
    /// Steps that are done; the next one is under way. As many as there are: the lesson is done.
    pub done: u32,
    /// Of the step under way: which checks hold.
    pub ticks: Vec<bool>,
    /// Of each step that is done: which choice was right, from 0, where there was a question.
    pub answers: Vec<Option<u32>>,
    /// The reference solution is being carried out.
    pub showing: bool,
    /// What went wrong while something was done for the learner.
    pub error: String,
}

/// The beginning of a lesson, or why there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LessonBegun {
    pub text: Option<Box<LessonText>>,
    pub problems: Vec<Diagnostic>,
}
