//! pod-garbage-collector-controller: pods that nobody will finish. Models `pkg/controller/podgc`.

use crate::owner::key_of;
use crate::pods;
use k8s_openapi::api::core::v1::{Node, Pod, PodCondition};
use meta::{Duration, Key, Time, User};
use reconcile::{Controller, Cx, Intent, Outcome, Watch, Write};
use std::collections::BTreeMap;
use trace::note;

const PERIOD: Duration = Duration::from_secs(20);
/// A node has to be gone for so long until its pods count as orphaned.
const QUARANTINE: Duration = Duration::from_secs(40);
/// `--terminated-pod-gc-threshold`.
const TERMINATED_THRESHOLD: usize = 12_500;
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";
/// The only item: one pass over all pods, every 20 seconds.
const ALL_PODS: &str = "pods";

#[derive(Clone, Default)]
pub struct PodGc {
    /// Nodes that pods name but that are not there, since when.
    missing: BTreeMap<String, Time>,
}

impl Controller for PodGc {
    const NAME: &'static str = "pod-garbage-collector-controller";

    fn user() -> User {
        User::controller("pod-garbage-collector")
    }

    fn watches() -> Vec<Watch> {
        use api::Registered;
        vec![Watch { kind: Pod::KIND_REF, keys: |_, _, _| {} }, Watch { kind: Node::KIND_REF, keys: |_, _, _| {} }]
    }

    fn initial(_cx: &Cx) -> Vec<Key> {
        vec![ALL_PODS.into()]
    }

    fn reconcile(&mut self, cx: &Cx, _key: &Key) -> Outcome {
        let mut out = Outcome::done();
        out.requeue(PERIOD);
        collect_terminated(cx, &mut out);
        let mut unscheduled = Vec::new();
        let mut orphans: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
        for p in cx.view.list::<Pod>() {
            let node_name = pods::node_name(p);
            let terminating = p.metadata.deletion_timestamp.is_some();
            if node_name.is_empty() {
                if terminating {
                    unscheduled.push(p);
                }
                continue;
            }
            match cx.view.get::<Node>(&Key::new("", node_name)) {
                None => orphans.entry(node_name).or_default().push(p),
                Some(n) if terminating && is_out_of_service(n) => {
                    end(cx, p, None, "podgc.out-of-service", &mut out);
                }
                Some(_) => {}
            }
        }
        self.missing.retain(|n, _| orphans.contains_key(n.as_str()));
        for (node, pods) in orphans {
            let since = *self.missing.entry(node.into()).or_insert(cx.now);
            if cx.now.since(since) < QUARANTINE {
                if cx.recording && since == cx.now {
                    out.note(note!("podgc.quarantine", node = node, pods = pods.len()));
                }
                continue;
            }
            for p in pods {
                let why = pods::disruption_target(p, "DeletionByPodGC", "PodGC: node no longer exists");
                end(cx, p, Some(why), "podgc.orphaned", &mut out);
            }
        }
        for p in unscheduled {
            end(cx, p, None, "podgc.unscheduled", &mut out);
        }
        out
    }
}

/// Not ready and tainted out-of-service: whoever put the taint there vouches that nothing runs.
fn is_out_of_service(n: &Node) -> bool {
    let tainted = n.spec.iter().flat_map(|s| s.taints.iter().flatten()).any(|t| t.key == OUT_OF_SERVICE);
    let ready =
        n.status.iter().flat_map(|s| s.conditions.iter().flatten()).any(|c| c.type_ == "Ready" && c.status == "True");
    tainted && !ready
}

