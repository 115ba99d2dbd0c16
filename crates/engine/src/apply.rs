//! Apply and delete from the editor: everything or nothing.
//!
//! The documents are first applied to a copy of the API server and its store (a few pointers, thanks to shared
//! structure). Only when all of them went well there are they applied to the cluster.

use crate::rows::object_id;
use crate::threeway;
use crate::yaml::to_yaml;
use api::{KindRef, Kinds, Obj};
use apiserver::authz::Attributes;
use apiserver::{Answer, Body, FieldValidation, PatchType, Request, RequestVerb, Response};
use cluster::{Cluster, requests};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
use manifest::{Document, Problem};
use meta::{ApiError, Key, User};
use protocol::{ApplyMode, ApplyResult, Diagnostic, Difference, File, Missing, ObjectId, ObjectResult};
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
                let difference = if mode == ApplyMode::DryRun { difference(&done) } else { None };
                let (id, verb) = (done.id, done.verb.into());
                result.objects.push(ObjectResult { id, verb, line, allowed: String::new(), difference });
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
    /// The object as it was, and as it is now.
    before: Option<Obj>,
    after: Option<Obj>,
}

/// What a write changes, as `kubectl diff` shows it.
fn difference(done: &Done) -> Option<Difference> {
    if done.verb == "unchanged" {
        return None;
    }
    let [mut before, mut after] = [&done.before, &done.after].map(|o| o.as_ref().map(|o| o.to_value()));
    if done.kind.group.is_empty() && done.kind.kind == "Secret" {
        mask(before.as_mut(), after.as_mut());
    }
    let [before, after] = [before, after].map(|o| o.map(|o| to_yaml(&o)).unwrap_or_default());
    Some(Difference { before, after })
}

/// Nobody looks over a shoulder at a Secret's values. Models `kubectl/pkg/cmd/diff`'s Masker.
fn mask(before: Option<&mut Value>, after: Option<&mut Value>) {
    let values = |o: &Option<&mut Value>| o.as_ref().and_then(|o| o["data"].as_object()).cloned().unwrap_or_default();
    let (old, new) = (values(&before), values(&after));
    let hide = |o: Option<&mut Value>, other: &serde_json::Map<String, Value>, when: &str| {
        for (key, value) in o.and_then(|o| o.get_mut("data")).and_then(Value::as_object_mut).into_iter().flatten() {
            let differs = other.get(key).is_some_and(|o| o != value);
            *value = if differs { format!("*** ({when})") } else { "***".into() }.into();
        }
    };
    hide(before, &new, "before");
    hide(after, &old, "after");
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
    let before = existing.clone();
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
    let id = object.as_ref().map(|o| object_id(&**o)).unwrap_or_default();
    Ok(Done { kind, id, verb, warnings, before, after: object })
}

fn delete_one(server: &mut Server<'_>, kinds: &Kinds, user: &User, d: &Document) -> Result<Done, ApiError> {
    let (kind, namespace, name) = target(kinds, d)?;
    // As kubectl asks.
    let options = DeleteOptions { propagation_policy: Some("Background".into()), ..Default::default() };
    let r = requests::delete(user.clone(), kind, &Key::new(&namespace, &name), options);
    server(r).into_result()?;
    let id = ObjectId { api_version: kind.api_version(), kind: kind.kind.into(), namespace, name };
    Ok(Done { kind, id, verb: "deleted", warnings: Vec::new(), before: None, after: None })
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
    fn a_dry_run_shows_what_would_change_and_changes_nothing() {
        let mut s = Session::new(1, 7, Time(0)).unwrap();
        s.cluster.advance(Duration::from_secs(3));
        let map = format!("{MAP}data: {{a: one, b: same}}\n");
        let new = result(&mut s, apply(ApplyMode::DryRun, &map));
        let shown = new.objects[0].difference.as_ref().unwrap();
        assert!(shown.before.is_empty() && shown.after.contains("  a: one\n"), "{shown:?}");
        result(&mut s, apply(ApplyMode::Apply, &map));
        assert_eq!(result(&mut s, apply(ApplyMode::DryRun, &map)).objects[0].difference, None, "nothing would change");
        let changed = map.replace("one", "two");
        let shown = result(&mut s, apply(ApplyMode::DryRun, &changed)).objects[0].difference.clone().unwrap();
        assert!(shown.before.contains("  a: one\n") && shown.after.contains("  a: two\n"), "{shown:?}");
        assert_eq!(result(&mut s, apply(ApplyMode::DryRun, &map)).objects[0].verb, "unchanged");

        let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {pass: one, user: me}\n";
        result(&mut s, apply(ApplyMode::Apply, secret));
        let shown =
            result(&mut s, apply(ApplyMode::DryRun, &secret.replace("one", "two"))).objects[0].difference.clone();
        let shown = shown.unwrap();
        assert!(
            shown.before.contains("pass: \"*** (before)\"") || shown.before.contains("pass: '*** (before)'"),
            "{shown:?}"
        );
        assert!(shown.after.contains("*** (after)") && shown.after.contains("***"), "{shown:?}");
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
