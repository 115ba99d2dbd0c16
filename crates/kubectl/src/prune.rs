//! `--prune`: what was applied once and is no more among the files. Models `kubectl/pkg/cmd/apply/prune.go` and
//! `kubectl/pkg/util/prune`.

use crate::apply::LAST_APPLIED;
use crate::builder::{Info, of_object};
use crate::client::{Request, query};
use crate::cx::{Cx, DryRun};
use crate::error::Error;
use crate::result::Results;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What may be pruned unless `--prune-allowlist` says it.
const ALLOWED: &[&str] = &[
    "core/v1/ConfigMap",
    "core/v1/Endpoints",
    "core/v1/Namespace",
    "core/v1/PersistentVolumeClaim",
    "core/v1/PersistentVolume",
    "core/v1/Pod",
    "core/v1/ReplicationController",
    "core/v1/Secret",
    "core/v1/Service",
    "batch/v1/Job",
    "batch/v1/CronJob",
    "networking.k8s.io/v1/Ingress",
    "apps/v1/DaemonSet",
    "apps/v1/Deployment",
    "apps/v1/ReplicaSet",
    "apps/v1/StatefulSet",
];

/// What the files had, and where.
#[derive(Default)]
pub(crate) struct Visited {
    uids: BTreeSet<String>,
    namespaces: BTreeSet<String>,
}

impl Visited {
    pub fn mark(&mut self, info: &Info, object: Option<&Value>) {
        if info.mapping.namespaced {
            self.namespaces.insert(info.namespace.clone());
        }
        self.uids.extend(object.and_then(|o| o["metadata"]["uid"].as_str()).map(String::from));
    }
}

/// The objects that would go.
pub(crate) async fn targets(cx: &mut Cx<'_, '_>, visited: &Visited) -> Result<Vec<(Info, Value)>, Error> {
    let given = cx.flags.list("prune-allowlist");
    let allowed = if given.is_empty() { ALLOWED.iter().map(|s| (*s).to_string()).collect() } else { given };
    let discovery = cx.discovery().await?;
    let mut mappings = Vec::new();
    for word in &allowed {
        let parts: Vec<&str> = word.split('/').collect();
        let [group, version, kind] = parts[..] else {
            return Err(Error::Text(format!(
                "invalid GroupVersionKind format: {word}, please follow <group/version/kind>"
            )));
        };
        let version = if group == "core" { version.to_string() } else { format!("{group}/{version}") };
        mappings.extend(discovery.kind(&version, kind).cloned());
    }
    let own = cx.explicit_namespace().then(|| cx.namespace());
    let mut places = Vec::new();
    for namespace in visited.namespaces.iter().filter(|n| own.as_ref().is_none_or(|own| own == *n)) {
        places.extend(mappings.iter().filter(|m| m.namespaced).map(|m| (m, namespace.clone())));
    }
    if own.is_none() {
        places.extend(mappings.iter().filter(|m| !m.namespaced).map(|m| (m, String::new())));
    }
    let q = query(&[("labelSelector", cx.flags.string("selector"))]);
    let mut out = Vec::new();
    for (m, namespace) in places {
        let mut list = cx.get(m.path(Some(&namespace), None) + &q).await?;
        let Value::Array(items) = list["items"].take() else { continue };
        for mut object in items {
            let meta = &object["metadata"];
            let applied = meta["annotations"].get(LAST_APPLIED).is_some();
            if !applied || meta["uid"].as_str().is_some_and(|u| visited.uids.contains(u)) {
                continue;
            }
            // Items of a list do not say what they are.
            object["apiVersion"] = m.api_version().into();
            object["kind"] = m.kind.as_str().into();
            out.push((of_object(m.clone(), object.clone()), object));
        }
    }
    Ok(out)
}

pub(crate) async fn run(cx: &mut Cx<'_, '_>, visited: &Visited, dry: DryRun) -> Result<Vec<Value>, Error> {
    let mut results = Results::of(cx, dry)?;
    let mut gone = Vec::new();
    for (info, object) in targets(cx, visited).await? {
        if dry != DryRun::Client {
            let policy = match cx.flags.string("cascade") {
                "orphan" => "Orphan",
                "foreground" => "Foreground",
                _ => "Background",
            };
            let mut body = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy});
            let grace = cx.flags.int("grace-period");
            if grace >= 0 {
                body["gracePeriodSeconds"] = grace.into();
            }
            if dry == DryRun::Server {
                body["dryRun"] = json!(["All"]);
            }
            cx.send(Request::new("DELETE", info.path()).header("Accept", "application/json").json(&body)).await?;
        }
        if results.wants_object() {
            gone.push(object);
        } else {
            results.print(cx, &object, "pruned")?;
        }
    }
    Ok(gone)
}
