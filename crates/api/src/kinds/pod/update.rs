//! What may change in a pod. Models `ValidatePodUpdate` and `ValidatePodStatusUpdate`.

use super::{diff, scheduling, spec};
use crate::pods;
use crate::validate::{each, immutable, names, net, text};
use k8s_openapi::api::core::v1::{Affinity, Container, ContainerStatus, Pod, PodSpec, Toleration};
use meta::{FieldError, Path};

const UPDATABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set \
to 1 if it was previously negative)";

pub fn validate_update(new_pod: &Pod, old_pod: &Pod) -> Vec<FieldError> {
    let path = Path::new("spec");
    let (none_new, none_old) = (PodSpec::default(), PodSpec::default());
    let new = new_pod.spec.as_ref().unwrap_or(&none_new);
    let old = old_pod.spec.as_ref().unwrap_or(&none_old);
    let mut errors = spec::validate_pod_and_spec(new_pod, new);

    let init = |s: &PodSpec| s.init_containers.clone().unwrap_or_default();
    let (new_init, old_init) = (init(new), init(old));
    for (field, n, o) in [("containers", &new.containers, &old.containers), ("initContainers", &new_init, &old_init)] {
        let at = path.child(field);
        if n.len() != o.len() {
            errors.push(FieldError::forbidden(&at, "pod updates may not add or remove containers"));
            return errors;
        }
        for (i, c) in n.iter().enumerate().filter(|(_, c)| text(&c.image).is_empty()) {
            errors.push(FieldError::required(&at.index(i).child("image"), text(&c.image)));
        }
    }

    let at = path.child("activeDeadlineSeconds");
    let int32_max = i64::from(i32::MAX);
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(n), _) if !(0..=int32_max).contains(&n) => {
            errors.push(FieldError::invalid(&at, n, names::between(0, int32_max)));
            return errors;
        }
        (Some(n), Some(o)) if o < n => {
            errors.push(FieldError::invalid(&at, n, "must be less than or equal to previous value"));
            return errors;
        }
        (None, Some(_)) => {
            let why = "must not update from a positive integer to nil value";
            errors.push(FieldError::invalid(&at, serde_json::Value::Null, why));
        }
        _ => {}
    }

    tolerations(
        new.tolerations.as_deref().unwrap_or_default(),
        old.tolerations.as_deref().unwrap_or_default(),
        &path.child("tolerations"),
        &mut errors,
    );
    gates(new, old, &path.child("schedulingGates"), &mut errors);
    if new == old {
        return errors;
    }

    let munged = munge(new, old, &path, &mut errors);
    if munged != *old {
        let why = format!("pod updates may not change fields other than {UPDATABLE}\n{}", diff::specs(old, &munged));
        errors.push(FieldError::forbidden(&path, why));
    }
    errors
}

/// The new spec with everything that may change put back as it was.
fn munge(new: &PodSpec, old: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) -> PodSpec {
    let mut spec = new.clone();
    let images = |now: &mut [Container], then: &[Container]| {
        for (n, o) in now.iter_mut().zip(then) {
            n.image = o.image.clone();
        }
    };
    images(&mut spec.containers, &old.containers);
    images(spec.init_containers.as_deref_mut().unwrap_or_default(), old.init_containers.as_deref().unwrap_or_default());
    spec.active_deadline_seconds = old.active_deadline_seconds;
    spec.scheduling_gates = old.scheduling_gates.clone();
    spec.tolerations = old.tolerations.clone();
    if old.termination_grace_period_seconds.is_some_and(|s| s < 0) && spec.termination_grace_period_seconds == Some(1) {
        spec.termination_grace_period_seconds = old.termination_grace_period_seconds;
    }
    if old.scheduling_gates.as_ref().is_some_and(|g| !g.is_empty()) {
        gated(&mut spec, old, path, errors);
    }
    spec
}

