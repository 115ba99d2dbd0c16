//! kubectl for the page's terminal: what the real one prints, byte for byte, and its exit codes. It reaches the API
//! server through [`Client`] only. Models `k8s.io/kubectl` and `k8s.io/cli-runtime`.

mod acting;
mod applied;
mod apply;
mod builder;
mod certificate;
pub mod client;
mod commands;
mod complete;
mod completed;
mod completing;
mod config;
mod config_set;
mod cp;
mod create;
mod cx;
mod debug;
mod delete;
pub mod describe;
mod describing;
mod diff;
mod discovery;
mod dump;
mod edit;
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
mod json_error;
mod jsonpatch;
mod kubeconfig;
mod kustomize;
mod label;
mod logs;
pub mod mapping;
mod migrate;
mod nodes;
mod pairs;
mod polymorphic;
mod print;
mod prune;
mod raw;
mod reconcile;
mod replace;
mod result;
mod rollout;
mod run_pod;
mod scale;
mod set;
mod set_env;
mod set_subject;
mod tar;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod threeway;
mod time;
mod typed;
mod unified;
mod wait;
mod watch;

pub use client::{Client, Future, Request, Response, Stream};
pub use commands::run;
pub use complete::complete;
pub use env::{Captured, Env, Files, Session, Terminal};
pub use error::{Error, Status};
pub use kubeconfig::Config;
pub use mapping::Mapping;

/// YAML as `sigs.k8s.io/yaml` writes it.
pub fn yaml(tree: &serde_json::Value) -> String {
    print::yaml::to_yaml(tree)
}
