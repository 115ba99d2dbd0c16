//! Scripts that programs write to have others run.

use super::{Io, Outcome};
use crate::sim::shell::Shell;

pub fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

pub fn quoted(words: &[String]) -> String {
    words.iter().map(|w| quote(w)).collect::<Vec<_>>().join(" ")
}

/// The program goes on as a shell that runs this.
pub fn run(io: &mut Io, text: &str) -> Outcome {
    match Shell::from_args(&["sh".into(), "-c".into(), text.into()], &io.env) {
        Ok(shell) => Outcome::Shell(Box::new(shell)),
        Err(_) => Outcome::Exit(1),
    }
}
