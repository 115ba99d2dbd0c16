//! The rules of Services as the nodes' kernels have them. kube-proxy writes them; they stay while it does not run. Which
//! endpoints a connection may go to models `pkg/proxy/topology.go` (`CategorizeEndpoints`).

use imbl::OrdMap;
use meta::Key;
use std::sync::Arc;

/// Where a connection may end.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    pub ip: String,
    pub port: u16,
    /// The pod behind it, as `namespace/name`; empty when the slice names none.
    pub pod: String,
    pub node: String,
    pub ready: bool,
    pub serving: bool,
    pub terminating: bool,
    /// `hints.forZones` and `hints.forNodes`.
    pub zones: Vec<String>,
    pub nodes: Vec<String>,
}

/// One port of one Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub service: Key,
    pub port_name: String,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// Empty for a headless Service.
    pub cluster_ip: String,
    /// Of load balancers, and `externalIPs`.
    pub external_ips: Vec<String>,
    pub port: u16,
    /// 0: none.
    pub node_port: u16,
    /// `ClientIP` affinity's seconds; `None`: every connection is free to go elsewhere.
    pub affinity_seconds: Option<i32>,
    pub internal_local: bool,
    pub external_local: bool,
    /// All of them, usable or not; [`Rule::usable`] says which get traffic.
    pub endpoints: Vec<Endpoint>,
}

/// Where a connection comes into the Service's rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spot<'a> {
    /// Unknown for what comes from outside.
    pub node: Option<&'a str>,
    pub zone: Option<&'a str>,
    /// Only endpoints of the node will do: the traffic policy.
    pub local: bool,
}

/// Why these endpoints and not all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Ready,
    /// The traffic policy is Local.
    Local,
    /// Hints, as `trafficDistribution` makes them.
    SameNode,
    SameZone,
    /// None is ready: those that are on their way out still serve.
    Terminating,
}

impl Rule {
    /// The endpoints that get a connection from there. Empty and [`Scope::Local`]: there are others, on other nodes.
    pub fn usable(&self, from: Spot) -> (Vec<&Endpoint>, Scope) {
        let local = from.local && from.node.is_some();
        let here = |e: &&Endpoint| !local || from.node == Some(e.node.as_str());
        let ready = |e: &&Endpoint| e.ready;
        let all: Vec<&Endpoint> = self.endpoints.iter().filter(here).filter(ready).collect();
        if all.is_empty() {
            let going = |e: &&Endpoint| e.serving && e.terminating;
            let going: Vec<&Endpoint> = self.endpoints.iter().filter(here).filter(going).collect();
            let elsewhere = local && self.endpoints.iter().any(|e| e.ready || (e.serving && e.terminating));
            return match going.is_empty() {
                false => (going, Scope::Terminating),
                true if elsewhere => (going, Scope::Local),
                true => (going, Scope::Ready),
            };
        }
        if local {
            return (all, Scope::Local);
        }
        let hinted = |hints: fn(&Endpoint) -> &Vec<String>, at: Option<&str>| {
            let at = at?;
            let chosen: Vec<&Endpoint> = all.iter().filter(|e| hints(e).iter().any(|h| h == at)).copied().collect();
            (!chosen.is_empty() && all.iter().all(|e| !hints(e).is_empty())).then_some(chosen)
        };
        if let Some(chosen) = hinted(|e| &e.nodes, from.node) {
            return (chosen, Scope::SameNode);
        }
        match hinted(|e| &e.zones, from.zone) {
            Some(chosen) => (chosen, Scope::SameZone),
            None => (all, Scope::Ready),
        }
    }

    fn addresses(&self) -> impl Iterator<Item = &str> {
        let cluster_ip = Some(self.cluster_ip.as_str()).filter(|ip| !ip.is_empty());
        cluster_ip.into_iter().chain(self.external_ips.iter().map(String::as_str))
    }
}

/// The rules of all Services, in order of Service and port. Cloning is a few pointers.
#[derive(Clone, Debug, Default)]
pub struct Services {
    rules: OrdMap<Key, Arc<Vec<Rule>>>,
    by_ip: OrdMap<Arc<str>, Key>,
    by_node_port: OrdMap<u16, Key>,
    version: u64,
}

