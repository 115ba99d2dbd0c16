//! The cloud's console: what it shows, and what its buttons do.

use cluster::Cluster;
use cluster::cloud::Settings;
use cluster::cloud::toy::{Disk, Instance, LoadBalancer, LogEntry, Quotas, State, TYPES, ToyCloud};
use meta::Duration;
use protocol::cloud::{
    CallView, CloudOrder, CloudView, DiskView, InstanceState, InstanceTypeView, InstanceView, LoadBalancerView,
    PortView, RouteView, TargetView, ZoneView,
};

/// More of each are only counted.
const SHOWN_MAX: usize = 200;
const CALLS_MAX: usize = 100;
/// Costs are told in steps of so many millionths of a dollar: else every moment would be news.
const COST_STEP: u64 = 100;
/// Updates at least between two views.
const REST: u32 = 12;

/// The cloud as the page was last told.
#[derive(Default)]
pub struct Console {
    on: bool,
    sent: Option<CloudView>,
    age: u32,
}

impl Console {
    pub fn show(&mut self, on: bool) {
        if on != self.on {
            (self.on, self.sent, self.age) = (on, None, REST);
        }
    }
    pub fn forget(&mut self) {
        (self.sent, self.age) = (None, REST);
    }
    pub fn update(&mut self, cluster: &Cluster) -> Option<CloudView> {
        self.age = self.age.saturating_add(1);
        if !self.on || self.age < REST {
            return None;
        }
        self.age = 0;
        let view = cluster.cloud().map(|cloud| view(cluster, cloud)).unwrap_or_default();
        if self.sent.as_ref() == Some(&view) {
            return None;
        }
        self.sent = Some(view.clone());
        Some(view)
    }
}

/// The cloud of a cluster whose own seed is this.
pub fn settings(seed: u64) -> Settings {
    Settings { seed, ..Settings::default() }
}

/// # Errors
/// There is no cloud, or not what the order is about, or it is so already.
pub fn act(cluster: &mut Cluster, order: &CloudOrder) -> Result<(), String> {
    let done = |done: bool, node: &str, state: &str| {
        if done { Ok(()) } else { Err(format!("{state}instance of {node:?} not found")) }
    };
    match (cluster.cloud(), order) {
        (Some(_), CloudOrder::Connect) => return Err("the cluster is in a cloud already".into()),
        (None, order) if *order != CloudOrder::Connect => return Err("the cluster is in no cloud".into()),
        _ => {}
    }
    match order {
        CloudOrder::Connect => {
            let seed = cluster.fork_seed();
            cluster.connect_cloud(settings(seed))
        }
        CloudOrder::StopInstance { node } => done(cluster.set_instance(node, false), node, "running "),
        CloudOrder::StartInstance { node } => done(cluster.set_instance(node, true), node, "stopped "),
        CloudOrder::TerminateInstance { node } => done(cluster.terminate_instance(node), node, ""),
        CloudOrder::ReclaimInstance { node } => cluster.reclaim_spot(node),
        CloudOrder::SetZone { zone, down } => {
            let state = if *down { "down" } else { "up" };
            if cluster.set_zone(zone, *down) {
                Ok(())
            } else {
                Err(format!("zone {zone:?} not found, or {state} already"))
            }
        }
        CloudOrder::Trouble { failures, delay_ms } => {
            cluster.trouble_cloud(*failures, Duration::from_millis(u64::from(*delay_ms)));
            Ok(())
        }
        CloudOrder::SetQuotas { instances, load_balancers } => {
            if let Some(now) = cluster.cloud().map(|c| c.settings().quotas) {
                cluster.set_quotas(Quotas { instances: *instances, load_balancers: *load_balancers, ..now });
            }
            Ok(())
        }
    }
}

