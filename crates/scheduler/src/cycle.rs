//! One pod, one decision. Models `pkg/scheduler/schedule_one.go` from schedulePod to selectHost.

use crate::config::Config;
use crate::extender::{Caller, EXTENDER, Extenders};
use crate::framework::fit_error::{FitError, NO_NODES_AVAILABLE};
use crate::framework::run::Told;
use crate::framework::status::Status;
use crate::framework::{Code, Framework, Handle, NodeStatuses, PodInfo, Run};
use crate::record::{self, Record};
use meta::{Key, Rng};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use trace::Cycle;
use trace::cycle::{FilterRecord, NodeRecord, PodRef, ScoreRecord, Scores, TieBreak, Verdict};

/// Upstream looks for at least this many feasible nodes.
const MIN_FEASIBLE_NODES_TO_FIND: usize = 100;
const MIN_FEASIBLE_NODES_PERCENTAGE: usize = 5;

/// A pod that fits nowhere, and why.
#[derive(Debug)]
pub struct Failure {
    /// The PodScheduled condition's message.
    pub message: String,
    /// Whether this is an error rather than a refusal (`SchedulerError` instead of `Unschedulable`).
    pub is_error: bool,
    /// The plugins that refused the pod: what happens to them decides when it is tried again.
    pub plugins: BTreeSet<&'static str>,
    /// `None` leaves the nomination as it is, an empty name clears it.
    pub nominate: Option<String>,
    /// Pods to evict for the nomination.
    pub victims: Vec<Arc<PodInfo>>,
    /// A claim for devices whose allocation is taken back.
    pub deallocate: Option<Key>,
}

/// The chosen node, or why there is none.
pub type Decision = Result<Arc<str>, Failure>;

/// The part of the scheduler that decides: profiles, where the last search stopped, the generator for ties.
#[derive(Clone)]
pub struct Algorithm {
    profiles: Arc<[Arc<Framework>]>,
    percentage_of_nodes_to_score: i32,
    next_start_node_index: usize,
    rng: Rng,
    record_every_node: bool,
    scratch: Scratch,
}

/// Buffers that live from cycle to cycle, so that a cycle allocates nothing per node.
#[derive(Clone, Default)]
struct Scratch {
    feasible: Vec<usize>,
    looked_at: usize,
    column: Vec<i64>,
    totals: Vec<i64>,
    ties: Vec<usize>,
    statuses: NodeStatuses,
}

impl Algorithm {
    /// # Errors
    /// A profile whose plugins cannot be instantiated, in upstream's words.
    pub fn new(config: &Config, rng: Rng) -> Result<Self, String> {
        Algorithm::calling(config, rng, None)
    }

    /// The same with a way to reach extenders.
    ///
    /// # Errors
    /// As [`Algorithm::new`], and extenders that cannot be reached.
    pub fn calling(config: &Config, rng: Rng, caller: Option<Arc<dyn Caller>>) -> Result<Self, String> {
        let extenders = match caller {
            _ if config.extenders.is_empty() => None,
            Some(caller) => Some(Extenders::new(&config.extenders, caller)),
            None => return Err("extenders: Forbidden: extenders cannot be called from here".into()),
        };
        let build = |p| match Framework::new(p) {
            Ok(framework) => Ok(Arc::new(Framework { extenders: extenders.clone(), ..framework })),
            Err(e) => {
                Err(format!("initializing profiles: creating profile for scheduler name {}: {e}", p.scheduler_name))
            }
        };
        Ok(Algorithm {
            profiles: config.profiles.iter().map(build).collect::<Result<_, _>>()?,
            percentage_of_nodes_to_score: config.percentage_of_nodes_to_score,
            next_start_node_index: 0,
            rng,
            record_every_node: false,
            scratch: Scratch::default(),
        })
    }

    /// The same state under another configuration.
    ///
    /// # Errors
    /// As [`Algorithm::new`].
    pub fn reconfigured(&self, config: &Config) -> Result<Algorithm, String> {
        let next_start_node_index = self.next_start_node_index;
        let caller = self.profiles.iter().find_map(|p| p.extenders.as_ref()).map(Extenders::caller);
        Ok(Algorithm { next_start_node_index, ..Algorithm::calling(config, self.rng.clone(), caller)? })
    }

    /// A copy without the buffers.
    #[must_use]
    pub fn at_rest(&self) -> Algorithm {
        Algorithm { profiles: self.profiles.clone(), rng: self.rng.clone(), scratch: Scratch::default(), ..*self }
    }

