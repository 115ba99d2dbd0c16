//! What Go's regular expressions may look like, and how Go says what is wrong with one. Models `regexp/syntax/parse.go` with
//! `syntax.Perl`.

/// So often may something be repeated.
const REPEAT_MAX: u32 = 1000;

/// Why the pattern is none: `error parsing regexp: missing closing ): `(a``; `None`: Go compiles it.
pub fn error(pattern: &str) -> Option<String> {
    Parser { whole: pattern, rest: pattern, open: 0, has_operand: false, operands: Vec::new(), names: Vec::new() }
        .run()
        .err()
        .map(|(what, part)| format!("error parsing regexp: {what}: `{part}`"))
}

/// What is wrong, and where.
type Wrong<'p> = (&'static str, &'p str);

const MISSING_BRACKET: &str = "missing closing ]";
const BAD_RANGE: &str = "invalid character class range";
const BAD_ESCAPE: &str = "invalid escape sequence";
const BAD_NAME: &str = "invalid named capture";

struct Parser<'p> {
    whole: &'p str,
    rest: &'p str,
    open: usize,
    /// Whether there is something before here that may be repeated.
    has_operand: bool,
    /// The same for what is before each open parenthesis.
    operands: Vec<bool>,
    names: Vec<&'p str>,
}

/// What was read of `from` when `rest` is left.
fn read<'p>(from: &'p str, rest: &str) -> &'p str {
    &from[..from.len() - rest.len()]
}

fn after_first(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.as_str()
}

