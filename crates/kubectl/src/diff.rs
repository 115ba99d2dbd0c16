//! `kubectl diff`: what the server has against what it would have, as `diff -u -N` shows two directories. Models
//! `kubectl/pkg/cmd/diff`.

use crate::apply::{last_applied, three_way};
use crate::builder::{Builder, Info};
use crate::client::{Request, query};
use crate::cx::{APPLY, Cx, DryRun};
use crate::error::Error;
use crate::print::gojson;
use crate::print::yaml::to_yaml;
use crate::unified;
use serde_json::{Value, json};

/// What diff says when texts differ: no error of the command.
const DIFFERS: i32 = 1;

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    match all(cx).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(Error::Exit(DIFFERS)),
        Err(e) => {
            // Models `CheckDiffErr`: one more than elsewhere, because one means a difference.
            cx.err(&e.said());
            Err(Error::Exit(e.exit_code() + 1))
        }
    }
}

async fn all(cx: &mut Cx<'_, '_>) -> Result<bool, Error> {
    if !cx.args.is_empty() {
        return Err(cx.usage(format!("Unexpected args: [{}]", cx.args.join(" "))));
    }
    let b = Builder::of(cx);
    if !b.has_files() {
        return Err(Error::text("must specify one of -f and -k"));
    }
    if cx.flags.bool("force-conflicts") && !cx.flags.bool("server-side") {
        return Err(Error::text("--force-conflicts only works with --server-side"));
    }
    let infos = b.find(cx, &[]).await?.all()?;
    let mut pairs = Vec::new();
    let mut visited = crate::prune::Visited::of(cx);
    for info in infos {
        let live = match Builder::default().fetch(cx, &info).await {
            Ok(live) => Some(live),
            Err(e) if e.is_not_found() => None,
            Err(e) => return Err(e),
        };
        visited.mark(&info, live.as_ref());
        let merged = merged(cx, &info, live.as_ref()).await?;
        if live.as_ref().is_some_and(|l| !l["metadata"]["deletionTimestamp"].is_null()) {
            let name = &info.name;
            cx.err(&format!("Warning: Detected changes to resource {name} which is currently being deleted.\n"));
        }
        pairs.push((file_name(&info), live, Some(merged)));
    }
    if cx.flags.bool("prune") {
        let kinds = crate::prune::kinds(cx).await?;
        for (info, object) in crate::prune::targets(cx, &visited, &kinds).await? {
            pairs.push((file_name(&info), Some(object), None));
        }
    }
    Ok(print(cx, pairs))
}

/// As it would be if it were applied. Models `InfoObject.Merged`.
async fn merged(cx: &mut Cx<'_, '_>, info: &Info, live: Option<&Value>) -> Result<Value, Error> {
    let manager = cx.flags.string("field-manager").to_string();
    if cx.flags.bool("server-side") {
        let manager = if manager == "kubectl-client-side-apply" { "kubectl".into() } else { manager };
        let force = if cx.flags.bool("force-conflicts") { "true" } else { "false" };
        let q = query(&[("dryRun", "All"), ("fieldManager", &manager), ("force", force)]);
        let mut r = Request::new("PATCH", info.path() + &q).header("Content-Type", APPLY);
        r.body = gojson::compact(&info.object).into_bytes();
        return cx.send(r.header("Accept", "application/json")).await;
    }
    let q = cx.write_query(DryRun::Server, &manager, "");
    let Some(live) = live else {
        let path = info.mapping.path(Some(&info.namespace), None) + &q;
        return cx.send(Request::new("POST", path).header("Accept", "application/json").json(&info.object)).await;
    };
    let modified: Value = serde_json::from_str(&last_applied(&info.object)).unwrap_or_default();
    let (kind, patch) = three_way(info, &modified, live);
    if patch == json!({}) {
        return Ok(live.clone());
    }
    cx.patch(info.path() + &q, kind, &patch).await.map_err(|e| {
        let verb = format!("applying patch:\n{}\nto:\n{}\nfor:", gojson::compact(&patch), crate::apply::describe(info));
        e.with_source(&verb, &info.source)
    })
}

/// `apps.v1.Deployment.default.web`
fn file_name(info: &Info) -> String {
    let m = &info.mapping;
    let group = if m.group.is_empty() { String::new() } else { format!("{}.", m.group) };
    format!("{group}{}.{}.{}.{}", m.version, m.kind, info.namespace, info.name)
}

/// Values of a secret are not shown, only whether they differ. Models `Masker`.
fn mask(from: &mut Option<Value>, to: &mut Option<Value>) {
    let data = |v: &Option<Value>| v.as_ref().and_then(|v| v["data"].as_object().cloned());
    let (old, new) = (data(from).unwrap_or_default(), data(to).unwrap_or_default());
    for (key, value) in &old {
        let before = match new.get(key) {
            Some(v) if v != value => "*** (before)",
            _ => "***",
        };
        set(from, key, before);
    }
    for (key, value) in &new {
        let after = match old.get(key) {
            Some(v) if v != value => "*** (after)",
            _ => "***",
        };
        set(to, key, after);
    }
}

fn set(object: &mut Option<Value>, key: &str, to: &str) {
    if let Some(object) = object {
        object["data"][key] = to.into();
    }
}

/// `2026-01-02 03:04:05.000006000 +0000`
fn stamp(micros: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or_default();
    format!("{} +0000", time.strftime("%Y-%m-%d %H:%M:%S.%9f"))
}

/// Whether anything differs.
fn print(cx: &mut Cx<'_, '_>, mut pairs: Vec<(String, Option<Value>, Option<Value>)>) -> bool {
    // As diff walks directories.
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    let now = cx.client().now();
    let number = now.unsigned_abs() % 10_000_000_000;
    let dirs = (format!("/tmp/LIVE-{number}"), format!("/tmp/MERGED-{}", number + 1));
    let mut differs = false;
    for (name, mut from, mut to) in pairs {
        // What would be pruned is shown as it is.
        if to.is_some() && !cx.flags.bool("show-managed-fields") {
            for o in [&mut from, &mut to] {
                if let Some(m) = o.as_mut().and_then(|o| o["metadata"].as_object_mut()) {
                    m.remove("managedFields");
                }
            }
        }
        if to.as_ref().is_some_and(|o| o["apiVersion"] == "v1" && o["kind"] == "Secret") {
            mask(&mut from, &mut to);
        }
        let text = |o: &Option<Value>| o.as_ref().map_or(String::new(), to_yaml);
        let hunks = unified::hunks(&text(&from), &text(&to));
        if !hunks.is_empty() {
            differs = true;
            let (a, b) = (format!("{}/{name}", dirs.0), format!("{}/{name}", dirs.1));
            let at = stamp(now);
            cx.out(&format!("diff -u -N {a} {b}\n--- {a}\t{at}\n+++ {b}\t{at}\n{hunks}"));
        }
    }
    differs
}
