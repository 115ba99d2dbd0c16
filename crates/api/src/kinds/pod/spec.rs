//! Pod specs, in pods and in templates. Models `ValidatePodSpec` of `pkg/apis/core/validation`.

use super::volumes::{self, Owner};
use super::{affinity, container, env, resources, scheduling, security};
use crate::references::MIRROR;
use crate::validate::{each, json_text, meta::validate_annotations, names, net, text, validate_labels};
use k8s_openapi::api::core::v1::{Container, Pod, PodResourceClaim, PodSpec, PodTemplateSpec};
use meta::{FieldError, Path};
use std::collections::BTreeMap;

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
    let owner = Owner { pod_name: text(&o.metadata.name), is_pod: true };
    let mut errors = Vec::new();
    let at = Path::new("metadata").child("annotations");
    specific_annotations(o.metadata.annotations.as_ref(), spec, &at, &mut errors);
    errors.extend(validate_pod_spec(spec, &owner, &path));
    for (field, list) in [("containers", Some(&spec.containers)), ("initContainers", spec.init_containers.as_ref())] {
        for (i, c) in list.into_iter().flatten().enumerate() {
            image_whitespace(c, &path.child(field).index(i), &mut errors);
        }
    }
    errors
}

/// Models `ValidatePodSpecificAnnotations` as far as the annotations still mean something.
fn specific_annotations(
    annotations: Option<&BTreeMap<String, String>>,
    spec: &PodSpec,
    path: &Path,
    errors: &mut Vec<FieldError>,
) {
    let cost = "controller.kubernetes.io/pod-deletion-cost";
    let get = |key: &str| annotations.and_then(|a| a.get(key));
    if let Some(v) = get(MIRROR).filter(|_| text(&spec.node_name).is_empty()) {
        let why = "must set spec.nodeName if mirror pod annotation is set";
        errors.push(FieldError::invalid(&path.key(MIRROR), v.as_str(), why));
    }
    if let Some(v) = get(cost) {
        let plain = !v.starts_with('+') && (v == "0" || !v.trim_start_matches('-').starts_with('0'));
        if !plain || v.parse::<i32>().is_err() {
            errors.push(FieldError::invalid(&path.key(cost), v.as_str(), "must be a 32bit integer"));
        }
    }
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
    let annotations = t.metadata.as_ref().and_then(|m| m.annotations.as_ref());
    specific_annotations(annotations, spec, &path.child("annotations"), &mut errors);
    let at = path.child("spec");
    errors.extend(validate_pod_spec(spec, &Owner { pod_name: "", is_pod: false }, &at));
    if spec.ephemeral_containers.as_ref().is_some_and(|e| !e.is_empty()) {
        let why = "ephemeral containers not allowed in pod template";
        errors.push(FieldError::forbidden(&at.child("ephemeralContainers"), why));
    }
    errors
}

