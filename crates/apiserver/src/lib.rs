//! kube-apiserver (Kubernetes v1.35) as a pure room: a request and the present state in, a transaction and an
//! answer out. The host brings time, randomness and the store; nothing here waits, reads a clock or does I/O.
//!
//! The way of a request: [`http::route`] (for requests that come over HTTP) → [`ApiServer::handle`]:
//! authorize → decode and default → mutating admission → strategy → validate → validating admission → plan
//! of transactions → commit → answer → [`http::render`]. Components inside the process call `handle` with
//! typed bodies and get typed objects back; no JSON is made on that way.

pub mod admission;
pub mod authn;
pub mod authz;
mod conversion;
mod converter;
pub mod decode;
pub mod devices;
mod discovery;
mod event_ttl;
pub mod fields;
mod flow;
pub mod http;
pub mod keys;
pub mod objectmeta;
mod owners;
pub mod patch;
pub mod request;
pub mod response;
pub mod select;
pub mod server;
pub mod service;
pub mod stored;
pub mod table;
pub mod verbs;
pub mod watch;

pub use admission::webhooks::{At, Call, Callees, Caller, Said, Target, Trust, WAITS, resolve};
pub use authn::{Credentials, Impersonate};
pub use conversion::Converted;
pub use flow::Flow;
pub use request::{Body, FieldValidation, LogOptions, PatchType, Request, RequestOptions, RequestVerb, StreamOptions};
pub use response::{Answer, Connect, ConnectTarget, ProxyTarget, Response, WatchFrom, WatchSpec};
pub use select::Filter;
pub use server::{ApiCx, ApiServer, Config};
pub use stored::Stored;
