//! Columns. Models `text/tabwriter` as kubectl uses it, widths remembered from one flush to the next.

/// A table that is written in pieces.
#[derive(Clone, Debug)]
pub(crate) struct Tab {
    min_width: usize,
    padding: usize,
    remember: bool,
    remembered: Vec<usize>,
    lines: Vec<Vec<String>>,
}

impl Tab {
    /// Models `printers.GetNewTabWriter`.
    pub fn new() -> Tab {
        Tab { min_width: 6, padding: 3, remember: true, remembered: Vec::new(), lines: Vec::new() }
    }
    /// Other widths, which are not remembered.
    pub fn with(min_width: usize, padding: usize) -> Tab {
        Tab { min_width, padding, remember: false, remembered: Vec::new(), lines: Vec::new() }
    }
    pub fn row(&mut self, cells: Vec<String>) {
        self.lines.push(cells);
    }
    pub fn forget(&mut self) {
        self.remembered.clear();
    }

    /// What was written since the last time, in columns.
    pub fn flush(&mut self) -> String {
        let lines = std::mem::take(&mut self.lines);
        let mut widths: Vec<Vec<usize>> = lines.iter().map(|l| vec![0; l.len().saturating_sub(1)]).collect();
        let mut maxima: Vec<usize> = Vec::new();
        self.format(&lines, 0, lines.len(), 0, &mut widths, &mut maxima);
        if self.remember {
            self.remembered = maxima;
        }
        let mut out = String::new();
        for (line, widths) in lines.iter().zip(&widths) {
            for (i, cell) in line.iter().enumerate() {
                out.push_str(cell);
                if let Some(width) = widths.get(i) {
                    out.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count())));
                }
            }
            out.push('\n');
        }
        out
    }

    /// A column is a block of consecutive lines that have a cell ended by a tab there.
    fn format(
        &self,
        lines: &[Vec<String>],
        from: usize,
        to: usize,
        column: usize,
        widths: &mut [Vec<usize>],
        maxima: &mut Vec<usize>,
    ) {
        let mut i = from;
        while i < to {
            if column + 1 >= lines[i].len() {
                i += 1;
                continue;
            }
            let begin = i;
            let mut width = self.min_width;
            while i < to && column + 1 < lines[i].len() {
                width = width.max(lines[i][column].chars().count() + self.padding);
                i += 1;
            }
            if self.remember {
                width = width.max(self.remembered.get(column).copied().unwrap_or(0));
                if maxima.len() <= column {
                    maxima.resize(column + 1, 0);
                }
                maxima[column] = maxima[column].max(width);
            }
            for w in &mut widths[begin..i] {
                w[column] = width;
            }
            self.format(lines, begin, i, column + 1, widths, maxima);
        }
    }
}
