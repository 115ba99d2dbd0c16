//! A small cluster for the tests of this crate.

use crate::hop::Hop;
use crate::table::rules;
use api::ObjectExt;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use meta::Key;
use reconcile::View;
use serde_json::{Value, json};

pub fn put(view: &mut View, v: Value) {
    let kind = api::by_api_version(v["apiVersion"].as_str().unwrap(), v["kind"].as_str().unwrap()).unwrap();
    let o: api::Obj = kind.from_value(v).unwrap().into();
    view.apply(kind, &o.key(), None, Some(&o), 1);
    // As kube-proxy would.
    let names: Vec<(Key, Service)> = view.list::<Service>().map(|s| (key(s), s.clone())).collect();
    for (key, service) in names {
        let of_service = |s: &&EndpointSlice| {
            let labels = s.metadata.labels.as_ref();
            labels.and_then(|l| l.get("kubernetes.io/service-name")).is_some_and(|n| n == key.name())
        };
        let new = rules(&key, &service, view.list_in::<EndpointSlice>(key.namespace()).filter(of_service));
        view.services.set(&key, new);
    }
}

fn key(s: &Service) -> Key {
    Key::new(s.metadata.namespace.as_deref().unwrap_or(""), s.metadata.name.as_deref().unwrap_or(""))
}

pub fn service(view: &mut View, name: &str, spec: Value) {
    put(
        view,
        json!({ "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": name, "namespace": "shop" }, "spec": spec }),
    );
}

/// Slices of one port: its name, its number, and the pods' addresses and names.
pub fn slice(view: &mut View, service: &str, port: &str, number: u16, pods: &[(&str, &str)]) {
    let endpoint = |(ip, pod): &(&str, &str)| {
        json!({ "addresses": [ip], "hostname": pod, "conditions": { "ready": true }, "nodeName": "a",
                "targetRef": { "kind": "Pod", "name": pod, "namespace": "shop" } })
    };
    let endpoints: Vec<Value> = pods.iter().map(endpoint).collect();
    put(
        view,
        json!({ "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": { "name": format!("{service}-1"), "namespace": "shop",
                      "labels": { "kubernetes.io/service-name": service } },
        "ports": [{ "name": port, "port": number, "protocol": "TCP" }], "endpoints": endpoints }),
    );
}

/// `web` with a pod and a node port, headless `db` with one, `empty` without, `shop-front` that is another name of `web`; a
/// `visitor` in another namespace.
pub fn world() -> View {
    let mut v = View::new();
    for (namespace, name, ip) in
        [("shop", "web-0", "10.244.0.1"), ("shop", "db-0", "10.244.0.2"), ("blog", "visitor", "10.244.1.1")]
    {
        put(
            &mut v,
            json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "namespace": namespace },
            "spec": { "containers": [{ "name": "c", "image": "x" }] },
            "status": { "phase": "Running", "podIP": ip } }),
        );
    }
    put(
        &mut v,
        json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "a" },
        "status": { "addresses": [{ "type": "InternalIP", "address": "172.18.0.3" }] } }),
    );
    let ports = json!([{ "name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080, "protocol": "TCP" }]);
    service(&mut v, "web", json!({ "clusterIP": "10.96.0.7", "ports": ports }));
    slice(&mut v, "web", "http", 8080, &[("10.244.0.1", "web-0")]);
    service(&mut v, "db", json!({ "clusterIP": "None", "ports": [{ "port": 5432, "protocol": "TCP" }] }));
    slice(&mut v, "db", "", 5432, &[("10.244.0.2", "db-0")]);
    service(&mut v, "empty", json!({ "clusterIP": "10.96.0.8", "ports": [{ "port": 80, "protocol": "TCP" }] }));
    let external = json!({ "type": "ExternalName", "externalName": "web.shop.svc.cluster.local" });
    service(&mut v, "shop-front", external);
    v
}

/// `service shop/web: rule chosen-only; …`; ` !` where it ends.
pub fn codes(hops: &[Hop]) -> String {
    let one = |h: &Hop| {
        let name = if h.kind.is_empty() { String::new() } else { format!(" {}", h.name) };
        let notes: Vec<&str> = h.notes.iter().map(|n| n.code.trim_start_matches("hop.")).collect();
        format!("{}{name}: {}{}", h.stage.as_str(), notes.join(" "), if h.ok { "" } else { " !" })
    };
    hops.iter().map(one).collect::<Vec<_>>().join("; ")
}
