//! `kubectl describe`. Models `k8s.io/kubectl/pkg/describe`: one file for the kinds that belong together.

mod autoscaling;
mod certificates;
mod config;
mod containers;
mod events;
mod generic;
mod jobs;
mod network;
mod nodes;
mod parts;
pub(crate) mod pki;
mod pods;
mod policies;
mod quotas;
mod rbac;
mod resources;
mod services;
mod show;
pub(crate) mod sort;
mod storage;
mod tabs;
#[cfg(test)]
mod testing;
mod view;
mod volumes;
mod workloads;
mod writer;

use crate::client::{Client, escape, get_json};
use crate::error::Error;
use crate::mapping::Mapping;
use serde_json::Value;
use view::View;
use writer::Writer;

/// Models `describe.DescriberSettings`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub show_events: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { show_events: true }
    }
}

/// Answers of the server are asked for in pieces of so many objects.
const CHUNK: usize = 500;

/// What a describer works with.
struct Describer<'a> {
    client: &'a dyn Client,
    settings: &'a Settings,
}

/// A pod template with its tabs, as `rollout history` shows it. Models `DescribePodTemplate`.
pub(crate) fn pod_template(template: &Value, now: i64) -> String {
    let mut w = Writer::plain(now);
    pods::template(&mut w, View::new(template));
    w.finish()
}

/// The description of `object`, which is of the kind that `mapping` names.
///
/// # Errors
/// What else the description needs cannot be read.
pub async fn describe(
    client: &dyn Client,
    mapping: &Mapping,
    object: &Value,
    settings: &Settings,
) -> Result<String, Error> {
    let d = Describer { client, settings };
    let o = View::new(object);
    match (mapping.group.as_str(), mapping.kind.as_str()) {
        ("", "Pod") => d.pod(o).await,
        ("", "ReplicationController") => d.replication_controller(o).await,
        ("", "Secret") => d.secret(o),
        ("", "Service") => d.service(o).await,
        ("", "ServiceAccount") => d.service_account(o).await,
        ("", "Node") => d.node(o).await,
        ("", "LimitRange") => d.limit_range(o),
        ("", "ResourceQuota") => d.resource_quota(o),
        ("", "PersistentVolume") => d.volume(o).await,
        ("", "PersistentVolumeClaim") => d.claim(o).await,
        ("", "Namespace") => d.namespace(o).await,
        ("", "Endpoints") => d.endpoints(o).await,
        ("", "ConfigMap") => d.config_map(o).await,
        ("discovery.k8s.io", "EndpointSlice") => d.endpoint_slice(o).await,
        ("autoscaling", "HorizontalPodAutoscaler") => d.autoscaler(o).await,
        ("extensions" | "networking.k8s.io", "Ingress") => d.ingress(o).await,
        ("networking.k8s.io", "IngressClass") => d.ingress_class(o).await,
        ("networking.k8s.io", "ServiceCIDR") => d.service_cidr(o).await,
        ("networking.k8s.io", "IPAddress") => d.ip_address(o).await,
        ("networking.k8s.io", "NetworkPolicy") => d.network_policy(o),
        ("batch", "Job") => d.job(o).await,
        ("batch", "CronJob") => d.cron_job(o).await,
        ("apps", "StatefulSet") => d.stateful_set(o).await,
        ("apps", "Deployment") => d.deployment(o).await,
        ("apps", "DaemonSet") => d.daemon_set(o).await,
        ("apps", "ReplicaSet") => d.replica_set(o).await,
        ("certificates.k8s.io", "CertificateSigningRequest") => d.signing_request(o).await,
        ("storage.k8s.io", "StorageClass") => d.storage_class(o).await,
        ("storage.k8s.io", "CSINode") => d.csi_node(o).await,
        ("storage.k8s.io", "VolumeAttributesClass") => d.attributes_class(o).await,
        ("policy", "PodDisruptionBudget") => d.disruption_budget(o).await,
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => d.role(o),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => d.role_binding(o),
        ("scheduling.k8s.io", "PriorityClass") => d.priority_class(o).await,
        _ => d.generic(mapping, o).await,
    }
}

impl Describer<'_> {
    fn writer(&self) -> Writer {
        Writer::new(self.client.now())
    }

    /// Every object of a collection that the selectors choose.
    async fn list(&self, path: &str, selectors: &[(&str, &str)]) -> Result<Vec<Value>, Error> {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let mut query = format!("{path}?limit={CHUNK}");
            for (name, value) in selectors.iter().chain([&("continue", next.as_str())]) {
                if !value.is_empty() {
                    query += &format!("&{name}={}", escape(value));
                }
            }
            let mut list = get_json(self.client, &query).await?;
            if let Value::Array(more) = list["items"].take() {
                items.extend(more);
            }
            next = list["metadata"]["continue"].as_str().unwrap_or("").to_string();
            if next.is_empty() {
                return Ok(items);
            }
        }
    }

    /// The pods of a namespace that a selector of labels chooses; of all namespaces without one.
    async fn pods(&self, namespace: &str, selectors: &[(&str, &str)]) -> Result<Vec<Value>, Error> {
        self.list(&core_path(namespace, "pods"), selectors).await
    }
}

/// The path of a collection of the core group.
fn core_path(namespace: &str, resource: &str) -> String {
    if namespace.is_empty() {
        format!("/api/v1/{resource}")
    } else {
        format!("/api/v1/namespaces/{namespace}/{resource}")
    }
}
