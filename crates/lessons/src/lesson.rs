//! A whole lesson, read from its file.

use crate::actions::{Action, Deed};
use crate::body::{self, Body, LanguageText, Piece, StepText};
use crate::front::{Challenge, ClusterSpec, Front, Step, Words};
use crate::html;
use crate::problem::Problem;
use crate::syllabus;
use protocol::lesson::{LessonText, LessonWords, PredictWords, StepWords};
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// Minutes that a lesson may take.
const MINUTES: std::ops::RangeInclusive<u32> = 3..=20;

#[derive(Clone, Debug)]
pub struct Lesson {
    pub id: String,
    pub title: Words,
    pub minutes: u32,
    pub challenge: Option<Challenge>,
    pub covers: Vec<String>,
    pub cluster: ClusterSpec,
    pub files: BTreeMap<String, String>,
    pub start: Vec<Action>,
    pub steps: Vec<Step>,
    /// Where each step stands in the file.
    pub places: Vec<(u64, u64)>,
    en: LanguageText,
    ko: LanguageText,
}

impl Lesson {
    /// # Errors
    /// Everything that is wrong with the file, in the order of its lines.
    pub fn read(text: &str) -> Result<Lesson, Vec<Problem>> {
        let text = &text.replace("\r\n", "\n");
        let (front, from) = front(text).map_err(|p| vec![p])?;
        let (body, mut problems) = body::read(text, from);
        check_front(&front, &mut problems);
        let (en, ko) = languages(body, &front, &mut problems);
        if !problems.is_empty() {
            problems.sort_by_key(|p| (p.line, p.column));
            return Err(problems);
        }
        let places = front.steps.iter().map(place).collect();
        Ok(Lesson {
            id: front.lesson.value,
            title: front.title,
            minutes: front.minutes.value,
            challenge: front.challenge,
            covers: front.covers.into_iter().map(|c| c.value).collect(),
            cluster: front.cluster,
            files: front.files,
            start: front.start,
            steps: front.steps.into_iter().map(|s| s.value).collect(),
            places,
            en,
            ko,
        })
    }

    /// The manifest that an action names or holds, and the name it goes by.
    pub fn manifest<'a>(&'a self, named: &'a str) -> (&'a str, &'a str) {
        match self.files.get_key_value(named) {
            Some((name, text)) => (name, text),
            None => ("solution.yaml", named),
        }
    }

    /// What a page shows, texts as HTML.
    pub fn text(&self) -> LessonText {
        let files = self.files.iter().map(|(name, text)| protocol::File { name: name.clone(), text: text.clone() });
        LessonText {
            id: self.id.clone(),
            minutes: self.minutes,
            level: self.challenge.as_ref().map(|c| c.level),
            covers: self.covers.clone(),
            files: files.collect(),
            en: self.words(&self.en, &self.title.en, |w| &w.en, "Open in the editor"),
            ko: self.words(&self.ko, &self.title.ko, |w| &w.ko, "편집기에 열기"),
        }
    }

    fn words(&self, text: &LanguageText, title: &str, of: impl Fn(&Words) -> &String, open: &str) -> LessonWords {
        let html = |p: &Piece| html::render(&p.text, &self.files, open);
        let some = |p: &Option<Piece>| p.as_ref().map(html).unwrap_or_default();
        let step = |(s, t): (&Step, &StepText)| StepWords {
            title: t.title.text.clone(),
            text: html(&t.text),
            checks: s.checks.iter().filter_map(|c| c.value.text.as_ref()).map(|w| of(w).clone()).collect(),
            predict: s.predict.as_ref().map(|_| PredictWords {
                question: some(&t.question),
                choices: t.choices.iter().map(html).collect(),
                reveal: some(&t.reveal),
            }),
            hints: t.hints.iter().map(html).collect(),
        };
        LessonWords {
            title: title.into(),
            goal: some(&text.goal),
            steps: self.steps.iter().zip(&text.steps).map(step).collect(),
            recap: some(&text.recap),
        }
    }
}

fn place<T>(s: &Spanned<T>) -> (u64, u64) {
    (s.referenced.line(), s.referenced.column())
}

/// The front matter, and where the body begins.
fn front(text: &str) -> Result<(Front, usize), Problem> {
    let Some(rest) = text.strip_prefix("---\n") else {
        return Err(Problem::new((1, 1), "a lesson begins with its front matter, between two lines of ---"));
    };
    let Some(end) = rest.find("\n---\n").map(|at| at + 1) else {
        return Err(Problem::new((1, 1), "the front matter does not end: a second line of --- is missing"));
    };
    // Without its first line, which stays as an empty one: places are the file's.
    let yaml = format!("\n{}", &rest[..end]);
    let front = serde_saphyr::from_str(&yaml).map_err(|e| {
        let at = e.location().map_or((1, 1), |l| (l.line(), l.column()));
        let message = e.without_snippet().to_string();
        let message = message.split(" at line ").next().unwrap_or(&message).trim();
        let hint =
            if message.contains("expected one of en, ko") { " (a text with a comma in it needs quotes)" } else { "" };
        Problem::new(at, format!("front matter: {message}{hint}"))
    })?;
    Ok((front, 4 + end + 4))
}

