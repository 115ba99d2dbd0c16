//! What a redis keeps: keys of five types, their ends, and what they take up.

use meta::Time;
use std::collections::{BTreeMap, VecDeque};

/// What the allocator (jemalloc) gives for so many bytes: four classes between two powers of two.
pub fn alloc(bytes: u64) -> u64 {
    match bytes {
        0 => 0,
        1..=8 => 8,
        9..=128 => bytes.div_ceil(16) * 16,
        _ => bytes.div_ceil(bytes.next_power_of_two() / 8) * (bytes.next_power_of_two() / 8),
    }
}

/// A string object with its header.
fn string_bytes(s: &str) -> u64 {
    let header = if s.len() < 32 { 1 } else { 3 };
    alloc(s.len() as u64 + header + 1)
}

/// An entry of a dictionary.
const ENTRY: u64 = 32;
/// The object that stands before a value.
const OBJECT: u64 = 16;

/// Members in the order they came, found by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T> {
    all: BTreeMap<String, (u64, T)>,
    next: u64,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named { all: BTreeMap::new(), next: 0 }
    }
}

impl<T> Named<T> {
    pub fn len(&self) -> usize {
        self.all.len()
    }
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
    pub fn get(&self, name: &str) -> Option<&T> {
        self.all.get(name).map(|(_, v)| v)
    }
    /// What was there before.
    pub fn set(&mut self, name: &str, value: T) -> Option<T> {
        if let Some((_, v)) = self.all.get_mut(name) {
            return Some(std::mem::replace(v, value));
        }
        self.next += 1;
        self.all.insert(name.into(), (self.next, value));
        None
    }
    pub fn remove(&mut self, name: &str) -> Option<T> {
        self.all.remove(name).map(|(_, v)| v)
    }
    /// In the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &T)> {
        let mut all: Vec<_> = self.all.iter().map(|(k, (n, v))| (*n, k, v)).collect();
        all.sort_by_key(|(n, ..)| *n);
        all.into_iter().map(|(_, k, v)| (k, v))
    }
    pub fn names(&self) -> Vec<String> {
        self.iter().map(|(k, _)| k.clone()).collect()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    List(VecDeque<String>),
    Hash(Named<String>),
    Set(Named<()>),
    Sorted(Named<f64>),
}

impl Value {
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "string",
            Value::List(_) => "list",
            Value::Hash(_) => "hash",
            Value::Set(_) => "set",
            Value::Sorted(_) => "zset",
        }
    }

    /// A collection with nothing in it is not kept.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Text(_) => false,
            Value::List(l) => l.is_empty(),
            Value::Hash(h) => h.is_empty(),
            Value::Set(s) => s.is_empty(),
            Value::Sorted(z) => z.is_empty(),
        }
    }

    /// How the server keeps it: small collections in one piece. `new`: since version 7 that is a listpack.
    pub fn encoding(&self, new: bool) -> &'static str {
        let packed = if new { "listpack" } else { "ziplist" };
        let short = |all: &[&String]| all.iter().all(|s| s.len() <= 64);
        match self {
            Value::Text(s) if s.parse::<i64>().is_ok_and(|n| n.to_string() == *s) => "int",
            Value::Text(s) if s.len() <= 44 => "embstr",
            Value::Text(_) => "raw",
            Value::List(l) if new && l.iter().map(|s| s.len() + 2).sum::<usize>() < 8_192 => "listpack",
            Value::List(_) => "quicklist",
            Value::Hash(h) => {
                let all: Vec<&String> = h.iter().flat_map(|(k, v)| [k, v]).collect();
                if h.len() <= 512 && short(&all) { packed } else { "hashtable" }
            }
            Value::Set(s) if s.len() <= 512 && s.iter().all(|(k, ())| k.parse::<i64>().is_ok()) => "intset",
            Value::Set(s) if new && s.len() <= 128 && s.iter().all(|(k, ())| k.len() <= 64) => "listpack",
            Value::Set(_) => "hashtable",
            Value::Sorted(z) if z.len() <= 128 && z.iter().all(|(k, _)| k.len() <= 64) => packed,
            Value::Sorted(_) => "skiplist",
        }
    }

    fn bytes(&self) -> u64 {
        let packed = |s: &str| s.len() as u64 + 3;
        match self {
            Value::Text(_) if self.encoding(true) == "int" => OBJECT,
            Value::Text(s) if s.len() <= 44 => alloc(OBJECT + 3 + s.len() as u64 + 1),
            Value::Text(s) => OBJECT + string_bytes(s),
            Value::List(l) => OBJECT + 80 + alloc(l.iter().map(|s| packed(s)).sum::<u64>() + 7),
            Value::Hash(h) if self.encoding(true) == "listpack" => {
                OBJECT + alloc(h.iter().map(|(k, v)| packed(k) + packed(v)).sum::<u64>() + 7)
            }
            Value::Hash(h) => h.iter().map(|(k, v)| ENTRY + string_bytes(k) + string_bytes(v)).sum::<u64>() + 96,
            Value::Set(s) if self.encoding(true) == "intset" => OBJECT + alloc(8 + 8 * s.len() as u64),
            Value::Set(s) => s.iter().map(|(k, ())| ENTRY + string_bytes(k)).sum::<u64>() + 96,
            Value::Sorted(z) if self.encoding(true) == "listpack" => {
                OBJECT + alloc(z.iter().map(|(k, _)| packed(k) + 11).sum::<u64>() + 7)
            }
            Value::Sorted(z) => z.iter().map(|(k, _)| 2 * ENTRY + 40 + string_bytes(k)).sum::<u64>() + 160,
        }
    }
}

