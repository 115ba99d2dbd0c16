//! The ingress controller, as clients in the cluster feel it, and answers from other nodes.

use cluster::Cluster;
use k8s_openapi::api::core::v1::Service;
use testkit::{apply, cluster, events, exec, run, table};

/// Two shops behind Services; the page of one comes from a ConfigMap. Each has a node of its own, and `client` another.
const SHOPS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: page}
data: {index.html: \"the page of apples\\n\"}
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
kind: Pod
metadata: {name: banana, labels: {app: banana}}
spec:
  nodeName: node-2
  containers: [{name: main, image: hashicorp/http-echo, args: [-text=bananas], ports: [{name: web, containerPort: 5678}]}]
---
apiVersion: v1
kind: Service
metadata: {name: apple}
spec: {selector: {app: apple}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: banana}
spec: {selector: {app: banana}, ports: [{name: http, port: 8080, targetPort: web}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  nodeName: node-3
  containers: [{name: main, image: curlimages/curl, command: [sleep, infinity]}]
";

const RULES: &str = "\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: fruits}
spec:
  ingressClassName: nginx
  rules:
  - host: fruits.example.com
    http:
      paths:
      - {path: /apple, pathType: Prefix, backend: {service: {name: apple, port: {number: 80}}}}
      - {path: /, pathType: Prefix, backend: {service: {name: banana, port: {name: http}}}}
      - {path: /cherry, pathType: Exact, backend: {service: {name: cherry, port: {number: 80}}}}
";

fn shops() -> Cluster {
    let mut c = cluster(3);
    apply(&mut c, SHOPS);
    run(&mut c, 60);
    c
}

/// What a command in the client prints.
fn says(c: &mut Cluster, line: &str) -> String {
    exec(c, "client", line)
}

/// What the ingress controller's Service answers for a host and path.
fn asks(c: &mut Cluster, host: &str, path: &str) -> String {
    says(c, &format!("curl -s -H 'Host: {host}' http://ingress-nginx-controller.ingress-nginx{path}"))
}

#[test]
fn answers_from_other_nodes_are_those_of_the_containers_that_run_there() {
    let mut c = shops();
    assert_eq!(says(&mut c, "curl -s http://apple/"), "the page of apples\n");
    assert_eq!(says(&mut c, "curl -s banana:8080"), "bananas\n");
    assert!(c.set_process("kubelet/node-1", false));
    assert_eq!(says(&mut c, "curl -s http://apple/"), "the page of apples\n", "containers need no kubelet to answer");
    assert!(c.kill_machine("node-1"));
    assert_eq!(says(&mut c, "curl -sS -m 2 http://apple/ || echo $?").lines().next(), Some("28"));
}

#[test]
fn requests_go_by_host_and_path() {
    let mut c = shops();
    apply(&mut c, RULES);
    run(&mut c, 5);
    assert_eq!(asks(&mut c, "fruits.example.com", "/"), "bananas\n");
    // The page is the pod's nginx', not the ingress controller's.
    assert!(asks(&mut c, "fruits.example.com", "/apple/").contains("<center>nginx/1."));
    assert!(asks(&mut c, "fruits.example.com", "/cherry").contains("503 Service Temporarily Unavailable"));
    assert!(asks(&mut c, "other.example.com", "/").contains("<center><h1>404 Not Found</h1></center>"));
    let rewrite = "nginx.ingress.kubernetes.io/rewrite-target: /";
    apply(&mut c, &RULES.replace("{name: fruits}", &format!("{{name: fruits, annotations: {{{rewrite}}}}}")));
    run(&mut c, 5);
    assert_eq!(asks(&mut c, "fruits.example.com", "/apple"), "the page of apples\n");
    // Endpoints come and go without the Ingress being touched.
    c.kill_machine("node-1");
    run(&mut c, 120);
    assert!(asks(&mut c, "fruits.example.com", "/apple").contains("503"));
}

#[test]
fn status_and_events_are_the_controllers() {
    let mut c = shops();
    apply(&mut c, RULES);
    run(&mut c, 70);
    assert_eq!(table(&c, "ingresses"), "fruits  nginx  fruits.example.com  localhost  80\n");
    assert_eq!(events(&c, "fruits"), "Sync Scheduled for sync (x2)\n", "its own status is a change, too");
    assert_eq!(table(&c, "ingressclasses"), "nginx  k8s.io/ingress-nginx  <none>\n");
    // Another controller's.
    let other =
        RULES.replace("name: fruits", "name: other").replace("ingressClassName: nginx", "ingressClassName: else");
    apply(&mut c, &other.replace("fruits.example.com", "other.example.com"));
    run(&mut c, 70);
    assert_eq!(events(&c, "other"), "");
    assert!(asks(&mut c, "other.example.com", "/").contains("404"));
    // The annotation of the time before classes, and no class at all.
    let old = "metadata: {name: other, annotations: {kubernetes.io/ingress.class: nginx}}";
    for metadata in [old, "metadata: {name: third}"] {
        let text = RULES.replace("  ingressClassName: nginx\n", "").replace("metadata: {name: fruits}", metadata);
        let host = if metadata == old { "old.example.com" } else { "third.example.com" };
        let _ = testkit::try_apply(&mut c, protocol::ApplyMode::Delete, &other);
        apply(&mut c, &text.replace("fruits.example.com", host));
        run(&mut c, 2);
        assert_eq!(asks(&mut c, host, "/"), "bananas\n", "{metadata}");
    }
}

#[test]
fn without_the_controller_nobody_listens_and_with_it_everything_is_back() {
    let mut c = shops();
    apply(&mut c, RULES);
    run(&mut c, 5);
    assert!(c.set_process("ingress-nginx-controller", false));
    let answer = says(&mut c, "curl -sS http://ingress-nginx-controller.ingress-nginx/");
    assert!(answer.contains("curl: (7) Failed to connect"), "{answer}");
    assert!(c.set_process("ingress-nginx-controller", true));
    run(&mut c, 2);
    assert_eq!(asks(&mut c, "fruits.example.com", "/"), "bananas\n");
    // While it stands still its web server works on with what it was told.
    assert!(c.pause_process("ingress-nginx-controller", true));
    testkit::try_apply(&mut c, protocol::ApplyMode::Delete, RULES);
    assert_eq!(asks(&mut c, "fruits.example.com", "/"), "bananas\n");
    assert!(c.pause_process("ingress-nginx-controller", false));
    run(&mut c, 1);
    assert!(asks(&mut c, "fruits.example.com", "/").contains("404"));
}

#[test]
fn tls_is_spoken_with_the_secrets_name_and_http_is_sent_there() {
    let mut c = shops();
    let tls = "  tls: [{hosts: [fruits.example.com], secretName: cert}]\n";
    apply(&mut c, &RULES.replace("  rules:", &format!("{tls}  rules:")));
    run(&mut c, 2);
    let node_port = |c: &Cluster| {
        let key: meta::Key = "ingress-nginx/ingress-nginx-controller".into();
        let service = c.view().get::<Service>(&key).and_then(|s| s.spec.as_ref()).expect("the Service is there");
        service.ports.iter().flatten().find(|p| p.name.as_deref() == Some("https")).and_then(|p| p.node_port)
    };
    let answer = asks(&mut c, "fruits.example.com", "/");
    assert!(answer.contains("308 Permanent Redirect"), "{answer}");
    let resolve = "--resolve fruits.example.com:443:10.96.0.1";
    let ip = says(&mut c, "nslookup ingress-nginx-controller.ingress-nginx | tail -n 2 | cut -d' ' -f2");
    let resolve = resolve.replace("10.96.0.1", ip.trim());
    let secure = format!("curl -s {resolve} https://fruits.example.com/");
    assert!(says(&mut c, &secure.replace("-s ", "-sS ")).contains("curl: (60) SSL certificate problem"));
    assert_eq!(says(&mut c, &format!("{secure} -k")), "bananas\n");
    let port = node_port(&c).expect("a node port");
    let answer = says(&mut c, &format!("curl -s http://172.18.0.3:{port}/"));
    assert!(answer.contains("The plain HTTP request was sent to HTTPS port"), "{answer}");
    let answer = says(&mut c, "curl -sS https://apple:80/");
    assert!(answer.contains("curl: (35)"), "{answer}");
}

const SECURE: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: secure, labels: {app: secure}}
spec:
  nodeName: node-1
  containers: [{name: main, image: 'bprashanth/nginxhttps:1.0'}]
---
apiVersion: v1
kind: Service
metadata: {name: secure}
spec: {selector: {app: secure}, ports: [{port: 443}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: secure}
spec:
  ingressClassName: nginx
  rules:
  - host: secure.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: secure, port: {number: 443}}}}
";

#[test]
fn a_backend_that_speaks_tls_is_asked_with_tls_when_that_is_said() {
    let mut c = shops();
    apply(&mut c, SECURE);
    run(&mut c, 40);
    let answer = asks(&mut c, "secure.example.com", "/");
    assert!(answer.contains("400 The plain HTTP request was sent to HTTPS port"), "{answer}");
    let annotated =
        "{name: secure, annotations: {nginx.ingress.kubernetes.io/backend-protocol: HTTPS}}\nspec:\n  ingress";
    apply(&mut c, &SECURE.replace("{name: secure}\nspec:\n  ingress", annotated));
    run(&mut c, 2);
    let answer = asks(&mut c, "secure.example.com", "/");
    assert!(answer.contains("Welcome to nginx!"), "{answer}");
}
