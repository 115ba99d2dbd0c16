//! Resources as people read them: quantities in notes, integers in amounts.

use crate::framework::NodeInfo;
use meta::Quantity;
use trace::explain::{Amount, Unit};

pub fn unit(resource: &str) -> Unit {
    match resource {
        "cpu" => Unit::MilliCpu,
        "memory" | "ephemeral-storage" => Unit::Bytes,
        r if r.starts_with("hugepages-") => Unit::Bytes,
        _ => Unit::Count,
    }
}

/// As Kubernetes writes it: `500m`, `2Gi`, `3`.
pub fn quantity(resource: &str, amount: i64) -> String {
    match unit(resource) {
        Unit::MilliCpu => Quantity::from_milli(amount).to_string(),
        Unit::Bytes => Quantity::from_bytes(amount).to_string(),
        Unit::Count => amount.to_string(),
    }
}

/// What the node has of a resource, and what is asked of it.
pub fn amount(resource: &str, request: i64, node: &NodeInfo) -> Amount {
    let (used, allocatable) = match resource {
        "pods" => (node.pods.len() as i64, node.allocatable.allowed_pod_number),
        _ => (node.requested.amount(resource), node.allocatable.amount(resource)),
    };
    Amount { resource: resource.into(), unit: unit(resource), request, used, allocatable }
}
