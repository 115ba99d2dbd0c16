//! Containers of a pod. Models `validateContainers`, `validateInitContainers` and `validateContainerCommon`.

use super::{probes, resources, security, volumes};
use crate::validate::{each, names, text};
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvFromSource, EnvVar, EnvVarSource, EphemeralContainer, ObjectFieldSelector, PodSpec,
    ResourceFieldSelector, VolumeMount,
};
use meta::{FieldError, Path, Quantity};

pub const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];

/// All containers of the spec; `path` is the spec's.
pub fn validate(spec: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("containers");
    if spec.containers.is_empty() {
        errors.push(FieldError::required(&at, ""));
    }
    let mut seen: Vec<&str> = Vec::new();
    for (i, c) in spec.containers.iter().enumerate() {
        let at = at.index(i);
        common(c, spec, &at, errors);
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
        let at = at.index(i);
        common(c, spec, &at, errors);
        restart_policy(c, &at, errors);
        unique(&c.name, &mut seen, &at, errors);
        unique_host_ports(c, &at, &mut Vec::new(), errors);
        if crate::pods::is_restartable_init(c) {
            probes::validate(c, spec.termination_grace_period_seconds, &at, errors);
            continue;
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
    let targets = seen.clone();
    let at = path.child("ephemeralContainers");
    for (i, c) in spec.ephemeral_containers.iter().flatten().enumerate() {
        ephemeral(c, spec, &targets, &mut seen, &at.index(i), errors);
    }
}

fn unique<'a>(name: &'a str, seen: &mut Vec<&'a str>, path: &Path, errors: &mut Vec<FieldError>) {
    if seen.contains(&name) {
        errors.push(FieldError::duplicate(&path.child("name"), name));
    } else if !name.is_empty() {
        seen.push(name);
    }
}

/// Models `validateContainerRestartPolicy`.
fn restart_policy(c: &Container, path: &Path, errors: &mut Vec<FieldError>) {
    match c.restart_policy.as_deref() {
        Some("Always" | "Never" | "OnFailure") => {}
        Some(other) => {
            let at = path.child("restartPolicy");
            errors.push(FieldError::not_supported(&at, other, &["Always", "Never", "OnFailure"]));
        }
        None if c.restart_policy_rules.as_ref().is_some_and(|r| !r.is_empty()) => {
            let why = "must specify restartPolicy when restart rules are used";
            errors.push(FieldError::required(&path.child("restartPolicy"), why));
        }
        None => {}
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

fn common(c: &Container, spec: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
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
    env(c.env.as_deref().unwrap_or_default(), &path.child("env"), errors);
    env_from(c.env_from.as_deref().unwrap_or_default(), &path.child("envFrom"), errors);
    mounts(c, spec, &path.child("volumeMounts"), errors);
    devices(c, spec, &path.child("volumeDevices"), errors);
    pull_policy(text(&c.image_pull_policy), &path.child("imagePullPolicy"), errors);
    if let Some(r) = &c.resources {
        let claims: Vec<&str> = spec.resource_claims.iter().flatten().map(|c| c.name.as_str()).collect();
        resources::validate(r, &claims, &path.child("resources"), errors);
    }
    resize_policy(c, text(&spec.restart_policy), &path.child("resizePolicy"), errors);
    let host_users = spec.host_users != Some(false);
    security::container(c.security_context.as_ref(), host_users, &path.child("securityContext"), errors);
}

fn pull_policy(policy: &str, path: &Path, errors: &mut Vec<FieldError>) {
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

/// Models `ValidateEnv`.
fn env(list: &[EnvVar], path: &Path, errors: &mut Vec<FieldError>) {
    for (i, e) in list.iter().enumerate() {
        let at = path.index(i);
        if e.name.is_empty() {
            errors.push(FieldError::required(&at.child("name"), ""));
        } else {
            errors.extend(each(&at.child("name"), &e.name, names::env_var_name(&e.name)));
        }
        if let Some(from) = &e.value_from {
            value_from(from, text(&e.value), &at.child("valueFrom"), errors);
        }
    }
}

const ENV_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

fn value_from(from: &EnvVarSource, value: &str, path: &Path, errors: &mut Vec<FieldError>) {
    let mut sources = 0;
    if let Some(f) = &from.field_ref {
        sources += 1;
        field_selector(f, ENV_FIELDS, &path.child("fieldRef"), errors);
    }
    if let Some(r) = &from.resource_field_ref {
        sources += 1;
        resource_selector(r, false, &path.child("resourceFieldRef"), errors);
    }
    for (field, name, key) in [
        (
            "configMapKeyRef",
            from.config_map_key_ref.as_ref().map(|r| &r.name),
            from.config_map_key_ref.as_ref().map(|r| &r.key),
        ),
        ("secretKeyRef", from.secret_key_ref.as_ref().map(|r| &r.name), from.secret_key_ref.as_ref().map(|r| &r.key)),
    ] {
        let (Some(name), Some(key)) = (name, key) else { continue };
        sources += 1;
        let at = path.child(field);
        errors.extend(each(&at.child("name"), name, names::rule::subdomain(name, false)));
        if key.is_empty() {
            errors.push(FieldError::required(&at.child("key"), ""));
        } else {
            errors.extend(each(&at.child("key"), key, names::config_key(key)));
        }
    }
    sources += usize::from(from.file_key_ref.is_some());
    if sources == 0 {
        let why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
        errors.push(FieldError::invalid(path, "", why));
    } else if !value.is_empty() {
        errors.push(FieldError::invalid(path, "", "may not be specified when `value` is not empty"));
    } else if sources > 1 {
        errors.push(FieldError::invalid(path, "", "may not have more than one field specified at a time"));
    }
}

/// Models `validateObjectFieldSelector`.
pub fn field_selector(f: &ObjectFieldSelector, supported: &[&str], path: &Path, errors: &mut Vec<FieldError>) {
    if f.field_path.is_empty() {
        errors.push(FieldError::required(&path.child("fieldPath"), ""));
        return;
    }
    if let Some((field, key)) = f.field_path.strip_suffix("']").and_then(|s| s.split_once("['")) {
        match field {
            "metadata.annotations" => {
                errors.extend(each(path, &key.to_lowercase(), names::qualified_name(&key.to_lowercase())))
            }
            "metadata.labels" => errors.extend(each(path, key, names::qualified_name(key))),
            _ => errors.push(FieldError::invalid(path, field, "does not support subscript")),
        }
        return;
    }
    let at = path.child("fieldPath");
    let known = ENV_FIELDS.contains(&f.field_path.as_str())
        || ["metadata.annotations", "metadata.labels", "spec.restartPolicy", "spec.schedulerName", "status.phase"]
            .contains(&f.field_path.as_str());
    if !known {
        let why = format!("error converting fieldPath: field label not supported: {}", f.field_path);
        errors.push(FieldError::invalid(&at, f.field_path.as_str(), why));
    } else if !supported.contains(&f.field_path.as_str()) {
        errors.push(FieldError::not_supported(&at, f.field_path.as_str(), supported));
    }
}

const RESOURCE_FIELDS: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// Models `validateContainerResourceFieldSelector`.
pub fn resource_selector(r: &ResourceFieldSelector, volume: bool, path: &Path, errors: &mut Vec<FieldError>) {
    let huge = r.resource.starts_with("limits.hugepages-") || r.resource.starts_with("requests.hugepages-");
    if volume && text(&r.container_name).is_empty() {
        errors.push(FieldError::required(&path.child("containerName"), ""));
    } else if r.resource.is_empty() {
        errors.push(FieldError::required(&path.child("resource"), ""));
    } else if !RESOURCE_FIELDS.contains(&r.resource.as_str()) && !huge {
        errors.push(FieldError::not_supported(&path.child("resource"), r.resource.as_str(), RESOURCE_FIELDS));
    }
    let Some(divisor) = r.divisor.as_ref().map(Quantity::of).filter(|d| !d.is_zero()) else { return };
    let shown = divisor.to_string();
    let what = r.resource.split_once('.').map_or("", |p| p.1);
    let (ok, why) = match what {
        "cpu" => (
            ["1m", "1"].contains(&shown.as_str()),
            "only divisor's values 1m and 1 are supported with the cpu resource".to_string(),
        ),
        _ => {
            let all = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
            let name = match what {
                "ephemeral-storage" => "local ephemeral storage",
                "memory" => "memory",
                _ => "hugepages",
            };
            let why = format!("only divisor's values {} are supported with the {name} resource", all.join(", "));
            (all.contains(&shown.as_str()), why)
        }
    };
    if !ok {
        errors.push(FieldError::invalid(&path.child("divisor"), r.resource.as_str(), why));
    }
}

/// Models `ValidateEnvFrom`.
fn env_from(list: &[EnvFromSource], path: &Path, errors: &mut Vec<FieldError>) {
    for (i, e) in list.iter().enumerate() {
        let at = path.index(i);
        let prefix = text(&e.prefix);
        if !prefix.is_empty() {
            errors.extend(each(&at.child("prefix"), prefix, names::env_var_name(prefix)));
        }
        let mut sources = 0;
        for (field, name) in [
            ("configMapRef", e.config_map_ref.as_ref().map(|r| &r.name)),
            ("secretRef", e.secret_ref.as_ref().map(|r| &r.name)),
        ] {
            let Some(name) = name else { continue };
            sources += 1;
            let at = at.child(field).child("name");
            if name.is_empty() {
                errors.push(FieldError::required(&at, ""));
            } else {
                errors.extend(each(&at, name, names::rule::subdomain(name, true)));
            }
        }
        if sources == 0 {
            errors.push(FieldError::invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
        } else if sources > 1 {
            errors.push(FieldError::invalid(path, "", "may not have more than one field specified at a time"));
        }
    }
}

/// Models `ValidateVolumeMounts`.
fn mounts(c: &Container, spec: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let list = c.volume_mounts.as_deref().unwrap_or_default();
    let devices = c.volume_devices.as_deref().unwrap_or_default();
    for (i, m) in list.iter().enumerate() {
        let at = path.index(i);
        let name_at = at.child("name");
        if m.name.is_empty() {
            errors.push(FieldError::required(&name_at, ""));
        }
        if !spec.volumes.iter().flatten().any(|v| v.name == m.name) {
            errors.push(FieldError::not_found(&name_at, m.name.as_str()));
        }
        let mount_at = at.child("mountPath");
        if m.mount_path.is_empty() {
            errors.push(FieldError::required(&mount_at, ""));
        }
        if list[..i].iter().any(|o| o.mount_path == m.mount_path) {
            errors.push(FieldError::invalid(&mount_at, m.mount_path.as_str(), "must be unique"));
        }
        if devices.iter().any(|d| d.name == m.name) {
            errors.push(FieldError::invalid(&name_at, m.name.as_str(), "must not already exist in volumeDevices"));
        }
        if devices.iter().any(|d| d.device_path == m.mount_path) {
            let why = "must not already exist as a path in volumeDevices";
            errors.push(FieldError::invalid(&mount_at, m.mount_path.as_str(), why));
        }
        sub_path(m, path, &at, errors);
        propagation(m, c, path, errors);
    }
}

/// Upstream puts these errors on the list (`path`), not on the mount; so does this.
fn sub_path(m: &VolumeMount, path: &Path, at: &Path, errors: &mut Vec<FieldError>) {
    let (sub, expr) = (text(&m.sub_path), text(&m.sub_path_expr));
    if !sub.is_empty() {
        volumes::descending_path(sub, &path.child("subPath"), errors);
    }
    if !expr.is_empty() {
        if !sub.is_empty() {
            let why = "subPathExpr and subPath are mutually exclusive";
            errors.push(FieldError::invalid(&at.child("subPathExpr"), expr, why));
        }
        volumes::descending_path(expr, &path.child("subPathExpr"), errors);
    }
}

fn propagation(m: &VolumeMount, c: &Container, path: &Path, errors: &mut Vec<FieldError>) {
    let Some(mode) = m.mount_propagation.as_deref() else { return };
    let at = path.child("mountPropagation");
    let modes = ["Bidirectional", "HostToContainer", "None"];
    if !modes.contains(&mode) {
        errors.push(FieldError::not_supported(&at, mode, &modes));
    }
    let privileged = c.security_context.as_ref().and_then(|s| s.privileged) == Some(true);
    if mode == "Bidirectional" && !privileged {
        let why = "Bidirectional mount propagation is available only to privileged containers";
        errors.push(FieldError::forbidden(&at, why));
    }
}

/// Models `ValidateVolumeDevices`.
fn devices(c: &Container, spec: &PodSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let list = c.volume_devices.as_deref().unwrap_or_default();
    for (i, d) in list.iter().enumerate() {
        let at = path.index(i);
        if d.name.is_empty() {
            errors.push(FieldError::required(&at.child("name"), ""));
        } else if list[..i].iter().any(|o| o.name == d.name) {
            errors.push(FieldError::invalid(&at.child("name"), d.name.as_str(), "must be unique"));
        }
        match spec.volumes.iter().flatten().find(|v| v.name == d.name) {
            None => errors.push(FieldError::not_found(&at.child("name"), d.name.as_str())),
            Some(v) if v.persistent_volume_claim.is_none() && v.ephemeral.is_none() => {
                let why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                errors.push(FieldError::invalid(&at.child("name"), d.name.as_str(), why));
            }
            Some(_) => {}
        }
        if d.device_path.is_empty() {
            errors.push(FieldError::required(&at.child("devicePath"), ""));
        } else if list[..i].iter().any(|o| o.device_path == d.device_path) {
            errors.push(FieldError::invalid(&at.child("devicePath"), d.device_path.as_str(), "must be unique"));
        }
        if d.device_path.split('/').any(|s| s == "..") {
            let why = "can not contain backsteps ('..')";
            errors.push(FieldError::invalid(&at.child("devicePath"), d.device_path.as_str(), why));
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
    env(c.env.as_deref().unwrap_or_default(), &path.child("env"), errors);
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
