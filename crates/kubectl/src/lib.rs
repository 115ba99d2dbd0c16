//! kubectl for the page's terminal: what the real one prints, byte for byte, and its exit codes. It reaches the API
//! server through [`client::Client`] only. Models `k8s.io/kubectl` and `k8s.io/cli-runtime`.

pub mod client;
pub mod describe;
pub mod error;
pub mod mapping;

pub use client::{Client, Future, Request, Response, Stream};
pub use error::{Error, Status};
pub use mapping::Mapping;
