//! `kubectl apply`. Models `kubectl/pkg/cmd/apply`.

use crate::builder::{Builder, Info, aggregate};
use crate::client::{Request, query};
use crate::cx::{APPLY, Cx, DryRun, MERGE, STRATEGIC};
use crate::error::Error;
use crate::migrate::{self, Migration};
use crate::print::gojson;
use crate::prune::Visited;
use crate::result::Results;
use crate::threeway;
use serde_json::{Value, json};

pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Patches tried again when the object has changed meanwhile.
const TRIES_MAX: usize = 5;

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let b = Builder::of(cx);
    if !cx.args.is_empty() {
        return Err(cx.usage(format!("Unexpected args: [{}]", cx.args.join(" "))));
    }
    if !b.has_files() {
        return Err(Error::text("must specify one of -f and -k"));
    }
    cascade(cx)?;
    let server_side = cx.flags.bool("server-side");
    let dry = cx.dry_run()?;
    if cx.flags.bool("force-conflicts") && !server_side {
        return Err(Error::text("--force-conflicts only works with --server-side"));
    }
    if dry == DryRun::Client && server_side {
        return Err(Error::text(
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
        ));
    }
    if cx.flags.bool("force") && server_side {
        return Err(Error::text("--force cannot be used with --server-side"));
    }
    if dry == DryRun::Server && cx.flags.bool("force") {
        return Err(Error::text("--dry-run=server cannot be used with --force"));
    }
    if cx.flags.bool("all") && !cx.flags.string("selector").is_empty() {
        return Err(Error::text("cannot set --all and --selector at the same time"));
    }
    if cx.flags.bool("prune") && !cx.flags.bool("all") && cx.flags.string("selector").is_empty() {
        return Err(Error::text(
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. \
             If you did not mean to prune all resources, specify a label selector",
        ));
    }
    if !cx.flags.string("subresource").is_empty() && !server_side {
        return Err(Error::text("--subresource can only be specified for --server-side"));
    }
    let mut results = Results::of(cx, dry)?;
    let prunes = if cx.flags.bool("prune") { Some(crate::prune::kinds(cx).await?) } else { None };
    let found = Builder { continue_on_error: true, ..b }.find(cx, &[]).await?;
    let mut errors = found.errors;
    let mut printed = Vec::new();
    let count = found.infos.len();
    if count == 0 && errors.is_empty() {
        return Err(Error::text("no objects passed to apply"));
    }
    let mut visited = Visited::of(cx);
    for info in found.infos {
        let done = if server_side {
            by_server(cx, dry, &info).await.map(|o| (o, "serverside-applied"))
        } else {
            by_client(cx, dry, &info).await
        };
        visited.mark(&info, done.as_ref().ok().map(|(object, _)| object));
        match done {
            // Objects come together at the end.
            Ok((object, _)) if results.wants_object() => printed.push(object),
            Ok((object, operation)) => results.print(cx, &object, operation)?,
            Err(e @ Error::Connection(_)) => return Err(e),
            Err(e) => errors.push(e),
        }
    }
    // What was not applied was not visited either: pruning now would delete it.
    aggregate(errors)?;
    if results.wants_object() && !printed.is_empty() {
        let v = if printed.len() == 1 {
            printed.remove(0)
        } else {
            json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": printed})
        };
        if v["kind"] == "List" {
            results = results.typed();
        }
        results.print(cx, &v, "")?;
    }
    match prunes {
        Some(kinds) => crate::prune::run(cx, &visited, &kinds, dry).await,
        None => Ok(()),
    }
}

