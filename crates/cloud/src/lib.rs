//! cloud-controller-manager and a CSI driver: controllers over a [`Provider`], and a toy cloud that is one.
//!
//! A controller says which calls it wants made; whoever runs it (the cluster) makes them and brings the answers, which
//! take their time. So the cloud can be slow, refuse, or lose an answer with the process that waited for it.

pub mod csi;
pub mod node;
pub mod node_lifecycle;
pub mod provider;
pub mod route;
pub mod runner;
pub mod service;
pub mod toy;

pub use provider::{Answer, Call, CloudError, Provider};
pub use runner::Runner;
pub use toy::{Settings, ToyCloud};

/// The process's name.
pub const PROCESS: &str = "cloud-controller-manager";
/// What a kubelet with `--cloud-provider=external` registers its node with.
pub const UNINITIALIZED: &str = "node.cloudprovider.kubernetes.io/uninitialized";
/// On nodes whose instance was shut down.
pub const SHUTDOWN: &str = "node.cloudprovider.kubernetes.io/shutdown";

/// Every controller, in the order of upstream's `DefaultInitFuncConstructors`.
pub fn all() -> Vec<Runner> {
    vec![
        Runner::new(Box::<node::CloudNode>::default()),
        Runner::new(Box::<node_lifecycle::CloudNodeLifecycle>::default()),
        Runner::new(Box::<service::ServiceController>::default()),
        Runner::new(Box::<route::RouteController>::default()),
    ]
}
