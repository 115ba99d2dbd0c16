//! ResourceQuota: what would take a namespace over one of its quotas is refused; all else is charged in the same moment.
//! Models `apiserver/pkg/admission/plugin/resourcequota`.

use super::forbidden;
use crate::keys;
use crate::server::Cx;
use crate::stored::Stored;
use api::quota::{self, Usage};
use api::{Object, ObjectExt, Registered};
use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::{ApiError, Quantity};
use std::collections::BTreeMap;
use store::{Compare, Op, Txn};

/// The writes that charge the quotas. `old`: what an update replaces.
pub(super) fn charge(cx: &Cx<'_>, o: &dyn Object, old: Option<&dyn Object>) -> Result<Vec<Txn<Stored>>, ApiError> {
    let namespace = o.namespace();
    let kind = o.kind();
    let counts = kind.namespaced() && kind.kind != "Event" && old.is_none_or(|old| quota::costs_on_update(o, old));
    if !counts {
        return Ok(Vec::new());
    }
    let prefix = keys::prefix(ResourceQuota::KIND_REF, namespace);
    let end = keys::range_end(&prefix);
    let mut txns = Vec::new();
    for (key, entry) in cx.store.iter_range(&prefix, &end) {
        let Some(quota) = entry.value.0.downcast::<ResourceQuota>() else { continue };
        let Some(used) = charge_one(cx, quota, o, old)? else { continue };
        let mut quota = quota.clone();
        quota.status.get_or_insert_default().used = Some(used);
        txns.push(Txn {
            compares: vec![Compare::ModRevision(key.clone(), entry.mod_revision)],
            ops: vec![Op::Put { key: key.clone(), value: entry.value.changed(Box::new(quota)), lease: entry.lease }],
        });
    }
    Ok(if cx.dry_run { Vec::new() } else { txns })
}

/// Models `CheckRequest` for one quota: its new `used`, or nothing when it is not concerned.
fn charge_one(
    cx: &Cx<'_>,
    quota: &ResourceQuota,
    o: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<Option<BTreeMap<String, ApiQuantity>>, ApiError> {
    let status = quota.status.clone().unwrap_or_default();
    let (hard, mut used) = (status.hard.unwrap_or_default(), status.used.unwrap_or_default());
    let resources = quota::matching_resources(o, hard.keys());
    if resources.is_empty() || !quota::in_scope(quota, o) {
        return Ok(None);
    }
    let name = quota.metadata.name.as_deref().unwrap_or("");
    if let Some(why) = o.downcast::<Pod>().and_then(|p| quota::unsaid(p, &resources)) {
        return Err(forbidden(o, &format!("failed quota: {name}: {why}")));
    }
    if resources.iter().any(|r| !used.contains_key(*r)) {
        let list = resources.join(",");
        return Err(forbidden(o, &format!("status unknown for quota: {name}, resources: {list}")));
    }
    let mut delta = quota::usage(o, cx.now);
    if let Some(old) = old.filter(|old| quota::in_scope(quota, *old)) {
        for (k, q) in quota::usage(old, cx.now) {
            if let Some(d) = delta.get_mut(&k) {
                *d = if *d > q { *d - q } else { Quantity::ZERO };
            }
        }
    }
    delta.retain(|k, q| !q.is_zero() && hard.contains_key(k));
    if delta.is_empty() {
        return Ok(None);
    }
    let parsed = |m: &BTreeMap<String, ApiQuantity>, k: &str| m.get(k).map_or(Quantity::ZERO, Quantity::of);
    let total = |k: &str, q: Quantity| parsed(&used, k) + q;
    let exceeded: Vec<&String> =
        delta.iter().filter(|(k, q)| total(k, **q) > parsed(&hard, k)).map(|(k, _)| k).collect();
    if !exceeded.is_empty() {
        let print = |of: &dyn Fn(&str) -> Quantity| {
            exceeded.iter().map(|k| format!("{k}={}", of(k))).collect::<Vec<_>>().join(",")
        };
        let requested = |k: &str| delta.get(k).copied().unwrap_or(Quantity::ZERO);
        let why = format!(
            "exceeded quota: {name}, requested: {}, used: {}, limited: {}",
            print(&requested),
            print(&|k| parsed(&used, k)),
            print(&|k| parsed(&hard, k))
        );
        return Err(forbidden(o, &why));
    }
    let new: Usage = delta.iter().map(|(k, q)| (k.clone(), total(k, *q))).collect();
    used.extend(new.into_iter().map(|(k, q)| (k, q.to_api())));
    Ok(Some(used))
}
