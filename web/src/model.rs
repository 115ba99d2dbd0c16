//! What the page knows of the cluster: deltas applied one after another. Pure: no browser in here.

pub mod access;
pub mod answers;
pub mod cluster;
pub mod editable;
pub mod filtered;
pub mod flow;
pub mod follow;
pub mod kinds;
pub mod owners;
pub mod pod_ask;
pub mod pod_change;
pub mod schemas;
pub mod traffic;

pub use answers::{Answers, Fetched, Topic};

pub use cluster::{Model, ModelRef, Versions};
pub use follow::Followed;
