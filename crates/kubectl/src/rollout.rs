//! `kubectl rollout`. Models `kubectl/pkg/cmd/rollout` and `kubectl/pkg/polymorphichelpers`.

use crate::apply::LAST_APPLIED;
use crate::builder::{Builder, Info, aggregate};
use crate::client::query;
use crate::cx::{Cx, DryRun, JSON_PATCH, STRATEGIC};
use crate::error::Error;
use crate::polymorphic::of_label_selector;
use crate::print::{Printer, name_of, table};
use crate::result::Results;
use crate::watch::Events;
use serde_json::{Value, json};

const REVISION: &str = "deployment.kubernetes.io/revision";
const CAUSE: &str = "kubernetes.io/change-cause";

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let b = Builder::of(cx);
    if cx.args.is_empty() && !b.has_files() {
        return Err(Error::text("required resource not specified"));
    }
    match cx.command.name() {
        "history" => history(cx, b).await,
        "status" => status(cx, b).await,
        "undo" => undo(cx, b).await,
        _ => change(cx, b).await,
    }
}

async fn find(cx: &mut Cx<'_, '_>, b: Builder) -> Result<(Vec<Info>, Vec<Error>), Error> {
    let args = cx.args.clone();
    let b = Builder { continue_on_error: true, latest: true, empty_selector: true, ..b };
    let found = b.find(cx, &args).await?;
    Ok((found.infos, found.errors))
}

/// `pause`, `resume` and `restart`.
async fn change(cx: &mut Cx<'_, '_>, b: Builder) -> Result<(), Error> {
    let what = cx.command.name();
    let (infos, mut errors) = find(cx, b).await?;
    if infos.is_empty() && errors.is_empty() {
        cx.err(&format!("No resources found in {} namespace.\n", cx.namespace()));
    }
    let mut results = Results::of(cx, DryRun::None)?.typed();
    let manager = cx.flags.string("field-manager").to_string();
    for info in infos {
        let kind = info.mapping.kind.as_str();
        let paused = info.object["spec"]["paused"].as_bool().unwrap_or(false);
        let (patch, said) = match what {
            "pause" | "resume" if kind != "Deployment" => {
                let doing = if what == "pause" { "pausing" } else { "resuming" };
                errors.push(failed(&info, &format!("{doing} is not supported")));
                continue;
            }
            "pause" if paused => {
                errors.push(failed(&info, "is already paused"));
                continue;
            }
            "resume" if !paused => {
                errors.push(failed(&info, "is not paused"));
                continue;
            }
            "pause" => (json!({"spec": {"paused": true}}), "paused"),
            "resume" => (json!({"spec": {"paused": null}}), "resumed"),
            _ if !matches!(kind, "Deployment" | "DaemonSet" | "StatefulSet") => {
                errors.push(failed(&info, "restarting is not supported"));
                continue;
            }
            _ if kind == "Deployment" && paused => {
                errors.push(failed(&info, "can't restart paused deployment (run rollout resume first)"));
                continue;
            }
            _ => {
                let now = meta::Time(u64::try_from(cx.client().now()).unwrap_or(0)).rfc3339();
                let annotations = json!({"kubectl.kubernetes.io/restartedAt": now});
                (json!({"spec": {"template": {"metadata": {"annotations": annotations}}}}), "restarted")
            }
        };
        let q = query(&[("fieldManager", &manager)]);
        match cx.patch(info.path() + &q, STRATEGIC, &patch).await {
            Ok(o) => results.print(cx, &o, said)?,
            Err(e @ Error::Connection(_)) => return Err(e),
            Err(e) => errors.push(Error::text(format!("failed to patch: {}", e.go()))),
        }
    }
    aggregate(errors)
}

fn failed(info: &Info, why: &str) -> Error {
    Error::text(format!("error: {} {:?} {why}", info.mapping.qualified(), info.name))
}

