//! Methods of strings beyond the simplest, and what is made of strings: URLs and addresses. Models cel-go's `ext/strings.go`
//! and `k8s.io/apiserver/pkg/cel/library/{regex, urls, ip, cidr}.go`.

use crate::eval::{Answer, Value};
use regex_lite::Regex;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

fn at(n: i64, len: usize) -> Result<usize, String> {
    usize::try_from(n).ok().filter(|n| *n <= len).ok_or_else(|| format!("index out of range: {n}"))
}

fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|e| format!("error parsing regexp: {e}"))
}

fn position(s: &[char], part: &[char], from: usize) -> Option<usize> {
    (from..=s.len().checked_sub(part.len())?).find(|i| s[*i..].starts_with(part))
}

fn found(index: Option<usize>) -> Answer {
    Ok(Value::Int(index.and_then(|i| i64::try_from(i).ok()).unwrap_or(-1)))
}

fn list(all: impl Iterator<Item = Value>) -> Answer {
    Ok(Value::List(Rc::new(all.collect())))
}

/// `None`: there is no such method.
pub fn method(s: &str, name: &str, args: &[Value]) -> Option<Answer> {
    use Value::{Int, Text};
    let chars: Vec<char> = s.chars().collect();
    let slice = |from: usize, to: usize| Value::text(&chars[from..to].iter().collect::<String>());
    Some(match (name, args) {
        ("matches", [Text(p)]) => pattern(p).map(|r| Value::Bool(r.is_match(s))),
        ("find", [Text(p)]) => pattern(p).map(|r| Value::text(r.find(s).map_or("", |m| m.as_str()))),
        ("findAll", [Text(p)]) => pattern(p).and_then(|r| list(r.find_iter(s).map(|m| Value::text(m.as_str())))),
        ("findAll", [Text(p), Int(n)]) => {
            let n = usize::try_from(*n).unwrap_or(usize::MAX);
            pattern(p).and_then(|r| list(r.find_iter(s).take(n).map(|m| Value::text(m.as_str()))))
        }
        ("indexOf", [Text(t)]) => found(position(&chars, &t.chars().collect::<Vec<_>>(), 0)),
        ("indexOf", [Text(t), Int(n)]) => {
            at(*n, chars.len()).and_then(|n| found(position(&chars, &t.chars().collect::<Vec<_>>(), n)))
        }
        ("lastIndexOf", [Text(t)]) => {
            let t: Vec<char> = t.chars().collect();
            let last = chars.len().checked_sub(t.len());
            found(last.and_then(|l| (0..=l).rev().find(|i| chars[*i..].starts_with(&t))))
        }
        ("charAt", [Int(n)]) => at(*n, chars.len()).map(|n| slice(n, (n + 1).min(chars.len()))),
        ("substring", [Int(from)]) => at(*from, chars.len()).map(|from| slice(from, chars.len())),
        ("substring", [Int(from), Int(to)]) => match (at(*from, chars.len()), at(*to, chars.len())) {
            (Ok(from), Ok(to)) if from <= to => Ok(slice(from, to)),
            (Ok(from), Ok(to)) => Err(format!("invalid substring range. start: {from}, end: {to}")),
            (Err(e), _) | (_, Err(e)) => Err(e),
        },
        ("split", [Text(t)]) => list(s.split(&**t).map(Value::text)),
        ("split", [Text(t), Int(n)]) => match usize::try_from(*n) {
            Ok(n) => list(s.splitn(n, &**t).map(Value::text)),
            Err(_) => list(s.split(&**t).map(Value::text)),
        },
        ("replace", [Text(a), Text(b), Int(n)]) => match usize::try_from(*n) {
            Ok(n) => Ok(Value::text(&s.replacen(&**a, b, n))),
            Err(_) => Ok(Value::text(&s.replace(&**a, b))),
        },
        ("reverse", []) => Ok(Value::text(&chars.iter().rev().collect::<String>())),
        ("format", [Value::List(values)]) => format(s, values).map(|s| Value::text(&s)),
        _ => return None,
    })
}

