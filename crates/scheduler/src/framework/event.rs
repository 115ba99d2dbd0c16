//! What happened in the cluster, as the queue needs to know it. Models `fwk.ClusterEvent`; an update carries both
//! states, so that a plugin sees for itself which of upstream's finer events it was.

use super::changes;
use super::pod_info::PodInfo;
use crate::devices::Devices;
use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::resource::v1::{DeviceClass, ResourceClaim, ResourceSlice};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};

/// Models `fwk.QueueingHint`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    Skip,
    Queue,
}

impl Hint {
    pub fn queue_if(condition: bool) -> Hint {
        if condition { Hint::Queue } else { Hint::Skip }
    }
}

/// An object before and after: it is new without a before, and gone without an after.
#[derive(Debug)]
pub struct Was<'a, T> {
    pub old: Option<&'a T>,
    pub new: Option<&'a T>,
}

impl<T> Clone for Was<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Was<'_, T> {}

impl<'a, T> Was<'a, T> {
    /// The new object, when there was none before.
    pub fn added(&self) -> Option<&'a T> {
        if self.old.is_none() { self.new } else { None }
    }
    /// Both, when it changed.
    pub fn updated(&self) -> Option<(&'a T, &'a T)> {
        self.old.zip(self.new)
    }
    /// What is gone.
    pub fn deleted(&self) -> Option<&'a T> {
        if self.new.is_none() { self.old } else { None }
    }
    fn choose(&self, labels: [&'static str; 3]) -> &'static str {
        match (self.old, self.new) {
            (None, _) => labels[0],
            (Some(_), Some(_)) => labels[1],
            (Some(_), None) => labels[2],
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum ClusterEvent<'a> {
    NodeAdd(&'a Node),
    NodeUpdate {
        old: &'a Node,
        new: &'a Node,
    },
    NodeDelete(&'a Node),
    AssignedPodAdd(&'a PodInfo),
    AssignedPodUpdate {
        old: &'a PodInfo,
        new: &'a PodInfo,
    },
    /// Also of a pod that was nominated to a node and is not any more: its room was kept as if it were there.
    AssignedPodDelete(&'a PodInfo),
    /// The waiting pod itself changed.
    TargetPodUpdate {
        old: &'a PodInfo,
        new: &'a PodInfo,
    },
    Claim(Was<'a, PersistentVolumeClaim>),
    Volume(Was<'a, PersistentVolume>),
    Class(Was<'a, StorageClass>),
    CsiNode(Was<'a, CSINode>),
    CsiDriver(Was<'a, CSIDriver>),
    Capacity(Was<'a, CSIStorageCapacity>),
    Attachment(Was<'a, VolumeAttachment>),
    /// With what is known of devices now.
    DeviceClaim(Was<'a, ResourceClaim>, &'a Devices),
    DeviceClass(Was<'a, DeviceClass>),
    DeviceSlice(Was<'a, ResourceSlice>),
    /// The pod waited too long: try again, whatever happened.
    UnschedulableTimeout,
}

impl ClusterEvent<'_> {
    /// As upstream labels its metrics: `NodeAdd`, `AssignedPodDelete`. Of an update, what changed that concerns `plugin`,
    /// which found it promising.
    pub fn label(&self, plugin: &str) -> &'static str {
        match self {
            ClusterEvent::NodeAdd(_) => "NodeAdd",
            ClusterEvent::NodeUpdate { old, new } => changes::that_concerns(plugin, &changes::of_node(old, new)),
            ClusterEvent::NodeDelete(_) => "NodeDelete",
            ClusterEvent::AssignedPodAdd(_) => "AssignedPodAdd",
            ClusterEvent::AssignedPodDelete(_) => "AssignedPodDelete",
            ClusterEvent::AssignedPodUpdate { old, new } | ClusterEvent::TargetPodUpdate { old, new } => {
                changes::that_concerns(plugin, &changes::of_pod(old, new))
            }
            ClusterEvent::Claim(w) => {
                w.choose(["PersistentVolumeClaimAdd", "PersistentVolumeClaimUpdate", "PersistentVolumeClaimDelete"])
            }
            ClusterEvent::Volume(w) => {
                w.choose(["PersistentVolumeAdd", "PersistentVolumeUpdate", "PersistentVolumeDelete"])
            }
            ClusterEvent::Class(w) => w.choose([
                "storage.k8s.io/StorageClassAdd",
                "storage.k8s.io/StorageClassUpdate",
                "storage.k8s.io/StorageClassDelete",
            ]),
            ClusterEvent::CsiNode(w) => {
                w.choose(["storage.k8s.io/CSINodeAdd", "storage.k8s.io/CSINodeUpdate", "storage.k8s.io/CSINodeDelete"])
            }
            ClusterEvent::CsiDriver(w) => w.choose([
                "storage.k8s.io/CSIDriverAdd",
                "storage.k8s.io/CSIDriverUpdate",
                "storage.k8s.io/CSIDriverDelete",
            ]),
            ClusterEvent::Capacity(w) => w.choose([
                "storage.k8s.io/CSIStorageCapacityAdd",
                "storage.k8s.io/CSIStorageCapacityUpdate",
                "storage.k8s.io/CSIStorageCapacityDelete",
            ]),
            ClusterEvent::Attachment(w) => w.choose([
                "storage.k8s.io/VolumeAttachmentAdd",
                "storage.k8s.io/VolumeAttachmentUpdate",
                "storage.k8s.io/VolumeAttachmentDelete",
            ]),
            ClusterEvent::DeviceClaim(w, _) => w.choose([
                "resource.k8s.io/ResourceClaimAdd",
                "resource.k8s.io/ResourceClaimUpdate",
                "resource.k8s.io/ResourceClaimDelete",
            ]),
            ClusterEvent::DeviceClass(w) => w.choose([
                "resource.k8s.io/DeviceClassAdd",
                "resource.k8s.io/DeviceClassUpdate",
                "resource.k8s.io/DeviceClassDelete",
            ]),
            ClusterEvent::DeviceSlice(w) => w.choose([
                "resource.k8s.io/ResourceSliceAdd",
                "resource.k8s.io/ResourceSliceUpdate",
                "resource.k8s.io/ResourceSliceDelete",
            ]),
            ClusterEvent::UnschedulableTimeout => "UnschedulableTimeout",
        }
    }
}
