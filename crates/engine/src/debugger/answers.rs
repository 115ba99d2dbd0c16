//! Which question is answered where.

use super::errand::Errand;
use super::opened::{Opened, Whose};
use super::view::{Mask, cycle_view};
use super::{Debugger, WHATIF_BASE, config, history, refused};
use crate::detail::queue_entry;
use crate::diagnosis::Examination;
use cluster::Cluster;
use k8s_openapi::api::core::v1::Pod;
use meta::Key;
use protocol::CycleView;
use protocol::debug::{Answer, Debug, Point, Queue, RowsQuery};
use scheduler::{Kept, Moment, Scheduler};
use std::sync::Arc;
use trace::What;
use trace::cycle::PodRef;
use trace::explain::Cell;

/// Queue rows in one answer.
const QUEUE_ROWS_MAX: usize = 500;

/// The scheduler as it stands: in the middle of a cycle, when one is held.
pub fn scheduler(cluster: &Cluster) -> Option<&Scheduler> {
    match cluster.held() {
        Some(held) => Some(&held.scheduler),
        None => cluster.component("kube-scheduler"),
    }
}

/// The answer of an errand for somebody who waits for it.
fn at_once(cluster: &Cluster, errand: Result<Errand, String>) -> Answer {
    match errand {
        Ok(mut errand) => loop {
            if let Some(answer) = errand.run(cluster, || false) {
                return answer;
            }
        },
        Err(why) => refused(why),
    }
}

impl Debugger {
    /// Answers a question, or does what was asked.
    pub fn ask(&mut self, cluster: &mut Cluster, ask: Debug) -> Answer {
        self.sync(cluster);
        match ask {
            Debug::Breakpoints { breakpoints } => self.set_breakpoints(cluster, breakpoints),
            Debug::Hold { pod, quiz, off } => self.hold(cluster, pod, quiz, off),
            Debug::Move { to } => self.move_on(cluster, to),
            Debug::Pick { node } => self.pick(&node),
            Debug::Rows(q) => self.rows(cluster, &q),
            Debug::Cycle { cycle } => match self.cycle(cluster, cycle) {
                Ok(opened) => match self.held.as_ref().filter(|h| h.seq == cycle) {
                    Some(h) => {
                        let mask = self.mask(h, None);
                        Answer::Cycle { view: Box::new(cycle_view(cycle, opened.time, &opened.cycle, mask)) }
                    }
                    None => Answer::Cycle { view: Box::new(opened.view()) },
                },
                Err(e) => refused(e),
            },
            Debug::Cell { cycle, node, plugin, point } => match self.cell(cluster, cycle, &node, &plugin, point) {
                Ok(cell) => Answer::Cell { cell },
                Err(e) => refused(e),
            },
            Debug::History { namespace, name } => Answer::History(history::of(cluster, &namespace, &name)),
            Debug::Queue { queue, offset, limit } => queue_rows(cluster, queue, offset, limit),
            Debug::WhyNot { namespace, name, node, cycle } => {
                if self.hides(cycle, &namespace, &name) {
                    return refused("the decision is hidden until a node is picked");
                }
                match self.moment(cluster, cycle, &namespace, &name).and_then(|m| m.why_not(&node)) {
                    Ok(mut why) => {
                        let key = Key::new(&namespace, &name);
                        let bound = cluster.view().get::<Pod>(&key).and_then(|p| p.spec.as_ref()?.node_name.clone());
                        if let Some(bound) = bound.filter(|_| cycle == 0) {
                            why.goes_to = bound;
                        }
                        Answer::WhyNot { why: Box::new(why) }
                    }
                    Err(e) => refused(e),
                }
            }
            Debug::Fixes { namespace, name } => at_once(cluster, self.find_fixes(cluster, &namespace, &name)),
            Debug::Remedies { namespace, name } => {
                at_once(cluster, Examination::new(cluster, &namespace, &name).map(|e| Errand::Remedies(Box::new(e))))
            }
            Debug::WhatIf { namespace, name, cycle, changes } => {
                if self.hides(cycle, &namespace, &name) {
                    return refused("the decision is hidden until a node is picked");
                }
                self.what_if(cluster, &namespace, &name, cycle, changes)
            }
            Debug::Differences { before, after, group, offset, limit } => {
                self.more_differences(cluster, (before, after), group, offset, limit)
            }
            Debug::Config => config::get(cluster),
            Debug::SetConfig { yaml } => config::set(cluster, &yaml),
        }
    }

    /// Whether telling would give a hidden decision away.
    pub(super) fn hides(&self, cycle: u64, namespace: &str, name: &str) -> bool {
        let about = |p: &PodRef| p.namespace == namespace && p.name == name;
        self.held.as_ref().is_some_and(|h| h.hidden && (h.seq == cycle || about(&h.calls.cycle.pod)))
    }

    /// A cycle by its number, with its table.
    pub(super) fn cycle(&self, cluster: &Cluster, seq: u64) -> Result<Arc<Opened>, String> {
        let entry = cluster.trace().get(seq).map(|e| (e.time, &e.what));
        let (time, whose) = if let Some(h) = self.held.as_ref().filter(|h| h.seq == seq) {
            (h.at, Whose::Known(h.calls.cycle.clone()))
        } else if let Some((_, m)) = self.whatifs.iter().find(|(n, _)| *n == seq) {
            (m.time, Whose::Known(m.cycle()))
        } else if let Some((time, What::Cycle { cycle })) = entry {
            (time, Whose::Recorded(cycle))
        } else {
            return Err(format!("there is no scheduling cycle {seq} (any more)"));
        };
        Ok(self.opened.open(seq, time.as_micros(), whose))
    }

