//! What a simulated program finds when it reaches out: the cluster's network where there is one (`cluster_net`); without
//! one, only the node's own containers answer.

use meta::{Duration, Time};
use std::sync::Arc;

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub body: String,
}

/// An answer, and what it takes the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    pub response: Response,
    pub work: Duration,
    /// When it is there, with what else the container has to do.
    pub done: Time,
    /// The node of a server that is not on this one.
    pub node: Option<Arc<str>>,
}

/// A request under way to the container that listens there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub node: Option<Arc<str>>,
    pub ip: String,
    pub port: u16,
    pub at: Time,
    pub work: Duration,
}

/// Why nothing answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetError {
    /// The name does not resolve.
    NoSuchHost,
    /// Nobody listens at that port.
    Refused,
    /// Nobody has that address.
    Unreachable,
    /// Somebody listens who does not speak HTTP.
    NotHttp,
}

pub trait Network {
    /// Addresses of a host name as seen from `namespace`; empty when there is none.
    fn resolve(&self, namespace: &str, host: &str) -> Vec<String>;
    /// Where a connection to a Service's address ends; `None`: it is no Service's.
    fn route(&self, ip: &str, port: u16) -> Option<Result<(String, u16), NetError>>;
    /// Whether policies let a connection between two pods' (or other) addresses through.
    fn allows(&self, from: &str, to: &str, port: u16) -> bool;
    /// Whether they let a pod ask for names.
    fn allows_names(&self, from: &str) -> bool;
    /// # Errors
    /// Why there is no answer.
    fn http(&self, ip: &str, port: u16, method: &str, path: &str) -> Result<Served, NetError>;
    /// # Errors
    /// Why there is no connection.
    fn connect(&self, ip: &str, port: u16) -> Result<(), NetError>;
}
