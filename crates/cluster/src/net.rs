//! The network for whoever is not a process of a simulated node: ports of the host, wasm guests.

use crate::Cluster;
use network::{Balancer, KubeProxy, Net, Trail};

impl Cluster {
    /// With the network as it is found from outside the simulated nodes.
    pub fn with_net<R>(&mut self, trail: &mut Trail, f: impl FnOnce(&mut Net) -> R) -> R {
        let kernel = |p: &mut KubeProxy| std::mem::replace(&mut p.balancer, Balancer::new(0));
        let mut balancer =
            self.with_component(network::PROCESS, kernel).unwrap_or_else(|| Balancer::new(self.config.seed));
        let result = f(&mut Net { view: &self.view, balancer: &mut balancer, now: self.now, trail });
        self.with_component(network::PROCESS, |p: &mut KubeProxy| p.balancer = balancer);
        result
    }
}
