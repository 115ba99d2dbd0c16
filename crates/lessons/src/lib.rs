//! Lessons and challenges: Markdown files with a front matter that says what cluster there is, what has to come true, and how it
//! is solved. The format is described in `crates/lessons/FORMAT.md`.
//!
//! Pure data in, data out. What a check asks of a cluster it asks through [`World`]; who owns a cluster implements that.

mod actions;
mod body;
mod check;
mod count;
mod front;
mod html;
mod index;
mod judge;
mod lesson;
mod problem;
mod span;
pub mod syllabus;
pub mod template;
#[cfg(test)]
mod tests;

pub use actions::{Action, Deed};
pub use check::{Ask, Check, Log, May, Objects, Process, Request, Run};
pub use front::{Challenge, Machine, Predict, Step, Words};
pub use index::index;
pub use judge::{Answer, Verdict, World, judge};
pub use lesson::Lesson;
pub use problem::Problem;
pub use span::{Span, duration};
