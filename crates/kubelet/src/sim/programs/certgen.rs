//! `kube-webhook-certgen`, the Job of ingress-nginx and others that makes a webhook's certificate: `create` writes it into a
//! Secret, `patch` its authority into the configurations. Nobody verifies what is in it.

use super::Io;
use crate::sim::net::ApiWrite;
use api::{Object, Registered};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration};
use k8s_openapi::api::core::v1::Secret;
use meta::Key;
use serde_json::json;

pub fn run(io: &mut Io) -> i32 {
    let options: Vec<(String, String)> = io
        .argv
        .iter()
        .filter_map(|a| a.trim_start_matches('-').split_once('=').map(|(k, v)| (k.to_string(), v.to_string())))
        .collect();
    let option = |name: &str, default: &str| {
        options.iter().find(|(k, _)| k == name).map_or(default, |(_, v)| v.as_str()).to_string()
    };
    let (namespace, secret) = (option("namespace", ""), option("secret-name", ""));
    let Some(view) = io.world.view else { return 0 };
    let key = Key::new(&namespace, &secret);
    let found = view.get::<Secret>(&key).is_some();
    let mut writes = Vec::new();
    match io.argv.get(1).map(String::as_str) {
        Some("create") if found => io.log("secret already exists"),
        Some("create") => {
            io.log("creating new secret");
            let (cert, key) = (option("cert-name", "cert"), option("key-name", "key"));
            let pem = |what: &str| STANDARD.encode(format!("-----BEGIN {what}-----\n{secret}\n-----END {what}-----\n"));
            let data = json!({"ca": pem("CERTIFICATE"), cert: pem("CERTIFICATE"), key: pem("EC PRIVATE KEY")});
            let body = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret, "namespace": namespace},
                              "type": "Opaque", "data": data});
            writes.push((Secret::KIND_REF, secret, body));
        }
        Some("patch") if !found => {
            io.log("no secret with certificate");
            return 1;
        }
        Some("patch") => {
            let ca = view.get::<Secret>(&key).and_then(|s| s.data.as_ref()?.get("ca").cloned());
            let name = Key::new("", &option("webhook-name", ""));
            let validating = view.get::<ValidatingWebhookConfiguration>(&name).cloned();
            if let Some(mut c) = validating.filter(|_| asked(&options, "patch-validating")) {
                for w in c.webhooks.iter_mut().flatten() {
                    w.client_config.ca_bundle.clone_from(&ca);
                }
                writes.push((ValidatingWebhookConfiguration::KIND_REF, name.name().to_string(), c.to_value()));
            }
            let mutating = view.get::<MutatingWebhookConfiguration>(&name).cloned();
            if let Some(mut c) = mutating.filter(|_| asked(&options, "patch-mutating")) {
                for w in c.webhooks.iter_mut().flatten() {
                    w.client_config.ca_bundle.clone_from(&ca);
                }
                writes.push((MutatingWebhookConfiguration::KIND_REF, name.name().to_string(), c.to_value()));
            }
            io.log("Patched hook(s)");
        }
        _ => {}
    }
    let update = io.argv.get(1).is_some_and(|a| a == "patch");
    for (kind, name, body) in writes {
        let (pod, pod_namespace) = (io.m.spec.pod.clone(), io.m.spec.namespace.clone());
        let namespace = if kind == Secret::KIND_REF { namespace.clone() } else { String::new() };
        io.world.writes.push(ApiWrite { pod_namespace, pod, kind, namespace, name, update, body });
    }
    0
}

/// Flags are true unless it is said otherwise.
fn asked(options: &[(String, String)], name: &str) -> bool {
    options.iter().find(|(k, _)| k == name).is_none_or(|(_, v)| v != "false")
}

impl Io<'_, '_> {
    fn log(&mut self, message: &str) {
        let line = json!({"level": "info", "msg": message}).to_string();
        self.complain(line);
    }
}