impl<'p> Parser<'p> {
    fn run(mut self) -> Result<(), Wrong<'p>> {
        let mut last_repeat: Option<&str> = None;
        while let Some(c) = self.rest.chars().next() {
            let before = self.rest;
            let mut repeat = None;
            match c {
                '(' if before.starts_with("(?") => self.flags()?,
                '(' => {
                    self.rest = &before[1..];
                    self.enter();
                }
                '|' => (self.rest, self.has_operand) = (&before[1..], false),
                ')' => {
                    if self.open == 0 {
                        return Err(("unexpected )", self.whole));
                    }
                    (self.rest, self.open) = (&before[1..], self.open - 1);
                    self.operands.pop();
                    self.has_operand = true;
                }
                '[' => self.class()?,
                '*' | '+' | '?' => {
                    self.rest = &before[1..];
                    self.repeated(before, last_repeat)?;
                    repeat = Some(before);
                }
                '{' => match counts(before) {
                    None => (self.rest, self.has_operand) = (&before[1..], true),
                    Some((min, max, rest)) => {
                        let limit = |n: Option<u32>| n.is_none_or(|n| n > REPEAT_MAX);
                        if limit(min) || max.is_some_and(|m| limit(m) || m < min) {
                            return Err(("invalid repeat count", read(before, rest)));
                        }
                        self.rest = rest;
                        self.repeated(before, last_repeat)?;
                        repeat = Some(before);
                    }
                },
                '\\' => self.escaped()?,
                _ => (self.rest, self.has_operand) = (after_first(before), true),
            }
            last_repeat = repeat;
        }
        if self.open > 0 { Err(("missing closing )", self.whole)) } else { Ok(()) }
    }

    fn enter(&mut self) {
        self.open += 1;
        self.operands.push(self.has_operand);
        self.has_operand = false;
    }

    /// After the operator, which `before` begins with.
    fn repeated(&mut self, before: &'p str, last: Option<&'p str>) -> Result<(), Wrong<'p>> {
        if let Some(rest) = self.rest.strip_prefix('?') {
            self.rest = rest;
        }
        if let Some(last) = last {
            return Err(("invalid nested repetition operator", read(last, self.rest)));
        }
        if !self.has_operand {
            return Err(("missing argument to repetition operator", read(before, self.rest)));
        }
        Ok(())
    }

    /// `(?i)`, `(?i:`, `(?P<name>`, `(?<name>`.
    fn flags(&mut self) -> Result<(), Wrong<'p>> {
        let all = self.rest;
        let named = all.strip_prefix("(?P<").or_else(|| all.strip_prefix("(?<"));
        if let Some(inner) = named.filter(|n| !n.is_empty()) {
            let Some((name, rest)) = inner.split_once('>') else { return Err((BAD_NAME, all)) };
            let is_word = |c: char| c == '_' || c.is_ascii_alphanumeric();
            if name.is_empty() || !name.chars().all(is_word) {
                return Err((BAD_NAME, read(all, rest)));
            }
            if self.names.contains(&name) {
                return Err(("duplicate capture group name", name));
            }
            self.names.push(name);
            self.rest = rest;
            self.enter();
            return Ok(());
        }
        let (mut rest, mut negated, mut saw) = (&all[2..], false, false);
        while let Some(c) = rest.chars().next() {
            rest = after_first(rest);
            match c {
                'i' | 'm' | 's' | 'U' => saw = true,
                '-' if !negated => (negated, saw) = (true, false),
                ':' | ')' if !negated || saw => {
                    self.rest = rest;
                    if c == ':' {
                        self.enter();
                    }
                    return Ok(());
                }
                _ => break,
            }
        }
        Err(("invalid or unsupported Perl syntax", read(all, rest)))
    }

    fn escaped(&mut self) -> Result<(), Wrong<'p>> {
        let all = self.rest;
        self.has_operand = true;
        self.rest = match all.chars().nth(1) {
            Some('A' | 'b' | 'B' | 'z' | 'd' | 'D' | 's' | 'S' | 'w' | 'W') => &all[2..],
            Some('Q') => all[2..].split_once("\\E").map_or("", |(_, rest)| rest),
            Some('p' | 'P') => unicode_class(all)?,
            _ => character(all)?,
        };
        Ok(())
    }

    fn class(&mut self) -> Result<(), Wrong<'p>> {
        let all = self.rest;
        let inner = &all[1..];
        let mut rest = inner.strip_prefix('^').unwrap_or(inner);
        let mut is_first = true;
        while is_first || !rest.starts_with(']') {
            is_first = false;
            if rest.starts_with("[:")
                && let Some(end) = rest[2..].find(":]")
            {
                let name = &rest[..end + 4];
                if !NAMED.contains(&name[2..end + 2].trim_start_matches('^')) {
                    return Err((BAD_RANGE, name));
                }
                rest = &rest[end + 4..];
                continue;
            }
            if rest.starts_with("\\p") || rest.starts_with("\\P") {
                rest = unicode_class(rest)?;
                continue;
            }
            if ["\\d", "\\D", "\\s", "\\S", "\\w", "\\W"].iter().any(|c| rest.starts_with(c)) {
                rest = &rest[2..];
                continue;
            }
            let range = rest;
            let (low, after) = class_character(rest, all)?;
            rest = after;
            if let Some(upper) = rest.strip_prefix('-').filter(|u| !u.is_empty() && !u.starts_with(']')) {
                let (high, after) = class_character(upper, all)?;
                rest = after;
                if high.zip(low).is_some_and(|(high, low)| high < low) {
                    return Err((BAD_RANGE, read(range, rest)));
                }
            }
        }
        self.rest = &rest[1..];
        self.has_operand = true;
        Ok(())
    }
}

/// Between `[:` and `:]`.
const NAMED: &[&str] = &[
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

/// A character of a class, if it is a plain one, and what follows.
fn class_character<'p>(text: &'p str, class: &'p str) -> Result<(Option<char>, &'p str), Wrong<'p>> {
    match text.chars().next() {
        None => Err((MISSING_BRACKET, class)),
        Some('\\') => {
            let rest = character(text)?;
            let plain = text.chars().nth(1).filter(|c| !c.is_ascii_alphanumeric());
            Ok((plain, rest))
        }
        Some(c) => Ok((Some(c), after_first(text))),
    }
}

/// `\pL`, `\p{Greek}`: which there are is not looked at.
fn unicode_class(text: &str) -> Result<&str, Wrong<'_>> {
    let inner = &text[2..];
    match inner.strip_prefix('{') {
        Some(name) => name.split_once('}').map(|(_, rest)| rest).ok_or((BAD_RANGE, text)),
        None if inner.is_empty() => Err((BAD_RANGE, text)),
        None => Ok(after_first(inner)),
    }
}