impl Services {
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values().flat_map(|r| r.iter())
    }
    pub fn of(&self, service: &Key) -> &[Rule] {
        self.rules.get(service).map(|r| r.as_slice()).unwrap_or_default()
    }
    /// Grows with every change.
    pub fn version(&self) -> u64 {
        self.version
    }
    /// Replaces the rules of one Service.
    pub fn set(&mut self, service: &Key, rules: Vec<Rule>) {
        self.version += 1;
        for r in self.rules.remove(service).iter().flat_map(|r| r.iter()) {
            for ip in r.addresses() {
                if self.by_ip.get(ip) == Some(service) {
                    self.by_ip.remove(ip);
                }
            }
            if self.by_node_port.get(&r.node_port) == Some(service) {
                self.by_node_port.remove(&r.node_port);
            }
        }
        for r in &rules {
            for ip in r.addresses() {
                self.by_ip.insert(ip.into(), service.clone());
            }
            if r.node_port != 0 {
                self.by_node_port.insert(r.node_port, service.clone());
            }
        }
        if !rules.is_empty() {
            self.rules.insert(service.clone(), Arc::new(rules));
        }
    }

    /// The Service that has an address.
    pub fn with_ip(&self, ip: &str) -> Option<&Key> {
        self.by_ip.get(ip)
    }
    /// The rule for a Service's address.
    pub fn find(&self, ip: &str, port: u16) -> Option<&Rule> {
        self.of(self.by_ip.get(ip)?).iter().find(|r| r.port == port && r.protocol == "TCP")
    }
    /// The rule behind a node port, on any node.
    pub fn find_node_port(&self, port: u16) -> Option<&Rule> {
        let key = self.by_node_port.get(&port)?;
        self.of(key).iter().find(|r| r.node_port == port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(service: &str, port: u16, endpoints: Vec<Endpoint>) -> Rule {
        Rule {
            service: Key::new("default", service),
            port_name: String::new(),
            protocol: "TCP".into(),
            cluster_ip: "10.96.0.7".into(),
            external_ips: vec!["172.19.0.1".into()],
            port,
            node_port: 30000 + port,
            affinity_seconds: None,
            internal_local: false,
            external_local: false,
            endpoints,
        }
    }

    fn endpoint(ip: &str, node: &str) -> Endpoint {
        Endpoint { ip: ip.into(), node: node.into(), ready: true, serving: true, ..Endpoint::default() }
    }

    fn ips(rule: &Rule, spot: Spot) -> (String, Scope) {
        let (found, scope) = rule.usable(spot);
        (found.iter().map(|e| e.ip.as_str()).collect::<Vec<_>>().join(" "), scope)
    }

    #[test]
    fn ready_endpoints_get_traffic_and_terminating_ones_only_when_there_is_no_other() {
        let mut going = endpoint("2", "b");
        (going.ready, going.terminating) = (false, true);
        let dead = Endpoint { ready: false, serving: false, ..endpoint("3", "b") };
        let mut rule = rule("web", 80, vec![endpoint("1", "a"), going, dead]);
        assert_eq!(ips(&rule, Spot::default()), ("1".into(), Scope::Ready));
        rule.endpoints.remove(0);
        assert_eq!(ips(&rule, Spot::default()), ("2".into(), Scope::Terminating));
        rule.endpoints.remove(0);
        assert_eq!(ips(&rule, Spot::default()), (String::new(), Scope::Ready));
    }

    #[test]
    fn local_policies_stay_on_the_node_and_hints_in_the_zone() {
        let mut rule = rule("web", 80, vec![endpoint("1", "a"), endpoint("2", "b")]);
        let local = |node| Spot { node: Some(node), zone: None, local: true };
        assert_eq!(ips(&rule, local("b")), ("2".into(), Scope::Local));
        assert_eq!(ips(&rule, local("c")), (String::new(), Scope::Local));
        let at = |zone| Spot { node: Some("a"), zone: Some(zone), local: false };
        rule.endpoints[0].zones = vec!["x".into()];
        assert_eq!(ips(&rule, at("x")), ("1 2".into(), Scope::Ready), "one of them has no hint");
        rule.endpoints[1].zones = vec!["y".into()];
        assert_eq!(ips(&rule, at("x")), ("1".into(), Scope::SameZone));
        assert_eq!(ips(&rule, at("z")), ("1 2".into(), Scope::Ready), "nobody is meant for that zone");
        rule.endpoints.iter_mut().for_each(|e| e.nodes = vec!["a".into()]);
        rule.endpoints[0].nodes = vec!["b".into()];
        assert_eq!(ips(&rule, at("x")), ("2".into(), Scope::SameNode));
    }

    #[test]
    fn addresses_lead_to_their_service_as_long_as_it_has_them() {
        let (mut t, web, other) = (Services::default(), Key::new("default", "web"), Key::new("default", "other"));
        t.set(&web, vec![rule("web", 80, Vec::new()), rule("web", 81, Vec::new())]);
        assert_eq!(t.find("172.19.0.1", 81).map(|r| r.port), Some(81));
        assert!(t.find("10.96.0.7", 82).is_none() && t.with_ip("10.96.0.7") == Some(&web));
        assert_eq!(t.find_node_port(30081).map(|r| r.port), Some(81));
        // Another one has taken the address over before the first is gone.
        t.set(&other, vec![rule("other", 80, Vec::new())]);
        t.set(&web, Vec::new());
        assert_eq!(t.with_ip("10.96.0.7"), Some(&other));
        assert!(t.find_node_port(30080).is_some() && t.find_node_port(30081).is_none());
    }
}
