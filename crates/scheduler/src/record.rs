//! What is written down of a cycle.

use crate::cycle::Decision;
use crate::framework::run::Told;
use crate::framework::{NodeStatuses, PodInfo, Run, Status};
use std::collections::BTreeSet;
use std::sync::Arc;
use trace::cycle::{FilterRecord, Filters, NodeRecord, PodRef, PreFilterRecord};
use trace::{Cycle, Digest};

/// A cycle's record under way.
#[derive(Default)]
pub struct Record {
    pub cycle: Cycle,
    /// Whether the table is written too. It is as large as the cluster, so a live cycle leaves it out: whoever asks for it
    /// takes the cycle again, with the same inputs.
    table: bool,
    /// Over what the table is made of: the same with and without it.
    pub(crate) digest: Digest,
}

impl Record {
    /// What came of the cycle, and no table.
    pub fn outcome(attempt: u32) -> Self {
        Record { cycle: Cycle { attempt, ..Cycle::default() }, ..Record::default() }
    }
    /// Everything.
    pub fn whole(attempt: u32) -> Self {
        Record { table: true, ..Record::outcome(attempt) }
    }
    /// The cycle, when its table is written.
    pub(crate) fn table(&mut self) -> Option<&mut Cycle> {
        self.table.then_some(&mut self.cycle)
    }
    pub(crate) fn pre_filter(&mut self) -> Option<&mut Vec<PreFilterRecord>> {
        self.table().map(|c| &mut c.pre_filter)
    }
    pub fn digest(&self) -> u64 {
        self.digest.value()
    }

    /// What the filters said. That the other nodes that were looked at passed follows from it.
    pub(crate) fn note_filters(&mut self, run: &Run, start: usize, looked_at: usize, statuses: &NodeStatuses) {
        let digest = &mut self.digest;
        run.filter_names().into_iter().for_each(|name| digest.text(name));
        [start, looked_at, statuses.explicit.len()].into_iter().for_each(|n| digest.word(n as u64));
        note_status(digest, &statuses.absent);
        let mut before = &statuses.absent;
        for (node, status) in &statuses.explicit {
            digest.word(*node as u64);
            if status != before {
                note_status(digest, status);
                before = status;
            }
        }
    }
}

fn note_status(digest: &mut Digest, status: &Status) {
    digest.word(status.code.verdict() as u64);
    digest.text(status.plugin);
    status.reasons.as_slice().iter().for_each(|reason| digest.text(reason));
}

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
