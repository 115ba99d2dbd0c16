//! kubectl for the page's terminal: what the real one prints, byte for byte, and its exit codes. It reaches the API
//! server through [`Client`] only. Models `k8s.io/kubectl` and `k8s.io/cli-runtime`.

mod acting;
mod apply;
mod builder;
pub mod client;
mod commands;
mod complete;
mod create;
mod cx;
mod delete;
pub mod describe;
mod describing;
mod discovery;
pub mod env;
pub mod error;
mod events;
mod exec;
mod explain;
mod files;
mod flags;
mod get;
mod help;
mod info;
mod label;
mod logs;
pub mod mapping;
mod nodes;
mod pairs;
mod polymorphic;
mod print;
mod replace;
mod result;
mod rollout;
mod run_pod;
mod scale;
mod set;
mod threeway;
mod time;
mod wait;
mod watch;

pub use client::{Client, Future, Request, Response, Stream};
pub use commands::run;
pub use complete::complete;
pub use env::{Config, Env, Files, Session, Terminal};
pub use error::{Error, Status};
pub use mapping::Mapping;
