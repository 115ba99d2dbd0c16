//! NetworkPolicy, as the nodes' network plugin enforces it: on connections, after Services' addresses have become their
//! endpoints'. Models the semantics of `networking.k8s.io/v1` (`pkg/apis/networking`) and of the documentation's
//! "Network Policies" page.

use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::api::networking::v1::{IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::Key;
use meta::labels::{Labels, Selector};
use reconcile::View;
use std::net::Ipv4Addr;

/// Cluster DNS: where names are asked for, and who answers there.
const DNS_ADDRESS: &str = "10.96.0.10";
const DNS_NAMESPACE: &str = "kube-system";
const DNS_LABEL: (&str, &str) = ("k8s-app", "kube-dns");

/// One end of a connection.
struct End<'a> {
    ip: &'a str,
    /// `None`: outside the cluster, or a node.
    namespace: Option<&'a str>,
    labels: Option<&'a Labels>,
    pod: Option<&'a Pod>,
}

/// What a connection is to.
#[derive(Clone, Copy)]
struct Port<'a> {
    number: u16,
    protocol: &'a str,
}

/// Whether policies let a connection from one address to another through. What a pod sends to itself always gets
/// there, and so do answers.
pub fn allows(view: &View, from: &str, to: &str, port: u16, protocol: &str) -> bool {
    if view.count(&api::kinds::networkpolicy::KIND) == 0 || from == to {
        return true;
    }
    let (from, to) = (end(view, from), end(view, to));
    let port = Port { number: port, protocol };
    let out = |p: &NetworkPolicy| {
        let rules = p.spec.iter().flat_map(|s| s.egress.iter().flatten());
        let mut allowed = rules.map(|r| (r.to.as_deref(), r.ports.as_deref()));
        allowed.any(|(peers, ports)| rule_allows(view, p, peers, ports, &to, &to, port))
    };
    let into = |p: &NetworkPolicy| {
        let rules = p.spec.iter().flat_map(|s| s.ingress.iter().flatten());
        let mut allowed = rules.map(|r| (r.from.as_deref(), r.ports.as_deref()));
        allowed.any(|(peers, ports)| rule_allows(view, p, peers, ports, &from, &to, port))
    };
    direction_allows(view, &from, "Egress", out) && direction_allows(view, &to, "Ingress", into)
}

/// The same for asking cluster DNS.
pub fn allows_dns(view: &View, from: &str) -> bool {
    allows(view, from, DNS_ADDRESS, 53, "UDP")
}

fn end<'a>(view: &'a View, ip: &'a str) -> End<'a> {
    let of_pod = |p: &&Pod| {
        let host_network = p.spec.as_ref().and_then(|s| s.host_network) == Some(true);
        !host_network && !api::pods::is_terminal(p)
    };
    match view.pods_with_ip(ip).find(of_pod) {
        Some(p) => {
            End { ip, namespace: p.metadata.namespace.as_deref(), labels: p.metadata.labels.as_ref(), pod: Some(p) }
        }
        None => End { ip, namespace: (ip == DNS_ADDRESS).then_some(DNS_NAMESPACE), labels: None, pod: None },
    }
}

impl End<'_> {
    fn matches(&self, selector: &Selector) -> bool {
        if self.ip == DNS_ADDRESS && self.pod.is_none() {
            let dns: Labels = [(DNS_LABEL.0.into(), DNS_LABEL.1.into())].into();
            return selector.matches(Some(&dns));
        }
        selector.matches(self.labels)
    }
}

fn selector(s: &LabelSelector) -> Selector {
    Selector::from_api(Some(s)).unwrap_or(Selector::Nothing)
}

/// Nobody's policy: everything may pass. Otherwise one of them has to let it.
fn direction_allows(view: &View, subject: &End, direction: &str, allows: impl Fn(&NetworkPolicy) -> bool) -> bool {
    let Some(namespace) = subject.namespace else { return true };
    let applies = |p: &&NetworkPolicy| {
        let Some(spec) = &p.spec else { return false };
        let types = spec.policy_types.as_deref().unwrap_or_default();
        let of_pods = spec.pod_selector.as_ref().map_or_else(Selector::everything, selector);
        types.iter().any(|t| t == direction) && subject.matches(&of_pods)
    };
    let mut isolated = false;
    for policy in view.list_in::<NetworkPolicy>(namespace).filter(applies) {
        if allows(policy) {
            return true;
        }
        isolated = true;
    }
    !isolated
}

