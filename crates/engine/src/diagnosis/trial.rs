//! Remedies are tried, each in a copy of the cluster of its own: what helps is what was seen to help.

use super::remedies::{Idea, ideas};
use super::{Case, Trouble};
use crate::actions;
use crate::debugger::Debugger;
use api::{ObjectExt, pods};
use cluster::Cluster;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use meta::{Duration, Key, Time};
use protocol::{Command, Note, Remedy};
use std::collections::VecDeque;
use trace::note;

/// How long a copy lives: a few restarts with their back-off.
const LIFE: Duration = Duration::from_secs(400);
/// What has worked for so many seconds works: longer than a probe of the usual patience takes to give up.
const STEADY: i32 = 120;
/// Turns between two looks.
const TURNS: u32 = 50;

/// What has to work in the end.
#[derive(Clone)]
enum Goal {
    Pod(Key),
    /// Every pod of the topmost controller, in the namespace.
    Of(String, OwnerReference),
    /// The pod of this UID is gone.
    Gone(Key, String),
}

struct Attempt {
    idea: Idea,
    fork: Box<Cluster>,
    began: Time,
}

/// A search for remedies on its way.
pub struct Examination {
    cluster: Box<Cluster>,
    goal: Goal,
    left: VecDeque<Idea>,
    attempt: Option<Attempt>,
    done: Vec<Remedy>,
}

impl Examination {
    /// # Errors
    /// Why nothing can be tried.
    pub fn new(cluster: &Cluster, namespace: &str, name: &str) -> Result<Examination, String> {
        let key = Key::new(namespace, name);
        let pod = cluster.view().get::<Pod>(&key).ok_or_else(|| format!("there is no pod {namespace}/{name}"))?;
        let node = pod.spec.as_ref().and_then(|s| s.node_name.as_deref()).unwrap_or("");
        if cluster.machine(node).is_some_and(cluster::Machine::is_external) {
            return Err(format!("the containers of node {node} are real programs: a copy of the cluster has none"));
        }
        let uid = pod.metadata.uid.as_deref().unwrap_or("");
        let events = super::events(cluster, pod);
        let found = super::of(cluster, pod, &events);
        let trouble = found.map_or(Trouble::Other, |f| f.trouble);
        let left = ideas(&Case { cluster, pod, events: &events }, &trouble).into();
        let goal = match trouble {
            Trouble::Finalizers | Trouble::Stranded => Goal::Gone(key, uid.into()),
            _ => match top(cluster, pod) {
                Some(top) => Goal::Of(namespace.into(), top),
                None => Goal::Pod(key),
            },
        };
        Ok(Examination { cluster: Box::new(cluster.clone()), goal, left, attempt: None, done: Vec::new() })
    }

    /// Goes on until everything was tried, which it says, or out of budget.
    pub fn run(&mut self, mut out_of_budget: impl FnMut() -> bool) -> bool {
        loop {
            if self.attempt.is_none() {
                let Some(idea) = self.left.pop_front() else { return true };
                self.begin(idea);
            }
            let Some(attempt) = &mut self.attempt else { continue };
            let end = attempt.began + LIFE;
            let mut over = false;
            for _ in 0..TURNS {
                if attempt.fork.step(end).is_none() {
                    over = true;
                    break;
                }
            }
            let works = is_reached(&attempt.fork, &self.goal);
            if works || over {
                self.end(works);
            }
            if out_of_budget() {
                return false;
            }
        }
    }

    /// What came of it so far.
    pub fn take(&mut self) -> Vec<Remedy> {
        std::mem::take(&mut self.done)
    }

    /// What is refused does not help.
    fn begin(&mut self, idea: Idea) {
        let mut fork = self.cluster.clone();
        let together = Command::Together { id: 0, commands: idea.commands.clone() };
        let reply = actions::act_with(&mut fork, &mut Debugger::default(), &together);
        match actions::refusal(reply.as_ref()) {
            None => self.attempt = Some(Attempt { idea, fork, began: self.cluster.now() }),
            Some(why) => self.tell(idea, None, Some(note!("remedy.refused", why = why))),
        }
    }

    fn tell(&mut self, idea: Idea, works: Option<u64>, still: Option<Note>) {
        let Idea { note, edit, commands, documents } = idea;
        self.done.push(Remedy { note, edit, commands, documents, works, still });
    }

    fn end(&mut self, works: bool) {
        let Some(Attempt { idea, fork, began }) = self.attempt.take() else { return };
        let took = fork.now().since(began).as_secs();
        let steady = if matches!(self.goal, Goal::Gone(..)) { 0 } else { STEADY.unsigned_abs().into() };
        let still = (!works).then(|| pods_of(&fork, &self.goal).into_iter().find_map(|p| super::of_pod(&fork, p)));
        self.tell(idea, works.then(|| took.saturating_sub(steady)), still.flatten().map(|f| f.diagnosis.note));
    }
}

/// The topmost controller.
fn top(cluster: &Cluster, pod: &Pod) -> Option<OwnerReference> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("");
    let (mut top, mut at) = (None, (pod as &dyn api::Object).controller_ref().cloned());
    while let Some(r) = at.take() {
        at = object(cluster, namespace, &r).and_then(|o| o.controller_ref().cloned());
        top = Some(r);
    }
    top
}

fn object<'a>(cluster: &'a Cluster, namespace: &str, r: &OwnerReference) -> Option<&'a api::Obj> {
    let kind = cluster.view().kinds().by_api_version(&r.api_version, &r.kind)?;
    cluster.view().get_obj(kind, &Key::new(namespace, &r.name))
}

fn pods_of<'a>(cluster: &'a Cluster, goal: &Goal) -> Vec<&'a Pod> {
    let (namespace, top) = match goal {
        Goal::Pod(key) | Goal::Gone(key, _) => return cluster.view().get::<Pod>(key).into_iter().collect(),
        Goal::Of(namespace, top) => (namespace, top),
    };
    // One that was made anew has another UID.
    let uid = object(cluster, namespace, top).map_or(top.uid.as_str(), |o| o.uid());
    let (mut pods, mut owners) = (Vec::new(), vec![uid]);
    while let Some(uid) = owners.pop() {
        for o in cluster.view().dependents(uid).filter(|o| o.controller_ref().is_some_and(|r| r.uid == uid)) {
            match o.downcast::<Pod>() {
                Some(pod) => pods.push(pod),
                None => owners.push(o.uid()),
            }
        }
    }
    pods
}

fn is_reached(cluster: &Cluster, goal: &Goal) -> bool {
    if let Goal::Gone(key, uid) = goal {
        return cluster.view().get::<Pod>(key).is_none_or(|p| p.metadata.uid.as_deref() != Some(uid));
    }
    let (mut any, all) = (false, pods_of(cluster, goal));
    for pod in all.iter().copied().filter(|p| p.metadata.deletion_timestamp.is_none()) {
        any = true;
        // A job's earlier failures stay.
        let fine = pods::phase(pod) == "Succeeded" || pods::is_available(pod, STEADY, cluster.now());
        if !fine && pods::phase(pod) != "Failed" {
            return false;
        }
    }
    any && all.iter().any(|p| pods::phase(p) != "Failed")
}
