//! Apply and delete from the editor: everything or nothing.
//!
//! The documents are first applied to a copy of the API server and its store (a few pointers, thanks to shared
//! structure). Only when all of them went well there are they applied to the cluster.

use crate::rows::object_id;
use crate::threeway;
use api::{KindRef, Kinds, Obj};
use apiserver::authz::Attributes;
use apiserver::{Answer, Body, FieldValidation, PatchType, Request, RequestVerb, Response};
use cluster::{Cluster, requests};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
use manifest::{Document, Problem};
use meta::{ApiError, Key, User};
use protocol::{ApplyMode, ApplyResult, Diagnostic, File, Missing, ObjectId, ObjectResult};
use serde_json::Value;

/// Something that answers API requests: the cluster, or a copy of its API server.
type Server<'a> = dyn FnMut(Request) -> Answer + 'a;

/// By the person at the keyboard.
pub fn run(cluster: &mut Cluster, mode: ApplyMode, files: &[File]) -> ApplyResult {
    run_as(cluster, &User::admin(), mode, files)
}

pub fn run_as(cluster: &mut Cluster, user: &User, mode: ApplyMode, files: &[File]) -> ApplyResult {
    let texts: Vec<(&str, &str)> = files.iter().map(|f| (f.name.as_str(), f.text.as_str())).collect();
    let kinds = cluster.api().kinds().clone();
    let documents = match manifest::parse_among(&texts, &kinds) {
        Ok(d) => d,
        Err(problems) => {
            let errors = problems.into_iter().map(diagnostic);
            return ApplyResult { errors: errors.collect(), ..Default::default() };
        }
    };
    let mut trial = cluster.trial();
    let rehearsal = apply_all(&mut |r| trial.request(r), &kinds, user, mode, &documents);
    if mode == ApplyMode::DryRun || !rehearsal.errors.is_empty() {
        return with_verdicts(cluster, user, rehearsal);
    }
    // By what it was allowed is told by the roles as they were before: it may have changed them.
    let before = with_verdicts(cluster, user, rehearsal);
    let mut result = apply_all(&mut |r| cluster.request(r), &kinds, user, mode, &documents);
    for (done, told) in result.objects.iter_mut().zip(before.objects) {
        done.allowed = told.allowed;
    }
    result
}

/// Adds to each object what allowed the write to it. Who may do everything is not asked.
fn with_verdicts(cluster: &Cluster, user: &User, mut result: ApplyResult) -> ApplyResult {
    for o in &mut result.objects {
        let verb = match o.verb.as_str() {
            "created" => "create",
            "deleted" => "delete",
            _ => "patch",
        };
        let Some(kind) = cluster.view().kinds().by_api_version(&o.id.api_version, &o.id.kind) else { continue };
        let (namespace, name) = (o.id.namespace.as_str(), if verb == "create" { "" } else { &o.id.name });
        let a = Attributes {
            user,
            verb,
            group: kind.group,
            resource: kind.plural,
            subresource: "",
            namespace,
            name,
            field_selector: "",
            path: None,
        };
        o.allowed = cluster.api().authz().authorize(cluster.store(), &a).reason;
    }
    result
}

fn apply_all(
    server: &mut Server<'_>,
    kinds: &Kinds,
    user: &User,
    mode: ApplyMode,
    documents: &[Document],
) -> ApplyResult {
    let mut result = ApplyResult::default();
    for d in documents {
        let outcome = match mode {
            ApplyMode::Delete => delete_one(server, kinds, user, d),
            ApplyMode::Apply | ApplyMode::DryRun => apply_one(server, kinds, user, d),
        };
        match outcome {
            Ok(done) => {
                let dry = if mode == ApplyMode::DryRun { " (server dry run)" } else { "" };
                let target = meta::errors::group_resource(done.kind.group, &done.kind.kind.to_lowercase());
                let line = match done.verb {
                    "deleted" => format!("{target} \"{}\" deleted{dry}", done.id.name),
                    verb => format!("{target}/{} {verb}{dry}", done.id.name),
                };
                result.objects.push(ObjectResult { id: done.id, verb: done.verb.into(), line, allowed: String::new() });
                result.warnings.extend(done.warnings.into_iter().map(|m| warning(d, m)));
            }
            Err(e) => {
                let missing = missing(&e);
                let problems = manifest::refusals(d, &e).into_iter().map(diagnostic);
                result.errors.extend(problems.map(|p| Diagnostic { missing: missing.clone(), ..p }));
            }
        }
    }
    if !result.errors.is_empty() {
        result.objects.clear();
    }
    result
}

