//! What a pod needs of the API beside itself. Models `VisitPodSecretNames`, `VisitPodConfigmapNames` and
//! `HasAPIObjectReference` of `pkg/api/pod/util.go`.

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar, Pod, PodSpec, Volume};

/// On a pod of the API: it shows what the kubelet runs of its own accord, and is that one's to write.
pub const MIRROR: &str = "kubernetes.io/config.mirror";
/// The same text tells the static pod that is shown from one that has changed since.
pub const HASH: &str = "kubernetes.io/config.hash";
/// Where the kubelet has the pod from: `file`, or `api`.
pub const SOURCE: &str = "kubernetes.io/config.source";
pub const SEEN: &str = "kubernetes.io/config.seen";

fn annotation<'a>(pod: &'a Pod, name: &str) -> Option<&'a str> {
    pod.metadata.annotations.as_ref()?.get(name).map(String::as_str)
}

/// Models `kubetypes.IsMirrorPod`.
pub fn is_mirror(pod: &Pod) -> bool {
    annotation(pod, MIRROR).is_some()
}

/// Models `kubetypes.IsStaticPod`.
pub fn is_static(pod: &Pod) -> bool {
    annotation(pod, SOURCE).is_some_and(|s| s != "api")
}

/// The UID that the pod's kubelet and its containers know it by. Models `TranslatePodUID`.
pub fn uid_on_node(pod: &Pod) -> &str {
    annotation(pod, MIRROR).or(pod.metadata.uid.as_deref()).unwrap_or("")
}

type Env<'a> = (&'a [EnvVar], &'a [EnvFromSource]);

fn environments(s: &PodSpec) -> impl Iterator<Item = Env<'_>> {
    fn env<'a>(env: &'a Option<Vec<EnvVar>>, from: &'a Option<Vec<EnvFromSource>>) -> Env<'a> {
        (env.as_deref().unwrap_or_default(), from.as_deref().unwrap_or_default())
    }
    let usual = s.init_containers.iter().flatten().chain(&s.containers).map(|c| env(&c.env, &c.env_from));
    usual.chain(s.ephemeral_containers.iter().flatten().map(|c| env(&c.env, &c.env_from)))
}

/// The names of Secrets, for the volumes that simulated nodes have.
pub fn secrets(s: &PodSpec) -> impl Iterator<Item = &str> {
    let pull = s.image_pull_secrets.iter().flatten().map(|r| r.name.as_str());
    let env = environments(s).flat_map(|(env, from)| {
        let from = from.iter().filter_map(|e| Some(e.secret_ref.as_ref()?.name.as_str()));
        from.chain(env.iter().filter_map(|e| Some(e.value_from.as_ref()?.secret_key_ref.as_ref()?.name.as_str())))
    });
    let volumes = s.volumes.iter().flatten().flat_map(|v| {
        let whole = v.secret.iter().filter_map(|x| x.secret_name.as_deref());
        let csi = v.csi.iter().filter_map(|c| Some(c.node_publish_secret_ref.as_ref()?.name.as_str()));
        let sources = v.projected.iter().flat_map(|p| p.sources.iter().flatten());
        whole.chain(csi).chain(sources.filter_map(|x| Some(x.secret.as_ref()?.name.as_str())))
    });
    pull.chain(env).chain(volumes)
}

/// The names of ConfigMaps.
pub fn config_maps(s: &PodSpec) -> impl Iterator<Item = &str> {
    let env = environments(s).flat_map(|(env, from)| {
        let from = from.iter().filter_map(|e| Some(e.config_map_ref.as_ref()?.name.as_str()));
        from.chain(env.iter().filter_map(|e| Some(e.value_from.as_ref()?.config_map_key_ref.as_ref()?.name.as_str())))
    });
    let volumes = s.volumes.iter().flatten().flat_map(|v| {
        let whole = v.config_map.iter().map(|x| x.name.as_str());
        let sources = v.projected.iter().flat_map(|p| p.sources.iter().flatten());
        whole.chain(sources.filter_map(|x| Some(x.config_map.as_ref()?.name.as_str())))
    });
    env.chain(volumes)
}

