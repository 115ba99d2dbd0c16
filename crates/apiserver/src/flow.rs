//! Which FlowSchema a request belongs to, and the priority level that it names: every answer says so in its headers.
//! Models `matchesFlowSchema` of `apiserver/pkg/util/flowcontrol/rule.go`. Nobody is kept waiting: one request is answered
//! after the other.

use crate::authz::Attributes;
use crate::keys;
use crate::stored::Stored;
use api::{KindRef, Obj, ObjectExt, Registered};
use k8s_openapi::api::flowcontrol::v1::{
    FlowSchema, FlowSchemaSpec, NonResourcePolicyRule, PriorityLevelConfiguration, ResourcePolicyRule, Subject,
};
use meta::User;
use store::Store;

/// The UIDs of both, for `X-Kubernetes-PF-FlowSchema-UID` and `X-Kubernetes-PF-PriorityLevel-UID`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    pub schema: String,
    pub level: String,
}

/// Verbs, API groups, resources, namespaces, subjects' names.
const ALL: &str = "*";

fn all(store: &Store<Stored>, kind: KindRef) -> Vec<&Obj> {
    let prefix = keys::prefix(kind, "");
    store.iter_range(&prefix, &keys::range_end(&prefix)).map(|(_, e)| &e.value.0).collect()
}

fn holds(list: &[String], one: &str) -> bool {
    list.iter().any(|l| l == one || l == ALL)
}

fn is_meant(subject: &Subject, user: &User) -> bool {
    let is = |name: &str, one: &str| name == ALL || name == one;
    if let Some(u) = &subject.user {
        return is(&u.name, &user.name);
    }
    if let Some(g) = &subject.group {
        return g.name == ALL || user.groups.contains(&g.name);
    }
    let Some(account) = &subject.service_account else { return false };
    match user.name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':')) {
        Some((namespace, name)) => namespace == account.namespace && is(&account.name, name),
        None => false,
    }
}

fn covers(rule: &ResourcePolicyRule, a: &Attributes<'_>) -> bool {
    let resource = match a.subresource {
        "" => a.resource.to_string(),
        subresource => format!("{}/{subresource}", a.resource),
    };
    let placed = match a.namespace {
        "" => rule.cluster_scope == Some(true),
        namespace => holds(rule.namespaces.as_deref().unwrap_or_default(), namespace),
    };
    placed && holds(&rule.verbs, a.verb) && holds(&rule.api_groups, a.group) && holds(&rule.resources, &resource)
}

fn covers_path(rule: &NonResourcePolicyRule, verb: &str, path: &str) -> bool {
    let is = |url: &String| match url.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => url == path,
    };
    holds(&rule.verbs, verb) && rule.non_resource_urls.iter().any(is)
}

fn matches(spec: &FlowSchemaSpec, a: &Attributes<'_>) -> bool {
    spec.rules.iter().flatten().any(|rule| {
        rule.subjects.iter().any(|s| is_meant(s, a.user))
            && match a.path {
                Some(path) => rule.non_resource_rules.iter().flatten().any(|r| covers_path(r, a.verb, path)),
                None => rule.resource_rules.iter().flatten().any(|r| covers(r, a)),
            }
    })
}

/// The first in order of precedence, then of names, that matches.
pub(crate) fn of(store: &Store<Stored>, a: &Attributes<'_>) -> Option<Flow> {
    let schemas = all(store, FlowSchema::KIND_REF).into_iter().filter_map(|o| o.downcast::<FlowSchema>());
    let matching = schemas.filter_map(|s| Some((s, s.spec.as_ref()?))).filter(|(_, spec)| matches(spec, a));
    let (schema, spec) = matching.min_by_key(|(s, spec)| (spec.matching_precedence, &s.metadata.name))?;
    let levels = all(store, PriorityLevelConfiguration::KIND_REF);
    let level = levels.into_iter().find(|l| l.name() == spec.priority_level_configuration.name);
    let level = level.map_or(String::new(), |l| l.uid().into());
    Some(Flow { schema: schema.metadata.uid.clone().unwrap_or_default(), level })
}
