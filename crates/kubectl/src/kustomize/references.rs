//! Names of other objects follow their objects. Models kustomize's name reference transformer
//! (`kustomize/api/filters/nameref`) and its table (`builtinpluginconsts/namereference.go`).

use super::config::Config;
use super::places::Spec;
use super::resource::{Id, Resource};
use super::text;
use crate::error::Error;
use crate::print::yaml::to_yaml;
use serde_json::Value;

/// A kind that is named: group, version and kind.
type Target<'t> = (&'t str, &'t str, &'t str);

const CONFIG_MAP: Target<'static> = ("", "v1", "ConfigMap");
const SECRET: Target<'static> = ("", "v1", "Secret");
const SERVICE: Target<'static> = ("", "v1", "Service");
const ACCOUNT: Target<'static> = ("", "v1", "ServiceAccount");
const CLAIM: Target<'static> = ("", "v1", "PersistentVolumeClaim");
const VOLUME: Target<'static> = ("", "v1", "PersistentVolume");
const ROLE: Target<'static> = ("rbac.authorization.k8s.io", "", "Role");
const CLUSTER_ROLE: Target<'static> = ("rbac.authorization.k8s.io", "", "ClusterRole");
const STORAGE: Target<'static> = ("storage.k8s.io", "v1", "StorageClass");
const PRIORITY: Target<'static> = ("scheduling.k8s.io", "v1", "PriorityClass");

