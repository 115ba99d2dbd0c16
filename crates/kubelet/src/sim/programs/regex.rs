//! POSIX regular expressions, as `grep` and `sed` have them, in the words of the library.

use regex_lite::Regex;

/// Compiles a basic or extended expression.
///
/// # Errors
/// The expression is not one, or refers back to a group.
pub fn compile(pattern: &str, extended: bool, ignore_case: bool) -> Result<Regex, String> {
    let flags = if ignore_case { "(?is)" } else { "(?s)" };
    Regex::new(&format!("{flags}{}", translate(pattern, extended)?)).map_err(|e| e.to_string())
}

/// The expression in the library's syntax.
///
/// # Errors
/// It refers back to a group, which the library cannot do.
pub fn translate(pattern: &str, extended: bool) -> Result<String, String> {
    let p: Vec<char> = pattern.chars().collect();
    let (mut out, mut i) = (String::new(), 0);
    // Whether something stands before that can be repeated.
    let mut atom = false;
    while i < p.len() {
        let c = p[i];
        let escaped = c == '\\' && i + 1 < p.len();
        let x = if escaped { p[i + 1] } else { c };
        let special = "(){}|+?".contains(x) && escaped != extended;
        i += if escaped { 2 } else { 1 };
        if special {
            match x {
                '{' if extended && !p.get(i).is_some_and(char::is_ascii_digit) => literal('{', &mut out),
                '+' | '?' | '{' if !atom => literal(x, &mut out),
                _ => out.push(x),
            }
            atom = !matches!(x, '(' | '|');
            continue;
        }
        match (escaped, x) {
            (true, '1'..='9') => return Err("Invalid back reference".into()),
            (true, '<' | '>') => out.push_str("\\b"),
            (true, 'b' | 'B' | 'w' | 'W' | 's' | 'S') => out.extend(['\\', x]),
            (true, _) => literal(x, &mut out),
            (false, '[') => i = bracket(&p, i, &mut out),
            (false, '*') if !atom => literal('*', &mut out),
            (false, '*' | '.') => out.push(x),
            (false, '^') if extended || !atom => {
                out.push('^');
                continue;
            }
            (false, '$') if extended || ends(&p[i..]) => out.push('$'),
            _ => literal(x, &mut out),
        }
        atom = true;
    }
    Ok(out)
}

/// Whether a basic expression, or a part of it, ends here.
fn ends(rest: &[char]) -> bool {
    rest.is_empty() || rest.starts_with(&['\\', ')']) || rest.starts_with(&['\\', '|'])
}

/// Only what has a meaning is escaped: `\<` and `\>` would get one.
fn literal(c: char, out: &mut String) {
    if r"\.+*?()|[]{}^$#&-~".contains(c) {
        out.push('\\');
    }
    out.push(c);
}

/// A bracket expression after its `[`; where it ends.
fn bracket(p: &[char], start: usize, out: &mut String) -> usize {
    let mut i = start;
    let mut set = String::from("[");
    if p.get(i) == Some(&'^') {
        set.push('^');
        i += 1;
    }
    let first = i;
    while let Some(c) = p.get(i) {
        if *c == ']' && i > first {
            set.push(']');
            out.push_str(&set);
            return i + 1;
        }
        if *c == '['
            && p.get(i + 1) == Some(&':')
            && let Some(end) = (i + 2..p.len()).find(|e| p[*e] == ':' && p.get(e + 1) == Some(&']'))
        {
            set.extend(&p[i..end + 2]);
            i = end + 2;
            continue;
        }
        match c {
            '-' => set.push(if i == first || p.get(i + 1) == Some(&']') { '\u{0}' } else { '-' }),
            _ => literal(*c, &mut set),
        }
        if set.ends_with('\u{0}') {
            set.pop();
            set.push_str("\\-");
        }
        i += 1;
    }
    // Nothing closes it.
    out.push_str("\\[");
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_and_extended_expressions() {
        for (pattern, extended, text, want) in [
            ("^a.*z$", false, "abcz", Some("abcz")),
            ("b+c", false, "xb+c", Some("b+c")),
            ("b+c", true, "abbc", Some("bbc")),
            ("b\\+c", false, "abbc", Some("bbc")),
            ("\\(ab\\)\\{2\\}", false, "xababab", Some("abab")),
            ("(ab){2}", true, "xababab", Some("abab")),
            ("a\\|b", false, "xb", Some("b")),
            ("a|b", false, "xa|b", Some("a|b")),
            ("*x", false, "a*x", Some("*x")),
            ("[^]a-c]", false, "]abd", Some("d")),
            ("[[:digit:]_-]*$", true, "x-1_2", Some("-1_2")),
            ("a$b", false, "a$b", Some("a$b")),
            ("[0-9.]+\\.", true, "v1.2.x", Some("1.2.")),
            ("{x}", true, "a{x}", Some("{x}")),
            ("\\<ro\\>", false, "pro ro", Some("ro")),
            ("x^", false, "x^", Some("x^")),
            ("<b>", false, "b <b>", Some("<b>")),
            ("<[^>]*>", false, "a <b>c", Some("<b>")),
            ("a->b", true, "a->b", Some("a->b")),
            ("a{2,3}", true, "aaaa", Some("aaa")),
            ("a\\{2,\\}", false, "aaaa", Some("aaaa")),
            ("([0-9]{1,3}\\.){3}", true, "x10.0.12.1", Some("10.0.12.")),
            ("[a/b@,-]*", true, "a/b@,-c", Some("a/b@,-")),
        ] {
            let found = compile(pattern, extended, false).unwrap().find(text).map(|m| m.as_str().to_string());
            assert_eq!(found.as_deref(), want, "{pattern}");
        }
        assert!(compile("(a)\\1", true, false).is_err());
    }
}
