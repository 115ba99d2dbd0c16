//! Whom the page acts as, and the manifest that would give somebody a permission. Pure.

use protocol::{Identity, Missing};

const ACCOUNT: &str = "system:serviceaccount:";

/// A service account as the user that it is.
pub fn account(namespace: &str, name: &str) -> Identity {
    Identity { user: format!("{ACCOUNT}{namespace}:{name}"), groups: Vec::new() }
}

/// As people say it: `jane`, `default/builder`.
pub fn short(identity: &Identity) -> String {
    match identity.user.strip_prefix(ACCOUNT).and_then(|rest| rest.split_once(':')) {
        Some((namespace, name)) => format!("{namespace}/{name}"),
        None => identity.user.clone(),
    }
}

/// What kubectl asks for when it applies: a permission for one of them is of no use without the others.
const APPLYING: [&str; 3] = ["get", "create", "patch"];

/// A role with what is missing and its binding to whoever misses it.
pub fn grant(identity: &Identity, missing: &Missing) -> String {
    let verbs = if APPLYING.contains(&missing.verb.as_str()) { APPLYING.join(", ") } else { missing.verb.clone() };
    let resource = missing.resource.replace('/', "-");
    let (kind, of) = if missing.namespace.is_empty() {
        ("ClusterRole", String::new())
    } else {
        ("Role", format!(", namespace: {}", missing.namespace))
    };
    let verb = if verbs.contains(',') { "apply" } else { &missing.verb };
    let name = format!("{verb}-{resource}");
    let subject = match identity.user.strip_prefix(ACCOUNT).and_then(|rest| rest.split_once(':')) {
        Some((namespace, name)) => format!("- kind: ServiceAccount\n  name: {name}\n  namespace: {namespace}\n"),
        None => format!("- apiGroup: rbac.authorization.k8s.io\n  kind: User\n  name: {:?}\n", identity.user),
    };
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}
metadata: {{name: {name}{of}}}
rules:
- apiGroups: [{:?}]
  resources: [{:?}]
  verbs: [{verbs}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}Binding
metadata: {{name: {name}{of}}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {kind}
  name: {name}
subjects:
{subject}",
        missing.group, missing.resource
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(verb: &str, namespace: &str) -> Missing {
        Missing { verb: verb.into(), group: "apps".into(), resource: "deployments".into(), namespace: namespace.into() }
    }

    #[test]
    fn a_grant_is_bound_to_whoever_misses_it() {
        let text = grant(&account("dev", "builder"), &missing("get", "dev"));
        assert!(text.contains("kind: Role\nmetadata: {name: apply-deployments, namespace: dev}"), "{text}");
        assert!(text.contains("verbs: [get, create, patch]"));
        assert!(text.ends_with("- kind: ServiceAccount\n  name: builder\n  namespace: dev\n"));
        let jane = Identity { user: "jane".into(), groups: Vec::new() };
        let text = grant(&jane, &missing("delete", ""));
        assert!(
            text.contains("kind: ClusterRole\nmetadata: {name: delete-deployments}")
                && text.contains("verbs: [delete]")
        );
        assert!(text.ends_with("kind: User\n  name: \"jane\"\n"));
    }

    #[test]
    fn accounts_are_named_by_namespace_and_name() {
        assert_eq!(
            [short(&account("dev", "builder")), short(&Identity { user: "jane".into(), groups: Vec::new() })],
            ["dev/builder", "jane"]
        );
    }
}
