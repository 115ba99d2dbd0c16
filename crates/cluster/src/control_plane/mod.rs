//! The control plane on a node of its own, when a cluster is made so: its programs are static pods, as kubeadm makes them.
//! A process runs when its container does. The API server and its store are this very program: their containers say that
//! they run, and they cannot be stopped.

mod addons;
mod kubeadm;
mod manifests;

use crate::machines::kubelet_name;
use crate::{Cluster, Lamp, elections};
use kubelet::sim::parts::Part;
use kubelet::{Kubelet, NodeConfig, SimRuntime};
use meta::Time;

/// The node's name, as the host's in the names of those who hold leases.
pub const NODE: &str = "control-plane";
/// The processes that are components here.
const PROCESSES: [&str; 2] = ["kube-scheduler", "kube-controller-manager"];
/// A Go program that panics ends with it.
pub(crate) const PANICKED: i32 = 2;
/// One that has lost its lease ends so.
pub(crate) const LOST_LEASE: i32 = 1;

fn pod_of(process: &str) -> String {
    format!("{process}-{NODE}")
}

impl Cluster {
    /// Whether a container of the control plane's node is what runs the process.
    pub(crate) fn is_contained(&self, process: &str) -> bool {
        self.config.control_plane_node && PROCESSES.contains(&process)
    }

    /// Whether it is the machine that the API server runs on: nobody would see it come back.
    pub(crate) fn holds_api_server(&self, node: &str) -> bool {
        self.config.control_plane_node && node == NODE
    }

    /// The machine, whose kubelet starts the processes. Until then none of them runs.
    pub(crate) fn add_control_plane(&mut self) -> Result<(), String> {
        let seed = self.fork_seed();
        let mut runtime = SimRuntime::new(seed, 1);
        // As after `kubeadm config images pull`.
        runtime.preload(&manifests::IMAGES);
        for process in ["etcd", "kube-apiserver"].iter().chain(&PROCESSES) {
            runtime.set_part(self.now, &pod_of(process), Part::Free);
        }
        let config = NodeConfig {
            name: NODE.into(),
            internal_ip: crate::bootstrap::API_SERVER_IP.into(),
            taints: vec![kubeadm::taint()],
            manifests: manifests::all(),
            seed,
            ..NodeConfig::default()
        };
        self.add_machine(config, Box::new(runtime))?;
        for process in PROCESSES {
            self.add_replica(process);
            self.await_container(process);
        }
        self.add_component(Box::new(kubeadm::Kubeadm::new(true)));
        Ok(())
    }

    /// CoreDNS as kubeadm installs it, on the nodes that there are. A control plane's node brings it along.
    pub fn install_coredns(&mut self) {
        if !self.config.control_plane_node {
            self.add_component(Box::new(kubeadm::Kubeadm::new(false)));
        }
    }

    /// All of a process that does not run waits for its container.
    fn await_container(&mut self, process: &str) {
        for i in self.members(process) {
            self.hold.changed(i);
            (self.slots[i].lamp, self.slots[i].wake) = (Lamp::Crashed, None);
        }
    }

    fn with_part(&mut self, process: &str, f: impl FnOnce(&mut SimRuntime, Time, &str)) {
        if !self.is_contained(process) {
            return;
        }
        let now = self.now;
        self.with_component(&kubelet_name(NODE), |k: &mut Kubelet| {
            if let Some(runtime) = k.runtime_mut().as_any_mut().downcast_mut() {
                f(runtime, now, &pod_of(process));
            }
        });
    }

    /// A process has died: the kubelet finds its container ended, and starts it again.
    pub(crate) fn end_container(&mut self, process: &str, code: i32) {
        self.with_part(process, |runtime, now, pod| {
            runtime.end_part(now, pod, code);
            runtime.set_part(now, pod, Part::Free);
        });
    }

    /// Somebody wants the process to run, or not to. True: its container is what starts it.
    pub(crate) fn allow_container(&mut self, process: &str, allowed: bool) -> bool {
        if !self.is_contained(process) {
            return false;
        }
        if allowed && self.members(process).iter().all(|i| self.slots[*i].lamp == Lamp::Stopped) {
            self.await_container(process);
        }
        self.with_part(process, |runtime, now, pod| {
            runtime.set_part(now, pod, if allowed { Part::Free } else { Part::Held });
            if !allowed {
                runtime.end_part(now, pod, 0);
            }
        });
        true
    }

    pub(crate) fn freeze_container(&mut self, process: &str, on: bool) {
        let part = if on { Part::Frozen } else { Part::Free };
        self.with_part(process, |runtime, now, pod| runtime.set_part(now, pod, part));
    }

    /// What the kubelet has done to containers, done to their processes.
    pub(crate) fn follow_containers(&mut self, slot: usize) {
        if !self.config.control_plane_node {
            return;
        }
        let kubelet = self.slots[slot].component.as_any_mut().downcast_mut::<Kubelet>();
        let runtime = kubelet.and_then(|k| k.runtime_mut().as_any_mut().downcast_mut::<SimRuntime>());
        let changes = runtime.map(SimRuntime::take_part_changes).unwrap_or_default();
        for change in changes {
            let Some(process) = PROCESSES.into_iter().find(|p| pod_of(p) == change.pod) else { continue };
            let members = self.members(process);
            if change.runs {
                for i in members {
                    if self.slots[i].lamp == Lamp::Crashed && !elections::is_led(&*self.slots[i].component) {
                        self.come_back(i);
                    }
                }
            } else if members.iter().any(|i| !matches!(self.slots[*i].lamp, Lamp::Crashed | Lamp::Stopped)) {
                self.die(process, 0, PANICKED);
            }
        }
    }
}
