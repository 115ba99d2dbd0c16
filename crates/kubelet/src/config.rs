//! What makes one node differ from another.

use crate::statics::Manifests;
use k8s_openapi::api::core::v1::Taint;
use meta::Quantity;
use pki::TokenKey;
use std::collections::BTreeMap;

/// What the machine has. Models `Node.status.capacity`.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    pub cpu: Quantity,
    pub memory: Quantity,
    pub ephemeral_storage: Quantity,
    pub pods: i64,
    /// Extended resources (`nvidia.com/gpu`), whole units.
    pub extended: BTreeMap<String, Quantity>,
}

impl Default for Capacity {
    /// 4 CPUs, 8Gi, 110 pods.
    fn default() -> Self {
        Capacity {
            cpu: Quantity::from_value(4),
            memory: Quantity::from_bytes(8 << 30),
            ephemeral_storage: Quantity::from_bytes(100 << 30),
            pods: 110,
            extended: BTreeMap::new(),
        }
    }
}

/// A CSI driver's plugin that runs on the node. Models the answer of CSI's `NodeGetInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsiPlugin {
    pub driver: String,
    /// The node, as the driver names it.
    pub node_id: String,
    /// Labels that say where its volumes can be used.
    pub topology: BTreeMap<String, String>,
    pub volumes_max: i32,
}

#[derive(Clone, Debug)]
pub struct NodeConfig {
    pub name: String,
    pub capacity: Capacity,
    /// Beyond those every kubelet sets itself.
    pub labels: BTreeMap<String, String>,
    /// `topology.kubernetes.io/zone`, when not empty.
    pub zone: String,
    pub kubelet_version: String,
    pub arch: String,
    pub os: String,
    /// `--register-with-taints`
    pub taints: Vec<Taint>,
    pub internal_ip: String,
    /// `--cloud-provider=external`: addresses are the cloud's to say.
    pub external_cloud: bool,
    pub csi: Vec<CsiPlugin>,
    /// When pods have to leave, of the kubelet's configuration.
    pub eviction: crate::eviction::Settings,
    /// What `staticPodPath` holds.
    pub manifests: Manifests,
    /// What the API server signs the tokens of pods with; `None`: there is no API server.
    pub tokens: Option<TokenKey>,
    /// Names and small random delays derive from it.
    pub seed: u64,
    /// How many times faster than real the node's own work (sandboxes) runs; 1 is real.
    pub speed: u32,
}

impl Default for NodeConfig {
    fn default() -> Self {
        NodeConfig {
            name: "node-1".into(),
            capacity: Capacity::default(),
            labels: BTreeMap::new(),
            zone: String::new(),
            kubelet_version: "v1.35.0".into(),
            arch: "amd64".into(),
            os: "linux".into(),
            taints: Vec::new(),
            internal_ip: "192.168.0.11".into(),
            external_cloud: false,
            csi: Vec::new(),
            eviction: crate::eviction::Settings::default(),
            manifests: Manifests::new(),
            tokens: None,
            seed: 1,
            speed: 1,
        }
    }
}
