//! Defaults of pods and of every pod template. Models `pkg/apis/core/v1/defaults.go`.

use crate::pods;
use crate::validate::text;
use k8s_openapi::api::core::v1::{
    AzureDiskVolumeSource, Container, EnvVar, EphemeralContainer, HTTPGetAction, ObjectFieldSelector, Pod, PodSpec,
    Probe, ResourceRequirements, Volume,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::Quantity;
use std::collections::BTreeMap;

/// The list of resources as the API keeps it.
type ResourceList = BTreeMap<String, ApiQuantity>;

/// Models `SetDefaults_Pod` and all that a Pod's fields default to.
pub fn pod(o: &mut Pod) {
    let spec = o.spec.get_or_insert_default();
    pod_spec(spec);
    for c in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
        requests_from_limits(c);
    }
    pod_level_resources(spec);
    spec.enable_service_links.get_or_insert(true);
    if spec.host_network == Some(true) {
        host_ports(&mut spec.containers);
        host_ports(spec.init_containers.as_deref_mut().unwrap_or_default());
    }
    if let Some(status) = &mut o.status {
        // The two fields are one in upstream's internal type.
        if let (Some(ip), None) = (&status.pod_ip, &status.pod_ips) {
            status.pod_ips = Some(vec![k8s_openapi::api::core::v1::PodIP { ip: ip.clone() }]);
        }
        if let (Some(ip), None) = (&status.host_ip, &status.host_ips) {
            status.host_ips = Some(vec![k8s_openapi::api::core::v1::HostIP { ip: ip.clone() }]);
        }
    }
}

/// Models `SetDefaults_PodSpec` and the defaults of what a PodSpec contains. Also for templates.
pub fn pod_spec(spec: &mut PodSpec) {
    set(&mut spec.dns_policy, "ClusterFirst");
    set(&mut spec.restart_policy, "Always");
    set(&mut spec.scheduler_name, "default-scheduler");
    spec.security_context.get_or_insert_default();
    spec.termination_grace_period_seconds.get_or_insert(30);
    // One field with two names: the deprecated one follows.
    if text(&spec.service_account_name).is_empty() {
        spec.service_account_name = spec.service_account.take().filter(|s| !s.is_empty());
    }
    spec.service_account = spec.service_account_name.clone();
    for v in spec.volumes.iter_mut().flatten() {
        volume(v);
    }
    for c in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
        container(c);
    }
    for c in spec.ephemeral_containers.iter_mut().flatten() {
        ephemeral(c);
    }
    if let Some(list) = &mut spec.overhead {
        round_to_milli(list);
    }
    if let Some(r) = &mut spec.resources {
        round_resources(r);
    }
}

/// An unset string and an empty one both take the default.
pub fn set(field: &mut Option<String>, default: &str) {
    if text(field).is_empty() {
        *field = Some(default.into());
    }
}

fn set_number(field: &mut Option<i32>, default: i32) {
    if field.unwrap_or(0) == 0 {
        *field = Some(default);
    }
}

/// `latest`, or neither tag nor digest, means Always. Models `parsers.ParseImageName` as far as the tag;
/// what upstream cannot parse (an empty or upper-case name) takes IfNotPresent, as there.
pub fn pull_policy(image: &str) -> &'static str {
    let (name, digest) = image.split_once('@').map_or((image, false), |(n, _)| (n, true));
    let last = name.rsplit('/').next().unwrap_or(name);
    let (repository, tag) = last.split_once(':').map_or((last, None), |(r, t)| (r, Some(t)));
    let parses = !repository.is_empty() && !repository.bytes().any(|b| b.is_ascii_uppercase());
    let latest = tag.map_or(!digest, |t| t == "latest");
    if parses && latest { "Always" } else { "IfNotPresent" }
}

fn container(c: &mut Container) {
    set(&mut c.image_pull_policy, pull_policy(text(&c.image)));
    set(&mut c.termination_message_path, "/dev/termination-log");
    set(&mut c.termination_message_policy, "File");
    for p in c.ports.iter_mut().flatten() {
        set(&mut p.protocol, "TCP");
    }
    for e in c.env.iter_mut().flatten() {
        env(e);
    }
    for p in [&mut c.liveness_probe, &mut c.readiness_probe, &mut c.startup_probe].into_iter().flatten() {
        probe(p);
    }
    if let Some(l) = &mut c.lifecycle {
        for h in [&mut l.post_start, &mut l.pre_stop].into_iter().flatten() {
            if let Some(get) = &mut h.http_get {
                http_get(get);
            }
        }
    }
    // Resources are always an object in upstream's JSON.
    round_resources(c.resources.get_or_insert_default());
}

fn ephemeral(c: &mut EphemeralContainer) {
    set(&mut c.image_pull_policy, pull_policy(text(&c.image)));
    set(&mut c.termination_message_path, "/dev/termination-log");
    set(&mut c.termination_message_policy, "File");
    for e in c.env.iter_mut().flatten() {
        env(e);
    }
    c.resources.get_or_insert_default();
}

fn env(e: &mut EnvVar) {
    let Some(from) = &mut e.value_from else { return };
    if let Some(f) = &mut from.field_ref {
        field_ref(f);
    }
    if let Some(r) = &mut from.resource_field_ref {
        r.divisor.get_or_insert_with(|| ApiQuantity("0".into()));
    }
}

fn field_ref(f: &mut ObjectFieldSelector) {
    set(&mut f.api_version, "v1");
}

