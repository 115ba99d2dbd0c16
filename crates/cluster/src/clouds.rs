//! The cluster in a cloud: who makes the calls of cloud-controller-manager, and what happens to machines when something
//! happens to the cloud. Without a cloud nothing of this runs.

use crate::machines::kubelet_name;
use crate::{Cluster, requests};
use apiserver::PatchType;
use cloud::toy::{Instance, Order, Quotas, State};
use cloud::{Call, Provider, Settings, ToyCloud, UNINITIALIZED};
use k8s_openapi::api::core::v1::{Node, Taint};
use kubelet::{CsiPlugin, Kubelet, NodeConfig};
use meta::{Duration, Key, Rng, User};
use serde_json::json;

impl Cluster {
    pub fn cloud(&self) -> Option<&ToyCloud> {
        self.cloud.as_ref()
    }

    /// Starts cloud-controller-manager over a new cloud.
    pub(crate) fn start_cloud(&mut self, settings: Settings) {
        self.cloud = Some(ToyCloud::new(settings));
        let kept = std::mem::replace(&mut self.rng, Rng::new(!self.config.seed ^ 0x63_7369));
        for (namespace, object) in cloud::csi::objects() {
            self.create_as_apiserver(namespace, object);
        }
        self.rng = kept;
        for controller in cloud::all().into_iter().chain(cloud::csi::all()) {
            self.add_component(Box::new(controller));
        }
    }

    /// Moves a cluster that had none into a cloud: every machine becomes an instance, its kubelet is told that there is a
    /// cloud, and its node gets the taint that has the cloud's controllers initialize it.
    ///
    /// # Errors
    /// There is a cloud already, or no room in it for the machines.
    pub fn connect_cloud(&mut self, settings: Settings) -> Result<(), String> {
        if self.cloud.is_some() {
            return Err("the cluster is in a cloud already".into());
        }
        self.action("connect-cloud", &settings.region);
        let now = self.now;
        let mut toy = ToyCloud::new(settings.clone());
        let configs: Vec<NodeConfig> = self.machines.values().map(|m| m.config.clone()).collect();
        let mut plugins = Vec::new();
        for config in &configs {
            plugins.push(plugin(toy.launch(now, &order(config)).map_err(|e| e.message)?));
        }
        self.start_cloud(settings);
        self.cloud = Some(toy);
        for (config, plugin) in configs.into_iter().zip(plugins) {
            let name = config.name.clone();
            if let Some(m) = self.machines.get_mut(&name) {
                prepare(&mut m.config, plugin.clone());
            }
            let kubelet = kubelet_name(&name);
            if let Some(i) = self.by_name.get(kubelet.as_str()) {
                self.routes.add(*i, kubelet::kubelet::CLAIMS);
            }
            self.with_component(&kubelet, |k: &mut Kubelet| k.use_external_cloud(plugin));
            let Some(node) = self.view.get::<Node>(&Key::from(name.as_str())) else { continue };
            let mut taints = node.spec.as_ref().and_then(|s| s.taints.clone()).unwrap_or_default();
            taints.push(uninitialized());
            let patch = json!({ "spec": { "taints": taints } });
            let key = Key::from(name.as_str());
            let req = requests::patch(User::admin(), &api::kinds::node::KIND, &key, "", PatchType::Merge, patch);
            self.request(req);
        }
        Ok(())
    }

    /// An instance for a new machine, when there is a cloud.
    pub(crate) fn launch_instance(&mut self, config: &mut NodeConfig) -> Result<(), String> {
        let Some(toy) = &mut self.cloud else { return Ok(()) };
        let plugin = plugin(toy.launch(self.now, &order(config)).map_err(|e| e.message)?);
        prepare(config, plugin);
        Ok(())
    }

    /// Makes the calls that the component in slot `i` wants made.
    pub(crate) fn call_cloud(&mut self, i: usize) {
        let slot = &mut self.slots[i];
        let (Some(toy), name) = (&mut self.cloud, slot.component.name().clone()) else { return };
        let Some(runner) = slot.component.as_any_mut().downcast_mut::<cloud::Runner>() else { return };
        let calls = runner.take_calls();
        let mut answers = Vec::new();
        let mut at = self.now;
        for call in &calls {
            let (latency, answer) = toy.call(self.now, &name, call);
            at = at.max(self.now + latency);
            answers.push(answer);
        }
        if calls.is_empty() {
            return;
        }
        let done: Vec<bool> = answers.iter().map(Result::is_ok).collect();
        runner.deliver(answers, at);
        for (call, _) in calls.iter().zip(done).filter(|(_, done)| *done) {
            self.move_disk(call);
        }
    }

    /// What is on a disk is where the disk is: at a machine, or in the cloud.
    fn move_disk(&mut self, call: &Call) {
        match call {
            Call::AttachDisk { id, instance } => {
                let node = self.cloud.as_ref().and_then(|t| t.node_of(instance)).map(str::to_string);
                self.plug(&node.unwrap_or_default(), id);
            }
            Call::DetachDisk { id, instance } => {
                let node = self.cloud.as_ref().and_then(|t| t.node_of(instance)).map(str::to_string);
                self.unplug(&node.unwrap_or_default(), id);
            }
            Call::DeleteDisk { id } => _ = self.disks.remove(id),
            _ => {}
        }
    }
    fn plug(&mut self, node: &str, id: &str) {
        let content = self.disks.get(id).cloned().unwrap_or_default();
        let kept = content.clone();
        let there = self.with_component(&kubelet_name(node), |k: &mut Kubelet| k.runtime_mut().put_disk(id, content));
        if there.is_some() {
            self.disks.remove(id);
        } else {
            self.disks.insert(id.into(), kept);
        }
    }
    fn unplug(&mut self, node: &str, id: &str) {
        let taken = self.with_component(&kubelet_name(node), |k: &mut Kubelet| k.runtime_mut().take_disk(id));
        if let Some(content) = taken.flatten() {
            self.disks.insert(id.into(), content);
        }
    }
    /// A machine that has lost its power keeps its disks, as a machine that gets it back finds them.
    pub(crate) fn plug_disks(&mut self, node: &str, on: bool) {
        for id in self.cloud.as_ref().map(|t| t.disks_of(node)).unwrap_or_default() {
            if on { self.plug(node, &id) } else { self.unplug(node, &id) }
        }
    }

