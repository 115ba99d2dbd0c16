//! From a request's body to typed objects. Models `apiserver/pkg/endpoints/handlers/{create,rest}.go`.

use crate::converter;
use crate::request::{Body, FieldValidation, PatchType, Request, RequestVerb};
use crate::server::Cx;
use api::decode::{Source, syntax};
use api::{Kind, KindRef, Obj, Object, ObjectExt};
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::Binding;
use k8s_openapi::api::policy::v1::Eviction;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
use meta::{ApiError, FieldError, Path};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Who knows no kind: upstream names the place where its scheme is made.
const SCHEME: &str = "pkg/api/legacyscheme/scheme.go:30";

/// The object of a create or update.
pub(crate) fn object(cx: &mut Cx<'_>, req: &mut Request) -> Result<Box<dyn Object>, ApiError> {
    let kind = req.kind;
    match std::mem::take(&mut req.body) {
        Body::Object(o) if o.kind() == kind => Ok(o),
        Body::Object(o) => Err(wrong_kind(kind, &o.kind().api_version(), o.kind().kind)),
        body => {
            let mut twice = Vec::new();
            let json = json_bytes(body, &mut twice)?;
            let o = from_json(cx, req, &json, &twice)?;
            to_stored(req, o)
        }
    }
}

/// What came in another form, as it is stored.
fn to_stored(req: &Request, mut o: Box<dyn Object>) -> Result<Box<dyn Object>, ApiError> {
    let Some((form, alias)) = req.options.form.and_then(|f| Some((f, f.alias?))) else { return Ok(o) };
    (form.default)(&mut *o);
    if req.verb == RequestVerb::Create {
        let errors = (form.validate_create)(&*o);
        if !errors.is_empty() {
            return Err(ApiError::invalid(form.group, form.kind, o.name(), &errors));
        }
    }
    Ok((alias.to_stored)(o))
}

/// What is stored, in the form that the client asked for.
pub(crate) fn in_form(form: Option<KindRef>, o: Obj) -> Obj {
    match form {
        Some(f) if f.custom.is_some() => api::custom::convert(f, &o),
        Some(Kind { alias: Some(a), .. }) => (a.from_stored)(&*o).into(),
        _ => o,
    }
}

/// `twice` are the keys that stood there twice, as far as the JSON does not have them any more.
fn from_json(cx: &mut Cx<'_>, req: &Request, json: &[u8], twice: &[String]) -> Result<Box<dyn Object>, ApiError> {
    #[derive(Deserialize)]
    struct TypeMeta {
        #[serde(rename = "apiVersion", default)]
        api_version: Option<String>,
        #[serde(default)]
        kind: Option<String>,
    }
    let kind = req.options.form.unwrap_or(req.kind);
    let head: TypeMeta = serde_json::from_slice(json).map_err(|e| {
        // Upstream's struct has no name.
        let why = syntax::why::<TypeMeta>(json, &e).replace("field TypeMeta.", "field .");
        ApiError::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: {why} ({})",
            kind.kind,
            summary(json)
        ))
    })?;
    if kind.custom.is_some() {
        check_custom(kind, json, head.api_version.as_deref().unwrap_or(""), head.kind.as_deref().unwrap_or(""))?;
    }
    let said = head.kind.filter(|k| !k.is_empty()).unwrap_or_else(|| kind.kind.into());
    let version = head.api_version.filter(|v| !v.is_empty()).unwrap_or_else(|| kind.api_version());
    if said != kind.kind || version != kind.api_version() {
        return Err(wrong_kind(kind, &version, &said));
    }
    if req.options.field_validation == FieldValidation::Ignore {
        return kind.from_json(json);
    }
    let decoded = (kind.decode)(kind, Source::Json(json))?;
    if decoded.strict.is_empty() && twice.is_empty() {
        return Ok(decoded.object);
    }
    if req.options.field_validation == FieldValidation::Strict {
        return Err(ApiError::bad_request(format!(
            "{} in version {:?} cannot be handled as a {}: {}",
            kind.kind,
            kind.version,
            kind.kind,
            strict_error(&[yaml_errors(twice), decoded.strict].concat())
        )));
    }
    if req.options.field_validation == FieldValidation::Warn {
        cx.warnings.extend(twice.iter().cloned().chain(decoded.strict));
    }
    Ok(decoded.object)
}

/// All that YAML has twice is one error of its parser.
fn yaml_errors(twice: &[String]) -> Vec<String> {
    let body = manifest::Body { duplicates: twice.to_vec(), ..manifest::Body::default() };
    body.strict_error().into_iter().collect()
}

fn strict_error(errors: &[String]) -> String {
    format!("strict decoding error: {}", errors.join(", "))
}

