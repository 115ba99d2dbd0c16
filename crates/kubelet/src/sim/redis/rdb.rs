//! `dump.rdb`, in the oldest encodings of its format: real servers read it.

use super::data::{Db, Named, Value};
use meta::Time;
use std::collections::BTreeMap;

const AUX: u8 = 0xfa;
const SIZES: u8 = 0xfb;
const EXPIRES: u8 = 0xfc;
const SELECT: u8 = 0xfe;
const END: u8 = 0xff;

/// The format's version that a server of this version writes.
fn format(version: (u32, u32, u32)) -> u32 {
    match version {
        (..=3, ..) => 6,
        (4, ..) => 8,
        (5 | 6, ..) => 9,
        (7, 0, _) => 10,
        (7, 2, _) => 11,
        _ => 12,
    }
}

fn put_length(out: &mut Vec<u8>, n: usize) {
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    match n {
        0..64 => out.push(n.to_be_bytes()[3]),
        64..16_384 => out.extend_from_slice(&(n | 0x4000).to_be_bytes()[2..]),
        _ => {
            out.push(0x80);
            out.extend_from_slice(&n.to_be_bytes());
        }
    }
}

fn put_text(out: &mut Vec<u8>, s: &str) {
    put_length(out, s.len());
    out.extend_from_slice(s.as_bytes());
}

/// The whole file.
pub fn written(dbs: &BTreeMap<usize, Db>, version: (u32, u32, u32), used: u64, now: Time) -> Vec<u8> {
    let (a, b, c) = version;
    let mut out = format!("REDIS{:04}", format(version)).into_bytes();
    for (name, value) in [
        ("redis-ver", format!("{a}.{b}.{c}")),
        ("redis-bits", "64".into()),
        ("ctime", now.as_secs().to_string()),
        ("used-mem", used.to_string()),
    ] {
        out.push(AUX);
        put_text(&mut out, name);
        put_text(&mut out, &value);
    }
    for (n, db) in dbs.iter().filter(|(_, db)| db.len() > 0) {
        out.push(SELECT);
        put_length(&mut out, *n);
        out.push(SIZES);
        put_length(&mut out, db.len());
        put_length(&mut out, db.expiring);
        for (name, key) in db.iter() {
            if let Some(at) = key.expires {
                out.push(EXPIRES);
                out.extend_from_slice(&(at.as_micros() / 1_000).to_le_bytes());
            }
            let mut members: Vec<String> = Vec::new();
            let (kind, length) = match &key.value {
                Value::Text(_) => (0, 0),
                Value::List(l) => (1, l.len()),
                Value::Set(s) => (2, s.len()),
                Value::Hash(h) => (4, h.len()),
                Value::Sorted(z) => (5, z.len()),
            };
            out.push(kind);
            put_text(&mut out, name);
            if kind != 0 {
                put_length(&mut out, length);
            }
            match &key.value {
                Value::Text(s) => members.push(s.clone()),
                Value::List(l) => members.extend(l.iter().cloned()),
                Value::Set(s) => members.extend(s.names()),
                Value::Hash(h) => members.extend(h.iter().flat_map(|(k, v)| [k.clone(), v.clone()])),
                Value::Sorted(z) => {
                    for (k, score) in z.iter() {
                        put_text(&mut out, k);
                        out.extend_from_slice(&score.to_le_bytes());
                    }
                }
            }
            members.iter().for_each(|m| put_text(&mut out, m));
        }
    }
    out.push(END);
    // No checksum: none is looked at.
    out.extend_from_slice(&[0; 8]);
    out
}

/// A key of a file.
pub struct Found {
    pub db: usize,
    pub name: String,
    pub value: Value,
    pub expires: Option<Time>,
}

/// What a file says of itself, and its keys.
#[derive(Default)]
pub struct Dump {
    pub about: BTreeMap<String, String>,
    pub keys: Vec<Found>,
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, n: usize) -> Option<Vec<u8>> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head.to_vec())
    }
    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }
    fn eight(&mut self) -> Option<[u8; 8]> {
        self.take(8)?.try_into().ok()
    }
    fn length(&mut self) -> Option<usize> {
        let first = self.byte()?;
        match first >> 6 {
            0 => Some(usize::from(first)),
            1 => Some(usize::from(first & 0x3f) << 8 | usize::from(self.byte()?)),
            _ if first == 0x80 => {
                let four: [u8; 4] = self.take(4)?.try_into().ok()?;
                usize::try_from(u32::from_be_bytes(four)).ok()
            }
            _ => None,
        }
    }
    fn text(&mut self) -> Option<String> {
        let n = self.length()?;
        Some(String::from_utf8_lossy(&self.take(n)?).into_owned())
    }
    fn value(&mut self, kind: u8) -> Option<Value> {
        if kind == 0 {
            return Some(Value::Text(self.text()?));
        }
        let n = self.length()?;
        Some(match kind {
            1 => Value::List((0..n).map(|_| self.text()).collect::<Option<_>>()?),
            2 => {
                let mut s = Named::default();
                for _ in 0..n {
                    s.set(&self.text()?, ());
                }
                Value::Set(s)
            }
            4 => {
                let mut h = Named::default();
                for _ in 0..n {
                    let name = self.text()?;
                    h.set(&name, self.text()?);
                }
                Value::Hash(h)
            }
            5 => {
                let mut z = Named::default();
                for _ in 0..n {
                    let name = self.text()?;
                    z.set(&name, f64::from_le_bytes(self.eight()?));
                }
                Value::Sorted(z)
            }
            _ => return None,
        })
    }
    fn all(&mut self) -> Option<Dump> {
        let mut dump = Dump::default();
        let (mut db, mut expires) = (0, None);
        loop {
            match self.byte()? {
                AUX => {
                    let name = self.text()?;
                    dump.about.insert(name, self.text()?);
                }
                SELECT => db = self.length()?,
                SIZES => _ = (self.length()?, self.length()?),
                EXPIRES => expires = Some(Time(u64::from_le_bytes(self.eight()?).saturating_mul(1_000))),
                END => return Some(dump),
                kind => {
                    let name = self.text()?;
                    let value = self.value(kind)?;
                    dump.keys.push(Found { db, name, value, expires: expires.take() });
                }
            }
        }
    }
}

/// Reads a file.
///
/// # Errors
/// A server's words for one that it cannot read.
pub fn read(data: &[u8], version: (u32, u32, u32)) -> Result<Dump, String> {
    let number = data.strip_prefix(b"REDIS").and_then(|d| std::str::from_utf8(d.get(..4)?).ok()?.parse::<u32>().ok());
    let Some(number) = number else {
        return Err("Wrong signature trying to load DB from file".into());
    };
    if number > format(version) {
        return Err(format!("Can't handle RDB format version {number}"));
    }
    let short = "Short read or OOM loading DB. Unrecoverable error, aborting now.";
    Reader(&data[9..]).all().ok_or_else(|| short.to_string())
}
