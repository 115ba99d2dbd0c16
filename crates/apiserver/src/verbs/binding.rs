//! `POST pods/NAME/binding`. Models `pkg/registry/core/pod/storage.BindingREST`.

use crate::admission;
use crate::decode;
use crate::keys;
use crate::request::Request;
use crate::response::created;
use crate::server::{Cx, Plan};
use api::ObjectExt;
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use meta::{ApiError, FieldError, Path, Time};
use store::{Compare, Op, Txn};

pub(crate) fn bind(cx: &mut Cx<'_>, mut req: Request) -> Result<Plan, ApiError> {
    let mut binding = decode::binding(&mut req)?;
    if admission::anybody_asks(cx) {
        let mut body = serde_json::to_value(&binding).unwrap_or_default();
        admission::admit_body(cx, &req, "CREATE", &mut body, None)?;
        binding = serde_json::from_value(body).map_err(ApiError::internal)?;
    }
    if binding.metadata.name.as_deref().unwrap_or("") != req.name {
        return Err(ApiError::bad_request("name in URL does not match name in Binding object"));
    }
    let target = binding.target.name.as_deref().unwrap_or("");
    let mut errors = Vec::new();
    if binding.target.kind.as_deref().is_some_and(|k| !matches!(k, "" | "Node")) {
        let value = binding.target.kind.as_deref().unwrap_or("");
        errors.push(FieldError::not_supported(&Path::new("target").child("kind"), value, &["Node", "<empty>"]));
    }
    if target.is_empty() {
        errors.push(FieldError::required(&Path::new("target").child("name"), ""));
    }
    if !errors.is_empty() {
        // Not a Status of upstream's, so it becomes a bare 500.
        let list: Vec<String> = errors.iter().map(ToString::to_string).collect();
        return Err(match list.as_slice() {
            [one] => ApiError::new(500, "", one.as_str()),
            many => ApiError::new(500, "", format!("[{}]", many.join(", "))),
        });
    }
    let key = keys::of_parts(req.kind, &req.namespace, &req.name);
    let entry = cx.store.get_ref(&key);
    let (entry, pod) = entry
        .and_then(|e| Some((e, e.value.0.downcast::<Pod>()?)))
        .ok_or_else(|| ApiError::not_found("", "pods", &req.name))?;
    if let Some(uid) = binding.metadata.uid.as_deref().filter(|u| !u.is_empty())
        && entry.value.0.uid() != uid
    {
        return Err(super::update::uid_conflict(req.kind, &req.name, &key, uid, entry.value.0.uid()));
    }
    let conflict = |why: String| ApiError::conflict("", "pods/binding", &req.name, &why);
    let spec = pod.spec.as_ref();
    if pod.metadata.deletion_timestamp.is_some() {
        return Err(conflict(format!("pod {} is being deleted, cannot be assigned to a host", req.name)));
    }
    if let Some(node) = spec.and_then(|s| s.node_name.as_deref()).filter(|n| !n.is_empty()) {
        return Err(conflict(format!("pod {} is already assigned to node {node:?}", req.name)));
    }
    if spec.and_then(|s| s.scheduling_gates.as_ref()).is_some_and(|g| !g.is_empty()) {
        return Err(conflict(format!("pod {} has non-empty .spec.schedulingGates", req.name)));
    }
    let mut pod = pod.clone();
    pod.spec.get_or_insert_default().node_name = Some(target.into());
    if let Some(status) = &mut pod.status {
        status.nominated_node_name = None;
    }
    let topology = admission::pod_topology_labels::of_node(cx, target);
    if let Some(annotations) = binding.metadata.annotations {
        pod.metadata.annotations.get_or_insert_default().extend(annotations);
    }
    let labels: Vec<_> = binding.metadata.labels.into_iter().flatten().chain(topology).collect();
    if !labels.is_empty() {
        pod.metadata.labels.get_or_insert_default().extend(labels);
    }
    mark_scheduled(&mut pod, cx.now);
    let txn = Txn {
        compares: vec![Compare::ModRevision(key.clone(), entry.mod_revision)],
        ops: vec![Op::Put { key, value: entry.value.changed(Box::new(pod)), lease: entry.lease }],
    };
    Ok(Plan { txns: vec![txn], ..Plan::status(201, created()) })
}

/// Models `podutil.UpdatePodCondition` for `PodScheduled=True`.
fn mark_scheduled(pod: &mut Pod, now: Time) {
    let conditions = pod.status.get_or_insert_default().conditions.get_or_insert_default();
    let new = PodCondition {
        type_: "PodScheduled".into(),
        status: "True".into(),
        last_transition_time: Some(now.to_k8s()),
        ..PodCondition::default()
    };
    match conditions.iter_mut().find(|c| c.type_ == "PodScheduled") {
        Some(c) if c.status == "True" => {
            let since = c.last_transition_time.take();
            *c = PodCondition { last_transition_time: since, ..new };
        }
        Some(c) => *c = new,
        None => conditions.push(new),
    }
}
