//! `kubectl describe`, ours and the real one, of every object of a rich cluster: the same bytes.
#![expect(clippy::disallowed_methods, reason = "ages are told at the real time")]

use crate::client::Http;
use kubectl::client::{Client, Future, Request, Response, Stream, get_json};
use kubectl::describe::{Settings, describe};
use kubectl::{Error, Mapping};
use serde_json::Value;
use std::cell::Cell;
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use system_tests::{Proxy, Ran, Server};

/// At a time that is set.
struct Direct {
    http: Http,
    now: Cell<i64>,
}

impl Client for Direct {
    fn request(&self, r: Request) -> Future<'_, Result<Response, String>> {
        self.http.request(r)
    }
    fn stream(&self, r: Request) -> Future<'_, Result<Box<dyn Stream>, Response>> {
        self.http.stream(r)
    }
    fn now(&self) -> i64 {
        self.now.get()
    }
}

/// The client answers at once.
fn wait<T>(future: impl std::future::Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("an answer is still out"),
    }
}

fn clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(0)
}

/// Every kind that can be listed, in the version that discovery prefers.
fn kinds(client: &dyn Client) -> Vec<Mapping> {
    let get = |path: &str| wait(get_json(client, path)).unwrap_or_else(|e| panic!("{path}: {}", e.go()));
    let mut roots = vec![(String::new(), "v1".to_string(), get("/api/v1"))];
    for group in get("/apis")["groups"].as_array().into_iter().flatten() {
        let preferred = group["preferredVersion"]["groupVersion"].as_str().unwrap_or("");
        let Some((group, version)) = preferred.split_once('/') else { continue };
        roots.push((group.into(), version.into(), get(&format!("/apis/{preferred}"))));
    }
    let mut kinds = Vec::new();
    for (group, version, list) in roots {
        for r in list["resources"].as_array().into_iter().flatten() {
            let text = |field: &str| r[field].as_str().unwrap_or("").to_string();
            let verbs: Vec<String> =
                r["verbs"].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(String::from)).collect();
            let has = |verb: &str| verbs.iter().any(|v| v == verb);
            if text("name").contains('/') || !has("list") || !has("get") {
                continue;
            }
            kinds.push(Mapping {
                group: group.clone(),
                version: version.clone(),
                kind: text("kind"),
                resource: text("name"),
                namespaced: r["namespaced"] == true,
                ..Mapping::default()
            });
        }
    }
    kinds
}

/// The objects of a kind, each with its kind and version, as kubectl reads them from a list.
fn objects(client: &dyn Client, kind: &Mapping) -> Result<Vec<Value>, Error> {
    let mut list = wait(get_json(client, &kind.path(None, None)))?;
    let Value::Array(mut items) = list["items"].take() else { return Ok(Vec::new()) };
    for item in &mut items {
        item["apiVersion"] = kind.api_version().into();
        item["kind"] = kind.kind.clone().into();
    }
    Ok(items)
}

/// What differs between the real description of all objects of a kind, made between two moments, and ours.
fn difference(client: &Direct, kind: &Mapping, real: &str, from: i64, to: i64) -> Result<usize, String> {
    let objects = objects(client, kind).map_err(|e| e.go())?;
    let mut rest = real;
    for (i, object) in objects.iter().enumerate() {
        if i != 0 {
            rest = rest.strip_prefix("\n\n").ok_or_else(|| format!("more than the real one has:\n{rest}"))?;
        }
        let mut ours = String::new();
        // It was described at one of these moments.
        let step = 200_000;
        let found = (from / step..=to / step + 1).any(|now| {
            client.now.set(now * step);
            ours = wait(describe(client, kind, object, &Settings::default())).unwrap_or_else(|e| e.said());
            rest.starts_with(&ours)
        });
        if !found {
            let pairs = ours.lines().zip(rest.lines());
            let same = pairs.take_while(|(a, b)| a == b).count();
            let near = |text: &str| text.lines().skip(same.saturating_sub(3)).take(8).collect::<Vec<_>>().join("\n");
            let name = object["metadata"]["name"].as_str().unwrap_or("");
            return Err(format!(
                "{} {name}\n--- ours\n{}\n--- the real one\n{}",
                kind.qualified(),
                near(&ours),
                near(rest)
            ));
        }
        rest = &rest[ours.len()..];
    }
    if rest.is_empty() { Ok(objects.len()) } else { Err(format!("the real one has more: {rest}")) }
}

#[test]
fn every_object_of_a_rich_cluster_is_described_alike() {
    let Some(kubectl) = system_tests::kubectl_of_our_version() else { return };
    let Some(s) = Server::start(&[]) else { return };
    let real = |args: &[&str]| {
        let mut c = Command::new(&kubectl);
        c.arg("--kubeconfig").arg(s.kubeconfig()).args(args).env("HOME", s.home());
        c
    };
    for file in ["pods", "workloads", "network", "cluster"] {
        Ran::of(&mut real(&["apply", "-f", &system_tests::manifest(&format!("describe/{file}.yaml"))])).good();
    }
    s.k("-n rich wait --for=condition=Available deployment/web --timeout=60s");
    s.k("wait --for=condition=Established crd/gadgets.example.com --timeout=60s");
    s.apply("describe/gadgets.yaml");
    s.k("-n rich set image deployment/web c=nginx:1.27");
    s.k("-n rich debug everything --image=busybox --container=helper -- sleep 86400");
    s.k("-n rich delete pod leaving --wait=false");
    s.k("taint nodes node-1 b=c:NoSchedule a=b:PreferNoSchedule");
    s.until("-n rich get pod crash", |o| o.contains("CrashLoopBackOff"));
    s.until("-n rich get pod done", |o| o.contains("Completed"));
    s.until("-n rich get job once", |o| o.contains("1/1"));

    let proxy = Proxy::start(real(&[]));
    let client = Direct { http: Http(proxy.address.clone()), now: Cell::new(0) };
    let mut described = 0;
    let mut failures = Vec::new();
    for kind in kinds(&client) {
        let name = kind.qualified();
        // The cluster goes on meanwhile; several tries find it at rest between two readings.
        let mut last = String::new();
        for _ in 0..6 {
            let from = clock();
            let ran = Ran::of(&mut real(&["describe", &name, "-A"]));
            match difference(&client, &kind, &ran.out, from, clock()) {
                Ok(n) => {
                    described += n;
                    last.clear();
                    break;
                }
                Err(e) => last = format!("{e}\n{}", ran.err),
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        if !last.is_empty() {
            failures.push(last);
        }
    }
    assert!(failures.is_empty(), "{} kinds differ:\n{}", failures.len(), failures.join("\n\n"));
    assert!(described > 200, "only {described} objects");
}
