//! daemonset-controller: a pod on every node that fits. Models `pkg/controller/daemon`.

mod nodes;
mod rollout;
mod status;
#[cfg(test)]
mod tests;

use crate::history::{self, REVISION_LABEL, name, revision_of};
use crate::owner::{self, claim, controller_reference, controllers_concerned};
use crate::pods;
use api::kinds::daemonset::template_generation;
use api::{ObjectExt, Registered};
use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use meta::labels::Selector;
use meta::{Duration, Key, Time};
use reconcile::{Change, Controller, Cx, EventType, Intent, Outcome, Reply, Watch};
use std::collections::{BTreeMap, BTreeSet};
use trace::note;

/// At most so many pods are created or deleted in one sync (`BurstReplicas`).
const BURST: usize = 250;
const GENERATION_LABEL: &str = "pod-template-generation";
/// Between attempts on a node where the pod fails: one second, doubled up to a quarter of an hour.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(900);

#[derive(Clone, Default)]
pub struct DaemonSetController {
    /// By DaemonSet and node: until when a failed pod stays, and how long the last wait was.
    failed: BTreeMap<(Key, String), (Time, Duration)>,
    /// Sets whose last sync was refused something: the status is written before the next attempt.
    refused: BTreeSet<Key>,
}

/// One sync of one DaemonSet.
struct Sync<'a> {
    cx: &'a Cx<'a>,
    ds: &'a DaemonSet,
    spec: &'a DaemonSetSpec,
    /// Nodes by name.
    nodes: Vec<&'a Node>,
    /// Node name to its pods.
    on_node: BTreeMap<&'a str, Vec<&'a Pod>>,
    /// The revision's hash, as pods have it.
    hash: String,
    out: Outcome,
    delete: Vec<&'a Pod>,
    create: Vec<&'a str>,
}

fn selector(ds: &DaemonSet) -> Selector {
    ds.spec.as_ref().map_or(Selector::Nothing, |s| Selector::from_api(Some(&s.selector)).unwrap_or(Selector::Nothing))
}

fn pod_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let (old, new) = (change.old.as_deref(), change.new.as_deref());
    controllers_concerned::<DaemonSet>(cx.view, old, new, selector, keys);
}

/// A node that comes, goes, or changes its labels or taints concerns the sets that run there before or after.
fn node_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let node = |o: &Option<api::Obj>| o.as_ref().and_then(|o| o.downcast::<Node>().cloned());
    let (old, new) = (node(&change.old), node(&change.new));
    if let (Some(a), Some(b)) = (&old, &new)
        && a.metadata.labels == b.metadata.labels
        && a.spec == b.spec
    {
        return;
    }
    for ds in cx.view.list::<DaemonSet>() {
        let runs = |n: &Option<Node>| n.as_ref().map_or((false, false), |n| nodes::should_run(ds, n));
        if runs(&old) != runs(&new) {
            keys.push(owner::key_of(&ds.metadata));
        }
    }
}

impl Controller for DaemonSetController {
    const NAME: &'static str = "daemonset-controller";

    fn user() -> meta::User {
        // Upstream's name of the account.
        meta::User::controller("daemon-set-controller")
    }

