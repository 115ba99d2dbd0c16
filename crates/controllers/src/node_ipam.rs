//! node-ipam-controller: a range of pod addresses for every node. Models `pkg/controller/nodeipam/ipam`
//! (`RangeAllocator`).

use crate::owner::watch_self;
use api::Registered;
use k8s_openapi::api::core::v1::Node;
use meta::{Key, User};
use reconcile::{Controller, Cx, EventType, Intent, Outcome, Watch};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use trace::note;

/// The cluster CIDR is 10.128.0.0/9, a /24 per node, 32768 in all. Addresses are handed out from the familiar
/// 10.244.0.0 (kubeadm with flannel) up to 10.255.255.0; only a cluster of more than 3072 nodes goes on at
/// 10.128.0.0. The Service CIDR, 10.96.0.0/12, lies outside.
const FIRST_BLOCK: u32 = 12 * 256;
const ALL: u32 = 128 * 256;

#[derive(Clone, Default)]
pub struct NodeIpam {
    /// Rebuilt from the nodes when the process starts.
    taken: BTreeMap<Key, u32>,
    used: BTreeSet<u32>,
    listed: bool,
    /// Ranges are reused late: the search goes on after the last one given.
    next: u32,
}

fn cidr(index: u32) -> String {
    let second = if index < FIRST_BLOCK { 244 + index / 256 } else { 128 + (index - FIRST_BLOCK) / 256 };
    format!("10.{second}.{}.0/24", index % 256)
}

fn index(cidr: &str) -> Option<u32> {
    let mut parts = cidr.strip_prefix("10.")?.strip_suffix(".0/24")?.split('.');
    let (second, third): (u32, u32) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    match second {
        244..=255 => Some((second - 244) * 256 + third),
        128..=243 => Some(FIRST_BLOCK + (second - 128) * 256 + third),
        _ => None,
    }
}

fn assigned(node: &Node) -> Option<&str> {
    node.spec.as_ref()?.pod_cidr.as_deref().filter(|c| !c.is_empty())
}

impl NodeIpam {
    fn occupy(&mut self, key: &Key, i: u32) {
        self.taken.insert(key.clone(), i);
        self.used.insert(i);
    }

    fn release(&mut self, key: &Key) {
        if let Some(i) = self.taken.remove(key) {
            self.used.remove(&i);
        }
    }

    fn list(&mut self, cx: &Cx) {
        if std::mem::replace(&mut self.listed, true) {
            return;
        }
        for n in cx.view.list::<Node>() {
            if let Some(i) = assigned(n).and_then(index) {
                self.occupy(&Key::new("", n.metadata.name.as_deref().unwrap_or("")), i);
            }
        }
    }

    fn free(&self) -> Option<u32> {
        (0..ALL).map(|d| (self.next + d) % ALL).find(|i| !self.used.contains(i))
    }
}

impl Controller for NodeIpam {
    const NAME: &'static str = "node-ipam-controller";
    const EVENT_SOURCE: &'static str = "cidrAllocator";

    fn user() -> User {
        User::controller("node-controller")
    }

    fn watches() -> Vec<Watch> {
        vec![watch_self(Node::KIND_REF)]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        self.list(cx);
        let Some(node) = cx.view.get::<Node>(key) else {
            self.release(key);
            return out;
        };
        if let Some(i) = assigned(node).map(index) {
            if let Some(i) = i {
                self.occupy(key, i);
            }
            return out;
        }
        // A write that was refused keeps its range for the next attempt.
        let Some(i) = self.taken.get(key).copied().or_else(|| self.free()) else {
            out.push(Intent::event(
                node,
                EventType::Normal,
                "CIDRNotAvailable",
                format!("Node {} status is now: CIDRNotAvailable", key.name()),
            ));
            return out;
        };
        self.occupy(key, i);
        self.next = (i + 1) % ALL;
        let range = cidr(i);
        if cx.recording {
            out.note(note!("node-ipam.assign", node = key.name(), cidr = &range));
        }
        let patch = json!({ "spec": { "podCIDR": range, "podCIDRs": [range] } });
        out.push(Intent::patch(Node::KIND_REF, key.clone(), "", patch));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, FIRST_BLOCK, NodeIpam, cidr, index};
    use crate::testing::World;
    use serde_json::{Value, json};

    fn node(name: &str, cidr: Option<&str>) -> Value {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {"podCIDR": cidr}})
    }

    #[test]
    fn ranges_in_order() {
        assert_eq!(cidr(0), "10.244.0.0/24");
        assert_eq!(cidr(FIRST_BLOCK - 1), "10.255.255.0/24");
        assert_eq!(cidr(FIRST_BLOCK), "10.128.0.0/24");
        assert_eq!(cidr(ALL - 1), "10.243.255.0/24");
        assert!((0..ALL).all(|i| index(&cidr(i)) == Some(i)));
    }

    #[test]
    fn each_node_gets_its_own_and_a_restart_respects_them() {
        let mut w = World::<NodeIpam>::new([node("a", Some("10.244.0.0/24")), node("b", None), node("c", None)]);
        assert!(
            w.run("b").contains(r#"patch nodes b  {"spec":{"podCIDR":"10.244.1.0/24","podCIDRs":["10.244.1.0/24"]}}"#)
        );
        assert!(w.run("c").contains("10.244.2.0/24"));
        assert!(w.run("b").contains("10.244.1.0/24"), "the same again when the write did not get through");
        assert_eq!(w.run("a"), "");
        w.delete("v1", "Node", "a");
        w.run("a");
        w.put(node("d", None));
        assert!(w.run("d").contains("10.244.3.0/24"), "a freed range is not given away at once");
    }
}
