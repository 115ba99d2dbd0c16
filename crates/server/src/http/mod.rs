//! The server's edge: TLS, identities, requests and streams.

pub mod aggregation;
pub mod api;
pub mod auth;
pub mod body;
pub mod channels;
pub mod faults;
pub mod follow;
pub mod forward;
pub mod page;
pub mod ports;
pub mod processes;
pub mod proxy;
pub mod socket;
pub mod spdy;
pub mod streams;
mod wire;
