//! Real workloads: pods of the RuntimeClass `wasmtime` are WASI 0.2 components run by wasmtime.
//!
//! A command component (`wasi:cli/run`) is a process: it has arguments, an environment, output and an exit code.
//! An HTTP component (`wasi:http/incoming-handler`) serves until it is stopped: one instance a request, as
//! `wasmtime serve` does it. Limits bind: memory by counting what linear memories hold, CPU by the thread time the
//! guest used, refilled like CFS bandwidth control.

pub mod cgroup;
pub mod container;
pub mod engine;
pub mod host;
pub mod image;
pub mod logbook;
pub mod logs;
pub mod node;
#[cfg(test)]
pub mod tests;

pub use container::Container;
pub use engine::Engine;
pub use image::Images;
