//! The contract between the cluster and everything that runs in it: what a component sees ([`View`]), what
//! it may ask for ([`Intent`]), and how one takes its turn ([`Component`], [`Controller`]).
//!
//! Components never call each other and cannot name the store. They read their informer cache, return
//! intents (API requests under their own identity), and are told the replies.

pub mod component;
pub mod controller;
pub mod gateway;
pub mod intent;
pub mod leader_election;
pub mod queue;
pub mod services;
pub mod usage;
pub mod view;

pub use component::{Change, Component, Cx, Gauge, Interest, Reply, Step};
pub use controller::{Controller, Outcome, Runner, Watch};
pub use gateway::Gateway;
pub use intent::{Announce, EventType, Intent, Propagation, Tolerate, Write};
pub use leader_election::Elector;
pub use queue::WorkQueue;
pub use services::Services;
pub use usage::{Meter, Usage};
pub use view::View;
