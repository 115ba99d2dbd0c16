//! Sorted sets.

use super::{Cx, Outcome, Redis, Reply, SYNTAX, float, int, number, range, sorted, sorted_made};
use crate::sim::redis::data::ranked;

pub fn add(r: &mut Redis, cx: &Cx) -> Outcome {
    let mut n = 2;
    let mut options = Vec::new();
    while matches!(cx.word(n).as_str(), "nx" | "xx" | "gt" | "lt" | "ch" | "incr") {
        options.push(cx.word(n));
        n += 1;
    }
    let has = |o: &str| options.iter().any(|x| x == o);
    let pairs = cx.rest(n);
    if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
        return Err(SYNTAX);
    }
    if has("nx") && has("xx") {
        return Err("ERR XX and NX options at the same time are not compatible");
    }
    if has("nx") && (has("gt") || has("lt")) || has("gt") && has("lt") {
        return Err("ERR GT, LT, and/or NX options at the same time are not compatible");
    }
    if has("incr") && pairs.len() > 2 {
        return Err("ERR INCR option supports a single increment-element pair");
    }
    let scores = pairs.iter().step_by(2).map(|s| number(s)).collect::<Result<Vec<f64>, _>>()?;
    let z = sorted_made(r.db(cx), cx.arg(1), cx)?;
    let (mut added, mut changed, mut last) = (0, 0, None);
    for (pair, score) in pairs.chunks_exact(2).zip(scores) {
        let old = z.get(&pair[1]).copied();
        let score = if has("incr") { old.unwrap_or(0.0) + score } else { score };
        let refused = match old {
            None => has("xx"),
            Some(o) => has("nx") || has("gt") && score <= o || has("lt") && score >= o,
        };
        if refused {
            continue;
        }
        z.set(&pair[1], score);
        added += usize::from(old.is_none());
        changed += usize::from(old != Some(score));
        last = Some(score);
    }
    Ok(match (has("incr"), has("ch")) {
        (true, _) => Reply::Bulk(last.map(float)),
        (_, true) => Reply::int(changed),
        _ => Reply::int(added),
    })
}

pub fn incr(r: &mut Redis, cx: &Cx) -> Outcome {
    let by = number(cx.arg(2))?;
    let z = sorted_made(r.db(cx), cx.arg(1), cx)?;
    let new = z.get(cx.arg(3)).copied().unwrap_or(0.0) + by;
    z.set(cx.arg(3), new);
    Ok(Reply::text(float(new)))
}

pub fn score(r: &mut Redis, cx: &Cx) -> Outcome {
    let z = sorted(r.db(cx), cx.arg(1))?;
    Ok(Reply::Bulk(z.and_then(|z| z.get(cx.arg(2)).copied()).map(float)))
}

pub fn card(r: &mut Redis, cx: &Cx) -> Outcome {
    Ok(Reply::int(sorted(r.db(cx), cx.arg(1))?.map_or(0, |z| z.len())))
}

pub fn rem(r: &mut Redis, cx: &Cx) -> Outcome {
    let Some(z) = sorted(r.db(cx), cx.arg(1))? else { return Ok(Reply::Int(0)) };
    Ok(Reply::int(cx.rest(2).iter().filter(|m| z.remove(m).is_some()).count()))
}

fn all(r: &mut Redis, cx: &Cx) -> Result<Vec<(String, f64)>, &'static str> {
    Ok(sorted(r.db(cx), cx.arg(1))?.map(|z| ranked(z)).unwrap_or_default())
}

pub fn rank(r: &mut Redis, cx: &Cx) -> Outcome {
    let mut all = all(r, cx)?;
    if cx.word(0) == "zrevrank" {
        all.reverse();
    }
    let at = all.iter().position(|(m, _)| m == cx.arg(2));
    Ok(at.map_or(Reply::nil(), Reply::int))
}

fn shown(all: impl IntoIterator<Item = (String, f64)>, scores: bool) -> Reply {
    Reply::list(all.into_iter().flat_map(|(m, s)| std::iter::once(m).chain(scores.then(|| float(s)))))
}

/// `(5`, `5`, `-inf`: the score, and whether it is left out.
fn bound(word: &str) -> Result<(f64, bool), &'static str> {
    let (open, n) = word.strip_prefix('(').map_or((false, word), |n| (true, n));
    Ok((n.parse().map_err(|_| "ERR min or max is not a float")?, open))
}

