//! Apply and delete from the editor: everything or nothing.
//!
//! The documents are first applied to a copy of the API server and its store (a few pointers, thanks to shared
//! structure). Only when all of them went well there are they applied to the cluster.

use crate::rows::object_id;
use crate::threeway;
use api::{KindRef, Kinds, Obj};
use apiserver::{Answer, Body, FieldValidation, PatchType, Request, RequestVerb, Response};
use cluster::Cluster;
use manifest::{Document, Problem};
use meta::{ApiError, User};
use protocol::{ApplyMode, ApplyResult, Diagnostic, File, ObjectId, ObjectResult};
use serde_json::Value;

/// Something that answers API requests: the cluster, or a copy of its API server.
type Server<'a> = dyn FnMut(Request) -> Answer + 'a;

pub fn run(cluster: &mut Cluster, mode: ApplyMode, files: &[File]) -> ApplyResult {
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
    let rehearsal = apply_all(&mut |r| trial.request(r), &kinds, mode, &documents);
    if mode == ApplyMode::DryRun || !rehearsal.errors.is_empty() {
        return rehearsal;
    }
    apply_all(&mut |r| cluster.request(r), &kinds, mode, &documents)
}

fn apply_all(server: &mut Server<'_>, kinds: &Kinds, mode: ApplyMode, documents: &[Document]) -> ApplyResult {
    let mut result = ApplyResult::default();
    for d in documents {
        let outcome = match mode {
            ApplyMode::Delete => delete_one(server, kinds, d),
            ApplyMode::Apply | ApplyMode::DryRun => apply_one(server, kinds, d),
        };
        match outcome {
            Ok(done) => {
                let dry = if mode == ApplyMode::DryRun { " (server dry run)" } else { "" };
                let target = meta::errors::group_resource(done.kind.group, &done.kind.kind.to_lowercase());
                let line = match done.verb {
                    "deleted" => format!("{target} \"{}\" deleted{dry}", done.id.name),
                    verb => format!("{target}/{} {verb}{dry}", done.id.name),
                };
                result.objects.push(ObjectResult { id: done.id, verb: done.verb.into(), line });
                result.warnings.extend(done.warnings.into_iter().map(|m| warning(d, m)));
            }
            Err(e) => result.errors.extend(manifest::refusals(d, &e).into_iter().map(diagnostic)),
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
fn apply_one(server: &mut Server<'_>, kinds: &Kinds, d: &Document) -> Result<Done, ApiError> {
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
    let existing = if name.is_empty() { None } else { get(server, kind, &namespace, &name)? };
    let (answer, verb) = match existing {
        None => {
            let r = Request::new(User::admin(), RequestVerb::Create, kind, &namespace, "").body(json(&wanted));
            (server(strict(r)), "created")
        }
        Some(live) => {
            let patch = threeway::patch(kind, &live.to_value(), &wanted);
            // Lists of custom resources are replaced, as kubectl does.
            let how = if kind.custom.is_some() { PatchType::Merge } else { PatchType::Strategic };
            let verb = RequestVerb::Patch(how);
            let r = Request::new(User::admin(), verb, kind, &namespace, &name).body(Body::Json(patch));
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

fn delete_one(server: &mut Server<'_>, kinds: &Kinds, d: &Document) -> Result<Done, ApiError> {
    let (kind, namespace, name) = target(kinds, d)?;
    let r = Request::new(User::admin(), RequestVerb::Delete, kind, &namespace, &name);
    server(r).into_result()?;
    let id = ObjectId { api_version: kind.api_version(), kind: kind.kind.into(), namespace, name };
    Ok(Done { kind, id, verb: "deleted", warnings: Vec::new() })
}

fn get(server: &mut Server<'_>, kind: KindRef, namespace: &str, name: &str) -> Result<Option<Obj>, ApiError> {
    let answer = server(Request::new(User::admin(), RequestVerb::Get, kind, namespace, name));
    match answer.response {
        Response::Object(o) => Ok(Some(o)),
        _ => match answer.into_result() {
            Err(e) if !e.is_not_found() => Err(e),
            _ => Ok(None),
        },
    }
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
