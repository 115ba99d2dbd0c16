//! What a pod's failure means to its Job, and when enough have succeeded. Models `pod_failure_policy.go` and
//! `success_policy.go` of `pkg/controller/job`.

use super::indexes::Indexes;
use crate::history::name;
use k8s_openapi::api::batch::v1::{
    JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule, SuccessPolicy,
};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

/// What the first rule that matches says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It counts towards the limit; also when no rule matches.
    Count,
    Ignore,
    /// Its index is not tried again.
    FailIndex,
    /// The Job ends, for this reason.
    FailJob(String),
}

impl Verdict {
    pub fn counts(&self) -> bool {
        *self != Verdict::Ignore
    }
}

/// Models `matchPodFailurePolicy`.
pub fn verdict(policy: Option<&PodFailurePolicy>, pod: &Pod) -> Verdict {
    for (i, rule) in policy.into_iter().flat_map(|p| &p.rules).enumerate() {
        let Some(what) = matches(rule, pod) else { continue };
        return match rule.action.as_str() {
            "Ignore" => Verdict::Ignore,
            "FailIndex" => Verdict::FailIndex,
            "FailJob" => Verdict::FailJob(format!("{what} matching {} rule at index {i}", rule.action)),
            _ => Verdict::Count,
        };
    }
    Verdict::Count
}

/// In what way the rule matches.
fn matches(rule: &PodFailurePolicyRule, pod: &Pod) -> Option<String> {
    let (namespace, pod_name) = (pod.metadata.namespace.as_deref().unwrap_or(""), name(&pod.metadata));
    let status = pod.status.as_ref()?;
    if let Some(r) = &rule.on_exit_codes {
        let lists = [&status.container_statuses, &status.init_container_statuses];
        let c = lists.into_iter().flatten().flatten().find_map(|c| exit_code(c, r).map(|code| (c, code)));
        return c.map(|(c, code)| {
            format!("Container {} for pod {namespace}/{pod_name} failed with exit code {code}", c.name)
        });
    }
    let patterns = rule.on_pod_conditions.as_deref().unwrap_or_default();
    let c =
        status.conditions.iter().flatten().find(|c| {
            patterns.iter().any(|p| p.type_ == c.type_ && p.status.as_deref().unwrap_or("True") == c.status)
        })?;
    Some(format!("Pod {namespace}/{pod_name} has condition {}", c.type_))
}

/// The code with which a container failed, if the requirement is about it.
fn exit_code(c: &ContainerStatus, r: &PodFailurePolicyOnExitCodesRequirement) -> Option<i32> {
    let code = c.state.as_ref()?.terminated.as_ref()?.exit_code;
    let named = r.container_name.as_ref().is_none_or(|n| *n == c.name);
    let listed = r.values.contains(&code);
    let matching = match r.operator.as_str() {
        "In" => listed,
        "NotIn" => !listed,
        _ => false,
    };
    (named && code != 0 && matching).then_some(code)
}

/// Which rule is met. Models `matchSuccessPolicy`.
pub fn success(spec: &JobSpec, policy: Option<&SuccessPolicy>, succeeded: &Indexes) -> Option<String> {
    if *succeeded == Indexes::default() {
        return None;
    }
    let met = policy?.rules.iter().position(|rule| match (&rule.succeeded_indexes, rule.succeeded_count) {
        (Some(list), count) => {
            let required = Indexes::parse(list, spec.completions.unwrap_or(0));
            let have = required.overlap(succeeded);
            required.total() > 0 && (have == required.total() || count.is_some_and(|n| have >= n))
        }
        (None, count) => count.is_some_and(|n| succeeded.total() >= n),
    })?;
    Some(format!("Matched rules at index {met}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod;
    use serde_json::{Value, json};

    fn failed(code: i32, conditions: Value) -> Pod {
        let state = json!({"terminated": {"exitCode": code}});
        let status =
            json!([{"name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state}]);
        let over = json!({"status": {"phase": "Failed", "containerStatuses": status, "conditions": conditions}});
        serde_json::from_value(pod("p", None, over)).expect("a pod")
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let policy: PodFailurePolicy = serde_json::from_value(json!({"rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
            {"action": "FailJob", "onExitCodes": {"containerName": "main", "operator": "In", "values": [42]}},
            {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [3]}},
            {"action": "Count", "onExitCodes": {"operator": "NotIn", "values": [42, 5]}},
        ]}))
        .expect("a policy");
        let v = |code, conditions| verdict(Some(&policy), &failed(code, conditions));
        let why = "Container main for pod default/p failed with exit code 42 matching FailJob rule at index 1";
        assert_eq!(v(42, json!([])), Verdict::FailJob(why.into()));
        assert_eq!(v(42, json!([{"type": "DisruptionTarget", "status": "True"}])), Verdict::Ignore);
        assert_eq!(v(42, json!([{"type": "DisruptionTarget", "status": "False"}])), Verdict::FailJob(why.into()));
        assert_eq!(v(3, json!([])), Verdict::FailIndex);
        assert_eq!(v(0, json!([])), Verdict::Count);
        assert_eq!(v(5, json!([])), Verdict::Count);
    }

    #[test]
    fn a_success_policy_counts_indexes() {
        let spec = JobSpec { completions: Some(10), ..Default::default() };
        let policy =
            |rules: Value| serde_json::from_value::<SuccessPolicy>(json!({ "rules": rules })).expect("a policy");
        let met = |rules: Value, list: &str| success(&spec, Some(&policy(rules)), &Indexes::parse(list, 10));
        let first = Some("Matched rules at index 0".to_string());
        assert_eq!(met(json!([{"succeededIndexes": "0-2"}]), "0-3"), first);
        assert_eq!(met(json!([{"succeededIndexes": "0-2"}]), "0,1"), None);
        assert_eq!(met(json!([{"succeededIndexes": "0-2", "succeededCount": 1}]), "2"), first);
        assert_eq!(met(json!([{"succeededIndexes": "0-2", "succeededCount": 1}]), "3-5"), None);
        assert_eq!(met(json!([{"succeededCount": 3}]), "7-9"), first);
        let second = Some("Matched rules at index 1".to_string());
        assert_eq!(met(json!([{"succeededIndexes": "9"}, {"succeededCount": 1}]), "0"), second);
        assert_eq!(met(json!([{"succeededCount": 0}]), ""), None);
    }
}
