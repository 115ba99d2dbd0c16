//! Whole-cluster scenarios through the API, in virtual time, with every invariant checked after every step.

mod apply;
mod budgets;
mod cronjob;
mod daemonset;
mod faults;
mod job;
mod pods;
mod preemption;
mod replay;
mod rollout;
mod statefulset;
mod storage;