    /// From now on records also say what the filters make of the nodes that the search did not get to. Decisions
    /// stay the same.
    pub fn record_every_node(&mut self) {
        self.record_every_node = true;
    }

    pub fn profiles(&self) -> &[Arc<Framework>] {
        &self.profiles
    }
    /// The profile that `spec.schedulerName` names; `None` when the pod is another scheduler's.
    pub fn profile(&self, scheduler_name: &str) -> Option<&Arc<Framework>> {
        self.profiles.iter().find(|p| p.profile_name == scheduler_name)
    }

    /// Chooses a node for `pod`, and writes down how when `record` is given.
    pub fn schedule(
        &mut self,
        h: Handle,
        framework: &Framework,
        pod: &Arc<PodInfo>,
        mut record: Option<&mut Record>,
    ) -> Decision {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.feasible.clear();
        scratch.looked_at = 0;
        scratch.statuses.explicit.clear();
        scratch.statuses.absent = NodeStatuses::default().absent;
        if let Some(Record { cycle: c, .. }) = record.as_deref_mut() {
            c.pod = PodRef { namespace: pod.namespace().into(), name: pod.name().into() };
            c.profile = framework.profile_name.clone();
            c.total_nodes = h.snapshot.nodes.len();
        }
        let mut run = Run::new(framework, h, pod);
        let start = self.next_start_node_index;
        let decision = self.search(&mut run, &mut scratch, record.as_deref_mut());
        if let Some(r) = record {
            r.cycle.evaluated_nodes = scratch.looked_at;
            r.cycle.feasible_nodes = scratch.feasible.len();
            r.note_filters(&run, start, scratch.looked_at, &scratch.statuses);
            if self.record_every_node
                && let Some(c) = r.table()
            {
                record::the_rest(&run, &scratch.statuses.absent, c);
            }
            record::decision_of(&mut r.cycle, &decision);
        }
        self.scratch = scratch;
        decision
    }

    fn search(&mut self, run: &mut Run, scratch: &mut Scratch, mut record: Option<&mut Record>) -> Decision {
        let (h, framework, pod) = (run.h, run.framework, run.pod);
        if h.snapshot.nodes.is_empty() {
            return Err(Failure {
                message: NO_NODES_AVAILABLE.into(),
                is_error: false,
                plugins: BTreeSet::new(),
                nominate: Some(String::new()),
                victims: Vec::new(),
                deallocate: None,
            });
        }
        let pre = run.pre_filter(record.as_deref_mut().and_then(Record::pre_filter));
        let mut plugins: BTreeSet<&'static str> = pre.by.clone();
        if let Some(status) = pre.refusal {
            if status.code == Code::Error {
                return Err(broken(format!("running PreFilter plugin {:?}: {}", status.plugin, status.message())));
            }
            if !status.plugin.is_empty() {
                plugins.insert(status.plugin);
            }
            let message = status.message();
            scratch.statuses.absent = status;
            return Err(self.post_filter(run, &message, plugins, scratch, record));
        }
        // Promised by an earlier preemption: likely the only node that fits, so it is tried first.
        let nominated = pod.nominated_node().and_then(|n| h.snapshot.position(n));
        if let Some(node) = nominated {
            scratch.looked_at =
                self.look_at_each(run, [node].into_iter(), 1, &mut plugins, scratch, record.as_deref_mut());
            // What breaks here is tried again with all nodes.
            let _ = ask_extenders(run, &mut plugins, scratch, record.as_deref_mut());
        }
        if scratch.feasible.is_empty() {
            let all = h.snapshot.nodes.len();
            // The nominated node is looked at again with all the others, unless PreFilter left it out.
            let refused = scratch.statuses.explicit.pop();
            let refused_record = record.as_deref_mut().and_then(Record::table).and_then(|c| c.nodes.pop());
            let mut processed = match &run.only {
                None => {
                    let wanted = self.nodes_to_find(framework, all);
                    let start = self.next_start_node_index % all;
                    let order = (start..all).chain(0..start);
                    self.look_at_each(run, order, wanted, &mut plugins, scratch, record.as_deref_mut())
                }
                Some(names) => {
                    let by: Vec<_> = pre.by.iter().copied().collect();
                    scratch.statuses.absent =
                        Status::unresolvable(format!("node(s) didn't satisfy plugin(s) [{}]", by.join(" ")));
                    scratch.statuses.absent.plugin = by.first().copied().unwrap_or_default();
                    let nodes: Vec<usize> = names.iter().filter_map(|n| h.snapshot.position(n)).collect();
                    let wanted = self.nodes_to_find(framework, nodes.len());
                    let start = self.next_start_node_index;
                    let n = nodes.len().max(1);
                    let order = (0..nodes.len()).map(|i| nodes[(start + i) % n]);
                    self.look_at_each(run, order, wanted, &mut plugins, scratch, record.as_deref_mut())
                }
            };
            if let Some((node, status)) = refused
                && !scratch.statuses.explicit.iter().any(|(n, _)| *n == node)
            {
                scratch.statuses.explicit.push((node, status));
                processed += 1;
                if let Some(c) = record.as_deref_mut().and_then(Record::table) {
                    c.nodes.extend(refused_record);
                }
            }
            scratch.looked_at = processed;
            self.next_start_node_index = (self.next_start_node_index + processed) % all;
            if let Err(why) = ask_extenders(run, &mut plugins, scratch, record.as_deref_mut()) {
                return Err(broken(why));
            }
        }
        if scratch.feasible.is_empty() {
            return Err(self.post_filter(run, "", plugins, scratch, record));
        }
        // One node is scored for the table alone, so what breaks then breaks nothing.
        let only_one = scratch.feasible.len() == 1;
        let node = if only_one && record.as_deref_mut().and_then(Record::table).is_none() {
            h.snapshot.nodes[scratch.feasible[0]].name.clone()
        } else {
            let scored = self.score(run, scratch, record.as_deref_mut());
            if let Err(why) = scored.or_else(|e| if only_one { Ok(()) } else { Err(e) }) {
                return Err(broken(why));
            }
            self.select_host(h, scratch, record.as_deref_mut())
        };
        match framework.reserve(run, &node, record.map(|r| &mut r.cycle)) {
            Ok(()) => Ok(node),
            Err(status) => Err(refused_after_choice(&status)),
        }
    }

