//! Questions about access and identity: answered at once, and nothing is kept. Models `pkg/registry/authorization` and
//! `pkg/registry/authentication`.

use crate::authz::{Attributes, Verdict};
use crate::decode;
use crate::request::Request;
use crate::response::Response;
use crate::server::{Cx, Plan};
use api::Registered;
use k8s_openapi::api::authentication::v1::{
    SelfSubjectReview, SelfSubjectReviewStatus, TokenReview, TokenReviewStatus, UserInfo,
};
use k8s_openapi::api::authorization::v1::{
    LocalSubjectAccessReview, NonResourceAttributes, NonResourceRule, ResourceAttributes, ResourceRule,
    SelfSubjectAccessReview, SelfSubjectRulesReview, SubjectAccessReview, SubjectAccessReviewSpec,
    SubjectAccessReviewStatus, SubjectRulesReviewStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{ApiError, FieldError, Path, User};
use std::sync::Arc;

pub(crate) fn review(cx: &mut Cx<'_>, mut req: Request) -> Result<Plan, ApiError> {
    let mut object = decode::object(cx, &mut req)?;
    let o = object.as_any_mut();
    if let Some(r) = o.downcast_mut::<SelfSubjectAccessReview>() {
        let spec = SubjectAccessReviewSpec {
            resource_attributes: r.spec.resource_attributes.clone(),
            non_resource_attributes: r.spec.non_resource_attributes.clone(),
            ..Default::default()
        };
        refuse(r, check_attributes(&spec).into_iter().chain(check_metadata(&r.metadata)))?;
        r.status = Some(status(access(cx, &req.user, &spec)));
    } else if let Some(r) = o.downcast_mut::<SubjectAccessReview>() {
        refuse(r, check_spec(&r.spec).into_iter().chain(check_metadata(&r.metadata)))?;
        r.status = Some(status(access(cx, &subject(&r.spec), &r.spec)));
    } else if let Some(r) = o.downcast_mut::<LocalSubjectAccessReview>() {
        check_local(r)?;
        let namespace = r.metadata.namespace.as_deref().unwrap_or("");
        if namespace != req.namespace {
            let why = format!("spec.resourceAttributes.namespace must match namespace: {}", req.namespace);
            return Err(ApiError::bad_request(why));
        }
        r.status = Some(status(access(cx, &subject(&r.spec), &r.spec)));
    } else if let Some(r) = o.downcast_mut::<SelfSubjectRulesReview>() {
        let namespace = r.spec.namespace.clone().unwrap_or_default();
        if namespace.is_empty() {
            return Err(ApiError::bad_request("no namespace on request"));
        }
        r.metadata = ObjectMeta::default();
        r.spec = Default::default();
        r.status = Some(rules(cx, &req.user, &namespace));
    } else if let Some(r) = o.downcast_mut::<SelfSubjectReview>() {
        r.metadata = ObjectMeta { creation_timestamp: Some(cx.now.to_k8s()), ..Default::default() };
        r.status = Some(SelfSubjectReviewStatus { user_info: Some(info(&req.user)) });
    } else if let Some(r) = o.downcast_mut::<TokenReview>() {
        r.status = Some(token(cx, r)?);
    }
    Ok(Plan { code: 201, ..Plan::read(Response::Object(Arc::from(object))) })
}

/// Upstream asks for the kind's name in the body here, which is gone after decoding: the refusal names none.
fn refuse<T: Registered>(_: &T, errors: impl Iterator<Item = FieldError>) -> Result<(), ApiError> {
    let errors: Vec<FieldError> = errors.collect();
    let kind = T::KIND_REF;
    if errors.is_empty() { Ok(()) } else { Err(ApiError::invalid(kind.group, kind.kind, "", &errors)) }
}

/// Models `ValidateSelfSubjectAccessReviewSpec`.
fn check_attributes(spec: &SubjectAccessReviewSpec) -> Vec<FieldError> {
    let path = Path::new("spec");
    let both = "cannot be specified in combination with resourceAttributes";
    let neither = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    match (&spec.resource_attributes, &spec.non_resource_attributes) {
        (Some(_), Some(other)) => {
            let value = serde_json::json!({"Path": other.path, "Verb": other.verb});
            vec![FieldError::invalid(&path.child("nonResourceAttributes"), value, both)]
        }
        (None, None) => {
            vec![FieldError::invalid(&path.child("resourceAttributes"), serde_json::Value::Null, neither)]
        }
        _ => Vec::new(),
    }
}

/// Models `ValidateSubjectAccessReviewSpec`.
fn check_spec(spec: &SubjectAccessReviewSpec) -> Vec<FieldError> {
    let mut errors = check_attributes(spec);
    let nobody = spec.user.as_deref().unwrap_or("").is_empty() && spec.groups.as_ref().is_none_or(Vec::is_empty);
    if nobody {
        let why = "at least one of user or group must be specified";
        errors.push(FieldError::invalid(&Path::new("spec").child("user"), "", why));
    }
    errors
}

fn check_metadata(m: &ObjectMeta) -> Option<FieldError> {
    let bare = ObjectMeta { managed_fields: None, ..m.clone() };
    let value = || serde_json::to_value(m).unwrap_or_default();
    (bare != ObjectMeta::default()).then(|| FieldError::invalid(&Path::new("metadata"), value(), "must be empty"))
}

/// Models `ValidateLocalSubjectAccessReview`.
fn check_local(r: &LocalSubjectAccessReview) -> Result<(), ApiError> {
    let mut errors = check_spec(&r.spec);
    let elsewhere = ObjectMeta { namespace: None, ..r.metadata.clone() };
    if let Some(e) = check_metadata(&elsewhere) {
        errors.push(FieldError { detail: "must be empty except for namespace".into(), ..e });
    }
    let namespace = r.spec.resource_attributes.as_ref().map(|a| a.namespace.as_deref().unwrap_or(""));
    if let Some(namespace) = namespace.filter(|n| *n != r.metadata.namespace.as_deref().unwrap_or("")) {
        let path = Path::new("spec").child("resourceAttributes").child("namespace");
        errors.push(FieldError::invalid(&path, namespace, "must match metadata.namespace"));
    }
    if let Some(other) = &r.spec.non_resource_attributes {
        let path = Path::new("spec").child("nonResourceAttributes");
        let value = serde_json::json!({"Path": other.path, "Verb": other.verb});
        errors.push(FieldError::invalid(&path, value, "disallowed on this kind of request"));
    }
    refuse(r, errors.into_iter())
}

fn subject(spec: &SubjectAccessReviewSpec) -> User {
    User {
        name: spec.user.clone().unwrap_or_default(),
        uid: spec.uid.clone().unwrap_or_default(),
        groups: spec.groups.clone().unwrap_or_default(),
        extra: spec.extra.clone().unwrap_or_default(),
    }
}

fn access(cx: &Cx<'_>, user: &User, spec: &SubjectAccessReviewSpec) -> Verdict {
    fn text(s: &Option<String>) -> &str {
        s.as_deref().unwrap_or("")
    }
    let (none, no_path) = (ResourceAttributes::default(), NonResourceAttributes::default());
    let a = match (&spec.resource_attributes, &spec.non_resource_attributes) {
        (None, path) => {
            let path = path.as_ref().unwrap_or(&no_path);
            Attributes::path(user, text(&path.verb), text(&path.path))
        }
        (of, _) => {
            let of = of.as_ref().unwrap_or(&none);
            Attributes {
                user,
                verb: text(&of.verb),
                group: text(&of.group),
                resource: text(&of.resource),
                subresource: text(&of.subresource),
                namespace: text(&of.namespace),
                name: text(&of.name),
                field_selector: of.field_selector.as_ref().map_or("", |s| text(&s.raw_selector)),
                path: None,
            }
        }
    };
    cx.server.authz().authorize(cx.store, &a)
}

fn status(v: Verdict) -> SubjectAccessReviewStatus {
    SubjectAccessReviewStatus {
        allowed: v.allowed,
        reason: Some(v.reason).filter(|r| !r.is_empty()),
        ..Default::default()
    }
}

/// Models `RBACAuthorizer.RulesFor`; members of `system:masters` and nodes have more than rules can say.
fn rules(cx: &Cx<'_>, user: &User, namespace: &str) -> SubjectRulesReviewStatus {
    let (rules, mut errors) = cx.server.authz().rules_for(cx.store, user, namespace);
    let node = crate::authz::node_of(user).is_some();
    if node {
        errors.insert(0, "node authorizer does not support user rule resolution".into());
    }
    let some = |l: &Option<Vec<String>>| l.clone().filter(|l| !l.is_empty());
    let of_resources = rules.iter().filter(|r| r.resources.as_ref().is_some_and(|r| !r.is_empty()));
    let of_urls = rules.iter().filter_map(|r| Some((r, r.non_resource_urls.clone().filter(|u| !u.is_empty())?)));
    SubjectRulesReviewStatus {
        resource_rules: of_resources
            .map(|r| ResourceRule {
                verbs: r.verbs.clone(),
                api_groups: some(&r.api_groups),
                resources: some(&r.resources),
                resource_names: some(&r.resource_names),
            })
            .collect(),
        non_resource_rules: of_urls
            .map(|(r, urls)| NonResourceRule { verbs: r.verbs.clone(), non_resource_urls: Some(urls) })
            .collect(),
        incomplete: node,
        evaluation_error: (!errors.is_empty()).then(|| meta::field::aggregate(errors)),
    }
}

pub(crate) fn info(user: &User) -> UserInfo {
    UserInfo {
        username: Some(user.name.clone()),
        uid: Some(user.uid.clone()).filter(|u| !u.is_empty()),
        groups: Some(user.groups.clone()).filter(|g| !g.is_empty()),
        extra: Some(user.extra.clone()).filter(|e| !e.is_empty()),
    }
}

/// Models `pkg/registry/authentication/tokenreview`.
fn token(cx: &Cx<'_>, r: &TokenReview) -> Result<TokenReviewStatus, ApiError> {
    let token = r.spec.token.as_deref().unwrap_or("");
    if token.is_empty() {
        return Err(ApiError::bad_request("token is required for TokenReview in authentication"));
    }
    let wanted = r.spec.audiences.as_deref().unwrap_or_default();
    Ok(match cx.server.authn().token(cx.store, cx.now, token, wanted) {
        Ok((user, audiences)) => TokenReviewStatus {
            authenticated: Some(true),
            user: Some(info(&user)),
            audiences: Some(audiences),
            error: None,
        },
        // Go cannot leave a struct out.
        Err(error) => TokenReviewStatus { error: Some(error), user: Some(UserInfo::default()), ..Default::default() },
    })
}
