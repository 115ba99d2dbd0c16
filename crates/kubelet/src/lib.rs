//! The kubelet: one per node. It registers the node, runs the pods bound to it through a container runtime
//! (CRI-shaped messages, [`runtime::Runtime`]), probes them, and reports their status.
//!
//! [`sim`] is the simulated runtime; a host can put a real one behind [`runtime::ExternalRuntime`].

pub mod config;
mod configz;
mod csi;
pub mod eviction;
pub mod kubelet;
pub mod node;
pub mod pod;
pub mod runtime;
pub mod sim;
pub mod statics;

pub use config::{Capacity, CsiPlugin, NodeConfig};
pub use configz::FILE as KUBELET_CONFIG;
pub use kubelet::Kubelet;
pub use pod::token::FileData;
pub use runtime::{ExternalRuntime, LogOptions, Runtime, RuntimeCommand, RuntimeEvent};
pub use sim::SimRuntime;

#[cfg(test)]
mod tests;
