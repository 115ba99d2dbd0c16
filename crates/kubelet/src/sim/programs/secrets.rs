//! Programs that make a Secret when they begin, for which other pods of theirs wait.

use crate::sim::machine::{Machine, World};
use crate::sim::net::ApiWrite;
use api::Registered;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::Secret;
use meta::Key;
use serde_json::{Map, json};
use std::collections::BTreeMap;

struct Maker {
    /// Beginning of the image's name, and the program.
    image: &'static str,
    program: &'static str,
    /// The variable that names the Secret.
    variable: &'static str,
    /// Its name when nothing does; empty: then there is none.
    name: &'static str,
    keys: &'static [&'static str],
}

const MAKERS: &[Maker] = &[
    // MetalLB's controller: what its speakers know each other by.
    Maker {
        image: "quay.io/metallb/controller",
        program: "/controller",
        variable: "METALLB_ML_SECRET_NAME",
        name: "",
        keys: &["secretkey"],
    },
    // KEDA's operator: the certificates of its other programs.
    Maker {
        image: "ghcr.io/kedacore/keda",
        program: "/keda",
        variable: "",
        name: "kedaorg-certs",
        keys: &["ca.crt", "ca.key", "tls.crt", "tls.key"],
    },
];

/// What the program that begins makes, unless it is there.
pub fn make(m: &Machine, program: &str, env: &BTreeMap<String, String>, world: &mut World) {
    let is_it = |k: &&Maker| k.program == program && m.image.name.starts_with(k.image);
    let (Some(maker), Some(view)) = (MAKERS.iter().find(is_it), world.view) else { return };
    let name = env.get(maker.variable).map_or(maker.name, String::as_str).to_string();
    let namespace = m.spec.namespace.clone();
    if name.is_empty() || view.get::<Secret>(&Key::new(&namespace, &name)).is_some() {
        return;
    }
    // Nobody guesses it here: the pod's own name will do.
    let value = json!(STANDARD.encode(&m.spec.pod));
    let data: Map<String, serde_json::Value> = maker.keys.iter().map(|k| ((*k).to_string(), value.clone())).collect();
    let body = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": namespace }, "type": "Opaque",
        "data": data,
    });
    let (pod_namespace, pod, kind) = (namespace.clone(), m.spec.pod.clone(), Secret::KIND_REF);
    world.writes.push(ApiWrite { pod_namespace, pod, kind, namespace, name, update: false, body });
}
