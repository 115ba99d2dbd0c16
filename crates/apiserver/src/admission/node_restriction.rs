//! NodeRestriction: a kubelet changes its own node and what is bound to it, nothing else. Models
//! `plugin/pkg/admission/noderestriction`.

use super::forbidden;
use crate::authz::node::node_of;
use crate::request::Request;
use crate::server::Cx;
use api::references::{self, MIRROR};
use api::{Object, ObjectExt, Registered};
use k8s_openapi::api::authentication::v1::BoundObjectReference;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, PersistentVolumeClaim, Pod};
use k8s_openapi::api::resource::v1::ResourceSlice;
use k8s_openapi::api::storage::v1::CSINode;
use meta::ApiError;
use std::collections::{BTreeMap, BTreeSet};

const RESTRICTED: &str = "node-restriction.kubernetes.io";
/// Models `kubeletapis.kubeletLabels`: what a kubelet may say of its node with the labels of Kubernetes' own.
const KUBELET_LABELS: &[&str] = &[
    "kubernetes.io/hostname",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "beta.kubernetes.io/instance-type",
    "node.kubernetes.io/instance-type",
    "kubernetes.io/os",
    "kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch",
];
const KUBELET_NAMESPACES: &[&str] = &["kubelet.kubernetes.io", "node.kubernetes.io"];

fn bound_to(pod: &Pod) -> &str {
    pod.spec.as_ref().and_then(|s| s.node_name.as_deref()).unwrap_or("")
}

pub(super) fn create(cx: &Cx<'_>, req: &Request, o: &dyn Object) -> Result<(), ApiError> {
    let Some(node) = node_of(&req.user) else { return Ok(()) };
    if let Some(pod) = o.downcast::<Pod>() {
        return create_pod(cx, node, pod);
    }
    if let Some(new) = o.downcast::<Node>() {
        its_own(node, o)?;
        let set = forbidden_labels(new.metadata.labels.as_ref(), None);
        if !set.is_empty() {
            return Err(forbidden(
                o,
                &format!("node {node:?} is not allowed to set the following labels: {}", list(&set)),
            ));
        }
    }
    its_own_slice(node, o, "create")?;
    its_own_lease(node, o)
}

/// An update of the object or of a part of it.
pub(crate) fn update(req: &Request, o: &dyn Object, old: &dyn Object) -> Result<(), ApiError> {
    let Some(node) = node_of(&req.user) else { return Ok(()) };
    if let Some(before) = old.downcast::<Pod>() {
        let why = match req.subresource {
            "status" if bound_to(before) != node => {
                format!("node {node:?} can only update pod status for pods with spec.nodeName set to itself")
            }
            "status" if before.metadata.labels != o.meta().labels => {
                format!("node {node:?} cannot update labels through pod status")
            }
            "status" => return Ok(()),
            "" => format!("unexpected operation \"UPDATE\", node {node:?} can only create and delete mirror pods"),
            other => format!("unexpected pod subresource {other:?}, only 'status' and 'eviction' are allowed"),
        };
        return Err(forbidden(old, &why));
    }
    if let (Some(new), Some(before)) = (o.downcast::<Node>(), old.downcast::<Node>()) {
        its_own(node, old)?;
        let taints = |n: &Node| n.spec.as_ref().and_then(|s| s.taints.clone()).unwrap_or_default();
        // Inside the process a status travels alone.
        let alone = req.subresource == "status" && new.spec.is_none();
        if !alone && taints(new) != taints(before) {
            return Err(forbidden(old, &format!("node {node:?} is not allowed to modify taints")));
        }
        let changed = forbidden_labels(new.metadata.labels.as_ref(), before.metadata.labels.as_ref());
        if !changed.is_empty() {
            return Err(forbidden(old, &format!("is not allowed to modify labels: {}", list(&changed))));
        }
    }
    if old.kind() == PersistentVolumeClaim::KIND_REF && req.subresource != "status" {
        return Err(forbidden(old, "may only update PVC status"));
    }
    its_own_lease(node, old)
}

pub(crate) fn delete(req: &Request, o: &dyn Object) -> Result<(), ApiError> {
    let Some(node) = node_of(&req.user) else { return Ok(()) };
    if o.downcast::<Pod>().is_some_and(|p| bound_to(p) != node) {
        let why = format!("node {node:?} can only delete pods with spec.nodeName set to itself");
        return Err(forbidden(o, &why));
    }
    if o.kind() == Node::KIND_REF {
        its_own(node, o)?;
    }
    its_own_slice(node, o, "delete")?;
    its_own_lease(node, o)
}

pub(crate) fn evict(req: &Request, pod: &Pod) -> Result<(), ApiError> {
    let Some(node) = node_of(&req.user) else { return Ok(()) };
    if bound_to(pod) == node {
        return Ok(());
    }
    Err(forbidden(pod, &format!("node {node} can only evict pods with spec.nodeName set to itself")))
}

fn its_own(node: &str, o: &dyn Object) -> Result<(), ApiError> {
    if o.name() == node {
        return Ok(());
    }
    Err(forbidden(o, &format!("node {node:?} is not allowed to modify node {:?}", o.name())))
}

