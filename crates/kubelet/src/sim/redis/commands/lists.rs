//! Lists: queues above all.

use super::{Cx, Done, NO_KEY, Outcome, Redis, Reply, SYNTAX, int, list, list_made, range};
use meta::Duration;

fn is_left(word: &str) -> Result<bool, &'static str> {
    match word {
        "left" => Ok(true),
        "right" => Ok(false),
        _ => Err(SYNTAX),
    }
}

pub fn push(r: &mut Redis, cx: &Cx) -> Outcome {
    let (left, only_old) = (cx.word(0).starts_with('l'), cx.word(0).ends_with('x'));
    let db = r.db(cx);
    if only_old && list(db, cx.arg(1))?.is_none() {
        return Ok(Reply::Int(0));
    }
    let l = list_made(db, cx.arg(1), cx)?;
    for item in cx.rest(2) {
        if left { l.push_front(item.clone()) } else { l.push_back(item.clone()) }
    }
    Ok(Reply::int(l.len()))
}

pub fn pop(r: &mut Redis, cx: &Cx) -> Outcome {
    let left = cx.word(0).starts_with('l');
    let count = match cx.argv.get(2) {
        Some(n) => Some(usize::try_from(int(n)?).map_err(|_| "ERR value is out of range, must be positive")?),
        None => None,
    };
    let Some(l) = list(r.db(cx), cx.arg(1))? else {
        return Ok(if count.is_some() { Reply::Array(None) } else { Reply::nil() });
    };
    let mut take = || if left { l.pop_front() } else { l.pop_back() };
    Ok(match count {
        None => Reply::Bulk(take()),
        Some(n) => Reply::list((0..n).map_while(|_| take())),
    })
}

pub fn len(r: &mut Redis, cx: &Cx) -> Outcome {
    Ok(Reply::int(list(r.db(cx), cx.arg(1))?.map_or(0, |l| l.len())))
}

pub fn range_of(r: &mut Redis, cx: &Cx) -> Outcome {
    let (start, stop) = (int(cx.arg(2))?, int(cx.arg(3))?);
    let Some(l) = list(r.db(cx), cx.arg(1))? else { return Ok(Reply::Array(Some(Vec::new()))) };
    Ok(Reply::list(l.range(range(start, stop, l.len())).cloned()))
}

/// A place counted from the beginning or, negative, from the end.
fn place(n: i64, len: usize) -> Option<usize> {
    let size = i64::try_from(len).ok()?;
    usize::try_from(if n < 0 { n + size } else { n }).ok().filter(|n| *n < len)
}

pub fn index(r: &mut Redis, cx: &Cx) -> Outcome {
    let n = int(cx.arg(2))?;
    let l = list(r.db(cx), cx.arg(1))?;
    Ok(Reply::Bulk(l.and_then(|l| l.get(place(n, l.len())?).cloned())))
}

pub fn set(r: &mut Redis, cx: &Cx) -> Outcome {
    let l = list(r.db(cx), cx.arg(1))?.ok_or(NO_KEY)?;
    let n = place(int(cx.arg(2))?, l.len()).ok_or("ERR index out of range")?;
    l[n] = cx.arg(3).into();
    Ok(Reply::ok())
}

/// `LREM key count element`: so many from the left, negative from the right, 0 all.
pub fn rem(r: &mut Redis, cx: &Cx) -> Outcome {
    let count = int(cx.arg(2))?;
    let Some(l) = list(r.db(cx), cx.arg(1))? else { return Ok(Reply::Int(0)) };
    let most = if count == 0 { usize::MAX } else { usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX) };
    let mut at: Vec<usize> = l.iter().enumerate().filter(|(_, x)| *x == cx.arg(3)).map(|(i, _)| i).collect();
    if count < 0 {
        at.reverse();
    }
    at.truncate(most);
    at.sort_unstable();
    at.iter().rev().for_each(|i| _ = l.remove(*i));
    Ok(Reply::int(at.len()))
}

