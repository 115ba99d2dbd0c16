//! The formats of strings that are checked. Models `apiextensions-apiserver/pkg/apiserver/validation/formats.go` and
//! `kube-openapi/pkg/validation/strfmt`; a format that is not known says nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meta::Quantity;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is checked of strings, without dashes. Models `supportedVersionedFormats` as of v1.35.
const KNOWN: [&str; 27] = [
    "bsonobjectid",
    "uri",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "cidr",
    "mac",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
    "isbn",
    "isbn10",
    "isbn13",
    "creditcard",
    "ssn",
    "hexcolor",
    "rgbcolor",
    "byte",
    "password",
    "date",
    "duration",
    "datetime",
    "quantity",
    "k8sshortname",
    "k8slongname",
];

fn normalized(format: &str) -> String {
    format.replace('-', "")
}

/// Whether a string of this format is checked.
pub fn is_known(format: &str) -> bool {
    KNOWN.contains(&normalized(format).as_str())
}

pub(super) fn fits(format: &str, text: &str) -> bool {
    match normalized(format).as_str() {
        "datetime" => date_time(text),
        "date" => date(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => text.split_once('/').is_some_and(|(ip, bits)| match (ip.parse::<IpAddr>(), bits.parse::<u8>()) {
            (Ok(IpAddr::V4(_)), Ok(b)) => b <= 32,
            (Ok(IpAddr::V6(_)), Ok(b)) => b <= 128,
            _ => false,
        }),
        "mac" => mac(text),
        "byte" => !text.is_empty() && STANDARD.decode(text).is_ok(),
        "email" => text.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace) && !host.contains('@')
        }),
        "hostname" => hostname(text),
        "uri" => {
            text.split_once(':').is_some_and(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty())
                || text.starts_with('/')
        }
        "duration" => duration(text),
        "hexcolor" => {
            let digits = text.strip_prefix('#').unwrap_or(text);
            matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit())
        }
        "rgbcolor" => rgb(text),
        "isbn" => isbn10(text) || isbn13(text),
        "isbn10" => isbn10(text),
        "isbn13" => isbn13(text),
        "creditcard" => credit_card(text),
        "ssn" => ssn(text),
        "quantity" => Quantity::parse(text).is_ok(),
        "bsonobjectid" => text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit()),
        "uuid" => uuid(text).is_some(),
        "uuid3" => uuid(text).is_some_and(|digits| digits[12] == b'3'),
        "uuid4" => uuid(text).is_some_and(|digits| digits[12] == b'4' && is_rfc4122(&digits)),
        "uuid5" => uuid(text).is_some_and(|digits| digits[12] == b'5' && is_rfc4122(&digits)),
        "k8sshortname" => crate::validate::names::dns1123_label(text).is_empty(),
        "k8slongname" => crate::validate::names::dns1123_subdomain(text).is_empty(),
        _ => true,
    }
}

/// As Go writes them (`1h2m3.5s`), or whole numbers with words for units, up to weeks (`3 days`): one of the words has to be
/// known. Models `strfmt.ParseDuration`.
fn duration(text: &str) -> bool {
    const UNITS: [&str; 8] = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
    /// Units that have to be written like this, and those that a word may begin with.
    const EXACT: [&str; 9] = ["ns", "us", "µs", "ms", "s", "m", "h", "hr", "d"];
    const BEGIN: [&str; 8] = ["nano", "micro", "milli", "sec", "min", "hour", "day", "week"];
    let number = |t: &str| t.len() - t.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let gos = |text: &str| {
        let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
        if rest == "0" {
            return true;
        }
        while !rest.is_empty() {
            let digits = number(rest);
            let unit = UNITS.iter().filter(|u| rest[digits..].starts_with(**u)).max_by_key(|u| u.len());
            let said = rest[..digits].bytes().any(|b| b.is_ascii_digit()) && rest[..digits].matches('.').count() < 2;
            let Some(unit) = unit.filter(|_| said) else { return false };
            rest = &rest[digits + unit.len()..];
        }
        !matches!(text, "" | "+" | "-")
    };
    let words = |text: &str| {
        let (mut rest, mut known) = (text.trim_start(), false);
        while !rest.is_empty() {
            let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            let unit = after.trim_start();
            let end = unit.find(|c: char| !c.is_ascii_alphabetic() && c != 'µ').unwrap_or(unit.len());
            if after.len() == rest.len() || end == 0 {
                return false;
            }
            let word = unit[..end].to_lowercase();
            known |= EXACT.contains(&word.as_str())
                || ["w", "wk"].contains(&word.as_str())
                || BEGIN.iter().any(|b| word.starts_with(b));
            rest = unit[end..].trim_start();
        }
        known
    };
    gos(text) || words(text)
}

