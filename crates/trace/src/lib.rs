//! The trace: what every component saw, decided and did, and what caused it. Nothing reads it back to decide.

pub mod cycle;
pub mod entry;
pub mod explain;
pub mod log;

pub use cycle::Cycle;
pub use entry::{Entry, Note, Seq, What};
pub use log::Trace;
