//! `kubectl set`. Models `kubectl/pkg/cmd/set`.

use crate::builder::{Builder, Info, MISSING, aggregate};
use crate::client::Request;
use crate::cx::{Cx, DryRun, STRATEGIC};
use crate::error::Error;
use crate::pairs;
use crate::polymorphic::pod_spec;
use crate::result::Results;
use serde_json::{Map, Value};

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    match cx.command.name() {
        "image" => image(cx).await,
        "env" => crate::set_env::env(cx).await,
        "resources" => resources(cx).await,
        "serviceaccount" => serviceaccount(cx).await,
        "selector" => selector(cx).await,
        "subject" => crate::set_subject::run(cx).await,
        name => Err(Error::text(format!("kubectl set {name} is not in this terminal yet"))),
    }
}

/// Models `resource.LocalResourceError`.
const NOT_LOCAL: &str = "error: you must specify resources by --filename when --local is set.\n\
    Example resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'";

pub(crate) async fn find(cx: &mut Cx<'_, '_>, args: &[String]) -> Result<Vec<Info>, Error> {
    let local = cx.flags.bool("local");
    let b = Builder::of(cx);
    let args = match (local, cx.command.name()) {
        // These two look at no words then, and at no server.
        (true, "env" | "serviceaccount") => &[],
        (true, _) if !args.is_empty() => return Err(Error::text(NOT_LOCAL)),
        _ => args,
    };
    if local && !b.has_files() {
        return Err(Error::text(MISSING));
    }
    // `--all` only says that a type alone will do.
    let b = Builder { continue_on_error: true, latest: !local, local, all: false, empty_selector: b.all, ..b };
    b.find(cx, args).await?.all()
}

/// The patch that makes `new` of what was found, sent, and what came of it printed.
pub(crate) async fn send(
    cx: &mut Cx<'_, '_>,
    results: &mut Results,
    info: &Info,
    new: Value,
    dry: DryRun,
    said: &str,
    what: &str,
) -> Result<(), Error> {
    if dry == DryRun::Client || cx.flags.bool("local") {
        let mut new = new;
        if cx.flags.bool("local") {
            crate::typed::filled(&mut new);
        }
        return results.print(cx, &new, said);
    }
    let patch = crate::threeway::strategic(&info.mapping.kind, &info.object, &new, &info.object);
    let manager = cx.flags.string("field-manager").to_string();
    let q = cx.write_query(dry, &manager, "");
    let sent = cx.patch(info.path() + &q, STRATEGIC, &patch).await;
    let object = sent.map_err(|e| match e {
        Error::Status(_) => Error::text(format!("{what}{}", e.go())),
        e => e,
    })?;
    results.print(cx, &object, said)
}

/// The spec of an object's pods to change.
pub(crate) fn pods_of<'v>(info: &Info, object: &'v mut Value) -> Result<&'v mut Value, Error> {
    let m = &info.mapping;
    let pointer = pod_spec(&info.object);
    // As Go names the type.
    let kind = format!("*{}.{}", m.version, m.kind);
    pointer.and_then(|p| object.pointer_mut(p)).ok_or_else(|| {
        Error::text(format!(
            "error: {} the object is not a pod or does not have a pod template: {kind}\n",
            info.object_name()
        ))
    })
}

pub(crate) fn chosen(name: &str, pattern: &str) -> bool {
    if let Some((head, tail)) = pattern.split_once('*') {
        return name.starts_with(head) && name.ends_with(tail) && name.len() >= head.len() + tail.len();
    }
    name == pattern
}

async fn image(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let p = pairs::split(&cx.args, "image")?;
    let (images, _) = pairs::parse(&p.words, "image", false)?;
    let dry = cx.dry_run()?;
    let b = Builder::of(cx);
    let mut errors = Vec::new();
    if b.all && b.selector.is_some() {
        errors.push(Error::text("cannot set --all and --selector at the same time"));
    }
    let infos = find(cx, &p.resources).await?;
    if images.is_empty() {
        errors.push(Error::text("at least one image update is required"));
    } else if images.len() > 1 && images.iter().any(|(n, _)| n == "*") {
        errors.push(Error::text(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs",
        ));
    }
    aggregate(errors)?;
    let mut errors = Vec::new();
    let mut results = Results::of(cx, dry)?.typed();
    for info in infos {
        let mut new = info.object.clone();
        let spec = match pods_of(&info, &mut new) {
            Ok(spec) => spec,
            Err(e) => {
                errors.push(e);
                continue;
            }
        };
        for (name, image) in &images {
            let mut found = false;
            for field in ["initContainers", "containers"] {
                for c in spec[field].as_array_mut().into_iter().flatten() {
                    if name == "*" || c["name"] == name.as_str() {
                        c["image"] = image.clone().into();
                        found = true;
                    }
                }
            }
            if !found {
                errors.push(Error::text(format!("error: unable to find container named {name:?}")));
            }
        }
        tidy(&mut new);
        if new == tidied(&info.object) {
            continue;
        }
        if let Err(e) =
            send(cx, &mut results, &info, new, dry, "image updated", "failed to patch image update to pod template: ")
                .await
        {
            errors.push(e);
        }
    }
    aggregate(errors)
}

