//! kube-controller-manager: one file (or folder) per controller, and the table of them.
//! Every controller is a function of its informer cache and the time; what it remembers can be lost.

pub mod admission_policy;
pub mod aggregator;
pub mod attach_detach;
pub mod certificates;
pub mod cluster_role_aggregation;
pub mod cronjob;
pub mod daemonset;
pub mod definitions;
pub mod deployment;
pub mod disruption;
pub mod endpoints;
pub mod endpointslice;
pub mod endpointslice_mirroring;
pub mod ephemeral_volume;
pub mod expand;
pub mod flow_control;
pub mod garbage_collector;
mod history;
pub mod identity;
pub mod job;
pub mod local_path;
pub mod namespace;
pub mod node_ipam;
pub mod node_lifecycle;
mod owner;
pub mod persistent_volume;
pub mod pod_gc;
pub mod podautoscaler;
mod pods;
pub mod replicaset;
pub mod replicationcontroller;
pub mod resource_claim;
pub mod resource_quota;
pub mod root_ca_publisher;
pub mod service_account;
pub mod service_cidrs;
pub mod service_ips;
pub mod statefulset;
pub mod taint_eviction;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod together;
pub mod tokens;
pub mod ttl;
pub mod ttl_after_finished;
pub mod volume_protection;

use pki::{Authority, TokenKey};
use reconcile::{Component, Controller, Runner};
use std::sync::Arc;

fn runner<C: Controller>() -> Box<dyn Component> {
    Box::new(Runner::<C>::default())
}

/// Every controller of kube-controller-manager, in the order of upstream's `NewControllerDescriptors`. `authority` is what
/// `--cluster-signing-cert-file` and `--cluster-signing-key-file` hold, `tokens` what
/// `--service-account-private-key-file` does.
pub fn all(authority: Arc<Authority>, tokens: TokenKey) -> Vec<Box<dyn Component>> {
    vec![
        Box::new(Runner::new(tokens::Tokens::new(tokens))),
        runner::<endpoints::EndpointsController>(),
        runner::<endpointslice::EndpointSliceController>(),
        runner::<endpointslice_mirroring::EndpointSliceMirroring>(),
        runner::<replicationcontroller::ReplicationManager>(),
        runner::<pod_gc::PodGc>(),
        runner::<namespace::NamespaceController>(),
        runner::<resource_quota::ResourceQuotaController>(),
        runner::<service_account::ServiceAccountController>(),
        runner::<garbage_collector::GarbageCollector>(),
        runner::<daemonset::DaemonSetController>(),
        runner::<job::JobController>(),
        runner::<deployment::DeploymentController>(),
        runner::<replicaset::ReplicaSetController>(),
        runner::<podautoscaler::HorizontalPodAutoscalerController>(),
        runner::<disruption::DisruptionController>(),
        runner::<statefulset::StatefulSetController>(),
        runner::<cronjob::CronJobController>(),
        Box::new(Runner::new(certificates::Signing::new(authority))),
        runner::<certificates::Approving>(),
        runner::<certificates::Cleaner>(),
        runner::<ttl::Ttl>(),
        runner::<ttl_after_finished::TtlAfterFinished>(),
        runner::<node_ipam::NodeIpam>(),
        runner::<node_lifecycle::NodeLifecycle>(),
        runner::<taint_eviction::TaintEviction>(),
        runner::<persistent_volume::PersistentVolumeBinder>(),
        runner::<attach_detach::AttachDetach>(),
        runner::<expand::Expand>(),
        runner::<cluster_role_aggregation::ClusterRoleAggregation>(),
        runner::<volume_protection::ClaimProtection>(),
        runner::<volume_protection::VolumeProtection>(),
        runner::<root_ca_publisher::RootCaPublisher>(),
        runner::<ephemeral_volume::EphemeralVolume>(),
        runner::<resource_claim::ResourceClaims>(),
        runner::<admission_policy::AdmissionPolicyStatus>(),
        runner::<service_cidrs::ServiceCidrs>(),
        // Not part of the controller manager: kind's provisioner, a process of its own.
        runner::<local_path::LocalPath>(),
        // Of kube-apiserver itself.
        runner::<definitions::NamingController>(),
        runner::<definitions::EstablishingController>(),
        runner::<definitions::DefinitionFinalizer>(),
        runner::<aggregator::Autoregister>(),
        runner::<aggregator::RemoteAvailable>(),
        runner::<flow_control::FlowControl>(),
        runner::<service_ips::ServiceIps>(),
        runner::<identity::Identity>(),
    ]
}