async fn status(cx: &mut Cx<'_, '_>, b: Builder) -> Result<(), Error> {
    let (revision, watch, timeout) = (cx.flags.int("revision"), cx.flags.bool("watch"), cx.flags.duration("timeout"));
    if revision < 0 {
        return Err(Error::text(format!("revision must be a positive integer: {revision}")));
    }
    let (infos, not_found) = find(cx, b).await?;
    if infos.is_empty() && not_found.is_empty() {
        cx.err(&format!("No resources found in {} namespace.\n", cx.namespace()));
    }
    let mut errors = Vec::new();
    for info in infos {
        let kind = info.mapping.kind.clone();
        if !matches!(kind.as_str(), "Deployment" | "DaemonSet" | "StatefulSet") {
            let group = &info.mapping.group;
            let full = if group.is_empty() { kind } else { format!("{kind}.{group}") };
            errors.push(Error::text(format!("no status viewer has been implemented for {full}")));
            continue;
        }
        match watched(cx, &info, revision, watch, timeout).await {
            Ok(()) => {}
            Err(e @ Error::Connection(_)) => return Err(e),
            Err(e) => errors.push(e),
        }
    }
    errors.extend(not_found);
    aggregate(errors)
}

/// Tells of one rollout until it is over. `timeout` in microseconds; none when it is not above 0.
async fn watched(cx: &mut Cx<'_, '_>, info: &Info, revision: i64, watch: bool, timeout: i64) -> Result<(), Error> {
    let mut object = info.object.clone();
    let mut stream: Option<Events> = None;
    let deadline = (timeout > 0).then(|| cx.client().now().saturating_add(timeout));
    loop {
        let (text, done) = said(&object, revision)?;
        cx.out(&text);
        if done || !watch {
            return Ok(());
        }
        let mut events = match stream.take() {
            Some(events) => events,
            None => {
                let version = object["metadata"]["resourceVersion"].as_str().unwrap_or("0").to_string();
                let path = crate::get::watch_path(info, Some(&info.name), &Builder::default(), &version);
                Events::open(cx, path, "application/json").await?
            }
        };
        match events.next_before(cx, deadline).await {
            Err(()) => return Err(Error::text("timed out waiting for the condition")),
            Ok(Some((t, _))) if t == "DELETED" => return Err(Error::text("object has been deleted")),
            Ok(Some((_, o))) => {
                object = o;
                stream = Some(events);
            }
            // The watch has ended; another one goes on.
            Ok(None) => {}
        }
    }
}

/// `CronJob.batch`, `Pod`.
fn group_kind(info: &Info) -> String {
    let m = &info.mapping;
    if m.group.is_empty() { m.kind.clone() } else { format!("{}.{}", m.kind, m.group) }
}

/// Kinds that upstream's visitor knows besides those with rollouts.
fn visited(kind: &str) -> bool {
    matches!(kind, "Pod" | "Job" | "CronJob" | "ReplicaSet" | "ReplicationController")
}

