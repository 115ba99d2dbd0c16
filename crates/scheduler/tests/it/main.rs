//! The scheduler's tests: cases modelled on upstream's own tables.

mod config;
mod filters;
mod messages;
mod preemption;
mod scores;
mod support;
mod whatif;
