//! `POST pods/NAME/eviction`. Models `pkg/registry/core/pod/storage/eviction.go` for pods that no
//! PodDisruptionBudget guards.

use super::delete::delete_one;
use crate::request::Request;
use crate::response::success;
use crate::server::{Cx, Plan};
use crate::stored::Stored;
use crate::{decode, keys};
use api::ObjectExt;
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use meta::{ApiError, Time};
use store::{Compare, Entry, Op, Txn};

pub(crate) fn evict(cx: &mut Cx<'_>, mut req: Request) -> Result<Plan, ApiError> {
    let eviction = decode::eviction(&mut req)?;
    if eviction.metadata.name.as_deref().unwrap_or("") != req.name {
        return Err(ApiError::bad_request("name in URL does not match name in Eviction object"));
    }
    let options = eviction.delete_options.unwrap_or_default();
    cx.dry_run |= options.dry_run.as_ref().is_some_and(|d| !d.is_empty());
    let key = keys::of_parts(req.kind, &req.namespace, &req.name);
    let (entry, pod) = cx
        .store
        .get_ref(&key)
        .and_then(|e| Some((e, e.value.0.downcast::<Pod>()?)))
        .ok_or_else(|| ApiError::not_found("", "pods", &req.name))?;
    let mut pod = pod.clone();
    mark_disrupted(&mut pod, cx.now);
    let marked = Entry { value: Stored(api::obj(pod)), ..entry.clone() };
    let mut plan = delete_one(cx.now, key.clone(), &marked, &options, Compare::Exists(key.clone())).map(|p| p.txns)?;
    plan.insert(
        0,
        Txn {
            compares: vec![Compare::ModRevision(key.clone(), entry.mod_revision)],
            ops: vec![Op::Put { key, value: marked.value, lease: entry.lease }],
        },
    );
    Ok(Plan { txns: plan, ..Plan::status(201, success()) })
}

fn mark_disrupted(pod: &mut Pod, now: Time) {
    let conditions = pod.status.get_or_insert_default().conditions.get_or_insert_default();
    let mut new = PodCondition {
        type_: "DisruptionTarget".into(),
        status: "True".into(),
        reason: Some("EvictionByEvictionAPI".into()),
        message: Some("Eviction API: evicting".into()),
        last_transition_time: Some(now.to_k8s()),
        ..PodCondition::default()
    };
    match conditions.iter_mut().find(|c| c.type_ == new.type_) {
        Some(c) => {
            if c.status == new.status {
                new.last_transition_time = c.last_transition_time.take();
            }
            *c = new;
        }
        None => conditions.push(new),
    }
}
