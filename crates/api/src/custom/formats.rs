//! The formats of strings that are checked. Models `apiextensions-apiserver/pkg/apiserver/validation/formats.go`; a format
//! that is not known says nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) fn fits(format: &str, text: &str) -> bool {
    match format {
        "date-time" | "datetime" => jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%:z", zoned(text)).is_ok(),
        "date" => jiff::civil::Date::strptime("%Y-%m-%d", text).is_ok() && text.len() == 10,
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => text.split_once('/').is_some_and(|(ip, bits)| match (ip.parse::<IpAddr>(), bits.parse::<u8>()) {
            (Ok(IpAddr::V4(_)), Ok(b)) => b <= 32,
            (Ok(IpAddr::V6(_)), Ok(b)) => b <= 128,
            _ => false,
        }),
        "mac" => mac(text),
        "byte" => STANDARD.decode(text).is_ok(),
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
        "bsonobjectid" => text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit()),
        "uuid" => uuid(text),
        "uuid3" => uuid(text) && version_of(text) == Some('3'),
        "uuid4" => uuid(text) && version_of(text) == Some('4'),
        "uuid5" => uuid(text) && version_of(text) == Some('5'),
        "k8s-short-name" => crate::validate::names::dns1123_label(text).is_empty(),
        "k8s-long-name" => crate::validate::names::dns1123_subdomain(text).is_empty(),
        _ => true,
    }
}

/// As Go writes them (`1h2m3.5s`), or one number and one unit, up to weeks (`3 days`). Models `strfmt.ParseDuration`.
fn duration(text: &str) -> bool {
    const UNITS: [&str; 8] = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
    const WORDS: [&str; 13] =
        ["nano", "micro", "milli", "sec", "second", "min", "minute", "hr", "hour", "d", "day", "w", "week"];
    let number = |t: &str| t.len() - t.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let mut rest = text.trim_start_matches(['+', '-']);
    if rest == "0" {
        return true;
    }
    let words = rest[number(rest)..].trim().trim_end_matches('s');
    if number(rest) > 0 && WORDS.contains(&words) {
        return true;
    }
    while !rest.is_empty() {
        let digits = number(rest);
        let unit = UNITS.iter().filter(|u| rest[digits..].starts_with(**u)).max_by_key(|u| u.len());
        let Some(unit) = unit.filter(|_| digits > 0) else { return false };
        rest = &rest[digits + unit.len()..];
    }
    !text.is_empty()
}

/// `Z` is an offset, too; a small `t` or `z` is as good.
fn zoned(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    upper.strip_suffix('Z').map_or(upper.clone(), |t| format!("{t}+00:00"))
}

fn mac(text: &str) -> bool {
    let by = |sep| {
        let parts: Vec<&str> = text.split(sep).collect();
        matches!(parts.len(), 6 | 8 | 20)
            && parts.iter().all(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    by(':') || by('-')
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

/// With or without dashes, as upstream's pattern has it.
fn uuid(text: &str) -> bool {
    let bare: Vec<u8> = text.bytes().filter(|b| *b != b'-').collect();
    bare.len() == 32 && bare.iter().all(u8::is_ascii_hexdigit)
}

fn version_of(text: &str) -> Option<char> {
    text.chars().filter(|c| *c != '-').nth(12)
}
