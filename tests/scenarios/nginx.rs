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

const BALANCED: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data:
  default.conf: |
    upstream backends {
      server one weight=2;
      server two;
      server gone backup;
    }
    server {
      listen 80;
      server_name example.org;
      location /who { return 200 "$hostname $remote_addr $arg_x\n"; }
      location = /index.html { root /usr/share/nginx/html; }
      location /app/ { try_files $uri $uri/ /index.html; }
      location / { proxy_pass http://backends; proxy_set_header X-Real-IP $remote_addr; }
      location /private { deny all; }
      location /loop/ { root /nowhere; try_files $uri @again; }
      location @again { root /nowhere; try_files $uri @again; }
      location /agent { if ($http_user_agent ~* curl) { return 200 "a curl\n"; } return 200 "another\n"; }
      location = /old { rewrite ^/old$ /who?x=2 last; }
    }
    server { listen 80; server_name *.shop.example; return 200 "shop of $host\n"; }
---
apiVersion: v1
kind: Pod
metadata: {name: lb}
spec:
  nodeName: node-1
  volumes: [{name: conf, configMap: {name: conf}}]
  containers: [{name: nginx, image: 'nginx:1.25.3', volumeMounts: [{name: conf, mountPath: /etc/nginx/conf.d}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: one, labels: {app: one}}
spec: {nodeName: node-1, containers: [{name: c, image: 'traefik/whoami'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: two, labels: {app: two}}
spec: {nodeName: node-2, containers: [{name: c, image: 'traefik/whoami'}]}
---
apiVersion: v1
kind: Service
metadata: {name: one}
spec: {selector: {app: one}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: two}
spec: {selector: {app: two}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: gone}
spec: {selector: {app: gone}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {nodeName: node-2, containers: [{name: c, image: 'curlimages/curl', command: [sleep, '1000000']}]}
"#;

#[test]
fn an_upstream_takes_turns_and_goes_past_who_is_gone() {
    let mut c = cluster(2);
    apply(&mut c, BALANCED);
    run(&mut c, 60);
    let (lb, client) = (ip(&c, "lb"), ip(&c, "client"));
    let ask = |c: &mut cluster::Cluster, path: &str| exec(c, "client", &format!("curl -s {path}"));
    let who = |c: &mut cluster::Cluster| {
        let said = ask(c, &format!("http://{lb}/"));
        let line = |name: &str| said.lines().find_map(|l| l.strip_prefix(name)).unwrap_or(&said).to_string();
        assert_eq!(line("X-Real-IP: "), client, "{said}");
        assert_eq!(line("Host: "), "backends", "{said}");
        line("Hostname: ")
    };
    let turns: Vec<String> = (0..6).map(|_| who(&mut c)).collect();
    assert_eq!(turns.iter().filter(|h| *h == "one").count(), 4, "{turns:?}");
    assert_eq!(turns.iter().filter(|h| *h == "two").count(), 2, "{turns:?}");
    // One of them goes: its turns are the other's.
    testkit::try_apply(&mut c, protocol::ApplyMode::Delete, "{apiVersion: v1, kind: Pod, metadata: {name: one}}");
    run(&mut c, 60);
    for _ in 0..4 {
        assert_eq!(who(&mut c), "two");
    }
    assert_eq!(ask(&mut c, &format!("'http://{lb}/who?x=1'")), format!("lb {client} 1\n"));
    assert_eq!(ask(&mut c, &format!("-H 'Host: a.shop.example' http://{lb}/")), "shop of a.shop.example\n");
    assert!(ask(&mut c, &format!("http://{lb}/app/any")).contains("Welcome to nginx!"));
    assert!(ask(&mut c, &format!("http://{lb}/loop/x")).contains("500 Internal Server Error"));
    assert_eq!(ask(&mut c, &format!("http://{lb}/agent; curl -s -A me http://{lb}/agent")), "a curl\nanother\n");
    assert!(ask(&mut c, &format!("http://{lb}/private")).contains("403 Forbidden"));
    assert!(ask(&mut c, &format!("-X POST http://{lb}/app/any")).contains("405 Not Allowed"));
}

#[test]
fn requests_are_in_the_log() {
    let mut c = cluster(2);
    apply(&mut c, BALANCED);
    apply(&mut c, FRONTEND.split("---").nth(2).unwrap_or_default());
    run(&mut c, 60);
    let (web, lb, client) = (ip(&c, "web"), ip(&c, "lb"), ip(&c, "client"));
    exec(&mut c, "client", &format!("curl -s http://{web}/; curl -s -A me http://{web}/nope; curl -s http://{lb}/x"));
    run(&mut c, 1);
    // Times aside.
    let lines = |c: &mut cluster::Cluster, pod: &str| -> Vec<String> {
        let log = testkit::logs(c, pod);
        let all = log.lines().filter(|l| l.contains("GET "));
        all.map(|l| match l.split_once(" [error] ") {
            Some((_, why)) => why.split_once(": ").map_or(why, |(_, w)| w).to_string(),
            None => format!("{} {}", l.split(' ').next().unwrap_or(l), l.split_once("] ").map_or(l, |(_, r)| r)),
        })
        .collect()
    };
    assert_eq!(
        lines(&mut c, "web"),
        [
            format!("{client} \"GET / HTTP/1.1\" 200 288 \"-\" \"curl/8.5.0\" \"-\""),
            format!(
                "*2 open() \"/usr/share/nginx/html/nope\" failed (2: No such file or directory), client: {client}, server: \
                 localhost, request: \"GET /nope HTTP/1.1\", host: \"{web}\""
            ),
            format!("{client} \"GET /nope HTTP/1.1\" 404 153 \"-\" \"me\" \"-\""),
        ]
    );
    let said = lines(&mut c, "lb");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with(&format!("{client} \"GET /x HTTP/1.1\" 200 ")), "{said:?}");
}

#[test]
fn other_servers_log_theirs_in_their_own_words() {
    let mut c = cluster(1);
    for (name, image, more) in [
        ("httpd", "httpd:2.4", ""),
        ("bootcamp", "gcr.io/google-samples/kubernetes-bootcamp:v1", ""),
        ("netexec", "registry.k8s.io/e2e-test-images/agnhost:2.53", ", args: [netexec]"),
        ("python", "python:3.12", ", command: [python3, -m, http.server, '8000']"),
        ("client", "curlimages/curl", ", command: [sleep, '1000000']"),
    ] {
        apply(
            &mut c,
            &format!(
                "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{nodeName: node-1, containers: [{{name: c, \
                 image: '{image}'{more}}}]}}}}"
            ),
        );
    }
    run(&mut c, 60);
    let client = ip(&c, "client");
    // The last line, the digits of its time aside, which is between these.
    let mut last = |pod: &str, url: &str, (from, to): (&str, &str)| {
        let url = format!("http://{}{url}", ip(&c, pod));
        exec(&mut c, "client", &format!("curl -s -o /dev/null '{url}'"));
        let log = testkit::logs(&mut c, pod);
        let line = log.lines().last().unwrap_or_default();
        let start = line.find(from).map_or(0, |i| i + from.len());
        let end = line[start..].find(to).map_or(line.len(), |i| start + i);
        let time: String = line[start..end].chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        format!("{}{time}{}", &line[..start], &line[end..])
    };
    assert_eq!(
        last("httpd", "/nope", ("[", "]")),
        format!("{client} - - [00/Jan/0000:00:00:00 +0000] \"GET /nope HTTP/1.1\" 404 23")
    );
    assert_eq!(
        last("bootcamp", ":8080/", ("Uptime: ", "Z")),
        "Running On: bootcamp | Total Requests: 1 | App Uptime: 00.000 seconds | Log Time: 0000-00-00T00:00:00.000Z"
    );
    let netexec = last("netexec", ":8080/echo?msg=hi", ("", " GET"));
    assert_eq!(netexec, "0000/00/00 00:00:00 GET /echo?msg=hi&code=");
    assert_eq!(
        last("python", ":8000/nope", ("[", "]")),
        format!("{client} - - [00/Jan/0000 00:00:00] \"GET /nope HTTP/1.1\" 404 -")
    );
}
