//! What a Job's status may become. Models `validateJobStatus` and `ValidateJobStatusUpdate`.

use super::{has_condition, is_finished, parse_indexes};
use crate::validate::nonnegative;
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use meta::{FieldError, Path};
use std::collections::BTreeSet;

pub(super) fn validate(new: &Job, old: &Job) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let (none, path) = (JobStatus::default(), Path::new("status"));
    let (s, before) = (new.status.as_ref().unwrap_or(&none), old.status.as_ref().unwrap_or(&none));
    let n = |v: Option<i32>| i64::from(v.unwrap_or(0));
    let counts = [
        ("active", n(s.active)),
        ("succeeded", n(s.succeeded)),
        ("failed", n(s.failed)),
        ("ready", n(s.ready)),
        ("terminating", n(s.terminating)),
    ];
    for (field, v) in counts {
        nonnegative(&path.child(field), v, &mut errors);
    }
    uncounted(s, &path.child("uncountedTerminatedPods"), &mut errors);
    let conditions = path.child("conditions");
    let mut refuse = |at: &Path, why: &str| {
        let mut e = FieldError::invalid(at, "", why);
        e.value = String::new();
        errors.push(e);
    };
    let has = |condition: &str| has_condition(new, condition);
    for (a, b, why) in [
        ("Complete", "Failed", "cannot set Complete=True and Failed=true conditions"),
        ("Complete", "FailureTarget", "cannot set Complete=True and FailureTarget=true conditions"),
        ("SuccessCriteriaMet", "Failed", "cannot set SuccessCriteriaMet=True and Failed=true conditions"),
        ("SuccessCriteriaMet", "FailureTarget", "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"),
    ] {
        if has(a) && has(b) {
            refuse(&conditions, why);
        }
    }
    if has("Failed") && !has("FailureTarget") && !has_condition(old, "Failed") {
        refuse(&conditions, "cannot set Failed=True condition without the FailureTarget=true condition");
    }
    if has("Complete") && !has("SuccessCriteriaMet") && !has_condition(old, "Complete") {
        refuse(&conditions, "cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
    }
    for condition in ["Failed", "Complete", "FailureTarget"] {
        if has_condition(old, condition) && !has(condition) {
            refuse(&conditions, &format!("cannot disable the terminal {condition}=True condition"));
        }
    }
    if has_condition(old, "SuccessCriteriaMet") && !has("SuccessCriteriaMet") {
        refuse(&conditions, "cannot disable the SuccessCriteriaMet=True condition");
    }
    if s.completion_time.is_some() && !has("Complete") {
        let why = "cannot set completionTime when there is no Complete=True condition";
        refuse(&path.child("completionTime"), why);
    }
    if s.completion_time.is_none() && has("Complete") {
        errors
            .push(FieldError::required(&path.child("completionTime"), "completionTime is required for Complete jobs"));
    }
    if is_finished(new) && !is_finished(old) {
        if n(s.active) > 0 {
            let why = "active>0 is invalid for finished job";
            errors.push(FieldError::invalid(&path.child("active"), n(s.active), why));
        }
        if n(s.terminating) > 0 {
            let why = "terminating>0 is invalid for finished job";
            errors.push(FieldError::invalid(&path.child("terminating"), n(s.terminating), why));
        }
        if s.start_time.is_none() {
            errors.push(FieldError::required(&path.child("startTime"), "startTime is required for finished job"));
        }
    }
    if n(s.ready) > n(s.active) {
        let why = "cannot set more ready pods than active";
        errors.push(FieldError::invalid(&path.child("ready"), n(s.ready), why));
    }
    for (field, now, then) in [("failed", s.failed, before.failed), ("succeeded", s.succeeded, before.succeeded)] {
        // An Indexed Job whose completions are lowered forgets indexes.
        let indexed = new.spec.as_ref().is_some_and(|s| s.completion_mode.as_deref() == Some("Indexed"));
        if n(now) < n(then) && !(indexed && field == "succeeded") {
            let why = format!("cannot decrease the {field} counter");
            errors.push(FieldError::invalid(&path.child(field), n(now), why));
        }
    }
    indexes(new, s, before, &path, &mut errors);
    errors
}

fn uncounted(s: &JobStatus, path: &Path, errors: &mut Vec<FieldError>) {
    let Some(u) = &s.uncounted_terminated_pods else { return };
    let mut seen = BTreeSet::new();
    for (field, list) in [("succeeded", &u.succeeded), ("failed", &u.failed)] {
        for (i, uid) in list.iter().flatten().enumerate() {
            let at = path.child(field).index(i);
            if uid.is_empty() {
                errors.push(FieldError::invalid(&at, "", "must not be empty"));
            } else if !seen.insert(uid) {
                errors.push(FieldError::duplicate(&at, uid.as_str()));
            }
        }
    }
}

fn indexes(new: &Job, s: &JobStatus, before: &JobStatus, path: &Path, errors: &mut Vec<FieldError>) {
    let Some(spec) = &new.spec else { return };
    let per_index = spec.backoff_limit_per_index.is_some();
    let lists = [
        ("completedIndexes", &s.completed_indexes, &before.completed_indexes, true),
        ("failedIndexes", &s.failed_indexes, &before.failed_indexes, per_index),
    ];
    for (field, list, _, _) in lists.into_iter().filter(|(_, now, then, counts)| now != then && *counts) {
        let parsed = |l| parse_indexes(l, spec.completions?).err().map(|e| (l, e));
        if let Some((list, e)) = list.as_deref().and_then(parsed) {
            let why = format!("error parsing {field}: {e}");
            errors.push(FieldError::invalid(&path.child(field), list, why));
        }
    }
    let completed = s.completed_indexes.as_deref().unwrap_or("");
    if !completed.is_empty() && spec.completion_mode.as_deref() != Some("Indexed") {
        let why = "cannot set non-empty completedIndexes when non-indexed completion mode";
        errors.push(FieldError::invalid(&path.child("completedIndexes"), completed, why));
    }
    if spec.backoff_limit_per_index.is_none()
        && let Some(list) = &s.failed_indexes
    {
        let why = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        errors.push(FieldError::invalid(&path.child("failedIndexes"), list.as_str(), why));
    }
}