/// Kinds with pods, and where those are described.
const PODS: &[(&str, &str)] = &[
    ("Pod", "spec"),
    ("PodTemplate", "template/spec"),
    ("Deployment", "spec/template/spec"),
    ("ReplicaSet", "spec/template/spec"),
    ("DaemonSet", "spec/template/spec"),
    ("StatefulSet", "spec/template/spec"),
    ("Job", "spec/template/spec"),
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
    ("ReplicationController", "spec/template/spec"),
];
/// What is named in a pod's spec, and the kinds of [`PODS`] where it is not followed.
const IN_PODS: &[(Target<'static>, &str, &[&str])] = &[
    (CONFIG_MAP, "volumes/configMap/name", &["ReplicationController"]),
    (CONFIG_MAP, "volumes/projected/sources/configMap/name", &["ReplicationController"]),
    (CONFIG_MAP, "containers/env/valueFrom/configMapKeyRef/name", &["ReplicationController"]),
    (CONFIG_MAP, "initContainers/env/valueFrom/configMapKeyRef/name", &["ReplicationController"]),
    (CONFIG_MAP, "containers/envFrom/configMapRef/name", &["ReplicationController"]),
    (CONFIG_MAP, "initContainers/envFrom/configMapRef/name", &["ReplicationController"]),
    (SECRET, "volumes/secret/secretName", &["ReplicationController"]),
    (SECRET, "volumes/projected/sources/secret/name", &["ReplicationController"]),
    (SECRET, "containers/env/valueFrom/secretKeyRef/name", &["ReplicationController"]),
    (SECRET, "initContainers/env/valueFrom/secretKeyRef/name", &["ReplicationController"]),
    (SECRET, "containers/envFrom/secretRef/name", &["ReplicationController"]),
    (SECRET, "initContainers/envFrom/secretRef/name", &["ReplicationController"]),
    (SECRET, "imagePullSecrets/name", &["ReplicationController"]),
    (ACCOUNT, "serviceAccountName", &["PodTemplate", "ReplicaSet"]),
    (CLAIM, "volumes/persistentVolumeClaim/claimName", &["PodTemplate", "ReplicaSet"]),
    (PRIORITY, "priorityClassName", &["PodTemplate", "ReplicaSet"]),
];

/// Elsewhere: the kind that is named, group and kind of what names it, and where: a name, or a map with a name and a
/// namespace.
const OTHERS: &[(Target<'static>, &str, &str, &str)] = &[
    (("", "", "Deployment"), "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    (("", "", "ReplicationController"), "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    (("", "", "ReplicaSet"), "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    (("", "", "StatefulSet"), "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    (CONFIG_MAP, "", "Node", "spec/configSource/configMap"),
    (CONFIG_MAP, "", "Role", "rules/resourceNames"),
    (CONFIG_MAP, "", "ClusterRole", "rules/resourceNames"),
    (CONFIG_MAP, "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap"),
    (SECRET, "", "Ingress", "spec/tls/secretName"),
    (SECRET, "", "Ingress", "metadata/annotations/ingress.kubernetes.io\\/auth-secret"),
    (SECRET, "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret"),
    (SECRET, "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret"),
    (SECRET, "", "ServiceAccount", "imagePullSecrets/name"),
    (SECRET, "", "StorageClass", "parameters/secretName"),
    (SECRET, "", "StorageClass", "parameters/adminSecretName"),
    (SECRET, "", "StorageClass", "parameters/userSecretName"),
    (SECRET, "", "StorageClass", "parameters/secretRef"),
    (SECRET, "", "Role", "rules/resourceNames"),
    (SECRET, "", "ClusterRole", "rules/resourceNames"),
    (SECRET, "", "PersistentVolume", "spec/azureFile/secretName"),
    (SERVICE, "apps", "StatefulSet", "spec/serviceName"),
    (SERVICE, "", "Ingress", "spec/rules/http/paths/backend/serviceName"),
    (SERVICE, "", "Ingress", "spec/backend/serviceName"),
    (SERVICE, "", "Ingress", "spec/rules/http/paths/backend/service/name"),
    (SERVICE, "", "Ingress", "spec/defaultBackend/service/name"),
    (SERVICE, "apiregistration.k8s.io", "APIService", "spec/service/name"),
    (SERVICE, "admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "webhooks/clientConfig/service"),
    (SERVICE, "admissionregistration.k8s.io", "MutatingWebhookConfiguration", "webhooks/clientConfig/service"),
    (ROLE, "rbac.authorization.k8s.io", "RoleBinding", "roleRef/name"),
    (CLUSTER_ROLE, "rbac.authorization.k8s.io", "RoleBinding", "roleRef/name"),
    (CLUSTER_ROLE, "rbac.authorization.k8s.io", "ClusterRoleBinding", "roleRef/name"),
    (ACCOUNT, "rbac.authorization.k8s.io", "RoleBinding", "subjects"),
    (ACCOUNT, "rbac.authorization.k8s.io", "ClusterRoleBinding", "subjects"),
    (VOLUME, "", "PersistentVolumeClaim", "spec/volumeName"),
    (VOLUME, "", "ClusterRole", "rules/resourceNames"),
    (STORAGE, "", "PersistentVolume", "spec/storageClassName"),
    (STORAGE, "", "PersistentVolumeClaim", "spec/storageClassName"),
    (STORAGE, "", "StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"),
    (
        ("admissionregistration.k8s.io", "", "ValidatingAdmissionPolicy"),
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicyBinding",
        "spec/policyName",
    ),
];

/// What may be named, as it was and as it is.
struct Candidate {
    ids: Vec<Id>,
    now: Id,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    object: Value,
}

/// What names.
struct Referrer {
    id: Id,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    object: Value,
}

pub(super) fn update(all: &mut [Resource], config: &Config) -> Result<(), Error> {
    // Only what once was called differently can be meant by another name.
    let candidate = |r: &Resource| Candidate {
        ids: r.previous.clone(),
        now: r.id(),
        prefixes: r.prefixes.clone(),
        suffixes: r.suffixes.clone(),
        object: r.noted(),
    };
    let candidates: Vec<Candidate> = all.iter().filter(|r| !r.previous.is_empty()).map(candidate).collect();
    for r in all {
        let original = r.original();
        let in_pods = PODS.iter().find(|(k, _)| *k == original.kind);
        let others = OTHERS.iter().filter(|(_, group, kind, _)| original.is_kind(group, "", kind));
        let own = config.references.iter().flat_map(|(target, places)| places.iter().map(move |p| (target, p)));
        let own = own.filter(|(_, p)| original.is_kind(&p.group, &p.version, &p.kind));
        if in_pods.is_none() && others.clone().next().is_none() && own.clone().next().is_none() {
            continue;
        }
        let referrer =
            Referrer { id: r.id(), prefixes: r.prefixes.clone(), suffixes: r.suffixes.clone(), object: r.noted() };
        let near = near(&referrer, &candidates)?;
        if let Some((kind, spec)) = in_pods {
            for (target, path, _) in IN_PODS.iter().filter(|(_, _, not)| !not.contains(kind)) {
                follow(r, &referrer, *target, &format!("{spec}/{path}"), &near)?;
            }
        }
        for (target, _, _, path) in others {
            follow(r, &referrer, *target, path, &near)?;
        }
        for (target, place) in own {
            let target = (target.group.as_str(), target.version.as_str(), target.kind.as_str());
            follow(r, &referrer, target, &place.path, &near)?;
        }
    }
    Ok(())
}

fn follow(
    r: &mut Resource,
    referrer: &Referrer,
    target: Target<'_>,
    path: &str,
    near: &[&Candidate],
) -> Result<(), Error> {
    let id = &referrer.id;
    let spec = Spec { group: &id.group, version: &id.version, kind: &id.kind, path, create: false };
    spec.each(r, &mut |v| set(v, referrer, target, path, near))
        .map_err(|e| text(format!("updating name reference in '{path}' field of '{id}': {}", e.go())))
}

/// What an object may name at all. Models `SubsetThatCouldBeReferencedByResource`.
fn near<'c>(r: &Referrer, candidates: &'c [Candidate]) -> Result<Vec<&'c Candidate>, Error> {
    if r.id.is_cluster_scoped() {
        return Ok(candidates.iter().collect());
    }
    let subjects = r.object.get("subjects").and_then(Value::as_array).filter(|_| r.id.kind == "RoleBinding");
    let accounts = subjects.into_iter().flatten().filter(|s| s["kind"] == "ServiceAccount");
    let mut named: Vec<&str> = Vec::new();
    for namespace in accounts.filter_map(|s| s.get("namespace")) {
        let blank = || text(format!("Invalid Input: namespace is blank for resource {:?}\n", r.id.to_string()));
        named.push(namespace.as_str().ok_or_else(blank)?);
    }
    let is_near = |c: &&Candidate| {
        c.now.is_cluster_scoped()
            || c.now.effective_namespace() == r.id.effective_namespace()
            || named.contains(&c.now.namespace.as_str())
    };
    Ok(candidates.iter().filter(is_near).collect())
}

fn set(v: &mut Value, r: &Referrer, target: Target<'_>, path: &str, near: &[&Candidate]) -> Result<(), String> {
    match v {
        Value::Null => Ok(()),
        Value::Array(list) => list.iter_mut().try_for_each(|v| set(v, r, target, path, near)),
        Value::Object(map) => {
            let Some(name) = map.get("name") else { return Err("path config error; no 'name' field in node".into()) };
            let name = name.as_str().unwrap_or("").to_string();
            let within: Vec<&Candidate> = match map.get("namespace").and_then(Value::as_str) {
                None => near.to_vec(),
                Some(namespace) => {
                    let before = |c: &Candidate| c.ids.first().unwrap_or(&c.now).effective_namespace() == namespace;
                    let now = |c: &Candidate| c.now.effective_namespace() == namespace;
                    let of =
                        |is: &dyn Fn(&Candidate) -> bool| near.iter().copied().filter(|c| is(c)).collect::<Vec<_>>();
                    let first = of(&before);
                    if first.is_empty() { of(&now) } else { first }
                }
            };
            let Some(found) = referral(&name, r, target, path, within, true)? else { return Ok(()) };
            if found.name == name && found.namespace.is_empty() {
                return Ok(());
            }
            map.insert("name".into(), found.name.clone().into());
            if !found.namespace.is_empty() {
                map.insert("namespace".into(), found.namespace.clone().into());
            }
            Ok(())
        }
        Value::String(name) => {
            if let Some(found) = referral(name, r, target, path, near.to_vec(), false)? {
                *v = found.name.clone().into();
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Models `SameEndingSubSlice`.
fn same_ending(a: &[String], b: &[String]) -> bool {
    a.is_empty() == b.is_empty() && (a.ends_with(b) || b.ends_with(a))
}

/// The best of what may be meant. Models `selectReferral`.
fn referral<'c>(
    name: &str,
    r: &Referrer,
    target: Target<'_>,
    path: &str,
    candidates: Vec<&'c Candidate>,
    namespaces: bool,
) -> Result<Option<&'c Id>, String> {
    let (group, version, kind) = target;
    let mut left = candidates;
    left.retain(|c| c.ids.iter().any(|id| id.name == name) && c.ids.iter().any(|id| id.is_kind(group, version, kind)));
    if path.ends_with("roleRef/name")
        && let (Some(group), Some(kind)) =
            (r.object["roleRef"]["apiGroup"].as_str(), r.object["roleRef"]["kind"].as_str())
    {
        left.retain(|c| c.ids.iter().any(|id| id.is_kind(group, "", kind)));
    }
    left.retain(|c| {
        r.id.is_cluster_scoped()
            || c.now.is_cluster_scoped()
            || c.now.kind == "ServiceAccount"
            || c.now.effective_namespace() == r.id.effective_namespace()
    });
    if let [one] = left[..] {
        return Ok(Some(&one.now));
    }
    let either = |a: &[String], b: &[String]| a.is_empty() || b.is_empty() || same_ending(a, b);
    left.retain(|c| either(&c.prefixes, &r.prefixes) && either(&c.suffixes, &r.suffixes));
    if left.len() > 1 {
        left.retain(|c| same_ending(&c.prefixes, &r.prefixes) && same_ending(&c.suffixes, &r.suffixes));
    }
    let Some(first) = left.first() else { return Ok(None) };
    let same = |c: &&Candidate| c.now.name == first.now.name && (!namespaces || c.now.namespace == first.now.namespace);
    if left.iter().all(same) {
        return Ok(Some(&first.now));
    }
    let ids: Vec<String> = left.iter().map(|c| c.now.to_string()).collect();
    let mut details = format!("\n**** Too many possible referral targets to referrer:\n{}\n", to_yaml(&r.object));
    for (i, c) in left.iter().enumerate() {
        details.push_str(&format!("--- possible referral {i}:\n{}\n", to_yaml(&c.object)));
    }
    Err(format!("found multiple possible referrals: {}\n{details}", ids.join(", ")))
}
