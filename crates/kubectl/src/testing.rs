//! A server of ConfigMaps, files and a screen, for tests of whole commands.

use crate::client::{Client, Future, Request, Response, Stream};
use crate::env::{Env, Files, Session, Terminal};
use crate::kubeconfig::Config;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

const CONFIGMAPS: &str = "/api/v1/namespaces/default/configmaps";

/// Refuses ConfigMaps that have a key `bad`.
#[derive(Default)]
pub struct Server {
    pub objects: RefCell<BTreeMap<String, Value>>,
    /// What a watch begins with, in one piece.
    pub watched: String,
    pub asked: RefCell<u64>,
}

impl Server {
    fn answer(&self, r: &Request) -> (u16, Value) {
        let path = r.path.split('?').next().unwrap_or("");
        let body: Value = serde_json::from_slice(&r.body).unwrap_or_default();
        let mut objects = self.objects.borrow_mut();
        let name = path.strip_prefix(CONFIGMAPS).map(|n| n.trim_start_matches('/').to_string());
        let not_found =
            json!({"kind": "Status", "reason": "NotFound", "message": format!("{path} not found"), "code": 404});
        match (r.method, name) {
            ("GET", None) if path == "/api" => (200, discovery()),
            ("GET", None) => (
                if path == "/apis" { 200 } else { 404 },
                if path == "/apis" { json!({"items": []}) } else { not_found },
            ),
            ("GET", Some(n)) if n.is_empty() => (
                200,
                json!({"kind": "ConfigMapList", "apiVersion": "v1", "items": objects.values().collect::<Vec<_>>()}),
            ),
            ("GET", Some(n)) => objects.get(&n).map_or((404, not_found), |o| (200, o.clone())),
            ("DELETE", Some(n)) => objects.remove(&n).map_or((404, not_found), |o| (200, o)),
            ("POST" | "PATCH", Some(n)) => {
                let mut object = objects.get(&n).cloned().unwrap_or_default();
                json_patch::merge(&mut object, &body);
                let name = object["metadata"]["name"].as_str().unwrap_or("").to_string();
                if object["data"].get("bad").is_some() {
                    let causes = json!([{"field": "data", "message": "Invalid value"}]);
                    let details = json!({"kind": "ConfigMap", "name": name, "causes": causes});
                    let message = format!("ConfigMap {name:?} is invalid: data: Invalid value");
                    return (
                        422,
                        json!({"kind": "Status", "reason": "Invalid", "message": message, "details": details, "code": 422}),
                    );
                }
                *self.asked.borrow_mut() += 1;
                if object["metadata"]["uid"].is_null() {
                    object["metadata"]["uid"] = format!("u{}", self.asked.borrow()).into();
                }
                objects.insert(name, object.clone());
                (200, object)
            }
            _ => (405, json!({})),
        }
    }
}

fn discovery() -> Value {
    let resource = |kind: &str, plural: &str, scope: &str| {
        json!({"resource": plural, "responseKind": {"group": "", "version": "v1", "kind": kind}, "scope": scope, "shortNames": [kind[..1].to_lowercase() + "m"],
            "singularResource": kind.to_lowercase(), "verbs": ["get", "list"]})
    };
    let resources =
        json!([resource("ConfigMap", "configmaps", "Namespaced"), resource("Event", "events", "Namespaced")]);
    json!({"items": [{"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": resources}]}]})
}

struct Once(Option<Vec<u8>>);

impl Stream for Once {
    fn next(&mut self) -> Future<'_, Option<Vec<u8>>> {
        Box::pin(std::future::ready(self.0.take()))
    }
}

impl Client for Server {
    fn request(&self, r: Request) -> Future<'_, Result<Response, String>> {
        let (status, body) = self.answer(&r);
        let body = body.to_string().into_bytes();
        Box::pin(std::future::ready(Ok(Response { status, headers: Vec::new(), body })))
    }
    fn stream(&self, _: Request) -> Future<'_, Result<Box<dyn Stream>, Response>> {
        let once: Box<dyn Stream> = Box::new(Once(Some(self.watched.clone().into_bytes())));
        Box::pin(std::future::ready(Ok(once)))
    }
    fn now(&self) -> i64 {
        // 2026-01-01T00:00:00Z
        1_767_225_600_000_000
    }
}

/// Files by their paths. The working directory is `/w`.
#[derive(Default)]
pub struct Disk(pub BTreeMap<String, String>);

impl Disk {
    /// Of `path` and text in turn.
    pub fn of(files: &[(&str, &str)]) -> Disk {
        Disk(files.iter().map(|(p, t)| ((*p).to_string(), (*t).to_string())).collect())
    }
}

impl Files for Disk {
    fn read(&self, path: &str) -> Option<String> {
        self.0.get(path.strip_prefix("/w/").unwrap_or(path)).cloned()
    }
    fn list(&self, path: &str) -> Option<Vec<String>> {
        let path = path.strip_prefix("/w").map_or(path, |p| p.trim_start_matches('/')).trim_end_matches('/');
        let within = |known: &String| {
            let rest = if matches!(path, "" | ".") { known } else { known.strip_prefix(path)?.strip_prefix('/')? };
            Some(rest.split('/').next()?.to_string())
        };
        let mut names: Vec<String> = self.0.keys().filter_map(within).collect();
        names.dedup();
        (!names.is_empty()).then_some(names)
    }
    fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') {
            return path.into();
        }
        let rest = path.trim_start_matches("./").trim_end_matches('/');
        if matches!(rest, "" | ".") { "/w".into() } else { format!("/w/{rest}") }
    }
}

pub type Edit = fn(&str) -> String;

#[derive(Default)]
pub struct Screen {
    pub out: String,
    pub err: String,
    /// What is done in the editor, one time after the other.
    pub edits: VecDeque<Edit>,
    /// What the editor was opened with.
    pub shown: Vec<String>,
}

impl Terminal for Screen {
    fn out(&mut self, text: &str) {
        self.out.push_str(text);
    }
    fn err(&mut self, text: &str) {
        self.err.push_str(text);
    }
    fn edit(&mut self, _: &str, text: String) -> Future<'_, Result<String, String>> {
        let done = self.edits.pop_front().map(|e| e(&text)).ok_or_else(|| "Edit cancelled".to_string());
        self.shown.push(text);
        Box::pin(std::future::ready(done))
    }
    fn sleep(&self, _: i64) -> Future<'_, ()> {
        Box::pin(std::future::ready(()))
    }
    fn exec(&mut self, _: Session) -> Future<'_, Result<i32, String>> {
        Box::pin(std::future::ready(Err(String::new())))
    }
    fn forward(&mut self, _: &str, _: &str, _: &[(u16, u16)]) -> Future<'_, Result<(), String>> {
        Box::pin(std::future::ready(Err(String::new())))
    }
}

/// Runs a command line; its exit code.
pub fn run(line: &str, server: &Server, disk: &Disk, screen: &mut Screen) -> i32 {
    let args: Vec<String> = line.split(' ').map(String::from).collect();
    let mut config = Config::one("", "", "", "", "");
    let mut env = Env { client: server, files: disk, terminal: screen, config: &mut config, stdin: None, help: "" };
    let mut future = pin!(crate::run(&args, &mut env));
    // Everything is answered at once.
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(code) => code,
        Poll::Pending => panic!("an answer was waited for"),
    }
}
