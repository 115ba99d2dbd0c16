//! Requests that webhooks have a word about, without anybody else waiting for them. A request that lacks an answer is given up
//! before anything is written. The host fetches the answer, and the request begins anew as it began at first, at the same time
//! and with the same draws, so that the same questions come up; what has changed meanwhile is asked about again.

use crate::{Cluster, HttpOutcome};
use apiserver::http::HttpRequest;
use apiserver::watch::Watcher;
use apiserver::{ApiCx, Call, Caller, Said, Stored};
use meta::{Rng, Time};
use std::sync::{Arc, Mutex, PoisonError};

/// One request on its way, and what webhooks have said about it. Clones are the same request.
#[derive(Clone, Debug, Default)]
pub struct Errand(Arc<Mutex<State>>);

/// Answers to questions that no attempt asks any more. What a request is about changes faster then than webhooks answer, and
/// the cluster waits for them.
const STALE_MAX: u32 = 16;

#[derive(Debug, Default)]
struct State {
    /// When it began, and what it draws from.
    begun: Option<(Time, Rng)>,
    said: Vec<Heard>,
    missing: Option<Call>,
    stale: u32,
}

#[derive(Debug)]
struct Heard {
    asked: Call,
    said: Said,
    /// The latest attempt asked for it, or none has had it.
    used: bool,
}

impl Errand {
    fn state<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a webhook has said; the request may begin anew.
    pub fn hear(&self, call: Call, said: Said) {
        self.state(|s| s.said.push(Heard { asked: call, said, used: true }));
    }

    /// Another attempt; what the one before did not ask for is forgotten.
    pub(crate) fn begin(&self, now: Time, draws: impl FnOnce() -> Rng) -> (Time, Rng) {
        self.state(|s| {
            let heard = s.said.len();
            s.said.retain_mut(|h| std::mem::take(&mut h.used));
            s.stale += u32::try_from(heard - s.said.len()).unwrap_or(u32::MAX);
            s.begun.get_or_insert_with(|| (now, draws())).clone()
        })
    }

    pub(crate) fn is_hopeless(&self) -> bool {
        self.state(|s| s.stale > STALE_MAX)
    }

    /// The question that the request was given up for.
    pub(crate) fn take_missing(&self) -> Option<Call> {
        self.state(|s| s.missing.take())
    }
}

impl Caller for Errand {
    fn post(&self, call: &Call) -> Option<Said> {
        self.state(|s| {
            if let Some(heard) = s.said.iter_mut().find(|h| h.asked == *call) {
                heard.used = true;
                return Some(heard.said.clone());
            }
            s.missing = Some(call.clone());
            None
        })
    }
}

impl Cluster {
    /// The frame that a watch sends for a store event, if any, without waiting for the webhook that converts its object.
    ///
    /// # Errors
    /// A question that has to be answered first ([`Errand::hear`]).
    pub fn watch_event(
        &mut self,
        watcher: &mut Watcher,
        event: &store::Event<Stored>,
        errand: &Errand,
    ) -> Result<Option<Vec<u8>>, Box<Call>> {
        if watcher.needs_conversion(event) {
            let mut callees = self.callees(Some(watcher.spec().kind));
            let (now, mut rng) = errand.begin(self.now, || self.rng.fork());
            if callees.caller.is_some() {
                callees.caller = Some(Arc::new(errand.clone()));
            }
            let mut cx = ApiCx { now, store: &mut self.store, rng: &mut rng, accounts_come: false, callees: &callees };
            let made = self.api.convert_event(&mut cx, watcher.spec(), event);
            if let Some(call) = errand.take_missing() {
                return Err(Box::new(call));
            }
            if let Some(end) = watcher.converted(made) {
                return Ok(Some(end));
            }
        }
        Ok(watcher.event(event, self.now))
    }

    /// [`Cluster::http`], without waiting for webhooks.
    ///
    /// # Errors
    /// A question that has to be answered first ([`Errand::hear`]).
    pub fn try_http(&mut self, req: HttpRequest<'_>, errand: &Errand) -> Result<HttpOutcome, Box<Call>> {
        let you = self.lanes.you.clone();
        let outcome = self.http_of(&you, req, Some(errand));
        errand.take_missing().map_or(Ok(outcome), |call| Err(Box::new(call)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use apiserver::{Target, Trust};
    use meta::Duration;

    fn question(body: &str) -> Call {
        Call {
            target: Target::Host("hook".into(), 443),
            method: "POST".into(),
            path: "/".into(),
            headers: Vec::new(),
            trust: Trust::default(),
            timeout: Duration::from_secs(10),
            body: body.into(),
        }
    }

    fn attempt(errand: &Errand, body: &str) -> Option<Said> {
        errand.begin(Time::from_secs(0), || Rng::new(1));
        errand.post(&question(body))
    }

    #[test]
    fn an_answer_is_kept_while_the_question_is_asked() {
        let errand = Errand::default();
        for _ in 0..3 * STALE_MAX {
            if let Some(said) = attempt(&errand, "same") {
                assert_eq!(said, Ok((200, b"yes".to_vec())));
            }
            if let Some(call) = errand.take_missing() {
                errand.hear(call, Ok((200, b"yes".to_vec())));
            }
        }
        assert!(!errand.is_hopeless());
    }

    #[test]
    fn what_always_changes_is_hopeless_in_the_end() {
        let errand = Errand::default();
        let mut attempts = 0;
        while !errand.is_hopeless() {
            attempts += 1;
            assert!(attempts < 100, "it begins anew for ever");
            assert_eq!(attempt(&errand, &attempts.to_string()), None);
            let call = errand.take_missing().unwrap();
            errand.hear(call, Ok((200, Vec::new())));
        }
        // The first answer becomes stale with the third attempt.
        assert_eq!(attempts, STALE_MAX + 3);
    }
}
