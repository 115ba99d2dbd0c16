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
        outside: 422 Invalid: Service "outside" is invalid: spec.clusterIPs: Invalid value: ["192.168.0.1"]: failed to allocate IP 192.168.0.1: the provided IP (192.168.0.1) is not in the valid range. The range of valid IPs is 10.96.0.0/12
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
