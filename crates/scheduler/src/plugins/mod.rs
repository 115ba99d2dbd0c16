//! The in-tree plugins: one file each, one line each in [`TABLE`].

pub mod amounts;
pub mod balanced_allocation;
pub mod default_binder;
pub mod default_preemption;
pub mod dynamic_resources;
pub mod image_locality;
pub mod inter_pod_affinity;
pub mod node_affinity;
pub mod node_declared_features;
pub mod node_name;
pub mod node_ports;
pub mod node_resources_fit;
pub mod node_selector;
pub mod node_unschedulable;
pub mod node_volume_limits;
pub mod pod_topology_spread;
pub mod priority_sort;
pub mod resource_scorer;
pub mod scheduling_gates;
pub mod taint_toleration;
pub mod tolerations;
pub mod volume_binder;
pub mod volume_binding;
pub mod volume_restrictions;
pub mod volume_zone;

use crate::config::Args;
use crate::framework::Plugin;

type Build = fn(&Args) -> Result<Box<dyn Plugin>, String>;

/// One plugin: how it is called, what it weighs in the default profile, how it is made.
pub struct Entry {
    pub name: &'static str,
    /// 0 for plugins that do not score.
    pub default_weight: i32,
    pub build: Build,
}

/// In the order of upstream's default MultiPoint list, which is also the order the default profile runs them in.
/// Models `pkg/scheduler/apis/config/v1/default_plugins.go`.
pub const TABLE: &[Entry] = &[
    Entry {
        name: scheduling_gates::NAME,
        default_weight: 0,
        build: |_| Ok(Box::new(scheduling_gates::SchedulingGates)),
    },
    Entry { name: priority_sort::NAME, default_weight: 0, build: |_| Ok(Box::new(priority_sort::PrioritySort)) },
    Entry {
        name: node_unschedulable::NAME,
        default_weight: 0,
        build: |_| Ok(Box::new(node_unschedulable::NodeUnschedulable)),
    },
    Entry { name: node_name::NAME, default_weight: 0, build: |_| Ok(Box::new(node_name::NodeName)) },
    Entry {
        name: taint_toleration::NAME,
        default_weight: 3,
        build: |_| Ok(Box::new(taint_toleration::TaintToleration)),
    },
    Entry { name: node_affinity::NAME, default_weight: 2, build: node_affinity::build },
    Entry { name: node_ports::NAME, default_weight: 0, build: |_| Ok(Box::new(node_ports::NodePorts)) },
    Entry { name: node_resources_fit::NAME, default_weight: 1, build: node_resources_fit::build },
    Entry {
        name: volume_restrictions::NAME,
        default_weight: 0,
        build: |_| Ok(Box::new(volume_restrictions::VolumeRestrictions)),
    },
    Entry {
        name: node_volume_limits::NAME,
        default_weight: 0,
        build: |_| Ok(Box::new(node_volume_limits::NodeVolumeLimits)),
    },
    Entry { name: volume_binding::NAME, default_weight: 0, build: |_| Ok(Box::new(volume_binding::VolumeBinding)) },
    Entry { name: volume_zone::NAME, default_weight: 0, build: |_| Ok(Box::new(volume_zone::VolumeZone)) },
    Entry { name: pod_topology_spread::NAME, default_weight: 2, build: pod_topology_spread::build },
    Entry { name: inter_pod_affinity::NAME, default_weight: 2, build: inter_pod_affinity::build },
    Entry {
        name: dynamic_resources::NAME,
        default_weight: 0,
        build: |_| Ok(Box::new(dynamic_resources::DynamicResources)),
    },
    Entry { name: default_preemption::NAME, default_weight: 0, build: default_preemption::build },
    Entry { name: balanced_allocation::NAME, default_weight: 1, build: balanced_allocation::build },
    Entry { name: image_locality::NAME, default_weight: 1, build: |_| Ok(Box::new(image_locality::ImageLocality)) },
    Entry { name: default_binder::NAME, default_weight: 0, build: |_| Ok(Box::new(default_binder::DefaultBinder)) },
];

/// Plugins of upstream's registry that its default profile leaves out.
const OPTIONAL: &[Entry] = &[Entry {
    name: node_declared_features::NAME,
    default_weight: 0,
    build: |_| Ok(Box::new(node_declared_features::NodeDeclaredFeatures)),
}];

/// Plugins of upstream's registry that are not here: a profile that enables one is refused.
pub const UNAVAILABLE: &[&str] = &["GangScheduling"];

pub fn find(name: &str) -> Option<&'static Entry> {
    TABLE.iter().chain(OPTIONAL).find(|e| e.name == name)
}
