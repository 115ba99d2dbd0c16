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
use std::borrow::Cow;
use std::net::Ipv4Addr;

/// The address of cluster DNS.
pub const DNS_ADDRESS: &str = "10.96.0.10";
/// The address of the machine of the control plane, where the ingress controller runs, too.
pub const CONTROL_PLANE_ADDRESS: &str = "172.18.0.2";
/// The address by which the nodes' network sees who comes from the machine that it is on.
pub const HOST_ADDRESS: &str = "172.18.0.1";

/// Pods of the system that are no objects here: their address, their namespace, and their labels.
type SystemPod = (&'static str, &'static str, &'static [(&'static str, &'static str)]);
const SYSTEM_PODS: &[SystemPod] = &[
    (DNS_ADDRESS, "kube-system", &[("k8s-app", "kube-dns")]),
    (
        CONTROL_PLANE_ADDRESS,
        "ingress-nginx",
        &[
            ("app.kubernetes.io/component", "controller"),
            ("app.kubernetes.io/instance", "ingress-nginx"),
            ("app.kubernetes.io/name", "ingress-nginx"),
        ],
    ),
];

/// One end of a connection.
struct End<'a> {
    ip: &'a str,
    /// `None`: outside the cluster, or a node.
    namespace: Option<&'a str>,
    labels: Option<Cow<'a, Labels>>,
    pod: Option<&'a Pod>,
}

/// What a connection is to.
#[derive(Clone, Copy)]
struct Port<'a> {
    number: u16,
    protocol: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Egress,
    Ingress,
}

impl Direction {
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Egress => "Egress",
            Direction::Ingress => "Ingress",
        }
    }
}

/// What the policies of one end say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// The end is no pod, or no policy selects it.
    Open,
    /// A policy's rule, counted from 0, lets the connection through.
    Allowed { policy: Key, rule: usize },
    /// These select the pod, and no rule of theirs lets it through.
    Denied { policies: Vec<Key> },
}

/// What the policies of both ends say of a connection, in the order in which they are asked: those of the destination are
/// not when the source's refuse.
pub fn verdict(view: &View, from: &str, to: &str, port: u16, protocol: &str) -> Vec<(Direction, Ruling)> {
    if view.count(&api::kinds::networkpolicy::KIND) == 0 || from == to {
        // What a pod sends to itself always gets there.
        return vec![(Direction::Egress, Ruling::Open), (Direction::Ingress, Ruling::Open)];
    }
    let (from, to) = (end(view, from), end(view, to));
    let port = Port { number: port, protocol };
    let out = |p: &NetworkPolicy| {
        let rules = p.spec.iter().flat_map(|s| s.egress.iter().flatten());
        let mut all = rules.map(|r| (r.to.as_deref(), r.ports.as_deref()));
        all.position(|(peers, ports)| rule_allows(view, p, peers, ports, &to, &to, port))
    };
    let into = |p: &NetworkPolicy| {
        let rules = p.spec.iter().flat_map(|s| s.ingress.iter().flatten());
        let mut all = rules.map(|r| (r.from.as_deref(), r.ports.as_deref()));
        all.position(|(peers, ports)| rule_allows(view, p, peers, ports, &from, &to, port))
    };
    let egress = ruling(view, &from, Direction::Egress, out);
    let mut all = vec![(Direction::Egress, egress)];
    if !matches!(all[0].1, Ruling::Denied { .. }) {
        all.push((Direction::Ingress, ruling(view, &to, Direction::Ingress, into)));
    }
    all
}

/// Whether policies let a connection from one address to another through; answers always get there.
pub fn allows(view: &View, from: &str, to: &str, port: u16, protocol: &str) -> bool {
    !verdict(view, from, to, port, protocol).iter().any(|(_, r)| matches!(r, Ruling::Denied { .. }))
}

/// The pod that has an address of its own.
pub fn pod_at<'a>(view: &'a View, ip: &str) -> Option<&'a Pod> {
    view.pods_with_ip(ip).find(|p| {
        let host_network = p.spec.as_ref().and_then(|s| s.host_network) == Some(true);
        !host_network && !api::pods::is_terminal(p)
    })
}

fn end<'a>(view: &'a View, ip: &'a str) -> End<'a> {
    if let Some(p) = pod_at(view, ip) {
        let labels = p.metadata.labels.as_ref().map(Cow::Borrowed);
        return End { ip, namespace: p.metadata.namespace.as_deref(), labels, pod: Some(p) };
    }
    let Some((_, namespace, labels)) = SYSTEM_PODS.iter().find(|(address, ..)| *address == ip) else {
        return End { ip, namespace: None, labels: None, pod: None };
    };
    let labels = labels.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())).collect();
    End { ip, namespace: Some(namespace), labels: Some(Cow::Owned(labels)), pod: None }
}

impl End<'_> {
    fn matches(&self, selector: &Selector) -> bool {
        selector.matches(self.labels.as_deref())
    }
}

fn selector(s: &LabelSelector) -> Selector {
    Selector::from_api(Some(s)).unwrap_or(Selector::Nothing)
}

