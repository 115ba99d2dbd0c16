//! Questions whose answers take long. They are worked on in slices, between messages and turns; the moment they are about
//! is kept, so that what happens meanwhile does not change the answer.

use super::{Debugger, documents, refused};
use crate::diagnosis::Examination;
use cluster::Cluster;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use meta::Key;
use protocol::debug::{Answer, Debug, Fixes, OfferedFix};
use protocol::{Command, Reply};
use scheduler::Moment;
use scheduler::fixes::Search;
use std::collections::VecDeque;
use std::sync::Arc;
use trace::cycle::PodRef;

/// Something that takes long, on its way.
pub enum Errand {
    Fixes(Box<Fixing>),
    Remedies(Box<Examination>),
}

impl Errand {
    /// Goes on until it has the answer or is out of budget. `cluster` is the present one.
    pub fn run(&mut self, cluster: &Cluster, out_of_budget: impl FnMut() -> bool) -> Option<Answer> {
        match self {
            Errand::Fixes(fixing) => fixing.run(cluster, out_of_budget),
            Errand::Remedies(examination) => {
                examination.run(out_of_budget).then(|| Answer::Remedies { remedies: examination.take() })
            }
        }
    }
}

/// A search for fixes on its way.
pub struct Fixing {
    pod: PodRef,
    /// The node the pod is on: then there is nothing to search for.
    fits: String,
    search: Option<(Arc<Moment>, Search)>,
}

impl Fixing {
    /// Goes on until it has the answer or is out of budget. `cluster` is the present one: its controllers' templates are
    /// what edits are shown in.
    pub fn run(&mut self, cluster: &Cluster, out_of_budget: impl FnMut() -> bool) -> Option<Answer> {
        if self.search.as_mut().is_some_and(|(_, search)| !search.run(out_of_budget)) {
            return None;
        }
        let pod = self.pod.clone();
        let Some((moment, search)) = self.search.take() else {
            return Some(Answer::Fixes(Fixes { pod, fits: self.fits.clone(), ..Fixes::default() }));
        };
        let found = search.finish();
        let offered = found.fixes.into_iter().map(|p| {
            let documents = documents::of(cluster, &moment.pod.pod, &p.ops);
            OfferedFix { fix: p.fix, documents }
        });
        Some(Answer::Fixes(Fixes { pod, fits: found.fits, fixes: offered.collect(), tried: found.tried }))
    }
}

impl Debugger {
    /// Begins to search for what would make the pod fit.
    ///
    /// # Errors
    /// Why there is nothing to search in.
    pub(super) fn find_fixes(&self, cluster: &Cluster, namespace: &str, name: &str) -> Result<Errand, String> {
        if self.hides(0, namespace, name) {
            return Err("the decision is hidden until a node is picked".into());
        }
        let key = Key::new(namespace, name);
        let pod = PodRef { namespace: namespace.into(), name: name.into() };
        let bound = cluster.view().get::<Pod>(&key).and_then(|p| p.spec.as_ref()?.node_name.clone());
        if let Some(node) = bound.filter(|n| !n.is_empty()) {
            return Ok(Errand::Fixes(Box::new(Fixing { pod, fits: node, search: None })));
        }
        let moment = self.moment(cluster, 0, namespace, name)?;
        let classes = cluster.view().list::<PriorityClass>();
        let classes = classes.map(|c| (c.metadata.name.clone().unwrap_or_default(), c.value)).collect();
        let search = Search::new(moment.clone(), classes);
        let search = Some((moment, search));
        Ok(Errand::Fixes(Box::new(Fixing { pod, fits: String::new(), search })))
    }
}

/// Errands of one page, with the numbers of its commands: the oldest goes first.
#[derive(Default)]
pub struct Errands(VecDeque<(u64, Errand)>);

impl Errands {
    /// Takes the command if its answer takes long, with the reply if there is one already. `None`: it is no errand.
    pub fn take(&mut self, cluster: &mut Cluster, debugger: &mut Debugger, command: &Command) -> Option<Vec<Reply>> {
        let Command::Debug { id, debug } = command else { return None };
        let errand = match debug {
            Debug::Fixes { namespace, name } => {
                debugger.sync(cluster);
                debugger.find_fixes(cluster, namespace, name)
            }
            Debug::Remedies { namespace, name } => {
                Examination::new(cluster, namespace, name).map(|e| Errand::Remedies(Box::new(e)))
            }
            _ => return None,
        };
        match errand {
            Ok(errand) => {
                self.0.push_back((*id, errand));
                Some(Vec::new())
            }
            Err(why) => Some(vec![Reply::Debug { id: *id, answer: refused(why) }]),
        }
    }

    /// Works on them until the budget is spent, or one is answered.
    pub fn run(&mut self, cluster: &Cluster, out_of_budget: impl FnMut() -> bool) -> Option<Reply> {
        let (id, errand) = self.0.front_mut()?;
        let (id, answer) = (*id, errand.run(cluster, out_of_budget)?);
        self.0.pop_front();
        Some(Reply::Debug { id, answer })
    }

    /// Another cluster takes the place of the one they are about.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
