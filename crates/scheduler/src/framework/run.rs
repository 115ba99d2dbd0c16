//! One pod's way through PreFilter, Filter, PostFilter and Score of a profile. Models the Run*Plugins methods of
//! `pkg/scheduler/framework/runtime/framework.go`.

use super::status::{Reasons, Status};
use super::{
    Answer, Code, CycleState, Filter, Framework, Handle, NodeInfo, NodeStatuses, PodInfo, PostFilterResult, PreFilter,
    PreFilterResult, PreScoreResult, Score,
};
use meta::Rng;
use std::collections::BTreeSet;
use std::sync::Arc;
use trace::cycle::{FilterRecord, Filters, PointRecord, PreFilterRecord, Verdict};
use trace::explain::Inputs;
use trace::note;

/// A cycle under way: the plugins that still have something to say, and their state.
pub struct Run<'a> {
    pub framework: &'a Framework,
    pub h: Handle<'a>,
    pub pod: &'a Arc<PodInfo>,
    pub state: CycleState,
    /// The nodes that PreFilter left, in upstream's sorted order; `None` means all, and none are left when it
    /// refused the pod.
    pub only: Option<BTreeSet<String>>,
    pre_filters: Vec<&'a dyn PreFilter>,
    filters: Vec<(&'static str, &'a dyn Filter)>,
}

/// Reasons that differ from node to node are not searched for further back than this.
const TOLD_MAX: usize = 16;

/// What filters have said so far in a cycle: many nodes hear the same.
#[derive(Default)]
pub struct Told {
    passed: Option<Filters>,
    refused: Vec<(Status, Filters)>,
}

/// What PreFilter came to.
pub struct PreFiltered {
    pub refusal: Option<Status>,
    /// The plugins that narrowed them.
    pub by: BTreeSet<&'static str>,
    /// What every plugin said, when that was asked ([`Run::pre_filter_all`]).
    pub refusals: Vec<PreFilterRecord>,
}

impl<'a> Run<'a> {
    pub fn new(framework: &'a Framework, h: Handle<'a>, pod: &'a Arc<PodInfo>) -> Self {
        let state = CycleState::default();
        Run { framework, h, pod, state, only: None, pre_filters: Vec::new(), filters: Vec::new() }
    }

    /// Models RunPreFilterPlugins.
    pub fn pre_filter(&mut self, mut record: Option<&mut Vec<PreFilterRecord>>) -> PreFiltered {
        let fw = self.framework;
        let mut out = PreFiltered { refusal: None, by: BTreeSet::new(), refusals: Vec::new() };
        let mut only: Option<BTreeSet<String>> = None;
        // Stays so when the pod is refused.
        self.only = Some(BTreeSet::new());
        let mut skip: Vec<usize> = Vec::new();
        for i in &fw.pre_filter {
            let plugin = &fw.plugins[*i];
            let Some(p) = plugin.as_pre_filter() else { continue };
            let said = p.pre_filter(&self.h, &mut self.state, self.pod);
            if let Some(record) = record.as_deref_mut() {
                record.push(pre_filter_record(plugin.name(), &said));
            }
            match said {
                PreFilterResult::Pass => self.pre_filters.push(p),
                PreFilterResult::Skip => skip.push(*i),
                PreFilterResult::Refuse(status) => {
                    let status = status.from_plugin(plugin.name());
                    // When preemption may help, the others still have to prepare for it.
                    let go_on = status.code == Code::Unschedulable;
                    out.refusal = Some(status);
                    if !go_on {
                        return PreFiltered { by: BTreeSet::new(), ..out };
                    }
                }
                PreFilterResult::Nodes(names) => {
                    self.pre_filters.push(p);
                    out.by.insert(plugin.name());
                    let nodes: BTreeSet<String> = match only.take() {
                        None => names,
                        Some(have) => have.intersection(&names).cloned().collect(),
                    };
                    let none = nodes.is_empty();
                    only = Some(nodes);
                    if none {
                        let all: Vec<_> = out.by.iter().copied().collect();
                        out.refusal = Some(Status::unresolvable(match all[..] {
                            [one] => format!("node(s) didn't satisfy plugin {one}"),
                            _ => format!("node(s) didn't satisfy plugin(s) [{}] simultaneously", all.join(" ")),
                        }));
                        return out;
                    }
                }
            }
        }
        if out.refusal.is_none() {
            self.only = only;
        }
        let active = fw.filter.iter().filter(|i| !skip.contains(i));
        self.filters = active.filter_map(|i| Some((fw.plugins[*i].name(), fw.plugins[*i].as_filter()?))).collect();
        out
    }