/// What to say of a rollout, and whether it is over. Models `StatusViewer`.
fn said(o: &Value, revision: i64) -> Result<(String, bool), Error> {
    let name = o["metadata"]["name"].as_str().unwrap_or("");
    let (spec, s) = (&o["spec"], &o["status"]);
    let n = |v: &Value| v.as_i64().unwrap_or(0);
    let seen = n(&o["metadata"]["generation"]) <= n(&s["observedGeneration"]);
    let waiting = |text: String| Ok((format!("Waiting for {text}\n"), false));
    match o["kind"].as_str() {
        Some("Deployment") => {
            let current: i64 =
                o["metadata"]["annotations"][REVISION].as_str().and_then(|r| r.parse().ok()).unwrap_or(0);
            if revision > 0 && revision != current {
                return Err(Error::text(format!(
                    "desired revision ({revision}) is different from the running revision ({current})"
                )));
            }
            if !seen {
                return waiting("deployment spec update to be observed...".into());
            }
            let late = s["conditions"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|c| c["type"] == "Progressing" && c["reason"] == "ProgressDeadlineExceeded");
            if late {
                return Err(Error::text(format!("deployment {name:?} exceeded its progress deadline")));
            }
            let (updated, replicas, available) =
                (n(&s["updatedReplicas"]), n(&s["replicas"]), n(&s["availableReplicas"]));
            let rest = if updated < n(&spec["replicas"]) {
                format!("{updated} out of {} new replicas have been updated...", n(&spec["replicas"]))
            } else if replicas > updated {
                format!("{} old replicas are pending termination...", replicas - updated)
            } else if available < updated {
                format!("{available} of {updated} updated replicas are available...")
            } else {
                return Ok((format!("deployment {name:?} successfully rolled out\n"), true));
            };
            waiting(format!("deployment {name:?} rollout to finish: {rest}"))
        }
        Some("DaemonSet") => {
            if spec["updateStrategy"]["type"] != "RollingUpdate" {
                return Err(Error::text("rollout status is only available for RollingUpdate strategy type"));
            }
            if !seen {
                return waiting("daemon set spec update to be observed...".into());
            }
            let (updated, desired, available) =
                (n(&s["updatedNumberScheduled"]), n(&s["desiredNumberScheduled"]), n(&s["numberAvailable"]));
            let rest = if updated < desired {
                format!("{updated} out of {desired} new pods have been updated...")
            } else if available < desired {
                format!("{available} of {desired} updated pods are available...")
            } else {
                return Ok((format!("daemon set {name:?} successfully rolled out\n"), true));
            };
            waiting(format!("daemon set {name:?} rollout to finish: {rest}"))
        }
        _ => {
            let update = &spec["updateStrategy"];
            if update["type"] != "RollingUpdate" {
                return Err(Error::text("rollout status is only available for RollingUpdate strategy type"));
            }
            if n(&s["observedGeneration"]) == 0 || !seen {
                return waiting("statefulset spec update to be observed...".into());
            }
            let (replicas, ready, updated) = (n(&spec["replicas"]), n(&s["readyReplicas"]), n(&s["updatedReplicas"]));
            if ready < replicas {
                return waiting(format!("{} pods to be ready...", replicas - ready));
            }
            if update["rollingUpdate"].is_object() {
                let partition = n(&update["rollingUpdate"]["partition"]);
                if updated < replicas - partition {
                    return waiting(format!(
                        "partitioned roll out to finish: {updated} out of {} new pods have been updated...",
                        replicas - partition
                    ));
                }
                return Ok((format!("partitioned roll out complete: {updated} new pods have been updated...\n"), true));
            }
            let revision = |f: &str| s[f].as_str().unwrap_or("").to_string();
            if s["updateRevision"] != s["currentRevision"] {
                return Ok((
                    format!(
                        "waiting for statefulset rolling update to complete {updated} pods at revision {}...\n",
                        revision("updateRevision")
                    ),
                    false,
                ));
            }
            Ok((
                format!(
                    "statefulset rolling update complete {} pods at revision {}...\n",
                    n(&s["currentReplicas"]),
                    revision("currentRevision")
                ),
                true,
            ))
        }
    }
}

/// One revision: its number, the object that holds it, and the template it has.
struct Past {
    revision: i64,
    holder: Value,
    template: Value,
}

/// The revisions of a workload, oldest first.
async fn revisions(cx: &Cx<'_, '_>, info: &Info) -> Result<Vec<Past>, Error> {
    let selector = of_label_selector(&info.object["spec"]["selector"]);
    let q = query(&[("labelSelector", &selector)]);
    let deployment = info.mapping.kind == "Deployment";
    let resource = if deployment { "replicasets" } else { "controllerrevisions" };
    let list = cx.get(format!("/apis/apps/v1/namespaces/{}/{resource}{q}", info.namespace)).await?;
    let uid = &info.object["metadata"]["uid"];
    let mut out: Vec<Past> = list["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|o| {
            o["metadata"]["ownerReferences"]
                .as_array()
                .is_some_and(|l| l.iter().any(|r| r["controller"] == true && &r["uid"] == uid))
        })
        .map(|o| {
            let revision = if deployment {
                o["metadata"]["annotations"][REVISION].as_str().and_then(|r| r.parse().ok()).unwrap_or(0)
            } else {
                o["revision"].as_i64().unwrap_or(0)
            };
            let template = if deployment { &o["spec"]["template"] } else { &o["data"]["spec"]["template"] };
            Past { revision, holder: o.clone(), template: template.clone() }
        })
        .collect();
    out.sort_by_key(|p| p.revision);
    Ok(out)
}

