//! ValidatingAdmissionPolicy: what bindings make of policies' expressions. Models
//! `k8s.io/apiserver/pkg/admission/plugin/policy/{generic,matching,validating}`.
//!
//! Policies are few and programs short: they are parsed where a request meets them. Without bindings nothing is done.

use super::authorizer;
use crate::keys;
use crate::request::{Body, Named, Request};
use crate::server::Cx;
use api::{KindRef, Object, ObjectExt, Registered};
use cel::Value as Cel;
use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, MatchResources, NamedRuleWithOperations, ParamRef, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding, ValidatingAdmissionPolicyBindingSpec, ValidatingAdmissionPolicySpec,
};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, StatusCause};
use meta::ApiError;
use meta::labels::{Labels, Selector};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) const GROUP: &str = "admissionregistration.k8s.io";

/// What is about to be done.
pub(crate) struct Asked<'a> {
    pub req: &'a Request,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`
    pub operation: &'static str,
    pub new: Option<&'a dyn Object>,
    pub old: Option<&'a dyn Object>,
    /// What is not stored and has no registered kind, instead of `new`: an Eviction, a Scale, the options of a connection.
    pub body: Option<&'a Value>,
    /// The same instead of `old`.
    pub old_body: Option<&'a Value>,
}

impl Asked<'_> {
    pub(super) fn new_tree(&self) -> Value {
        self.body.cloned().or_else(|| self.new.map(|o| o.to_value())).unwrap_or_default()
    }
    pub(super) fn old_tree(&self) -> Value {
        self.old_body.cloned().or_else(|| self.old.map(|o| o.to_value())).unwrap_or_default()
    }
    /// Of what is said, which is not always of the resource's kind.
    fn kind(&self) -> Value {
        let kind = self.req.kind;
        match self.body {
            Some(body) => {
                let (version, name) = (body["apiVersion"].as_str().unwrap_or(""), &body["kind"]);
                let (group, version) = version.split_once('/').unwrap_or(("", version));
                json!({"group": group, "version": version, "kind": name})
            }
            None => json!({"group": kind.group, "version": kind.version, "kind": kind.kind}),
        }
    }
    fn object(&self) -> Option<&dyn Object> {
        self.new.or(self.old)
    }
    pub(super) fn name(&self) -> &str {
        match self.req.name.as_str() {
            "" => self.object().map_or("", |o| o.name()),
            name => name,
        }
    }
    pub(super) fn namespace(&self) -> &str {
        match self.object() {
            Some(o) if self.req.kind == Namespace::KIND_REF => o.name(),
            Some(o) => o.namespace(),
            None => &self.req.namespace,
        }
    }
}

/// Why a policy lets something not pass.
struct Denial {
    reason: String,
    message: String,
}

/// What an expression came to that was not true.
enum Failure {
    /// It could not be evaluated.
    Error(String),
    /// What is to be noted could not be evaluated.
    Annotation(String),
    Denied(Denial),
}

