//! Pod specs, in pods and in templates. Models `ValidatePodSpec` of `pkg/apis/core/validation`.

use super::{affinity, container, resources, scheduling, security, volumes};
use crate::validate::{each, meta::validate_annotations, names, net, text, validate_labels};
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, PodTemplateSpec};
use meta::{FieldError, Path};

/// A new pod. Models `ValidatePodCreate`.
pub(super) fn validate_pod(o: &Pod) -> Vec<FieldError> {
    let path = Path::new("spec");
    let Some(spec) = &o.spec else { return vec![FieldError::required(&path.child("containers"), "")] };
    let mut errors = validate_pod_and_spec(o, spec);
    if spec.ephemeral_containers.as_ref().is_some_and(|e| !e.is_empty()) {
        errors.push(FieldError::forbidden(&path.child("ephemeralContainers"), "cannot be set on create"));
    }
    let gated = spec.scheduling_gates.as_ref().is_some_and(|g| !g.is_empty());
    if gated && !text(&spec.node_name).is_empty() {
        let why = "cannot be set until all schedulingGates have been cleared";
        errors.push(FieldError::forbidden(&path.child("nodeName"), why));
    }
    errors
}

/// Models `validatePodMetadataAndSpec` without ObjectMeta.
pub(super) fn validate_pod_and_spec(o: &Pod, spec: &PodSpec) -> Vec<FieldError> {
    let path = Path::new("spec");
    let mut errors = validate_pod_spec(spec, &path, true);
    let cost = "controller.kubernetes.io/pod-deletion-cost";
    if let Some(v) = o.metadata.annotations.as_ref().and_then(|a| a.get(cost)) {
        let plain = !v.starts_with('+') && (v == "0" || !v.trim_start_matches('-').starts_with('0'));
        if !plain || v.parse::<i32>().is_err() {
            let at = Path::new("metadata").child("annotations").key(cost);
            errors.push(FieldError::invalid(&at, v.as_str(), "must be a 32bit integer"));
        }
    }
    for (field, list) in [("containers", Some(&spec.containers)), ("initContainers", spec.init_containers.as_ref())] {
        for (i, c) in list.into_iter().flatten().enumerate() {
            image_whitespace(c, &path.child(field).index(i), &mut errors);
        }
    }
    errors
}

fn image_whitespace(c: &Container, path: &Path, errors: &mut Vec<FieldError>) {
    let image = text(&c.image);
    if image.trim() != image {
        let why = "must not have leading or trailing whitespace";
        errors.push(FieldError::invalid(&path.child("image"), image, why));
    }
}

/// A template of Pods in a workload. Models `ValidatePodTemplateSpec`.
pub fn validate_pod_template(t: &PodTemplateSpec, path: &Path) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(m) = &t.metadata {
        errors.extend(validate_labels(&path.child("labels"), m.labels.as_ref()));
        errors.extend(validate_annotations(&path.child("annotations"), m.annotations.as_ref()));
    }
    let none = PodSpec::default();
    let spec = t.spec.as_ref().unwrap_or(&none);
    let at = path.child("spec");
    errors.extend(validate_pod_spec(spec, &at, false));
    if spec.ephemeral_containers.as_ref().is_some_and(|e| !e.is_empty()) {
        let why = "ephemeral containers not allowed in pod template";
        errors.push(FieldError::forbidden(&at.child("ephemeralContainers"), why));
    }
    errors
}

