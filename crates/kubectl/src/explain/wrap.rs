//! Wrapping at words. Models `mitchellh/go-wordwrap`.

/// Lines of at most `limit` characters; longer words stay whole.
pub fn wrap(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len());
    // What is on the line; the spaces and the word that may follow.
    let (mut column, mut spaces, mut word) = (0, String::new(), String::new());
    let length = |s: &str| s.chars().count();
    for c in text.chars() {
        if c == '\n' {
            if word.is_empty() {
                if column + length(&spaces) <= limit {
                    out.push_str(&spaces);
                }
                spaces.clear();
            } else {
                out.push_str(&std::mem::take(&mut spaces));
                out.push_str(&std::mem::take(&mut word));
            }
            out.push(c);
            column = 0;
        } else if c.is_whitespace() && c != '\u{a0}' {
            if spaces.is_empty() || !word.is_empty() {
                column += length(&spaces) + length(&word);
                out.push_str(&std::mem::take(&mut spaces));
                out.push_str(&std::mem::take(&mut word));
            }
            spaces.push(c);
        } else {
            word.push(c);
            let wide = length(&word);
            if column + wide + length(&spaces) > limit && wide < limit {
                out.push('\n');
                column = 0;
                spaces.clear();
            }
        }
    }
    if !word.is_empty() || column + length(&spaces) <= limit {
        out.push_str(&spaces);
        out.push_str(&word);
    }
    out
}

/// Spaces before every line, an empty last one, too.
pub fn indent(spaces: usize, text: &str) -> String {
    let pad = " ".repeat(spaces);
    format!("{pad}{}", text.replace('\n', &format!("\n{pad}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("one two three", 8), "one two\nthree");
        assert_eq!(wrap("a\n\nb", 8), "a\n\nb");
        assert_eq!(wrap("a averylongword b", 5), "a\naverylongword\nb");
        assert_eq!(wrap("keep\n", 8), "keep\n");
    }

    #[test]
    fn every_line_is_indented() {
        assert_eq!(indent(2, "a\nb\n"), "  a\n  b\n  ");
    }
}