/// `%s`, `%d`, `%v`-like directives; others are refused.
fn format(template: &str, values: &[Value]) -> Result<String, String> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = template.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('%') => out.push('%'),
            Some('s' | 'd') => {
                let v = values.next().ok_or_else(|| "index out of range".to_string())?;
                out.push_str(&v.shown());
            }
            other => {
                let clause = other.map(String::from).unwrap_or_default();
                return Err(format!("could not parse formatting clause: unrecognized formatting clause \"{clause}\""));
            }
        }
    }
    Ok(out)
}

/// An absolute URL or a path: what `isURL` lets through, and its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Url {
    pub scheme: String,
    pub host: String,
    pub path: String,
    pub query: String,
}

impl Url {
    pub fn parse(text: &str) -> Option<Url> {
        if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let (rest, query) = text.split_once('?').unwrap_or((text, ""));
        let query = query.split('#').next().unwrap_or("").to_string();
        if rest.starts_with('/') {
            return Some(Url { scheme: String::new(), host: String::new(), path: rest.into(), query });
        }
        let (scheme, rest) = rest.split_once(':')?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(fits) {
            return None;
        }
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.find('/').map_or((rest, ""), |i| rest.split_at(i)),
            None => ("", rest),
        };
        let host = authority.rsplit('@').next().unwrap_or("");
        Some(Url { scheme: scheme.to_ascii_lowercase(), host: host.into(), path: path.into(), query })
    }

    /// The host without its port.
    pub fn hostname(&self) -> &str {
        match self.host.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or(""),
            None => self.host.split(':').next().unwrap_or(""),
        }
    }
    /// All values of each name, in the order in which they stand there.
    pub fn query(&self) -> BTreeMap<String, Vec<String>> {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for part in self.query.split('&').filter(|p| !p.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            all.entry(decoded(name)).or_default().push(decoded(value));
        }
        all
    }
    pub fn port(&self) -> &str {
        let after = self.host.rsplit(']').next().unwrap_or("");
        after.rsplit_once(':').map_or("", |(_, p)| p)
    }
}

/// `+` and `%41` as what they stand for.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut i) = (Vec::new(), 0);
    while let Some(b) = bytes.get(i) {
        let code = text.get(i + 1..i + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *b == b'%');
        out.push(code.unwrap_or(if *b == b'+' { b' ' } else { *b }));
        i += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Strict: no leading zeros, no zones, no IPv4 in IPv6.
pub fn ip(text: &str) -> Option<IpAddr> {
    let parsed: IpAddr = text.parse().ok()?;
    let mapped = matches!(parsed, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    (!mapped).then_some(parsed)
}

/// An address and the length of its network's part.
pub fn cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let address = ip(address)?;
    let length: u8 = length.parse().ok().filter(|_| !length.starts_with('+'))?;
    (length <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, length))
}

/// The bits that count.
pub fn network(address: IpAddr, length: u8) -> u128 {
    let (bits, width) = match address {
        IpAddr::V4(a) => (u128::from(a.to_bits()), 32),
        IpAddr::V6(a) => (a.to_bits(), 128),
    };
    let rest = width - u32::from(length);
    bits.checked_shr(rest).unwrap_or(0)
}

/// With every bit after the network's part zero.
pub fn masked(address: IpAddr, length: u8) -> IpAddr {
    let bits = network(address, length);
    match address {
        IpAddr::V4(_) => {
            let all = bits.checked_shl(32 - u32::from(length)).unwrap_or(0);
            IpAddr::V4(u32::try_from(all).unwrap_or(0).into())
        }
        IpAddr::V6(_) => IpAddr::V6(bits.checked_shl(128 - u32::from(length)).unwrap_or(0).into()),
    }
}

pub fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => a.is_link_local(),
        IpAddr::V6(a) => a.is_unicast_link_local(),
    }
}

pub fn is_link_local_multicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => a.octets()[..3] == [224, 0, 0],
        IpAddr::V6(a) => a.segments()[0] & 0xff0f == 0xff02,
    }
}