/// `peers` missing or empty: everybody; `ports` missing or empty: every port.
fn rule_allows(
    view: &View,
    policy: &NetworkPolicy,
    peers: Option<&[NetworkPolicyPeer]>,
    ports: Option<&[NetworkPolicyPort]>,
    other: &End,
    to: &End,
    port: Port,
) -> bool {
    let namespace = policy.metadata.namespace.as_deref().unwrap_or("");
    let of_peers = |all: &[NetworkPolicyPeer]| all.is_empty() || all.iter().any(|p| is_peer(view, namespace, p, other));
    let of_ports = |all: &[NetworkPolicyPort]| all.is_empty() || all.iter().any(|p| is_port(p, to, port));
    peers.is_none_or(of_peers) && ports.is_none_or(of_ports)
}

fn is_peer(view: &View, namespace: &str, peer: &NetworkPolicyPeer, other: &End) -> bool {
    if let Some(block) = &peer.ip_block {
        return in_block(block, other.ip);
    }
    let Some(theirs) = other.namespace else { return false };
    let namespace_fits = match &peer.namespace_selector {
        Some(s) => {
            let n = view.get::<Namespace>(&Key::from(theirs));
            n.is_some_and(|n| selector(s).matches(n.metadata.labels.as_ref()))
        }
        None => theirs == namespace,
    };
    namespace_fits && peer.pod_selector.as_ref().is_none_or(|s| other.matches(&selector(s)))
}

fn is_port(wanted: &NetworkPolicyPort, to: &End, port: Port) -> bool {
    if wanted.protocol.as_deref().unwrap_or("TCP") != port.protocol {
        return false;
    }
    let number = i32::from(port.number);
    match &wanted.port {
        None => true,
        Some(IntOrString::Int(first)) => (*first..=wanted.end_port.unwrap_or(*first)).contains(&number),
        // A name is one of the destination's container ports.
        Some(IntOrString::String(name)) => {
            let containers = to.pod.and_then(|p| p.spec.as_ref()).into_iter().flat_map(|s| &s.containers);
            let mut ports = containers.flat_map(|c| c.ports.iter().flatten());
            ports.any(|p| {
                p.name.as_deref() == Some(name)
                    && p.container_port == number
                    && p.protocol.as_deref().unwrap_or("TCP") == port.protocol
            })
        }
    }
}

fn in_block(block: &IPBlock, ip: &str) -> bool {
    contains(&block.cidr, ip) && !block.except.iter().flatten().any(|e| contains(e, ip))
}

