//! From a component's intents to API requests, and from requests to trace entries.

use crate::Cluster;
use crate::errand::Errand;
use crate::recorder::Recorded;
use crate::requests;
use apiserver::{Answer, Body, PatchType, Request, RequestVerb, Response};
use k8s_openapi::api::core::v1::{Binding, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{DeleteOptions, ObjectMeta, Preconditions};
use meta::{ApiError, Key};
use reconcile::{Propagation, Reply, Write};
use std::sync::Arc;
use trace::{Seq, What};

/// What became of a component's request.
pub(crate) enum Attempt {
    Done(Reply),
    /// A webhook has to answer first.
    Waits(Box<Request>, Errand),
}

/// What the trace says of a request, taken before the API server consumes it.
pub(crate) struct Summary {
    verb: &'static str,
    resource: &'static str,
    key: Key,
    subresource: &'static str,
}

/// Reads leave no trace.
pub(crate) fn writes(req: &Request) -> bool {
    !matches!(req.verb, RequestVerb::Get | RequestVerb::List | RequestVerb::Watch)
}

impl Summary {
    pub fn of(req: &Request) -> Self {
        Summary {
            verb: req.verb.as_str(),
            resource: req.kind.plural,
            key: Key::new(&req.namespace, &req.name),
            subresource: req.subresource,
        }
    }

    /// It never arrived.
    fn unanswered(self, why: &ApiError) -> What {
        What::Request {
            verb: self.verb.into(),
            resource: self.resource.into(),
            key: self.key,
            subresource: self.subresource.into(),
            code: why.code(),
            revision: 0,
            message: why.message().into(),
        }
    }

    pub fn finish(self, answer: &Answer) -> What {
        // A created object's name may have been generated.
        let key = match (&answer.response, self.key.name().is_empty()) {
            (Response::Object(o), true) => api::ObjectExt::key(&**o),
            _ => self.key,
        };
        let message = match &answer.response {
            Response::Status(s) if answer.code >= 400 => s.message.clone().unwrap_or_default(),
            _ => String::new(),
        };
        What::Request {
            verb: self.verb.into(),
            resource: self.resource.into(),
            key,
            subresource: self.subresource.into(),
            code: answer.code,
            revision: answer.events.last().map_or(0, |e| e.revision),
            message,
        }
    }
}

impl Cluster {
    pub(crate) fn carry_out_intent(&mut self, slot: usize, actor: &Arc<str>, cause: Seq, write: Write) -> Attempt {
        let user = self.slots[slot].component.user().clone();
        // As its user agent begins.
        let manager = self.slots[slot].component.process().split('/').next().unwrap_or("").to_string();
        let mut req = match write {
            Write::Create(o) => requests::create(user, o),
            Write::Update(o) => requests::update(user, "", o),
            Write::UpdateStatus(o) => requests::update(user, "status", o),
            Write::Finalize(o) => requests::update(user, "finalize", o),
            Write::Scale { kind, key, replicas } => requests::scale(user, kind, &key, replicas),
            Write::Patch { kind, key, subresource, patch } => {
                requests::patch(user, kind, &key, subresource, PatchType::Merge, patch)
            }
            Write::PatchStatus(o) => requests::patch_status(user, o),
            Write::Delete { kind, key, uid, grace_seconds, propagation } => {
                let options = DeleteOptions {
                    grace_period_seconds: grace_seconds,
                    preconditions: uid.map(|uid| Preconditions { uid: Some(uid), ..Default::default() }),
                    propagation_policy: propagation.map(|p| {
                        match p {
                            Propagation::Orphan => "Orphan",
                            Propagation::Background => "Background",
                            Propagation::Foreground => "Foreground",
                        }
                        .into()
                    }),
                    ..Default::default()
                };
                requests::delete(user, kind, &key, options)
            }
            Write::Bind { pod, uid, node } => {
                let binding = Binding {
                    metadata: ObjectMeta {
                        name: Some(pod.name().into()),
                        namespace: Some(pod.namespace().into()),
                        uid,
                        ..Default::default()
                    },
                    target: ObjectReference { kind: Some("Node".into()), name: Some(node), ..Default::default() },
                };
                requests::post(user, &api::kinds::pod::KIND, &pod, "binding", Body::Binding(Box::new(binding)))
            }
            Write::Event { regarding, event_type, reason, message } => {
                let component = &self.slots[slot].component;
                // What is said of leases goes by the older one.
                let new_api = matches!(component.process(), "kube-scheduler" | "kube-proxy")
                    && !component.as_any().is::<reconcile::Elector>();
                let source = component.event_source();
                let event = crate::recorder::Wanted { regarding, event_type, reason, message, source, new_api };
                match self.recorder.record(event, self.now, &self.view, &mut self.rng) {
                    Recorded::Create(e) => requests::create(user, e),
                    Recorded::Patch(key, patch) => {
                        requests::patch(user, &api::kinds::event::KIND, &key, "", PatchType::Merge, patch)
                    }
                    Recorded::Dropped => return Attempt::Done(Ok(None)),
                }
            }
        };
        req.options.field_manager = manager;
        if self.slots[slot].cut {
            let what = Summary::of(&req).unanswered(&Self::no_answer());
            self.trace.push(self.now, cause, actor, what);
            return Attempt::Done(Err(Self::no_answer()));
        }
        let errand = self.parks(req.kind).then(Errand::default);
        self.attempt(actor, cause, req, errand)
    }

    /// Sends a component's request; with an errand, without waiting for webhooks.
    pub(crate) fn attempt(&mut self, actor: &Arc<str>, cause: Seq, req: Request, errand: Option<Errand>) -> Attempt {
        let Some(errand) = errand else { return Attempt::Done(self.execute(actor, cause, req).0.into_result()) };
        let answer = self.execute_on(actor, cause, req.clone(), Some(&errand)).0;
        match answer.code {
            apiserver::WAITS => Attempt::Waits(Box::new(req), errand),
            _ => Attempt::Done(answer.into_result()),
        }
    }
}
