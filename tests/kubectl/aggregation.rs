//! An API server of ours behind an APIService: real kubectl reaches it through kube-apiserver.

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use system_tests::Server;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, ServerConfig, ServerConnection, StreamOwned};

/// A request as it arrived: its head in lower case, and its body.
struct Asked {
    method: String,
    path: String,
    head: String,
    body: String,
}

/// An authority's certificate, base64 of PEM, and the TLS of a server that it has certified.
fn certified(name: &str) -> (String, Arc<ServerConfig>) {
    let mut ca = CertificateParams::new(Vec::new()).expect("parameters");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().expect("a key");
    let pem = ca.self_signed(&ca_key).expect("a certificate").pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().expect("a key");
    let own = CertificateParams::new(vec![name.to_string()]).expect("parameters");
    let own = own.signed_by(&key, &issuer).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = config.expect("versions").with_no_client_auth().with_single_cert(vec![own.der().clone()], key);
    (base64::engine::general_purpose::STANDARD.encode(pem), Arc::new(config.expect("a server")))
}

type Stream = StreamOwned<ServerConnection, TcpStream>;

/// Each request on a connection of its own; what was asked is kept.
fn serve(
    tls: Arc<ServerConfig>,
    answer: impl Fn(&Asked, &mut Stream) + Send + Sync + 'static,
) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let (kept, answer) = (heads.clone(), Arc::new(answer));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (tls, kept, answer) = (tls.clone(), kept.clone(), answer.clone());
            std::thread::spawn(move || {
                let connection = ServerConnection::new(tls).expect("a connection");
                let mut reader = BufReader::new(StreamOwned::new(connection, stream));
                let Some(asked) = read(&mut reader) else { return };
                kept.lock().expect("no panic").push(asked.head.clone());
                let mut stream = reader.into_inner();
                answer(&asked, &mut stream);
                stream.conn.send_close_notify();
                let _ = stream.flush();
            });
        }
    });
    (port, heads)
}

fn read(reader: &mut BufReader<Stream>) -> Option<Asked> {
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).ok()? > 2 {
        head.push_str(&line);
        line.clear();
    }
    let mut first = head.split(' ');
    let (method, path) = (first.next()?.to_string(), first.next()?.to_string());
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, path, head, body: String::from_utf8_lossy(&body).into_owned() })
}

fn reply(stream: &mut Stream, code: u16, kind: &str, body: &str) {
    let head = format!("HTTP/1.1 {code} X\r\nContent-Type: {kind}\r\nConnection: close");
    let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
}

fn flunder(name: &str) -> Value {
    json!({"apiVersion": "wardle.example.com/v1", "kind": "Flunder",
           "metadata": {"name": name, "namespace": "default", "resourceVersion": "7"}, "spec": {"reference": "fischer"}})
}

fn table() -> Value {
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "7"},
           "columnDefinitions": [{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0},
                                 {"name": "Reference", "type": "string", "format": "", "description": "", "priority": 0}],
           "rows": [{"cells": ["a", "fischer"], "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                     "metadata": {"name": "a", "namespace": "default"}}}]})
}

const DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A server with flunders: `a` is there, and `b` comes while somebody watches.
fn wardle(asked: &Asked, stream: &mut Stream) {
    let json = "application/json";
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let all = "/apis/wardle.example.com/v1/namespaces/default/flunders";
    match (asked.method.as_str(), path) {
        ("GET", "/apis") => {
            let verbs = json!(["create", "get", "list", "watch"]);
            let kind = json!({"group": "wardle.example.com", "version": "v1", "kind": "Flunder"});
            let resources = json!([{"resource": "flunders", "responseKind": kind, "scope": "Namespaced",
                                    "singularResource": "flunder", "shortNames": ["fl"], "verbs": verbs}]);
            let list = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": [
                {"metadata": {"name": "wardle.example.com"}, "versions": [{"version": "v1", "resources": resources}]}]});
            reply(stream, 200, DISCOVERY, &list.to_string());
        }
        ("GET", "/apis/wardle.example.com/v1") => {
            let list = json!({"kind": "APIResourceList", "groupVersion": "wardle.example.com/v1", "resources": []});
            reply(stream, 200, json, &list.to_string());
        }
        ("GET", "/openapi/v3") => {
            let url = "/openapi/v3/apis/wardle.example.com/v1?hash=AB";
            let index = json!({"paths": {"apis/wardle.example.com/v1": {"serverRelativeURL": url}}});
            reply(stream, 200, json, &index.to_string());
        }
        ("GET", "/openapi/v3/apis/wardle.example.com/v1") => {
            let gvk = json!([{"group": "wardle.example.com", "version": "v1", "kind": "Flunder"}]);
            let spec = json!({"type": "object", "description": "What a flunder refers to."});
            let schema = json!({"type": "object", "description": "A flunder.", "properties": {"spec": spec},
                                "x-kubernetes-group-version-kind": gvk});
            let get = json!({"operationId": "x", "responses": {"200": {"description": "OK"}},
                             "x-kubernetes-action": "list", "x-kubernetes-group-version-kind": gvk[0]});
            let document = json!({"openapi": "3.0.0", "info": {"title": "wardle", "version": "v1"},
                "paths": {"/apis/wardle.example.com/v1/namespaces/{namespace}/flunders": {"get": get}},
                "components": {"schemas": {"io.wardle.v1.Flunder": schema}}});
            reply(stream, 200, json, &document.to_string());
        }
        ("GET", p) if p == all && query.contains("watch=") => {
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: {json}\r\nTransfer-Encoding: chunked\r\n\r\n");
            for name in ["b", "c"] {
                let event = format!("{}\n", json!({"type": "ADDED", "object": flunder(name)}));
                let _ = write!(stream, "{:x}\r\n{event}\r\n", event.len());
                let _ = stream.flush();
                std::thread::sleep(Duration::from_millis(200));
            }
            // It stays open until the client has enough.
            std::thread::sleep(Duration::from_secs(60));
        }
        ("GET", p) if p == all && asked.head.contains("as=table") => reply(stream, 200, json, &table().to_string()),
        ("GET", p) if p == all => {
            let list = json!({"kind": "FlunderList", "apiVersion": "wardle.example.com/v1",
                              "metadata": {"resourceVersion": "7"}, "items": [flunder("a")]});
            reply(stream, 200, json, &list.to_string());
        }
        ("POST", p) if p == all => reply(stream, 201, json, &asked.body),
        ("GET", p) if p == format!("{all}/moved") => {
            let _ = write!(stream, "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
        }
        _ => reply(stream, 404, "text/plain", "404 page not found\n"),
    }
}