/// The first thing the pod needs of the API, as refusals name it. Pods that come from a file must not need any.
pub fn first(pod: &Pod) -> Option<&'static str> {
    let spec = pod.spec.as_ref()?;
    if spec.service_account_name.as_deref().is_some_and(|n| !n.is_empty()) {
        return Some("serviceaccounts");
    }
    if secrets(spec).next().is_some() {
        return Some("secrets");
    }
    if config_maps(spec).next().is_some() {
        return Some("configmaps");
    }
    if spec.resource_claims.as_ref().is_some_and(|c| !c.is_empty()) {
        return Some("resourceclaims");
    }
    spec.volumes.iter().flatten().find_map(of_volume)
}

fn of_volume(v: &Volume) -> Option<&'static str> {
    let projected = || v.projected.iter().flat_map(|p| p.sources.iter().flatten());
    Some(match () {
        () if v.csi.is_some() => "csidrivers (via CSI volumes)",
        () if v.glusterfs.is_some() => "endpoints (via glusterFS volumes)",
        () if v.persistent_volume_claim.is_some() => "persistentvolumeclaims",
        () if v.ephemeral.is_some() => "persistentvolumeclaims (via ephemeral volumes)",
        () if v.azure_file.is_some() => "secrets (via azureFile volumes)",
        () if projected().any(|s| s.service_account_token.is_some()) => "serviceaccounts (via projected volumes)",
        () if projected().any(|s| s.cluster_trust_bundle.is_some()) => "clustertrustbundles",
        () if projected().any(|s| s.pod_certificate.is_some()) => "podcertificates",
        () => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of(spec: Value) -> Option<&'static str> {
        let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" }, "spec": spec });
        first(&serde_json::from_value(pod).expect("a pod"))
    }

    #[test]
    fn what_a_pod_needs_is_named_as_upstream_names_it() {
        let with = |what: Value| {
            let mut spec = json!({ "containers": [{ "name": "c", "image": "i" }] });
            spec.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
            of(spec)
        };
        let volume = |source: Value| {
            let mut v = json!({ "name": "v" });
            v.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
            with(json!({ "volumes": [v] }))
        };
        let projected = |source: Value| volume(json!({ "projected": { "sources": [source] } }));
        let container = |fields: Value| {
            let mut c = json!({ "name": "c", "image": "i" });
            c.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            (
                with(json!({ "containers": [c] })),
                with(json!({ "initContainers": [c] })),
                with(json!({ "ephemeralContainers": [c] })),
            )
        };
        let all = |what| (Some(what), Some(what), Some(what));
        assert_eq!(with(json!({})), None);
        assert_eq!(with(json!({ "serviceAccountName": "a" })), Some("serviceaccounts"));
        assert_eq!(with(json!({ "imagePullSecrets": [{ "name": "s" }] })), Some("secrets"));
        assert_eq!(container(json!({ "envFrom": [{ "secretRef": { "name": "s" } }] })), all("secrets"));
        let key = json!({ "name": "x", "key": "k" });
        let env = |kind: &str| json!({ "env": [{ "name": "E", "valueFrom": { kind: key } }] });
        assert_eq!(container(env("secretKeyRef")), all("secrets"));
        assert_eq!(container(env("configMapKeyRef")), all("configmaps"));
        assert_eq!(container(json!({ "envFrom": [{ "configMapRef": { "name": "s" } }] })), all("configmaps"));
        assert_eq!(volume(json!({ "secret": { "secretName": "s" } })), Some("secrets"));
        assert_eq!(volume(json!({ "configMap": { "name": "m" } })), Some("configmaps"));
        assert_eq!(volume(json!({ "csi": { "driver": "d" } })), Some("csidrivers (via CSI volumes)"));
        assert_eq!(volume(json!({ "persistentVolumeClaim": { "claimName": "c" } })), Some("persistentvolumeclaims"));
        assert_eq!(volume(json!({ "ephemeral": {} })), Some("persistentvolumeclaims (via ephemeral volumes)"));
        assert_eq!(volume(json!({ "hostPath": { "path": "/" } })), None);
        assert_eq!(volume(json!({ "emptyDir": {} })), None);
        let token = projected(json!({ "serviceAccountToken": { "path": "t" } }));
        assert_eq!(token, Some("serviceaccounts (via projected volumes)"));
        assert_eq!(projected(json!({ "secret": { "name": "s" } })), Some("secrets"));
        assert_eq!(projected(json!({ "clusterTrustBundle": { "path": "t" } })), Some("clustertrustbundles"));
        assert_eq!(projected(json!({ "downwardAPI": {} })), None);
    }
}
