//! What the inspector shows of some kinds beyond their columns ([`protocol::panel`]). Worked out when the object is looked
//! at, from the object and those beside it.

mod access;
mod network;
mod storage;
mod work;

use crate::watched::Watched;
use api::{Object, ObjectExt};
use cluster::Cluster;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Endpoints, PersistentVolume, PersistentVolumeClaim, Pod, ResourceQuota, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use protocol::{ObjectId, Panel};

/// Rows of a list; what lies behind is counted at most.
pub use work::point;

const ROWS_MAX: usize = 200;

pub fn of(cluster: &Cluster, watched: &Watched, o: &dyn Object) -> Option<Panel> {
    if let Some(job) = o.downcast::<Job>() {
        return Some(Panel::Job(work::job(cluster, job)));
    }
    if let Some(cron) = o.downcast::<CronJob>() {
        return Some(Panel::CronJob(work::cron_job(cluster, cron)));
    }
    if let Some(quota) = o.downcast::<ResourceQuota>() {
        return Some(Panel::Quota { rows: work::quota(quota) });
    }
    if let Some(hpa) = o.downcast::<HorizontalPodAutoscaler>() {
        return Some(Panel::Autoscaler(work::autoscaler(hpa, watched)));
    }
    if let Some(service) = o.downcast::<Service>() {
        return Some(Panel::Endpoints(network::service(cluster, service)));
    }
    if let Some(slice) = o.downcast::<EndpointSlice>() {
        return Some(Panel::Endpoints(network::slice(slice)));
    }
    if let Some(endpoints) = o.downcast::<Endpoints>() {
        return Some(Panel::Endpoints(network::endpoints(endpoints)));
    }
    let rows = if let Some(pod) = o.downcast::<Pod>() {
        storage::pod(cluster, pod)
    } else if let Some(claim) = o.downcast::<PersistentVolumeClaim>() {
        vec![storage::claim(cluster, claim)]
    } else if let Some(volume) = o.downcast::<PersistentVolume>() {
        vec![storage::volume(cluster, volume)]
    } else {
        Vec::new()
    };
    if !rows.is_empty() {
        return Some(Panel::Volumes { rows });
    }
    let access = if let Some(role) = o.downcast::<Role>() {
        access::role(cluster, role.metadata.namespace.as_deref().unwrap_or(""), o.name(), role.rules.as_deref())
    } else if let Some(role) = o.downcast::<ClusterRole>() {
        access::role(cluster, "", o.name(), role.rules.as_deref())
    } else if let Some(binding) = o.downcast::<RoleBinding>() {
        access::binding(cluster, o.namespace(), &binding.role_ref, binding.subjects.as_deref())
    } else if let Some(binding) = o.downcast::<ClusterRoleBinding>() {
        access::binding(cluster, "", &binding.role_ref, binding.subjects.as_deref())
    } else {
        return None;
    };
    Some(Panel::Access(access))
}

fn id(api_version: &str, kind: &str, namespace: &str, name: &str) -> ObjectId {
    let [api_version, kind, namespace, name] = [api_version, kind, namespace, name].map(Into::into);
    ObjectId { api_version, kind, namespace, name }
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|i| i.to_string()).collect::<Vec<_>>().join(", ")
}
