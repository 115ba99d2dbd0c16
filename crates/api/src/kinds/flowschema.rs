//! FlowSchema: which requests go to which priority level. Models `pkg/registry/flowcontrol/flowschema` and
//! `pkg/apis/flowcontrol/validation`.

use super::{STATUS_VERBS, flowcontrol, register};
use crate::registration::{Cell, Column, Registration, Scope, Subresource};
use crate::table;
use crate::validate::names::rule;
use crate::validate::{each, invalid_json, text};
use k8s_openapi::api::flowcontrol::v1::{
    FlowSchema, FlowSchemaCondition, NonResourcePolicyRule, PolicyRulesWithSubjects, ResourcePolicyRule, Subject,
};
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, FlowSchema);

pub const DANGLING: &str = "Dangling";
const PRECEDENCE: i32 = 1000;
const PRECEDENCE_MAX: i32 = 10_000;
const VERBS: [&str; 9] = ["*", "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

impl Registration for Reg {
    type Type = FlowSchema;
    const PLURAL: &'static str = "flowschemas";
    const SINGULAR: &'static str = "flowschema";
    const SCOPE: Scope = Scope::Cluster;
    const HAS_GENERATION: bool = true;
    const SUBRESOURCES: &'static [Subresource] = &[Subresource { name: "status", gvk: None, verbs: STATUS_VERBS }];
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("PriorityLevel", "string", 0).describe("The priority level that the requests go to."),
        Column::new("MatchingPrecedence", "integer", 0)
            .describe("Of the schemas that match a request the one with the lowest number is taken."),
        Column::new("DistinguisherMethod", "string", 0).describe("What tells the flows of the schema apart."),
        Column::AGE,
        Column::new("MissingPL", "string", 0).describe("Whether the priority level is missing."),
    ];
    const SAMPLE: &'static str = "\
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata:
  name: health-for-strangers
spec:
  matchingPrecedence: 1000
  priorityLevelConfiguration:
    name: exempt
  rules:
  - nonResourceRules:
    - nonResourceURLs:
      - /healthz
      verbs:
      - '*'
    subjects:
    - kind: Group
      group:
        name: system:unauthenticated
";

    fn default(o: &mut FlowSchema) {
        let s = o.spec.get_or_insert_default();
        if s.matching_precedence.unwrap_or(0) == 0 {
            s.matching_precedence = Some(PRECEDENCE);
        }
    }
    fn prepare_create(o: &mut FlowSchema) {
        o.status = None;
    }
    fn prepare_update(new: &mut FlowSchema, old: &FlowSchema) {
        new.status.clone_from(&old.status);
    }
    fn prepare_status(new: &mut FlowSchema, old: &FlowSchema) {
        new.spec.clone_from(&old.spec);
    }

    fn validate_create(o: &FlowSchema) -> Vec<FieldError> {
        check(o)
    }
    fn validate_update(new: &FlowSchema, _: &FlowSchema) -> Vec<FieldError> {
        check(new)
    }

    fn cells(o: &FlowSchema, now: Time) -> Vec<Cell> {
        let s = o.spec.clone().unwrap_or_default();
        let mut conditions = o.status.iter().flat_map(|s| &s.conditions).flatten();
        let missing = conditions.find(|c| text(&c.type_) == DANGLING).and_then(|c| c.status.clone());
        vec![
            table::name(&o.metadata),
            s.priority_level_configuration.name.into(),
            s.matching_precedence.unwrap_or(0).into(),
            s.distinguisher_method.map_or_else(|| table::NONE.into(), |m| m.type_).into(),
            table::age(&o.metadata, now),
            missing.unwrap_or_else(|| "?".into()).into(),
        ]
    }
}

/// Says whether its priority level is there; `None`: it says so already. Models `syncFlowSchemaStatus`.
pub fn with_dangling(o: &FlowSchema, exists: bool, now: Time) -> Option<FlowSchema> {
    let level = o.spec.as_ref().map_or("", |s| &s.priority_level_configuration.name);
    let (status, reason, end) =
        if exists { ("False", "Found", "and it exists") } else { ("True", "NotFound", "but there is no such object") };
    let message = format!("This FlowSchema references the PriorityLevelConfiguration object named {level:?} {end}");
    let same = |c: &FlowSchemaCondition| {
        text(&c.type_) == DANGLING && text(&c.status) == status && text(&c.message) == message
    };
    if o.status.iter().flat_map(|s| &s.conditions).flatten().any(same) {
        return None;
    }
    let mut new = o.clone();
    let list = new.status.get_or_insert_default().conditions.get_or_insert_default();
    list.retain(|c| text(&c.type_) != DANGLING);
    list.push(FlowSchemaCondition {
        type_: Some(DANGLING.into()),
        status: Some(status.into()),
        reason: Some(reason.into()),
        message: Some(message),
        last_transition_time: Some(now.to_k8s()),
    });
    Some(new)
}

