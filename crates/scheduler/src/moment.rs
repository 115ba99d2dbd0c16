//! Everything one cycle looked at, so that it can be asked about, and taken again with something changed. Nothing here
//! reaches the scheduler.

use crate::cache::Cache;
use crate::config::Config;
use crate::cycle::{Algorithm, Decision};
use crate::fixes::candidates::Refusal;
use crate::framework::run::PreFiltered;
use crate::framework::topology::Topology;
use crate::framework::{Framework, Handle, NodeInfo, Nominator, Objects, PodInfo, Run, Snapshot};
use crate::past::Past;
use crate::record::Record;
use k8s_openapi::api::core::v1::{Node, Pod};
use meta::Time;
use std::collections::BTreeSet;
use std::sync::Arc;
use trace::cycle::{PodRef, PreFilterRecord, Verdict};
use trace::explain::{Cell, Inputs, WhyNot};
use trace::{Cycle, Source, note};

/// Nodes between two looks at the clock.
const NODES_BETWEEN: usize = 16;

#[derive(Clone)]
pub struct Moment {
    pub time: Time,
    pub attempt: u32,
    pub pod: Arc<PodInfo>,
    /// As it was before the cycle: where the search began, the generator for draws.
    pub(crate) algorithm: Algorithm,
    pub(crate) snapshot: Snapshot,
    pub(crate) objects: Arc<Objects>,
    pub(crate) nominator: Nominator,
    /// What came of it, where it cannot be taken again (extenders were asked) or was taken with more than usual.
    pub(crate) made: Option<Arc<Cycle>>,
}

/// A moment as the trace keeps it: its nodes are told by what happened to them ([`crate::past`]).
pub struct Kept {
    /// Without its nodes.
    rest: Moment,
    past: Past,
    /// What is kept for it ([`Source::weight`]).
    weight: usize,
}

impl Kept {
    /// What a cycle for `pod` looks at that begins now.
    pub fn of(
        algorithm: &Algorithm,
        cache: &mut Cache,
        objects: &Arc<Objects>,
        nominator: &Nominator,
        pod: Arc<PodInfo>,
    ) -> Kept {
        let (past, weight) = cache.now();
        Kept { rest: Moment::of(algorithm, &Snapshot::default(), objects, nominator, pod), past, weight }
    }
    #[must_use]
    pub(crate) fn at(mut self, time: Time, attempt: u32) -> Kept {
        (self.rest.time, self.rest.attempt) = (time, attempt);
        self
    }
    /// With what came of it, where that cannot be found out again.
    #[must_use]
    pub(crate) fn with(mut self, made: Option<Arc<Cycle>>) -> Kept {
        self.rest.made = made;
        self
    }
    pub fn moment(&self) -> Moment {
        Moment { snapshot: self.past.snapshot(), ..self.rest.clone() }
    }
}

impl Source for Kept {
    fn cycle(self: Arc<Self>) -> Arc<Cycle> {
        match &self.rest.made {
            Some(made) => made.clone(),
            None => self.moment().cycle(),
        }
    }
    fn weight(&self) -> usize {
        self.weight + self.rest.made.as_ref().map_or(0, |c| c.nodes.len())
    }
}

/// A pod that is on a node, as if it had to find one again.
pub(crate) fn unbound(mut pod: Arc<Pod>) -> Arc<PodInfo> {
    if pod.spec.as_ref().is_some_and(|s| s.node_name.is_some())
        && let Some(spec) = Arc::make_mut(&mut pod).spec.as_mut()
    {
        spec.node_name = None;
    }
    Arc::new(PodInfo::new(pod))
}

impl Moment {
    /// What a cycle for `pod` looks at that begins now; shares all it can.
    pub fn of(
        algorithm: &Algorithm,
        snapshot: &Snapshot,
        objects: &Arc<Objects>,
        nominator: &Nominator,
        pod: Arc<PodInfo>,
    ) -> Moment {
        Moment {
            time: Time(0),
            attempt: 1,
            pod,
            algorithm: algorithm.at_rest(),
            snapshot: snapshot.clone(),
            objects: objects.clone(),
            nominator: nominator.clone(),
            made: None,
        }
    }

