//! Node. Models `pkg/registry/core/node/strategy.go`, `ValidateNode` and `printNode`.

use super::pod::{defaults::round_to_milli, validate_quantity, validate_taint_effect, visit_resource_list};
use super::register;
use super::status_fields::StatusFields;
use crate::registration::{Cell, Column, Registration, Scope, Subresource};
use crate::table;
use crate::validate::labels::validate_label_name;
use crate::validate::{json_text, names, net, text};
use k8s_openapi::api::core::v1::{Node, NodeSpec, NodeStatus, Taint};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use meta::{FieldError, Path, Time};
use std::collections::BTreeSet;

pub struct Reg;
register!(Reg, Node);

const ADDRESSES: &str = "List of addresses reachable to the node. Queried from cloud provider, if available. More info: \
https://kubernetes.io/docs/reference/node/node-status/#addresses Note: This field is declared as mergeable, but the \
merge key is not sufficiently unique, which can cause data corruption when it is merged. Callers should instead use a \
full-replacement patch. See https://pr.k8s.io/79391 for an example. Consumers should assume that addresses can change \
during the lifetime of a Node. However, there are some exceptions where this may not be possible, such as Pods that \
inherit a Node's address in its own status or consumers of the downward API (status.hostIP).";

impl Registration for Reg {
    type Type = Node;
    const PLURAL: &'static str = "nodes";
    const SINGULAR: &'static str = "node";
    const SHORT_NAMES: &'static [&'static str] = &["no"];
    const SCOPE: Scope = Scope::Cluster;
    const SUBRESOURCES: &'static [Subresource] = &[
        Subresource { name: "proxy", gvk: Some(("", "v1", "NodeProxyOptions")), verbs: super::PROXY_VERBS },
        Subresource { name: "status", gvk: None, verbs: super::STATUS_VERBS },
    ];
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Status", "string", 0).describe("The status of the node"),
        Column::new("Roles", "string", 0).describe("The roles of the node"),
        Column::AGE,
        Column::new("Version", "string", 0).describe("Kubelet Version reported by the node."),
        Column::new("Internal-IP", "string", 1).describe(ADDRESSES),
        Column::new("External-IP", "string", 1).describe(ADDRESSES),
        Column::new("OS-Image", "string", 1)
            .describe("OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy))."),
        Column::new("Kernel-Version", "string", 1)
            .describe("Kernel Version reported by the node from 'uname -r' (e.g. 3.16.0-0.bpo.4-amd64)."),
        Column::new("Container-Runtime", "string", 1).describe(
            "ContainerRuntime Version reported by the node through runtime remote API (e.g. containerd://1.4.2).",
        ),
    ];
    const SAMPLE: &'static str = "\
apiVersion: v1
kind: Node
metadata:
  name: node-4
  labels:
    kubernetes.io/hostname: node-4
    kubernetes.io/os: linux
    kubernetes.io/arch: amd64
status:
  capacity:
    cpu: \"4\"
    memory: 8Gi
    pods: \"110\"