    /// Filters nodes until `wanted` fit; returns how many were looked at. Models findNodesThatPassFilters.
    fn look_at_each(
        &self,
        run: &Run,
        order: impl Iterator<Item = usize>,
        wanted: usize,
        plugins: &mut BTreeSet<&'static str>,
        scratch: &mut Scratch,
        record: Option<&mut Record>,
    ) -> usize {
        let mut table = record.and_then(Record::table);
        let (plain, mut told) = (run.h.nominator.is_empty(), Told::default());
        let (before, mut processed, mut last_plugin) = (scratch.feasible.len(), 0, "");
        for at in order {
            let node = &run.h.snapshot.nodes[at];
            let answer = if plain { run.filter(&run.state, node) } else { run.filter_with_nominated(&run.state, node) };
            if let Some(c) = table.as_deref_mut() {
                let filters = run.said(&answer, &mut told);
                c.nodes.push(NodeRecord { name: node.name.to_string(), filters, ..NodeRecord::default() });
            }
            processed += 1;
            match answer {
                Ok(()) => {
                    scratch.feasible.push(at);
                    if scratch.feasible.len() - before >= wanted {
                        break;
                    }
                }
                Err(status) => {
                    if status.plugin != last_plugin {
                        last_plugin = status.plugin;
                        plugins.insert(last_plugin);
                    }
                    let failed = status.code == Code::Error;
                    scratch.statuses.explicit.push((at, status));
                    if failed {
                        // The cycle ends here, whatever else would have fitted.
                        scratch.feasible.clear();
                        break;
                    }
                }
            }
        }
        processed
    }

    /// How many feasible nodes are enough. Models numFeasibleNodesToFind.
    fn nodes_to_find(&self, framework: &Framework, all: usize) -> usize {
        let extenders = framework.extenders.as_ref();
        if framework.score.is_empty() && !extenders.is_some_and(|e| e.any_filters() || e.any_prioritizes()) {
            return 1;
        }
        if all < MIN_FEASIBLE_NODES_TO_FIND {
            return all;
        }
        let given = framework.percentage_of_nodes_to_score.unwrap_or(self.percentage_of_nodes_to_score);
        let percentage = match usize::try_from(given) {
            Ok(0) | Err(_) => 50usize.saturating_sub(all / 125).max(MIN_FEASIBLE_NODES_PERCENTAGE),
            Ok(p) => p,
        };
        (all * percentage / 100).max(MIN_FEASIBLE_NODES_TO_FIND)
    }

