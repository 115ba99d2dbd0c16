//! What a Job may be. Models `pkg/apis/batch/validation`.

use super::{expected_labels, parse_indexes};
use crate::kinds::{pod, workload};
use crate::validate::{
    IMMUTABLE, each, immutable, invalid_json, json_text, names, nonnegative, text, validate_label_selector,
};
use k8s_openapi::api::batch::v1::{
    Job, JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
    SuccessPolicyRule,
};
use k8s_openapi::api::core::v1::{Affinity, PodTemplateSpec};
use meta::labels::Selector;
use meta::{FieldError, Path};
use std::collections::BTreeSet;

const MAX_PARALLELISM_OF_INDEXED: i32 = 100_000;
const MAX_FAILED_INDEXES: i32 = 100_000;
const COMPLETIONS_SOFT_LIMIT: i32 = 100_000;
const PARALLELISM_AT_HIGH_COMPLETIONS: i32 = 10_000;
const FAILED_INDEXES_AT_HIGH_COMPLETIONS: i32 = 10_000;
const MAX_FAILURE_RULES: usize = 20;
const MAX_EXIT_CODES: usize = 255;
const MAX_CONDITION_PATTERNS: usize = 20;
const MAX_SUCCESS_RULES: usize = 20;
const MAX_SUCCEEDED_INDEXES: usize = 64 * 1024;
const MAX_MANAGED_BY: usize = 63;

type Errors = Vec<FieldError>;

/// Models `ValidateJob`.
pub fn create(o: &Job) -> Errors {
    let mut errors = Errors::new();
    let spec = super::required(o.spec.as_ref());
    generated_selector(o, &spec, &mut errors);
    job_spec(&spec, &super::spec_path(), &mut errors);
    let last = spec.completions.filter(|n| *n > 0 && is_indexed(&spec)).map(|n| n - 1);
    if let Some(last) = last {
        let name = text(&o.metadata.name);
        let host = format!("{name}-{last}");
        if !names::dns1123_label(&host).is_empty() {
            let why = format!("will not able to create pod with invalid DNS label: {host}");
            errors.push(FieldError::invalid(&Path::new("metadata").child("name"), name, why));
        }
    }
    errors
}

/// Models `ValidateJobSpecUpdate`.
pub fn update(new: &Job, old: &Job) -> Errors {
    let mut errors = Errors::new();
    let (n, o) = (super::required(new.spec.as_ref()), super::required(old.spec.as_ref()));
    let path = super::spec_path();
    job_spec(&n, &path, &mut errors);
    let at = path.child("completions");
    if !is_indexed(&n) {
        immutable(&at, &n.completions, &o.completions, &mut errors);
    } else if n.completions != o.completions && n.completions.is_some() && n.completions != n.parallelism {
        let why = "can only be modified in tandem with spec.parallelism";
        errors.push(invalid_json(&at, &n.completions, why));
    }
    if n.selector != o.selector {
        let mut e = FieldError::invalid(&path.child("selector"), "", IMMUTABLE);
        e.value = n.selector.as_ref().map_or_else(|| "null".into(), workload::selector_json);
        errors.push(e);
    }
    let suspended_and_idle = o.suspend == Some(true)
        && (old.status.as_ref().is_none_or(|s| s.start_time.is_none()) || super::has_condition(old, "Suspended"));
    template_unchanged(&n.template, &o.template, suspended_and_idle, &path.child("template"), &mut errors);
    immutable(&path.child("completionMode"), &n.completion_mode, &o.completion_mode, &mut errors);
    immutable(&path.child("podFailurePolicy"), &n.pod_failure_policy, &o.pod_failure_policy, &mut errors);
    immutable(&path.child("backoffLimitPerIndex"), &n.backoff_limit_per_index, &o.backoff_limit_per_index, &mut errors);
    immutable(&path.child("managedBy"), &n.managed_by, &o.managed_by, &mut errors);
    immutable(&path.child("successPolicy"), &n.success_policy, &o.success_policy, &mut errors);
    errors
}