";

    fn quantities(o: &mut Node, f: &mut dyn FnMut(&mut Quantity)) {
        if let Some(s) = &mut o.status {
            visit_resource_list(&mut s.capacity, f);
            visit_resource_list(&mut s.allocatable, f);
        }
    }

    /// Models `SetDefaults_NodeStatus`.
    fn default(o: &mut Node) {
        if let Some(s) = &mut o.status {
            if s.allocatable.is_none() {
                s.allocatable = s.capacity.clone();
            }
            for list in [&mut s.capacity, &mut s.allocatable].into_iter().flatten() {
                round_to_milli(list);
            }
        }
        if let Some(s) = &mut o.spec {
            // The two fields are one in upstream's internal type.
            match (&s.pod_cidr, &s.pod_cidrs) {
                (Some(c), list) if list.as_ref().and_then(|l| l.first()) != Some(c) => {
                    s.pod_cidrs = Some(vec![c.clone()]);
                }
                (None, Some(list)) => s.pod_cidr = list.first().cloned(),
                _ => {}
            }
        }
    }

    fn prepare_create(o: &mut Node) {
        // The feature is gone; so are its traces.
        if let Some(s) = &mut o.spec {
            s.config_source = None;
        }
        if let Some(s) = &mut o.status {
            s.config = None;
        }
    }
    fn prepare_update(new: &mut Node, old: &Node) {
        new.status = old.status.clone();
        if let Some(s) = new.spec.as_mut().filter(|_| old.spec.as_ref().is_none_or(|o| o.config_source.is_none())) {
            s.config_source = None;
        }
    }
    fn merge_status(new: &mut Node, old: &Node) -> bool {
        if let Some(old) = &old.status {
            new.status.get_or_insert_default().fill_from(old);
        }
        true
    }
    fn prepare_status(new: &mut Node, old: &Node) {
        new.spec = old.spec.clone();
    }

    fn validate_create(o: &Node) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let none = NodeSpec::default();
        let spec = o.spec.as_ref().unwrap_or(&none);
        // Upstream reports taints under metadata; so does this.
        taints(spec.taints.as_deref().unwrap_or_default(), &Path::new("metadata").child("taints"), &mut errors);
        resources(o, &mut errors);
        let path = Path::new("spec").child("podCIDRs");
        let cidrs = spec.pod_cidrs.as_deref().unwrap_or_default();
        for (i, c) in cidrs.iter().enumerate() {
            errors.extend(net::cidr(&path.index(i), c));
            if cidrs[..i].contains(c) {
                errors.push(FieldError::duplicate(&path.index(i), c.as_str()));
            }
        }
        if cidrs.len() > 2 || (cidrs.len() == 2 && !net::is_dual_stack(cidrs.iter().map(String::as_str))) {
            let why = "may specify no more than one CIDR for each IP family";
            errors.push(FieldError::invalid(&path, serde_json::json!(cidrs), why));
        }
        errors
    }

    fn validate_update(new: &Node, old: &Node) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        errors.extend(Self::validate_status(new, old));
        errors
    }

    /// Models `ValidateNodeUpdate`.
    fn validate_status(new: &Node, old: &Node) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let none = NodeSpec::default();
        let (n, o) = (new.spec.as_ref().unwrap_or(&none), old.spec.as_ref().unwrap_or(&none));
        resources(new, &mut errors);
        addresses(new, &mut errors);
        if o.pod_cidrs.as_ref().is_some_and(|c| !c.is_empty()) && o.pod_cidrs != n.pod_cidrs {
            let why = "node updates may not change podCIDR except from \"\" to valid";
            errors.push(FieldError::forbidden(&Path::new("spec").child("podCIDRs"), why));
        }
        if !text(&o.provider_id).is_empty() && o.provider_id != n.provider_id {
            let why = "node updates may not change providerID except from \"\" to valid";
            errors.push(FieldError::forbidden(&Path::new("spec").child("providerID"), why));
        }
        taints(n.taints.as_deref().unwrap_or_default(), &Path::new("metadata").child("taints"), &mut errors);
        if text(&n.external_id) != text(&o.external_id) {
            errors.push(FieldError::forbidden(&Path::new("spec").child("externalID"), "may not be updated"));
        }
        errors
    }

    fn warnings(o: &Node) -> Vec<String> {
        let mut out = Vec::new();
        let Some(s) = &o.spec else { return out };
        if s.config_source.is_some() {
            out.push("spec.configSource: the feature is removed".into());
        }
        if !text(&s.external_id).is_empty() {
            out.push("spec.externalID: this field is deprecated, and is unused by Kubernetes".into());
        }
        for (i, c) in s.pod_cidrs.iter().flatten().enumerate() {
            out.extend(net::cidr_warnings(&Path::new("spec").child("podCIDRs").index(i), c));
        }
        out
    }

    fn cells(o: &Node, now: Time) -> Vec<Cell> {
        let none = NodeStatus::default();
        let status = o.status.as_ref().unwrap_or(&none);
        let info = status.node_info.clone().unwrap_or_default();
        let address = |kind: &str| {
            let found = status.addresses.iter().flatten().find(|a| a.type_ == kind);
            table::or_none(found.map_or("", |a| &a.address))
        };
        let or_unknown = |s: String| Cell::from(if s.is_empty() { "<unknown>".into() } else { s });
        vec![
            table::name(&o.metadata),
            condition(o).into(),
            table::or_none(&roles(o)),
            table::age(&o.metadata, now),
            info.kubelet_version.into(),
            address("InternalIP"),
            address("ExternalIP"),
            or_unknown(info.os_image),
            or_unknown(info.kernel_version),
            or_unknown(info.container_runtime_version),
        ]
    }

    fn fields(o: &Node) -> Vec<(&'static str, String)> {
        let unschedulable = o.spec.as_ref().and_then(|s| s.unschedulable).unwrap_or(false);
        vec![("spec.unschedulable", unschedulable.to_string())]
    }
}

