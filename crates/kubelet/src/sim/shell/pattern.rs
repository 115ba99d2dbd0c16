//! File name patterns (`*`, `?`, `[...]`).

/// Whether a shell pattern matches the whole text. A backslash makes the next character literal.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    glob(&p, &t)
}

/// What the last star takes grows by a letter when the rest does not fit: those before it need not take more.
fn glob(p: &[char], t: &[char]) -> bool {
    let (mut i, mut j) = (0, 0);
    // What follows the last star, and where that is looked for.
    let mut star = None;
    while j < t.len() {
        if p.get(i) == Some(&'*') {
            i += 1;
            star = Some((i, j));
        } else if let Some(length) = one(&p[i..], t[j]) {
            (i, j) = (i + length, j + 1);
        } else if let Some((after, from)) = star {
            (i, j) = (after, from + 1);
            star = Some((after, from + 1));
        } else {
            return false;
        }
    }
    p[i..].iter().all(|c| *c == '*')
}

/// The length of what the pattern begins with, if the letter fits it.
fn one(p: &[char], letter: char) -> Option<usize> {
    let (length, fits) = match p.first()? {
        '?' => (1, true),
        '[' => class(p).map_or((1, letter == '['), |(length, fits)| (length, fits(letter))),
        '\\' if p.len() > 1 => (2, p[1] == letter),
        c => (1, *c == letter),
    };
    fits.then_some(length)
}

/// A bracket expression at the start of `p`: its length and its test.
fn class(p: &[char]) -> Option<(usize, impl Fn(char) -> bool)> {
    let negated = matches!(p.get(1), Some('!' | '^'));
    let start = if negated { 2 } else { 1 };
    let end = (start + 1..p.len()).find(|i| p[*i] == ']')?;
    let set = &p[start..end];
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
            ("\\*", "a", false),
            ("a*", "a", true),
            ("*", "", true),
            ("?*", "", false),
            ("*ab*ab", "abxab", true),
            ("*ab*ab", "abxabc", false),
            ("a*[b-d]?*e", "aacxe", true),
            ("[ab", "[ab", true),
        ] {
            assert_eq!(matches(p, t), want, "{p} {t}");
        }
    }

    #[test]
    fn many_stars_take_no_longer() {
        let text = "a".repeat(2_000);
        assert!(!matches(&format!("{}b", "*a".repeat(100)), &text));
        assert!(matches(&"*a".repeat(100), &text));
    }
}
