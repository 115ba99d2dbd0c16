//! From client-side to server-side apply: what `kubectl apply` owned by updates becomes owned by applies, so that fields
//! that leave the manifest leave the object, too. Models `saveLastApplyAnnotationIfNecessary` and `migrateToSSAIfNecessary`
//! of `kubectl/pkg/cmd/apply`, and `client-go/util/csaupgrade`.

use crate::apply::LAST_APPLIED;
use crate::builder::{Builder, Info};
use crate::client::{Request, query};
use crate::cx::{APPLY, Cx, JSON_PATCH};
use crate::error::Error;
use crate::print::gojson;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Patches tried again when the object has changed meanwhile.
const TRIES_MAX: usize = 5;

/// What is the same in all requests for one object.
#[derive(Clone, Copy)]
pub(crate) struct Migration<'a> {
    pub info: &'a Info,
    pub manager: &'a str,
    /// Of the query: `All` or nothing.
    pub dry: &'a str,
    /// What is applied once more when there was something to migrate.
    pub again: &'a Request,
}

/// The object as it is in the end. What goes wrong on the way is a warning only: the object is applied already.
pub(crate) async fn run(cx: &mut Cx<'_, '_>, m: Migration<'_>, applied: Value) -> Value {
    let applied = match keep_annotation(cx, m, &applied).await {
        Ok(kept) => kept.unwrap_or(applied),
        Err(e) => {
            warn(cx, &format!("failed to migrate {LAST_APPLIED} for Server-Side Apply"), &e);
            return applied;
        }
    };
    let migrated = match migrate(cx, m, &applied).await {
        Ok(None) => return applied,
        Ok(Some(migrated)) => migrated,
        Err(e) => {
            warn(cx, "server rejected managed fields migration to Server-Side Apply", &e);
            return applied;
        }
    };
    let again = cx.send(m.again.clone()).await;
    again.unwrap_or_else(|e| {
        warn(cx, "failed to re-apply configuration after performing Server-Side Apply migration", &e);
        migrated
    })
}

fn warn(cx: &mut Cx<'_, '_>, what: &str, e: &Error) {
    let why = e.go();
    cx.err(&format!("Warning: {what}. This is non-fatal and will be retried next time you apply. Error: {why}\n"));
}

fn entries(object: &Value) -> &[Value] {
    object["metadata"]["managedFields"].as_array().map_or(&[], Vec::as_slice)
}

fn owns_annotation(entry: &Value, operation: &str) -> bool {
    entry["operation"] == operation
        && entry["fieldsV1"]["f:metadata"]["f:annotations"].get(format!("f:{LAST_APPLIED}")).is_some()
}

/// Client-side apply's annotation gets an owner of its own before the server takes the fields over. `None`: it needs none.
async fn keep_annotation(cx: &Cx<'_, '_>, m: Migration<'_>, applied: &Value) -> Result<Option<Value>, Error> {
    let meta = &applied["metadata"];
    let Some(text) = meta["annotations"].get(LAST_APPLIED).filter(|_| m.manager == "kubectl") else { return Ok(None) };
    if entries(applied).iter().any(|e| owns_annotation(e, "Apply")) {
        return Ok(None);
    }
    let body = json!({
        "apiVersion": applied["apiVersion"], "kind": applied["kind"],
        "metadata": {"annotations": {LAST_APPLIED: text}, "name": meta["name"], "namespace": meta["namespace"]},
    });
    let q = query(&[
        ("dryRun", m.dry),
        ("fieldManager", "kubectl-last-applied"),
        ("fieldValidation", cx.field_validation()?),
    ]);
    let mut r =
        Request::new("PATCH", m.info.path() + &q).header("Content-Type", APPLY).header("Accept", "application/json");
    r.body = gojson::compact(&body).into_bytes();
    cx.send(r).await.map(Some)
}

