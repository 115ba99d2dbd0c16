//! Custom resources that a webhook brings from one version to another. Models
//! `apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go`. Objects are stored in the definition's storage
//! version; several that one request is about go to the webhook together.

mod review;

use crate::admission::webhooks::call::{Outcome, ask};
use crate::admission::webhooks::waits;
use crate::fields::ledger::Ledger;
use crate::request::{Request, RequestVerb};
use crate::response::{Response, WatchFrom, WatchSpec};
use crate::server::{Cx, Plan, Reply};
use crate::stored::Stored;
use crate::{decode, keys};
use api::kinds::customresourcedefinition::conversion::client;
use api::{KindRef, Obj, ObjectExt, Registered};
use k8s_openapi::api::admissionregistration::v1::MutatingWebhook;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use meta::ApiError;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::types::Key;
use store::{Backend, Entry, Op, Store};

/// Seconds.
const TIMEOUT: i32 = 30;

/// What a webhook has made of objects, by their places and the revisions of their last changes.
pub type Converted = BTreeMap<(Key, u64), Stored>;

/// Who converts the objects of a definition.
pub(crate) struct Converter {
    hook: MutatingWebhook,
    /// The version of the reviews.
    review: &'static str,
    /// The version that is stored.
    storage: KindRef,
}

/// `None`: objects differ in the name of the version only.
pub(crate) fn converter(cx: &Cx<'_>, kind: KindRef) -> Option<Converter> {
    let entry = cx.object(CustomResourceDefinition::KIND_REF, "", &kind.custom?.name)?;
    let definition = entry.value.0.downcast::<CustomResourceDefinition>()?;
    let webhook = definition.spec.conversion.as_ref().filter(|c| c.strategy == "Webhook")?.webhook.as_ref()?;
    let client_config = client(webhook.client_config.as_ref()?);
    let known = |v: &String| ["v1", "v1beta1"].into_iter().find(|known| v == known);
    Some(Converter {
        hook: MutatingWebhook { client_config, timeout_seconds: Some(TIMEOUT), ..Default::default() },
        review: webhook.conversion_review_versions.iter().find_map(known)?,
        storage: cx.server.kinds().custom().find(|k| k.id == kind.id)?,
    })
}

/// The same object in another version: who owns its fields stays.
fn replaced(was: &Stored, object: Obj) -> Stored {
    let ledger = if was.1.is_empty() { Ledger::default() } else { Ledger::of((*was.1.managed(&*was.0)).clone()) };
    Stored(object, ledger)
}

impl Converter {
    /// Objects in the version `to`.
    fn convert(&self, cx: &mut Cx<'_>, objects: &[Obj], to: KindRef) -> Result<Vec<Obj>, ApiError> {
        let others: Vec<&Obj> = objects.iter().filter(|o| o.kind().version != to.version).collect();
        let mut made = if others.is_empty() { Vec::new() } else { self.ask(cx, &others, to)? }.into_iter();
        let converted = objects.iter().map(|o| {
            if o.kind().version == to.version {
                return Some(decode::in_form(Some(to), o.clone()));
            }
            made.next()
        });
        Ok(converted.flatten().collect())
    }

    fn ask(&self, cx: &mut Cx<'_>, objects: &[&Obj], to: KindRef) -> Result<Vec<Obj>, ApiError> {
        let gvk = objects.first().map_or(to, |o| o.kind());
        let said = |why: String| {
            ApiError::new(500, "", format!("conversion webhook for {}, Kind={} {why}", gvk.api_version(), gvk.kind))
        };
        // Draws only where somebody really reads it.
        let uid = if cx.callees.caller.is_some() { cx.rng.uuid() } else { String::new() };
        let trees: Vec<_> = objects.iter().map(|o| o.to_value()).collect();
        let question = || review::question(self.review, &uid, &to.api_version(), &trees);
        let body = match ask(cx, &self.hook, question) {
            Ok(Outcome::Said(body)) => body,
            Ok(Outcome::Waits) => return Err(waits()),
            Ok(Outcome::Passes) => return Err(said("failed: simulated programs convert nothing".into())),
            Err(why) => return Err(said(format!("failed: {why}"))),
        };
        let converted = review::converted(&body, self.review, &uid).map_err(|why| said(format!("failed: {why}")))?;
        if converted.len() != trees.len() {
            return Err(said(format!("returned {} objects, expected {}", converted.len(), trees.len())));
        }
        let mut made = Vec::new();
        for (i, (original, tree)) in trees.iter().zip(converted).enumerate() {
            let at = (trees.len() > 1).then_some(i);
            let tree = review::checked(original, tree, &to.api_version(), at).map_err(&said)?;
            let mut object = to.from_value(tree).map_err(|e| said(format!("returned invalid object: {e}")))?;
            (to.default)(&mut *object);
            made.push(Arc::from(object));
        }
        Ok(made)
    }