/// Models `admitResourceSlice`: the authorizer knows neither what is being made nor what a collection holds.
fn its_own_slice(node: &str, o: &dyn Object, verb: &str) -> Result<(), ApiError> {
    match o.downcast::<ResourceSlice>() {
        Some(slice) if slice.spec.node_name.as_deref() != Some(node) => {
            let why = format!("can only {verb} ResourceSlice with the same NodeName as the requesting node");
            Err(forbidden(o, &why))
        }
        _ => Ok(()),
    }
}

/// The same for what goes with a node under its name.
fn its_own_lease(node: &str, o: &dyn Object) -> Result<(), ApiError> {
    let why = match o.kind() {
        k if k == Lease::KIND_REF && o.namespace() != "kube-node-lease" => {
            "can only access leases in the \"kube-node-lease\" system namespace"
        }
        k if k == Lease::KIND_REF && o.name() != node => {
            "can only access node lease with the same name as the requesting node"
        }
        k if k == CSINode::KIND_REF && o.name() != node => {
            "can only access CSINode with the same name as the requesting node"
        }
        _ => return Ok(()),
    };
    Err(forbidden(o, why))
}

/// Models `admitPodCreate`: only mirrors of the node's own static pods, which need nothing of the API.
fn create_pod(cx: &Cx<'_>, node: &str, pod: &Pod) -> Result<(), ApiError> {
    let no = |why: String| Err(forbidden(pod, &why));
    if !references::is_mirror(pod) {
        return no(format!("pod does not have {MIRROR:?} annotation, node {node:?} can only create mirror pods"));
    }
    let can_only = |what: &str| no(format!("node {node:?} can only create pods with {what}"));
    if bound_to(pod) != node {
        return can_only("spec.nodeName set to itself");
    }
    match pod.metadata.owner_references.as_deref().unwrap_or_default() {
        [] => return can_only("an owner reference set to itself"),
        [owner] => {
            if owner.api_version != "v1" || owner.kind != "Node" || owner.name != node {
                return can_only("an owner reference set to itself");
            }
            if owner.controller != Some(true) {
                return can_only("a controller owner reference set to itself");
            }
            if owner.block_owner_deletion == Some(true) {
                return no(format!("node {node:?} must not set blockOwnerDeletion on an owner reference"));
            }
            let Some(own) = cx.object(Node::KIND_REF, "", node).map(|n| n.value.0.uid()) else {
                return Err(ApiError::not_found("", "nodes", node));
            };
            if own != owner.uid {
                return no(format!("node {node} UID mismatch: expected {} got {own}", owner.uid));
            }
        }
        _ => return can_only("a single owner reference set to itself"),
    }
    match references::first(pod) {
        Some(what) => no(format!("node {node:?} can not create pods that reference {what}")),
        None => Ok(()),
    }
}

/// Tokens are for the node's own pods. Models `admitServiceAccount`.
pub(crate) fn token(cx: &Cx<'_>, req: &Request, bound: Option<&BoundObjectReference>) -> Result<(), ApiError> {
    let Some(node) = node_of(&req.user) else { return Ok(()) };
    let no = |why: &str| Err(ApiError::forbidden("", "serviceaccounts", &req.name, why));
    let said = |s: &Option<String>| s.clone().unwrap_or_default();
    let Some(r) = bound.filter(|r| said(&r.api_version) == "v1" && said(&r.kind) == "Pod" && !said(&r.name).is_empty())
    else {
        return no("node requested token not bound to a pod");
    };
    let (name, uid) = (said(&r.name), said(&r.uid));
    if uid.is_empty() {
        return no("node requested token with a pod binding without a uid");
    }
    let entry = cx.object(Pod::KIND_REF, &req.namespace, &name);
    let Some(pod) = entry.and_then(|e| e.value.0.downcast::<Pod>()) else {
        return Err(ApiError::not_found("", "pods", &name));
    };
    if pod.metadata.uid.as_ref() != Some(&uid) {
        return no(&format!(
            "the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been \
             deleted and then recreated"
        ));
    }
    if bound_to(pod) != node {
        return no("node requested token bound to a pod scheduled on a different node");
    }
    Ok(())
}

fn list(labels: &BTreeSet<String>) -> String {
    labels.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Of the labels that differ those that a kubelet has no say in. Models `getForbiddenLabels`.
fn forbidden_labels(
    new: Option<&BTreeMap<String, String>>,
    old: Option<&BTreeMap<String, String>>,
) -> BTreeSet<String> {
    let none = BTreeMap::new();
    let (new, old) = (new.unwrap_or(&none), old.unwrap_or(&none));
    let differs = |key: &&String| new.get(*key) != old.get(*key);
    new.keys().chain(old.keys()).filter(differs).filter(|key| is_forbidden(key)).cloned().collect()
}

/// Whether only others than the node itself may say so of it. Models `getForbiddenLabels`.
pub fn is_forbidden(label: &str) -> bool {
    let namespace = label.split_once('/').map_or("", |(n, _)| n);
    let within = |n: &str| namespace == n || namespace.strip_suffix(n).is_some_and(|rest| rest.ends_with('.'));
    if within(RESTRICTED) {
        return true;
    }
    let of_kubelets = KUBELET_LABELS.contains(&label) || KUBELET_NAMESPACES.iter().any(|n| within(n));
    (within("kubernetes.io") || within("k8s.io")) && !of_kubelets
}