/// A gated pod's placement may still be narrowed. Models the gated part of `ValidatePodUpdate`.
fn gated(spec: &mut PodSpec, old: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
    if spec.node_selector != old.node_selector {
        let now = spec.node_selector.clone().unwrap_or_default();
        let kept = old.node_selector.iter().flatten().all(|(k, v)| now.get(k) == Some(v));
        if !kept {
            let why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
            errors.push(FieldError::invalid(&path.child("nodeSelector"), serde_json::json!(now), why));
        }
        spec.node_selector = old.node_selector.clone();
    }
    let node = |a: &Option<Affinity>| a.as_ref().and_then(|a| a.node_affinity.clone());
    let (now, then) = (node(&spec.affinity), node(&old.affinity));
    if now == then {
        return;
    }
    let required = |n: &Option<k8s_openapi::api::core::v1::NodeAffinity>| {
        n.as_ref()
            .and_then(|n| n.required_during_scheduling_ignored_during_execution.clone())
            .map(|s| s.node_selector_terms)
            .unwrap_or_default()
    };
    let (new_terms, old_terms) = (required(&now), required(&then));
    let at = path
        .child("affinity")
        .child("nodeAffinity")
        .child("requiredDuringSchedulingIgnoredDuringExecution")
        .child("nodeSelectorTerms");
    if !old_terms.is_empty() {
        if new_terms.len() != old_terms.len() {
            let why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
            errors.push(FieldError::invalid(&at, serde_json::json!(new_terms), why));
        } else {
            for (i, (n, o)) in new_terms.iter().zip(&old_terms).enumerate() {
                let keeps = |n: &Option<Vec<_>>, o: &Option<Vec<_>>| {
                    let (n, o) = (n.as_deref().unwrap_or_default(), o.as_deref().unwrap_or_default());
                    n.len() >= o.len() && n[..o.len()] == *o
                };
                let empty = o.match_expressions.is_none() && o.match_fields.is_none();
                if empty && n != o
                    || !keeps(&n.match_expressions, &o.match_expressions)
                    || !keeps(&n.match_fields, &o.match_fields)
                {
                    let why = "only additions are allowed (no mutations or deletions)";
                    errors.push(FieldError::invalid(&at.index(i), serde_json::json!(n), why));
                }
            }
        }
    }
    let affinity = spec.affinity.get_or_insert_default();
    affinity.node_affinity = then;
    if *affinity == Affinity::default() && old.affinity.is_none() {
        spec.affinity = None;
    }
}

/// Models `validateOnlyAddedTolerations`.
fn tolerations(new: &[Toleration], old: &[Toleration], path: &Path, errors: &mut Vec<FieldError>) {
    let same = |a: &Toleration, b: &Toleration| {
        a.key == b.key && a.operator == b.operator && a.value == b.value && a.effect == b.effect
    };
    if old.iter().any(|o| !new.iter().any(|n| same(n, o))) {
        let why = "existing toleration can not be modified except its tolerationSeconds";
        errors.push(FieldError::forbidden(path, why));
        return;
    }
    scheduling::tolerations(new, path, errors);
}

/// Models `validateOnlyDeletedSchedulingGates`.
fn gates(new: &PodSpec, old: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
    for (i, g) in new.scheduling_gates.iter().flatten().enumerate() {
        if !old.scheduling_gates.iter().flatten().any(|o| o.name == g.name) {
            let why = format!("only deletion is allowed, but found new scheduling gate '{}'", g.name);
            errors.push(FieldError::forbidden(&path.index(i).child("name"), why));
        }
    }
}

