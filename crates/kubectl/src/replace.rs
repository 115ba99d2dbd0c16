//! `kubectl replace`. Models `kubectl/pkg/cmd/replace`.

use crate::apply::annotated;
use crate::builder::{Builder, Info, aggregate};
use crate::client::Request;
use crate::cx::{Cx, DryRun};
use crate::error::Error;
use crate::result::Results;
use serde_json::{Value, json};

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let b = Builder::of(cx);
    if !b.has_files() {
        return Err(Error::text("must specify one of -f and -k"));
    }
    if !cx.flags.string("raw").is_empty() {
        return crate::raw::send(cx, "PUT").await;
    }
    let dry = cx.dry_run()?;
    let force = cx.flags.bool("force");
    if cx.flags.int("grace-period") >= 0 && !force {
        return Err(Error::text("--grace-period must have --force specified"));
    }
    if cx.flags.duration("timeout") != 0 && !force {
        return Err(Error::text("--timeout must have --force specified"));
    }
    if force && dry != DryRun::None {
        return Err(Error::text("--dry-run can not be used when --force is set"));
    }
    let mut results = Results::of(cx, dry)?;
    let found = Builder { continue_on_error: true, ..b }.find(cx, &[]).await?;
    let mut errors = found.errors;
    let manager = cx.flags.string("field-manager").to_string();
    if force {
        // All go before the first comes back.
        for info in found.infos.iter().filter(|i| !i.name.is_empty()) {
            remove(cx, info, true).await?;
        }
        for info in found.infos.iter().filter(|i| !i.name.is_empty()) {
            gone(cx, info).await?;
        }
    }
    for info in found.infos {
        if info.name.is_empty() {
            errors.push(Error::text("resource name may not be empty").with_source("replacing", &info.source));
            continue;
        }
        let q = cx.write_query(dry, &manager, cx.field_validation()?);
        let had = info.object["metadata"]["annotations"].get(crate::apply::LAST_APPLIED).is_some();
        let object = if cx.flags.bool("save-config") || had { annotated(&info.object) } else { info.object.clone() };
        let done = if dry == DryRun::Client {
            Ok(object)
        } else if force {
            create(cx, &info, &object, &q).await
        } else {
            put(cx, &info, object, &q).await
        };
        match done {
            Ok(object) => results.print(cx, &object, "replaced")?,
            Err(e @ Error::Connection(_)) => return Err(e),
            Err(e) => errors.push(e.with_source("replacing", &info.source)),
        }
    }
    aggregate(errors)
}

/// Without a resource version the live one is taken. Models `Helper.Replace` with overwrite.
pub(crate) async fn put(cx: &mut Cx<'_, '_>, info: &Info, mut object: Value, q: &str) -> Result<Value, Error> {
    if object["metadata"]["resourceVersion"].as_str().unwrap_or("").is_empty() {
        let live = cx.get(info.path()).await;
        if let Ok(live) = live
            && let Some(m) = object.get_mut("metadata").and_then(Value::as_object_mut)
        {
            m.insert("resourceVersion".into(), live["metadata"]["resourceVersion"].clone());
        }
    }
    let below = match cx.command.flag("subresource").map(|_| cx.flags.string("subresource")).unwrap_or("") {
        "" => String::new(),
        name => format!("/{name}"),
    };
    let r = Request::new("PUT", info.path() + &below + q).header("Accept", "application/json").json(&object);
    cx.send(r).await
}

/// Deletes the object, waits for its end, creates it anew.
pub(crate) async fn again(cx: &mut Cx<'_, '_>, info: &Info, object: &Value, q: &str) -> Result<Value, Error> {
    remove(cx, info, false).await?;
    gone(cx, info).await?;
    create(cx, info, object, q).await
}

async fn remove(cx: &mut Cx<'_, '_>, info: &Info, told: bool) -> Result<(), Error> {
    let mut r = Request::new("DELETE", info.path()).header("Accept", "application/json");
    r = r.json(&json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background", "gracePeriodSeconds": 0}));
    match cx.send(r).await {
        Ok(_) if told => {
            let from =
                if info.namespace.is_empty() { String::new() } else { format!(" from {} namespace", info.namespace) };
            cx.out(&format!("{} {:?} deleted{from}\n", info.mapping.called(), info.name));
        }
        Err(e) if !e.is_not_found() => return Err(e),
        _ => {}
    }
    Ok(())
}

async fn gone(cx: &mut Cx<'_, '_>, info: &Info) -> Result<(), Error> {
    loop {
        match cx.get(info.path()).await {
            Err(e) if e.is_not_found() => return Ok(()),
            Err(e) => return Err(e),
            Ok(_) => cx.env.terminal.sleep(100_000).await,
        }
    }
}

async fn create(cx: &mut Cx<'_, '_>, info: &Info, object: &Value, q: &str) -> Result<Value, Error> {
    let mut object = object.clone();
    if let Some(m) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        m.remove("resourceVersion");
    }
    let path = info.mapping.path(Some(&info.namespace), None) + q;
    cx.send(Request::new("POST", path).header("Accept", "application/json").json(&object)).await
}
