//! Cases modelled on `k8s.io/endpointslice/reconciler_test.go` and `trigger_time_tracker_test.go`.

use super::EndpointSliceController;
use crate::testing::{World, merged, pod, ready_since, rfc3339};
use expect_test::expect;
use reconcile::Write;
use serde_json::{Value, json};

fn service(over: Value) -> Value {
    merged(
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "web", "namespace": "default", "uid": "uid-svc", "labels": {"team": "a"},
                         "creationTimestamp": rfc3339(5)},
            "spec": {"selector": {"app": "web"}, "clusterIP": "10.96.0.10",
                     "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]},
        }),
        over,
    )
}

fn node() -> Value {
    json!({"apiVersion": "v1", "kind": "Node",
           "metadata": {"name": "node-1", "labels": {"topology.kubernetes.io/zone": "zone-a"}}})
}

fn backend(name: &str, ip: &str, over: Value) -> Value {
    let mut p = pod(name, None, merged(ready_since(10), over));
    p["spec"]["containers"][0]["ports"] = json!([{"name": "http", "containerPort": 8080}]);
    p["status"]["podIP"] = ip.into();
    p["status"]["podIPs"] = json!([{"ip": ip}]);
    p
}

fn applied(w: &mut World<EndpointSliceController>) -> Vec<Value> {
    let out = w.outcome("default/web");
    let mut slices = Vec::new();
    for (i, intent) in out.intents.iter().enumerate() {
        let mut v = match &intent.write {
            Write::Create(o) | Write::Update(o) => o.to_value(),
            _ => continue,
        };
        if v["metadata"].get("name").is_none() {
            v["metadata"]["name"] = format!("web-{i}").into();
        }
        w.put(v.clone());
        slices.push(v);
    }
    slices
}

