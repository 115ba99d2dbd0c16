//! What the API server answers.

use crate::conversion::Converted;
use crate::request::{LogOptions, StreamOptions};
use crate::select::Filter;
use crate::stored::Stored;
use api::{KindRef, Obj};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use meta::{ApiError, Key};

/// The outcome of one request.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub code: u16,
    pub response: Response,
    /// What the request changed, in order; empty for reads, refusals and dry runs.
    pub events: Vec<store::Event<Stored>>,
    /// Texts of `Warning` headers.
    pub warnings: Vec<String>,
}

#[derive(Debug)]
pub enum Response {
    Object(Obj),
    List {
        kind: KindRef,
        items: Vec<Obj>,
        resource_version: u64,
        /// Empty when this is the last page.
        continue_token: String,
        remaining: Option<i64>,
    },
    Status(Box<Status>),
    /// Legacy discovery, version, Scale: JSON ready to send.
    Json(Vec<u8>),
    /// JSON that is laid out for people and always sent so.
    Document(Vec<u8>),
    /// Aggregated discovery: JSON that clients recognize by its media type.
    Discovery(Vec<u8>),
    Text(String),
    /// The host streams: see [`crate::watch::Watcher`].
    Watch(Box<WatchSpec>),
    /// The host asks the kubelet.
    Logs {
        pod: Key,
        options: LogOptions,
    },
    /// The host connects to a pod or through a service.
    Proxy(ProxyTarget),
    /// The host upgrades the connection.
    Connect(ConnectTarget),
    /// Of kinds that are not stored: the host works it out.
    Live(LiveQuery),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connect {
    Exec,
    Attach,
    PortForward,
}

/// One object when there is a name, else a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveQuery {
    pub kind: KindRef,
    /// Empty: all namespaces.
    pub namespace: String,
    pub name: String,
    pub filter: Filter,
}

/// `pods/NAME/exec`, `attach` or `portforward`, checked: there is such a pod and it has a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTarget {
    pub connect: Connect,
    pub pod: Key,
    pub pod_uid: String,
    pub node: String,
    /// Empty for `portforward`.
    pub container: String,
    pub options: StreamOptions,
}

/// `pods/NAME:PORT/proxy/PATH`, and the same of `services` and `nodes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyTarget {
    /// Pod, Service or Node.
    pub kind: KindRef,
    pub key: Key,
    /// `http` or `https`.
    pub scheme: String,
    /// A number or a port's name; empty when the request named none.
    pub port: String,
    /// With its leading slash.
    pub path: String,
}

/// What a watch was asked to deliver.
#[derive(Clone, Debug)]
pub struct WatchSpec {
    pub kind: KindRef,
    /// See [`crate::RequestOptions::form`].
    pub form: Option<KindRef>,
    /// Empty: all namespaces.
    pub namespace: String,
    pub filter: Filter,
    pub from: WatchFrom,
    pub allow_bookmarks: bool,
    /// A webhook brings the objects into the version that is asked for; what it has made of those that come first.
    pub is_converted: bool,
    pub converted: Converted,
    /// The server ends the stream after so many seconds.
    pub timeout_seconds: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchFrom {
    /// The present state as synthetic ADDED events, then changes. `bookmark`: end the state with the
    /// `k8s.io/initial-events-end` bookmark (`sendInitialEvents=true`).
    State { bookmark: bool },
    /// Changes from now on (`sendInitialEvents=false` without a revision).
    Now,
    /// Changes after this revision.
    Revision(u64),
}

impl Answer {
    pub fn new(code: u16, response: Response) -> Self {
        Answer { code, response, events: Vec::new(), warnings: Vec::new() }
    }
    pub fn refusal(e: ApiError) -> Self {
        Answer::new(e.code(), Response::Status(e.0))
    }
    /// The refusal, if this is one: how components inside the process see an error.
    pub fn error(&self) -> Option<ApiError> {
        match &self.response {
            Response::Status(s) if s.status.as_deref() != Some("Success") => Some(ApiError(s.clone())),
            _ => None,
        }
    }
    /// The object answered, if there is one; a refusal as an error. Components' replies are made of this.
    pub fn into_result(self) -> Result<Option<Obj>, ApiError> {
        match self.response {
            Response::Object(o) => Ok(Some(o)),
            Response::Status(s) if s.status.as_deref() != Some("Success") => Err(ApiError(s)),
            _ => Ok(None),
        }
    }
}

/// What the aggregator says for a server that it cannot reach. Models `proxyError` of `kube-aggregator`.
pub fn unavailable() -> Answer {
    Answer::new(503, Response::Text("service unavailable\n".into()))
}

/// `{"status":"Success"}` as deletes answer.
pub(crate) fn success() -> Status {
    Status { status: Some("Success".into()), ..Status::default() }
}

/// The same with its code, as a POST that makes no object answers: bindings and evictions.
pub(crate) fn created() -> Status {
    Status { code: Some(201), ..success() }
}