/// Nobody's policy: everything may pass. Otherwise one of them has to let it; `rule` says by which of its rules.
fn ruling(view: &View, subject: &End, direction: Direction, rule: impl Fn(&NetworkPolicy) -> Option<usize>) -> Ruling {
    let Some(namespace) = subject.namespace else { return Ruling::Open };
    let applies = |p: &&NetworkPolicy| {
        let Some(spec) = &p.spec else { return false };
        let types = spec.policy_types.as_deref().unwrap_or_default();
        let of_pods = spec.pod_selector.as_ref().map_or_else(Selector::everything, selector);
        types.iter().any(|t| t == direction.as_str()) && subject.matches(&of_pods)
    };
    let mut policies = Vec::new();
    for policy in view.list_in::<NetworkPolicy>(namespace).filter(applies) {
        let key = Key::new(namespace, policy.metadata.name.as_deref().unwrap_or(""));
        if let Some(rule) = rule(policy) {
            return Ruling::Allowed { policy: key, rule };
        }
        policies.push(key);
    }
    if policies.is_empty() { Ruling::Open } else { Ruling::Denied { policies } }
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

/// Whether an address is in a block, or is the one that stands there alone. The simulated network has IPv4 only.
pub fn contains(cidr: &str, ip: &str) -> bool {
    let parsed = || {
        let (base, bits) = cidr.split_once('/').unwrap_or((cidr, "32"));
        let (base, bits, ip): (Ipv4Addr, u32, Ipv4Addr) = (base.parse().ok()?, bits.parse().ok()?, ip.parse().ok()?);
        let mask = u32::MAX.checked_shl(32_u32.checked_sub(bits)?).unwrap_or(0);
        Some(u32::from(base) & mask == u32::from(ip) & mask)
    };
    parsed().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::{DNS_ADDRESS, Direction, Ruling, allows, verdict};
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

    /// Whether `web` may ask cluster DNS.
    fn asks(w: &World) -> bool {
        allows(&w.0, "10.244.0.1", DNS_ADDRESS, 53, "UDP")
    }

    #[test]
    fn a_verdict_names_the_policy_and_its_rule() {
        let mut w = World::new();
        let ask = |w: &World| verdict(&w.0, "10.244.0.1", "10.244.0.2", 80, "TCP");
        assert_eq!(ask(&w), [(Direction::Egress, Ruling::Open), (Direction::Ingress, Ruling::Open)]);
        let db = json!({ "matchLabels": { "app": "db" } });
        w.policy("closed", json!({ "podSelector": db, "policyTypes": ["Ingress"] }));
        let policies = vec!["shop/closed".into()];
        assert_eq!(ask(&w)[1], (Direction::Ingress, Ruling::Denied { policies }));
        let rules = json!([{ "from": [{ "namespaceSelector": { "matchLabels": { "a": "b" } } }] }, { "ports": [{ "port": 80 }] }]);
        w.policy("open", json!({ "podSelector": {}, "policyTypes": ["Ingress"], "ingress": rules }));
        assert_eq!(ask(&w)[1], (Direction::Ingress, Ruling::Allowed { policy: "shop/open".into(), rule: 1 }));
        w.policy("no-way-out", json!({ "podSelector": {}, "policyTypes": ["Egress"] }));
        assert_eq!(ask(&w).len(), 1, "who may not send is not asked any further");
    }

    #[test]
    fn the_ingress_controller_has_a_namespace_and_labels() {
        let mut w = World::new();
        let labels = json!({ "kubernetes.io/metadata.name": "ingress-nginx" });
        w.put(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "ingress-nginx", "labels": labels } }));
        w.policy("closed", json!({ "podSelector": {}, "policyTypes": ["Ingress"] }));
        assert!(!w.passes(super::CONTROL_PLANE_ADDRESS, "web", 80));
        let from = json!([{ "namespaceSelector": { "matchLabels": labels } }]);
        w.policy("nginx", json!({ "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{ "from": from }] }));
        assert!(w.passes(super::CONTROL_PLANE_ADDRESS, "web", 80) && !w.passes("db", "web", 80));
    }

    #[test]
    fn egress_and_names() {
        let mut w = World::new();
        w.policy("deny", json!({ "podSelector": {}, "policyTypes": ["Egress"] }));
        assert!(!w.passes("web", "db", 80) && !w.passes("web", "8.8.8.8", 80) && w.passes("visitor", "db", 80));
        assert!(!asks(&w), "nobody is asked for names either");
        let to = json!([{ "namespaceSelector": {}, "podSelector": { "matchLabels": { "k8s-app": "kube-dns" } } }]);
        let ports = json!([{ "protocol": "UDP", "port": 53 }]);
        w.policy(
            "dns",
            json!({ "podSelector": {}, "policyTypes": ["Egress"], "egress": [{ "to": to, "ports": ports }] }),
        );
        assert!(asks(&w) && !w.passes("web", "db", 80));
        // Both ends have to agree.
        w.policy("out", json!({ "podSelector": {}, "policyTypes": ["Egress"], "egress": [{}] }));
        assert!(w.passes("web", "db", 80));
        w.policy("in", json!({ "podSelector": { "matchLabels": { "app": "db" } }, "policyTypes": ["Ingress"] }));
        assert!(!w.passes("web", "db", 80));
    }
}
