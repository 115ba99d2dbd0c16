//! Ingresses, their classes, network policies, Endpoints, autoscalers and the newer form of Events.

use crate::table;
use system_tests::Server;

const NETWORK: &str = "\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: nginx
  annotations:
    ingressclass.kubernetes.io/is-default-class: 'true'
spec:
  controller: k8s.io/ingress-nginx
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
spec:
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: deny
spec:
  podSelector:
    matchLabels: {app: web}
";

#[test]
fn ingresses_and_policies() {
    let Some(s) = Server::start(&[]) else { return };
    let file = s.file("network.yaml", NETWORK);
    s.kubectl(&["apply", "-f", &file]).good();
    let out = s.k("get ingress shop --no-headers");
    assert_eq!(table(&format!("{out}{out}")).0[..4], ["shop", "nginx", "shop.example.com", "80"], "{out}");
    assert!(s.k("get ingressclass").contains("k8s.io/ingress-nginx"));
    let out = s.k("get netpol");
    assert_eq!(table(&out).1[0][..2], ["deny", "app=web"], "{out}");
    let out = s.k("describe ingress shop");
    assert!(out.contains("Ingress Class:    nginx") && out.contains("shop.example.com"), "{out}");
    assert!(s.k("describe netpol deny").contains("Allowing ingress traffic:\n    <none>"));
    let out = s.k("get endpoints kubernetes");
    assert_eq!(table(&out).1[0][1], "172.18.0.2:6443", "{out}");
    assert!(s.k("explain ingress.spec.rules.http.paths.pathType").contains("pathType <string>"));
}

#[test]
fn autoscalers_in_two_versions() {
    let Some(s) = Server::start(&[]) else { return };
    s.k("create deployment web --image=nginx");
    s.k("autoscale deployment web --min=2 --max=4 --cpu-percent=50");
    let out = s.k("get hpa web");
    assert_eq!(table(&out).1[0][..5], ["web", "Deployment/web", "cpu: <unknown>/50%", "2", "4"], "{out}");
    let version = |name: &str| s.k(&format!("get {name} web -o jsonpath={{.apiVersion}}"));
    assert_eq!(version("horizontalpodautoscalers.v1.autoscaling"), "autoscaling/v1");
    assert_eq!(version("horizontalpodautoscalers.v2.autoscaling"), "autoscaling/v2");
    let percent = "get horizontalpodautoscalers.v1.autoscaling web -o jsonpath={.spec.targetCPUUtilizationPercentage}";
    assert_eq!(s.k(percent), "50");
    s.until("get deployment web -o jsonpath={.spec.replicas}", |t| t == "2");
    s.until("get events.v1.events.k8s.io -o jsonpath={.items[*].reason}", |t| t.contains("SuccessfulRescale"));
}

/// Two servers behind an Ingress, and a client; the page of one comes from a ConfigMap.
const SHOP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: page}
data: {index.html: \"the page of apples\"}
---
apiVersion: v1
kind: Pod
metadata: {name: apple, labels: {app: apple}}
spec:
  nodeName: node-1
  containers:
  - {name: main, image: nginx, volumeMounts: [{name: page, mountPath: /usr/share/nginx/html}]}
  volumes: [{name: page, configMap: {name: page}}]
---
apiVersion: v1
kind: Service
metadata: {name: apple}
spec: {selector: {app: apple}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  nodeName: node-2
  containers: [{name: main, image: curlimages/curl, command: [sleep, infinity]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: apple, port: {name: http}}}}
      - {path: /none, pathType: Exact, backend: {service: {name: pear, port: {number: 80}}}}
";

#[test]
fn requests_reach_services_by_way_of_the_ingress_controller() {
    // Of its own seed, so of node ports of its own: those of this machine are shared by all servers.
    let Some(s) = Server::start(&["--speed", "10", "--seed", "271"]) else { return };
    let file = s.file("shop.yaml", SHOP);
    s.kubectl(&["apply", "-f", &file]).good();
    s.k("wait --for=condition=Ready pod --all --timeout=60s");
    assert!(s.k("get ingressclass nginx -o jsonpath={.spec.controller}").contains("k8s.io/ingress-nginx"));
    // From a pod, on another node than the server.
    let ask = |host: &str, path: &str| {
        let url = format!("http://ingress-nginx-controller.ingress-nginx{path}");
        let header = format!("Host: {host}");
        s.kubectl(&["exec", "client", "--", "curl", "-s", "-H", &header, &url]).good()
    };
    assert_eq!(ask("shop.example.com", "/"), "the page of apples");
    // On a busy machine an answer may be late.
    let none = "exec client -- curl -s -H Host:shop.example.com http://ingress-nginx-controller.ingress-nginx/none";
    s.until(none, |t| t.contains("503 Service Temporarily Unavailable"));
    assert!(ask("other.example.com", "/").contains("404 Not Found"));
    // From this machine, through the node port.
    let port = "get service ingress-nginx-controller -n ingress-nginx -o jsonpath={.spec.ports[0].nodePort}";
    let port: u16 = s.k(port).parse().expect("a node port");
    let answer = get(port, "shop.example.com");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("the page of apples"), "{answer}");
    assert!(get(port, "other.example.com").starts_with("HTTP/1.1 404"));
    // What kubectl shows.
    let out = s.until("get ingress shop --no-headers", |t| t.contains("localhost"));
    assert_eq!(table(&format!("{out}{out}")).0[..5], ["shop", "nginx", "shop.example.com", "localhost", "80"], "{out}");
    let out = s.k("describe ingress shop");
    for line in
        ["Address:          localhost", "/       apple:http (10.244.", "pear:80 (<error: services \"pear\" not found>)"]
    {
        assert!(out.contains(line), "{line}\n{out}");
    }
    let event = out.lines().find(|l| l.contains("Scheduled for sync")).unwrap_or_else(|| panic!("{out}"));
    assert!(event.contains("Sync") && event.contains("nginx-ingress-controller"), "{event}");
    let can = "auth can-i update ingresses.networking.k8s.io --subresource=status \
               --as=system:serviceaccount:ingress-nginx:ingress-nginx -A";
    assert_eq!(s.k(can), "yes\n");
}

/// A page of a port of this machine.
fn get(port: u16, host: &str) -> String {
    use std::io::{Read, Write};
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).expect("it is sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("it is answered");
    answer
}

#[test]
fn a_request_is_followed_hop_by_hop() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    let file = s.file("shop.yaml", SHOP);
    s.kubectl(&["apply", "-f", &file]).good();
    s.k("wait --for=condition=Ready pod --all --timeout=60s");
    let follow = |more: &str| s.k(&format!("get --raw /kubottle/follow?from=default/client&{more}"));
    let out = follow("url=http://apple");
    for line in [
        "DNS      10.96.0.10",
        "apple.default.svc.cluster.local is 10.",
        "Service  default/apple",
        "nginx in container main listens at port 80, on node-1",
        "HTTP 200, 18 bytes",
        "the page of apples",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    let out = follow("url=http://ingress-nginx-controller.ingress-nginx/none&host=shop.example.com&format=json");
    let journey: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(journey["status"], 503);
    // The controller's own answer comes after the hop that it ends at.
    let last = journey["hops"].as_array().and_then(|h| h.iter().rev().nth(1)).expect("hops");
    assert_eq!(
        (&last["stage"], &last["object"]["name"], &last["ok"]),
        (&"ingress".into(), &"shop".into(), &false.into())
    );
    let out = s.kubectl(&["get", "--raw", "/kubottle/follow?from=nobody&url=http://apple"]).bad();
    assert!(out.contains("pods \"nobody\" not found"), "{out}");
}
