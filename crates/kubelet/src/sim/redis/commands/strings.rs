//! Texts and numbers.

use super::{Cx, NOT_FLOAT, NOT_INT, Outcome, Redis, Reply, SYNTAX, Value, end, int, invalid_end, number, range, text};
use meta::Time;

/// A number as redis writes it.
pub fn float(n: f64) -> String {
    if n.is_infinite() {
        return if n > 0.0 { "inf".into() } else { "-inf".into() };
    }
    format!("{n}")
}

pub fn get(r: &mut Redis, cx: &Cx) -> Outcome {
    Ok(Reply::Bulk(text(r.db(cx), cx.arg(1))?.cloned()))
}

/// `EX 10`, `PX 100`, `EXAT`, `PXAT`: the moment.
fn moment(unit: &str, n: i64, now: Time) -> Option<Time> {
    end(n, unit.starts_with('e'), unit.ends_with("at"), now).filter(|_| n > 0)
}

/// Longer texts are not kept here; real servers keep up to 512 MiB.
const TEXT_MOST: usize = 64 << 20;

fn too_long(length: usize) -> Option<Reply> {
    let why = match length {
        0..=TEXT_MOST => return None,
        n if n > 512 << 20 => "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
        _ => "ERR texts of more than 64 MiB are not simulated",
    };
    Some(Reply::Error(why.into()))
}

pub fn set(r: &mut Redis, cx: &Cx) -> Outcome {
    let (mut expires, mut keep, mut only, mut get) = (None, false, None, false);
    let mut n = 3;
    while n < cx.argv.len() {
        let option = cx.word(n);
        match option.as_str() {
            "nx" | "xx" if only.is_none() => only = Some(option == "nx"),
            "get" => get = true,
            "keepttl" if expires.is_none() => keep = true,
            "ex" | "px" | "exat" | "pxat" if expires.is_none() && !keep && n + 1 < cx.argv.len() => {
                n += 1;
                let Some(at) = moment(&option, int(cx.arg(n))?, cx.now) else { return Ok(invalid_end(r, cx)) };
                expires = Some(at);
            }
            _ => return Err(SYNTAX),
        }
        n += 1;
    }
    let key = cx.arg(1);
    let used = r.stamp(cx.now);
    let db = r.db(cx);
    let old = if get { Some(text(db, key)?.cloned()) } else { None };
    let before = db.get(key).map(|k| k.expires);
    let does = only.is_none_or(|new| new == before.is_none());
    if does {
        let expires = if keep { before.flatten() } else { expires };
        db.put(key, Value::Text(cx.arg(2).into()), expires, used);
    }
    Ok(match old {
        Some(old) => Reply::Bulk(old),
        None if does => Reply::ok(),
        None => Reply::nil(),
    })
}

pub fn setex(r: &mut Redis, cx: &Cx) -> Outcome {
    let n = int(cx.arg(2))?;
    let unit = if cx.word(0) == "psetex" { "px" } else { "ex" };
    let Some(at) = moment(unit, n, cx.now) else { return Ok(invalid_end(r, cx)) };
    let used = r.stamp(cx.now);
    r.db(cx).put(cx.arg(1), Value::Text(cx.arg(3).into()), Some(at), used);
    Ok(Reply::ok())
}

pub fn setnx(r: &mut Redis, cx: &Cx) -> Outcome {
    let used = r.stamp(cx.now);
    let db = r.db(cx);
    let new = db.get(cx.arg(1)).is_none();
    if new {
        db.put(cx.arg(1), Value::Text(cx.arg(2).into()), None, used);
    }
    Ok(Reply::Int(i64::from(new)))
}

pub fn getset(r: &mut Redis, cx: &Cx) -> Outcome {
    let used = r.stamp(cx.now);
    let db = r.db(cx);
    let old = text(db, cx.arg(1))?.cloned();
    db.put(cx.arg(1), Value::Text(cx.arg(2).into()), None, used);
    Ok(Reply::Bulk(old))
}

pub fn getdel(r: &mut Redis, cx: &Cx) -> Outcome {
    let db = r.db(cx);
    let old = text(db, cx.arg(1))?.cloned();
    db.remove(cx.arg(1));
    Ok(Reply::Bulk(old))
}

