//! `[[ ... ]]`: words that are not split, patterns and regular expressions on the right.

use super::Shell;
use super::code::{Condition, Text};
use super::expand::Around;
use super::pattern;
use crate::sim::programs::test;
use brush_parser::ast::{BinaryPredicate, UnaryPredicate};

impl Shell {
    pub(super) fn condition(&mut self, c: &Condition, a: &Around) -> Result<bool, String> {
        Ok(match c {
            Condition::And(x, y) => self.condition(x, a)? && self.condition(y, a)?,
            Condition::Or(x, y) => self.condition(x, a)? || self.condition(y, a)?,
            Condition::Not(x) => !self.condition(x, a)?,
            Condition::One(UnaryPredicate::ShellVariableIsSetAndAssigned, word) => {
                let name = self.string(word, a)?;
                self.variable(&name).is_some()
            }
            Condition::One(predicate, word) => {
                let operand = self.string(word, a)?;
                test::evaluate(&[predicate.to_string(), operand], &a.cwd, a.fs, a.volumes)?
            }
            Condition::Two(predicate, left, right) => self.compare(predicate, left, right, a)?,
        })
    }

    fn compare(&mut self, p: &BinaryPredicate, left: &Text, right: &Text, a: &Around) -> Result<bool, String> {
        use BinaryPredicate as B;
        let text = self.string(left, a)?;
        Ok(match p {
            B::StringExactlyMatchesPattern => pattern::matches(&self.pattern(right, a)?, &text),
            B::StringDoesNotExactlyMatchPattern => !pattern::matches(&self.pattern(right, a)?, &text),
            B::StringMatchesRegex => {
                let regex = self.string(right, a)?;
                let regex = regex_lite::Regex::new(&regex).map_err(|e| e.to_string())?;
                let found: Option<Vec<String>> = regex
                    .captures(&text)
                    .map(|c| c.iter().map(|g| g.map_or(String::new(), |g| g.as_str().to_string())).collect());
                let hit = found.is_some();
                self.assign_list("BASH_REMATCH", found.unwrap_or_default());
                hit
            }
            B::StringContainsSubstring => text.contains(&self.string(right, a)?),
            B::ArithmeticEqualTo
            | B::ArithmeticNotEqualTo
            | B::ArithmeticLessThan
            | B::ArithmeticLessThanOrEqualTo
            | B::ArithmeticGreaterThan
            | B::ArithmeticGreaterThanOrEqualTo => {
                let (x, y) = (self.arithmetic(left, a)?, self.arithmetic(right, a)?);
                match p {
                    B::ArithmeticEqualTo => x == y,
                    B::ArithmeticNotEqualTo => x != y,
                    B::ArithmeticLessThan => x < y,
                    B::ArithmeticLessThanOrEqualTo => x <= y,
                    B::ArithmeticGreaterThan => x > y,
                    _ => x >= y,
                }
            }
            other => {
                let right = self.string(right, a)?;
                test::evaluate(&[text, other.to_string(), right], &a.cwd, a.fs, a.volumes)?
            }
        })
    }
}
