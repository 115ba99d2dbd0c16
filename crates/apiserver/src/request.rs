//! A request as the API server's handlers see it, whether it came over HTTP or from a component inside.

use api::{KindRef, Object};
use k8s_openapi::api::core::v1::Binding;
use k8s_openapi::api::policy::v1::Eviction;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
use meta::{Time, User};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchType {
    /// RFC 6902, `application/json-patch+json`.
    Json,
    /// RFC 7386, `application/merge-patch+json`.
    Merge,
    /// `application/strategic-merge-patch+json`.
    Strategic,
    /// Server-side apply, `application/apply-patch+yaml`.
    Apply,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestVerb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch(PatchType),
    Delete,
    DeleteCollection,
}

impl RequestVerb {
    /// As RBAC and audit name it.
    pub fn as_str(self) -> &'static str {
        match self {
            RequestVerb::Get => "get",
            RequestVerb::List => "list",
            RequestVerb::Watch => "watch",
            RequestVerb::Create => "create",
            RequestVerb::Update => "update",
            RequestVerb::Patch(_) => "patch",
            RequestVerb::Delete => "delete",
            RequestVerb::DeleteCollection => "deletecollection",
        }
    }
}

/// A request's body. The typed forms are the fast path of components inside the process: no JSON is made or read.
#[derive(Default)]
pub enum Body {
    #[default]
    None,
    Object(Box<dyn Object>),
    /// For `pods/binding`.
    Binding(Box<Binding>),
    /// For `pods/eviction`.
    Eviction(Box<Eviction>),
    /// For deletes.
    DeleteOptions(Box<DeleteOptions>),
    /// A patch, or any body as a JSON tree.
    Json(serde_json::Value),
    Raw {
        content_type: String,
        bytes: Vec<u8>,
    },
}

impl Clone for Body {
    fn clone(&self) -> Self {
        match self {
            Body::None => Body::None,
            Body::Object(o) => Body::Object(o.clone_object()),
            Body::Binding(b) => Body::Binding(b.clone()),
            Body::Eviction(e) => Body::Eviction(e.clone()),
            Body::DeleteOptions(o) => Body::DeleteOptions(o.clone()),
            Body::Json(v) => Body::Json(v.clone()),
            Body::Raw { content_type, bytes } => Body::Raw { content_type: content_type.clone(), bytes: bytes.clone() },
        }
    }
}

/// `fieldValidation`: what happens to unknown and duplicate fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    Ignore,
    /// Upstream's default.
    #[default]
    Warn,
    Strict,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Named {
    pub field_validation: bool,
    pub field_manager: bool,
}

impl FieldValidation {
    pub fn name(self) -> &'static str {
        match self {
            FieldValidation::Ignore => "Ignore",
            FieldValidation::Warn => "Warn",
            FieldValidation::Strict => "Strict",
        }
    }
}

/// The query parameters of `metav1.{Get,List,Create,Update,Patch}Options`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestOptions {
    pub dry_run: bool,
    pub field_validation: FieldValidation,
    pub field_manager: String,
    /// Which of the two the client has named itself.
    pub named: Named,
    /// Whether the answer is to say who owns which fields.
    pub show_managed: bool,
    /// The kind as the client names it, where that is another form of the one that is stored.
    pub form: Option<KindRef>,
    /// Server-side apply only.
    pub force: Option<bool>,
    pub label_selector: String,
    pub field_selector: String,
    /// 0: no limit.
    pub limit: usize,
    pub continue_token: String,
    pub resource_version: String,
    pub resource_version_match: String,
    pub timeout_seconds: Option<u64>,
    pub allow_watch_bookmarks: bool,
    pub send_initial_events: Option<bool>,
    /// The parameters of `pods/log`.
    pub log: LogOptions,
    /// Those of `pods/exec`, `pods/attach` and `pods/portforward`.
    pub stream: StreamOptions,
    /// What follows `/proxy`.
    pub path: String,
}

/// Models `corev1.PodExecOptions`, `PodAttachOptions` and `PodPortForwardOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamOptions {
    pub command: Vec<String>,
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    pub tty: bool,
    pub ports: Vec<u16>,
}

/// Models `corev1.PodLogOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Empty: the only container, or the default one.
    pub container: String,
    pub follow: bool,
    pub previous: bool,
    pub timestamps: bool,
    pub tail_lines: Option<i64>,
    pub since_seconds: Option<i64>,
    pub since_time: Option<Time>,
    pub limit_bytes: Option<i64>,
}

#[derive(Clone)]
pub struct Request {
    pub user: User,
    pub verb: RequestVerb,
    pub kind: KindRef,
    /// Empty for cluster-scoped kinds and for lists over all namespaces.
    pub namespace: String,
    /// Empty for lists and creates.
    pub name: String,
    /// Empty for the resource itself.
    pub subresource: &'static str,
    pub options: RequestOptions,
    pub body: Body,
}

impl Request {
    /// A request from inside the process, whose typed bodies have no unknown fields to look for.
    pub fn new(user: User, verb: RequestVerb, kind: KindRef, namespace: &str, name: &str) -> Self {
        Request {
            user,
            verb,
            kind,
            namespace: namespace.into(),
            name: name.into(),
            subresource: "",
            options: RequestOptions { field_validation: FieldValidation::Ignore, ..RequestOptions::default() },
            body: Body::None,
        }
    }
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }
    #[must_use]
    pub fn subresource(mut self, name: &'static str) -> Self {
        self.subresource = name;
        self
    }
}
