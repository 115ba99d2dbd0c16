//! Errors with the lines they are about. Models cel-go's `common/error.go`.

use crate::tree::Fault;

/// Above this no line is shown, in bytes.
const LINE_MAX: usize = 16_384;
const FAULTS_MAX: usize = 100;

/// In the order of their places.
pub(super) fn shown(text: &str, faults: Vec<Fault>) -> String {
    let left_out = faults.len().saturating_sub(FAULTS_MAX);
    let lines: Vec<&str> = text.split('\n').collect();
    let mut all: Vec<((usize, usize), String)> =
        faults.into_iter().take(FAULTS_MAX).map(|f| (place(&lines, f.at), f.message)).collect();
    all.sort_by_key(|(place, _)| *place);
    let mut shown: Vec<String> = all.into_iter().map(|(at, message)| one(&lines, at, &message)).collect();
    if left_out > 0 {
        shown.push(format!("{left_out} more errors were truncated"));
    }
    shown.join("\n")
}

/// Line and column, both from zero.
fn place(lines: &[&str], at: Option<usize>) -> (usize, usize) {
    let mut column = at.unwrap_or(0);
    for (i, line) in lines.iter().enumerate() {
        let len = line.chars().count();
        if column <= len || i + 1 == lines.len() {
            return (i, column);
        }
        column -= len + 1;
    }
    (0, column)
}

fn one(lines: &[&str], (line, column): (usize, usize), message: &str) -> String {
    let mut out = format!("ERROR: <input>:{}:{}: {message}", line + 1, column + 1);
    let Some(snippet) = lines.get(line).filter(|l| l.len() <= LINE_MAX) else { return out };
    let snippet = snippet.replace('\t', " ");
    let mut chars = snippet.chars();
    // Wide signs under what is wide.
    let dots: String = chars.by_ref().take(column).map(|c| if c.len_utf8() > 1 { '．' } else { '.' }).collect();
    let mark = if chars.next().is_some_and(|c| c.len_utf8() > 1) { '＾' } else { '^' };
    out.push_str(&format!("\n | {snippet}\n | {dots}{mark}"));
    out
}
