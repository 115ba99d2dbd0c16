//! What `diff -u` prints of two texts: GNU diff's choice of hunks, three lines around each.

/// Lines around a change.
const CONTEXT: usize = 3;

/// The hunks that lead from one text to the other; empty when they are the same.
pub(crate) fn hunks(a: &str, b: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split_inclusive('\n').collect(), b.split_inclusive('\n').collect());
    let (mut gone, mut new) = meta::lines::changes(&a, &b);
    shift(&a, &mut gone, &new);
    shift(&b, &mut new, &gone);
    let blocks = blocks(&gone, &new);
    let mut out = String::new();
    let mut at = 0;
    while let Some(first) = blocks.get(at) {
        let mut last = at;
        // Changes whose surroundings touch are one hunk.
        while let Some(next) = blocks.get(last + 1)
            && next.0.start - blocks[last].0.end <= 2 * CONTEXT
        {
            last += 1;
        }
        let begin = (first.0.start.saturating_sub(CONTEXT), first.1.start.saturating_sub(CONTEXT));
        let end = ((blocks[last].0.end + CONTEXT).min(a.len()), (blocks[last].1.end + CONTEXT).min(b.len()));
        out.push_str(&format!("@@ -{} +{} @@\n", range(begin.0, end.0), range(begin.1, end.1)));
        let mut line = begin.0;
        for (old, added) in &blocks[at..=last] {
            a[line..old.start].iter().for_each(|l| put(&mut out, ' ', l));
            a[old.clone()].iter().for_each(|l| put(&mut out, '-', l));
            b[added.clone()].iter().for_each(|l| put(&mut out, '+', l));
            line = old.end;
        }
        a[line..end.0].iter().for_each(|l| put(&mut out, ' ', l));
        at = last + 1;
    }
    out
}

fn put(out: &mut String, mark: char, line: &str) {
    out.push(mark);
    out.push_str(line);
    if !line.ends_with('\n') {
        out.push_str("\n\\ No newline at end of file\n");
    }
}

/// `FIRST,COUNT` of lines, counted from one; a count of one is left out, and of no lines the one before is named.
fn range(begin: usize, end: usize) -> String {
    match end - begin {
        0 => format!("{begin},0"),
        1 => format!("{}", begin + 1),
        n => format!("{},{n}", begin + 1),
    }
}

/// Moves each change as far down as the lines allow, and back up to where the other text changes too. Models GNU diff's
/// `shift_boundaries`.
fn shift(lines: &[&str], changed: &mut [bool], other: &[bool]) {
    let end = changed.len();
    let at = |list: &[bool], i: isize| usize::try_from(i).ok().and_then(|i| list.get(i).copied()).unwrap_or(false);
    // The place in the other text that corresponds to `i`; it may stand before its first line.
    let (mut i, mut j) = (0usize, 0isize);
    loop {
        while i < end && !changed[i] {
            while at(other, j) {
                j += 1;
            }
            j += 1;
            i += 1;
        }
        if i == end {
            return;
        }
        let mut start = i;
        while i < end && changed[i] {
            i += 1;
        }
        while at(other, j) {
            j += 1;
        }
        let mut corresponding;
        loop {
            let run = i - start;
            // Upwards, to join what is before.
            while start > 0 && lines[start - 1] == lines[i - 1] {
                start -= 1;
                i -= 1;
                (changed[start], changed[i]) = (true, false);
                while start > 0 && changed[start - 1] {
                    start -= 1;
                }
                j -= 1;
                while at(other, j) {
                    j -= 1;
                }
            }
            corresponding = if at(other, j - 1) { i } else { end };
            // Downwards, as far as it goes.
            while i < end && lines[start] == lines[i] {
                (changed[start], changed[i]) = (false, true);
                start += 1;
                i += 1;
                while i < end && changed[i] {
                    i += 1;
                }
                j += 1;
                while at(other, j) {
                    corresponding = i;
                    j += 1;
                }
            }
            if i - start == run {
                break;
            }
        }
        // Back to where the other text changes.
        while corresponding < i {
            start -= 1;
            i -= 1;
            (changed[start], changed[i]) = (true, false);
            j -= 1;
            while at(other, j) {
                j -= 1;
            }
        }
    }
}

type Block = (std::ops::Range<usize>, std::ops::Range<usize>);

fn blocks(gone: &[bool], new: &[bool]) -> Vec<Block> {
    let (mut out, mut i, mut j) = (Vec::new(), 0, 0);
    while i < gone.len() || j < new.len() {
        let (from, to) = (i, j);
        while gone.get(i) == Some(&true) {
            i += 1;
        }
        while new.get(j) == Some(&true) {
            j += 1;
        }
        if (from, to) == (i, j) {
            (i, j) = (i + 1, j + 1);
        } else {
            out.push((from..i, to..j));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::hunks;

    #[test]
    fn changes_stand_among_three_lines() {
        let a = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
        let b = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n13\n";
        assert_eq!(
            hunks(a, b),
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -10,3 +10,4 @@\n 10\n 11\n 12\n+13\n"
        );
        assert_eq!(hunks(a, a), "");
        assert_eq!(hunks("", "a\n"), "@@ -0,0 +1 @@\n+a\n");
        assert_eq!(hunks("a\nb", "a\n"), "@@ -1,2 +1 @@\n a\n-b\n\\ No newline at end of file\n");
    }

    #[test]
    fn a_repeated_line_is_added_at_the_end() {
        assert_eq!(hunks("a\nb\nb\nc\n", "a\nb\nb\nb\nc\n"), "@@ -1,4 +1,5 @@\n a\n b\n b\n+b\n c\n");
    }
}