/// Where a suspended Job's pods may run can still be said. Models `validatePodTemplateUpdate`.
fn template_unchanged(
    new: &PodTemplateSpec,
    old: &PodTemplateSpec,
    placement_may_change: bool,
    path: &Path,
    errors: &mut Errors,
) {
    let mut before = old.clone();
    if placement_may_change {
        let (n, o) = (new.spec.clone().unwrap_or_default(), before.spec.get_or_insert_default());
        let node_affinity = n.affinity.as_ref().and_then(|a| a.node_affinity.clone());
        let mut affinity = o.affinity.take().unwrap_or_default();
        affinity.node_affinity = node_affinity;
        o.affinity = (n.affinity.is_some() || affinity != Affinity::default()).then_some(affinity);
        o.node_selector = n.node_selector;
        o.tolerations = n.tolerations;
        o.scheduling_gates = n.scheduling_gates;
        let m = before.metadata.get_or_insert_default();
        let of_new = new.metadata.clone().unwrap_or_default();
        m.annotations = of_new.annotations;
        m.labels = of_new.labels;
        if new.metadata.is_none() && *m == Default::default() {
            before.metadata = None;
        }
    }
    immutable(path, new, &before, errors);
}

fn is_indexed(spec: &JobSpec) -> bool {
    text(&spec.completion_mode) == "Indexed"
}

/// Models `validateGeneratedSelector`.
fn generated_selector(o: &Job, spec: &JobSpec, errors: &mut Errors) {
    let Some(selector) = spec.selector.as_ref().filter(|_| spec.manual_selector != Some(true)) else { return };
    let (uid, name) = (text(&o.metadata.uid), text(&o.metadata.name));
    if uid.is_empty() {
        errors.push(FieldError::required(&Path::new("metadata").child("uid"), ""));
    }
    let labels = spec.template.metadata.as_ref().and_then(|m| m.labels.as_ref());
    let path = Path::new("spec").child("template").child("metadata").child("labels");
    let expected = expected_labels(uid, name);
    for (key, want) in expected {
        match labels.and_then(|l| l.get(key)) {
            None => errors.push(FieldError::required(&path.key(key), format!("must be '{want}'"))),
            Some(have) if have != want => {
                let mut e = FieldError::invalid(&path.key(key), "", format!("must be '{want}'"));
                e.value = json_text(&labels);
                errors.push(e);
            }
            Some(_) => {}
        }
    }
    let set = expected.into_iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    if Selector::from_api(Some(selector)).is_ok_and(|s| !s.matches(Some(&set))) {
        let mut e = FieldError::invalid(&super::spec_path().child("selector"), "", "`selector` not auto-generated");
        e.value = workload::selector_json(selector);
        errors.push(e);
    }
}

/// Models `ValidateJobSpec`.
fn job_spec(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    common(spec, path, errors);
    let Some(selector) = &spec.selector else {
        errors.push(FieldError::required(&path.child("selector"), ""));
        return;
    };
    errors.extend(validate_label_selector(&path.child("selector"), selector));
    let labels = spec.template.metadata.as_ref().and_then(|m| m.labels.as_ref());
    if Selector::from_api(Some(selector)).is_ok_and(|s| !s.matches(labels)) {
        let at = path.child("template").child("metadata").child("labels");
        let mut e = FieldError::invalid(&at, "", "`selector` does not match template `labels`");
        e.value = json_text(&labels);
        errors.push(e);
    }
}