fn between(min: &str, max: &str) -> Result<impl Fn(f64) -> bool + use<>, &'static str> {
    let ((low, low_open), (high, high_open)) = (bound(min)?, bound(max)?);
    Ok(move |s: f64| (s > low || s == low && !low_open) && (s < high || s == high && !high_open))
}

/// `LIMIT offset count` and `WITHSCORES` from a word on.
fn options(cx: &Cx, mut n: usize, out: &mut Vec<(String, f64)>) -> Result<bool, &'static str> {
    let mut scores = false;
    while n < cx.argv.len() {
        match cx.word(n).as_str() {
            "withscores" => scores = true,
            "limit" => {
                let (offset, count) = (int(cx.arg(n + 1))?, int(cx.arg(n + 2))?);
                let offset = usize::try_from(offset).unwrap_or(usize::MAX);
                let rest = out.drain(offset.min(out.len())..);
                *out = rest.take(usize::try_from(count).unwrap_or(usize::MAX)).collect();
                n += 2;
            }
            "rev" | "byscore" => {}
            _ => return Err(SYNTAX),
        }
        n += 1;
    }
    Ok(scores)
}

/// `ZRANGE key start stop [BYSCORE] [REV] [LIMIT ...] [WITHSCORES]` and `ZREVRANGE`
pub fn range_of(r: &mut Redis, cx: &Cx) -> Outcome {
    let has = |o: &str| cx.rest(4).iter().any(|a| a.eq_ignore_ascii_case(o));
    let reversed = cx.word(0) == "zrevrange" || has("rev");
    let mut all = all(r, cx)?;
    if has("byscore") {
        let (min, max) = if reversed { (cx.arg(3), cx.arg(2)) } else { (cx.arg(2), cx.arg(3)) };
        let inside = between(min, max)?;
        all.retain(|(_, s)| inside(*s));
    }
    if reversed {
        all.reverse();
    }
    if !has("byscore") {
        let part = range(int(cx.arg(2))?, int(cx.arg(3))?, all.len());
        all = all.drain(part).collect();
    }
    let scores = options(cx, 4, &mut all)?;
    Ok(shown(all, scores))
}

/// `ZRANGEBYSCORE key min max`, `ZREVRANGEBYSCORE key max min`
pub fn by_score(r: &mut Redis, cx: &Cx) -> Outcome {
    let reversed = cx.word(0) == "zrevrangebyscore";
    let inside = if reversed { between(cx.arg(3), cx.arg(2))? } else { between(cx.arg(2), cx.arg(3))? };
    let mut all = all(r, cx)?;
    all.retain(|(_, s)| inside(*s));
    if reversed {
        all.reverse();
    }
    let scores = options(cx, 4, &mut all)?;
    Ok(shown(all, scores))
}

pub fn count(r: &mut Redis, cx: &Cx) -> Outcome {
    let inside = between(cx.arg(2), cx.arg(3))?;
    Ok(Reply::int(all(r, cx)?.iter().filter(|(_, s)| inside(*s)).count()))
}

pub fn rem_range(r: &mut Redis, cx: &Cx) -> Outcome {
    let mut gone = all(r, cx)?;
    if cx.word(0) == "zremrangebyscore" {
        let inside = between(cx.arg(2), cx.arg(3))?;
        gone.retain(|(_, s)| inside(*s));
    } else {
        let part = range(int(cx.arg(2))?, int(cx.arg(3))?, gone.len());
        gone = gone.drain(part).collect();
    }
    if let Some(z) = sorted(r.db(cx), cx.arg(1))? {
        gone.iter().for_each(|(m, _)| _ = z.remove(m));
    }
    Ok(Reply::int(gone.len()))
}

/// `ZPOPMIN`, `ZPOPMAX`
pub fn pop(r: &mut Redis, cx: &Cx) -> Outcome {
    let count = match cx.argv.get(2) {
        Some(n) => usize::try_from(int(n)?).map_err(|_| "ERR value is out of range, must be positive")?,
        None => 1,
    };
    let mut all = all(r, cx)?;
    if cx.word(0) == "zpopmax" {
        all.reverse();
    }
    all.truncate(count);
    if let Some(z) = sorted(r.db(cx), cx.arg(1))? {
        all.iter().for_each(|(m, _)| _ = z.remove(m));
    }
    Ok(shown(all, true))
}
