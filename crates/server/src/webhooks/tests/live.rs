//! Webhooks of a cluster that runs: they ask the API server before they answer it.

use super::super::{Guests, Webhooks};
use super::certified;
use crate::world::{Handle, Messengers, World};
use apiserver::http::HttpRequest;
use base64::Engine as _;
use bytes::Bytes;
use cluster::http::HttpOutcome;
use cluster::{Cluster, Config};
use meta::{Duration, User};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const V1: &str = "/apis/stable.example.com/v1/namespaces/default/e2es";
const V2: &str = "/apis/stable.example.com/v2/namespaces/default/e2es";

enum Sent {
    Answer(u16, Value),
    Watch(Bytes, mpsc::Receiver<Bytes>),
}

async fn send(handle: &Handle, method: &'static str, path: &'static str, body: Value) -> Sent {
    let sent = handle.try_until(move |w, errand| {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = HttpRequest { body, ..HttpRequest::bare(method, path, query, User::admin()) };
        Ok(match w.cluster.try_http(request, errand)? {
            HttpOutcome::Response(r) => Sent::Answer(r.code, serde_json::from_slice(&r.body).unwrap_or_default()),
            HttpOutcome::Watch { watcher, initial } => Sent::Watch(initial.into(), w.add_watch(watcher)),
            _ => panic!("neither an answer nor a watch"),
        })
    });
    sent.await.expect("the server runs")
}

async fn ok(handle: &Handle, method: &'static str, path: &'static str, body: Value) -> Value {
    match send(handle, method, path, body).await {
        Sent::Answer(code, answer) => {
            assert!(code < 300, "{method} {path}: {code} {answer}");
            answer
        }
        Sent::Watch(..) => panic!("a watch"),
    }
}

/// Says yes, and turns `hostPort` into `host` and `port`, when the API server has told it about a namespace.
async fn answer(handle: &Handle, tls: &TlsAcceptor, stream: TcpStream) {
    let mut stream = tls.accept(stream).await.expect("a handshake");
    let mut request = Vec::new();
    let body = loop {
        let mut piece = [0; 4096];
        let n = stream.read(&mut piece).await.expect("a request");
        request.extend_from_slice(&piece[..n]);
        let text = String::from_utf8_lossy(&request).into_owned();
        match text.split_once("\r\n\r\n") {
            Some((head, body)) if head.contains(&format!("content-length: {}", body.len())) => break body.to_string(),
            _ => assert!(n > 0, "half a request"),
        }
    };
    let review: Value = serde_json::from_str(&body).expect("a review");
    let namespace = ok(handle, "GET", "/api/v1/namespaces/default", Value::Null).await;
    assert_eq!(namespace["metadata"]["name"], "default");
    let asked = &review["request"];
    let response = match asked["objects"].as_array() {
        None => json!({"uid": asked["uid"], "allowed": asked["object"]["data"]["bad"].is_null()}),
        Some(objects) => {
            let converted = objects.iter().map(|o| {
                let whole = o["hostPort"].as_str().unwrap_or_default();
                let (host, port) = whole.split_once(':').unwrap_or_default();
                json!({"apiVersion": asked["desiredAPIVersion"], "kind": o["kind"], "metadata": o["metadata"],
                    "host": host, "port": port})
            });
            let converted: Vec<Value> = converted.collect();
            json!({"uid": asked["uid"], "result": {"status": "Success"}, "convertedObjects": converted})
        }
    };
    let whole = json!({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}).to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", whole.len());
    stream.write_all(format!("{head}{whole}").as_bytes()).await.expect("an answer");
    let _ = stream.shutdown().await;
}

