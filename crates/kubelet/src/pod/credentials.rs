//! Whom the kubelet names to an image's registry. Models `pkg/kubelet/kubelet_pods.go`'s `getPullSecretsForPod` and
//! `pkg/credentialprovider`.

use super::images::ImageRef;
use super::{SyncCx, events};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::{Pod, Secret};
use meta::Key;
use reconcile::EventType::Warning;
use serde_json::Value;

/// The user of the first of the pod's `imagePullSecrets` that has one for the image's registry; empty: none has. Secrets
/// that are not there are told of.
pub fn of(pod: &Pod, image: &str, cx: &mut SyncCx) -> String {
    let Ok(image) = ImageRef::parse(image) else { return String::new() };
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("");
    let names = pod.spec.iter().flat_map(|s| s.image_pull_secrets.iter().flatten()).map(|r| r.name.as_str());
    let (mut found, mut missing) = (None, Vec::new());
    for name in names.filter(|n| !n.is_empty()) {
        match cx.view.get::<Secret>(&Key::new(namespace, name)) {
            Some(secret) => found = found.or_else(|| user(secret, &image.registry)),
            None => missing.push(name),
        }
    }
    if !missing.is_empty() {
        let message = format!(
            "Unable to retrieve some image pull secrets ({}); attempting to pull the image may not succeed.",
            missing.join(", ")
        );
        events::pod(cx, pod, Warning, "FailedToRetrieveImagePullSecret", message);
    }
    found.unwrap_or_default()
}

fn user(secret: &Secret, registry: &str) -> Option<String> {
    let data = secret.data.as_ref()?;
    let (whole, old) = (data.get(".dockerconfigjson"), data.get(".dockercfg"));
    let file: Value = serde_json::from_slice(&whole.or(old)?.0).ok()?;
    let hosts = if whole.is_some() { file.get("auths")? } else { &file };
    let (_, entry) = hosts.as_object()?.iter().find(|(host, _)| host_of(host) == registry)?;
    let of_auth = || {
        let decoded = STANDARD.decode(entry.get("auth")?.as_str()?).ok()?;
        Some(String::from_utf8(decoded).ok()?.split_once(':')?.0.to_string())
    };
    let named = entry.get("username").and_then(Value::as_str).map(str::to_string);
    named.or_else(of_auth).filter(|u| !u.is_empty())
}

/// `https://index.docker.io/v1/` is `docker.io`.
fn host_of(key: &str) -> &str {
    let rest = key.trim_start_matches("https://").trim_start_matches("http://");
    match rest.split('/').next().unwrap_or(rest) {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    }
}