    /// A copy of the store in which what a write is about has the version that the request speaks.
    ///
    /// # Errors
    /// What comes of the webhook.
    pub fn before(&self, cx: &mut Cx<'_>, req: &Request) -> Result<Option<Store<Stored>>, ApiError> {
        let namespace = if req.kind.namespaced() { req.namespace.as_str() } else { "" };
        let found: Vec<(Key, Entry<Stored>)> = match req.verb {
            RequestVerb::Get if req.subresource != "scale" => return Ok(None),
            RequestVerb::Get | RequestVerb::Update | RequestVerb::Patch(_) | RequestVerb::Delete => {
                let key = keys::of_parts(req.kind, namespace, &req.name);
                cx.store.get(&key).map(|e| (key, e)).into_iter().collect()
            }
            RequestVerb::DeleteCollection => below(cx, req.kind, namespace),
            // What a selector finds depends on the fields of the version that is asked for.
            RequestVerb::List if !req.options.field_selector.is_empty() => below(cx, req.kind, namespace),
            RequestVerb::List | RequestVerb::Watch | RequestVerb::Create => return Ok(None),
        };
        let converted = self.entries(cx, found, req.kind)?;
        if converted.is_empty() {
            return Ok(None);
        }
        let mut copy = cx.store.clone();
        for ((key, _), value) in converted {
            copy.disguise(&key, value);
        }
        Ok(Some(copy))
    }

    /// Those that have another version than `to`, in that one.
    fn entries(&self, cx: &mut Cx<'_>, found: Vec<(Key, Entry<Stored>)>, to: KindRef) -> Result<Converted, ApiError> {
        let others: Vec<_> = found.into_iter().filter(|(_, e)| e.value.0.kind().version != to.version).collect();
        let objects: Vec<Obj> = others.iter().map(|(_, e)| e.value.0.clone()).collect();
        let made = self.convert(cx, &objects, to)?;
        let both = others.into_iter().zip(made);
        Ok(both.map(|((key, e), o)| ((key, e.mod_revision), replaced(&e.value, o))).collect())
    }

    /// Brings what is about to be written into the version that is stored, and what is answered into the one that the request
    /// speaks.
    ///
    /// # Errors
    /// What comes of the webhook.
    pub fn after(&self, cx: &mut Cx<'_>, plan: &mut Plan, form: KindRef) -> Result<(), ApiError> {
        let puts = plan.txns.iter_mut().flat_map(|t| &mut t.ops).filter_map(|op| match op {
            Op::Put { value, .. } if value.0.kind().id == self.storage.id => Some(value),
            _ => None,
        });
        let (mut answer, dry_run) = (None, cx.dry_run);
        for value in puts {
            if dry_run || value.0.kind().version == self.storage.version {
                continue;
            }
            let stored = self.convert(cx, std::slice::from_ref(&value.0), self.storage)?;
            let mut back = self.convert(cx, &stored, form)?;
            if let (true, Some(o)) = (cx.seen.managed, back.first_mut()) {
                let mut owned = o.clone_object();
                owned.meta_mut().managed_fields.clone_from(&value.full().meta().managed_fields);
                *o = Arc::from(owned);
            }
            answer = back.pop();
            if let Some(stored) = stored.into_iter().next() {
                *value = replaced(value, stored);
            }
        }
        match (&mut plan.reply, answer) {
            (reply @ Reply::Written, Some(answer)) => *reply = Reply::Converted(answer),
            (Reply::Fixed(Response::List { items, .. }), _) => *items = self.convert(cx, items, form)?,
            (Reply::Fixed(Response::Watch(spec)), _) => {
                spec.is_converted = true;
                spec.converted = self.watched(cx, spec)?;
            }
            (reply @ Reply::Stored(_), _) => {
                let Reply::Stored(o) = &*reply else { return Ok(()) };
                let o = if cx.seen.managed { o.full() } else { o.0.clone() };
                if let Some(o) = self.convert(cx, &[o], form)?.pop() {
                    *reply = Reply::Fixed(Response::Object(o));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What a watch sends at its beginning.
    fn watched(&self, cx: &mut Cx<'_>, spec: &WatchSpec) -> Result<Converted, ApiError> {
        let found = match spec.from {
            WatchFrom::Now => Vec::new(),
            WatchFrom::State { .. } => below(cx, spec.kind, &spec.namespace),
            WatchFrom::Revision(from) => {
                let prefix = keys::prefix(spec.kind, &spec.namespace);
                let events = cx.store.iter_events_since(from).into_iter().flatten();
                let events = events.filter(|e| e.key.starts_with(&prefix));
                events.flat_map(both).collect()
            }
        };
        self.entries(cx, found, spec.form.unwrap_or(spec.kind))
    }

    /// The same for a change that has come.
    ///
    /// # Errors
    /// What comes of the webhook.
    pub fn changed(
        &self,
        cx: &mut Cx<'_>,
        spec: &WatchSpec,
        event: &store::Event<Stored>,
    ) -> Result<Converted, ApiError> {
        self.entries(cx, both(event).collect(), spec.form.unwrap_or(spec.kind))
    }
}

fn below(cx: &Cx<'_>, kind: KindRef, namespace: &str) -> Vec<(Key, Entry<Stored>)> {
    let prefix = keys::prefix(kind, namespace);
    cx.store.iter_range(&prefix, &keys::range_end(&prefix)).map(|(k, e)| (k.clone(), e.clone())).collect()
}

/// What was there before a change and after it.
fn both(e: &store::Event<Stored>) -> impl Iterator<Item = (Key, Entry<Stored>)> {
    [&e.old, &e.new].into_iter().flatten().map(|entry| (e.key.clone(), entry.clone()))
}
