//! `kubectl create`, from files and from words. Models `kubectl/pkg/cmd/create`.

mod config;
mod ingress;
mod misc;
mod rbac;
mod service;
mod workloads;

pub(crate) use misc::label_selector;

use crate::apply::annotated;
use crate::builder::{Builder, aggregate};
use crate::client::Request;
use crate::cx::{Cx, DryRun};
use crate::error::Error;
use crate::result::Results;
use serde_json::{Value, json};

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let object = match cx.command.path {
        "create" => return from_files(cx).await,
        "create token" => return misc::token(cx).await,
        "create deployment" => workloads::deployment(cx)?,
        "create job" => workloads::job(cx).await?,
        "create cronjob" => workloads::cronjob(cx)?,
        "create configmap" => config::configmap(cx)?,
        "create secret generic" => config::secret(cx)?,
        "create secret tls" => config::tls(cx)?,
        "create secret docker-registry" => config::docker(cx)?,
        "create service clusterip"
        | "create service nodeport"
        | "create service loadbalancer"
        | "create service externalname" => service::service(cx)?,
        "create role" => rbac::role(cx, false).await?,
        "create clusterrole" => rbac::role(cx, true).await?,
        "create rolebinding" => rbac::binding(cx, false)?,
        "create clusterrolebinding" => rbac::binding(cx, true)?,
        "create namespace" => misc::namespace(cx)?,
        "create serviceaccount" => misc::serviceaccount(cx)?,
        "create quota" => misc::quota(cx)?,
        "create poddisruptionbudget" => misc::pdb(cx)?,
        "create priorityclass" => misc::priorityclass(cx)?,
        "create ingress" => ingress::ingress(cx)?,
        path => return Err(Error::text(format!("kubectl {path} is not in this terminal yet"))),
    };
    // What upstream puts before an error differs from one generator to the next.
    let failed = match cx.command.path {
        "create deployment"
        | "create job"
        | "create cronjob"
        | "create configmap"
        | "create ingress"
        | "create quota"
        | "create priorityclass"
        | "create serviceaccount"
        | "create rolebinding"
        | "create clusterrolebinding" => {
            format!("failed to create {}: ", cx.command.name())
        }
        "create poddisruptionbudget" => "failed to create poddisruptionbudgets: ".into(),
        p if p.starts_with("create secret") => "failed to create secret ".into(),
        p if p.starts_with("create service ") => {
            format!("failed to create {} service: ", object["spec"]["type"].as_str().unwrap_or(""))
        }
        _ => String::new(),
    };
    send(cx, object, &failed, "created").await
}

/// Models `NameFromCommandArgs`.
pub(crate) fn name(cx: &Cx<'_, '_>) -> Result<String, Error> {
    let count = cx.dash.unwrap_or(cx.args.len());
    if count != 1 {
        return Err(cx.usage(format!("exactly one NAME is required, got {count}")));
    }
    Ok(cx.args[0].clone())
}

/// The words after `--`, or after the name.
pub(crate) fn command(cx: &Cx<'_, '_>) -> Vec<String> {
    cx.args.get(1..).unwrap_or_default().to_vec()
}

/// Metadata with a namespace where one was named.
pub(crate) fn metadata(cx: &Cx<'_, '_>, name: &str, namespaced: bool) -> Value {
    let mut m = json!({"name": name});
    if namespaced && cx.explicit_namespace() {
        m["namespace"] = cx.namespace().into();
    }
    m
}

/// Sends what was generated, and says so.
pub(crate) async fn send(cx: &mut Cx<'_, '_>, object: Value, failed: &str, said: &str) -> Result<(), Error> {
    let dry = cx.dry_run()?;
    let mut results = Results::of(cx, dry)?.typed();
    let saves = cx.flags.bool("save-config") && (cx.command.path != "run" || dry != DryRun::Client);
    let object = if saves { saved(object) } else { object };
    if dry == DryRun::Client {
        return results.print(cx, &object, said);
    }
    let created = post(cx, &object, dry).await.map_err(|e| match e {
        Error::Status(_) if !failed.is_empty() => Error::Text(format!("{failed}{}", e.go())),
        e => e,
    })?;
    results.print(cx, &created, said)
}

/// With `--save-config`: what was generated, as Go writes its type.
fn saved(mut object: Value) -> Value {
    let text = crate::print::gojson::compact_typed(&object) + "\n";
    object["metadata"]["annotations"][crate::apply::LAST_APPLIED] = text.into();
    object
}

/// Creates an object in its namespace or the current one.
pub(crate) async fn post(cx: &mut Cx<'_, '_>, object: &Value, dry: DryRun) -> Result<Value, Error> {
    let discovery = cx.discovery().await?;
    let (api_version, kind) = (object["apiVersion"].as_str().unwrap_or(""), object["kind"].as_str().unwrap_or(""));
    let m = discovery
        .kind(api_version, kind)
        .ok_or_else(|| Error::text(format!("no matches for kind {kind:?} in version {api_version:?}")))?;
    let namespace = object["metadata"]["namespace"].as_str().map_or_else(|| cx.namespace(), String::from);
    let manager = cx.flags.string("field-manager").to_string();
    let validation = if cx.command.flag("validate").is_some() { cx.field_validation()? } else { "" };
    let path = m.path(Some(&namespace), None) + &cx.write_query(dry, &manager, validation);
    cx.send(Request::new("POST", path).header("Accept", "application/json").json(object)).await
}

async fn from_files(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let b = Builder::of(cx);
    if !b.has_files() && cx.args.is_empty() {
        return Err(Error::text("must specify one of -f and -k"));
    }
    if !cx.args.is_empty() {
        return Err(cx.usage(format!("Unexpected args: [{}]", cx.args.join(" "))));
    }
    if !cx.flags.string("raw").is_empty() {
        return crate::raw::send(cx, "POST").await;
    }
    if cx.flags.bool("edit") {
        return crate::edit::and_create(cx).await;
    }
    let dry = cx.dry_run()?;
    let mut results = Results::of(cx, dry)?;
    let found = Builder { continue_on_error: true, ..b }.find(cx, &[]).await?;
    let (mut errors, mut count) = (found.errors, 0);
    let manager = cx.flags.string("field-manager").to_string();
    for info in found.infos {
        let object = if cx.flags.bool("save-config") { annotated(&info.object) } else { info.object.clone() };
        let object = if dry == DryRun::Client {
            object
        } else {
            let q = cx.write_query(dry, &manager, cx.field_validation()?);
            let path = info.mapping.path(Some(&info.namespace), None) + &q;
            match cx.send(Request::new("POST", path).header("Accept", "application/json").json(&object)).await {
                Ok(o) => o,
                Err(e @ Error::Connection(_)) => return Err(e),
                Err(e) => {
                    errors.push(e.with_source("creating", &info.source));
                    continue;
                }
            }
        };
        count += 1;
        results.print(cx, &object, "created")?;
    }
    if count == 0 && errors.is_empty() {
        return Err(Error::text("no objects passed to create"));
    }
    aggregate(errors)
}