fn check(o: &FlowSchema) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let name = text(&o.metadata.name);
    let s = o.spec.clone().unwrap_or_default();
    let spec = Path::new("spec");
    let (precedence, at) = (s.matching_precedence.unwrap_or(0), spec.child("matchingPrecedence"));
    if precedence <= 0 {
        errors.push(FieldError::invalid(&at, precedence, "must be a positive value"));
    }
    if precedence > PRECEDENCE_MAX {
        errors.push(FieldError::invalid(&at, precedence, format!("must not be greater than {PRECEDENCE_MAX}")));
    }
    if precedence == 1 && name != "exempt" {
        let why = "only the schema named 'exempt' may have matchingPrecedence 1";
        errors.push(FieldError::invalid(&at, precedence, why));
    }
    let methods = ["ByNamespace", "ByUser"];
    if let Some(m) = s.distinguisher_method.as_ref().filter(|m| !methods.contains(&m.type_.as_str())) {
        let at = spec.child("distinguisherMethod").child("type");
        errors.push(FieldError::not_supported(&at, m.type_.as_str(), &methods));
    }
    let at = spec.child("priorityLevelConfiguration").child("name");
    match s.priority_level_configuration.name.as_str() {
        "" => errors.push(FieldError::required(&at, "must reference a priority level")),
        level => errors.extend(each(&at, level, rule::subdomain(level, false))),
    }
    for (i, r) in s.rules.iter().flatten().enumerate() {
        check_rules(r, &spec.child("rules").index(i), &mut errors);
    }
    if let Some(fixed) = flowcontrol::mandatory_schema(name).filter(|f| f.spec.as_ref() != Some(&s)) {
        let name = text(&fixed.metadata.name);
        errors.push(invalid_json(&spec, &s, &format!("spec of '{name}' must equal the fixed value")));
    }
    errors
}

fn check_rules(r: &PolicyRulesWithSubjects, at: &Path, errors: &mut Vec<FieldError>) {
    if r.subjects.is_empty() {
        errors.push(FieldError::required(&at.child("subjects"), "subjects must contain at least one value"));
    }
    for (i, s) in r.subjects.iter().enumerate() {
        check_subject(s, &at.child("subjects").index(i), errors);
    }
    let (resources, others) =
        (r.resource_rules.as_deref().unwrap_or_default(), r.non_resource_rules.as_deref().unwrap_or_default());
    if resources.is_empty() && others.is_empty() {
        let why = "at least one of resourceRules and nonResourceRules has to be non-empty";
        errors.push(FieldError::required(at, why));
    }
    for (i, r) in resources.iter().enumerate() {
        check_resources(r, &at.child("resourceRules").index(i), errors);
    }
    for (i, r) in others.iter().enumerate() {
        check_urls(r, &at.child("nonResourceRules").index(i), errors);
    }
}

fn check_subject(s: &Subject, at: &Path, errors: &mut Vec<FieldError>) {
    let given =
        [("ServiceAccount", s.service_account.is_some()), ("User", s.user.is_some()), ("Group", s.group.is_some())];
    let field = |kind: &str| match kind {
        "ServiceAccount" => "serviceAccount",
        "User" => "user",
        _ => "group",
    };
    if !given.iter().any(|(kind, _)| *kind == s.kind) {
        let kinds = ["Group", "ServiceAccount", "User"];
        errors.push(FieldError::not_supported(&at.child("kind"), s.kind.as_str(), &kinds));
        return;
    }
    for (kind, given) in given {
        let f = field(kind);
        if kind == s.kind && !given {
            let why = format!("{f} is required when subject kind is '{kind}'");
            errors.push(FieldError::required(&at.child(f), why));
        } else if kind != s.kind && given {
            let why = format!("{f} is forbidden when subject kind is not '{kind}'");
            errors.push(FieldError::forbidden(&at.child(f), why));
        }
    }
    let at = at.child(field(&s.kind));
    let named = |name: &str, errors: &mut Vec<FieldError>| {
        if name.is_empty() {
            errors.push(FieldError::required(&at.child("name"), ""));
        }
    };
    match s.kind.as_str() {
        "User" => s.user.iter().for_each(|u| named(&u.name, errors)),
        "Group" => s.group.iter().for_each(|g| named(&g.name, errors)),
        _ => {
            let Some(account) = &s.service_account else { return };
            named(&account.name, errors);
            if !account.name.is_empty() && account.name != "*" {
                errors.extend(each(&at.child("name"), &account.name, rule::subdomain(&account.name, false)));
            }
            let at = at.child("namespace");
            match account.namespace.as_str() {
                "" => errors.push(FieldError::required(&at, "must specify namespace for service account")),
                namespace => errors.extend(each(&at, namespace, rule::label(namespace, false))),
            }
        }
    }
}