pub fn insert(r: &mut Redis, cx: &Cx) -> Outcome {
    let after = match cx.word(2).as_str() {
        "before" => 0,
        "after" => 1,
        _ => return Err(SYNTAX),
    };
    let Some(l) = list(r.db(cx), cx.arg(1))? else { return Ok(Reply::Int(0)) };
    let Some(i) = l.iter().position(|x| x == cx.arg(3)) else { return Ok(Reply::Int(-1)) };
    l.insert(i + after, cx.arg(4).into());
    Ok(Reply::int(l.len()))
}

pub fn trim(r: &mut Redis, cx: &Cx) -> Outcome {
    let (start, stop) = (int(cx.arg(2))?, int(cx.arg(3))?);
    if let Some(l) = list(r.db(cx), cx.arg(1))? {
        let kept = range(start, stop, l.len());
        l.truncate(kept.end);
        l.drain(..kept.start);
    }
    Ok(Reply::ok())
}

fn carry(r: &mut Redis, cx: &Cx, from_left: bool, to_left: bool) -> Outcome {
    let db = r.db(cx);
    list(db, cx.arg(2))?;
    let item = match list(db, cx.arg(1))? {
        Some(l) if from_left => l.pop_front(),
        Some(l) => l.pop_back(),
        None => None,
    };
    let Some(item) = item else { return Ok(Reply::nil()) };
    let l = list_made(db, cx.arg(2), cx)?;
    if to_left {
        l.push_front(item.clone())
    } else {
        l.push_back(item.clone())
    }
    Ok(Reply::text(item))
}

/// `LMOVE a b LEFT RIGHT` and `RPOPLPUSH a b`
pub fn moved(r: &mut Redis, cx: &Cx) -> Outcome {
    match cx.word(0).as_str() {
        "rpoplpush" => carry(r, cx, false, true),
        _ => carry(r, cx, is_left(&cx.word(3))?, is_left(&cx.word(4))?),
    }
}

/// How long to wait; `None`: for ever.
fn patience(word: &str) -> Result<Option<Duration>, &'static str> {
    let seconds: f64 = word.parse().map_err(|_| NO_TIMEOUT)?;
    if seconds.is_nan() {
        return Err(NO_TIMEOUT);
    }
    // Milliseconds are counted in 64 bits.
    if seconds * 1e3 >= 9_223_372_036_854_775_807.0 {
        return Err("ERR timeout is out of range");
    }
    if seconds < 0.0 {
        return Err("ERR timeout is negative");
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let micros = (seconds * 1e6) as u64;
    Ok((micros > 0).then_some(Duration(micros)))
}

const NO_TIMEOUT: &str = "ERR timeout is not a float or out of range";

/// Waits when there is nothing. Nothing is taken before the timeout is known to be one.
fn or_wait(timeout: &str, find: impl FnOnce() -> Outcome) -> Done {
    match patience(timeout).and_then(|time| Ok((find()?, time))) {
        Err(e) => Reply::Error(e.into()).into(),
        Ok((Reply::Bulk(None) | Reply::Array(None), time)) => Done::Wait(time),
        Ok((reply, _)) => reply.into(),
    }
}

pub fn blocking_move(r: &mut Redis, cx: &Cx) -> Done {
    match cx.word(0).as_str() {
        "brpoplpush" => or_wait(cx.arg(3), || carry(r, cx, false, true)),
        _ => match (is_left(&cx.word(3)), is_left(&cx.word(4))) {
            (Ok(from), Ok(to)) => or_wait(cx.arg(5), || carry(r, cx, from, to)),
            _ => Reply::Error(SYNTAX.into()).into(),
        },
    }
}

/// `BLPOP key... timeout`: of the first key that holds something.
pub fn blocking_pop(r: &mut Redis, cx: &Cx) -> Done {
    let left = cx.word(0) == "blpop";
    let keys = &cx.argv[1..cx.argv.len() - 1];
    let db = r.db(cx);
    let find = || -> Outcome {
        for key in keys {
            let item = match list(db, key)? {
                Some(l) if left => l.pop_front(),
                Some(l) => l.pop_back(),
                None => None,
            };
            if let Some(item) = item {
                return Ok(Reply::list([key.clone(), item]));
            }
        }
        Ok(Reply::Array(None))
    };
    or_wait(cx.arg(cx.argv.len() - 1), find)
}
