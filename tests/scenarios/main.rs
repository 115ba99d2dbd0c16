//! Whole-cluster scenarios through the API, in virtual time, with every invariant checked after every step.

mod apply;
mod budgets;
mod faults;
mod pods;
mod preemption;
mod replay;
mod rollout;
mod storage;
