//! Query parameters. Models the generated conversions of `metav1.ListOptions` and its kin.

use crate::request::{FieldValidation, Named, PatchType, RequestOptions, RequestVerb};
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as metav1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
use meta::{ApiError, FieldError, Path, Time};

/// Decoded pairs in order.
pub fn parse(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|p| !p.is_empty())
        .map(|p| p.split_once('=').unwrap_or((p, "")))
        .map(|(k, v)| (decode(k, true), decode(v, true)))
        .collect()
}

/// Percent-decoding; in queries `+` is a space.
pub(super) fn decode(s: &str, plus: bool) -> String {
    let bytes = s.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(&b) = bytes.get(i) {
        let hex =
            |at: usize| bytes.get(at).and_then(|c| char::from(*c).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        match (b, hex(i + 1), hex(i + 2)) {
            (b'%', Some(h), Some(l)) => {
                out.push(h * 16 + l);
                i += 3;
                continue;
            }
            (b'+', _, _) if plus => out.push(b' '),
            _ => out.push(b),
        }
        i += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn flag(v: &str) -> bool {
    // Models Convert_Slice_string_To_bool: anything but these is true.
    !matches!(v.to_ascii_lowercase().as_str(), "false" | "0")
}

fn number<T: std::str::FromStr>(v: &str) -> Result<T, ApiError> {
    v.parse().map_err(|_| ApiError::bad_request(format!("strconv.ParseInt: parsing {v:?}: invalid syntax")))
}

fn time(v: &str) -> Result<Time, ApiError> {
    let parsed: Result<metav1::Time, _> = serde_json::from_value(v.into());
    parsed.map(|t| Time::from_k8s(&t)).map_err(|_| {
        let layout = "2006-01-02T15:04:05Z07:00";
        ApiError::bad_request(format!("parsing time {v:?} as {layout:?}: cannot parse {v:?} as \"2006\""))
    })
}

pub(super) fn options(query: &[(String, String)], verb: RequestVerb) -> Result<RequestOptions, ApiError> {
    let mut o = RequestOptions::default();
    let mut dry_run: Vec<&str> = Vec::new();
    let mut field_validation = "";
    for (k, v) in query {
        match k.as_str() {
            "dryRun" if !v.is_empty() => dry_run.push(v),
            "fieldValidation" => field_validation = v,
            "fieldManager" => o.field_manager.clone_from(v),
            "force" => o.force = Some(flag(v)),
            "labelSelector" => o.label_selector.clone_from(v),
            "fieldSelector" => o.field_selector.clone_from(v),
            "limit" if !v.is_empty() => o.limit = usize::try_from(number::<i64>(v)?).unwrap_or(0),
            "continue" => o.continue_token.clone_from(v),
            "resourceVersion" => o.resource_version.clone_from(v),
            "resourceVersionMatch" => o.resource_version_match.clone_from(v),
            "timeoutSeconds" if !v.is_empty() => o.timeout_seconds = u64::try_from(number::<i64>(v)?).ok(),
            "allowWatchBookmarks" => o.allow_watch_bookmarks = flag(v),
            "sendInitialEvents" => o.send_initial_events = Some(flag(v)),
            "command" => o.stream.command.push(v.clone()),
            "stdin" => o.stream.stdin = flag(v),
            "stdout" => o.stream.stdout = flag(v),
            "stderr" => o.stream.stderr = flag(v),
            "tty" => o.stream.tty = flag(v),
            "ports" => {
                for port in v.split(',') {
                    let bad = |_| ApiError::bad_request(format!("unable to parse {v:?} as a port"));
                    o.stream.ports.push(port.parse().map_err(bad)?);
                }
            }
            "container" => o.log.container.clone_from(v),
            "follow" => o.log.follow = flag(v),
            "previous" => o.log.previous = flag(v),
            "timestamps" => o.log.timestamps = flag(v),
            "tailLines" if !v.is_empty() => o.log.tail_lines = Some(number(v)?),
            "sinceSeconds" if !v.is_empty() => o.log.since_seconds = Some(number(v)?),
            "sinceTime" if !v.is_empty() => o.log.since_time = Some(time(v)?),
            "limitBytes" if !v.is_empty() => o.log.limit_bytes = Some(number(v)?),
            _ => {}
        }
    }
    o.named = Named { field_validation: !field_validation.is_empty(), field_manager: !o.field_manager.is_empty() };
    o.dry_run = !dry_run.is_empty();
    o.field_validation = match field_validation {
        "Ignore" => FieldValidation::Ignore,
        "Strict" => FieldValidation::Strict,
        _ => FieldValidation::Warn,
    };
    check(&o, verb, &dry_run, field_validation)?;
    Ok(o)
}

/// Models `ValidateCreateOptions`, `ValidateUpdateOptions` and `ValidatePatchOptions`.
fn check(o: &RequestOptions, verb: RequestVerb, dry_run: &[&str], field_validation: &str) -> Result<(), ApiError> {
    let kind = match verb {
        RequestVerb::Create => "CreateOptions",
        RequestVerb::Update => "UpdateOptions",
        RequestVerb::Patch(_) => "PatchOptions",
        _ => return Ok(()),
    };
    let mut errors = Vec::new();
    match verb {
        RequestVerb::Patch(PatchType::Apply) if o.field_manager.is_empty() => {
            errors.push(FieldError::required(&Path::new("fieldManager"), "is required for apply patch"));
        }
        RequestVerb::Patch(how) if how != PatchType::Apply && o.force.is_some() => {
            errors.push(FieldError::forbidden(&Path::new("force"), "may not be specified for non-apply patch"));
        }
        _ => {}
    }
    let at = Path::new("fieldManager");
    if o.field_manager.len() > FIELD_MANAGER_MAX {
        errors.push(FieldError::too_long(&at, FIELD_MANAGER_MAX));
    }
    for (i, c) in o.field_manager.char_indices().filter(|(_, c)| c.is_control()) {
        let why = format!("invalid character U+{:04X} (at position {i})", u32::from(c));
        errors.push(FieldError::invalid(&at, o.field_manager.as_str(), why));
    }
    errors.extend(check_dry_run(dry_run));
    let known = ["", "Ignore", "Strict", "Warn"];
    if !known.contains(&field_validation) {
        errors.push(FieldError::not_supported(&Path::new("fieldValidation"), field_validation, &known));
    }
    if errors.is_empty() { Ok(()) } else { Err(ApiError::invalid("meta.k8s.io", kind, "", &errors)) }
}

pub(super) const FIELD_MANAGER_MAX: usize = 128;

/// Models `ValidateDryRun`.
pub(crate) fn check_dry_run(values: &[&str]) -> Option<FieldError> {
    let unknown = values.iter().any(|v| *v != "All");
    unknown.then(|| FieldError::not_supported(&Path::new("dryRun"), serde_json::json!(values), &["All"]))
}

/// A DELETE's options may stand in the query when it has no body.
pub(super) fn delete_options(query: &[(String, String)]) -> Result<DeleteOptions, ApiError> {
    let mut o = DeleteOptions::default();
    for (k, v) in query {
        match k.as_str() {
            "gracePeriodSeconds" if !v.is_empty() => o.grace_period_seconds = Some(number(v)?),
            "propagationPolicy" if !v.is_empty() => o.propagation_policy = Some(v.clone()),
            "orphanDependents" => o.orphan_dependents = Some(flag(v)),
            "dryRun" if !v.is_empty() => o.dry_run.get_or_insert_default().push(v.clone()),
            _ => {}
        }
    }
    Ok(o)
}
