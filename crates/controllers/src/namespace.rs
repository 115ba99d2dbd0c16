//! namespace-controller: empties a namespace that is being deleted. Models `pkg/controller/namespace`.

use crate::owner::watch_self;
use api::{KINDS, KindRef, Registered, Verb};
use k8s_openapi::api::core::v1::{Namespace, NamespaceCondition, NamespaceStatus, Pod};
use meta::{Key, Time};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Watch};
use std::collections::BTreeMap;
use trace::note;

/// `spec.finalizers`: this controller's own.
const KUBERNETES: &str = "kubernetes";

#[derive(Clone, Default)]
pub struct NamespaceController;

/// What can be deleted in a namespace, besides custom resources.
fn deletable() -> impl Iterator<Item = KindRef> {
    KINDS.iter().copied().filter(|k| k.alias.is_none() && k.namespaced() && k.verbs.contains(&Verb::Delete))
}

/// Content that goes or changes lets a terminating namespace get on. Upstream polls instead, with an estimate
/// of how long the rest will take; the effect is the same, the wait is not.
fn content_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let namespace = Key::new("", change.key.namespace());
    if cx.view.get::<Namespace>(&namespace).is_some_and(|n| n.metadata.deletion_timestamp.is_some()) {
        keys.push(namespace);
    }
}

impl Controller for NamespaceController {
    const NAME: &'static str = "namespace-controller";
    const CUSTOM: Option<fn(&Cx, &Change, &mut Vec<Key>)> = Some(content_changed);

    fn watches() -> Vec<Watch> {
        let content = deletable().map(|kind| Watch { kind, keys: content_changed });
        std::iter::once(watch_self(Namespace::KIND_REF)).chain(content).collect()
    }

    /// Models `namespacedResourcesDeleter.Delete`.
    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(ns) = cx.view.get::<Namespace>(key).filter(|n| n.metadata.deletion_timestamp.is_some()) else {
            return out;
        };
        let finalizers = ns.spec.as_ref().and_then(|s| s.finalizers.clone()).unwrap_or_default();
        if !finalizers.iter().any(|f| f == KUBERNETES) {
            return out;
        }
        let custom = cx.view.kinds().custom().filter(|k| k.namespaced());
        let mut remaining: Vec<String> = Vec::new();
        let mut held: BTreeMap<&str, usize> = BTreeMap::new();
        let mut deletes = Vec::new();
        // Pods first: as long as one is there it may need the rest (`OrderedNamespaceDeletion`).
        let pods_left = cx.view.list_in::<Pod>(key.name()).next().is_some();
        for kind in deletable().chain(custom).filter(|k| !pods_left || *k == Pod::KIND_REF) {
            let mut n = 0;
            for o in cx.view.list_obj_in(kind, key.name()) {
                n += 1;
                for f in o.meta().finalizers.iter().flatten() {
                    *held.entry(f).or_default() += 1;
                }
                if o.meta().deletion_timestamp.is_none() {
                    deletes.push(Intent::delete(o.as_ref()));
                }
            }
            if n > 0 {
                remaining.push(format!("{}.{} has {n} resource instances", kind.plural, kind.group));
            }
        }
        remaining.sort();
        let held: Vec<String> = held.iter().map(|(f, n)| format!("{f} in {n} resource instances")).collect();
        if cx.recording {
            let rest = remaining.join(", ");
            out.note(note!("namespace.content", name = key.name(), deleting = deletes.len(), remaining = rest));
        }
        let status = status(ns, &remaining, &held, cx.now);
        let mut ns = ns.clone();
        if ns.status.as_ref() != Some(&status) {
            ns.status = Some(status);
            out.push(Intent::update_status(ns.clone()));
            ns.metadata.resource_version = None;
        }
        let empty = remaining.is_empty();
        out.intents.extend(deletes);
        if empty {
            if let Some(spec) = ns.spec.as_mut() {
                spec.finalizers = Some(finalizers.into_iter().filter(|f| f != KUBERNETES).collect());
            }
            if cx.recording {
                out.note(note!("namespace.finalize", name = key.name()));
            }
            out.push(Intent::finalize(ns));
        }
        out
    }
}