/// What holds for a Job and for the template of one. Models `validateJobSpec`.
pub fn common(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    let numbers = [
        ("parallelism", spec.parallelism.map(i64::from)),
        ("completions", spec.completions.map(i64::from)),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit.map(i64::from)),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished.map(i64::from)),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index.map(i64::from)),
        ("maxFailedIndexes", spec.max_failed_indexes.map(i64::from)),
    ];
    for (field, n) in numbers.into_iter().filter_map(|(f, n)| n.map(|n| (f, n))) {
        nonnegative(&path.child(field), n, errors);
    }
    if spec.max_failed_indexes.is_some() && spec.backoff_limit_per_index.is_none() {
        let at = path.child("backoffLimitPerIndex");
        errors.push(FieldError::required(&at, "when maxFailedIndexes is specified"));
    }
    if let Some(by) = &spec.managed_by {
        let at = path.child("managedBy");
        domain_prefixed_path(by, &at, errors);
        if by.len() > MAX_MANAGED_BY {
            errors.push(FieldError::too_long(&at, MAX_MANAGED_BY));
        }
    }
    completion_mode(spec, path, errors);
    if let Some(p) = &spec.pod_failure_policy {
        let at = path.child("podFailurePolicy").child("rules");
        if p.rules.len() > MAX_FAILURE_RULES {
            errors.push(FieldError::too_many(&at, p.rules.len(), MAX_FAILURE_RULES));
        }
        for (i, rule) in p.rules.iter().enumerate() {
            failure_rule(spec, rule, &at.index(i), errors);
        }
    }
    success_policy(spec, &path.child("successPolicy"), errors);
    replacement_policy(spec, &path.child("podReplacementPolicy"), errors);
    errors.extend(pod::validate_pod_template(&spec.template, &path.child("template")));
    let at = path.child("template").child("spec").child("restartPolicy");
    match spec.template.spec.as_ref().map_or("", |s| text(&s.restart_policy)) {
        "" | "Always" => {
            errors.push(FieldError::required(&at, "valid values: \"OnFailure\", \"Never\""));
        }
        "OnFailure" if spec.pod_failure_policy.is_some() => {
            let why = "only \"Never\" is supported when podFailurePolicy is specified";
            errors.push(FieldError::invalid(&at, "OnFailure", why));
        }
        "OnFailure" | "Never" => {}
        other => errors.push(FieldError::not_supported(&at, other, &["OnFailure", "Never"])),
    }
}

/// Models `IsDomainPrefixedPath`.
fn domain_prefixed_path(value: &str, path: &Path, errors: &mut Errors) {
    match value.split_once('/') {
        _ if value.is_empty() => errors.push(FieldError::required(path, "")),
        Some((host, rest)) if !host.is_empty() && !rest.is_empty() => {
            errors.extend(each(path, host, names::dns1123_subdomain(host)));
        }
        _ => {
            let why = "must be a domain-prefixed path (such as \"acme.io/foo\")";
            errors.push(FieldError::invalid(path, value, why));
        }
    }
}

fn completion_mode(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    let at = |field: &str| path.child(field);
    match spec.completion_mode.as_deref() {
        None | Some("NonIndexed") => {
            let why = "requires indexed completion mode";
            if let Some(n) = spec.backoff_limit_per_index {
                errors.push(FieldError::invalid(&at("backoffLimitPerIndex"), n, why));
            }
            if let Some(n) = spec.max_failed_indexes {
                errors.push(FieldError::invalid(&at("maxFailedIndexes"), n, why));
            }
        }
        Some("Indexed") => {
            let Some(completions) = spec.completions else {
                errors.push(FieldError::required(&at("completions"), "when completion mode is Indexed"));
                return;
            };
            if let Some(n) = spec.parallelism.filter(|n| *n > MAX_PARALLELISM_OF_INDEXED) {
                let why = format!(
                    "must be less than or equal to {MAX_PARALLELISM_OF_INDEXED} when completion mode is Indexed"
                );
                errors.push(FieldError::invalid(&at("parallelism"), n, why));
            }
            if let Some(n) = spec.max_failed_indexes {
                if n > completions {
                    let why = "must be less than or equal to completions";
                    errors.push(FieldError::invalid(&at("maxFailedIndexes"), n, why));
                }
                if n > MAX_FAILED_INDEXES {
                    let why = format!("must be less than or equal to {MAX_FAILED_INDEXES}");
                    errors.push(FieldError::invalid(&at("maxFailedIndexes"), n, why));
                }
            }
            if completions > COMPLETIONS_SOFT_LIMIT && spec.backoff_limit_per_index.is_some() {
                high_completions(spec, path, errors);
            }
        }
        Some(other) => {
            errors.push(FieldError::not_supported(&at("completionMode"), other, &["NonIndexed", "Indexed"]));
        }
    }
}