    /// The view of a recorded cycle.
    pub(crate) fn recorded_view(&self, cluster: &Cluster, seq: u64) -> Option<CycleView> {
        self.cycle(cluster, seq).ok().map(|opened| opened.view())
    }

    fn rows(&self, cluster: &Cluster, q: &RowsQuery) -> Answer {
        let found = match self.cycle(cluster, q.cycle) {
            Ok(opened) => match self.held.as_ref().filter(|h| h.seq == q.cycle) {
                Some(h) => opened.rows(self.mask(h, q.upto), q),
                None => match q.upto.and_then(|n| Some((n, self.kept_moment(cluster, q.cycle)?))) {
                    Some((0, _)) => opened.rows(Mask::Hidden, q),
                    Some((n, m)) => opened.rows(Mask::Upto(&super::Calls::of(&m), n - 1), q),
                    None => opened.rows(Mask::Whole, q),
                },
            },
            Err(e) => return refused(e),
        };
        Answer::Rows { cycle: q.cycle, of: found.0, rows: found.1 }
    }

    /// What a kept cycle looked at.
    pub(super) fn kept_moment(&self, cluster: &Cluster, seq: u64) -> Option<Arc<Moment>> {
        if let Some(held) = cluster.held().filter(|h| h.seq == seq) {
            return Some(held.moment.clone());
        }
        if seq >= WHATIF_BASE {
            return self.whatifs.iter().find(|(n, _)| *n == seq).map(|(_, m)| m.clone());
        }
        match &cluster.trace().get(seq)?.what {
            What::Cycle { cycle } => cycle.source::<Kept>().map(|k| Arc::new(k.moment())),
            _ => None,
        }
    }

    /// The moment of a kept cycle, or the pod's present one.
    pub(super) fn moment(&self, cluster: &Cluster, cycle: u64, ns: &str, name: &str) -> Result<Arc<Moment>, String> {
        if cycle > 0 {
            let kept = self.kept_moment(cluster, cycle);
            return kept.ok_or_else(|| format!("what cycle {cycle} looked at is not kept any more"));
        }
        let key = Key::new(ns, name);
        let pod = cluster.view().get::<Pod>(&key).ok_or_else(|| format!("pods {name:?} not found"))?;
        let scheduler: &Scheduler = cluster.component("kube-scheduler").ok_or("there is no kube-scheduler")?;
        let moment = scheduler.moment(Arc::new(pod.clone()), cluster.now()).ok_or_else(|| {
            let wanted = pod.spec.as_ref().and_then(|s| s.scheduler_name.as_deref()).unwrap_or_default();
            format!("profile not found for scheduler name {wanted:?}")
        })?;
        Ok(Arc::new(moment))
    }

    fn cell(&self, cluster: &Cluster, seq: u64, node: &str, plugin: &str, point: Point) -> Result<Cell, String> {
        if self.held.as_ref().is_some_and(|h| h.hidden && h.seq == seq) {
            return Err("the decision is hidden until a node is picked".into());
        }
        let c = &self.cycle(cluster, seq)?.cycle;
        let said = |p: &str, verdict, reasons: &[String], point: &str| Cell {
            plugin: p.into(),
            point: point.into(),
            verdict,
            reasons: reasons.to_vec(),
            ..Cell::default()
        };
        let lost = || format!("what cycle {seq} looked at is not kept any more");
        match point {
            Point::Filter => self.kept_moment(cluster, seq).ok_or_else(lost)?.filter_cell(plugin, node),
            Point::Score | Point::NormalizeScore => {
                self.kept_moment(cluster, seq).ok_or_else(lost)?.score_cell(plugin, node)
            }
            Point::PreFilter => {
                let r = c.pre_filter.iter().find(|r| r.plugin == plugin);
                r.map(|r| said(plugin, r.verdict, &r.reasons, "PreFilter"))
                    .ok_or_else(|| format!("{plugin:?} was not asked at PreFilter"))
            }
            _ => {
                let name = format!("{point:?}");
                let r = c.points.iter().find(|r| r.plugin == plugin && r.point == name);
                Ok(match r {
                    Some(r) => said(plugin, r.verdict, &r.reasons, &name),
                    None => said(plugin, trace::cycle::Verdict::Pass, &[], &name),
                })
            }
        }
    }
}

fn queue_rows(cluster: &Cluster, queue: Queue, offset: usize, limit: usize) -> Answer {
    let Some(s) = scheduler(cluster) else { return refused("there is no kube-scheduler") };
    let limit = limit.min(QUEUE_ROWS_MAX);
    let lists = s.queue_heads(offset.saturating_add(limit));
    let (rows, of) = match queue {
        Queue::Active => (lists.active, lists.lengths.active),
        Queue::Backoff => (lists.backoff, lists.lengths.backoff),
        Queue::Unschedulable => (lists.unschedulable, lists.lengths.unschedulable),
        Queue::Gated => (lists.gated, lists.lengths.gated),
        Queue::InFlight => (lists.in_flight, lists.lengths.in_flight),
    };
    Answer::Queue { queue, offset, of, rows: rows.into_iter().skip(offset).take(limit).map(queue_entry).collect() }
}
