//! `kubectl cordon`, `uncordon`, `drain` and `taint`. Models `kubectl/pkg/cmd/drain`, `kubectl/pkg/drain` and
//! `kubectl/pkg/cmd/taint`.

use crate::builder::{Builder, Info, aggregate};
use crate::client::{Request, query};
use crate::cx::{Cx, DryRun, STRATEGIC};
use crate::error::Error;
use crate::print::name_of;
use crate::result::Results;
use serde_json::{Value, json};

pub(crate) async fn cordon(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let wanted = cx.command.path != "uncordon";
    let dry = cx.dry_run()?;
    let infos = nodes(cx).await?;
    mark(cx, &infos, wanted, dry).await
}

async fn nodes(cx: &mut Cx<'_, '_>) -> Result<Vec<Info>, Error> {
    let b = Builder::of(cx);
    if cx.args.is_empty() && b.selector.is_none() {
        return Err(cx.usage(format!("USAGE: {} [flags]", usage(cx))));
    }
    if !cx.args.is_empty() && b.selector.is_some() {
        return Err(cx.usage("error: cannot specify both a node name and a --selector option"));
    }
    let mut words = vec!["node".to_string()];
    words.extend(cx.args.iter().map(|a| a.rsplit('/').next().unwrap_or(a).to_string()));
    if cx.args.len() == 1 && cx.args[0].contains('/') {
        words = cx.args.clone();
    }
    let b = Builder { selector: b.selector, chunk: 500, ..Builder::default() };
    let infos = b.find(cx, &words).await?.all()?;
    if let Some(i) = infos.iter().find(|i| i.mapping.kind != "Node") {
        return Err(Error::text(format!("error: expected resource of type node, got {:?}", i.mapping.resource)));
    }
    Ok(infos)
}

fn usage(cx: &Cx<'_, '_>) -> String {
    format!("{} NODE", cx.command.path)
}

async fn mark(cx: &mut Cx<'_, '_>, infos: &[Info], wanted: bool, dry: DryRun) -> Result<(), Error> {
    let mut errors = Vec::new();
    for info in infos {
        let have = info.object["spec"]["unschedulable"].as_bool().unwrap_or(false);
        let said = if wanted { "cordoned" } else { "uncordoned" };
        if have == wanted {
            cx.out(&format!("{} already {said}{}\n", name_of(&info.object), dry.suffix()));
            continue;
        }
        if dry != DryRun::Client {
            let value = if wanted { json!(true) } else { Value::Null };
            let q = cx.write_query(dry, "", "");
            let patch = json!({"spec": {"unschedulable": value}});
            if let Err(e) = cx.patch(info.path() + &q, STRATEGIC, &patch).await {
                let verb = if wanted { "cordon" } else { "uncordon" };
                cx.err(&format!("error: unable to {verb} node {:?}: {}\n", info.name, e.go()));
                errors.push(e);
                continue;
            }
        }
        cx.out(&format!("{} {said}{}\n", name_of(&info.object), dry.suffix()));
    }
    aggregate(errors)
}

