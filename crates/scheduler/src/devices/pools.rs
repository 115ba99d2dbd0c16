//! The pools that a node can reach. Models `structured/internal/incubating/pools_incubating.go`.

use super::Devices;
use crate::plugins::node_selector::Terms;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::resource::v1::ResourceSlice;
use std::collections::BTreeSet;

pub struct Pool<'a> {
    pub driver: &'a str,
    pub name: &'a str,
    /// Not all slices are there yet.
    pub incomplete: bool,
    /// Devices of the same name.
    pub invalid: bool,
    pub slices: Vec<&'a ResourceSlice>,
}

fn reaches(slice: &ResourceSlice, node: &Node) -> bool {
    let spec = &slice.spec;
    match spec.node_name.as_deref().filter(|n| !n.is_empty()) {
        Some(name) => node.metadata.name.as_deref() == Some(name),
        None if spec.all_nodes == Some(true) => true,
        None => spec.node_selector.as_ref().is_some_and(|s| Terms::new(s).matches(node)),
    }
}

/// In the order of the slices' names; upstream's is that of a Go map.
pub fn gather<'a>(devices: &'a Devices, node: &Node) -> Vec<Pool<'a>> {
    let mut pools: Vec<Pool> = Vec::new();
    for slice in devices.slices() {
        let spec = &slice.spec;
        // Partitionable devices are behind a gate that is off.
        let partitioned =
            spec.per_device_node_selection.is_some() || spec.shared_counters.as_ref().is_some_and(|c| !c.is_empty());
        if partitioned || !reaches(slice, node) {
            continue;
        }
        let same = |p: &&mut Pool| p.driver == spec.driver && p.name == spec.pool.name;
        let Some(pool) = pools.iter_mut().find(same) else {
            let (driver, name) = (spec.driver.as_str(), spec.pool.name.as_str());
            pools.push(Pool { driver, name, incomplete: false, invalid: false, slices: vec![slice] });
            continue;
        };
        let generation = pool.slices[0].spec.pool.generation;
        if spec.pool.generation > generation {
            pool.slices.clear();
        }
        if spec.pool.generation >= generation {
            pool.slices.push(slice);
        }
    }
    pools.retain_mut(|pool| {
        let first = &pool.slices[0].spec.pool;
        if pool.slices.len() as i64 != first.resource_slice_count {
            // Others of the pool may be for other nodes.
            let others = devices.slices().filter(|s| s.spec.driver == pool.driver && s.spec.pool.name == pool.name);
            let generations: Vec<i64> = others.map(|s| s.spec.pool.generation).collect();
            if generations.iter().any(|g| *g > first.generation) {
                return false;
            }
            let count = generations.iter().filter(|g| **g == first.generation).count();
            pool.incomplete = count as i64 != first.resource_slice_count;
        }
        let mut names = BTreeSet::new();
        let mut all = pool.slices.iter().flat_map(|s| s.spec.devices.iter().flatten());
        pool.invalid = !pool.incomplete && !all.all(|d| names.insert(&d.name));
        true
    });
    pools
}