/// Models `ValidatePodSpec`.
pub fn validate_pod_spec(spec: &PodSpec, owner: &Owner<'_>, path: &Path) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let e = &mut errors;
    if spec.termination_grace_period_seconds.is_none() {
        e.push(FieldError::required(&path.child("terminationGracePeriodSeconds"), ""));
    }
    let volumes = volumes::validate(spec.volumes.as_deref().unwrap_or_default(), owner, &path.child("volumes"), e);
    resource_claims(spec.resource_claims.as_deref().unwrap_or_default(), &path.child("resourceClaims"), e);
    container::validate(spec, &volumes, path, e);
    resources::validate_pod_level(spec, &path.child("resources"), e);
    if spec.host_network == Some(true) {
        host_network_ports(spec, path, owner.is_pod, e);
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
    security::host_users(spec, path, e);
    hostname_override(spec, path, e);
    let named = |field: &str, value: &Option<String>, rule: fn(&str) -> Vec<String>, e: &mut Vec<FieldError>| {
        if !text(value).is_empty() {
            e.extend(each(&path.child(field), text(value), rule(text(value))));
        }
    };
    named("serviceAccountName", &spec.service_account_name, names::dns1123_subdomain, e);
    named("nodeName", &spec.node_name, names::dns1123_subdomain, e);
    let int32_max = i64::from(i32::MAX);
    if let Some(d) = spec.active_deadline_seconds.filter(|d| !(1..=int32_max).contains(d)) {
        e.push(FieldError::invalid(&path.child("activeDeadlineSeconds"), d, names::between(1, int32_max)));
    }
    named("hostname", &spec.hostname, names::dns1123_label, e);
    named("subdomain", &spec.subdomain, names::dns1123_label, e);
    scheduling::tolerations(spec.tolerations.as_deref().unwrap_or_default(), &path.child("tolerations"), e);
    for (i, a) in spec.host_aliases.iter().flatten().enumerate() {
        let at = path.child("hostAliases").index(i);
        e.extend(net::ip(&at.child("ip"), &a.ip));
        for (j, h) in a.hostnames.iter().flatten().enumerate() {
            e.extend(each(&at.child("hostnames").index(j), h, names::dns1123_subdomain(h)));
        }
    }
    named("priorityClassName", &spec.priority_class_name, names::dns1123_subdomain, e);
    if let Some(class) = &spec.runtime_class_name {
        e.extend(each(&path.child("runtimeClassName"), class, names::dns1123_subdomain(class)));
    }
    if let Some(p) = spec.preemption_policy.as_deref() {
        one_of(p, &["PreemptLowerPriority", "Never"], &path.child("preemptionPolicy"), e);
    }
    if let Some(o) = &spec.overhead {
        resources::validate_overhead(o, &path.child("overhead"), e);
    }
    security::os(spec, path, e);
    env::file_key_volumes(spec, path, e);
    errors
}

/// Models `validatePodResourceClaims`.
fn resource_claims(list: &[PodResourceClaim], path: &Path, errors: &mut Vec<FieldError>) {
    for (i, c) in list.iter().enumerate() {
        let at = path.index(i);
        if c.name.is_empty() {
            errors.push(FieldError::required(&at.child("name"), ""));
        } else if list[..i].iter().any(|o| o.name == c.name) {
            errors.push(FieldError::duplicate(&at.child("name"), c.name.as_str()));
        } else {
            errors.extend(each(&at.child("name"), &c.name, names::dns1123_label(&c.name)));
        }
        let sources = [
            ("resourceClaimName", &c.resource_claim_name),
            ("resourceClaimTemplateName", &c.resource_claim_template_name),
        ];
        let why = match sources.iter().filter(|(_, n)| n.is_some()).count() {
            0 => "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            1 => "",
            _ => "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
        };
        if !why.is_empty() {
            let mut e = FieldError::invalid(&at, "", why);
            // Upstream shows its internal struct, whose fields are capitalized.
            e.value = format!(
                "{{\"Name\":{},\"ResourceClaimName\":{},\"ResourceClaimTemplateName\":{}}}",
                json_text(&c.name),
                json_text(&c.resource_claim_name),
                json_text(&c.resource_claim_template_name)
            );
            errors.push(e);
        }
        for (field, name) in sources {
            if let Some(n) = name {
                errors.extend(each(&at.child(field), n, names::dns1123_subdomain(n)));
            }
        }
    }
}

/// Models `validatePodHostName`.
fn hostname_override(spec: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let Some(name) = &spec.hostname_override else { return };
    let at = path.child("hostnameOverride");
    if spec.set_hostname_as_fqdn == Some(true) {
        errors.push(FieldError::forbidden(&at, "may not be specified when setHostnameAsFQDN is true"));
    }
    if spec.host_network == Some(true) {
        errors.push(FieldError::forbidden(&at, "may not be specified when hostNetwork is true"));
    }
    if name.len() > 64 {
        errors.push(FieldError::too_long(&at, 64));
    }
    errors.extend(each(&at, name, names::dns1123_subdomain(name)));
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
            return;
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
    if searches.join(" ").len() > 2048 {
        let value = serde_json::json!(searches);
        let why = "must not have more than 2048 characters (including spaces) in the search list";
        errors.push(FieldError::invalid(&path.child("searches"), value, why));
    }
    for (i, s) in searches.iter().enumerate().filter(|(_, s)| s.as_str() != ".") {
        let s = s.strip_suffix('.').unwrap_or(s);
        errors.extend(each(&path.child("searches").index(i), s, names::dns1123_subdomain_with_underscore(s)));
    }
    for (i, o) in c.options.iter().flatten().enumerate() {
        if text(&o.name).is_empty() {
            errors.push(FieldError::required(&path.child("options").index(i), "must not be empty"));
        }
    }
}
