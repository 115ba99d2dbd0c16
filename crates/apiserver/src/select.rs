//! Which objects a list, watch or deletecollection is about. Models `apimachinery/pkg/fields` and
//! `apiserver/pkg/storage.SelectionPredicate`.

use crate::decode;
use api::{KindRef, Obj, Object, ObjectExt};
use meta::ApiError;
use meta::labels::Selector;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTerm {
    pub field: String,
    pub value: String,
    pub equal: bool,
}

/// A label selector and a field selector, both already checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub labels: Selector,
    pub fields: Vec<FieldTerm>,
}

impl Filter {
    pub fn everything() -> Self {
        Filter { labels: Selector::everything(), fields: Vec::new() }
    }

    /// Reads both selectors. Errors: 400 for a syntax error or a field the kind cannot be selected by.
    pub fn parse(kind: KindRef, labels: &str, fields: &str) -> Result<Self, ApiError> {
        let labels = if labels.is_empty() {
            Selector::everything()
        } else {
            Selector::parse(labels).map_err(ApiError::bad_request)?
        };
        let mut fields = parse_fields(fields).map_err(ApiError::bad_request)?;
        for term in &mut fields {
            term.field = internal_field(kind, &term.field)?;
        }
        Ok(Filter { labels, fields })
    }

    pub fn is_everything(&self) -> bool {
        self.fields.is_empty() && self.labels.is_everything()
    }

    /// The one name that can match, when the field selector says `metadata.name=x`.
    pub fn name(&self) -> Option<&str> {
        self.fields.iter().find(|t| t.equal && t.field == "metadata.name").map(|t| t.value.as_str())
    }

    /// The same of what is stored in another version than the one that is asked for, whose fields count.
    pub fn matches_as(&self, form: Option<KindRef>, o: &Obj) -> bool {
        if form.is_some_and(|f| f.custom.is_some()) && !self.fields.is_empty() {
            return self.matches(&*decode::in_form(form, o.clone()));
        }
        self.matches(&**o)
    }

    pub fn matches(&self, o: &dyn Object) -> bool {
        if !self.labels.matches(o.meta().labels.as_ref()) {
            return false;
        }
        let mut own = None;
        self.fields.iter().all(|t| {
            let holds = match t.field.as_str() {
                "metadata.name" => o.name() == t.value,
                "metadata.namespace" => o.namespace() == t.value,
                field => {
                    let own: &Vec<(&str, String)> = own.get_or_insert_with(|| (o.kind().fields)(o));
                    own.iter().find(|(f, _)| *f == field).map_or("", |(_, v)| v.as_str()) == t.value
                }
            };
            holds == t.equal
        })
    }
}

/// What a kind may be selected by, and what it is called inside. Kinds with a field label conversion function
/// (`pkg/apis/*/v1/conversion.go`) refuse in their own words; the others say the generic sentence of
/// `DefaultMetaV1FieldSelectorConversion`.
fn internal_field(kind: KindRef, field: &str) -> Result<String, ApiError> {
    if field == "metadata.name" || (field == "metadata.namespace" && (kind.namespaced() || !converts(kind))) {
        return Ok(field.into());
    }
    // Written by clients from before v1.
    if (kind.kind, field) == ("Pod", "spec.host") {
        return Ok("spec.nodeName".into());
    }
    let in_newer_events = kind.group == "events.k8s.io";
    let inside = match field.strip_prefix("regarding.") {
        Some(rest) if in_newer_events => format!("involvedObject.{rest}"),
        None if in_newer_events && field == "reportingController" => "reportingComponent".into(),
        _ => field.into(),
    };
    let known = match (kind.kind, field) {
        ("Pod", "status.podIPs") => true,
        // It selects by nothing: no StatefulSet has it.
        ("StatefulSet", "status.successful") if kind.group == "apps" => true,
        // Selectable inside only.
        ("Namespace", "name") => false,
        ("Event", _) if in_newer_events && inside == field && !matches!(field, "reason" | "type") => false,
        _ => {
            let own = kind.from_value(serde_json::json!({})).map(|o| (kind.fields)(&*o)).unwrap_or_default();
            own.iter().any(|(f, _)| *f == inside)
        }
    };
    if known {
        return Ok(inside);
    }
    Err(ApiError::bad_request(match (kind.group, kind.kind) {
        ("batch", "Job") => format!("field label {field:?} not supported for batchv1.Job"),
        ("resource.k8s.io", "ResourceSlice") => {
            format!("field label not supported for {}/{}, Kind={}: {field}", kind.group, kind.version, kind.kind)
        }
        _ if converts(kind) => format!("field label not supported: {field}"),
        _ => format!("{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""),
    }))
}

/// Kinds that say "field label not supported": those of `pkg/apis/core/v1/conversion.go` and its like, and custom ones.
fn converts(kind: KindRef) -> bool {
    let in_core =
        ["Event", "Namespace", "Node", "Pod", "ReplicationController", "Secret", "Service"].contains(&kind.kind);
    (kind.group.is_empty() && in_core)
        || matches!(
            (kind.group, kind.kind),
            ("events.k8s.io", "Event") | ("certificates.k8s.io", "CertificateSigningRequest")
        )
        || kind.custom.is_some()
}

/// Models `fields.ParseSelector`: `a=b,c!=d`, with `\,`, `\=` and `\\` escaped in values.
fn parse_fields(text: &str) -> Result<Vec<FieldTerm>, String> {
    let mut terms = Vec::new();
    for part in split_terms(text) {
        if part.is_empty() {
            continue;
        }
        let (at, sign, equal) = ["!=", "==", "="]
            .iter()
            .filter_map(|s| part.find(s).map(|at| (at, *s)))
            .min_by_key(|(at, s)| (*at, usize::MAX - s.len()))
            .map(|(at, s)| (at, s, s != "!="))
            .ok_or_else(|| format!("invalid selector: '{text}'; can't understand '{part}'"))?;
        let value = unescape(&part[at + sign.len()..])?;
        terms.push(FieldTerm { field: part[..at].into(), value, equal });
    }
    Ok(terms)
}

fn split_terms(text: &str) -> Vec<String> {
    let (mut terms, mut current, mut escaped) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        if c == ',' && !escaped {
            terms.push(std::mem::take(&mut current));
            continue;
        }
        escaped = c == '\\' && !escaped;
        current.push(c);
    }
    terms.push(current);
    terms
}

fn unescape(value: &str) -> Result<String, String> {
    let (mut out, mut chars) = (String::with_capacity(value.len()), value.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(e @ ('\\' | ',' | '=')) => out.push(e),
                Some(e) => return Err(format!("invalid field selector: invalid escape sequence: \\{e}")),
                None => return Err("invalid field selector: invalid escape sequence: \\".into()),
            },
            ',' | '=' => return Err(format!("invalid field selector: unescaped character in value: {c}")),
            c => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_selectors_parse_as_upstream() {
        let show = |t: &str| match parse_fields(t) {
            Ok(terms) => terms
                .iter()
                .map(|t| format!("{}{}{}", t.field, if t.equal { "=" } else { "!=" }, t.value))
                .collect::<Vec<_>>()
                .join(";"),
            Err(e) => format!("error: {e}"),
        };
        assert_eq!(show(""), "");
        assert_eq!(show("a=b,c!=d,e==f"), "a=b;c!=d;e=f");
        assert_eq!(show("a="), "a=");
        assert_eq!(show(r"a=b\,c"), "a=b,c");
        assert_eq!(show("abc"), "error: invalid selector: 'abc'; can't understand 'abc'");
    }
}
