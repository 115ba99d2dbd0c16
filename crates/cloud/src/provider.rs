//! What a cloud can do for a cluster. Models `k8s.io/cloud-provider` (`cloud.go`), as messages: a call goes in, its
//! answer comes when the cloud has done it.

use k8s_openapi::api::core::v1::{LoadBalancerStatus, NodeAddress};
use meta::{Duration, Key, Time};
use std::collections::BTreeMap;

/// How a controller names the machine of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceRef {
    pub node: String,
    /// Empty before the node is initialized.
    pub provider_id: String,
}

/// Models `InstanceMetadata`.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    pub provider_id: String,
    pub instance_type: String,
    pub addresses: Vec<NodeAddress>,
    pub zone: String,
    pub region: String,
    pub additional_labels: BTreeMap<String, String>,
}

/// Models `Route`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub name: String,
    pub target_node: String,
    pub destination_cidr: String,
    /// The target is gone: packets vanish.
    pub blackhole: bool,
}

/// What a Service wants of its load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub name: String,
    pub service: Key,
    pub ports: Vec<Listener>,
    pub hosts: Vec<InstanceRef>,
    /// `spec.loadBalancerIP`; empty: any.
    pub address: String,
    /// `spec.loadBalancerSourceRanges`; empty: everybody.
    pub source_ranges: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    pub protocol: String,
    pub port: i32,
    pub node_port: i32,
}

/// A disk as its cloud describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskInfo {
    pub id: String,
    pub zone: String,
    pub gib: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    InstanceMetadata(InstanceRef),
    InstanceExists(InstanceRef),
    InstanceShutdown(InstanceRef),
    ListRoutes,
    CreateRoute {
        name_hint: String,
        target_node: String,
        destination_cidr: String,
    },
    DeleteRoute {
        name: String,
    },
    GetLoadBalancer {
        name: String,
    },
    /// Creates or changes.
    EnsureLoadBalancer(Wanted),
    UpdateLoadBalancer {
        name: String,
        hosts: Vec<InstanceRef>,
    },
    /// Nothing to delete is success.
    EnsureLoadBalancerDeleted {
        name: String,
    },
    /// One of this name that is there already is the answer.
    CreateDisk {
        name: String,
        gib: u64,
        /// Empty: any.
        zone: String,
    },
    /// Nothing to delete is success.
    DeleteDisk {
        id: String,
    },
    AttachDisk {
        id: String,
        /// An instance's ID.
        instance: String,
    },
    /// Nothing to detach is success.
    DetachDisk {
        id: String,
        instance: String,
    },
    ResizeDisk {
        id: String,
        gib: u64,
    },
}

impl Call {
    /// As the cloud's log names it.
    pub fn name(&self) -> &'static str {
        match self {
            Call::InstanceMetadata(_) => "InstanceMetadata",
            Call::InstanceExists(_) => "InstanceExists",
            Call::InstanceShutdown(_) => "InstanceShutdown",
            Call::ListRoutes => "ListRoutes",
            Call::CreateRoute { .. } => "CreateRoute",
            Call::DeleteRoute { .. } => "DeleteRoute",
            Call::GetLoadBalancer { .. } => "GetLoadBalancer",
            Call::EnsureLoadBalancer(_) => "EnsureLoadBalancer",
            Call::UpdateLoadBalancer { .. } => "UpdateLoadBalancer",
            Call::EnsureLoadBalancerDeleted { .. } => "EnsureLoadBalancerDeleted",
            Call::CreateDisk { .. } => "CreateDisk",
            Call::DeleteDisk { .. } => "DeleteDisk",
            Call::AttachDisk { .. } => "AttachDisk",
            Call::DetachDisk { .. } => "DetachDisk",
            Call::ResizeDisk { .. } => "ResizeDisk",
        }
    }
    /// What it is about.
    pub fn target(&self) -> &str {
        match self {
            Call::InstanceMetadata(i) | Call::InstanceExists(i) | Call::InstanceShutdown(i) => &i.node,
            Call::ListRoutes => "",
            Call::CreateRoute { destination_cidr, .. } => destination_cidr,
            Call::EnsureLoadBalancer(w) => w.service.as_str(),
            Call::DeleteRoute { name }
            | Call::GetLoadBalancer { name }
            | Call::UpdateLoadBalancer { name, .. }
            | Call::EnsureLoadBalancerDeleted { name }
            | Call::CreateDisk { name, .. } => name,
            Call::DeleteDisk { id }
            | Call::AttachDisk { id, .. }
            | Call::DetachDisk { id, .. }
            | Call::ResizeDisk { id, .. } => id,
        }
    }
    pub fn reads(&self) -> bool {
        matches!(
            self,
            Call::InstanceMetadata(_)
                | Call::InstanceExists(_)
                | Call::InstanceShutdown(_)
                | Call::ListRoutes
                | Call::GetLoadBalancer { .. }
        )
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Metadata(Box<Metadata>),
    Yes(bool),
    Routes(Vec<Route>),
    /// `None`: there is none of that name.
    LoadBalancer(Option<LoadBalancerStatus>),
    Disk(DiskInfo),
    /// The device that the machine sees it as.
    Attached(String),
    Done,
}

/// A refusal in the cloud's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudError {
    pub message: String,
    pub not_found: bool,
}

impl CloudError {
    pub fn new(message: impl Into<String>) -> Self {
        CloudError { message: message.into(), not_found: false }
    }
    /// Models `cloudprovider.InstanceNotFound`.
    pub fn instance_not_found() -> Self {
        CloudError { message: "instance not found".into(), not_found: true }
    }
}

impl std::fmt::Display for CloudError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

pub type Reply = Result<Answer, CloudError>;

pub trait Provider: Send {
    /// What `caller` asks at `now`, and how long the answer takes.
    fn call(&mut self, now: Time, caller: &str, call: &Call) -> (Duration, Reply);
}

/// Models `DefaultLoadBalancerName`: `a` and the Service's UID, 32 characters at most.
pub fn load_balancer_name(uid: &str) -> String {
    let mut name: String = std::iter::once('a').chain(uid.chars().filter(|c| *c != '-')).collect();
    name.truncate(32);
    name
}
