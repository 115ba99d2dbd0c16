//! A small cluster's API server to talk HTTP to: namespaces `default` and `kube-system`, each with its default
//! service account; the clock stands at the start of the simulation unless moved.

use apiserver::http::{HttpRequest, HttpResponse, Routed, Wants, render, route};
use apiserver::{Answer, ApiCx, ApiServer, Callees, Config, Request, RequestVerb, Response, Stored};
use meta::{Duration, Rng, Time, User};
use serde_json::Value;
use store::Store;

pub const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

pub struct World {
    pub server: ApiServer,
    pub store: Store<Stored>,
    pub rng: Rng,
    pub now: Time,
    /// See [`ApiCx`].
    pub accounts_come: bool,
    pub callees: Callees,
}

impl World {
    pub fn new() -> Self {
        let mut w = World {
            server: ApiServer::new(Config::default()),
            store: Store::new(),
            rng: Rng::new(1),
            now: Time::SIMULATION_START,
            accounts_come: false,
            callees: Callees::default(),
        };
        for ns in ["default", "kube-system"] {
            w.ok("POST", "/api/v1/namespaces", &format!(r#"{{"metadata":{{"name":"{ns}"}}}}"#));
            let account = r#"{"metadata":{"name":"default"}}"#;
            w.ok("POST", &format!("/api/v1/namespaces/{ns}/serviceaccounts"), account);
        }
        w
    }

    pub fn handle(&mut self, req: Request) -> Answer {
        let mut cx = ApiCx {
            now: self.now,
            store: &mut self.store,
            rng: &mut self.rng,
            accounts_come: self.accounts_come,
            callees: &self.callees,
        };
        self.server.handle(&mut cx, req)
    }

    /// An in-process request as the administrator.
    pub fn request(verb: RequestVerb, kind: &str, namespace: &str, name: &str) -> Request {
        let kind = api::KINDS.iter().find(|k| k.kind == kind).expect("a registered kind");
        Request::new(User::admin(), verb, kind, namespace, name)
    }

    pub fn advance(&mut self, secs: u64) {
        self.now += Duration::from_secs(secs);
    }

    pub fn answer(
        &mut self,
        method: &str,
        path: &str,
        accept: &str,
        content_type: &str,
        body: &str,
    ) -> (Answer, Wants) {
        self.answer_as(User::admin(), method, path, accept, content_type, body)
    }

    pub fn answer_as(
        &mut self,
        user: User,
        method: &str,
        path: &str,
        accept: &str,
        content_type: &str,
        body: &str,
    ) -> (Answer, Wants) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (user_agent, body) = ("kubectl/v1.35.0 (linux/amd64) kubernetes/66452049", body.as_bytes().to_vec());
        let http = HttpRequest { method, path, query, accept, content_type, user_agent, user, body };
        if let Err(e) = self.server.authorize_http(&self.store, &http) {
            return (Answer::refusal(e), Wants::default());
        }
        match route(self.server.kinds(), http) {
            Routed::Api(req, wants) => (self.handle(*req), wants),
            Routed::Direct(answer, wants) => (answer, wants),
        }
    }

    pub fn http(&mut self, method: &str, path: &str, accept: &str, content_type: &str, body: &str) -> HttpResponse {
        let (answer, wants) = self.answer(method, path, accept, content_type, body);
        render(&answer, &wants, self.now)
    }

    /// A JSON request; patches go as merge patches.
    pub fn json(&mut self, method: &str, path: &str, body: &str) -> HttpResponse {
        let content_type = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        self.http(method, path, "application/json", content_type, body)
    }

    /// A JSON request of somebody else than the administrator.
    pub fn json_as(&mut self, user: User, method: &str, path: &str, body: &str) -> HttpResponse {
        let (answer, wants) = self.answer_as(user, method, path, "application/json", "application/json", body);
        render(&answer, &wants, self.now)
    }

    /// The parsed body of a request that must succeed.
    pub fn ok(&mut self, method: &str, path: &str, body: &str) -> Value {
        let r = self.json(method, path, body);
        let text = String::from_utf8_lossy(&r.body).into_owned();
        assert!(r.code < 300, "{method} {path}: {} {text}", r.code);
        serde_json::from_slice(&r.body).unwrap_or(Value::String(text))
    }

    /// `422 Invalid: message`, or `200` and what `show` picks.
    pub fn line(&mut self, method: &str, path: &str, body: &str) -> String {
        summary(&self.json(method, path, body))
    }

    pub fn pod(&mut self, name: &str) -> Value {
        let body = format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}"}},"spec":{{"containers":[{{"name":"c","image":"nginx"}}]}}}}"#
        );
        self.ok("POST", "/api/v1/namespaces/default/pods", &body)
    }

    pub fn get(&mut self, path: &str) -> Value {
        self.ok("GET", path, "")
    }
}

/// One readable line of a response.
pub fn summary(r: &HttpResponse) -> String {
    let body: Value = serde_json::from_slice(&r.body).unwrap_or_default();
    let text = |p: &str| body.pointer(p).and_then(Value::as_str).unwrap_or("").to_string();
    let mut line = match body.get("kind").and_then(Value::as_str) {
        Some("Status") if text("/status") == "Failure" => {
            format!("{} {}: {}", r.code, text("/reason"), text("/message"))
        }
        Some("Status") => format!("{} Success", r.code),
        Some(kind) if kind.ends_with("List") => {
            let names: Vec<&str> = body["items"]
                .as_array()
                .map(|l| l.iter().filter_map(|i| i.pointer("/metadata/name").and_then(Value::as_str)).collect())
                .unwrap_or_default();
            format!("{} {kind} [{}]", r.code, names.join(" "))
        }
        Some(kind) => format!("{} {kind} {}", r.code, text("/metadata/name")),
        None => format!("{} {}", r.code, String::from_utf8_lossy(&r.body)),
    };
    for w in &r.warnings {
        line.push_str("\n  warning ");
        line.push_str(w);
    }
    line
}

/// The events of an answer: `MODIFIED pods/default/web`.
pub fn events(a: &Answer) -> String {
    let lines: Vec<String> = a
        .events
        .iter()
        .map(|e| {
            let what = match (&e.old, &e.new) {
                (None, _) => "ADDED",
                (_, None) => "DELETED",
                _ => "MODIFIED",
            };
            format!("{what} {}", e.key)
        })
        .collect();
    lines.join("\n")
}

/// The code of an in-process answer, with its message when it is a refusal.
pub fn outcome(a: &Answer) -> String {
    match (&a.response, a.error()) {
        (_, Some(e)) => format!("{} {}: {e}", a.code, e.reason()),
        (Response::Object(o), _) => format!("{} {o:?}", a.code),
        (Response::Status(_), _) => format!("{} Success", a.code),
        (other, _) => format!("{} {other:?}", a.code),
    }
}
