//! Who may do what: `--authorization-mode=Node,RBAC`, with the short-cut for `system:masters` that kube-apiserver always
//! has. Models `apiserver/pkg/authorization/{union, authorizerfactory}` and `endpoints/filters/authorization.go`.

pub(crate) mod escalation;
pub(crate) mod node;
pub mod policy;
mod rbac;
pub mod rules;

use crate::request::{Request, RequestVerb};
use crate::stored::Stored;
use k8s_openapi::api::rbac::v1::PolicyRule;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::StatusDetails;
use meta::{ApiError, User};
use std::sync::Arc;
use store::Store;

pub(crate) use node::node_of;

pub const MASTERS: &str = "system:masters";

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    pub user: &'a User,
    pub verb: &'a str,
    pub group: &'a str,
    pub resource: &'a str,
    pub subresource: &'a str,
    /// Empty: no namespace's.
    pub namespace: &'a str,
    pub name: &'a str,
    /// As the query says it.
    pub field_selector: &'a str,
    /// Something else than a resource; then only `user` and `verb` count beside it.
    pub path: Option<&'a str>,
}

/// Allowed or not, and why: which binding allowed it, or what kept an authorizer from doing so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub allowed: bool,
    pub reason: String,
}

impl Verdict {
    fn allow(reason: impl Into<String>) -> Self {
        Verdict { allowed: true, reason: reason.into() }
    }
    fn no_opinion(reason: impl Into<String>) -> Self {
        Verdict { allowed: false, reason: reason.into() }
    }
}

impl<'a> Attributes<'a> {
    pub fn path(user: &'a User, verb: &'a str, path: &'a str) -> Self {
        Attributes {
            user,
            verb,
            group: "",
            resource: "",
            subresource: "",
            namespace: "",
            name: "",
            field_selector: "",
            path: Some(path),
        }
    }

    /// Models `RequestInfoFactory` for what has been routed already.
    pub fn of(req: &'a Request) -> Self {
        let many = matches!(req.verb, RequestVerb::List | RequestVerb::Watch | RequestVerb::DeleteCollection);
        let field_selector = if many { req.options.field_selector.as_str() } else { "" };
        let name = match req.verb {
            RequestVerb::Create if req.subresource.is_empty() => "",
            RequestVerb::List | RequestVerb::Watch if req.name.is_empty() => named(field_selector),
            _ => &req.name,
        };
        // A namespace lies in itself.
        let of_namespace = req.kind.kind == "Namespace" && req.kind.group.is_empty();
        Attributes {
            user: &req.user,
            verb: req.verb.as_str(),
            group: req.kind.group,
            resource: req.kind.plural,
            subresource: req.subresource,
            namespace: if of_namespace { &req.name } else { &req.namespace },
            name,
            field_selector,
            path: None,
        }
    }

    /// The refusal. Models `responsewriters.ForbiddenStatusError`.
    pub fn forbidden(&self, reason: &str) -> ApiError {
        let who = &self.user.name;
        let mut message = match self.path {
            Some(path) => format!("User {who:?} cannot {} path {path:?}", self.verb),
            None => {
                let resource = match self.subresource {
                    "" => self.resource.to_string(),
                    s => format!("{}/{s}", self.resource),
                };
                let scope = match self.namespace {
                    "" => "at the cluster scope".into(),
                    ns => format!("in the namespace {ns:?}"),
                };
                let (verb, group) = (self.verb, self.group);
                format!("User {who:?} cannot {verb} resource {resource:?} in API group {group:?} {scope}")
            }
        };
        // No error should look like HTML.
        for (c, as_entity) in [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;")] {
            message = message.replace(c, as_entity);
        }
        if !reason.is_empty() {
            message = format!("{message}: {reason}");
        }
        if self.path.is_some() {
            let mut e = ApiError::new(403, "Forbidden", format!("forbidden: {message}"));
            e.0.details = Some(StatusDetails::default());
            return e;
        }
        ApiError::forbidden(self.group, self.resource, self.name, &message)
    }
}

/// The name in `metadata.name=NAME`.
pub(crate) fn named(field_selector: &str) -> &str {
    let name = field_selector.split(',').find_map(|t| t.strip_prefix("metadata.name="));
    name.map_or("", |n| n.trim_start_matches('='))
}

/// Cheap to clone, and rebuilt from the store's events: it holds no fact of its own.
#[derive(Clone, Debug)]
pub struct Authorizer {
    rbac: rbac::Index,
    node_rules: Arc<[PolicyRule]>,
}

impl Default for Authorizer {
    fn default() -> Self {
        Authorizer { rbac: rbac::Index::default(), node_rules: policy::node_rules().into() }
    }
}

impl Authorizer {
    /// Follows what was committed.
    pub fn observe(&mut self, event: &store::Event<Stored>) {
        self.rbac.observe(event);
    }

    /// Only whether it is allowed: what every request asks.
    pub fn allows(&mut self, store: &Store<Stored>, a: &Attributes<'_>) -> Result<(), ApiError> {
        if is_master(a.user) || self.rbac.remembers(a) {
            return Ok(());
        }
        let verdict = self.authorize(store, a);
        if !verdict.allowed {
            return Err(a.forbidden(&verdict.reason));
        }
        // A node's verdicts are its authorizer's.
        if node::node_of(a.user).is_none() {
            self.rbac.remember(store, a);
        }
        Ok(())
    }

    pub fn authorize(&self, store: &Store<Stored>, a: &Attributes<'_>) -> Verdict {
        if is_master(a.user) {
            return Verdict::allow("");
        }
        let node = node::authorize(store, &self.node_rules, a);
        if node.allowed {
            return node;
        }
        let mut verdict = self.rbac.authorize(store, a);
        if !verdict.allowed && !node.reason.is_empty() {
            let reasons = [node.reason, verdict.reason];
            verdict.reason = reasons.into_iter().filter(|r| !r.is_empty()).collect::<Vec<_>>().join("\n");
        }
        verdict
    }

    /// Everything that bindings give the user in the namespace, and what could not be resolved.
    pub fn rules_for(&self, store: &Store<Stored>, user: &User, namespace: &str) -> (Vec<PolicyRule>, Vec<String>) {
        self.rbac.rules_for(store, user, namespace)
    }
}

pub(crate) fn is_master(user: &User) -> bool {
    user.groups.iter().any(|g| g == MASTERS)
}