async fn history(cx: &mut Cx<'_, '_>, b: Builder) -> Result<(), Error> {
    let wanted = cx.flags.int("revision");
    if wanted < 0 {
        return Err(Error::text(format!("revision must be a positive integer: {wanted}")));
    }
    let printer = Printer::of(cx, false)?.map(Printer::typed);
    let (infos, mut errors) = find(cx, b).await?;
    let output = printer.is_some();
    let mut printer = printer;
    for info in infos {
        let kind = &info.mapping.kind;
        if !matches!(kind.as_str(), "Deployment" | "DaemonSet" | "StatefulSet") {
            errors.push(match visited(kind) {
                true => Error::text(format!("no history viewer has been implemented for {:?}", group_kind(&info))),
                false => Error::text(format!(
                    "error retrieving history for {kind:?}, no visitor method exists for {{{} {kind}}}",
                    info.mapping.group
                )),
            });
            continue;
        }
        let past = revisions(cx, &info).await?;
        if output {
            let chosen: Vec<&Past> = past.iter().filter(|p| wanted == 0 || p.revision == wanted).collect();
            if chosen.is_empty() && wanted > 0 {
                errors.push(Error::text("unable to find the specified revision"));
                continue;
            }
            for p in chosen {
                if let Some(printer) = &mut printer {
                    let mut o = p.holder.clone();
                    o["kind"] = "ReplicaSet".into();
                    if kind != "Deployment" {
                        // The workload as it was then.
                        o = info.object.clone();
                        o["spec"]["template"] = p.template.clone();
                        if let Some(template) = o["spec"]["template"].as_object_mut() {
                            template.remove("$patch");
                        }
                    }
                    o["apiVersion"] = "apps/v1".into();
                    let text = printer.print(&o, false)?;
                    cx.out(&text);
                }
            }
            continue;
        }
        let name = name_of(&info.object);
        if past.is_empty() {
            cx.out(&format!("{name} \nNo rollout history found.\n"));
            continue;
        }
        if wanted > 0 {
            let Some(p) = past.iter().find(|p| p.revision == wanted) else {
                errors.push(Error::text("unable to find the specified revision"));
                continue;
            };
            let mut template = p.template.clone();
            if let Some(cause) = p.holder["metadata"]["annotations"][CAUSE].as_str() {
                template["metadata"]["annotations"][CAUSE] = cause.into();
            }
            let text = crate::describe::pod_template(&template, cx.client().now());
            cx.out(&format!("{name} with revision #{wanted}\n{text}\n"));
            continue;
        }
        let mut rows = vec![vec!["REVISION".to_string(), "CHANGE-CAUSE".to_string()]];
        for p in &past {
            let cause = p.holder["metadata"]["annotations"][CAUSE].as_str().unwrap_or("");
            rows.push(vec![p.revision.to_string(), if cause.is_empty() { "<none>".into() } else { cause.into() }]);
        }
        let text = table::narrow(rows);
        cx.out(&format!("{name} \n{text}\n"));
    }
    aggregate(errors)
}

async fn undo(cx: &mut Cx<'_, '_>, b: Builder) -> Result<(), Error> {
    let (to, dry) = (cx.flags.int("to-revision"), cx.dry_run()?);
    let (infos, mut errors) = find(cx, b).await?;
    let mut results = Results::of(cx, dry)?.typed();
    for info in infos {
        let kind = info.mapping.kind.as_str();
        if !matches!(kind, "Deployment" | "DaemonSet" | "StatefulSet") {
            errors.push(match visited(kind) {
                true => Error::text(format!("no rollbacker has been implemented for {:?}", group_kind(&info))),
                false => Error::text(format!(
                    "error retrieving rollbacker for {kind:?}, no visitor method exists for {{{} {kind}}}",
                    info.mapping.group
                )),
            });
            continue;
        }
        match undo_one(cx, &info, to, dry).await {
            Ok(said) => results.print(cx, &info.object, &said)?,
            Err(e @ Error::Connection(_)) => return Err(e),
            Err(e) => errors.push(e),
        }
    }
    aggregate(errors)
}

