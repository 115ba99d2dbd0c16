//! A cycle as data: the parts of the record that are not written on the way.

use crate::cycle::Decision;
use crate::framework::run::Told;
use crate::framework::{PodInfo, Run, Status};
use std::collections::BTreeSet;
use std::sync::Arc;
use trace::Cycle;
use trace::cycle::{FilterRecord, Filters, NodeRecord, PodRef};

/// Adds what the filters say of the nodes that were not visited. Those that PreFilter left out get the status they
/// have in upstream's NodeToStatus.
pub(crate) fn the_rest(run: &Run, absent: &Status, c: &mut Cycle) {
    let (plugin, verdict) = (absent.plugin.to_string(), absent.code.verdict());
    let left_out: Filters = vec![FilterRecord { plugin, verdict, reasons: absent.reasons_owned() }].into();
    let mut told = Told::default();
    let seen: BTreeSet<String> = c.nodes.iter().map(|n| n.name.clone()).collect();
    for node in run.h.snapshot.nodes.iter().filter(|n| !seen.contains(&*n.name)) {
        let filters = if run.only.as_ref().is_some_and(|only| !only.contains(&*node.name)) {
            left_out.clone()
        } else {
            run.said(&run.filter_with_nominated(&run.state, node), &mut told)
        };
        c.nodes.push(NodeRecord { name: node.name.to_string(), filters, ..NodeRecord::default() });
    }
}

pub(crate) fn pod_refs(pods: &[Arc<PodInfo>]) -> Vec<PodRef> {
    pods.iter().map(|p| PodRef { namespace: p.namespace().into(), name: p.name().into() }).collect()
}

pub(crate) fn decision_of(c: &mut Cycle, decision: &Decision) {
    match decision {
        Ok(node) => c.node = Some(node.to_string()),
        Err(failure) => {
            c.message = failure.message.clone();
            c.nominated_node = failure.nominate.clone().filter(|n| !n.is_empty());
            c.victims = pod_refs(&failure.victims);
        }
    }
}
