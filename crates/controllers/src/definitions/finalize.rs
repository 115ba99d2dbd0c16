//! Models `pkg/controller/finalizer`: a definition that is being deleted takes its objects with it.

use super::{PROCESS, condition, user};
use api::kinds::customresourcedefinition::{CLEANUP, set_condition};
use api::{KindRef, Registered};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition as Definition;
use meta::{Key, User};
use reconcile::{Change, Controller, Cx, Intent, Outcome, View, Watch};
use serde_json::json;

const TERMINATING: &str = "Terminating";

#[derive(Clone, Default)]
pub struct DefinitionFinalizer;

fn terminating(d: &Definition) -> bool {
    d.metadata.deletion_timestamp.is_some()
}

fn changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let d = change.new.as_ref().and_then(|o| api::ObjectExt::downcast::<Definition>(&**o));
    if d.is_some_and(terminating) {
        keys.push(change.key.clone());
    }
}

/// One of its objects is gone: perhaps the last one.
fn content_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let Some(custom) = change.kind.custom else { return };
    let key = Key::new("", &custom.name);
    if cx.view.get::<Definition>(&key).is_some_and(terminating) {
        keys.push(key);
    }
}

fn kind_of(view: &View, name: &str) -> Option<KindRef> {
    view.kinds().custom().find(|k| k.custom.is_some_and(|c| c.name == name))
}

impl Controller for DefinitionFinalizer {
    const NAME: &'static str = "crd-finalizer";
    const PROCESS: &'static str = PROCESS;
    const CUSTOM: Option<fn(&Cx, &Change, &mut Vec<Key>)> = Some(content_changed);

    fn user() -> User {
        user()
    }
    fn watches() -> Vec<Watch> {
        vec![Watch { kind: Definition::KIND_REF, keys: changed }]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(d) = cx.view.get::<Definition>(key).filter(|d| terminating(d)) else { return out };
        let finalizers = d.metadata.finalizers.as_deref().unwrap_or_default();
        if !finalizers.iter().any(|f| f == CLEANUP) {
            return out;
        }
        let mut new = d.clone();
        if condition(d, TERMINATING).is_none_or(|c| c.reason.as_deref() != Some("InstanceDeletionInProgress")) {
            let why = "CustomResource deletion is in progress";
            set_condition(&mut new, TERMINATING, "True", "InstanceDeletionInProgress", why, cx.now);
            out.push(Intent::update_status(new));
            // The change brings it back here.
            return out;
        }
        let kind = kind_of(cx.view, key.name());
        let mut left = 0;
        for o in kind.into_iter().flat_map(|k| cx.view.list_obj(k)) {
            left += 1;
            if o.meta().deletion_timestamp.is_none() {
                out.push(Intent::delete(&**o));
            }
        }
        out.looked_at(left);
        if left > 0 {
            return out;
        }
        set_condition(&mut new, TERMINATING, "False", "InstanceDeletionCompleted", "removed all instances", cx.now);
        out.push(Intent::update_status(new));
        let rest: Vec<&String> = finalizers.iter().filter(|f| *f != CLEANUP).collect();
        let patch = json!({ "metadata": { "finalizers": rest } });
        out.push(Intent::patch(Definition::KIND_REF, key.clone(), "", patch));
        out
    }
}