/// Models `transformDecodeError` and the scheme's and converter's own words.
fn wrong_kind(expected: KindRef, api_version: &str, kind: &str) -> ApiError {
    let version = api_version.rsplit('/').next().unwrap_or("");
    let why = match api::by_api_version(api_version, kind) {
        Some(known) => {
            let internal = match expected.group {
                "" => "core",
                g => g.split('.').next().unwrap_or(g),
            };
            format!(
                "converting ({}.{}) to ({internal}.{}): unknown conversion",
                known.version, known.kind, expected.kind
            )
        }
        None => format!("no kind {kind:?} is registered for version {api_version:?} in scheme {SCHEME:?}"),
    };
    ApiError::bad_request(format!("{kind} in version {version:?} cannot be handled as a {}: {why}", expected.kind))
}

/// Custom resources have to say themselves what they are. Models `unstructuredJSONScheme`, the check of `createHandler` and
/// `customResourceValidator.ValidateTypeMeta`.
fn check_custom(kind: KindRef, json: &[u8], api_version: &str, said: &str) -> Result<(), ApiError> {
    let expected = kind.api_version();
    if said.is_empty() {
        let (name, text) = (kind.kind, String::from_utf8_lossy(json));
        return Err(ApiError::bad_request(format!(
            "{name} in version {:?} cannot be handled as a {name}: Object 'Kind' is missing in '{text}'",
            kind.version
        )));
    }
    if api_version != expected {
        return Err(ApiError::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        )));
    }
    if said != kind.kind {
        let tree: Value = serde_json::from_slice(json).unwrap_or_default();
        return Err(other_custom(kind, api_version, said, tree["metadata"]["name"].as_str().unwrap_or("")));
    }
    Ok(())
}

/// Models `ValidateTypeMeta`; the refusal names the kind that the object says it is.
fn other_custom(kind: KindRef, api_version: &str, said: &str, name: &str) -> ApiError {
    let (mut errors, expected) = (Vec::new(), kind.api_version());
    if said != kind.kind {
        errors.push(FieldError::invalid(&Path::new("kind"), said, format!("must be {}", kind.kind)));
    }
    if api_version != expected {
        errors.push(FieldError::invalid(&Path::new("apiVersion"), api_version, format!("must be {expected}")));
    }
    ApiError::invalid(api_version.split_once('/').map_or("", |(group, _)| group), said, name, &errors)
}

/// Models `summarizeData` with its limit of 30 bytes.
fn summary(data: &[u8]) -> String {
    match data {
        [] => "<empty>".into(),
        [b'{', ..] if data.len() > 30 => format!("{} ...", String::from_utf8_lossy(&data[..30])),
        [b'{', ..] => String::from_utf8_lossy(data).into_owned(),
        _ => data.iter().take(30).map(|b| format!("{b:02x}")).collect(),
    }
}

fn json_bytes(body: Body, twice: &mut Vec<String>) -> Result<Vec<u8>, ApiError> {
    match body {
        Body::None => Ok(Vec::new()),
        Body::Object(o) => Ok(o.to_json()),
        Body::Json(v) => serde_json::to_vec(&v).map_err(ApiError::internal),
        Body::Binding(b) => serde_json::to_vec(&b).map_err(ApiError::internal),
        Body::Eviction(e) => serde_json::to_vec(&e).map_err(ApiError::internal),
        Body::DeleteOptions(o) => serde_json::to_vec(&o).map_err(ApiError::internal),
        Body::Raw { content_type, bytes } => match media_type(&content_type) {
            "" | "application/json" => Ok(bytes),
            "application/yaml" => {
                let read = manifest::body(&String::from_utf8_lossy(&bytes))
                    .map_err(|e| ApiError::bad_request(format!("error converting YAML to JSON: {e}")))?;
                twice.extend(read.duplicates);
                serde_json::to_vec(&read.value).map_err(ApiError::internal)
            }
            _ => Err(ApiError::unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
            )),
        },
    }
}

/// Without parameters: `application/json; charset=utf-8`.
pub(crate) fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or("").trim()
}

fn typed<T: DeserializeOwned>(body: Body, what: &str) -> Result<T, ApiError> {
    let json = json_bytes(body, &mut Vec::new())?;
    api::decode::plain(&json).map_err(|e| {
        ApiError::bad_request(format!(
            "the object provided is unrecognized (must be of type {what}): {e} ({})",
            summary(&json)
        ))
    })
}

pub(crate) fn binding(req: &mut Request) -> Result<Binding, ApiError> {
    match std::mem::take(&mut req.body) {
        Body::Binding(b) => Ok(*b),
        body => typed(body, "Binding"),
    }
}

