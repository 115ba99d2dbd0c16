//! Warnings about a pod spec. Models `pkg/api/pod/warnings.go` and `pkg/api/node/util.go`.

mod overlaps;

use crate::kinds::storage_warnings::claim_spec;
use crate::validate::{names, net, text};
use k8s_openapi::api::core::v1::{Container, ContainerPort, EnvVar, NodeSelectorTerm, PodSpec, Volume};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Path, Quantity};
use std::collections::BTreeMap;

/// What to use instead of a node label, where it is deprecated.
pub fn deprecated_node_label(key: &str) -> Option<&'static str> {
    Some(match key {
        "beta.kubernetes.io/arch" => "deprecated since v1.14; use \"kubernetes.io/arch\" instead",
        "beta.kubernetes.io/os" => "deprecated since v1.14; use \"kubernetes.io/os\" instead",
        "failure-domain.beta.kubernetes.io/region" => {
            "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead"
        }
        "failure-domain.beta.kubernetes.io/zone" => {
            "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"
        }
        "beta.kubernetes.io/instance-type" => {
            "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"
        }
        _ => return None,
    })
}

const DEPRECATED_ANNOTATIONS: &[(&str, &str)] = &[
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    ("security.alpha.kubernetes.io/unsafe-sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
];

/// `path` is empty for a Pod, `spec.template` for a workload's template.
pub fn of(path: &Path, spec: &PodSpec, meta: &ObjectMeta, is_template: bool) -> Vec<String> {
    let mut out = Vec::new();
    let at = path.child("spec");
    for k in spec.node_selector.iter().flatten().map(|(k, _)| k) {
        if let Some(msg) = deprecated_node_label(k) {
            out.push(format!("{}: {msg}", at.child("nodeSelector").key(k)));
        }
    }
    affinity(spec, &at, &mut out);
    for (i, t) in spec.topology_spread_constraints.iter().flatten().enumerate() {
        let at = at.child("topologySpreadConstraints").index(i);
        if let Some(msg) = deprecated_node_label(&t.topology_key) {
            out.push(format!("{}: {} is {msg}", at.child("topologyKey"), t.topology_key));
        }
        if t.label_selector.is_none() {
            out.push(format!("{}: a null labelSelector results in matching no pod", at.child("labelSelector")));
        }
    }
    let annotated = |key: &str| meta.annotations.as_ref().is_some_and(|a| a.contains_key(key));
    let annotation_at = |key: &str| path.child("metadata").child("annotations").key(key);
    for (key, msg) in DEPRECATED_ANNOTATIONS {
        if annotated(key) {
            out.push(format!("{}: {msg}", annotation_at(key)));
        }
    }
    for (i, v) in spec.volumes.iter().flatten().enumerate() {
        let at = at.child("volumes").index(i);
        volume(v, &at, &mut out);
        if let Some(t) = v.ephemeral.as_ref().and_then(|e| e.volume_claim_template.as_ref()) {
            claim_spec(&t.spec, &at.child("ephemeral").child("volumeClaimTemplate").child("spec"), &mut out);
        }
    }
    overlaps::of(spec.volumes.as_deref().unwrap_or_default(), &mut out);
    duplicates(spec, &at, &mut out);
    for resource in ["memory", "ephemeral-storage"] {
        fraction(spec.overhead.as_ref().and_then(|o| o.get(resource)), &at.child("overhead").key(resource), &mut out);
    }
    let seccomp = "seccomp.security.alpha.kubernetes.io/pod";
    let seccomp_msg = "non-functional in v1.27+; use the \"seccompProfile\" field instead";
    if spec.security_context.as_ref().is_none_or(|s| s.seccomp_profile.is_none()) && annotated(seccomp) {
        out.push(format!("{}: {seccomp_msg}", annotation_at(seccomp)));
    }
    let pod_apparmor = spec.security_context.as_ref().is_some_and(|s| s.app_armor_profile.is_some());
    for (c, at) in containers(spec, &at) {
        let sc = c.security_context.as_ref();
        let key = format!("container.seccomp.security.alpha.kubernetes.io/{}", c.name);
        if sc.is_none_or(|s| s.seccomp_profile.is_none()) && annotated(&key) {
            out.push(format!("{}: {seccomp_msg}", annotation_at(&key)));
        }
        let key = format!("container.apparmor.security.beta.kubernetes.io/{}", c.name);
        let has_field = pod_apparmor || sc.is_some_and(|s| s.app_armor_profile.is_some());
        if is_template && !has_field && annotated(&key) {
            let msg = "deprecated since v1.30; use the \"appArmorProfile\" field instead";
            out.push(format!("{}: {msg}", annotation_at(&key)));
        }
        fractions(c, &at, &mut out);
        hidden_env(c.env.as_deref().unwrap_or_default(), &at, &mut out);
    }
    ports(spec, &at, &mut out);
    port_names(spec, &at, &mut out);
    if spec.termination_grace_period_seconds.is_some_and(|s| s < 0) {
        let at = at.child("terminationGracePeriodSeconds");
        out.push(format!("{at}: must be >= 0; negative values are invalid and will be treated as 1"));
    }
    null_selectors(spec, &at, &mut out);
    let nameservers = spec.dns_config.iter().flat_map(|c| c.nameservers.iter().flatten());
    for (i, ip) in nameservers.enumerate() {
        out.extend(net::ip_warning(&at.child("dnsConfig").child("nameservers").index(i), ip));
    }
    for (i, a) in spec.host_aliases.iter().flatten().enumerate() {
        out.extend(net::ip_warning(&at.child("hostAliases").index(i).child("ip"), &a.ip));
    }
    out
}

/// Names that are longer than a host's, or have dots, make surprising pod names. `what` the name is used in.
pub fn long_name(name: &str, what: &str) -> Option<String> {
    let bad = names::dns1123_label(name);
    (!bad.is_empty()).then(|| {
        format!(
            "metadata.name: this is used in {what}, which can result in surprising behavior; a DNS label is \
             recommended: [{}]",
            bad.join(" ")
        )
    })
}

/// Init containers first, as upstream visits them.
pub fn containers<'a>(spec: &'a PodSpec, at: &Path) -> Vec<(&'a Container, Path)> {
    let init = spec.init_containers.iter().flatten().enumerate();
    let main = spec.containers.iter().enumerate();
    init.map(|(i, c)| (c, at.child("initContainers").index(i)))
        .chain(main.map(|(i, c)| (c, at.child("containers").index(i))))
        .collect()
}

