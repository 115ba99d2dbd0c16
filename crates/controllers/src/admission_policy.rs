//! validatingadmissionpolicy-status-controller: says that a policy's expressions have been looked at. Models
//! `pkg/controller/validatingadmissionpolicystatus`, and what is wrong with their types.

use crate::owner::watch_self;
use api::Registered;
use api::kinds::validatingadmissionpolicy::warnings;
use k8s_openapi::api::admissionregistration::v1::{TypeChecking, ValidatingAdmissionPolicy};
use meta::{Key, User};
use reconcile::{Controller, Cx, Intent, Outcome, Watch};

#[derive(Clone, Default)]
pub struct AdmissionPolicyStatus;

impl Controller for AdmissionPolicyStatus {
    const NAME: &'static str = "validatingadmissionpolicy-status-controller";

    fn user() -> User {
        User::controller("validatingadmissionpolicy-status-controller")
    }
    fn watches() -> Vec<Watch> {
        vec![watch_self(ValidatingAdmissionPolicy::KIND_REF)]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(policy) = cx.view.get::<ValidatingAdmissionPolicy>(key) else { return out };
        let generation = policy.metadata.generation;
        if policy.status.as_ref().is_some_and(|s| s.observed_generation == generation) {
            return out;
        }
        let found = warnings(policy, cx.view.kinds());
        let mut policy = policy.clone();
        let status = policy.status.get_or_insert_default();
        status.observed_generation = generation;
        let expression_warnings = Some(found).filter(|w| !w.is_empty());
        status.type_checking = Some(TypeChecking { expression_warnings });
        out.push(Intent::update_status(policy));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::AdmissionPolicyStatus;
    use crate::testing::World;
    use serde_json::json;

    #[test]
    fn each_generation_is_looked_at_once() {
        let policy = |seen: i64| {
            json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
                   "metadata": {"name": "p", "generation": 2}, "spec": {}, "status": {"observedGeneration": seen}})
        };
        let mut w = World::<AdmissionPolicyStatus>::new([policy(1)]);
        assert_eq!(
            w.run("p"),
            "update-status validatingadmissionpolicies p {\"observedGeneration\":2,\"typeChecking\":{}}\n"
        );
        w.put(policy(2));
        assert_eq!(w.run("p"), "");
    }
}
