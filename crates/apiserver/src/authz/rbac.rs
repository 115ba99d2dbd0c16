//! RBAC. Bindings are found by their subjects, so a verdict looks at those of the user and of its groups only. Models
//! `plugin/pkg/auth/authorizer/rbac` and `pkg/registry/rbac/validation.DefaultRuleResolver`.

use super::rules::allows;
use super::{Attributes, Verdict};
use crate::keys;
use crate::stored::Stored;
use api::{ObjectExt, Registered};
use imbl::{OrdMap, OrdSet};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject};
use meta::User;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use store::Store;

/// Store keys of bindings: those of clusters come before those of namespaces.
type Keys = OrdSet<Arc<str>>;

const CLUSTER_BINDINGS: &str = "/registry/clusterrolebindings/";
const CLUSTER_BINDINGS_END: &str = "/registry/clusterrolebindings0";
const BINDINGS: &str = "/registry/rolebindings/";
/// Identities whose verdicts are kept; beyond that all are forgotten.
const IDENTITIES_MAX: usize = 4096;

#[derive(Clone, Debug, Default)]
pub struct Index {
    users: OrdMap<Arc<str>, Keys>,
    groups: OrdMap<Arc<str>, Keys>,
    memo: Memo,
}

/// What somebody may do everywhere and to any name. Components ask the same few things all the time.
#[derive(Debug, Default)]
struct Memo {
    identities: FxHashMap<String, Identity>,
}

/// A copy begins without: it is soon known again, and copying costs more than asking.
impl Clone for Memo {
    fn clone(&self) -> Self {
        Memo::default()
    }
}

#[derive(Clone, Debug, Default)]
struct Identity {
    groups: Vec<String>,
    /// Verb, group, resource, subresource.
    allowed: Vec<[String; 4]>,
}

impl Identity {
    fn has(&self, a: &Attributes<'_>) -> bool {
        self.groups == a.user.groups
            && self.allowed.iter().any(|[verb, group, resource, subresource]| {
                resource == a.resource && verb == a.verb && subresource == a.subresource && group == a.group
            })
    }
}

/// Where a rule comes from.
struct Source<'a> {
    binding: &'a str,
    /// Empty: a ClusterRoleBinding.
    namespace: &'a str,
    role: &'a RoleRef,
    subject: &'a Subject,
}

impl Source<'_> {
    /// The order within `NAME/NAMESPACE` is upstream's.
    fn describe(&self) -> String {
        let RoleRef { kind, name, .. } = self.role;
        let s = self.subject;
        let account_namespace = s.namespace.as_deref().filter(|n| !n.is_empty()).unwrap_or(self.namespace);
        let subject = match s.kind.as_str() {
            "ServiceAccount" => format!("{} {:?}", s.kind, format!("{}/{account_namespace}", s.name)),
            kind => format!("{kind} {:?}", s.name),
        };
        if self.namespace.is_empty() {
            return format!("ClusterRoleBinding {:?} of {kind} {name:?} to {subject}", self.binding);
        }
        let binding = format!("{}/{}", self.binding, self.namespace);
        format!("RoleBinding {binding:?} of {kind} {name:?} to {subject}")
    }
}

impl Index {
    pub fn observe(&mut self, event: &store::Event<Stored>) {
        let key = &event.key;
        let binding = key.starts_with(CLUSTER_BINDINGS) || key.starts_with(BINDINGS);
        if !binding && !key.starts_with("/registry/clusterroles/") && !key.starts_with("/registry/roles/") {
            return;
        }
        self.memo = Memo::default();
        if binding {
            for (entry, add) in [(&event.old, false), (&event.new, true)] {
                let Some(object) = entry.as_ref().map(|e| &e.value.0) else { continue };
                for s in subjects(&**object) {
                    self.change(s, object.namespace(), key, add);
                }
            }
        }
    }

    fn change(&mut self, s: &Subject, namespace: &str, key: &Arc<str>, add: bool) {
        let name: Arc<str> = match s.kind.as_str() {
            "ServiceAccount" => {
                let namespace = s.namespace.as_deref().filter(|n| !n.is_empty()).unwrap_or(namespace);
                format!("system:serviceaccount:{namespace}:{}", s.name).into()
            }
            _ => s.name.as_str().into(),
        };
        let of = if s.kind == "Group" { &mut self.groups } else { &mut self.users };
        if add {
            of.entry(name).or_default().insert(key.clone());
        } else if let Some(keys) = of.get_mut(&name) {
            keys.remove(key);
            if keys.is_empty() {
                of.remove(&name);
            }
        }
    }

    pub fn authorize(&self, store: &Store<Stored>, a: &Attributes<'_>) -> Verdict {
        let mut allowed = None;
        let errors = self.visit(store, a.user, a.namespace, &mut |source, rule| {
            let yes = allows(rule, a);
            if yes {
                allowed = Some(format!("RBAC: allowed by {}", source.describe()));
            }
            !yes
        });
        match allowed {
            Some(reason) => Verdict::allow(reason),
            None if errors.is_empty() => Verdict::no_opinion(""),
            None => Verdict::no_opinion(format!("RBAC: {}", meta::field::aggregate(errors))),
        }
    }

    pub fn rules_for(&self, store: &Store<Stored>, user: &User, namespace: &str) -> (Vec<PolicyRule>, Vec<String>) {
        let mut rules = Vec::new();
        let errors = self.visit(store, user, namespace, &mut |_, rule| {
            rules.push(rule.clone());
            true
        });
        (rules, errors)
    }