/// A term without a label selector matches no pod.
fn null_selectors(spec: &PodSpec, at: &Path, out: &mut Vec<String>) {
    let Some(a) = &spec.affinity else { return };
    let at = at.child("affinity");
    let pods = a.pod_affinity.as_ref().map(|p| {
        (
            "podAffinity",
            &p.required_during_scheduling_ignored_during_execution,
            &p.preferred_during_scheduling_ignored_during_execution,
        )
    });
    let anti = a.pod_anti_affinity.as_ref().map(|p| {
        (
            "podAntiAffinity",
            &p.required_during_scheduling_ignored_during_execution,
            &p.preferred_during_scheduling_ignored_during_execution,
        )
    });
    for (field, required, preferred) in [pods, anti].into_iter().flatten() {
        let hard = at.child(field).child("requiredDuringSchedulingIgnoredDuringExecution");
        let hard = required.iter().flatten().enumerate().map(|(i, t)| (hard.index(i), t));
        let soft_at = at.child(field).child("preferredDuringSchedulingIgnoredDuringExecution");
        let soft = preferred.iter().flatten().enumerate();
        let soft = soft.map(|(i, w)| (soft_at.index(i).child("podAffinityTerm"), &w.pod_affinity_term));
        for (at, _) in hard.chain(soft).filter(|(_, t)| t.label_selector.is_none()) {
            out.push(format!("{}: a null labelSelector results in matching no pod", at.child("labelSelector")));
        }
    }
}

fn affinity(spec: &PodSpec, at: &Path, out: &mut Vec<String>) {
    let Some(n) = spec.affinity.as_ref().and_then(|a| a.node_affinity.as_ref()) else { return };
    let at = at.child("affinity").child("nodeAffinity");
    let terms = at.child("requiredDuringSchedulingIgnoredDuringExecution").child("nodeSelectorTerms");
    let required = n.required_during_scheduling_ignored_during_execution.as_ref();
    for (i, t) in required.into_iter().flat_map(|s| &s.node_selector_terms).enumerate() {
        node_term(t, &terms.index(i), out);
    }
    let preferred = at.child("preferredDuringSchedulingIgnoredDuringExecution");
    for (i, t) in n.preferred_during_scheduling_ignored_during_execution.iter().flatten().enumerate() {
        node_term(&t.preference, &preferred.index(i).child("preference"), out);
    }
}

pub fn node_term(t: &NodeSelectorTerm, at: &Path, out: &mut Vec<String>) {
    for (i, e) in t.match_expressions.iter().flatten().enumerate() {
        if let Some(msg) = deprecated_node_label(&e.key) {
            out.push(format!("{}: {} is {msg}", at.child("matchExpressions").index(i).child("key"), e.key));
        }
    }
}

