//! What a rule says beside its program: messages, reasons, the field it is about. Models the part of
//! `ValidateCustomResourceDefinitionOpenAPISchema` that is about `x-kubernetes-validations`, and `cel.ValidFieldPath`.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps as Schema, JSONSchemaPropsOrBool,
};
use meta::{FieldError, Path};

/// In ascending order, as upstream prints a set.
const REASONS: [&str; 4] = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

pub(super) fn validate(s: &Schema, path: &Path, errors: &mut Vec<FieldError>) {
    let has_breaks = |t: &str| t.contains(['\n', '\r']);
    for (i, r) in s.x_kubernetes_validations.iter().flatten().enumerate() {
        let at = path.child("x-kubernetes-validations").index(i);
        let given = r.message.as_deref().unwrap_or("");
        let (rule, message) = (r.rule.trim(), given.trim());
        if rule.is_empty() {
            errors.push(FieldError::required(&at.child("rule"), "rule is not specified"));
        } else if !given.is_empty() && message.is_empty() {
            errors.push(FieldError::invalid(&at.child("message"), given, "must be non-empty if specified"));
        } else if has_breaks(message) {
            errors.push(FieldError::invalid(&at.child("message"), given, "must not contain line breaks"));
        } else if has_breaks(rule) && message.is_empty() {
            let why = "message must be specified if rule contains line breaks";
            errors.push(FieldError::required(&at.child("message"), why));
        }
        let expression = r.message_expression.as_deref().unwrap_or("");
        if !expression.is_empty() && expression.trim().is_empty() {
            let why = "messageExpression must be non-empty if specified";
            errors.push(FieldError::required(&at.child("messageExpression"), why));
        }
        if let Some(reason) = r.reason.as_deref().filter(|r| !REASONS.contains(r)) {
            errors.push(FieldError::not_supported(&at.child("reason"), reason, &REASONS));
        }
        let field = r.field_path.as_deref().unwrap_or("");
        let at = at.child("fieldPath");
        if !field.is_empty() && field.trim().is_empty() {
            errors.push(FieldError::invalid(&at, field, "must be non-empty if specified"));
        }
        if has_breaks(field) {
            errors.push(FieldError::invalid(&at, field, "must not contain line breaks"));
        }
        if !field.is_empty() && !leads_to_field(s, field) {
            errors.push(FieldError::invalid(&at, field, "must be a valid path"));
        }
    }
}

/// Whether `.a['b'].c` leads to what the schema knows.
fn leads_to_field(s: &Schema, path: &str) -> bool {
    let (mut at, mut tokens) = (s, tokens(path).into_iter());
    while let Some(token) = tokens.next() {
        let Some(given) = tokens.next() else { return false };
        let name = match token {
            "." => given.to_string(),
            "[" => {
                let inner = given.strip_prefix('\'').and_then(|g| g.strip_suffix('\'')).filter(|_| given.len() > 1);
                match inner {
                    Some(name) if tokens.next() == Some("]") => name.replace("\\'", "'").replace("\\\\", "\\"),
                    _ => return false,
                }
            }
            _ => return false,
        };
        let next = match (&s_properties(at), &at.additional_properties) {
            (Some(properties), _) => properties.get(&name),
            (None, Some(JSONSchemaPropsOrBool::Schema(of))) => Some(&**of),
            _ => None,
        };
        let Some(next) = next else { return false };
        at = next;
    }
    true
}

fn s_properties(s: &Schema) -> Option<&std::collections::BTreeMap<String, Schema>> {
    s.properties.as_ref().filter(|p| !p.is_empty())
}

/// Dots, brackets, names, and names between quotes.
fn tokens(path: &str) -> Vec<&str> {
    let (mut out, mut rest) = (Vec::new(), path);
    while !rest.is_empty() {
        let end = if rest.starts_with('\'') {
            let close = rest.char_indices().skip(1).find(|(i, c)| *c == '\'' && !rest[..*i].ends_with('\\'));
            close.map_or(rest.len(), |(i, _)| i + 1)
        } else {
            match rest.find(['.', '[', ']']) {
                Some(0) => 1,
                Some(i) => i,
                None => rest.len(),
            }
        };
        let (token, after) = rest.split_at(end);
        out.push(token);
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_lead_to_fields() {
        let schema: Schema = serde_json::from_value(json!({"type": "object", "properties": {
            "a": {"type": "object", "properties": {"b.c": {"type": "string"}, "d'e": {"type": "string"}}},
            "m": {"type": "object", "additionalProperties": {"type": "string"}},
            "l": {"type": "array", "items": {"type": "string"}}}}))
        .expect("a schema");
        for (path, good) in [
            (".a", true),
            (".a['b.c']", true),
            ("['a']['b.c']", true),
            (".a['d\\'e']", true),
            (".m.any", true),
            (".m['any/thing']", true),
            ("a", false),
            (".", false),
            (".a.b", false),
            (".l[0]", false),
            (".a[b]", false),
            (".a['b.c'", false),
            (".a['b.c'].d", false),
        ] {
            assert_eq!(leads_to_field(&schema, path), good, "{path}");
        }
    }
}
