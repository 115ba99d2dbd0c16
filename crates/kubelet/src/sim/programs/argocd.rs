//! `argocd admin redis-initial-password`, with which Argo CD's Redis begins: it writes the Secret that all of its pods need.
//! Models argo-cd's `cmd/argocd/commands/admin/redis_initial_password.go`.

use super::Io;
use crate::sim::net::ApiWrite;
use api::Registered;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::Secret;
use meta::Key;
use serde_json::json;

const SECRET: &str = "argocd-redis";
const KEY: &str = "auth";

pub fn run(io: &mut Io) -> i32 {
    let words: Vec<&str> = io.argv.iter().skip(1).map(String::as_str).filter(|a| !a.starts_with('-')).collect();
    if words != ["admin", "redis-initial-password"] {
        return 0;
    }
    let (namespace, pod) = (io.m.spec.namespace.clone(), io.m.spec.pod.clone());
    io.say(format!("Checking for initial Redis password in secret {namespace}/{SECRET} at key {KEY}. \n"));
    let Some(view) = io.world.view else { return 0 };
    if view.get::<Secret>(&Key::new(&namespace, SECRET)).is_none() {
        // Nobody guesses it here: the pod's own name will do.
        let data = json!({ KEY: STANDARD.encode(&pod) });
        let body = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, "namespace": namespace}, "type": "Opaque",
            "data": data,
        });
        io.world.writes.push(ApiWrite {
            pod_namespace: namespace.clone(),
            pod,
            kind: Secret::KIND_REF,
            namespace,
            name: SECRET.into(),
            update: false,
            body,
        });
    }
    io.say(format!(
        "Argo CD Redis secret state confirmed: secret name {SECRET}.\nPassword secret is configured properly.\n"
    ));
    0
}
