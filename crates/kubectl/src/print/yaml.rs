//! YAML as `sigs.k8s.io/yaml` writes it: sorted keys, lists not indented, lines folded after 80 characters. Models
//! libyaml's emitter (`goyaml.v2/emitterc.go`) for trees of JSON.

use serde_json::Value;

const BEST_WIDTH: usize = 80;
const BEST_INDENT: usize = 2;

pub(crate) fn to_yaml(v: &Value) -> String {
    let mut e = Emitter { out: String::new(), column: 0, whitespace: true, indention: true };
    e.node(v, None, false);
    if e.column > 0 {
        e.line_break();
    }
    e.out
}

struct Emitter {
    out: String,
    column: usize,
    /// The last character was white space, or an indicator that needs none after it.
    whitespace: bool,
    /// So far the line holds indentation only.
    indention: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

impl Emitter {
    /// `indent` is that of the parent; `in_map`: a value of a mapping.
    fn node(&mut self, v: &Value, indent: Option<usize>, in_map: bool) {
        match v {
            Value::Object(map) if map.is_empty() => self.indicator("{}", true),
            Value::Array(list) if list.is_empty() => self.indicator("[]", true),
            Value::Object(map) => {
                let mine = indent.map_or(0, |i| i + BEST_INDENT);
                let mut keys: Vec<&String> = map.keys().collect();
                keys.sort_by(|a, b| key_order(a, b));
                for key in keys {
                    self.indent(mine);
                    self.scalar(key, mine, true);
                    self.put(':');
                    (self.whitespace, self.indention) = (false, false);
                    self.node(&map[key], Some(mine), true);
                }
            }
            Value::Array(list) => {
                let mine = match indent {
                    None => 0,
                    Some(i) if in_map && !self.indention => i,
                    Some(i) => i + BEST_INDENT,
                };
                for item in list {
                    self.indent(mine);
                    self.indicator_of_item();
                    self.node(item, Some(mine), false);
                }
            }
            Value::String(s) => self.scalar(s, indent.unwrap_or(0), false),
            Value::Null => self.plain("null", indent.unwrap_or(0), false),
            Value::Bool(b) => self.plain(if *b { "true" } else { "false" }, 0, false),
            Value::Number(n) => self.plain(&super::gojson::number_g(n), 0, false),
        }
    }

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }
    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }
    fn write(&mut self, c: char) {
        if c == '\n' { self.line_break() } else { self.put(c) }
    }
    fn indent(&mut self, indent: usize) {
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        (self.whitespace, self.indention) = (true, true);
    }
    fn indicator(&mut self, text: &str, need_whitespace: bool) {
        if need_whitespace && !self.whitespace {
            self.put(' ');
        }
        text.chars().for_each(|c| self.put(c));
        (self.whitespace, self.indention) = (false, false);
    }
    fn indicator_of_item(&mut self) {
        if !self.whitespace {
            self.put(' ');
        }
        self.put('-');
        self.whitespace = false;
    }

    fn scalar(&mut self, s: &str, indent: usize, key: bool) {
        let indent = indent + BEST_INDENT;
        let wanted = if s.contains('\n') {
            Style::Literal
        } else if means_something_else(s) {
            Style::Double
        } else {
            Style::Plain
        };
        let a = analyze(s);
        let mut style = wanted;
        if key && a.multiline {
            style = Style::Double;
        }
        if style == Style::Plain && (!a.block_plain || (s.is_empty() && key)) {
            style = Style::Single;
        }
        if style == Style::Single && !a.single {
            style = Style::Double;
        }
        if style == Style::Literal && (!a.block || key) {
            style = Style::Double;
        }
        match style {
            Style::Plain => self.plain(s, indent, !key),
            Style::Single => self.single(s, indent, !key),
            Style::Double => self.double(s, indent, !key),
            Style::Literal => self.literal(s, indent),
        }
    }

    fn plain(&mut self, s: &str, indent: usize, breaks: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        let chars: Vec<char> = s.chars().collect();
        let mut spaces = false;
        for (i, c) in chars.iter().enumerate() {
            if *c == ' ' {
                if breaks && !spaces && self.column > BEST_WIDTH && chars.get(i + 1) != Some(&' ') {
                    self.indent(indent);
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else {
                self.write(*c);
                self.indention = false;
                spaces = false;
            }
        }
        (self.whitespace, self.indention) = (false, false);
    }

    fn single(&mut self, s: &str, indent: usize, may_break: bool) {
        self.indicator("'", true);
        let chars: Vec<char> = s.chars().collect();
        let (mut spaces, mut breaks) = (false, false);
        for (i, c) in chars.iter().enumerate() {
            if *c == ' ' {
                let inside = i > 0 && i + 1 < chars.len() && chars[i + 1] != ' ';
                if may_break && !spaces && self.column > BEST_WIDTH && inside {
                    self.indent(indent);
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else if *c == '\n' {
                if !breaks {
                    self.line_break();
                }
                self.line_break();
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.indent(indent);
                }
                if *c == '\'' {
                    self.put('\'');
                }
                self.put(*c);
                self.indention = false;
                (spaces, breaks) = (false, false);
            }
        }
        self.put('\'');
        (self.whitespace, self.indention) = (false, false);
    }

    fn double(&mut self, s: &str, indent: usize, may_break: bool) {
        self.indicator("\"", true);
        let chars: Vec<char> = s.chars().collect();
        let mut spaces = false;
        for (i, c) in chars.iter().enumerate() {
            if !printable(*c) || *c == '\n' || *c == '"' || *c == '\\' {
                self.put('\\');
                escape(*c).chars().for_each(|c| self.put(c));
                spaces = false;
            } else if *c == ' ' {
                if may_break && !spaces && self.column > BEST_WIDTH && i > 0 && i + 1 < chars.len() {
                    self.indent(indent);
                    if chars[i + 1] == ' ' {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else {
                self.put(*c);
                spaces = false;
            }
        }
        self.put('"');
        (self.whitespace, self.indention) = (false, false);
    }

    fn literal(&mut self, s: &str, indent: usize) {
        self.indicator("|", true);
        if s.starts_with([' ', '\n']) {
            self.indicator("2", false);
        }
        let chomp = match s.strip_suffix('\n') {
            None => "-",
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => "+",
            Some(_) => "",
        };
        self.indicator(chomp, false);
        self.line_break();
        (self.whitespace, self.indention) = (true, true);
        let mut breaks = true;
        for c in s.chars() {
            if c == '\n' {
                self.line_break();
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.indent(indent);
                }
                self.put(c);
                self.indention = false;
                breaks = false;
            }
        }
    }
}

struct Analysis {
    multiline: bool,
    block_plain: bool,
    single: bool,
    block: bool,
}

/// What a scalar's characters allow. Models `yaml_emitter_analyze_scalar` in block context.
fn analyze(s: &str) -> Analysis {
    if s.is_empty() {
        return Analysis { multiline: false, block_plain: true, single: true, block: false };
    }
    let chars: Vec<char> = s.chars().collect();
    let blank = |i: usize| chars.get(i).is_none_or(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
    let mut indicators = s.starts_with("---") || s.starts_with("...");
    let (mut special, mut line_breaks, mut leading, mut trailing_break) = (false, false, false, false);
    let (mut trailing_space, mut break_space, mut space_break) = (false, false, false);
    let (mut previous_space, mut previous_break, mut preceded) = (false, false, true);
    for (i, c) in chars.iter().enumerate() {
        let (first, last, followed) = (i == 0, i + 1 == chars.len(), blank(i + 1));
        indicators |= match c {
            '#' if !first => preceded,
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => first,
            '?' | '-' => first && followed,
            ':' => followed,
            _ => false,
        };
        special |= !printable(*c);
        match c {
            ' ' => {
                leading |= first;
                trailing_space |= last;
                break_space |= previous_break;
                (previous_space, previous_break) = (true, false);
            }
            '\n' => {
                line_breaks = true;
                leading |= first;
                trailing_break |= last;
                space_break |= previous_space;
                (previous_space, previous_break) = (false, true);
            }
            _ => (previous_space, previous_break) = (false, false),
        }
        preceded = blank(i);
    }
    let never = space_break || special;
    Analysis {
        multiline: line_breaks,
        block_plain: !(leading
            || trailing_space
            || trailing_break
            || break_space
            || never
            || line_breaks
            || indicators),
        single: !(break_space || never),
        block: !(trailing_space || never),
    }
}

/// Models `is_printable`, which knows neither tabs nor characters beyond the first plane.
fn printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

fn escape(c: char) -> String {
    match c {
        '\0' => "0".into(),
        '\u{7}' => "a".into(),
        '\u{8}' => "b".into(),
        '\t' => "t".into(),
        '\n' => "n".into(),
        '\u{b}' => "v".into(),
        '\u{c}' => "f".into(),
        '\r' => "r".into(),
        '\u{1b}' => "e".into(),
        '"' => "\"".into(),
        '\\' => "\\".into(),
        '\u{85}' => "N".into(),
        c if (c as u32) < 0x100 => format!("x{:02X}", c as u32),
        c if (c as u32) < 0x10000 => format!("u{:04X}", c as u32),
        c => format!("U{:08X}", c as u32),
    }
}

/// Whether a plain scalar would be read as something else than this text. Models `resolve` and `isBase60Float`.
fn means_something_else(s: &str) -> bool {
    const WORDS: &[&str] = &[
        "", "~", "null", "Null", "NULL", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "n",
        "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", ".nan", ".NaN", ".NAN", ".inf", ".Inf",
        ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF",
    ];
    if WORDS.contains(&s) {
        return true;
    }
    match s.as_bytes()[0] {
        b'.' => go_float(s),
        b'+' | b'-' | b'0'..=b'9' => timestamp(s) || number(&s.replace('_', "")) || base60(s),
        _ => false,
    }
}

fn number(s: &str) -> bool {
    let unsigned = s.strip_prefix(['+', '-']).unwrap_or(s);
    let digits = |t: &str, ok: fn(char) -> bool| !t.is_empty() && t.chars().all(ok);
    let lower = unsigned.to_ascii_lowercase();
    if let Some(hex) = lower.strip_prefix("0x") {
        return digits(hex, |c| c.is_ascii_hexdigit());
    }
    if let Some(bits) = lower.strip_prefix("0b") {
        return digits(bits, |c| matches!(c, '0' | '1'));
    }
    if let Some(octal) = lower.strip_prefix("0o") {
        return digits(octal, |c| matches!(c, '0'..='7'));
    }
    yaml_float(unsigned)
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn yaml_float(s: &str) -> bool {
    let all = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match s.find(['e', 'E']) {
        Some(i) => (&s[..i], Some(&s[i + 1..])),
        None => (s, None),
    };
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && all(e)
    });
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && all(fraction),
        Some((whole, fraction)) => all(whole) && all(fraction),
        None => !mantissa.is_empty() && all(mantissa),
    };
    mantissa_fits && exponent_fits
}

fn go_float(s: &str) -> bool {
    yaml_float(s)
}

fn base60(s: &str) -> bool {
    let unsigned = s.strip_prefix(['+', '-']).unwrap_or(s);
    let (groups, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = groups.split(':');
    let head = parts.next().unwrap_or("");
    let rest: Vec<&str> = parts.collect();
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let minute = |t: &&str| match t.as_bytes() {
        [b] => b.is_ascii_digit(),
        [a, b] => (b'0'..=b'5').contains(a) && b.is_ascii_digit(),
        _ => false,
    };
    head.starts_with(|c: char| c.is_ascii_digit())
        && digits(head)
        && !rest.is_empty()
        && rest.iter().all(minute)
        && digits(fraction)
}

/// `2006-1-2`, with a time after it or without. Models `parseTimestamp`.
fn timestamp(s: &str) -> bool {
    if s.len() < 6 || !s.as_bytes()[..4].iter().all(u8::is_ascii_digit) || s.as_bytes()[4] != b'-' {
        return false;
    }
    let (date, time) = match s.find(['T', 't', ' ']) {
        Some(i) => (&s[..i], Some(&s[i..])),
        None => (s, None),
    };
    let number = |t: &str, low: u32, high: u32| {
        (1..=2).contains(&t.len()) && t.parse::<u32>().is_ok_and(|n| (low..=high).contains(&n))
    };
    let mut parts = date[5..].split('-');
    let (Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next()) else { return false };
    if !number(month, 1, 12) || !number(day, 1, 31) {
        return false;
    }
    let Some(time) = time else { return true };
    let zoned = !time.starts_with(' ');
    let clock = &time[1..];
    let (clock, zone) = match clock.find(['Z', '+', '-']) {
        Some(i) => (&clock[..i], Some(&clock[i..])),
        None => (clock, None),
    };
    if zoned != zone.is_some() {
        return false;
    }
    let parts: Vec<&str> = clock.split(':').collect();
    let [h, m, sec] = parts.as_slice() else { return false };
    let (sec, fraction) = sec.split_once('.').unwrap_or((sec, "0"));
    let zone_fits = zone.is_none_or(|z| z == "Z" || (z.len() == 6 && z.as_bytes()[3] == b':'));
    number(h, 0, 23)
        && number(m, 0, 59)
        && number(sec, 0, 59)
        && fraction.bytes().all(|b| b.is_ascii_digit())
        && zone_fits
}

/// Keys as goyaml sorts them: letters after others, runs of digits by their value. Models `keyList.Less`.
fn key_order(a: &str, b: &str) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut digits = false;
    for i in 0..a.len().min(b.len()) {
        let (x, y) = (a[i], b[i]);
        if x == y {
            digits = x.is_numeric();
            continue;
        }
        let (xl, yl) = (x.is_alphabetic(), y.is_alphabetic());
        if xl && yl {
            return x.cmp(&y);
        }
        if xl || yl {
            let first = if digits { xl } else { yl };
            return if first { Ordering::Less } else { Ordering::Greater };
        }
        let (mut an, mut bn) = (0i64, 0i64);
        if x == '0' || y == '0' {
            let mut j = i;
            while j > 0 && a[j - 1].is_numeric() {
                j -= 1;
                if a[j] != '0' {
                    (an, bn) = (1, 1);
                    break;
                }
            }
        }
        let run = |s: &[char], mut n: i64| {
            let mut k = i;
            while k < s.len() && s[k].is_numeric() {
                n = n.wrapping_mul(10).wrapping_add(i64::from(s[k] as u32) - 48);
                k += 1;
            }
            (n, k)
        };
        let ((an, ai), (bn, bi)) = (run(&a, an), run(&b, bn));
        return if an != bn {
            an.cmp(&bn)
        } else if ai != bi {
            ai.cmp(&bi)
        } else {
            x.cmp(&y)
        };
    }
    a.len().cmp(&b.len())
}