async fn undo_one(cx: &mut Cx<'_, '_>, info: &Info, to: i64, dry: DryRun) -> Result<String, Error> {
    let missing = || Error::text(format!("unable to find specified revision {to} in history"));
    if to < 0 {
        return Err(missing());
    }
    let past = revisions(cx, info).await?;
    let deployment = info.mapping.kind == "Deployment";
    let chosen = if to > 0 {
        past.iter().find(|p| p.revision == to).ok_or_else(missing)?
    } else {
        let last = past.len().checked_sub(2).and_then(|i| past.get(i));
        last.ok_or_else(|| {
            Error::text(if deployment {
                format!("no rollout history found for deployment {:?}", info.name)
            } else {
                "no last revision to roll back to".into()
            })
        })?
    };
    if dry == DryRun::Client {
        return Err(Error::text("rollout undo --dry-run=client is not in this terminal yet"));
    }
    if info.object["spec"]["paused"] == true {
        return Err(Error::text(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
        ));
    }
    let mut template = chosen.template.clone();
    let q = cx.write_query(dry, "", "");
    if deployment {
        if let Some(l) = template["metadata"]["labels"].as_object_mut() {
            l.remove("pod-template-hash");
        }
        let mut now = info.object["spec"]["template"].clone();
        if let Some(m) = now["metadata"].as_object_mut() {
            m.remove("creationTimestamp");
        }
        let mut then = template.clone();
        if let Some(m) = then["metadata"].as_object_mut() {
            m.remove("creationTimestamp");
        }
        if now == then {
            return Ok(format!("skipped rollback (current template already matches revision {})", chosen.revision));
        }
        // Annotations of the old ReplicaSet come along, but for those that are of a ReplicaSet alone.
        let skipped = [
            LAST_APPLIED,
            REVISION,
            "deployment.kubernetes.io/revision-history",
            "deployment.kubernetes.io/desired-replicas",
            "deployment.kubernetes.io/max-replicas",
            "deprecated.deployment.rollback.to",
        ];
        let mut annotations = json!({});
        for k in skipped {
            if let Some(v) = info.object["metadata"]["annotations"].get(k) {
                annotations[k] = v.clone();
            }
        }
        for (k, v) in chosen.holder["metadata"]["annotations"].as_object().into_iter().flatten() {
            if !skipped.contains(&k.as_str()) {
                annotations[k] = v.clone();
            }
        }
        let body = json!([
            {"op": "replace", "path": "/spec/template", "value": template},
            {"op": "replace", "path": "/metadata/annotations", "value": annotations},
        ]);
        let sent = cx.patch(info.path() + &q, JSON_PATCH, &body).await;
        sent.map_err(|e| restoring(chosen.revision, e))?;
    } else {
        if same(&info.object["spec"]["template"], &template) {
            return Ok(format!("skipped rollback (current template already matches revision {})", chosen.revision));
        }
        let body = chosen.holder["data"].clone();
        let sent = cx.patch(info.path() + &q, STRATEGIC, &body).await;
        sent.map_err(|e| restoring(chosen.revision, e))?;
    }
    Ok("rolled back".into())
}

fn restoring(revision: i64, e: Error) -> Error {
    match e {
        Error::Status(_) => Error::text(format!("failed restoring revision {revision}: {}", e.go())),
        e => e,
    }
}

/// The same but for what directs a patch.
fn same(a: &Value, b: &Value) -> bool {
    let clean = |v: &Value| {
        let mut v = v.clone();
        if let Some(m) = v.as_object_mut() {
            m.remove("$patch");
            if let Some(m) = m.get_mut("metadata").and_then(Value::as_object_mut) {
                m.remove("creationTimestamp");
            }
        }
        v
    };
    clean(a) == clean(b)
}
