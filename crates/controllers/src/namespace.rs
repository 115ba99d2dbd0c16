//! namespace-controller: empties a namespace that is being deleted. Models `pkg/controller/namespace`.

use crate::owner::watch_self;
use api::{KINDS, KindRef, ObjectExt, Registered, Verb};
use k8s_openapi::api::core::v1::{Namespace, NamespaceCondition, NamespaceStatus, Pod};
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use meta::{Duration, Key, Time};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Watch};
use std::collections::BTreeMap;
use trace::note;

/// `spec.finalizers`: this controller's own.
const KUBERNETES: &str = "kubernetes";
/// `namespaceDeletionGracePeriod`
const GRACE_PERIOD: Duration = Duration::from_secs(5);
/// `finalizerEstimateSeconds`
const FINALIZER_SECONDS: u64 = 15;
/// What the queue's back-off comes to after some minutes.
const RETRY_SECONDS: u64 = 15;

#[derive(Clone, Default)]
pub struct NamespaceController;

/// What can be deleted in a namespace, besides custom resources.
fn deletable() -> impl Iterator<Item = KindRef> {
    KINDS.iter().copied().filter(|k| k.alias.is_none() && k.namespaced() && k.verbs.contains(&Verb::Delete))
}

impl Controller for NamespaceController {
    const NAME: &'static str = "namespace-controller";

    fn watches() -> Vec<Watch> {
        vec![watch_self(Namespace::KIND_REF)]
    }

    /// Every API server should know first that nothing more is to be created in it.
    fn batch(change: &Change) -> Duration {
        let terminating = change.new.as_ref().is_some_and(|o| o.is_terminating());
        if terminating { GRACE_PERIOD } else { Duration::ZERO }
    }

    /// Models `namespacedResourcesDeleter.Delete`. What goes at once is gone when the key comes back right after its deletes;
    /// what then remains is waited for.
    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(ns) = cx.view.get::<Namespace>(key).filter(|n| n.metadata.deletion_timestamp.is_some()) else {
            return out;
        };
        let finalizers = ns.spec.as_ref().and_then(|s| s.finalizers.clone()).unwrap_or_default();
        if !finalizers.iter().any(|f| f == KUBERNETES) {
            return out;
        }
        let content = Content::of(cx, key.name());
        if cx.recording {
            let (deleting, remaining) = (content.deletes.len(), content.remaining.join(", "));
            out.note(note!("namespace.content", name = key.name(), deleting = deleting, remaining = remaining));
        }
        out.looked_at(content.seen);
        if !content.deletes.is_empty() {
            out.intents = content.deletes;
            out.enqueue.push(key.clone());
            return out;
        }
        let status = status(ns, &content, cx.now);
        let mut ns = ns.clone();
        if ns.status.as_ref() != Some(&status) {
            ns.status = Some(status);
            out.push(Intent::update_status(ns.clone()));
            ns.metadata.resource_version = None;
        }
        if content.remaining.is_empty() && content.unknown.is_empty() {
            if let Some(spec) = ns.spec.as_mut() {
                spec.finalizers = Some(finalizers.into_iter().filter(|f| f != KUBERNETES).collect());
            }
            if cx.recording {
                out.note(note!("namespace.finalize", name = key.name()));
            }
            out.push(Intent::finalize(ns));
        } else {
            // A failed discovery is tried again like any error.
            let estimate = if content.unknown.is_empty() { content.estimate / 2 + 1 } else { RETRY_SECONDS };
            out.requeue(Duration::from_secs(estimate));
        }
        out
    }
}

/// What is in a namespace that is being deleted.
#[derive(Default)]
struct Content {
    seen: usize,
    deletes: Vec<Intent>,
    /// In the words of the condition.
    remaining: Vec<String>,
    held: Vec<String>,
    /// API groups and versions of which nobody tells what they have.
    unknown: Vec<String>,
    /// How many seconds what remains will take.
    estimate: u64,
}

impl Content {
    fn of(cx: &Cx, namespace: &str) -> Content {
        let mut content = Content { unknown: unknown(cx), ..Content::default() };
        let custom = cx.view.kinds().custom().filter(|k| k.namespaced());
        let mut held: BTreeMap<&str, usize> = BTreeMap::new();
        // Pods first: as long as one is there it may need the rest (`OrderedNamespaceDeletion`).
        let pods_left = cx.view.list_in::<Pod>(namespace).next().is_some();
        for kind in deletable().chain(custom).filter(|k| !pods_left || *k == Pod::KIND_REF) {
            let mut n = 0;
            for o in cx.view.list_obj_in(kind, namespace) {
                n += 1;
                for f in o.meta().finalizers.iter().flatten() {
                    *held.entry(f).or_default() += 1;
                    content.estimate = content.estimate.max(FINALIZER_SECONDS);
                }
                if o.meta().deletion_timestamp.is_none() {
                    content.deletes.push(Intent::delete(o.as_ref()));
                }
            }
            if n > 0 {
                content.remaining.push(format!("{}.{} has {n} resource instances", kind.plural, kind.group));
            }
            content.seen += n;
        }
        let pods = cx.view.list_in::<Pod>(namespace).map(grace_seconds).max();
        content.estimate = content.estimate.max(pods.unwrap_or(0));
        content.remaining.sort();
        content.held = held.iter().map(|(f, n)| format!("{f} in {n} resource instances")).collect();
        content
    }
}

