//! Names and formats, each check returning upstream's messages (none when valid).
//! Models `k8s.io/apimachinery/pkg/util/validation` and `pkg/api/validate/content`.

use crate::{FieldError, Path};

/// How a kind's name is checked. The second argument says that the text is a `generateName` prefix.
pub type NameRule = fn(&str, bool) -> Vec<String>;

const LABEL_FMT: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_FMT: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const QUALIFIED_FMT: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const QUALIFIED_MSG: &str =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

pub fn max_len(n: usize) -> String {
    format!("must be no more than {n} bytes")
}

pub fn between(lo: i64, hi: i64) -> String {
    format!("must be between {lo} and {hi}, inclusive")
}

/// Models `RegexError`, the double space between examples included.
pub fn regex_error(msg: &str, format: &str, examples: &[&str]) -> String {
    let list: Vec<String> = examples.iter().map(|e| format!("'{e}', ")).collect();
    format!("{msg} (e.g. {}regex used for validation is '{format}')", list.join(" or "))
}

fn lower_alnum(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

fn is_label(s: &str) -> bool {
    let b = s.as_bytes();
    matches!((b.first(), b.last()), (Some(&f), Some(&l)) if lower_alnum(f) && lower_alnum(l))
        && b.iter().all(|&c| lower_alnum(c) || c == b'-')
}

fn is_subdomain(s: &str) -> bool {
    s.split('.').all(is_label)
}

/// Models `IsDNS1123Label`.
pub fn dns1123_label(s: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if s.len() > 63 {
        errors.push(max_len(63));
    }
    if !is_label(s) {
        errors.push(if is_subdomain(s) {
            "must not contain dots".into()
        } else {
            let msg = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', \
                       and must start and end with an alphanumeric character";
            regex_error(msg, LABEL_FMT, &["my-name", "123-abc"])
        });
    }
    errors
}

/// Models `IsDNS1123Subdomain`.
pub fn dns1123_subdomain(s: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if s.len() > 253 {
        errors.push(max_len(253));
    }
    if !is_subdomain(s) {
        let msg = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
                   and must start and end with an alphanumeric character";
        errors.push(regex_error(msg, SUBDOMAIN_FMT, &["example.com"]));
    }
    errors
}

/// Models `IsWildcardDNS1123Subdomain`.
pub fn wildcard_dns1123_subdomain(s: &str) -> Vec<String> {
    if s.strip_prefix("*.").is_some_and(is_subdomain) {
        return Vec::new();
    }
    let msg = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist \
               of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
    vec![regex_error(msg, &format!(r"\*\.{SUBDOMAIN_FMT}"), &["*.example.com"])]
}

/// Models `IsDomainPrefixedPath`.
pub fn domain_prefixed_path(path: &Path, value: &str) -> Vec<FieldError> {
    if value.is_empty() {
        return vec![FieldError::required(path, "")];
    }
    let Some((host, rest)) = value.split_once('/').filter(|(h, r)| !h.is_empty() && !r.is_empty()) else {
        return vec![FieldError::invalid(path, value, "must be a domain-prefixed path (such as \"acme.io/foo\")")];
    };
    let mut errors: Vec<FieldError> =
        dns1123_subdomain(host).into_iter().map(|m| FieldError::invalid(path, host, m)).collect();
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&c);
    if !rest.bytes().all(plain) {
        let msg = regex_error("Invalid path", r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", &[]);
        errors.push(FieldError::invalid(path, rest, msg));
    }
    errors
}

/// As resolvers allow in search lists. Models `IsDNS1123SubdomainWithUnderscore`.
pub fn dns1123_subdomain_with_underscore(s: &str) -> Vec<String> {
    const LABEL: &str = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
    let is_label = |l: &str| {
        let b = l.strip_prefix('_').unwrap_or(l).as_bytes();
        matches!((b.first(), b.last()), (Some(&f), Some(&l)) if lower_alnum(f) && lower_alnum(l))
            && b.iter().all(|&c| lower_alnum(c) || b"-_".contains(&c))
    };
    let mut errors = Vec::new();
    if s.len() > 253 {
        errors.push(max_len(253));
    }
    if !s.split('.').all(is_label) {
        let msg = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', \
                   and must start and end with an alphanumeric character";
        errors.push(regex_error(msg, &format!(r"{LABEL}(\.{LABEL})*"), &["example.com"]));
    }
    errors
}

/// Models `IsDNS1035Label`.
pub fn dns1035_label(s: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if s.len() > 63 {
        errors.push(max_len(63));
    }
    if !(is_label(s) && s.as_bytes()[0].is_ascii_lowercase()) {
        let msg = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
                   alphabetic character, and end with an alphanumeric character";
        errors.push(regex_error(msg, "[a-z]([-a-z0-9]*[a-z0-9])?", &["my-name", "abc-123"]));
    }
    errors
}

fn is_qualified_part(s: &str) -> bool {
    let b = s.as_bytes();
    matches!((b.first(), b.last()), (Some(f), Some(l)) if f.is_ascii_alphanumeric() && l.is_ascii_alphanumeric())
        && b.iter().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(c))
}