/// The members of a sorted set: by score, then by name.
pub fn ranked(z: &Named<f64>) -> Vec<(String, f64)> {
    let mut all: Vec<(String, f64)> = z.iter().map(|(k, s)| (k.clone(), *s)).collect();
    all.sort_by(|(a, x), (b, y)| x.total_cmp(y).then_with(|| a.cmp(b)));
    all
}

#[derive(Clone, Debug)]
pub struct Key {
    pub value: Value,
    pub expires: Option<Time>,
    /// When a command touched it last, and which one: the oldest goes first when memory is short.
    pub used: (Time, u64),
    bytes: u64,
    /// The change that it was changed by last.
    pub version: u64,
}

/// One of the server's databases.
#[derive(Clone, Debug, Default)]
pub struct Db {
    keys: BTreeMap<String, Key>,
    pub bytes: u64,
    pub expiring: usize,
}

impl Db {
    pub fn len(&self) -> usize {
        self.keys.len()
    }
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Key)> {
        self.keys.iter()
    }
    pub fn get(&self, key: &str) -> Option<&Key> {
        self.keys.get(key)
    }
    pub fn value(&mut self, key: &str) -> Option<&mut Value> {
        self.keys.get_mut(key).map(|k| &mut k.value)
    }
    /// Notes that a command has to do with a key.
    pub fn touch(&mut self, key: &str, used: (Time, u64)) {
        if let Some(k) = self.keys.get_mut(key) {
            k.used = used;
        }
    }
    pub fn put(&mut self, key: &str, value: Value, expires: Option<Time>, used: (Time, u64)) {
        self.remove(key);
        self.expiring += usize::from(expires.is_some());
        self.keys.insert(key.into(), Key { value, expires, used, bytes: 0, version: 0 });
        self.weigh(key);
    }
    /// A collection that is about to be filled.
    pub fn put_empty(&mut self, key: &str, value: Value, used: (Time, u64)) {
        self.keys.insert(key.into(), Key { value, expires: None, used, bytes: 0, version: 0 });
    }
    pub fn expire(&mut self, key: &str, at: Option<Time>) {
        if let Some(k) = self.keys.get_mut(key) {
            self.expiring -= usize::from(k.expires.is_some());
            self.expiring += usize::from(at.is_some());
            k.expires = at;
        }
        self.weigh(key);
    }
    pub fn remove(&mut self, key: &str) -> Option<Key> {
        let k = self.keys.remove(key)?;
        self.bytes -= k.bytes;
        self.expiring -= usize::from(k.expires.is_some());
        Some(k)
    }
    /// After a key's value has changed: what it takes up now; an empty collection goes.
    pub fn weigh(&mut self, name: &str) {
        let Some(k) = self.keys.get_mut(name) else { return };
        if k.value.is_empty() {
            self.remove(name);
            return;
        }
        let expiry = if k.expires.is_some() { ENTRY } else { 0 };
        let bytes = ENTRY + string_bytes(name) + k.value.bytes() + expiry;
        self.bytes = self.bytes - k.bytes + bytes;
        k.bytes = bytes;
    }
    pub fn bytes_of(&self, key: &str) -> Option<u64> {
        self.keys.get(key).map(|k| k.bytes)
    }
    /// Removes what has come to its end.
    pub fn purge(&mut self, now: Time) -> Vec<(String, Key)> {
        if self.expiring == 0 {
            return Vec::new();
        }
        let over: Vec<String> =
            self.keys.iter().filter(|(_, k)| k.expires.is_some_and(|t| t <= now)).map(|(n, _)| n.clone()).collect();
        over.into_iter().filter_map(|name| self.remove(&name).map(|k| (name, k))).collect()
    }
    /// A key as it was, unless there is another one by now.
    pub fn put_back(&mut self, name: String, key: Key) {
        if self.keys.contains_key(&name) {
            return;
        }
        self.bytes += key.bytes;
        self.expiring += usize::from(key.expires.is_some());
        self.keys.insert(name, key);
    }
    pub fn mark(&mut self, name: &str, version: u64) {
        if let Some(k) = self.keys.get_mut(name) {
            k.version = version;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_the_allocators() {
        let of = |n| alloc(n);
        assert_eq!(
            [of(1), of(9), of(100), of(128), of(129), of(161), of(256), of(257)],
            [8, 16, 112, 128, 160, 192, 256, 320]
        );
    }

    #[test]
    fn a_database_knows_what_it_takes_up() {
        let mut db = Db::default();
        let at = (Time(0), 0);
        db.put("a", Value::Text("x".repeat(100)), None, at);
        let one = db.bytes;
        db.put("l", Value::List(VecDeque::from(["x".to_string()])), Some(Time(5)), at);
        assert!(db.bytes > one);
        if let Some(Value::List(l)) = db.value("l") {
            l.clear();
        }
        db.weigh("l");
        assert_eq!((db.bytes, db.len(), db.expiring), (one, 1, 0));
    }
}
