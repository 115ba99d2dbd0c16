//! `authorizer` in the expressions of policies and webhooks: what the asking user, or a service account, may do. Models
//! `k8s.io/apiserver/pkg/cel/library/authz.go`.

use super::policy::Asked;
use crate::authz::{Attributes, Authorizer, Verdict};
use crate::server::Cx;
use crate::stored::Stored;
use cel::{Answer, Foreign, Value};
use meta::{User, validate};
use std::fmt;
use std::rc::Rc;
use store::Store;

/// Who is asked about, and who knows. Both hold what they know shared, so that copies cost little.
struct Known {
    authorizer: Authorizer,
    store: Store<Stored>,
    /// What the request is about.
    request: Resource,
}

#[derive(Clone)]
struct Who {
    known: Rc<Known>,
    user: User,
}

#[derive(Clone, Default)]
struct Resource {
    group: String,
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
    field_selector: String,
}

/// A step on the way from the authorizer to its decision.
enum Step {
    Authorizer,
    Path(String),
    Group(String),
    Resource(Resource),
    Decision(Verdict),
}

struct Check {
    who: Who,
    step: Step,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// The variable `authorizer`.
pub(super) fn of(cx: &Cx<'_>, asked: &Asked<'_>) -> Value {
    let kind = asked.req.kind;
    let request = Resource {
        group: kind.group.into(),
        resource: kind.plural.into(),
        subresource: asked.req.subresource.into(),
        namespace: asked.namespace().into(),
        name: asked.name().into(),
        field_selector: String::new(),
    };
    let known = Rc::new(Known { authorizer: cx.server.authz().clone(), store: cx.store.clone(), request });
    Who { known, user: asked.req.user.clone() }.at(Step::Authorizer)
}

impl Who {
    fn at(&self, step: Step) -> Value {
        Value::Foreign(Rc::new(Check { who: self.clone(), step }))
    }

    fn service_account(&self, namespace: &str, name: &str) -> Answer {
        if !validate::dns1123_subdomain(name).is_empty() {
            return Err("Invalid service account name".into());
        }
        if !validate::dns1123_label(namespace).is_empty() {
            return Err("Invalid service account namespace".into());
        }
        // Upstream's has no `system:authenticated`: that is given to who has been authenticated.
        let mut user = User::service_account(namespace, name);
        user.groups.retain(|g| g != "system:authenticated");
        Ok(Who { known: self.known.clone(), user }.at(Step::Authorizer))
    }

    fn decide(&self, a: &Attributes<'_>) -> Answer {
        Ok(self.at(Step::Decision(self.known.authorizer.authorize(&self.known.store, a))))
    }
}

impl Resource {
    fn attributes<'a>(&'a self, user: &'a User, verb: &'a str) -> Attributes<'a> {
        Attributes {
            user,
            verb,
            group: &self.group,
            resource: &self.resource,
            subresource: &self.subresource,
            namespace: &self.namespace,
            name: &self.name,
            field_selector: &self.field_selector,
            path: None,
        }
    }
}

impl Foreign for Check {
    fn kind(&self) -> &'static str {
        match self.step {
            Step::Authorizer => "kubernetes.authorization.Authorizer",
            Step::Path(_) => "kubernetes.authorization.PathCheck",
            Step::Group(_) => "kubernetes.authorization.GroupCheck",
            Step::Resource(_) => "kubernetes.authorization.ResourceCheck",
            Step::Decision(_) => "kubernetes.authorization.Decision",
        }
    }

    fn field(&self, name: &str) -> Option<Value> {
        match (&self.step, name) {
            (Step::Authorizer, "requestResource") => Some(self.who.at(Step::Resource(self.who.known.request.clone()))),
            _ => None,
        }
    }

    fn call(&self, name: &str, args: &[Value]) -> Option<Answer> {
        let who = &self.who;
        let texts: Option<Vec<&str>> =
            args.iter().map(|a| if let Value::Text(t) = a { Some(&**t) } else { None }).collect();
        Some(match (&self.step, name, texts?.as_slice()) {
            (Step::Authorizer, "path", [path]) if path.trim().is_empty() => Err("path must not be empty".into()),
            (Step::Authorizer, "path", [path]) => Ok(who.at(Step::Path((*path).into()))),
            (Step::Authorizer, "group", [group]) => Ok(who.at(Step::Group((*group).into()))),
            (Step::Authorizer, "serviceAccount", [namespace, name]) => who.service_account(namespace, name),
            (Step::Path(path), "check", [verb]) => who.decide(&Attributes::path(&who.user, verb, path)),
            (Step::Group(_), "resource", [r]) if r.trim().is_empty() => Err("resource must not be empty".into()),
            (Step::Group(group), "resource", [resource]) => {
                let resource = Resource { group: group.clone(), resource: (*resource).into(), ..Resource::default() };
                Ok(who.at(Step::Resource(resource)))
            }
            (Step::Resource(r), "check", [verb]) => who.decide(&r.attributes(&who.user, verb)),
            (Step::Resource(r), name, [value]) => {
                let mut r = r.clone();
                let field = match name {
                    "subresource" => &mut r.subresource,
                    "namespace" => &mut r.namespace,
                    "name" => &mut r.name,
                    "fieldSelector" => &mut r.field_selector,
                    // Nobody here decides by labels.
                    "labelSelector" => return Some(Ok(who.at(Step::Resource(r)))),
                    _ => return None,
                };
                *field = (*value).into();
                Ok(who.at(Step::Resource(r)))
            }
            (Step::Decision(v), "allowed", []) => Ok(Value::Bool(v.allowed)),
            (Step::Decision(v), "reason", []) => Ok(Value::text(&v.reason)),
            (Step::Decision(_), "errored", []) => Ok(Value::Bool(false)),
            (Step::Decision(_), "error", []) => Ok(Value::text("")),
            _ => return None,
        })
    }
}
