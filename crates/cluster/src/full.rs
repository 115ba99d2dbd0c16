//! Disks that are full: a node's own, or the volume of a claim.

use crate::Cluster;
use crate::machines::kubelet_name;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kubelet::Kubelet;
use kubelet::runtime::Full;
use meta::Key;

impl Cluster {
    /// A node's own disk is full, or has room again. False: there is no such machine, or it is so already.
    pub fn fill_disk(&mut self, node: &str, on: bool) -> bool {
        if !self.machines.contains_key(node) || self.is_full(node) == on {
            return false;
        }
        self.action(if on { "fill-disk" } else { "free-disk" }, node);
        let _ = if on { self.full_disks.insert(node.into()) } else { self.full_disks.remove(node) };
        self.tell_full(node);
        true
    }
    pub fn is_full(&self, node: &str) -> bool {
        self.full_disks.contains(node)
    }

    /// The same of the volume of a claim, `namespace/name`. False: it has none.
    pub fn fill_volume(&mut self, claim: &str, on: bool) -> bool {
        if self.full_volumes.contains(claim) == on || (on && self.volume_of(claim).is_none()) {
            return false;
        }
        self.action(if on { "fill-volume" } else { "free-volume" }, claim);
        let _ = if on { self.full_volumes.insert(claim.into()) } else { self.full_volumes.remove(claim) };
        let nodes: Vec<String> = self.machines.keys().cloned().collect();
        for node in nodes {
            self.tell_full(&node);
        }
        true
    }
    /// The claims whose volumes are full.
    pub fn full_volumes(&self) -> impl Iterator<Item = &String> {
        self.full_volumes.iter()
    }

    fn volume_of(&self, claim: &str) -> Option<&PersistentVolume> {
        let claim = self.view.get::<PersistentVolumeClaim>(&Key::from(claim))?;
        self.view.get(&Key::from(claim.spec.as_ref()?.volume_name.as_deref()?))
    }

    pub(crate) fn full_places(&self, node: &str) -> Full {
        let mut full = Full { node: self.is_full(node), ..Full::default() };
        for claim in &self.full_volumes {
            let Some(spec) = self.volume_of(claim).and_then(|v| v.spec.as_ref()) else { continue };
            full.dirs.extend(spec.host_path.iter().map(|h| h.path.clone()));
            full.dirs.extend(spec.local.iter().map(|l| l.path.clone()));
            full.disks.extend(spec.csi.iter().map(|c| c.volume_handle.clone()));
        }
        full
    }

    fn tell_full(&mut self, node: &str) {
        let full = self.full_places(node);
        self.with_component(&kubelet_name(node), |k: &mut Kubelet| k.fill(full));
    }
}