pub(crate) fn eviction(req: &mut Request) -> Result<Eviction, ApiError> {
    match std::mem::take(&mut req.body) {
        Body::Eviction(e) => Ok(*e),
        body => typed(body, "Eviction"),
    }
}

pub(crate) fn token_request(req: &mut Request) -> Result<TokenRequest, ApiError> {
    let mut tree: Value = typed(std::mem::take(&mut req.body), "TokenRequest")?;
    // The answer's place, which clients of Go send empty: with a null for a time that Rust's type requires.
    if let Some(fields) = tree.as_object_mut() {
        fields.remove("status");
    }
    typed(Body::Json(tree), "TokenRequest")
}

pub(crate) fn delete_options(req: &mut Request) -> Result<DeleteOptions, ApiError> {
    match std::mem::take(&mut req.body) {
        Body::None => Ok(DeleteOptions::default()),
        Body::DeleteOptions(o) => Ok(*o),
        Body::Raw { bytes, .. } if bytes.is_empty() => Ok(DeleteOptions::default()),
        body => typed(body, "DeleteOptions"),
    }
}

/// The body as a tree, for subresources whose type is not a registered kind.
pub(crate) fn value(req: &mut Request) -> Result<Value, ApiError> {
    match std::mem::take(&mut req.body) {
        Body::Json(v) => Ok(v),
        body => typed(body, "Scale"),
    }
}

/// The patch itself.
pub(crate) fn patch_body(req: &mut Request, how: PatchType, warnings: &mut Vec<String>) -> Result<Value, ApiError> {
    match std::mem::take(&mut req.body) {
        Body::Json(v) => Ok(v),
        Body::Raw { bytes, .. } if how == PatchType::Apply => {
            let read = manifest::body(&String::from_utf8_lossy(&bytes)).map_err(|e| {
                ApiError::bad_request(format!("error decoding YAML: error converting YAML to JSON: {e}"))
            })?;
            // Models the end of `applyPatcher.applyPatchToCurrentObject`.
            match (req.options.field_validation, read.strict_error()) {
                (FieldValidation::Strict, Some(e)) => {
                    let why = format!("error strict decoding YAML: error converting YAML to JSON: {e}");
                    return Err(ApiError::bad_request(why));
                }
                (FieldValidation::Warn, Some(_)) => warnings.extend(read.duplicates.iter().cloned()),
                _ => {}
            }
            Ok(read.value)
        }
        Body::Raw { bytes, .. } => {
            let prefix = if how == PatchType::Strategic { "" } else { "error decoding patch: " };
            let wrong = |e| ApiError::bad_request(format!("{prefix}{}", syntax::words(&bytes, &e)));
            serde_json::from_slice(&bytes).map_err(wrong)
        }
        body => serde_json::from_slice(&json_bytes(body, &mut Vec::new())?)
            .map_err(|e| ApiError::bad_request(e.to_string())),
    }
}

/// The patched tree as an object again. What a patch makes unreadable is refused as invalid, not as a bad request;
/// `quoted` is what the refusal calls the patch, the patched object when absent.
pub(crate) fn patched(
    cx: &mut Cx<'_>,
    req: &Request,
    value: Value,
    quoted: Option<String>,
) -> Result<Box<dyn Object>, ApiError> {
    let kind = req.options.form.unwrap_or(req.kind);
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or("");
    let (version, name) = (text("apiVersion"), text("kind"));
    if (version != kind.api_version() || name != kind.kind) && kind.custom.is_some() {
        return Err(other_custom(kind, version, name, value["metadata"]["name"].as_str().unwrap_or("")));
    }
    if version != kind.api_version() || name != kind.kind {
        return Err(wrong_kind(kind, version, name));
    }
    let strategic = quoted.is_some();
    let quoted = quoted.unwrap_or_else(|| value.to_string());
    let invalid = |why: &str| {
        let patch = quoted;
        let why = why.split_once(&format!("cannot be handled as a {}: ", kind.kind)).map_or(why, |(_, w)| w);
        let why = if strategic { converter::words(why) } else { why.into() };
        ApiError::invalid("", "", "", &[FieldError::invalid(&Path::new("patch"), patch, why)])
    };
    let decoded = match (kind.decode)(kind, Source::Value(value)) {
        Ok(decoded) => decoded,
        Err(e) => return Err(invalid(e.message())),
    };
    if req.options.field_validation == FieldValidation::Strict && !decoded.strict.is_empty() {
        return Err(invalid(&strict_error(&decoded.strict)));
    }
    if req.options.field_validation == FieldValidation::Warn {
        cx.warnings.extend(decoded.strict);
    }
    to_stored(req, decoded.object)
}
