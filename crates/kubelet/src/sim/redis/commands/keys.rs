//! Keys, whatever they hold.

use super::{Cx, NO_KEY, Outcome, Redis, Reply, SYNTAX, end, fits, int, invalid_end};

pub fn dbsize(r: &mut Redis, cx: &Cx) -> Outcome {
    Ok(Reply::int(r.db(cx).len()))
}

pub fn del(r: &mut Redis, cx: &Cx) -> Outcome {
    let db = r.db(cx);
    Ok(Reply::int(cx.rest(1).iter().filter(|k| db.remove(k).is_some()).count()))
}

pub fn exists(r: &mut Redis, cx: &Cx) -> Outcome {
    let db = r.db(cx);
    Ok(Reply::int(cx.rest(1).iter().filter(|k| db.get(k).is_some()).count()))
}

pub fn kind_of(r: &mut Redis, cx: &Cx) -> Outcome {
    Ok(Reply::Status(r.db(cx).get(cx.arg(1)).map_or("none", |k| k.value.kind()).into()))
}

pub fn keys(r: &mut Redis, cx: &Cx) -> Outcome {
    let db = r.db(cx);
    Ok(Reply::list(db.iter().map(|(k, _)| k.clone()).filter(|k| fits(cx.arg(1), k))))
}

/// All of it in one go, whatever `COUNT` says: nothing comes between.
pub fn scan(r: &mut Redis, cx: &Cx) -> Outcome {
    cx.arg(1).parse::<u64>().map_err(|_| "ERR invalid cursor")?;
    let (mut pattern, mut kind) = ("*", None);
    for pair in cx.rest(2).chunks(2) {
        let [option, value] = pair else { return Err(SYNTAX) };
        match option.to_ascii_lowercase().as_str() {
            "match" => pattern = value,
            "count" => _ = int(value)?,
            "type" => kind = Some(value.as_str()),
            _ => return Err(SYNTAX),
        }
    }
    let db = r.db(cx);
    let all = db.iter().filter(|(k, v)| fits(pattern, k) && kind.is_none_or(|t| t == v.value.kind()));
    let names: Vec<String> = all.map(|(k, _)| k.clone()).collect();
    Ok(Reply::Array(Some(vec![Reply::text("0"), Reply::list(names)])))
}

pub fn randomkey(r: &mut Redis, cx: &Cx) -> Outcome {
    let size = r.db(cx).len();
    if size == 0 {
        return Ok(Reply::nil());
    }
    let n = r.draw(size);
    Ok(Reply::Bulk(r.db(cx).iter().nth(n).map(|(k, _)| k.clone())))
}

pub fn rename(r: &mut Redis, cx: &Cx) -> Outcome {
    let only_new = cx.word(0) == "renamenx";
    let used = r.stamp(cx.now);
    let db = r.db(cx);
    if db.get(cx.arg(1)).is_none() {
        return Err(NO_KEY);
    }
    if only_new && db.get(cx.arg(2)).is_some() {
        return Ok(Reply::Int(0));
    }
    if let Some(k) = db.remove(cx.arg(1)) {
        db.put(cx.arg(2), k.value, k.expires, used);
    }
    Ok(if only_new { Reply::Int(1) } else { Reply::ok() })
}

/// `EXPIRE`, `PEXPIRE`, `EXPIREAT`, `PEXPIREAT`, with `NX`, `XX`, `GT`, `LT`
pub fn expire(r: &mut Redis, cx: &Cx) -> Outcome {
    let n = int(cx.arg(2))?;
    let name = cx.word(0);
    let Some(at) = end(n, !name.starts_with('p'), name.ends_with("at"), cx.now) else {
        return Ok(invalid_end(r, cx));
    };
    // A follower's keys end when its leader says so.
    let over = at <= cx.now && r.master().is_none();
    let db = r.db(cx);
    let Some(before) = db.get(cx.arg(1)).map(|k| k.expires) else { return Ok(Reply::Int(0)) };
    let does = match cx.argv.get(3).map(|o| o.to_ascii_lowercase()).as_deref() {
        None => true,
        Some("nx") => before.is_none(),
        Some("xx") => before.is_some(),
        Some("gt") => before.is_some_and(|b| at > b),
        Some("lt") => before.is_none_or(|b| at < b),
        Some(_) => return Err("ERR Unsupported option"),
    };
    if does && over {
        db.remove(cx.arg(1));
    } else if does {
        db.expire(cx.arg(1), Some(at));
    }
    Ok(Reply::Int(i64::from(does)))
}

pub fn persist(r: &mut Redis, cx: &Cx) -> Outcome {
    let db = r.db(cx);
    let had = db.get(cx.arg(1)).is_some_and(|k| k.expires.is_some());
    db.expire(cx.arg(1), None);
    Ok(Reply::Int(i64::from(had)))
}

pub fn ttl(r: &mut Redis, cx: &Cx) -> Outcome {
    let left = match r.db(cx).get(cx.arg(1)).map(|k| k.expires) {
        None => return Ok(Reply::Int(-2)),
        Some(None) => return Ok(Reply::Int(-1)),
        Some(Some(at)) => at.since(cx.now).as_millis(),
    };
    // Half a second counts as one.
    let left = if cx.word(0) == "ttl" { (left + 500) / 1_000 } else { left };
    Ok(Reply::Int(i64::try_from(left).unwrap_or(i64::MAX)))
}

pub fn flush(r: &mut Redis, cx: &Cx) -> Outcome {
    if !matches!(cx.word(1).as_str(), "" | "async" | "sync") {
        return Err(SYNTAX);
    }
    if cx.word(0) == "flushall" {
        r.forget_all()
    } else {
        *r.db(cx) = super::Db::default()
    }
    Ok(Reply::ok())
}

pub fn object(r: &mut Redis, cx: &Cx) -> Outcome {
    let new = r.version.0 >= 7;
    let now = cx.now;
    let key = r.db(cx).get(cx.arg(2));
    match (cx.word(1).as_str(), key) {
        ("encoding", k) => Ok(Reply::Bulk(k.map(|k| k.value.encoding(new).to_string()))),
        ("refcount", Some(_)) => Ok(Reply::Int(1)),
        ("idletime", Some(k)) => Ok(Reply::Int(i64::try_from(now.since(k.used.0).as_secs()).unwrap_or(0))),
        ("refcount" | "idletime", None) => Ok(Reply::nil()),
        _ => Err(SYNTAX),
    }
}
