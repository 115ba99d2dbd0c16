//! LIST and the start of WATCH: resource versions, pages, selectors. Models
//! `apiserver/pkg/storage/etcd3.GetList`, `storage/continue.go` and `ValidateListOptions`.

use crate::conversion::Converted;
use crate::keys;
use crate::request::Request;
use crate::response::{Response, WatchFrom, WatchSpec};
use crate::select::Filter;
use crate::server::{Cx, Plan, Seen, shown};
use crate::stored::Stored;
use api::KindRef;
use api::decode::syntax;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{StatusCause, StatusDetails};
use meta::{ApiError, FieldError, Path};
use serde::{Deserialize, Serialize};
use store::{Backend, Entry, StoreError};

type Key = store::types::Key;

/// A page of matches.
pub(crate) struct Found {
    pub entries: Vec<(Key, Entry<Stored>)>,
    revision: u64,
    continue_token: String,
    remaining: Option<i64>,
}

impl Found {
    pub fn into_response(self, kind: KindRef, seen: Seen) -> Response {
        Response::List {
            kind: seen.form.unwrap_or(kind),
            items: self.entries.into_iter().map(|(_, e)| shown(&e.value, seen)).collect(),
            resource_version: self.revision,
            continue_token: self.continue_token,
            remaining: self.remaining,
        }
    }
}

pub(crate) fn list(cx: &Cx<'_>, req: &Request) -> Result<Plan, ApiError> {
    Ok(Plan::read(collect(cx, req)?.into_response(req.kind, cx.seen)))
}

pub(crate) fn watch(cx: &Cx<'_>, req: &Request) -> Result<Plan, ApiError> {
    let o = &req.options;
    check_options(req, true)?;
    let mut filter = Filter::parse(req.kind, &o.label_selector, &o.field_selector)?;
    if !req.name.is_empty() {
        if !filter.fields.is_empty() && filter.name() != Some(&req.name) {
            return Err(ApiError::bad_request("fieldSelector metadata.name doesn't match requested name"));
        }
        if filter.fields.is_empty() {
            let own = crate::select::FieldTerm { field: "metadata.name".into(), value: req.name.clone(), equal: true };
            filter.fields.push(own);
        }
    }
    let version = parse_version(&o.resource_version)?;
    let from = match (version, o.send_initial_events) {
        // Models SetListOptionsDefaults: to start without a version is to ask for the initial events.
        (_, Some(true)) | (None | Some(0), None) => {
            check_not_future(cx, version)?;
            WatchFrom::State { bookmark: o.allow_watch_bookmarks }
        }
        (None | Some(0), Some(false)) => WatchFrom::Now,
        (Some(v), _) => WatchFrom::Revision(v),
    };
    Ok(Plan::read(Response::Watch(Box::new(WatchSpec {
        kind: req.kind,
        form: o.form,
        namespace: req.namespace.clone(),
        filter,
        from,
        allow_bookmarks: o.allow_watch_bookmarks,
        is_converted: false,
        converted: Converted::new(),
        timeout_seconds: o.timeout_seconds,
    }))))
}

pub(crate) fn collect(cx: &Cx<'_>, req: &Request) -> Result<Found, ApiError> {
    let (kind, o) = (req.kind, &req.options);
    check_options(req, false)?;
    let filter = Filter::parse(kind, &o.label_selector, &o.field_selector)?;
    let prefix = keys::prefix(kind, &req.namespace);
    let version = parse_version(&o.resource_version)?;
    let current = cx.store.revision();
    let mut start = prefix.clone();
    let revision = if o.continue_token.is_empty() {
        check_not_future(cx, version)?;
        if o.resource_version_match == "Exact" { version.unwrap_or(current) } else { current }
    } else {
        if version.is_some_and(|v| v != 0) {
            return Err(ApiError::bad_request("specifying resource version is not allowed when using continue"));
        }
        let token = Continue::decode(&o.continue_token)?;
        start.push_str(&token.start);
        // A negative revision is an inconsistent continuation: go on with the present state.
        u64::try_from(token.rv).unwrap_or(current)
    };
    let end = keys::range_end(&prefix);
    let past;
    // One name of one namespace is a look-up.
    let lookup = filter.name().filter(|_| !kind.namespaced() || !req.namespace.is_empty());
    let all: Box<dyn Iterator<Item = (&Key, &Entry<Stored>)>> = if revision != current {
        past = cx.store.range(&start, &end, 0, revision).map_err(|e| too_old(e, &start, &prefix, o))?;
        Box::new(past.iter().map(|(k, e)| (k, e)))
    } else if let Some(name) = lookup {
        let key = keys::of_parts(kind, &req.namespace, name);
        past = cx.store.get(&key).map(|e| (key, e)).into_iter().filter(|(k, _)| **k >= *start).collect();
        Box::new(past.iter().map(|(k, e)| (k, e)))
    } else {
        Box::new(cx.store.iter_range(&start, &end))
    };
    let everything = filter.is_everything();
    let mut matches = all.filter(|(_, e)| everything || filter.matches_as(cx.seen.form, &e.value.0));
    let limit = if o.limit == 0 { usize::MAX } else { o.limit };
    let entries: Vec<_> = matches.by_ref().take(limit).map(|(k, e)| (k.clone(), e.clone())).collect();
    let rest = matches.next().map_or(0, |_| 1 + if everything { matches.count() } else { 0 });
    let continue_token = match entries.last() {
        Some((key, _)) if rest > 0 => {
            let after = format!("{}\0", key.strip_prefix(prefix.as_str()).unwrap_or(key));
            Continue { v: TOKEN_VERSION.into(), rv: i64::try_from(revision).unwrap_or(0), start: after }.encode()
        }
        _ => String::new(),
    };
    let remaining = (rest > 0 && everything).then(|| i64::try_from(rest).unwrap_or(i64::MAX));
    Ok(Found { entries, revision, continue_token, remaining })
}

