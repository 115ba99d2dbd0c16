//! The cluster's network: kube-proxy's Service table.
//!
//! A real cluster runs one kube-proxy per node and each computes the same table; here one component computes
//! it once and answers for every node.

pub mod proxy;
mod table;

pub use proxy::{KubeProxy, PROCESS};
pub use table::{Endpoint, Rule, Table};
