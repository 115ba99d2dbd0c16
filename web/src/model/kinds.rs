//! Resource names to kinds, as far as trace entries of the page need it (an entry names the resource only).

use protocol::ObjectId;

/// Resource (with its group, as `kubectl api-resources` joins them), apiVersion, kind.
const KINDS: &[(&str, &str, &str)] = &[
    ("apiservices.apiregistration.k8s.io", "apiregistration.k8s.io/v1", "APIService"),
    ("certificatesigningrequests.certificates.k8s.io", "certificates.k8s.io/v1", "CertificateSigningRequest"),
    ("clusterrolebindings.rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("clusterroles.rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("configmaps", "v1", "ConfigMap"),
    ("controllerrevisions.apps", "apps/v1", "ControllerRevision"),
    ("cronjobs.batch", "batch/v1", "CronJob"),
    ("csidrivers.storage.k8s.io", "storage.k8s.io/v1", "CSIDriver"),
    ("csinodes.storage.k8s.io", "storage.k8s.io/v1", "CSINode"),
    ("csistoragecapacities.storage.k8s.io", "storage.k8s.io/v1", "CSIStorageCapacity"),
    ("customresourcedefinitions.apiextensions.k8s.io", "apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("daemonsets.apps", "apps/v1", "DaemonSet"),
    ("deployments.apps", "apps/v1", "Deployment"),
    ("deviceclasses.resource.k8s.io", "resource.k8s.io/v1", "DeviceClass"),
    ("endpoints", "v1", "Endpoints"),
    ("endpointslices.discovery.k8s.io", "discovery.k8s.io/v1", "EndpointSlice"),
    ("events", "v1", "Event"),
    ("events.events.k8s.io", "events.k8s.io/v1", "Event"),
    ("flowschemas.flowcontrol.apiserver.k8s.io", "flowcontrol.apiserver.k8s.io/v1", "FlowSchema"),
    ("horizontalpodautoscalers.autoscaling", "autoscaling/v2", "HorizontalPodAutoscaler"),
    ("ingressclasses.networking.k8s.io", "networking.k8s.io/v1", "IngressClass"),
    ("ingresses.networking.k8s.io", "networking.k8s.io/v1", "Ingress"),
    ("ipaddresses.networking.k8s.io", "networking.k8s.io/v1", "IPAddress"),
    ("jobs.batch", "batch/v1", "Job"),
    ("limitranges", "v1", "LimitRange"),
    ("leases.coordination.k8s.io", "coordination.k8s.io/v1", "Lease"),
    (
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
    ),
    ("namespaces", "v1", "Namespace"),
    ("networkpolicies.networking.k8s.io", "networking.k8s.io/v1", "NetworkPolicy"),
    ("nodes", "v1", "Node"),
    ("persistentvolumeclaims", "v1", "PersistentVolumeClaim"),
    ("persistentvolumes", "v1", "PersistentVolume"),
    ("poddisruptionbudgets.policy", "policy/v1", "PodDisruptionBudget"),
    ("pods", "v1", "Pod"),
    ("podtemplates", "v1", "PodTemplate"),
    ("priorityclasses.scheduling.k8s.io", "scheduling.k8s.io/v1", "PriorityClass"),
    (
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
        "flowcontrol.apiserver.k8s.io/v1",
        "PriorityLevelConfiguration",
    ),
    ("replicasets.apps", "apps/v1", "ReplicaSet"),
    ("replicationcontrollers", "v1", "ReplicationController"),
    ("resourceclaims.resource.k8s.io", "resource.k8s.io/v1", "ResourceClaim"),
    ("resourceclaimtemplates.resource.k8s.io", "resource.k8s.io/v1", "ResourceClaimTemplate"),
    ("resourcequotas", "v1", "ResourceQuota"),
    ("resourceslices.resource.k8s.io", "resource.k8s.io/v1", "ResourceSlice"),
    ("rolebindings.rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("roles.rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1", "Role"),
    ("runtimeclasses.node.k8s.io", "node.k8s.io/v1", "RuntimeClass"),
    ("secrets", "v1", "Secret"),
    ("serviceaccounts", "v1", "ServiceAccount"),
    ("servicecidrs.networking.k8s.io", "networking.k8s.io/v1", "ServiceCIDR"),
    ("services", "v1", "Service"),
    ("statefulsets.apps", "apps/v1", "StatefulSet"),
    ("storageclasses.storage.k8s.io", "storage.k8s.io/v1", "StorageClass"),
    (
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicy",
    ),
    (
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicyBinding",
    ),
    (
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
    ),
    ("volumeattachments.storage.k8s.io", "storage.k8s.io/v1", "VolumeAttachment"),
    ("volumeattributesclasses.storage.k8s.io", "storage.k8s.io/v1", "VolumeAttributesClass"),
];

/// What kinds are for, in the order in which the list of objects shows them: `objects.area.<code>`.
pub const AREAS: [&str; 7] = ["workloads", "network", "config", "storage", "access", "cluster", "custom"];

/// Which of the [`AREAS`] a kind belongs to.
pub fn area(kind: &str, custom: bool) -> &'static str {
    match kind {
        _ if custom => "custom",
        "Pod"
        | "Deployment"
        | "ReplicaSet"
        | "StatefulSet"
        | "DaemonSet"
        | "Job"
        | "CronJob"
        | "ControllerRevision"
        | "PodTemplate"
        | "ReplicationController"
        | "HorizontalPodAutoscaler"
        | "PodDisruptionBudget" => "workloads",
        "Service" | "Endpoints" | "EndpointSlice" | "Ingress" | "IngressClass" | "IPAddress" | "NetworkPolicy"
        | "ServiceCIDR" => "network",
        "ConfigMap" | "Secret" | "LimitRange" | "ResourceQuota" => "config",
        "PersistentVolume"
        | "PersistentVolumeClaim"
        | "StorageClass"
        | "VolumeAttachment"
        | "CSIDriver"
        | "CSINode"
        | "CSIStorageCapacity"
        | "VolumeAttributesClass" => "storage",
        "CertificateSigningRequest"
        | "ServiceAccount"
        | "Role"
        | "RoleBinding"
        | "ClusterRole"
        | "ClusterRoleBinding"
        | "MutatingWebhookConfiguration"
        | "ValidatingAdmissionPolicy"
        | "ValidatingAdmissionPolicyBinding"
        | "ValidatingWebhookConfiguration" => "access",
        _ => "cluster",
    }
}

/// `resource` may come with or without its group.
pub fn object(resource: &str, key: &str) -> Option<ObjectId> {
    let (_, api_version, kind) = KINDS
        .iter()
        .find(|(r, ..)| *r == resource)
        .or_else(|| KINDS.iter().find(|(r, ..)| r.split('.').next() == Some(resource)))?;
    let (namespace, name) = key.split_once('/').unwrap_or(("", key));
    if name.is_empty() {
        return None;
    }
    Some(ObjectId {
        api_version: (*api_version).into(),
        kind: (*kind).into(),
        namespace: namespace.into(),
        name: name.into(),
    })
}

pub fn pod(namespace: &str, name: &str) -> ObjectId {
    ObjectId { api_version: "v1".into(), kind: "Pod".into(), namespace: namespace.into(), name: name.into() }
}

pub fn node(name: &str) -> ObjectId {
    ObjectId { api_version: "v1".into(), kind: "Node".into(), namespace: String::new(), name: name.into() }
}

/// `Deployment/web`, as a pod's owner is written, within a namespace.
pub fn owner(owner: &str, namespace: &str) -> Option<ObjectId> {
    let (kind, name) = owner.split_once('/')?;
    let (_, api_version, kind) = KINDS.iter().find(|(.., k)| *k == kind)?;
    Some(ObjectId {
        api_version: (*api_version).into(),
        kind: (*kind).into(),
        namespace: if *kind == "Node" { String::new() } else { namespace.into() },
        name: name.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_found_with_and_without_its_group() {
        let id = object("deployments", "default/web").unwrap();
        assert_eq!((id.api_version.as_str(), id.kind.as_str(), id.name.as_str()), ("apps/v1", "Deployment", "web"));
        assert_eq!(object("deployments.apps", "default/web"), Some(id));
        assert_eq!(object("nodes", "node-1"), Some(node("node-1")));
        assert_eq!(object("widgets", "x"), None);
    }
}