/// Asks all policies that are bound to such requests.
///
/// # Errors
/// The first refusal.
pub(crate) fn check(cx: &mut Cx<'_>, asked: &Asked<'_>) -> Result<(), ApiError> {
    // Nobody can lock themselves out of these.
    if asked.req.kind.group == GROUP {
        return Ok(());
    }
    let bindings: Vec<_> = stored::<ValidatingAdmissionPolicyBinding>(cx, "").into_iter().cloned().collect();
    if bindings.is_empty() {
        return Ok(());
    }
    let policies: Vec<_> = stored::<ValidatingAdmissionPolicy>(cx, "").into_iter().cloned().collect();
    let mut denied: Option<(String, Option<String>, Denial)> = None;
    for policy in policies {
        let name = policy.metadata.name.as_deref().unwrap_or("");
        let spec = policy.spec.clone().unwrap_or_default();
        let fails = spec.failure_policy.as_deref() != Some("Ignore");
        if !spec.match_constraints.as_ref().is_some_and(|m| matches(cx, m, asked, true)) {
            continue;
        }
        let of = |b: &&ValidatingAdmissionPolicyBinding| {
            b.spec.as_ref().and_then(|s| s.policy_name.as_deref()) == Some(name)
        };
        for binding in bindings.iter().filter(of) {
            let bound = binding.spec.clone().unwrap_or_default();
            let binding = binding.metadata.name.clone().unwrap_or_default();
            if !bound.match_resources.as_ref().is_none_or(|m| matches(cx, m, asked, false)) {
                continue;
            }
            let mut deny = |d: Denial| {
                if denied.is_none() {
                    denied = Some((name.to_string(), Some(binding.clone()), d));
                }
            };
            let invalid = |message: String| Denial { reason: "Invalid".into(), message };
            let params = match params(cx, &spec, &bound, asked) {
                Ok(params) => params,
                Err(why) => {
                    if fails {
                        deny(invalid(format!("failed to configure binding: {why}")));
                    }
                    continue;
                }
            };
            for params in params {
                for failure in evaluate(cx, &spec, params, asked) {
                    let denial = match failure {
                        Failure::Error(_) | Failure::Annotation(_) if !fails => continue,
                        Failure::Error(why) => invalid(why),
                        // Whatever the binding does about expressions.
                        Failure::Annotation(why) => {
                            deny(invalid(why));
                            continue;
                        }
                        Failure::Denied(d) => d,
                    };
                    for action in bound.validation_actions.iter().flatten() {
                        match action.as_str() {
                            "Deny" => deny(Denial { reason: denial.reason.clone(), message: denial.message.clone() }),
                            "Warn" => cx.warnings.push(format!(
                                "Validation failed for ValidatingAdmissionPolicy '{name}' with binding '{binding}': {}",
                                denial.message
                            )),
                            // There is no audit log here.
                            _ => {}
                        }
                    }
                }
            }
        }
    }
    denied.map_or(Ok(()), |(policy, binding, d)| Err(refusal(asked, &policy, binding.as_deref(), &d)))
}

fn refusal(asked: &Asked<'_>, policy: &str, binding: Option<&str>, d: &Denial) -> ApiError {
    let by = binding.map_or(String::new(), |b| format!(" with binding '{b}'"));
    let message = format!("ValidatingAdmissionPolicy '{policy}'{by} denied request: {}", d.message);
    let kind = asked.req.kind;
    let mut e = ApiError::forbidden(kind.group, kind.plural, asked.name(), &message);
    e.0.code = Some(match d.reason.as_str() {
        "Forbidden" => 403,
        "RequestEntityTooLarge" => 413,
        _ => 422,
    });
    e.0.reason = Some(d.reason.clone());
    let cause = StatusCause { message: Some(message), ..StatusCause::default() };
    e.0.details.get_or_insert_default().causes.get_or_insert_default().push(cause);
    e
}

/// All objects of a kind in a namespace, or in all.
pub(super) fn stored<'a, T: Registered>(cx: &'a Cx<'_>, namespace: &str) -> Vec<&'a T> {
    let prefix = keys::prefix(T::KIND_REF, namespace);
    let end = keys::range_end(&prefix);
    cx.store.iter_range(&prefix, &end).filter_map(|(_, e)| e.value.0.downcast::<T>()).collect()
}

/// Models `Matcher.Matches`; a policy without rules is about nothing, a binding without is about all.
fn matches(cx: &Cx<'_>, m: &MatchResources, asked: &Asked<'_>, needs_rule: bool) -> bool {
    let rules = m.resource_rules.as_deref().unwrap_or_default();
    let by_rule = if rules.is_empty() { !needs_rule } else { rules.iter().any(|r| rule_matches(r, asked)) };
    by_rule
        && !m.exclude_resource_rules.iter().flatten().any(|r| rule_matches(r, asked))
        && namespace_matches(cx, m.namespace_selector.as_ref(), asked)
        && object_matches(m.object_selector.as_ref(), asked)
}