/// What the discovery of all resources fails for: a namespace is not gone while something may be in it that nobody knows.
fn unknown(cx: &Cx) -> Vec<String> {
    let available = |s: &APIService| {
        let conditions = s.status.iter().flat_map(|s| s.conditions.iter().flatten());
        conditions.into_iter().any(|c| c.type_ == "Available" && c.status == "True")
    };
    let remote = cx.view.list::<APIService>().filter(|s| s.spec.as_ref().is_some_and(|s| s.service.is_some()));
    let mut all: Vec<String> = remote
        .filter(|s| !available(s))
        .filter_map(|s| Some(format!("{}/{}", s.spec.as_ref()?.group.as_ref()?, s.spec.as_ref()?.version.as_ref()?)))
        .collect();
    all.sort();
    all
}

/// Models `estimateGracefulTerminationForPods`: one that has finished goes at once.
fn grace_seconds(pod: &Pod) -> u64 {
    let finished =
        pod.status.as_ref().and_then(|s| s.phase.as_deref()).is_some_and(|p| matches!(p, "Succeeded" | "Failed"));
    let grace = pod.spec.as_ref().and_then(|s| s.termination_grace_period_seconds);
    grace.filter(|_| !finished).and_then(|g| u64::try_from(g).ok()).unwrap_or(0)
}

/// Models `namespaceConditionUpdater`: five conditions, always the same order.
fn status(ns: &Namespace, content: &Content, now: Time) -> NamespaceStatus {
    let Content { remaining, held, unknown, .. } = content;
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
    set(
        "NamespaceDeletionDiscoveryFailure",
        if unknown.is_empty() {
            ok("ResourcesDiscovered", "All resources successfully discovered")
        } else {
            let each: Vec<String> = unknown.iter().map(|v| format!("{v}: stale GroupVersion discovery: {v}")).collect();
            let message = format!(
                "Discovery failed for some groups, {} failing: unable to retrieve the complete list of server APIs: {}",
                unknown.len(),
                each.join(", ")
            );
            (true, "DiscoveryFailed", message)
        },
    );
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
        let held = json!({"metadata": {"deletionTimestamp": rfc3339(0), "finalizers": ["example.com/x"]},
                          "spec": {"terminationGracePeriodSeconds": 30}});
        let mut w = World::<NamespaceController>::new([
            namespace(),
            pod("a", None, json!({})),
            pod("b", None, held),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}}),
        ]);
        expect![[r#"
            # namespace.content name=default deleting=1 remaining=pods. has 2 resource instances
            delete pods default/a grace=None propagation=Some(Background)
        "#]]
        .assert_eq(&w.run("default"));
        w.delete("v1", "Pod", "default/a");
        expect![[r##"
            # namespace.content name=default deleting=0 remaining=pods. has 1 resource instances
            update-status namespaces default {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All resources successfully discovered","reason":"ResourcesDiscovered","status":"False","type":"NamespaceDeletionDiscoveryFailure"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All legacy kube types successfully parsed","reason":"ParsedGroupVersions","status":"False","type":"NamespaceDeletionGroupVersionParsingFailure"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"All content successfully deleted, may be waiting on finalization","reason":"ContentDeleted","status":"False","type":"NamespaceDeletionContentFailure"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"Some resources are remaining: pods. has 1 resource instances","reason":"SomeResourcesRemain","status":"True","type":"NamespaceContentRemaining"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"Some content in the namespace has finalizers remaining: example.com/x in 1 resource instances","reason":"SomeFinalizersRemain","status":"True","type":"NamespaceFinalizersRemaining"}],"phase":"Terminating"}
            requeue after 16s
        "##]].assert_eq(&w.run("default"));
        w.delete("v1", "Pod", "default/b");
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
    fn what_another_server_may_have_keeps_a_namespace() {
        let service = json!({"namespace": "wardle", "name": "api"});
        let spec = json!({"group": "wardle.example.com", "version": "v1alpha1", "service": service,
                          "groupPriorityMinimum": 1000, "versionPriority": 15});
        let mut w = World::<NamespaceController>::new([
            namespace(),
            json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
                   "metadata": {"name": "v1alpha1.wardle.example.com"}, "spec": spec,
                   "status": {"conditions": [{"type": "Available", "status": "False"}]}}),
        ]);
        let log = w.run("default");
        assert!(
            log.contains(
                "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: \
                 wardle.example.com/v1alpha1: stale GroupVersion discovery: wardle.example.com/v1alpha1"
            ),
            "{log}"
        );
        assert!(log.contains("requeue after 15s") && !log.contains("finalize {"), "{log}");
        w.delete("apiregistration.k8s.io/v1", "APIService", "v1alpha1.wardle.example.com");
        assert!(w.run("default").contains("finalize {"));
    }

    #[test]
    fn a_living_namespace_is_left_alone() {
        let mut live = namespace();
        live["metadata"]["deletionTimestamp"] = Value::Null;
        let mut w = World::<NamespaceController>::new([live, pod("a", None, json!({}))]);
        assert_eq!(w.run("default"), "");
    }
}
