//! Selectors checked as upstream checks them when it parses them: a pod that did not come through an API server may
//! hold keys and values that no label can have. Models `labels.NewRequirement` and `metav1.LabelSelectorAsSelector`.

use api::validate::names;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use meta::labels::{Op, Requirement, Selector};
use meta::{FieldError, Path};

/// # Errors
/// Everything that is wrong with the requirement.
pub fn requirement(key: &str, op: Op, values: &[String], path: &Path) -> Result<Requirement, Vec<FieldError>> {
    let mut errors = Vec::new();
    let joined = |errors: Vec<String>| Some(errors.join("; ")).filter(|e| !e.is_empty());
    if let Some(why) = joined(names::qualified_name(key)) {
        errors.push(FieldError::invalid(&path.child("key"), key, why));
    }
    let at = path.child("values");
    let list = || serde_json::to_value(values).unwrap_or_default();
    match op {
        Op::In | Op::NotIn if values.is_empty() => {
            errors.push(FieldError::invalid(&at, list(), "for 'in', 'notin' operators, values set can't be empty"));
        }
        Op::Exists | Op::DoesNotExist if !values.is_empty() => {
            errors.push(FieldError::invalid(&at, list(), "values set must be empty for exists and does not exist"));
        }
        Op::Gt | Op::Lt => {
            if values.len() != 1 {
                let why = "for 'Gt', 'Lt' operators, exactly one value is required";
                errors.push(FieldError::invalid(&at, list(), why));
            }
            for (i, v) in values.iter().enumerate().filter(|(_, v)| v.parse::<i64>().is_err()) {
                let why = "for 'Gt', 'Lt' operators, the value must be an integer";
                errors.push(FieldError::invalid(&at.index(i), v.clone(), why));
            }
        }
        _ => {}
    }
    for (i, v) in values.iter().enumerate() {
        if let Some(why) = joined(names::label_value(v)) {
            errors.push(FieldError::invalid(&at.index(i).key(key), v.clone(), why));
        }
    }
    if errors.is_empty() { Ok(Requirement { key: key.into(), op, values: values.to_vec() }) } else { Err(errors) }
}

/// `None` selects nothing, an empty selector everything.
///
/// # Errors
/// What is wrong with the first requirement that cannot be read.
pub fn selector(s: Option<&LabelSelector>) -> Result<Selector, String> {
    let Some(s) = s else { return Ok(Selector::Nothing) };
    let read = |key: &str, op: Op, values: &[String]| {
        requirement(key, op, values, &Path::default())
            .map_err(|e| meta::field::aggregate(e.iter().map(ToString::to_string)))
    };
    let mut requirements = Vec::new();
    for (k, v) in s.match_labels.iter().flatten() {
        requirements.push(read(k, Op::In, std::slice::from_ref(v))?);
    }
    for e in s.match_expressions.iter().flatten() {
        let op = match e.operator.as_str() {
            "In" => Op::In,
            "NotIn" => Op::NotIn,
            "Exists" => Op::Exists,
            "DoesNotExist" => Op::DoesNotExist,
            other => return Err(format!("{other:?} is not a valid label selector operator")),
        };
        requirements.push(read(&e.key, op, e.values.as_deref().unwrap_or_default())?);
    }
    Ok(Selector::All(requirements))
}
