//! Whole-cluster scenarios through the API, in virtual time, with every invariant checked after every step.

mod apply;
mod autoscaling;
mod budgets;
mod cloud;
mod control_plane;
mod cronjob;
mod daemonset;
mod devices;
mod disks;
mod elections;
mod faults;
mod follow;
mod full;
mod ingress;
mod job;
mod lessons;
mod links;
mod pods;
mod policies;
mod preemption;
mod pressure;
mod random;
mod replay;
mod rollout;
mod statefulset;
mod storage;
