//! Which of a Service's endpoints a new connection gets: what the rules in a node's kernel do. Models
//! `pkg/proxy/iptables/proxier.go` (`statistic` and `recent` matches).

use crate::NetError;
use crate::hop::Trail;
use meta::{Duration, Key, Rng, Time};
use reconcile::services::{Endpoint, Rule, Scope, Spot};
use std::collections::BTreeMap;
use trace::note;

/// Clients that are remembered before those whose time is over are forgotten.
const STICKY_MAX: usize = 4096;

/// What one node's kernel keeps: who went where.
#[derive(Clone, Debug)]
pub struct Balancer {
    /// Service, port and client to the endpoint, and until when.
    sticky: BTreeMap<(Key, u16, String), (String, u16, Time)>,
    rng: Rng,
}

impl Balancer {
    /// `seed`: of the choice, which a kernel leaves to its random numbers.
    pub fn new(seed: u64) -> Self {
        Balancer { sticky: BTreeMap::new(), rng: Rng::new(seed) }
    }

    /// One of `n`.
    pub fn any(&mut self, n: usize) -> usize {
        self.rng.below(u32::try_from(n).unwrap_or(u32::MAX)) as usize
    }

    /// The endpoint for a connection of `client` (an address) that comes to the rule at `spot`.
    ///
    /// # Errors
    /// There is none: the connection is refused, or, when the others are on other nodes, dropped.
    pub fn choose(
        &mut self,
        now: Time,
        rule: &Rule,
        spot: Spot,
        client: &str,
        trail: &mut Trail,
    ) -> Result<Endpoint, NetError> {
        let (usable, scope) = rule.usable(spot);
        let all = rule.endpoints.len();
        if usable.is_empty() {
            return Err(match scope {
                Scope::Local => {
                    trail.fail(|| note!("hop.no-local", node = spot.node.unwrap_or("")));
                    NetError::Unreachable
                }
                _ => {
                    trail.fail(|| note!("hop.no-endpoints", all = all));
                    NetError::Refused
                }
            });
        }
        match scope {
            Scope::Ready => {}
            Scope::Local => trail.note(|| note!("hop.scope-local", node = spot.node.unwrap_or(""))),
            Scope::SameNode => trail.note(|| note!("hop.scope-node", node = spot.node.unwrap_or(""))),
            Scope::SameZone => trail.note(|| note!("hop.scope-zone", zone = spot.zone.unwrap_or(""))),
            Scope::Terminating => trail.note(|| note!("hop.scope-terminating")),
        }
        let key = (rule.service.clone(), rule.port, client.to_string());
        let seconds = rule.affinity_seconds.and_then(|s| u64::try_from(s).ok());
        let kept = self.sticky.get(&key).filter(|(_, _, until)| seconds.is_some() && *until > now);
        let kept = kept.and_then(|(ip, port, _)| usable.iter().find(|e| e.ip == *ip && e.port == *port));
        let chosen = match kept {
            Some(kept) => {
                trail.note(|| note!("hop.chosen-sticky", client = client, seconds = seconds.unwrap_or(0)));
                (*kept).clone()
            }
            None if usable.len() == 1 => {
                trail.note(|| note!("hop.chosen-only", all = all));
                usable[0].clone()
            }
            None => {
                trail.note(|| note!("hop.chosen-random", ready = usable.len()));
                usable[self.any(usable.len())].clone()
            }
        };
        if let Some(seconds) = seconds {
            if self.sticky.len() >= STICKY_MAX {
                self.sticky.retain(|_, (_, _, until)| *until > now);
            }
            self.sticky.insert(key, (chosen.ip.clone(), chosen.port, now + Duration::from_secs(seconds)));
        }
        trail.note(|| match chosen.pod.as_str() {
            "" => note!("hop.endpoint-address", ip = &chosen.ip, port = chosen.port),
            pod => note!("hop.endpoint", ip = &chosen.ip, port = chosen.port, pod = pod),
        });
        Ok(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn rule(affinity_seconds: Option<i32>) -> Rule {
        let endpoint = |n: u8| Endpoint { ip: format!("10.0.0.{n}"), port: 80, ready: true, ..Endpoint::default() };
        Rule {
            service: Key::new("default", "web"),
            port_name: String::new(),
            protocol: "TCP".into(),
            cluster_ip: "10.96.0.7".into(),
            external_ips: Vec::new(),
            port: 80,
            node_port: 0,
            affinity_seconds,
            internal_local: false,
            external_local: false,
            endpoints: (0..5).map(endpoint).collect(),
        }
    }

    #[test]
    fn without_affinity_every_connection_is_free_and_with_it_a_client_comes_back() {
        let mut b = Balancer::new(1);
        let mut ask = |rule: &Rule, seconds: u64| {
            let at = Time(seconds * 1_000_000);
            b.choose(at, rule, Spot::default(), "10.244.0.9", &mut Trail::off()).unwrap().ip
        };
        let free: BTreeSet<String> = (0..50).map(|_| ask(&rule(None), 0)).collect();
        assert_eq!(free.len(), 5);
        let mut sticky = rule(Some(10));
        let first = ask(&sticky, 0);
        // Each connection starts the time anew.
        assert!((1..20).all(|n| ask(&sticky, n * 9) == first));
        let later: BTreeSet<String> = (1..50).map(|n| ask(&sticky, 1000 + n * 11)).collect();
        assert!(later.len() > 1, "ten seconds are over each time");
        let last = ask(&sticky, 2000);
        sticky.endpoints.retain(|e| e.ip != last);
        assert_ne!(ask(&sticky, 2001), last, "an endpoint that is gone gets nothing");
    }

    #[test]
    fn nobody_there_refuses_and_nobody_here_drops() {
        let mut b = Balancer::new(1);
        let mut none = rule(None);
        none.endpoints.iter_mut().for_each(|e| e.ready = false);
        let mut trail = Trail::on();
        trail.hop(crate::Stage::Service, "Service", "default/web");
        let refused = b.choose(Time(0), &none, Spot::default(), "x", &mut trail);
        assert_eq!(refused.unwrap_err(), NetError::Refused);
        let hops = trail.into_hops();
        assert!(!hops[0].ok && hops[0].notes[0].code == "hop.no-endpoints");
        let spot = Spot { node: Some("a"), zone: None, local: true };
        let dropped = b.choose(Time(0), &rule(None), spot, "x", &mut Trail::off());
        assert_eq!(dropped.unwrap_err(), NetError::Unreachable);
    }
}
