//! The address that an endpoint sees a Service's client by. Models what `pkg/proxy/iptables/proxier.go` marks for
//! masquerading (`KUBE-MARK-MASQ`), and what the kernel's `MASQUERADE` then does.

use crate::net::{Client, node_at};
use crate::policy::pod_at;
use k8s_openapi::api::core::v1::Node;
use meta::Key;
use reconcile::View;
use reconcile::services::{Endpoint, Rule};
use std::net::Ipv4Addr;

/// How `to` sees a client that came to the rule by the address `ip` (anything but an address of the Service: by a node's).
pub fn seen(view: &View, client: &Client, rule: &Rule, ip: &str, to: &Endpoint) -> String {
    let is_pod = pod_at(view, client.ip).is_some();
    // An answer that went to the client's own address would never leave its pod.
    let hairpin = client.ip == to.ip;
    let masked = hairpin
        || match (rule.cluster_ip == ip, rule.external_local) {
            (true, _) => !is_pod,
            (false, false) => true,
            (false, true) => !is_pod && node_at(view, client.ip).is_some(),
        };
    let own = || client.ip.to_string();
    if masked { mask(view, client.node, to).unwrap_or_else(own) } else { own() }
}

/// The address of the interface by which a node sends to an endpoint: its pods' bridge, or its own. `None` stands for the
/// first node.
fn mask(view: &View, node: Option<&str>, to: &Endpoint) -> Option<String> {
    let node = match node {
        Some(name) => view.get::<Node>(&Key::from(name)),
        None => view.list::<Node>().next(),
    }?;
    let addresses = node.status.as_ref()?.addresses.as_deref()?;
    let own = &addresses.iter().find(|a| a.type_ == "InternalIP")?.address;
    let here = node.metadata.name.as_deref() == Some(to.node.as_str()) && *own != to.ip;
    Some(bridge(node).filter(|_| here).unwrap_or_else(|| own.clone()))
}

/// The address of the bridge that a node's pods hang on: the first of their block.
pub fn bridge(node: &Node) -> Option<String> {
    let cidr = node.spec.as_ref()?.pod_cidr.as_deref()?;
    let network: Ipv4Addr = cidr.split('/').next()?.parse().ok()?;
    Some(Ipv4Addr::from(u32::from(network).wrapping_add(1)).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{put, world};
    use serde_json::json;

    #[test]
    fn clients_keep_their_address_but_where_the_way_back_needs_the_node() {
        let mut view = world();
        for (name, ip, cidr) in [("a", "172.18.0.3", "10.244.0.0/24"), ("b", "172.18.0.4", "10.244.1.0/24")] {
            put(
                &mut view,
                json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name }, "spec": { "podCIDR": cidr },
                "status": { "addresses": [{ "type": "InternalIP", "address": ip }] } }),
            );
        }
        let mut rule = view.services.find("10.96.0.7", 80).expect("web").clone();
        let to = rule.endpoints[0].clone();
        assert_eq!((to.ip.as_str(), to.node.as_str()), ("10.244.0.1", "a"));
        let client = |ip, node| Client { ip, node, ..Client::default() };
        let visitor = client("10.244.1.1", Some("b"));
        assert_eq!(seen(&view, &visitor, &rule, "10.96.0.7", &to), "10.244.1.1");
        let itself = client("10.244.0.1", Some("a"));
        assert_eq!(seen(&view, &itself, &rule, "10.96.0.7", &to), "10.244.0.1", "the bridge of its node");
        let host = client("172.18.0.4", Some("b"));
        assert_eq!(seen(&view, &host, &rule, "10.96.0.7", &to), "172.18.0.4");
        let outside = |node| client("198.51.100.79", node);
        assert_eq!(seen(&view, &outside(Some("b")), &rule, "*", &to), "172.18.0.4");
        assert_eq!(seen(&view, &outside(Some("a")), &rule, "*", &to), "10.244.0.1");
        assert_eq!(seen(&view, &outside(None), &rule, "*", &to), "10.244.0.1");
        assert_eq!(seen(&view, &visitor, &rule, "172.18.0.4", &to), "172.18.0.4");
        rule.external_local = true;
        assert_eq!(seen(&view, &outside(Some("a")), &rule, "*", &to), "198.51.100.79");
        assert_eq!(seen(&view, &visitor, &rule, "172.18.0.3", &to), "10.244.1.1");
        assert_eq!(seen(&view, &host, &rule, "172.18.0.3", &to), "172.18.0.4");
    }
}
