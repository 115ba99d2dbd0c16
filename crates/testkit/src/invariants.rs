//! What is true of every cluster at every moment.

use api::ObjectExt;
use cluster::Cluster;
use k8s_openapi::api::core::v1::{Node, Pod};
use meta::{Key, Quantity};
use std::collections::BTreeMap;

pub struct Watch {
    revision: u64,
    seq: u64,
}

impl Watch {
    pub fn new(c: &Cluster) -> Self {
        Watch { revision: c.revision(), seq: c.trace().last() }
    }

    /// # Errors
    /// Which invariant does not hold, and of what.
    pub fn check(&mut self, c: &Cluster) -> Result<(), String> {
        if c.revision() < self.revision || c.trace().last() < self.seq {
            return Err("revisions and trace numbers only grow".into());
        }
        if c.view().revision() != c.revision() {
            return Err(format!("the view is at {}, the store at {}", c.view().revision(), c.revision()));
        }
        permissions(c, self.seq)?;
        self.seq = c.trace().last();
        // Nothing was written: what held still holds.
        if c.revision() == self.revision {
            return Ok(());
        }
        self.revision = c.revision();
        nodes(c)?;
        objects(c)
    }
}

/// Every component may do what it tries to do.
fn permissions(c: &Cluster, seq: u64) -> Result<(), String> {
    for e in c.trace().since(seq).filter(|e| &*e.actor != "you") {
        if let trace::What::Request { code: 403, message, .. } = &e.what
            && message.contains(" cannot ")
        {
            return Err(format!("{}: {message}", e.actor));
        }
    }
    Ok(())
}

/// Requests within allocatable, and no two pods on one host port.
fn nodes(c: &Cluster) -> Result<(), String> {
    for node in c.view().list::<Node>() {
        let name = node.metadata.name.as_deref().unwrap_or("");
        let Some(allocatable) = node.status.as_ref().and_then(|s| s.allocatable.as_ref()) else { continue };
        let mut sums: BTreeMap<String, Quantity> = BTreeMap::new();
        let mut host_ports: BTreeMap<(String, i32), Key> = BTreeMap::new();
        for pod in c.view().pods_on_node(name).filter(|p| !api::pods::is_terminal(p)) {
            let key = (pod as &dyn api::Object).key();
            for (resource, q) in api::pods::requests(pod) {
                *sums.entry(resource).or_default() += q;
            }
            let containers = pod.spec.iter().flat_map(|s| &s.containers);
            for p in containers.flat_map(|x| x.ports.iter().flatten()) {
                if let Some(port) = p.host_port.filter(|p| *p > 0) {
                    let protocol = p.protocol.clone().unwrap_or_default();
                    if let Some(other) = host_ports.insert((protocol, port), key.clone()) {
                        return Err(format!("{key} and {other} share host port {port} on {name}"));
                    }
                }
            }
        }
        for (resource, sum) in sums {
            let room = allocatable.get(&resource).map_or(Quantity::ZERO, Quantity::of);
            if sum > room {
                return Err(format!("pods on {name} request {sum} of {resource}; allocatable is {room}"));
            }
        }
    }
    Ok(())
}

/// Every object has an identity, sits under its own key, and its namespace exists.
fn objects(c: &Cluster) -> Result<(), String> {
    for kind in api::KINDS {
        for o in c.view().list_obj(kind) {
            let m = o.meta();
            if m.uid.is_none() || m.creation_timestamp.is_none() || m.resource_version.is_none() {
                return Err(format!("{} {} lacks uid, creationTimestamp or resourceVersion", kind.kind, o.key()));
            }
            if kind.namespaced() == o.namespace().is_empty() {
                return Err(format!("{} {} has the wrong scope", kind.kind, o.key()));
            }
            let namespace = Key::from(o.namespace());
            if kind.namespaced() && c.view().get_obj(&api::kinds::namespace::KIND, &namespace).is_none() {
                return Err(format!("{} {} is in a namespace that does not exist", kind.kind, o.key()));
            }
        }
    }
    let pods = c.view().list::<Pod>();
    for pod in pods {
        let key = (pod as &dyn api::Object).key();
        let ready = api::pods::is_ready(pod);
        let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or("");
        if ready && phase != "Running" {
            return Err(format!("pod {key} is Ready in phase {phase:?}"));
        }
    }
    Ok(())
}
