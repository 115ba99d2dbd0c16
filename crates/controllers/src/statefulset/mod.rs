//! statefulset-controller: pods with names, in order. Models `pkg/controller/statefulset`.

mod claims;
mod identity;
mod status;
mod sync;
#[cfg(test)]
mod tests;

use crate::history;
use crate::owner::{self, controllers_concerned};
use api::Registered;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use meta::Key;
use meta::labels::Selector;
use reconcile::{Change, Controller, Cx, Outcome, Reply, Watch};
use std::collections::BTreeSet;

#[derive(Clone, Default)]
pub struct StatefulSetController {
    /// Sets whose last sync was refused something: the status is written before the next attempt.
    refused: BTreeSet<Key>,
}

fn selector(set: &StatefulSet) -> Selector {
    set.spec.as_ref().map_or(Selector::Nothing, |s| Selector::from_api(Some(&s.selector)).unwrap_or(Selector::Nothing))
}

fn pod_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let (old, new) = (change.old.as_deref(), change.new.as_deref());
    controllers_concerned::<StatefulSet>(cx.view, old, new, selector, keys);
}

impl Controller for StatefulSetController {
    const NAME: &'static str = "statefulset-controller";

    fn watches() -> Vec<Watch> {
        vec![
            owner::watch_self(StatefulSet::KIND_REF),
            Watch { kind: Pod::KIND_REF, keys: pod_changed },
            Watch { kind: PersistentVolumeClaim::KIND_REF, keys: |_, _, _| {} },
            history::watch_nothing(),
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let Some(set) = cx.view.get::<StatefulSet>(key) else {
            self.refused.remove(key);
            return Outcome::done();
        };
        sync::sync(cx, set, &selector(set), self.refused.contains(key))
    }

    fn settled(&mut self, _cx: &Cx, key: &Key, replies: &[Reply]) {
        if replies.last().is_some_and(Result::is_err) {
            self.refused.insert(key.clone());
        } else {
            self.refused.remove(key);
        }
    }
}
