//! Containers of a pod. Models `validateContainers`, `validateInitContainers` and `validateContainerCommon`.

use super::{env, mounts, probes, resources, security};
use crate::validate::{each, names, text};
use k8s_openapi::api::core::v1::{Container, ContainerPort, EphemeralContainer, PodSpec, Volume};
use meta::{FieldError, Path};

pub const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];

/// All containers of the spec; `path` is the spec's, `volumes` those of its volumes that can be mounted.
pub fn validate(spec: &PodSpec, volumes: &[&Volume], path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("containers");
    if spec.containers.is_empty() {
        errors.push(FieldError::required(&at, ""));
    }
    let mut seen: Vec<&str> = Vec::new();
    for (i, c) in spec.containers.iter().enumerate() {
        let at = at.index(i);
        common(c, spec, volumes, &at, errors);
        unique(&c.name, &mut seen, &at, errors);
        probes::validate(c, spec.termination_grace_period_seconds, &at, errors);
        restart_policy(c, &at, errors);
    }
    let mut host_ports = Vec::new();
    for (i, c) in spec.containers.iter().enumerate() {
        unique_host_ports(c, &at.index(i), &mut host_ports, errors);
    }
    let at = path.child("initContainers");
    for (i, c) in spec.init_containers.iter().flatten().enumerate() {
        init(c, spec, volumes, (&at, i), &mut seen, errors);
    }
    let targets = seen.clone();
    let at = path.child("ephemeralContainers");
    for (i, c) in spec.ephemeral_containers.iter().flatten().enumerate() {
        ephemeral(c, spec, &targets, &mut seen, &at.index(i), errors);
    }
}

/// `place` is the list's path and the position in it.
fn init<'a>(
    c: &'a Container,
    spec: &PodSpec,
    volumes: &[&Volume],
    place: (&Path, usize),
    seen: &mut Vec<&'a str>,
    errors: &mut Vec<FieldError>,
) {
    let at = place.0.index(place.1);
    common(c, spec, volumes, &at, errors);
    init_restart_policy(c, &at, errors);
    unique(&c.name, seen, &at, errors);
    // Upstream looks at each init container as at a list of one, so it always speaks of the first.
    unique_host_ports(c, &place.0.index(0), &mut Vec::new(), errors);
    if crate::pods::is_restartable_init(c) {
        probes::validate(c, spec.termination_grace_period_seconds, &at, errors);
        return;
    }
    for (field, set) in [
        ("lifecycle", c.lifecycle.is_some()),
        ("livenessProbe", c.liveness_probe.is_some()),
        ("readinessProbe", c.readiness_probe.is_some()),
        ("startupProbe", c.startup_probe.is_some()),
    ] {
        if set {
            let why = "may not be set for init containers without restartPolicy=Always";
            errors.push(FieldError::forbidden(&at.child(field), why));
        }
    }
}

fn unique<'a>(name: &'a str, seen: &mut Vec<&'a str>, path: &Path, errors: &mut Vec<FieldError>) {
    if seen.contains(&name) {
        errors.push(FieldError::duplicate(&path.child("name"), name));
    } else {
        seen.push(name);
    }
}

/// Models `validateInitContainerRestartPolicy`.
fn init_restart_policy(c: &Container, path: &Path, errors: &mut Vec<FieldError>) {
    if !crate::pods::is_restartable_init(c) {
        restart_policy(c, path, errors);
    } else if c.restart_policy_rules.as_ref().is_some_and(|r| !r.is_empty()) {
        let why = "restartPolicyRules are not allowed for init containers with restart policy Always";
        errors.push(FieldError::forbidden(&path.child("restartPolicyRules"), why));
    }
}