    fn watches() -> Vec<Watch> {
        vec![
            owner::watch_self(DaemonSet::KIND_REF),
            Watch { kind: Pod::KIND_REF, keys: pod_changed },
            Watch { kind: Node::KIND_REF, keys: node_changed },
            history::watch_nothing(),
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(ds) = cx.view.get::<DaemonSet>(key) else {
            self.refused.remove(key);
            self.failed.retain(|(k, _), _| k != key);
            return out;
        };
        let Some(spec) = ds.spec.as_ref() else { return out };
        if spec.selector == LabelSelector::default() {
            let message = "This daemon set is selecting all pods. A non-empty selector is required.";
            out.push(Intent::event(ds, EventType::Warning, "SelectingAll", message));
            return out;
        }
        if ds.metadata.deletion_timestamp.is_some() {
            return out;
        }
        let selector = selector(ds);
        let revisions = history::list(cx, ds, &selector, &mut out);
        let collisions = ds.status.as_ref().and_then(|s| s.collision_count).unwrap_or(0);
        let history = history::sync(cx, ds, &spec.template, revisions, collisions, REVISION_LABEL, &mut out);
        let hash = revision_of(&history.update.metadata).to_string();
        let claim = claim::<Pod>(cx.view, ds, &selector, |_| true);
        for i in claim.intents(ds) {
            out.push(i);
        }
        let pods = claim.claimed();
        let nodes: Vec<&Node> = cx.view.list::<Node>().collect();
        out.looked_at(nodes.len() + pods.len());
        let mut on_node: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
        for p in &pods {
            on_node.entry(nodes::target(p)).or_default().push(p);
        }
        for list in on_node.values_mut() {
            list.sort_by_key(|p| nodes::oldest_first(p));
        }
        let mut s = Sync { cx, ds, spec, nodes, on_node, hash, out, delete: Vec::new(), create: Vec::new() };
        let first = s.out.intents.len();
        self.manage(key, &mut s);
        // A rollout goes on where nothing is to be put in order.
        let in_order = s.create.is_empty() && s.delete.is_empty();
        s.carry_out();
        if in_order && s.spec.update_strategy.as_ref().and_then(|u| u.type_.as_deref()) != Some("OnDelete") {
            s.roll_out();
            s.carry_out();
        }
        let live: BTreeSet<&str> = pods.iter().map(|p| revision_of(&p.metadata)).collect();
        let is_live = |r: &k8s_openapi::api::apps::v1::ControllerRevision| {
            name(&r.metadata) == name(&history.update.metadata) || live.contains(revision_of(&r.metadata))
        };
        history::truncate(&history.revisions, is_live, spec.revision_history_limit.unwrap_or(10), &mut s.out);
        if let Some(status) = status::changed(&mut s, history.collisions) {
            let with_status = DaemonSet { status: Some(status), ..ds.clone() };
            // A refused write stops what stands behind it: after a refusal the status goes first.
            let at = if self.refused.contains(key) { first } else { s.out.intents.len() };
            s.out.intents.insert(at, Intent::update_status(with_status));
        }
        s.out
    }

    fn settled(&mut self, _cx: &Cx, key: &Key, replies: &[Reply]) {
        if replies.last().is_some_and(Result::is_err) {
            self.refused.insert(key.clone());
        } else {
            self.refused.remove(key);
        }
    }
}

impl DaemonSetController {
    /// Pods that are missing, failed, too many or in the wrong place. Models `manage` and `podsShouldBeOnNode`.
    fn manage(&mut self, key: &Key, s: &mut Sync<'_>) {
        for node in s.nodes.clone() {
            let node_name = name(&node.metadata);
            let (should_run, should_go_on) = nodes::should_run(s.ds, node);
            let here = s.on_node.get(node_name).cloned().unwrap_or_default();
            if should_run && here.is_empty() {
                s.create.push(node_name);
            } else if should_go_on {
                let running = self.running(key, s, node_name, &here);
                s.prune(node_name, should_run, &running);
            } else {
                s.delete.extend(here.iter().filter(|p| p.metadata.deletion_timestamp.is_none()));
            }
        }
        // Pods that wait for a node which is gone.
        let names: BTreeSet<&str> = s.nodes.iter().map(|n| name(&n.metadata)).collect();
        let lost = s.on_node.iter().filter(|(node, _)| !names.contains(**node)).flat_map(|(_, pods)| pods);
        let lost: Vec<&Pod> = lost
            .copied()
            .filter(|p| pods::node_name(p).is_empty() && p.metadata.deletion_timestamp.is_none())
            .collect();
        s.delete.extend(lost);
    }

