//! `kubectl set subject`. Models `kubectl/pkg/cmd/set/set_subject.go`.

use crate::builder::{Info, aggregate};
use crate::cx::{Cx, DryRun};
use crate::error::Error;
use crate::set::{find, send};
use serde_json::{Value, json};

const GROUP: &str = "rbac.authorization.k8s.io";

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let dry = cx.dry_run()?;
    let args = cx.args.clone();
    let infos = find(cx, &args).await?;
    check(cx, dry, &infos)?;
    let wanted = wanted(cx);
    let mut errors = Vec::new();
    let mut results = crate::result::Results::of(cx, dry)?.typed();
    for info in infos {
        if !matches!(info.mapping.kind.as_str(), "RoleBinding" | "ClusterRoleBinding") {
            let why = "setting subjects is only supported for RoleBinding/ClusterRoleBinding";
            errors.push(Error::text(format!("error: {} {why}\n", info.object_name())));
            continue;
        }
        let mut new = info.object.clone();
        let mut subjects = new["subjects"].as_array().cloned().unwrap_or_default();
        let before = subjects.len();
        subjects.extend(wanted.iter().filter(|w| !contains(&info.object, w)).cloned());
        if subjects.len() == before {
            continue;
        }
        new["subjects"] = subjects.into();
        let sent =
            send(cx, &mut results, &info, new, dry, "subjects updated", "failed to patch subjects to rolebinding: ")
                .await;
        errors.extend(sent.err());
    }
    aggregate(errors)
}

fn contains(object: &Value, subject: &Value) -> bool {
    let same =
        |s: &Value| ["kind", "apiGroup", "name", "namespace"].iter().all(|f| s[*f].as_str() == subject[*f].as_str());
    object["subjects"].as_array().is_some_and(|l| l.iter().any(same))
}

fn check(cx: &Cx<'_, '_>, dry: DryRun, infos: &[Info]) -> Result<(), Error> {
    if cx.flags.bool("local") && dry == DryRun::Server {
        return Err(Error::text("cannot specify --local and --dry-run=server - did you mean --dry-run=client?"));
    }
    if cx.flags.bool("all") && !cx.flags.string("selector").is_empty() {
        return Err(Error::text("cannot set --all and --selector at the same time"));
    }
    let accounts = cx.flags.list("serviceaccount");
    if accounts.is_empty() && cx.flags.list("user").is_empty() && cx.flags.list("group").is_empty() {
        return Err(Error::text("you must specify at least one value of user, group or serviceaccount"));
    }
    for account in &accounts {
        let parts: Vec<&str> = account.split(':').collect();
        if parts.len() != 2 || parts[1].is_empty() {
            return Err(Error::text("serviceaccount must be <namespace>:<name>"));
        }
        if parts[0].is_empty() && infos.iter().any(|i| i.mapping.kind == "ClusterRoleBinding") {
            return Err(Error::text("serviceaccount must be <namespace>:<name>, namespace must be specified"));
        }
    }
    Ok(())
}

/// Users, groups and accounts, each in order.
fn wanted(cx: &Cx<'_, '_>) -> Vec<Value> {
    let sorted = |flag: &str| {
        let mut list = cx.flags.list(flag);
        list.sort();
        list.dedup();
        list
    };
    let mut out = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        out.extend(sorted(flag).iter().map(|name| json!({"kind": kind, "apiGroup": GROUP, "name": name})));
    }
    for account in sorted("serviceaccount") {
        let (namespace, name) = account.split_once(':').unwrap_or_default();
        let namespace = if namespace.is_empty() { cx.namespace() } else { namespace.into() };
        out.push(json!({"kind": "ServiceAccount", "namespace": namespace, "name": name}));
    }
    out
}