/// Models `validateContainerRestartPolicy`.
fn restart_policy(c: &Container, path: &Path, errors: &mut Vec<FieldError>) {
    let rules = c.restart_policy_rules.as_deref().unwrap_or_default();
    let at = path.child("restartPolicy");
    match c.restart_policy.as_deref() {
        Some("Always" | "Never" | "OnFailure") => {}
        Some(other) => errors.push(FieldError::not_supported(&at, other, &["Always", "Never", "OnFailure"])),
        None if rules.is_empty() => return,
        None => errors.push(FieldError::required(&at, "must specify restartPolicy when restart rules are used")),
    }
    let at = path.child("restartPolicyRules");
    if rules.len() > 20 {
        errors.push(FieldError::too_long(&at, 20));
    }
    for (i, r) in rules.iter().enumerate() {
        let at = at.index(i);
        if r.action != "Restart" {
            errors.push(FieldError::not_supported(&at.child("action"), r.action.as_str(), &["Restart"]));
        }
        let Some(codes) = &r.exit_codes else {
            errors.push(FieldError::required(&at.child("exitCodes"), "must be specified"));
            continue;
        };
        let at = at.child("exitCodes");
        if !["In", "NotIn"].contains(&codes.operator.as_str()) {
            let at = at.child("operator");
            errors.push(FieldError::not_supported(&at, codes.operator.as_str(), &["In", "NotIn"]));
        }
        if codes.values.as_ref().is_some_and(|v| v.len() > 255) {
            errors.push(FieldError::too_long(&at.child("values"), 255));
        }
    }
}

fn name_and_image(name: &str, image: &str, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("name");
    if name.is_empty() {
        errors.push(FieldError::required(&at, ""));
    } else {
        errors.extend(each(&at, name, names::dns1123_label(name)));
    }
    if image.is_empty() {
        errors.push(FieldError::required(&path.child("image"), ""));
    }
}

fn common(c: &Container, spec: &PodSpec, volumes: &[&Volume], path: &Path, errors: &mut Vec<FieldError>) {
    name_and_image(&c.name, text(&c.image), path, errors);
    match text(&c.termination_message_policy) {
        "File" | "FallbackToLogsOnError" => {}
        "" => errors.push(FieldError::required(&path.child("terminationMessagePolicy"), "")),
        other => {
            let at = path.child("terminationMessagePolicy");
            errors.push(FieldError::not_supported(&at, other, &["File", "FallbackToLogsOnError"]));
        }
    }
    ports(c.ports.as_deref().unwrap_or_default(), &path.child("ports"), errors);
    env::env(c.env.as_deref().unwrap_or_default(), &path.child("env"), errors);
    env::env_from(c.env_from.as_deref().unwrap_or_default(), &path.child("envFrom"), errors);
    mounts::mounts(c, volumes, &path.child("volumeMounts"), errors);
    mounts::devices(c, volumes, &path.child("volumeDevices"), errors);
    pull_policy(text(&c.image_pull_policy), &path.child("imagePullPolicy"), errors);
    if let Some(r) = &c.resources {
        let claims: Vec<&str> = spec.resource_claims.iter().flatten().map(|c| c.name.as_str()).collect();
        resources::validate(r, &claims, &path.child("resources"), errors);
    }
    resize_policy(c, text(&spec.restart_policy), &path.child("resizePolicy"), errors);
    let host_users = spec.host_users != Some(false);
    security::container(c.security_context.as_ref(), host_users, &path.child("securityContext"), errors);
}

/// Models `validatePullPolicy`.
pub fn pull_policy(policy: &str, path: &Path, errors: &mut Vec<FieldError>) {
    match policy {
        "Always" | "IfNotPresent" | "Never" => {}
        "" => errors.push(FieldError::required(path, "")),
        other => errors.push(FieldError::not_supported(path, other, &["Always", "IfNotPresent", "Never"])),
    }
}

