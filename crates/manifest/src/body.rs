//! A request's body that is YAML: one document, as `sigs.k8s.io/yaml` makes JSON of it.

use crate::tree;
use crate::{Problem, Scalars, split};
use serde_json::Value;

/// What a body says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// Of a key that stands there twice, the last.
    pub value: Value,
    /// Keys that stand there twice, a line each: `line 6: key "a" already set in map`.
    pub duplicates: Vec<String>,
}

impl Body {
    /// What somebody strict says of it. Models `yaml.v2`'s `TypeError`.
    pub fn strict_error(&self) -> Option<String> {
        let lines: Vec<String> = self.duplicates.iter().map(|d| format!("  {d}")).collect();
        (!lines.is_empty()).then(|| format!("yaml: unmarshal errors:\n{}", lines.join("\n")))
    }
}

/// # Errors
/// What is wrong with the YAML: `yaml: line 2: did not find expected key`.
pub fn body(text: &str) -> Result<Body, String> {
    let mut problems: Vec<Problem> = Vec::new();
    let Some(chunk) = split::split(text).into_iter().next() else { return Ok(Body::default()) };
    let documents = tree::read("", chunk, Scalars::Kubectl, &mut problems);
    if problems.len() >= tree::PROBLEMS_MAX {
        return Err(format!("yaml: more than {} keys are already set in map", tree::PROBLEMS_MAX - 1));
    }
    if let Some(p) = problems.iter().find(|p| p.hint != "duplicate-key") {
        let kubectl = p.kubectl.strip_prefix("error parsing : error converting YAML to JSON: ");
        let words = kubectl.unwrap_or(&p.kubectl);
        // Go's parser leaves out the first line: it counts its marks from zero, and adds one to its scanner's alone.
        let scanned = ["mapping values", "found ", "could not find"].iter().any(|w| p.message.contains(w));
        let unplaced = words.strip_prefix("yaml: line 1: ").filter(|_| scanned || !text.contains('\n'));
        return Err(unplaced.map_or_else(|| words.into(), |w| format!("yaml: {w}")));
    }
    let value = documents.into_iter().next().map(|(value, _)| value).unwrap_or_default();
    let duplicates = problems.iter().map(|p| format!("line {}: {}", p.line, p.message)).collect();
    Ok(Body { value, duplicates })
}

#[cfg(test)]
mod tests {
    use super::body;
    use serde_json::json;

    #[test]
    fn the_last_of_a_key_counts_and_all_are_told_of() {
        let b = body("a: 1\nb: {c: yes}\na: 2\nb:\n  d: 1\n").unwrap();
        assert_eq!(b.value, json!({"a": 2, "b": {"d": 1}}));
        assert_eq!(
            b.strict_error().as_deref(),
            Some(
                "yaml: unmarshal errors:\n  line 3: key \"a\" already set in map\n  line 4: key \"b\" already set in map"
            )
        );
        assert_eq!(body("a: yes\n").unwrap().value, json!({"a": true}));
        assert_eq!(body("").unwrap().value, json!(null));
    }

    #[test]
    fn what_is_no_yaml_is_refused_in_its_words() {
        assert_eq!(body("a: [x").unwrap_err(), "yaml: did not find expected ',' or ']'");
        assert_eq!(body("a: x\n- b\n").unwrap_err(), "yaml: line 2: did not find expected key");
    }
}
