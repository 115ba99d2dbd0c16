//! The toy cloud's API.

use super::{Instance, LoadBalancer, State, ToyCloud};
use crate::provider::{Answer, Call, CloudError, InstanceRef, Metadata, Provider, Reply, Route, Wanted};
use k8s_openapi::api::core::v1::{LoadBalancerIngress, LoadBalancerStatus, NodeAddress};
use meta::{Duration, Time};
use std::net::Ipv4Addr;

/// An hour of a load balancer, in millionths of a dollar.
const LOAD_BALANCER_PRICE: u64 = 25_000;
/// The label that says whether a machine may be taken back.
const CAPACITY_TYPE: &str = "toycloud.example/capacity-type";
/// How long a new load balancer takes.
const SET_UP: Duration = Duration::from_secs(8);

impl Provider for ToyCloud {
    fn call(&mut self, now: Time, caller: &str, call: &Call) -> (Duration, Reply) {
        let usual = match call {
            _ if call.reads() => 40,
            Call::CreateRoute { .. } | Call::DeleteRoute { .. } => 600,
            Call::EnsureLoadBalancerDeleted { .. } => 3000,
            Call::AttachDisk { .. } | Call::DetachDisk { .. } => 1500,
            _ => 1000,
        };
        let mut latency = Duration::from_millis(usual + u64::from(self.rng.below(usual as u32 / 2)));
        latency = latency + self.settings.delay;
        let unlucky = self.settings.failures_permille > 0 && self.rng.below(1000) < self.settings.failures_permille;
        let reply = if unlucky {
            Err(CloudError::new("InternalError: the request could not be completed; try again"))
        } else {
            self.answer(now, call)
        };
        if let (Call::EnsureLoadBalancer(w), Ok(_)) = (call, &reply)
            && let Some(lb) = self.load_balancers.get(&w.name)
        {
            latency = latency.max(lb.active_at.since(now));
        }
        if !call.reads() {
            self.version += 1;
        }
        self.ledger.note(now, caller, call.name(), call.target(), reply.as_ref().err());
        (latency, reply)
    }
}

impl ToyCloud {
    /// By the provider's ID where there is one: another machine of the same name is another instance.
    fn find(&self, r: &InstanceRef) -> Option<&Instance> {
        let i = self.instance_of(&r.node)?;
        (r.provider_id.is_empty() || Self::provider_id(i) == r.provider_id).then_some(i)
    }

    fn answer(&mut self, now: Time, call: &Call) -> Reply {
        match call {
            Call::InstanceMetadata(r) => {
                let i = self.find(r).ok_or_else(CloudError::instance_not_found)?;
                Ok(Answer::Metadata(Box::new(self.metadata(i))))
            }
            Call::InstanceExists(r) => Ok(Answer::Yes(self.find(r).is_some())),
            Call::InstanceShutdown(r) => {
                let i = self.find(r).ok_or_else(CloudError::instance_not_found)?;
                Ok(Answer::Yes(i.state == State::Stopped))
            }
            Call::ListRoutes => Ok(Answer::Routes(self.routes.values().cloned().collect())),
            Call::CreateRoute { name_hint, target_node, destination_cidr } => {
                self.create_route(name_hint, target_node, destination_cidr)
            }
            Call::DeleteRoute { name } => {
                self.routes.remove(name);
                Ok(Answer::Done)
            }
            Call::GetLoadBalancer { name } => Ok(Answer::LoadBalancer(self.load_balancers.get(name).map(status))),
            Call::EnsureLoadBalancer(wanted) => self.ensure_load_balancer(now, wanted),
            Call::UpdateLoadBalancer { name, hosts } => {
                let lb = self.load_balancers.get_mut(name).ok_or_else(|| CloudError {
                    message: format!("LoadBalancerNotFound: there is no load balancer {name}"),
                    not_found: true,
                })?;
                lb.wanted.hosts.clone_from(hosts);
                Ok(Answer::Done)
            }
            Call::EnsureLoadBalancerDeleted { name } => {
                self.load_balancers.remove(name);
                self.ledger.end(now, name);
                Ok(Answer::Done)
            }
            Call::CreateDisk { name, gib, zone } => self.create_disk(now, name, *gib, zone),
            Call::DeleteDisk { id } => self.delete_disk(now, id),
            Call::AttachDisk { id, instance } => self.attach_disk(id, instance),
            Call::DetachDisk { id, instance } => self.detach_disk(id, instance),
            Call::ResizeDisk { id, gib } => self.resize_disk(now, id, *gib),
        }
    }

