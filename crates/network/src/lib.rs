//! The cluster's network: how a connection gets from a client to whoever answers ([`Net`]), kube-proxy, and the ingress
//! controller.
//!
//! A real cluster runs one kube-proxy per node and each computes the same table; here one component computes
//! it once and answers for every node.

pub mod balance;
pub mod dns;
pub mod gateway;
pub mod hop;
pub mod net;
pub mod policy;
pub mod proxy;
pub mod resolver;
mod source;
mod table;
#[cfg(test)]
mod testing;

pub use balance::Balancer;
pub use gateway::IngressController;
pub use hop::{Hop, Stage, Trail};
pub use net::{Client, End, Net, NetError, PLAIN_TO_TLS, Reached, Request, Response, Said, Server, Wire};
pub use policy::contains;
pub use proxy::{KubeProxy, PROCESS};
pub use resolver::Resolver;
pub use source::bridge;
