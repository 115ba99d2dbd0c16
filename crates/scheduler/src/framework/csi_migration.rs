//! Disks of former in-tree plugins, as the CSI drivers that took them over see them. Models
//! `k8s.io/csi-translation-lib` as far as scheduling needs it: driver names, volume handles and topology keys.

use k8s_openapi::api::core::v1::{NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PersistentVolume, Volume};
use k8s_openapi::api::storage::v1::CSINode;

/// One migrated plugin.
pub struct Migrated {
    pub in_tree: &'static str,
    pub driver: &'static str,
    /// Which label the driver's topology uses for the zone, when it has one.
    zone_key: Option<&'static str>,
    /// On every node, whatever its CSINode says, when volumes are counted.
    everywhere: bool,
}

const fn plugin(
    in_tree: &'static str,
    driver: &'static str,
    zone_key: Option<&'static str>,
    everywhere: bool,
) -> Migrated {
    Migrated { in_tree, driver, zone_key, everywhere }
}

static PLUGINS: &[Migrated] = &[
    plugin("kubernetes.io/aws-ebs", "ebs.csi.aws.com", Some("topology.ebs.csi.aws.com/zone"), true),
    plugin("kubernetes.io/gce-pd", "pd.csi.storage.gke.io", Some("topology.gke.io/zone"), true),
    plugin("kubernetes.io/azure-disk", "disk.csi.azure.com", Some("topology.disk.csi.azure.com/zone"), true),
    plugin("kubernetes.io/cinder", "cinder.csi.openstack.org", Some("topology.cinder.csi.openstack.org/zone"), true),
    plugin("kubernetes.io/portworx-volume", "pxd.portworx.com", None, false),
];

const ZONES: [(&str, &str); 2] = [
    ("topology.kubernetes.io/zone", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region"),
];

/// The plugin by its in-tree name, which is also the provisioner of its storage classes.
pub fn by_name(in_tree: &str) -> Option<&'static Migrated> {
    PLUGINS.iter().find(|p| p.in_tree == in_tree)
}

/// The plugins that the node says it has migrated.
pub fn annotation(csi_node: &CSINode) -> Option<&String> {
    csi_node.metadata.annotations.as_ref()?.get("storage.alpha.kubernetes.io/migrated-plugins")
}

fn listed(csi_node: &CSINode, in_tree: &str) -> bool {
    annotation(csi_node).is_some_and(|p| p.split(',').any(|p| p == in_tree))
}

impl Migrated {
    /// Whether volumes of the plugin count for the node's limits. Models nodevolumelimits' isCSIMigrationOn.
    pub fn counts_on(&self, csi_node: Option<&CSINode>) -> bool {
        csi_node.is_some_and(|n| self.everywhere || listed(n, self.in_tree))
    }
}

fn by_driver(driver: &str) -> Option<&'static Migrated> {
    PLUGINS.iter().find(|p| p.driver == driver)
}

/// The plugin of a volume written into a pod, and the handle its driver would give it.
pub fn of_inline(v: &Volume) -> Option<(&'static Migrated, String)> {
    let (driver, handle) = api::migrated::inline(v, "")?;
    Some((by_driver(driver)?, handle))
}

/// The same of a PersistentVolume.
pub fn of_volume(pv: &PersistentVolume) -> Option<(&'static Migrated, String)> {
    let spec = pv.spec.as_ref()?;
    let (driver, mut handle) = api::migrated::persistent(pv.metadata.name.as_deref().unwrap_or(""), spec)?;
    let labels = pv.metadata.labels.as_ref();
    if let Some(disk) = &spec.gce_persistent_disk
        && let Some(zone) = labels.and_then(|l| ZONES.iter().find_map(|(zone, _)| l.get(*zone)))
    {
        handle = format!("projects/UNSPECIFIED/zones/{zone}/disks/{}", disk.pd_name);
    }
    Some((by_driver(driver)?, handle))
}

/// From where the volume can be reached, in the driver's own labels when the node has migrated it. Models
/// tryTranslatePVToCSI and translateTopologyFromInTreeToCSI.
pub fn required_affinity(pv: &PersistentVolume, csi_node: Option<&CSINode>) -> Option<NodeSelector> {
    let required = pv.spec.as_ref()?.node_affinity.as_ref().and_then(|a| a.required.clone());
    let migrated = of_volume(pv).map(|(p, _)| p).filter(|p| csi_node.is_some_and(|n| listed(n, p.in_tree)));
    let Some(key) = migrated.and_then(|p| p.zone_key) else { return required };
    let mut terms = required.map(|r| r.node_selector_terms).unwrap_or_default();
    let uses = |terms: &[NodeSelectorTerm], key: &str| {
        terms.iter().flat_map(|t| t.match_expressions.iter().flatten()).any(|r| r.key == key)
    };
    let rename = |terms: &mut [NodeSelectorTerm], from: &str, to: &str| {
        let all = terms.iter_mut().flat_map(|t| t.match_expressions.iter_mut().flatten());
        all.filter(|r| r.key == from).for_each(|r| r.key = to.into());
    };
    let labels = pv.metadata.labels.as_ref();
    let in_terms = ZONES.iter().find(|(z, r)| uses(&terms, z) || uses(&terms, r));
    let (zone, region) = *in_terms
        .or_else(|| ZONES.iter().find(|(z, r)| labels.is_some_and(|l| l.contains_key(*z) || l.contains_key(*r))))
        .unwrap_or(&ZONES[0]);
    if uses(&terms, zone) {
        rename(&mut terms, zone, key);
    } else if let Some(zones) = labels.and_then(|l| l.get(zone)) {
        if terms.is_empty() {
            terms.push(NodeSelectorTerm::default());
        }
        let values: Vec<String> = zones.split("__").map(str::to_string).collect();
        for t in &mut terms {
            let requirement =
                NodeSelectorRequirement { key: key.into(), operator: "In".into(), values: Some(values.clone()) };
            t.match_expressions.get_or_insert_default().push(requirement);
        }
    }
    rename(&mut terms, region, ZONES[0].1);
    if terms.is_empty() { None } else { Some(NodeSelector { node_selector_terms: terms }) }
}