    /// The pods of a node that have not ended; those that have are deleted, failed ones ever more slowly.
    fn running<'a>(&mut self, key: &Key, s: &mut Sync<'a>, node: &str, here: &[&'a Pod]) -> Vec<&'a Pod> {
        let mut running = Vec::new();
        for p in here.iter().copied().filter(|p| p.metadata.deletion_timestamp.is_none()) {
            let (namespace, pod) = (p.metadata.namespace.as_deref().unwrap_or(""), name(&p.metadata));
            match pods::phase(p) {
                "Failed" => {
                    let at = (key.clone(), node.to_string());
                    if let Some((until, _)) = self.failed.get(&at).filter(|(until, _)| *until > s.cx.now) {
                        s.out.requeue(until.since(s.cx.now));
                        continue;
                    }
                    let last = self.failed.get(&at).map(|(_, d)| *d);
                    let wait = last.map_or(FIRST_BACKOFF, |d| Duration(d.0 * 2).min(LONGEST_BACKOFF));
                    self.failed.insert(at, (s.cx.now + wait, wait));
                    let message =
                        format!("Found failed daemon pod {namespace}/{pod} on node {node}, will try to kill it");
                    s.out.push(Intent::event(s.ds, EventType::Warning, "FailedDaemonPod", message));
                    s.delete.push(p);
                }
                "Succeeded" => {
                    let message =
                        format!("Found succeeded daemon pod {namespace}/{pod} on node {node}, will try to delete it");
                    s.out.push(Intent::event(s.ds, EventType::Normal, "SucceededDaemonPod", message));
                    s.delete.push(p);
                }
                _ => running.push(p),
            }
        }
        running
    }
}

impl<'a> Sync<'a> {
    fn is_available(&self, p: &Pod) -> bool {
        pods::is_ready(p) && pods::availability_in(p, self.spec.min_ready_seconds.unwrap_or(0), self.cx.now).is_none()
    }

    fn is_updated(&self, p: &Pod) -> bool {
        let of_ds = template_generation(self.ds).to_string();
        let of_pod = p.metadata.labels.as_ref().and_then(|l| l.get(GENERATION_LABEL));
        of_pod.is_some_and(|g| *g == of_ds) || (!self.hash.is_empty() && revision_of(&p.metadata) == self.hash)
    }

    /// One pod a node, or two while one takes over from the other.
    fn prune(&mut self, node: &'a str, should_run: bool, running: &[&'a Pod]) {
        if self.max_surge() == 0 {
            self.delete.extend(running.iter().skip(1));
            return;
        }
        if running.is_empty() && should_run {
            self.create.push(node);
        }
        let (mut new, mut old): (Option<&Pod>, Option<&Pod>) = (None, None);
        for p in running.iter().copied().filter(|_| running.len() > 1) {
            let place = if revision_of(&p.metadata) == self.hash { &mut new } else { &mut old };
            if place.is_none() {
                *place = Some(p);
            } else {
                self.delete.push(p);
            }
        }
        if let (Some(new), Some(old)) = (new, old)
            && (!pods::is_ready(old) || self.is_available(new))
        {
            self.delete.push(old);
        }
    }

    /// Models `syncNodes`.
    fn carry_out(&mut self) {
        let (create, delete) = (std::mem::take(&mut self.create), std::mem::take(&mut self.delete));
        if self.cx.recording {
            let ds = name(&self.ds.metadata);
            for node in create.iter().take(BURST) {
                self.out.note(note!("daemonset.create", name = ds, node = node));
            }
            for p in delete.iter().take(BURST) {
                self.out.note(note!("daemonset.delete", name = ds, pod = name(&p.metadata), node = nodes::target(p)));
            }
        }
        for node in create.into_iter().take(BURST) {
            let pod = nodes::new_pod(self.ds, &self.hash, node);
            let create = Intent::create(pod).on_success(self.ds, "SuccessfulCreate", "Created pod: {name}");
            self.out.push(create.on_failure(self.ds, "FailedCreate", "Error creating: {error}"));
        }
        for p in delete.into_iter().take(BURST) {
            let message = format!("Deleted pod: {}", name(&p.metadata));
            let delete = Intent::delete(p).on_success(self.ds, "SuccessfulDelete", message);
            self.out.push(delete.on_failure(self.ds, "FailedDelete", "Error deleting: {error}"));
        }
    }
}