fn high_completions(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    let soft = COMPLETIONS_SOFT_LIMIT;
    let why = |limit: i32| {
        format!(
            "must be less than or equal to {limit} when completions are above {soft} and used with backoff limit per \
             index"
        )
    };
    if spec.max_failed_indexes.is_none() {
        let why = format!("must be specified when completions is above {soft}");
        errors.push(FieldError::required(&path.child("maxFailedIndexes"), why));
    }
    let limits = [
        ("parallelism", spec.parallelism, PARALLELISM_AT_HIGH_COMPLETIONS),
        ("maxFailedIndexes", spec.max_failed_indexes, FAILED_INDEXES_AT_HIGH_COMPLETIONS),
    ];
    for (field, n, limit) in limits {
        if let Some(n) = n.filter(|n| *n > limit) {
            errors.push(FieldError::invalid(&path.child(field), n, why(limit)));
        }
    }
}

fn failure_rule(spec: &JobSpec, rule: &PodFailurePolicyRule, path: &Path, errors: &mut Errors) {
    let at = path.child("action");
    match rule.action.as_str() {
        "" => {
            let why = "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]";
            errors.push(FieldError::required(&at, why));
        }
        "FailIndex" if spec.backoff_limit_per_index.is_none() => {
            errors.push(FieldError::invalid(&at, "FailIndex", "requires the backoffLimitPerIndex to be set"));
        }
        "Count" | "FailIndex" | "FailJob" | "Ignore" => {}
        other => {
            errors.push(FieldError::not_supported(&at, other, &["Count", "FailIndex", "FailJob", "Ignore"]));
        }
    }
    let patterns = rule.on_pod_conditions.as_deref().unwrap_or_default();
    if let Some(r) = &rule.on_exit_codes {
        exit_codes(spec, r, &path.child("onExitCodes"), errors);
    }
    condition_patterns(patterns, &path.child("onPodConditions"), errors);
    let mut refuse = |why: &str| {
        let mut e = FieldError::invalid(path, "", why);
        e.value = String::new();
        errors.push(e);
    };
    match (&rule.on_exit_codes, patterns.is_empty()) {
        (Some(_), false) => refuse("specifying both OnExitCodes and OnPodConditions is not supported"),
        (None, true) => refuse("specifying one of OnExitCodes and OnPodConditions is required"),
        _ => {}
    }
}

fn condition_patterns(patterns: &[PodFailurePolicyOnPodConditionsPattern], path: &Path, errors: &mut Errors) {
    if patterns.len() > MAX_CONDITION_PATTERNS {
        errors.push(FieldError::too_many(path, patterns.len(), MAX_CONDITION_PATTERNS));
    }
    for (i, p) in patterns.iter().enumerate() {
        let at = path.index(i);
        errors.extend(each(&at.child("type"), &p.type_, names::qualified_name(&p.type_)));
        match text(&p.status) {
            "" => {
                let why = "valid values: [\"False\" \"True\" \"Unknown\"]";
                errors.push(FieldError::required(&at.child("status"), why));
            }
            "False" | "True" | "Unknown" => {}
            other => {
                errors.push(FieldError::not_supported(&at.child("status"), other, &["False", "True", "Unknown"]));
            }
        }
    }
}