/// Models `rules.Matcher`.
fn rule_matches(r: &NamedRuleWithOperations, asked: &Asked<'_>) -> bool {
    let names = r.resource_names.as_deref().unwrap_or_default();
    let what = [&r.operations, &r.api_groups, &r.api_versions, &r.resources];
    is_about(what, r.scope.as_deref(), asked) && (names.is_empty() || names.iter().any(|n| n == asked.name()))
}

/// Whether the request is of these operations, groups, versions and resources.
pub(super) fn is_about(what: [&Option<Vec<String>>; 4], scope: Option<&str>, asked: &Asked<'_>) -> bool {
    let [operations, groups, versions, resources] = what;
    let has = |list: &Option<Vec<String>>, what: &str| list.iter().flatten().any(|v| v == "*" || v == what);
    let kind = asked.req.kind;
    let form = asked.req.options.form.unwrap_or(kind);
    let resource = |r: &String| {
        let (of, sub) = r.split_once('/').unwrap_or((r, ""));
        (of == "*" || of == kind.plural) && (sub == "*" || sub == asked.req.subresource)
    };
    let scope = match scope {
        Some("Namespaced") => kind.namespaced(),
        Some("Cluster") => !kind.namespaced(),
        _ => true,
    };
    has(operations, asked.operation)
        && (has(groups, kind.group) || has(groups, form.group))
        && (has(versions, kind.version) || has(versions, form.version))
        && resources.iter().flatten().any(resource)
        && scope
}

fn selects(s: Option<&LabelSelector>, labels: Option<&Labels>) -> bool {
    s.is_none_or(|s| Selector::from_api(Some(s)).is_ok_and(|s| s.matches(labels)))
}

/// Models `namespace.Matcher`: of a namespace itself the labels that it will have.
pub(super) fn namespace_matches(cx: &Cx<'_>, s: Option<&LabelSelector>, asked: &Asked<'_>) -> bool {
    let empty = s.is_none_or(|s| *s == LabelSelector::default());
    if empty || (!asked.req.kind.namespaced() && asked.req.kind != Namespace::KIND_REF) {
        return true;
    }
    if asked.req.kind == Namespace::KIND_REF && asked.operation != "DELETE" {
        return selects(s, asked.object().and_then(|o| o.meta().labels.as_ref()));
    }
    let of = cx.object(Namespace::KIND_REF, "", asked.namespace());
    of.is_some_and(|e| selects(s, e.value.0.meta().labels.as_ref()))
}

/// Models `object.Matcher`: what was or what will be.
pub(super) fn object_matches(s: Option<&LabelSelector>, asked: &Asked<'_>) -> bool {
    s.is_none_or(|s| *s == LabelSelector::default())
        || [asked.new, asked.old].into_iter().flatten().any(|o| selects(s, o.meta().labels.as_ref()))
}

/// The objects that parameters are read from, each of which is a run of its own. Models `CollectParams`.
fn params(
    cx: &Cx<'_>,
    policy: &ValidatingAdmissionPolicySpec,
    binding: &ValidatingAdmissionPolicyBindingSpec,
    asked: &Asked<'_>,
) -> Result<Vec<Option<Value>>, String> {
    let (Some(of), Some(from)) = (&policy.param_kind, &binding.param_ref) else { return Ok(vec![None]) };
    let (version, name) = (of.api_version.as_deref().unwrap_or(""), of.kind.as_deref().unwrap_or(""));
    let kind = cx.server.kinds().by_api_version(version, name);
    let kind = kind.ok_or_else(|| {
        let (group, v) = version.split_once('/').unwrap_or(("", version));
        let at = if group.is_empty() { format!("/{v}") } else { format!("{group}/{v}") };
        format!("failed to find resource referenced by paramKind: '{at}, Kind={name}'")
    })?;
    let namespace = match (kind.namespaced(), from.namespace.as_deref().unwrap_or("")) {
        (false, "") => "",
        (false, _) => return Err("paramRef.namespace must not be provided for a cluster-scoped `paramKind`".into()),
        (true, "") if !asked.req.kind.namespaced() => {
            return Err("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources".into());
        }
        (true, "") => asked.namespace(),
        (true, namespace) => namespace,
    };
    let found = find_params(cx, kind, namespace, from);
    if found.is_empty() && from.parameter_not_found_action.as_deref() == Some("Deny") {
        return Err("no params found for policy binding with `Deny` parameterNotFoundAction".into());
    }
    Ok(found.into_iter().map(Some).collect())
}

