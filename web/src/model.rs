//! What the page knows of the cluster: deltas applied one after another. Pure: no browser in here.

pub mod cluster;
pub mod filtered;
pub mod flow;
pub mod kinds;
pub mod owners;

pub use cluster::{Model, ModelRef, Versions};