    /// Fills `scratch.totals` with the weighted sums. Models prioritizeNodes and RunScorePlugins.
    fn score(&mut self, run: &mut Run, scratch: &mut Scratch, mut record: Option<&mut Record>) -> Result<(), String> {
        let Scratch { feasible, column, totals, .. } = scratch;
        let extenders = run.framework.extenders.as_ref();
        totals.clear();
        totals.resize(feasible.len(), if run.framework.score.is_empty() && extenders.is_none() { 1 } else { 0 });
        let active = run.pre_score(feasible)?;
        // What a table shows of a single node decides nothing.
        let mut digest = record.as_deref_mut().map(|r| &mut r.digest).filter(|_| feasible.len() > 1).cloned();
        let recorded = record.as_deref_mut().and_then(Record::table).is_some();
        let mut columns: Vec<Column> = Vec::new();
        for (name, plugin, weight) in active {
            column.clear();
            plugin.score_all(&run.h, &run.state, run.pod, feasible, column);
            let raw = recorded.then(|| column.clone());
            if let Some(digest) = &mut digest {
                digest.text(name);
                digest.numbers(column);
            }
            plugin.normalize(&run.h, &run.state, run.pod, column);
            if let Some(digest) = &mut digest {
                digest.numbers(column);
            }
            for (total, score) in totals.iter_mut().zip(column.iter()) {
                *total += score * weight;
            }
            if let Some(raw) = raw {
                columns.push(Column { plugin: name.into(), weight, raw, normalized: column.clone() });
            }
        }
        for scores in extenders.iter().flat_map(|e| e.prioritize(&run.h, run.pod, feasible)) {
            let normalized: Vec<i64> = scores.raw.iter().map(|raw| Extenders::normalized(*raw)).collect();
            for (total, score) in totals.iter_mut().zip(&normalized) {
                *total += score * scores.weight;
            }
            let (plugin, weight, raw) = (scores.name.into(), scores.weight, scores.raw);
            columns.push(Column { plugin, weight, raw, normalized });
        }
        let Some(record) = record else { return Ok(()) };
        if let Some(mut digest) = digest {
            digest.numbers(totals);
            record.digest = digest;
        }
        if let Some(c) = record.table() {
            let rows = rows_of(c, run, feasible);
            let cell = |(i, column): (usize, &Column)| column.cell(i);
            let cells = (0..feasible.len()).flat_map(|i| columns.iter().map(move |c| (i, c))).map(cell).collect();
            for (row, scores) in rows.iter().zip(Scores::split(cells, columns.len())) {
                c.nodes[*row].scores = scores;
            }
            if !run.framework.score.is_empty() || extenders.is_some() {
                for (row, total) in rows.iter().zip(totals.iter()) {
                    c.nodes[*row].total = Some(*total);
                }
            }
        }
        Ok(())
    }

    /// Draws among the nodes with the highest total.
    fn select_host(&mut self, h: Handle, scratch: &mut Scratch, record: Option<&mut Record>) -> Arc<str> {
        let Scratch { feasible, totals, ties, .. } = scratch;
        let best = totals.iter().copied().max().unwrap_or(0);
        ties.clear();
        ties.extend(feasible.iter().zip(totals.iter()).filter(|(_, t)| **t == best).map(|(n, _)| *n));
        let drawn = if ties.len() > 1 { self.rng.below(ties.len() as u32) as usize } else { 0 };
        if let Some(c) = record.filter(|_| ties.len() > 1).and_then(Record::table) {
            let nodes = ties.iter().map(|n| h.snapshot.nodes[*n].name.to_string()).collect();
            c.tie_break = Some(TieBreak { nodes, drawn });
        }
        h.snapshot.nodes[ties[drawn]].name.clone()
    }

    fn post_filter(
        &mut self,
        run: &Run,
        pre_filter_message: &str,
        plugins: BTreeSet<&'static str>,
        scratch: &Scratch,
        mut record: Option<&mut Record>,
    ) -> Failure {
        let error = scratch.statuses.explicit.iter().map(|(_, s)| s).find(|s| s.code == Code::Error);
        if let Some(status) = error {
            // A filter that fails is a bug, not a verdict on the pod.
            return broken(format!("running {:?} filter plugin: {}", status.plugin, status.message()));
        }
        let mut post_filter_message = String::new();
        // Without PostFilter plugins the nomination is cleared.
        let mut nominate = Some(String::new());
        let mut victims = Vec::new();
        let mut deallocate = None;
        if !run.framework.post_filter.is_empty() {
            let points = record.as_deref_mut().map(|r| &mut r.cycle.points);
            let result = run.post_filter(&scratch.statuses, &mut self.rng, points);
            if let Err(status) = &result.answer {
                post_filter_message = status.message();
            }
            if let Some(r) = record.filter(|_| !result.candidates.is_empty()) {
                r.cycle.preemption = Some(crate::preemption_choice::record(&result.candidates, result.nodes));
            }
            nominate = result.nominate;
            victims = result.victims;
            deallocate = result.deallocate;
        }
        let message = FitError {
            all_nodes: run.h.snapshot.nodes.len(),
            statuses: &scratch.statuses,
            pre_filter_message,
            post_filter_message: &post_filter_message,
        };
        Failure { message: message.to_string(), is_error: false, plugins, nominate, victims, deallocate }
    }
}

