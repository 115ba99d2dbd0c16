//! Rolling updates: first away with the old pod, or first the new one (surge). Models `pkg/controller/daemon/update.go`.

use super::{Sync, name, nodes};
use crate::deployment::scaled;
use k8s_openapi::api::apps::v1::RollingUpdateDaemonSet;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

impl<'a> Sync<'a> {
    fn rolling(&self) -> RollingUpdateDaemonSet {
        let strategy = self.spec.update_strategy.as_ref();
        strategy
            .filter(|s| s.type_.as_deref() != Some("OnDelete"))
            .and_then(|s| s.rolling_update.clone())
            .unwrap_or_default()
    }

    /// Whether two pods may share a node at all.
    pub fn max_surge(&self) -> i32 {
        let surge = self.rolling().max_surge;
        surge.map_or(0, |s| scaled(Some(&s), i32::try_from(self.nodes.len()).unwrap_or(i32::MAX), true))
    }

    /// Models `rollingUpdate`.
    pub fn roll_out(&mut self) {
        let wanted: Vec<&'a str> =
            self.nodes.iter().filter(|n| nodes::should_run(self.ds, n).0).map(|n| name(&n.metadata)).collect();
        let desired = i32::try_from(wanted.len()).unwrap_or(i32::MAX);
        let r = self.rolling();
        let at_most = |v: Option<&IntOrString>| v.map_or(0, |v| scaled(Some(v), desired, true));
        let surge = at_most(r.max_surge.as_ref());
        let unavailable = at_most(r.max_unavailable.as_ref());
        // A rollout that could neither add nor remove a pod takes one away.
        let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
        let limit = |n: i32| usize::try_from(n).unwrap_or(0);
        if surge == 0 { self.replace(&wanted, limit(unavailable)) } else { self.surge(&wanted, limit(surge)) }
    }

    /// The updated and the old pod of a node; `None`: there are more, which is put in order first.
    fn new_and_old(&self, node: &str) -> Option<(Option<&'a Pod>, Option<&'a Pod>)> {
        let (mut new, mut old) = (None, None);
        for p in self.on_node.get(node).into_iter().flatten().filter(|p| p.metadata.deletion_timestamp.is_none()) {
            let place = if self.is_updated(p) { &mut new } else { &mut old };
            if place.replace(*p).is_some() {
                return None;
            }
        }
        Some((new, old))
    }

    fn replace(&mut self, wanted: &[&str], most: usize) {
        let (mut unavailable, mut at_once, mut candidates) = (0, Vec::new(), Vec::new());
        for node in wanted {
            match self.new_and_old(node) {
                Some((Some(new), None)) => unavailable += usize::from(!self.is_available(new)),
                Some((None, Some(old))) if self.is_available(old) => candidates.push(old),
                // It is not available anyway.
                Some((None, Some(old))) => {
                    at_once.push(old);
                    unavailable += 1;
                }
                _ => unavailable += 1,
            }
        }
        self.delete.extend(at_once);
        self.delete.extend(candidates.into_iter().take(most.saturating_sub(unavailable)));
    }

    fn surge(&mut self, wanted: &[&'a str], most: usize) {
        let (mut surging, mut at_once, mut candidates) = (0, Vec::new(), Vec::new());
        for node in wanted {
            match self.new_and_old(node) {
                None => surging += 1,
                Some((_, None)) => {}
                Some((None, Some(old))) if self.is_available(old) => candidates.push(*node),
                Some((None, Some(_))) => at_once.push(*node),
                Some((Some(new), Some(_))) if !self.is_available(new) => surging += 1,
                Some((Some(_), Some(old))) => self.delete.push(old),
            }
        }
        self.create.extend(at_once);
        self.create.extend(candidates.into_iter().take(most.saturating_sub(surging)));
    }
}