    /// The pod's profile. A moment is only made for a pod that has one.
    pub fn framework(&self) -> Option<&Arc<Framework>> {
        self.algorithm.profile(self.pod.scheduler_name())
    }
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
    fn handle(&self) -> Handle<'_> {
        Handle { snapshot: &self.snapshot, objects: &self.objects, nominator: &self.nominator }
    }

    /// The cycle with its table: the same plugins over the same inputs come to the same.
    pub fn cycle(&self) -> Arc<Cycle> {
        match (&self.made, self.framework().cloned()) {
            (Some(made), _) => made.clone(),
            (None, Some(framework)) => {
                let mut record = Record::whole(self.attempt);
                let _ = self.algorithm.clone().schedule(self.handle(), &framework, &self.pod, Some(&mut record));
                Arc::new(record.cycle)
            }
            (None, None) => Arc::default(),
        }
    }

    /// The cycle, taken (again), with a row for every node.
    pub fn decide(&self) -> Cycle {
        let mut record = Record::whole(self.attempt);
        let mut algorithm = self.algorithm.clone();
        algorithm.record_every_node();
        if let Some(framework) = self.framework().cloned() {
            if let Err(status) = framework.pre_enqueue(&self.objects.devices, &self.pod) {
                let mut cycle = record.cycle;
                cycle.pod = self.pod_ref();
                cycle.profile.clone_from(&framework.profile_name);
                cycle.message = crate::whatif::GATED_MESSAGE.into();
                cycle.points.push(crate::framework::run::point_record("PreEnqueue", status.plugin, &Err(status)));
                return cycle;
            }
            // The decision is in the record.
            let _ = algorithm.schedule(self.handle(), &framework, &self.pod, Some(&mut record));
        }
        record.cycle
    }

    /// The same with its cycle taken.
    #[must_use]
    pub fn decided(&self) -> Moment {
        Moment { made: Some(Arc::new(self.decide())), ..self.clone() }
    }

    /// What comes of it, without a record: cheap. `None` when the pod is gated or no scheduler's.
    pub fn outcome(&self) -> Option<Decision> {
        let framework = self.framework()?.clone();
        framework.pre_enqueue(&self.objects.devices, &self.pod).ok()?;
        Some(self.algorithm.clone().schedule(self.handle(), &framework, &self.pod, None))
    }

    pub fn pod_ref(&self) -> PodRef {
        PodRef { namespace: self.pod.namespace().into(), name: self.pod.name().into() }
    }

    // Changed moments.

    /// With another pod in the place of this one.
    #[must_use]
    pub fn with_pod(&self, pod: Pod) -> Moment {
        Moment { pod: Arc::new(PodInfo::new(Arc::new(pod))), made: None, ..self.clone() }
    }
    /// With nodes changed: the cache is built anew, as after a restart.
    fn with_cache(&self, change: impl FnOnce(&mut Cache)) -> Moment {
        let mut cache = Cache::from_snapshot(&self.snapshot);
        change(&mut cache);
        Moment { snapshot: cache.snapshot().clone(), made: None, ..self.clone() }
    }
    /// Adds the node, or puts it in the place of the one of its name.
    #[must_use]
    pub fn with_node(&self, node: Node) -> Moment {
        let name = node.metadata.name.clone().unwrap_or_default();
        // The common case costs little: same zone, same place.
        if let Some(i) = self.snapshot.position(&name) {
            let old = &self.snapshot.nodes[i];
            let zone = crate::node_tree::zone_key;
            let images = |n: &Node| n.status.as_ref().and_then(|s| s.images.clone());
            if zone(&old.node) == zone(&node) && images(&old.node) == images(&node) {
                let mut snapshot = self.snapshot.clone();
                Arc::make_mut(&mut snapshot.nodes[i]).set_node(Arc::new(node));
                // Its labels may have changed.
                snapshot.topology = Topology::default();
                return Moment { snapshot, made: None, ..self.clone() };
            }
        }
        self.with_cache(|c| c.update_node(Arc::new(node)))
    }
    #[must_use]
    pub fn without_node(&self, name: &str) -> Moment {
        self.with_cache(|c| c.remove_node(name))
    }
    /// Under another configuration; draws, and where the search begins, stay as they are.
    ///
    /// # Errors
    /// Its plugins cannot be instantiated, or it has no profile for the pod.
    pub fn with_config(&self, config: &Config) -> Result<Moment, String> {
        let algorithm = self.algorithm.reconfigured(config)?;
        if algorithm.profile(self.pod.scheduler_name()).is_none() {
            return Err(format!("profile not found for scheduler name {:?}", self.pod.scheduler_name()));
        }
        Ok(Moment { algorithm, made: None, ..self.clone() })
    }

    // Questions.

    /// Runs `ask` over the pod's PreFilter results, whatever PreFilter plugins refused.
    fn asking<R>(&self, ask: impl FnOnce(&Framework, &mut Run, PreFiltered) -> R) -> Option<R> {
        let framework = self.framework()?;
        let mut run = Run::new(framework, self.handle(), &self.pod);
        let pre = run.pre_filter_all();
        Some(ask(framework, &mut run, pre))
    }

    /// What a filter plugin says of a node, and what it looked at.
    ///
    /// # Errors
    /// There is no such node or plugin here.
    pub fn filter_cell(&self, plugin: &str, node: &str) -> Result<Cell, String> {
        let info = self.node(node)?;
        let found = self.asking(|_, run, _| {
            let said = run.ask_filter(plugin, info)?;
            let refused = said.clone().err();
            Some(Cell {
                node: node.into(),
                plugin: plugin.into(),
                point: "Filter".into(),
                verdict: refused.as_ref().map_or(Verdict::Pass, |s| s.code.verdict()),
                reasons: refused.map(|s| s.reasons_owned()).unwrap_or_default(),
                inputs: run.filter_inputs(plugin, info),
            })
        });
        found.flatten().ok_or_else(|| format!("{plugin:?} has nothing to filter for this pod"))
    }

    /// What a score plugin looked at.
    ///
    /// # Errors
    /// There is no such node or plugin here.
    pub fn score_cell(&self, plugin: &str, node: &str) -> Result<Cell, String> {
        let info = self.node(node)?;
        let cycle = self.cycle();
        let rows = cycle.nodes.iter();
        let scored: Vec<usize> =
            rows.filter(|r| !r.scores.is_empty()).filter_map(|r| self.snapshot.position(&r.name)).collect();
        let found = self.asking(|_, run, _| {
            run.pre_score(&scored).ok()?;
            run.score_inputs(plugin, info)
        });
        let inputs = found.flatten().ok_or_else(|| format!("there is no score plugin {plugin:?} in this profile"))?;
        Ok(Cell {
            node: node.into(),
            plugin: plugin.into(),
            point: "Score".into(),
            verdict: Verdict::Pass,
            reasons: Vec::new(),
            inputs,
        })
    }

    fn node(&self, name: &str) -> Result<&Arc<NodeInfo>, String> {
        self.snapshot.get(name).ok_or_else(|| format!("nodes {name:?} not found"))
    }

    /// What every filter says of the node, not only the first that refuses; and, when it fits, why the pod goes elsewhere.
    ///
    /// # Errors
    /// There is no such node.
    pub fn why_not(&self, node: &str) -> Result<WhyNot, String> {
        let info = self.node(node)?;
        let mut cells = Vec::new();
        let framework = self.framework().ok_or("no profile schedules this pod")?;
        if let Err(status) = framework.pre_enqueue(&self.objects.devices, &self.pod) {
            let gates = self.pod.pod.spec.iter().flat_map(|s| s.scheduling_gates.iter().flatten());
            let inputs =
                Inputs { notes: gates.map(|g| note!("cell.gate", gate = &g.name)).collect(), ..Inputs::default() };
            let (plugin, verdict, reasons) = (status.plugin.into(), status.code.verdict(), status.reasons_owned());
            cells.push(Cell { node: node.into(), plugin, point: "PreEnqueue".into(), verdict, reasons, inputs });
        }
        self.asking(|_, run, pre| {
            for r in pre.refusals {
                let mut inputs = Inputs::default();
                if let Some(names) = r.node_names.filter(|names| !names.iter().any(|n| n == node)) {
                    inputs.notes.push(note!("cell.only-nodes", nodes = names.join(", ")));
                    let reasons = vec![format!("node(s) didn't satisfy plugin(s) [{}]", r.plugin)];
                    let (plugin, verdict) = (r.plugin, Verdict::Unresolvable);
                    cells.push(Cell { node: node.into(), plugin, point: "PreFilter".into(), verdict, reasons, inputs });
                } else if !matches!(r.verdict, Verdict::Pass | Verdict::Skip) {
                    let (plugin, verdict, reasons) = (r.plugin, r.verdict, r.reasons);
                    cells.push(Cell { node: node.into(), plugin, point: "PreFilter".into(), verdict, reasons, inputs });
                }
            }
            for plugin in run.filter_names() {
                let refused = run.ask_filter(plugin, info).and_then(Result::err);
                cells.push(Cell {
                    node: node.into(),
                    plugin: plugin.into(),
                    point: "Filter".into(),
                    verdict: refused.as_ref().map_or(Verdict::Pass, |s| s.code.verdict()),
                    reasons: refused.map(|s| s.reasons_owned()).unwrap_or_default(),
                    inputs: run.filter_inputs(plugin, info),
                });
            }
        });
        let fits = cells.iter().all(|c| c.verdict == Verdict::Pass);
        let cycle = self.decide();
        let row = |name: &str| cycle.nodes.iter().find(|n| n.name == name);
        let winner = cycle.node.clone().unwrap_or_default();
        let (own, best) = (row(node), row(&winner));
        let weighted = |r: Option<&trace::cycle::NodeRecord>, plugin: &str| {
            r.and_then(|r| r.scores.iter().find(|s| s.plugin == plugin)).map_or(0, |s| s.weighted)
        };
        let scores = own.into_iter().flat_map(|r| r.scores.iter());
        Ok(WhyNot {
            pod: self.pod_ref(),
            node: node.into(),
            cells,
            fits,
            total: own.and_then(|r| r.total),
            best: best.and_then(|r| r.total),
            scores: scores
                .map(|s| (s.plugin.to_string(), s.weighted, weighted(best, &s.plugin)))
                .filter(|(_, here, there)| there > here)
                .collect(),
            goes_to: winner,
        })
    }

    /// Adds the filter plugins that refuse the pod for the nodes after those that are known, until all are or the budget
    /// is spent.
    pub(crate) fn more_refusals(&self, known: &mut Vec<Refusal>, out_of_budget: &mut impl FnMut() -> bool) {
        self.asking(|_, run, pre| {
            let whole: Vec<&PreFilterRecord> =
                pre.refusals.iter().filter(|r| !matches!(r.verdict, Verdict::Pass | Verdict::Skip)).collect();
            for node in self.snapshot.nodes.iter().skip(known.len()) {
                let mut by: BTreeSet<String> = whole.iter().map(|r| r.plugin.clone()).collect();
                let narrowed =
                    |r: &&PreFilterRecord| r.node_names.as_ref().is_some_and(|n| !n.iter().any(|n| **n == *node.name));
                by.extend(pre.refusals.iter().filter(narrowed).map(|r| r.plugin.clone()));
                let refuses = |p: &&&str| run.ask_filter(p, node).is_some_and(|a| a.is_err());
                by.extend(run.filter_names().iter().filter(refuses).map(|p| (*p).to_string()));
                known.push(Refusal { node: node.clone(), by });
                if known.len().is_multiple_of(NODES_BETWEEN) && out_of_budget() {
                    return;
                }
            }
        });
    }

    /// Whether some node passes every filter: as [`Moment::outcome`], without choosing one.
    pub fn feasible(&self) -> bool {
        let Some(framework) = self.framework() else { return false };
        if framework.pre_enqueue(&self.objects.devices, &self.pod).is_err() {
            return false;
        }
        let mut run = Run::new(framework, self.handle(), &self.pod);
        if run.pre_filter(None).refusal.is_some() {
            return false;
        }
        let allowed = |n: &&Arc<NodeInfo>| run.only.as_ref().is_none_or(|only| only.contains(&*n.name));
        self.snapshot.nodes.iter().filter(allowed).any(|n| run.filter_with_nominated(&run.state, n).is_ok())
    }
}
