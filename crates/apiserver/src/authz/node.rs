//! The Node authorizer: a kubelet reads what its pods need and writes what is its own. Models
//! `plugin/pkg/auth/authorizer/node`. Instead of keeping a graph it looks at the pods when it is asked: kubelets of this
//! cluster read through their informers, so it is asked by clients that act as a node only.

use super::rules::allows;
use super::{Attributes, Verdict};
use crate::keys;
use crate::stored::Stored;
use api::references::{config_maps, secrets};
use api::{ObjectExt, Registered};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, PodSpec};
use k8s_openapi::api::rbac::v1::PolicyRule;
use k8s_openapi::api::resource::v1::ResourceSlice;
use k8s_openapi::api::storage::v1::VolumeAttachment;
use meta::User;
use store::Store;

const LEASES: &str = "kube-node-lease";

/// The node behind a user name. Models `nodeidentifier`.
pub(crate) fn node_of(user: &User) -> Option<&str> {
    let node = user.name.strip_prefix("system:node:")?;
    user.groups.iter().any(|g| g == "system:nodes").then_some(node)
}

pub(super) fn authorize(store: &Store<Stored>, rules: &[PolicyRule], a: &Attributes<'_>) -> Verdict {
    let Some(node) = node_of(a.user) else { return Verdict::no_opinion("") };
    if node.is_empty() {
        return Verdict::no_opinion(format!("unknown node for user {:?}", a.user.name));
    }
    let no = |why: &str| Verdict::no_opinion(why);
    let yes = Verdict::allow("");
    let related = |what| related(store, node, a, what);
    let ours = matches!(a.verb, "get" | "create" | "update" | "patch" | "delete");
    if a.path.is_some() {
        return uniform(rules, a);
    }
    match (a.group, a.resource) {
        ("", "secrets") => readable(a).unwrap_or_else(|| related(What::Secret)),
        ("", "configmaps") => readable(a).unwrap_or_else(|| related(What::ConfigMap)),
        ("", "persistentvolumeclaims") if a.subresource == "status" => match a.verb {
            "update" | "patch" => related(What::Claim),
            _ => no("can only get/update/patch this type"),
        },
        ("", "persistentvolumeclaims") => gettable(a).unwrap_or_else(|| related(What::Claim)),
        ("", "persistentvolumes") => gettable(a).unwrap_or_else(|| related(What::Volume)),
        ("storage.k8s.io", "volumeattachments") => gettable(a).unwrap_or_else(|| related(What::Attachment)),
        ("", "serviceaccounts") if a.verb == "get" && a.subresource.is_empty() => {
            readable(a).unwrap_or_else(|| related(What::Account))
        }
        ("", "serviceaccounts") => match (a.verb, a.name, a.subresource) {
            ("create", "", _) => no("can only create tokens for individual service accounts"),
            ("create", _, "token") => related(What::Account),
            ("create", ..) => no("can only create token subresource of serviceaccount"),
            _ => no("can only create tokens for individual service accounts"),
        },
        ("coordination.k8s.io", "leases") => match () {
            () if !ours => no("can only get, create, update, patch, or delete a node lease"),
            () if a.namespace != LEASES => {
                Verdict::no_opinion(format!("can only access leases in the {LEASES:?} system namespace"))
            }
            () if a.verb != "create" && a.name != node => {
                no("can only access node lease with the same name as the requesting node")
            }
            () => yes,
        },
        ("storage.k8s.io", "csinodes") => match () {
            () if !ours => no("can only get, create, update, patch, or delete a CSINode"),
            () if !a.subresource.is_empty() => no("cannot authorize CSINode subresources"),
            () if a.verb != "create" && a.name != node => {
                no("can only access CSINode with the same name as the requesting node")
            }
            () => yes,
        },
        ("resource.k8s.io", "resourceclaims") => gettable(a).unwrap_or_else(|| related(What::Devices)),
        ("resource.k8s.io", "resourceslices") => match a.verb {
            _ if !a.subresource.is_empty() => no("cannot authorize ResourceSlice subresources"),
            // Whose it will be is admission's to look at.
            "create" => yes,
            "get" | "update" | "patch" | "delete" => related(What::Slice),
            "list" | "watch" | "deletecollection" if selects_node(a.field_selector, node) => yes,
            "list" | "watch" | "deletecollection" => {
                no("can only list/watch/deletecollection resourceslices with nodeName field selector")
            }
            _ => no(
                "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, \
                     delete, deletecollection",
            ),
        },
        ("", "nodes") => match (a.subresource, a.verb) {
            ("", "create" | "update" | "patch") | ("status", "update" | "patch") => yes,
            ("", "get" | "list" | "watch") => match a.name {
                name if name == node => yes,
                "" => Verdict::no_opinion(format!("node '{node}' cannot read all nodes, only its own Node object")),
                other => Verdict::no_opinion(format!("node '{node}' cannot read '{other}', only its own Node object")),
            },
            _ => no(""),
        },
        ("", "pods") => match (a.subresource, a.verb) {
            ("", "create" | "delete") | ("status", "update" | "patch") | ("eviction", "create") => yes,
            ("", "get") => related(What::Pod),
            ("", "list" | "watch") if selects_node(a.field_selector, node) => yes,
            ("", "list" | "watch") if !a.name.is_empty() => related(What::Pod),
            ("", "list" | "watch") => no("can only list/watch pods with spec.nodeName field selector"),
            _ => no(""),
        },
        _ => uniform(rules, a),
    }
}

