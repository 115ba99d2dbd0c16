//! Commands about the server itself.

use super::{Cx, Done, Outcome, Redis, Reply, SYNTAX, int};
use crate::sim::redis::config::Config;
use crate::sim::redis::{STARTUP_BYTES, info as sections};

pub fn ping(_: &mut Redis, cx: &Cx) -> Outcome {
    match cx.argv.len() {
        1 => Ok(Reply::Status("PONG".into())),
        2 => Ok(Reply::text(cx.arg(1))),
        _ => Err("ERR wrong number of arguments for 'ping' command"),
    }
}

pub fn echo(_: &mut Redis, cx: &Cx) -> Outcome {
    Ok(Reply::text(cx.arg(1)))
}

pub fn time(_: &mut Redis, cx: &Cx) -> Outcome {
    let t = cx.now.as_micros();
    Ok(Reply::list([(t / 1_000_000).to_string(), (t % 1_000_000).to_string()]))
}

/// Nobody listens: subscriptions are not simulated.
pub fn publish(_: &mut Redis, _: &Cx) -> Outcome {
    Ok(Reply::Int(0))
}

/// How many replicas have what was written.
pub fn wait(r: &mut Redis, cx: &Cx) -> Outcome {
    int(cx.arg(1))?;
    int(cx.arg(2))?;
    Ok(Reply::int(r.replicas().len()))
}

pub fn lastsave(r: &mut Redis, _: &Cx) -> Outcome {
    Ok(Reply::Int(i64::try_from(r.saved.as_secs()).unwrap_or(0)))
}

pub fn info(r: &mut Redis, cx: &Cx) -> Outcome {
    Ok(Reply::text(sections::text(r, &cx.word(1), cx.now)))
}

pub fn role(r: &mut Redis, _: &Cx) -> Outcome {
    let offset = i64::try_from(r.offset).unwrap_or(0);
    Ok(Reply::Array(Some(match r.master() {
        None => {
            let one = |ip: String| Reply::list([ip, r.port.to_string(), offset.to_string()]);
            let all = r.replicas().into_iter().map(one).collect();
            vec![Reply::text("master"), Reply::Int(offset), Reply::Array(Some(all))]
        }
        Some((host, port)) => {
            let state = if r.link_is_up() { "connected" } else { "connect" };
            vec![
                Reply::text("slave"),
                Reply::text(host),
                Reply::Int(port.into()),
                Reply::text(state),
                Reply::Int(offset),
            ]
        }
    })))
}

/// `REPLICAOF host port`, `REPLICAOF NO ONE`
pub fn replicaof(r: &mut Redis, cx: &Cx) -> Outcome {
    if cx.word(1) == "no" && cx.word(2) == "one" {
        r.lead(cx.now);
        return Ok(Reply::ok());
    }
    let Ok(port) = u16::try_from(int(cx.arg(2))?) else { return Err("ERR Invalid master port") };
    if r.master() == Some((cx.arg(1), port)) {
        return Ok(Reply::Status("OK Already connected to specified master".into()));
    }
    r.follow(cx.arg(1), port, cx.now);
    Ok(Reply::ok())
}

pub fn memory(r: &mut Redis, cx: &Cx) -> Outcome {
    match cx.word(1).as_str() {
        "usage" if cx.argv.len() > 2 => {
            let bytes = r.db(cx).bytes_of(cx.arg(2));
            Ok(bytes.map_or(Reply::nil(), |b| Reply::Int(i64::try_from(b).unwrap_or(0))))
        }
        "doctor" if r.used_memory() < STARTUP_BYTES + (5 << 20) => Ok(Reply::text(
            "Hi Sam, this instance is empty or is using very little memory, my issue detector can't be used in these \
             conditions. Please, leave for your mission on Earth and fill it with some data. The new Sam and I will be back to \
             our programming as soon as I finished rebooting.",
        )),
        _ => Err(SYNTAX),
    }
}

pub fn config(r: &mut Redis, cx: &Cx) -> Done {
    let new = r.version.0 >= 7;
    let bad = || {
        Reply::Error(match new {
            true => format!("ERR unknown subcommand '{}'. Try CONFIG HELP.", cx.arg(1)),
            false => {
                format!("ERR Unknown subcommand or wrong number of arguments for '{}'. Try CONFIG HELP.", cx.arg(1))
            }
        })
    };
    let few = || match new {
        true => Reply::Error(format!("ERR wrong number of arguments for 'config|{}' command", cx.word(1))),
        false => bad(),
    };
    let reply = match (cx.word(1).as_str(), cx.argv.len()) {
        ("get", 3..) => {
            let mut all = Vec::new();
            for name in Config::names() {
                if cx.rest(2).iter().any(|p| super::fits(&p.to_ascii_lowercase(), name)) {
                    all.push(name.to_string());
                    all.push(r.setting(name));
                }
            }
            Reply::list(all)
        }
        ("set", 4) => set(r, cx, new),
        ("set", n) if new && n > 4 && n.is_multiple_of(2) => {
            let before = r.config.clone();
            for pair in cx.rest(2).chunks_exact(2) {
                let argv = [cx.argv[0].clone(), cx.argv[1].clone(), pair[0].clone(), pair[1].clone()];
                let done = set(r, &Cx { argv: &argv, ..*cx }, new);
                if done != Reply::ok() {
                    // All or nothing.
                    r.config = before;
                    return done.into();
                }
            }
            Reply::ok()
        }
        ("resetstat", 2) => {
            r.reset_stats();
            Reply::ok()
        }
        ("rewrite", 2) if r.config.file.is_none() => {
            Reply::Error("ERR The server is running without a config file".into())
        }
        ("get" | "set" | "resetstat", _) => few(),
        _ => bad(),
    };
    reply.into()
}

fn set(r: &mut Redis, cx: &Cx, new: bool) -> Reply {
    let (name, value) = (cx.arg(2), cx.arg(3));
    match r.config.set(name, value) {
        Ok(()) => {
            r.make_room();
            Reply::ok()
        }
        Err(None) if new && Config::names().any(|n| n.eq_ignore_ascii_case(name)) => Reply::Error(format!(
            "ERR CONFIG SET failed (possibly related to argument '{name}') - can't set immutable config"
        )),
        Err(None) if new => {
            Reply::Error(format!("ERR Unknown option or number of arguments for CONFIG SET - '{name}'"))
        }
        Err(None) => Reply::Error(format!("ERR Unsupported CONFIG parameter: {name}")),
        Err(Some(why)) => {
            let quiet = !new && name.eq_ignore_ascii_case("save");
            let why = if quiet { String::new() } else { format!(" - {why}") };
            Reply::Error(match new {
                true => format!(
                    "ERR CONFIG SET failed (possibly related to argument '{name}'){}",
                    why.replacen("argument must be one", "argument(s) must be one", 1)
                ),
                false => format!("ERR Invalid argument '{value}' for CONFIG SET '{name}'{why}"),
            })
        }
    }
}
