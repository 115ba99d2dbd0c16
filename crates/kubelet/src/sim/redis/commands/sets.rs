//! Sets.

use super::{Cx, Outcome, Redis, Reply, Value, int, set, set_made};
use crate::sim::redis::data::Named;

/// Numbers are kept in their order, other members in the order they came.
fn listed(s: &Named<()>) -> Vec<String> {
    let mut names = s.names();
    if names.iter().all(|n| n.parse::<i64>().is_ok()) {
        names.sort_by_key(|n| n.parse::<i64>().unwrap_or(0));
    }
    names
}

pub fn add(r: &mut Redis, cx: &Cx) -> Outcome {
    let s = set_made(r.db(cx), cx.arg(1), cx)?;
    Ok(Reply::int(cx.rest(2).iter().filter(|m| s.set(m, ()).is_none()).count()))
}

pub fn rem(r: &mut Redis, cx: &Cx) -> Outcome {
    let Some(s) = set(r.db(cx), cx.arg(1))? else { return Ok(Reply::Int(0)) };
    Ok(Reply::int(cx.rest(2).iter().filter(|m| s.remove(m).is_some()).count()))
}

pub fn members(r: &mut Redis, cx: &Cx) -> Outcome {
    Ok(Reply::list(set(r.db(cx), cx.arg(1))?.map(|s| listed(s)).unwrap_or_default()))
}

/// `SISMEMBER`, `SMISMEMBER`
pub fn is_member(r: &mut Redis, cx: &Cx) -> Outcome {
    let s = set(r.db(cx), cx.arg(1))?;
    let one = |m: &String| Reply::Int(i64::from(s.as_ref().is_some_and(|s| s.get(m).is_some())));
    Ok(match cx.word(0).as_str() {
        "sismember" => one(&cx.argv[2]),
        _ => Reply::Array(Some(cx.rest(2).iter().map(one).collect())),
    })
}

pub fn card(r: &mut Redis, cx: &Cx) -> Outcome {
    Ok(Reply::int(set(r.db(cx), cx.arg(1))?.map_or(0, |s| s.len())))
}

pub fn moved(r: &mut Redis, cx: &Cx) -> Outcome {
    let db = r.db(cx);
    set(db, cx.arg(2))?;
    if set(db, cx.arg(1))?.and_then(|s| s.remove(cx.arg(3))).is_none() {
        return Ok(Reply::Int(0));
    }
    set_made(db, cx.arg(2), cx)?.set(cx.arg(3), ());
    Ok(Reply::Int(1))
}

/// So many members are drawn at once; real servers make an answer of any length.
const DRAWS_MOST: u64 = 100_000;

/// Members drawn at random: each once, or with a negative number perhaps more often.
fn draw(r: &mut Redis, cx: &Cx, count: i64) -> Result<Vec<String>, &'static str> {
    let mut all = set(r.db(cx), cx.arg(1))?.map(|s| listed(s)).unwrap_or_default();
    let mut out = Vec::new();
    let times = if count < 0 { count.unsigned_abs() } else { count.unsigned_abs().min(all.len() as u64) };
    if all.is_empty() {
        return Ok(out);
    }
    if times > DRAWS_MOST {
        return Err("ERR more than 100000 members at once are not simulated");
    }
    for _ in 0..times {
        let n = r.draw(all.len());
        out.push(if count < 0 { all[n].clone() } else { all.remove(n) });
    }
    Ok(out)
}

pub fn random(r: &mut Redis, cx: &Cx) -> Outcome {
    Ok(match cx.argv.get(2) {
        Some(n) => Reply::list(draw(r, cx, int(n)?)?),
        None => Reply::Bulk(draw(r, cx, 1)?.pop()),
    })
}

pub fn pop(r: &mut Redis, cx: &Cx) -> Outcome {
    let count = match cx.argv.get(2) {
        Some(n) => int(n)?,
        None => 1,
    };
    if count < 0 {
        return Err("ERR value is out of range, must be positive");
    }
    let mut drawn = draw(r, cx, count)?;
    if let Some(s) = set(r.db(cx), cx.arg(1))? {
        drawn.iter().for_each(|m| _ = s.remove(m));
    }
    Ok(if cx.argv.len() > 2 { Reply::list(drawn) } else { Reply::Bulk(drawn.pop()) })
}

/// `SINTER`, `SUNION`, `SDIFF` of these keys.
fn combined(r: &mut Redis, cx: &Cx, keys: &[String]) -> Result<Vec<String>, &'static str> {
    let name = cx.word(0);
    let db = r.db(cx);
    let mut all = Vec::new();
    for k in keys {
        all.push(set(db, k)?.cloned().unwrap_or_default());
    }
    let Some((first, others)) = all.split_first() else { return Ok(Vec::new()) };
    Ok(if name.starts_with("sunion") {
        let mut union = first.clone();
        others.iter().flat_map(|s| s.names()).for_each(|m| _ = union.set(&m, ()));
        listed(&union)
    } else {
        let inter = name.starts_with("sinter");
        let stays = |m: &String| match inter {
            true => others.iter().all(|o| o.get(m).is_some()),
            false => !others.iter().any(|o| o.get(m).is_some()),
        };
        listed(first).into_iter().filter(stays).collect()
    })
}

pub fn combine(r: &mut Redis, cx: &Cx) -> Outcome {
    Ok(Reply::list(combined(r, cx, cx.rest(1))?))
}

pub fn store(r: &mut Redis, cx: &Cx) -> Outcome {
    let all = combined(r, cx, cx.rest(2))?;
    let used = r.stamp(cx.now);
    let mut s = Named::default();
    all.iter().for_each(|m| _ = s.set(m, ()));
    r.db(cx).put(cx.arg(1), Value::Set(s), None, used);
    Ok(Reply::int(all.len()))
}
