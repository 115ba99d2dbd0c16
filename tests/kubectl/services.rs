//! Services and their endpoints.

use crate::table;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use system_tests::Server;

#[test]
fn a_service_finds_its_pods() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    assert_eq!(s.apply("service.yaml"), "service/my-service created\ndeployment.apps/backend created\n");
    let services = s.k("get services");
    let (columns, rows) = table(&services);
    assert_eq!(columns, ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]);
    let mine = rows.iter().find(|r| r[0] == "my-service").unwrap_or_else(|| panic!("{services}"));
    assert_eq!((mine[1], mine[3], mine[4]), ("ClusterIP", "<none>", "80/TCP"));
    let kubernetes = rows.iter().find(|r| r[0] == "kubernetes").unwrap_or_else(|| panic!("{services}"));
    assert_eq!((kubernetes[2], kubernetes[4]), ("10.96.0.1", "443/TCP"));

    s.k("rollout status deployment/backend --timeout=60s");
    let ready = "get endpointslices -l kubernetes.io/service-name=my-service -o jsonpath={..conditions.ready}";
    s.until(ready, |o| o == "true true");
    let slices = s.k("get endpointslices -l kubernetes.io/service-name=my-service");
    assert_eq!(table(&slices).0, ["NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE"]);
    assert!(slices.contains("9376"), "{slices}");

    s.k("scale deployment/backend --replicas=0");
    s.until(ready, str::is_empty);
    assert_eq!(s.k("expose deployment backend --port=8080 --name=again"), "service/again exposed\n");
}

const WEB: &str = "create service loadbalancer web --tcp=8089:80";

#[test]
fn a_load_balancer_is_pending_without_a_cloud() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    s.k(WEB);
    let services = s.k("get services web");
    let (_, rows) = table(&services);
    assert_eq!((rows[0][1], rows[0][3]), ("LoadBalancer", "<pending>"));
}

#[test]
fn a_load_balancer_gets_its_address_from_the_cloud() {
    let Some(s) = Server::start(&["--speed", "10", "--cloud"]) else { return };
    s.k(WEB);
    let ip = s.until("get service web -o jsonpath={.status.loadBalancer.ingress[0].ip}", |o| !o.is_empty());
    let services = s.k("get services web");
    assert_eq!(table(&services).1[0][3], ip, "{services}");
    let described = s.k("describe service web");
    assert!(described.contains("Ensured load balancer") && described.contains("service-controller"), "{described}");
    // On this machine the address is its own: the load balancer forwards to the pods.
    s.k("create deployment web --image=nginx");
    s.k("rollout status deployment/web --timeout=60s");
    assert!(page(&ip).contains("Welcome to nginx!"));
    s.k("delete service web");
    s.until("get services -o name", |o| !o.contains("web"));
}

/// What the load balancer answers, once it does.
fn page(ip: &str) -> String {
    let ask = || -> std::io::Result<String> {
        let mut socket = TcpStream::connect((ip, 8089))?;
        socket.write_all(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let mut last = String::new();
    for _ in 0..100 {
        match ask() {
            Ok(answer) if answer.starts_with("HTTP/1.1 200") => return answer,
            other => last = format!("{other:?}"),
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("twenty seconds have passed: {last}")
}

/// The documentation's "Debugging DNS resolution" begins with these.
#[test]
fn a_server_has_coredns_as_other_clusters_do() {
    let Some(s) = Server::start(&["--coredns", "true", "--sim-nodes", "2", "--speed", "20"]) else { return };
    s.k("wait -n kube-system deployment/coredns --for=condition=Available --timeout=60s");
    let pods = s.k("get pods -n kube-system -l k8s-app=kube-dns --no-headers");
    assert_eq!(pods.lines().filter(|l| l.starts_with("coredns-")).count(), 2, "{pods}");
    let service = s.k("get svc -n kube-system kube-dns --no-headers");
    assert!(service.contains("10.96.0.10") && service.contains("53/UDP,53/TCP,9153/TCP"), "{service}");
    let slices =
        s.k("get endpointslices -n kube-system -l k8s-app=kube-dns -o jsonpath={.items[*].endpoints[*].addresses}");
    assert_eq!(slices.matches("10.244.").count(), 2, "{slices}");
    s.k("run dns --image=busybox --restart=Never -- sleep 1000");
    s.k("wait pod/dns --for=condition=Ready --timeout=60s");
    let said = s.k("exec dns -- nslookup kubernetes.default.svc.cluster.local");
    assert!(said.contains("10.96.0.1"), "{said}");
}
