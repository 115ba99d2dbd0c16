//! `--prune`: what was applied once and is no more among the files. Models `kubectl/pkg/cmd/apply/prune.go` and
//! `kubectl/pkg/util/prune`.

use crate::apply::LAST_APPLIED;
use crate::builder::{Info, of_object};
use crate::client::{Request, query};
use crate::cx::{Cx, DryRun};
use crate::error::Error;
use crate::mapping::Mapping;
use crate::result::Results;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What may be pruned unless `--prune-allowlist` says it.
const ALLOWED: &[&str] = &[
    "core/v1/ConfigMap",
    "core/v1/Endpoints",
    "core/v1/PersistentVolumeClaim",
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
    "core/v1/Namespace",
    "core/v1/PersistentVolume",
];

/// What the files had, and where.
#[derive(Default)]
pub(crate) struct Visited {
    uids: BTreeSet<String>,
    namespaces: BTreeSet<String>,
}

impl Visited {
    /// A namespace that is named is visited, whatever the files have.
    pub fn of(cx: &Cx<'_, '_>) -> Visited {
        let namespaces = cx.explicit_namespace().then(|| cx.namespace()).into_iter().collect();
        Visited { namespaces, ..Visited::default() }
    }
    pub fn mark(&mut self, info: &Info, object: Option<&Value>) {
        if info.mapping.namespaced {
            self.namespaces.insert(info.namespace.clone());
        }
        self.uids.extend(object.and_then(|o| o["metadata"]["uid"].as_str()).map(String::from));
    }
}

/// The kinds that may be pruned. Models `ParseResources` and `GetRESTMappings`.
pub(crate) async fn kinds(cx: &mut Cx<'_, '_>) -> Result<Vec<Mapping>, Error> {
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
        let mapping = discovery
            .kind(&version, kind)
            .ok_or_else(|| Error::Text(format!("no matches for kind {kind:?} in version {version:?}")))?;
        mappings.push(mapping.clone());
    }
    Ok(mappings)
}

/// The objects that would go. Warns as `GetRESTMappings`, which upstream asks only now.
pub(crate) async fn targets(
    cx: &mut Cx<'_, '_>,
    visited: &Visited,
    kinds: &[Mapping],
) -> Result<Vec<(Info, Value)>, Error> {
    if cx.flags.list("prune-allowlist").is_empty() {
        cx.err(
            "W0000 00:00:00.000000       1 prune.go:71] Deprecated: kubectl apply will no longer prune non-namespaced \
             resources by default when used with the --namespace flag in a future release. To preserve the current \
             behaviour, list the resources you want to target explicitly in the --prune-allowlist flag.\n",
        );
    }
    let mut places = Vec::new();
    for namespace in &visited.namespaces {
        places.extend(kinds.iter().filter(|m| m.namespaced).map(|m| (m, namespace.clone())));
    }
    places.extend(kinds.iter().filter(|m| !m.namespaced).map(|m| (m, String::new())));
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

/// Deletes them; each is printed by itself.
pub(crate) async fn run(cx: &mut Cx<'_, '_>, visited: &Visited, kinds: &[Mapping], dry: DryRun) -> Result<(), Error> {
    let mut results = Results::of(cx, dry)?;
    for (info, object) in targets(cx, visited, kinds).await? {
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
        results.print(cx, &object, "pruned")?;
    }
    Ok(())
}
