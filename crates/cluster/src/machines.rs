//! Machines: what a node is before it is an API object. Power, and the kubelet that runs on it.

use crate::{Cluster, Lamp};
use kubelet::statics::Manifests;
use kubelet::{Kubelet, NodeConfig, Runtime};
use reconcile::View;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    On,
    Off,
}

#[derive(Clone)]
pub struct Machine {
    pub config: NodeConfig,
    pub power: Power,
    /// It does not reach the API server, nor is it reached.
    pub(crate) cut: bool,
    /// The runtime as it was when new: what comes up after the power returns.
    blank: Arc<dyn Runtime>,
}

impl Machine {
    /// Its containers are programs of the host: a copy of the cluster cannot run them.
    pub fn is_external(&self) -> bool {
        self.blank.as_any().is::<kubelet::ExternalRuntime>()
    }
}

/// The kubelet's component name and process on `node`.
pub fn kubelet_name(node: &str) -> String {
    format!("kubelet/{node}")
}

/// The N of `node-N`, when it is written as [`Cluster::next_node_name`] writes it.
fn number(node: &str) -> Option<u32> {
    let n = node.strip_prefix("node-")?.parse().ok()?;
    (n > 0 && format!("node-{n}") == node).then_some(n)
}

impl Cluster {
    pub fn machines(&self) -> impl Iterator<Item = (&String, &Machine)> {
        self.machines.iter()
    }
    pub fn machine(&self, node: &str) -> Option<&Machine> {
        self.machines.get(node)
    }

    /// A name for one more simulated node: the first `node-N` that no machine has.
    pub fn next_node_name(&self) -> String {
        (self.node_numbers_from..)
            .map(|n| format!("node-{n}"))
            .find(|n| !self.machines.contains_key(n))
            .unwrap_or_default()
    }

    /// Switches a new machine on; its kubelet registers the node. The simulated runtime of
    /// [`kubelet::sim`] or a host's own stands behind it.
    ///
    /// # Errors
    /// A machine of this name is there already, or the cloud has none to give.
    pub fn add_machine(&mut self, mut config: NodeConfig, runtime: Box<dyn Runtime>) -> Result<(), String> {
        if self.machines.contains_key(&config.name) {
            return Err(format!("a machine named {:?} exists already", config.name));
        }
        self.launch_instance(&mut config)?;
        self.action("add-node", &config.name);
        let blank = runtime.clone_box().into();
        self.start_kubelet(&config, runtime);
        if number(&config.name) == Some(self.node_numbers_from) {
            self.node_numbers_from += 1;
        }
        self.machines.insert(config.name.clone(), Machine { config, power: Power::On, cut: false, blank });
        Ok(())
    }

    /// What a node's manifest directory holds from now on. False: there is no such machine.
    pub fn set_manifests(&mut self, node: &str, manifests: Manifests) -> bool {
        let Some(m) = self.machines.get_mut(node) else { return false };
        m.config.manifests.clone_from(&manifests);
        self.action("static-pods", node);
        let now = self.now;
        self.with_component(&kubelet_name(node), |k: &mut Kubelet| k.set_manifests(now, manifests));
        true
    }

    fn start_kubelet(&mut self, config: &NodeConfig, mut runtime: Box<dyn Runtime>) {
        let cut = self.is_cut(&config.name);
        self.view.usage.add_node(&config.name, self.now);
        self.view.usage.set_mute(&config.name, cut);
        runtime.block_images(self.blocked.clone());
        runtime.fill(self.full_places(&config.name));
        let config = NodeConfig { tokens: Some(self.api.authn().token_key().clone()), ..config.clone() };
        let kubelet = Box::new(Kubelet::new(config, runtime));
        // What is cut off knows nothing when it comes up.
        self.add_slot(kubelet, cut.then(View::new));
    }

    /// The machine loses power: the kubelet and every container are gone at once. The Node object stays.
    /// False when there is no such machine, it is off already, or the API server runs on it.
    pub fn kill_machine(&mut self, node: &str) -> bool {
        if self.holds_api_server(node) {
            return false;
        }
        let Some(m) = self.machines.get_mut(node).filter(|m| m.power == Power::On) else { return false };
        m.power = Power::Off;
        self.action("kill-node", node);
        self.plug_disks(node, false);
        self.drop_kubelet(node);
        true
    }

    fn drop_kubelet(&mut self, node: &str) {
        let name: Arc<str> = kubelet_name(node).into();
        if let Some(i) = self.by_name.remove(&name) {
            self.routes.remove(i);
            self.view.usage.remove_node(node);
            self.hang_up(i);
            let slot = &mut self.slots[i];
            slot.gone = true;
            slot.lamp = Lamp::Stopped;
            slot.wake = None;
        }
    }

    /// Power returns: a kubelet starts with no containers. False when there is no such machine, it is on, or the cloud
    /// keeps it off.
    pub fn revive_machine(&mut self, node: &str) -> bool {
        let may_run = self.may_run(node);
        let off = |m: &&mut Machine| m.power == Power::Off && may_run;
        let Some(m) = self.machines.get_mut(node).filter(off) else { return false };
        m.power = Power::On;
        let (config, runtime) = (m.config.clone(), m.blank.clone_box());
        self.action("revive-node", node);
        self.start_kubelet(&config, runtime);
        self.plug_disks(node, true);
        true
    }

    /// Takes the machine away (its Node object is the caller's to delete). False when there is none, or the API server runs
    /// on it.
    pub fn remove_machine(&mut self, node: &str) -> bool {
        if self.holds_api_server(node) {
            return false;
        }
        let Some(m) = self.machines.remove(node) else { return false };
        self.node_numbers_from = self.node_numbers_from.min(number(node).unwrap_or(u32::MAX));
        self.plug_disks(node, false);
        self.full_disks.remove(node);
        if let Some(toy) = &mut self.cloud {
            toy.terminate(self.now, node);
        }
        self.action("remove-node", node);
        if m.power == Power::On {
            self.drop_kubelet(node);
        }
        true
    }
}