fn version(name: &str, storage: bool, fields: &[&str]) -> Value {
    let fields: serde_json::Map<String, Value> =
        fields.iter().map(|f| ((*f).to_string(), json!({"type": "string"}))).collect();
    json!({"name": name, "served": true, "storage": storage,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": fields}}})
}

#[test]
fn webhooks_may_ask_the_api_server_before_they_answer_it() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let (ca, tls) = certified("127.0.0.1");
    let ca = base64::engine::general_purpose::STANDARD.encode(ca);
    let mut cluster = Cluster::new(Config::default()).expect("the default configuration is sound");
    cluster.advance(Duration::from_secs(10));
    let webhooks = Webhooks { tokio: runtime.handle().clone(), guests: Guests::default(), identity: None };
    cluster.call_webhooks(Arc::new(webhooks.clone()));
    cluster.hand_out_questions();
    let (handle, _services) = World::start(cluster).expect("a thread");
    runtime.block_on(async {
        let messengers = Messengers { webhooks, handle: handle.clone() };
        handle.ask(move |w| w.webhooks = Some(messengers)).await.expect("it runs");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let own = handle.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                answer(&own, &tls, stream).await;
            }
        });
        let client = json!({"url": format!("https://127.0.0.1:{port}/x"), "caBundle": ca});
        let rules = json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}]);
        let hook = json!({"name": "a.example.com", "rules": rules, "clientConfig": client, "sideEffects": "None",
            "admissionReviewVersions": ["v1"]});
        let hooks = json!({"metadata": {"name": "a"}, "webhooks": [hook]});
        ok(&handle, "POST", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", hooks).await;
        ok(&handle, "POST", MAPS, json!({"metadata": {"name": "good"}})).await;
        let bad = send(&handle, "POST", MAPS, json!({"metadata": {"name": "bad"}, "data": {"bad": "x"}})).await;
        assert!(matches!(bad, Sent::Answer(400, _)));
        // A component's writes, too: every namespace gets a map.
        ok(&handle, "POST", "/api/v1/namespaces", json!({"metadata": {"name": "n"}})).await;
        for path in ["/api/v1/namespaces/n/configmaps/kube-root-ca.crt"] {
            loop {
                match send(&handle, "GET", path, Value::Null).await {
                    Sent::Answer(200, _) => break,
                    _ => handle.ask(|w| w.cluster.advance(Duration::from_secs(1))).await.expect("it runs"),
                }
            }
        }
        let webhook = json!({"clientConfig": client, "conversionReviewVersions": ["v1"]});
        let definition = json!({
            "metadata": {"name": "e2es.stable.example.com"},
            "spec": {"group": "stable.example.com", "scope": "Namespaced", "names": {"plural": "e2es", "kind": "E2e"},
                "conversion": {"strategy": "Webhook", "webhook": webhook},
                "versions": [version("v1", true, &["hostPort"]), version("v2", false, &["host", "port"])]}});
        ok(&handle, "POST", DEFINITIONS, definition).await;
        handle.ask(|w| w.cluster.advance(Duration::from_secs(10))).await.expect("it runs");
        let one = |name: &str, whole: &str| json!({"apiVersion": "stable.example.com/v1", "kind": "E2e", "metadata": {"name": name}, "hostPort": whole});
        ok(&handle, "POST", V1, one("a", "localhost:8080")).await;
        let list = ok(&handle, "GET", V2, Value::Null).await;
        assert_eq!((&list["items"][0]["host"], &list["items"][0]["port"]), (&json!("localhost"), &json!("8080")));
        let watch = "/apis/stable.example.com/v2/namespaces/default/e2es?watch=1";
        let Sent::Watch(initial, mut frames) = send(&handle, "GET", watch, Value::Null).await else { panic!("an answer") };
        let frame = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).expect("a frame");
        assert_eq!(frame(&initial)["object"]["host"], "localhost");
        ok(&handle, "POST", V1, one("b", "b:1")).await;
        ok(&handle, "POST", V1, one("c", "c:1")).await;
        for name in ["b", "c"] {
            let next = frame(&frames.recv().await.expect("a frame"));
            assert_eq!((&next["type"], &next["object"]["host"]), (&json!("ADDED"), &json!(name)));
        }
    });
}