fn find_params(cx: &Cx<'_>, kind: KindRef, namespace: &str, from: &ParamRef) -> Vec<Value> {
    if let Some(name) = from.name.as_deref().filter(|n| !n.is_empty()) {
        return cx.object(kind, namespace, name).map(|e| e.value.0.to_value()).into_iter().collect();
    }
    let prefix = keys::prefix(kind, namespace);
    let end = keys::range_end(&prefix);
    let all = cx.store.iter_range(&prefix, &end);
    let chosen = all.filter(|(_, e)| selects(from.selector.as_ref(), e.value.0.meta().labels.as_ref()));
    chosen.map(|(_, e)| e.value.0.to_value()).collect()
}

/// Models `CreateAdmissionRequest`.
pub(super) fn request(asked: &Asked<'_>, cx: &Cx<'_>) -> Value {
    let (req, kind) = (asked.req, asked.req.kind);
    let form = req.options.form.unwrap_or(kind);
    let of = |k: KindRef| json!({"group": k.group, "version": k.version, "kind": k.kind});
    let at = |k: KindRef| json!({"group": k.group, "version": k.version, "resource": k.plural});
    let user = &req.user;
    json!({
        "kind": asked.kind(), "resource": at(kind), "subResource": req.subresource,
        "requestKind": if asked.body.is_some() { asked.kind() } else { of(form) }, "requestResource": at(form), "requestSubResource": req.subresource,
        "name": asked.name(), "namespace": asked.namespace(), "operation": asked.operation,
        "userInfo": {"username": user.name, "uid": user.uid, "groups": user.groups, "extra": user.extra},
        "dryRun": cx.dry_run, "options": options(asked, cx),
    })
}

/// As the client gave them. A connection has no others than those that are the object.
fn options(asked: &Asked<'_>, cx: &Cx<'_>) -> Value {
    let kind = match asked.operation {
        "CREATE" => "CreateOptions",
        "DELETE" => "DeleteOptions",
        "CONNECT" => return Value::Null,
        _ => "UpdateOptions",
    };
    let o = &asked.req.options;
    let mut options = match &asked.req.body {
        Body::DeleteOptions(given) if kind == "DeleteOptions" => serde_json::to_value(given).unwrap_or_default(),
        _ => json!({}),
    };
    options["kind"] = kind.into();
    options["apiVersion"] = "meta.k8s.io/v1".into();
    if kind != "DeleteOptions" {
        // Components name themselves.
        if !o.field_manager.is_empty() && (o.named.field_manager || o.named == Named::default() && cx.inside) {
            options["fieldManager"] = o.field_manager.as_str().into();
        }
        if o.named.field_validation {
            options["fieldValidation"] = o.field_validation.name().into();
        }
    }
    if cx.dry_run {
        options["dryRun"] = json!(["All"]);
    }
    options
}