/// The oldest finished pods beyond the threshold; evicted ones first. Models `gcTerminated`.
fn collect_terminated(cx: &Cx, out: &mut Outcome) {
    let mut finished: Vec<&Pod> = cx.view.list::<Pod>().filter(|p| pods::is_terminal(p)).collect();
    let excess = finished.len().saturating_sub(TERMINATED_THRESHOLD);
    if excess == 0 {
        return;
    }
    let evicted =
        |p: &Pod| pods::phase(p) == "Failed" && p.status.as_ref().and_then(|s| s.reason.as_deref()) == Some("Evicted");
    finished.sort_by_key(|p| {
        (!evicted(p), p.metadata.creation_timestamp.as_ref().map(Time::from_k8s), p.metadata.name.clone())
    });
    for p in finished.into_iter().take(excess) {
        end(cx, p, None, "podgc.terminated", out);
    }
}

/// Models `markFailedAndDeletePodWithCondition`: no kubelet will report the end, so it is written here.
fn end(cx: &Cx, p: &Pod, condition: Option<PodCondition>, code: &'static str, out: &mut Outcome) {
    if cx.recording {
        out.note(trace::Note::new(code).with("pod", key_of(&p.metadata)).with("node", pods::node_name(p)));
    }
    if !pods::is_terminal(p) {
        let mut failed = p.clone();
        failed.status.get_or_insert_default().phase = Some("Failed".into());
        if let Some(c) = condition {
            pods::set_condition(&mut failed, c, cx.now);
        }
        out.push(Intent::patch_status(failed).tolerate(reconcile::Tolerate::NotFound));
    }
    let mut delete = Intent::delete(p);
    if let Write::Delete { grace_seconds, .. } = &mut delete.write {
        *grace_seconds = Some(0);
    }
    out.push(delete);
}

#[cfg(test)]
mod tests {
    use super::PodGc;
    use crate::testing::{World, at, pod, rfc3339};
    use expect_test::expect;
    use serde_json::json;

    /// Modelled on `gc_controller_test.go`.
    #[test]
    fn orphans_go_after_quarantine_and_unscheduled_terminating_pods_at_once() {
        let mut w = World::<PodGc>::new([
            pod("orphan", None, json!({"spec": {"nodeName": "gone"}})),
            pod("fine", None, json!({})),
            pod(
                "cancelled",
                None,
                json!({"metadata": {"deletionTimestamp": rfc3339(0)}, "spec": {"nodeName": null},
                                          "status": {"phase": "Pending"}}),
            ),
            json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}}),
        ]);
        expect![[r##"
            # podgc.quarantine node=gone pods=1
            # podgc.unscheduled pod=default/cancelled node=
            patch pods default/cancelled status {"phase":"Failed"}
            delete pods default/cancelled grace=Some(0) propagation=Some(Background)
            requeue after 20s
        "##]]
        .assert_eq(&w.run("pods"));
        w.delete("v1", "Pod", "default/cancelled");
        w.now = at(20);
        assert_eq!(w.run("pods"), "requeue after 20s\n");
        w.now = at(40);
        expect![[r##"
            # podgc.orphaned pod=default/orphan node=gone
            patch pods default/orphan status {"conditions":[{"lastProbeTime":null,"lastTransitionTime":"2026-01-01T00:00:40Z","message":"PodGC: node no longer exists","reason":"DeletionByPodGC","status":"True","type":"DisruptionTarget"}],"phase":"Failed"}
            delete pods default/orphan grace=Some(0) propagation=Some(Background)
            requeue after 20s
        "##]].assert_eq(&w.run("pods"));
    }

    #[test]
    fn pods_of_a_node_out_of_service_are_not_waited_for() {
        let mut w = World::<PodGc>::new([
            pod("stuck", None, json!({"metadata": {"deletionTimestamp": rfc3339(0)}})),
            pod("running", None, json!({})),
            json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"},
                   "spec": {"taints": [{"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}]},
                   "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}),
        ]);
        expect![[r##"
            # podgc.out-of-service pod=default/stuck node=node-1
            patch pods default/stuck status {"phase":"Failed"}
            delete pods default/stuck grace=Some(0) propagation=Some(Background)
            requeue after 20s
        "##]]
        .assert_eq(&w.run("pods"));
    }
}
