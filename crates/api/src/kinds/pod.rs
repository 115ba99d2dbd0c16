//! Pod. Models `pkg/registry/core/pod/strategy.go`.

pub(crate) mod affinity;
pub mod apparmor;
mod columns;
mod container;
pub(crate) mod defaults;
pub(crate) mod diff;
mod env;
mod ephemeral;
mod mounts;
mod probes;
mod resize;
pub(crate) mod resources;
pub(crate) mod scheduling;
mod security;
mod spec;
mod update;
pub(crate) mod volumes;
pub(crate) mod warnings;

pub use affinity::apply_match_label_keys;
pub use columns::status_text;
pub use ephemeral::{keep_all_but_ephemeral, validate_ephemeral};
pub use resize::{keep_all_but_resources, validate_resize};
pub(crate) use resources::{validate_quantity, visit_quantities, visit_resource_list};
pub(crate) use scheduling::validate_taint_effect;
pub use spec::{validate_pod_spec, validate_pod_template};

#[cfg(test)]
mod tests;

use super::register;
use super::status_fields::StatusFields;
use crate::pods;
use crate::registration::{Cell, Column, Registration, Subresource, Verb};
use crate::validate::text;
use k8s_openapi::api::core::v1::{Pod, PodCondition, PodStatus};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, Pod);

impl Registration for Reg {
    type Type = Pod;
    const PLURAL: &'static str = "pods";
    const SINGULAR: &'static str = "pod";
    const SHORT_NAMES: &'static [&'static str] = &["po"];
    const CATEGORIES: &'static [&'static str] = &["all"];
    const HAS_GENERATION: bool = true;
    const SUBRESOURCES: &'static [Subresource] = &[
        Subresource { name: "attach", gvk: Some(("", "v1", "PodAttachOptions")), verbs: super::CONNECT_VERBS },
        Subresource { name: "binding", gvk: Some(("", "v1", "Binding")), verbs: &[Verb::Create] },
        Subresource { name: "ephemeralcontainers", gvk: None, verbs: super::STATUS_VERBS },
        Subresource { name: "eviction", gvk: Some(("policy", "v1", "Eviction")), verbs: &[Verb::Create] },
        Subresource { name: "exec", gvk: Some(("", "v1", "PodExecOptions")), verbs: super::CONNECT_VERBS },
        Subresource { name: "log", gvk: None, verbs: &[Verb::Get] },
        Subresource {
            name: "portforward",
            gvk: Some(("", "v1", "PodPortForwardOptions")),
            verbs: super::CONNECT_VERBS,
        },
        Subresource { name: "proxy", gvk: Some(("", "v1", "PodProxyOptions")), verbs: super::PROXY_VERBS },
        Subresource { name: "resize", gvk: None, verbs: super::STATUS_VERBS },
        Subresource { name: "status", gvk: None, verbs: super::STATUS_VERBS },
    ];
    const COLUMNS: &'static [Column] = columns::COLUMNS;
    const SAMPLE: &'static str = "\
apiVersion: v1
kind: Pod
metadata:
  name: nginx
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: 80
";

    fn quantities(o: &mut Pod, f: &mut dyn FnMut(&mut Quantity)) {
        if let Some(spec) = &mut o.spec {
            visit_quantities(spec, f);
        }
        if let Some(status) = &mut o.status {
            resources::visit_status_quantities(status, f);
        }
    }

    /// Unscheduled and finished pods go at once, whatever the request says. Models `CheckGracefulDelete`.
    fn default_grace_seconds(o: &Pod) -> Option<i64> {
        let spec = o.spec.as_ref()?;
        if text(&spec.node_name).is_empty() || pods::is_terminal(o) {
            return Some(0);
        }
        let period = spec.termination_grace_period_seconds.unwrap_or(0);
        Some(if period < 0 { 1 } else { period })
    }

    fn default(o: &mut Pod) {
        defaults::pod(o);
    }

    fn prepare_create(o: &mut Pod) {
        let mut status = PodStatus {
            phase: Some("Pending".into()),
            qos_class: Some(pods::qos_class(o).into()),
            ..Default::default()
        };
        let Some(spec) = &mut o.spec else { return };
        affinity::apply_match_label_keys(spec, o.metadata.labels.as_ref());
        if spec.scheduling_gates.as_ref().is_some_and(|g| !g.is_empty()) {
            status.conditions = Some(vec![PodCondition {
                type_: "PodScheduled".into(),
                status: "False".into(),
                reason: Some("SchedulingGated".into()),
                message: Some("Scheduling is blocked due to non-empty scheduling gates".into()),
                ..Default::default()
            }]);
        }
        o.status = Some(status);
    }

    fn prepare_update(new: &mut Pod, old: &Pod) {
        new.status = old.status.clone();
    }

    fn merge_status(new: &mut Pod, old: &Pod) -> bool {
        if let Some(old) = &old.status {
            new.status.get_or_insert_default().fill_from(old);
        }
        true
    }

    fn prepare_status(new: &mut Pod, old: &Pod) {
        new.spec = old.spec.clone();
        new.metadata.deletion_timestamp = old.metadata.deletion_timestamp.clone();
        new.metadata.owner_references = old.metadata.owner_references.clone();
        let old_qos = old.status.as_ref().and_then(|s| s.qos_class.clone());
        let status = new.status.get_or_insert_default();
        if status.qos_class.is_none() {
            status.qos_class = old_qos;
        }
    }

    fn validate_create(o: &Pod) -> Vec<FieldError> {
        spec::validate_pod(o)
    }

    fn validate_update(new: &Pod, old: &Pod) -> Vec<FieldError> {
        update::validate_update(new, old)
    }

    fn validate_status(new: &Pod, old: &Pod) -> Vec<FieldError> {
        update::validate_status(new, old)
    }

    fn warnings(o: &Pod) -> Vec<String> {
        let Some(spec) = &o.spec else { return Vec::new() };
        let mut out: Vec<String> =
            warnings::long_name(text(&o.metadata.name), "the Pod's hostname").into_iter().collect();
        out.extend(warnings::of(&Path::default(), spec, &o.metadata, false));
        out
    }

    fn cells(o: &Pod, now: Time) -> Vec<Cell> {
        columns::cells(o, now)
    }

    /// Models `ToSelectableFields`.
    fn fields(o: &Pod) -> Vec<(&'static str, String)> {
        let (spec, status) = (o.spec.as_ref(), o.status.as_ref());
        let from_spec = |f: fn(&k8s_openapi::api::core::v1::PodSpec) -> &str| spec.map_or("", f).to_string();
        let from_status = |f: fn(&PodStatus) -> &str| status.map_or("", f).to_string();
        let ip = status.map_or("", |s| s.pod_ips.iter().flatten().next().map_or(text(&s.pod_ip), |p| &p.ip));
        vec![
            ("spec.nodeName", from_spec(|s| text(&s.node_name))),
            ("spec.restartPolicy", from_spec(|s| text(&s.restart_policy))),
            ("spec.schedulerName", from_spec(|s| text(&s.scheduler_name))),
            ("spec.serviceAccountName", from_spec(|s| text(&s.service_account_name))),
            ("spec.hostNetwork", spec.and_then(|s| s.host_network).unwrap_or(false).to_string()),
            ("status.phase", from_status(|s| text(&s.phase))),
            ("status.podIP", ip.to_string()),
            ("status.nominatedNodeName", from_status(|s| text(&s.nominated_node_name))),
        ]
    }
}