fn check_front(front: &Front, out: &mut Vec<Problem>) {
    let id = &front.lesson;
    if id.value.is_empty() || !id.value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        out.push(Problem::new(place(id), "lesson: a name of small letters, digits and dashes is expected: first-pod"));
    }
    if !MINUTES.contains(&front.minutes.value) {
        let message = format!("minutes: {} to {} are expected; split a longer lesson", MINUTES.start(), MINUTES.end());
        out.push(Problem::new(place(&front.minutes), message));
    }
    for c in &front.covers {
        if !syllabus::is_known(&c.value) {
            let meant = syllabus::guess(&c.value).map(|g| format!(" (did you mean {g}?)")).unwrap_or_default();
            let message =
                format!("covers: {:?} is not in the syllabus{meant}; `kubottle lesson topics` lists it", c.value);
            out.push(Problem::new(place(c), message));
        }
    }
    if let Some(c) = &front.challenge {
        let at = place(id);
        if !(1..=3).contains(&c.level) {
            out.push(Problem::new(at, "challenge: the level is 1, 2 or 3"));
        }
        if !syllabus::QUESTIONS.contains(&c.question.as_str()) {
            let message = format!("challenge: the question is one of {}", syllabus::QUESTIONS.join(", "));
            out.push(Problem::new(at, message));
        }
    }
    if front.steps.is_empty() {
        out.push(Problem::new(place(id), "steps: at least one is expected"));
    }
    for a in &front.start {
        check_action(front, a, place(id), out);
    }
    for step in &front.steps {
        check_step(front, step, out);
    }
}

fn check_step(front: &Front, step: &Spanned<Step>, out: &mut Vec<Problem>) {
    let at = place(step);
    let s = &step.value;
    for c in &s.checks {
        c.value.problems(place(c), out);
        if c.value.text.is_none() {
            out.push(Problem::new(place(c), "the check has no text: {en: ..., ko: ...}"));
        }
    }
    let ways = [&s.solution].into_iter().chain(&s.also).chain(&s.wrong);
    for a in ways.flatten() {
        check_action(front, a, at, out);
    }
    if s.checks.is_empty() && s.predict.is_none() {
        out.push(Problem::new(at, "the step has neither checks nor a question: it would never be done"));
    }
    if !s.checks.is_empty() && s.solution.is_empty() {
        out.push(Problem::new(at, "the step has checks and no solution"));
    }
    if let Some(p) = &s.predict {
        match (&p.answer, p.when.is_empty()) {
            (Some(_), true) | (None, false) => {}
            _ => {
                out.push(Problem::new(at, "predict: either answer (a number from 1) or when (a check for each choice)"))
            }
        }
        for c in &p.when {
            c.problems(at, out);
        }
    }
}

fn check_action(front: &Front, a: &Action, at: (u64, u64), out: &mut Vec<Problem>) {
    a.problems(at, out);
    if let Some(Deed::Apply(s) | Deed::Delete(s)) = a.deed()
        && !s.value.contains('\n')
        && !front.files.contains_key(&s.value)
    {
        out.push(Problem::new(place(s), format!("no file {:?}: add it to files, or write the manifest here", s.value)));
    }
}

/// Both languages say the same number of everything.
fn languages(body: Body, front: &Front, out: &mut Vec<Problem>) -> (LanguageText, LanguageText) {
    let mut of = |text: Option<LanguageText>, code: &str| {
        let Some(text) = text else {
            out.push(Problem::new((0, 0), format!("there is no text in one of the languages: add # {code}")));
            return LanguageText::default();
        };
        check_language(&text, front, out);
        text
    };
    (of(body.en, "en"), of(body.ko, "ko"))
}

fn check_language(text: &LanguageText, front: &Front, out: &mut Vec<Problem>) {
    for (part, name) in [(&text.goal, "## Goal (## 목표)"), (&text.recap, "## Recap (## 정리)")] {
        if part.as_ref().is_none_or(|p| p.text.is_empty()) {
            out.push(Problem::new(text.at, format!("{name} is missing here or empty")));
        }
    }
    if text.steps.len() != front.steps.len() {
        let message = format!(
            "{} steps in the text, {} in the front matter: a ## heading for each step",
            text.steps.len(),
            front.steps.len()
        );
        out.push(Problem::new(text.at, message));
    }
    for (t, s) in text.steps.iter().zip(&front.steps) {
        let predict = s.value.predict.as_ref();
        if predict.is_some() != t.question.is_some() {
            let message = match predict {
                Some(_) => "### Predict (### 예측) is missing: the front matter has an answer to it",
                None => "the question has no answer: add predict to the step in the front matter",
            };
            out.push(Problem::new(t.title.at, message));
        }
        if let Some(p) = predict {
            let n = t.choices.len();
            let fits = if p.when.is_empty() {
                p.answer.as_ref().is_some_and(|a| (1..=n).contains(&a.value))
            } else {
                p.when.len() == n
            };
            if n < 2 || !fits {
                let message =
                    format!("{n} choices: there are at least two, and the answer in the front matter fits them");
                out.push(Problem::new(t.title.at, message));
            }
            if t.reveal.is_none() {
                out.push(Problem::new(t.title.at, "### Reveal (### 풀이) is missing: why the answer is what it is"));
            }
        }
        if !s.value.checks.is_empty() && t.hints.is_empty() {
            out.push(Problem::new(t.title.at, "### Hints (### 힌트) is missing: a list, from a nudge to the way"));
        }
        let texts = [&t.text].into_iter().chain(&t.hints).chain(&t.reveal);
        for p in texts {
            for (file, offset) in html::linked_files(&p.text) {
                if !front.files.contains_key(&file) {
                    let (line, column) = body::place(&p.text, offset);
                    let at = (p.at.0 + line - 1, if line == 1 { p.at.1 + column - 1 } else { column });
                    out.push(Problem::new(at, format!("file:{file} is not among the files of the front matter")));
                }
            }
        }
    }
}