/// How dependents go, as the server calls it. Models `parseCascadingFlag`.
///
/// # Errors
/// A word that is none of the flag's values.
pub(crate) fn cascade(cx: &mut Cx<'_, '_>) -> Result<&'static str, Error> {
    let word = cx.flags.string("cascade").to_string();
    let (policy, instead) = match word.as_str() {
        "" | "background" => return Ok("Background"),
        "orphan" => return Ok("Orphan"),
        "foreground" => return Ok("Foreground"),
        "true" | "t" | "T" | "TRUE" | "True" | "1" => ("Background", "background"),
        "false" | "f" | "F" | "FALSE" | "False" | "0" => ("Orphan", "orphan"),
        other => {
            return Err(Error::Text(format!(
                "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
            )));
        }
    };
    cx.err(&format!(
        "warning: --cascade={word} is deprecated (boolean value) and can be replaced with --cascade={instead}.\n"
    ));
    Ok(policy)
}

/// The object as text for the annotation. Models `GetModifiedConfiguration`.
pub(crate) fn last_applied(object: &Value) -> String {
    let mut o = object.clone();
    if let Some(meta) = o.get_mut("metadata").and_then(Value::as_object_mut) {
        let annotations = meta.entry("annotations").or_insert_with(|| json!({}));
        if !annotations.is_object() {
            *annotations = json!({});
        }
        if let Some(a) = annotations.as_object_mut() {
            a.remove(LAST_APPLIED);
        }
    }
    gojson::compact(&o) + "\n"
}

pub(crate) fn annotated(object: &Value) -> Value {
    let text = last_applied(object);
    let mut o = object.clone();
    if !o["metadata"]["annotations"].is_object() {
        o["metadata"]["annotations"] = json!({});
    }
    o["metadata"]["annotations"][LAST_APPLIED] = text.into();
    o
}

async fn by_server(cx: &mut Cx<'_, '_>, dry: DryRun, info: &Info) -> Result<Value, Error> {
    nameless(&info.object)?;
    let manager = match cx.flags.string("field-manager") {
        "kubectl-client-side-apply" => "kubectl".to_string(),
        other => other.to_string(),
    };
    let force = if cx.flags.bool("force-conflicts") { "true" } else { "false" };
    let dry = if dry == DryRun::Server { "All" } else { "" };
    let q = query(&[
        ("dryRun", dry),
        ("fieldManager", &manager),
        ("fieldValidation", cx.field_validation()?),
        ("force", force),
    ]);
    let mut r =
        Request::new("PATCH", info.path() + &q).header("Content-Type", APPLY).header("Accept", "application/json");
    r.body = gojson::compact(&info.object).into_bytes();
    let conflict = |e: Error| if e.is_conflict() { Error::text(format!("{}\n{}", e.go(), CONFLICT)) } else { e };
    let applied = cx.send(r.clone()).await.map_err(conflict)?;
    Ok(migrate::run(cx, Migration { info, manager: &manager, dry, again: &r }, applied).await)
}

const CONFLICT: &str = "Please review the fields above--they currently have other managers. Here\n\
    are the ways you can resolve this warning:\n\
    * If you intend to manage all of these fields, please re-run the apply\n  command with the `--force-conflicts` flag.\n\
    * If you do not intend to manage all of the fields, please edit your\n  manifest to remove references to the fields that should keep their\n  current managers.\n\
    * You may co-own fields by updating your manifest to match the existing\n  value; in this case, you'll become the manager if the other manager(s)\n  stop managing the field (remove it from their configuration).\n\
    See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";

/// What is applied has a name of its own.
fn nameless(object: &Value) -> Result<(), Error> {
    let m = &object["metadata"];
    match (m["name"].as_str().unwrap_or(""), m["generateName"].as_str().unwrap_or("")) {
        ("", generate) if !generate.is_empty() => {
            Err(Error::text(format!("from {generate}: cannot use generate name with apply")))
        }
        _ => Ok(()),
    }
}