/// `is_pod` says that the spec is a Pod's own, not a template's. Models `ValidatePodSpec`.
pub fn validate_pod_spec(spec: &PodSpec, path: &Path, is_pod: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let e = &mut errors;
    if spec.termination_grace_period_seconds.is_none() {
        e.push(FieldError::required(&path.child("terminationGracePeriodSeconds"), ""));
    }
    volumes::validate(spec.volumes.as_deref().unwrap_or_default(), &path.child("volumes"), e);
    container::validate(spec, path, e);
    resources::validate_pod_level(spec, &path.child("resources"), e);
    if spec.host_network == Some(true) {
        host_network_ports(spec, path, is_pod, e);
    }
    one_of(text(&spec.restart_policy), &["Always", "OnFailure", "Never"], &path.child("restartPolicy"), e);
    let dns = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    one_of(text(&spec.dns_policy), &dns, &path.child("dnsPolicy"), e);
    e.extend(validate_labels(&path.child("nodeSelector"), spec.node_selector.as_ref()));
    security::pod(spec, path, e);
    if let Some(a) = &spec.affinity {
        affinity::validate(a, &path.child("affinity"), e);
    }
    dns_config(spec, &path.child("dnsConfig"), e);
    for (i, g) in spec.readiness_gates.iter().flatten().enumerate() {
        let at = path.child("readinessGates").index(i).child("conditionType");
        e.extend(each(&at, &g.condition_type, names::qualified_name(&g.condition_type)));
    }
    scheduling::gates(spec.scheduling_gates.as_deref().unwrap_or_default(), &path.child("schedulingGates"), e);
    let spread = spec.topology_spread_constraints.as_deref().unwrap_or_default();
    scheduling::spread(spread, &path.child("topologySpreadConstraints"), e);
    for (field, value, rule) in [
        ("serviceAccountName", text(&spec.service_account_name), names::dns1123_subdomain as fn(&str) -> Vec<String>),
        ("nodeName", text(&spec.node_name), names::dns1123_subdomain),
        ("hostname", text(&spec.hostname), names::dns1123_label),
        ("subdomain", text(&spec.subdomain), names::dns1123_label),
        ("priorityClassName", text(&spec.priority_class_name), names::dns1123_subdomain),
        ("runtimeClassName", text(&spec.runtime_class_name), names::dns1123_subdomain),
    ] {
        if !value.is_empty() || (field == "runtimeClassName" && spec.runtime_class_name.is_some()) {
            e.extend(each(&path.child(field), value, rule(value)));
        }
    }
    let int32_max = i64::from(i32::MAX);
    if let Some(d) = spec.active_deadline_seconds.filter(|d| !(1..=int32_max).contains(d)) {
        e.push(FieldError::invalid(&path.child("activeDeadlineSeconds"), d, names::between(1, int32_max)));
    }
    scheduling::tolerations(spec.tolerations.as_deref().unwrap_or_default(), &path.child("tolerations"), e);
    for (i, a) in spec.host_aliases.iter().flatten().enumerate() {
        let at = path.child("hostAliases").index(i);
        e.extend(net::ip(&at.child("ip"), &a.ip));
        for (j, h) in a.hostnames.iter().flatten().enumerate() {
            e.extend(each(&at.child("hostnames").index(j), h, names::dns1123_subdomain(h)));
        }
    }
    if let Some(p) = spec.preemption_policy.as_deref() {
        one_of(p, &["PreemptLowerPriority", "Never"], &path.child("preemptionPolicy"), e);
    }
    if let Some(o) = &spec.overhead {
        resources::validate_overhead(o, &path.child("overhead"), e);
    }
    errors
}

fn one_of(value: &str, supported: &[&str], path: &Path, errors: &mut Vec<FieldError>) {
    if value.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else if !supported.contains(&value) {
        errors.push(FieldError::not_supported(path, value, supported));
    }
}

/// Models `validatePodHostNetworkDeps`: a template may leave host ports open.
fn host_network_ports(spec: &PodSpec, path: &Path, is_pod: bool, errors: &mut Vec<FieldError>) {
    for (i, c) in spec.containers.iter().enumerate() {
        for (j, p) in c.ports.iter().flatten().enumerate() {
            let host = p.host_port.unwrap_or(0);
            if (is_pod || host != 0) && host != p.container_port {
                let at = path.child("containers").index(i).child("ports").index(j).child("hostPort");
                let why = "must match `containerPort` when `hostNetwork` is true";
                errors.push(FieldError::invalid(&at, host, why));
            }
        }
    }
}

/// Models `validatePodDNSConfig`.
fn dns_config(spec: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let servers = spec.dns_config.as_ref().and_then(|c| c.nameservers.as_deref()).unwrap_or_default();
    if text(&spec.dns_policy) == "None" {
        if spec.dns_config.is_none() {
            let why = "must provide `dnsConfig` when `dnsPolicy` is None";
            errors.push(FieldError::required(path, why));
        } else if servers.is_empty() {
            let why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            errors.push(FieldError::required(&path.child("nameservers"), why));
        }
    }
    let Some(c) = &spec.dns_config else { return };
    if servers.len() > 3 {
        let value = serde_json::json!(servers);
        let why = "must not have more than 3 nameservers";
        errors.push(FieldError::invalid(&path.child("nameservers"), value, why));
    }
    for (i, s) in servers.iter().enumerate() {
        errors.extend(net::ip(&path.child("nameservers").index(i), s));
    }
    let searches = c.searches.as_deref().unwrap_or_default();
    if searches.len() > 32 {
        let value = serde_json::json!(searches);
        let why = "must not have more than 32 search paths";
        errors.push(FieldError::invalid(&path.child("searches"), value, why));
    }
    for (i, s) in searches.iter().enumerate().filter(|(_, s)| s.as_str() != ".") {
        // Underscores are allowed here, as resolvers allow them.
        let s = s.strip_suffix('.').unwrap_or(s);
        let bad = names::dns1123_subdomain(&s.replace('_', "a"));
        errors.extend(each(&path.child("searches").index(i), s, bad));
    }
    for (i, o) in c.options.iter().flatten().enumerate() {
        if text(&o.name).is_empty() {
            errors.push(FieldError::required(&path.child("options").index(i), "must not be empty"));
        }
    }
}
