//! Who makes a request. Models `k8s.io/apiserver/pkg/authentication/user`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An authenticated identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub name: String,
    /// Empty where names are all there is.
    #[serde(default)]
    pub uid: String,
    pub groups: Vec<String>,
    #[serde(default)]
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    pub fn new(name: &str, groups: &[&str]) -> Self {
        User { name: name.into(), groups: groups.iter().map(|g| (*g).into()).collect(), ..User::default() }
    }
    /// The person at the keyboard: kubeadm's `kubernetes-admin`.
    pub fn admin() -> Self {
        User::new("kubernetes-admin", &["system:masters", "system:authenticated"])
    }
    /// A control-plane component, `system:kube-scheduler` for instance.
    pub fn component(name: &str) -> Self {
        User::new(&format!("system:{name}"), &["system:authenticated"])
    }
    /// A controller runs as its own service account in kube-system.
    pub fn controller(name: &str) -> Self {
        User::service_account("kube-system", name)
    }
    /// What runs in a pod.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        User::new(
            &format!("system:serviceaccount:{namespace}:{name}"),
            &["system:serviceaccounts", &format!("system:serviceaccounts:{namespace}"), "system:authenticated"],
        )
    }
    pub fn node(name: &str) -> Self {
        User::new(&format!("system:node:{name}"), &["system:nodes", "system:authenticated"])
    }
}