async fn by_client(cx: &mut Cx<'_, '_>, dry: DryRun, info: &Info) -> Result<(Value, &'static str), Error> {
    nameless(&info.object)?;
    if info.name.is_empty() {
        let message = "resource name may not be empty".to_string();
        return Err(Error::text(message).with_source(
            &format!("retrieving current configuration of:\n{}\nfrom server for:", describe(info)),
            &info.source,
        ));
    }
    let modified = annotated(&info.object);
    let q = cx.write_query(dry, cx.flags.string("field-manager"), cx.field_validation()?);
    let live = match Builder::default().fetch(cx, info).await {
        Ok(live) => live,
        Err(e) if e.is_not_found() => {
            if dry == DryRun::Client {
                return Ok((modified, "created"));
            }
            let path = info.mapping.path(Some(&info.namespace), None) + &q;
            let r = Request::new("POST", path).header("Accept", "application/json").json(&modified);
            let created = cx.send(r).await.map_err(|e| e.with_source("creating", &info.source))?;
            return Ok((created, "created"));
        }
        Err(e @ Error::Connection(_)) => return Err(e),
        Err(e) => {
            let verb = format!("retrieving current configuration of:\n{}\nfrom server for:", describe(info));
            return Err(e.with_source(&verb, &info.source));
        }
    };
    if live["metadata"]["annotations"].get(LAST_APPLIED).is_none() {
        cx.err(&format!(
            "Warning: resource {}/{} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl \
             apply should only be used on resources created declaratively by either kubectl create --save-config or \
             kubectl apply. The missing annotation will be patched automatically.\n",
            info.mapping.resource, info.name
        ));
    }
    if dry == DryRun::Client {
        return Ok((live, "configured"));
    }
    patch(cx, info, &modified, live, &q, dry).await
}

async fn patch(
    cx: &mut Cx<'_, '_>,
    info: &Info,
    modified: &Value,
    mut live: Value,
    q: &str,
    dry: DryRun,
) -> Result<(Value, &'static str), Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        let (kind, patch) = three_way(info, modified, &live);
        if patch == json!({}) {
            return Ok((live, "unchanged"));
        }
        let sent = cx.patch(info.path() + q, kind, &patch).await;
        match sent {
            Ok(object) => return Ok((object, "configured")),
            Err(e) if e.is_conflict() && tries <= TRIES_MAX => {
                live = Builder::default().fetch(cx, info).await?;
            }
            Err(e) if (e.is_conflict() || is_invalid(&e)) && cx.flags.bool("force") && dry == DryRun::None => {
                let object = crate::replace::again(cx, info, modified, q).await?;
                return Ok((object, "configured"));
            }
            Err(e) => {
                let verb = format!("applying patch:\n{}\nto:\n{}\nfor:", gojson::compact(&patch), describe(info));
                return Err(e.with_source(&verb, &info.source));
            }
        }
    }
}

fn is_invalid(e: &Error) -> bool {
    e.status().is_some_and(|s| s.reason() == "Invalid")
}

/// What brings the live object to what is wanted, and the patch's content type.
pub(crate) fn three_way(info: &Info, modified: &Value, live: &Value) -> (&'static str, Value) {
    let original = live["metadata"]["annotations"][LAST_APPLIED].as_str();
    let original: Value = original.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
    if built_in(&info.mapping.group) {
        (STRATEGIC, threeway::strategic(&info.mapping.kind, &original, modified, live))
    } else {
        (MERGE, threeway::json_merge(&original, modified, live))
    }
}

/// Whether kubectl knows the types of a group by itself.
pub(crate) fn built_in(group: &str) -> bool {
    const GROUPS: &[&str] = &[
        "",
        "admissionregistration.k8s.io",
        "apps",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "extensions",
        "flowcontrol.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
    ];
    GROUPS.contains(&group)
}

/// Models `Info.String`.
pub(crate) fn describe(info: &Info) -> String {
    let m = &info.mapping;
    let version = m.api_version();
    format!(
        "Resource: \"{version}, Resource={}\", GroupVersionKind: \"{version}, Kind={}\"\nName: {:?}, Namespace: {:?}",
        m.resource, m.kind, info.name, info.namespace
    )
}
