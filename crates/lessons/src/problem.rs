//! What is wrong with a lesson, and where.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// From 1; 0 when it is about the whole file.
    pub line: u64,
    pub column: u64,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Problem {
    pub fn new((line, column): (u64, u64), message: impl Into<String>) -> Self {
        Problem { line, column, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.message),
            line => write!(f, "{line}:{}: {}", self.column, self.message),
        }
    }
}