fn volume(v: &Volume, at: &Path, out: &mut Vec<String>) {
    for (set, field, msg) in [
        (v.photon_persistent_disk.is_some(), "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
        (v.git_repo.is_some(), "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
        (v.scale_io.is_some(), "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
        (v.flocker.is_some(), "flocker", "deprecated in v1.22, non-functional in v1.25+"),
        (v.storageos.is_some(), "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
        (v.quobyte.is_some(), "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
        (v.glusterfs.is_some(), "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
        (v.cephfs.is_some(), "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
        (v.rbd.is_some(), "rbd", "deprecated in v1.28, non-functional in v1.31+"),
    ] {
        if set {
            out.push(format!("{}: {msg}", at.child(field)));
        }
    }
}

fn duplicates(spec: &PodSpec, at: &Path, out: &mut Vec<String>) {
    let aliases = spec.host_aliases.as_deref().unwrap_or_default();
    for (i, a) in aliases.iter().enumerate() {
        if aliases[..i].iter().any(|o| o.ip == a.ip) {
            out.push(format!("{}: duplicate ip {:?}", at.child("hostAliases").index(i).child("ip"), a.ip));
        }
    }
    let secrets = spec.image_pull_secrets.as_deref().unwrap_or_default();
    for (i, s) in secrets.iter().enumerate() {
        let at = at.child("imagePullSecrets").index(i).child("name");
        if secrets[..i].iter().any(|o| o.name == s.name) {
            out.push(format!("{at}: duplicate name {:?}", s.name));
        }
    }
    for (i, _) in secrets.iter().enumerate().filter(|(_, s)| s.name.is_empty()) {
        let at = at.child("imagePullSecrets").index(i).child("name");
        out.push(format!("{at}: invalid empty name \"\""));
    }
}

fn fractions(c: &Container, at: &Path, out: &mut Vec<String>) {
    let Some(r) = &c.resources else { return };
    for resource in ["memory", "ephemeral-storage"] {
        for (field, list) in [("limits", &r.limits), ("requests", &r.requests)] {
            let q = list.as_ref().and_then(|l| l.get(resource));
            fraction(q, &at.child("resources").child(field).key(resource), out);
        }
    }
}

/// Bytes come in whole numbers.
pub fn fraction(q: Option<&ApiQuantity>, at: &Path, out: &mut Vec<String>) {
    if let Some(q) = q.map(Quantity::of).filter(|q| q.milli_value() % 1000 != 0) {
        out.push(format!("{at}: fractional byte value \"{q}\" is invalid, must be an integer"));
    }
}

fn hidden_env(env: &[EnvVar], at: &Path, out: &mut Vec<String>) {
    for (i, e) in env.iter().enumerate() {
        if !env[..i].iter().any(|o| o.name == e.name) {
            continue;
        }
        // X=$(X)more builds on the value before; anything else hides it.
        let reference = format!("$({})", e.name);
        let value = text(&e.value);
        if e.value_from.is_some() || value == reference || !value.contains(&reference) {
            let at = at.child("env").index(i);
            out.push(format!("{at}: hides previous definition of {:?}, which may be dropped when using apply", e.name));
        }
    }
}

fn ports(spec: &PodSpec, at: &Path, out: &mut Vec<String>) {
    let mut seen: BTreeMap<(i32, &str), Vec<(Path, &ContainerPort)>> = BTreeMap::new();
    for (c, at) in containers(spec, at) {
        for (i, p) in c.ports.iter().flatten().enumerate() {
            let at = at.child("ports").index(i);
            if !text(&p.host_ip).is_empty() && p.host_port.unwrap_or(0) == 0 {
                // As Go prints the struct.
                out.push(format!(
                    "{at}: hostIP set without hostPort: {{Name:{} HostPort:0 ContainerPort:{} Protocol:{} HostIP:{}}}",
                    text(&p.name),
                    p.container_port,
                    text(&p.protocol),
                    text(&p.host_ip)
                ));
            }
            let others = seen.entry((p.container_port, text(&p.protocol))).or_default();
            for (other_at, o) in others.iter() {
                let (mine, theirs) = (p.host_port.unwrap_or(0), o.host_port.unwrap_or(0));
                let (my_ip, their_ip) = (text(&p.host_ip), text(&o.host_ip));
                if my_ip == their_ip && mine == theirs {
                    out.push(format!("{at}: duplicate port definition with {other_at}"));
                } else if mine == 0 || theirs == 0 {
                    out.push(format!("{at}: overlapping port definition with {other_at}"));
                } else if mine == theirs && (my_ip.is_empty() || their_ip.is_empty()) {
                    out.push(format!("{at}: dangerously ambiguous port definition with {other_at}"));
                }
            }
            others.push((at, p));
        }
    }
}

fn port_names(spec: &PodSpec, at: &Path, out: &mut Vec<String>) {
    let mut seen: BTreeMap<&str, Path> = BTreeMap::new();
    for (c, at) in containers(spec, at) {
        for (i, p) in c.ports.iter().flatten().enumerate().filter(|(_, p)| !text(&p.name).is_empty()) {
            let (at, name) = (at.child("ports").index(i), text(&p.name));
            match seen.get(name) {
                Some(other) => out.push(format!(
                    "{at}: duplicate port name {name:?} with {other}, services and probes that select ports by name \
                     will use {other}"
                )),
                None => {
                    seen.insert(name, at);
                }
            }
        }
    }
}
