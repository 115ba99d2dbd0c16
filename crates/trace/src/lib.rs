//! The trace: what every component saw, decided and did, and what caused it. Nothing reads it back to decide.

pub mod cycle;
mod digest;
pub mod entry;
pub mod explain;
pub mod log;
mod recorded;
mod shared;

pub use cycle::Cycle;
pub use digest::Digest;
pub use entry::{Entry, Note, Seq, What};
pub use log::Trace;
pub use recorded::{Recorded, Source};
