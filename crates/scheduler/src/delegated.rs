//! Bindings that are an extender's to make. The extender binds through the API server, which must go on meanwhile: the
//! host takes the questions away, and brings the answers. Models `extendersBinding`.

use crate::extender::BindQuestion;
use crate::framework::PodInfo;
use meta::Key;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A pod that an extender was to bind, its node, and what came of it.
pub(crate) struct Answered {
    pub pod: Arc<PodInfo>,
    pub node: String,
    /// `None`: it failed and may be ignored, so that the pod is bound as any other.
    pub done: Option<Result<(), String>>,
}

#[derive(Clone, Default)]
pub(crate) struct Delegated {
    questions: Vec<BindQuestion>,
    open: BTreeMap<Key, (Arc<PodInfo>, String, bool)>,
    answers: VecDeque<(Key, Result<(), String>)>,
}

impl Delegated {
    pub fn ask(&mut self, pod: &Arc<PodInfo>, node: &str, question: BindQuestion) {
        self.open.insert(pod.key.clone(), (pod.clone(), node.into(), question.extender.ignorable));
        self.questions.push(question);
    }
    pub fn has_questions(&self) -> bool {
        !self.questions.is_empty()
    }
    pub fn take_questions(&mut self) -> Vec<BindQuestion> {
        std::mem::take(&mut self.questions)
    }
    pub fn answer(&mut self, pod: Key, done: Result<(), String>) {
        self.answers.push_back((pod, done));
    }
    pub fn is_due(&self) -> bool {
        !self.answers.is_empty()
    }
    pub fn pop(&mut self) -> Option<Answered> {
        loop {
            let (key, done) = self.answers.pop_front()?;
            if let Some((pod, node, ignorable)) = self.open.remove(&key) {
                let done = if done.is_err() && ignorable { None } else { Some(done) };
                return Some(Answered { pod, node, done });
            }
        }
    }
}