/// Models `namespaceConditionUpdater`: five conditions, always the same order.
fn status(ns: &Namespace, remaining: &[String], held: &[String], now: Time) -> NamespaceStatus {
    let mut conditions = ns.status.as_ref().and_then(|s| s.conditions.clone()).unwrap_or_default();
    let mut set = |type_: &str, (bad, reason, message): (bool, &str, String)| {
        let mut new = NamespaceCondition {
            type_: type_.into(),
            status: if bad { "True" } else { "False" }.into(),
            reason: Some(reason.into()),
            message: Some(message),
            last_transition_time: Some(now.to_k8s()),
        };
        match conditions.iter_mut().find(|c| c.type_ == type_) {
            None => conditions.push(new),
            Some(old) => {
                if old.status == new.status {
                    new.last_transition_time = old.last_transition_time.clone();
                }
                *old = new;
            }
        }
    };
    let ok = |reason, message: &str| (false, reason, message.to_string());
    set("NamespaceDeletionDiscoveryFailure", ok("ResourcesDiscovered", "All resources successfully discovered"));
    set(
        "NamespaceDeletionGroupVersionParsingFailure",
        ok("ParsedGroupVersions", "All legacy kube types successfully parsed"),
    );
    set(
        "NamespaceDeletionContentFailure",
        ok("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
    );
    set(
        "NamespaceContentRemaining",
        if remaining.is_empty() {
            ok("ContentRemoved", "All content successfully removed")
        } else {
            (true, "SomeResourcesRemain", format!("Some resources are remaining: {}", remaining.join(", ")))
        },
    );
    set(
        "NamespaceFinalizersRemaining",
        if held.is_empty() {
            ok("ContentHasNoFinalizers", "All content-preserving finalizers finished")
        } else {
            let list = held.join(", ");
            let message = format!("Some content in the namespace has finalizers remaining: {list}");
            (true, "SomeFinalizersRemain", message)
        },
    );
    NamespaceStatus { phase: Some("Terminating".into()), conditions: Some(conditions) }
}

#[cfg(test)]
mod tests {
    use super::NamespaceController;
    use crate::testing::{World, pod, rfc3339};
    use expect_test::expect;
    use serde_json::{Value, json};

    fn namespace() -> Value {
        json!({"apiVersion": "v1", "kind": "Namespace",
               "metadata": {"name": "default", "uid": "uid-ns", "resourceVersion": "9",
                            "deletionTimestamp": rfc3339(0)},
               "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Terminating"}})
    }

    /// Modelled on `namespaced_resources_deleter_test.go`.
    #[test]
    fn content_goes_first_then_the_finalizer() {
        let mut w = World::<NamespaceController>::new([
            namespace(),
            pod("a", None, json!({})),
            pod("b", None, json!({"metadata": {"deletionTimestamp": rfc3339(0), "finalizers": ["example.com/x"]}})),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}}),
        ]);
        expect![[r##"
            # namespace.content name=default deleting=1 remaining=pods. has 2 resource instances
            update-status namespaces default {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All resources successfully discovered","reason":"ResourcesDiscovered","status":"False","type":"NamespaceDeletionDiscoveryFailure"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All legacy kube types successfully parsed","reason":"ParsedGroupVersions","status":"False","type":"NamespaceDeletionGroupVersionParsingFailure"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All content successfully deleted, may be waiting on finalization","reason":"ContentDeleted","status":"False","type":"NamespaceDeletionContentFailure"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"Some resources are remaining: pods. has 2 resource instances","reason":"SomeResourcesRemain","status":"True","type":"NamespaceContentRemaining"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"Some content in the namespace has finalizers remaining: example.com/x in 1 resource instances","reason":"SomeFinalizersRemain","status":"True","type":"NamespaceFinalizersRemaining"}],"phase":"Terminating"}
            delete pods default/a grace=None propagation=Some(Background)
        "##]].assert_eq(&w.run("default"));
        w.delete("v1", "Pod", "default/a");
        assert_eq!(format!("{:?}", w.delete("v1", "Pod", "default/b")), "[default]");
        assert!(w.run("default").contains("delete configmaps default/c"), "what pods may need goes after them");
        w.delete("v1", "ConfigMap", "default/c");
        expect![[r##"
            # namespace.content name=default deleting=0 remaining=
            # namespace.finalize name=default
            update-status namespaces default {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All resources successfully discovered","reason":"ResourcesDiscovered","status":"False","type":"NamespaceDeletionDiscoveryFailure"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All legacy kube types successfully parsed","reason":"ParsedGroupVersions","status":"False","type":"NamespaceDeletionGroupVersionParsingFailure"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All content successfully deleted, may be waiting on finalization","reason":"ContentDeleted","status":"False","type":"NamespaceDeletionContentFailure"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All content successfully removed","reason":"ContentRemoved","status":"False","type":"NamespaceContentRemaining"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All content-preserving finalizers finished","reason":"ContentHasNoFinalizers","status":"False","type":"NamespaceFinalizersRemaining"}],"phase":"Terminating"}
            finalize {"apiVersion":"v1","kind":"Namespace","metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z","name":"default","uid":"uid-ns"},"spec":{"finalizers":[]},"status":{"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All resources successfully discovered","reason":"ResourcesDiscovered","status":"False","type":"NamespaceDeletionDiscoveryFailure"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All legacy kube types successfully parsed","reason":"ParsedGroupVersions","status":"False","type":"NamespaceDeletionGroupVersionParsingFailure"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All content successfully deleted, may be waiting on finalization","reason":"ContentDeleted","status":"False","type":"NamespaceDeletionContentFailure"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All content successfully removed","reason":"ContentRemoved","status":"False","type":"NamespaceContentRemaining"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All content-preserving finalizers finished","reason":"ContentHasNoFinalizers","status":"False","type":"NamespaceFinalizersRemaining"}],"phase":"Terminating"}}
        "##]].assert_eq(&w.run("default"));
    }

    #[test]
    fn a_living_namespace_is_left_alone() {
        let mut live = namespace();
        live["metadata"]["deletionTimestamp"] = Value::Null;
        let mut w = World::<NamespaceController>::new([live, pod("a", None, json!({}))]);
        assert_eq!(w.run("default"), "");
    }
}
