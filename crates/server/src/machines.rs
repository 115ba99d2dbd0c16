//! New machines, simulated or real.

use engine::NodeSize;
use kubelet::NodeConfig;

/// The `n`th machine's configuration, counted from 1. Addresses are as Docker's second network gives them, where kind
/// puts its nodes: 172.18.0.2 is the API server's, machines follow.
///
/// # Errors
/// The size cannot be read.
pub fn config(name: &str, n: u32, size: &NodeSize, seed: u64) -> Result<NodeConfig, String> {
    let n = n + 2;
    let internal_ip = format!("172.{}.{}.{}", 18 + (n >> 16), (n >> 8) & 0xff, n & 0xff);
    Ok(NodeConfig { name: name.into(), capacity: size.capacity()?, internal_ip, seed, ..Default::default() })
}
