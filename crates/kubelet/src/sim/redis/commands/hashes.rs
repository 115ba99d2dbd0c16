//! Hashes.

use super::{Cx, Outcome, Redis, Reply, hash, hash_made, int};

pub fn set(r: &mut Redis, cx: &Cx) -> Outcome {
    let old_name = cx.word(0) == "hmset";
    if !cx.argv.len().is_multiple_of(2) {
        return Err(if old_name {
            "ERR wrong number of arguments for 'hmset' command"
        } else {
            "ERR wrong number of arguments for 'hset' command"
        });
    }
    let h = hash_made(r.db(cx), cx.arg(1), cx)?;
    let new = cx.rest(2).chunks_exact(2).filter(|p| h.set(&p[0], p[1].clone()).is_none()).count();
    Ok(if old_name { Reply::ok() } else { Reply::int(new) })
}

pub fn setnx(r: &mut Redis, cx: &Cx) -> Outcome {
    let h = hash_made(r.db(cx), cx.arg(1), cx)?;
    let new = h.get(cx.arg(2)).is_none();
    if new {
        h.set(cx.arg(2), cx.arg(3).into());
    }
    Ok(Reply::Int(i64::from(new)))
}

pub fn get(r: &mut Redis, cx: &Cx) -> Outcome {
    let h = hash(r.db(cx), cx.arg(1))?;
    Ok(Reply::Bulk(h.and_then(|h| h.get(cx.arg(2)).cloned())))
}

pub fn mget(r: &mut Redis, cx: &Cx) -> Outcome {
    let h = hash(r.db(cx), cx.arg(1))?;
    let one = |f: &String| Reply::Bulk(h.as_ref().and_then(|h| h.get(f).cloned()));
    Ok(Reply::Array(Some(cx.rest(2).iter().map(one).collect())))
}

/// `HGETALL`, `HKEYS`, `HVALS`
pub fn all(r: &mut Redis, cx: &Cx) -> Outcome {
    let name = cx.word(0);
    let Some(h) = hash(r.db(cx), cx.arg(1))? else { return Ok(Reply::Array(Some(Vec::new()))) };
    let mut out = Vec::new();
    for (k, v) in h.iter() {
        if name != "hvals" {
            out.push(k.clone());
        }
        if name != "hkeys" {
            out.push(v.clone());
        }
    }
    Ok(Reply::list(out))
}

pub fn del(r: &mut Redis, cx: &Cx) -> Outcome {
    let Some(h) = hash(r.db(cx), cx.arg(1))? else { return Ok(Reply::Int(0)) };
    Ok(Reply::int(cx.rest(2).iter().filter(|f| h.remove(f).is_some()).count()))
}

pub fn exists(r: &mut Redis, cx: &Cx) -> Outcome {
    let h = hash(r.db(cx), cx.arg(1))?;
    Ok(Reply::Int(i64::from(h.is_some_and(|h| h.get(cx.arg(2)).is_some()))))
}

pub fn len(r: &mut Redis, cx: &Cx) -> Outcome {
    Ok(Reply::int(hash(r.db(cx), cx.arg(1))?.map_or(0, |h| h.len())))
}

pub fn incr(r: &mut Redis, cx: &Cx) -> Outcome {
    let by = int(cx.arg(3))?;
    let h = hash_made(r.db(cx), cx.arg(1), cx)?;
    let old = match h.get(cx.arg(2)) {
        Some(s) => s.parse::<i64>().map_err(|_| "ERR hash value is not an integer")?,
        None => 0,
    };
    let new = old.checked_add(by).ok_or("ERR increment or decrement would overflow")?;
    h.set(cx.arg(2), new.to_string());
    Ok(Reply::Int(new))
}