fn exit_codes(spec: &JobSpec, r: &PodFailurePolicyOnExitCodesRequirement, path: &Path, errors: &mut Errors) {
    match r.operator.as_str() {
        "" => {
            let why = "valid values: [\"In\" \"NotIn\"]";
            errors.push(FieldError::required(&path.child("operator"), why));
        }
        "In" | "NotIn" => {}
        other => errors.push(FieldError::not_supported(&path.child("operator"), other, &["In", "NotIn"])),
    }
    let pod = spec.template.spec.as_ref();
    let known = |name: &str| {
        pod.is_some_and(|s| s.containers.iter().chain(s.init_containers.iter().flatten()).any(|c| c.name == name))
    };
    if let Some(name) = r.container_name.as_ref().filter(|n| !known(n)) {
        let why = "must be one of the container or initContainer names in the pod template";
        errors.push(FieldError::invalid(&path.child("containerName"), name.as_str(), why));
    }
    let at = path.child("values");
    if r.values.is_empty() {
        errors.push(invalid_json(&at, &r.values, "at least one value is required"));
    } else if r.values.len() > MAX_EXIT_CODES {
        errors.push(FieldError::too_many(&at, r.values.len(), MAX_EXIT_CODES));
    }
    let mut seen = BTreeSet::new();
    for (i, code) in r.values.iter().enumerate() {
        if r.operator == "In" && *code == 0 {
            errors.push(FieldError::invalid(&at.index(i), *code, "must not be 0 for the In operator"));
        }
        if !seen.insert(code) {
            errors.push(FieldError::duplicate(&at.index(i), *code));
        }
    }
    if r.values.windows(2).any(|w| w[0] > w[1]) {
        errors.push(invalid_json(&at, &r.values, "must be ordered"));
    }
}

fn success_policy(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    let Some(p) = &spec.success_policy else { return };
    if !is_indexed(spec) {
        errors.push(invalid_json(path, p, "requires indexed completion mode"));
        return;
    }
    let at = path.child("rules");
    if p.rules.is_empty() {
        let why = "at least one rules must be specified when the successPolicy is specified";
        errors.push(FieldError::required(&at, why));
    }
    if p.rules.len() > MAX_SUCCESS_RULES {
        errors.push(FieldError::too_many(&at, p.rules.len(), MAX_SUCCESS_RULES));
    }
    for (i, rule) in p.rules.iter().enumerate() {
        success_rule(spec.completions.unwrap_or(0), rule, &at.index(i), errors);
    }
}

fn success_rule(completions: i32, rule: &SuccessPolicyRule, path: &Path, errors: &mut Errors) {
    if rule.succeeded_count.is_none() && rule.succeeded_indexes.is_none() {
        let why = "at least one of succeededCount or succeededIndexes must be specified";
        errors.push(FieldError::required(path, why));
    }
    let mut total = 0;
    if let Some(list) = &rule.succeeded_indexes {
        let at = path.child("succeededIndexes");
        if list.len() > MAX_SUCCEEDED_INDEXES {
            errors.push(FieldError::too_long(&at, MAX_SUCCEEDED_INDEXES));
        }
        match parse_indexes(list, completions) {
            Ok(intervals) => total = intervals.iter().map(|(first, last)| last - first + 1).sum(),
            Err(e) => {
                let why = format!("error parsing succeededIndexes: {e}");
                errors.push(FieldError::invalid(&at, list.as_str(), why));
            }
        }
    }
    let Some(n) = rule.succeeded_count else { return };
    let at = path.child("succeededCount");
    nonnegative(&at, n.into(), errors);
    if n > completions {
        let why = format!("must be less than or equal to {completions} (the number of specified completions)");
        errors.push(FieldError::invalid(&at, n, why));
    }
    if rule.succeeded_indexes.is_some() && n > total {
        let why = format!(
            "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
        );
        errors.push(FieldError::invalid(&at, n, why));
    }
}

fn replacement_policy(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    let Some(p) = &spec.pod_replacement_policy else { return };
    let supported: &[&str] =
        if spec.pod_failure_policy.is_some() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
    if !supported.contains(&p.as_str()) {
        errors.push(FieldError::not_supported(path, p.as_str(), supported));
    }
}
