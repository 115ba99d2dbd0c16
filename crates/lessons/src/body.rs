//! The text of a lesson: for each language its goal, its steps and its recap.
//!
//! The headings are the structure. `# en` and `# ko` begin a language; `## Goal`, a `##` for each step, `## Recap`; within a
//! step `### Predict`, `### Reveal` and `### Hints`.

use crate::html::OPTIONS;
use crate::problem::Problem;
use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
use std::ops::Range;

/// A piece of Markdown and where it begins in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub at: (u64, u64),
}

#[derive(Clone, Debug, Default)]
pub struct StepText {
    pub title: Piece,
    pub text: Piece,
    pub question: Option<Piece>,
    pub choices: Vec<Piece>,
    pub reveal: Option<Piece>,
    pub hints: Vec<Piece>,
}

#[derive(Clone, Debug, Default)]
pub struct LanguageText {
    pub at: (u64, u64),
    pub goal: Option<Piece>,
    pub steps: Vec<StepText>,
    pub recap: Option<Piece>,
}

#[derive(Clone, Debug, Default)]
pub struct Body {
    pub en: Option<LanguageText>,
    pub ko: Option<LanguageText>,
}

const GOAL: &[&str] = &["goal", "목표"];
const RECAP: &[&str] = &["recap", "정리"];
const PREDICT: &[&str] = &["predict", "예측"];
const REVEAL: &[&str] = &["reveal", "풀이"];
const HINTS: &[&str] = &["hints", "힌트"];

fn is(heading: &str, words: &[&str]) -> bool {
    words.contains(&heading.trim().to_lowercase().as_str())
}

struct Heading {
    level: HeadingLevel,
    title: String,
    range: Range<usize>,
}

/// `text` is the whole file, `from` where the body begins in it.
pub fn read(text: &str, from: usize) -> (Body, Vec<Problem>) {
    let headings = headings(&text[from..], from);
    let (mut body, mut problems) = (Body::default(), Vec::new());
    let mut ends = headings.iter().skip(1).map(|h| h.range.start).chain([text.len()]);
    let mut language: Option<&mut Option<LanguageText>> = None;
    for h in &headings {
        let at = place(text, h.range.start);
        let end = ends.next().unwrap_or(text.len());
        let piece = piece(text, h.range.end..end);
        if h.level == HeadingLevel::H1 {
            let slot = match h.title.trim().to_lowercase().as_str() {
                "en" | "english" => &mut body.en,
                "ko" | "korean" | "한국어" => &mut body.ko,
                _ => {
                    problems.push(Problem::new(at, "a heading of the first level names a language: # en or # ko"));
                    language = None;
                    continue;
                }
            };
            if slot.is_some() {
                problems.push(Problem::new(at, format!("# {} is there twice: join the two", h.title)));
            }
            *slot = Some(LanguageText { at, ..Default::default() });
            language = Some(slot);
            continue;
        }
        let Some(Some(to)) = language.as_deref_mut() else {
            problems.push(Problem::new(at, "this belongs to no language: begin one with # en or # ko"));
            continue;
        };
        if let Err(why) = to.take(h, at, piece, text, end) {
            problems.push(Problem::new(at, why));
        }
    }
    (body, problems)
}

impl LanguageText {
    fn take(&mut self, h: &Heading, at: (u64, u64), piece: Piece, text: &str, end: usize) -> Result<(), String> {
        match h.level {
            HeadingLevel::H2 if is(&h.title, GOAL) => self.goal = Some(piece),
            HeadingLevel::H2 if is(&h.title, RECAP) => self.recap = Some(piece),
            HeadingLevel::H2 if self.recap.is_some() => {
                return Err("a step after the recap: the recap comes last".into());
            }
            HeadingLevel::H2 => {
                let title = Piece { text: h.title.clone(), at };
                self.steps.push(StepText { title, text: piece, ..Default::default() });
            }
            HeadingLevel::H3 if self.recap.is_none() && !self.steps.is_empty() => {
                let Some(step) = self.steps.last_mut() else { return Ok(()) };
                if is(&h.title, PREDICT) {
                    let (question, choices) = split_list(text, h.range.end..end);
                    (step.question, step.choices) = (Some(question), choices);
                } else if is(&h.title, REVEAL) {
                    step.reveal = Some(piece);
                } else if is(&h.title, HINTS) {
                    step.hints = split_list(text, h.range.end..end).1;
                } else {
                    return Err("in a step, ### is Predict, Reveal or Hints; use #### for other headings".into());
                }
            }
            HeadingLevel::H3 => return Err("### belongs into a step: Predict, Reveal or Hints".into()),
            _ => {}
        }
        Ok(())
    }
}

/// Headings of the first three levels.
fn headings(body: &str, from: usize) -> Vec<Heading> {
    let mut found = Vec::new();
    let mut open: Option<Heading> = None;
    for (event, range) in Parser::new_ext(body, OPTIONS).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) if level <= HeadingLevel::H3 => {
                let range = range.start + from..range.end + from;
                open = Some(Heading { level, title: String::new(), range });
            }
            Event::Text(t) | Event::Code(t) => {
                if let Some(h) = &mut open {
                    h.title.push_str(&t);
                }
            }
            Event::End(TagEnd::Heading(_)) => found.extend(open.take()),
            _ => {}
        }
    }
    found
}

/// What stands before the first list, and the list's items.
fn split_list(text: &str, range: Range<usize>) -> (Piece, Vec<Piece>) {
    let slice = &text[range.clone()];
    let (mut before, mut items, mut depth) = (slice.len(), Vec::new(), 0usize);
    for (event, part) in Parser::new_ext(slice, OPTIONS).into_offset_iter() {
        match event {
            Event::Start(Tag::List(_)) => {
                before = before.min(part.start);
                depth += 1;
            }
            Event::End(TagEnd::List(_)) => depth -= 1,
            Event::Start(Tag::Item) if depth == 1 => {
                let start = range.start + part.start;
                items.push(item(text, start..range.start + part.end));
            }
            _ => {}
        }
    }
    (piece(text, range.start..range.start + before), items)
}

/// An item without its mark; its lines as far to the left as they belong.
fn item(text: &str, range: Range<usize>) -> Piece {
    let all = &text[range.clone()];
    let mark = all.find(char::is_whitespace).unwrap_or(0);
    let indent = all[mark..].find(|c: char| !c.is_whitespace()).unwrap_or(0) + mark;
    let mut lines = all[indent..].lines();
    let mut out = lines.next().unwrap_or("").to_string();
    for line in lines {
        let blank = line.len() - line.trim_start().len();
        out.push('\n');
        out.push_str(&line[blank.min(indent)..]);
    }
    Piece { text: out.trim().into(), at: place(text, range.start) }
}

fn piece(text: &str, range: Range<usize>) -> Piece {
    let slice = &text[range.clone()];
    let skipped = slice.len() - slice.trim_start().len();
    Piece { text: slice.trim().into(), at: place(text, range.start + skipped) }
}

/// Line and column, from 1, of a place in a text.
pub fn place(text: &str, at: usize) -> (u64, u64) {
    let before = &text[..at.min(text.len())];
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line as u64, column as u64)
}
