//! What there is to learn: every resource and component of Kubernetes' introduction, and every factor that it says the
//! scheduler takes into account. Lessons say in `covers` which of these they teach.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Resource,
    Component,
    Factor,
}

/// In the order in which they are introduced.
pub const SYLLABUS: &[(Topic, &[&str])] = &[
    (
        Topic::Resource,
        &[
            "Node",
            "Namespace",
            "Pod",
            "ReplicaSet",
            "Deployment",
            "Service",
            "Ingress",
            "ConfigMap",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "StorageClass",
            "StatefulSet",
            "Job",
            "CronJob",
            "Secret",
            "Role",
            "RoleBinding",
            "ClusterRole",
            "ClusterRoleBinding",
            "ServiceAccount",
        ],
    ),
    (
        Topic::Component,
        &[
            "control-plane",
            "kube-apiserver",
            "etcd",
            "kube-scheduler",
            "kube-controller-manager",
            "node-controller",
            "job-controller",
            "endpointslice-controller",
            "serviceaccount-controller",
            "cloud-controller-manager",
            "cloud-node-controller",
            "route-controller",
            "service-controller",
            "kubelet",
            "kube-proxy",
        ],
    ),
    (
        Topic::Factor,
        &[
            "resource-requirements",
            "hardware-constraints",
            "software-constraints",
            "policy-constraints",
            "affinity",
            "anti-affinity",
            "data-locality",
            "interference",
            "deadlines",
        ],
    ),
];

/// The kinds of trouble that challenges are about.
pub const QUESTIONS: &[&str] = &["pending", "restart", "service", "access", "rollout", "component"];

pub fn is_known(name: &str) -> bool {
    SYLLABUS.iter().any(|(_, names)| names.contains(&name))
}

/// What somebody may have meant who wrote another name: the same letters, or the same beginning.
pub fn guess(name: &str) -> Option<&'static str> {
    let plain = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let wanted = plain(name);
    let all = || SYLLABUS.iter().flat_map(|(_, names)| names.iter().copied());
    let begins = |n: &&str| wanted.len() > 3 && (plain(n).starts_with(&wanted) || wanted.starts_with(&plain(n)));
    all().find(|n| plain(n) == wanted).or_else(|| all().find(begins))
}
