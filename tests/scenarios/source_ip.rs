//! Who a server takes its client for: the steps of the documentation's page
//! https://kubernetes.io/docs/tutorials/services/source-ip/, and programs that tell what they are asked.

use cluster::Cluster;
use testkit::{apply, cluster, exec, run};

fn setup() -> Cluster {
    let mut c = cluster(3);
    apply(
        &mut c,
        "\
apiVersion: v1
kind: Pod
metadata: {name: app, labels: {app: source-ip-app}}
spec: {nodeName: node-1, containers: [{name: c, image: 'registry.k8s.io/echoserver:1.4'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: newer, labels: {app: newer}}
spec: {nodeName: node-1, containers: [{name: c, image: 'registry.k8s.io/echoserver:1.10'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: netexec}
spec: {nodeName: node-1, containers: [{name: c, image: 'registry.k8s.io/e2e-test-images/agnhost:2.43', args: [netexec]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {nodeName: node-2, containers: [{name: c, image: curlimages/curl, command: [sleep, infinity]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: busybox}
spec: {nodeName: node-2, containers: [{name: c, image: busybox, command: [sleep, infinity]}]}
---
apiVersion: v1
kind: Service
metadata: {name: clusterip}
spec: {selector: {app: source-ip-app}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: nodeport}
spec: {type: NodePort, selector: {app: source-ip-app}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}
",
    );
    run(&mut c, 60);
    c
}

fn address(c: &Cluster, pod: &str) -> String {
    let pod =
        c.view().get::<k8s_openapi::api::core::v1::Pod>(&format!("default/{pod}").as_str().into()).expect("a pod");
    pod.status.as_ref().and_then(|s| s.pod_ip.clone()).expect("an address")
}

fn node_address(c: &Cluster, node: &str) -> String {
    let node = c.view().get::<k8s_openapi::api::core::v1::Node>(&node.into()).expect("a node");
    let all = node.status.as_ref().and_then(|s| s.addresses.as_ref()).expect("addresses");
    all.iter().find(|a| a.type_ == "InternalIP").expect("an address").address.clone()
}

#[test]
fn a_cluster_ip_keeps_the_clients_address() {
    let mut c = setup();
    let own = address(&c, "busybox");
    let said = exec(&mut c, "busybox", "wget -qO - http://clusterip");
    assert_eq!(
        said,
        format!(
            "CLIENT VALUES:\nclient_address={own}\ncommand=GET\nreal path=/\nquery=nil\nrequest_version=1.1\n\
             request_uri=http://clusterip:8080/\n\nSERVER VALUES:\nserver_version=nginx: 1.10.0 - lua: 10001\n\n\
             HEADERS RECEIVED:\nconnection=close\nhost=clusterip\nuser-agent=Wget\nBODY:\n-no body in request-"
        )
    );
    let to = address(&c, "newer");
    let said = exec(&mut c, "client", &format!("curl -s -H 'X-Who: me' '{to}:8080/a?b=c' -d x=1"));
    let expected = format!(
        "Request Information:\n\tclient_address={}\n\tmethod=POST\n\treal path=/a?b=c\n\tquery=b=c\n\trequest_version=1.1\n\
         \trequest_scheme=http\n\trequest_uri=http://{to}:8080/a?b=c\n\nRequest Headers:\n\taccept=*/*\n\
         \tcontent-length=3\n\tcontent-type=application/x-www-form-urlencoded\n\thost={to}:8080\n\
         \tuser-agent=curl/8.5.0\n\tx-who=me\n\nRequest Body:\n\tx=1\n",
        address(&c, "client")
    );
    assert!(said.contains(&expected), "{said}");
    let to = address(&c, "netexec");
    let said = exec(&mut c, "client", &format!("curl -s {to}:8080/clientip"));
    assert_eq!(said.split(':').next(), Some(address(&c, "client").as_str()), "{said}");
}

#[test]
fn a_node_port_shows_the_node_unless_the_policy_is_local() {
    let mut c = setup();
    let (one, two) = (node_address(&c, "node-1"), node_address(&c, "node-2"));
    let asks = |c: &mut Cluster, node: &str| {
        let line = format!("curl --connect-timeout 1 -s {node}:30080 | grep client_address");
        exec(c, "client", &line).trim().trim_start_matches("client_address=").to_string()
    };
    assert_eq!(asks(&mut c, &two), two);
    let bridge = asks(&mut c, &one);
    assert!(bridge.starts_with("10.244.") && bridge.ends_with(".1"), "where the endpoint is: {bridge}");
    let local = "apiVersion: v1\nkind: Service\nmetadata: {name: nodeport}\nspec: {type: NodePort, externalTrafficPolicy: \
                 Local, selector: {app: source-ip-app}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}\n";
    apply(&mut c, local);
    run(&mut c, 5);
    assert_eq!(asks(&mut c, &one), address(&c, "client"));
    assert_eq!(asks(&mut c, &two), "", "dropped: nobody is there");
}

#[test]
fn httpbin_tells_what_it_is_asked() {
    let mut c = setup();
    apply(
        &mut c,
        "\
apiVersion: v1
kind: Pod
metadata: {name: bin}
spec: {nodeName: node-1, containers: [{name: c, image: 'docker.io/mccutchen/go-httpbin:v2.15.0'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: old}
spec: {nodeName: node-1, containers: [{name: c, image: 'docker.io/kennethreitz/httpbin'}]}
",
    );
    run(&mut c, 60);
    let (go, python) = (address(&c, "bin"), address(&c, "old"));
    let own = address(&c, "client");
    let code = format!("curl -s -o /dev/null -w '%{{http_code}}' {go}:8080/status/418");
    assert_eq!(exec(&mut c, "client", &code), "418");
    assert_eq!(exec(&mut c, "client", &format!("curl -s {go}:8080/ip")), format!("{{\n  \"origin\": \"{own}\"\n}}\n"));
    let said = exec(&mut c, "client", &format!("curl -s '{go}:8080/get?a=1'"));
    let expected = format!(
        "{{\n  \"args\": {{\n    \"a\": [\n      \"1\"\n    ]\n  }},\n  \"headers\": {{\n    \"Accept\": [\n      \"*/*\"\n    \
         ],\n    \"Host\": [\n      \"{go}:8080\"\n    ],\n    \"User-Agent\": [\n      \"curl/8.5.0\"\n    ]\n  }},\n  \
         \"method\": \"GET\",\n  \"origin\": \"{own}\",\n  \"url\": \"http://{go}:8080/get?a=1\"\n}}\n"
    );
    assert_eq!(said, expected);
    let said = exec(&mut c, "client", &format!("curl -s -A me {python}/headers"));
    assert_eq!(
        said,
        format!(
            "{{\n  \"headers\": {{\n    \"Accept\": \"*/*\",\n    \"Host\": \"{python}\",\n    \"User-Agent\": \"me\"\n  }}\n}}\n"
        )
    );
    let said = exec(&mut c, "client", &format!("curl -sS -m 1 {go}:8080/delay/3 || echo $?"));
    assert_eq!(said, "28\ncurl: (28) Operation timed out after 1000 milliseconds with 0 bytes received\n");
    let said = exec(&mut c, "client", &format!("curl -s {python}/post -d a=b"));
    assert!(said.contains("\"data\": \"\",\n  \"files\": {},\n  \"form\": {\n    \"a\": \"b\"\n  },"), "{said}");
}

/// An nginx as the documentation's "Connecting Applications with Services" sets it up.
const SECURE: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data:
  default.conf: |
    server { listen 80; listen 443 ssl; server_name localhost; location / { return 200 \"safe\"; } }
---
apiVersion: v1
kind: Pod
metadata: {name: secure}
spec:
  nodeName: node-1
  containers: [{name: c, image: nginx, volumeMounts: [{name: conf, mountPath: /etc/nginx/conf.d}]}]
  volumes: [{name: conf, configMap: {name: conf}}]
---
apiVersion: v1
kind: Pod
metadata: {name: debian}
spec: {nodeName: node-1, containers: [{name: c, image: buildpack-deps, command: [sleep, infinity]}]}
";

#[test]
fn tls_is_spoken_where_a_server_speaks_it() {
    let mut c = setup();
    apply(&mut c, SECURE);
    run(&mut c, 90);
    let to = address(&c, "secure");
    assert_eq!(exec(&mut c, "client", &format!("curl -sk https://{to}")), "safe");
    assert_eq!(exec(&mut c, "busybox", &format!("wget -qO- https://{to}")), "safe");
    let said = exec(&mut c, "client", &format!("curl -sS https://{to}; echo $?"));
    assert!(said.starts_with("60\ncurl: (60) SSL certificate problem: self-signed certificate\n"), "{said}");
    let said = exec(&mut c, "client", &format!("curl -sSk https://{to}:80; echo $?"));
    assert_eq!(said, "35\ncurl: (35) error:0A00010B:SSL routines::wrong version number\n");
    let said = exec(&mut c, "client", &format!("curl -s http://{to}:443"));
    assert!(said.contains("The plain HTTP request was sent to HTTPS port"), "{said}");
    assert_eq!(exec(&mut c, "debian", &format!("wget -qO- --no-check-certificate https://{to}")), "safe");
    let said = exec(&mut c, "debian", &format!("wget -qO- https://{to}; echo $?"));
    assert!(said.starts_with("5\nERROR: cannot verify "), "{said}");
}