/// The object with its owners moved; `None`: there were none to move.
async fn migrate(cx: &Cx<'_, '_>, m: Migration<'_>, applied: &Value) -> Result<Option<Value>, Error> {
    let updaters = entries(applied).iter().filter(|e| owns_annotation(e, "Update"));
    let managers: BTreeSet<String> = updaters.filter_map(|e| e["manager"].as_str()).map(String::from).collect();
    let q = query(&[("dryRun", m.dry), ("fieldManager", m.manager), ("fieldValidation", cx.field_validation()?)]);
    let mut object = applied.clone();
    let mut tries = 0;
    loop {
        tries += 1;
        let moved = managers.iter().fold(entries(&object).to_vec(), |all, from| upgraded(all, from, m.manager));
        if moved == entries(&object) {
            return Ok(None);
        }
        let patch = json!([
            {"op": "replace", "path": "/metadata/managedFields", "value": moved},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": object["metadata"]["resourceVersion"]},
        ]);
        match cx.patch(m.info.path() + &q, JSON_PATCH, &patch).await {
            Ok(object) => return Ok(Some(object)),
            Err(e) if e.is_conflict() && tries < TRIES_MAX => object = Builder::default().fetch(cx, m.info).await?,
            Err(e) => return Err(e),
        }
    }
}

/// Models `upgradedManagedFields`: the updates of one manager as another's applies.
fn upgraded(mut entries: Vec<Value>, from: &str, to: &str) -> Vec<Value> {
    let of = |e: &Value, manager: &str, operation: &str| {
        e["manager"] == manager && e["operation"] == operation && e["subresource"].as_str().unwrap_or("").is_empty()
    };
    let applier = entries.iter().position(|e| of(e, to, "Apply"));
    let Some(at) = applier.or_else(|| entries.iter().position(|e| of(e, from, "Update"))) else { return entries };
    let version = &entries[at]["apiVersion"];
    let same = entries.iter().find(|e| of(e, from, "Update") && e["apiVersion"] == *version);
    let fields = same.map(|e| e["fieldsV1"].clone());
    let entry = &mut entries[at];
    entry["manager"] = to.into();
    entry["operation"] = "Apply".into();
    if let Some(fields) = fields {
        unite(&mut entry["fieldsV1"], fields);
    }
    entries.retain(|e| !of(e, from, "Update"));
    entries
}

/// The union of two sets of fields. One that is in a set with nothing below it has a `.` when there is something below it.
fn unite(into: &mut Value, from: Value) {
    let (Value::Object(into), Value::Object(from)) = (into, from) else { return };
    let is_alone = |v: &Value| v.as_object().is_some_and(Map::is_empty);
    for (k, v) in from {
        match into.get_mut(&k) {
            Some(own) => {
                if is_alone(own) != is_alone(&v) {
                    own["."] = json!({});
                }
                unite(own, v);
            }
            None => drop(into.insert(k, v)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields})
    }

    #[test]
    fn updates_become_applies() {
        let csa = entry("c", "Update", json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}, "f:x": {"f:y": {}}}));
        let status = json!({"manager": "c", "operation": "Update", "apiVersion": "v1", "subresource": "status"});
        let ssa = entry("k", "Apply", json!({"f:data": {"f:a": {}}, "f:x": {}}));
        let both = entry("k", "Apply", json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}, "f:x": {".": {}, "f:y": {}}}));
        assert_eq!(upgraded(vec![ssa, csa.clone(), status.clone()], "c", "k"), [both, status.clone()]);
        let alone = entry("k", "Apply", csa["fieldsV1"].clone());
        assert_eq!(upgraded(vec![csa, status.clone()], "c", "k"), [alone, status.clone()]);
        assert_eq!(upgraded(vec![status.clone()], "c", "k"), [status]);
    }

    #[test]
    fn an_old_version_s_fields_are_left() {
        let mut old = entry("c", "Update", json!({"f:data": {}}));
        old["apiVersion"] = "v1beta1".into();
        let ssa = entry("k", "Apply", json!({"f:x": {}}));
        assert_eq!(upgraded(vec![old, ssa.clone()], "c", "k"), [ssa]);
    }
}