fn view(cluster: &Cluster, cloud: &ToyCloud) -> CloudView {
    let settings = cloud.settings();
    let mut instances: Vec<&Instance> = cloud.instances().collect();
    let zones = cloud.zones().into_iter().map(|(name, down)| {
        let instances = instances.iter().filter(|i| i.zone == name).count();
        ZoneView { name, down, instances }
    });
    let zones = zones.collect();
    // `node-10` after `node-9`.
    instances.sort_by(|a, b| (a.node.len(), &a.node).cmp(&(b.node.len(), &b.node)));
    let calls: Vec<&LogEntry> = cloud.log().collect();
    CloudView {
        connected: true,
        region: settings.region.clone(),
        zones,
        instances_total: instances.len(),
        instances: instances.into_iter().take(SHOWN_MAX).map(|i| instance(cloud, i)).collect(),
        routes_total: cloud.routes().count(),
        routes: cloud.routes().take(SHOWN_MAX).map(route).collect(),
        load_balancers: cloud.load_balancers().take(SHOWN_MAX).map(|lb| balancer(cluster, lb)).collect(),
        disks_total: cloud.disks().count(),
        disks: cloud.disks().take(SHOWN_MAX).map(|d| disk(cloud, d)).collect(),
        calls: calls.into_iter().rev().take(CALLS_MAX).map(call).collect(),
        calls_total: cloud.calls_made(),
        cost_micros: cloud.cost_micros(cluster.now()) / COST_STEP * COST_STEP,
        rate_micros: cloud.rate_micros(),
        failures: settings.failures_permille,
        delay_ms: u32::try_from(settings.delay.as_millis()).unwrap_or(u32::MAX),
        instances_max: settings.quotas.instances,
        load_balancers_max: settings.quotas.load_balancers,
        types: TYPES
            .iter()
            .map(|t| InstanceTypeView {
                name: t.name.into(),
                cpu: t.cpu,
                memory_gib: t.memory_gib,
                price_micros: t.price_micros,
            })
            .collect(),
    }
}

fn instance(cloud: &ToyCloud, i: &Instance) -> InstanceView {
    InstanceView {
        id: i.id.clone(),
        node: i.node.clone(),
        zone: i.zone.clone(),
        instance_type: i.type_.name.into(),
        spot: i.spot,
        state: match i.state {
            State::Stopped => InstanceState::Stopped,
            State::Running if cloud.is_down(&i.zone) => InstanceState::ZoneDown,
            State::Running => InstanceState::Running,
        },
        internal_ip: i.internal_ip.clone(),
        external_ip: i.external_ip.to_string(),
        price_micros: i.price_micros(),
    }
}

fn route(r: &cluster::cloud::provider::Route) -> RouteView {
    RouteView {
        name: r.name.clone(),
        cidr: r.destination_cidr.clone(),
        node: r.target_node.clone(),
        blackhole: r.blackhole,
    }
}

fn disk(cloud: &ToyCloud, d: &Disk) -> DiskView {
    let (instance, device) = d.attached.clone().unwrap_or_default();
    DiskView {
        id: d.id.clone(),
        name: d.name.clone(),
        zone: d.zone.clone(),
        gib: d.gib,
        node: cloud.node_of(&instance).unwrap_or_default().into(),
        device,
        price_micros: d.price_micros(),
    }
}

fn balancer(cluster: &Cluster, lb: &LoadBalancer) -> LoadBalancerView {
    let healthy: Vec<&str> = cluster.healthy_hosts(lb).collect();
    let port = |p: &cluster::cloud::provider::Listener| PortView {
        protocol: p.protocol.clone(),
        port: p.port,
        node_port: p.node_port,
    };
    LoadBalancerView {
        name: lb.wanted.name.clone(),
        service: lb.wanted.service.to_string(),
        ip: lb.ip.to_string(),
        active: lb.active_at <= cluster.now(),
        ports: lb.wanted.ports.iter().map(port).collect(),
        targets: (lb.wanted.hosts.iter())
            .map(|h| TargetView { node: h.node.clone(), healthy: healthy.contains(&h.node.as_str()) })
            .collect(),
    }
}

fn call(e: &LogEntry) -> CallView {
    CallView {
        number: e.number,
        time: e.time.as_micros(),
        caller: e.caller.clone(),
        call: e.call.into(),
        target: e.target.clone(),
        error: e.error.clone(),
        times: e.times,
    }
}