    /// Shows rules to `f` until it has seen enough; the answer is what could not be resolved. Models `VisitRulesFor`.
    fn visit(
        &self,
        store: &Store<Stored>,
        user: &User,
        namespace: &str,
        f: &mut dyn FnMut(&Source<'_>, &PolicyRule) -> bool,
    ) -> Vec<String> {
        let mut errors = Vec::new();
        for key in self.bindings_of(user, namespace) {
            let Some(entry) = store.get_ref(&key) else { continue };
            let object = &*entry.value.0;
            let Some(role) = role_of(object) else { continue };
            let namespace = object.namespace();
            let Some(subject) = subjects(object).iter().find(|s| applies(user, s, namespace)) else { continue };
            let rules = match rules_of(store, role, namespace) {
                Ok(rules) => rules,
                Err(e) => {
                    errors.push(e);
                    continue;
                }
            };
            let source = Source { binding: object.name(), namespace, role, subject };
            if !rules.iter().all(|r| f(&source, r)) {
                break;
            }
        }
        errors
    }

    fn bindings_of(&self, user: &User, namespace: &str) -> Vec<Arc<str>> {
        let sets = self.users.get(user.name.as_str()).into_iter();
        let sets = sets.chain(user.groups.iter().filter_map(|g| self.groups.get(g.as_str())));
        let start = format!("{BINDINGS}{namespace}/");
        let end = keys::range_end(&start);
        let mut found: Vec<Arc<str>> = Vec::new();
        for set in sets {
            found.extend(range(set, CLUSTER_BINDINGS, CLUSTER_BINDINGS_END));
            if !namespace.is_empty() {
                found.extend(range(set, &start, &end));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    pub fn remembers(&self, a: &Attributes<'_>) -> bool {
        a.path.is_none() && self.memo.identities.get(&a.user.name).is_some_and(|i| i.has(a))
    }

    /// Keeps a verdict that depends on neither name nor namespace.
    pub fn remember(&mut self, store: &Store<Stored>, a: &Attributes<'_>) {
        if a.path.is_some() {
            return;
        }
        let anywhere = Attributes { namespace: "", name: "", ..*a };
        if !self.authorize(store, &anywhere).allowed {
            return;
        }
        if self.memo.identities.len() >= IDENTITIES_MAX {
            self.memo = Memo::default();
        }
        let identity = self.memo.identities.entry(a.user.name.clone()).or_default();
        if identity.groups != a.user.groups {
            *identity = Identity { groups: a.user.groups.clone(), allowed: Vec::new() };
        }
        identity.allowed.push([a.verb.into(), a.group.into(), a.resource.into(), a.subresource.into()]);
    }
}

fn range<'a>(set: &'a Keys, start: &str, end: &str) -> impl Iterator<Item = Arc<str>> + 'a {
    set.range::<_, str>((std::ops::Bound::Included(start), std::ops::Bound::Excluded(end))).cloned()
}

fn subjects(binding: &dyn api::Object) -> &[Subject] {
    let list = match (binding.downcast::<ClusterRoleBinding>(), binding.downcast::<RoleBinding>()) {
        (Some(b), _) => &b.subjects,
        (_, Some(b)) => &b.subjects,
        _ => return &[],
    };
    list.as_deref().unwrap_or_default()
}

fn role_of(binding: &dyn api::Object) -> Option<&RoleRef> {
    let cluster = binding.downcast::<ClusterRoleBinding>().map(|b| &b.role_ref);
    cluster.or_else(|| Some(&binding.downcast::<RoleBinding>()?.role_ref))
}

/// Models `appliesToUser`.
fn applies(user: &User, s: &Subject, namespace: &str) -> bool {
    match s.kind.as_str() {
        "User" => user.name == s.name,
        "Group" => user.groups.contains(&s.name),
        "ServiceAccount" => {
            let namespace = s.namespace.as_deref().filter(|n| !n.is_empty()).unwrap_or(namespace);
            let rest = user.name.strip_prefix("system:serviceaccount:");
            !namespace.is_empty()
                && rest.and_then(|r| r.strip_prefix(namespace)?.strip_prefix(':')) == Some(s.name.as_str())
        }
        _ => false,
    }
}

/// Models `GetRoleReferenceRules`.
pub(super) fn rules_of<'a>(
    store: &'a Store<Stored>,
    role: &RoleRef,
    namespace: &str,
) -> Result<&'a [PolicyRule], String> {
    let missing = |kind: &str| format!("{kind}.rbac.authorization.k8s.io {:?} not found", role.name);
    let rules = match role.kind.as_str() {
        "Role" => {
            let entry = store.get_ref(&keys::of_parts(Role::KIND_REF, namespace, &role.name));
            let role = entry.and_then(|e| e.value.0.downcast::<Role>());
            &role.ok_or_else(|| missing("role"))?.rules
        }
        "ClusterRole" => {
            let entry = store.get_ref(&keys::of_parts(ClusterRole::KIND_REF, "", &role.name));
            let role = entry.and_then(|e| e.value.0.downcast::<ClusterRole>());
            &role.ok_or_else(|| missing("clusterrole"))?.rules
        }
        other => return Err(format!("unsupported role reference kind: {other:?}")),
    };
    Ok(rules.as_deref().unwrap_or_default())
}
