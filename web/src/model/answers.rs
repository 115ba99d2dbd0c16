//! What the engine answered to the debugger's questions: the newest answer of each topic. Pure.

use protocol::{Answer, Debug};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a question is for. One question of a topic is open at a time; a newer one replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Cell,
    Fixes,
    Remedies,
    History,
    Queue,
    WhyNot,
    WhatIf,
    /// More of a what-if.
    Differences,
    Config,
    SetConfig,
    /// The learner's pick for a held, hidden cycle.
    Pick,
    /// A word to the debugger: breakpoints, steps.
    Order,
}

#[derive(Debug)]
struct Asked {
    id: u64,
    what: Debug,
    answer: Option<Rc<Answer>>,
}

#[derive(Debug, Default)]
pub struct Answers {
    topics: BTreeMap<Topic, Asked>,
}

/// An object as the API server gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched {
    pub path: String,
    pub body: Rc<serde_json::Value>,
}

impl Answers {
    pub fn ask(&mut self, topic: Topic, id: u64, what: Debug) {
        self.topics.insert(topic, Asked { id, what, answer: None });
    }
    /// Whether anybody still waits for it.
    pub fn take(&mut self, topic: Topic, id: u64, answer: Answer) -> bool {
        match self.topics.get_mut(&topic).filter(|asked| asked.id == id) {
            Some(asked) => {
                asked.answer = Some(Rc::new(answer));
                true
            }
            None => false,
        }
    }
    pub fn get(&self, topic: Topic, what: &Debug) -> Option<Rc<Answer>> {
        self.topics.get(&topic).filter(|asked| asked.what == *what).and_then(|asked| asked.answer.clone())
    }
    pub fn waits(&self, topic: Topic, what: &Debug) -> bool {
        self.topics.get(&topic).is_some_and(|asked| asked.what == *what && asked.answer.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_belongs_to_its_question() {
        let fixes = |name: &str| Debug::Fixes { namespace: "default".into(), name: name.into() };
        let mut all = Answers::default();
        all.ask(Topic::Fixes, 1, fixes("a"));
        assert!(all.waits(Topic::Fixes, &fixes("a")));
        all.ask(Topic::Fixes, 2, fixes("b"));
        assert!(!all.take(Topic::Fixes, 1, Answer::Done), "the first question was replaced");
        assert!(all.take(Topic::Fixes, 2, Answer::Done));
        assert!(all.get(Topic::Fixes, &fixes("a")).is_none() && all.get(Topic::Fixes, &fixes("b")).is_some());
    }
}
