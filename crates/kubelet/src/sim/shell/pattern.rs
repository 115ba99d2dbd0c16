//! File name patterns (`*`, `?`, `[...]`).

/// Whether a shell pattern matches the whole text. A backslash makes the next character literal.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    glob(&p, &t)
}

fn glob(p: &[char], t: &[char]) -> bool {
    match p.first() {
        None => t.is_empty(),
        Some('*') => {
            let rest = &p[1..];
            rest.is_empty() || (0..=t.len()).any(|i| glob(rest, &t[i..]))
        }
        Some('?') => !t.is_empty() && glob(&p[1..], &t[1..]),
        Some('[') => match class(p) {
            Some((len, ok)) => t.first().is_some_and(|c| ok(*c)) && glob(&p[len..], &t[1..]),
            None => t.first() == Some(&'[') && glob(&p[1..], &t[1..]),
        },
        Some('\\') if p.len() > 1 => t.first() == Some(&p[1]) && glob(&p[2..], &t[1..]),
        Some(c) => t.first() == Some(c) && glob(&p[1..], &t[1..]),
    }
}

/// A bracket expression at the start of `p`: its length and its test.
fn class(p: &[char]) -> Option<(usize, impl Fn(char) -> bool + use<>)> {
    let negated = matches!(p.get(1), Some('!' | '^'));
    let start = if negated { 2 } else { 1 };
    let end = (start + 1..p.len()).find(|i| p[*i] == ']')?;
    let set: Vec<char> = p[start..end].to_vec();
    let test = move |c: char| {
        let mut i = 0;
        let mut hit = false;
        while i < set.len() {
            if i + 2 < set.len() && set[i + 1] == '-' {
                hit |= (set[i]..=set[i + 2]).contains(&c);
                i += 3;
            } else {
                hit |= set[i] == c;
                i += 1;
            }
        }
        hit != negated
    };
    Some((end + 1, test))
}

pub fn is_pattern(s: &str) -> bool {
    s.contains(['*', '?', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (p, t, want) in [
            ("*.txt", "a.txt", true),
            ("a?c", "abc", true),
            ("[a-c]x", "bx", true),
            ("[!a]", "a", false),
            ("\\*", "*", true),
        ] {
            assert_eq!(matches(p, t), want, "{p} {t}");
        }
    }
}