fn date(text: &str) -> bool {
    text.len() == 10 && jiff::civil::Date::strptime("%Y-%m-%d", text).is_ok()
}

/// Models `strfmt.IsDateTime`: the offset may be any.
fn date_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let Some((day, time)) = lower.split_once('t') else { return false };
    let b = time.as_bytes();
    let two = |at: usize, max: u8| {
        let digits = b.get(at..at + 2).filter(|d| d.iter().all(u8::is_ascii_digit));
        digits.is_some_and(|d| (d[0] - b'0') * 10 + d[1] - b'0' <= max)
    };
    if !date(day) || !two(0, 23) || !two(3, 59) || !two(6, 59) || b[2] != b':' || b[5] != b':' {
        return false;
    }
    let mut rest = &b[8..];
    if let [b'.', fraction @ ..] = rest {
        let digits = fraction.iter().take_while(|d| d.is_ascii_digit()).count();
        if digits == 0 {
            return false;
        }
        rest = &fraction[digits..];
    }
    match rest {
        [b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|d| d.is_ascii_digit()),
        _ => false,
    }
}

/// `rgb(255, 0, 10)`
fn rgb(text: &str) -> bool {
    let inner = text.strip_prefix("rgb(").and_then(|t| t.strip_suffix(')'));
    let part = |p: &str| {
        let p = p.trim_matches(|c: char| c.is_ascii_whitespace());
        let plain = p.bytes().all(|b| b.is_ascii_digit()) && (p == "0" || !p.starts_with('0'));
        plain && p.parse::<u8>().is_ok()
    };
    let parts: Vec<&str> = inner.into_iter().flat_map(|t| t.split(',')).collect();
    parts.len() == 3 && parts.into_iter().all(part)
}

/// Without the spaces and dashes that books have.
fn of_a_book(text: &str) -> Vec<u8> {
    text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'-').collect()
}

fn isbn10(text: &str) -> bool {
    let digits = of_a_book(text);
    let value = |(i, b): (usize, &u8)| match b {
        b'0'..=b'9' => Some(u32::from(b - b'0')),
        b'X' if i == 9 => Some(10),
        _ => None,
    };
    let values: Option<Vec<u32>> = digits.iter().enumerate().map(value).collect();
    let sum = |v: Vec<u32>| (1u32..).zip(v).map(|(i, d)| i * d).sum::<u32>();
    digits.len() == 10 && values.is_some_and(|v| sum(v) % 11 == 0)
}

fn isbn13(text: &str) -> bool {
    let digits = of_a_book(text);
    let weighted = |(i, b): (usize, &u8)| u32::from(b - b'0') * if i % 2 == 0 { 1 } else { 3 };
    digits.len() == 13
        && digits.iter().all(u8::is_ascii_digit)
        && digits.iter().enumerate().map(weighted).sum::<u32>() % 10 == 0
}

/// Visa, MasterCard, Discover, American Express, Diners Club and JCB, and the sum of their digits. Whatever is no digit
/// does not count.
fn credit_card(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let begins = |with: &[&str]| with.iter().any(|w| digits.starts_with(w));
    let issued = match digits.len() {
        13 => begins(&["4"]),
        14 => begins(&["300", "301", "302", "303", "304", "305", "36", "38"]),
        15 => begins(&["34", "37", "2131", "1800"]),
        16 => begins(&["4", "51", "52", "53", "54", "55", "6011", "65", "35"]),
        _ => false,
    };
    let doubled = |(i, b): (usize, u8)| {
        let d = u32::from(b - b'0') * if i % 2 == 0 { 1 } else { 2 };
        d % 10 + d / 10
    };
    issued && digits.bytes().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
}

/// `123-45-6789`; the separators may be spaces, or left out.
fn ssn(text: &str) -> bool {
    let mut rest = text.as_bytes();
    for (i, n) in [3, 2, 4].into_iter().enumerate() {
        if let (true, [b'-' | b' ', after @ ..]) = (i > 0, rest) {
            rest = after;
        }
        match rest.get(..n) {
            Some(part) if part.iter().all(u8::is_ascii_digit) => rest = &rest[n..],
            _ => return false,
        }
    }
    rest.is_empty()
}