/// A list in which `*` stands alone.
fn alone(list: &[String], at: &Path, others: &str, errors: &mut Vec<FieldError>) {
    if list.len() > 1 && list.iter().any(|w| w == "*") {
        let why = format!("if '*' is present, must not specify other {others}");
        errors.push(invalid_json(at, &list, &why));
    }
}

fn check_verbs(verbs: &[String], at: &Path, errors: &mut Vec<FieldError>) {
    let at = at.child("verbs");
    if verbs.is_empty() {
        errors.push(FieldError::required(&at, "verbs must contain at least one value"));
    } else if verbs.iter().any(|v| v == "*") {
        alone(verbs, &at, "verbs", errors);
    } else if !verbs.iter().all(|v| VERBS.contains(&v.as_str())) {
        let value = serde_json::to_value(verbs).unwrap_or_default();
        errors.push(FieldError::not_supported(&at, value, &VERBS));
    }
}

fn check_urls(r: &NonResourcePolicyRule, at: &Path, errors: &mut Vec<FieldError>) {
    check_verbs(&r.verbs, at, errors);
    let at = at.child("nonResourceURLs");
    let urls = &r.non_resource_urls;
    if urls.is_empty() {
        errors.push(FieldError::required(&at, "nonResourceURLs must contain at least one value"));
    } else if urls.iter().any(|u| u == "*") {
        alone(urls, &at, "non-resource URLs", errors);
    } else {
        for (i, u) in urls.iter().enumerate() {
            errors.extend(bad_url(u).map(|why| FieldError::invalid(&at.index(i), u.as_str(), why)));
        }
    }
}

/// Models `ValidateNonResourceURLPath`.
fn bad_url(path: &str) -> Option<&'static str> {
    match path {
        "" => Some("must not be empty"),
        "/" => None,
        _ if !path.starts_with('/') => Some("must start with slash"),
        _ if path.contains(' ') => Some("must not contain white-space"),
        _ if path.contains("//") => Some("must not contain double slash"),
        _ if path.contains('*') && (!path.ends_with("/*") || path.matches('*').count() > 1) => {
            Some("wildcard can only do suffix matching")
        }
        _ => None,
    }
}

fn check_resources(r: &ResourcePolicyRule, at: &Path, errors: &mut Vec<FieldError>) {
    check_verbs(&r.verbs, at, errors);
    let some = |list: &[String], field: &str, one: &str, others: &str, errors: &mut Vec<FieldError>| {
        if list.is_empty() {
            let why = format!("resource rules must supply at least one {one}");
            errors.push(FieldError::required(&at.child(field), why));
        }
        alone(list, &at.child(field), others, errors);
    };
    some(&r.api_groups, "apiGroups", "api group", "api groups", errors);
    some(&r.resources, "resources", "resource", "resources", errors);
    let (namespaces, at) = (r.namespaces.as_deref().unwrap_or_default(), at.child("namespaces"));
    if namespaces.is_empty() && r.cluster_scope != Some(true) {
        let why = "resource rules that are not cluster scoped must supply at least one namespace";
        errors.push(FieldError::required(&at, why));
    } else if namespaces.iter().any(|n| n == "*") {
        alone(namespaces, &at, "namespaces", errors);
    } else {
        for (i, n) in namespaces.iter().enumerate() {
            let intro = "each member of this list must be '*' or a DNS-1123 label; ";
            let found = rule::label(n, false).into_iter().map(|e| format!("{intro}{e}")).collect();
            errors.extend(each(&at.index(i), n, found));
        }
    }
}