fn api_service(port: u16, ca: &str) -> String {
    let trust = if ca.is_empty() { json!({"insecureSkipTLSVerify": true}) } else { json!({"caBundle": ca}) };
    let mut spec = json!({"group": "wardle.example.com", "version": "v1", "groupPriorityMinimum": 1000,
                          "versionPriority": 15, "service": {"namespace": "default", "name": "wardle", "port": port}});
    let both = (spec.as_object_mut(), trust.as_object());
    both.0.into_iter().for_each(|s| s.extend(both.1.cloned().into_iter().flatten()));
    json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
           "metadata": {"name": "v1.wardle.example.com"}, "spec": spec})
    .to_string()
}

#[test]
fn another_api_server_answers_for_its_group() {
    let Some(s) = Server::start(&["--sim-nodes", "0"]) else { return };
    let (ca, tls) = certified("wardle.default.svc");
    let (port, heads) = serve(tls, wardle);
    let apply = |text: String| s.k(&format!("apply -f {}", s.file("o.json", &text)));
    let fails = |words: &str| s.kubectl(&words.split(' ').collect::<Vec<_>>()).bad();
    apply(api_service(port, &ca));
    let condition = "get apiservice v1.wardle.example.com -o jsonpath={.status.conditions[0].reason}:{.status.conditions[0].message}";
    s.until(condition, |said| said == "ServiceNotFound:service/wardle in \"default\" is not present");
    assert!(
        fails("get --raw /apis/wardle.example.com/v1/flunders")
            .contains("the server is currently unable to handle the request")
    );
    let outside = json!({"type": "ExternalName", "externalName": "localhost"});
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "wardle"}, "spec": outside});
    apply(service.to_string());
    s.k("wait --for=condition=Available apiservice/v1.wardle.example.com --timeout=30s");
    assert_eq!(s.k(condition), "Passed:all checks passed");

    let resources = s.k("api-resources --api-group=wardle.example.com");
    assert!(resources.contains("flunders   fl           wardle.example.com/v1   true         Flunder"), "{resources}");
    assert_eq!(s.k("get fl"), "NAME   REFERENCE\na      fischer\n");
    assert_eq!(s.k("get flunders -o name"), "flunder.wardle.example.com/a\n");
    assert!(s.k("explain flunder").contains("What a flunder refers to."));
    let made = s.k(&format!("create --validate=false -f {}", s.file("d.json", &flunder("d").to_string())));
    assert_eq!(made, "flunder.wardle.example.com/d created\n");
    // What comes while somebody watches arrives while the connection is open.
    let watched = s.kubectl(&["get", "fl", "-w", "-o", "name", "--request-timeout=3s"]).out;
    let names: Vec<&str> = watched.lines().map(|l| l.trim_start_matches("flunder.wardle.example.com/")).collect();
    assert_eq!(names, ["a", "b", "c"]);

    // The other server knows the user, and not the user's credentials.
    let heads = std::mem::take(&mut *heads.lock().expect("no panic"));
    let probe = heads.iter().find(|h| h.starts_with("get /apis/wardle.example.com/v1 ")).expect("a probe");
    assert!(
        probe.contains("x-remote-user: system:kube-aggregator") && probe.contains("x-remote-group: system:masters")
    );
    let post = heads.iter().find(|h| h.starts_with("post ")).expect("a request");
    assert!(
        post.contains("x-remote-user: kubernetes-admin") && post.contains("x-remote-group: system:masters"),
        "{post}"
    );
    assert!(!post.contains("authorization:") && post.contains("fieldmanager=kubectl-create"), "{post}");

    assert!(
        fails("get fl --as jane")
            .contains("User \"jane\" cannot list resource \"flunders\" in API group \"wardle.example.com\"")
    );
    let moved = fails("get --raw /apis/wardle.example.com/v1/namespaces/default/flunders/moved");
    assert!(moved.contains("the backend attempted to redirect this request"), "{moved}");

    // Another authority: the server counts as there, and is not believed.
    let (other, _) = certified("x");
    s.k("delete apiservice v1.wardle.example.com");
    apply(api_service(port, &other));
    s.k("wait --for=condition=Available apiservice/v1.wardle.example.com --timeout=30s");
    let refused = fails("get --raw /apis/wardle.example.com/v1/namespaces/default/flunders -v 8");
    let why = "error trying to reach service: tls: failed to verify certificate: x509: certificate signed by unknown authority";
    assert!(refused.contains(why), "{refused}");
}
