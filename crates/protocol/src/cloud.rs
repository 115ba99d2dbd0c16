//! The toy cloud's console: what can be done to the cloud, and what there is in it.

use serde::{Deserialize, Serialize};

/// What a person can do at the cloud's console. Each is an input of the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case")]
pub enum CloudOrder {
    /// Moves a cluster that has none into a cloud.
    Connect,
    StopInstance {
        node: String,
    },
    StartInstance {
        node: String,
    },
    TerminateInstance {
        node: String,
    },
    /// The cloud takes a spot instance back.
    ReclaimInstance {
        node: String,
    },
    SetZone {
        zone: String,
        down: bool,
    },
    /// Of a thousand calls so many fail, and every answer takes so much longer.
    Trouble {
        failures: u32,
        delay_ms: u32,
    },
    SetQuotas {
        instances: usize,
        load_balancers: usize,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CloudView {
    /// False: this cluster is in no cloud, and the rest is empty.
    pub connected: bool,
    pub region: String,
    pub zones: Vec<ZoneView>,
    /// The first of them, in the order of their nodes.
    pub instances: Vec<InstanceView>,
    pub instances_total: usize,
    pub routes: Vec<RouteView>,
    pub routes_total: usize,
    pub load_balancers: Vec<LoadBalancerView>,
    pub disks: Vec<DiskView>,
    pub disks_total: usize,
    /// The newest first.
    pub calls: Vec<CallView>,
    pub calls_total: u64,
    /// What it has cost so far, and what an hour costs as it is: millionths of a dollar.
    pub cost_micros: u64,
    pub rate_micros: u64,
    pub failures: u32,
    pub delay_ms: u32,
    pub instances_max: usize,
    pub load_balancers_max: usize,
    /// What machines can be had.
    pub types: Vec<InstanceTypeView>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneView {
    pub name: String,
    pub down: bool,
    pub instances: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    #[default]
    Running,
    Stopped,
    /// Its zone is down.
    ZoneDown,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceView {
    pub id: String,
    pub node: String,
    pub zone: String,
    pub instance_type: String,
    pub spot: bool,
    pub state: InstanceState,
    pub internal_ip: String,
    pub external_ip: String,
    /// An hour of it, millionths of a dollar.
    pub price_micros: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteView {
    pub name: String,
    pub cidr: String,
    pub node: String,
    pub blackhole: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiskView {
    pub id: String,
    pub name: String,
    pub zone: String,
    pub gib: u64,
    /// Empty: no machine has it.
    pub node: String,
    pub device: String,
    /// An hour of it, millionths of a dollar.
    pub price_micros: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancerView {
    pub name: String,
    /// `namespace/name`
    pub service: String,
    pub ip: String,
    /// False: it is being set up.
    pub active: bool,
    pub ports: Vec<PortView>,
    pub targets: Vec<TargetView>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortView {
    pub protocol: String,
    pub port: i32,
    pub node_port: i32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetView {
    pub node: String,
    /// It answers the load balancer's health check.
    pub healthy: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallView {
    pub number: u64,
    /// Microseconds since the epoch.
    pub time: u64,
    pub caller: String,
    pub call: String,
    pub target: String,
    /// Empty when it was done.
    pub error: String,
    /// Equal calls in a row are one.
    pub times: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceTypeView {
    pub name: String,
    pub cpu: i64,
    pub memory_gib: i64,
    pub price_micros: u64,
}
