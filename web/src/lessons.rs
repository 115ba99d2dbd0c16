//! Lessons as the page knows them: the table of contents, the one under way, and how far the learner has come. Pure.

use crate::i18n::Lang;
use protocol::lesson::{LessonState, LessonText, LessonWords};
use protocol::{Diagnostic, LessonStart};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// `lessons/index.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Index {
    pub syllabus: Vec<Group>,
    pub lessons: Vec<Entry>,
}

/// Resources, components or factors.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Group {
    pub topic: String,
    pub names: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
    pub id: String,
    pub file: String,
    pub chapter: u32,
    pub en: String,
    pub ko: String,
    pub minutes: u32,
    /// Of a challenge.
    pub level: Option<u32>,
    pub question: Option<String>,
    pub covers: Vec<String>,
}

impl Entry {
    pub fn title(&self, lang: Lang) -> &str {
        if lang == Lang::Ko { &self.ko } else { &self.en }
    }
}

impl Index {
    /// Chapters in order, each with its lessons.
    pub fn chapters(&self) -> BTreeMap<u32, Vec<&Entry>> {
        let mut chapters = BTreeMap::<u32, Vec<&Entry>>::new();
        for e in &self.lessons {
            chapters.entry(e.chapter).or_default().push(e);
        }
        chapters
    }
    /// The lessons that teach something.
    pub fn about(&self, name: &str) -> impl Iterator<Item = &Entry> {
        self.lessons.iter().filter(move |e| e.covers.iter().any(|c| c == name))
    }
    pub fn after(&self, id: &str) -> Option<&Entry> {
        let at = self.lessons.iter().position(|e| e.id == id)?;
        self.lessons.get(at + 1)
    }
}

/// What the browser keeps, and what is exported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Lessons that are done, by their names.
    pub done: BTreeSet<String>,
    /// Lessons that were begun: steps that were done.
    pub steps: BTreeMap<String, u32>,
    /// The lesson under way.
    pub current: Option<Current>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Current {
    /// The file as its author wrote it: the lesson goes on even where it came from nowhere.
    pub text: String,
    pub state: LessonState,
    /// What was guessed, by the number of the step.
    pub picks: BTreeMap<u32, u32>,
    /// How many hints are open, by the number of the step.
    pub hints: BTreeMap<u32, u32>,
}

/// Everything about lessons that views show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lessons {
    pub index: Option<Rc<Index>>,
    pub progress: Progress,
    /// The lesson under way, when the engine has read it.
    pub text: Option<Rc<LessonText>>,
    pub problems: Vec<Diagnostic>,
    /// A text could not be loaded: why.
    pub error: Option<String>,
    /// The table of contents is shown although a lesson is under way.
    pub contents: bool,
    pub loading: bool,
}

impl Lessons {
    pub fn start(&self) -> Option<LessonStart> {
        let current = self.progress.current.as_ref()?;
        Some(LessonStart { text: current.text.clone(), done: current.state.done })
    }

    pub fn begin(&mut self, text: String) {
        self.progress.current = Some(Current { text, ..Current::default() });
        (self.text, self.contents, self.loading) = (None, false, false);
        self.problems.clear();
        self.error = None;
    }

    pub fn leave(&mut self) {
        self.progress.current = None;
        self.text = None;
        self.problems.clear();
    }

    /// What the engine says; true when a step was done.
    pub fn take(&mut self, mut state: LessonState) -> bool {
        let Some(current) = &mut self.progress.current else { return false };
        let further = state.done > current.state.done;
        // A lesson that goes on after a reload does not know what came true before.
        for (new, old) in state.answers.iter_mut().zip(&current.state.answers) {
            *new = new.or(*old);
        }
        current.state = state;
        if let Some(text) = &self.text {
            let (done, all) = (current.state.done, text.en.steps.len() as u32);
            let known = self.progress.steps.entry(text.id.clone()).or_default();
            *known = done.max(*known);
            if done >= all && all > 0 {
                self.progress.done.insert(text.id.clone());
            }
        }
        further
    }

    pub fn pick(&mut self, step: u32, choice: u32) {
        if let Some(current) = &mut self.progress.current {
            current.picks.insert(step, choice);
        }
    }

    pub fn hint(&mut self, step: u32) {
        if let Some(current) = &mut self.progress.current {
            *current.hints.entry(step).or_default() += 1;
        }
    }

    /// Adds what somebody exported: nothing that was done is lost.
    ///
    /// # Errors
    /// The text is no exported progress.
    pub fn import(&mut self, text: &str) -> Result<(), String> {
        let other: Progress = serde_json::from_str(text).map_err(|e| e.to_string())?;
        self.progress.done.extend(other.done);
        for (id, steps) in other.steps {
            let known = self.progress.steps.entry(id).or_default();
            *known = steps.max(*known);
        }
        Ok(())
    }

    /// What is exported: not the lesson under way, which belongs to this page's cluster.
    pub fn export(&self) -> String {
        let kept = Progress { current: None, ..self.progress.clone() };
        serde_json::to_string_pretty(&kept).unwrap_or_default()
    }
}

pub fn words(text: &LessonText, lang: Lang) -> &LessonWords {
    if lang == Lang::Ko { &text.ko } else { &text.en }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LessonAction {
    /// One of those beside the page, by its file.
    Begin(String),
    /// The first of them, for who has not begun.
    First,
    /// From its beginning.
    Again,
    /// From an address.
    Get(String),
    /// From the reader's disk.
    Choose,
    Contents(bool),
    Leave,
    Pick(u32, u32),
    Hint(u32),
    Show,
    Export,
    Import,
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::lesson::StepWords;

    fn under_way() -> Lessons {
        let mut l = Lessons::default();
        l.begin("---".into());
        let words = LessonWords { steps: vec![StepWords::default(); 2], ..Default::default() };
        l.text = Some(Rc::new(LessonText { id: "a".into(), en: words, ..Default::default() }));
        l
    }

    #[test]
    fn a_lesson_is_done_with_its_last_step() {
        let mut l = under_way();
        assert!(l.take(LessonState { done: 1, answers: vec![Some(2)], ..Default::default() }));
        assert!(!l.take(LessonState { done: 1, answers: vec![None], ticks: vec![true], ..Default::default() }));
        let current = l.progress.current.clone().unwrap();
        assert_eq!(current.state.answers, [Some(2)], "what came true is remembered across a reload");
        assert_eq!((l.progress.done.len(), l.progress.steps["a"]), (0, 1));
        assert!(l.take(LessonState { done: 2, ..Default::default() }));
        assert!(l.progress.done.contains("a"));
    }

    #[test]
    fn what_is_exported_can_be_imported() {
        let mut l = under_way();
        l.take(LessonState { done: 2, ..Default::default() });
        let mut other = Lessons::default();
        other.progress.done.insert("b".into());
        other.import(&l.export()).unwrap();
        assert_eq!(other.progress.done.len(), 2);
        assert!(other.progress.current.is_none() && other.import("{").is_err());
    }
}