struct Done {
    kind: KindRef,
    id: ObjectId,
    verb: &'static str,
    warnings: Vec<String>,
}

/// Kind, namespace and name of a document. The parser has checked that apiVersion and kind are known.
fn target(kinds: &Kinds, d: &Document) -> Result<(KindRef, String, String), ApiError> {
    let (version, kind) = (d.api_version(), d.kind());
    let kind = kinds
        .by_api_version(version, kind)
        .ok_or_else(|| ApiError::bad_request(format!("no matches for kind {kind:?} in version {version:?}")))?;
    let namespace = match (kind.namespaced(), d.namespace()) {
        (false, _) => "",
        (true, "") => "default",
        (true, ns) => ns,
    };
    Ok((kind, namespace.into(), d.name().into()))
}

fn strict(mut r: Request) -> Request {
    r.options.field_validation = FieldValidation::Strict;
    r.options.field_manager = "kubectl-client-side-apply".into();
    r
}

/// Models `kubectl apply`: create with the last-applied annotation, or a three-way strategic merge patch.
fn apply_one(server: &mut Server<'_>, kinds: &Kinds, user: &User, d: &Document) -> Result<Done, ApiError> {
    let (kind, namespace, name) = target(kinds, d)?;
    let mut wanted = d.value.clone();
    // `metadata` may be absent or of the wrong type; then the server says so.
    if let Some(m) = wanted.get_mut("metadata").and_then(Value::as_object_mut)
        && kind.namespaced()
    {
        m.insert("namespace".into(), namespace.clone().into());
    }
    threeway::annotate(&mut wanted);
    let json = |v: &Value| Body::Raw { content_type: "application/json".into(), bytes: v.to_string().into_bytes() };
    let existing = if name.is_empty() { None } else { get(server, user, kind, &namespace, &name)? };
    let (answer, verb) = match existing {
        None => {
            let r = Request::new(user.clone(), RequestVerb::Create, kind, &namespace, "").body(json(&wanted));
            (server(strict(r)), "created")
        }
        Some(live) => {
            let patch = threeway::patch(kind, &live.to_value(), &wanted);
            // Lists of custom resources are replaced, as kubectl does.
            let how = if kind.custom.is_some() { PatchType::Merge } else { PatchType::Strategic };
            let verb = RequestVerb::Patch(how);
            let r = Request::new(user.clone(), verb, kind, &namespace, &name).body(Body::Json(patch));
            let answer = server(strict(r));
            let verb = if answer.events.is_empty() { "unchanged" } else { "configured" };
            (answer, verb)
        }
    };
    let warnings = answer.warnings.clone();
    let object = answer.into_result()?;
    let id = object.map(|o| object_id(&*o)).unwrap_or_default();
    Ok(Done { kind, id, verb, warnings })
}

fn delete_one(server: &mut Server<'_>, kinds: &Kinds, user: &User, d: &Document) -> Result<Done, ApiError> {
    let (kind, namespace, name) = target(kinds, d)?;
    // As kubectl asks.
    let options = DeleteOptions { propagation_policy: Some("Background".into()), ..Default::default() };
    let r = requests::delete(user.clone(), kind, &Key::new(&namespace, &name), options);
    server(r).into_result()?;
    let id = ObjectId { api_version: kind.api_version(), kind: kind.kind.into(), namespace, name };
    Ok(Done { kind, id, verb: "deleted", warnings: Vec::new() })
}

fn get(
    server: &mut Server<'_>,
    user: &User,
    kind: KindRef,
    namespace: &str,
    name: &str,
) -> Result<Option<Obj>, ApiError> {
    let answer = server(Request::new(user.clone(), RequestVerb::Get, kind, namespace, name));
    match answer.response {
        Response::Object(o) => Ok(Some(o)),
        _ => match answer.into_result() {
            Err(e) if !e.is_not_found() => Err(e),
            _ => Ok(None),
        },
    }
}