/// The simulated network has IPv4 only.
fn contains(cidr: &str, ip: &str) -> bool {
    let parsed = || {
        let (base, bits) = cidr.split_once('/')?;
        let (base, bits, ip): (Ipv4Addr, u32, Ipv4Addr) = (base.parse().ok()?, bits.parse().ok()?, ip.parse().ok()?);
        let mask = u32::MAX.checked_shl(32_u32.checked_sub(bits)?).unwrap_or(0);
        Some(u32::from(base) & mask == u32::from(ip) & mask)
    };
    parsed().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::{allows, allows_dns};
    use api::ObjectExt;
    use reconcile::View;
    use serde_json::{Value, json};

    struct World(View);

    impl World {
        /// `web` (labels `app: web`) and `db` in `shop`, `visitor` in `street`, and the namespaces with their names as labels.
        fn new() -> Self {
            let mut w = World(View::new());
            for n in ["shop", "street", "kube-system"] {
                let labels = json!({ "kubernetes.io/metadata.name": n });
                w.put(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": n, "labels": labels } }));
            }
            for (namespace, name, ip) in
                [("shop", "web", "10.244.0.1"), ("shop", "db", "10.244.0.2"), ("street", "visitor", "10.244.1.1")]
            {
                w.put(json!({ "apiVersion": "v1", "kind": "Pod",
                    "metadata": { "name": name, "namespace": namespace, "labels": { "app": name } },
                    "spec": { "containers": [{ "name": "c", "image": "x",
                        "ports": [{ "name": "http", "containerPort": 8080, "protocol": "TCP" }] }] },
                    "status": { "phase": "Running", "podIP": ip } }));
            }
            w
        }

        fn put(&mut self, v: Value) {
            let kind = api::by_api_version(v["apiVersion"].as_str().unwrap(), v["kind"].as_str().unwrap()).unwrap();
            let o: api::Obj = kind.from_value(v).unwrap().into();
            self.0.apply(kind, &o.key(), None, Some(&o), 1);
        }

        fn policy(&mut self, name: &str, spec: Value) {
            let metadata = json!({ "name": name, "namespace": "shop" });
            let kind = "NetworkPolicy";
            self.put(json!({ "apiVersion": "networking.k8s.io/v1", "kind": kind, "metadata": metadata, "spec": spec }));
        }

        /// `from` and `to` are the last numbers' pods above, or addresses.
        fn passes(&self, from: &str, to: &str, port: u16) -> bool {
            let ip = |name: &str| match name {
                "web" => "10.244.0.1".to_string(),
                "db" => "10.244.0.2".to_string(),
                "visitor" => "10.244.1.1".to_string(),
                other => other.to_string(),
            };
            allows(&self.0, &ip(from), &ip(to), port, "TCP")
        }
    }

    #[test]
    fn without_a_policy_everything_passes_and_with_one_only_what_it_names() {
        let mut w = World::new();
        assert!(w.passes("visitor", "db", 8080));
        w.policy("deny", json!({ "podSelector": {}, "policyTypes": ["Ingress"] }));
        assert!(!w.passes("web", "db", 8080) && !w.passes("visitor", "web", 8080));
        assert!(w.passes("web", "visitor", 8080), "only ingress of shop is closed");
        assert!(w.passes("db", "db", 8080), "a pod reaches itself");
        // Policies add up.
        let from = json!([{ "podSelector": { "matchLabels": { "app": "web" } } }]);
        let selector = json!({ "matchLabels": { "app": "db" } });
        w.policy("db", json!({ "podSelector": selector, "policyTypes": ["Ingress"], "ingress": [{ "from": from }] }));
        assert!(w.passes("web", "db", 8080) && !w.passes("visitor", "db", 8080) && !w.passes("db", "web", 8080));
        w.policy("all", json!({ "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}] }));
        assert!(w.passes("visitor", "web", 1));
    }

    #[test]
    fn namespaces_and_pods_in_one_peer_are_and_in_two_are_or() {
        let street = json!({ "matchLabels": { "kubernetes.io/metadata.name": "street" } });
        let nobody = json!({ "matchLabels": { "app": "nobody" } });
        let both = json!([{ "namespaceSelector": street, "podSelector": nobody }]);
        let either = json!([{ "namespaceSelector": street }, { "podSelector": nobody }]);
        for (from, visitor) in [(both, false), (either, true)] {
            let mut w = World::new();
            w.policy("p", json!({ "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{ "from": from }] }));
            assert_eq!(w.passes("visitor", "web", 80), visitor);
            assert!(!w.passes("db", "web", 80), "a pod selector alone is of the policy's own namespace");
        }
    }

    #[test]
    fn blocks_and_ports() {
        let mut w = World::new();
        let from = json!([{ "ipBlock": { "cidr": "172.17.0.0/16", "except": ["172.17.1.0/24"] } }]);
        let ports = json!([{ "protocol": "TCP", "port": "http" }, { "port": 32000, "endPort": 32768 },
                           { "protocol": "UDP", "port": 53 }]);
        w.policy(
            "p",
            json!({ "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{ "from": from, "ports": ports }] }),
        );
        assert!(w.passes("172.17.0.9", "web", 8080) && !w.passes("172.17.1.9", "web", 8080));
        assert!(!w.passes("172.18.0.9", "web", 8080));
        assert!(w.passes("172.17.0.9", "web", 32000) && w.passes("172.17.0.9", "web", 32768));
        assert!(!w.passes("172.17.0.9", "web", 32769) && !w.passes("172.17.0.9", "web", 80));
        assert!(!w.passes("172.17.0.9", "web", 53), "that is of another protocol");
    }

    #[test]
    fn egress_and_names() {
        let mut w = World::new();
        w.policy("deny", json!({ "podSelector": {}, "policyTypes": ["Egress"] }));
        assert!(!w.passes("web", "db", 80) && !w.passes("web", "8.8.8.8", 80) && w.passes("visitor", "db", 80));
        assert!(!allows_dns(&w.0, "10.244.0.1"), "nobody is asked for names either");
        let to = json!([{ "namespaceSelector": {}, "podSelector": { "matchLabels": { "k8s-app": "kube-dns" } } }]);
        let ports = json!([{ "protocol": "UDP", "port": 53 }]);
        w.policy(
            "dns",
            json!({ "podSelector": {}, "policyTypes": ["Egress"], "egress": [{ "to": to, "ports": ports }] }),
        );
        assert!(allows_dns(&w.0, "10.244.0.1") && !w.passes("web", "db", 80));
        // Both ends have to agree.
        w.policy("out", json!({ "podSelector": {}, "policyTypes": ["Egress"], "egress": [{}] }));
        assert!(w.passes("web", "db", 80));
        w.policy("in", json!({ "podSelector": { "matchLabels": { "app": "db" } }, "policyTypes": ["Ingress"] }));
        assert!(!w.passes("web", "db", 80));
    }
}
