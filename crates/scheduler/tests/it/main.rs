//! The scheduler's tests: cases modelled on upstream's own tables.

mod cases;
mod component;
mod config;
mod explain;
mod extenders;
mod filters;
mod fixes;
mod handlers;
mod hints;
mod kinds;
mod messages;
mod policies;
mod preemption;
mod queue;
mod queue_cases;
mod recorded;
mod scores;
mod shorthand;
mod spread;
mod support;
mod tables;
mod volume_limits;
mod volumes;
mod whatif;