    /// PreFilter for those who ask about all filters: nobody's refusal stops the others.
    pub fn pre_filter_all(&mut self) -> PreFiltered {
        let fw = self.framework;
        let mut out = PreFiltered { refusal: None, by: BTreeSet::new(), refusals: Vec::new() };
        let mut silent: Vec<usize> = Vec::new();
        for i in &fw.pre_filter {
            let plugin = &fw.plugins[*i];
            let Some(p) = plugin.as_pre_filter() else { continue };
            let said = p.pre_filter(&self.h, &mut self.state, self.pod);
            out.refusals.push(pre_filter_record(plugin.name(), &said));
            match said {
                PreFilterResult::Pass | PreFilterResult::Nodes(_) => self.pre_filters.push(p),
                // A plugin that refused the pod as a whole has prepared nothing to filter nodes with.
                PreFilterResult::Skip | PreFilterResult::Refuse(_) => silent.push(*i),
            }
        }
        let active = fw.filter.iter().filter(|i| !silent.contains(i));
        self.filters = active.filter_map(|i| Some((fw.plugins[*i].name(), fw.plugins[*i].as_filter()?))).collect();
        out
    }

    /// The filters that have something to say about the pod, in their order.
    pub fn filter_names(&self) -> Vec<&'static str> {
        self.filters.iter().map(|(name, _)| *name).collect()
    }

    /// What one filter says of the node, the pods nominated to it counted as in a cycle; `None`: it is not asked.
    pub fn ask_filter(&self, plugin: &str, node: &NodeInfo) -> Option<Answer> {
        let (_, filter) = self.filters.iter().find(|(name, _)| *name == plugin)?;
        if let Some((state, with)) = self.crowded(&self.state, node)
            && let Err(status) = filter.filter(&self.h, &state, self.pod, &with)
        {
            return Some(Err(status));
        }
        Some(filter.filter(&self.h, &self.state, self.pod, node))
    }

    /// What that filter looks at.
    pub fn filter_inputs(&self, plugin: &str, node: &NodeInfo) -> Inputs {
        let Some(p) = self.framework.plugins.iter().find(|p| p.name() == plugin) else { return Inputs::default() };
        let mut inputs = match self.crowded(&self.state, node) {
            Some((state, with)) => p.filter_inputs(&self.h, &state, self.pod, &with),
            None => p.filter_inputs(&self.h, &self.state, self.pod, node),
        };
        for other in self.nominated_before(node) {
            inputs.notes.push(note!("cell.nominated", pod = &other.key));
        }
        inputs
    }

    /// What a score plugin looks at; `None`: it does not score.
    pub fn score_inputs(&self, plugin: &str, node: &NodeInfo) -> Option<Inputs> {
        let p = self.framework.plugins.iter().find(|p| p.name() == plugin)?;
        p.as_score()?;
        Some(p.score_inputs(&self.h, &self.state, self.pod, node))
    }

    /// Pods nominated to the node that this one must make room for.
    fn nominated_before(&self, node: &NodeInfo) -> Vec<&Arc<PodInfo>> {
        let nominated = self.h.nominator.on_node(&node.name);
        nominated.iter().filter(|p| p.priority >= self.pod.priority && p.key != self.pod.key).collect()
    }

    /// The node with them on it; `None` when there are none.
    fn crowded(&self, state: &CycleState, node: &NodeInfo) -> Option<(CycleState, NodeInfo)> {
        let important = self.nominated_before(node);
        if important.is_empty() {
            return None;
        }
        let (mut state, mut with) = (state.clone(), node.clone());
        for p in important {
            with.add_pod(p.clone());
            self.add_pod(&mut state, p, &with);
        }
        Some((state, with))
    }

    /// Runs the filters until the first that rejects the node. Models RunFilterPlugins.
    #[inline]
    pub fn filter(&self, state: &CycleState, node: &NodeInfo) -> Answer {
        for (name, filter) in &self.filters {
            if let Err(status) = filter.filter(&self.h, state, self.pod, node) {
                return Err(status.from_plugin(name));
            }
        }
        Ok(())
    }

    /// Filters the node as if the pods nominated to it were there already, and then as it is.
    /// Models RunFilterPluginsWithNominatedPods.
    pub fn filter_with_nominated(&self, state: &CycleState, node: &NodeInfo) -> Answer {
        if let Some((state, with)) = self.crowded(state, node) {
            self.filter(&state, &with)?;
        }
        self.filter(state, node)
    }

    /// What each filter said when the answer was this.
    pub fn said(&self, answer: &Answer, told: &mut Told) -> Filters {
        let Err(status) = answer else {
            return told.passed.get_or_insert_with(|| self.records(None)).clone();
        };
        if let Some((_, filters)) = told.refused.iter().rev().take(TOLD_MAX).find(|(s, _)| s == status) {
            return filters.clone();
        }
        let filters = self.records(Some(status));
        told.refused.push((status.clone(), filters.clone()));
        filters
    }

    /// All filters up to the one that refused, whose answers were yes.
    fn records(&self, refusal: Option<&Status>) -> Filters {
        let last = refusal.and_then(|s| self.filters.iter().position(|(name, _)| *name == s.plugin));
        let asked = last.map_or(self.filters.len(), |i| i + 1);
        let passed = |(name, _): &(&'static str, _)| FilterRecord { plugin: (*name).into(), ..FilterRecord::default() };
        let mut list: Vec<FilterRecord> = self.filters[..asked].iter().map(passed).collect();
        if let (Some(f), Some(s)) = (list.last_mut(), refusal) {
            (f.verdict, f.reasons) = (s.code.verdict(), s.reasons_owned());
        }
        list.into()
    }

    /// Tells the plugins that the dry run put `other` on `node`.
    pub fn add_pod(&self, state: &mut CycleState, other: &PodInfo, node: &NodeInfo) {
        for p in &self.pre_filters {
            p.add_pod(&self.h, state, self.pod, other, node);
        }
    }
    /// Tells the plugins that the dry run took `other` off `node`.
    pub fn remove_pod(&self, state: &mut CycleState, other: &PodInfo, node: &NodeInfo) {
        for p in &self.pre_filters {
            p.remove_pod(&self.h, state, self.pod, other, node);
        }
    }

    /// Asks the PostFilter plugins in turn whether they can make room. Models RunPostFilterPlugins.
    pub fn post_filter(
        &self,
        statuses: &NodeStatuses,
        rng: &mut Rng,
        mut record: Option<&mut Vec<PointRecord>>,
    ) -> PostFilterResult {
        let (mut reasons, mut rejector) = (Reasons::None, "");
        let mut last = PostFilterResult::refuse(Status::unschedulable(""));
        for i in &self.framework.post_filter {
            let plugin = &self.framework.plugins[*i];
            let Some(p) = plugin.as_post_filter() else { continue };
            let mut r = p.post_filter(self, statuses, rng);
            if let Some(record) = record.as_deref_mut() {
                record.push(point_record("PostFilter", plugin.name(), &r.answer));
            }
            match r.answer {
                Ok(()) => return r,
                Err(s) if s.code != Code::Unschedulable => {
                    if s.code == Code::Error {
                        r.nominate = None;
                    }
                    r.answer = Err(s.from_plugin(plugin.name()));
                    return r;
                }
                Err(s) => {
                    s.reasons.as_slice().iter().for_each(|why| reasons.push(why.clone()));
                    if rejector.is_empty() {
                        rejector = plugin.name();
                    }
                    if r.nominate.is_some() {
                        last.nominate = r.nominate;
                    }
                    last.deallocate = r.deallocate.or(last.deallocate);
                    if !r.candidates.is_empty() {
                        last.nodes = r.nodes;
                    }
                    last.candidates.append(&mut r.candidates);
                }
            }
        }
        last.answer = Err(Status { code: Code::Unschedulable, reasons, plugin: rejector });
        last
    }

    /// Runs PreScore and returns the score plugins that have something to say: name, plugin, weight.
    ///
    /// # Errors
    /// What broke in a plugin, which ends the cycle.
    pub fn pre_score(&mut self, nodes: &[usize]) -> Result<Vec<(&'static str, &'a dyn Score, i64)>, String> {
        let fw = self.framework;
        let mut skip: Vec<usize> = Vec::new();
        for i in &fw.pre_score {
            let Some(p) = fw.plugins[*i].as_pre_score() else { continue };
            match p.pre_score(&self.h, &mut self.state, self.pod, nodes) {
                PreScoreResult::Pass => {}
                PreScoreResult::Skip => skip.push(*i),
                PreScoreResult::Fail(why) => {
                    return Err(format!("running PreScore plugin {:?}: {why}", fw.plugins[*i].name()));
                }
            }
        }
        let active = fw.score.iter().filter(|(i, _)| !skip.contains(i));
        Ok(active.filter_map(|(i, w)| Some((fw.plugins[*i].name(), fw.plugins[*i].as_score()?, *w))).collect())
    }
}

fn pre_filter_record(plugin: &str, said: &PreFilterResult) -> PreFilterRecord {
    let (verdict, reasons, node_names) = match said {
        PreFilterResult::Pass => (Verdict::Pass, Vec::new(), None),
        PreFilterResult::Skip => (Verdict::Skip, Vec::new(), None),
        PreFilterResult::Nodes(n) => (Verdict::Pass, Vec::new(), Some(n.iter().cloned().collect())),
        PreFilterResult::Refuse(s) => (s.code.verdict(), s.reasons_owned(), None),
    };
    PreFilterRecord { plugin: plugin.into(), verdict, reasons, node_names }
}

/// What a plugin said at a point outside Filter and Score.
pub fn point_record(point: &str, plugin: &str, said: &Answer) -> PointRecord {
    let (verdict, reasons) = match said {
        Ok(()) => (Verdict::Pass, Vec::new()),
        Err(s) => (s.code.verdict(), s.reasons_owned()),
    };
    PointRecord { point: point.into(), plugin: plugin.into(), verdict, reasons }
}
