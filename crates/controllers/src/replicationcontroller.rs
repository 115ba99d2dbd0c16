//! replication-controller: as many pods as the ReplicationController asks for. Models `pkg/controller/replication`,
//! which shows a ReplicationController to the ReplicaSets' controller as if it were one.

use crate::replicaset::{Replicas, Replicated};
use k8s_openapi::api::apps::v1::{ReplicaSetCondition, ReplicaSetStatus};
use k8s_openapi::api::core::v1::{
    PodTemplateSpec, ReplicationController, ReplicationControllerCondition, ReplicationControllerStatus,
};
use meta::labels::Selector;
use std::borrow::Cow;

pub type ReplicationManager = Replicas<ReplicationController>;

impl Replicated for ReplicationController {
    const CONTROLLER: &'static str = "replication-controller";
    const COUNTS_TERMINATING: bool = false;

    fn selector(&self) -> Selector {
        let selector = self.spec.as_ref().and_then(|s| s.selector.as_ref()).filter(|s| !s.is_empty());
        selector.map_or(Selector::Nothing, Selector::from_set)
    }
    fn replicas(&self) -> i32 {
        self.spec.as_ref().and_then(|s| s.replicas).unwrap_or(1)
    }
    fn min_ready_seconds(&self) -> i32 {
        self.spec.as_ref().and_then(|s| s.min_ready_seconds).unwrap_or(0)
    }
    fn template(&self) -> Option<&PodTemplateSpec> {
        self.spec.as_ref()?.template.as_ref()
    }
    fn status(&self) -> Option<Cow<'_, ReplicaSetStatus>> {
        let s = self.status.as_ref()?;
        let conditions = s.conditions.clone().map(|list| {
            let each = list.into_iter().map(|c| ReplicaSetCondition {
                type_: c.type_,
                status: c.status,
                reason: c.reason,
                message: c.message,
                last_transition_time: c.last_transition_time,
            });
            each.collect()
        });
        Some(Cow::Owned(ReplicaSetStatus {
            replicas: s.replicas,
            fully_labeled_replicas: s.fully_labeled_replicas,
            ready_replicas: s.ready_replicas,
            available_replicas: s.available_replicas,
            terminating_replicas: None,
            observed_generation: s.observed_generation,
            conditions,
        }))
    }
    fn set_status(&mut self, s: ReplicaSetStatus) {
        let conditions = s.conditions.map(|list| {
            let each = list.into_iter().map(|c| ReplicationControllerCondition {
                type_: c.type_,
                status: c.status,
                reason: c.reason,
                message: c.message,
                last_transition_time: c.last_transition_time,
            });
            each.collect()
        });
        self.status = Some(ReplicationControllerStatus {
            replicas: s.replicas,
            fully_labeled_replicas: s.fully_labeled_replicas,
            ready_replicas: s.ready_replicas,
            available_replicas: s.available_replicas,
            observed_generation: s.observed_generation,
            conditions,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, controller_ref, merged, pod, ready_since};
    use expect_test::expect;
    use meta::ApiError;
    use serde_json::{Value, json};

    fn controller(replicas: i32, over: Value) -> Value {
        let template = json!({
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}
        });
        let base = json!({
            "apiVersion": "v1", "kind": "ReplicationController",
            "metadata": {"name": "web", "namespace": "default", "uid": "uid-web", "generation": 1},
            "spec": {"replicas": replicas, "selector": {"app": "web"}, "template": template},
        });
        merged(base, over)
    }

    fn owned(name: &str, over: Value) -> Value {
        let owner = merged(controller_ref("ReplicationController", "web"), json!({"apiVersion": "v1"}));
        pod(name, None, merged(json!({"metadata": {"ownerReferences": [owner]}}), over))
    }

    #[test]
    fn creates_what_is_missing() {
        let mut w = World::<ReplicationManager>::new([controller(2, json!({})), owned("a", ready_since(0))]);
        expect![[r##"
            # replicaset.scale-up name=web from=1 to=2 create=1
            create {"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"web-","labels":{"app":"web"},"namespace":"default","ownerReferences":[{"apiVersion":"v1","blockOwnerDeletion":true,"controller":true,"kind":"ReplicationController","name":"web","uid":"uid-web"}]},"spec":{"containers":[{"image":"nginx","name":"c"}]}}
              on success: SuccessfulCreate: Created pod: {name}
              on failure: FailedCreate: Error creating: {error}
            update-status replicationcontrollers default/web {"availableReplicas":1,"fullyLabeledReplicas":1,"observedGeneration":1,"readyReplicas":1,"replicas":1}
        "##]].assert_eq(&w.run("default/web"));
    }

    #[test]
    fn deletes_what_is_too_much_and_does_not_count_what_leaves() {
        let mut w = World::<ReplicationManager>::new([
            controller(1, json!({})),
            owned("a", ready_since(0)),
            owned("b", json!({"status": {"phase": "Pending"}})),
            owned("leaving", json!({"metadata": {"deletionTimestamp": crate::testing::rfc3339(20)}})),
        ]);
        expect![[r##"
            # replicaset.scale-down name=web from=2 to=1 delete=1
            # replicaset.delete-choice pod=b rule=phase
            delete pods default/b grace=None propagation=Some(Background)
              on success: SuccessfulDelete: Deleted pod: b
              on failure: FailedDelete: Error deleting: {error}
            update-status replicationcontrollers default/web {"availableReplicas":1,"fullyLabeledReplicas":2,"observedGeneration":1,"readyReplicas":1,"replicas":2}
        "##]].assert_eq(&w.run("default/web"));
    }

    #[test]
    fn an_orphan_that_matches_is_adopted() {
        let mut w = World::<ReplicationManager>::new([controller(1, json!({})), pod("orphan", None, json!({}))]);
        expect![[r##"
            # replicaset.adopt pod=orphan
            patch pods default/orphan  {"metadata":{"ownerReferences":[{"apiVersion":"v1","blockOwnerDeletion":true,"controller":true,"kind":"ReplicationController","name":"web","uid":"uid-web"}],"uid":"uid-orphan"}}
            update-status replicationcontrollers default/web {"fullyLabeledReplicas":1,"observedGeneration":1,"replicas":1}
        "##]].assert_eq(&w.run("default/web"));
    }

    #[test]
    fn a_refusal_becomes_a_condition() {
        let mut w = World::<ReplicationManager>::new([controller(1, json!({}))]);
        w.run("default/web");
        w.settle("default/web", &[Err(ApiError::forbidden("", "pods", "web-x", "exceeded quota: q"))]);
        expect![[r##"
            # replicaset.scale-up name=web from=0 to=1 create=1
            update-status replicationcontrollers default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"pods \"web-x\" is forbidden: exceeded quota: q","reason":"FailedCreate","status":"True","type":"ReplicaFailure"}],"observedGeneration":1,"replicas":0}
            create {"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"web-","labels":{"app":"web"},"namespace":"default","ownerReferences":[{"apiVersion":"v1","blockOwnerDeletion":true,"controller":true,"kind":"ReplicationController","name":"web","uid":"uid-web"}]},"spec":{"containers":[{"image":"nginx","name":"c"}]}}
              on success: SuccessfulCreate: Created pod: {name}
              on failure: FailedCreate: Error creating: {error}
        "##]].assert_eq(&w.run("default/web"));
    }
}