/// `None` when absent; 0 means "any".
pub(crate) fn parse_version(text: &str) -> Result<Option<u64>, ApiError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        ApiError::bad_request(format!(
            "invalid resource version: resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
        ))
    })
}

/// Models `storage.NewTooLargeResourceVersionError`.
pub(crate) fn check_not_future(cx: &Cx<'_>, version: Option<u64>) -> Result<(), ApiError> {
    let current = cx.store.revision();
    let Some(v) = version.filter(|v| *v > current) else { return Ok(()) };
    let mut e = ApiError::new(504, "Timeout", format!("Timeout: Too large resource version: {v}, current: {current}"));
    e.0.details = Some(StatusDetails {
        retry_after_seconds: Some(1),
        causes: Some(vec![StatusCause {
            reason: Some("ResourceVersionTooLarge".into()),
            message: Some("Too large resource version".into()),
            field: None,
        }]),
        ..StatusDetails::default()
    });
    Err(e)
}

fn too_old(e: StoreError, start: &str, prefix: &str, o: &crate::RequestOptions) -> ApiError {
    if !matches!(e, StoreError::Compacted { .. }) {
        return ApiError::internal(e);
    }
    if o.continue_token.is_empty() {
        return ApiError::expired("The resourceVersion for the provided list is too old.");
    }
    let mut e = ApiError::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list \
         without the continue parameter, or use the continue token in this response to retrieve the remainder of \
         the results. Continuing with the provided token results in an inconsistent list - objects that were \
         created, modified, or deleted between the time the first chunk was returned and now may show up in the \
         list.",
    );
    let start = start.strip_prefix(prefix).unwrap_or(start).to_string();
    e.0.metadata.continue_ = Some(Continue { v: TOKEN_VERSION.into(), rv: -1, start }.encode());
    e
}

/// Models `ValidateListOptions`.
fn check_options(req: &Request, watch: bool) -> Result<(), ApiError> {
    let o = &req.options;
    let field = Path::new("resourceVersionMatch");
    let (rv, how) = (o.resource_version.as_str(), o.resource_version_match.as_str());
    let mut errors = Vec::new();
    let mut forbid = |path: &Path, is: bool, why: &str| {
        if is {
            errors.push(FieldError::forbidden(path, why));
        }
    };
    let continued = "resourceVersionMatch is forbidden when continue is provided";
    if watch {
        let asked = o.send_initial_events.is_some();
        let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        forbid(&field, asked && how != "NotOlderThan", why);
        let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
        forbid(&field, !how.is_empty() && !asked, why);
        if !matches!(how, "" | "NotOlderThan") {
            errors.push(FieldError::not_supported(&field, how, &["NotOlderThan"]));
        }
        if !how.is_empty() && !o.continue_token.is_empty() {
            errors.push(FieldError::forbidden(&field, continued));
        }
    } else {
        if !how.is_empty() {
            forbid(&field, rv.is_empty(), "resourceVersionMatch is forbidden unless resourceVersion is provided");
            forbid(&field, !o.continue_token.is_empty(), continued);
            if !matches!(how, "Exact" | "NotOlderThan") {
                errors.push(FieldError::not_supported(&field, how, &["Exact", "NotOlderThan", ""]));
            }
            if how == "Exact" && rv == "0" {
                let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
                errors.push(FieldError::forbidden(&field, why));
            }
        }
        if o.send_initial_events.is_some() {
            let why = "sendInitialEvents is forbidden for list";
            errors.push(FieldError::forbidden(&Path::new("sendInitialEvents"), why));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(ApiError::invalid("meta.k8s.io", "ListOptions", "", &errors)) }
}

/// As Go's decoder words it.
fn illegal(e: &base64::DecodeError) -> String {
    let at = match e {
        base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => *at,
        base64::DecodeError::InvalidLength(n) => *n,
        base64::DecodeError::InvalidPadding => 0,
    };
    format!("illegal base64 data at input byte {at}")
}

const TOKEN_VERSION: &str = "meta.k8s.io/v1";

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Continue {
    v: String,
    rv: i64,
    start: String,
}

impl Continue {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }
    fn decode(token: &str) -> Result<Self, ApiError> {
        let bad = |why: &str| ApiError::bad_request(format!("continue key is not valid: {why}"));
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|e| bad(&illegal(&e)))?;
        let c: Continue = serde_json::from_slice(&bytes).map_err(|e| bad(&syntax::words(&bytes, &e)))?;
        if c.v != TOKEN_VERSION {
            return Err(bad(&format!("server does not recognize this encoded version {:?}", c.v)));
        }
        if c.rv == 0 {
            return Err(bad("incorrect encoded start resourceVersion (version meta.k8s.io/v1)"));
        }
        if c.start.is_empty() {
            return Err(bad("encoded start key empty (version meta.k8s.io/v1)"));
        }
        if c.start.split('/').any(|s| s == ".." || s == ".") {
            return Err(bad(&c.start));
        }
        Ok(c)
    }
}