fn probe(p: &mut Probe) {
    set_number(&mut p.timeout_seconds, 1);
    set_number(&mut p.period_seconds, 10);
    set_number(&mut p.success_threshold, 1);
    set_number(&mut p.failure_threshold, 3);
    if let Some(get) = &mut p.http_get {
        http_get(get);
    }
    if let Some(g) = &mut p.grpc {
        g.service.get_or_insert_default();
    }
}

fn http_get(get: &mut HTTPGetAction) {
    set(&mut get.path, "/");
    set(&mut get.scheme, "HTTP");
}

const FILE_MODE: i32 = 0o644;

fn volume(v: &mut Volume) {
    if *v == (Volume { name: v.name.clone(), ..Default::default() }) {
        v.empty_dir = Some(Default::default());
    }
    if let Some(s) = &mut v.secret {
        s.default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(s) = &mut v.config_map {
        s.default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(s) = &mut v.downward_api {
        s.default_mode.get_or_insert(FILE_MODE);
        for f in s.items.iter_mut().flatten().filter_map(|i| i.field_ref.as_mut()) {
            field_ref(f);
        }
    }
    if let Some(s) = &mut v.host_path {
        s.type_.get_or_insert_default();
    }
    if let Some(s) = &mut v.image {
        let policy = pull_policy(text(&s.reference));
        set(&mut s.pull_policy, policy);
    }
    if let Some(s) = &mut v.projected {
        s.default_mode.get_or_insert(FILE_MODE);
        for source in s.sources.iter_mut().flatten() {
            if let Some(t) = &mut source.service_account_token {
                t.expiration_seconds.get_or_insert(3600);
            }
            for i in source.downward_api.iter_mut().flat_map(|d| d.items.iter_mut().flatten()) {
                if let Some(f) = &mut i.field_ref {
                    field_ref(f);
                }
            }
        }
    }
    if let Some(s) = &mut v.azure_disk {
        azure_disk(s);
    }
    if let Some(s) = &mut v.iscsi {
        set(&mut s.iscsi_interface, ISCSI_INTERFACE);
    }
    if let Some(s) = &mut v.rbd {
        rbd(&mut s.pool, &mut s.user, &mut s.keyring);
    }
    if let Some(s) = &mut v.scale_io {
        scale_io(&mut s.storage_mode, &mut s.fs_type);
    }
    if let Some(spec) = v.ephemeral.as_mut().and_then(|e| e.volume_claim_template.as_mut()).map(|t| &mut t.spec) {
        set(&mut spec.volume_mode, "Filesystem");
    }
}

/// The kinds of volumes that a PersistentVolume may have too. Models the `+default` markers of their types.
pub const ISCSI_INTERFACE: &str = "default";

pub fn azure_disk(s: &mut AzureDiskVolumeSource) {
    set(&mut s.caching_mode, "ReadWrite");
    set(&mut s.fs_type, "ext4");
    set(&mut s.kind, "Shared");
    s.read_only.get_or_insert(false);
}
pub fn rbd(pool: &mut Option<String>, user: &mut Option<String>, keyring: &mut Option<String>) {
    set(pool, "rbd");
    set(user, "admin");
    set(keyring, "/etc/ceph/keyring");
}
pub fn scale_io(storage_mode: &mut Option<String>, fs_type: &mut Option<String>) {
    set(storage_mode, "ThinProvisioned");
    set(fs_type, "xfs");
}

fn host_ports(containers: &mut [Container]) {
    for p in containers.iter_mut().flat_map(|c| c.ports.iter_mut().flatten()) {
        if p.host_port.unwrap_or(0) == 0 {
            p.host_port = Some(p.container_port);
        }
    }
}

fn requests_from_limits(c: &mut Container) {
    let Some(r) = &mut c.resources else { return };
    let Some(limits) = &r.limits else { return };
    let requests = r.requests.get_or_insert_default();
    for (k, v) in limits {
        requests.entry(k.clone()).or_insert_with(|| v.clone());
    }
    if requests.is_empty() {
        r.requests = None;
    }
}

fn round_resources(r: &mut ResourceRequirements) {
    for list in [&mut r.limits, &mut r.requests].into_iter().flatten() {
        round_to_milli(list);
    }
}

/// Models `SetDefaults_ResourceList`: amounts finer than a thousandth are rounded up to it.
pub fn round_to_milli(list: &mut ResourceList) {
    for q in list.values_mut() {
        let exact = Quantity::of(q);
        let rounded = Quantity::from_milli(exact.milli_value());
        // Amounts beyond what thousandths can express in 64 bits are whole anyway.
        if rounded > exact {
            *q = rounded.to_api();
        }
    }
}

/// Models `defaultHugePagePodLimits` and `defaultPodRequests`.
fn pod_level_resources(spec: &mut PodSpec) {
    let from_containers = pods::container_requests(spec);
    let Some(r) = &mut spec.resources else { return };
    let Some(limits) = r.limits.as_ref().filter(|l| !l.is_empty()) else { return };
    let mut requests = r.requests.take().unwrap_or_default();
    for (k, q) in from_containers {
        if pods::is_pod_level(&k) && !k.starts_with("hugepages-") {
            requests.entry(k).or_insert_with(|| q.to_api());
        }
    }
    for (k, q) in limits {
        if pods::is_pod_level(k) {
            requests.entry(k.clone()).or_insert_with(|| q.clone());
        }
    }
    r.requests = (!requests.is_empty()).then_some(requests);
}