#[test]
fn ready_unready_and_terminating_pods() {
    let mut w = World::<EndpointSliceController>::new([
        service(json!({})),
        node(),
        backend("a", "10.244.0.2", json!({})),
        backend("b", "10.244.0.3", json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}})),
        backend("c", "10.244.0.4", json!({"metadata": {"deletionTimestamp": rfc3339(20)}})),
        backend("done", "10.244.0.5", json!({"status": {"phase": "Succeeded"}})),
        backend("nowhere", "10.244.0.6", json!({"spec": {"nodeName": "gone"}})),
        pod("no-ip", None, json!({})),
    ]);
    expect![[r##"
        # endpointslice.sync service=web pods=4 ready=2
        create {"addressType":"IPv4","apiVersion":"discovery.k8s.io/v1","endpoints":[{"addresses":["10.244.0.2"],"conditions":{"ready":true,"serving":true,"terminating":false},"nodeName":"node-1","targetRef":{"kind":"Pod","name":"a","namespace":"default","uid":"uid-a"},"zone":"zone-a"},{"addresses":["10.244.0.3"],"conditions":{"ready":false,"serving":false,"terminating":false},"nodeName":"node-1","targetRef":{"kind":"Pod","name":"b","namespace":"default","uid":"uid-b"},"zone":"zone-a"},{"addresses":["10.244.0.4"],"conditions":{"ready":false,"serving":true,"terminating":true},"nodeName":"node-1","targetRef":{"kind":"Pod","name":"c","namespace":"default","uid":"uid-c"},"zone":"zone-a"}],"kind":"EndpointSlice","metadata":{"annotations":{"endpoints.kubernetes.io/last-change-trigger-time":"2026-01-01T00:00:05Z"},"generateName":"web-","labels":{"endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io","kubernetes.io/service-name":"web","team":"a"},"namespace":"default","ownerReferences":[{"apiVersion":"v1","blockOwnerDeletion":true,"controller":true,"kind":"Service","name":"web","uid":"uid-svc"}]},"ports":[{"name":"http","port":8080,"protocol":"TCP"}]}
        requeue after 1s
    "##]].assert_eq(&w.run("default/web"));
}

#[test]
fn a_service_without_pods_has_an_empty_slice_that_is_used_later() {
    let mut w = World::<EndpointSliceController>::new([service(json!({"spec": {"clusterIP": "None"}})), node()]);
    expect![[r##"
        # endpointslice.sync service=web pods=0 ready=0
        create {"addressType":"IPv4","apiVersion":"discovery.k8s.io/v1","endpoints":null,"kind":"EndpointSlice","metadata":{"annotations":{"endpoints.kubernetes.io/last-change-trigger-time":"2026-01-01T00:00:05Z"},"generateName":"web-","labels":{"endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io","kubernetes.io/service-name":"web","service.kubernetes.io/headless":"","team":"a"},"namespace":"default","ownerReferences":[{"apiVersion":"v1","blockOwnerDeletion":true,"controller":true,"kind":"Service","name":"web","uid":"uid-svc"}]},"ports":null}
    "##]].assert_eq(&w.run("default/web"));
    applied(&mut w);
    assert_eq!(w.outcome("default/web").intents.len(), 0, "nothing to do twice");
    w.put(backend("a", "10.244.0.2", json!({})));
    expect![[r##"
        # endpointslice.sync service=web pods=1 ready=1
        update endpointslices default/web-0 {"addressType":"IPv4","endpoints":[{"addresses":["10.244.0.2"],"conditions":{"ready":true,"serving":true,"terminating":false},"nodeName":"node-1","targetRef":{"kind":"Pod","name":"a","namespace":"default","uid":"uid-a"},"zone":"zone-a"}],"metadata":{"annotations":{"endpoints.kubernetes.io/last-change-trigger-time":"2026-01-01T00:00:10Z"},"generateName":"web-","labels":{"endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io","kubernetes.io/service-name":"web","service.kubernetes.io/headless":"","team":"a"},"name":"web-0","namespace":"default","ownerReferences":[{"apiVersion":"v1","blockOwnerDeletion":true,"controller":true,"kind":"Service","name":"web","uid":"uid-svc"}]},"ports":[{"name":"http","port":8080,"protocol":"TCP"}]}
    "##]].assert_eq(&w.run("default/web"));
}

#[test]
fn slices_hold_a_hundred_endpoints_and_changes_touch_few_of_them() {
    let mut w = World::<EndpointSliceController>::new([service(json!({})), node()]);
    for i in 0..250 {
        w.put(backend(&format!("p{i:03}"), &format!("10.244.0.{i}"), json!({})));
    }
    let sizes = |slices: Vec<Value>| -> Vec<usize> {
        slices.iter().map(|s| s["endpoints"].as_array().map_or(0, Vec::len)).collect()
    };
    assert_eq!(sizes(applied(&mut w)), [100, 100, 50]);
    w.put(backend("q", "10.244.1.1", json!({})));
    assert_eq!(sizes(applied(&mut w)), [51], "room in the last one");
    w.delete("v1", "Pod", "default/p000");
    w.put(backend("r", "10.244.1.2", json!({})));
    assert_eq!(sizes(applied(&mut w)), [100], "one leaves, one takes its place in the same slice");
}

#[test]
fn only_changes_that_matter_queue_the_service() {
    let mut w = World::<EndpointSliceController>::new([service(json!({})), node()]);
    let queued = |w: &mut World<EndpointSliceController>, p| !w.put(p).is_empty();
    assert!(queued(&mut w, backend("a", "10.244.0.2", json!({}))));
    assert!(!queued(&mut w, backend("a", "10.244.0.2", json!({"metadata": {"annotations": {"x": "y"}}}))));
    assert!(queued(&mut w, backend("a", "10.244.0.2", json!({"metadata": {"labels": {"app": "debug"}}}))));
    assert!(!queued(&mut w, backend("a", "10.244.0.3", json!({"metadata": {"labels": {"app": "debug"}}}))));
}

#[test]
fn not_ready_addresses_are_published_on_demand() {
    let unready = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}});
    let mut w = World::<EndpointSliceController>::new([
        service(json!({"spec": {"publishNotReadyAddresses": true}})),
        node(),
        backend("a", "10.244.0.2", unready),
    ]);
    let slices = applied(&mut w);
    assert_eq!(slices[0]["endpoints"][0]["conditions"], json!({"ready": true, "serving": false, "terminating": false}));
}

/// A node in a zone with so many processors.
fn zoned(name: &str, zone: &str, cpu: u32) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": zone}},
           "status": {"allocatable": {"cpu": cpu.to_string()}, "conditions": [{"type": "Ready", "status": "True"}]}})
}

