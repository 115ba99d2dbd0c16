//! Go's `text/tabwriter` as kubectl's describers use it: cells end with a tab, a column is as wide as its widest cell of
//! consecutive lines and two spaces, and text after the last tab of a line belongs to no column.

const PADDING: usize = 2;

#[derive(Default)]
pub struct Tabs {
    out: String,
    /// What was written since the last flush.
    pending: String,
    /// Nothing is aligned: tabs stay.
    plain: bool,
}

impl Tabs {
    pub fn plain() -> Tabs {
        Tabs { plain: true, ..Tabs::default() }
    }

    pub fn write(&mut self, text: &str) {
        // A form feed ends a line and every column.
        let mut parts = text.split('\u{c}');
        self.pending.push_str(parts.next().unwrap_or(""));
        for part in parts {
            self.pending.push('\n');
            self.flush();
            self.pending.push_str(part);
        }
    }

    /// Ends every column.
    pub fn flush(&mut self) {
        let text = std::mem::take(&mut self.pending);
        if self.plain {
            return self.out.push_str(&text);
        }
        let lines: Vec<Vec<&str>> = text.split('\n').map(|l| l.split(['\t', '\u{b}']).collect()).collect();
        Layout { lines: &lines, widths: Vec::new(), out: &mut self.out }.format(0, lines.len());
    }

    pub fn finish(mut self) -> String {
        self.flush();
        self.out
    }
}

struct Layout<'a> {
    lines: &'a [Vec<&'a str>],
    /// Of the columns left of the one that is being laid out.
    widths: Vec<usize>,
    out: &'a mut String,
}

impl Layout<'_> {
    /// Writes the lines `from..to`, which all have the columns whose widths are known.
    fn format(&mut self, mut from: usize, to: usize) {
        let column = self.widths.len();
        let mut this = from;
        while this < to {
            if column + 1 >= self.lines[this].len() {
                this += 1;
                continue;
            }
            self.write(from, this);
            from = this;
            let mut width = 0;
            while this < to && column + 1 < self.lines[this].len() {
                width = width.max(self.lines[this][column].chars().count() + PADDING);
                this += 1;
            }
            self.widths.push(width);
            self.format(from, this);
            self.widths.pop();
            from = this;
        }
        self.write(from, to);
    }

    fn write(&mut self, from: usize, to: usize) {
        for i in from..to {
            for (j, cell) in self.lines[i].iter().enumerate() {
                self.out.push_str(cell);
                if let Some(width) = self.widths.get(j) {
                    let padding = width.saturating_sub(cell.chars().count());
                    self.out.extend(std::iter::repeat_n(' ', padding));
                }
            }
            if i + 1 != self.lines.len() {
                self.out.push('\n');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tabbed(text: &str) -> String {
        let mut tabs = Tabs::default();
        tabs.write(text);
        tabs.finish()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        assert_eq!(tabbed("a\tb\nccc\td\n"), "a    b\nccc  d\n");
    }

    #[test]
    fn a_line_without_the_column_ends_it() {
        assert_eq!(tabbed("a\tb\nlonger line\nccc\td\n"), "a  b\nlonger line\nccc  d\n");
    }

    #[test]
    fn inner_columns_end_where_a_line_is_shorter() {
        assert_eq!(tabbed("a\tb\tc\nd\te\nf\tggggg\th\n"), "a  b  c\nd  e\nf  ggggg  h\n");
    }

    #[test]
    fn empty_cells_are_columns() {
        assert_eq!(tabbed("Labels:\ta=1\n\tb=2\n"), "Labels:  a=1\n         b=2\n");
        assert_eq!(tabbed("host\t\n\t/path\tx\n"), "host  \n      /path  x\n");
    }

    #[test]
    fn a_flush_ends_columns() {
        let mut tabs = Tabs::default();
        tabs.write("aaaa\tb\n");
        tabs.flush();
        tabs.write("c\td\n");
        assert_eq!(tabs.finish(), "aaaa  b\nc  d\n");
        assert_eq!(tabbed("aaaa\tb\u{c}c\td\n"), "aaaa  b\nc  d\n");
    }

    #[test]
    fn characters_count_and_not_bytes() {
        assert_eq!(tabbed("파드\tx\nab\ty\n"), "파드  x\nab  y\n");
    }

    #[test]
    fn text_without_a_line_end_stays_without() {
        assert_eq!(tabbed("a\tb"), "a  b");
    }
}
