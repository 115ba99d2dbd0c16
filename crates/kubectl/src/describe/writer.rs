//! What describers write to: lines with tabs at a level of indentation. Models `describe.PrefixWriter`.

use super::tabs::Tabs;
use std::fmt::Arguments;

/// Everything a description is made with.
pub struct Writer {
    tabs: Tabs,
    /// Levels that are added to each: a description within another one.
    nested: usize,
    /// What time it is, in microseconds since 1970.
    pub now: i64,
}

/// `put!(w, level, "format", …)`.
macro_rules! put {
    ($w:expr, $level:expr, $($arg:tt)*) => {
        $w.put($level, format_args!($($arg)*))
    };
}
pub(super) use put;

impl Writer {
    pub fn new(now: i64) -> Writer {
        Writer { tabs: Tabs::default(), nested: 0, now }
    }

    /// One that leaves tabs as they are.
    pub fn plain(now: i64) -> Writer {
        Writer { tabs: Tabs::plain(), ..Writer::new(now) }
    }

    /// Writes two spaces for each level, and the text.
    pub fn put(&mut self, level: usize, text: Arguments<'_>) {
        let mut line = "  ".repeat(level + self.nested);
        // Writing to a string cannot fail.
        let _ = std::fmt::Write::write_fmt(&mut line, text);
        self.raw(&line);
    }

    /// Writes the rest of a line. Within another description it is indented again, as upstream does.
    pub fn line(&mut self, text: &str) {
        match self.nested {
            0 => self.raw(&format!("{text}\n")),
            _ => put!(self, 0, "{text}\n"),
        }
    }

    /// Ends every column.
    pub fn flush(&mut self) {
        self.tabs.flush();
    }

    /// Runs `inner` with so many levels more.
    pub fn nested(&mut self, levels: usize, inner: impl FnOnce(&mut Writer)) {
        self.nested += levels;
        inner(self);
        self.nested -= levels;
    }

    pub fn finish(self) -> String {
        self.tabs.finish()
    }

    /// What would steer a terminal is shown instead. Models `printers.WriteEscaped`.
    fn raw(&mut self, text: &str) {
        if text.contains(['\u{1b}', '\r']) {
            self.tabs.write(&text.replace('\u{1b}', "^[").replace('\r', "\\r"));
        } else {
            self.tabs.write(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_two_spaces_each() {
        let mut w = Writer::new(0);
        put!(w, 0, "Name:\t{}\n", "web");
        put!(w, 1, "Type\tStatus\n");
        assert_eq!(w.finish(), "Name:   web\n  Type  Status\n");
    }

    #[test]
    fn nested_lines_are_indented_again() {
        let mut w = Writer::new(0);
        w.nested(2, |w| {
            put!(w, 0, "Labels:\t");
            w.line("<none>");
        });
        w.line("end");
        assert_eq!(w.finish(), "    Labels:      <none>\nend\n");
    }

    #[test]
    fn terminals_are_not_steered() {
        let mut w = Writer::new(0);
        put!(w, 0, "a\u{1b}[31m\r\n");
        assert_eq!(w.finish(), "a^[[31m\\r\n");
    }
}
