//! Content negotiation. Models `apiserver/pkg/endpoints/handlers/negotiation`.

use crate::table::{As, Include};
use meta::ApiError;

/// The form of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    pub form: As,
    /// The form's version is `meta.k8s.io/v1beta1`.
    pub beta: bool,
    pub pretty: bool,
    /// YAML instead of JSON.
    pub yaml: bool,
    /// If the form is not to be had, the object itself is welcome.
    pub plain_too: bool,
}

impl Wants {
    /// The version of the forms that are no registered kinds.
    pub(crate) fn forms_version(&self) -> &'static str {
        if self.beta { "meta.k8s.io/v1beta1" } else { "meta.k8s.io/v1" }
    }
}

/// One clause of an `Accept` header.
struct Clause<'a> {
    media: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl Clause<'_> {
    fn get(&self, name: &str) -> &str {
        self.parameters.iter().find(|(k, _)| *k == name).map_or("", |(_, v)| v)
    }
}

fn clauses(accept: &str) -> impl Iterator<Item = Clause<'_>> {
    accept.split(',').map(|c| {
        let mut parts = c.split(';').map(str::trim);
        let media = parts.next().unwrap_or("");
        Clause { media, parameters: parts.filter_map(|p| p.split_once('=')).collect() }
    })
}

fn json(media: &str) -> bool {
    matches!(media, "" | "*/*" | "application/*" | "application/json")
}

/// Whether the answer is to be read by a person. Models `isPrettyPrint`.
pub(super) fn pretty(query: &[(String, String)], user_agent: &str) -> bool {
    match query.iter().find(|(k, _)| k == "pretty").map_or("", |(_, v)| v.as_str()) {
        "" => ["curl", "Wget", "Mozilla/5.0"].iter().any(|client| user_agent.starts_with(client)),
        // As `strconv.ParseBool` reads it.
        v => matches!(v, "1" | "t" | "T" | "true" | "TRUE" | "True"),
    }
}

/// The first clause that the server can satisfy. Errors: 406.
pub(super) fn negotiate(accept: &str, include: &str, pretty: bool) -> Result<Wants, ApiError> {
    let plain_too = clauses(accept).any(|c| json(c.media) && c.get("as").is_empty());
    for c in clauses(accept) {
        let yaml = c.media == "application/yaml";
        if !json(c.media) && !yaml {
            continue;
        }
        let form = match (c.get("as"), c.get("g"), c.get("v")) {
            ("", _, _) => As::Object,
            ("Table", "meta.k8s.io", "v1" | "v1beta1") => As::Table(included(include)?),
            ("PartialObjectMetadata", "meta.k8s.io", "v1" | "v1beta1") => As::Metadata,
            ("PartialObjectMetadataList", "meta.k8s.io", "v1" | "v1beta1") => As::MetadataList,
            _ => continue,
        };
        let beta = form != As::Object && c.get("v") == "v1beta1";
        return Ok(Wants { form, beta, pretty: pretty || c.get("pretty") == "1", yaml, plain_too });
    }
    Err(not_acceptable())
}

/// Models `ValidateTableOptions`.
fn included(include: &str) -> Result<Include, ApiError> {
    match include {
        "None" => Ok(Include::None),
        "Object" => Ok(Include::Object),
        "Metadata" | "" => Ok(Include::Metadata),
        _ => Err(ApiError::bad_request(format!(
            "Unable to convert to Table as requested: includeObject: Invalid value: {include:?}: \
             must be 'Metadata', 'Object', 'None', or empty"
        ))),
    }
}

/// Whether discovery was asked for in its aggregated form (v2).
pub(super) fn aggregated(accept: &str) -> bool {
    let first = clauses(accept).find(|c| {
        json(c.media)
            && (c.get("as").is_empty()
                || (c.get("as") == "APIGroupDiscoveryList"
                    && c.get("g") == "apidiscovery.k8s.io"
                    && c.get("v") == "v2"))
    });
    first.is_some_and(|c| !c.get("as").is_empty())
}

pub(super) fn not_acceptable() -> ApiError {
    let why = "only the following media types are accepted: application/json, application/yaml";
    ApiError::new(406, "NotAcceptable", why)
}