/// What expressions see.
pub(super) fn known(cx: &Cx<'_>, params: Option<Value>, asked: &Asked<'_>) -> Vec<(&'static str, Cel)> {
    let tree = |o: Option<&dyn Object>| o.map_or(Cel::Null, |o| Cel::of_json(&o.to_value()));
    let namespace = cx.object(Namespace::KIND_REF, "", asked.namespace());
    let namespace = namespace.filter(|_| asked.req.kind.namespaced()).map_or(Cel::Null, |e| tree(Some(&*e.value.0)));
    vec![
        ("object", Cel::of_json(&asked.new_tree())),
        ("oldObject", Cel::of_json(&asked.old_tree())),
        ("request", Cel::of_json(&request(asked, cx))),
        ("namespaceObject", namespace),
        ("authorizer", authorizer::of(cx, asked)),
        ("params", params.map_or(Cel::Null, |p| Cel::of_json(&p))),
        ("variables", Cel::map([])),
    ]
}

fn run(program: &str, known: &[(&str, Cel)]) -> Result<Cel, String> {
    let said = |e: String| format!("expression '{program}' resulted in error: {e}");
    cel::evaluate(&cel::parse(program).map_err(said)?, known).map_err(said)
}

/// Whether all conditions hold; one that does not outweighs one that cannot be evaluated. Models `matchconditions.Match`.
pub(super) fn conditions_hold(conditions: &[MatchCondition], known: &[(&str, Cel)]) -> Result<bool, String> {
    let mut wrong = None;
    for c in conditions {
        match run(c.expression.trim(), known) {
            Ok(Cel::Bool(true)) => {}
            Ok(_) => return Ok(false),
            Err(why) => wrong = wrong.or(Some(why)),
        }
    }
    wrong.map_or(Ok(true), Err)
}

/// All validations of a policy on one object of parameters. Models `validator.Validate`.
fn evaluate(
    cx: &Cx<'_>,
    spec: &ValidatingAdmissionPolicySpec,
    params: Option<Value>,
    asked: &Asked<'_>,
) -> Vec<Failure> {
    let mut known = known(cx, params, asked);
    match conditions_hold(spec.match_conditions.as_deref().unwrap_or_default(), &known) {
        Ok(true) => {}
        Ok(false) => return Vec::new(),
        Err(why) => return vec![Failure::Error(why)],
    }
    // Whoever uses a variable that has none finds no value, and why.
    let (mut variables, mut without) = (BTreeMap::new(), BTreeMap::new());
    for v in spec.variables.iter().flatten() {
        match run(&v.expression, &known) {
            Ok(value) => _ = variables.insert(v.name.clone(), value),
            Err(why) => _ = without.insert(v.name.clone(), why),
        }
        if let Some(last) = known.last_mut() {
            last.1 = Cel::map(variables.clone());
        }
    }
    let explained = |why: String| match without.iter().find(|(name, _)| why.ends_with(&format!("no such key: {name}")))
    {
        Some((name, cause)) => format!("{why}: composited variable {name:?} fails to evaluate: {cause}"),
        None => why,
    };
    let mut failures = Vec::new();
    for v in spec.validations.iter().flatten() {
        match run(&v.expression, &known) {
            Ok(Cel::Bool(true)) => {}
            Err(why) => failures.push(Failure::Error(explained(why))),
            Ok(_) => {
                let made = v.message_expression.as_deref().filter(|e| !e.trim().is_empty());
                let made = made.and_then(|e| match run(e, &known) {
                    Ok(Cel::Text(t)) => Some(t.trim().to_string()).filter(|t| !t.is_empty() && !t.contains('\n')),
                    _ => None,
                });
                let written = || v.message.as_deref().map(|m| m.trim().to_string()).filter(|m| !m.is_empty());
                let message = made.or_else(written);
                let message = message.unwrap_or_else(|| format!("failed expression: {}", v.expression.trim()));
                let reason = v.reason.clone().unwrap_or_else(|| "Invalid".into());
                failures.push(Failure::Denied(Denial { reason, message }));
            }
        }
    }
    // There is no audit log to note anything in.
    let notes = spec.audit_annotations.iter().flatten().filter_map(|a| run(&a.value_expression, &known).err());
    failures.extend(notes.map(|why| Failure::Annotation(explained(why))));
    failures
}
