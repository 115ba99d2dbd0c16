//! Formats that texts are checked by. Models `k8s.io/apiserver/pkg/cel/library/format.go`.

use crate::clock;
use crate::text::Url;
use meta::validate::{self, rule};

/// What is wrong with the text; nothing: it has the format.
pub fn check(format: &str, text: &str) -> Vec<String> {
    let unless = |good: bool, why: &str| if good { Vec::new() } else { vec![why.to_string()] };
    match format {
        "dns1123Label" => validate::dns1123_label(text),
        "dns1123Subdomain" => validate::dns1123_subdomain(text),
        "dns1035Label" => validate::dns1035_label(text),
        "qualifiedName" => validate::qualified_name(text),
        "labelValue" => validate::label_value(text),
        "dns1123LabelPrefix" => rule::label(text, true),
        "dns1123SubdomainPrefix" => rule::subdomain(text, true),
        "dns1035LabelPrefix" => rule::label_1035(text, true),
        "uri" => unless(Url::parse(text).is_some(), &format!("parse {text:?}: invalid URI for request")),
        "uuid" => unless(is_uuid(text), "does not match the UUID format"),
        "byte" => unless(is_base64(text), "invalid base64"),
        "date" => unless(text.len() == 10 && clock::timestamp(&format!("{text}T00:00:00Z")).is_some(), "invalid date"),
        "datetime" => unless(clock::timestamp(text).is_some(), "invalid datetime"),
        _ => Vec::new(),
    }
}

/// With or without dashes, as `strfmt.IsUUID`.
fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|p| p.len()).collect();
    let fits = lengths == [8, 4, 4, 4, 12] || lengths == [32];
    fits && parts.concat().chars().all(|c| c.is_ascii_hexdigit())
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    text.len().is_multiple_of(4) && text.len() - body.len() <= 2 && body.chars().all(fits)
}
