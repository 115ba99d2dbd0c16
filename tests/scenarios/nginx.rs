//! nginx as pods run it: what it says to `curl`, and what it hands on.

use testkit::{apply, cluster, exec, run};

const FRONTEND: &str = "
apiVersion: v1
kind: Pod
metadata: {name: backend, labels: {app: hello}}
spec:
  nodeName: node-1
  containers: [{name: hello, image: 'gcr.io/google-samples/hello-go-gke:1.0', ports: [{name: http, containerPort: 80}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: frontend}
spec:
  nodeName: node-2
  containers: [{name: nginx, image: 'gcr.io/google-samples/hello-frontend:1.0'}]
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  nodeName: node-2
  containers: [{name: nginx, image: 'nginx:1.25.3'}]
";
const HELLO: &str = "
apiVersion: v1
kind: Service
metadata: {name: hello}
spec: {selector: {app: hello}, ports: [{port: 80, targetPort: http}]}
";

fn ip(c: &cluster::Cluster, pod: &str) -> String {
    let pod = c.view().get::<k8s_openapi::api::core::v1::Pod>(&meta::Key::new("default", pod)).unwrap();
    pod.status.as_ref().and_then(|s| s.pod_ip.clone()).unwrap_or_default()
}

#[test]
fn a_front_end_hands_on_what_its_backend_says() {
    let mut c = cluster(2);
    apply(&mut c, FRONTEND);
    run(&mut c, 30);
    // Without its backend's Service it does not even start.
    let said = c.view().get::<k8s_openapi::api::core::v1::Pod>(&meta::Key::new("default", "frontend")).unwrap();
    let status = said.status.as_ref().and_then(|s| s.container_statuses.as_ref()?.first().cloned()).unwrap();
    assert!(status.restart_count > 0, "{status:?}");
    apply(&mut c, HELLO);
    run(&mut c, 400);
    let frontend = ip(&c, "frontend");
    assert_eq!(exec(&mut c, "web", &format!("curl -s http://{frontend}")), "{\"message\":\"Hello\"}\n");
    let said = exec(&mut c, "frontend", "nginx -t; nginx -v; nginx -s reload");
    assert!(said.contains("nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n"), "{said}");
    // Nobody is behind the Service any more.
    testkit::try_apply(&mut c, protocol::ApplyMode::Delete, FRONTEND.split("---").next().unwrap_or_default());
    run(&mut c, 60);
    let said = exec(&mut c, "web", &format!("curl -s http://{frontend}"));
    assert!(said.contains("<h1>502 Bad Gateway</h1>"), "{said}");
}

#[test]
fn curl_shows_what_nginx_says() {
    let mut c = cluster(2);
    apply(&mut c, FRONTEND);
    run(&mut c, 30);
    let said = exec(&mut c, "web", "curl -sI localhost | tr -d '\\r'");
    let names: Vec<&str> = said.lines().map(|l| l.split(": ").next().unwrap_or(l)).collect();
    let wanted = [
        "HTTP/1.1 200 OK",
        "Server",
        "Date",
        "Content-Type",
        "Content-Length",
        "Last-Modified",
        "Connection",
        "ETag",
        "Accept-Ranges",
        "",
    ];
    assert_eq!(names, wanted, "{said}");
    assert!(said.contains("Server: nginx/1.25.3\n") && said.contains("Content-Type: text/html\n"), "{said}");
    let said = exec(&mut c, "web", "curl -s localhost/nope");
    assert!(said.contains("<h1>404 Not Found</h1>") && said.contains("<center>nginx/1.25.3</center>"), "{said}");
    let said = exec(&mut c, "web", "curl -sv localhost 2>&1 >/dev/null | tr -d '\\r'");
    let sent = "* Connected to localhost (127.0.0.1) port 80\n> GET / HTTP/1.1\n> Host: localhost\n";
    assert!(said.contains(sent) && said.contains("\n< HTTP/1.1 200 OK\n< Server: nginx/1.25.3\n"), "{said}");
    assert_eq!(exec(&mut c, "web", "nginx -v"), "nginx version: nginx/1.25.3\n");
}