    /// A zone's machines lose their power, or get it back. False when there is no such zone, or it is so already.
    pub fn set_zone(&mut self, zone: &str, down: bool) -> bool {
        let now = self.now;
        let Some(toy) = self.cloud.as_mut().filter(|t| t.zones().iter().any(|(z, is)| z == zone && *is != down)) else {
            return false;
        };
        toy.set_zone(now, zone, down);
        let in_zone = toy.instances().filter(|i| i.zone == zone && i.state == State::Running);
        let nodes: Vec<String> = in_zone.map(|i| i.node.clone()).collect();
        self.action(if down { "zone-down" } else { "zone-up" }, zone);
        for node in nodes {
            if down {
                self.kill_machine(&node);
            } else {
                self.revive_machine(&node);
            }
        }
        true
    }

    /// The cloud takes a spot machine back: it is gone, as after [`Cluster::terminate_instance`].
    ///
    /// # Errors
    /// It has no such instance, or the instance is nobody's to take.
    pub fn reclaim_spot(&mut self, node: &str) -> Result<(), String> {
        match self.cloud.as_ref().and_then(|t| t.instance_of(node)) {
            None => Err(format!("instance of {node:?} not found")),
            Some(i) if !i.spot => Err(format!("the instance of {node:?} is no spot instance")),
            Some(_) => {
                self.terminate_instance(node);
                Ok(())
            }
        }
    }

    /// The instance is deleted at the cloud; the Node object is for cloud-node-lifecycle to delete. False when there is
    /// none.
    pub fn terminate_instance(&mut self, node: &str) -> bool {
        self.cloud.as_ref().is_some_and(|t| t.instance_of(node).is_some()) && self.remove_machine(node)
    }

    /// Shuts an instance down, or starts it again. False when it is so already, or there is none.
    pub fn set_instance(&mut self, node: &str, running: bool) -> bool {
        let now = self.now;
        let Some(toy) = &mut self.cloud else { return false };
        let done = if running { toy.start(now, node) } else { toy.stop(now, node) };
        if done {
            self.action(if running { "start-instance" } else { "stop-instance" }, node);
            if running {
                self.revive_machine(node)
            } else {
                self.kill_machine(node)
            };
        }
        done
    }

    /// Makes so many of a thousand calls fail and every answer come so much later. False when there is no cloud.
    pub fn trouble_cloud(&mut self, failures_permille: u32, delay: Duration) -> bool {
        let Some(toy) = &mut self.cloud else { return false };
        toy.set_failures(failures_permille);
        toy.set_delay(delay);
        let percent = f64::from(failures_permille.min(1000)) / 10.0;
        self.action("trouble-cloud", &format!("{percent}%, +{}", delay.go_string()));
        true
    }

    /// False when there is no cloud.
    pub fn set_quotas(&mut self, quotas: Quotas) -> bool {
        let Some(toy) = &mut self.cloud else { return false };
        toy.set_quotas(quotas);
        self.action("set-quotas", &format!("{} load balancers", quotas.load_balancers));
        true
    }

    /// The machines that a load balancer sends to: those of its hosts that answer its health check, which asks kube-proxy.
    pub fn healthy_hosts<'a>(&'a self, lb: &'a cloud::toy::LoadBalancer) -> impl Iterator<Item = &'a str> {
        let on = move |node: &&str| self.machine(node).is_some_and(|m| m.power == crate::Power::On);
        lb.wanted.hosts.iter().map(|h| h.node.as_str()).filter(on)
    }

    /// Whether the cloud would let this machine run.
    pub(crate) fn may_run(&self, node: &str) -> bool {
        let Some(toy) = &self.cloud else { return true };
        toy.instance_of(node).is_none_or(|i| i.state == State::Running && !toy.is_down(&i.zone))
    }
}

fn order(config: &NodeConfig) -> Order<'_> {
    Order {
        node: &config.name,
        internal_ip: &config.internal_ip,
        cpu_milli: config.capacity.cpu.milli_value(),
        memory_bytes: config.capacity.memory.value(),
        zone: &config.zone,
    }
}

/// The kubelet's part: `--cloud-provider=external`. Its zone is the cloud's to say.
fn prepare(config: &mut NodeConfig, plugin: CsiPlugin) {
    config.zone.clear();
    config.external_cloud = true;
    config.csi = vec![plugin];
    config.taints.push(uninitialized());
}

/// The driver's part on a machine of the cloud.
fn plugin(instance: &Instance) -> CsiPlugin {
    CsiPlugin {
        driver: cloud::csi::DRIVER.into(),
        node_id: instance.id.clone(),
        topology: [(cloud::csi::ZONE.to_string(), instance.zone.clone())].into(),
        volumes_max: i32::try_from(instance.type_.disks_max()).unwrap_or(i32::MAX),
    }
}

fn uninitialized() -> Taint {
    let value = Some("true".into());
    Taint { key: UNINITIALIZED.into(), value, effect: "NoSchedule".into(), time_added: None }
}
