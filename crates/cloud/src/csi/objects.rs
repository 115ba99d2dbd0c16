//! What the driver's manifest installs: the driver, its class, its account and what that may do.

use super::{ACCOUNT, CLASS, DRIVER};
use api::Object;
use api::kinds::storageclass::WAIT_FOR_FIRST_CONSUMER;
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef, Subject};
use k8s_openapi::api::storage::v1::{CSIDriver, CSIDriverSpec, StorageClass};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

const NAMESPACE: &str = "kube-system";

fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.into()), ..Default::default() }
}

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> PolicyRule {
    let list = |words: &[&str]| words.iter().map(|w| (*w).to_string()).collect::<Vec<_>>();
    PolicyRule {
        api_groups: Some(list(&[group])),
        resources: Some(list(resources)),
        verbs: list(verbs),
        ..Default::default()
    }
}

/// Models the sidecars' `deploy/kubernetes/rbac.yaml`, put together.
fn rules() -> Vec<PolicyRule> {
    let read = ["get", "list", "watch"];
    vec![
        rule("", &["persistentvolumes"], &["get", "list", "watch", "create", "patch", "delete"]),
        rule("", &["persistentvolumeclaims"], &["get", "list", "watch", "update", "patch"]),
        rule("", &["persistentvolumeclaims/status"], &["patch"]),
        rule("", &["pods", "nodes"], &read),
        rule("", &["events"], &["get", "list", "watch", "create", "update", "patch"]),
        rule("storage.k8s.io", &["storageclasses", "csinodes"], &read),
        rule("storage.k8s.io", &["volumeattachments"], &["get", "list", "watch", "patch"]),
        rule("storage.k8s.io", &["volumeattachments/status"], &["patch"]),
    ]
}

/// With the namespace of each.
pub fn objects() -> Vec<(&'static str, Box<dyn Object>)> {
    let role = "csi-disk-controller-role";
    let subject = Subject {
        kind: "ServiceAccount".into(),
        name: ACCOUNT.into(),
        namespace: Some(NAMESPACE.into()),
        api_group: None,
    };
    let role_ref =
        RoleRef { api_group: "rbac.authorization.k8s.io".into(), kind: "ClusterRole".into(), name: role.into() };
    let driver = CSIDriver {
        metadata: named(DRIVER),
        spec: CSIDriverSpec { attach_required: Some(true), ..Default::default() },
    };
    let class = StorageClass {
        metadata: named(CLASS),
        provisioner: DRIVER.into(),
        allow_volume_expansion: Some(true),
        volume_binding_mode: Some(WAIT_FOR_FIRST_CONSUMER.into()),
        ..Default::default()
    };
    vec![
        (NAMESPACE, Box::new(ServiceAccount { metadata: named(ACCOUNT), ..Default::default() })),
        ("", Box::new(ClusterRole { metadata: named(role), rules: Some(rules()), aggregation_rule: None })),
        (
            "",
            Box::new(ClusterRoleBinding {
                metadata: named("csi-disk-controller-binding"),
                role_ref,
                subjects: Some(vec![subject]),
            }),
        ),
        ("", Box::new(driver)),
        ("", Box::new(class)),
    ]
}
