//! What Services are given. Cases modelled on upstream's `pkg/registry/core/service/storage/storage_test.go`.

use crate::world::{World, summary};
use expect_test::expect;
use serde_json::{Value, json};

const SERVICES: &str = "/api/v1/namespaces/default/services";

fn show(v: &Value) -> String {
    let s = &v["spec"];
    let ports: Vec<String> = s["ports"].as_array().into_iter().flatten().map(|p| p["nodePort"].to_string()).collect();
    format!(
        "{} {} {} {} nodePorts [{}] health {}",
        s["clusterIP"],
        s["clusterIPs"],
        s["ipFamilyPolicy"],
        s["ipFamilies"],
        ports.join(" "),
        s["healthCheckNodePort"]
    )
}

fn create(w: &mut World, name: &str, spec: Value) -> String {
    let body = json!({ "metadata": { "name": name }, "spec": spec }).to_string();
    let r = w.json("POST", SERVICES, &body);
    match serde_json::from_slice::<Value>(&r.body) {
        Ok(v) if r.code == 201 => format!("{name}: {}\n", show(&v)),
        _ => format!("{name}: {}\n", summary(&r)),
    }
}

#[test]
fn creates_allocate() {
    let mut w = World::new();
    let port = json!([{ "port": 80, "protocol": "TCP" }]);
    let mut out = String::new();
    for (name, spec) in [
        ("kubernetes", json!({ "type": "ClusterIP", "ports": port })),
        ("plain", json!({ "type": "ClusterIP", "ports": port, "selector": { "a": "b" } })),
        ("dns", json!({ "type": "ClusterIP", "ports": port, "clusterIP": "10.96.0.10" })),
        ("taken", json!({ "type": "ClusterIP", "ports": port, "clusterIP": "10.96.0.1" })),
        ("outside", json!({ "type": "ClusterIP", "ports": port, "clusterIP": "192.168.0.1" })),
        ("nonsense", json!({ "type": "ClusterIP", "ports": port, "clusterIP": "ten" })),
        ("headless", json!({ "type": "ClusterIP", "ports": port, "clusterIP": "None", "selector": { "a": "b" } })),
        ("loose", json!({ "type": "ClusterIP", "ports": port, "clusterIP": "None" })),
        ("external", json!({ "type": "ExternalName", "externalName": "example.com" })),
        ("six", json!({ "type": "ClusterIP", "ports": port, "ipFamilies": ["IPv6"] })),
        ("dual", json!({ "type": "ClusterIP", "ports": port, "ipFamilyPolicy": "RequireDualStack" })),
        ("prefer", json!({ "type": "ClusterIP", "ports": port, "ipFamilyPolicy": "PreferDualStack" })),
        ("node", json!({ "type": "NodePort", "ports": port })),
        ("chosen", json!({ "type": "NodePort", "ports": [{ "port": 80, "protocol": "TCP", "nodePort": 30080 }] })),
        ("same", json!({ "type": "NodePort", "ports": [{ "port": 80, "protocol": "TCP", "nodePort": 30080 }] })),
        ("low", json!({ "type": "NodePort", "ports": [{ "port": 80, "protocol": "TCP", "nodePort": 80 }] })),
        (
            "both",
            json!({ "type": "NodePort", "ports": [
                { "name": "t", "port": 53, "protocol": "TCP", "nodePort": 30053 },
                { "name": "u", "port": 53, "protocol": "UDP", "nodePort": 30053 },
            ] }),
        ),
        ("lb", json!({ "type": "LoadBalancer", "ports": port, "externalTrafficPolicy": "Local" })),
        ("bare", json!({ "type": "LoadBalancer", "ports": port, "allocateLoadBalancerNodePorts": false })),
    ] {
        out.push_str(&create(&mut w, name, spec));
    }
    expect![[r#"
        kubernetes: "10.96.0.1" ["10.96.0.1"] "SingleStack" ["IPv4"] nodePorts [null] health null
        plain: "10.101.57.8" ["10.101.57.8"] "SingleStack" ["IPv4"] nodePorts [null] health null
        dns: "10.96.0.10" ["10.96.0.10"] "SingleStack" ["IPv4"] nodePorts [null] health null
        taken: 422 Invalid: Service "taken" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.1"]: failed to allocate IP 10.96.0.1: provided IP is already allocated
        outside: 422 Invalid: Service "outside" is invalid: spec.clusterIPs: Invalid value: ["192.168.0.1"]: failed to allocate IP 192.168.0.1: the provided network does not match the current range
        nonsense: 422 Invalid: Service "nonsense" is invalid: spec.clusterIPs[0]: Invalid value: "ten": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
        headless: "None" ["None"] "SingleStack" ["IPv4"] nodePorts [null] health null
        loose: "None" ["None"] "RequireDualStack" ["IPv4","IPv6"] nodePorts [null] health null
        external: null null null null nodePorts [] health null
        six: 422 Invalid: Service "six" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster
        dual: 422 Invalid: Service "dual" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services
        prefer: "10.103.3.81" ["10.103.3.81"] "PreferDualStack" ["IPv4"] nodePorts [null] health null
        node: "10.100.105.123" ["10.100.105.123"] "SingleStack" ["IPv4"] nodePorts [31517] health null
        chosen: "10.98.33.172" ["10.98.33.172"] "SingleStack" ["IPv4"] nodePorts [30080] health null
        same: 422 Invalid: Service "same" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated
        low: 422 Invalid: Service "low" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767
        both: "10.106.14.197" ["10.106.14.197"] "SingleStack" ["IPv4"] nodePorts [30053 30053] health null
        lb: "10.97.13.239" ["10.97.13.239"] "SingleStack" ["IPv4"] nodePorts [32358] health 30947
        bare: "10.100.9.34" ["10.100.9.34"] "SingleStack" ["IPv4"] nodePorts [null] health null
    "#]].assert_eq(&out);
}

#[test]
fn updates_keep_and_release() {
    let mut w = World::new();
    let mut out = create(&mut w, "web", json!({ "type": "NodePort", "ports": [{ "port": 80, "protocol": "TCP" }] }));
    let path = format!("{SERVICES}/web");
    let mut put = |w: &mut World, spec: Value| {
        let body = json!({ "metadata": { "name": "web" }, "spec": spec }).to_string();
        let r = w.json("PUT", &path, &body);
        let v: Value = serde_json::from_slice(&r.body).unwrap();
        out.push_str(&if r.code == 200 { format!("{}\n", show(&v)) } else { format!("{}\n", summary(&r)) });
    };
    let port = json!([{ "port": 80, "protocol": "TCP" }]);
    // Allocated values that are left out stay; the type decides what goes.
    put(&mut w, json!({ "type": "NodePort", "ports": port, "sessionAffinity": "ClientIP" }));
    put(&mut w, json!({ "type": "ClusterIP", "ports": port }));
    put(&mut w, json!({ "type": "ExternalName", "externalName": "example.com" }));
    put(&mut w, json!({ "type": "ClusterIP", "ports": port, "clusterIP": "10.96.7.7" }));
    w.ok("DELETE", &path, "");
    out.push_str(&create(&mut w, "next", json!({ "type": "ClusterIP", "ports": port, "clusterIP": "10.96.7.7" })));
    expect![[r#"
        web: "10.97.168.69" ["10.97.168.69"] "SingleStack" ["IPv4"] nodePorts [30354] health null
        "10.97.168.69" ["10.97.168.69"] "SingleStack" ["IPv4"] nodePorts [30354] health null
        "10.97.168.69" ["10.97.168.69"] "SingleStack" ["IPv4"] nodePorts [null] health null
        null null null null nodePorts [] health null
        "10.96.7.7" ["10.96.7.7"] "SingleStack" ["IPv4"] nodePorts [null] health null
        next: "10.96.7.7" ["10.96.7.7"] "SingleStack" ["IPv4"] nodePorts [null] health null
    "#]]
    .assert_eq(&out);
}

#[test]
fn every_address_is_an_object() {
    let mut w = World::new();
    let addresses = "/apis/networking.k8s.io/v1/ipaddresses";
    let names = |w: &mut World| {
        let all = w.get(addresses);
        let names = all["items"].as_array().into_iter().flatten().map(|o| o["metadata"]["name"].to_string());
        names.collect::<Vec<_>>().join(" ")
    };
    let port = json!([{ "port": 80, "protocol": "TCP" }]);
    let spec = |ip: &str| json!({ "type": "ClusterIP", "ports": port, "clusterIP": ip });
    create(&mut w, "web", spec("10.96.0.9"));
    let mut made = w.get(&format!("{addresses}/10.96.0.9"));
    let service = w.get(&format!("{SERVICES}/web"));
    // Both are written at once.
    assert_eq!(made["metadata"]["resourceVersion"], service["metadata"]["resourceVersion"]);
    for field in ["uid", "creationTimestamp", "resourceVersion"] {
        assert!(made["metadata"][field].is_string(), "{field}");
        made["metadata"][field] = Value::Null;
    }
    expect![[r#"{"apiVersion":"networking.k8s.io/v1","kind":"IPAddress","metadata":{"creationTimestamp":null,"labels":{"ipaddress.kubernetes.io/ip-family":"IPv4","ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"},"managedFields":[{"apiVersion":"networking.k8s.io/v1","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:ipaddress.kubernetes.io/ip-family":{},"f:ipaddress.kubernetes.io/managed-by":{}}},"f:spec":{".":{},"f:parentRef":{".":{},"f:name":{},"f:namespace":{},"f:resource":{}}}},"manager":"kube-apiserver","operation":"Update","time":"2026-01-01T00:00:00Z"}],"name":"10.96.0.9","resourceVersion":null,"uid":null},"spec":{"parentRef":{"name":"web","namespace":"default","resource":"services"}}}"#]]
        .assert_eq(&made.to_string());
    let table = w.http("GET", addresses, crate::world::TABLE, "", "");
    let table: Value = serde_json::from_slice(&table.body).unwrap_or_default();
    assert_eq!(table["rows"][0]["cells"], json!(["10.96.0.9", "services/default/web", "0s"]));
    // A range that somebody adds.
    assert!(create(&mut w, "far", spec("192.168.7.1")).contains("does not match the current range"));
    let cidr = |name: &str, range: &str| {
        json!({ "apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": { "name": name },
            "spec": { "cidrs": [range] } })
        .to_string()
    };
    w.ok("POST", "/apis/networking.k8s.io/v1/servicecidrs", &cidr("more", "192.168.7.0/30"));
    let mut got = String::new();
    for (name, ip) in [("network", "192.168.7.0"), ("broadcast", "192.168.7.3"), ("far", "192.168.7.1")] {
        got.push_str(&create(&mut w, name, spec(ip)));
    }
    // What somebody else has written is taken, too.
    let own = json!({ "apiVersion": "networking.k8s.io/v1", "kind": "IPAddress", "metadata": { "name": "192.168.7.2" },
        "spec": { "parentRef": { "group": "gateway.networking.k8s.io", "resource": "gateways", "name": "g" } } });
    w.ok("POST", addresses, &own.to_string());
    got.push_str(&create(&mut w, "second", spec("192.168.7.2")));
    for (name, parent) in [
        ("10.96.00.1", json!({ "resource": "services", "name": "a" })),
        ("10.96.0.256", json!({ "resource": "a/b", "name": "", "group": "-" })),
    ] {
        let o = json!({ "apiVersion": "networking.k8s.io/v1", "kind": "IPAddress", "metadata": { "name": name },
            "spec": { "parentRef": parent } });
        got.push_str(&w.line("POST", addresses, &o.to_string()));
        got.push('\n');
    }
    let moved = json!([{ "op": "replace", "path": "/spec/parentRef/name", "value": "x" }]).to_string();
    let moved = w.http("PATCH", &format!("{addresses}/10.96.0.9"), "", "application/json-patch+json", &moved);
    got.push_str(&summary(&moved));
    expect![[r#"
        network: 422 Invalid: Service "network" is invalid: spec.clusterIPs: Invalid value: ["192.168.7.0"]: failed to allocate IP 192.168.7.0: the provided network does not match the current range
        broadcast: 422 Invalid: Service "broadcast" is invalid: spec.clusterIPs: Invalid value: ["192.168.7.3"]: failed to allocate IP 192.168.7.3: the provided network does not match the current range
        far: "192.168.7.1" ["192.168.7.1"] "SingleStack" ["IPv4"] nodePorts [null] health null
        second: 422 Invalid: Service "second" is invalid: spec.clusterIPs: Invalid value: ["192.168.7.2"]: failed to allocate IP 192.168.7.2: provided IP is already allocated
        422 Invalid: IPAddress.networking.k8s.io "10.96.00.1" is invalid: metadata.name: Invalid value: "10.96.00.1": must not have leading 0s
        422 Invalid: IPAddress.networking.k8s.io "10.96.0.256" is invalid: [metadata.name: Invalid value: "10.96.0.256": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff), spec.parentRef.group: Invalid value: "-": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'), spec.parentRef.resource: Invalid value: "a/b": may not contain '/', spec.parentRef.name: Required value]
        422 Invalid: IPAddress.networking.k8s.io "10.96.0.9" is invalid: spec.parentRef: Invalid value: {"Group":"","Resource":"services","Namespace":"default","Name":"x"}: field is immutable"#]].assert_eq(&got);
    assert_eq!(names(&mut w), r#""10.96.0.9" "192.168.7.1" "192.168.7.2""#);
    let external = json!({ "metadata": { "name": "web" }, "spec": { "type": "ExternalName", "externalName": "a.b" } });
    w.ok("PUT", &format!("{SERVICES}/web"), &external.to_string());
    w.ok("DELETE", &format!("{SERVICES}/far"), "");
    assert_eq!(names(&mut w), r#""192.168.7.2""#);
    create(&mut w, "far", spec("192.168.7.1"));
    w.ok("DELETE", SERVICES, "");
    assert_eq!(names(&mut w), r#""192.168.7.2""#);
}