/// What follows the escape that the text begins with.
fn character(text: &str) -> Result<&str, Wrong<'_>> {
    let inner = &text[1..];
    let Some(c) = inner.chars().next() else { return Err(("trailing backslash at end of expression", "")) };
    let rest = after_first(inner);
    let octal = |t: &str| t.starts_with(|c: char| ('0'..='7').contains(&c));
    let hex = |t: &str| t.starts_with(|c: char| c.is_ascii_hexdigit());
    match c {
        '0' | '1'..='7' if c == '0' || octal(rest) => {
            let more = rest.bytes().take(2).take_while(|b| (b'0'..=b'7').contains(b)).count();
            Ok(&rest[more..])
        }
        'x' => match rest.strip_prefix('{') {
            Some(inner) => match inner.split_once('}') {
                Some((digits, rest)) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(rest),
                _ => Err((
                    BAD_ESCAPE,
                    read(text, after_first(inner.trim_start_matches(|c: char| c.is_ascii_hexdigit()))),
                )),
            },
            None if hex(rest) && hex(after_first(rest)) => Ok(&rest[2..]),
            None if hex(rest) => Err((BAD_ESCAPE, read(text, after_first(after_first(rest))))),
            None => Err((BAD_ESCAPE, read(text, after_first(rest)))),
        },
        'a' | 'f' | 'n' | 'r' | 't' | 'v' => Ok(rest),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(rest),
        _ => Err((BAD_ESCAPE, read(text, rest))),
    }
}

/// A number, or `None` for one that is too large.
type Count = Option<u32>;

/// `{2}`, `{2,}`, `{2,3}`, and what follows; `None`: the brace is a brace.
fn counts(text: &str) -> Option<(Count, Option<Count>, &str)> {
    let (min, rest) = number(&text[1..])?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((min, Some(min), rest));
    }
    let rest = rest.strip_prefix(',')?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((min, None, rest));
    }
    let (max, rest) = number(rest)?;
    rest.strip_prefix('}').map(|rest| (min, Some(max), rest))
}

fn number(text: &str) -> Option<(Count, &str)> {
    let len = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(len);
    // Numbers have no zero before them.
    (len > 0 && (len == 1 || !digits.starts_with('0'))).then(|| (digits.parse().ok(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Go's `invalidRegexp` tests, with what it prints.
    #[test]
    fn what_is_wrong_is_said_in_go_s_words() {
        for (pattern, why) in [
            ("(", "missing closing ): `(`"),
            ("(a", "missing closing ): `(a`"),
            ("a)", "unexpected ): `a)`"),
            ("[a", "missing closing ]: `[a`"),
            ("x[a-", "missing closing ]: `[a-`"),
            ("[z-a]", "invalid character class range: `z-a`"),
            ("*", "missing argument to repetition operator: `*`"),
            ("(*)", "missing argument to repetition operator: `*`"),
            ("a|+", "missing argument to repetition operator: `+`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("a*+", "invalid nested repetition operator: `*+`"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("a{3,2}", "invalid repeat count: `{3,2}`"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("(?!a)b", "invalid or unsupported Perl syntax: `(?!`"),
            ("(?<=a)b", "invalid named capture: `(?<=a)b`"),
            ("(?i", "invalid or unsupported Perl syntax: `(?i`"),
            ("(?P<n", "invalid named capture: `(?P<n`"),
            ("(?P<x y>a)", "invalid named capture: `(?P<x y>`"),
            ("(a)\\1", "invalid escape sequence: `\\1`"),
            ("\\y", "invalid escape sequence: `\\y`"),
            ("[\\h]", "invalid escape sequence: `\\h`"),
            ("a\\", "trailing backslash at end of expression: ``"),
            ("[[:word2:]]", "invalid character class range: `[:word2:]`"),
        ] {
            assert_eq!(error(pattern), Some(format!("error parsing regexp: {why}")), "{pattern}");
        }
    }

    #[test]
    fn what_go_compiles_is_right() {
        for pattern in [
            "",
            "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
            "a{,2}|a{2,}?|{|a{01}",
            "[]a]|[^]]|[a-]|[-a]|[\\d-x]|[[:^alpha:]]|[[a]",
            "(?i)a|(?i:b)|(?P<n>c)|(?<m>d)|(?s-m:e)|()|(|a)*",
            "\\p{Greek}\\pL\\Q(*\\E\\x41\\x{10ffff}\\01\\_\\-\\/\\.\\z",
            "^*$+\\b?",
            "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$",
        ] {
            assert_eq!(error(pattern), None, "{pattern}");
        }
    }
}