/// What the authorizer looked for and did not find, read from its refusal: it says all of it.
fn missing(e: &ApiError) -> Option<Missing> {
    if e.code() != 403 {
        return None;
    }
    let (_, rest) = e.message().split_once("\" cannot ")?;
    let (verb, rest) = rest.split_once(" resource \"")?;
    let (resource, rest) = rest.split_once("\" in API group \"")?;
    let (group, rest) = rest.split_once('"')?;
    let namespace = rest.strip_prefix(" in the namespace \"").and_then(|n| n.split('"').next()).unwrap_or("");
    let [verb, group, resource, namespace] = [verb, group, resource, namespace].map(Into::into);
    Some(Missing { verb, group, resource, namespace })
}

pub(crate) fn diagnostic(p: Problem) -> Diagnostic {
    Diagnostic {
        file: p.file,
        line: p.line as usize,
        column: p.column as usize,
        path: p.path,
        message: p.message,
        hint: p.hint.into(),
        suggestion: p.suggestion.unwrap_or_default(),
        missing: None,
    }
}

/// A warning stands at the field it names (`spec.containers[0].env[1]: hides ...`), or at the document.
fn warning(d: &Document, message: String) -> Diagnostic {
    let field = message.split_once(": ").map_or("", |(f, _)| f).to_string();
    let at = manifest::locate(d, &field);
    Diagnostic {
        file: d.file.clone(),
        line: at.line as usize,
        column: at.column as usize,
        path: field,
        message,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::Session;
    use meta::{Duration, Time};
    use protocol::{ApplyMode, ApplyResult, Command, File, Identity, Missing, Reply};

    const ROLE: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: writer}
rules: [{apiGroups: [\"\"], resources: [configmaps], verbs: [get, create, patch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: writers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: writer}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: jane}]
";
    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\n";

    fn apply(mode: ApplyMode, text: &str) -> Command {
        Command::Apply { id: 1, mode, files: vec![File { name: "a.yaml".into(), text: text.into() }] }
    }

    fn by(user: &str, command: Command) -> Command {
        Command::As { identity: Identity { user: user.into(), groups: Vec::new() }, command: Box::new(command) }
    }

    fn result(s: &mut Session, command: Command) -> ApplyResult {
        let Some(Reply::Apply { result, .. }) = s.act(command) else { panic!("an apply is answered") };
        s.cluster.advance(Duration::from_secs(1));
        result
    }

    #[test]
    fn a_verdict_names_the_binding_that_allowed_or_the_permission_that_is_missing() {
        let mut s = Session::new(1, 7, Time(0)).unwrap();
        s.cluster.advance(Duration::from_secs(3));
        let refused = result(&mut s, by("jane", apply(ApplyMode::Apply, MAP)));
        let wanted = Missing {
            verb: "get".into(),
            resource: "configmaps".into(),
            namespace: "default".into(),
            ..Default::default()
        };
        assert_eq!(refused.errors[0].missing, Some(wanted));
        assert!(refused.errors[0].message.contains("User \"jane\" cannot get resource \"configmaps\""));

        let mine = result(&mut s, apply(ApplyMode::Apply, ROLE));
        assert_eq!(mine.objects[0].allowed, "", "system:masters may do everything");
        let done = result(&mut s, by("jane", apply(ApplyMode::Apply, MAP)));
        let allowed = "RBAC: allowed by RoleBinding \"writers/default\" of Role \"writer\" to User \"jane\"";
        assert_eq!((done.objects[0].verb.as_str(), done.objects[0].allowed.as_str()), ("created", allowed));
        let refused = result(&mut s, by("jane", apply(ApplyMode::Delete, MAP)));
        assert_eq!(refused.errors[0].missing.as_ref().map(|m| m.verb.as_str()), Some("delete"));

        let again = Session::load(&s.save().unwrap()).unwrap().cluster;
        assert_eq!(again.trace().hash(), s.cluster.trace().hash());
    }

    #[test]
    fn service_accounts_have_their_groups() {
        let mut s = Session::new(1, 7, Time(0)).unwrap();
        s.cluster.advance(Duration::from_secs(3));
        let group = ROLE.replace("kind: User, name: jane", "kind: Group, name: 'system:serviceaccounts:default'");
        result(&mut s, apply(ApplyMode::Apply, &group));
        let done = result(&mut s, by("system:serviceaccount:default:default", apply(ApplyMode::Apply, MAP)));
        assert!(done.objects[0].allowed.ends_with("to Group \"system:serviceaccounts:default\""), "{done:?}");
    }
}