fn uniform(rules: &[PolicyRule], a: &Attributes<'_>) -> Verdict {
    if rules.iter().any(|r| allows(r, a)) { Verdict::allow("") } else { Verdict::no_opinion("") }
}

fn selects_node(selector: &str, node: &str) -> bool {
    selector.split(',').any(|t| t.strip_prefix("spec.nodeName=").is_some_and(|n| n.trim_start_matches('=') == node))
}

/// What keeps it from being read. Models `authorizeReadNamespacedObject`.
fn readable(a: &Attributes<'_>) -> Option<Verdict> {
    let why = match () {
        () if !matches!(a.verb, "get" | "list" | "watch") => "can only read resources of this type",
        () if !a.subresource.is_empty() => "cannot read subresource",
        () if a.namespace.is_empty() => "can only read namespaced object of this type",
        () => return None,
    };
    Some(Verdict::no_opinion(why))
}

/// Models `authorizeGet`.
fn gettable(a: &Attributes<'_>) -> Option<Verdict> {
    let why = match () {
        () if a.verb != "get" => "can only get individual resources of this type",
        () if !a.subresource.is_empty() => "cannot get subresource",
        () => return None,
    };
    Some(Verdict::no_opinion(why))
}

#[derive(Clone, Copy)]
enum What {
    Secret,
    ConfigMap,
    Claim,
    Volume,
    Attachment,
    Account,
    Pod,
    Devices,
    Slice,
}

/// Whether a pod of the node needs the object.
fn related(store: &Store<Stored>, node: &str, a: &Attributes<'_>, what: What) -> Verdict {
    if a.name.is_empty() {
        return Verdict::no_opinion("No Object name found");
    }
    let needs = |namespace: &str, f: &dyn Fn(&Pod, &PodSpec) -> bool| {
        let prefix = keys::prefix(Pod::KIND_REF, namespace);
        let end = keys::range_end(&prefix);
        let pods = store.iter_range(&prefix, &end).filter_map(|(_, e)| e.value.0.downcast::<Pod>());
        let mut on_node = pods.filter(|p| p.spec.as_ref().and_then(|s| s.node_name.as_deref()) == Some(node));
        on_node.any(|p| p.spec.as_ref().is_some_and(|s| f(p, s)))
    };
    let found = match what {
        What::Pod => needs(a.namespace, &|p, _| p.metadata.name.as_deref() == Some(a.name)),
        What::Account => needs(a.namespace, &|_, s| s.service_account_name.as_deref() == Some(a.name)),
        What::Secret => needs(a.namespace, &|_, s| secrets(s).any(|n| n == a.name)),
        What::ConfigMap => needs(a.namespace, &|_, s| config_maps(s).any(|n| n == a.name)),
        What::Devices => needs(a.namespace, &|p, _| device_claims(p).any(|n| n == a.name)),
        What::Slice => {
            let entry = store.get_ref(&keys::of_parts(ResourceSlice::KIND_REF, "", a.name));
            let slice = entry.and_then(|e| e.value.0.downcast::<ResourceSlice>());
            slice.is_some_and(|s| s.spec.node_name.as_deref() == Some(node))
        }
        What::Claim => needs(a.namespace, &|p, s| claims(p, s).any(|n| n == a.name)),
        What::Volume => needs("", &|p, s| {
            let namespace = p.metadata.namespace.as_deref().unwrap_or("");
            claims(p, s).any(|claim| {
                let entry = store.get_ref(&keys::of_parts(PersistentVolumeClaim::KIND_REF, namespace, &claim));
                let claim = entry.and_then(|e| e.value.0.downcast::<PersistentVolumeClaim>());
                claim.and_then(|c| c.spec.as_ref()?.volume_name.as_deref()) == Some(a.name)
            })
        }),
        What::Attachment => {
            let entry = store.get_ref(&keys::of_parts(VolumeAttachment::KIND_REF, "", a.name));
            let attachment = entry.and_then(|e| e.value.0.downcast::<VolumeAttachment>());
            attachment.is_some_and(|v| v.spec.node_name == node)
        }
    };
    if found {
        return Verdict::allow("");
    }
    Verdict::no_opinion(format!("no relationship found between node '{node}' and this object"))
}

/// ResourceClaims by their names, those that were made for the pod, too.
fn device_claims(p: &Pod) -> impl Iterator<Item = &str> {
    let named = p.spec.iter().flat_map(|s| s.resource_claims.iter().flatten());
    let named = named.filter_map(|c| c.resource_claim_name.as_deref());
    let made = p.status.iter().flat_map(|s| s.resource_claim_statuses.iter().flatten());
    named.chain(made.filter_map(|c| c.resource_claim_name.as_deref()))
}

/// Claims by their names; a generic ephemeral volume's is named after pod and volume.
fn claims(p: &Pod, s: &PodSpec) -> impl Iterator<Item = String> {
    let pod = p.metadata.name.clone().unwrap_or_default();
    s.volumes.iter().flatten().filter_map(move |v| {
        let named = v.persistent_volume_claim.as_ref().map(|c| c.claim_name.clone());
        named.or_else(|| v.ephemeral.as_ref().map(|_| format!("{pod}-{}", v.name)))
    })
}