/// A label key, a condition type, a finalizer... Models `IsQualifiedName`.
pub fn qualified_name(s: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let examples = &["MyName", "my.name", "123-abc"];
    let parts: Vec<&str> = s.split('/').collect();
    let name = match parts.as_slice() {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                errors.push("prefix part must be non-empty".into());
            } else {
                errors.extend(dns1123_subdomain(prefix).into_iter().map(|m| format!("prefix part {m}")));
            }
            name
        }
        _ => {
            return vec![format!(
                "a valid label key {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
                regex_error(QUALIFIED_MSG, QUALIFIED_FMT, examples)
            )];
        }
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".into());
    } else if name.len() > 63 {
        errors.push(format!("name part {}", max_len(63)));
    }
    if !is_qualified_part(name) {
        errors.push(format!("name part {}", regex_error(QUALIFIED_MSG, QUALIFIED_FMT, examples)));
    }
    errors
}

/// Models `IsValidLabelValue`.
pub fn label_value(s: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if s.len() > 63 {
        errors.push(max_len(63));
    }
    if !s.is_empty() && !is_qualified_part(s) {
        let msg = format!("a valid label must be an empty string or {}", &QUALIFIED_MSG["must ".len()..]);
        errors.push(regex_error(&msg, &format!("({QUALIFIED_FMT})?"), &["MyValue", "my_value", "12345"]));
    }
    errors
}

/// Models `IsValidPortNum`.
pub fn port_number(port: i64) -> Vec<String> {
    if (1..=65535).contains(&port) { Vec::new() } else { vec![between(1, 65535)] }
}

/// Models `IsValidPortName`.
pub fn port_name(s: &str) -> Vec<String> {
    let mut errors: Vec<String> = Vec::new();
    if s.len() > 15 {
        errors.push(max_len(15));
    }
    if s.is_empty() || !s.bytes().all(|c| lower_alnum(c) || c == b'-') {
        errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".into());
    }
    if !s.bytes().any(|c| c.is_ascii_lowercase()) {
        errors.push("must contain at least one letter (a-z)".into());
    }
    if s.contains("--") {
        errors.push("must not contain consecutive hyphens".into());
    }
    if s.starts_with('-') || s.ends_with('-') {
        errors.push("must not begin or end with a hyphen".into());
    }
    errors
}

/// Models `IsRelaxedEnvVarName`.
pub fn env_var_name(s: &str) -> Vec<String> {
    if s.is_empty() {
        return vec!["environment variable name must be non-empty".into()];
    }
    if s.bytes().all(|c| (b' '..=b'~').contains(&c) && c != b'=') {
        return Vec::new();
    }
    vec!["a valid environment variable name must consist only of printable ASCII characters other than '='".into()]
}

/// A key of a ConfigMap or Secret. Models `IsConfigMapKey`.
pub fn config_key(s: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if s.len() > 253 {
        errors.push(max_len(253));
    }
    if s.is_empty() || !s.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c)) {
        let msg = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
        errors.push(regex_error(msg, "[-._a-zA-Z0-9]+", &["key.name", "KEY_NAME", "key-name"]));
    }
    if s == "." {
        errors.push("must not be '.'".into());
    } else if s == ".." {
        errors.push("must not be '..'".into());
    } else if s.starts_with("..") {
        errors.push("must not start with '..'".into());
    }
    errors
}

/// Models `IsHTTPHeaderName`.
pub fn http_header_name(s: &str) -> Vec<String> {
    if !s.is_empty() && s.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-') {
        return Vec::new();
    }
    let msg = "a valid HTTP header must consist of alphanumeric characters or '-'";
    vec![regex_error(msg, "[-A-Za-z0-9]+", &["X-Header-Name"])]
}

/// Models `IsValidPercent`.
pub fn percent(s: &str) -> Vec<String> {
    let digits = s.strip_suffix('%').unwrap_or("");
    if !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit()) {
        return Vec::new();
    }
    let msg = "a valid percent string must be a numeric string followed by an ending '%'";
    vec![regex_error(msg, "[0-9]+%", &["1%", "93%"])]
}

/// What may be one segment of a URL. Models `path.IsValidPathSegmentName`.
fn path_segment(s: &str, prefix: bool) -> Vec<String> {
    if !prefix && (s == "." || s == "..") {
        return vec![format!("may not be '{s}'")];
    }
    ["/", "%"].iter().filter(|c| s.contains(**c)).map(|c| format!("may not contain '{c}'")).collect()
}

/// Checks a generated name's prefix as if a character followed. Models `maskTrailingDash`.
fn masked(s: &str, prefix: bool) -> std::borrow::Cow<'_, str> {
    match s.strip_suffix('-') {
        Some(head) if prefix && !head.is_empty() => format!("{head}a").into(),
        _ => s.into(),
    }
}

/// Rules for a kind's own name: what a [`NameRule`] may be.
pub mod rule {
    use super::{dns1035_label, dns1123_label, dns1123_subdomain, masked};

    /// Models `NameIsDNSSubdomain`, the rule of most kinds.
    pub fn subdomain(name: &str, prefix: bool) -> Vec<String> {
        dns1123_subdomain(&masked(name, prefix))
    }
    /// Models `NameIsDNSLabel`.
    pub fn label(name: &str, prefix: bool) -> Vec<String> {
        dns1123_label(&masked(name, prefix))
    }
    /// Models `NameIsDNS1035Label`.
    pub fn label_1035(name: &str, prefix: bool) -> Vec<String> {
        dns1035_label(&masked(name, prefix))
    }
    /// Anything that can stand in a URL: RBAC kinds and Events. Models `path.ValidatePathSegmentName`.
    pub fn path_segment(name: &str, prefix: bool) -> Vec<String> {
        super::path_segment(name, prefix)
    }
}
