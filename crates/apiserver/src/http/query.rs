//! Query parameters. Models the generated conversions of `metav1.ListOptions` and its kin.

use crate::request::{FieldValidation, RequestOptions};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
use meta::{ApiError, FieldError, Path};

/// Decoded pairs in order.
pub(super) fn parse(query: &str) -> Vec<(String, String)> {
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

pub(super) fn options(query: &[(String, String)]) -> Result<RequestOptions, ApiError> {
    let mut o = RequestOptions::default();
    for (k, v) in query {
        match k.as_str() {
            "dryRun" if v == "All" => o.dry_run = true,
            "dryRun" if !v.is_empty() => {
                let e = FieldError::not_supported(&Path::new("dryRun"), v.as_str(), &["All"]);
                return Err(ApiError::invalid("meta.k8s.io", "CreateOptions", "", &[e]));
            }
            "fieldValidation" => {
                o.field_validation = match v.as_str() {
                    "Ignore" => FieldValidation::Ignore,
                    "" | "Warn" => FieldValidation::Warn,
                    "Strict" => FieldValidation::Strict,
                    other => {
                        let path = Path::new("fieldValidation");
                        let e = FieldError::not_supported(&path, other, &["", "Ignore", "Strict", "Warn"]);
                        return Err(ApiError::invalid("meta.k8s.io", "CreateOptions", "", &[e]));
                    }
                }
            }
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
            "container" => o.log.container.clone_from(v),
            "follow" => o.log.follow = flag(v),
            "previous" => o.log.previous = flag(v),
            "timestamps" => o.log.timestamps = flag(v),
            "tailLines" if !v.is_empty() => o.log.tail_lines = Some(number(v)?),
            "sinceSeconds" if !v.is_empty() => o.log.since_seconds = Some(number(v)?),
            "limitBytes" if !v.is_empty() => o.log.limit_bytes = Some(number(v)?),
            _ => {}
        }
    }
    Ok(o)
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
