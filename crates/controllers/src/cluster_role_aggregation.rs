//! clusterrole-aggregation-controller: a ClusterRole with an aggregation rule has the rules of the roles that it selects.
//! Models `pkg/controller/clusterroleaggregation`.

use api::Registered;
use api::kinds::rbac::aggregate;
use k8s_openapi::api::rbac::v1::ClusterRole;
use meta::Key;
use reconcile::{Change, Controller, Cx, Intent, Outcome, Tolerate, Watch};
use serde_json::json;
use trace::note;

#[derive(Clone, Default)]
pub struct ClusterRoleAggregation;

/// A role that changed may be part of any that aggregates; upstream looks at all of them, too.
fn aggregating(cx: &Cx, _: &Change, keys: &mut Vec<Key>) {
    let all = cx.view.list::<ClusterRole>().filter(|r| r.aggregation_rule.is_some());
    keys.extend(all.filter_map(|r| Some(Key::new("", r.metadata.name.as_deref()?))));
}

impl Controller for ClusterRoleAggregation {
    const NAME: &'static str = "clusterrole-aggregation-controller";

    fn watches() -> Vec<Watch> {
        vec![Watch { kind: ClusterRole::KIND_REF, keys: aggregating }]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(role) = cx.view.get::<ClusterRole>(key).filter(|r| r.aggregation_rule.is_some()) else { return out };
        let rules = aggregate(role, &cx.view.list::<ClusterRole>().collect::<Vec<_>>());
        out.looked_at(cx.view.count(ClusterRole::KIND_REF));
        if role.rules.as_deref().unwrap_or_default() == rules {
            return out;
        }
        if cx.recording {
            out.note(note!("cluster-role.aggregate", role = key.name(), rules = rules.len()));
        }
        let patch = json!({ "metadata": { "uid": role.metadata.uid }, "rules": rules });
        out.push(Intent::patch(ClusterRole::KIND_REF, key.clone(), "", patch).tolerate(Tolerate::NotFound));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::ClusterRoleAggregation;
    use crate::testing::World;
    use expect_test::expect;
    use serde_json::{Value, json};

    fn role(name: &str, label: &str, resource: &str) -> Value {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
               "metadata": {"name": name, "labels": {label: "true"}},
               "rules": [{"apiGroups": [""], "resources": [resource], "verbs": ["get"]}]})
    }

    #[test]
    fn rules_are_gathered_in_order_of_names_each_once() {
        let hammer = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "hammer"},
            "aggregationRule": {"clusterRoleSelectors": [
                {"matchLabels": {"foo": "true"}}, {"matchExpressions": [{"key": "bar", "operator": "Exists"}]}]}});
        let mut w = World::<ClusterRoleAggregation>::new([
            hammer,
            role("b", "foo", "pods"),
            role("a", "foo", "nodes"),
            role("c", "bar", "pods"),
            role("d", "bar", "secrets"),
            role("e", "other", "events"),
        ]);
        expect![[r##"
            # cluster-role.aggregate role=hammer rules=3
            patch clusterroles hammer  {"metadata":{"uid":null},"rules":[{"apiGroups":[""],"resources":["nodes"],"verbs":["get"]},{"apiGroups":[""],"resources":["pods"],"verbs":["get"]},{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}]}
        "##]].assert_eq(&w.run("hammer"));
        // A role without an aggregation rule is left alone.
        assert_eq!(w.run("a"), "");
        let queued = w.put(role("f", "foo", "services"));
        assert_eq!(format!("{queued:?}"), "[hammer]");
    }
}