pub fn mget(r: &mut Redis, cx: &Cx) -> Outcome {
    let db = r.db(cx);
    // What is no text counts as nothing.
    let one = |k: &String| {
        Reply::Bulk(db.get(k).and_then(|k| if let Value::Text(s) = &k.value { Some(s.clone()) } else { None }))
    };
    Ok(Reply::Array(Some(cx.rest(1).iter().map(one).collect())))
}

pub fn mset(r: &mut Redis, cx: &Cx) -> Outcome {
    let only_new = cx.word(0) == "msetnx";
    if cx.argv.len().is_multiple_of(2) {
        return Err(if only_new {
            "ERR wrong number of arguments for 'msetnx' command"
        } else {
            "ERR wrong number of arguments for 'mset' command"
        });
    }
    let used = r.stamp(cx.now);
    let db = r.db(cx);
    if only_new && cx.rest(1).iter().step_by(2).any(|k| db.get(k).is_some()) {
        return Ok(Reply::Int(0));
    }
    for pair in cx.rest(1).chunks_exact(2) {
        db.put(&pair[0], Value::Text(pair[1].clone()), None, used);
    }
    Ok(if only_new { Reply::Int(1) } else { Reply::ok() })
}

/// Puts a text back where one was, with its end.
fn change(r: &mut Redis, cx: &Cx, new: String) {
    let used = r.stamp(cx.now);
    let db = r.db(cx);
    let expires = db.get(cx.arg(1)).and_then(|k| k.expires);
    db.put(cx.arg(1), Value::Text(new), expires, used);
}

/// `INCR`, `DECR`, `INCRBY`, `DECRBY`
pub fn step(r: &mut Redis, cx: &Cx) -> Outcome {
    let by = if cx.argv.len() > 2 { int(cx.arg(2))? } else { 1 };
    let by = if cx.word(0).starts_with("decr") { by.checked_neg().ok_or(NOT_INT)? } else { by };
    let old = match text(r.db(cx), cx.arg(1))? {
        Some(s) => int(s)?,
        None => 0,
    };
    let new = old.checked_add(by).ok_or("ERR increment or decrement would overflow")?;
    change(r, cx, new.to_string());
    Ok(Reply::Int(new))
}

pub fn step_float(r: &mut Redis, cx: &Cx) -> Outcome {
    let by = number(cx.arg(2))?;
    let old = match text(r.db(cx), cx.arg(1))? {
        Some(s) => s.parse::<f64>().map_err(|_| NOT_FLOAT)?,
        None => 0.0,
    };
    let new = float(old + by);
    change(r, cx, new.clone());
    Ok(Reply::text(new))
}

pub fn append(r: &mut Redis, cx: &Cx) -> Outcome {
    let old = text(r.db(cx), cx.arg(1))?.cloned().unwrap_or_default();
    if let Some(refused) = too_long(old.len().saturating_add(cx.arg(2).len())) {
        return Ok(refused);
    }
    let new = format!("{old}{}", cx.arg(2));
    let length = new.len();
    change(r, cx, new);
    Ok(Reply::int(length))
}

pub fn strlen(r: &mut Redis, cx: &Cx) -> Outcome {
    Ok(Reply::int(text(r.db(cx), cx.arg(1))?.map_or(0, |s| s.len())))
}

pub fn getrange(r: &mut Redis, cx: &Cx) -> Outcome {
    let (start, stop) = (int(cx.arg(2))?, int(cx.arg(3))?);
    let all = text(r.db(cx), cx.arg(1))?.cloned().unwrap_or_default();
    let part = &all.as_bytes()[range(start, stop, all.len())];
    Ok(Reply::text(String::from_utf8_lossy(part)))
}

pub fn setrange(r: &mut Redis, cx: &Cx) -> Outcome {
    let at = usize::try_from(int(cx.arg(2))?).map_err(|_| "ERR offset is out of range")?;
    let new = cx.arg(3).as_bytes();
    let mut all = match text(r.db(cx), cx.arg(1))? {
        Some(s) if new.is_empty() => return Ok(Reply::int(s.len())),
        None if new.is_empty() => return Ok(Reply::Int(0)),
        s => s.cloned().unwrap_or_default().into_bytes(),
    };
    if let Some(refused) = too_long(at.saturating_add(new.len())) {
        return Ok(refused);
    }
    all.resize(all.len().max(at + new.len()), 0);
    all[at..at + new.len()].copy_from_slice(new);
    change(r, cx, String::from_utf8_lossy(&all).into_owned());
    Ok(Reply::int(all.len()))
}