/// Looking for a list that is not there leaves a null.
pub(crate) fn tidy(v: &mut Value) {
    if let Some(m) = v.as_object_mut() {
        m.retain(|_, v| !v.is_null());
        m.values_mut().for_each(tidy);
    }
}

pub(crate) fn tidied(v: &Value) -> Value {
    let mut v = v.clone();
    tidy(&mut v);
    v
}

fn amounts(text: &str) -> Result<Map<String, Value>, Error> {
    let mut out = Map::new();
    for part in text.split(',').filter(|p| !p.is_empty()) {
        let parts: Vec<&str> = part.split('=').collect();
        let [k, v] = parts.as_slice() else {
            return Err(Error::text(format!("Invalid argument syntax {part}, expected <resource>=<value>")));
        };
        let q = meta::Quantity::parse(v).map_err(|_| {
            Error::text("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
        })?;
        out.insert((*k).into(), q.to_string().into());
    }
    Ok(out)
}

async fn resources(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let dry = cx.dry_run()?;
    let (limits, requests) = (cx.flags.string("limits").to_string(), cx.flags.string("requests").to_string());
    let args = cx.args.clone();
    let infos = find(cx, &args).await?;
    if limits.is_empty() && requests.is_empty() {
        return Err(Error::text(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        ));
    }
    let (limits, requests) = (amounts(&limits)?, amounts(&requests)?);
    let pattern = cx.flags.string("containers").to_string();
    let mut errors = Vec::new();
    let mut results = Results::of(cx, dry)?.typed();
    for info in infos {
        let mut new = info.object.clone();
        let spec = match pods_of(&info, &mut new) {
            Ok(s) => s,
            Err(e) => {
                errors.push(e);
                continue;
            }
        };
        let mut count = 0;
        for field in ["containers", "initContainers"] {
            for c in spec[field].as_array_mut().into_iter().flatten() {
                if !chosen(c["name"].as_str().unwrap_or(""), &pattern) {
                    continue;
                }
                count += 1;
                for (name, amounts) in [("limits", &limits), ("requests", &requests)] {
                    for (k, v) in amounts {
                        c["resources"][name][k] = v.clone();
                    }
                }
            }
        }
        if count == 0 {
            errors.push(Error::text(format!("error: unable to find container named {pattern}")));
            continue;
        }
        tidy(&mut new);
        if new == tidied(&info.object) {
            continue;
        }
        let what = "failed to patch resources update to pod template ";
        if let Err(e) = send(cx, &mut results, &info, new, dry, "resource requirements updated", what).await {
            errors.push(e);
        }
    }
    aggregate(errors)
}

async fn serviceaccount(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let dry = cx.dry_run()?;
    let Some((name, resources)) = cx.args.split_last().map(|(n, r)| (n.clone(), r.to_vec())) else {
        return Err(Error::text("serviceaccount is required"));
    };
    let infos = find(cx, &resources).await?;
    let mut errors = Vec::new();
    let mut results = Results::of(cx, dry)?.typed();
    for info in infos {
        let mut new = info.object.clone();
        match pods_of(&info, &mut new) {
            Ok(spec) => spec["serviceAccountName"] = name.clone().into(),
            Err(e) => {
                errors.push(e);
                continue;
            }
        }
        if let Err(e) =
            send(cx, &mut results, &info, new, dry, "serviceaccount updated", "failed to patch ServiceAccountName ")
                .await
        {
            errors.push(e);
        }
    }
    aggregate(errors)
}

/// `%v` of label selector requirements.
fn shown(list: &[Value]) -> String {
    let of = |e: &Value| {
        let values: Vec<&str> = e["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        format!(
            "{{{} {} [{}]}}",
            e["key"].as_str().unwrap_or(""),
            e["operator"].as_str().unwrap_or(""),
            values.join(" ")
        )
    };
    format!("[{}]", list.iter().map(of).collect::<Vec<_>>().join(" "))
}

async fn selector(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let dry = cx.dry_run()?;
    let Some((text, resources)) = cx.args.split_last().map(|(t, r)| (t.clone(), r.to_vec())) else {
        return Err(Error::text("one selector is required"));
    };
    let selector: Map<String, Value> =
        text.split(',').filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_string(), v.into())).collect();
    let expressions = crate::create::label_selector(&text)?["matchExpressions"].clone();
    let infos = find(cx, &resources).await?;
    let version = cx.flags.string("resource-version").to_string();
    let mut results = Results::of(cx, dry)?.typed();
    let mut errors = Vec::new();
    for info in infos {
        if let Some(list) = expressions.as_array() {
            errors.push(Error::text(format!("match expression {} not supported on this object", shown(list))));
            continue;
        }
        if info.mapping.kind != "Service" {
            errors.push(Error::text("setting a selector is only supported for Services"));
            continue;
        }
        let mut new = info.object.clone();
        new["spec"]["selector"] = Value::Object(selector.clone());
        if !version.is_empty() {
            new["metadata"]["resourceVersion"] = version.clone().into();
        }
        if cx.flags.bool("local") {
            crate::typed::filled(&mut new);
        } else if dry != DryRun::Client {
            let manager = cx.flags.string("field-manager").to_string();
            let q = cx.write_query(dry, &manager, "");
            new =
                cx.send(Request::new("PUT", info.path() + &q).header("Accept", "application/json").json(&new)).await?;
        }
        results.print(cx, &new, "selector updated")?;
    }
    aggregate(errors)
}
