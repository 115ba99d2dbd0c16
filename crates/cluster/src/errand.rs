//! Requests that webhooks have a word about, without anybody else waiting for them. A request that lacks an answer is given up
//! before anything is written. The host fetches the answer, and the request begins anew as it began at first, at the same time
//! and with the same draws, so that the same questions come up; what has changed meanwhile is asked about again.

use crate::{Cluster, HttpOutcome};
use api::Registered;
use apiserver::http::HttpRequest;
use apiserver::watch::Watcher;
use apiserver::{ApiCx, Call, Caller, Said, Stored};
use k8s_openapi::api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use meta::{Rng, Time};
use std::sync::{Arc, Mutex, PoisonError};

/// One request on its way, and what webhooks have said about it. Clones are the same request.
#[derive(Clone, Debug, Default)]
pub struct Errand(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// When it began, and what it draws from.
    begun: Option<(Time, Rng)>,
    said: Vec<(Call, Said)>,
    missing: Option<Call>,
}

impl Errand {
    fn state<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a webhook has said; the request may begin anew.
    pub fn hear(&self, call: Call, said: Said) {
        self.state(|s| s.said.push((call, said)));
    }

    pub(crate) fn begin(&self, now: Time, draws: impl FnOnce() -> Rng) -> (Time, Rng) {
        self.state(|s| s.begun.get_or_insert_with(|| (now, draws())).clone())
    }

    /// The question that the request was given up for.
    pub(crate) fn take_missing(&self) -> Option<Call> {
        self.state(|s| s.missing.take())
    }
}

impl Caller for Errand {
    fn post(&self, call: &Call) -> Option<Said> {
        self.state(|s| {
            let known = s.said.iter().find(|(asked, _)| asked == call).map(|(_, said)| said.clone());
            if known.is_none() {
                s.missing = Some(call.clone());
            }
            known
        })
    }
}

impl Cluster {
    /// Whether a request can meet a webhook that is really called.
    pub(crate) fn has_webhooks(&self) -> bool {
        let kinds = [MutatingWebhookConfiguration::KIND_REF, ValidatingWebhookConfiguration::KIND_REF];
        self.webhook_caller.is_some() && (kinds.iter().any(|k| self.view.count(k) > 0) || self.converts())
    }

    fn converts(&self) -> bool {
        let definitions = self.view.list::<CustomResourceDefinition>();
        definitions.filter_map(|d| d.spec.conversion.as_ref()).any(|c| c.strategy == "Webhook")
    }

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
            let mut callees = self.callees(Some(watcher.spec().kind.plural));
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
