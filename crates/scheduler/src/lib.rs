//! kube-scheduler: the scheduling framework with upstream's plugins, the cycle, the queue, what-if and the live
//! component. Models `pkg/scheduler` of Kubernetes v1.35.
//!
//! `framework/` says what a plugin is, `plugins/` has one file for each, `cycle.rs` schedules one pod over a
//! [`framework::Snapshot`] that `cache.rs` keeps true, `queue.rs` decides whose turn it is, `component.rs` joins
//! them under the reconcile contract and `whatif.rs` runs them over files.

pub mod cache;
pub mod component;
pub mod config;
pub mod cycle;
pub mod devices;
pub mod extender;
pub mod fixes;
pub mod framework;
pub mod moment;
pub mod plugins;
pub mod preemption;
pub mod queue;
pub mod table;
pub mod whatif;

mod admission;
mod binding;
mod delegated;
mod informers;
mod node_tree;
mod past;
mod preemption_choice;
mod record;
mod status;

pub use cache::Cache;
pub use component::Scheduler;
pub use config::Config;
pub use cycle::{Algorithm, Decision, Failure};
pub use extender::Caller;
pub use moment::{Kept, Moment};
pub use record::Record;
pub use table::table;
pub use whatif::{World, whatif, whatif_calling, whatif_each, whatif_moment};