/// Models `net.ParseMAC`: pairs of digits, or groups of four with dots.
fn mac(text: &str) -> bool {
    let by = |sep: char, digits: usize| {
        let parts: Vec<&str> = text.split(sep).collect();
        matches!(parts.len() * digits / 2, 6 | 8 | 20)
            && parts.iter().all(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    by(':', 2) || by('-', 2) || by('.', 4)
}

fn hostname(text: &str) -> bool {
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn is_scheme(s: &str) -> bool {
    s.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// The digits; dashes may be left out, but stand nowhere else.
fn uuid(text: &str) -> Option<Vec<u8>> {
    let (mut digits, mut groups) = (Vec::with_capacity(32), [8, 12, 16, 20].iter().peekable());
    for b in text.bytes() {
        match b {
            b'-' if groups.next_if(|g| **g == digits.len()).is_some() => {}
            b if b.is_ascii_hexdigit() => digits.push(b.to_ascii_lowercase()),
            _ => return None,
        }
        while groups.next_if(|g| **g < digits.len()).is_some() {}
    }
    (digits.len() == 32).then_some(digits)
}

/// The variant that versions 4 and 5 have.
fn is_rfc4122(digits: &[u8]) -> bool {
    matches!(digits[16], b'8' | b'9' | b'a' | b'b')
}

#[cfg(test)]
mod tests {
    use super::{fits, is_known};

    fn check(format: &str, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(fits(format, text), "{format}: {text}");
        }
        for text in bad {
            assert!(!fits(format, text), "{format}: {text}");
        }
    }

    #[test]
    fn formats_are_those_of_upstream() {
        check("isbn", &["0321751043", "978-0321751041", "0-8044-2957-X"], &["836217463", "0321751044", ""]);
        check("isbn10", &["0321751043"], &["978-0321751041"]);
        check("isbn13", &["978 0321751041"], &["0321751043", "978-0321751042"]);
        check("creditcard", &["4111-1111-1111-1111", "375556917985515", "36050234196908"], &["9999-9999-9999-999", ""]);
        check("ssn", &["111-11-1111", "111111111", "111 11 1111"], &["111-11-111", "11-111-1111", "111--11-1111"]);
        check("hexcolor", &["#FFFFFF", "fff"], &["#ffff", "#xyz"]);
        check(
            "rgbcolor",
            &["rgb(100,200,0)", "rgb( 1 , 2 , 3 )"],
            &["rgb(300,0,0)", "rgb(1,2)", "rgba(1,2,3)", "rgb(01,2,3)"],
        );
        check("password", &["", "anything"], &[]);
        check("byte", &["TG9yZW0="], &["", "TG9yZW0", "*"]);
        check("mac", &["01:02:03:04:05:06", "0102.0304.0506"], &["01:02:03:04:05"]);
        check("bsonobjectid", &["507f1f77bcf86cd799439011"], &["507f1f77bcf86cd79943901"]);
        check("quantity", &["10Gi", "1.5"], &["10 Gi", "x"]);
        check(
            "date-time",
            &["2014-12-15T19:30:20.000Z", "2014-12-15t19:30:20+09:00"],
            &["2014-12-15 19:30:20Z", "2014-13-15T19:30:20Z", "2014-12-15T24:30:20Z"],
        );
        check("date", &["2014-12-15"], &["2014-12-5", "15.12.2014"]);
        check(
            "uuid3",
            &["bcd02ab7-6beb-3467-84c0-3bdbea962817", "BCD02AB76BEB346784C03BDBEA962817"],
            &["bcd02ab7-6beb-4467-84c0-3bdbea962817"],
        );
        check("uuid4", &["025b0d74-00a2-4048-bf57-227c5111bb34"], &["025b0d74-00a2-4048-7f57-227c5111bb34"]);
        check("uuid5", &["886313e1-3b8a-5372-9b90-0c9aee199e5d"], &["886313e13b8a-53729-b90-0c9aee199e5d"]);
        check(
            "duration",
            &["1h2m3.5s", "3 days", "22 ns", "1 wk", "0", "1 hour 3 minutes", "-1s"],
            &["3x", "", "1 fortnight", "days", "1.5 days"],
        );
    }

    #[test]
    fn names_may_have_dashes() {
        assert!(["date-time", "datetime", "k8s-short-name", "hex-color"].into_iter().all(is_known));
        assert!(!["int64", "semver", "foo"].into_iter().any(is_known));
        check("hex-color", &["fff"], &["x"]);
    }
}