/// `Ready`, `NotReady`, `Unknown`, each perhaps with `,SchedulingDisabled`.
fn condition(o: &Node) -> String {
    let ready = o.status.iter().flat_map(|s| s.conditions.iter().flatten()).find(|c| c.type_ == "Ready");
    let mut text = match ready {
        Some(c) if c.status == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_string();
    if o.spec.as_ref().and_then(|s| s.unschedulable) == Some(true) {
        text.push_str(",SchedulingDisabled");
    }
    text
}

/// Models `findNodeRoles`.
fn roles(o: &Node) -> String {
    let mut roles = BTreeSet::new();
    for (k, v) in o.metadata.labels.iter().flatten() {
        if let Some(role) = k.strip_prefix("node-role.kubernetes.io/").filter(|r| !r.is_empty()) {
            roles.insert(role);
        } else if k == "kubernetes.io/role" && !v.is_empty() {
            roles.insert(v);
        }
    }
    roles.into_iter().collect::<Vec<_>>().join(",")
}

/// Models `validateNodeTaints`.
fn taints(list: &[Taint], path: &Path, errors: &mut Vec<FieldError>) {
    for (i, t) in list.iter().enumerate() {
        let at = path.index(i);
        errors.extend(validate_label_name(&at.child("key"), &t.key));
        let bad = names::label_value(text(&t.value));
        if !bad.is_empty() {
            errors.push(FieldError::invalid(&at.child("value"), text(&t.value), bad.join(";")));
        }
        validate_taint_effect(&t.effect, false, &at.child("effect"), errors);
        if list[..i].iter().any(|o| o.key == t.key && o.effect == t.effect) {
            let mut e = FieldError::duplicate(&at, "");
            e.value = format!(
                "{{\"Key\":{},\"Value\":{},\"Effect\":{},\"TimeAdded\":{}}}",
                json_text(&t.key),
                json_text(&text(&t.value)),
                json_text(&t.effect),
                json_text(&t.time_added)
            );
            e.detail = "taints must be unique by key and effect pair".into();
            errors.push(e);
        }
    }
}

fn addresses(o: &Node, errors: &mut Vec<FieldError>) {
    let list = o.status.as_ref().and_then(|s| s.addresses.as_deref()).unwrap_or_default();
    for (i, a) in list.iter().enumerate() {
        if list[..i].contains(a) {
            let mut e = FieldError::duplicate(&Path::new("status").child("addresses").index(i), "");
            e.value = format!("{{\"Type\":{},\"Address\":{}}}", json_text(&a.type_), json_text(&a.address));
            errors.push(e);
        }
    }
}

/// Models `ValidateNodeResources`.
fn resources(o: &Node, errors: &mut Vec<FieldError>) {
    let Some(s) = &o.status else { return };
    for (field, list) in [("capacity", &s.capacity), ("allocatable", &s.allocatable)] {
        let path = Path::new("status").child(field);
        for (name, q) in list.iter().flatten() {
            validate_quantity(name, q, &path.child(name), errors);
        }
    }
}
