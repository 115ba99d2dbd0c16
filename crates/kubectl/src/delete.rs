//! `kubectl delete`. Models `kubectl/pkg/cmd/delete`.

use crate::builder::{Builder, Info, aggregate};
use crate::client::{Request, query};
use crate::cx::{Cx, DryRun};
use crate::error::Error;
use serde_json::json;

/// Between two looks at whether an object is gone.
const POLL_MICROS: i64 = 100_000;

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let b = Builder { all_namespaces: cx.flags.bool("all-namespaces"), ..Builder::of(cx) };
    let dry = cx.dry_run()?;
    let (now, force) = (cx.flags.bool("now"), cx.flags.bool("force"));
    let mut grace = cx.flags.int("grace-period");
    if now {
        if grace != -1 {
            return Err(Error::text("--now and --grace-period cannot be specified together"));
        }
        grace = 1;
    }
    if grace == 0 && !force {
        grace = 1;
    }
    if force && grace < 0 {
        grace = 0;
    }
    let cascade = crate::apply::cascade(cx)?;
    let output = cx.flags.string("output").to_string();
    if !output.is_empty() && output != "name" {
        return Err(Error::text(format!("unexpected -o output mode: {output}. We only support '-o name'")));
    }
    if !cx.flags.string("raw").is_empty() {
        return crate::raw::send(cx, "DELETE").await;
    }
    if grace > 0 && force {
        return Err(Error::text("--force and --grace-period greater than 0 cannot be specified together"));
    }
    let selecting = b.all || b.selector.is_some() || b.field_selector.is_some();
    let ignore = cx.flags.bool("ignore-not-found") || (selecting && !cx.flags.changed("ignore-not-found"));
    let args = cx.args.clone();
    let found = Builder { continue_on_error: true, ..b }.names(cx, &args).await?;
    if grace == 0 && force {
        cx.err(
            "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. \
             The resource may continue to run on the cluster indefinitely.\n",
        );
    }
    let mut errors = found.errors;
    errors.retain(|e| !(ignore && e.is_not_found()));
    if cx.flags.bool("interactive") && !found.infos.is_empty() {
        aggregate(std::mem::take(&mut errors))?;
        if !confirmed(cx, &found.infos).await {
            cx.out("deletion is cancelled\n");
            return Ok(());
        }
    }
    let mut warn = cx.explicit_namespace() && !cx.flags.bool("all-namespaces");
    let (mut deleted, mut count): (Vec<(Info, String)>, usize) = (Vec::new(), 0);
    for info in found.infos {
        if warn && !info.mapping.namespaced {
            cx.err("Warning: deleting cluster-scoped resources, not scoped to the provided namespace\n");
            warn = false;
        }
        count += 1;
        if dry == DryRun::Client {
            say(cx, &info, dry, grace, &output);
            continue;
        }
        if let Err(e) = info.named() {
            errors.push(e.with_source("deleting", &info.source));
            continue;
        }
        let mut options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": cascade});
        if grace >= 0 {
            options["gracePeriodSeconds"] = grace.into();
        }
        let mut path = info.path();
        if dry == DryRun::Server {
            path += &query(&[("dryRun", "All")]);
        }
        let r = Request::new("DELETE", path).header("Accept", "application/json").json(&options);
        match cx.send(r).await {
            Ok(answer) => {
                say(cx, &info, dry, grace, &output);
                let uid = answer["details"]["uid"].as_str().or(answer["metadata"]["uid"].as_str()).unwrap_or("").into();
                deleted.push((info, uid));
            }
            Err(e) if e.is_not_found() && ignore => {}
            Err(e @ Error::Connection(_)) => return Err(e),
            Err(e) => errors.push(e.with_source("deleting", &info.source)),
        }
    }
    aggregate(errors)?;
    if count == 0 {
        cx.out("No resources found\n");
        return Ok(());
    }
    if cx.flags.bool("wait") && dry == DryRun::None {
        let timeout = cx.flags.duration("timeout");
        wait(cx, &deleted, if timeout == 0 { i64::MAX } else { timeout }).await?;
    }
    Ok(())
}

/// Asks whether these are meant; the answer is the first word that is piped in or typed. Models `confirmation`.
async fn confirmed(cx: &mut Cx<'_, '_>, infos: &[Info]) -> bool {
    cx.out(&format!("You are about to delete the following {} resource(s):\n", infos.len()));
    for info in infos {
        let m = &info.mapping;
        let group = if m.group.is_empty() { String::new() } else { format!(".{}", m.group) };
        cx.out(&format!("{}{group}/{}\n", m.kind.to_lowercase(), info.name));
    }
    cx.out("Do you want to continue? (y/n): ");
    let answer = match cx.env.stdin.take() {
        Some(piped) => piped,
        None => cx.env.terminal.line().await.unwrap_or_default(),
    };
    answer.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("y"))
}

/// Until all are gone, or stand there anew.
async fn wait(cx: &mut Cx<'_, '_>, list: &[(Info, String)], timeout: i64) -> Result<(), Error> {
    let begun = cx.client().now();
    for (info, uid) in list {
        loop {
            match cx.get(info.path()).await {
                Err(e) if e.is_not_found() => break,
                // Who may not look does not wait.
                Err(e) if e.status().is_some_and(|s| s.reason() == "Forbidden" || s.reason() == "MethodNotAllowed") => {
                    break;
                }
                Err(e) => return Err(e),
                Ok(o) if !uid.is_empty() && o["metadata"]["uid"].as_str() != Some(uid) => break,
                Ok(_) => {}
            }
            if cx.client().now().saturating_sub(begun) > timeout {
                return Err(Error::text(format!("timed out waiting for the condition on {}", info.object_name())));
            }
            cx.env.terminal.sleep(POLL_MICROS).await;
        }
    }
    Ok(())
}

fn say(cx: &mut Cx<'_, '_>, info: &Info, dry: DryRun, grace: i64, output: &str) {
    let kind = info.mapping.called();
    if output == "name" {
        cx.out(&format!("{kind}/{}\n", info.name));
        return;
    }
    let operation = if grace == 0 { "force deleted" } else { "deleted" };
    let from = if info.mapping.namespaced { format!(" from {} namespace", info.namespace) } else { String::new() };
    cx.out(&format!("{kind} {:?} {operation}{from}{}\n", info.name, dry.suffix()));
}
