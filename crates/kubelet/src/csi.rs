//! What a kubelet says about the CSI drivers on its node. Models `pkg/volume/csi/nodeinfomanager`.

use crate::config::NodeConfig;
use api::Registered;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::storage::v1::{CSINode, CSINodeDriver, CSINodeSpec, VolumeNodeResources};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use meta::Key;
use reconcile::{Cx, Intent, Tolerate};
use serde_json::json;
use std::collections::BTreeMap;

/// Plugins of old whose volumes CSI drivers serve.
const MIGRATED: &str = "kubernetes.io/aws-ebs,kubernetes.io/azure-disk,kubernetes.io/azure-file,kubernetes.io/cinder,\
     kubernetes.io/gce-pd,kubernetes.io/portworx-volume,kubernetes.io/vsphere-volume";
const NODE_ID: &str = "csi.volume.kubernetes.io/nodeid";

/// What is missing of the node's CSINode, its annotation and its labels.
pub fn register(config: &NodeConfig, node: &Node, cx: &Cx) -> Vec<Intent> {
    let mut out = Vec::new();
    if !config.csi.is_empty() {
        let ids: BTreeMap<&str, &str> = config.csi.iter().map(|p| (p.driver.as_str(), p.node_id.as_str())).collect();
        let ids = json!(ids).to_string();
        let has = |k: &str| node.metadata.annotations.as_ref().and_then(|a| a.get(k));
        let labels = node.metadata.labels.as_ref();
        let missing: BTreeMap<&String, &String> = (config.csi.iter().flat_map(|p| &p.topology))
            .filter(|(k, v)| labels.and_then(|l| l.get(*k)) != Some(*v))
            .collect();
        if has(NODE_ID) != Some(&ids) || !missing.is_empty() {
            let patch = json!({ "metadata": { "annotations": { NODE_ID: ids }, "labels": missing } });
            out.push(Intent::patch(Node::KIND_REF, Key::new("", &config.name), "", patch));
        }
    }
    let drivers: Vec<CSINodeDriver> = config.csi.iter().map(driver).collect();
    match cx.view.get::<CSINode>(&Key::new("", &config.name)) {
        None => out.push(Intent::create(csi_node(node, drivers)).tolerate(Tolerate::AlreadyExists)),
        Some(old) if old.spec.drivers != drivers => {
            out.push(Intent::update(CSINode { spec: CSINodeSpec { drivers }, ..old.clone() }));
        }
        Some(_) => {}
    }
    out
}

fn driver(p: &crate::config::CsiPlugin) -> CSINodeDriver {
    CSINodeDriver {
        name: p.driver.clone(),
        node_id: p.node_id.clone(),
        topology_keys: Some(p.topology.keys().cloned().collect()),
        allocatable: Some(VolumeNodeResources { count: Some(p.volumes_max) }),
    }
}

fn csi_node(node: &Node, drivers: Vec<CSINodeDriver>) -> CSINode {
    let name = node.metadata.name.clone().unwrap_or_default();
    let owner = OwnerReference {
        api_version: "v1".into(),
        kind: "Node".into(),
        name: name.clone(),
        uid: node.metadata.uid.clone().unwrap_or_default(),
        ..Default::default()
    };
    CSINode {
        metadata: ObjectMeta {
            name: Some(name),
            annotations: Some([("storage.alpha.kubernetes.io/migrated-plugins".into(), MIGRATED.into())].into()),
            owner_references: Some(vec![owner]),
            ..Default::default()
        },
        spec: CSINodeSpec { drivers },
    }
}
