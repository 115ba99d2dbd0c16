//! Names and labels, refused in upstream's words. Models `apimachinery/pkg/util/validation`.

use api::KindRef;

const LABEL_1123: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_1123: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const QUALIFIED_FORM: &str = "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

fn too_long(max: usize) -> String {
    format!("must be no more than {max} bytes")
}

fn lower(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

/// `[a-z0-9]([-a-z0-9]*[a-z0-9])?`
fn is_label(s: &str) -> bool {
    let b = s.as_bytes();
    let (Some(first), Some(last)) = (b.first(), b.last()) else { return false };
    lower(*first) && lower(*last) && b.iter().all(|c| lower(*c) || *c == b'-')
}

/// `([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]`
fn is_qualified_part(s: &str) -> bool {
    let b = s.as_bytes();
    let (Some(first), Some(last)) = (b.first(), b.last()) else { return false };
    first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
        && b.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
}

fn check(s: &str, max: usize, fits: bool, why: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if s.len() > max {
        errors.push(too_long(max));
    }
    if !fits {
        errors.push(why.to_string());
    }
    errors
}

pub(super) fn label_1123(s: &str) -> Vec<String> {
    check(s, 63, is_label(s), LABEL_1123)
}

fn subdomain_1123(s: &str) -> Vec<String> {
    check(s, 253, s.split('.').all(is_label), SUBDOMAIN_1123)
}

fn label_1035(s: &str) -> Vec<String> {
    check(s, 63, is_label(s) && s.as_bytes().first().is_some_and(u8::is_ascii_lowercase), LABEL_1035)
}

/// `NameIsDNSSubdomain` and its kin, by kind. A prefix (generateName) may end in a dash.
pub(super) fn name_errors(kind: KindRef, name: &str, prefix: bool) -> Vec<String> {
    let masked;
    let name = if prefix && name.len() > 1 && name.ends_with('-') {
        // Models maskTrailingDash.
        masked = format!("{}a", &name[..name.len() - 1]);
        masked.as_str()
    } else {
        name
    };
    match (kind.group, kind.kind) {
        ("", "Namespace") => label_1123(name),
        ("", "Service") => label_1035(name),
        _ => subdomain_1123(name),
    }
}

/// A label's or annotation's key, a finalizer.
pub(super) fn qualified_name(s: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let mut parts = s.split('/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => name,
        (Some(prefix), Some(name), None) => {
            if prefix.is_empty() {
                errors.push("prefix part must be non-empty".into());
            } else {
                errors.extend(subdomain_1123(prefix).into_iter().map(|e| format!("prefix part {e}")));
            }
            name
        }
        _ => return vec![QUALIFIED_FORM.into()],
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".into());
    } else if name.len() > 63 {
        errors.push(format!("name part {}", too_long(63)));
    }
    if !is_qualified_part(name) {
        errors.push(QUALIFIED.into());
    }
    errors
}

pub(super) fn label_value(s: &str) -> Vec<String> {
    check(s, 63, s.is_empty() || is_qualified_part(s), LABEL_VALUE)
}