/// A pod on the node, and what becomes of it.
enum Fate {
    Evict,
    Leave,
    /// It stays, and is told of.
    Warn(&'static str),
    Refuse(&'static str),
}

/// Why, and which pods.
type Told = (&'static str, Vec<String>);

const DAEMONS: &str = "DaemonSet-managed Pods";

fn fate(pod: &Value, cx: &Cx<'_, '_>) -> Fate {
    let finished = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    if pod["metadata"]["annotations"]["kubernetes.io/config.mirror"].is_string() {
        return Fate::Leave;
    }
    let owner = pod["metadata"]["ownerReferences"].as_array().and_then(|l| l.iter().find(|o| o["controller"] == true));
    if owner.is_some_and(|o| o["kind"] == "DaemonSet") && !finished {
        return if cx.flags.bool("ignore-daemonsets") { Fate::Warn(DAEMONS) } else { Fate::Refuse(DAEMONS) };
    }
    if finished {
        return Fate::Evict;
    }
    let local = pod["spec"]["volumes"].as_array().is_some_and(|v| v.iter().any(|v| v["emptyDir"].is_object()));
    if local && !cx.flags.bool("delete-emptydir-data") {
        return Fate::Refuse("Pods with local storage");
    }
    if owner.is_none() && !cx.flags.bool("force") {
        return Fate::Refuse("Pods that declare no controller");
    }
    if owner.is_none() { Fate::Warn("") } else { Fate::Evict }
}

pub(crate) async fn drain(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let dry = cx.dry_run()?;
    if meta::labels::Selector::parse(cx.flags.string("pod-selector")).is_err() {
        return Err(Error::text("--pod-selector=<pod_selector> must be a valid label selector"));
    }
    let infos = nodes(cx).await?;
    mark(cx, &infos, true, dry).await?;
    let mut errors = Vec::new();
    for (i, info) in infos.iter().enumerate() {
        match drain_one(cx, info, dry).await {
            Ok(()) => cx.out(&format!("{} drained{}\n", name_of(&info.object), dry.suffix())),
            Err(e) => {
                cx.err(&format!(
                    "error: unable to drain node {:?} due to error: {}, continuing command...\n",
                    info.name,
                    e.go()
                ));
                if i + 1 == infos.len() {
                    cx.err("There are pending nodes to be drained:\n");
                    for left in infos.iter() {
                        cx.err(&format!(" {}\n", left.name));
                    }
                }
                // Of several nodes, each is told in a line.
                errors.push(if infos.len() > 1 { Error::Text(e.go()) } else { e });
            }
        }
    }
    match aggregate(errors) {
        Ok(()) => Ok(()),
        Err(e @ Error::Many(_)) => Err(e),
        Err(e) => Err(Error::Text(e.go())),
    }
}

async fn drain_one(cx: &mut Cx<'_, '_>, info: &Info, dry: DryRun) -> Result<(), Error> {
    let field = format!("spec.nodeName={}", info.name);
    let selector = cx.flags.string("pod-selector").to_string();
    let path = format!("/api/v1/pods{}", query(&[("fieldSelector", &field), ("labelSelector", &selector)]));
    let list = cx.get(path).await?;
    let mut evict: Vec<Value> = Vec::new();
    let (mut warn, mut refuse): (Vec<Told>, Vec<Told>) = (Vec::new(), Vec::new());
    for pod in list["items"].as_array().into_iter().flatten() {
        let name = |p: &Value| {
            let t = |f: &str| p["metadata"][f].as_str().unwrap_or("").to_string();
            format!("{}/{}", t("namespace"), t("name"))
        };
        let note = |list: &mut Vec<Told>, why: &'static str| match list.iter_mut().find(|(w, _)| *w == why) {
            Some((_, names)) => names.push(name(pod)),
            None => list.push((why, vec![name(pod)])),
        };
        match fate(pod, cx) {
            Fate::Leave => {}
            Fate::Evict => evict.push(pod.clone()),
            Fate::Warn("") => {
                note(&mut warn, "Pods that declare no controller");
                evict.push(pod.clone());
            }
            Fate::Warn(why) => note(&mut warn, why),
            Fate::Refuse(why) => note(&mut refuse, why),
        }
    }
    if !refuse.is_empty() {
        let errors: Vec<String> = refuse
            .iter()
            .map(|(why, names)| {
                let flag = match *why {
                    DAEMONS => "use --ignore-daemonsets to ignore",
                    "Pods with local storage" => "use --delete-emptydir-data to override",
                    _ => "use --force to override",
                };
                // Upstream's own reason for these begins with the verb, too.
                let verb = if why.ends_with("no controller") { "cannot delete " } else { "" };
                format!("cannot delete {verb}{why} ({flag}): {}", names.join(", "))
            })
            .collect();
        return Err(Error::Many(errors.into_iter().map(Error::Text).collect()));
    }
    let warnings: Vec<String> = warn
        .iter()
        .map(|(why, names)| {
            let verb = if *why == DAEMONS { "ignoring" } else { "deleting" };
            format!("{verb} {why}: {}", names.join(", "))
        })
        .collect();
    if !warnings.is_empty() {
        cx.err(&format!("Warning: {}\n", warnings.join("; ")));
    }
    let grace = cx.flags.int("grace-period");
    let timeout = cx.flags.duration("timeout");
    let begun = cx.client().now();
    for pod in &evict {
        let t = |f: &str| pod["metadata"][f].as_str().unwrap_or("").to_string();
        let (ns, name) = (t("namespace"), t("name"));
        cx.out(&format!("evicting pod {ns}/{name}{}\n", dry.suffix()));
        if dry == DryRun::Client {
            continue;
        }
        let mut body =
            json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": ns}});
        if grace >= 0 {
            body["deleteOptions"] = json!({"gracePeriodSeconds": grace});
        }
        let q = cx.write_query(dry, "", "");
        loop {
            let r = Request::new("POST", format!("/api/v1/namespaces/{ns}/pods/{name}/eviction{q}"));
            match cx.send(r.header("Accept", "application/json").json(&body)).await {
                Ok(_) => break,
                Err(e) if e.is_not_found() => break,
                Err(e) if e.status().is_some_and(|s| s.reason() == "TooManyRequests") => {
                    cx.err(&format!("error when evicting pods/{name:?} -n {ns:?} (will retry after 5s): {}\n", e.go()));
                    if timeout > 0 && cx.client().now().saturating_sub(begun) > timeout {
                        return Err(Error::text("error when evicting pods: global timeout reached"));
                    }
                    cx.env.terminal.sleep(5_000_000).await;
                }
                Err(e) => return Err(e),
            }
        }
    }
    if dry != DryRun::None {
        return Ok(());
    }
    for pod in &evict {
        let t = |f: &str| pod["metadata"][f].as_str().unwrap_or("").to_string();
        let path = format!("/api/v1/namespaces/{}/pods/{}", t("namespace"), t("name"));
        loop {
            match cx.get(path.clone()).await {
                Err(e) if e.is_not_found() => break,
                Err(e) => return Err(e),
                Ok(o) if o["metadata"]["uid"] != pod["metadata"]["uid"] => break,
                Ok(_) => cx.env.terminal.sleep(500_000).await,
            }
        }
        cx.out(&format!("pod/{} evicted\n", t("name")));
    }
    Ok(())
}

#[derive(Clone, Debug, PartialEq)]
struct Taint {
    key: String,
    value: String,
    effect: String,
}

/// `KEY=VALUE:EFFECT`, `KEY:EFFECT` or `KEY`. Models `parseTaint`.
fn taint_of(text: &str) -> Result<Taint, Error> {
    let bad = || Error::text(format!("invalid taint spec: {text}"));
    let parts: Vec<&str> = text.split(':').collect();
    let (head, effect) = match parts[..] {
        [head] => (head, ""),
        [head, effect] => (head, effect),
        _ => return Err(bad()),
    };
    let (mut key, mut value) = (head, "");
    let fits = |errors: Vec<String>| match errors.as_slice() {
        [] => Ok(()),
        errors => Err(Error::text(format!("invalid taint spec: {text}, {}", errors.join("; ")))),
    };
    if parts.len() == 2 {
        if !matches!(effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
            return Err(Error::text(format!("invalid taint effect: {effect}, unsupported taint effect")));
        }
        if let Some((k, v)) = head.split_once('=') {
            if v.contains('=') {
                return Err(bad());
            }
            (key, value) = (k, v);
            fits(meta::validate::label_value(value))?;
        }
    }
    fits(meta::validate::qualified_name(key))?;
    Ok(Taint { key: key.into(), value: value.into(), effect: effect.into() })
}

pub(crate) async fn taint(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let (mut resources, mut specs): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for a in &cx.args {
        let is_taint = a.contains('=') || a.contains(':') || a.ends_with('-');
        if is_taint {
            specs.push(a.clone());
        } else if specs.is_empty() {
            resources.push(a.clone());
        } else {
            return Err(Error::text(format!("all resources must be specified before taint changes: {a}")));
        }
    }
    if resources.is_empty() {
        return Err(Error::text("one or more resources must be specified as <resource> <name>"));
    }
    if specs.is_empty() {
        return Err(Error::text("at least one taint update is required"));
    }
    let (mut add, mut remove): (Vec<Taint>, Vec<Taint>) = (Vec::new(), Vec::new());
    let usage = |e: Error| Error::usage("kubectl taint", e.go());
    for s in &specs {
        match s.strip_suffix('-') {
            Some(t) => remove.push(taint_of(t).map_err(usage)?),
            None => {
                let t = taint_of(s).map_err(usage)?;
                if t.effect.is_empty() {
                    return Err(cx.usage(format!("invalid taint spec: {s}")));
                }
                if add.iter().any(|a| a.key == t.key && a.effect == t.effect) {
                    return Err(cx.usage(format!(
                        "duplicated taints with the same key and effect: {{{} {} {} <nil>}}",
                        t.key, t.value, t.effect
                    )));
                }
                add.push(t);
            }
        }
    }
    let conflicts = |t: &Taint, r: &Taint| r.key == t.key && (r.effect.is_empty() || r.effect == t.effect);
    let of_one = |t| remove.iter().filter(move |r| conflicts(t, r));
    let both: Vec<String> = add.iter().flat_map(of_one).map(|r| format!("{}={}", r.key, r.effect)).collect();
    if !both.is_empty() {
        return Err(Error::text(format!(
            "can not both modify and remove the following taint(s) in the same command: {}",
            both.join(", ")
        )));
    }
    let word = resources[0].split('/').next().unwrap_or("");
    let kind = cx.discovery().await?.resource(word).map_err(|e| Error::Plain(e.go()))?;
    if kind.kind != "Node" {
        return Err(Error::text(format!("invalid resource type {}, only node types are supported", resources[0])));
    }
    let b = Builder::of(cx);
    if b.all && b.selector.is_some() {
        return Err(Error::text("setting 'all' parameter with a non empty selector is prohibited"));
    }
    if resources.len() < 2 && !resources[0].contains('/') && !b.all && b.selector.is_none() {
        return Err(Error::text("at least one resource name must be specified since 'all' parameter is not set"));
    }
    let dry = cx.dry_run()?;
    let found = Builder { continue_on_error: true, ..b }.find(cx, &resources).await?;
    let mut errors = found.errors;
    let overwrite = cx.flags.bool("overwrite");
    for info in found.infos {
        match taint_one(cx, &info, &add, &remove, overwrite, dry).await {
            Ok(()) => {}
            Err(e @ Error::Connection(_)) => return Err(e),
            Err(e) => errors.push(e),
        }
    }
    aggregate(errors)
}

async fn taint_one(
    cx: &mut Cx<'_, '_>,
    info: &Info,
    add: &[Taint],
    remove: &[Taint],
    overwrite: bool,
    dry: DryRun,
) -> Result<(), Error> {
    let old: Vec<Value> = info.object["spec"]["taints"].as_array().cloned().unwrap_or_default();
    let is =
        |v: &Value, t: &Taint| v["key"] == t.key.as_str() && (t.effect.is_empty() || v["effect"] == t.effect.as_str());
    if !overwrite {
        let taken: Vec<&str> = add.iter().filter(|t| old.iter().any(|o| is(o, t))).map(|t| t.key.as_str()).collect();
        if !taken.is_empty() {
            return Err(Error::text(format!(
                "node {} already has {} taint(s) with same effect(s) and --overwrite is false",
                info.name,
                taken.join(",")
            )));
        }
    }
    let mut new: Vec<Value> = add
        .iter()
        .map(|t| {
            let mut v = json!({"key": t.key, "effect": t.effect});
            if !t.value.is_empty() {
                v["value"] = t.value.clone().into();
            }
            v
        })
        .collect();
    for o in &old {
        if !add.iter().any(|t| is(o, t)) {
            new.push(o.clone());
        }
    }
    let added = old.len() != new.len();
    let (mut deleted, mut errors) = (false, Vec::new());
    for t in remove {
        let before = new.len();
        new.retain(|v| !is(v, t));
        deleted = before != new.len();
        if !deleted {
            let shown = if t.effect.is_empty() { t.key.clone() } else { format!("{}:{}", t.key, t.effect) };
            errors.push(Error::text(format!("taint {shown:?} not found")));
        }
    }
    aggregate(errors)?;
    let said = if (added && deleted) || overwrite {
        "modified"
    } else if added {
        "tainted"
    } else {
        "untainted"
    };
    let mut object = info.object.clone();
    object["spec"]["taints"] = json!(new);
    if dry != DryRun::Client {
        let patch = json!({"spec": {"taints": if new.is_empty() { Value::Null } else { json!(new) }}});
        let manager = cx.flags.string("field-manager").to_string();
        let q = cx.write_query(dry, &manager, "");
        object = cx.patch(info.path() + &q, STRATEGIC, &patch).await?;
    }
    // Nor does this say that it was a dry run at the server.
    let mut results = Results::of(cx, DryRun::None)?.typed();
    results.print(cx, &object, said)
}