/// What one plugin or extender scored, node by node.
struct Column {
    plugin: Cow<'static, str>,
    weight: i64,
    raw: Vec<i64>,
    normalized: Vec<i64>,
}

impl Column {
    fn cell(&self, i: usize) -> ScoreRecord {
        let (plugin, raw, normalized, weight) = (self.plugin.clone(), self.raw[i], self.normalized[i], self.weight);
        ScoreRecord { plugin, raw, normalized, weight, weighted: normalized * weight }
    }
}

/// Where the feasible nodes are among the rows.
fn rows_of(c: &Cycle, run: &Run, feasible: &[usize]) -> Vec<usize> {
    let row = |name: &str| c.nodes.iter().position(|n| n.name == name).unwrap_or_default();
    // Only the last filter that was asked can have refused.
    let passed = |i: &usize| c.nodes[*i].filters.last().is_none_or(|f| f.verdict == Verdict::Pass);
    match run.framework.extenders {
        None => (0..c.nodes.len()).filter(passed).collect(),
        // Extenders may have put the nodes into another order.
        Some(_) => feasible.iter().map(|n| row(&run.h.snapshot.nodes[*n].name)).collect(),
    }
}

/// Asks the extenders about the feasible nodes.
fn ask_extenders(
    run: &Run,
    plugins: &mut BTreeSet<&'static str>,
    scratch: &mut Scratch,
    record: Option<&mut Record>,
) -> Result<(), String> {
    let Some(extenders) = run.framework.extenders.as_ref().filter(|_| !scratch.feasible.is_empty()) else {
        return Ok(());
    };
    let answer = extenders.filter(&run.h, run.pod, &scratch.feasible)?;
    if answer.feasible.len() != scratch.feasible.len() {
        plugins.insert(EXTENDER);
    }
    if let Some(c) = record.and_then(Record::table) {
        let known = |n: &usize| answer.refused.iter().find(|(m, _)| m == n).map(|(_, s)| s);
        for n in scratch.feasible.iter().filter(|n| !answer.feasible.contains(n)) {
            let (verdict, reasons) =
                known(n).map_or((Verdict::Unschedulable, Vec::new()), |s| (s.code.verdict(), s.reasons_owned()));
            let name = &*run.h.snapshot.nodes[*n].name;
            if let Some(row) = c.nodes.iter_mut().find(|r| r.name == name) {
                let mut filters = row.filters.to_vec();
                filters.push(FilterRecord { plugin: EXTENDER.into(), verdict, reasons });
                row.filters = filters.into();
            }
        }
    }
    for (node, status) in answer.refused {
        scratch.statuses.explicit.retain(|(n, _)| *n != node);
        scratch.statuses.explicit.push((node, status));
    }
    scratch.feasible = answer.feasible;
    Ok(())
}

/// The cycle failed, which says nothing about the pod.
fn broken(message: String) -> Failure {
    Failure {
        message,
        is_error: true,
        plugins: BTreeSet::new(),
        nominate: Some(String::new()),
        victims: Vec::new(),
        deallocate: None,
    }
}

/// Reserve, Permit or PreBind refused the chosen node: upstream's message speaks of that node alone.
fn refused_after_choice(status: &Status) -> Failure {
    let statuses = NodeStatuses { explicit: vec![(0, status.clone())], ..NodeStatuses::default() };
    let error = FitError { all_nodes: 1, statuses: &statuses, pre_filter_message: "", post_filter_message: "" };
    Failure {
        message: if status.is_rejected() { error.to_string() } else { status.message() },
        is_error: !status.is_rejected(),
        plugins: if status.is_rejected() { BTreeSet::from([status.plugin]) } else { BTreeSet::new() },
        nominate: Some(String::new()),
        victims: Vec::new(),
        deallocate: None,
    }
}