    fn metadata(&self, i: &Instance) -> Metadata {
        let address = |type_: &str, address: String| NodeAddress { type_: type_.into(), address };
        let capacity = if i.spot { "spot" } else { "on-demand" };
        Metadata {
            provider_id: Self::provider_id(i),
            instance_type: i.type_.name.into(),
            addresses: vec![
                address("InternalIP", i.internal_ip.clone()),
                address("ExternalIP", i.external_ip.to_string()),
                address("Hostname", i.node.clone()),
            ],
            zone: i.zone.clone(),
            region: self.settings.region.clone(),
            additional_labels: [(CAPACITY_TYPE.to_string(), capacity.to_string())].into(),
        }
    }

    fn create_route(&mut self, hint: &str, node: &str, cidr: &str) -> Reply {
        if self.instance_of(node).is_none() {
            return Err(CloudError::instance_not_found());
        }
        let limit = self.settings.quotas.routes;
        if self.routes.len() >= limit {
            return Err(CloudError::new(format!("RouteLimitExceeded: the limit of {limit} routes is reached")));
        }
        let name = format!("kubernetes-{hint}-{}", cidr.replace(['.', '/'], "-"));
        let route =
            Route { name: name.clone(), target_node: node.into(), destination_cidr: cidr.into(), blackhole: false };
        self.routes.insert(name, route);
        Ok(Answer::Done)
    }

    fn ensure_load_balancer(&mut self, now: Time, wanted: &Wanted) -> Reply {
        if let Some(p) = wanted.ports.iter().find(|p| !matches!(p.protocol.as_str(), "TCP" | "UDP")) {
            return Err(CloudError::new(format!("InvalidProtocol: {} is not supported", p.protocol)));
        }
        if let Some(lb) = self.load_balancers.get_mut(&wanted.name) {
            lb.wanted = wanted.clone();
            return Ok(Answer::LoadBalancer(Some(status(lb))));
        }
        let limit = self.settings.quotas.load_balancers;
        if self.load_balancers.len() >= limit {
            return Err(CloudError::new(format!(
                "LoadBalancerLimitExceeded: the limit of {limit} load balancers is reached"
            )));
        }
        let ip = self.free_address(&wanted.address)?;
        let lb = LoadBalancer { wanted: wanted.clone(), ip, active_at: now + SET_UP };
        self.ledger.begin(now, &wanted.name, LOAD_BALANCER_PRICE);
        let answer = status(&lb);
        self.load_balancers.insert(wanted.name.clone(), lb);
        Ok(Answer::LoadBalancer(Some(answer)))
    }

    fn free_address(&self, asked: &str) -> Result<Ipv4Addr, CloudError> {
        let first = u32::from(self.settings.load_balancer_ip);
        // One more than there can be load balancers: one of them is free.
        let mut pool = (first..).take(self.load_balancers.len() + 1).map(Ipv4Addr::from);
        let taken = |ip: &Ipv4Addr| self.load_balancers.values().any(|l| l.ip == *ip);
        if asked.is_empty() {
            return pool
                .find(|ip| !taken(ip))
                .ok_or_else(|| CloudError::new("AddressLimitExceeded: no address is free"));
        }
        let size = u32::try_from(self.settings.quotas.load_balancers).unwrap_or(u32::MAX);
        match asked.parse::<Ipv4Addr>() {
            Ok(ip) if taken(&ip) => Err(CloudError::new(format!("AddressInUse: {ip} belongs to a load balancer"))),
            Ok(ip) if u32::from(ip) >= first && u32::from(ip) - first < size => Ok(ip),
            _ => Err(CloudError::new(format!("InvalidAddress: {asked} is not of this account"))),
        }
    }
}

fn status(lb: &LoadBalancer) -> LoadBalancerStatus {
    let ingress = LoadBalancerIngress { ip: Some(lb.ip.to_string()), ..Default::default() };
    LoadBalancerStatus { ingress: Some(vec![ingress]) }
}