fn resize_policy(c: &Container, pod_restart_policy: &str, path: &Path, errors: &mut Vec<FieldError>) {
    let list = c.resize_policy.as_deref().unwrap_or_default();
    for (i, p) in list.iter().enumerate() {
        if list[..i].iter().any(|q| q.resource_name == p.resource_name) {
            errors.push(FieldError::duplicate(&path.index(i), p.resource_name.as_str()));
        }
        for (value, supported) in
            [(&p.resource_name, ["cpu", "memory"]), (&p.restart_policy, ["NotRequired", "RestartContainer"])]
        {
            if value.is_empty() {
                errors.push(FieldError::required(path, ""));
            } else if !supported.contains(&value.as_str()) {
                errors.push(FieldError::not_supported(path, value.as_str(), &supported));
            }
        }
        if pod_restart_policy == "Never" && p.restart_policy != "NotRequired" {
            let why = "must be 'NotRequired' when `restartPolicy` is 'Never'";
            errors.push(FieldError::invalid(path, p.restart_policy.as_str(), why));
        }
    }
}

/// Models `validateContainerPorts`.
fn ports(list: &[ContainerPort], path: &Path, errors: &mut Vec<FieldError>) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, p) in list.iter().enumerate() {
        let at = path.index(i);
        let name = text(&p.name);
        if !name.is_empty() {
            let bad = names::port_name(name);
            if !bad.is_empty() {
                errors.extend(each(&at.child("name"), name, bad));
            } else if seen.contains(&name) {
                errors.push(FieldError::duplicate(&at.child("name"), name));
            } else {
                seen.push(name);
            }
        }
        if p.container_port == 0 {
            errors.push(FieldError::required(&at.child("containerPort"), ""));
        } else {
            port_range(p.container_port, &at.child("containerPort"), errors);
        }
        if let Some(h) = p.host_port.filter(|h| *h != 0) {
            port_range(h, &at.child("hostPort"), errors);
        }
        protocol(text(&p.protocol), &at.child("protocol"), errors);
    }
}

pub fn port_range(port: i32, path: &Path, errors: &mut Vec<FieldError>) {
    for msg in names::port_number(port.into()) {
        errors.push(FieldError::invalid(path, port, msg));
    }
}

pub fn protocol(p: &str, path: &Path, errors: &mut Vec<FieldError>) {
    if p.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else if !PROTOCOLS.contains(&p) {
        errors.push(FieldError::not_supported(path, p, PROTOCOLS));
    }
}

/// Models `AccumulateUniqueHostPorts`.
fn unique_host_ports(c: &Container, path: &Path, seen: &mut Vec<String>, errors: &mut Vec<FieldError>) {
    for (i, p) in c.ports.iter().flatten().enumerate() {
        let Some(port) = p.host_port.filter(|h| *h != 0) else { continue };
        let key = format!("{}/{}/{port}", text(&p.protocol), text(&p.host_ip));
        if seen.contains(&key) {
            errors.push(FieldError::duplicate(&path.child("ports").index(i).child("hostPort"), key));
        } else {
            seen.push(key);
        }
    }
}

/// Models `validateEphemeralContainers` as far as a pod may carry them.
fn ephemeral<'a>(
    c: &'a EphemeralContainer,
    spec: &PodSpec,
    targets: &[&str],
    seen: &mut Vec<&'a str>,
    path: &Path,
    errors: &mut Vec<FieldError>,
) {
    name_and_image(&c.name, text(&c.image), path, errors);
    env::env(c.env.as_deref().unwrap_or_default(), &path.child("env"), errors);
    pull_policy(text(&c.image_pull_policy), &path.child("imagePullPolicy"), errors);
    let host_users = spec.host_users != Some(false);
    security::container(c.security_context.as_ref(), host_users, &path.child("securityContext"), errors);
    unique(&c.name, seen, path, errors);
    let target = text(&c.target_container_name);
    if !target.is_empty() && !targets.contains(&target) {
        errors.push(FieldError::not_found(&path.child("targetContainerName"), target));
    }
    for (field, set) in [
        ("ports", c.ports.is_some()),
        ("lifecycle", c.lifecycle.is_some()),
        ("livenessProbe", c.liveness_probe.is_some()),
        ("readinessProbe", c.readiness_probe.is_some()),
        ("startupProbe", c.startup_probe.is_some()),
    ] {
        if set {
            errors.push(FieldError::forbidden(&path.child(field), "cannot be set for an Ephemeral Container"));
        }
    }
}