/// Pods on the nodes that are named, in order.
fn spread(w: &mut World<EndpointSliceController>, nodes: &[&str]) {
    for (i, node) in nodes.iter().enumerate() {
        let ip = format!("10.244.0.{}", i + 1);
        w.put(backend(&format!("p{i}"), &ip, json!({"spec": {"nodeName": node}})));
    }
}

/// The hints of all endpoints, by the last part of their addresses.
fn hints(slices: &[Value]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for e in slices.iter().flat_map(|s| s["endpoints"].as_array().cloned().unwrap_or_default()) {
        let names = |list: &str| {
            let list = e["hints"][list].as_array().cloned().unwrap_or_default();
            list.iter().map(|z| z["name"].as_str().unwrap_or("").to_string()).collect::<Vec<_>>().join(",")
        };
        let ip = e["addresses"][0].as_str().unwrap_or("").rsplit('.').next().unwrap_or("").to_string();
        all.push(format!("{ip}:{}/{}", names("forZones"), names("forNodes")));
    }
    all.sort();
    all
}

#[test]
fn traffic_that_stays_close_is_told_by_hints() {
    let mut w = World::<EndpointSliceController>::new([service(json!({})), zoned("a", "x", 2), zoned("b", "y", 2)]);
    spread(&mut w, &["a", "b"]);
    assert_eq!(hints(&applied(&mut w)), ["1:/", "2:/"]);
    w.put(service(json!({"spec": {"trafficDistribution": "PreferSameZone"}})));
    assert_eq!(hints(&applied(&mut w)), ["1:x/", "2:y/"]);
    assert_eq!(w.outcome("default/web").intents.len(), 0, "nothing to do twice");
    // Whoever is not ready has none.
    w.put(backend("p1", "10.244.0.2", json!({"spec": {"nodeName": "b"}, "status": {"conditions": []}})));
    assert_eq!(hints(&applied(&mut w)), ["1:x/", "2:/"]);
    w.put(service(json!({"spec": {"trafficDistribution": "PreferSameNode"}})));
    assert_eq!(hints(&applied(&mut w)), ["1:x/a", "2:/"]);
    w.put(service(json!({})));
    assert_eq!(hints(&applied(&mut w)), ["1:/", "2:/"]);
}

/// Cases of `topologycache_test.go`.
#[test]
fn the_annotation_shares_endpoints_out_by_processors() {
    let auto = json!({"metadata": {"annotations": {"service.kubernetes.io/topology-mode": "Auto"}}});
    let mut w = World::<EndpointSliceController>::new([service(auto), zoned("a", "x", 4), zoned("b", "y", 4)]);
    spread(&mut w, &["a"]);
    let text = w.run("default/web");
    assert!(text.contains("Insufficient number of endpoints (1 endpoints, 2 zones), addressType: IPv4"), "{text}");
    // Three of four are in one zone: one of them serves the other.
    spread(&mut w, &["a", "a", "a", "b"]);
    let out = w.outcome("default/web");
    assert!(format!("{:?}", out.intents).contains("Topology Aware Hints has been enabled, addressType: IPv4"));
    assert_eq!(hints(&applied(&mut w)), ["1:y/", "2:x/", "3:x/", "4:y/"]);
    assert_eq!(w.outcome("default/web").intents.len(), 0, "nothing to do twice");
    // A zone that has grown needs more than its endpoints.
    assert!(w.put(zoned("b", "y", 5)).is_empty(), "not by so much");
    assert_eq!(format!("{:?}", w.put(zoned("b", "y", 40))), "[default/web]");
    assert!(w.put(zoned("b", "y", 40)).is_empty());
    w.put(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "c"},
                 "status": {"conditions": [{"type": "Ready", "status": "True"}]}}));
    let text = w.run("default/web");
    assert!(text.contains("Insufficient Node information"), "{text}");
    assert_eq!(hints(&applied(&mut w)), ["1:/", "2:/", "3:/", "4:/"]);
}