pub fn validate_status(new: &Pod, old: &Pod) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let path = Path::new("status");
    let (Some(n), Some(o)) = (&new.status, &old.status) else { return errors };
    let none = PodSpec::default();
    let spec = old.spec.as_ref().unwrap_or(&none);
    let negative = "must be a non-negative integer";
    for (i, c) in n.conditions.iter().flatten().enumerate() {
        let at = path.child("conditions").index(i);
        if let Some(g) = c.observed_generation.filter(|g| *g < 0) {
            errors.push(FieldError::invalid(&at.child("observedGeneration"), g, negative));
        }
        if !["PodScheduled", "Ready", "Initialized"].contains(&c.type_.as_str()) {
            errors.extend(each(&at.child("Type"), &c.type_, names::qualified_name(&c.type_)));
        }
    }
    let nominated = text(&n.nominated_node_name);
    if n.nominated_node_name != o.nominated_node_name && !nominated.is_empty() {
        let at = path.child("nominatedNodeName");
        errors.extend(each(&at, nominated, names::dns1123_subdomain(nominated)));
        if !text(&spec.node_name).is_empty() {
            errors.push(FieldError::forbidden(&at, "may not be set on pods that are already bound to a node"));
        }
    }
    if let Some(g) = n.observed_generation.filter(|g| *g < 0) {
        errors.push(FieldError::invalid(&path.child("observedGeneration"), g, negative));
    }
    immutable(&path.child("qosClass"), &text(&n.qos_class), &text(&o.qos_class), &mut errors);
    let none = Vec::new();
    let init = spec.init_containers.as_ref().unwrap_or(&none);
    for (field, now, then, containers) in [
        ("containerStatuses", &n.container_statuses, &o.container_statuses, &spec.containers),
        ("initContainerStatuses", &n.init_container_statuses, &o.init_container_statuses, init),
        ("ephemeralContainerStatuses", &n.ephemeral_container_statuses, &o.ephemeral_container_statuses, &none),
    ] {
        let restarts = |name: &str, code: i32| {
            containers.iter().find(|c| c.name == name).is_some_and(|c| pods::should_restart(c, spec, code))
        };
        transitions(now.as_deref(), then.as_deref(), &restarts, &path.child(field), &mut errors);
    }
    if let Some(first) = n.host_ips.iter().flatten().next().filter(|f| f.ip != text(&n.host_ip)) {
        let at = path.child("hostIPs").index(0).child("ip");
        errors.push(FieldError::invalid(&at, first.ip.as_str(), "must be equal to `hostIP`"));
    }
    for (field, ips) in [
        ("podIPs", n.pod_ips.iter().flatten().map(|p| p.ip.as_str()).collect::<Vec<_>>()),
        ("hostIPs", n.host_ips.iter().flatten().map(|p| p.ip.as_str()).collect()),
    ] {
        let at = path.child(field);
        for (i, ip) in ips.iter().enumerate() {
            errors.extend(net::ip(&at.index(i), ip));
        }
        if ips.len() > 2 || (ips.len() == 2 && !net::is_dual_stack(ips.iter().copied())) {
            let value: Vec<_> = ips.iter().map(|ip| serde_json::json!({ "ip": ip })).collect();
            let why = "may specify no more than one IP for each IP family";
            errors.push(FieldError::invalid(&at, serde_json::Value::from(value), why));
        }
    }
    errors
}

/// A container that has ended stays so unless it may start again. Models `ValidateContainerStateTransition` and
/// its kin.
fn transitions(
    new: Option<&[ContainerStatus]>,
    old: Option<&[ContainerStatus]>,
    restarts: &dyn Fn(&str, i32) -> bool,
    path: &Path,
    errors: &mut Vec<FieldError>,
) {
    for (i, o) in old.into_iter().flatten().enumerate() {
        let Some(t) = o.state.as_ref().and_then(|s| s.terminated.as_ref()) else { continue };
        let revived =
            |n: &&ContainerStatus| n.name == o.name && n.state.as_ref().is_none_or(|s| s.terminated.is_none());
        if new.into_iter().flatten().any(|n| revived(&n)) && !restarts(&o.name, t.exit_code) {
            let why = "may not be transitioned to non-terminated state";
            errors.push(FieldError::forbidden(&path.index(i).child("state"), why));
        }
    }
}
